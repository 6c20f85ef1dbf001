"""RMSNorm for CPUs, alone and fused with the addition to the residual stream. Zhang and Sennrich, arXiv:1910.07467."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from slipform.kernels._numba import c_function, narrow_row, padded, widen_row
from slipform.kernels._simd import LANES, add, load, multiply, multiply_add, reduce_add, splat, store


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/interface.py`."""
    out = torch.empty_like(x)
    _launch(x, 0, weight, out, eps)
    return out


def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/interface.py`. The result overwrites x."""
    _launch(x, residual.data_ptr(), weight, x, eps)
    return x


def _launch(x: Tensor, residual: int, weight: Tensor, out: Tensor, eps: float) -> None:
    if not x.is_contiguous():
        raise ValueError("x: must be contiguous")
    if weight.dtype is not x.dtype:
        raise ValueError(f"weight: {weight.dtype}, and x is {x.dtype}")
    size = x.shape[-1]
    rows = x.numel() // size
    normalize().ctypes(
        x.data_ptr(),
        residual,
        weight.data_ptr(),
        out.data_ptr(),
        x.dtype is torch.bfloat16,
        rows,
        size,
        eps,
        1,
        0,
    )


def normalize() -> Any:
    """The parameters of `_normalize`."""
    return c_function(_normalize, "iiiiiiidii")


def _normalize(x, residual, weight, out, is_bfloat16, num_rows, size, eps, num_threads, thread):  # type: ignore[no-untyped-def]
    """One thread's share of the rows. Tensors are addresses, residual 0 for none; out may be x."""
    scratch = np.empty(3 * padded(size), np.float32)
    row = scratch.ctypes.data
    addend = row + 4 * padded(size)
    scales = addend + 4 * padded(size)
    widen_row(weight, is_bfloat16, 0, scales, size)
    for index in range(num_rows * thread // num_threads, num_rows * (thread + 1) // num_threads):
        start = index * size
        widen_row(x, is_bfloat16, start, row, size)
        if residual != 0:
            widen_row(residual, is_bfloat16, start, addend, size)
            for i in range(0, 4 * size, 4 * LANES):
                store(row + i, add(load(row + i), load(addend + i)))
            narrow_row(row, residual, is_bfloat16, start, size)
            if is_bfloat16:  # the sum goes on as the stream holds it, rounded
                widen_row(residual, True, start, row, size)
        squares = splat(np.float32(0.0))
        for i in range(0, 4 * size, 4 * LANES):
            v = load(row + i)
            squares = multiply_add(v, v, squares)
        mean = reduce_add(squares) / np.float32(size)
        factor = splat(np.float32(1.0) / np.sqrt(mean + np.float32(eps)))
        for i in range(0, 4 * size, 4 * LANES):
            store(row + i, multiply(multiply(load(row + i), factor), load(scales + i)))
        narrow_row(row, out, is_bfloat16, start, size)
    scratch[0] = 0  # used here, so that the array lives until now
