"""From logits to token ids on GPUs, with the rules of `kernels/masked_sampling.py` and the same random numbers.

Two kernels. The first reads the vocabulary once, in blocks side by side: mask, penalties, bias and temperature, and of
each block its maximum, the id of that, its mass relative to the maximum, and how many tokens the mask admits. The
second, one program a sequence, joins the blocks. Greedy is done then, and a draw looks into one block more. Where
filters are wanted, tokens above a bound that the filters cannot reach below are gathered, and the ends of top-k and
top-p are found by bisection over the bits of the scores: nothing is sorted.

A draw inverts the cumulative distribution over ascending ids with the number that Philox4x32-10 gives for (seed,
position), as on a CPU.
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, power_of_two
from slipform.kernels.masked_sampling import HAS_BIAS, HAS_OUTPUT_PENALTY, HAS_REPETITION_PENALTY

BLOCK = 2048
_BIAS = tl.constexpr(HAS_BIAS)
_OUTPUT = tl.constexpr(HAS_OUTPUT_PENALTY)
_REPETITION = tl.constexpr(HAS_REPETITION_PENALTY)


@dataclass(frozen=True, slots=True)
class DeviceSamplingTable:
    """`masked_sampling.SamplingTable` as tensors of a device, field by field; `seed` is int64 with the same bits.

    bias, counts and seen have one column while no row's flags ask for them.
    """

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor
    frequency_penalty: Tensor
    presence_penalty: Tensor
    repetition_penalty: Tensor
    seed: Tensor
    flags: Tensor
    bias: Tensor
    counts: Tensor
    seen: Tensor


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the first kernel leaves for the second: (S, number of blocks) each.

    candidates, candidate_ids: (S, V), only where filters are used.
    """

    best: Tensor
    best_id: Tensor
    mass: Tensor
    allowed: Tensor
    candidates: Tensor | None
    candidate_ids: Tensor | None


def make_workspace(num_rows: int, vocab_size: int, device: torch.device, *, filters: bool) -> Workspace:
    """For up to `num_rows` sequences."""
    shape = (num_rows, triton.cdiv(vocab_size, BLOCK))
    wide = (num_rows, vocab_size)
    return Workspace(
        torch.empty(shape, dtype=torch.float32, device=device),
        torch.empty(shape, dtype=torch.int32, device=device),
        torch.empty(shape, dtype=torch.float32, device=device),
        torch.empty(shape, dtype=torch.int32, device=device),
        torch.empty(wide, dtype=torch.float32, device=device) if filters else None,
        torch.empty(wide, dtype=torch.int32, device=device) if filters else None,
    )


def sample_rows(
    logits: Tensor,
    logits_rows: Tensor,
    table: DeviceSamplingTable,
    table_rows: Tensor,
    positions: Tensor,
    mask_pool: Tensor,
    mask_slots: Tensor,
    num_ids: int,
    ids_out: Tensor,
    allowed_out: Tensor,
    workspace: Workspace,
) -> None:
    """Choose one token for each of S sequences, as `masked_sampling.sample_rows` does.

    Args:
        logits: (N, V) float32, bfloat16 or float16. logits_rows, table_rows: (S,) int32; a table row of -1 is padding,
            for which nothing is done. positions: (S,).
        mask_pool: (P, W) int32 rows of masks. mask_slots: (S,) int32, the pool's row of each sequence; -1: no mask.
        ids_out, allowed_out: (S,) int32 or int64.
        workspace: for S rows or more. With room for candidates, rows may use top-k, top-p and min-p; without, they
            must not.

    Mutates: ids_out, allowed_out, the workspace.
    """
    check_contiguous(
        logits=logits, logits_rows=logits_rows, table_rows=table_rows, positions=positions, mask_pool=mask_pool,
        mask_slots=mask_slots, ids_out=ids_out, allowed_out=allowed_out,
    )  # fmt: skip
    vocab = logits.shape[1]
    num_blocks = triton.cdiv(num_ids, BLOCK)
    stride = workspace.best.shape[1]
    shared = (
        logits, logits_rows, table_rows, mask_pool, mask_slots,
        table.temperature, table.frequency_penalty, table.presence_penalty, table.repetition_penalty, table.flags,
        table.bias, table.counts, table.seen,
    )  # fmt: skip
    _scan[(len(table_rows), num_blocks)](
        *shared, workspace.best, workspace.best_id, workspace.mass, workspace.allowed,
        vocab, mask_pool.shape[1], num_ids, stride, BLOCK=BLOCK, num_warps=4,
    )  # fmt: skip
    _choose[(len(table_rows),)](
        *shared, table.top_k, table.top_p, table.min_p, table.seed, positions,
        workspace.best, workspace.best_id, workspace.mass, workspace.allowed,
        workspace.candidates, workspace.candidate_ids, ids_out, allowed_out,
        vocab, mask_pool.shape[1], num_ids, stride, num_blocks,
        BLOCK=BLOCK, BLOCKS=power_of_two(num_blocks), FILTERS=workspace.candidates is not None, num_warps=8,
    )  # fmt: skip


