"""Helpers of the engine's tests: run requests to their ends, and take the events apart."""

import time
from collections.abc import Iterable

from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    Segment,
    SequenceResult,
    TextDelta,
    TokenIds,
)

GREEDY = SamplingParams(temperature=0.0, max_tokens=24)
TERMINAL = (RequestFinished, RequestFailed)


def request(name: str, *segments: Segment, **values: object) -> GenerateRequest:
    return GenerateRequest(name, segments, **values)  # type: ignore[arg-type]


def drive(engine: Engine, requests: Iterable[GenerateRequest], *, check: bool = True) -> list[Event]:
    """Add all requests, step until each has its terminal event, and return all events in order."""
    waiting = set()
    for item in requests:
        engine.add(item)
        waiting.add(item.request_id)
    events: list[Event] = []
    give_up = time.monotonic() + 120
    while waiting:
        assert time.monotonic() < give_up, f"no end of {waiting}"
        if not engine.has_work:
            time.sleep(0.001)  # a constraint is being compiled
        new = engine.step()
        if check:
            engine.check()
        for event in new:
            if isinstance(event, TERMINAL):
                waiting.discard(event.request_id)
        events += new
    return events


def results(
    engine: Engine, requests: Iterable[GenerateRequest], *, check: bool = True
) -> dict[str, tuple[SequenceResult, ...]]:
    """The sequences of each request; all must finish, each with exactly one terminal event."""
    found: dict[str, tuple[SequenceResult, ...]] = {}
    for event in drive(engine, requests, check=check):
        if isinstance(event, RequestFailed):
            raise event.error
        if isinstance(event, RequestFinished):
            assert event.request_id not in found
            found[event.request_id] = event.sequences
    return found


def one(engine: Engine, *segments: Segment, **values: object) -> SequenceResult:
    """The only sequence of a request made of these segments."""
    (sequence,) = results(engine, [request("one", *segments, **values)])["one"]
    return sequence


def outcome(sequence: SequenceResult) -> object:
    """What must not depend on how a sequence was computed."""
    fills = [(f.text, f.token_ids, f.finish_reason, f.matched_stop, f.num_forced) for f in sequence.fills]
    return sequence.token_ids, sequence.text, fills


def unfused(engine: Engine, name: str, segments: Iterable[Segment]) -> object:
    """The same program from a client that comes back for every fill: the context so far, then text, then a fill."""
    context: tuple[int, ...] = ()
    text = ""
    fills: list[object] = []
    group: list[Segment] = []
    parts: list[list[Segment]] = []
    for segment in segments:
        group.append(segment)
        if isinstance(segment, Fill):
            parts.append(group)
            group = []
    if group:
        parts.append(group)
    for number, part in enumerate(parts):
        head: list[Segment] = [TokenIds(context)] if context else []
        (sequence,) = results(engine, [request(f"{name}/{number}", *head, *part)])[f"{name}/{number}"]
        context = sequence.token_ids
        text += sequence.text
        fills += [(f.text, f.token_ids, f.finish_reason, f.matched_stop, f.num_forced) for f in sequence.fills]
    return context, text, fills


def streamed(events: Iterable[Event], name: str, sequence_index: int, fill_index: int) -> tuple[str, tuple[int, ...]]:
    """Text and tokens of one fill as a stream shows them, up to its end."""
    text, ids = "", ()
    for event in events:
        if isinstance(event, TextDelta | FillFinished) and event.request_id == name:
            if (event.sequence_index, event.fill_index) != (sequence_index, fill_index):
                continue
            if isinstance(event, FillFinished):
                return text, ids
            text += event.text
            ids += event.token_ids
    raise AssertionError("the fill did not end")
