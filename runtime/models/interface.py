"""What the engine sees of a model."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.config import ModelConfig


class KVTensors(Protocol):
    """The part of a KV pool that a model touches: per layer (num_slots, Hkv, D), in the model's dtype and device.

    Hkv and D of layer i are `ModelConfig.kv_shapes[i]`. With `scales`, per layer (2, num_slots, Hkv) float32, keys and
    values are float8_e4m3fn; see `kernels/interface.py`.
    """

    @property
    def keys(self) -> Sequence[Tensor]: ...

    @property
    def values(self) -> Sequence[Tensor]: ...

    @property
    def scales(self) -> Sequence[Tensor] | None: ...


class CausalModel(Protocol):
    """A decoder-only model over flat tokens. Holds weights, no state of any sequence."""

    @property
    def config(self) -> ModelConfig: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def device(self) -> torch.device: ...

    def forward(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """Compute the batch's tokens: their K and V go to batch.out_slots.

        Returns: (N, V), logits of the rows named by batch.logits_rows; float32 on a CPU, any float on a GPU.
        Mutates: the pool, at batch.out_slots.
        """


@runtime_checkable
class StatesModel(CausalModel, Protocol):
    """A model that also shows what its head would make logits of."""

    def states(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """`forward` up to the head: (N, H) float32, the last layer's states behind the final norm, of the same rows."""
