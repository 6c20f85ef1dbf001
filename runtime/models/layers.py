"""Projections: y = x·Wᵀ + b over rows, on a GPU. A CPU's are in `kernels/linear_cpu.py`."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Projection(Protocol):
    def __call__(self, x: Tensor) -> Tensor:
        """(T, inputs) to (T, outputs), in the weight's dtype."""


def projections(
    layers: Sequence[tuple[Tensor, Tensor | None]], *, batch_invariant: bool = False
) -> Sequence[Projection]:
    """The projections of (weight, bias) pairs: weights (outputs, inputs), all of one shape, one a layer of a model.

    `batch_invariant`: a row's result does not depend on the number of rows.
    """
    if batch_invariant:
        from slipform.runtime.models.gpu_linear import BatchInvariantLinear, allow_larger_tiles

        invariant = [BatchInvariantLinear(weight, bias) for weight, bias in layers]
        allow_larger_tiles(invariant)
        return invariant
    if layers[0][0].device.type != "cuda":
        return [_AsStored(weight, bias) for weight, bias in layers]
    from slipform.runtime.models.gpu_linear import GpuLinear, choose_kernels

    found = [GpuLinear(weight, bias) for weight, bias in layers]
    choose_kernels(found)
    return found


class _AsStored:
    __slots__ = ("_bias", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._weight, self._bias)
