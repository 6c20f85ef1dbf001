"""Holes that run out of tokens: JSON is closed, and says so; what cannot fit is refused before it starts."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

import slipform as sf
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from tests.fakes import scripted_engine


class Person(BaseModel):
    name: str
    tags: list[str]


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(eos_bias=-20.0) as engine:
        yield as_backend(engine)


@sf.function
def people(s: sf.ProgramState, max_tokens: int, finish: str | None = None, n: int = 1) -> None:
    s += "A person: " + sf.gen("one", schema=Person, max_tokens=max_tokens, finish=finish, n=n)  # type: ignore[arg-type]
    s += "\nAnother: " + sf.gen("two", json_schema=Person.model_json_schema(), max_tokens=max_tokens)


@pytest.mark.parametrize("max_tokens", [28, 32, 40, 60])
def test_json_parses_and_validates_at_every_budget(backend: Backend, max_tokens: int) -> None:
    for seed in range(3):
        state = people.run(max_tokens=max_tokens, backend=backend, seed=seed)
        assert isinstance(state["one"], Person)
        assert set(json.loads(state["two"])) >= {"name", "tags"}
        for name in ("one", "two"):
            meta = state.get_meta_info(name)
            assert meta["completion_tokens"] <= max_tokens + 1  # one may only respell the text before the hole
            assert meta["closed"] == (meta["finish_reason"]["type"] == "length")


def test_the_metadata_says_that_and_how_a_text_was_closed(backend: Backend) -> None:
    meta = people.run(max_tokens=28, backend=backend, seed=1).get_meta_info("one")
    assert meta["closed"]
    assert meta["closing_tokens"] > 0
    assert meta["finish_reason"] == {"type": "length", "matched": None}


def test_closing_tokens_stand_in_the_lists_of_log_probabilities_without_one(backend: Backend) -> None:
    options = {"max_tokens": 28, "seed": 1, "return_logprob": True, "top_logprobs_num": 2}
    state = people.run(backend=backend, return_text_in_logprobs=True, **options)
    meta = state.get_meta_info("one")
    listed = meta["output_token_logprobs"]
    assert tuple(token for _, token, _ in listed) == state.get_fills("one")[0].token_ids
    assert len(listed) == len(meta["output_top_logprobs"]) == len(meta["output_constrained_logprobs"])
    count = meta["closing_tokens"]
    assert meta["unscored_tokens"] == count > 0
    assert (
        [logprob for logprob, _, _ in listed[-count:]] == [None] * count == meta["output_constrained_logprobs"][-count:]
    )
    assert all(logprob <= 0 for logprob, _, _ in listed[:-count])
    whole = people.run(backend=backend, **{**options, "max_tokens": 200}).get_meta_info("one")
    assert whole["unscored_tokens"] == whole["closing_tokens"]


def test_several_completions_streams_and_unfused_runs(backend: Backend) -> None:
    state = people.run(max_tokens=28, n=3, backend=backend, seed=1)
    assert all(isinstance(person, Person) for person in state["one"])
    streamed = people.run(max_tokens=28, backend=backend, seed=1, stream=True)
    pieces = "".join(streamed.text_iter("one"))
    assert Person.model_validate_json(pieces) == streamed["one"]
    unfused = people.run(max_tokens=28, backend=backend, seed=1, fuse=False)
    assert unfused.text() == streamed.text()


def test_cut_leaves_the_text_as_it_stands(backend: Backend) -> None:
    state = people.run(max_tokens=28, finish="cut", backend=backend, seed=1)
    with pytest.raises(sf.FillError, match="cut after 29 tokens"):
        state["one"]
    assert not state.get_meta_info("one")["closed"]


def test_a_run_may_ask_for_it_and_free_text_stays_free(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "code: " + sf.regex("[a-z]{3,}-[0-9]{4}", name="code", max_tokens=12) + sf.gen("free", max_tokens=3)

    state = program.run(backend=backend, finish="valid", seed=2)
    assert state.get_meta_info("code")["closed"]
    assert state["code"][-5] == "-"
    assert state.get_meta_info("free")["closed"] is False


def test_a_budget_too_small_for_any_match_is_an_error_of_its_own(backend: Backend) -> None:
    with pytest.raises(
        sf.BudgetError, match=r"people: gen\('one'\), gen\('two'\): .*3 tokens hold no match.*test_finish\.py:\d+"
    ):
        people.run(max_tokens=3, backend=backend)
    asked = asyncio.run(people.arun(max_tokens=60, backend=backend))
    assert isinstance(asked["one"], Person)


def test_the_scripted_backend_closes_too() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("numbers", schema=list[int], max_tokens=4)

    state = program.run(backend=sf.ScriptedBackend({"numbers": "[1,2,3,4]"}))
    assert state["numbers"] == [1]
    assert state.get_meta_info("numbers")["closed"]


def test_finish_needs_something_to_match() -> None:
    with pytest.raises(sf.ArgumentError, match=r'finish="valid" needs a constraint'):
        sf.gen("x", finish="valid")
    with pytest.raises(sf.ArgumentError, match='finish: must be "valid" or "cut", got \'ok\''):
        sf.gen("x", finish="ok")  # type: ignore[arg-type]
