"""Projections: y = x·Wᵀ + b over rows, with the weight laid out once for the way it is used."""

from typing import Protocol

import torch
from torch import Tensor


class Projection(Protocol):
    def __call__(self, x: Tensor) -> Tensor:
        """(T, inputs) to (T, outputs), in the weight's dtype."""


def projection(weight: Tensor, bias: Tensor | None = None) -> Projection:
    """The fastest projection for a weight (outputs, inputs) and its device.

    Measured on 2 cores of a Sapphire Rapids, all projections of an 8-layer model of width 384 at 1, 4, 16 and 64 rows:
    float32 as stored 1.4, 2.6, 4.3, 9.1 ms, transposed 1.3, 1.8, 3.1, 8.1 ms;
    bfloat16 as stored 1.9, 2.0, 2.0, 3.1 ms, packed for oneDNN 1.4, 1.4, 1.5, 2.2 ms.
    """
    if weight.device.type == "cpu":
        if weight.dtype is torch.float32:
            return _Transposed(weight, bias)
        if weight.dtype is torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return _Packed(weight, bias)
    return _AsStored(weight, bias)


class _AsStored:
    __slots__ = ("_bias", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self._weight, self._bias)


class _Transposed:
    __slots__ = ("_bias", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight.t().contiguous()
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        if self._bias is None:
            return torch.mm(x, self._weight)
        return torch.addmm(self._bias, x, self._weight)


class _Packed:
    """oneDNN's own layout, through the operator that torch's compiler emits for frozen weights."""

    __slots__ = ("_apply", "_bias", "_weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, 16)
        self._bias = bias
        self._apply = torch.ops.mkldnn._linear_pointwise.default

    def __call__(self, x: Tensor) -> Tensor:
        out: Tensor = self._apply(x, self._weight, self._bias, "none", [], "")
        return out
