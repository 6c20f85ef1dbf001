"""Projections on a GPU: cuBLAS, our own kernel for a few rows where that is measured to be faster, or one whose results
do not depend on the number of rows."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from slipform.kernels.triton_gemv import SHAPES, GemvShape, gemv
from slipform.kernels.triton_matmul import FEW_ROWS, MANY_ROWS, WIDE, matmul
from slipform.runtime.measured_choices import milliseconds, remembered

# Numbers of rows that are tried; a step of three is padded to four, as recorded steps are.
_ROWS = (1, 2, 4)
# From this many rows on the larger tiles of `BatchInvariantLinear` pay.
_MANY = 128


class GpuLinear:
    """A projection with its bias. `choices`: by number of rows, the shape for our kernel; cuBLAS for all others."""

    __slots__ = ("bias", "choices", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight
        self.bias = bias
        self.choices: dict[int, GemvShape] = {}

    def __call__(self, x: Tensor) -> Tensor:
        shape = self.choices.get(x.shape[0])
        if shape is not None:
            return gemv(x, self.weight, self.bias, shape)
        return torch.nn.functional.linear(x, self.weight, self.bias)


class BatchInvariantLinear:
    """A projection whose rows do not depend, in any bit, on how many there are. `many`: the shape for many rows."""

    __slots__ = ("bias", "few", "many", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight
        self.bias = bias
        self.few = self.many = WIDE if weight.dtype is torch.float32 else FEW_ROWS

    def __call__(self, x: Tensor) -> Tensor:
        return matmul(x, self.weight, self.bias, self.few if x.shape[0] < _MANY else self.many)


def choose_kernels(layers: Sequence[GpuLinear]) -> None:
    """Measure, or look up, what is fastest for weights of these projections, which have one shape and dtype.

    Several of them keep the weights out of the caches, as they are in a model. Mutates: their `choices`.
    """
    first = layers[0]
    if first.weight.dtype is torch.float32:
        return  # exact sums in a fixed order matter more there
    key = f"{tuple(first.weight.shape)} {first.weight.dtype} bias={first.bias is not None} x{min(len(layers), 32)}"
    found = remembered("linear", key, lambda: {str(rows): _fastest(layers, rows) for rows in _ROWS})
    choices = {int(rows): GemvShape(*shape) for rows, shape in found.items() if shape is not None}
    for layer in layers:
        layer.choices = choices


def allow_larger_tiles(layers: Sequence[BatchInvariantLinear]) -> None:
    """Let projections of one shape and dtype use larger tiles for many rows, if those add in the same order here.

    They do where the matrix units add the products of one instruction alike in both; that is tried and not assumed.
    Mutates: their `many`.
    """
    first = layers[0]
    if first.weight.dtype is torch.float32:
        return
    x = torch.randn((_MANY, first.weight.shape[1]), device=first.weight.device).to(first.weight.dtype)
    if torch.equal(matmul(x, first.weight, first.bias, FEW_ROWS), matmul(x, first.weight, first.bias, MANY_ROWS)):
        for layer in layers:
            layer.many = MANY_ROWS


def _fastest(layers: Sequence[GpuLinear], rows: int) -> list[int] | None:
    """The fields of the fastest shape, or None where cuBLAS is faster."""
    weight = layers[0].weight
    x = torch.randn((rows, weight.shape[1]), device=weight.device).to(weight.dtype)
    best = milliseconds(lambda: [torch.nn.functional.linear(x, layer.weight, layer.bias) for layer in layers])
    chosen = None
    for shape in SHAPES:
        taken = milliseconds(partial(_apply_all, layers, x, shape))
        if taken < best:
            best, chosen = taken, [shape.rows, shape.columns, shape.num_warps]
    return chosen


def _apply_all(layers: Sequence[GpuLinear], x: Tensor, shape: GemvShape) -> list[Tensor]:
    return [gemv(x, layer.weight, layer.bias, shape) for layer in layers]
