"""From a plan to the input of a step on a GPU: written on the host into one buffer, copied over by one command.

The slot table has a copy on the device. A step enters its tokens' slots there itself; what else changes a row (a cached
prefix, a shared one) is copied when it happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from slipform.kernels.attention_plan import AttentionSettings, count_tiles
from slipform.kernels.step_tokens import gather_tokens
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.batch_builder import FlatPlan, Int64, Plan
from slipform.runtime.cache_manager import CacheManager, Holding
from slipform.runtime.sequence import Sequence
from slipform.runtime.staging import Staging

Int32 = npt.NDArray[np.int32]

# Fields begin at multiples of 16 bytes, which kernels are compiled for.
_ALIGNMENT = 4
# Fields, by their places in `InputSizes.lengths`, whose padding is -1: sources, slots, tiles. That of others is 0.
_PADDED_BELOW = (1, 3, 9, 10)
# Captured steps of up to this many tokens use tiles of few queries only.
FEW_TOKENS = 512


class Candidate(NamedTuple):
    """A sequence that gets a new token in a step if, once the step before is known, it still wants one.

    Attributes:
        holding: the sequence's, when the step was planned. logits_row: of its last token.
        end: tokens of the sequence that are computed with this step, and the position of the new one.
    """

    sequence: Sequence
    holding: Holding
    logits_row: int
    end: int


@dataclass(frozen=True, slots=True)
class InputSizes:
    """Entries of each field: T tokens, B sequences, N rows of logits, tiles of few and of many queries."""

    tokens: int
    sequences: int
    rows: int
    few: int
    many: int

    def lengths(self) -> tuple[int, ...]:
        tokens, sequences = self.tokens, self.sequences
        return (*(tokens,) * 5, sequences + 1, sequences, sequences, self.rows, 2 * self.few, 2 * self.many)

    def offsets(self) -> list[int]:
        """Where each field begins, and the total."""
        found = [0]
        for length in self.lengths():
            found.append(found[-1] + -(-length // _ALIGNMENT) * _ALIGNMENT)
        return found


@dataclass(frozen=True, slots=True)
class StepTensors:
    """A step's input on the device. `sources` and `table_rows`: see `kernels.triton_step_inputs`."""

    batch: ForwardBatch
    sources: Tensor
    table_rows: Tensor


@dataclass(frozen=True, slots=True)
class GpuInput:
    """A step's input, and what is wanted of its logits.

    Attributes:
        size: tokens with padding, if it has the form of a captured step; else 0.
        scored: (sequence, position of a known token, row of the logits that predict it).
    """

    tensors: StepTensors
    size: int
    candidates: list[Candidate]
    scored: list[tuple[Sequence, int, int]]


