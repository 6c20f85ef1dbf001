"""A model beside its KV pool: forward passes and warm-up."""

import threading

import torch
from torch import Tensor

from slipform.errors import UnsupportedField
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.interface import CausalModel, KVTensors, StatesModel

# Two engines would fight for the same cores, and each thread's OpenMP team would make the other's sleep at barriers:
# forward passes on the CPU take turns.
_CPU_TURN = threading.Lock()


class ModelRunner:
    """Runs batches of one model over one pool. Used by one thread.

    This is where captured graphs and a second device stream belong: callers see only `forward`.
    """

    def __init__(self, model: CausalModel, pool: KVTensors) -> None:
        """Raises: ValueError if a layer of the pool has another shape, dtype or device than the model's."""
        dtype = model.dtype if pool.scales is None else torch.float8_e4m3fn
        for index, shape in enumerate(model.config.kv_shapes):
            for tensor in (pool.keys[index], pool.values[index]):
                if tuple(tensor.shape[1:]) != shape or tensor.dtype != dtype:
                    raise ValueError(
                        f"pool: layer {index} is {tensor.dtype} {tuple(tensor.shape[1:])} per slot, "
                        f"and the model wants {dtype} {shape}"
                    )
        self.model = model
        self.pool = pool

    def forward(self, batch: ForwardBatch) -> Tensor:
        """(N, V) float32 logits of batch.logits_rows. Mutates: the pool, at batch.out_slots."""
        if self.model.device.type != "cpu":
            return self.model.forward(batch, self.pool)
        with _CPU_TURN:
            return self.model.forward(batch, self.pool)

    def states(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """(N, H) float32 states of batch.logits_rows, over a pool of the caller's. Mutates: that pool.

        Raises: UnsupportedField if the model does not show them.
        """
        if not isinstance(self.model, StatesModel):
            raise UnsupportedField("model", "it does not show the states that embeddings are made of")
        if self.model.device.type != "cpu":
            return self.model.states(batch, pool)
        with _CPU_TURN:
            return self.model.states(batch, pool)

    def warm_up(self, slots: Tensor) -> None:
        """Compile what is compiled on first use and let thread pools start, before a client waits for it.

        Args:
            slots: (>= 2,) int64, slots that nobody uses; they are written. Tokens share them, so results mean nothing.
        """
        # A step of one token, and one of more tokens than any path for few takes, in sequences with a prefix.
        for sequences, extend_len in ((1, 1), (2, 20)):
            self.forward(_batch(slots, sequences, extend_len))


def _batch(slots: Tensor, num_sequences: int, extend_len: int) -> ForwardBatch:
    """Sequences of token 0 with a prefix of one token, each with `extend_len` new tokens; slots are used in turn."""
    device = slots.device
    tokens, seq_len = num_sequences * extend_len, extend_len + 1
    cycle = slots[torch.arange(num_sequences * seq_len, device=device) % len(slots)]
    return ForwardBatch(
        input_ids=torch.zeros(tokens, dtype=torch.int64, device=device),
        positions=torch.arange(1, seq_len, device=device).repeat(num_sequences),
        out_slots=cycle[:tokens],
        cu_seqlens=torch.arange(num_sequences + 1, dtype=torch.int32, device=device) * extend_len,
        seq_lens=torch.full((num_sequences,), seq_len, dtype=torch.int32, device=device),
        slot_table=cycle.to(torch.int32).view(num_sequences, seq_len),
        logits_rows=torch.arange(1, num_sequences + 1, device=device) * extend_len - 1,
        max_extend_len=extend_len,
        max_seq_len=seq_len,
    )
