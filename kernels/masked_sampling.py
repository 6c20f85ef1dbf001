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

from slipform.kernels._numba import (
    FASTMATH,
    c_function,
    exponential,
    float32_at,
    float64_at,
    int32_at,
    int64_at,
    uint8_at,
    uint64_at,
)
from slipform.kernels._simd import (
    LANES,
    add,
    load,
    maximum,
    one_where_nan,
    reduce_add,
    reduce_max,
    splat,
    store,
    subtract,
)
from slipform.kernels._simd import exponential as vector_exponential
from slipform.kernels._team import parallel, team, threads_for

HAS_BIAS, HAS_OUTPUT_PENALTY, HAS_REPETITION_PENALTY = 1, 2, 4

# Rows times ids from which on several threads share the rows.
_PARALLEL_IDS = 1 << 15
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
    num_threads = threads_for(len(table_rows)) if len(table_rows) * num_ids >= _PARALLEL_IDS else 1
    _sample_rows(
        team(), _share().address, num_threads,
        logits, logits_rows, *table, table_rows, positions, masks, is_masked, num_ids, ids_out, allowed_out,
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
    library: Any, share: Any, num_threads: Any, logits: Any, logits_rows: Any,
    temperature: Any, top_k: Any, top_p: Any, min_p: Any,
    frequency: Any, presence: Any, repetition: Any, seed: Any, flags: Any, bias: Any, counts: Any, seen: Any,
    table_rows: Any, positions: Any, masks: Any, is_masked: Any, num_ids: Any, ids_out: Any, allowed_out: Any,
) -> None:  # fmt: skip
    columns = np.array([
        temperature.ctypes.data, top_k.ctypes.data, top_p.ctypes.data, min_p.ctypes.data, frequency.ctypes.data,
        presence.ctypes.data, repetition.ctypes.data, seed.ctypes.data, flags.ctypes.data, bias.ctypes.data,
        counts.ctypes.data, seen.ctypes.data,
    ], np.int64)  # fmt: skip
    arguments = (
        columns.ctypes.data, bias.shape[1], logits.ctypes.data, logits.shape[1], logits_rows.ctypes.data,
        table_rows.ctypes.data, positions.ctypes.data, masks.ctypes.data, masks.shape[1], is_masked.ctypes.data,
        num_ids, ids_out.ctypes.data, allowed_out.ctypes.data, table_rows.shape[0],
    )  # fmt: skip
    parallel(library, share, arguments, num_threads)
    columns[0] = 0  # used here, so that the array lives until now


def _share() -> Any:
    """The parameters of `_sample_share`."""
    return c_function(_sample_share, "i" * 16)


def _sample_share(
    columns: Any, width: Any, logits: Any, vocab_size: Any, logits_rows: Any,
    table_rows: Any, positions: Any, masks: Any, num_words: Any, is_masked: Any,
    num_ids: Any, ids_out: Any, allowed_out: Any, count: Any, num_threads: Any, thread: Any,
) -> None:  # fmt: skip
    """Every num_threads-th row, from the thread-th on. Arrays are addresses, `columns` those of the table's fields.

    width: of the table's rows of bias, counts and seen.
    """
    column = int64_at(columns, 12)
    scores, ids, weights = np.empty(num_ids, np.float32), np.empty(num_ids, np.int32), np.empty(num_ids, np.float32)
    for i in range(thread, count, num_threads):
        r = int64_at(table_rows, count)[i]
        temperature = float32_at(column[0] + 4 * r, 1)[0]
        flags = int32_at(column[8] + 4 * r, 1)[0]
        row = float32_at(logits + 4 * vocab_size * int64_at(logits_rows, count)[i], num_ids)
        if uint8_at(is_masked + r, 1)[0]:
            n = _gather_allowed(row, int32_at(masks + 4 * num_words * r, num_words), num_ids, scores, ids)
        else:
            n = num_ids
            for j in range(n):
                scores[j] = row[j]
                ids[j] = j
        int64_at(allowed_out, count)[i] = n
        if flags & HAS_REPETITION_PENALTY:
            seen = uint8_at(column[11] + r * width, width)
            repetition = float32_at(column[6] + 4 * r, 1)[0]
            for j in range(n):
                if seen[ids[j]]:
                    scores[j] = scores[j] / repetition if scores[j] > 0 else scores[j] * repetition
        if flags & HAS_OUTPUT_PENALTY:
            counts = int32_at(column[10] + 4 * r * width, width)
            frequency, presence = float32_at(column[4] + 4 * r, 1)[0], float32_at(column[5] + 4 * r, 1)[0]
            for j in range(n):
                if counts[ids[j]]:
                    scores[j] -= frequency * counts[ids[j]] + presence
        if flags & HAS_BIAS:
            bias = float32_at(column[9] + 4 * r * width, width)
            for j in range(n):
                scores[j] += bias[ids[j]]
        chosen = int64_at(ids_out, count)
        top = _maximum(scores, n)
        if temperature == 0.0:
            chosen[i] = _first_of(scores, ids, n, top) if top > -np.inf else -1
            continue
        if not -np.inf < top < np.inf:
            chosen[i] = -1
            continue
        for j in range(n):
            scores[j] /= temperature
        top = np.float32(top / temperature)
        top_k = np.int64(int32_at(column[1] + 4 * r, 1)[0])
        if 0 < top_k < n:
            n = _keep_top_k(scores, ids, weights, n, top_k)
        top_p = float64_at(column[2] + 8 * r, 1)[0]
        if top_p < 1.0:
            n = _keep_top_p(scores, ids, weights, n, top_p, top)
        position = np.uint64(int64_at(positions, count)[i])
        u = uniform(uint64_at(column[7] + 8 * r, 1)[0], position)
        chosen[i] = _draw(scores, ids, n, float32_at(column[3] + 4 * r, 1)[0], u, top)


