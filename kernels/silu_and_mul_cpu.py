"""SiLU(gate) * up for CPUs."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from slipform.kernels._numba import c_function, narrow_row, padded, widen_row
from slipform.kernels._simd import LANES, add, divide, exponential, load, minimum, multiply, splat, store


def silu_and_mul(gate_up: Tensor) -> Tensor:
    """See `kernels/interface.py`."""
    if not gate_up.is_contiguous():
        raise ValueError("gate_up: must be contiguous")
    num_rows, size = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty((num_rows, size))
    multiply_by_silu().ctypes(
        gate_up.data_ptr(),
        out.data_ptr(),
        gate_up.dtype is torch.bfloat16,
        num_rows,
        size,
        1,
        0,
    )
    return out


def multiply_by_silu() -> Any:
    """The parameters of `_multiply_by_silu`."""
    return c_function(_multiply_by_silu, "iiiiiii")


def _multiply_by_silu(gate_up, out, is_bfloat16, num_rows, size, num_threads, thread):  # type: ignore[no-untyped-def]
    """One thread's share of the rows. Tensors are addresses."""
    scratch = np.empty(2 * padded(size), np.float32)
    gate = scratch.ctypes.data
    up = gate + 4 * padded(size)
    one = splat(np.float32(1.0))
    for index in range(num_rows * thread // num_threads, num_rows * (thread + 1) // num_threads):
        widen_row(gate_up, is_bfloat16, 2 * index * size, gate, size)
        widen_row(gate_up, is_bfloat16, (2 * index + 1) * size, up, size)
        for i in range(0, 4 * size, 4 * LANES):
            v = load(gate + i)
            # exponential() takes at most 88; beyond 80 the quotient is 0 in float32 anyway.
            power = exponential(minimum(multiply(v, splat(np.float32(-1.0))), splat(np.float32(80.0))))
            store(gate + i, divide(multiply(v, load(up + i)), add(one, power)))
        narrow_row(gate, out, is_bfloat16, index * size, size)
    scratch[0] = 0  # used here, so that the array lives until now
