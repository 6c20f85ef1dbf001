"""Attention over slots for GPUs: one kernel for prefill, extend and decode.

A program takes a tile of queries of one sequence, with all heads of one KV head's group as further rows, and walks the
keys slot by slot with a running softmax (Milakov and Gimelshein, 2018), as FlashAttention does (Dao, arXiv:2307.08691).
Where a batch has few tiles, the keys of each are split among programs and their partial results joined by a second
kernel (Dao, Haziza, Massa and Sizov, "Flash-Decoding", 2023). Padding of the heads' group and of the head size is
masked, so any size works.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_pools, power_of_two
from slipform.kernels.attention_plan import AttentionPlan, plan_attention
from slipform.kernels.triton_attention_walk import LOG2_E, fresh_state, outcome, usual_shape, walk_keys
from slipform.kernels.triton_prefix_attention import NO_PREFIX, attend_prefixes, with_prefix


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
    """See `kernels/interface.py`. Without a plan, one is made, for which the host waits for `cu_seqlens`."""
    tokens, heads, dim = query.shape
    kv_heads = key_pool.shape[1]
    _check(query, key_pool, value_pool, slot_table, cu_seqlens, seq_lens, alibi_slopes, kv_scales)
    group = heads // kv_heads
    if plan is None:
        lens = cu_seqlens.diff().tolist()
        plan = plan_attention(lens, group=group, num_kv_heads=kv_heads, device=query.device)
    out = torch.empty((tokens, heads, dim), dtype=query.dtype, device=query.device)
    wide = query.dtype is torch.float32
    prefix = NO_PREFIX
    # With windows or slopes, what a query sees of common keys, and how, depends on its position.
    if plan.shared is not None and window == 0 and alibi_slopes is None:
        prefix = attend_prefixes(
            query, key_pool, value_pool, slot_table, plan.shared,
            queries_per_tile=plan.sizes.shared, scale=scale, softcap=softcap, kv_scales=kv_scales,
        )  # fmt: skip
    for tiles, block_q, num_splits, launch, known in (
        (plan.few, plan.sizes.few, plan.num_splits, plan.few_shape, prefix),
        (plan.many, plan.sizes.many, 1, plan.many_shape, NO_PREFIX),
    ):
        num_tiles = tiles.shape[1]
        if num_tiles == 0:
            continue
        partial = normalizers = None
        if num_splits > 1:
            partial = torch.empty((num_splits, tokens, heads, dim), dtype=torch.float32, device=query.device)
            normalizers = torch.empty((num_splits, tokens, heads), dtype=torch.float32, device=query.device)
        block_m = max(16, block_q * power_of_two(group))
        block_d = max(16, power_of_two(dim))
        shape = launch or usual_shape(block_m, block_d, wide)
        is_many = tiles is plan.many
        grid = (kv_heads, num_tiles, num_splits) if is_many else (num_tiles, kv_heads, num_splits)
        _attend[grid](
            query, key_pool, value_pool, kv_scales, slot_table, plan.slot_rows, cu_seqlens, seq_lens, tiles,
            alibi_slopes, out, partial, normalizers, known.lens, known.means, known.normalizers,
            query.stride(0), slot_table.stride(0), tiles.stride(0), key_pool.shape[0], tokens, scale, softcap, window,
            KV_HEADS=kv_heads, GROUP=group, DIM=dim, BLOCK_Q=block_q, BLOCK_G=power_of_two(group),
            BLOCK_M=block_m, BLOCK_N=shape.keys, BLOCK_D=block_d, SPLITS=num_splits, SPLIT_LEN=plan.split_len,
            PREFIX_PARTS=known.num_parts, IS_MANY=is_many,
            HAS_ROWS=plan.slot_rows is not None, HAS_WINDOW=window > 0, HAS_SOFTCAP=softcap > 0,
            HAS_ALIBI=alibi_slopes is not None, HAS_SCALES=kv_scales is not None,
            num_warps=shape.num_warps, num_stages=shape.num_stages,
        )  # fmt: skip
        if num_splits > 1:
            _join[(num_tiles * block_q, heads)](
                partial, normalizers, out, tiles, cu_seqlens, tiles.stride(0), tokens, heads,
                DIM=dim, BLOCK_D=block_d, BLOCK_Q=block_q, SPLITS=num_splits, num_warps=1,
            )  # fmt: skip
    return out


def _check(
    query: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slot_table: Tensor,
    cu_seqlens: Tensor,
    seq_lens: Tensor,
    alibi_slopes: Tensor | None,
    kv_scales: Tensor | None,
) -> None:
    if query.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise ValueError(f"query: {query.dtype} is not supported")
    if query.stride()[1:] != (query.shape[2], 1):
        raise ValueError(f"query: heads of a token must be contiguous, and strides are {query.stride()}")
    check_pools(query, key_pool, value_pool, kv_scales)
    check_contiguous(alibi_slopes=alibi_slopes)
    for name, tensor in (("slot_table", slot_table), ("cu_seqlens", cu_seqlens), ("seq_lens", seq_lens)):
        if tensor.dtype is not torch.int32 or tensor.stride(-1) != 1:
            raise ValueError(f"{name}: {tensor.dtype} with strides {tensor.stride()}; dense int32 is needed")


@triton.jit(do_not_specialize=["tiles_stride", "num_slots", "num_tokens", "table_stride", "window"])
def _attend(
    query, key_pool, value_pool, kv_scales, slot_table, slot_rows, cu_seqlens, seq_lens, tiles, alibi_slopes,
    out, partial, normalizers, prefix_lens, prefix_means, prefix_normalizers,
    query_stride, table_stride, tiles_stride, num_slots, num_tokens, scale, softcap, window,
    KV_HEADS: tl.constexpr, GROUP: tl.constexpr, DIM: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_G: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, SPLITS: tl.constexpr,
    SPLIT_LEN: tl.constexpr, PREFIX_PARTS: tl.constexpr, IS_MANY: tl.constexpr,
    HAS_ROWS: tl.constexpr, HAS_WINDOW: tl.constexpr, HAS_SOFTCAP: tl.constexpr, HAS_ALIBI: tl.constexpr,
    HAS_SCALES: tl.constexpr,
):  # fmt: skip
    if IS_MANY:
        # The KV heads of one tile follow each other, and tiles of later queries, which have more keys, come first.
        kv_head = tl.program_id(0)
        tile = tl.num_programs(1) - 1 - tl.program_id(1)
    else:
        tile = tl.program_id(0)
        kv_head = tl.program_id(1)
    split = tl.program_id(2)
    sequence = tl.load(tiles + tile)
    if sequence < 0:
        return
    first = tl.load(tiles + tiles_stride + tile)
    begin = tl.load(cu_seqlens + sequence)
    num_queries = tl.load(cu_seqlens + sequence + 1) - begin
    seq_len = tl.load(seq_lens + sequence)
    past = seq_len - num_queries
    table_row = sequence
    if HAS_ROWS:
        table_row = tl.load(slot_rows + sequence)
    slots_of = slot_table + table_row.to(tl.int64) * table_stride

    # Row m of the tile is query first + m // BLOCK_G, head kv_head * GROUP + m % BLOCK_G.
    rows = tl.arange(0, BLOCK_M)
    queries = first + rows // BLOCK_G
    group_heads = rows % BLOCK_G
    heads = kv_head * GROUP + group_heads
    is_row = (rows < BLOCK_Q * BLOCK_G) & (queries < num_queries) & (group_heads < GROUP)
    tokens = (begin + queries).to(tl.int64)
    columns = tl.arange(0, BLOCK_D)
    inside = is_row[:, None] & (columns < DIM)[None, :]
    q = tl.load(
        query + tokens[:, None] * query_stride + heads[:, None] * DIM + columns[None, :], mask=inside, other=0.0
    )
    positions = past + queries
    slopes = tl.zeros([BLOCK_M], tl.float32)
    if HAS_ALIBI:
        slopes = tl.load(alibi_slopes + heads, mask=is_row, other=0.0) * LOG2_E

    # Keys low:high are seen by some query of the tile; this program takes its split of them.
    high = tl.minimum(past + first + BLOCK_Q, seq_len)
    low = 0
    best, total, summed = fresh_state(BLOCK_M, BLOCK_D)
    if PREFIX_PARTS > 0:
        low = tl.load(prefix_lens + sequence)
        if (low > 0) & (split == 0):
            best, total, summed = with_prefix(
                best, total, summed, prefix_means, prefix_normalizers, tokens, heads, is_row, num_tokens,
                KV_HEADS * GROUP, DIM, BLOCK_D, PREFIX_PARTS,
            )  # fmt: skip
    if HAS_WINDOW:
        # Blocks of keys begin at multiples of their size, so that a query's sums do not depend on its tile.
        low = tl.maximum(past + first - window + 1, 0) // BLOCK_N * BLOCK_N
    if SPLIT_LEN > 0:
        low = tl.maximum(low, split * SPLIT_LEN)
        high = tl.minimum(high, (split + 1) * SPLIT_LEN)
    elif SPLITS > 1:
        share = tl.cdiv(tl.cdiv(high - low, SPLITS), BLOCK_N) * BLOCK_N
        low += split * share
        high = tl.minimum(low + share, high)

    if IS_MANY and not HAS_WINDOW:
        # The keys up to the tile's first query need no mask.
        middle = low + tl.maximum(tl.minimum(past + first + 1, high) - low, 0) // BLOCK_N * BLOCK_N
        best, total, summed = walk_keys(
            q, best, total, summed, low, middle, positions, slopes,
            slots_of, key_pool, value_pool, kv_scales, num_slots, kv_head, scale, softcap, window,
            KV_HEADS, DIM, BLOCK_N, BLOCK_D, True, False, HAS_SOFTCAP, HAS_ALIBI, HAS_SCALES,
        )  # fmt: skip
        low = middle
    best, total, summed = walk_keys(
        q, best, total, summed, low, high, positions, slopes,
        slots_of, key_pool, value_pool, kv_scales, num_slots, kv_head, scale, softcap, window,
        KV_HEADS, DIM, BLOCK_N, BLOCK_D, False, HAS_WINDOW, HAS_SOFTCAP, HAS_ALIBI, HAS_SCALES,
    )  # fmt: skip

    result, normalizer = outcome(best, total, summed)
    if SPLITS > 1:
        line = (split.to(tl.int64) * num_tokens + tokens) * (KV_HEADS * GROUP) + heads
        tl.store(normalizers + line, normalizer, mask=is_row)
        tl.store(partial + line[:, None] * DIM + columns[None, :], result, mask=inside)
    else:
        line = tokens * (KV_HEADS * GROUP) + heads
        tl.store(out + line[:, None] * DIM + columns[None, :], result.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["tiles_stride", "num_tokens"])
def _join(
    partial, normalizers, out, tiles, cu_seqlens, tiles_stride, num_tokens, num_heads,
    DIM: tl.constexpr, BLOCK_D: tl.constexpr, BLOCK_Q: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    tile = tl.program_id(0) // BLOCK_Q
    head = tl.program_id(1)
    sequence = tl.load(tiles + tile)
    if sequence < 0:
        return
    token = tl.load(cu_seqlens + sequence) + tl.load(tiles + tiles_stride + tile) + tl.program_id(0) % BLOCK_Q
    if token >= tl.load(cu_seqlens + sequence + 1):
        return
    # Split after split: sums over an axis of splits would go from thread to thread through shared memory.
    first_line = token.to(tl.int64) * num_heads + head
    best = tl.load(normalizers + first_line)
    for split in tl.static_range(1, SPLITS):
        best = tl.maximum(best, tl.load(normalizers + first_line + split * num_tokens.to(tl.int64) * num_heads))
    reference = tl.where(best == float("-inf"), 0.0, best)
    columns = tl.arange(0, BLOCK_D)
    total = 0.0
    summed = tl.zeros([BLOCK_D], tl.float32)
    for split in tl.static_range(SPLITS):
        line = first_line + split * num_tokens.to(tl.int64) * num_heads
        weight = tl.exp2(tl.load(normalizers + line) - reference)
        # A split without keys wrote nothing that may be read.
        part = tl.load(partial + line * DIM + columns, mask=columns < tl.where(weight > 0, DIM, 0), other=0.0)
        total += weight
        summed += part * weight
    result = summed / tl.where(total > 0, total, 1.0)
    tl.store(out + first_line * DIM + columns, result.to(out.dtype.element_ty), mask=columns < DIM)
