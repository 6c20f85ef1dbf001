"""RMSNorm for CPUs, alone and fused with the addition to the residual stream. Zhang and Sennrich, arXiv:1910.07467."""

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from slipform.kernels._numba import FASTMATH, load_row, num_workers, store_row


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
    num_threads = num_workers(rows * size)
    run = _normalize_share if num_threads == 1 else _normalize
    run(
        x.data_ptr(),
        residual,
        weight.data_ptr(),
        out.data_ptr(),
        x.dtype is torch.bfloat16,
        rows,
        size,
        eps,
        num_threads,
        0,
    )


@njit(cache=True, nogil=True, parallel=True)
def _normalize(x, residual, weight, out, is_bfloat16, num_rows, size, eps, num_threads, _):  # type: ignore[no-untyped-def]
    for thread in prange(num_threads):
        _normalize_share(x, residual, weight, out, is_bfloat16, num_rows, size, eps, num_threads, thread)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _normalize_share(  # type: ignore[no-untyped-def]
    x, residual, weight, out, is_bfloat16, num_rows, size, eps, num_threads, thread
):
    """The rows of one thread: the thread-th of num_threads equal shares."""
    scales = np.empty(size, np.float32)
    row = np.empty(size, np.float32)
    addend = np.empty(size, np.float32)
    load_row(weight, is_bfloat16, 0, scales, size)
    for index in range(num_rows * thread // num_threads, num_rows * (thread + 1) // num_threads):
        start = index * size
        load_row(x, is_bfloat16, start, row, size)
        if residual != 0:
            load_row(residual, is_bfloat16, start, addend, size)
            for i in range(size):
                row[i] += addend[i]
            # The sum continues as the stream holds it, rounded to its dtype.
            store_row(residual, is_bfloat16, start, row, size)
            load_row(residual, is_bfloat16, start, row, size)
        squares = np.float32(0.0)
        for i in range(size):
            squares += row[i] * row[i]
        factor = np.float32(1.0) / np.sqrt(squares / np.float32(size) + np.float32(eps))
        for i in range(size):
            row[i] = row[i] * factor * scales[i]
        store_row(out, is_bfloat16, start, row, size)
