"""Rotary embedding (Su et al., arXiv:2104.09864), norms of heads and the KV store in one pass, for CPUs."""

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from slipform.kernels._numba import FASTMATH, check_indices, float32_at, int64_at, load_row, num_workers, store_row


def rope_store_kv(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    positions: Tensor,
    cos_sin: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slots: Tensor,
    *,
    query_norm: Tensor | None = None,
    key_norm: Tensor | None = None,
    eps: float = 0.0,
) -> None:
    """See `kernels/interface.py`."""
    dtype = query.dtype
    num_tokens, num_heads, head_dim = query.shape
    num_kv_heads = key.shape[1]
    if key_pool.dtype is not dtype or not key_pool.is_contiguous():
        raise ValueError(f"key_pool: must be contiguous and {dtype}")
    if value_pool.dtype is not dtype or not value_pool.is_contiguous():
        raise ValueError(f"value_pool: must be contiguous and {dtype}")
    if not query.stride(0) == key.stride(0) == value.stride(0):
        raise ValueError("query, key, value: must be views of one projection")
    check_indices(positions=positions, slots=slots)
    if cos_sin.dtype is not torch.float32 or not cos_sin.is_contiguous():
        raise ValueError("cos_sin: must be contiguous and float32")
    num_threads = num_workers(num_tokens * (num_heads + 2 * num_kv_heads) * head_dim)
    run = _rope_store_share if num_threads == 1 else _rope_store
    run(
        query.data_ptr(),
        key.data_ptr(),
        value.data_ptr(),
        query.stride(0),
        positions.data_ptr(),
        cos_sin.data_ptr(),
        cos_sin.shape[1],
        key_pool.data_ptr(),
        value_pool.data_ptr(),
        slots.data_ptr(),
        0 if query_norm is None else query_norm.data_ptr(),
        0 if key_norm is None else key_norm.data_ptr(),
        eps,
        dtype is torch.bfloat16,
        num_tokens,
        num_heads,
        num_kv_heads,
        head_dim,
        num_threads,
        0,
    )


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _normalize_head(row, norm, is_bfloat16, size, eps, weight):  # type: ignore[no-untyped-def]
    load_row(norm, is_bfloat16, 0, weight, size)
    squares = np.float32(0.0)
    for i in range(size):
        squares += row[i] * row[i]
    factor = np.float32(1.0) / np.sqrt(squares / np.float32(size) + np.float32(eps))
    for i in range(size):
        row[i] = row[i] * factor * weight[i]


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _rotate_head(row, table, half):  # type: ignore[no-untyped-def]
    """table: cosines of the `half` frequencies, then their sines."""
    for i in range(half):
        left = row[i]
        right = row[half + i]
        row[i] = left * table[i] - right * table[half + i]
        row[half + i] = right * table[i] + left * table[half + i]


@njit(cache=True, nogil=True, parallel=True)
def _rope_store(  # type: ignore[no-untyped-def]
    query,
    key,
    value,
    stride,
    positions,
    cos_sin,
    rotary_dim,
    key_pool,
    value_pool,
    slots,
    query_norm,
    key_norm,
    eps,
    is_bfloat16,
    num_tokens,
    num_heads,
    num_kv_heads,
    head_dim,
    num_threads,
    _,
):
    for thread in prange(num_threads):
        _rope_store_share(
            query,
            key,
            value,
            stride,
            positions,
            cos_sin,
            rotary_dim,
            key_pool,
            value_pool,
            slots,
            query_norm,
            key_norm,
            eps,
            is_bfloat16,
            num_tokens,
            num_heads,
            num_kv_heads,
            head_dim,
            num_threads,
            thread,
        )


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _rope_store_share(  # type: ignore[no-untyped-def]
    query,
    key,
    value,
    stride,
    positions,
    cos_sin,
    rotary_dim,
    key_pool,
    value_pool,
    slots,
    query_norm,
    key_norm,
    eps,
    is_bfloat16,
    num_tokens,
    num_heads,
    num_kv_heads,
    head_dim,
    num_threads,
    thread,
):
    """The tokens of one thread: the thread-th of num_threads equal shares."""
    half = rotary_dim // 2
    row = np.empty(head_dim, np.float32)
    weight = np.empty(head_dim, np.float32)
    for token in range(num_tokens * thread // num_threads, num_tokens * (thread + 1) // num_threads):
        position = int64_at(positions + 8 * token, 1)[0]
        table = float32_at(cos_sin + 4 * position * rotary_dim, rotary_dim)
        slot = int64_at(slots + 8 * token, 1)[0]
        for head in range(num_heads):
            start = token * stride + head * head_dim
            load_row(query, is_bfloat16, start, row, head_dim)
            if query_norm != 0:
                _normalize_head(row, query_norm, is_bfloat16, head_dim, eps, weight)
            _rotate_head(row, table, half)
            store_row(query, is_bfloat16, start, row, head_dim)
        for head in range(num_kv_heads):
            start = token * stride + head * head_dim
            into = (slot * num_kv_heads + head) * head_dim
            load_row(key, is_bfloat16, start, row, head_dim)
            if key_norm != 0:
                _normalize_head(row, key_norm, is_bfloat16, head_dim, eps, weight)
            _rotate_head(row, table, half)
            store_row(key_pool, is_bfloat16, into, row, head_dim)
            load_row(value, is_bfloat16, start, row, head_dim)
            store_row(value_pool, is_bfloat16, into, row, head_dim)
