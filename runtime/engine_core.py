"""The engine without a thread: requests in, steps, events out. One thread calls it."""

import random
import time
from collections.abc import Sequence as SequenceOf
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch

from slipform.errors import DeadlineExceeded, InvalidRequest, QueueFull, RequestAborted, SlipformError
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.attention_tuning import attention_settings
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.batch_builder import BatchBuilder, Plan, StepInput
from slipform.runtime.cache_manager import CacheManager
from slipform.runtime.config import EngineConfig, plan_pool_slots
from slipform.runtime.constraints import Constraints
from slipform.runtime.device_steps import (
    DeviceSteps,
    EngineParts,
    make_device_steps,
    make_sampler,
    runs_device_steps,
)
from slipform.runtime.faults import as_slipform_error
from slipform.runtime.gpu_memory import MemoryPlan, plan_memory, slot_bytes
from slipform.runtime.grammar_cache import GrammarCache
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.models.interface import CausalModel
from slipform.runtime.program import Limits, Program, prepare
from slipform.runtime.request import (
    Event,
    FinishReason,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    RequestTimes,
    TokenLogprob,
)
from slipform.runtime.sampler import (
    LogitsArray,
    constrained_logprobs,
    derive_seed,
    host_logits,
    likeliest_allowed,
    token_logprobs,
)
from slipform.runtime.scheduler import Scheduler, StepOutput
from slipform.runtime.segments import SegmentRunner, StepInfo
from slipform.runtime.sequence import ActiveRequest, Phase, Sequence
from slipform.runtime.statistics import Counters, EngineStatistics
from slipform.runtime.tokenizer import Tokenizer
from slipform.runtime.warm_up import warm_up


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that has come in: its program, its constraints as they are compiled, and when (`time.monotonic`)."""

    program: Program
    compilations: "dict[GrammarSpec, Future[CompiledGrammar]]"
    at_s: float

    @property
    def pending(self) -> "list[Future[CompiledGrammar]]":
        """Compilations that are under way for it."""
        return [future for future in self.compilations.values() if not future.done()]


class EngineCore:
    """One model, one KV pool, and every request in flight.

    `prepare`, `compile` and `receive` may be called by any thread; everything else by one.
    """

    def __init__(self, config: EngineConfig, model: CausalModel, tokenizer: Tokenizer) -> None:
        """Raises: ConfigError if memory does not hold a KV pool."""
        self.config = config
        self.tokenizer = tokenizer
        geometry = model.config
        in_float8 = config.kv_in_float8
        max_context = min(geometry.max_position, config.max_context or geometry.max_position)
        on_gpu = runs_device_steps(model.device)
        attention = attention_settings(
            model, in_float8=in_float8, deterministic=config.deterministic, max_context=max_context
        )
        self.memory_plan: MemoryPlan | None = None
        if on_gpu and config.pool_slots is None:
            self.memory_plan = plan_memory(
                model,
                attention,
                fraction=config.memory_fraction,
                token_budget=config.token_budget,
                num_rows=config.max_sequences,
                max_slots=config.max_sequences * max_context,
                max_context=max_context,
                in_float8=in_float8,
            )
            num_slots = self.memory_plan.slots
        else:
            num_slots = plan_pool_slots(config, slot_bytes(geometry.kv_shapes, model.dtype), max_context)
        self.limits = Limits(config.max_n, max_context, num_slots)
        # A sequence that fills the whole pool has no room left either: it ends like one at the model's limit.
        max_context = min(max_context, num_slots)
        self.vocab_size = geometry.vocab_size
        pool = KVPool(
            num_slots, kv_shapes=geometry.kv_shapes, dtype=model.dtype, device=model.device, in_float8=in_float8
        )
        num_rows = min(config.max_sequences, num_slots)
        self._runner = ModelRunner(model, pool)
        self._cache = CacheManager(pool, num_rows=num_rows, max_len=max_context, share_prefixes=config.prefix_cache)
        self._builder = BatchBuilder(self._cache.table, token_budget=config.token_budget, device=model.device)
        self._grammars = GrammarCache(
            tokenizer.vocabulary,
            threads=config.compile_threads,
            capacity=config.grammar_cache,
            is_busy=lambda: bool(self._scheduler.running),
        )
        num_ids = len(tokenizer.vocabulary)
        self._constraints = Constraints(
            tokenizer.vocabulary, num_rows=num_rows, num_ids=num_ids, eos_ids=tokenizer.eos_ids
        )  # fmt: skip
        self._sampler = make_sampler(model.device, num_rows, self.vocab_size, num_ids)
        self._segments = SegmentRunner(
            tokenizer,
            self._constraints,
            self._sampler,
            max_context=max_context,
            jump_forward=config.jump_forward,
            trace=config.trace,
        )
        self._scheduler = Scheduler(
            self._cache,
            self._segments,
            token_budget=config.token_budget,
            chunk_size=config.chunk_size,
            max_sequences=num_rows,
            fail=self._fail_sequence,
        )
        self._counters = Counters()
        self._active: dict[str, ActiveRequest] = {}
        self._compiling: dict[str, dict[GrammarSpec, Future[CompiledGrammar]]] = {}
        self._num_with_deadline = 0
        self._num_waiting = 0
        self._events: list[Event] = []
        self._arrivals = count()
        self._random = random.Random(config.seed)
        if config.warm_up:
            num_words = tokenizer.vocabulary.num_words
            warm_up(self._runner, pool, self._sampler, vocab_size=self.vocab_size, num_words=num_words)
        self._device_steps: DeviceSteps | None = None
        if on_gpu:
            parts = EngineParts(
                config=config,
                attention=attention,
                vocabulary=tokenizer.vocabulary,
                runner=self._runner,
                cache=self._cache,
                constraints=self._constraints,
                sampler=self._sampler,
                scheduler=self._scheduler,
                counters=self._counters,
                fail=self._fail_sequence,
                note_admitted=self._note_admitted,
                sample_on_host=self._sample_on_host,
            )
            self._device_steps = make_device_steps(parts)

    @property
    def has_work(self) -> bool:
        """Whether a step would do something now; requests whose constraints are being compiled do not count."""
        if self._events or self._scheduler.running or self._scheduler.waiting:
            return True
        if self._device_steps is not None and self._device_steps.is_under_way:
            return True
        return any(all(f.done() for f in futures.values()) for futures in self._compiling.values())

    @property
    def num_waiting(self) -> int:
        """Requests accepted and not yet admitted."""
        return self._num_waiting

    def next_deadline_s(self) -> float | None:
        """The earliest deadline of a request in flight, on `time.monotonic`."""
        if not self._num_with_deadline:
            return None
        return min(owner.deadline_s for owner in self._active.values() if owner.deadline_s is not None)

    def prepare(self, request: GenerateRequest) -> Program:
        """Encode and check a request. Raises: InvalidRequest, PoolExhausted, as `program.prepare`."""
        return prepare(request, self.tokenizer, self.vocab_size, self.limits)

    def compile(self, spec: GrammarSpec) -> "Future[CompiledGrammar]":
        """Compile a constraint on the compiling threads, or find it compiled."""
        return self._grammars.compile(spec)

    def receive(self, program: Program) -> Arrival:
        """Note when a request came, and begin to compile its constraints or find them compiled."""
        at_s = time.monotonic()
        compilations = {spec: self._grammars.compile(spec, for_request=True) for spec in program.constraints}
        return Arrival(program, compilations, at_s)

    def add(self, arrival: Arrival) -> None:
        """Accept a request; its events come out of later steps, which go on with it once its constraints are compiled.

        Raises: QueueFull; InvalidRequest if a request with this id is in flight.
        """
        program, futures = arrival.program, arrival.compilations
        request_id = program.request.request_id
        if request_id in self._active or self._num_waiting >= self.config.max_queue:
            for spec in futures:
                self._grammars.abandon(spec)
            if request_id in self._active:
                raise InvalidRequest(f"{request_id!r} is in flight already", field="request_id")
            raise QueueFull(self.config.max_queue)
        self._counters.requests_accepted += 1
        self._num_waiting += 1
        owner = self._active[request_id] = ActiveRequest(program, arrival.at_s, seed=self._random.getrandbits(64))
        self._num_with_deadline += owner.deadline_s is not None
        if arrival.pending:
            self._compiling[request_id] = futures
        else:
            self._begin(owner, futures)

    def abort(self, request_id: str, reason: str = "aborted") -> bool:
        """End a request; its slots are free at once, and its terminal event is in the next step. False if unknown."""
        owner = self._active.get(request_id)
        if owner is None:
            return False
        self._fail(owner, RequestAborted(request_id, reason), keep_computed=True)
        return True

    def step(self) -> list[Event]:
        """Compute one batch and return what happened since the last step, in order.

        A failing sequence ends its own request only. An exception that comes out of here (the model failed) leaves the
        engine unusable.
        """
        self._begin_compiled()
        if self._num_with_deadline:
            self._abort_late()
        for sequence in self._advance():
            if sequence.phase is Phase.DONE and not sequence.owner.ended:
                self._end_if_complete(sequence.owner)
        events, self._events = self._events, []
        return events

    def statistics(self) -> EngineStatistics:
        counters = self._counters
        return EngineStatistics(
            requests_accepted=counters.requests_accepted,
            requests_finished=counters.requests_finished,
            requests_failed=counters.requests_failed,
            sequences_waiting=len(self._scheduler.waiting),
            sequences_running=len(self._scheduler.running),
            requests_compiling=len(self._compiling),
            prompt_tokens=counters.prompt_tokens,
            cached_tokens=counters.cached_tokens,
            forced_tokens=self._segments.counts.forced,
            sampled_tokens=self._segments.counts.sampled,
            computed_tokens=counters.computed_tokens,
            steps=counters.steps,
            preemptions=self._scheduler.num_preemptions,
            pool_slots=self.limits.num_slots,
            free_slots=self._cache.num_free,
            cached_slots=self._cache.num_cached,
            evicted_slots=self._cache.num_evicted,
            plan_s=counters.plan_s,
            batch_s=counters.batch_s,
            forward_s=counters.forward_s,
            mask_s=counters.mask_s,
            sample_s=counters.sample_s,
            commit_s=counters.commit_s,
            grammar_hits=self._grammars.num_hits,
            grammar_misses=self._grammars.num_misses,
            compile_s=self._grammars.compile_s,
            grammar_bytes=self._grammars.num_bytes,
            evicted_age_s=self._cache.evicted_age_s,
            radix_nodes=self._cache.num_nodes,
            steps_by_tokens=tuple(counters.steps_by_tokens),
        )

    def pin(self, token_ids: SequenceOf[int], namespace: str) -> tuple[int, int]:
        """See `Engine.pin`."""
        return self._cache.pin(namespace, np.array(token_ids, dtype=np.int64))

    def unpin(self, pin: int) -> None:
        """See `Engine.unpin`."""
        self._cache.unpin(pin)

    def new_pool(self, num_slots: int) -> KVPool:
        """A small KV pool beside the engine's own."""
        model = self._runner.model
        return KVPool(num_slots, kv_shapes=model.config.kv_shapes, dtype=model.dtype, device=model.device)

    def states(self, batch: ForwardBatch, pool: KVPool) -> torch.Tensor:
        """(N, H) states on the host of a batch over a pool of the caller's. Nothing in flight changes.

        Raises: UnsupportedField if the model does not show them.
        """
        return self._runner.states(batch, pool).cpu()

    def flush_cache(self) -> int:
        """Drop cached prefixes that no running sequence uses; returns how many slots became free."""
        return self._cache.flush()

    def check(self) -> None:
        """Verify that every slot has one owner and every request in flight is somewhere. Raises: AssertionError."""
        self._cache.check()
        known = {id(s) for owner in self._active.values() for s in owner.sequences}
        for sequence in (*self._scheduler.running, *self._scheduler.waiting):
            assert id(sequence) in known, "a sequence outlived its request"
        for owner in self._active.values():
            open_sequences = [s for s in owner.sequences if s.phase is not Phase.DONE]
            assert open_sequences or owner.request.request_id in self._compiling, "a request has nothing left to do"

    def close(self) -> None:
        """Stop the compiling threads."""
        self._grammars.close()

    # Requests: begin, end

    def _begin_compiled(self) -> None:
        done = [name for name, futures in self._compiling.items() if all(f.done() for f in futures.values())]
        for request_id in done:
            self._begin(self._active[request_id], self._compiling.pop(request_id))

    def _begin(self, owner: ActiveRequest, futures: "dict[GrammarSpec, Future[CompiledGrammar]]") -> None:
        """Make the sequences of a request whose constraints are compiled, and let them wait for admission."""
        for spec, future in futures.items():
            error = future.exception()
            if error is not None:
                self._fail(owner, as_slipform_error(error), keep_computed=False)
                return
            owner.grammars[spec] = future.result()
        request = owner.request
        step = StepInfo(self._counters.steps, 0.0)
        for index in range(request.n):
            sequence = Sequence(owner, index, next(self._arrivals), derive_seed(owner.seed, index))
            owner.sequences.append(sequence)
        for sequence in owner.sequences:
            try:
                self._segments.run(sequence, step, self._events)
            except Exception as error:
                self._fail(owner, as_slipform_error(error), keep_computed=False)
                return
            if sequence.is_complete:
                sequence.phase = Phase.DONE
            else:
                self._scheduler.enqueue(sequence)
        self._end_if_complete(owner)

    def _fail_sequence(self, sequence: Sequence, error: SlipformError) -> None:
        self._fail(sequence.owner, error, keep_computed=False)

    def _fail(self, owner: ActiveRequest, error: SlipformError, *, keep_computed: bool) -> None:
        if owner.ended:  # another of its sequences failed in the same step
            return
        complete = [s for s in owner.sequences if s.phase is Phase.DONE]
        for sequence in owner.sequences:
            self._scheduler.remove(sequence, keep_computed=keep_computed)
        for spec in self._compiling.pop(owner.request.request_id, {}):
            self._grammars.abandon(spec)
        results = tuple(sequence.result(_finish_reason(sequence)) for sequence in complete)
        self._end(owner)
        self._counters.requests_failed += 1
        self._events.append(RequestFailed(owner.request.request_id, error, results))

    def _end_if_complete(self, owner: ActiveRequest) -> None:
        if any(sequence.phase is not Phase.DONE for sequence in owner.sequences):
            return
        self._end(owner)
        self._counters.requests_finished += 1
        now = time.monotonic()
        times = RequestTimes(
            queue_s=(owner.admitted_s or now) - owner.arrival_s,
            first_token_s=(owner.first_token_s or now) - owner.arrival_s,
            total_s=now - owner.arrival_s,
        )
        results = tuple(sequence.result(_finish_reason(sequence)) for sequence in owner.sequences)
        self._events.append(RequestFinished(owner.request.request_id, results, times))

    def _end(self, owner: ActiveRequest) -> None:
        owner.ended = True
        del self._active[owner.request.request_id]
        self._num_with_deadline -= owner.deadline_s is not None
        self._num_waiting -= owner.admitted_s is None

    def _abort_late(self) -> None:
        now = time.monotonic()
        for owner in list(self._active.values()):
            if owner.deadline_s is not None and now >= owner.deadline_s:
                late = DeadlineExceeded(owner.request.request_id, owner.request.deadline_s or 0.0)
                self._fail(owner, late, keep_computed=True)

    # One step

    def _advance(self) -> list[Sequence]:
        """Compute a batch; returns the sequences that were committed."""
        if self._device_steps is not None:
            return self._device_steps.step(self._events)
        times = [time.perf_counter()]
        plan = self._scheduler.plan()
        times.append(time.perf_counter())
        self._counters.plan_s += times[1] - times[0]
        if plan is None:
            return []
        self._compute(plan, times)
        return plan.sequences

    def _compute(self, plan: Plan, times: list[float]) -> None:
        counters = self._counters
        self._note_admitted(plan)
        step_input = self._builder.build(plan)
        times.append(time.perf_counter())
        logits = self._runner.forward(step_input.batch)
        host = host_logits(logits)
        times.append(time.perf_counter())
        self._write_masks(step_input)
        times.append(time.perf_counter())
        output = self._sample(host, step_input)
        times.append(time.perf_counter())
        step = StepInfo(counters.steps, (times[-1] - times[0]) * 1e3 / plan.num_tokens)
        self._scheduler.note_computed(plan)
        self._scheduler.commit(plan, step_input.sampled, step_input.scored, output, step, self._events)
        now = time.monotonic()
        for sequence in step_input.sampled:
            if sequence.owner.first_token_s is None:
                sequence.owner.first_token_s = now
        counters.steps += 1
        counters.note_tokens(plan.num_tokens)
        counters.batch_s += times[2] - times[1]
        counters.forward_s += times[3] - times[2]
        counters.mask_s += times[4] - times[3]
        counters.sample_s += times[5] - times[4]
        counters.commit_s += time.perf_counter() - times[5]

    def _write_masks(self, step_input: StepInput) -> None:
        """Masks of the sequences that sample; one whose grammar fails here takes its request out of the step."""
        by_row = {s.holding.row: s for s in step_input.sampled if s.holding is not None}
        fills = [(row, s.fill) for row, s in by_row.items() if s.fill is not None]
        for row, error in self._constraints.write_masks(fills).items():
            self._fail(by_row[row].owner, error, keep_computed=False)

    def _note_admitted(self, plan: Plan) -> None:
        for sequence in plan.admitted:
            self._counters.prompt_tokens += sequence.seq_len
            self._counters.cached_tokens += sequence.cached_len or 0
            if sequence.owner.admitted_s is None:
                sequence.owner.admitted_s = time.monotonic()
                self._num_waiting -= 1

    def _sample_on_host(self, logits: LogitsArray, step_input: StepInput) -> StepOutput:
        self._write_masks(step_input)
        return self._sample(logits, step_input)

    def _sample(self, logits: LogitsArray, step_input: StepInput) -> StepOutput:
        tokens = self._sampler.sample(
            logits,
            step_input.logits_rows,
            step_input.table_rows,
            step_input.positions,
            self._constraints.masks,
            self._constraints.is_masked,
        )
        wanted = [at for at, sequence in enumerate(step_input.sampled) if sequence.wants_logprobs]
        logprobs: list[TokenLogprob | None] = [None] * len(step_input.sampled)
        if not wanted and not step_input.scored:
            return StepOutput(tokens, logprobs, [])
        rows = [int(step_input.logits_rows[at]) for at in wanted] + [row for _, _, row in step_input.scored]
        ids = [tokens.ids[at] for at in wanted] + [int(s.ids[position]) for s, position, _ in step_input.scored]
        sequences = [step_input.sampled[at] for at in wanted] + [s for s, _, _ in step_input.scored]
        num_top = [sequence.num_top_logprobs for sequence in sequences[: len(wanted)]]
        num_top += [sequence.num_known_top_logprobs for sequence in sequences[len(wanted) :]]
        chosen = [sequence.logprob_token_ids for sequence in sequences[: len(wanted)]]
        chosen += [()] * len(step_input.scored)
        entries = token_logprobs(logits, rows, ids, num_top, chosen)
        table_rows = [int(step_input.table_rows[at]) for at in wanted]
        masks = [self._constraints.masks[row] if self._constraints.is_masked[row] else None for row in table_rows]
        among_allowed = constrained_logprobs(logits, rows[: len(wanted)], ids[: len(wanted)], masks)
        traced = [sequence.owner.request.trace_top_logprobs for sequence in sequences[: len(wanted)]]
        top_allowed = likeliest_allowed(logits, rows[: len(wanted)], masks, traced)
        for at, entry, constrained, top in zip(wanted, entries, among_allowed, top_allowed, strict=False):
            constrained = entry.logprob if constrained is None else constrained
            logprobs[at] = replace(entry, constrained=constrained, top_allowed=top)
        return StepOutput(tokens, logprobs, entries[len(wanted) :])


def _finish_reason(sequence: Sequence) -> FinishReason:
    return sequence.fills[-1].finish_reason if sequence.fills else "stop"
