"""Attention of up to 32 query rows over keys and values of one KV head, as matrix products. See `attention_cpu.py`.

Rows of queries lie in the lanes of vectors: scores are computed transposed, key by key, so that maxima, exponentials
and sums of the softmax need no step across lanes.

    scores[64 keys, 32 rows] = keys · queriesᵀ          sums[32 rows, D] += weightsᵀ · values
"""

import numpy as np
from numba import njit

from slipform.kernels._numba import FASTMATH, float32_at, int32_at, narrow_row, padded, widen_row
from slipform.kernels._simd import (
    LANES,
    add,
    divide,
    exponential,
    load,
    maximum,
    minimum,
    multiply,
    multiply_add,
    splat,
    store,
    subtract,
    where_ordered,
)
from slipform.kernels._tiles import WIDTH, tile_8
from slipform.kernels.attention_few_cpu import TILE

BLOCK_ROWS = WIDTH
# Stands for the maximum of a row that has seen no key yet; finite, so that differences of maxima are numbers.
_LOWEST = np.float32(-3.0e38)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def attend_many(place, pools, num_heads, head_dim, rule, scratch):  # type: ignore[no-untyped-def]
    """One item of at most BLOCK_ROWS rows; the arguments are those of `attend_few`."""
    _, _, out, first_token, first_row, num_rows, base = place
    key_pool, value_pool, is_bfloat16, slot_row, num_kv_heads, kv_head = pools
    alibi_slopes, scale, window, softcap = rule
    group = num_heads // num_kv_heads
    key_bytes = 4 * padded(head_dim)
    value_bytes = 4 * ((head_dim + WIDTH - 1) // WIDTH * WIDTH)
    lane_bytes = 4 * BLOCK_ROWS
    queries = scratch  # (head_dim, 32), transposed
    sums = queries + padded(head_dim) * lane_bytes  # (32, D)
    keys = sums + BLOCK_ROWS * value_bytes  # (64, D)
    values = keys + TILE * key_bytes  # (64, D)
    scores = values + TILE * value_bytes  # (64, 32), transposed
    maxima = scores + TILE * lane_bytes
    totals, shrinks, positions, oldest, slopes = (
        maxima + lane_bytes,
        maxima + 2 * lane_bytes,
        maxima + 3 * lane_bytes,
        maxima + 4 * lane_bytes,
        maxima + 5 * lane_bytes,
    )
    _clear(queries, (keys - queries) // (4 * LANES))
    if key_bytes != value_bytes:  # the tail of a value's panel
        _clear(values, TILE * value_bytes // (4 * LANES))
    _clear(totals, lane_bytes // (4 * LANES))
    _load_queries(place, is_bfloat16, group, kv_head, head_dim, np.float32(scale), keys, queries)
    for row in range(BLOCK_ROWS):
        position = base + (first_row + min(row, num_rows - 1)) // group
        float32_at(maxima, BLOCK_ROWS)[row] = _LOWEST
        float32_at(positions, BLOCK_ROWS)[row] = position
        float32_at(oldest, BLOCK_ROWS)[row] = position - window + 1 if window > 0 else 0
        if alibi_slopes != 0:
            slope = float32_at(alibi_slopes, num_heads)[kv_head * group + (first_row + row) % group]
            float32_at(slopes, BLOCK_ROWS)[row] = slope
    first_position = base + first_row // group
    begin = max(0, first_position - window + 1) if window > 0 else 0
    end = base + (first_row + num_rows - 1) // group + 1
    slots = int32_at(slot_row, end)
    lanes = lane_bytes if num_rows > LANES else lane_bytes // 2
    rows = (num_rows + 7) // 8 * 8
    for tile in range(begin, end, TILE):
        count = min(TILE, end - tile)
        whole = (count + 7) // 8 * 8
        for j in range(whole):
            # Beyond the last key stands the last one again: a number, and masked below.
            start = (np.int64(slots[min(tile + j, end - 1)]) * num_kv_heads + kv_head) * head_dim
            widen_row(key_pool, is_bfloat16, start, keys + j * key_bytes, head_dim)
            widen_row(value_pool, is_bfloat16, start, values + j * value_bytes, head_dim)
        _clear(scores, whole * lane_bytes // (4 * LANES))
        for j in range(0, whole, 8):
            tile_8(
                False,
                keys + j * key_bytes,
                key_bytes,
                4,
                queries,
                lane_bytes,
                head_dim,
                scores + j * lane_bytes,
                lane_bytes,
            )
        if softcap > 0:
            _cap(scores, whole * lane_bytes, np.float32(softcap))
        if alibi_slopes != 0:
            _add_slopes(scores, tile, whole, lane_bytes, positions, slopes)
        if window > 0 or tile + whole > first_position + 1:
            _mask(scores, tile, whole, lane_bytes, positions, oldest)
        for lane in range(0, lanes, 4 * LANES):
            _soften(scores + lane, whole, lane_bytes, maxima + lane, totals + lane, shrinks + lane)
        shrink = float32_at(shrinks, BLOCK_ROWS)
        for row in range(num_rows):
            if shrink[row] != 1.0:
                factor = splat(shrink[row])
                for c in range(sums + row * value_bytes, sums + (row + 1) * value_bytes, 4 * LANES):
                    store(c, multiply(load(c), factor))
        for row in range(0, rows, 8):
            for c in range(0, value_bytes, 4 * WIDTH):
                tile_8(
                    False,
                    scores + 4 * row,
                    4,
                    lane_bytes,
                    values + c,
                    value_bytes,
                    count,
                    sums + row * value_bytes + c,
                    value_bytes,
                )
    total = float32_at(totals, BLOCK_ROWS)
    for row in range(num_rows):
        at = sums + row * value_bytes
        factor = splat(np.float32(1.0) / total[row])
        for c in range(at, at + value_bytes, 4 * LANES):
            store(c, multiply(load(c), factor))
        head = kv_head * group + (first_row + row) % group
        start = ((first_token + (first_row + row) // group) * num_heads + head) * head_dim
        narrow_row(at, out, is_bfloat16, start, head_dim)


@njit(cache=True, nogil=True, inline="always")
def _clear(place, num_vectors):  # type: ignore[no-untyped-def]
    for i in range(num_vectors):
        store(place + 4 * LANES * i, splat(np.float32(0.0)))


@njit(cache=True, nogil=True, inline="always")
def _load_queries(place, is_bfloat16, group, kv_head, head_dim, scale, row_place, queries):  # type: ignore[no-untyped-def]
    """queries (head_dim, 32): the rows, scaled and transposed; row_place holds one of them in between."""
    query, query_stride, _, first_token, first_row, num_rows, _ = place
    source = float32_at(row_place, head_dim)
    target = float32_at(queries, head_dim * BLOCK_ROWS)
    for row in range(num_rows):
        head = kv_head * group + (first_row + row) % group
        start = (first_token + (first_row + row) // group) * query_stride + head * head_dim
        widen_row(query, is_bfloat16, start, row_place, head_dim)
        for d in range(head_dim):
            target[d * BLOCK_ROWS + row] = source[d] * scale


@njit(cache=True, nogil=True, inline="always")
def _cap(scores, num_bytes, softcap):  # type: ignore[no-untyped-def]
    """softcap · tanh(score / softcap), with tanh y = 1 - 2 / (1 + exp 2y)."""
    one, two = splat(np.float32(1.0)), splat(np.float32(2.0))
    for i in range(scores, scores + num_bytes, 4 * LANES):
        doubled = multiply(load(i), splat(np.float32(2.0) / softcap))
        power = exponential(minimum(doubled, splat(np.float32(80.0))))
        store(i, multiply(splat(softcap), subtract(one, divide(two, add(one, power)))))


@njit(cache=True, nogil=True, inline="always")
def _add_slopes(scores, tile, count, lane_bytes, positions, slopes):  # type: ignore[no-untyped-def]
    for lane in range(0, lane_bytes, 4 * LANES):
        for j in range(count):
            place = scores + j * lane_bytes + lane
            distance = subtract(splat(np.float32(tile + j)), load(positions + lane))
            store(place, multiply_add(load(slopes + lane), distance, load(place)))


@njit(cache=True, nogil=True, inline="always")
def _mask(scores, tile, count, lane_bytes, positions, oldest):  # type: ignore[no-untyped-def]
    """-inf for keys after a row's own position and for those that have left its window."""
    for lane in range(0, lane_bytes, 4 * LANES):
        for j in range(count):
            place = scores + j * lane_bytes + lane
            key = splat(np.float32(tile + j))
            seen = where_ordered(load(place), key, load(positions + lane))
            store(place, where_ordered(seen, load(oldest + lane), key))


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _soften(scores, count, lane_bytes, maxima, totals, shrinks):  # type: ignore[no-untyped-def]
    """Scores of 16 rows to weights; the rows' maxima, totals and what their sums have to shrink by."""
    highest = load(maxima)
    for j in range(count):
        highest = maximum(highest, load(scores + j * lane_bytes))
    total = splat(np.float32(0.0))
    for j in range(count):
        place = scores + j * lane_bytes
        weights = exponential(subtract(load(place), highest))
        store(place, weights)
        total = add(total, weights)
    shrink = exponential(subtract(load(maxima), highest))
    store(shrinks, shrink)
    store(totals, multiply_add(load(totals), shrink, total))
    store(maxima, highest)
