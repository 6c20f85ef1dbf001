"""From logits to token ids in one call: mask, penalties, bias, temperature, top-k, top-p, min-p, and a draw.

Each row is worked on alone and in one fixed order, so that its result depends on nothing but its own inputs: a sample
is a function of (logits, parameters, seed, position), whoever shares the batch. The draw inverts the cumulative
distribution over ascending token ids with one uniform number from Philox4x32-10 (Salmon, Moraes, Dror and Shaw,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011), keyed by the seed and counted by the position.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from slipform.kernels._numba import FASTMATH, exponential

HAS_BIAS, HAS_OUTPUT_PENALTY, HAS_REPETITION_PENALTY = 1, 2, 4

# Each halves the range of scores in which the end of a nucleus lies; what is left is sorted.
_BISECTIONS = 10
# Masses are summed by blocks, so that the draw walks one block and not the vocabulary a second time.
_BLOCK = 512


class SamplingTable(NamedTuple):
    """Parameters of R sequences, row r for the sequence in row r of the slot table.

    Fields:
        temperature, min_p, frequency_penalty, presence_penalty, repetition_penalty: (R,) float32. top_p: (R,) float64.
        top_k: (R,) int32, 0 keeps all. seed: (R,) uint64. flags: (R,) int32, which of the next three rows count.
        bias: (R, V) float32, added to the logits. counts: (R, V) int32, occurrences in the fill's output.
        seen: (R, V) uint8, 1 if the token occurs in the context.
    """

    temperature: npt.NDArray[np.float32]
    top_k: npt.NDArray[np.int32]
    top_p: npt.NDArray[np.float64]
    min_p: npt.NDArray[np.float32]
    frequency_penalty: npt.NDArray[np.float32]
    presence_penalty: npt.NDArray[np.float32]
    repetition_penalty: npt.NDArray[np.float32]
    seed: npt.NDArray[np.uint64]
    flags: npt.NDArray[np.int32]
    bias: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int32]
    seen: npt.NDArray[np.uint8]


def sample_rows(
    logits: npt.NDArray[np.float32],
    logits_rows: npt.NDArray[np.int64],
    table: SamplingTable,
    table_rows: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
    masks: npt.NDArray[np.int32],
    is_masked: npt.NDArray[np.uint8],
    num_ids: int,
    ids_out: npt.NDArray[np.int64],
    allowed_out: npt.NDArray[np.int64],
) -> None:
    """Choose one token for each of S sequences.

    Args:
        logits: (N, V) float32, unchanged. logits_rows, table_rows, positions: (S,); the logits of sequence i are
            logits[logits_rows[i]], its parameters are row table_rows[i], and its token will stand at positions[i].
        masks: (R, W) int32, bit 1 = allowed, in table rows. is_masked: (R,) uint8, whether a row's mask counts.
        num_ids: tokens with this id or a larger one are padding of the output head and never chosen.

    Mutates: ids_out and allowed_out, (S,) int64: the token, -1 where the logits are no distribution (NaN, or all -inf),
    and how many tokens the mask admitted. Greedy takes the lowest id among equals. Top-k, top-p and min-p apply in this
    order, each to what the one before it left; among equals the lower id is kept. Repetition penalty comes before
    frequency and presence, then the bias, then the temperature.
    """
    _sample_rows(
        logits, logits_rows, *table, table_rows, positions, masks, is_masked, num_ids, ids_out, allowed_out
    )  # fmt: skip


@njit(cache=True, nogil=True)
def log_normalizers(logits: Any, rows: Any, out: Any) -> None:
    """out[i] = log(sum(exp(logits[rows[i]]))). logits: (N, V) float32; rows: (S,) int64; out: (S,) float64."""
    for i in range(rows.shape[0]):
        row = logits[rows[i]]
        top = -np.inf
        for j in range(row.shape[0]):
            top = max(top, row[j])
        total = 0.0
        for j in range(row.shape[0]):
            total += math.exp(row[j] - top)
        out[i] = top + math.log(total)


@njit(cache=True, nogil=True)
def philox_4x32_10(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """The four words of one counter under one key; all are uint64 that hold 32 bits."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    for _ in range(10):
        left = np.uint64(0xD2511F53) * c0
        right = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (right >> shift) ^ c1 ^ k0, right & low, (left >> shift) ^ c3 ^ k1, left & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@njit(cache=True, nogil=True)
