"""Attention of several sequences' queries over the keys that these sequences share, for GPUs.

Sequences that begin with the same tokens have the same slots there. Their queries form tiles of many rows, one matrix
product a block of keys, and the keys are read once for a tile instead of once for a sequence (Juravsky et al.,
"Hydragen", arXiv:2402.05099). What comes out, a mean of the values and the logarithm of the weights' sum, is where the
tiles of single sequences begin with their own keys: adding up goes on, and nothing has to be joined afterwards.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import power_of_two
from slipform.kernels.attention_plan import SharedPrefixes
from slipform.kernels.triton_attention_walk import fresh_state, merged, outcome, usual_shape, walk_keys


class PrefixStates(NamedTuple):
    """What is known of queries when the keys that they share with others are done.

    Attributes:
        lens: see `SharedPrefixes`.
        means: (P, T, Hq, D) float32 means of the values, for each of P parts of the common keys.
        normalizers: (P, T, Hq) float32 logarithms to base 2 of the sums of weights. Like the means, written for the
            tokens of `SharedPrefixes.tokens` only.
        num_parts: P.
    """

    lens: Tensor | None
    means: Tensor | None
    normalizers: Tensor | None
    num_parts: int


NO_PREFIX = PrefixStates(None, None, None, 0)


def attend_prefixes(
    query: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slot_table: Tensor,
    shared: SharedPrefixes,
    *,
    queries_per_tile: int,
    scale: float,
    softcap: float,
    kv_scales: Tensor | None,
) -> PrefixStates:
    """The arguments of `Kernels.attention`, checked already."""
    tokens, heads, dim = query.shape
    kv_heads = key_pool.shape[1]
    group = heads // kv_heads
    means = torch.empty((shared.num_parts, tokens, heads, dim), dtype=torch.float32, device=query.device)
    normalizers = torch.empty((shared.num_parts, tokens, heads), dtype=torch.float32, device=query.device)
    block_g, block_d = power_of_two(group), max(16, power_of_two(dim))
    block_m = max(16, queries_per_tile * block_g)
    shape = usual_shape(block_m, block_d, query.dtype is torch.float32)
    _attend_prefix[(shared.tiles.shape[1], kv_heads, shared.num_parts)](
        query, key_pool, value_pool, kv_scales, slot_table, shared.tiles, shared.tokens, means, normalizers,
        query.stride(0), slot_table.stride(0), shared.tiles.stride(0), key_pool.shape[0], tokens, scale, softcap,
        KV_HEADS=kv_heads, GROUP=group, DIM=dim, BLOCK_Q=queries_per_tile, BLOCK_G=block_g, BLOCK_M=block_m,
        BLOCK_N=shape.keys, BLOCK_D=block_d, HAS_SOFTCAP=softcap > 0, HAS_SCALES=kv_scales is not None,
        num_warps=shape.num_warps, num_stages=shape.num_stages,
    )  # fmt: skip
    return PrefixStates(shared.lens, means, normalizers, shared.num_parts)


@triton.jit(do_not_specialize=["tiles_stride", "num_slots", "num_tokens", "table_stride"])
def _attend_prefix(
    query, key_pool, value_pool, kv_scales, slot_table, tiles, tile_tokens, means, normalizers,
    query_stride, table_stride, tiles_stride, num_slots, num_tokens, scale, softcap,
    KV_HEADS: tl.constexpr, GROUP: tl.constexpr, DIM: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_G: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, HAS_SOFTCAP: tl.constexpr,
    HAS_SCALES: tl.constexpr,
):  # fmt: skip
    tile = tl.program_id(0)
    kv_head = tl.program_id(1)
    part = tl.program_id(2)
    table_row = tl.load(tiles + tile)
    if table_row < 0:
        return
    length = tl.load(tiles + tiles_stride + tile)
    slots_of = slot_table + table_row.to(tl.int64) * table_stride

    # Row m of the tile is its token m // BLOCK_G, head kv_head * GROUP + m % BLOCK_G.
    rows = tl.arange(0, BLOCK_M)
    group_heads = rows % BLOCK_G
    heads = kv_head * GROUP + group_heads
    is_row = (rows < BLOCK_Q * BLOCK_G) & (group_heads < GROUP)
    tokens = tl.load(tile_tokens + tile * BLOCK_Q + rows // BLOCK_G, mask=is_row, other=-1).to(tl.int64)
    is_row &= tokens >= 0
    columns = tl.arange(0, BLOCK_D)
    inside = is_row[:, None] & (columns < DIM)[None, :]
    q = tl.load(
        query + tokens[:, None] * query_stride + heads[:, None] * DIM + columns[None, :], mask=inside, other=0.0
    )

    share = tl.cdiv(tl.cdiv(length, tl.num_programs(2)), BLOCK_N) * BLOCK_N
    low = tl.minimum(part * share, length)
    high = tl.minimum(low + share, length)
    # Every query comes after these keys.
    positions = tl.zeros([BLOCK_M], tl.int32) + length
    slopes = tl.zeros([BLOCK_M], tl.float32)
    best, total, summed = fresh_state(BLOCK_M, BLOCK_D)
    best, total, summed = walk_keys(
        q, best, total, summed, low, high, positions, slopes,
        slots_of, key_pool, value_pool, kv_scales, num_slots, kv_head, scale, softcap, 0,
        KV_HEADS, DIM, BLOCK_N, BLOCK_D, False, False, HAS_SOFTCAP, False, HAS_SCALES,
    )  # fmt: skip
    mean, normalizer = outcome(best, total, summed)
    line = (part.to(tl.int64) * num_tokens + tokens) * (KV_HEADS * GROUP) + heads
    tl.store(normalizers + line, normalizer, mask=is_row)
    tl.store(means + line[:, None] * DIM + columns[None, :], mean, mask=inside)


@triton.jit
def with_prefix(
    best, total, summed, means, normalizers, tokens, heads, is_row, num_tokens,
    NUM_HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK_D: tl.constexpr, PARTS: tl.constexpr,
):  # fmt: skip
    """The state of rows after the common keys too, from what `attend_prefixes` wrote for their tokens and heads."""
    columns = tl.arange(0, BLOCK_D)
    inside = is_row[:, None] & (columns < DIM)[None, :]
    for part in tl.static_range(PARTS):
        line = (part * num_tokens.to(tl.int64) + tokens) * NUM_HEADS + heads
        normalizer = tl.load(normalizers + line, mask=is_row, other=float("-inf"))
        mean = tl.load(means + line[:, None] * DIM + columns[None, :], mask=inside, other=0.0)
        best, total, summed = merged(best, total, summed, normalizer, 1.0, mean)
    return best, total, summed
