"""Executing a request's segments on one sequence: text in, fills begun, fed with tokens, and ended.

This is the one place that decides what a token means: whether it ends its fill, what its text is, whether a stop was
written, what becomes known next. It appends known tokens; computing them is the scheduler's business.
"""

import time
from dataclasses import dataclass, replace
from typing import NamedTuple

from slipform.errors import BudgetTooSmall, PromptTooLong
from slipform.runtime.constraints import Constraints
from slipform.runtime.fill_state import FillConstraint, FillState, TokenNote
from slipform.runtime.program import FillPart, KnownPart
from slipform.runtime.request import (
    Event,
    FillFinished,
    FillResult,
    FinishReason,
    TextDelta,
    TokenLogprob,
    TokenSource,
    TokenTrace,
)
from slipform.runtime.sampler import Sampler, derive_seed
from slipform.runtime.sequence import Sequence
from slipform.runtime.stopping import FillText, StopMatch
from slipform.runtime.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class StepInfo:
    """Index of the current step, and its time so far in ms divided by the tokens it computed."""

    index: int
    cost_ms: float


class SampledToken(NamedTuple):
    """One choice of the sampler.

    Attributes:
        num_allowed: tokens that its mask admitted. logprob: None where nobody asked.
        successor: where the fill's grammar stands behind it, see `Constraints.successors`.
    """

    id: int
    num_allowed: int
    logprob: TokenLogprob | None = None
    successor: int | None = None


@dataclass(slots=True)
class TokenCounts:
    """Output tokens since the start."""

    forced: int = 0
    sampled: int = 0


