"""The trace of a run, as users hold it: `state.trace`."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from slipform.errors import InvalidRequest
from slipform.lang.trace_html import render_page
from slipform.lang.trace_notebook import notebook_html
from slipform.lang.trace_record import Branch, Counts, Detail, Segment, TracedRequest, TracedToken

if TYPE_CHECKING:
    from slipform.lang.program import Program
    from slipform.lang.trace_replay import Replay


@dataclass(frozen=True, slots=True)
class RunTrace:
    """How the text of one run came to be. `state.trace` makes one.

    Attributes:
        program: its name. backend: its name. detail: how much the run was asked to note. began_at: seconds since 1970.
        branches: the text; the first is the program's own, the others are forks'. requests: in the order of sending.
        arguments: of the program, by name. lost_arguments: those that are no JSON values, of which a stored trace has
            only the `repr`.
        options: sampling options of the run. fuse: whether fills shared requests.
        missing: what is not known, because the run was not asked for it or because the backend does not report it.
        error: what ended the run early.
    """

    program: str
    backend: str
    detail: Detail
    began_at: float
    branches: tuple[Branch, ...]
    requests: tuple[TracedRequest, ...]
    arguments: dict[str, Any] = field(default_factory=dict)
    lost_arguments: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    fuse: bool = True
    missing: tuple[str, ...] = ()
    error: str | None = None
    version: Literal[1] = 1
    run: Annotated[Any, Field(exclude=True)] = field(default=None, repr=False, compare=False)

    # Reading

    @property
    def text(self) -> str:
        """What the program wrote: the texts of its segments, one behind the other."""
        return self.branches[0].text

    def segments(self) -> Iterator[Segment]:
        """All segments of all branches."""
        for branch in self.branches:
            yield from branch.segments

    def tokens(self) -> Iterator[TracedToken]:
        """All tokens of all fills, further samples included."""
        for segment in self.segments():
            yield from segment.tokens
            for sample in segment.samples:
                yield from sample.tokens

    def fill(self, name: str) -> Segment:
        """The first segment that fills the variable `name`. Raises: KeyError."""
        for segment in self.segments():
            if segment.name == name:
                return segment
        raise KeyError(name)

    @property
    def counts(self) -> Counts:
        """What it all adds up to."""
        tokens = list(self.tokens())
        sources = [token.source for token in tokens]
        # A token that was known before any step of its own (at the beginning of a fill) costs 0 ms.
        steps = {token.step for token in tokens if token.step is not None and token.cost_ms}
        prompts = [r.prompt_len for r in self.requests if r.prompt_len is not None and r.kind != "prefix"]
        return Counts(
            tokens=len(tokens),
            sampled=sources.count("sampled"),
            forced=sources.count("forced"),
            closing=sources.count("closing"),
            passes=len(steps) if steps else None,
            requests=sum(request.kind != "prefix" for request in self.requests),
            prompt=sum(prompts) if prompts else None,
            cached=sum(r.cached_len or 0 for r in self.requests if r.kind != "prefix") if prompts else None,
            branches=len(self.branches),
        )

    @property
    def duration_s(self) -> float | None:
        """From the beginning of the run to the end of its last request."""
        return max((request.ended_s for request in self.requests if request.ended_s is not None), default=None)

    # Showing

    def to_html(self) -> str:
        """One page that needs nothing beside itself."""
        return render_page(self)

    def save(self, path: "str | Path") -> Path:
        """Write the page, or the JSON of `to_json` where the name ends in `.json`; returns the path."""
        target = Path(path)
        target.write_text(self.to_json() if target.suffix == ".json" else self.to_html(), encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        return notebook_html(self)

    def __str__(self) -> str:
        """A few lines for a terminal."""
        counts = self.counts
        began = datetime.fromtimestamp(self.began_at, UTC).isoformat(sep=" ", timespec="seconds")
        lines = [f"{self.program} on {self.backend}, {began}"]
        made = ", ".join(
            f"{number} {word}"
            for number, word in ((counts.sampled, "sampled"), (counts.forced, "forced"), (counts.closing, "closing"))
            if number
        )
        passes = f" in {counts.passes} passes" if counts.passes is not None else ""
        lines.append(f"{counts.tokens} tokens{': ' + made if made else ''}{passes}")
        if counts.prompt:
            lines.append(f"{counts.requests} requests, {counts.cached} of {counts.prompt} prompt tokens cached")
        if self.duration_s is not None:
            lines.append(f"{self.duration_s * 1e3:.0f} ms, {counts.branches} branches")
        if self.error is not None:
            lines.append(f"ended by {self.error}")
        if self.missing:
            lines.append(f"not known: {', '.join(self.missing)}")
        return "\n".join(lines)

    # Storing

    def to_json(self) -> str:
        """The trace as JSON; fields at their defaults are left out."""
        lost = {name: repr(value) for name, value in self.arguments.items() if not _is_json(value)}
        names = tuple(dict.fromkeys((*self.lost_arguments, *lost)))
        storable = replace(self, arguments={**self.arguments, **lost}, lost_arguments=names)
        return _adapter().dump_json(storable, exclude_defaults=True).decode()

    @staticmethod
    def from_json(text: "str | bytes") -> "RunTrace":
        """The inverse of `to_json`. Raises: InvalidRequest saying what is wrong."""
        try:
            return _adapter().validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "trace"
            raise InvalidRequest(first["msg"], field=where) from error

    @staticmethod
    def load(path: "str | Path") -> "RunTrace":
        """A trace that `save` wrote as JSON."""
        return RunTrace.from_json(Path(path).read_bytes())

    # Running it again

    def replay(
        self,
        backend: object | None = None,
        *,
        program: "Program | None" = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> "Replay":
        """Run the program again, each fill with the seed that it had, and compare.

        Args:
            backend: the one of the run, unless another is given (for a trace that was loaded, the default one).
            program, arguments: needed where the trace was loaded from JSON; arguments that are JSON values are stored.

        Returns: the new state and the first place where it differs, if it does.
        Raises: ProgramError where the program or an argument is not known.
        """
        from slipform.lang.trace_replay import replay  # needs the program, which needs states, which have traces

        return replay(self, backend, program, arguments)


def _is_json(value: object) -> bool:
    """Whether JSON gives the same value back."""
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(part) for name, part in value.items())
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


@cache
def _adapter() -> "TypeAdapter[RunTrace]":
    """Made on first use, since it takes a while."""
    return TypeAdapter(RunTrace)
