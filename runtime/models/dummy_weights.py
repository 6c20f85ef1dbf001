"""Random weights of a model's geometry, for benchmarks that have no checkpoint."""

from collections.abc import Sequence

import torch
from torch import Tensor

# Keeps activations of a deep model near 1.
_SCALE = 0.02


class DummyCheckpoint:
    """Hands out random weights under any name, made on the device; norms are ones. Repeatable."""

    def __init__(self, *, dtype: torch.dtype, device: torch.device, seed: int = 0) -> None:
        self._dtype = dtype
        self._device = device
        self._generator = torch.Generator(device).manual_seed(seed)

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """See `Checkpoint.take`."""
        return self.stack([(name, shape)])

    def stack(self, parts: Sequence[tuple[str, tuple[int, ...]]]) -> Tensor:
        """See `Checkpoint.stack`."""
        rows = sum(shape[0] for _, shape in parts)
        weight = torch.empty((rows, *parts[0][1][1:]), dtype=self._dtype, device=self._device)
        if "norm" in parts[0][0]:
            return weight.fill_(1.0)
        return weight.normal_(0.0, _SCALE, generator=self._generator)

    def ignore(self, name: str) -> None:
        """See `Checkpoint.ignore`: there is nothing to drop."""

    def finish(self) -> None:
        """See `Checkpoint.finish`: nothing is left over."""
