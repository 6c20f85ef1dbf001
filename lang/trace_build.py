"""From what a run holds (its states, their cells, its notes of requests) to its trace. Changes nothing, waits for
nothing: what is not there yet is pending."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from slipform.lang.backend import unreported
from slipform.lang.cells import Cell, FillCell, HoleCell, ListCell, Piece, SelectCell, TextPiece, ValueCell
from slipform.lang.plan import describe_constraint
from slipform.lang.run_trace import RunTrace
from slipform.lang.tools import ToolCall
from slipform.lang.trace_record import (
    Branch,
    Detail,
    Segment,
    SegmentKind,
    ToolUse,
    TracedChoice,
    TracedRequest,
    TracedSample,
)
from slipform.lang.trace_tokens import token_ids_of, tokens_of
from slipform.runtime.params import SamplingParams

if TYPE_CHECKING:
    from slipform.lang.interpreter import Interpreter
    from slipform.lang.session import Session
    from slipform.lang.trace_log import RequestNote

_DEFAULT_SAMPLING = SamplingParams()
_NUM_DECODING_THREADS = 8


def build_trace(session: "Session") -> RunTrace:
    """The trace of a run as far as it has got."""
    return _Builder(session).build()


class _Builder:
    def __init__(self, session: "Session") -> None:
        assert session.root is not None
        assert session.run is not None
        self._session = session
        self._unreported = unreported(session.backend)
        self._machines = list(session.root.everything())
        self._notes = list(session.notes)
        self._request_of = {id(hole): index for index, note in enumerate(self._notes) for hole in note.holes}
        self._texts = self._spelled()
        self._num_turns: Counter[tuple[int, str | None]] = Counter()  # told so far, by branch and variable

    def build(self) -> RunTrace:
        session, run = self._session, self._session.run
        assert run is not None
        branches = tuple(self._branch(machine) for machine in self._machines)
        failure = self._machines[0].failure
        return RunTrace(
            program=session.program,
            backend=session.backend.name,
            detail=_detail(session.trace),
            began_at=session.began_at,
            branches=branches,
            requests=tuple(self._request(note, branches) for note in self._notes),
            arguments=_arguments(run.program.parameters, run.args, run.kwargs),
            options={f.name: value for f in fields(run.options) if (value := getattr(run.options, f.name)) is not None},
            fuse=session.fuse,
            error=f"{type(failure).__name__}: {failure}" if failure is not None else None,
            missing=tuple(sorted(self._missing())),
            run=run,
        )

    def _missing(self) -> Iterator[str]:
        yield from self._unreported
        if self._session.trace != "full":
            yield "log-probabilities"
        if not self._session.trace:
            yield "token times"

    # Branches and segments

    def _branch(self, machine: "Interpreter") -> Branch:
        parent = next((other for other in self._machines if machine in other.children), None)
        after = machine.fork_piece - parent.fork_piece if parent is not None else 0
        roles = machine.conversation.roles_of_pieces()
        variables = {
            name: value
            for name, cell in machine.variables.items()
            if name not in machine.fork_variables and (value := _variable(cell)) is not None
        }
        return Branch(
            path=machine.path,
            parent=self._machines.index(parent) if parent is not None else None,
            after=after,
            fork=_fork_number(parent, machine) if parent is not None else 0,
            segments=tuple(self._segment(machine, piece, roles.get(id(piece))) for piece in machine.own_pieces()),
            variables=variables,
        )

    def _segment(self, machine: "Interpreter", piece: Piece, role: str | None) -> Segment:
        if isinstance(piece, TextPiece):
            return Segment("template" if piece.template else "text", piece.text, role)
        assert isinstance(piece, HoleCell)
        common: dict[str, Any] = {
            "role": role,
            "name": piece.node.name,
            "origin": str(piece.origin) if piece.origin is not None else None,
            "request": self._request_of.get(id(piece)),
        }
        kind: SegmentKind = "select" if isinstance(piece, SelectCell) else "fill"
        if not piece.future.done():
            return Segment(kind, state="pending", **common)
        if (error := piece.future.exception()) is not None:
            return Segment(kind, state="failed", error=f"{type(error).__name__}: {error}", **common)
        if isinstance(piece, SelectCell):
            return self._select(piece, common)
        assert isinstance(piece, FillCell)
        return self._fill(machine, piece, common)

    def _fill(self, machine: "Interpreter", cell: FillCell, common: dict[str, Any]) -> Segment:
        result, *others = cell.results
        label = cell.value_type.label if cell.value_type is not None else None
        request = self._notes[common["request"]] if common["request"] is not None else None
        sent_s = request.sent_s - self._session.began_s if request is not None else 0.0

        def tokens(filled: Any) -> Any:
            return tokens_of(filled, self._texts, self._unreported, sent_s)

        calls = _calls(machine, cell.node.name)
        return Segment(
            "fill" if calls is None else "call",
            cell.text(),
            constraint=describe_constraint(cell.node.constraint, label),
            tokens=tokens(result),
            written=result.text if result.text != cell.text() else None,
            finish_reason=result.finish_reason,
            matched_stop=result.matched_stop,
            closed=result.closed,
            sampling=_sampling(cell.fill.sampling) if cell.fill is not None else {},
            seed=result.seed,
            mask_ms=None if "masks" in self._unreported else result.mask_ms,
            samples=tuple(TracedSample(other.text, tokens(other), other.finish_reason) for other in others),
            calls=self._calls_of_turn(machine, cell, calls or []),
            **common,
        )

    def _calls_of_turn(self, machine: "Interpreter", cell: FillCell, calls: Sequence[ToolCall]) -> tuple[ToolUse, ...]:
        """Those of a loop's calls that this turn of it asked for; turns come in order."""
        key = (id(machine), cell.node.name)
        turn = self._num_turns[key]
        self._num_turns[key] += 1
        return tuple(_tool_use(call) for call in calls if call.turn == turn)

    def _select(self, cell: SelectCell, common: dict[str, Any]) -> Segment:
        meta = cell.meta
        assert isinstance(meta, dict)
        logprobs = [sum(entry[0] for entry in entries) for entries in meta["input_token_logprobs"]]
        return Segment(
            "select",
            cell.choice,
            constraint=f"one of {len(meta['choices'])} choices",
            choices=tuple(map(TracedChoice, meta["choices"], meta["probabilities"], logprobs)),
            entropy=meta["entropy"],
            margin=meta["margin"],
            **common,
        )

    # Requests

    def _request(self, note: "RequestNote", branches: Sequence[Branch]) -> TracedRequest:
        owner = next(index for index, machine in enumerate(self._machines) if note.strand in machine.strands)
        times = note.times if "times" not in self._unreported else None

        def since(time_s: float | None) -> float | None:
            return None if time_s is None else time_s - self._session.began_s

        return TracedRequest(
            request_id=note.request_id,
            kind=note.kind,
            branch=owner,
            sent_s=note.sent_s - self._session.began_s,
            first_text_s=since(note.first_text_s),
            ended_s=since(note.ended_s),
            queue_s=times.queue_s if times is not None else None,
            first_token_s=times.first_token_s if times is not None else None,
            total_s=times.total_s if times is not None else None,
            prompt_len=note.prompt_len,
            cached_len=note.cached_len,
            cached_chars=self._cached_chars(note, branches, owner),
            error=f"{type(note.error).__name__}: {note.error}" if note.error is not None else None,
        )

    def _cached_chars(self, note: "RequestNote", branches: Sequence[Branch], owner: int) -> int | None:
        """How much of the branch's text the cached tokens are; None where they are not its beginning letter by letter
        (a tokenizer may begin a text with a token of its own)."""
        if not note.cached_ids:
            return None
        cached = self._session.backend.decode(note.cached_ids).rstrip("\N{REPLACEMENT CHARACTER}")
        return len(cached) if full_text(branches, owner).startswith(cached) else None

    # Texts of tokens

    def _spelled(self) -> dict[int, str]:
        """The text of every token that the trace names beside those that were written."""
        wanted = list(dict.fromkeys(self._named_ids()))
        with ThreadPoolExecutor(max_workers=_NUM_DECODING_THREADS) as pool:  # a remote backend is asked for each
            return dict(
                zip(wanted, pool.map(lambda token: self._session.backend.decode((token,)), wanted), strict=True)
            )

    def _named_ids(self) -> Iterable[int]:
        for machine in self._machines:
            for piece in machine.own_pieces():
                if isinstance(piece, FillCell):
                    for result in piece.results:
                        yield from token_ids_of(result, self._unreported)


