"""Many rows: order, bounds, failures kept to their rows, prefix and constraints ahead."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import slipform as sf
from slipform.errors import FillError, ProgramError
from slipform.grammars.spec import Regex
from slipform.lang.backend import Call, Listener
from slipform.runtime.request import GenerateRequest, Text

LONG = "Answer the question with one word, as short as you can, and never explain anything.\n"


@sf.function
def ask(s: sf.ProgramState, question: str) -> None:
    s += LONG + "Q: " + question + "\nA: "
    s += sf.gen("answer", regex="[a-z]+[0-9]*")


@sf.function
async def ask_async(s: sf.ProgramState, question: str) -> None:
    s += "Q: " + question + sf.gen("answer")
    await s.aget("answer")


def by_question(name: str, before: str) -> str:
    return "answer" + before.rpartition("Q: ")[2].partition("\n")[0]


def test_states_come_in_the_order_of_the_rows() -> None:
    rows: list[dict[str, Any]] = [{"question": str(index)} for index in range(300)]
    states = ask.run_batch(rows, backend=sf.ScriptedBackend(by_question))
    assert [state["answer"] for state in states] == [f"answer{index}" for index in range(300)]


def test_rows_may_be_positional_and_options_hold_for_all() -> None:
    backend = sf.ScriptedBackend(by_question)
    states = ask.run_batch([("1",), ["2"]], backend=backend, temperature=0.0, max_new_tokens=3, num_threads=1)
    assert [state["answer"] for state in states] == ["answer1", "answer2"]
    assert {request.segments[-1].sampling.temperature for request in backend.requests if len(request.segments) > 1} == {
        0.0
    }  # type: ignore[union-attr]


def test_the_constant_prefix_is_computed_once_and_constraints_are_compiled_first() -> None:
    backend = sf.ScriptedBackend(by_question)
    ask.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    assert backend.requests[0].segments == (Text(LONG + "Q: "),)
    assert backend.prepared == [Regex("[a-z]+[0-9]*")]


def test_precaching_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sf.global_config, "enable_precache_with_tracing", False)
    backend = sf.ScriptedBackend(by_question)
    ask.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    assert len(backend.requests) == 2


def test_short_prefixes_are_not_worth_a_request() -> None:
    @sf.function
    def short(s: sf.ProgramState, question: str) -> None:
        s += "Q: " + question + sf.gen("answer")

    backend = sf.ScriptedBackend(default="x")
    short.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    assert len(backend.requests) == 2


def test_cache_computes_the_prefix_and_a_later_run_finds_it() -> None:
    backend = sf.ScriptedBackend(by_question)
    ask.cache(backend)
    assert len(backend.requests) == 1
    state = ask.run(question="1", backend=backend)
    meta = state.get_meta_info("answer")
    assert meta["cached_tokens"] >= len(backend.encode(LONG))


def test_a_failing_row_harms_no_other() -> None:
    @sf.function
    def program(s: sf.ProgramState, x: int) -> None:
        s += sf.gen("a")
        if x == 2:
            raise ZeroDivisionError("row two")
        s += sf.gen("b")

    backend = sf.ScriptedBackend({"a": "A", "b": "B"})
    states = program.run_batch([{"x": index} for index in range(5)], backend=backend)
    assert [type(state.error()) for state in states] == [
        type(None),
        type(None),
        ZeroDivisionError,
        type(None),
        type(None),
    ]
    assert [state["b"] for index, state in enumerate(states) if index != 2] == ["B"] * 4
    with pytest.raises(ProgramError, match="program: the program failed with ZeroDivisionError: row two"):
        states[2]["b"]
    with pytest.raises(ProgramError, match="row two"):
        states[2].text()


def test_a_failing_fill_is_the_rows_error() -> None:
    backend = sf.ScriptedBackend(lambda name, before: "UPPER" if "Q: 1" in before else "lower")
    states = ask.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    assert isinstance(states[0].error(), FillError)
    assert states[1]["answer"] == "lower"
    with pytest.raises(FillError, match="'UPPER'"):
        states[0]["answer"]


def test_wrong_arguments_are_the_rows_error() -> None:
    states = ask.run_batch([{"question": "1"}, {"qestion": "2"}], backend=sf.ScriptedBackend(by_question))
    assert states[0].error() is None
    assert "missing a required argument: 'question'" in str(states[1].error())


@pytest.mark.parametrize("rows", [[5], ["abc"], [{"question": "a"}, None]])
def test_rows_of_a_wrong_kind_are_refused_at_once(rows: list[Any]) -> None:
    with pytest.raises(ProgramError, match=r"ask: run_batch: row \d is"):
        ask.run_batch(rows, backend=sf.ScriptedBackend(by_question))


@pytest.mark.parametrize("number", [0, -1, "many", 1.5])
def test_num_threads_is_checked(number: Any) -> None:
    with pytest.raises(ProgramError, match="num_threads="):
        ask.run_batch([{"question": "1"}], backend=sf.ScriptedBackend(by_question), num_threads=number)


def test_no_rows() -> None:
    assert ask.run_batch([], backend=sf.ScriptedBackend(by_question)) == []


def test_generator_style_runs_rows_as_it_is_read() -> None:
    backend = sf.ScriptedBackend(by_question)
    states = ask.run_batch(
        [{"question": str(index)} for index in range(50)], backend=backend, generator_style=True, num_threads=2
    )
    assert isinstance(states, Iterator)
    assert next(states)["answer"] == "answer0"
    assert len(backend.requests) < 20
    assert [state["answer"] for state in states] == [f"answer{index}" for index in range(1, 50)]


class CountingBackend(sf.ScriptedBackend):
    """Counts how many fills are in flight, and answers the first when there are `num_expected`; on other threads."""

    def __init__(self, num_expected: int) -> None:
        super().__init__(by_question)
        self.now = 0
        self.most = 0
        self._num_expected = num_expected
        self._enough = threading.Event()
        self._count = threading.Lock()

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        if len(request.segments) == 1:  # what all rows begin with, computed before them
            return super().submit(request, listener)
        events: list[Any] = []
        call = super().submit(request, events.append)
        with self._count:
            self.now += 1
            self.most = max(self.most, self.now)
        if self.most >= self._num_expected:
            self._enough.set()

        def finish() -> None:
            self._enough.wait(60)  # where they are never so many, the test says how many there were
            self._enough.set()
            with self._count:
                self.now -= 1
            for event in events:
                listener(event)

        threading.Thread(target=finish).start()
        return call


@pytest.mark.parametrize("program", [ask, ask_async])
def test_rows_in_flight_are_bounded(program: sf.Program) -> None:
    backend = CountingBackend(5)
    states = program.run_batch([{"question": str(index)} for index in range(40)], backend=backend, num_threads=5)
    assert len(states) == 40
    assert backend.most == 5


def test_straight_rows_hold_no_thread_while_the_model_works() -> None:
    backend = CountingBackend(60)
    seen: list[str] = []

    @sf.function
    def program(s: sf.ProgramState, question: str) -> None:
        seen.append(threading.current_thread().name)
        s += "Q: " + question + "\n" + sf.gen("answer")

    program.run_batch([{"question": str(index)} for index in range(60)], backend=backend, num_threads=60)
    assert backend.most == 60 > len(set(seen))


def test_async_programs_in_a_batch() -> None:
    backend = sf.ScriptedBackend(by_question)
    rows = [{"question": str(index)} for index in range(20)]
    states = ask_async.run_batch(rows, backend=backend)
    assert [state["answer"] for state in states] == [f"answer{index}" for index in range(20)]

    async def main() -> None:
        for program in (ask, ask_async):
            states = await program.arun_batch(rows, backend=backend, num_threads=3)
            assert [state["answer"] for state in states] == [f"answer{index}" for index in range(20)]

    asyncio.run(main())


def test_async_rows_fail_alone() -> None:
    @sf.function
    async def program(s: sf.ProgramState, x: int) -> None:
        s += sf.gen("a")
        if x == 1:
            raise RuntimeError("one")

    states = program.run_batch([{"x": 0}, {"x": 1}, {"x": 2}], backend=sf.ScriptedBackend(default="A"))
    assert [state.error() is None for state in states] == [True, False, True]


def test_progress_bar_writes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"question": str(index)} for index in range(3)]
    states = ask.run_batch(rows, backend=sf.ScriptedBackend(by_question), progress_bar=True)
    assert len(states) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3/3" in captured.err


def test_nobody_asks_for_the_text_of_rows_as_it_is_written() -> None:
    backend = sf.ScriptedBackend(by_question)
    ask.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    fills = [request for request in backend.requests if len(request.segments) > 1]
    assert [request.deltas for request in fills] == [False, False]
    ask.run(question="3", backend=backend)
    assert backend.requests[-1].deltas


def test_a_body_of_a_row_may_read_text_as_it_is_written() -> None:
    pieces: dict[str, list[str]] = {}

    @sf.function
    def reads(s: sf.ProgramState, question: str) -> None:
        s += "Q: " + question + sf.gen("answer")
        pieces[question] = list(s.text_iter("answer"))

    backend = sf.ScriptedBackend(default="some words")
    states = reads.run_batch([{"question": "1"}, {"question": "2"}], backend=backend)
    assert [state["answer"] for state in states] == ["some words"] * 2
    assert ["".join(pieces[question]) for question in "12"] == ["some words"] * 2
    assert all(request.deltas for request in backend.requests)
