"""Tables of rotary angles by position, for every variant that transformers knows."""

from typing import Any

import torch
from torch import Tensor
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from slipform.errors import ConfigError


class RotaryTable:
    """Cosines and sines by position; grows with the longest sequence seen.

    The angle of a position never depends on the sequence it stands in: cached keys are shared between sequences. Where
    a variant's frequencies depend on the length (dynamic, longrope), they are those of a sequence of `max_position`
    tokens, so a caller who never needs the long form asks for fewer positions when loading.
    """

    def __init__(self, hf: Any, head_dim: int, max_position: int, device: torch.device) -> None:
        self._inverse_frequencies, self._scaling = _inverse_frequencies(hf, head_dim, max_position)
        self._device = device
        self._table = torch.empty((0, 2 * self._inverse_frequencies.shape[0]))
        self.reserve(min(max_position, 1024))

    @property
    def rotary_dim(self) -> int:
        return self._table.shape[1]

    def reserve(self, num_positions: int) -> Tensor:
        """(at least num_positions, R) float32 on the device: R/2 cosines, then their sines, per position.

        Mutates: the table, which doubles when it is too short.
        """
        if num_positions > self._table.shape[0]:
            rows = max(num_positions, 2 * self._table.shape[0])
            # Angles in float32 on the CPU, as transformers computes them, so that the tables agree bit by bit.
            angles = torch.arange(rows, dtype=torch.float32)[:, None] * self._inverse_frequencies
            table = torch.cat((angles.cos() * self._scaling, angles.sin() * self._scaling), dim=1)
            self._table = table.contiguous().to(self._device)
        return self._table


def _inverse_frequencies(hf: Any, head_dim: int, max_position: int) -> tuple[Tensor, float]:
    """(R/2,) float32 on the CPU, and the factor by which cosines and sines are scaled."""
    parameters = hf.rope_parameters
    kind = parameters["rope_type"]
    if kind == "default":
        rotary_dim = int(head_dim * parameters.get("partial_rotary_factor", 1.0))
        exponents = torch.arange(0, rotary_dim, 2, dtype=torch.float32) / rotary_dim
        return 1.0 / (parameters["rope_theta"] ** exponents), 1.0
    if kind not in ROPE_INIT_FUNCTIONS:
        raise ConfigError(f"rotary variant {kind!r} is not one of {sorted(ROPE_INIT_FUNCTIONS)}", field="model")
    frequencies, scaling = ROPE_INIT_FUNCTIONS[kind](hf, torch.device("cpu"), seq_len=max_position)
    return frequencies.float(), float(scaling)
