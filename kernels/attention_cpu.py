"""Attention over slots for CPUs: prefill, extend and decode in one call.

The rows of a sequence are its queries times the heads that share a KV head: row r is query r // group, head r % group.
Work is cut into items (sequence, block of 32 rows, KV head), and each thread takes a run of items of about equal cost.
An item with few rows is bound by reading keys and values (`attention_few_cpu.py`), one with many by arithmetic
(`attention_many_cpu.py`). Both keep a running softmax per row (Milakov and Gimelshein, "Online normalizer calculation
for softmax", 2018), tile by tile of 64 keys.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from slipform.kernels._numba import c_function, int32_at, padded
from slipform.kernels._team import parallel, team, threads_for
from slipform.kernels.attention_few_cpu import FEW_ROWS, TABLE, TILE, attend_few
from slipform.kernels.attention_many_cpu import BLOCK_ROWS, attend_many
from slipform.kernels.attention_plan import AttentionPlan

# An item of many rows costs about what one of this many rows costs on the other path.
_MANY_COST = 20


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
    kv_scales: Tensor | None = None,
) -> Tensor:
    """See `kernels/interface.py`."""
    refuse_scales(kv_scales)
    num_tokens, num_heads, head_dim = query.shape
    num_kv_heads = key_pool.shape[1]
    _check(query, key_pool, value_pool, slot_table, cu_seqlens, seq_lens, alibi_slopes)
    out = torch.empty((num_tokens, num_heads, head_dim), dtype=query.dtype)
    num_threads = threads_for(seq_lens.shape[0] * num_kv_heads * -(-(max_extend_len or num_tokens) // BLOCK_ROWS))
    scratch = torch.empty(num_threads * scratch_bytes(head_dim), dtype=torch.uint8)
    run_attention(
        team(),
        attend().address,
        (query.data_ptr(), query.stride(0), out.data_ptr()),
        (key_pool.data_ptr(), value_pool.data_ptr(), query.dtype is torch.bfloat16),
        (slot_table.data_ptr(), slot_table.stride(0)),
        (cu_seqlens.data_ptr(), seq_lens.data_ptr(), seq_lens.shape[0]),
        (num_heads, num_kv_heads, head_dim),
        (0 if alibi_slopes is None else alibi_slopes.data_ptr(), scale, window, softcap),
        scratch.data_ptr(),
        num_threads,
    )
    return out


def refuse_scales(kv_scales: Tensor | None) -> None:
    """Raises: ValueError if there are any."""
    if kv_scales is not None:
        raise ValueError("kv_scales: the CPU kernels take keys and values of the query's dtype only")


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


@njit(cache=True)
def scratch_bytes(head_dim):  # type: ignore[no-untyped-def]
    """What each thread needs."""
    dim = head_dim + 2 * BLOCK_ROWS  # padded to whole vectors or panels
    few = 2 * FEW_ROWS * dim + FEW_ROWS * (TILE + 2)
    many = (2 * BLOCK_ROWS + 2 * TILE) * dim + BLOCK_ROWS * (TILE + 8)
    return 16 * TABLE + 4 * max(few, many)


@njit(cache=True, nogil=True)
def run_attention(team, body, query, pools, table, sequences, heads, rule, scratch, num_threads):  # type: ignore[no-untyped-def]
    """Attention on several threads.

    Tensors are addresses. body: of `attend()`. query: (query, its stride between tokens, out). pools: (keys, values,
    whether in bfloat16). table: (slot table, its stride). sequences: (cu_seqlens, seq_lens, number). heads: (query
    heads, KV heads, head_dim). rule: (slopes or 0, scale, window, softcap). scratch: `scratch_bytes` for each thread.
    """
    arguments = (
        query[0],
        query[1],
        query[2],
        pools[0],
        pools[1],
        pools[2],
        table[0],
        table[1],
        sequences[0],
        sequences[1],
        sequences[2],
        heads[0],
        heads[1],
        heads[2],
        rule[0],
        rule[1],
        rule[2],
        rule[3],
        scratch,
    )
    parallel(team, body, arguments, num_threads)


def attend() -> Any:
    """The parameters of `_attend`."""
    return c_function(_attend, "iiiiiiiiiiiiiiididiii")


@njit(cache=True, inline="always")
def _cost(num_rows, last_position, window):  # type: ignore[no-untyped-def]
    """Of an item, in keys times rows."""
    keys = last_position + 1
    if window > 0:
        keys = min(keys, window + num_rows)
    return keys * (num_rows if num_rows <= FEW_ROWS else _MANY_COST)


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
    num_sequences,
    num_heads,
    num_kv_heads,
    head_dim,
    alibi_slopes,
    scale,
    window,
    softcap,
    scratch,
    num_threads,
    thread,
):
    """The items of one thread: those that begin in the thread-th of num_threads equal parts of the whole cost."""
    group = num_heads // num_kv_heads
    starts = int32_at(cu_seqlens, num_sequences + 1)
    lengths = int32_at(seq_lens, num_sequences)
    own_scratch = scratch + thread * scratch_bytes(head_dim)
    in_place = padded(head_dim) == head_dim
    total = 0
    for counting in (True, False):
        begun = 0
        for sequence in range(num_sequences):
            extend_len = np.int64(starts[sequence + 1] - starts[sequence])
            base = np.int64(lengths[sequence]) - extend_len
            slots = slot_table + 4 * sequence * slot_stride
            for first_row in range(0, extend_len * group, BLOCK_ROWS):
                num_rows = min(BLOCK_ROWS, extend_len * group - first_row)
                last_position = base + (first_row + num_rows - 1) // group
                cost = _cost(num_rows, last_position, window)
                if counting:
                    total += cost * num_kv_heads
                    continue
                for kv_head in range(num_kv_heads):
                    mine = begun * num_threads // total == thread
                    begun += cost
                    if not mine:
                        continue
                    place = (query, query_stride, out, np.int64(starts[sequence]), first_row, num_rows, base)
                    pools = (key_pool, value_pool, is_bfloat16, slots, num_kv_heads, kv_head)
                    rule = (alibi_slopes, scale, window, softcap)
                    if num_rows <= FEW_ROWS and in_place:
                        attend_few(place, pools, num_heads, head_dim, rule, own_scratch)
                    else:
                        attend_many(place, pools, num_heads, head_dim, rule, own_scratch)
