"""Register tiles of a matrix product, written as instructions: a few rows of x against a panel of 32 columns.

    out[r, 0:32] += sum over k of x[r, k] · panel[k, 0:32]

A tile keeps its sums in registers and takes k in ascending order with one fused multiply-add each, so that a sum does
not depend on how many rows were computed with it: a row gives the same bits alone and in any batch.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from slipform.kernels._numba import has_host_features
from slipform.kernels._simd import LANES, VECTOR, fused_multiply_add_of, pointer, prefetch_of, splat_of

WIDTH = 2 * LANES

_WORDS = ir.VectorType(ir.IntType(32), LANES)
# Sums of a row are two vectors: 32 registers of 16 lanes hold those of eight rows, fewer or narrower ones of two.
_ROWS_IN_REGISTERS = 8 if has_host_features("avx512f") else 2
# Panels stream from memory; this many bytes ahead of its use a line is asked for.
_AHEAD_BYTES = 2048


def _columns(builder: Any, are_words: bool, place: Any) -> tuple[Any, Any]:
    """The 32 columns of one k as two vectors of float32."""
    if not are_words:
        after = builder.add(place, place.type(4 * LANES))
        first, second = (builder.load(pointer(builder, at, VECTOR), align=4) for at in (place, after))
        return first, second
    words = builder.load(pointer(builder, place, _WORDS), align=4)
    low = builder.shl(words, ir.Constant(_WORDS, [16] * LANES))
    high = builder.and_(words, ir.Constant(_WORDS, [0xFFFF0000] * LANES))
    return builder.bitcast(low, VECTOR), builder.bitcast(high, VECTOR)


def _emit(builder: Any, are_words: bool, num_rows: int, arguments: tuple[Any, ...]) -> None:
    """The rows in groups whose sums fit the machine's registers."""
    x, x_stride, x_step, panel, panel_step, inputs, out, out_stride = arguments
    word = inputs.type
    size = min(num_rows, _ROWS_IN_REGISTERS)
    for first in range(0, num_rows, size):
        rows = builder.add(x, builder.mul(x_stride, word(first)))
        target = builder.add(out, builder.mul(out_stride, word(first)))
        _emit_group(builder, are_words, size, (rows, x_stride, x_step, panel, panel_step, inputs, target, out_stride))


def _emit_group(builder: Any, are_words: bool, num_rows: int, arguments: tuple[Any, ...]) -> None:
    x, x_stride, x_step, panel, panel_step, inputs, out, out_stride = arguments
    word = inputs.type
    places = []
    for row in range(num_rows):
        begin = builder.add(out, builder.mul(out_stride, word(row)))
        places += [pointer(builder, builder.add(begin, word(4 * LANES * half)), VECTOR) for half in range(2)]
    sums = [cgutils.alloca_once_value(builder, builder.load(place, align=4)) for place in places]
    for total, place in zip(sums, places, strict=True):
        builder.store(builder.load(place, align=4), total)
    rows = [builder.add(x, builder.mul(x_stride, word(row))) for row in range(num_rows)]
    with cgutils.for_range(builder, inputs, intp=word) as loop:
        place = builder.add(panel, builder.mul(loop.index, panel_step))
        columns = _columns(builder, are_words, place)
        prefetch_of(builder, builder.add(place, word(_AHEAD_BYTES)))
        offset = builder.mul(loop.index, x_step)
        for row, begin in enumerate(rows):
            value = splat_of(builder, builder.add(begin, offset))
            for half, column in enumerate(columns):
                total = sums[2 * row + half]
                builder.store(fused_multiply_add_of(builder, value, column, builder.load(total)), total)
    for total, place in zip(sums, places, strict=True):
        builder.store(builder.load(total), place, align=4)


def _tile(num_rows: int) -> Any:
    """An intrinsic (are_words, x, x_stride, x_step, panel, panel_step, inputs, out, out_stride) for num_rows rows.

    Addresses and distances are in bytes; x and out are float32. x_stride and out_stride lead from a row to the next,
    x_step and panel_step from one k to the next.

    are_words: the panel's 32 columns are 16 words of two bfloat16: the lower half of word j is column j, the upper half
    column 16 + j, so that each half widens to float32 with one instruction. Else they are 32 float32.
    """

    @intrinsic
    def tile(
        typing_context: Any,
        are_words: Any,
        x: Any,
        x_stride: Any,
        x_step: Any,
        panel: Any,
        panel_step: Any,
        inputs: Any,
        out: Any,
        out_stride: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind, *rest = values
            with builder.if_else(builder.icmp_signed("!=", kind, kind.type(0))) as branches:
                for branch, words in zip(branches, (True, False), strict=True):
                    with branch:
                        _emit(builder, words, num_rows, tuple(rest))
            return context.get_dummy_value()

        return types.void(*(types.int64,) * 9), generate

    return tile


tile_8 = _tile(8)
tile_4 = _tile(4)
tile_2 = _tile(2)
tile_1 = _tile(1)
