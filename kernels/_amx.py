"""Matrix products of bfloat16 with float32 sums on Intel's AMX tiles, written as instructions.

    out[0:16·n, 0:32] = sum over parts and k of x part [0:16·n, k] · panel[k, 0:32],  n = 1 or 2

A step takes 32 values of k: tiles of 16 rows of x, and two tiles of the panel, 16 pairs of k times 16 columns each.
"""

import functools
from typing import Any

import torch
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from slipform.kernels._numba import has_host_features
from slipform.kernels._simd import prefetch_of

STEP = 32
CONFIG_BYTES = 64

_BYTE = ir.IntType(8)
_WORD = ir.IntType(64)
_TILE_BYTES = 1024
_AHEAD_BYTES = 4096

# Tile registers: sums by (row block, column block), a tile of x per row block, a tile of the panel per column block.
_SUMS, _ROWS, _COLUMNS = ((0, 1), (2, 3)), (4, 5), (6, 7)


@functools.cache
def is_available() -> bool:
    """Whether this machine, its system and Numba's target allow AMX in bfloat16; asks the system for permission."""
    return has_host_features("amx-bf16", "amx-tile") and bool(torch.cpu._init_amx())


def _instruct(builder: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    name = f"llvm.x86.{name}"
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    builder.call(function, arguments)


def _address(builder: Any, place: Any) -> Any:
    return builder.inttoptr(place, _BYTE.as_pointer())


def _emit(builder: Any, num_blocks: int, num_parts: int, arguments: tuple[Any, ...]) -> None:
    x, x_stride, part_stride, panel, num_steps, out = arguments
    for row in range(num_blocks):
        for column in range(2):
            _instruct(builder, "tilezero", _BYTE(_SUMS[row][column]))
    with cgutils.for_range(builder, num_steps, intp=_WORD) as loop:
        tiles = builder.add(panel, builder.mul(loop.index, _WORD(2 * _TILE_BYTES)))
        for line in range(0, 2 * _TILE_BYTES, 64):
            prefetch_of(builder, builder.add(tiles, _WORD(_AHEAD_BYTES + line)))
        for column in range(2):
            place = _address(builder, builder.add(tiles, _WORD(_TILE_BYTES * column)))
            _instruct(builder, "tileloadd64", _BYTE(_COLUMNS[column]), place, _WORD(64))
        for part in range(num_parts):
            begin = builder.add(
                builder.add(x, builder.mul(part_stride, _WORD(part))), builder.shl(loop.index, _WORD(6))
            )
            for row in range(num_blocks):
                place = _address(builder, builder.add(begin, builder.mul(x_stride, _WORD(16 * row))))
                _instruct(builder, "tileloadd64", _BYTE(_ROWS[row]), place, x_stride)
            for row in range(num_blocks):
                for column in range(2):
                    operands = (_BYTE(_SUMS[row][column]), _BYTE(_ROWS[row]), _BYTE(_COLUMNS[column]))
                    _instruct(builder, "tdpbf16ps", *operands)
    for row in range(num_blocks):
        for column in range(2):
            place = builder.add(out, _WORD(16 * 128 * row + 64 * column))
            _instruct(builder, "tilestored64", _BYTE(_SUMS[row][column]), _address(builder, place), _WORD(128))


def _product(num_blocks: int, num_parts: int) -> Any:
    """An intrinsic (x, x_stride, part_stride, panel, num_steps, out) for 16·num_blocks rows and num_parts parts.

    Distances are in bytes. x: bfloat16, readable for all rows, x_stride from a row to the next, part_stride from a
    part to the next. panel: see `linear_cpu.pack`. out: (16·num_blocks, 32) float32, contiguous.
    """

    @intrinsic
    def product(
        typing_context: Any, x: Any, x_stride: Any, part_stride: Any, panel: Any, num_steps: Any, out: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _emit(builder, num_blocks, num_parts, tuple(values))
            return context.get_dummy_value()

        return types.void(*(types.int64,) * 6), generate

    return product


product_16 = _product(1, 1)
product_32 = _product(2, 1)
product_16_of_3 = _product(1, 3)
product_32_of_3 = _product(2, 3)


@intrinsic
def configure(typing_context: Any, place: Any) -> Any:
    """Make every tile register of the thread 16 rows of 64 bytes. place: CONFIG_BYTES of memory to write to."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        # Palette 1, then from byte 16 on the row bytes of each tile, and from byte 48 on their rows.
        config = bytes([1] + [0] * 15 + [64, 0] * 8 + [0] * 16 + [16] * 8 + [0] * 8)
        words = ir.VectorType(_BYTE, CONFIG_BYTES)
        target = builder.inttoptr(values[0], words.as_pointer())
        builder.store(ir.Constant(words, list(config)), target, align=1)
        _instruct(builder, "ldtilecfg", _address(builder, values[0]))
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def release(typing_context: Any) -> Any:
    """Give the tile registers up, so that the system need not save them."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _instruct(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate
