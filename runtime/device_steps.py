"""What an engine sees of a device that runs steps of its own, and the making of it where there is one.

Imports nothing that needs a GPU's compiler: a machine without one has the rest of the engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from slipform.errors import SlipformError
from slipform.grammars.vocabulary import Vocabulary
from slipform.kernels.attention_plan import AttentionSettings
from slipform.runtime.batch_builder import Plan, StepInput
from slipform.runtime.cache_manager import CacheManager
from slipform.runtime.config import EngineConfig
from slipform.runtime.constraints import Constraints
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.request import Event
from slipform.runtime.sampler import LogitsArray, Sampler
from slipform.runtime.scheduler import Scheduler, StepOutput
from slipform.runtime.sequence import Sequence
from slipform.runtime.statistics import Counters


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the steps share with their engine.

    Attributes:
        fail: ends the request of a sequence. note_admitted: told of each plan.
        sample_on_host: chooses tokens and log-probabilities from logits on the host, for steps that need more than ids.
    """

    config: EngineConfig
    attention: AttentionSettings
    vocabulary: Vocabulary
    runner: ModelRunner
    cache: CacheManager
    constraints: Constraints
    sampler: Sampler
    scheduler: Scheduler
    counters: Counters
    fail: Callable[[Sequence, SlipformError], None]
    note_admitted: Callable[[Plan], None]
    sample_on_host: Callable[[LogitsArray, StepInput], StepOutput]


class DeviceSteps(Protocol):
    """Plans, launches and commits steps. Used by the engine's thread."""

    @property
    def is_under_way(self) -> bool:
        """Whether a step was launched and not committed."""

    def step(self, events: list[Event]) -> list[Sequence]:
        """Launch the next step and commit the last one.

        Returns: the sequences of the step that was committed. Mutates: `events`, which gets what happened.
        """


def runs_device_steps(device: torch.device) -> bool:
    """Whether an engine on `device` leaves sampling to it, and launches steps ahead."""
    return device.type == "cuda"


def make_sampler(device: torch.device, num_rows: int, vocab_size: int, num_ids: int) -> Sampler:
    """The sampler for a device; see `Sampler` for the numbers."""
    if not runs_device_steps(device):
        return Sampler(num_rows=num_rows, vocab_size=vocab_size, num_ids=num_ids)
    from slipform.runtime.gpu_sampler import GpuSampler

    return GpuSampler(num_rows=num_rows, vocab_size=vocab_size, num_ids=num_ids, device=device)


def make_device_steps(parts: EngineParts) -> DeviceSteps:
    """The steps of an engine whose model is on a GPU, recorded if its configuration says so."""
    from slipform.runtime.gpu_setup import make_gpu_steps

    return make_gpu_steps(parts)
