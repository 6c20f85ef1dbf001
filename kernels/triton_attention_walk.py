"""What the attention kernels share: the walk over keys in slots with a running softmax (Milakov and Gimelshein,
"Online normalizer calculation for softmax", arXiv:1805.02867).

A row's state is `best`, its largest score so far in powers of two, `total`, the sum of the weights relative to it, and
`summed`, the sum of the values by these weights.
"""

import triton
import triton.language as tl

from slipform.kernels.attention_plan import LaunchShape

LOG2_E = tl.constexpr(1.4426950408889634)


def usual_shape(block_m: int, block_d: int, wide: bool) -> LaunchShape:
    """What fits a Hopper GPU's registers and shared memory: for tiles of `block_m` rows, heads of `block_d`."""
    if wide:
        return LaunchShape(16 if block_m > 16 else 32, 8 if block_m > 16 else 4, 1)
    if block_m <= 16:
        return LaunchShape(64 if block_d <= 128 else 32, 4, 3)
    return LaunchShape(64 if block_d <= 128 else 32, 4 if block_m <= 64 else 8, 2)


@triton.jit
def fresh_state(BLOCK_M: tl.constexpr, BLOCK_D: tl.constexpr):
    """Of rows that have seen no key."""
    best = tl.full([BLOCK_M], float("-inf"), tl.float32)
    return best, tl.zeros([BLOCK_M], tl.float32), tl.zeros([BLOCK_M, BLOCK_D], tl.float32)


@triton.jit
def merged(best, total, summed, other_best, other_total, other_summed):
    """The state of rows that have seen the keys of two states."""
    new_best = tl.maximum(best, other_best)
    reference = tl.where(new_best == float("-inf"), 0.0, new_best)
    weight = tl.exp2(best - reference)
    other_weight = tl.exp2(other_best - reference)
    summed = summed * weight[:, None] + other_summed * other_weight[:, None]
    return new_best, total * weight + other_total * other_weight, summed


@triton.jit
def outcome(best, total, summed):
    """The weighted mean of the values, (BLOCK_M, BLOCK_D), and the logarithm to base 2 of the sum of weights."""
    divisor = tl.where(total > 0, total, 1.0)
    return summed / divisor[:, None], tl.where(total > 0, best + tl.log2(divisor), float("-inf"))


@triton.jit
def walk_keys(
    q, best, total, summed, low, high, positions, slopes,
    slots_of, key_pool, value_pool, kv_scales, num_slots, kv_head, scale, softcap, window,
    KV_HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, ALL_SEEN: tl.constexpr,
    HAS_WINDOW: tl.constexpr, HAS_SOFTCAP: tl.constexpr, HAS_ALIBI: tl.constexpr, HAS_SCALES: tl.constexpr,
):  # fmt: skip
    """The state after keys low:high.

    Args:
        q: (BLOCK_M, BLOCK_D). positions: (BLOCK_M,), of the rows' queries. slopes: (BLOCK_M,), times log2 e.
        slots_of: the row of the slot table.
        ALL_SEEN: every row sees all of these keys, and BLOCK_N divides their number; else each sees those up to its
            position.
    """
    columns = tl.arange(0, BLOCK_D)
    is_column = columns < DIM
    offsets = tl.arange(0, BLOCK_N)
    # Scores are in powers of two as they come, or after this factor: one multiplication with the subtraction.
    factor = scale * LOG2_E
    if HAS_SOFTCAP or HAS_ALIBI:
        factor = 1.0
    for start in range(low, high, BLOCK_N):
        keys_at = start + offsets
        if ALL_SEEN:
            slots = tl.load(slots_of + keys_at).to(tl.int64)
        else:
            is_key = keys_at < high
            slots = tl.load(slots_of + keys_at, mask=is_key, other=0).to(tl.int64)
        kv_at = (slots * KV_HEADS + kv_head) * DIM
        # Slots outside may hold anything; what is loaded of them is zero.
        key_at = key_pool + kv_at[None, :] + columns[:, None]
        value_at = value_pool + kv_at[:, None] + columns[None, :]
        if not ALL_SEEN:
            k = tl.load(key_at, mask=is_key[None, :] & is_column[:, None], other=0.0)
        elif DIM == BLOCK_D:
            k = tl.load(key_at)
        else:
            k = tl.load(key_at, mask=is_column[:, None], other=0.0)
        scores = tl.dot(q, k.to(q.dtype), input_precision="ieee")
        if HAS_SCALES:
            scale_at = kv_scales + slots * KV_HEADS + kv_head
            if ALL_SEEN:
                scores *= tl.load(scale_at)[None, :]
            else:
                scores *= tl.load(scale_at, mask=is_key, other=0.0)[None, :]
        if HAS_SOFTCAP:
            # tanh by way of the sigmoid.
            scores = softcap * (2.0 / (1.0 + tl.exp(-2.0 * (scores * scale / softcap))) - 1.0) * LOG2_E
        elif HAS_ALIBI:
            scores *= scale * LOG2_E
        distance = positions[:, None] - keys_at[None, :]
        if HAS_ALIBI:
            scores -= slopes[:, None] * distance
        if not ALL_SEEN:
            seen = is_key[None, :] & (distance >= 0)
            if HAS_WINDOW:
                seen &= distance < window
            scores = tl.where(seen, scores, float("-inf"))
        new_best = tl.maximum(best, tl.max(scores, axis=1) * factor)
        reference = new_best
        if not ALL_SEEN:
            reference = tl.where(new_best == float("-inf"), 0.0, new_best)
        weights = tl.exp2(scores * factor - reference[:, None])
        correction = tl.exp2(best - reference)
        total = total * correction + tl.sum(weights, axis=1)
        if not ALL_SEEN:
            v = tl.load(value_at, mask=is_key[:, None] & is_column[None, :], other=0.0)
        elif DIM == BLOCK_D:
            v = tl.load(value_at)
        else:
            v = tl.load(value_at, mask=is_column[None, :], other=0.0)
        if HAS_SCALES:
            scale_at = kv_scales + (num_slots + slots) * KV_HEADS + kv_head
            if ALL_SEEN:
                weights *= tl.load(scale_at)[None, :]
            else:
                weights *= tl.load(scale_at, mask=is_key, other=0.0)[None, :]
        summed = summed * correction[:, None]
        summed = tl.dot(weights.to(q.dtype), v.to(q.dtype), summed, input_precision="ieee")
        best = new_best
    return best, total, summed