class SegmentRunner:
    """Runs the program of each sequence up to where the model is needed. Owned by the engine thread."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        constraints: Constraints,
        sampler: Sampler,
        *,
        max_context: int,
        jump_forward: bool,
        trace: bool,
    ) -> None:
        self._tokenizer = tokenizer
        self._constraints = constraints
        self._sampler = sampler
        self._max_context = max_context
        self._jump_forward = jump_forward
        self._trace = trace
        self._spellings = tokenizer.vocabulary.token_bytes
        self.counts = TokenCounts()

    def run(self, sequence: Sequence, step: StepInfo, events: list[Event]) -> None:
        """Execute segments until a fill needs the model or nothing is left.

        Raises: PromptTooLong if text behind a fill does not fit the context any more.
        """
        parts = sequence.owner.program.parts
        while sequence.fill is None and sequence.cursor < len(parts):
            part = parts[sequence.cursor]
            sequence.cursor += 1
            if isinstance(part, FillPart):
                self._start_fill(sequence, part, step, events)
                continue
            needed = sequence.seq_len + len(part.ids)
            if needed > self._max_context:
                raise PromptTooLong(needed, self._max_context, field="segments")
            sequence.append(part.ids)
            sequence.texts.append(part.text)

    def successors(self, sequences: list[Sequence], token_ids: list[int]) -> list[int | None]:
        """Where the grammars of these sequences' fills would stand behind the tokens, for `take_sampled`."""
        constraints = [
            sequence.fill.constraint if sequence.fill is not None and token_id >= 0 else None
            for sequence, token_id in zip(sequences, token_ids, strict=True)
        ]
        return self._constraints.successors(constraints, token_ids)

    def take_sampled(self, sequence: Sequence, token: SampledToken, step: StepInfo, events: list[Event]) -> None:
        """Go on with a sampled token: into the fill or its end, then what the grammar forces, then the next segments.

        Raises: TokenRejected, InvalidRequest: the sequence cannot go on.
        """
        fill = sequence.fill
        assert fill is not None
        constraint = fill.constraint
        source: TokenSource = "forced" if constraint is not None and constraint.forced else "sampled"
        self._take(sequence, fill, token, source, step, events)
        if fill.jumps and sequence.fill is fill:
            self._take_forced(sequence, fill, step, events)
        if sequence.fill is fill:
            self._show(sequence, fill, events)
        else:
            self.run(sequence, step, events)

    def bind(self, sequence: Sequence) -> None:
        """Hand the current fill's parameters to the sampler. The sequence has a table row."""
        fill = sequence.fill
        assert fill is not None
        assert sequence.holding is not None
        self._sampler.bind(
            sequence.holding.row, fill.part.fill.sampling, fill.seed, sequence.ids, fill.token_ids
        )  # fmt: skip

    def _start_fill(self, sequence: Sequence, part: FillPart, step: StepInfo, events: list[Event]) -> None:
        grammar = None if part.fill.constraint is None else sequence.owner.grammars[part.fill.constraint]
        seed = part.fill.sampling.seed
        begin = time.perf_counter()
        seam = self._give_back_seam(sequence, part)
        allowed = self._constraints.allowed_mask(part.fill.sampling)
        constraint = self._constraints.start(grammar, seam, sequence.ids, allowed is None)
        # Where each token comes with its log-probability, forced ones too are computed one by one.
        streams = sequence.streams_logprobs(part)
        jumps = self._jump_forward and part.fill.jump_forward and not streams
        fill = FillState(
            part=part,
            start=sequence.seq_len,
            text=FillText(part.finder, seam),
            seam=seam,
            constraint=constraint,
            allowed=allowed,
            seed=sequence.seed if seed is None else derive_seed(seed, sequence.index),
            jumps=jumps,
            in_runs=jumps and not (self._traces(sequence) or part.finder or part.fill.finish != "cut"),
            wants_logprobs=streams or sequence.owner.request.trace_top_logprobs > 0,
            mask_s=time.perf_counter() - begin,
        )
        sequence.fill = fill
        if sequence.holding is not None:
            self.bind(sequence)
        if constraint is not None and constraint.is_complete:
            self._finish(sequence, fill, "stop", None, events)
        elif sequence.seq_len >= self._max_context:
            self._finish(sequence, fill, "length", None, events)
        else:
            self._check_room(sequence, fill)
            if jumps:
                self._take_forced(sequence, fill, step, events)
            if sequence.fill is fill and fill.token_ids:
                self._show(sequence, fill, events)

    def _give_back_seam(self, sequence: Sequence, part: FillPart) -> bytes:
        """Take the last token of the text before the fill out of the context; its bytes, or nothing."""
        before = sequence.owner.program.parts[sequence.cursor - 2] if sequence.cursor > 1 else None
        if not part.fill.heal or not isinstance(before, KnownPart) or not before.healable or sequence.seq_len < 2:
            return b""
        if part.fill.sampling.allowed_token_ids:
            return b""
        seam = self._constraints.seams.healable(sequence.last_id())
        if seam:
            sequence.truncate(sequence.seq_len - 1)
        return seam

    def _take_forced(self, sequence: Sequence, fill: FillState, step: StepInfo, events: list[Event]) -> None:
        """Jump-forward: append what the grammar forces."""
        constraint = fill.constraint
        while constraint is not None and constraint.forced and sequence.fill is fill:
            if fill.in_runs and self._fits(sequence, fill, constraint):
                self._append_run(sequence, fill, constraint)
            else:
                self._take(sequence, fill, SampledToken(constraint.forced[0], 1), "forced", step, events)

    def _take(
        self,
        sequence: Sequence,
        fill: FillState,
        token: SampledToken,
        source: TokenSource,
        step: StepInfo,
        events: list[Event],
    ) -> None:
        part = fill.part
        if token.id in part.end_ids and self._may_end(fill):
            matched = token.id if token.id in part.fill.sampling.stop_token_ids else None
            self._finish(sequence, fill, "stop", matched, events)
            return
        if part.fill.finish != "cut" and self._must_close(sequence, fill, token.id):
            self._close(sequence, fill, step, events)
            return
        self._append(sequence, fill, token, source, step)
        constraint = fill.constraint
        stop = fill.text.find_stop(lambda match: self._may_stop(fill, match)) if part.finder else None
        if stop is not None:
            self._cut(sequence, fill, stop, events)
        elif constraint is not None and constraint.is_complete:
            self._finish(sequence, fill, "stop", None, events)
        elif fill.num_counted >= part.fill.sampling.max_tokens or sequence.seq_len >= self._max_context:
            self._finish(sequence, fill, "length", None, events)

    def _append(
        self, sequence: Sequence, fill: FillState, token: SampledToken, source: TokenSource, step: StepInfo
    ) -> None:
        """Make one token part of the context and of the fill."""
        constraint = fill.constraint
        spelling = self._spellings[token.id]
        fill.num_counted += constraint is None or len(spelling) > len(constraint.seam) or not constraint.seam
        self._extend(sequence, fill, (token.id,), source)
        if constraint is not None:
            begin = time.perf_counter()
            self._constraints.accept(constraint, token.id, spelling, sequence.ids, token.successor)
            fill.mask_s += time.perf_counter() - begin
            if constraint.matcher is None and not constraint.seam:
                fill.constraint = None
        if not fill.in_runs:
            self._note_token(sequence, fill, token, source, step)

    def _append_run(self, sequence: Sequence, fill: FillState, constraint: FillConstraint) -> None:
        """Make a whole forced run part of the context and of the fill; see `_fits`."""
        fill.num_counted += len(constraint.forced)
        self._extend(sequence, fill, constraint.forced, "forced")
        begin = time.perf_counter()
        self._constraints.accept_forced(constraint, sequence.ids)
        fill.mask_s += time.perf_counter() - begin

    def _fits(self, sequence: Sequence, fill: FillState, constraint: FillConstraint) -> bool:
        """Whether nothing can happen within the forced run, or at its end: no token of it ends the fill."""
        run = constraint.run
        return (
            run is not None
            and len(constraint.forced) == len(run.ids) < self._room(sequence, fill)
            and not constraint.seam
            and fill.part.end_ids.isdisjoint(run.ids)
        )

    def _extend(self, sequence: Sequence, fill: FillState, ids: tuple[int, ...], source: TokenSource) -> None:
        """Put tokens behind the context, the fill and its text, and count them."""
        fill.token_ids += ids
        sequence.append_ids(ids)
        if source == "sampled":
            fill.num_sampled += len(ids)
            self.counts.sampled += len(ids)
        elif source == "forced":
            fill.num_forced += len(ids)
            self.counts.forced += len(ids)
        else:
            fill.num_closing += len(ids)
        if fill.part.has_penalties and sequence.holding is not None:
            for token_id in ids:
                self._sampler.note(sequence.holding.row, token_id)
        for token_id in ids:
            fill.text.push(self._spellings[token_id] or self._spell_special(token_id, fill))

    def _spell_special(self, token_id: int, fill: FillState) -> bytes:
        skip = fill.part.fill.sampling.skip_special_tokens
        return self._tokenizer.token_bytes(token_id, skip_special_tokens=skip)

    def _note_token(
        self, sequence: Sequence, fill: FillState, token: SampledToken, source: TokenSource, step: StepInfo
    ) -> None:
        """Keep what the trace and the log-probabilities of a fill want of its last token."""
        request = sequence.owner.request
        logprob = token.logprob
        if self._trace or request.trace:
            at_s = time.monotonic() - sequence.owner.arrival_s if request.trace else None
            kept = logprob if request.trace_top_logprobs else None
            fill.trace.append(TokenNote(token.id, source, token.num_allowed, step.index, step.cost_ms, at_s, kept))
        if logprob is not None:
            self._keep_logprob(sequence, fill, logprob)
        elif request.trace_top_logprobs:
            sequence.note_unscored()

    def _traces(self, sequence: Sequence) -> bool:
        request = sequence.owner.request
        return self._trace or request.trace or request.trace_top_logprobs > 0

    def _room(self, sequence: Sequence, fill: FillState) -> int:
        """Tokens that the fill may still take."""
        return min(fill.part.fill.sampling.max_tokens - fill.num_counted, self._max_context - sequence.seq_len)

    def _check_room(self, sequence: Sequence, fill: FillState) -> None:
        """Raises: BudgetTooSmall, PromptTooLong if a fill that must end with a match has no room for any."""
        if fill.part.fill.finish == "cut" or fill.constraint is None or fill.constraint.matcher is None:
            return
        needed, budget = self._constraints.num_closing(fill.constraint), fill.part.fill.sampling.max_tokens
        if needed > budget:
            raise BudgetTooSmall(needed, budget)
        if needed > self._room(sequence, fill):
            raise PromptTooLong(sequence.seq_len + needed, self._max_context, field="segments")

    def _must_close(self, sequence: Sequence, fill: FillState, token_id: int) -> bool:
        """Whether this token would leave no room to complete the match. Until then it always has room."""
        constraint = fill.constraint
        if constraint is None or constraint.matcher is None:
            return False
        counts = not constraint.seam or len(self._spellings[token_id]) > len(constraint.seam)
        return not self._constraints.leaves_room(constraint, token_id, self._room(sequence, fill) - counts)

    def _close(self, sequence: Sequence, fill: FillState, step: StepInfo, events: list[Event]) -> None:
        """Complete the match along its shortest way and end the fill."""
        assert fill.constraint is not None
        for token_id in self._constraints.closing(fill.constraint, sequence.ids, self._room(sequence, fill)):
            self._append(sequence, fill, SampledToken(token_id, 1), "closing", step)
        self._finish(sequence, fill, "length", None, events)

    def _may_end(self, fill: FillState) -> bool:
        """An end token ends the fill only where grammar, seam and `min_tokens` let it."""
        constraint = fill.constraint
        if fill.num_counted < fill.part.fill.sampling.min_tokens or (constraint is not None and constraint.seam):
            return False
        return self._constraints.admits_end(constraint)

    def _may_stop(self, fill: FillState, match: StopMatch) -> bool:
        """A stop ends the fill only behind `min_tokens`, and where the text before it satisfies the grammar."""
        params = fill.part.fill.sampling
        if fill.num_counted <= params.min_tokens:
            return False
        kept = fill.text.text[: match.end if params.include_stop else match.start]
        return self._constraints.admits_text(fill.constraint, kept)

    def _keep_logprob(self, sequence: Sequence, fill: FillState, logprob: TokenLogprob) -> None:
        params = fill.part.fill.sampling
        if sequence.owner.request.trace_top_logprobs:  # the trace has more than was asked for here
            likeliest = logprob.top[: params.top_logprobs]
            chosen = tuple(pair for pair in logprob.top[len(likeliest) :] if pair[0] in params.logprob_token_ids)
            logprob = replace(logprob, top=likeliest + chosen, top_allowed=())
        if params.wants_logprobs:
            fill.logprobs.append(logprob)
        first = sequence.owner.request.prompt_logprobs_from
        if first is not None and sequence.seq_len > first:
            sequence.scores[sequence.seq_len - 1] = logprob

    def _cut(self, sequence: Sequence, fill: FillState, stop: StopMatch, events: list[Event]) -> None:
        """End at a stop: keep the tokens that lie whole before the cut, and encode anew what is left before it."""
        length = stop.end if fill.part.fill.sampling.include_stop else stop.start
        count, kept_len = fill.text.whole_tokens(length)
        rest = fill.text.text[kept_len:length]
        if count == 0:
            rest = fill.seam.decode() + rest
        fill.text.finish(length)
        del fill.token_ids[count:], fill.trace[count:], fill.logprobs[count:]
        sequence.truncate(fill.start + count)
        ids = self._tokenizer.encode_array(rest)
        sequence.append(ids)
        fill.token_ids.extend(ids.tolist())
        self._finish(sequence, fill, "stop", stop.stop, events)

    def _finish(
        self,
        sequence: Sequence,
        fill: FillState,
        reason: FinishReason,
        matched_stop: str | int | None,
        events: list[Event],
    ) -> None:
        if reason != "stop" or not isinstance(matched_stop, str):
            fill.text.finish()
        result = FillResult(
            name=fill.part.fill.name,
            text=fill.text.text,
            token_ids=tuple(fill.token_ids),
            finish_reason=reason,
            matched_stop=matched_stop,
            logprobs=tuple(fill.logprobs),
            trace=tuple(map(_token_trace, fill.trace, fill.text.token_ends())),
            num_forced=fill.num_forced,
            num_sampled=fill.num_sampled,
            num_closing=fill.num_closing,
            closed=reason == "length" and self._is_match(fill),
            mask_ms=fill.mask_s * 1e3,
            start=fill.start,
            seed=fill.seed,
            seam_len=len(fill.seam.decode()),
        )
        owner = sequence.owner
        if owner.request.deltas:
            self._show_rest(sequence, fill, events)
        request_id, prompt_len = owner.request.request_id, owner.program.prompt_len
        events.append(FillFinished(request_id, sequence.index, fill.part.index, result, prompt_len))
        sequence.fills.append(result)
        sequence.texts.append(fill.text.text)
        sequence.fill = None

    def _is_match(self, fill: FillState) -> bool:
        """Whether a fill that had to end with a match has one."""
        if fill.part.fill.finish == "cut" or fill.constraint is None or fill.constraint.matcher is None:
            return False
        return self._constraints.admits_end(fill.constraint)

    def _show(self, sequence: Sequence, fill: FillState, events: list[Event]) -> None:
        if not sequence.owner.request.deltas:
            return
        text, begin, end = fill.text.take_delta()
        if text or end > begin:
            events.append(_delta(sequence, fill, text, begin, end))

    def _show_rest(self, sequence: Sequence, fill: FillState, events: list[Event]) -> None:
        begin = fill.text.num_shown_tokens
        rest = fill.text.take_rest()
        if rest or begin < len(fill.token_ids):
            events.append(_delta(sequence, fill, rest, begin, len(fill.token_ids)))


def _delta(sequence: Sequence, fill: FillState, text: str, begin: int, end: int) -> TextDelta:
    return TextDelta(
        sequence.owner.request.request_id,
        sequence.index,
        fill.part.index,
        text,
        tuple(fill.token_ids[begin:end]),
        tuple(fill.logprobs[begin:end]) if fill.logprobs else (),
        sequence.owner.program.prompt_len,
        len(fill.seam.decode()) if fill.seam else 0,
    )


def _token_trace(note: TokenNote, text_end: int) -> TokenTrace:
    return TokenTrace(
        note.token_id,
        note.source,
        note.num_allowed,
        note.step,
        note.cost_ms,
        text_end=text_end,
        at_s=note.at_s,
        logprob=note.logprob,
    )
