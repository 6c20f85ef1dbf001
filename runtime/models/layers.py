"""Building blocks shared by the models: projections over fused weights."""

import torch
from torch import Tensor


class Linear:
    """x ↦ x·Wᵀ + b over rows. weight: (out, in)."""

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self.weight, self.bias)
