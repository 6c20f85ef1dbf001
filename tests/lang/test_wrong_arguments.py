"""Wrong, misspelt and swapped arguments: each error is an ArgumentError that says what to write, and names the line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import slipform as sf

unchecked: Any = sf
"""For calls that a type checker refuses too."""
HERE = Path(__file__).name


@sf.function
def greet(s: sf.ProgramState, name: str) -> None:
    s += sf.user("A greeting for " + name)
    s += sf.assistant(sf.gen("greeting", max_tokens=4))


def state() -> Any:
    return greet.run(name="Ada", backend=sf.ScriptedBackend({"greeting": "Hello"}))


def batch(**options: Any) -> object:
    return greet.run_batch([{"name": "Ada"}], backend=sf.ScriptedBackend({"greeting": "Hello"}), **options)


CASES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: sf.regex("order", "[A-Z]{2}-[0-9]+"),
        r"the pattern comes first: write regex\('\[A-Z\]\{2\}-\[0-9\]\+', name",
    ),
    (lambda: unchecked.regex("a+", regex="a"), "did you mean pattern?"),
    (lambda: unchecked.gen("x", pattern="a"), "did you mean regex?"),
    (lambda: unchecked.gen(int), "gen: name=int is no text; the name of the variable comes first"),
    (lambda: unchecked.select(["a", "b"], "x"), r"select: name=\['a', 'b'\] is no text; the name"),
    (lambda: unchecked.select("x", options=["a"]), "did you mean choices?"),
    (lambda: unchecked.gen("x", max_tokens="5"), r"gen\('x'\): max_tokens: must be a whole number, got '5'"),
    (lambda: unchecked.gen("x", max_tokens=5.5), "max_tokens: must be a whole number, got 5.5"),
    (lambda: unchecked.gen("x", temperature="hot"), "temperature: must be a number, got 'hot'"),
    (lambda: unchecked.gen("x", stop=5), "stop: must be text or a list of texts, got 5"),
    (lambda: unchecked.gen("x", stop=["a", 5]), r"stop: must be text or a list of texts, got \['a', 5\]"),
    (lambda: unchecked.gen("x", stop_token_ids="7"), "stop_token_ids: must be a token id or a list of them"),
    (lambda: unchecked.gen("x", seed="a"), "seed: must be a whole number"),
    (lambda: unchecked.gen("x", logit_bias=[1]), "logit_bias: must be a dict from token ids to numbers"),
    (lambda: unchecked.gen("x", schema=[1, 2]), r"gen\('x'\): schema: \[1, 2\] is no JSON Schema and no type"),
    (lambda: unchecked.gen("x", schema=5), r"gen\('x'\): schema: 5 has no JSON form: [^\n]*$"),
    (lambda: unchecked.gen("x", grammar='root ::= "a"'), "the text of a grammar goes to ebnf= or lark="),
    (lambda: unchecked.tool(nam="x"), "tool: .*did you mean name?"),
    (lambda: unchecked.tool("stock"), "tool: 'stock' is no function"),
    (lambda: unchecked.function("x"), "function: 'x' is no function"),
    (lambda: unchecked.mcp_tools([], cal=print), "did you mean call?"),
    (lambda: unchecked.call("x", tools="stock"), "call: tools='stock' is no list of tools"),
    (lambda: sf.user(None), "user: None is no text"),
    (lambda: state().user(None), "user: None is no text"),
    (lambda: state().get_text(nme="x"), "get_text: .*did you mean name?"),
    (lambda: state().get_meta_info("x", tiemout=1), "did you mean timeout?"),
    (lambda: state().get_fills(), "get_fills: missing a required argument: 'name'"),
    (lambda: state().score(choice=["a"]), "score: .*did you mean choices?"),
    (lambda: state().text("x"), "text: too many positional arguments"),
    (lambda: state().text_iter(var="x"), "did you mean var_name?"),
    (lambda: state().var_scope(), "var_scope: missing a required argument: 'name'"),
    (lambda: state().fork(n=3), "fork: .*did you mean size?"),
    (lambda: batch(num_thread=3), "greet: run_batch: .*did you mean num_threads?"),
    (lambda: batch(nmae="Ada"), "greet: run_batch: got an unexpected keyword argument 'nmae'"),
    (lambda: batch(name="Ada"), "did you mean a key of each row?"),
    (lambda: list(greet.iter_batch([], num_thread=3)), "greet: iter_batch: .*did you mean num_threads?"),
    (lambda: greet.run(name="Ada", bakend=1), "did you mean backend?"),
    (lambda: greet.plan(nmae="Ada"), "greet: arguments: .*did you mean name?"),
    (lambda: greet.trace("Ada", "Bob"), "greet: arguments: too many positional arguments"),
    (lambda: unchecked.Endpoint("http://127.0.0.1:1", api_kye="x"), "Endpoint: .*did you mean api_key?"),
    (lambda: unchecked.OpenAI("gpt", baseurl="x"), "OpenAI: .*did you mean base_url?"),
    (lambda: unchecked.OpenAI(), "OpenAI: missing a required argument: 'model'"),
    (lambda: unchecked.ScriptedBackend({}, defualt="x"), "ScriptedBackend: .*did you mean default?"),
]


@pytest.mark.parametrize(("wrong", "message"), CASES, ids=[message for _, message in CASES])
def test_the_error_says_what_to_write(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(
        sf.ArgumentError, match=message.replace("?", r"\?") if message.endswith("?") else message
    ) as error:
        wrong()
    assert re.search(rf"{HERE}:\d+\)", str(error.value)), error.value


def test_a_regex_whose_name_is_no_pattern_is_taken_as_it_stands() -> None:
    for pattern, name in (("yes", "answer"), ("[a-z]+", "order"), ("a", "order-id"), ("[a-z]+", "a?")):
        hole: Any = sf.regex(pattern, name)
        assert (hole.constraint.pattern, hole.name) == (pattern, name)


def test_a_schema_that_is_no_json_is_a_constraint_error() -> None:
    with pytest.raises(sf.ConstraintError, match=rf"gen\('x'\): .*the schema is not JSON.*{HERE}"):
        sf.gen("x", schema="{bad")


def test_a_misspelt_option_makes_no_output(tmp_path: Path) -> None:
    with pytest.raises(sf.ArgumentError, match=r"did you mean num_threads\?"):
        sf.run_job(greet, [{"name": "Ada"}], tmp_path / "out.jsonl", num_thread=3)
    assert not (tmp_path / "out.jsonl").exists()


def test_what_is_appended_by_mistake_is_shown_in_short() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += ["a", sf.gen("x")]

    with pytest.raises(sf.ProgramError, match="append its parts one by one") as error:
        program.run(backend=sf.ScriptedBackend())
    assert len(str(error.value)) < 250


def test_a_hole_that_was_never_appended_is_said_to_be() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        sf.gen("x")
        s["x"]

    with pytest.raises(sf.VariableError, match=r"no hole was appended with `s \+= …`"):
        program.run(backend=sf.ScriptedBackend())


def test_python_suggests_names_of_the_package() -> None:
    with pytest.raises(AttributeError) as error:
        _ = unchecked.selec
    assert error.value.name == "selec"
    assert error.value.obj is sf
