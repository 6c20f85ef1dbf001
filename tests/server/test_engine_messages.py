"""What the engine process tells the server: messages joined between frames, frames written without waiting."""

import socket
import threading
import time

import pytest

from slipform.errors import InvalidRequest
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    FillResult,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    RequestTimes,
    Text,
    TextDelta,
)
from slipform.runtime.server.frame_writer import FrameWriter
from slipform.runtime.server.frames import Delta, Failed, Filled, Finished
from slipform.runtime.server.pending_messages import PendingMessages
from tests.fakes import scripted_engine
from tests.server.serving import wait_until

END = RequestFinished("1", (), RequestTimes(0.0, 0.0, 0.0))


def text(sequence: int, fill: int, written: str, token_id: int) -> TextDelta:
    return TextDelta("1", sequence, fill, written, (token_id,), (), 7, 0)


def test_first_texts_and_ends_are_due_at_once_and_texts_between_are_joined() -> None:
    pending = PendingMessages()
    pending.add(1, text(0, 0, "a", 1))
    assert [m.text for m in pending.take_due(0.0) if isinstance(m, Delta)] == ["a"]
    pending.add(1, text(0, 0, "b", 2))
    assert pending.take_due(0.0) == []  # within the interval
    pending.add(1, text(0, 0, "c", 3))
    pending.add(2, text(0, 0, "x", 9))  # the first text of another stream does not make the others due
    (first,) = pending.take_due(0.0)
    assert isinstance(first, Delta)
    assert first.number == 2
    pending.add(1, END)
    joined, end = pending.take_due(0.0)
    assert joined == Delta(1, 0, 0, "bc", (2, 3), (), 7, 0)
    assert end == Finished(1, END)
    assert pending.take_due(1.0) == []


def test_texts_are_due_after_the_interval() -> None:
    pending = PendingMessages()
    for number in range(100):
        pending.add(number, text(0, 0, "a", 1))
    pending.take_due(0.0)
    for number in range(100):
        pending.add(number, text(0, 0, "b", 2))
    assert pending.take_due(0.05) == []
    assert len(pending.take_due(0.081)) == 100


def test_texts_of_several_sequences_are_joined_each_with_its_own() -> None:
    """And a fill's end stands between its text and that of the next fill."""
    pending = PendingMessages()
    result = FillResult(None, "ac", (1, 3), "stop")
    events: list[Event] = [
        text(0, 0, "a", 1),
        text(1, 0, "b", 2),
        text(0, 0, "c", 3),
        text(1, 0, "d", 4),
        FillFinished("1", 0, 0, result, 7),
        text(0, 1, "e", 5),
        text(0, 1, "f", 6),
    ]
    for event in events:
        pending.add(1, event)
    assert pending.take_due(0.0) == [
        Delta(1, 0, 0, "ac", (1, 3), (), 7, 0),
        Delta(1, 1, 0, "bd", (2, 4), (), 7, 0),
        Filled(1, 0, 0, result, 7),
        Delta(1, 0, 1, "ef", (5, 6), (), 7, 0),
    ]


def test_a_failure_is_the_last_message() -> None:
    pending = PendingMessages()
    pending.add(1, text(0, 0, "a", 1))
    pending.add(1, RequestFailed("1", InvalidRequest("no", field="n")))
    _, failed = pending.take_due(0.0)
    assert isinstance(failed, Failed)
    assert failed.error["class"] == "InvalidRequest"


@pytest.mark.parametrize("waits_by_flag", [True, False])
def test_a_writer_never_waits_and_keeps_the_order(waits_by_flag: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more than the socket takes in, from two threads, while nobody reads."""
    if not waits_by_flag:  # a system without the flag
        monkeypatch.setattr("slipform.runtime.server.frame_writer._DONT_WAIT", None)
    ours, theirs = socket.socketpair()
    writer = FrameWriter(theirs)
    frames = [bytes([index % 256]) * 65537 for index in range(200)]
    with ours, theirs:
        for frame in frames[:100]:
            writer.write(frame)
        other = threading.Thread(target=lambda: list(map(writer.write, frames[100:])))
        other.start()
        other.join(20)
        assert not other.is_alive()
        expected = b"".join(frames)
        received = bytearray()
        while len(received) < len(expected):
            received += ours.recv(2**20)
        assert received == expected
        writer.write(b"last")
        assert ours.recv(100) == b"last"
    writer.close()


def test_a_broken_connection_harms_no_writer() -> None:
    ours, theirs = socket.socketpair()
    writer = FrameWriter(theirs)
    with theirs:
        ours.close()
        for _ in range(3):
            writer.write(b"x" * 2**20)
    writer.close()


def test_no_deltas_are_made_for_who_wants_none() -> None:
    """The end says the same either way."""
    engine = scripted_engine()
    seen: dict[bool, list[Event]] = {True: [], False: []}
    fill = Fill("a", SamplingParams(max_tokens=20, seed=5, stop=("q",)))
    with engine:
        for deltas, events in seen.items():
            request = GenerateRequest("1", (Text("Say: "), fill, Text(" and "), fill), deltas=deltas)
            engine.submit(request, events.append).result(60)
    wait_until(lambda: all(isinstance(events[-1], RequestFinished) for events in seen.values()))
    with_deltas, without = seen[True], seen[False]
    assert [event for event in without if isinstance(event, TextDelta)] == []
    finished, bare = with_deltas[-1], without[-1]
    assert isinstance(finished, RequestFinished)
    assert isinstance(bare, RequestFinished)
    assert [fill.text for fill in bare.sequences[0].fills] == [fill.text for fill in finished.sequences[0].fills]
    assert sum(isinstance(event, FillFinished) for event in without) == 2
    streamed = "".join(event.text for event in with_deltas if isinstance(event, TextDelta) and event.fill_index == 0)
    assert streamed == bare.sequences[0].fills[0].text


def test_the_engine_tells_when_a_step_is_delivered() -> None:
    engine = scripted_engine()
    seen: list[Event] = []
    counts: list[int] = []
    engine.on_delivered = lambda: counts.append(len(seen))
    with engine:
        engine.submit(GenerateRequest("1", (Text("a"), Fill(None, SamplingParams(max_tokens=3)))), seen.append).result(
            60
        )
        give_up = time.monotonic() + 20
        while (not counts or counts[-1] < len(seen)) and time.monotonic() < give_up:
            time.sleep(0.005)
    assert counts[-1] == len(seen)
    assert counts == sorted(counts)
