"""Running a trace again: the same program, the same arguments, the same seeds, and the first place that differs."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from slipform.errors import ProgramError, SlipformError
from slipform.lang.config import resolve_backend
from slipform.lang.options import SamplingOptions
from slipform.lang.run import Run
from slipform.lang.run_trace import RunTrace
from slipform.lang.session import Seeds
from slipform.lang.state import ProgramState
from slipform.lang.trace_record import Branch, Segment

if TYPE_CHECKING:
    from slipform.lang.program import Program


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where a run differs from an earlier one.

    Attributes:
        branch: its path. segment: index among the branch's own segments. name: of the variable, where it is a hole.
        token: index in the fill, where its tokens differ. was, now: what stands there, for people; "nothing" where the
            text has ended.
    """

    branch: tuple[int, ...]
    segment: int
    name: str | None
    token: int | None
    was: str
    now: str

    def __str__(self) -> str:
        branch = f"branch {'.'.join(map(str, self.branch))}, " if self.branch else ""
        hole = f" ({self.name!r})" if self.name is not None else ""
        token = f", token {self.token}" if self.token is not None else ""
        return f"{branch}segment {self.segment}{hole}{token}: was {self.was}, is now {self.now}"


@dataclass(frozen=True, slots=True)
class Replay:
    """A run that repeats another.

    Attributes:
        state: of the new run. trace: of the new run. difference: the first one, or None where all text and all tokens
            are the same.
    """

    state: ProgramState
    trace: RunTrace
    difference: Difference | None

    @property
    def is_same(self) -> bool:
        return self.difference is None

    def __str__(self) -> str:
        if self.difference is not None:
            return f"differs: {self.difference}"
        counts = self.trace.counts
        return f"the same text, the same {counts.tokens} tokens"


def replay(
    trace: RunTrace, backend: object | None, program: "Program | None", arguments: Mapping[str, Any] | None
) -> Replay:
    """See `RunTrace.replay`."""
    earlier: Run | None = trace.run
    if earlier is not None:
        program = program or earlier.program
        backend = backend if backend is not None else earlier.session.backend
    if program is None:
        raise ProgramError("a stored trace does not hold the program; give program=", primitive="replay")
    if earlier is not None and arguments is None and program is earlier.program:
        args, kwargs = earlier.args[len(program.bound_args) :], earlier.kwargs
        options = earlier.options
    else:
        args, kwargs = (), _stored_arguments(trace, arguments or {}, stored=earlier is None)
        options = _stored_options(trace.options)
    run = Run(
        program,
        args,
        kwargs,
        backend=resolve_backend(backend),
        options=options,
        fuse=trace.fuse,
        refused=program.refusal(args, kwargs),
        seeds=seeds_of(trace),
    )
    try:
        state = asyncio.run(run.arun()) if program.is_async else run.run()
    except SlipformError:
        if trace.error is None:
            raise
        state = run.state  # the earlier one failed as well, and how far both got is compared
    again = state.trace
    return Replay(state, again, first_difference(trace, again))


def seeds_of(trace: RunTrace) -> Seeds:
    """The seed of every fill of a trace whose backend told it."""
    return {
        (branch.path, number): fill.seed
        for branch in trace.branches
        for number, fill in enumerate(s for s in branch.segments if s.kind in ("fill", "call"))
        if fill.seed is not None
    }


def first_difference(before: RunTrace, after: RunTrace) -> Difference | None:
    """The first segment or token in which two traces of a program differ, branch by branch."""
    found = (
        difference
        for old, new in zip_longest(before.branches, after.branches)
        for difference in _branch_differences(old, new)
    )
    return next(found, None)


def _branch_differences(old: Branch | None, new: Branch | None) -> Iterator[Difference]:
    path = (old or new).path  # type: ignore[union-attr]  # one of them is there
    for index, (was, now) in enumerate(zip_longest(old.segments if old else (), new.segments if new else ())):
        name = (was or now).name
        if was is None or now is None or (was.kind, was.name, was.state) != (now.kind, now.name, now.state):
            yield Difference(path, index, name, None, _described(was), _described(now))
            continue
        ids = [(token.token_id, token.text) for token in was.tokens], [(t.token_id, t.text) for t in now.tokens]
        for place, (left, right) in enumerate(zip_longest(*ids)):
            if left != right:
                yield Difference(path, index, name, place, _token(left), _token(right))
        texts = [(segment.text, [sample.text for sample in segment.samples]) for segment in (was, now)]
        if texts[0] != texts[1]:
            yield Difference(path, index, name, None, repr(texts[0][0]), repr(texts[1][0]))


def _described(segment: Segment | None) -> str:
    if segment is None:
        return "nothing"
    return repr(segment.text) if segment.state == "done" else f"a {segment.kind} that is {segment.state}"


def _token(token: "tuple[int | None, str] | None") -> str:
    return "nothing" if token is None else f"{token[1]!r} (token id {token[0]})"


def _stored_arguments(trace: RunTrace, given: Mapping[str, Any], *, stored: bool) -> dict[str, Any]:
    """The trace's arguments with those that are given. Raises: ProgramError naming one known only as text."""
    lost = [name for name in trace.lost_arguments if name not in given] if stored else []
    if lost:
        raise ProgramError(
            f"the trace holds no value of {', '.join(lost)}, only how it looks; give it in arguments=",
            program=trace.program,
            primitive="replay",
        )
    return {**trace.arguments, **given}


def _stored_options(options: Mapping[str, Any]) -> SamplingOptions:
    bias = options.get("logit_bias")
    return SamplingOptions.of({**options, **({"logit_bias": dict(bias)} if bias else {})})
