"""Muon for the matrices of the hidden layers, AdamW for embeddings and norms.

Muon: K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024. Momentum whose matrix is
replaced by a nearby orthogonal one, found by a few steps of a Newton-Schulz iteration.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonalise(matrices: Tensor) -> Tensor:
    """(G, R, C) to matrices with the same singular vectors and singular values near 1, in bfloat16."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) * 1.02 + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon:
    """Updates all matrices of one size together; `lr` is set by the caller before each step."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, weight_decay: float, momentum: float = 0.95) -> None:
        by_size: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
        for parameter in parameters:
            by_size[parameter.shape].append(parameter)
        self.groups = list(by_size.values())
        self.buffers = [torch.zeros(len(g), *g[0].shape, device=g[0].device) for g in self.groups]
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.orthogonalise = orthogonalise

    @torch.no_grad()
    def step(self, lr: float) -> None:
        for group, buffer in zip(self.groups, self.buffers, strict=True):
            gradients = torch.stack([p.grad for p in group if p.grad is not None])
            buffer.lerp_(gradients, 1 - self.momentum)
            updates = self.orthogonalise(gradients.lerp(buffer, self.momentum)).float()
            rows, columns = group[0].shape
            updates.mul_(-lr * max(1.0, rows / columns) ** 0.5)
            matrices: list[Tensor] = list(group)
            torch._foreach_mul_(matrices, 1 - lr * self.weight_decay)
            for matrix, update in zip(matrices, updates, strict=True):
                matrix.add_(update)
