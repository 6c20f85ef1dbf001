"""The backend for users' own unit tests."""

import re
from typing import Any

import pydantic
import pytest

import slipform as sf
from slipform.errors import FillError
from slipform.grammars.spec import Ebnf, GrammarSpec
from slipform.lang.backend import Backend


@sf.function
def program(s: sf.ProgramState) -> None:
    s += "Capital of France? " + sf.gen("city", stop="\n")


def test_answers_by_name_pattern_callable_and_default() -> None:
    for backend in (
        sf.ScriptedBackend({"city": "Paris"}),
        sf.ScriptedBackend({"city": lambda before: "Paris" if "France" in before else "?"}),
        sf.ScriptedBackend(lambda name, before: f"{name}:Paris".removeprefix("city:")),
        sf.ScriptedBackend(patterns=[("Spain", "Madrid"), ("Fran.e", "Paris")]),
        sf.ScriptedBackend(default="Paris"),
    ):
        assert program.run(backend=backend)["city"] == "Paris"


def test_no_answer_is_an_error_that_shows_the_text_before() -> None:
    with pytest.raises(FillError, match=r"no answer; the text before it ends with 'Capital of France\? '"):
        program.run(backend=sf.ScriptedBackend({"town": "Paris"}))


def test_lists_are_used_up() -> None:
    backend = sf.ScriptedBackend({"city": ["Paris", "Lyon"]})
    assert [program.run(backend=backend)["city"] for _ in range(2)] == ["Paris", "Lyon"]
    with pytest.raises(FillError, match="2 answers are used up"):
        program.run(backend=backend)


class City(pydantic.BaseModel):
    name: str
    population: int


@pytest.mark.parametrize("answer", [City(name="Paris", population=2), {"name": "Paris", "population": 2}])
def test_values_are_written_as_json(answer: Any) -> None:
    @sf.function
    def typed(s: sf.ProgramState) -> None:
        s += sf.gen("city", schema=City)

    assert typed.run(backend=sf.ScriptedBackend({"city": answer}))["city"] == City(name="Paris", population=2)


@pytest.mark.parametrize(
    ("hole", "answer"),
    [
        ({"regex": "[0-9]+"}, "12a"),
        ({"schema": City}, '{"name": "Paris"}'),
        ({"schema": City}, "Paris"),
        ({"grammar": sf.gen("x", dtype="bool").constraint}, "yes"),  # type: ignore[attr-defined]
        ({"choices": ["a", "b"], "choices_method": sf.masked_decoding}, "c"),
        ({"choices": ["a", "b"]}, "c"),
    ],
)
def test_answers_must_fit_the_hole(hole: dict[str, Any], answer: str) -> None:
    @sf.function
    def constrained(s: sf.ProgramState) -> None:
        s += sf.gen("x", **hole)

    with pytest.raises(FillError, match=re.escape(repr(answer))):
        constrained.run(backend=sf.ScriptedBackend({"x": answer}))


def test_a_validator_for_grammars() -> None:
    asked: list[tuple[GrammarSpec, str]] = []

    def validate(spec: GrammarSpec, text: str) -> bool:
        asked.append((spec, text))
        return text == "good"

    @sf.function
    def grammar(s: sf.ProgramState) -> None:
        s += sf.gen("x", ebnf='root ::= "good"')

    assert grammar.run(backend=sf.ScriptedBackend({"x": "good"}, validate=validate))["x"] == "good"
    assert asked == [(Ebnf('root ::= "good"'), "good")]
    with pytest.raises(FillError, match="'bad'"):
        grammar.run(backend=sf.ScriptedBackend({"x": "bad"}, validate=validate))


def test_cached_tokens_and_flush() -> None:
    backend = sf.ScriptedBackend({"city": "Paris"})
    first = program.run(backend=backend).get_meta_info("city")
    second = program.run(backend=backend).get_meta_info("city")
    assert (first["cached_tokens"], second["cached_tokens"]) == (0, second["prompt_tokens"])
    sf.flush_cache(backend)
    assert program.run(backend=backend).get_meta_info("city")["cached_tokens"] == 0
    assert sf.get_server_info(backend) == {"backend": "scripted", "num_requests": 3}


def test_it_is_a_backend() -> None:
    assert isinstance(sf.ScriptedBackend(), Backend)
