"""From a plan to the frozen input of one step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from slipform.kernels.step_tokens import gather_tokens
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.sequence import Sequence

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next step computes: of each of B sequences the first `extend_lens[i]` pending tokens.

    The sequences' slots are reserved: the row of each ends with those of the tokens to compute. `admitted` are those
    that were admitted for the first time.
    """

    sequences: list[Sequence]
    extend_lens: list[int]
    admitted: list[Sequence]

    @property
    def num_tokens(self) -> int:
        return sum(self.extend_lens)


@dataclass(frozen=True, slots=True)
class FlatPlan:
    """A plan as arrays, for flat tokens: those of sequence i are borders[i]:borders[i + 1].

    Attributes:
        begins, ends, rows: (B,) int64, position of the first token and of the one behind the last, row of the slot
            table. lens: (B,) int64. borders: (B + 1,) int64.
        addresses: (B,) int64, where the known tokens lie; 0 for a sequence that computes a token not known yet.
        wanted: (N,) int64, flat tokens whose logits are wanted, ascending.
        sampled: (S,) int64, the sequences that get a new token; sampled_at: (S,) int64, where in `wanted` theirs is.
        scored: (sequence, position of a known token, where in `wanted` the token is that predicts it).
    """

    begins: Int64
    ends: Int64
    rows: Int64
    lens: Int64
    borders: Int64
    addresses: Int64
    wanted: Int64
    sampled: Int64
    sampled_at: Int64
    scored: list[tuple[Sequence, int, int]]

    @classmethod
    def of(cls, plan: Plan) -> "FlatPlan":
        sequences, count = plan.sequences, len(plan.sequences)
        holdings = [sequence.holding for sequence in sequences if sequence.holding is not None]
        begins = np.fromiter([sequence.computed_len for sequence in sequences], np.int64, count)
        known_lens = np.fromiter([sequence.seq_len for sequence in sequences], np.int64, count)
        addresses = np.fromiter([sequence.ids_address for sequence in sequences], np.int64, count)
        in_fill = np.fromiter([sequence.fill is not None for sequence in sequences], np.bool_, count)
        rows = np.fromiter([holding.row for holding in holdings], np.int64, count)
        lens = np.array(plan.extend_lens, np.int64)
        ends = begins + lens
        assert (ends == [holding.length for holding in holdings]).all()
        addresses[begins == known_lens] = 0
        borders = np.zeros(count + 1, np.int64)
        np.cumsum(lens, out=borders[1:])
        sampled = np.flatnonzero((ends >= known_lens) & in_fill)
        wanted, sampled_at = borders[sampled + 1] - 1, np.arange(len(sampled))
        scored: list[tuple[Sequence, int, int]] = []
        if any(sequence.unscored for sequence in sequences):
            known = [
                (sequence, position, int(borders[index]) + position - 1 - sequence.computed_len)
                for index, sequence in enumerate(sequences)
                for position in sequence.unscored
                if position <= ends[index]
            ]
            both = np.concatenate([np.array([token for _, _, token in known], np.int64), wanted])
            order = np.argsort(both, kind="stable")
            places = np.empty_like(order)
            places[order] = np.arange(len(order))
            wanted, sampled_at = both[order], places[len(known) :]
            scored = [(*one[:2], at) for one, at in zip(known, places.tolist(), strict=False)]
        return cls(begins, ends, rows, lens, borders, addresses, wanted, sampled, sampled_at, scored)


@dataclass(frozen=True, slots=True)
class StepInput:
    """A batch, and what is wanted of its logits.

    Attributes:
        sampled: the S sequences that get a new token. logits_rows, table_rows, positions: (S,) int64, the row of each
            in the logits and in the slot table, and the position its new token will have.
        scored: (sequence, position of a known token, row of the logits that predict it).
    """

    batch: ForwardBatch
    sampled: list[Sequence]
    logits_rows: Int64
    table_rows: Int64
    positions: Int64
    scored: list[tuple[Sequence, int, int]]


class BatchBuilder:
    """Builds batches in buffers that are reused: a batch is valid until the next one is built."""

    def __init__(self, table: torch.Tensor, *, token_budget: int, device: torch.device) -> None:
        """`table`: (num_rows, max_len) int32, the slot table, which the cache manager keeps up to date."""
        num_rows, self._max_len = table.shape
        self._table = table
        self._device = device
        self._input_ids, self._input_ids_tensor = _buffer(token_budget, np.int64)
        self._positions, self._positions_tensor = _buffer(token_budget, np.int64)
        self._out_slots, self._out_slots_tensor = _buffer(token_budget, np.int64)
        self._cu_seqlens, self._cu_seqlens_tensor = _buffer(num_rows + 1, np.int32)
        self._seq_lens, self._seq_lens_tensor = _buffer(num_rows, np.int32)

    def build(self, plan: Plan) -> StepInput:
        """The batch of a plan."""
        flat = FlatPlan.of(plan)
        count, num_tokens = len(flat.lens), int(flat.borders[-1])
        gather_tokens(
            flat.addresses, flat.begins, flat.lens, flat.rows, self._table.numpy(),
            self._input_ids, self._positions, self._out_slots,
        )  # fmt: skip
        self._cu_seqlens[: count + 1] = flat.borders
        self._seq_lens[:count] = flat.ends
        max_seq_len = int(flat.ends.max())
        batch = ForwardBatch(
            input_ids=self._to_device(self._input_ids_tensor[:num_tokens]),
            positions=self._to_device(self._positions_tensor[:num_tokens]),
            out_slots=self._to_device(self._out_slots_tensor[:num_tokens]),
            cu_seqlens=self._to_device(self._cu_seqlens_tensor[: count + 1]),
            seq_lens=self._to_device(self._seq_lens_tensor[:count]),
            slot_table=self._to_device(self._table[:, :max_seq_len].index_select(0, torch.from_numpy(flat.rows))),
            logits_rows=self._to_device(torch.from_numpy(flat.wanted)),
            max_extend_len=int(flat.lens.max()),
            max_seq_len=max_seq_len,
        )
        return StepInput(
            batch,
            [plan.sequences[index] for index in flat.sampled.tolist()],
            flat.sampled_at,
            flat.rows[flat.sampled],
            flat.ends[flat.sampled],
            flat.scored,
        )

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self._device.type == "cpu" else tensor.to(self._device, non_blocking=True)


def _buffer(size: int, dtype: type) -> tuple[npt.NDArray[Any], torch.Tensor]:
    array: npt.NDArray[Any] = np.zeros(size, dtype=dtype)
    return array, torch.from_numpy(array)