def full_text(branches: Sequence[Branch], index: int) -> str:
    """The text of a branch with all that it goes on from."""
    branch = branches[index]
    text = branch.text
    while branch.parent is not None:
        parent = branches[branch.parent]
        text = "".join(segment.text for segment in parent.segments[: branch.after]) + text
        branch = parent
    return text


def _detail(trace: object) -> Detail:
    return "full" if trace == "full" else "tokens" if trace else "kept"


def _fork_number(parent: "Interpreter", child: "Interpreter") -> int:
    """Which of its parent's forks a branch is of."""
    groups = list(dict.fromkeys(id(branch.siblings) for branch in parent.children))
    return groups.index(id(child.siblings))


def _sampling(params: SamplingParams) -> dict[str, Any]:
    """Options that say how the fill was sampled, where they are not at their defaults."""
    changed = {
        f.name: value
        for f in fields(params)
        if (value := getattr(params, f.name)) != getattr(_DEFAULT_SAMPLING, f.name)
    }
    changed |= {"max_tokens": params.max_tokens, "temperature": params.temperature}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}


def _variable(cell: Cell) -> "str | list[str] | None":
    """The text of a variable, or None for one that has none yet."""
    if any(not leaf.future.done() or leaf.future.exception() is not None for leaf in cell.leaves()):
        return None
    if isinstance(cell, FillCell) and cell.num_sequences > 1:
        return cell.texts()
    if isinstance(cell, ListCell):
        return [part.text() for part in cell.cells]
    if isinstance(cell, ValueCell) and isinstance(cell.value(), list):
        return [str(part) for part in cell.value()]
    try:
        return cell.text()
    except ValueError:  # a capture that is not in the text
        return None


def _calls(machine: "Interpreter", name: str | None) -> list[ToolCall] | None:
    """What a `sf.call` loop ran for the variable `name`; None if it belongs to no such loop."""
    made = machine.variables.get(f"{name}_calls")
    calls = made.value() if isinstance(made, ValueCell) else None
    return calls if isinstance(calls, list) and all(isinstance(call, ToolCall) for call in calls) else None


def _tool_use(call: ToolCall) -> ToolUse:
    arguments = json.dumps(call.arguments, ensure_ascii=False, default=str)
    return ToolUse(call.name, arguments, call.text, failed=call.error is not None)


def _arguments(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The program's arguments by name."""
    return {**dict(zip(names, args, strict=False)), **kwargs}
