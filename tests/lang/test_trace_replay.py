"""A trace runs again: the same bits with the same seeds, and otherwise the first place that differs."""

import datetime
from collections.abc import Iterator

import pytest

import slipform as sf
from slipform.errors import ProgramError
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from tests.fakes import scripted_engine


@sf.function
def story(s: sf.ProgramState, topic: str, words: int = 3) -> None:
    s += "About " + topic + ": " + sf.gen("start", max_tokens=8)
    branches = s.fork(2)
    branches += " then " + sf.gen("next", max_tokens=8, n=2)
    branches.join()
    if words > 2:
        s += " end " + sf.gen("word", regex="[a-z]{4}") + sf.gen("tail", max_tokens=4, seed=11)


@sf.function
async def awaited(s: sf.ProgramState) -> None:
    s += "Say " + sf.gen("word", max_tokens=6)
    await s.aget("word")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(model_seed=2, eos_bias=-10) as engine:
        yield as_backend(engine)


@pytest.mark.parametrize("trace", [False, True, "full"])
@pytest.mark.parametrize("seed", [None, 5])
def test_the_same_seeds_give_the_same_bits(backend: Backend, trace: bool | str, seed: int | None) -> None:
    state = story.run("dogs", backend=backend, temperature=1.3, trace=trace, seed=seed)
    replayed = state.trace.replay()
    assert replayed.is_same, str(replayed)
    assert replayed.difference is None
    assert replayed.trace.to_json() != state.trace.to_json(), "times differ"
    assert replayed.state.text() == state.text()
    assert replayed.state["next"] == state["next"]
    assert str(replayed) == f"the same text, the same {state.trace.counts.tokens} tokens"


def test_without_the_seeds_the_text_is_another(backend: Backend) -> None:
    texts = {story.run("dogs", backend=backend, temperature=1.3).text() for _ in range(4)}
    assert len(texts) > 1


def test_a_stored_trace_runs_again(backend: Backend) -> None:
    state = story.run("cats", words=4, backend=backend, temperature=1.3, max_tokens=6, logit_bias={5: 2.0})
    loaded = sf.RunTrace.from_json(state.trace.to_json())
    replayed = loaded.replay(backend, program=story)
    assert replayed.is_same, str(replayed)
    assert replayed.state.text() == state.text()


def test_bound_arguments_are_part_of_it(backend: Backend) -> None:
    state = story.bind("birds").run(words=3, backend=backend, temperature=1.3)
    assert state.trace.replay().is_same
    assert sf.RunTrace.from_json(state.trace.to_json()).replay(backend, program=story).is_same


def test_async_programs(backend: Backend) -> None:
    assert awaited.run(backend=backend).trace.replay().is_same


def test_another_model_differs_and_says_where(backend: Backend) -> None:
    state = story.run("dogs", backend=backend, temperature=0)
    with scripted_engine(model_seed=99) as engine:
        replayed = state.trace.replay(as_backend(engine))
    assert not replayed.is_same
    difference = replayed.difference
    assert difference is not None
    assert (difference.branch, difference.name, difference.token) == ((), "start", 0)
    was = state.trace.fill("start").tokens[0]
    now = replayed.trace.fill("start").tokens[0]
    assert difference.was == f"{was.text!r} (token id {was.token_id})"
    assert difference.now == f"{now.text!r} (token id {now.token_id})"
    assert (
        str(replayed)
        == f"differs: segment {difference.segment} ('start'), token 0: was {difference.was}, is now {difference.now}"
    )


def test_a_changed_program_differs_where_it_changed() -> None:
    scripted = sf.ScriptedBackend({"a": "one", "b": ["two", "zwei", "two", "two"]})

    @sf.function
    def program(s: sf.ProgramState, more: bool = False) -> None:
        s += "x " + sf.gen("a") + " y " + sf.gen("b") + (" and more" if more else "")

    trace = program.run(backend=scripted).trace
    changed = trace.replay()
    assert str(changed.difference).startswith("segment 3 ('b'), token 0: was 'two' (token id ")
    longer = trace.replay(arguments={"more": True})
    assert str(longer.difference) == "segment 4: was nothing, is now ' and more'"
    assert trace.replay().is_same


def test_branches_are_compared_by_their_paths() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x"
        branches = s.fork(2)
        branches += lambda index: sf.gen(f"b{index}")
        branches.join()

    scripted = sf.ScriptedBackend({"b0": "same", "b1": ["one", "two"]})
    difference = program.run(backend=scripted).trace.replay().difference
    assert str(difference).startswith("branch 1, segment 0 ('b1'), token 0: was 'one'")


def test_a_stored_trace_needs_its_program_and_what_json_cannot_hold(backend: Backend) -> None:
    @sf.function
    def dated(s: sf.ProgramState, day: datetime.date) -> None:
        s += "On " + day.isoformat() + ": " + sf.gen("what", max_tokens=3)

    day = datetime.date(2026, 11, 23)
    trace = sf.RunTrace.from_json(dated.run(day=day, backend=backend).trace.to_json())
    assert trace.arguments == {"day": "datetime.date(2026, 11, 23)"}
    with pytest.raises(ProgramError, match="does not hold the program; give program="):
        trace.replay(backend)
    with pytest.raises(ProgramError, match="holds no value of day"):
        trace.replay(backend, program=dated)
    assert trace.replay(backend, program=dated, arguments={"day": day}).is_same


def test_a_failed_run_is_compared_as_far_as_it_got() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x " + sf.gen("a") + sf.gen("b", regex="[0-9]")

    scripted = sf.ScriptedBackend({"a": "one", "b": "no digit"})
    (state,) = program.run_batch([{}], backend=scripted)
    assert state.trace.replay().is_same
