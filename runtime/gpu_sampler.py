"""Sampling on a GPU: the sampler's table with a copy on the device, and one launch a step."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slipform.kernels.triton_sampling import DeviceSamplingTable, Workspace, make_workspace, sample_rows
from slipform.runtime.params import SamplingParams
from slipform.runtime.radix_cache import IdArray
from slipform.runtime.sampler import Sampler
from slipform.runtime.staging import Staging

# The columns that hold one number a row, in the order of the kernel's table.
_NUMBERS = (
    ("temperature", torch.float32),
    ("top_k", torch.int32),
    ("top_p", torch.float64),
    ("min_p", torch.float32),
    ("frequency_penalty", torch.float32),
    ("presence_penalty", torch.float32),
    ("repetition_penalty", torch.float32),
    ("seed", torch.int64),
    ("flags", torch.int32),
)
_WIDE = ("bias", "counts", "seen")


@dataclass(frozen=True, slots=True)
class SampleInput:
    """What the sampling kernel is told of S sequences, on the device: (S,) int32 each. Outputs: (S,) int32 each."""

    logits_rows: Tensor
    table_rows: Tensor
    mask_slots: Tensor
    positions: Tensor
    ids: Tensor
    num_allowed: Tensor


class GpuSampler(Sampler):
    """A `Sampler` whose table is copied to the device where it changed. The host's copy stays the true one.

    Attributes:
        sampled_ids: (num_rows,) int32 on the device, the ids of the last launch.
    """

    def __init__(self, *, num_rows: int, vocab_size: int, num_ids: int, device: torch.device) -> None:
        super().__init__(num_rows=num_rows, vocab_size=vocab_size, num_ids=num_ids)
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._changed = True
        self._new_rows: set[int] = set()
        self._notes: list[tuple[int, int]] = []
        widths = [dtype.itemsize * num_rows for _, dtype in _NUMBERS]
        self._offsets = np.cumsum([0, *(-(-width // 16) * 16 for width in widths)]).tolist()
        numbers = torch.zeros(self._offsets[-1], dtype=torch.uint8, device=device)
        self._numbers = numbers
        self._staged_numbers = Staging(torch.uint8, device)
        columns = {
            name: numbers[begin : begin + dtype.itemsize * num_rows].view(dtype)
            for (name, dtype), begin in zip(_NUMBERS, self._offsets, strict=False)
        }
        self._wide: dict[str, Tensor] = {
            "bias": torch.zeros((1, 1), device=device),
            "counts": torch.zeros((1, 1), dtype=torch.int32, device=device),
            "seen": torch.zeros((1, 1), dtype=torch.uint8, device=device),
        }
        self._columns = columns
        self._outputs = torch.zeros((2, num_rows), dtype=torch.int32, device=device)
        self.sampled_ids = self._outputs[0]
        self._results = [self._host_zeros(2, num_rows) for _ in range(2)]
        self._inputs = torch.zeros((4, num_rows), dtype=torch.int32, device=device)
        self._host_inputs = [self._host_zeros(4, num_rows) for _ in range(2)]
        self._views: dict[int, SampleInput] = {}
        self._plain = make_workspace(num_rows, vocab_size, device, filters=False)
        self._filtering: Workspace | None = None

    def bind(self, row: int, params: SamplingParams, seed: int, context: IdArray, output: SequenceOf[int]) -> None:
        """See `Sampler.bind`."""
        super().bind(row, params, seed, context, output)
        self._changed = True
        if self._flags[row]:
            self._new_rows.add(row)

    def note(self, row: int, token_id: int) -> None:
        """See `Sampler.note`."""
        super().note(row, token_id)
        if self._flags[row]:
            self._notes.append((row, token_id))

    def is_plain(self, rows: SequenceOf[int]) -> bool:
        """Whether these rows of the table use neither filters nor penalties nor biases: a captured step will do."""
        table = self._table
        at = np.asarray(rows, np.int64)
        filters = (table.top_k[at] > 0) | (table.top_p[at] < 1) | (table.min_p[at] > 0)
        return not ((filters & (table.temperature[at] > 0)) | (table.flags[at] != 0)).any()

    def send(
        self,
        logits_rows: SequenceOf[int],
        table_rows: SequenceOf[int],
        mask_slots: SequenceOf[int],
        positions: SequenceOf[int],
        size: int,
    ) -> SampleInput:
        """Bring a step's input and what changed of the table to the device.

        Args: of S sequences each; `size` is how many the kernel is launched for, the rest being padding.
        """
        self._host_inputs.reverse()
        host = self._host_inputs[0].numpy()
        count = len(table_rows)
        if count:
            host[:, :count] = (logits_rows, table_rows, mask_slots, positions)
        host[:, count:size] = 0
        host[1, count:size] = -1
        self._inputs.copy_(self._host_inputs[0], non_blocking=True)
        self._send_table()
        return self.tensors(size)

    def tensors(self, size: int) -> SampleInput:
        """Where `send` puts its input, and where the outcome will be."""
        known = self._views.get(size)
        if known is None:
            rows, table_rows, slots, positions = self._inputs[:, :size].unbind()
            ids, num_allowed = self._outputs[:, :size].unbind()
            known = self._views[size] = SampleInput(rows, table_rows, slots, positions, ids, num_allowed)
        return known

    def launch(self, logits: Tensor, given: SampleInput, mask_pool: Tensor, *, plain: bool) -> None:
        """Start the kernels. `plain`: what `is_plain` said of the rows."""
        workspace = self._plain if plain else self._with_filters()
        table = DeviceSamplingTable(**self._columns, **self._wide)
        sample_rows(
            logits,
            given.logits_rows,
            table,
            given.table_rows,
            given.positions,
            mask_pool,
            given.mask_slots,
            self._num_ids,
            given.ids,
            given.num_allowed,
            workspace,
        )

    def fetch(self) -> Tensor:
        """Start to copy the outcome to the host: (2, num_rows) int32, ids and numbers of allowed tokens.

        It is there when an event recorded afterwards has happened, and until the launch after the next one.
        """
        self._results.reverse()
        return self._results[0].copy_(self._outputs, non_blocking=True)

    def _with_filters(self) -> Workspace:
        if self._filtering is None:
            self._filtering = make_workspace(self._num_rows, self._vocab_size, self._device, filters=True)
        return self._filtering

    def _send_table(self) -> None:
        table = self._table
        if self._changed:
            self._changed = False
            packed = self._staged_numbers.take(self._offsets[-1]).numpy()
            for (name, _), begin in zip(_NUMBERS, self._offsets, strict=False):
                octets = getattr(table, name).view(np.uint8)
                packed[begin : begin + len(octets)] = octets
            self._staged_numbers.send_to(self._numbers)
        if self._new_rows and self._wide["bias"].shape[0] == 1:
            for name, column in self._wide.items():
                shape = (self._num_rows, self._vocab_size)
                self._wide[name] = torch.zeros(shape, dtype=column.dtype, device=self._device)
        for row in self._new_rows:
            for name in _WIDE:
                self._wide[name][row].copy_(torch.from_numpy(getattr(table, name)[row]))
        notes = [note for note in self._notes if note[0] not in self._new_rows]
        self._new_rows.clear()
        self._notes.clear()
        if notes:
            rows, ids = torch.tensor(notes, device=self._device).unbind(1)
            ones = torch.ones(len(notes), dtype=torch.int32, device=self._device)
            self._wide["counts"].index_put_((rows, ids), ones, accumulate=True)
            self._wide["seen"][rows, ids] = 1

    def _host_zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int32, pin_memory=self._is_cuda)
