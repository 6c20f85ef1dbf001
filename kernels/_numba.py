"""Helpers for the Numba kernels: arrays over raw addresses, bfloat16 as its bits, a vectorisable exponential.

Kernels take tensors as addresses (`Tensor.data_ptr()`): an integer argument costs a tenth of what turning a tensor into
a numpy array costs, and at batch 1 that is time a decode step feels. The launchers check dtype and strides first.
One compiled kernel serves float32 and bfloat16: rows are widened to float32 as they are read, so that the element type
is a branch outside the inner loops.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from torch import Tensor

from slipform.kernels._simd import LANES, load, load_bfloat16, splat, store, store_bfloat16

# Reassociation lets sums vectorise; infinities keep their meaning, since masked scores are -inf.
FASTMATH = {"reassoc", "contract", "arcp", "nsz"}


def has_host_features(*names: str) -> bool:
    """Whether Numba compiles for this very machine, and the machine has all these features of LLVM's list."""
    if numba.config.CPU_NAME is not None or numba.config.CPU_FEATURES is not None:
        return False
    features = binding.get_host_cpu_features()
    return all(features.get(name, False) for name in names)


@intrinsic
def as_pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@intrinsic
def bits_to_float(typing_context: Any, bits: Any) -> Any:
    """int32 bits as the float32 they spell."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def float_to_bits(typing_context: Any, value: Any) -> Any:
    """float32 as its bits, an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def call(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Call the C function at `address` with a tuple of integers and floats, passed as int64 and double."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        passed = [
            context.cast(builder, value, kind, types.float64 if isinstance(kind, types.Float) else types.int64)
            for value, kind in zip(cgutils.unpack_tuple(builder, values[1]), arguments.types, strict=True)
        ]
        function_type = ir.FunctionType(ir.VoidType(), [value.type for value in passed])
        builder.call(builder.inttoptr(values[0], function_type.as_pointer()), passed)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), generate


@functools.cache
def c_function(body: Callable[..., None], parameters: str) -> Any:
    """A kernel's body compiled as a C function, once: callers hold its `.address` and do not compile it again.

    Numba would optimise the body anew inside every compiled caller, and a body under three callers takes four times as
    long to compile. Compiled on the first call, not on import; kept on disk.

    Args:
        parameters: a letter for each, "i" for int64 and "d" for double.
    """
    kinds = [types.float64 if letter == "d" else types.int64 for letter in parameters]
    return cfunc(types.void(*kinds), cache=True, fastmath=FASTMATH)(body)


@njit(cache=True, inline="always")
def float32_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.float32)


@njit(cache=True, inline="always")
def uint16_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.uint16)


@njit(cache=True, inline="always")
def int32_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.int32)


@njit(cache=True, inline="always")
def int64_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.int64)


@njit(cache=True, inline="always")
def uint8_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.uint8)


@njit(cache=True, inline="always")
def uint64_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.uint64)


@njit(cache=True, inline="always")
def float64_at(address, size):  # type: ignore[no-untyped-def]
    return carray(as_pointer(address), (size,), np.float64)


@njit(cache=True, inline="always")
def widen(bits):  # type: ignore[no-untyped-def]
    """A bfloat16's 16 bits as float32."""
    return bits_to_float(np.int32(np.uint32(bits) << np.uint32(16)))


@njit(cache=True, inline="always")
def narrow(value):  # type: ignore[no-untyped-def]
    """float32 to bfloat16 bits, to nearest, ties to even. NaN stays NaN: its quiet bit is in the upper half already."""
    bits = np.uint32(float_to_bits(np.float32(value)))
    if value != value:
        return np.uint16(0x7FC0)
    return np.uint16((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16))


@njit(cache=True, inline="always")
def load_at(address, is_bfloat16, index):  # type: ignore[no-untyped-def]
    """The vector of elements index:index+LANES."""
    if is_bfloat16:
        return load_bfloat16(address + 2 * index)
    return load(address + 4 * index)


@njit(cache=True, inline="always")
def store_at(address, is_bfloat16, index, vector):  # type: ignore[no-untyped-def]
    """The inverse of `load_at`."""
    if is_bfloat16:
        store_bfloat16(address + 2 * index, vector)
    else:
        store(address + 4 * index, vector)


@njit(cache=True, inline="always")
def get(address, is_bfloat16, index):  # type: ignore[no-untyped-def]
    """One element, as float32."""
    if is_bfloat16:
        return widen(uint16_at(address + 2 * index, 1)[0])
    return float32_at(address + 4 * index, 1)[0]


@njit(cache=True, inline="always")
def put(address, is_bfloat16, index, value):  # type: ignore[no-untyped-def]
    """The inverse of `get`."""
    if is_bfloat16:
        uint16_at(address + 2 * index, 1)[0] = narrow(value)
    else:
        float32_at(address + 4 * index, 1)[0] = value


@njit(cache=True, inline="always")
def padded(size):  # type: ignore[no-untyped-def]
    """The next multiple of LANES."""
    return (size + LANES - 1) // LANES * LANES


@njit(cache=True, inline="always")
def widen_row(address, is_bfloat16, start, place, size):  # type: ignore[no-untyped-def]
    """At `place`, padded(size) float32: elements start:start+size of the tensor at `address`, then zeros."""
    whole = size // LANES * LANES
    for i in range(0, whole, LANES):
        store(place + 4 * i, load_at(address, is_bfloat16, start + i))
    if whole < size:
        store(place + 4 * whole, splat(np.float32(0.0)))
        for i in range(whole, size):
            put(place, False, i, get(address, is_bfloat16, start + i))


@njit(cache=True, inline="always")
def narrow_row(place, address, is_bfloat16, start, size):  # type: ignore[no-untyped-def]
    """The inverse of `widen_row`."""
    whole = size // LANES * LANES
    for i in range(0, whole, LANES):
        store_at(address, is_bfloat16, start + i, load(place + 4 * i))
    for i in range(whole, size):
        put(address, is_bfloat16, start + i, get(place, False, i))


@njit(cache=True, fastmath=FASTMATH, inline="always")
def exponential(x):  # type: ignore[no-untyped-def]
    """exp of a float32 at most 88, without a call, so that loops over it vectorise; relative error below 2e-7.

    2^n * e^r with |r| <= ln(2)/2 (Cody and Waite's two-part ln 2) and the minimax polynomial of Cephes' expf.
    Below -87 the result is 0 for every purpose of a softmax: it is exp(-87).
    """
    x = max(np.float32(x), np.float32(-87.0))
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    return p * bits_to_float((np.int32(n) + np.int32(127)) << np.int32(23))


def check_indices(**tensors: Tensor) -> None:
    """Raises: ValueError unless each is a contiguous int64 vector; kernels step through them by 8 bytes."""
    for name, tensor in tensors.items():
        if tensor.dtype is not torch.int64 or not tensor.is_contiguous():
            raise ValueError(f"{name}: must be int64 and contiguous")