def uniform(seed: Any, position: Any) -> float:
    """A number in (0, 1) with 53 random bits, a function of (seed, position) alone. Both are uint64."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    zero = np.uint64(0)
    first, second, _, _ = philox_4x32_10(position & low, position >> shift, zero, zero, seed & low, seed >> shift)
    bits = (first << np.uint64(21)) | (second >> np.uint64(11))
    return (np.float64(bits) + 0.5) * 1.1102230246251565e-16


@njit(cache=True, nogil=True)
def _sample_rows(
    logits: Any, logits_rows: Any,
    temperature: Any, top_k: Any, top_p: Any, min_p: Any,
    frequency: Any, presence: Any, repetition: Any, seed: Any, flags: Any, bias: Any, counts: Any, seen: Any,
    table_rows: Any, positions: Any, masks: Any, is_masked: Any, num_ids: Any, ids_out: Any, allowed_out: Any,
) -> None:  # fmt: skip
    scores = np.empty(num_ids, np.float32)
    ids = np.empty(num_ids, np.int32)
    for i in range(table_rows.shape[0]):
        r = table_rows[i]
        row = logits[logits_rows[i]]
        if is_masked[r]:
            n = _gather_allowed(row, masks[r], num_ids, scores, ids)
        else:
            n = num_ids
            for j in range(n):
                scores[j] = row[j]
                ids[j] = j
        allowed_out[i] = n
        if flags[r] & HAS_REPETITION_PENALTY:
            for j in range(n):
                if seen[r, ids[j]]:
                    scores[j] = scores[j] / repetition[r] if scores[j] > 0 else scores[j] * repetition[r]
        if flags[r] & HAS_OUTPUT_PENALTY:
            for j in range(n):
                count = counts[r, ids[j]]
                if count:
                    scores[j] -= frequency[r] * count + presence[r]
        if flags[r] & HAS_BIAS:
            for j in range(n):
                scores[j] += bias[r, ids[j]]
        if temperature[r] == 0.0:
            ids_out[i] = _argmax(scores, ids, n)
            continue
        for j in range(n):
            scores[j] /= temperature[r]
        if 0 < top_k[r] < n:
            n = _keep_top_k(scores, ids, n, top_k[r])
        if top_p[r] < 1.0:
            n = _keep_top_p(scores, ids, n, top_p[r])
        ids_out[i] = _draw(scores, ids, n, min_p[r], uniform(seed[r], np.uint64(positions[i])))


@njit(cache=True, nogil=True)
def _gather_allowed(row: Any, mask: Any, num_ids: Any, scores: Any, ids: Any) -> Any:
    n = 0
    for word_index in range(min(mask.shape[0], (num_ids + 31) // 32)):
        word = np.uint32(mask[word_index])
        token = word_index * 32
        while word and token < num_ids:
            if word & np.uint32(1):
                scores[n] = row[token]
                ids[n] = token
                n += 1
            word >>= np.uint32(1)
            token += 1
    return n


@njit(cache=True, nogil=True)
def _argmax(scores: Any, ids: Any, n: Any) -> Any:
    best = -1
    top = -np.inf
    for j in range(n):
        if scores[j] > top:
            top = scores[j]
            best = j
        elif scores[j] != scores[j]:
            return -1
    return ids[best] if best >= 0 else -1


@njit(cache=True, nogil=True)
def _drop_below(scores: Any, ids: Any, n: Any, bound: Any) -> Any:
    """Keep the tokens whose score is at least `bound`, in order, NaN among them."""
    kept = 0
    for j in range(n):
        if not scores[j] < bound:
            scores[kept] = scores[j]
            ids[kept] = ids[j]
            kept += 1
    return kept


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _bound_of_top_k(scores: Any, n: Any, k: Any) -> Any:
    """A score that at least k tokens reach: the k-th largest of the maxima of blocks. -inf where k is large."""
    size = min(64, n // k)
    if size < 4:
        return np.float32(-np.inf)
    maxima = np.empty(n // size, np.float32)
    for block in range(len(maxima)):
        part = scores[block * size : (block + 1) * size]
        best = part[0]
        for j in range(len(part)):
            best = max(best, part[j])
        maxima[block] = best
    return np.partition(maxima, len(maxima) - k)[len(maxima) - k]


@njit(cache=True, nogil=True)
def _keep_top_k(scores: Any, ids: Any, n: Any, k: Any) -> Any:
    n = _drop_below(scores, ids, n, _bound_of_top_k(scores, n, k))
    threshold = np.partition(scores[:n], n - k)[n - k]
    above = 0
    for j in range(n):
        if scores[j] > threshold:
            above += 1
    spare = k - above
    kept = 0
    for j in range(n):
        if scores[j] > threshold or (scores[j] == threshold and spare > 0):
            if scores[j] == threshold:
                spare -= 1
            scores[kept] = scores[j]
            ids[kept] = ids[j]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _keep_top_p(scores: Any, ids: Any, n: Any, p: Any) -> Any:
    """Keep the likeliest tokens whose mass reaches p of the whole.

    Bisection finds scores low and high such that the tokens from `high` up fall short of that mass and those from
    `low` up reach it; of the few between, sorted, as many are added as it takes.
    """
    top = scores[:n].max()
    weights = np.empty(n, np.float32)
    _exponentials(scores, n, top, weights)
    total = _mass_from(scores, weights, n, np.float32(-np.inf))
    # All tokens below this bound together have less than 1-p of the mass, so that those above it reach p.
    low = np.float32(top + math.log((1.0 - p) * total / n))
    high = np.float32(np.inf)
    target = p * total
    reached = 0.0
    for _ in range(_BISECTIONS):
        middle = np.float32((low + min(high, top)) / 2)
        mass = _mass_from(scores, weights, n, middle)
        if mass >= target:
            low = middle
        else:
            high, reached = middle, mass
    between = np.empty(n, np.int32)
    num_between = 0
    for j in range(n):
        if low <= scores[j] < high:
            between[num_between] = j
            num_between += 1
    # A stable sort of ascending ids by descending score: among equals the lower id comes first.
    order = between[:num_between][np.argsort(-scores[between[:num_between]], kind="mergesort")]
    for j in order:
        if reached >= target:
            scores[j] = -np.inf
        reached += weights[j]
    return _drop_below(scores, ids, n, low)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _exponentials(scores: Any, n: Any, top: Any, out: Any) -> None:
    for j in range(n):
        out[j] = exponential(scores[j] - top)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _mass_from(scores: Any, weights: Any, n: Any, bound: Any) -> float:
    """Mass of the tokens whose score is at least `bound`."""
    mass = 0.0
    for begin in range(0, n, _BLOCK):
        # Loops over slices from 0 vectorise; over a range in the middle, each index is checked for being negative.
        part = scores[begin : min(n, begin + _BLOCK)]
        masses = weights[begin : min(n, begin + _BLOCK)]
        block: Any = np.float32(0.0)
        for j in range(len(part)):
            block += masses[j] if part[j] >= bound else np.float32(0.0)
        mass += block
    return mass


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _block_mass(scores: Any, top: Any, floor: Any) -> Any:
    mass = np.float32(0.0)
    for j in range(len(scores)):
        mass += exponential(scores[j] - top) if scores[j] >= floor else np.float32(0.0)
    return mass


@njit(cache=True, nogil=True)
def _draw(scores: Any, ids: Any, n: Any, min_p: Any, u: Any) -> Any:
    top = np.float32(-np.inf)
    for j in range(n):
        if scores[j] != scores[j]:
            return -1
        top = max(top, scores[j])
    if not math.isfinite(top):
        return -1
    floor = np.float32(top + math.log(min_p)) if min_p > 0.0 else np.float32(-3.0e38)
    num_blocks = (n + _BLOCK - 1) // _BLOCK
    masses = np.empty(num_blocks, np.float64)
    for block in range(num_blocks):
        masses[block] = _block_mass(scores[block * _BLOCK : min(n, (block + 1) * _BLOCK)], top, floor)
    target = u * masses.sum()
    reached = 0.0
    block = 0
    while block < num_blocks - 1 and reached + masses[block] <= target:
        reached += masses[block]
        block += 1
    # Rounding may leave the target a hair beyond the last token; then the last one that counts is taken.
    last = -1
    for j in range(block * _BLOCK, n):
        if scores[j] >= floor:
            reached += exponential(scores[j] - top)
            last = ids[j]
            if reached > target:
                break
    if last < 0:
        return _argmax(scores, ids, n)
    return last
