"""Compiling off the engine thread: at a pace beside others, past those that take long, and ended when nobody waits."""

import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from slipform.errors import DeadlineExceeded, GrammarTimeout
from slipform.grammars import limits
from slipform.grammars.limits import Limits
from slipform.grammars.spec import JsonSchema, Regex
from slipform.runtime import compile_pace
from slipform.runtime.compile_pace import CompilePace, PacedCompilation
from slipform.runtime.engine_core import Arrival, EngineCore
from slipform.runtime.grammar_cache import GrammarCache
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text
from tests.fakes import scripted_engine
from tests.server.serving import wait_until

QUICK = Regex("[0-9]{4}")


class Gate:
    """Holds every compilation of the spec that takes long at its checks of time, until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.num_inside = 0
        self._open = threading.Event()
        checked = limits.Budget.check_time

        def check_time(budget: limits.Budget) -> None:
            if budget._cancel is not None and budget.limits == Limits():
                self.num_inside += 1
                while not self._open.wait(0.001):
                    checked(budget)
            checked(budget)

        self._patch = lambda: monkeypatch.setattr(limits.Budget, "check_time", check_time)

    def close(self) -> None:
        self._patch()

    def open(self) -> None:
        self._open.set()


def slow(number: int = 0) -> JsonSchema:
    return JsonSchema.of({"type": "object", "properties": {f"p{number}": {"type": "string"}}})


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def cache(threads: int) -> GrammarCache:
    from slipform.runtime.tokenizer import Tokenizer
    from tests.fakes import byte_tokenizer

    return GrammarCache(Tokenizer(byte_tokenizer()).vocabulary, threads=threads, capacity=8)


def test_an_abandoned_compilation_ends(gate: Gate) -> None:
    """And only when its last request goes; whoever asks afterwards gets a new one."""
    grammars = cache(2)
    gate.close()
    first = grammars.compile(slow(), for_request=True)
    assert grammars.compile(slow(), for_request=True) is first
    wait_until(lambda: gate.num_inside > 0)
    grammars.abandon(slow())
    assert not first.done()
    grammars.abandon(slow())
    with pytest.raises(GrammarTimeout) as caught:
        first.result(120)
    assert caught.value.cancelled
    assert grammars.num_cancelled == 1
    again = grammars.compile(slow(), for_request=True)
    assert again is not first
    gate.open()
    assert again.result(120).matcher() is not None
    grammars.abandon(slow())  # done: nothing happens
    assert grammars.compile(slow()) is again
    grammars.close()


def test_what_is_wanted_in_any_case_is_compiled(gate: Gate) -> None:
    grammars = cache(1)
    gate.close()
    kept, queued = grammars.compile(slow()), grammars.compile(slow(1), for_request=True)
    grammars.compile(slow(), for_request=True)
    grammars.abandon(slow())
    grammars.abandon(slow(1))  # it has not even begun
    gate.open()
    assert kept.result(120) is not None
    with pytest.raises(GrammarTimeout):
        queued.result(120)
    grammars.close()


def test_new_grammars_are_compiled_past_long_ones(gate: Gate) -> None:
    grammars = cache(4)
    gate.close()
    long: list[Future[Any]] = [grammars.compile(slow(number)) for number in range(3)]
    wait_until(lambda: gate.num_inside >= 3)
    gate_free = grammars.compile(QUICK)  # waits in the gate, too, but on a thread of its own
    wait_until(lambda: gate.num_inside >= 4)
    gate.open()
    for future in (*long, gate_free):
        assert future.result(120) is not None
    grammars.close()


def test_closing_ends_what_is_compiled(gate: Gate) -> None:
    grammars = cache(1)
    gate.close()
    future = grammars.compile(slow())
    wait_until(lambda: gate.num_inside > 0)
    grammars.close()
    with pytest.raises(GrammarTimeout):
        future.result(120)


def test_a_request_that_leaves_while_its_constraint_compiles(gate: Gate) -> None:
    """Its compilation ends; others were served meanwhile, and the engine is whole."""
    with scripted_engine() as engine:
        free = Fill(None, SamplingParams(max_tokens=4, temperature=0))
        engine.submit(GenerateRequest("warm", (Text("x"), free))).result(60)
        gate.close()
        handle = engine.submit(GenerateRequest("hostile", (Text("x"), Fill(None, constraint=slow()))))
        wait_until(lambda: gate.num_inside > 0)
        assert engine.submit(GenerateRequest("good", (Text("x"), free))).result(60).sequences
        assert engine.statistics().requests_compiling == 1
        handle.abort()
        wait_until(lambda: engine.statistics().requests_compiling == 0)
        future = engine.compile(slow())
        gate.open()
        assert future.result(120) is not None  # a new one: the cancelled one was not kept
        engine.check()


def test_a_sleeping_engine_sleeps_on_while_a_constraint_compiles(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread would take turns with the one that compiles, and has nothing to do before that is done."""
    num_added = 0
    usual = EngineCore.add

    def add(core: EngineCore, arrival: Arrival) -> None:
        nonlocal num_added
        num_added += 1
        usual(core, arrival)

    monkeypatch.setattr(EngineCore, "add", add)
    with scripted_engine() as engine:
        params = SamplingParams(max_tokens=4, temperature=0)
        engine.submit(GenerateRequest("warm", (Text("x"), Fill(None, params)))).result(60)
        gate.close()
        handle = engine.submit(GenerateRequest("constrained", (Text("x"), Fill(None, params, slow()))))
        wait_until(lambda: gate.num_inside > 0)
        time.sleep(0.05)
        assert num_added == 1
        gate.open()
        assert handle.result(60).sequences
        assert num_added == 2


