"""From a plan to the input of a step on a GPU: written on the host into one buffer, copied over by one command.

The slot table has a copy on the device. A step enters its tokens' slots there itself; what else changes a row (a cached
prefix, a shared one) is noted, and sent with the next step's input.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slipform.kernels.attention_plan import AttentionSettings
from slipform.kernels.step_input import write_step_input
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.batch_builder import FlatPlan, Int64, Plan
from slipform.runtime.cache_manager import CacheManager, Holding
from slipform.runtime.sequence import Sequence
from slipform.runtime.shared_prefixes import MAX_GROUPS, PrefixGrouping, PrefixGroups
from slipform.runtime.staging import Staging

# Fields begin at multiples of 16 bytes, which kernels are compiled for.
_ALIGNMENT = 4
# Captured steps of up to this many tokens use tiles of few queries only.
FEW_TOKENS = 512
_NEVER = 1 << 62


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
    """Entries of each field: T tokens, B sequences, N rows of logits, tiles of few and of many queries.

    `shared`: tiles over common prefixes, `shared_tokens` in all; 0 where none are read for several sequences.
    """

    tokens: int
    sequences: int
    rows: int
    few: int
    many: int
    shared: int = 0
    shared_tokens: int = 0

    def lengths(self) -> tuple[int, ...]:
        tokens, sequences = self.tokens, self.sequences
        return (
            *(tokens,) * 5, sequences + 1, sequences, sequences, self.rows, 2 * self.few, 2 * self.many,
            2 * self.shared, self.shared_tokens, sequences if self.shared else 0,
        )  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the fields of an input are: (NUM_FIELDS,) int64 each, and the end of all; and the tensors over them."""

    offsets: Int64
    lengths: Int64
    end: int
    only_few: bool
    tensors: StepTensors


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
        self._captured: dict[tuple[int, bool], _Layout] = {}
        self._grouping = PrefixGrouping(cache, attention)
        tokens = max(token_budget, self.max_rows)
        most = InputSizes(tokens, self.max_rows, tokens, tokens, tokens)
        capacity = self._with_shared(most).offsets()[-1]
        self._staged = Staging(torch.int32, device, capacity)
        self._flat = torch.zeros(capacity, dtype=torch.int32, device=device)
        self.slot_table = torch.zeros(cache.table.shape, dtype=torch.int32, device=device)
        # Ranges of rows that differ from the device's copy: (row, begin, end).
        self._changed: list[tuple[int, int, int]] = []
        self._patches = Staging(torch.int64, device)
        cache.row_changed = self._note_change

    def captured_tensors(self, size: int, *, shares: bool) -> StepTensors:
        """Tensors for `size` tokens where `build` puts inputs of that size, holding nothing but padding.

        `shares`: those for steps with groups.
        """
        layout = self._captured[size, shares] = self._layout(self._captured_sizes(size, shares), size)
        nothing = np.empty(0, np.int64)
        self._write(layout, [nothing] * 6, PrefixGroups(nothing, nothing), is_dense=False)
        return layout.tensors

    @property
    def shares_prefixes(self) -> bool:
        """Whether there may be groups."""
        return self._attention.shares_prefixes

    def groups(self, plan: Plan) -> PrefixGroups:
        """The sequences of a plan that are to read a common prefix together."""
        if not self.shares_prefixes:
            return PrefixGroups(np.full(len(plan.sequences), -1, np.int64), np.empty(0, np.int64))
        return self._grouping.find(plan)

    def build(self, plan: Plan, groups: PrefixGroups, size: int, sampled_at: Mapping[int, int]) -> GpuInput:
        """The input of a plan.

        Args:
            groups: of this plan.
            size: tokens of the captured step to fit into, or 0.
            sampled_at: by `id` of each sequence that waits for its token, where the device has it among sampled ids.
        """
        flat = FlatPlan.of(plan)
        # A captured step of few tokens has logits of each token, in order; any other of the rows that are named.
        is_dense = 0 < size <= self.max_rows
        shares = bool(groups)
        layout = self._captured.get((size, shares))
        if layout is None:
            sizes = self._captured_sizes(size, shares) if size else self._sizes(flat, shares)
            layout = self._layout(sizes, int(flat.lens.max()))
        sources = np.zeros(len(flat.lens), np.int64)
        for index in np.flatnonzero(flat.addresses == 0).tolist():
            sources[index] = sampled_at[id(plan.sequences[index])]
        columns = [flat.addresses, sources, flat.begins, flat.lens, flat.rows, flat.wanted]
        self._write(layout, columns, groups, is_dense=is_dense)
        logits_rows = (flat.wanted[flat.sampled_at] if is_dense else flat.sampled_at).tolist()
        sampled = [plan.sequences[index] for index in flat.sampled.tolist()]
        holdings = [sequence.holding for sequence in sampled if sequence.holding is not None]
        candidates = list(map(Candidate, sampled, holdings, logits_rows, flat.ends[flat.sampled].tolist()))
        scored = flat.scored
        if is_dense:
            scored = [(sequence, position, int(flat.wanted[at])) for sequence, position, at in scored]
        return GpuInput(layout.tensors, size, candidates, scored)

    def _captured_sizes(self, size: int, shares: bool) -> InputSizes:
        rows = min(size, self.max_rows)
        many = 0 if size <= FEW_TOKENS else size // self._attention.sizes.many + self.max_rows
        sizes = InputSizes(size, rows, rows, size, many)
        return self._with_shared(sizes) if shares else sizes

    def _with_shared(self, sizes: InputSizes) -> InputSizes:
        """With room for tiles over common prefixes of all its tokens."""
        tile = self._attention.sizes.shared
        shared = sizes.tokens // tile + MAX_GROUPS
        return replace(sizes, shared=shared, shared_tokens=shared * tile)

    def _sizes(self, flat: FlatPlan, shares: bool) -> InputSizes:
        """Those of a step that is not captured; kernels want one row of logits at least."""
        sizes = self._attention.sizes
        is_many = flat.lens >= sizes.many_queries
        few, many = -(-flat.lens[~is_many] // sizes.few), -(-flat.lens[is_many] // sizes.many)
        rows = max(1, len(flat.wanted))
        found = InputSizes(int(flat.borders[-1]), len(flat.lens), rows, int(few.sum()), int(many.sum()))
        return self._with_shared(found) if shares else found

    def _layout(self, sizes: InputSizes, longest: int) -> _Layout:
        offsets = sizes.offsets()
        tensors = self._tensors(sizes, longest)
        lengths = np.array(sizes.lengths(), np.int64)
        return _Layout(np.array(offsets[:-1], np.int64), lengths, offsets[-1], sizes.many == 0, tensors)

    def _write(self, layout: _Layout, columns: list[Int64], groups: PrefixGroups, *, is_dense: bool) -> None:
        """Write the host buffer that is free, and bring it to the device with what changed of the slot table."""
        sizes = self._attention.sizes
        addresses, sources, begins, lens, rows, wanted = columns
        host = self._staged.take(layout.end).numpy()
        write_step_input(
            host, layout.offsets, layout.lengths, addresses, sources, begins, lens, rows, wanted,
            self._host_table, sizes.few, sizes.many, _NEVER if layout.only_few else sizes.many_queries, is_dense,
            groups.group_of, groups.lens, sizes.shared,
        )  # fmt: skip
        self._staged.send_to(self._flat[: layout.end])
        if self._changed:
            self._send_changes()

    def _send_changes(self) -> None:
        """Bring the ranges of the slot table that changed to the device's copy."""
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

    def _tensors(self, sizes: InputSizes, max_extend_len: int) -> StepTensors:
        offsets = sizes.offsets()
        fields = [
            self._flat[begin : begin + length]
            for begin, length in zip(offsets, sizes.lengths(), strict=False)
        ]  # fmt: skip
        input_ids, sources, positions, out_slots, table_rows, cu_seqlens, seq_lens, slot_rows, rows, *tiles = fields
        few, many, shared_tiles, shared_tokens, shared_lens = tiles
        shared = None
        if sizes.shared:
            num_tiles = -(-sizes.tokens // self._attention.sizes.shared)
            shared_tiles = shared_tiles.view(2, sizes.shared)
            shared = self._attention.share(shared_tiles, shared_tokens, shared_lens, num_tiles)
        plan = self._attention.plan(few.view(2, sizes.few), many.view(2, sizes.many), slot_rows, shared)
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