@triton.jit
def _scores_of_block(
    block, logits, mask_pool, temperatures, frequency, presence, repetition, all_flags, bias, counts, seen,
    logits_row, row, mask_slot, vocab, words, num_ids, BLOCK: tl.constexpr,
):  # fmt: skip
    """(BLOCK,) ids, scores (-inf where the mask forbids) and whether the mask admits each."""
    ids = block * BLOCK + tl.arange(0, BLOCK)
    allowed = ids < num_ids
    if mask_slot >= 0:
        word_at = ids // 32
        word = tl.load(mask_pool + mask_slot.to(tl.int64) * words + word_at, mask=allowed & (word_at < words), other=0)
        allowed &= ((word >> (ids % 32)) & 1) == 1
    scores = tl.load(logits + logits_row * vocab + ids, mask=allowed, other=float("-inf")).to(tl.float32)
    flags = tl.load(all_flags + row)
    wide = row.to(tl.int64) * vocab + ids
    if flags & _REPETITION:
        was_seen = tl.load(seen + wide, mask=allowed, other=0) != 0
        factor = tl.load(repetition + row)
        scores = tl.where(was_seen, tl.where(scores > 0, scores / factor, scores * factor), scores)
    if flags & _OUTPUT:
        count = tl.load(counts + wide, mask=allowed, other=0)
        penalty = tl.load(frequency + row) * count + tl.load(presence + row)
        scores = tl.where(count > 0, scores - penalty, scores)
    if flags & _BIAS:
        scores += tl.load(bias + wide, mask=allowed, other=0.0)
    temperature = tl.load(temperatures + row)
    if temperature > 0:
        scores = tl.div_rn(scores, tl.zeros_like(scores) + temperature)
    return ids, scores, allowed


@triton.jit(do_not_specialize=["num_ids"])
def _scan(
    logits, logits_rows, table_rows, mask_pool, mask_slots,
    temperatures, frequency, presence, repetition, all_flags, bias, counts, seen,
    best_out, best_id_out, mass_out, allowed_out,
    vocab, words, num_ids, stride, BLOCK: tl.constexpr,
):  # fmt: skip
    index = tl.program_id(0)
    block = tl.program_id(1)
    row = tl.load(table_rows + index)
    if row < 0:
        return
    logits_row = tl.load(logits_rows + index).to(tl.int64)
    mask_slot = tl.load(mask_slots + index)
    ids, scores, allowed = _scores_of_block(
        block, logits, mask_pool, temperatures, frequency, presence, repetition, all_flags, bias, counts, seen,
        logits_row, row, mask_slot, vocab, words, num_ids, BLOCK,
    )  # fmt: skip
    is_nan = tl.max((scores != scores).to(tl.int32), axis=0) > 0
    best = tl.max(scores, axis=0)
    best_id = tl.min(tl.where(allowed & (scores == best), ids, num_ids), axis=0)
    reference = tl.where(best > float("-inf"), best, 0.0)
    mass = tl.sum(tl.exp(scores - reference), axis=0)
    at = index.to(tl.int64) * stride + block
    tl.store(best_out + at, tl.where(is_nan, float("nan"), best))
    tl.store(best_id_out + at, best_id)
    tl.store(mass_out + at, mass)
    tl.store(allowed_out + at, tl.sum(allowed.to(tl.int32), axis=0))


@triton.jit
def _uniform(seed, position):
    """A float64 in (0, 1) with 53 random bits, that of `masked_sampling.uniform`."""
    low = (position & 0xFFFFFFFF).to(tl.uint32)
    high = ((position >> 32) & 0xFFFFFFFF).to(tl.uint32)
    first, second, _, _ = tl.philox(seed, low, high, high * 0, high * 0)
    bits = (first.to(tl.uint64) << 21) | (second.to(tl.uint64) >> 11)
    return (bits.to(tl.int64).to(tl.float64) + 0.5) * 1.1102230246251565e-16


@triton.jit
def _key(scores):
    """int32 that order as the scores do; both zeros are one."""
    bits = (scores + 0.0).to(tl.int32, bitcast=True)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@triton.jit
def _score_of_key(key):
    bits = key ^ ((key >> 31) & 0x7FFFFFFF)
    return bits.to(tl.float32, bitcast=True)