class GpuBatchBuilder:
    """Builds inputs in two host buffers in turn: one may still be on its way to the device while the next is written.

    Attributes:
        slot_table: (num_rows, max_len) int32 on the device.
        max_rows: most rows of logits in a captured step.
    """

    def __init__(
        self, cache: CacheManager, *, token_budget: int, attention: AttentionSettings, device: torch.device
    ) -> None:
        self.max_rows, self._max_len = cache.table.shape
        self._host_table = cache.table.numpy()
        self._device = device
        self._attention = attention
        self._tile_sizes = attention.sizes
        tokens = max(token_budget, self.max_rows)
        capacity = InputSizes(tokens, self.max_rows, tokens, tokens, tokens).offsets()[-1]
        pinned = device.type == "cuda"
        self._hosts = [torch.zeros(capacity, dtype=torch.int32, pin_memory=pinned) for _ in range(2)]
        self._flat = torch.zeros(capacity, dtype=torch.int32, device=device)
        self.slot_table = torch.zeros(cache.table.shape, dtype=torch.int32, device=device)
        # Ranges of rows that differ from the device's copy: (row, begin, end).
        self._changed: list[tuple[int, int, int]] = []
        self._patches = Staging(torch.int64, device)
        cache.row_changed = self._note_change

    def captured_tensors(self, size: int) -> StepTensors:
        """Tensors for `size` tokens where `build` puts inputs of that size, holding nothing but padding."""
        sizes = self._captured_sizes(size)
        columns = self._next_columns(sizes)
        for index, column in enumerate(columns):
            column[:] = -1 if index in _PADDED_BELOW else 0
        self._send(sizes)
        return self._tensors(sizes, size, size)

    def build(self, plan: Plan, size: int, sampled_at: Mapping[int, int]) -> GpuInput:
        """The input of a plan.

        Args:
            size: tokens of the captured step to fit into, or 0.
            sampled_at: by `id` of each sequence that waits for its token, where the device has it among sampled ids.
        """
        flat = FlatPlan.of(plan)
        num_tokens, num_sequences, num_rows = int(flat.borders[-1]), len(flat.lens), len(flat.wanted)
        few, many = self._tiles(flat.lens, only_few=0 < size <= FEW_TOKENS)
        # A captured step of few tokens has logits of each token, in order; any other of the rows that are named.
        all_rows = 0 < size <= self.max_rows
        if size:
            sizes = self._captured_sizes(size)
        else:  # kernels want one row of logits at least
            sizes = InputSizes(num_tokens, num_sequences, max(1, num_rows), few.shape[1], many.shape[1])
        columns = self._next_columns(sizes)
        input_ids, sources, positions, out_slots, table_rows, cu_seqlens, seq_lens, slot_rows, rows = columns[:9]
        gather_tokens(
            flat.addresses, flat.begins, flat.lens, flat.rows, self._host_table, input_ids, positions, out_slots
        )
        sources[:] = -1
        for index in np.flatnonzero(flat.addresses == 0).tolist():
            sources[flat.borders[index]] = sampled_at[id(plan.sequences[index])]
        table_rows[:num_tokens] = np.repeat(flat.rows, flat.lens)
        cu_seqlens[: num_sequences + 1] = flat.borders
        cu_seqlens[num_sequences + 1 :] = num_tokens
        seq_lens[:num_sequences] = flat.ends
        slot_rows[:num_sequences] = flat.rows
        rows[:] = 0
        rows[: sizes.rows if all_rows else num_rows] = np.arange(sizes.rows) if all_rows else flat.wanted
        for column in (input_ids, positions, table_rows):
            column[num_tokens:] = 0
        out_slots[num_tokens:] = -1
        for column in (seq_lens, slot_rows):
            column[num_sequences:] = 0
        for column, tiles, count in ((columns[9], few, sizes.few), (columns[10], many, sizes.many)):
            column[:] = -1
            column.reshape(2, count)[:, : tiles.shape[1]] = tiles
        self._send(sizes)
        logits_rows = (flat.wanted[flat.sampled_at] if all_rows else flat.sampled_at).tolist()
        sampled = [plan.sequences[index] for index in flat.sampled.tolist()]
        holdings = [sequence.holding for sequence in sampled if sequence.holding is not None]
        candidates = list(map(Candidate, sampled, holdings, logits_rows, flat.ends[flat.sampled].tolist()))
        scored = flat.scored
        if all_rows:
            scored = [(sequence, position, int(flat.wanted[at])) for sequence, position, at in scored]
        tensors = self._tensors(sizes, size or num_tokens, int(flat.lens.max()))
        return GpuInput(tensors, size, candidates, scored)

    def _captured_sizes(self, size: int) -> InputSizes:
        rows = min(size, self.max_rows)
        many = 0 if size <= FEW_TOKENS else size // self._tile_sizes.many + self.max_rows
        return InputSizes(size, rows, rows, size, many)

    def _tiles(self, lens: Int64, *, only_few: bool) -> tuple[Int32, Int32]:
        sizes = self._attention.sizes
        is_many = np.zeros(len(lens), bool) if only_few else lens >= sizes.many_queries
        return count_tiles(np.where(is_many, 0, lens), sizes.few), count_tiles(np.where(is_many, lens, 0), sizes.many)

    def _next_columns(self, sizes: InputSizes) -> list[Int32]:
        """Views of the host buffer that is free, one for each field."""
        self._hosts.reverse()
        host = self._hosts[0].numpy()
        return [
            host[begin : begin + length] for begin, length in zip(sizes.offsets(), sizes.lengths(), strict=False)
        ]  # fmt: skip

    def _send(self, sizes: InputSizes) -> None:
        """Bring the host buffer that was written, and the rows of the slot table that changed, to the device."""
        end = sizes.offsets()[-1]
        self._flat[:end].copy_(self._hosts[0][:end], non_blocking=True)
        if not self._changed:
            return
        rows, begins, ends = np.array(self._changed, np.int64).T
        self._changed.clear()
        counts = ends - begins
        starts = np.cumsum(counts) - counts
        within = np.arange(int(counts.sum())) + np.repeat(begins - starts, counts)
        entries = np.repeat(rows * self._max_len, counts) + within
        places, slots = self._patches.take(2, len(entries))
        places.numpy()[:] = entries
        slots.numpy()[:] = self._host_table.reshape(-1)[entries]
        device_places, device_slots = self._patches.send()
        self.slot_table.view(-1).index_copy_(0, device_places, device_slots.to(torch.int32))

    def _tensors(self, sizes: InputSizes, num_tokens: int, max_extend_len: int) -> StepTensors:
        offsets = sizes.offsets()
        fields = [
            self._flat[begin : begin + length]
            for begin, length in zip(offsets, sizes.lengths(), strict=False)
        ]  # fmt: skip
        input_ids, sources, positions, out_slots, table_rows, cu_seqlens, seq_lens, slot_rows, rows, few, many = fields
        plan = self._attention.plan(few.view(2, sizes.few), many.view(2, sizes.many), slot_rows)
        batch = ForwardBatch(
            input_ids=input_ids,
            positions=positions,
            out_slots=out_slots,
            cu_seqlens=cu_seqlens,
            seq_lens=seq_lens,
            slot_table=self.slot_table,
            logits_rows=rows,
            max_extend_len=max_extend_len,
            max_seq_len=self._max_len,
            attention_plan=plan,
        )
        return StepTensors(batch, sources, table_rows)

    def _note_change(self, row: int, begin: int, end: int) -> None:
        if end > begin:
            self._changed.append((row, begin, end))
