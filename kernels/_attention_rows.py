"""Products of attention for a few query rows against keys and values that lie scattered, written as instructions.

Rows of keys and values are given by tables of addresses, so that they are read where they lie, and once for all query
rows; the lines of the row that stands AHEAD entries later are asked for ahead of their use.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from slipform.kernels._simd import (
    LANES,
    VECTOR,
    load_bfloat16_of,
    load_of,
    multiply_add_of,
    pointer,
    prefetch_of,
    splat_of,
)

# A table is read this many entries beyond the last one in use.
AHEAD = 16

_WORD = ir.IntType(64)
_ZERO = ir.Constant(VECTOR, [0.0] * LANES)
_LINE_BYTES = 64


def _entry(builder: Any, table: Any, index: Any) -> Any:
    place = builder.add(table, builder.shl(index, _WORD(3)))
    return builder.load(pointer(builder, place, _WORD), align=8)


def _lanes(numbers: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)


def _sums_of_lanes(builder: Any, vectors: list[Any]) -> Any:
    """A vector whose lane i is the sum of the lanes of vectors[i]: pairs are interleaved and halved four times."""
    # Each round moves the second half of the list into every other group of lanes: the order comes out bit-reversed.
    vectors = [vectors[int(f"{i:04b}"[::-1], 2)] for i in range(LANES)]
    width = LANES
    while len(vectors) > 1:
        width //= 2
        starts = range(0, LANES, 2 * width)
        left = [start + i for start in starts for i in range(width)]
        left += [LANES + lane for lane in left]
        low, high = _lanes(left), _lanes([lane + width for lane in left])
        half = len(vectors) // 2
        vectors = [
            builder.fadd(builder.shuffle_vector(a, b, low), builder.shuffle_vector(a, b, high))
            for a, b in zip(vectors[:half], vectors[half:], strict=True)
        ]
    return vectors[0]


def _emit_scores(builder: Any, load_vector: Any, item: int, num_rows: int, arguments: tuple[Any, ...]) -> None:
    table, index, queries, head_dim, scores, scores_stride = arguments
    num_keys = LANES // num_rows
    keys = [_entry(builder, table, builder.add(index, _WORD(i))) for i in range(num_keys)]
    later = [_entry(builder, table, builder.add(index, _WORD(AHEAD + i))) for i in range(num_keys)]
    sums = [cgutils.alloca_once_value(builder, _ZERO) for _ in range(LANES)]
    for total in sums:
        builder.store(_ZERO, total)
    with cgutils.for_range_slice(builder, _WORD(0), head_dim, _WORD(LANES), _WORD) as (c, _):
        offset = builder.mul(c, _WORD(item))
        rows = []
        for row in range(num_rows):
            at = builder.add(builder.mul(head_dim, _WORD(row)), c)
            rows.append(load_of(builder, builder.add(queries, builder.shl(at, _WORD(2)))))
        for i, key in enumerate(keys):
            column = load_vector(builder, builder.add(key, offset))
            prefetch_of(builder, builder.add(later[i], offset))
            for row, query in enumerate(rows):
                total = sums[row * num_keys + i]
                builder.store(multiply_add_of(builder, query, column, builder.load(total)), total)
    products = _sums_of_lanes(builder, [builder.load(total) for total in sums])
    part = ir.VectorType(ir.FloatType(), num_keys)
    for row in range(num_rows):
        lanes = builder.shuffle_vector(products, products, _lanes([row * num_keys + i for i in range(num_keys)]))
        place = builder.add(builder.add(scores, builder.mul(scores_stride, _WORD(row))), builder.shl(index, _WORD(2)))
        builder.store(lanes, pointer(builder, place, part), align=4)


def _emit_values(
    builder: Any, load_vector: Any, item: int, num_rows: int, num_vectors: int, arguments: tuple[Any, ...]
) -> None:
    table, num_keys, first, weights, weights_stride, sums, sums_stride = arguments
    places = []
    for row in range(num_rows):
        begin = builder.add(builder.add(sums, builder.mul(sums_stride, _WORD(row))), builder.shl(first, _WORD(2)))
        places += [pointer(builder, builder.add(begin, _WORD(4 * LANES * i)), VECTOR) for i in range(num_vectors)]
    totals = [cgutils.alloca_once_value(builder, builder.load(place, align=4)) for place in places]
    for total, place in zip(totals, places, strict=True):
        builder.store(builder.load(place, align=4), total)
    offset = builder.mul(first, _WORD(item))
    with cgutils.for_range(builder, num_keys, intp=_WORD) as loop:
        begin = builder.add(_entry(builder, table, loop.index), offset)
        later = builder.add(_entry(builder, table, builder.add(loop.index, _WORD(AHEAD))), offset)
        columns = []
        for i in range(num_vectors):
            columns.append(load_vector(builder, builder.add(begin, _WORD(item * LANES * i))))
            if item * LANES * i % _LINE_BYTES == 0:
                prefetch_of(builder, builder.add(later, _WORD(item * LANES * i)))
        for row in range(num_rows):
            at = builder.add(builder.mul(weights_stride, _WORD(row)), builder.shl(loop.index, _WORD(2)))
            weight = splat_of(builder, builder.add(weights, at))
            for i, column in enumerate(columns):
                total = totals[row * num_vectors + i]
                builder.store(multiply_add_of(builder, weight, column, builder.load(total)), total)
    for total, place in zip(totals, places, strict=True):
        builder.store(builder.load(total), place, align=4)


def _of_both_types(emit: Any, num_arguments: int) -> Any:
    """An intrinsic (is_bfloat16, *arguments) of int64 that emits the code for either type of keys and values."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, *arguments = values
        with builder.if_else(builder.icmp_signed("!=", kind, _WORD(0))) as branches:
            for branch, load_vector, item in zip(branches, (load_bfloat16_of, load_of), (2, 4), strict=True):
                with branch:
                    emit(builder, load_vector, item, tuple(arguments))
        return context.get_dummy_value()

    typed = types.void(*(types.int64,) * (num_arguments + 1)), generate
    if num_arguments == 6:
        return intrinsic(lambda typing_context, kind, a, b, c, d, e, f: typed)
    return intrinsic(lambda typing_context, kind, a, b, c, d, e, f, g: typed)


def _scores(num_rows: int) -> Any:
    """An intrinsic (is_bfloat16, table, index, queries, head_dim, scores, scores_stride).

    scores[row, index + i] = query row · key row i for i < 16 / num_rows, the keys at entries index + i of the table.
    queries: (num_rows, head_dim) float32, head_dim a multiple of 16; scores: float32, scores_stride bytes a row.
    """
    return _of_both_types(
        lambda builder, load, item, arguments: _emit_scores(builder, load, item, num_rows, arguments), 6
    )


def _values(num_rows: int, num_vectors: int) -> Any:
    """An intrinsic (is_bfloat16, table, num_keys, first, weights, weights_stride, sums, sums_stride).

    sums[row, first:first + 16·num_vectors] += weights[row, j] · value row j over the first num_keys entries of the
    table. weights and sums are float32; strides in bytes.
    """
    return _of_both_types(
        lambda builder, load, item, arguments: _emit_values(builder, load, item, num_rows, num_vectors, arguments), 7
    )


scores_1, scores_2, scores_4 = _scores(1), _scores(2), _scores(4)
values_1x4, values_2x4, values_4x4 = _values(1, 4), _values(2, 4), _values(4, 4)
values_1x1, values_2x1, values_4x1 = _values(1, 1), _values(2, 1), _values(4, 1)
