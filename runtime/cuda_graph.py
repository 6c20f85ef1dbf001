"""Steps recorded once and replayed: one family of CUDA graphs over numbers of tokens.

A recorded step is the whole way from token ids to logits, for a fixed number of tokens, of any sequences: decode steps,
forced runs and short prefills all fit. A step of fewer tokens is padded. Sampling is recorded beside it,
as a graph of its own, because its mask rows are known later.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from slipform.kernels.triton_step_inputs import complete_inputs
from slipform.runtime.gpu_batch import GpuBatchBuilder, StepTensors
from slipform.runtime.gpu_masks import GpuMasks
from slipform.runtime.gpu_sampler import GpuSampler
from slipform.runtime.graph_recording import record, undisturbed_recording
from slipform.runtime.model_runner import ModelRunner


class _Replayable(Protocol):
    def replay(self) -> None: ...


@dataclass(slots=True)
class _Repeated:
    """Where there are no graphs, the same padded step is run again, into the same memory."""

    run: Callable[[], Tensor]
    outcome: Tensor

    @torch.inference_mode()
    def replay(self) -> None:
        self.outcome.copy_(self.run())


@dataclass(frozen=True, slots=True)
class _Recorded:
    forward: _Replayable
    sampling: _Replayable
    logits: Tensor


def step_sizes(limit: int) -> list[int]:
    """Numbers of tokens to record, up to `limit`: close together, since padding is computed like the rest."""
    sizes = [1, 2, 4, *range(8, 65, 8), *range(80, 257, 16), *range(288, 1025, 32), *range(1152, limit + 1, 128)]
    return [size for size in sizes if size <= limit]


# Of these, the steps that are recorded a second time, with prefixes read together. They are rarer, and padding weighs
# less where several sequences run.
SHARING_SIZES = (
    16,
    32,
    48,
    64,
    *range(96, 193, 32),
    *range(256, 513, 64),
    *range(640, 1025, 128),
    *range(1280, 2049, 256),
)


def run_forward(runner: ModelRunner, tensors: StepTensors, sampled_ids: Tensor) -> Tensor:
    """A step's logits, its input completed on the device first. Mutates: the input's ids, the slot table, the pool."""
    batch = tensors.batch
    complete_inputs(
        batch.input_ids,
        tensors.sources,
        sampled_ids,
        batch.positions,
        batch.out_slots,
        tensors.table_rows,
        batch.slot_table,
    )
    return runner.forward(batch)


class RecordedSteps:
    """The family, recorded when it is made. Replays are for one thread and one stream."""

    def __init__(
        self, runner: ModelRunner, builder: GpuBatchBuilder, sampler: GpuSampler, masks: GpuMasks, sizes: list[int]
    ) -> None:
        self._runner = runner
        self._builder = builder
        self._sampler = sampler
        self._masks = masks
        self._sizes = sorted(sizes)
        self._device = builder.slot_table.device
        self._pool = torch.cuda.graph_pool_handle() if self._device.type == "cuda" else None
        self._sharing_sizes = [size for size in self._sizes if builder.shares_prefixes and size in SHARING_SIZES]
        with undisturbed_recording():
            # The largest first: the smaller ones find room in its memory.
            self._recorded = {size: self._record(size) for size in reversed(self._sizes)}
            self._sharing = {size: self._record_sharing(size) for size in reversed(self._sharing_sizes)}

    def size_for(self, num_tokens: int, *, shares: bool) -> int:
        """The smallest recorded size that holds `num_tokens`; 0 if there is none.

        `shares`: whether sequences of the step read prefixes together.
        """
        sizes = self._sharing_sizes if shares else self._sizes
        at = bisect_left(sizes, num_tokens)
        return sizes[at] if at < len(sizes) else 0

    def forward(self, size: int, *, shares: bool) -> Tensor:
        """Replay a step whose input was built for `size`. Returns its logits, valid until the next replay."""
        recorded = self._recorded[size]
        (self._sharing[size] if shares else recorded.forward).replay()
        return recorded.logits

    def sample(self, size: int) -> None:
        """Replay the sampling of a step of `size`, whose input was sent for `num_sampled(size)` sequences."""
        self._recorded[size].sampling.replay()

    def num_sampled(self, size: int) -> int:
        return min(size, self._builder.max_rows)

    def _record(self, size: int) -> _Recorded:
        tensors = self._builder.captured_tensors(size, shares=False)
        sampled_ids = self._sampler.sampled_ids
        forward, logits = self._capture(lambda: run_forward(self._runner, tensors, sampled_ids))
        # Padding, as far as the sampler is concerned.
        given = self._sampler.send([], [], [], [], self.num_sampled(size))

        def sample() -> Tensor:
            self._sampler.launch(logits, given, self._masks.pool, plain=True)
            return given.ids

        sampling, _ = self._capture(sample)
        return _Recorded(forward, sampling, logits)

    @torch.inference_mode()
    def _record_sharing(self, size: int) -> _Replayable:
        """A step with groups. Its logits go where the other step of this size has them, for the same sampling."""
        tensors = self._builder.captured_tensors(size, shares=True)
        logits, sampled_ids = self._recorded[size].logits, self._sampler.sampled_ids
        forward, _ = self._capture(lambda: logits.copy_(run_forward(self._runner, tensors, sampled_ids)))
        return forward

    def _capture(self, run: Callable[[], Tensor]) -> tuple[_Replayable, Tensor]:
        """Run once, so that everything is compiled, then record."""
        outcome = run()
        if self._device.type != "cuda":
            return _Repeated(run, outcome), outcome
        torch.cuda.synchronize(self._device)
        return record(run, self._pool)