@triton.jit
def _mass_above(scores, count, key, top, COUNTS: tl.constexpr, BLOCK: tl.constexpr):
    """Mass relative to `top` of the first `count` candidates whose key is above `key`; with COUNTS, their number."""
    mass = 0.0
    mass = mass.to(tl.float64)
    for start in range(0, count, BLOCK):
        at = start + tl.arange(0, BLOCK)
        part = tl.load(scores + at, mask=at < count, other=float("-inf"))
        above = (at < count) & (_key(part) > key)
        if COUNTS:
            mass += tl.sum(above.to(tl.int32), axis=0).to(tl.float64)
        else:
            mass += tl.sum(tl.where(above, tl.exp(part - top), 0.0), axis=0).to(tl.float64)
    return mass


@triton.jit
def _lowest_key_with_less_above(scores, count, bound, low, high, top, COUNTS: tl.constexpr, BLOCK: tl.constexpr):
    """The smallest key in low:high+1 with less than `bound` above it, by bisection. Keys are int64 here."""
    for _ in range(33):
        if low < high:
            middle = (low + high) >> 1
            if _mass_above(scores, count, middle.to(tl.int32), top, COUNTS, BLOCK) < bound:
                high = middle
            else:
                low = middle + 1
    return low


@triton.jit(do_not_specialize=["num_ids", "num_blocks"])
def _choose(
    logits, logits_rows, table_rows, mask_pool, mask_slots,
    temperatures, frequency, presence, repetition, all_flags, bias, counts, seen,
    top_ks, top_ps, min_ps, seeds, positions,
    bests, best_ids, masses, alloweds, candidates, candidate_ids, ids_out, allowed_out,
    vocab, words, num_ids, stride, num_blocks,
    BLOCK: tl.constexpr, BLOCKS: tl.constexpr, FILTERS: tl.constexpr,
):  # fmt: skip
    index = tl.program_id(0)
    row = tl.load(table_rows + index)
    if row < 0:
        return
    blocks = tl.arange(0, BLOCKS)
    at = index.to(tl.int64) * stride + blocks
    is_block = blocks < num_blocks
    best = tl.load(bests + at, mask=is_block, other=float("-inf"))
    allowed = tl.sum(tl.load(alloweds + at, mask=is_block, other=0), axis=0)
    tl.store(allowed_out + index, allowed)
    is_nan = tl.max((best != best).to(tl.int32), axis=0) > 0
    top = tl.max(best, axis=0)
    temperature = tl.load(temperatures + row)
    greedy_id = tl.min(tl.where(best == top, tl.load(best_ids + at, mask=is_block, other=num_ids), num_ids), axis=0)
    chosen = greedy_id.to(tl.int64)
    if is_nan | (top == float("-inf")) | ((temperature > 0) & (top == float("inf"))):
        chosen = chosen * 0 - 1
    elif temperature > 0:
        u = _uniform(tl.load(seeds + row), tl.load(positions + index).to(tl.int64))
        logits_row = tl.load(logits_rows + index).to(tl.int64)
        mask_slot = tl.load(mask_slots + index)
        relative = tl.load(masses + at, mask=is_block, other=0.0) * tl.exp(best - top)
        top_k = 0
        top_p = 1.0
        top_p = top_p.to(tl.float64)
        min_p = 0.0
        if FILTERS:
            top_k = tl.load(top_ks + row)
            top_k = tl.where(top_k < allowed, top_k, 0)
            top_p = tl.load(top_ps + row)
            min_p = tl.load(min_ps + row)
        if (top_k > 0) | (top_p < 1.0) | (min_p > 0.0):
            if FILTERS:
                scores_at = candidates + index.to(tl.int64) * vocab
                ids_at = candidate_ids + index.to(tl.int64) * vocab
                total = tl.sum(relative.to(tl.float64), axis=0)
                floor = float("-inf")
                if min_p > 0.0:
                    floor = top + tl.log(min_p)
                # A bound below which no filter reaches. The k-th largest of the blocks' maxima is one: k tokens reach
                # it. Tokens lighter than (1 - p) · total / n weigh less than 1 - p together.
                bound = floor
                if top_k > 0:
                    bound = float("-inf")
                    larger = (best[None, :] > best[:, None]) | (
                        (best[None, :] == best[:, None]) & (blocks[None, :] < blocks[:, None])
                    )
                    rank = tl.sum(larger.to(tl.int32), axis=1)
                    bound = tl.max(tl.where(rank == top_k - 1, best, float("-inf")), axis=0)
                elif top_p < 1.0:
                    bound = top + tl.log((((1.0 - top_p) * total) / allowed).to(tl.float32)) - 1e-3
                count = 0
                for block in range(num_blocks):
                    if tl.load(bests + index.to(tl.int64) * stride + block) >= bound:
                        ids, scores, is_allowed = _scores_of_block(
                            block, logits, mask_pool, temperatures, frequency, presence, repetition, all_flags, bias,
                            counts, seen, logits_row, row, mask_slot, vocab, words, num_ids, BLOCK,
                        )  # fmt: skip
                        taken = is_allowed & (scores >= bound)
                        places = count + tl.cumsum(taken.to(tl.int32), axis=0) - 1
                        tl.store(scores_at + places, scores, mask=taken)
                        tl.store(ids_at + places, ids, mask=taken)
                        count += tl.sum(taken.to(tl.int32), axis=0)
                # Other threads of the program read what was just written.
                tl.debug_barrier()
                low = _key(bound + tl.zeros([1], tl.float32)).to(tl.int64)
                low = tl.sum(low, axis=0) - 1
                high = tl.sum(_key(top + tl.zeros([1], tl.float32)).to(tl.int64), axis=0)
                # Kept are the keys above `edge`, and the first `ties` tokens at it.
                edge = low
                ties = tl.cast(num_ids, tl.int32)
                if top_k > 0:
                    edge = _lowest_key_with_less_above(
                        scores_at, count, top_k.to(tl.float64), low, high, top, True, BLOCK
                    )
                    above = _mass_above(scores_at, count, edge.to(tl.int32), top, True, BLOCK)
                    ties = (top_k.to(tl.float64) - above).to(tl.int32)
                    edge_weight = tl.exp(_score_of_key(edge.to(tl.int32)) - top).to(tl.float64)
                    total = _mass_above(scores_at, count, edge.to(tl.int32), top, False, BLOCK) + ties * edge_weight
                if top_p < 1.0:
                    target = top_p * total
                    edge_of_k = edge
                    edge = _lowest_key_with_less_above(scores_at, count, target, edge, high, top, False, BLOCK)
                    above = _mass_above(scores_at, count, edge.to(tl.int32), top, False, BLOCK)
                    edge_weight = tl.exp(_score_of_key(edge.to(tl.int32)) - top).to(tl.float64)
                    needed = tl.ceil((target - above) / tl.maximum(edge_weight, 1e-300)).to(tl.float32)
                    needed = tl.minimum(needed, 1e9).to(tl.int32)
                    ties = tl.where(edge == edge_of_k, tl.minimum(ties, needed), needed)
                edge_key = edge.to(tl.int32)
                # Twice over the candidates: the mass that is kept, then the token at which the draw's share is reached.
                kept_mass = 0.0
                kept_mass = kept_mass.to(tl.float64)
                found = num_ids
                last = num_ids * 0 - 1
                target = kept_mass
                for turn in range(2):
                    reached = kept_mass * 0.0
                    tied = 0
                    for start in range(0, count, BLOCK):
                        place = start + tl.arange(0, BLOCK)
                        part = tl.load(scores_at + place, mask=place < count, other=float("-inf"))
                        keys = _key(part)
                        is_tied = (place < count) & (keys == edge_key)
                        tie_rank = tied + tl.cumsum(is_tied.to(tl.int32), axis=0) - 1
                        tied += tl.sum(is_tied.to(tl.int32), axis=0)
                        kept = (place < count) & ((keys > edge_key) | (is_tied & (tie_rank < ties))) & (part >= floor)
                        weights = tl.where(kept, tl.exp(part - top), 0.0).to(tl.float64)
                        if turn == 1:
                            cumulative = reached + tl.cumsum(weights, axis=0)
                            ids = tl.load(ids_at + place, mask=place < count, other=0)
                            passed = kept & (cumulative > target)
                            found = tl.minimum(found, tl.min(tl.where(passed, ids, num_ids), axis=0))
                            last = tl.maximum(last, tl.max(tl.where(kept, ids, -1), axis=0))
                        reached += tl.sum(weights, axis=0)
                    kept_mass = reached
                    target = u * reached
                chosen = tl.where(found < num_ids, found, last).to(tl.int64)
        else:
            wide = relative.to(tl.float64)
            target = u * tl.sum(wide, axis=0)
            ends = tl.cumsum(wide, axis=0)
            passed = is_block & (ends > target)
            last_block = tl.max(tl.where(relative > 0, blocks, 0), axis=0)
            block = tl.min(tl.where(passed, blocks, last_block), axis=0)
            before = tl.sum(tl.where(blocks < block, wide, 0.0), axis=0)
            ids, scores, is_allowed = _scores_of_block(
                block, logits, mask_pool, temperatures, frequency, presence, repetition, all_flags, bias, counts, seen,
                logits_row, row, mask_slot, vocab, words, num_ids, BLOCK,
            )  # fmt: skip
            cumulative = before + tl.cumsum(tl.exp(scores - top).to(tl.float64), axis=0)
            found = tl.min(tl.where(is_allowed & (cumulative > target), ids, num_ids), axis=0)
            last = tl.max(tl.where(is_allowed & (scores > float("-inf")), ids, -1), axis=0)
            chosen = tl.where(found < num_ids, found, last).to(tl.int64)
    tl.store(ids_out + index, chosen)