@njit(cache=True, nogil=True)
def _gather_allowed(row: Any, mask: Any, num_ids: Any, scores: Any, ids: Any) -> Any:
    n: Any = 0
    for word_index in range(min(mask.shape[0], (num_ids + 31) // 32)):
        word = np.uint32(mask[word_index])
        if word == 0:
            continue
        first = word_index * 32
        for token in range(first, min(first + 32, num_ids)):
            # Written whether or not it counts, since a branch would be guessed wrong half the time.
            scores[n] = row[token]
            ids[n] = token
            n += np.int64((word >> np.uint32(token - first)) & np.uint32(1))
    return n


@njit(cache=True, nogil=True)
def _maximum(scores: Any, n: Any) -> Any:
    """The largest score; NaN if one is NaN, -inf if there is none."""
    place = scores.ctypes.data
    best = splat(np.float32(-np.inf))
    odd = splat(np.float32(0.0))
    whole = n // LANES * LANES
    for i in range(0, 4 * whole, 4 * LANES):
        vector = load(place + i)
        best = maximum(best, vector)
        odd = one_where_nan(odd, vector)
    top, is_odd = reduce_max(best), reduce_max(odd) > 0
    for j in range(whole, n):
        is_odd |= scores[j] != scores[j]
        top = max(top, scores[j])
    return np.float32(np.nan) if is_odd else top


@njit(cache=True, nogil=True)
def _first_of(scores: Any, ids: Any, n: Any, value: Any) -> Any:
    """The id of the first score that equals `value`."""
    for j in range(n):
        if scores[j] == value:
            return ids[j]
    return -1


@njit(cache=True, nogil=True)
def _drop_below(scores: Any, ids: Any, n: Any, bound: Any) -> Any:
    """Keep the tokens whose score is at least `bound`, in order."""
    kept: Any = 0
    for j in range(n):
        score = scores[j]
        scores[kept] = score
        ids[kept] = ids[j]
        kept += np.int64(score >= bound)
    return kept


@njit(cache=True, nogil=True)
def _keep_down_to(scores: Any, ids: Any, n: Any, threshold: Any, spare: Any) -> Any:
    """Keep, in order, the tokens above the threshold and the first `spare` of those that equal it."""
    kept: Any = 0
    for j in range(n):
        score = scores[j]
        is_equal = score == threshold
        scores[kept] = score
        ids[kept] = ids[j]
        kept += np.int64((score > threshold) | (is_equal & (spare > 0)))
        spare -= np.int64(is_equal)
    return kept


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _bound_of_top_k(scores: Any, maxima: Any, n: Any, k: Any) -> Any:
    """A score that at least k tokens reach: the k-th largest of the maxima of blocks. -inf where k is large."""
    size = min(64, n // k)
    if size < 4:
        return np.float32(-np.inf)
    num_blocks = n // size
    for block in range(num_blocks):
        part = scores[block * size : (block + 1) * size]
        best = part[0]
        for j in range(len(part)):
            best = max(best, part[j])
        maxima[block] = best
    return _kth_largest(maxima, num_blocks, k)


@njit(cache=True, nogil=True)
def _kth_largest(values: Any, n: Any, k: Any) -> Any:
    """The k-th largest of values[:n], 1 <= k <= n, by Hoare's selection; the values are rearranged."""
    low, high, wanted = 0, n - 1, k - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return values[wanted]


@njit(cache=True, nogil=True)
def _keep_top_k(scores: Any, ids: Any, scratch: Any, n: Any, k: Any) -> Any:
    n = _drop_below(scores, ids, n, _bound_of_top_k(scores, scratch, n, k))
    for j in range(n):
        scratch[j] = scores[j]
    threshold = _kth_largest(scratch, n, k)
    above = 0
    for j in range(n):
        above += scores[j] > threshold
    return _keep_down_to(scores, ids, n, threshold, k - above)


@njit(cache=True, nogil=True)
def _keep_top_p(scores: Any, ids: Any, weights: Any, n: Any, p: Any, top: Any) -> Any:
    """Keep the likeliest tokens whose mass reaches p of the whole.

    The end of the nucleus is found by bisection of the scores between `low` and `high`: tokens from `high` up fall
    short of that mass, those from `low` up reach it, and each round looks only at those in between.
    """
    total = _exponentials(scores, n, top, weights)
    target = p * total
    # All tokens below this bound together have less than 1-p of the mass, so that those above it reach p.
    low, high = np.float32(top + math.log((1.0 - p) * total / n)), np.float32(np.inf)
    between, masses = np.empty(n, np.float32), np.empty(n, np.float32)
    count: Any = 0
    for j in range(n):
        between[count] = scores[j]
        masses[count] = weights[j]
        count += np.int64(scores[j] >= low)
    reached = 0.0
    while count > 1:
        middle = np.float32((np.float64(low) + min(high, top)) / 2)
        if not low < middle < high:
            break  # all that are left have the same score
        mass: Any = 0.0
        for j in range(count):
            mass += masses[j] if between[j] >= middle else np.float32(0.0)
        upper = reached + mass >= target
        if upper:
            low = middle
        else:
            high = middle
            reached += mass
        kept: Any = 0
        for j in range(count):
            score = between[j]
            between[kept] = score
            masses[kept] = masses[j]
            kept += np.int64((score >= middle) == upper)
        count = kept
    # As many of the equal scores as it takes.
    spare = 0
    threshold = low
    while spare < count and reached < target:
        threshold = between[0]
        reached += masses[spare]
        spare += 1
    return _keep_down_to(scores, ids, n, threshold, spare)


@njit(cache=True, nogil=True)
def _exponentials(scores: Any, n: Any, top: Any, out: Any) -> float:
    """out[j] = exp(scores[j] - top), 0 where that is tiny. Returns: their sum."""
    source, target = scores.ctypes.data, out.ctypes.data
    mass = 0.0
    for begin in range(0, n, _BLOCK):
        end = min(n, begin + _BLOCK)
        whole = begin + (end - begin) // LANES * LANES
        total = splat(np.float32(0.0))
        for i in range(4 * begin, 4 * whole, 4 * LANES):
            vector = vector_exponential(subtract(load(source + i), splat(top)))
            store(target + i, vector)
            total = add(total, vector)
        mass += reduce_add(total)
        for j in range(whole, end):
            out[j] = exponential(scores[j] - top)
            mass += out[j]
    return mass


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _block_mass(scores: Any, top: Any, floor: Any) -> Any:
    mass = np.float32(0.0)
    for j in range(len(scores)):
        mass += exponential(scores[j] - top) if scores[j] >= floor else np.float32(0.0)
    return mass


@njit(cache=True, nogil=True)
def _draw(scores: Any, ids: Any, n: Any, min_p: Any, u: Any, top: Any) -> Any:
    """Tokens less than min_p times as likely as the likeliest one, whose score is `top`, do not count."""
    floor = np.float32(top + math.log(min_p)) if min_p > 0.0 else np.float32(-3.0e38)
    num_blocks = (n + _BLOCK - 1) // _BLOCK
    masses = np.empty(num_blocks, np.float64)
    whole = 0.0
    for block in range(num_blocks):
        masses[block] = _block_mass(scores[block * _BLOCK : min(n, (block + 1) * _BLOCK)], top, floor)
        whole += masses[block]
    target = u * whole
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
    return last if last >= 0 else _first_of(scores, ids, n, top)
