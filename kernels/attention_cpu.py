"""Attention over slots for CPUs: one Numba kernel for prefill, extend and decode.

The work is cut into items (sequence, block of queries, KV head), dealt out to the threads in turn. An item reads the
rows of its KV head slot by slot, a tile at a time, widens them to float32 once for all queries of the block and all
heads of the group, and keeps a running softmax per query (Milakov and Gimelshein, "Online normalizer calculation for
softmax", 2018).
"""

import numpy as np
import torch
from numba import get_num_threads, njit, prange
from torch import Tensor

from slipform.kernels._numba import (
    FASTMATH,
    exponential,
    float32_at,
    int32_at,
    load_row,
    store_row,
)

_QUERY_BLOCK = 16
_TILE = 64


def attention(
    query: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slot_table: Tensor,
    cu_seqlens: Tensor,
    seq_lens: Tensor,
    *,
    scale: float,
    window: int = 0,
    softcap: float = 0.0,
    alibi_slopes: Tensor | None = None,
    max_extend_len: int = 0,
) -> Tensor:
    """See `kernels/interface.py`."""
    num_tokens, num_heads, head_dim = query.shape
    num_kv_heads = key_pool.shape[1]
    _check(query, key_pool, value_pool, slot_table, cu_seqlens, seq_lens, alibi_slopes)
    out = torch.empty((num_tokens, num_heads, head_dim), dtype=query.dtype)
    num_threads = min(torch.get_num_threads(), get_num_threads())
    _attend(
        query.data_ptr(),
        query.stride(0),
        out.data_ptr(),
        key_pool.data_ptr(),
        value_pool.data_ptr(),
        query.dtype is torch.bfloat16,
        slot_table.data_ptr(),
        slot_table.stride(0),
        cu_seqlens.data_ptr(),
        seq_lens.data_ptr(),
        0 if alibi_slopes is None else alibi_slopes.data_ptr(),
        seq_lens.shape[0],
        num_heads,
        num_kv_heads,
        head_dim,
        scale,
        window,
        softcap,
        -(-(max_extend_len or num_tokens) // _QUERY_BLOCK),
        num_threads,
    )
    return out


def _check(
    query: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slot_table: Tensor,
    cu_seqlens: Tensor,
    seq_lens: Tensor,
    alibi_slopes: Tensor | None,
) -> None:
    dtype = query.dtype
    if dtype is not torch.float32 and dtype is not torch.bfloat16:
        raise ValueError(f"query: dtype {dtype}; the CPU kernels take float32 and bfloat16")
    if key_pool.dtype is not dtype or not key_pool.is_contiguous():
        raise ValueError(f"key_pool: must be contiguous and {dtype}")
    if value_pool.dtype is not dtype or not value_pool.is_contiguous():
        raise ValueError(f"value_pool: must be contiguous and {dtype}")
    if query.stride(2) != 1 or query.stride(1) != query.shape[2]:
        raise ValueError("query: the heads of a token must be contiguous")
    if slot_table.dtype is not torch.int32 or slot_table.stride(1) != 1:
        raise ValueError("slot_table: must be int32 with contiguous rows")
    if cu_seqlens.dtype is not torch.int32 or seq_lens.dtype is not torch.int32:
        raise ValueError("cu_seqlens, seq_lens: must be int32")
    if alibi_slopes is not None and alibi_slopes.dtype is not torch.float32:
        raise ValueError("alibi_slopes: must be float32")


@njit(cache=True, nogil=True, parallel=True, fastmath=FASTMATH)
def _attend(  # type: ignore[no-untyped-def]
    query,
    query_stride,
    out,
    key_pool,
    value_pool,
    is_bfloat16,
    slot_table,
    slot_stride,
    cu_seqlens,
    seq_lens,
    alibi_slopes,
    num_sequences,
    num_heads,
    num_kv_heads,
    head_dim,
    scale,
    window,
    softcap,
    num_blocks,
    num_threads,
):
    num_items = num_sequences * num_blocks * num_kv_heads
    for thread in prange(num_threads):
        for item in range(thread, num_items, num_threads):
            head = item % num_kv_heads
            block = item // num_kv_heads % num_blocks
            sequence = item // (num_kv_heads * num_blocks)
            starts = int32_at(cu_seqlens + 4 * sequence, 2)
            extend_len = starts[1] - starts[0]
            if block * _QUERY_BLOCK >= extend_len:
                continue
            seq_len = int32_at(seq_lens + 4 * sequence, 1)[0]
            _attend_block(
                query,
                query_stride,
                out,
                key_pool,
                value_pool,
                is_bfloat16,
                int32_at(slot_table + 4 * sequence * slot_stride, seq_len),
                alibi_slopes,
                starts[0] + block * _QUERY_BLOCK,
                min(_QUERY_BLOCK, extend_len - block * _QUERY_BLOCK),
                seq_len - extend_len + block * _QUERY_BLOCK,
                head,
                num_heads,
                num_kv_heads,
                head_dim,
                np.float32(scale),
                window,
                np.float32(softcap),
            )


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _attend_block(  # type: ignore[no-untyped-def]
    query,
    query_stride,
    out,
    key_pool,
    value_pool,
    is_bfloat16,
    slots,
    alibi_slopes,
    first_token,
    num_queries,
    first_position,
    kv_head,
    num_heads,
    num_kv_heads,
    head_dim,
    scale,
    window,
    softcap,
):
    """Rows are (query, head of the group) pairs; query i of the block stands at first_position + i."""
    group = num_heads // num_kv_heads
    num_rows = num_queries * group
    first_head = kv_head * group
    queries = np.empty((num_rows, head_dim), np.float32)
    sums = np.zeros((num_rows, head_dim), np.float32)
    maxima = np.full(num_rows, -np.inf, np.float32)
    totals = np.zeros(num_rows, np.float32)
    keys = np.empty((_TILE, head_dim), np.float32)
    values = np.empty((_TILE, head_dim), np.float32)
    scores = np.empty(_TILE, np.float32)
    for row in range(num_rows):
        start = (first_token + row // group) * query_stride + (first_head + row % group) * head_dim
        load_row(query, is_bfloat16, start, queries[row], head_dim)
        for i in range(head_dim):
            queries[row, i] *= scale

    kv_begin = max(0, first_position - window + 1) if window > 0 else 0
    kv_end = first_position + num_queries
    for tile in range(kv_begin, kv_end, _TILE):
        tile_len = min(_TILE, kv_end - tile)
        for j in range(tile_len):
            start = (np.int64(slots[tile + j]) * num_kv_heads + kv_head) * head_dim
            load_row(key_pool, is_bfloat16, start, keys[j], head_dim)
            load_row(value_pool, is_bfloat16, start, values[j], head_dim)
        for row in range(num_rows):
            position = first_position + row // group
            low = max(0, position - window + 1 - tile) if window > 0 else 0
            high = min(tile_len, position + 1 - tile)
            if low >= high:
                continue
            q = queries[row]
            for j in range(low, high):
                k = keys[j]
                score = np.float32(0.0)
                for i in range(head_dim):
                    score += q[i] * k[i]
                scores[j] = score
            if softcap > 0:
                for j in range(low, high):
                    scores[j] = softcap * np.tanh(scores[j] / softcap)
            if alibi_slopes != 0:
                slope = float32_at(alibi_slopes, num_heads)[first_head + row % group]
                for j in range(low, high):
                    scores[j] += slope * np.float32(tile + j - position)
            highest = maxima[row]
            for j in range(low, high):
                highest = max(highest, scores[j])
            total = np.float32(0.0)
            for j in range(low, high):
                scores[j] = exponential(scores[j] - highest)
                total += scores[j]
            acc = sums[row]
            if highest != maxima[row]:
                shrink = exponential(maxima[row] - highest)
                totals[row] *= shrink
                for i in range(head_dim):
                    acc[i] *= shrink
                maxima[row] = highest
            totals[row] += total
            for j in range(low, high):
                weight = scores[j]
                v = values[j]
                for i in range(head_dim):
                    acc[i] += weight * v[i]

    for row in range(num_rows):
        inverse = np.float32(1.0) / totals[row]
        acc = sums[row]
        for i in range(head_dim):
            acc[i] *= inverse
        start = ((first_token + row // group) * num_heads + first_head + row % group) * head_dim
        store_row(out, is_bfloat16, start, acc, head_dim)
