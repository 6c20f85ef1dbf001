"""Attention of a few query rows over keys and values of one KV head, read where they lie. See `attention_cpu.py`."""

import numpy as np
from numba import njit

from slipform.kernels._attention_rows import (
    AHEAD,
    scores_1,
    scores_2,
    scores_4,
    values_1x1,
    values_1x4,
    values_2x1,
    values_2x4,
    values_4x1,
    values_4x4,
)
from slipform.kernels._numba import FASTMATH, float32_at, int32_at, int64_at, narrow_row, widen_row
from slipform.kernels._numba import exponential as scalar_exponential
from slipform.kernels._simd import (
    LANES,
    add,
    exponential,
    load,
    maximum,
    multiply,
    reduce_add,
    reduce_max,
    splat,
    store,
    subtract,
)

TILE = 64
# Up to this many rows the path is faster than that of many rows, which computes 32 whatever it is given.
FEW_ROWS = 16
# Entries of each of the two tables of addresses.
TABLE = TILE + AHEAD


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def attend_few(place, pools, num_heads, head_dim, rule, scratch):  # type: ignore[no-untyped-def]
    """One item of at most FEW_ROWS rows; head_dim is a multiple of LANES.

    Args:
        place: (query, its stride between tokens, out, first token of the sequence, first row, number of rows, position
            of the sequence's first query). pools: (keys, values, whether bfloat16, slots of the sequence, KV heads,
            this KV head). rule: (slopes or 0, scale, window, softcap). All tensors are addresses.
    """
    query, query_stride, out, first_token, first_row, num_rows, base = place
    _, _, is_bfloat16, _, num_kv_heads, kv_head = pools
    alibi_slopes, scale, window, softcap = rule
    group = num_heads // num_kv_heads
    row_bytes = 4 * head_dim
    keys = scratch
    values = keys + 8 * TABLE
    queries = values + 8 * TABLE
    sums = queries + num_rows * row_bytes
    scores = sums + num_rows * row_bytes
    maxima = float32_at(scores + 4 * TILE * num_rows, num_rows)
    totals = float32_at(scores + 4 * (TILE + 1) * num_rows, num_rows)
    for row in range(num_rows):
        head = kv_head * group + (first_row + row) % group
        start = (first_token + (first_row + row) // group) * query_stride + head * head_dim
        at = queries + row * row_bytes
        widen_row(query, is_bfloat16, start, at, head_dim)
        for c in range(0, row_bytes, 4 * LANES):
            store(at + c, multiply(load(at + c), splat(np.float32(scale))))
            store(sums + row * row_bytes + c, splat(np.float32(0.0)))
        maxima[row] = -np.inf
        totals[row] = 0.0
    first_position = base + first_row // group
    begin = max(0, first_position - window + 1) if window > 0 else 0
    end = base + (first_row + num_rows - 1) // group + 1
    for tile in range(begin, end, TILE):
        count = min(TILE, end - tile)
        _look_up(pools, head_dim, tile, end, keys, values)
        row = 0
        while row < num_rows:
            at, into = queries + row * row_bytes, scores + 4 * TILE * row
            if num_rows - row >= 4:
                for j in range(0, count, 4):
                    scores_4(is_bfloat16, keys, j, at, head_dim, into, 4 * TILE)
                row += 4
            elif num_rows - row >= 2:
                for j in range(0, count, 8):
                    scores_2(is_bfloat16, keys, j, at, head_dim, into, 4 * TILE)
                row += 2
            else:
                for j in range(0, count, 16):
                    scores_1(is_bfloat16, keys, j, at, head_dim, into, 4 * TILE)
                row += 1
        for row in range(num_rows):
            position = base + (first_row + row) // group
            low = max(0, position - window + 1 - tile) if window > 0 else 0
            high = min(count, position + 1 - tile)
            score = float32_at(scores + 4 * TILE * row, TILE)
            if softcap > 0:
                for j in range(low, high):
                    score[j] = np.float32(softcap) * np.tanh(score[j] / np.float32(softcap))
            if alibi_slopes != 0:
                slope = float32_at(alibi_slopes, num_heads)[kv_head * group + (first_row + row) % group]
                for j in range(low, high):
                    score[j] += slope * np.float32(tile + j - position)
            _soften(
                score, scores + 4 * TILE * row, low, high, count, sums + row * row_bytes, row_bytes, maxima, totals, row
            )
        _add_values(is_bfloat16, values, count, head_dim, scores, sums, num_rows)
    for row in range(num_rows):
        at = sums + row * row_bytes
        factor = splat(np.float32(1.0) / totals[row])
        for c in range(0, row_bytes, 4 * LANES):
            store(at + c, multiply(load(at + c), factor))
        head = kv_head * group + (first_row + row) % group
        start = ((first_token + (first_row + row) // group) * num_heads + head) * head_dim
        narrow_row(at, out, is_bfloat16, start, head_dim)


@njit(cache=True, nogil=True, inline="always")
def _look_up(pools, head_dim, tile, end, keys, values):  # type: ignore[no-untyped-def]
    """Addresses of the keys and values of a tile, and of those that come after it."""
    key_pool, value_pool, is_bfloat16, slot_row, num_kv_heads, kv_head = pools
    item = 2 if is_bfloat16 else 4
    slots = int32_at(slot_row, end)
    key_rows, value_rows = int64_at(keys, TABLE), int64_at(values, TABLE)
    for j in range(TABLE):
        slot = np.int64(slots[min(tile + j, end - 1)])
        offset = item * (slot * num_kv_heads + kv_head) * head_dim
        key_rows[j] = key_pool + offset
        value_rows[j] = value_pool + offset


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _soften(score, scores, low, high, count, sums, row_bytes, maxima, totals, row):  # type: ignore[no-untyped-def]
    """Scores of one row to weights, zero outside low:high; what was summed so far shrinks with the new maximum."""
    whole = (count + LANES - 1) // LANES * LANES
    if low >= high:
        for j in range(0, 4 * whole, 4 * LANES):
            store(scores + j, splat(np.float32(0.0)))
        return
    for j in range(low):
        score[j] = -np.inf
    for j in range(high, whole):
        score[j] = -np.inf
    highest = splat(maxima[row])
    for j in range(0, 4 * whole, 4 * LANES):
        highest = maximum(highest, load(scores + j))
    new_maximum = reduce_max(highest)
    total = splat(np.float32(0.0))
    for j in range(0, 4 * whole, 4 * LANES):
        weights = exponential(subtract(load(scores + j), splat(new_maximum)))
        store(scores + j, weights)
        total = add(total, weights)
    shrink = scalar_exponential(maxima[row] - new_maximum)
    if shrink != 1.0:
        for c in range(0, row_bytes, 4 * LANES):
            store(sums + c, multiply(load(sums + c), splat(shrink)))
    maxima[row] = new_maximum
    totals[row] = totals[row] * shrink + reduce_add(total)


@njit(cache=True, nogil=True, inline="always")
def _add_values(is_bfloat16, values, count, head_dim, weights, sums, num_rows):  # type: ignore[no-untyped-def]
    row_bytes, weights_stride = 4 * head_dim, 4 * TILE
    whole = head_dim // (4 * LANES) * (4 * LANES)
    row = 0
    while row < num_rows:
        at, into = weights + row * weights_stride, sums + row * row_bytes
        if num_rows - row >= 4:
            for c in range(0, whole, 4 * LANES):
                values_4x4(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            for c in range(whole, head_dim, LANES):
                values_4x1(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            row += 4
        elif num_rows - row >= 2:
            for c in range(0, whole, 4 * LANES):
                values_2x4(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            for c in range(whole, head_dim, LANES):
                values_2x1(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            row += 2
        else:
            for c in range(0, whole, 4 * LANES):
                values_1x4(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            for c in range(whole, head_dim, LANES):
                values_1x1(is_bfloat16, values, count, c, at, weights_stride, into, row_bytes)
            row += 1
