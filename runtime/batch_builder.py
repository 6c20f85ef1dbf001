"""From a plan to the frozen input of one step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.sequence import Sequence


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
class StepInput:
    """A batch, and what is wanted of its logits.

    Attributes:
        sampled: the S sequences that get a new token. logits_rows, table_rows, positions: (S,) int64, the row of each
            in the logits and in the slot table, and the position its new token will have.
        scored: (sequence, position of a known token, row of the logits that predict it).
    """

    batch: ForwardBatch
    sampled: list[Sequence]
    logits_rows: npt.NDArray[np.int64]
    table_rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    scored: list[tuple[Sequence, int, int]]


class BatchBuilder:
    """Builds batches in buffers that are reused: a batch is valid until the next one is built."""

    def __init__(self, table: torch.Tensor, *, token_budget: int, device: torch.device) -> None:
        """`table`: (num_rows, max_len) int32, the slot table, which the cache manager keeps up to date."""
        num_rows, self._max_len = table.shape
        self._table = table
        self._table_array = table.numpy()
        self._device = device
        self._input_ids, self._input_ids_tensor = _buffer(token_budget, np.int64)
        self._positions, self._positions_tensor = _buffer(token_budget, np.int64)
        self._out_slots, self._out_slots_tensor = _buffer(token_budget, np.int64)
        self._logits_rows, self._logits_rows_tensor = _buffer(token_budget, np.int64)
        self._cu_seqlens, self._cu_seqlens_tensor = _buffer(num_rows + 1, np.int32)
        self._seq_lens, self._seq_lens_tensor = _buffer(num_rows, np.int32)
        self._rows, self._rows_tensor = _buffer(num_rows, np.int64)

    def build(self, plan: Plan) -> StepInput:
        """The batch of a plan."""
        input_ids, positions, out_slots = self._input_ids, self._positions, self._out_slots
        wanted, cu_seqlens, seq_lens, rows = self._logits_rows, self._cu_seqlens, self._seq_lens, self._rows
        sampled: list[Sequence] = []
        sampled_rows: list[int] = []
        table_rows: list[int] = []
        next_positions: list[int] = []
        scored: list[tuple[Sequence, int, int]] = []
        flat = num_wanted = max_extend_len = max_seq_len = 0
        for index, (sequence, extend_len) in enumerate(zip(plan.sequences, plan.extend_lens, strict=True)):
            begin = sequence.computed_len
            end = begin + extend_len
            holding = sequence.holding
            assert holding is not None
            assert holding.length == end
            row = holding.row
            if extend_len == 1:
                input_ids[flat] = sequence.ids[begin]
                positions[flat] = begin
                out_slots[flat] = self._table_array[row, begin]
            else:
                input_ids[flat : flat + extend_len] = sequence.ids[begin:end]
                positions[flat : flat + extend_len] = np.arange(begin, end)
                out_slots[flat : flat + extend_len] = self._table_array[row, begin:end]
            for position in sequence.unscored:
                if position > end:
                    break
                scored.append((sequence, position, num_wanted))
                wanted[num_wanted] = flat + position - 1 - begin
                num_wanted += 1
            if end == sequence.seq_len and sequence.fill is not None:
                sampled.append(sequence)
                sampled_rows.append(num_wanted)
                table_rows.append(row)
                next_positions.append(end)
                wanted[num_wanted] = flat + extend_len - 1
                num_wanted += 1
            rows[index] = row
            seq_lens[index] = end
            flat += extend_len
            cu_seqlens[index + 1] = flat
            max_extend_len = max(max_extend_len, extend_len)
            max_seq_len = max(max_seq_len, end)
        count = len(plan.sequences)
        slot_table = self._table[:, :max_seq_len].index_select(0, self._rows_tensor[:count])
        batch = ForwardBatch(
            input_ids=self._to_device(self._input_ids_tensor[:flat]),
            positions=self._to_device(self._positions_tensor[:flat]),
            out_slots=self._to_device(self._out_slots_tensor[:flat]),
            cu_seqlens=self._to_device(self._cu_seqlens_tensor[: count + 1]),
            seq_lens=self._to_device(self._seq_lens_tensor[:count]),
            slot_table=self._to_device(slot_table),
            logits_rows=self._to_device(self._logits_rows_tensor[:num_wanted]),
            max_extend_len=max_extend_len,
            max_seq_len=max_seq_len,
        )
        return StepInput(
            batch,
            sampled,
            np.array(sampled_rows, np.int64),
            np.array(table_rows, np.int64),
            np.array(next_positions, np.int64),
            scored,
        )

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self._device.type == "cpu" else tensor.to(self._device, non_blocking=True)


def _buffer(size: int, dtype: type) -> tuple[npt.NDArray[Any], torch.Tensor]:
    array: npt.NDArray[Any] = np.zeros(size, dtype=dtype)
    return array, torch.from_numpy(array)
