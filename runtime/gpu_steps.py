"""The steps of an engine on a GPU, each launched before the tokens of the one before are known.

     GPU   │ forward n │ sample n │ forward n+1          │ sample n+1 │ forward n+2 …
     CPU     plan n+1, launch it ──┘ │ commit n │ masks, launch sampling n+1 │ plan n+2 …

The forward pass of step n+1 takes the ids that step n sampled from the device's memory. While it runs, the CPU commits
step n: matchers advance, stops are looked for, texts follow fills. Only then the mask rows of step n+1 are known, and
its sampling is launched, still before the forward pass ends. What step n+1 computed in vain is dropped: a fill that
ended, a token that a stop cut off. A run of forced tokens found at the commit simply becomes known, pending tokens;
the token that step n+1 computes is the one before them, and nothing is sampled for it. With few sequences, where such a
run or the end of all of them is likely, step n is committed first (`run_forecast.py`).

Slots that a commit frees may be written by the step under way. That is harmless: whoever gets them next writes them in
a later step, and the device works in order.
"""

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from slipform.runtime.batch_builder import Plan, StepInput
from slipform.runtime.cuda_graph import RecordedSteps, run_forward
from slipform.runtime.device_steps import EngineParts
from slipform.runtime.gpu_batch import Candidate, GpuBatchBuilder, GpuInput
from slipform.runtime.gpu_masks import GpuMasks
from slipform.runtime.gpu_sampler import GpuSampler
from slipform.runtime.request import Event
from slipform.runtime.run_forecast import RunForecast, Visits
from slipform.runtime.sampler import SampledTokens, host_logits
from slipform.runtime.scheduler import StepOutput
from slipform.runtime.segments import StepInfo
from slipform.runtime.sequence import Phase, Sequence


@dataclass(slots=True)
class _Step:
    """A step that was launched.

    Attributes:
        sampled: the candidates that get a token. sampled_at: by `id` of their sequences, the place of its id.
        results: (2, num_rows) int32 on the host, complete when `done` has happened; None where nothing was sampled.
        output: what was sampled on the host instead.
        visits: what is known of the configurations in which tokens were sampled, see `RunForecast`.
        host_s: what the host did for it, before its tokens were there.
    """

    plan: Plan
    given: GpuInput
    logits: Tensor
    began_s: float
    sampled: list[Candidate] = field(default_factory=list)
    sampled_at: dict[int, int] = field(default_factory=dict)
    results: Tensor | None = None
    done: torch.cuda.Event | None = None
    output: StepOutput | None = None
    visits: list[Visits | None] = field(default_factory=list)
    host_s: float = 0.0


