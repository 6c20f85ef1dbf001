"""From a plan to the input of a step on a GPU: written on the host into one buffer, copied over by one command.

The slot table has a copy on the device. A step enters its tokens' slots there itself; what else changes a row (a cached
prefix, a shared one) is copied when it happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slipform.kernels.attention_plan import AttentionSettings, count_tiles
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.batch_builder import Plan
from slipform.runtime.cache_manager import CacheManager, Holding
from slipform.runtime.sequence import Sequence as TokenSequence

# Fields begin at multiples of 16 bytes, which kernels are compiled for.
_ALIGNMENT = 4
# Captured steps of up to this many tokens use tiles of few queries only.
FEW_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sequence that gets a new token in a step if, once the step before is known, it still wants one.

    Attributes:
        holding: the sequence's, when the step was planned. logits_row: of its last token.
        end: tokens of the sequence that are computed with this step, and the position of the new one.
    """

    sequence: TokenSequence
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
    scored: list[tuple[TokenSequence, int, int]]


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
        cache.row_changed = self._copy_row

    def captured_tensors(self, size: int) -> StepTensors:
        """Tensors for `size` tokens where `build` puts inputs of that size, holding nothing but padding."""
        sizes = self._captured_sizes(size)
        self._write(sizes, {}, [np.zeros((2, 0), np.int32)] * 2)
        return self._tensors(sizes, size, size)

    def build(self, plan: Plan, size: int, sampled_at: Mapping[int, int]) -> GpuInput:
        """The input of a plan.

        Args:
            size: tokens of the captured step to fit into, or 0.
            sampled_at: by `id` of each sequence that waits for its token, where the device has it among sampled ids.
        """
        columns: dict[int, list[int]] = {index: [] for index in range(9)}
        input_ids, sources, positions, out_slots, table_rows, cu_seqlens, seq_lens, slot_rows, rows = columns.values()
        cu_seqlens.append(0)
        candidates: list[Candidate] = []
        scored: list[tuple[TokenSequence, int, int]] = []
        # A captured step of few tokens has logits of each token, in order; any other of the rows that are named.
        all_rows = 0 < size <= self.max_rows
        for sequence, extend_len in zip(plan.sequences, plan.extend_lens, strict=True):
            begin = sequence.computed_len
            end = begin + extend_len
            flat = len(input_ids)
            holding = sequence.holding
            assert holding is not None
            assert holding.length == end
            row = holding.row
            waits = begin == sequence.seq_len
            if waits:
                input_ids.append(0)
                sources.append(sampled_at[id(sequence)])
            else:
                input_ids.extend(sequence.ids[begin:end].tolist())
                sources.extend([-1] * extend_len)
            positions.extend(range(begin, end))
            out_slots.extend(self._host_table[row, begin:end].tolist())
            table_rows.extend([row] * extend_len)
            cu_seqlens.append(flat + extend_len)
            seq_lens.append(end)
            slot_rows.append(row)
            for position in sequence.unscored:
                if position > end:
                    break
                token = flat + position - 1 - begin
                scored.append((sequence, position, token if all_rows else len(rows)))
                rows.append(token)
            if (waits or end == sequence.seq_len) and sequence.fill is not None:
                token = flat + extend_len - 1
                candidates.append(Candidate(sequence, holding, token if all_rows else len(rows), end))
                rows.append(token)
        num_tokens = len(input_ids)
        if all_rows:
            columns[8] = list(range(size))
        elif not rows:
            rows.append(0)  # nobody reads it; kernels want one row at least
        tiles = self._tiles(plan.extend_lens, only_few=0 < size <= FEW_TOKENS)
        if size:
            sizes = self._captured_sizes(size)
        else:
            sizes = InputSizes(num_tokens, len(seq_lens), len(rows), tiles[0].shape[1], tiles[1].shape[1])
        self._write(sizes, columns, tiles)
        longest = max(plan.extend_lens)
        return GpuInput(self._tensors(sizes, size or num_tokens, longest), size, candidates, scored)

    def _captured_sizes(self, size: int) -> InputSizes:
        rows = min(size, self.max_rows)
        many = 0 if size <= FEW_TOKENS else size // self._tile_sizes.many + self.max_rows
        return InputSizes(size, rows, rows, size, many)

    def _tiles(self, extend_lens: Sequence[int], *, only_few: bool) -> list[np.ndarray]:
        lens = np.array(extend_lens)
        is_few = np.ones(len(lens), bool) if only_few else lens < self._tile_sizes.many_queries
        few = count_tiles(np.where(is_few, lens, 0), self._tile_sizes.few)
        return [few, count_tiles(np.where(is_few, 0, lens), self._tile_sizes.many)]

    def _write(self, sizes: InputSizes, columns: Mapping[int, list[int]], tiles: list[np.ndarray]) -> None:
        """Put the columns where `sizes` wants them, padding behind them, and send all to the device."""
        self._hosts.reverse()
        host = self._hosts[0].numpy()
        offsets = sizes.offsets()
        paddings = (0, -1, 0, -1, 0, None, 0, 0, 0)
        for index, padding in enumerate(paddings):
            column = columns.get(index, [])
            begin, end = offsets[index], offsets[index + 1]
            host[begin : begin + len(column)] = column
            host[begin + len(column) : end] = padding if padding is not None else (column[-1] if column else 0)
        for index, (tile, count) in enumerate(zip(tiles, (sizes.few, sizes.many), strict=True), len(paddings)):
            place = host[offsets[index] : offsets[index] + 2 * count].reshape(2, count)
            place[:, : tile.shape[1]] = tile
            place[:, tile.shape[1] :] = -1
        self._flat[: offsets[-1]].copy_(self._hosts[0][: offsets[-1]], non_blocking=True)

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

    def _copy_row(self, row: int, length: int) -> None:
        if length == 0:
            return
        entries = torch.from_numpy(self._host_table[row, :length].copy())
        if self._device.type == "cuda":
            entries = entries.pin_memory()
        self.slot_table[row, :length].copy_(entries, non_blocking=True)
