"""SiLU(gate) * up for CPUs."""

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from slipform.kernels._numba import FASTMATH, exponential, load_row, num_workers, store_row


def silu_and_mul(gate_up: Tensor) -> Tensor:
    """See `kernels/interface.py`."""
    if not gate_up.is_contiguous():
        raise ValueError("gate_up: must be contiguous")
    num_rows, size = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty((num_rows, size))
    num_threads = num_workers(num_rows * size * 4)
    run = _silu_and_mul_share if num_threads == 1 else _silu_and_mul
    run(
        gate_up.data_ptr(),
        out.data_ptr(),
        gate_up.dtype is torch.bfloat16,
        num_rows,
        size,
        num_threads,
        0,
    )
    return out


@njit(cache=True, nogil=True, parallel=True)
def _silu_and_mul(gate_up, out, is_bfloat16, num_rows, size, num_threads, _):  # type: ignore[no-untyped-def]
    for thread in prange(num_threads):
        _silu_and_mul_share(gate_up, out, is_bfloat16, num_rows, size, num_threads, thread)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _silu_and_mul_share(gate_up, out, is_bfloat16, num_rows, size, num_threads, thread):  # type: ignore[no-untyped-def]
    gate = np.empty(size, np.float32)
    up = np.empty(size, np.float32)
    for index in range(num_rows * thread // num_threads, num_rows * (thread + 1) // num_threads):
        load_row(gate_up, is_bfloat16, 2 * index * size, gate, size)
        load_row(gate_up, is_bfloat16, (2 * index + 1) * size, up, size)
        for i in range(size):
            # exponential() takes at most 88; beyond 80 the quotient is 0 in float32 anyway.
            gate[i] = up[i] * gate[i] / (np.float32(1.0) + exponential(min(-gate[i], np.float32(80.0))))
        store_row(out, is_bfloat16, index * size, gate, size)
