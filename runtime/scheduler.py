"""Which tokens the next step computes, and what its outcome means for the sequences.

`plan` admits, reserves slots and preempts; `commit` is the only place where running sequences grow. Both work on one
order: larger priority first, then earlier arrival. Who comes later in it gives way when the pool is full.
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass

from slipform.errors import PoolExhausted, SlipformError
from slipform.runtime.batch_builder import Plan
from slipform.runtime.cache_manager import CacheManager
from slipform.runtime.faults import as_slipform_error
from slipform.runtime.policy import MIN_COALESCED_LEN, admission_order, shared_prefill_len
from slipform.runtime.request import Event, TokenLogprob
from slipform.runtime.sampler import SampledTokens
from slipform.runtime.segments import SampledToken, SegmentRunner, StepInfo
from slipform.runtime.sequence import Phase, Sequence
from slipform.runtime.waiting_queue import WaitingQueue

# Room left for each running sequence when another one is admitted, so that admission does not cause preemption at once.
HEADROOM_TOKENS = 16

Fail = Callable[[Sequence, SlipformError], None]


@dataclass(frozen=True, slots=True)
class StepOutput:
    """What the model and the sampler made of a step, on the host. The lists follow `StepInput.sampled` and `.scored`.

    `logprobs[i]` is None where nobody asked.
    """

    tokens: SampledTokens
    logprobs: list[TokenLogprob | None]
    scores: list[TokenLogprob]


class Scheduler:
    """Owns the waiting and the running sequences.

    Args:
        fail: called with a sequence whose request cannot go on; ends the whole request.

    Attributes:
        waiting: in order of arrival. running: by priority, then arrival.
    """

    def __init__(
        self,
        cache: CacheManager,
        segments: SegmentRunner,
        *,
        token_budget: int,
        chunk_size: int,
        max_sequences: int,
        fail: Fail,
    ) -> None:
        self._cache = cache
        self._segments = segments
        self._token_budget = token_budget
        self._chunk_size = chunk_size
        self._max_sequences = max_sequences
        self._fail = fail
        self.waiting = WaitingQueue()
        self.running: list[Sequence] = []
        self.num_preemptions = 0

    def enqueue(self, sequence: Sequence) -> None:
        """Let a sequence with known tokens wait for admission."""
        sequence.phase = Phase.WAITING
        self.waiting.add(sequence)

    def remove(self, sequence: Sequence, *, keep_computed: bool) -> None:
        """Take a sequence out for good and its slots back; `keep_computed` leaves what it computed in the cache."""
        if sequence.phase is Phase.WAITING:
            self.waiting.discard(sequence)
        elif sequence.phase is Phase.RUNNING:
            self.running.remove(sequence)
            self._release(sequence, keep_computed=keep_computed)
        sequence.phase = Phase.DONE

    def plan(self, *, ahead: bool = False) -> Plan | None:
        """Choose the tokens of the next step and reserve their slots; None if there is nothing to compute.

        Decoding sequences go first within the budget; what is left of it goes to prefills and extends, in order, and
        then to newly admitted sequences. Nothing is admitted in a step that preempted.

        Args:
            ahead: the last step's tokens are not known yet. A sequence that waits for its token takes part with it,
                and nothing is preempted: without room for all there is no plan.
        """
        wanted_lens = [self._wanted_len(sequence, ahead) for sequence in self.running]
        if ahead and self._cache.room < sum([min(wanted, self._chunk_size) for wanted in wanted_lens]):
            return None
        preemptions = self.num_preemptions
        plan = Plan([], [], [])
        left = self._token_budget
        left_for_extends = max(1, left - wanted_lens.count(1))
        chosen: list[tuple[Sequence, int]] = []
        for sequence, wanted in zip(self.running, wanted_lens, strict=True):
            extend_len = wanted
            if wanted > 1:
                extend_len = min(wanted, self._chunk_size, left_for_extends)
                left_for_extends -= extend_len
            if 0 < extend_len <= left:
                left -= extend_len
                chosen.append((sequence, extend_len))
        self._reserve_chosen(chosen, plan)
        has_room = left > 0 and len(self.running) < self._max_sequences
        if self.waiting and has_room and self.num_preemptions == preemptions:
            self._admit(plan, left)
        return plan if plan.sequences else None

    def note_computed(self, plan: Plan) -> None:
        """Record that a plan's tokens are computed, or that their computation is under way before all that follows.

        Sequences whose request failed since the plan was made are left alone.
        """
        for sequence, extend_len in zip(plan.sequences, plan.extend_lens, strict=True):
            if sequence.phase is Phase.RUNNING:
                sequence.computed_len += extend_len
                if sequence.fill is None or not sequence.fill.num_sampled:
                    self._share(sequence)

    def commit(
        self,
        plan: Plan,
        sampled: list[Sequence],
        scored: list[tuple[Sequence, int, int]],
        output: StepOutput,
        step: StepInfo,
        events: list[Event],
    ) -> None:
        """Grow the sequences of a step, and take out those that are complete (their phase is DONE).

        Sequences whose request failed since the plan was made are left alone.

        Args:
            sampled, scored: what `output` is about, as in `StepInput`.

        Mutates: `events`, to which what happens is appended in order; `fail` appends to the same list.
        """
        for (sequence, position, _), score in zip(scored, output.scores, strict=True):
            sequence.scores[position] = score
            sequence.unscored.popleft()
        ids, num_allowed = output.tokens.ids, output.tokens.num_allowed
        successors = self._segments.successors(sampled, ids)
        tokens = map(SampledToken, ids, num_allowed, output.logprobs, successors)
        for sequence, token in zip(sampled, tokens, strict=True):
            if sequence.phase is Phase.RUNNING:
                self._grow(sequence, token, step, events)
        for sequence in plan.sequences:
            if sequence.fill is None and sequence.phase is Phase.RUNNING and sequence.is_complete:
                self.remove(sequence, keep_computed=True)

    def _grow(self, sequence: Sequence, token: SampledToken, step: StepInfo, events: list[Event]) -> None:
        """One sequence's own part of a commit. Whatever goes wrong here ends its request and no other."""
        position, fill = sequence.seq_len, sequence.fill
        # Whether a step under way computes the new token already. It may turn out to belong to no text.
        runs_ahead = sequence.computed_len > position
        try:
            if token.id < 0:
                raise SlipformError("the model's logits are not numbers, or the mask left none of them finite")
            self._segments.take_sampled(sequence, token, step, events)
        except Exception as error:
            self._fail(sequence, as_slipform_error(error))
        else:
            holding = sequence.holding
            assert holding is not None
            if runs_ahead and sequence.fill is not fill and not sequence.holds(position, token.id):
                runs_ahead = False
                sequence.computed_len = min(sequence.computed_len, position)
            if sequence.unscored and sequence.computed_len >= sequence.unscored[0]:
                # The token before one that is to be scored is computed: its logits are wanted a second time.
                sequence.computed_len = sequence.unscored[0] - 1
            if sequence.fill is not None and sequence.pending_len == 0 and not runs_ahead:
                # A fill begins right where another one ended: the last token's logits are wanted a second time.
                sequence.computed_len -= 1
            if holding.length > sequence.computed_len:
                self._cache.truncate(holding, sequence.ids, sequence.computed_len)

    def _wanted_len(self, sequence: Sequence, ahead: bool) -> int:
        """Tokens that the sequence could compute now, counting one that is being sampled where `ahead`."""
        fill = sequence.fill
        if ahead and fill is not None and sequence.pending_len == 0:
            is_last = fill.num_counted + 1 >= fill.part.fill.sampling.max_tokens
            return 0 if is_last or sequence.seq_len >= self._cache.table.shape[1] else 1
        return sequence.pending_len

    def _share(self, sequence: Sequence) -> None:
        """Put a prompt into the cache while it is still being computed, so that others need not compute it too."""
        holding = sequence.holding
        assert holding is not None
        if sequence.computed_len - holding.handle.length >= MIN_COALESCED_LEN:
            self._cache.share(holding, sequence.ids[: sequence.computed_len])

    def _reserve_chosen(self, chosen: list[tuple[Sequence, int]], plan: Plan) -> None:
        """Find slots for running sequences, at once where enough are free, and put those who got theirs into `plan`."""
        holdings = [sequence.holding for sequence, _ in chosen if sequence.holding is not None]
        if not self._cache.reserve_each(holdings, [extend_len for _, extend_len in chosen]):
            chosen = [one for one in chosen if one[0].phase is Phase.RUNNING and self._reserve(*one)]
        for sequence, extend_len in chosen:
            plan.sequences.append(sequence)
            plan.extend_lens.append(extend_len)

    def _reserve(self, sequence: Sequence, count: int) -> bool:
        """Find slots for `count` more tokens; if need be preempt whoever comes last, maybe the sequence itself."""
        holding = sequence.holding
        assert holding is not None
        while self._cache.reserve(holding, count) is None:
            last = self.running[-1]
            if last is not sequence:
                self._preempt(last)
                continue
            if len(self.running) > 1:
                self._preempt(sequence)
            else:
                self._fail(sequence, PoolExhausted(count, self._cache.num_free, self._cache.num_evictable))
            return False
        return True

    def _preempt(self, sequence: Sequence) -> None:
        """Take a sequence's slots back and let it wait; its tokens, its fill and its client's stream stay."""
        self.num_preemptions += 1
        self.running.remove(sequence)
        self._release(sequence, keep_computed=True)
        self.enqueue(sequence)

    def _admit(self, plan: Plan, left: int) -> None:
        """Start waiting sequences, best first, within `left` tokens."""
        prefilling: dict[tuple[str, int], list[Sequence]] = {}
        for other in self.running if self._cache.shares_prefixes else ():
            _note_prefill(other, prefilling)
        for sequence in admission_order(self.waiting.candidates(), self._cached_len):
            if left <= 0 or len(self.running) >= self._max_sequences:
                return
            neighbours = prefilling.get((sequence.namespace, int(sequence.ids[0])))
            if neighbours and self._about_to_be_cached(sequence, neighbours):
                continue
            if self.running and self._cache.room < sequence.seq_len + HEADROOM_TOKENS * len(self.running):
                return
            left -= self._start(sequence, plan, left)
            if sequence.phase is Phase.RUNNING and self._cache.shares_prefixes:
                _note_prefill(sequence, prefilling)

    def _about_to_be_cached(self, sequence: Sequence, prefilling: list[Sequence]) -> bool:
        """Whether to wait a step because a running prefill of the namespace computes the same prefix now."""
        reusable = sequence.ids[: sequence.reusable_len]
        cached_len = self._cache.cached_len(sequence.namespace, reusable)
        return shared_prefill_len(reusable, cached_len, prefilling) >= MIN_COALESCED_LEN

    def _start(self, sequence: Sequence, plan: Plan, left: int) -> int:
        """Admit one sequence and plan its first chunk; returns the number of tokens planned."""
        holding = self._cache.admit(sequence.namespace, sequence.ids, sequence.reusable_len)
        extend_len = min(sequence.seq_len - holding.length, self._chunk_size, left)
        computed_len = holding.length
        if self._cache.reserve(holding, extend_len) is None:
            self._cache.release(holding, sequence.ids[:computed_len])
            if not self.running:
                self._fail(sequence, PoolExhausted(extend_len, self._cache.num_free, self._cache.num_evictable))
            return 0
        self.waiting.discard(sequence)
        self.waiting.note_overtaken(by=sequence)
        sequence.holding = holding
        sequence.computed_len = computed_len
        if sequence.cached_len is None:
            sequence.cached_len = computed_len
            plan.admitted.append(sequence)
        sequence.phase = Phase.RUNNING
        insort(self.running, sequence, key=_rank)
        if sequence.fill is not None:
            self._segments.bind(sequence)
        plan.sequences.append(sequence)
        plan.extend_lens.append(extend_len)
        return extend_len

    def _release(self, sequence: Sequence, *, keep_computed: bool) -> None:
        holding = sequence.holding
        assert holding is not None
        computed_len = sequence.computed_len if keep_computed else holding.handle.length
        self._cache.release(holding, sequence.ids[:computed_len])
        sequence.holding = None
        sequence.computed_len = 0

    def _cached_len(self, sequence: Sequence) -> int:
        return self._cache.cached_len(sequence.namespace, sequence.ids[: sequence.reusable_len])


def _note_prefill(sequence: Sequence, prefilling: dict[tuple[str, int], list[Sequence]]) -> None:
    """File a sequence that is being prefilled under what a prefix shared with it needs: namespace and first token."""
    if sequence.pending_len > 1:
        prefilling.setdefault((sequence.namespace, int(sequence.ids[0])), []).append(sequence)


def _rank(sequence: Sequence) -> tuple[int, int]:
    return (-sequence.priority, sequence.arrival)