def test_a_deadline_ends_a_request_whose_constraint_compiles_beside_a_sleeping_engine(gate: Gate) -> None:
    with scripted_engine() as engine:
        gate.close()
        fill = Fill(None, SamplingParams(max_tokens=4), slow())
        handle = engine.submit(GenerateRequest("late", (Text("x"), fill), deadline_s=0.05))
        with pytest.raises(DeadlineExceeded):
            handle.result(60)
        gate.open()


class Clock:
    """Stands in for `time` in the pace: work and pauses pass without any waiting."""

    def __init__(self) -> None:
        self.now_s = self.worked_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def thread_time(self) -> float:
        return self.worked_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def work(self, seconds: float) -> None:
        self.now_s += seconds
        self.worked_s += seconds


@pytest.mark.parametrize("slice_s", [0.0015, 0.01, 0.05])
def test_long_compilations_get_their_share_of_the_time(monkeypatch: pytest.MonkeyPatch, slice_s: float) -> None:
    clock = Clock()
    monkeypatch.setattr(compile_pace, "time", clock)
    token = PacedCompilation(CompilePace(lambda: True))
    rested = 0.0
    while clock.worked_s < 3.0:
        clock.work(slice_s)
        rested += token.rest()
    assert rested == pytest.approx(clock.now_s - clock.worked_s)
    owed = clock.worked_s - compile_pace.BURST_S - compile_pace.ALLOWANCE_S
    assert owed / clock.now_s == pytest.approx(compile_pace.SHARE, rel=0.15)


def test_ordinary_grammars_and_idle_engines_are_not_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(compile_pace, "time", clock)
    busy = CompilePace(lambda: True)
    for _ in range(1000):
        token = PacedCompilation(busy)
        clock.work(compile_pace.ALLOWANCE_S)
        assert token.rest() == 0.0
    idle = PacedCompilation(CompilePace(lambda: False))
    for _ in range(100):
        clock.work(1.0)
        assert idle.rest() == 0.0


def test_a_part_built_while_generating_never_pauses() -> None:
    """The engine thread builds such parts; the token that a grammar was compiled with may still be there."""
    token = PacedCompilation(CompilePace(lambda: True))
    rested: list[float] = []

    def elsewhere() -> None:
        begin = time.thread_time()
        while time.thread_time() - begin < 0.01:
            pass
        rested.append(token.rest())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert rested == [0.0]
