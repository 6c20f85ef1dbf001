"""Projections: y = x·Wᵀ + b over rows, on a GPU. A CPU's are in `kernels/linear_cpu.py`."""

from typing import Protocol

import torch
from torch import Tensor


class Projection(Protocol):
    def __call__(self, x: Tensor) -> Tensor:
        """(T, inputs) to (T, outputs), in the weight's dtype."""


def projection(weight: Tensor, bias: Tensor | None = None) -> Projection:
    """The projection of a weight (outputs, inputs), as stored."""
    return _AsStored(weight, bias)


class _AsStored:
    __slots__ = ("_bias", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._weight, self._bias)
