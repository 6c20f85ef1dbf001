"""Attention over slots for CPUs: one Numba kernel for prefill, extend and decode.

The work is cut into items (sequence, block of queries, KV head), dealt out to the threads in turn. An item reads the
rows of its KV head slot by slot, a tile at a time, widens them to float32 once for all queries of the block and all
heads of the group, and keeps a running softmax per query (Milakov and Gimelshein, "Online normalizer calculation for
softmax", 2018).
"""

from typing import Any

import numpy as np
import torch
from numba import carray, get_num_threads, njit, prange
from torch import Tensor

from slipform.kernels._numba import (
    FASTMATH,
    as_pointer,
    c_function,
    call,
    float32_at,
    int32_at,
    narrow_row,
    padded,
    widen_row,
)
from slipform.kernels._numba import exponential as scalar_exponential
from slipform.kernels._simd import (
    LANES,
    add,
    exponential,
    load,
    maximum,
    multiply,
    multiply_add,
    reduce_add,
    reduce_max,
    splat,
    store,
    subtract,
)
from slipform.kernels.attention_plan import AttentionPlan

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
    plan: AttentionPlan | None = None,
) -> Tensor:
    """See `kernels/interface.py`."""
    num_tokens, num_heads, head_dim = query.shape
    num_kv_heads = key_pool.shape[1]
    _check(query, key_pool, value_pool, slot_table, cu_seqlens, seq_lens, alibi_slopes)
    out = torch.empty((num_tokens, num_heads, head_dim), dtype=query.dtype)
    num_threads = min(torch.get_num_threads(), get_num_threads())
    run = attend_alone if num_threads == 1 else attend
    run(
        attend_block().address,
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
        min(max_extend_len or num_tokens, _QUERY_BLOCK),
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
    check_tables(slot_table, cu_seqlens, seq_lens)
    if alibi_slopes is not None and alibi_slopes.dtype is not torch.float32:
        raise ValueError("alibi_slopes: must be float32")


def check_tables(slot_table: Tensor, cu_seqlens: Tensor, seq_lens: Tensor) -> None:
    """Raises: ValueError naming the tensor that is not int32, or not laid out as the kernels step through it."""
    if slot_table.dtype is not torch.int32 or slot_table.stride(1) != 1:
        raise ValueError("slot_table: must be int32 with contiguous rows")
    if not cu_seqlens.dtype is seq_lens.dtype is torch.int32:
        raise ValueError("cu_seqlens, seq_lens: must be int32")
    if not (cu_seqlens.is_contiguous() and seq_lens.is_contiguous()):
        raise ValueError("cu_seqlens, seq_lens: must be contiguous")


def _deal_out(  # type: ignore[no-untyped-def]
    attend_block,
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
    max_queries,
    num_blocks,
    num_threads,
):
    """Thread i takes every num_threads-th item, from i on. attend_block is the address of `_attend_block`."""
    num_items = num_sequences * num_blocks * num_kv_heads
    max_rows = num_heads // num_kv_heads * max_queries
    for thread in prange(num_threads):
        # One allocation: queries and sums, a tile of keys and of values, scores, maxima and totals; row addresses.
        floats = 2 * (max_rows + _TILE) * padded(head_dim) + _TILE + 2 * max_rows
        scratch = np.empty(floats // 2 + 1 + 2 * _TILE, np.int64)
        for item in range(thread, num_items, num_threads):
            block = item // num_kv_heads % num_blocks
            sequence = item // (num_kv_heads * num_blocks)
            starts = int32_at(cu_seqlens + 4 * sequence, 2)
            extend_len = starts[1] - starts[0]
            if block * _QUERY_BLOCK >= extend_len:
                continue
            seq_len = int32_at(seq_lens + 4 * sequence, 1)[0]
            arguments = (
                query,
                query_stride,
                out,
                key_pool,
                value_pool,
                is_bfloat16,
                slot_table + 4 * sequence * slot_stride,
                alibi_slopes,
                starts[0] + block * _QUERY_BLOCK,
                min(_QUERY_BLOCK, extend_len - block * _QUERY_BLOCK),
                seq_len - extend_len + block * _QUERY_BLOCK,
                item % num_kv_heads,
                num_heads,
                num_kv_heads,
                head_dim,
                scale,
                window,
                softcap,
                scratch.ctypes.data,
            )
            call(attend_block, arguments)


attend = njit(cache=True, nogil=True, parallel=True)(_deal_out)
attend_alone = njit(cache=True, nogil=True)(_deal_out)


def attend_block() -> Any:
    """The parameters of `_attend_block`."""
    return c_function(_attend_block, "iiiiiiiiiiiiiiididi")


def _attend_block(  # type: ignore[no-untyped-def]
    query,
    query_stride,
    out,
    key_pool,
    value_pool,
    is_bfloat16,
    slot_row,
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
    scratch,
):
    """Rows are (query, head of the group) pairs; query i of the block stands at first_position + i."""
    scale, softcap = np.float32(scale), np.float32(softcap)
    padded_dim = padded(head_dim)
    group = num_heads // num_kv_heads
    first_head = kv_head * group
    num_rows = num_queries * group
    row_bytes = 4 * padded_dim
    tile_rows = carray(as_pointer(scratch), (2, _TILE), np.int64)
    queries = scratch + 16 * _TILE
    sums = queries + num_rows * row_bytes
    keys = sums + num_rows * row_bytes
    values = keys + _TILE * row_bytes
    scores = values + _TILE * row_bytes
    slots = int32_at(slot_row, first_position + num_queries)
    maxima = float32_at(scores + 4 * _TILE, num_rows)
    totals = float32_at(scores + 4 * (_TILE + num_rows), num_rows)
    score = float32_at(scores, _TILE)
    # Rows that need no widening and no padding are read where they lie.
    in_place = not is_bfloat16 and padded_dim == head_dim
    for row in range(num_rows):
        start = (first_token + row // group) * query_stride + (first_head + row % group) * head_dim
        widen_row(query, is_bfloat16, start, queries + row * row_bytes, head_dim)
        for c in range(0, row_bytes, 4 * LANES):
            place = queries + row * row_bytes + c
            store(place, multiply(load(place), splat(scale)))
            store(sums + row * row_bytes + c, splat(np.float32(0.0)))
        maxima[row] = -np.inf
        totals[row] = 0.0

    kv_begin = max(0, first_position - window + 1) if window > 0 else 0
    kv_end = first_position + num_queries
    for tile in range(kv_begin, kv_end, _TILE):
        tile_len = min(_TILE, kv_end - tile)
        for j in range(tile_len):
            start = (np.int64(slots[tile + j]) * num_kv_heads + kv_head) * head_dim
            if in_place:
                tile_rows[0, j] = key_pool + 4 * start
                tile_rows[1, j] = value_pool + 4 * start
            else:
                tile_rows[0, j] = keys + j * row_bytes
                tile_rows[1, j] = values + j * row_bytes
                widen_row(key_pool, is_bfloat16, start, tile_rows[0, j], head_dim)
                widen_row(value_pool, is_bfloat16, start, tile_rows[1, j], head_dim)
        for row in range(num_rows):
            position = first_position + row // group
            low = max(0, position - window + 1 - tile) if window > 0 else 0
            high = min(tile_len, position + 1 - tile)
            if low >= high:
                continue
            _dot_rows(queries + row * row_bytes, tile_rows, low, high, row_bytes, score)
            if softcap > 0:
                for j in range(low, high):
                    score[j] = softcap * np.tanh(score[j] / softcap)
            if alibi_slopes != 0:
                slope = float32_at(alibi_slopes, num_heads)[first_head + row % group]
                for j in range(low, high):
                    score[j] += slope * np.float32(tile + j - position)
            # Whole vectors from here on: the lanes outside low:high weigh nothing.
            begin = low // LANES * LANES
            end = (high + LANES - 1) // LANES * LANES
            for j in range(begin, low):
                score[j] = -np.inf
            for j in range(high, end):
                score[j] = -np.inf
            highest = splat(maxima[row])
            for j in range(begin, end, LANES):
                highest = maximum(highest, load(scores + 4 * j))
            new_maximum = reduce_max(highest)
            total = splat(np.float32(0.0))
            for j in range(begin, end, LANES):
                weights = exponential(subtract(load(scores + 4 * j), splat(new_maximum)))
                store(scores + 4 * j, weights)
                total = add(total, weights)
            shrink = scalar_exponential(maxima[row] - new_maximum)
            maxima[row] = new_maximum
            totals[row] = totals[row] * shrink + reduce_add(total)
            _add_rows(sums + row * row_bytes, shrink, tile_rows, low, high, row_bytes, score)

    for row in range(num_rows):
        factor = np.float32(1.0) / totals[row]
        place = sums + row * row_bytes
        start = ((first_token + row // group) * num_heads + first_head + row % group) * head_dim
        for c in range(0, row_bytes, 4 * LANES):
            store(place + c, multiply(load(place + c), splat(factor)))
        narrow_row(place, out, is_bfloat16, start, head_dim)


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _dot_rows(query, tile_rows, low, high, row_bytes, score):  # type: ignore[no-untyped-def]
    """score[j] = query · key row j for low <= j < high; four keys share each load of the query."""
    j = low
    while j + 4 <= high:
        k0, k1, k2, k3 = tile_rows[0, j], tile_rows[0, j + 1], tile_rows[0, j + 2], tile_rows[0, j + 3]
        s0 = splat(np.float32(0.0))
        s1, s2, s3 = s0, s0, s0
        for c in range(0, row_bytes, 4 * LANES):
            q = load(query + c)
            s0 = multiply_add(q, load(k0 + c), s0)
            s1 = multiply_add(q, load(k1 + c), s1)
            s2 = multiply_add(q, load(k2 + c), s2)
            s3 = multiply_add(q, load(k3 + c), s3)
        score[j] = reduce_add(s0)
        score[j + 1] = reduce_add(s1)
        score[j + 2] = reduce_add(s2)
        score[j + 3] = reduce_add(s3)
        j += 4
    while j < high:
        s0 = splat(np.float32(0.0))
        for c in range(0, row_bytes, 4 * LANES):
            s0 = multiply_add(load(query + c), load(tile_rows[0, j] + c), s0)
        score[j] = reduce_add(s0)
        j += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _add_rows(place, shrink, tile_rows, low, high, row_bytes, score):  # type: ignore[no-untyped-def]
    """place = shrink · place + sum of score[j] · value row j; four vectors of the sum stay in registers."""
    c = 0
    while c + 16 * LANES <= row_bytes:
        factor = splat(shrink)
        s0 = multiply(factor, load(place + c))
        s1 = multiply(factor, load(place + c + 4 * LANES))
        s2 = multiply(factor, load(place + c + 8 * LANES))
        s3 = multiply(factor, load(place + c + 12 * LANES))
        for j in range(low, high):
            weight = splat(score[j])
            row = tile_rows[1, j] + c
            s0 = multiply_add(weight, load(row), s0)
            s1 = multiply_add(weight, load(row + 4 * LANES), s1)
            s2 = multiply_add(weight, load(row + 8 * LANES), s2)
            s3 = multiply_add(weight, load(row + 12 * LANES), s3)
        store(place + c, s0)
        store(place + c + 4 * LANES, s1)
        store(place + c + 8 * LANES, s2)
        store(place + c + 12 * LANES, s3)
        c += 16 * LANES
    while c < row_bytes:
        s0 = multiply(splat(shrink), load(place + c))
        for j in range(low, high):
            s0 = multiply_add(splat(score[j]), load(tile_rows[1, j] + c), s0)
        store(place + c, s0)
        c += 4 * LANES