class GpuSteps:
    """See `DeviceSteps`."""

    def __init__(
        self,
        parts: EngineParts,
        builder: GpuBatchBuilder,
        sampler: GpuSampler,
        masks: GpuMasks,
        recorded: RecordedSteps | None,
    ) -> None:
        """`recorded`: None runs every step eagerly."""
        self._builder = builder
        self._sampler = sampler
        self._masks = masks
        self._recorded = recorded
        self._overlap = parts.config.overlap
        self._runner = parts.runner
        self._scheduler = parts.scheduler
        self._counters = parts.counters
        self._fail = parts.fail
        self._note_admitted = parts.note_admitted
        self._sample_on_host = parts.sample_on_host
        self._forecast = RunForecast()
        self._under_way: _Step | None = None

    @property
    def is_under_way(self) -> bool:
        """See `DeviceSteps`."""
        return self._under_way is not None

    def step(self, events: list[Event]) -> list[Sequence]:
        """See `DeviceSteps`."""
        last = self._under_way
        following = None
        if last is None or (self._overlap and last.output is None and not self._pays_to_wait(last)):
            following = self._launch(last)
        committed: list[Sequence] = []
        if last is not None:
            self._commit(last, events)
            committed = last.plan.sequences
        if following is None and last is not None:
            following = self._launch(None)
        if following is not None:
            self._sample(following)
            if not self._overlap:
                self._commit(following, events)
                committed = committed + following.plan.sequences
                following = None
        self._under_way = following
        return committed

    def _pays_to_wait(self, last: _Step) -> bool:
        """Whether to commit a step before the next one is launched. Sequences that it sampled nothing for count as one
        of which nothing is known."""
        num_open = len(self._scheduler.running) + len(self._scheduler.waiting)
        others: list[Visits | None] = [None] if num_open > len(last.visits) else []
        return bool(last.visits) and self._forecast.pays_to_wait(last.visits + others)

    def _launch(self, last: _Step | None) -> _Step | None:
        """Plan a step, behind `last` if that is not committed, and start its forward pass."""
        began = time.perf_counter()
        plan = self._scheduler.plan(ahead=last is not None)
        planned = time.perf_counter()
        self._counters.plan_s += planned - began
        if plan is None:
            return None
        num_tokens = plan.num_tokens
        groups = self._builder.groups(plan)
        size = 0
        if self._recorded is not None and not any(sequence.unscored for sequence in plan.sequences):
            size = self._recorded.size_for(num_tokens, shares=bool(groups))
        given = self._builder.build(plan, groups, size, {} if last is None else last.sampled_at)
        if self._recorded is not None and size:
            logits = self._recorded.forward(size, shares=bool(groups))
        else:
            logits = run_forward(self._runner, given.tensors, self._sampler.sampled_ids)
        self._scheduler.note_computed(plan)
        self._note_admitted(plan)
        self._counters.note_tokens(num_tokens)
        launched = time.perf_counter()
        self._counters.batch_s += launched - planned
        return _Step(plan, given, logits, began, host_s=launched - began)

    def _sample(self, step: _Step) -> None:
        """Bind the masks of those who still want a token, and start the sampling."""
        began = time.perf_counter()
        step.sampled = [candidate for candidate in step.given.candidates if _still_wants(candidate)]
        if step.given.scored or any(candidate.sequence.wants_logprobs for candidate in step.sampled):
            step.output = self._sample_on_host(host_logits(step.logits), _as_input(step))
            self._counters.sample_s += time.perf_counter() - began
            return
        fills = [(c.holding.row, c.sequence.fill) for c in step.sampled if c.sequence.fill is not None]
        slots, errors = self._masks.slots(fills)
        if errors:
            for candidate in step.sampled:
                error = errors.get(candidate.holding.row)
                if error is not None:
                    self._fail(candidate.sequence, error)
            step.sampled = [candidate for candidate in step.sampled if _still_wants(candidate)]
        bound = time.perf_counter()
        self._counters.mask_s += bound - began
        if not step.sampled:
            return
        rows = [candidate.holding.row for candidate in step.sampled]
        step.sampled_at = {id(candidate.sequence): at for at, candidate in enumerate(step.sampled)}
        plain = self._sampler.is_plain(rows)
        size = step.given.size
        replays = self._recorded is not None and size > 0 and plain
        num_launched = self._recorded.num_sampled(size) if self._recorded is not None and replays else len(rows)
        sent = self._sampler.send(
            [c.logits_row for c in step.sampled],
            rows,
            [slots[row] for row in rows],
            [c.end for c in step.sampled],
            num_launched,
        )
        if self._recorded is not None and replays:
            self._recorded.sample(size)
        else:
            self._sampler.launch(step.logits, sent, self._masks.pool, plain=plain)
        step.results = self._sampler.fetch()
        if step.results.is_pinned():
            step.done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            step.done.record()
        step.visits = self._forecast.where(step.sampled)
        sampling = time.perf_counter()
        step.host_s += sampling - began
        self._counters.sample_s += sampling - bound

    def _commit(self, step: _Step, events: list[Event]) -> None:
        """Wait for the tokens of a step, and let the sequences grow."""
        began = time.perf_counter()
        if step.done is not None:
            step.done.synchronize()
        output = step.output
        if output is None:
            count = len(step.sampled)
            ids, allowed = ([], []) if step.results is None else step.results[:, :count].tolist()
            output = StepOutput(SampledTokens(ids, allowed), [None] * count, [])
        arrived = time.perf_counter()
        cost_ms = (arrived - step.began_s) * 1e3 / step.plan.num_tokens
        info = StepInfo(self._counters.steps, cost_ms)
        sampled = [candidate.sequence for candidate in step.sampled]
        self._scheduler.commit(step.plan, sampled, step.given.scored, output, info, events)
        now = time.monotonic()
        for sequence in sampled:
            if sequence.owner.first_token_s is None:
                sequence.owner.first_token_s = now
        committed = time.perf_counter()
        if step.visits:
            self._forecast.note(step.visits, step.sampled)
            self._forecast.note_step(step.began_s, arrived, step.host_s + committed - arrived)
        else:
            self._forecast.skip_step()
        self._counters.steps += 1
        self._counters.forward_s += arrived - began
        self._counters.commit_s += committed - arrived


def _still_wants(candidate: Candidate) -> bool:
    """Whether the last commit left the sequence where the step was planned to take it."""
    sequence = candidate.sequence
    return (
        sequence.phase is Phase.RUNNING
        and sequence.holding is candidate.holding
        and sequence.fill is not None
        and sequence.seq_len == sequence.computed_len == candidate.end
    )


def _as_input(step: _Step) -> StepInput:
    return StepInput(
        step.given.tensors.batch,
        [c.sequence for c in step.sampled],
        np.array([c.logits_row for c in step.sampled], np.int64),
        np.array([c.holding.row for c in step.sampled], np.int64),
        np.array([c.end for c in step.sampled], np.int64),
        step.given.scored,
    )
