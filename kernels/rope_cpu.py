"""Rotary embedding (Su et al., arXiv:2104.09864), norms of heads and the KV store in one pass, for CPUs."""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from slipform.kernels._numba import (
    FASTMATH,
    c_function,
    check_indices,
    float32_at,
    int64_at,
    narrow_row,
    padded,
    widen_row,
)
from slipform.kernels._simd import (
    LANES,
    load,
    multiply,
    multiply_add,
    reduce_add,
    splat,
    store,
    subtract,
)
from slipform.kernels.attention_cpu import refuse_scales


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
    kv_scales: Tensor | None = None,
) -> None:
    """See `kernels/interface.py`."""
    refuse_scales(kv_scales)
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
    rotate_and_store().ctypes(
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
        1,
        0,
    )


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _normalize_head(row, weight, size, eps):  # type: ignore[no-untyped-def]
    squares = splat(np.float32(0.0))
    for i in range(0, 4 * size, 4 * LANES):
        v = load(row + i)
        squares = multiply_add(v, v, squares)
    factor = splat(np.float32(1.0) / np.sqrt(reduce_add(squares) / np.float32(size) + np.float32(eps)))
    for i in range(0, 4 * size, 4 * LANES):
        store(row + i, multiply(multiply(load(row + i), factor), load(weight + i)))


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _rotate_head(row, table, half):  # type: ignore[no-untyped-def]
    """table: cosines of the `half` frequencies, then their sines."""
    whole = half // LANES * LANES
    for i in range(0, 4 * whole, 4 * LANES):
        left, right = load(row + i), load(row + 4 * half + i)
        cos, sin = load(table + i), load(table + 4 * half + i)
        store(row + i, subtract(multiply(left, cos), multiply(right, sin)))
        store(row + 4 * half + i, multiply_add(right, cos, multiply(left, sin)))
    heads = float32_at(row, 2 * half)
    angles = float32_at(table, 2 * half)
    for i in range(whole, half):
        a, b = heads[i], heads[half + i]
        heads[i] = a * angles[i] - b * angles[half + i]
        heads[half + i] = b * angles[i] + a * angles[half + i]


def rotate_and_store() -> Any:
    """The parameters of `_rotate_and_store`."""
    return c_function(_rotate_and_store, "iiiiiiiiiiiidiiiiiii")


def _rotate_and_store(  # type: ignore[no-untyped-def]
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
    """One thread's share of the tokens. Tensors are addresses, norms 0 for none."""
    half = rotary_dim // 2
    scratch = np.empty(3 * padded(head_dim), np.float32)
    row = scratch.ctypes.data
    query_scales = row + 4 * padded(head_dim)
    key_scales = query_scales + 4 * padded(head_dim)
    if query_norm != 0:
        widen_row(query_norm, is_bfloat16, 0, query_scales, head_dim)
    if key_norm != 0:
        widen_row(key_norm, is_bfloat16, 0, key_scales, head_dim)
    for token in range(num_tokens * thread // num_threads, num_tokens * (thread + 1) // num_threads):
        table = cos_sin + 4 * rotary_dim * int64_at(positions + 8 * token, 1)[0]
        slot = int64_at(slots + 8 * token, 1)[0]
        for head in range(num_heads):
            start = token * stride + head * head_dim
            widen_row(query, is_bfloat16, start, row, head_dim)
            if query_norm != 0:
                _normalize_head(row, query_scales, head_dim, eps)
            _rotate_head(row, table, half)
            narrow_row(row, query, is_bfloat16, start, head_dim)
        for head in range(num_kv_heads):
            start = token * stride + head * head_dim
            into = (slot * num_kv_heads + head) * head_dim
            widen_row(key, is_bfloat16, start, row, head_dim)
            if key_norm != 0:
                _normalize_head(row, key_scales, head_dim, eps)
            _rotate_head(row, table, half)
            narrow_row(row, key_pool, is_bfloat16, into, head_dim)
            widen_row(value, is_bfloat16, start, row, head_dim)
            narrow_row(row, value_pool, is_bfloat16, into, head_dim)
    scratch[0] = 0  # used here, so that the array lives until now
