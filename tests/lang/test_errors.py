"""Mistakes in programs: each kind has a class of its own and names the line of the user's program."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import slipform as sf
from slipform.errors import EmptyGrammar, GrammarSyntaxError, UnsupportedGrammar
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from tests.fakes import scripted_engine

HERE = Path(__file__).name
unchecked: Any = sf
"""For calls that a type checker refuses too."""


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine() as engine:
        yield as_backend(engine)


def line_of(marker: str) -> int:
    """The number of the line of this file that ends with the comment `marker`."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {marker}"))


def wrong_argument(s: sf.ProgramState) -> None:
    s += sf.gen("x", temperature=-1)  # wrong argument


def two_constraints(s: sf.ProgramState) -> None:
    s += sf.gen("x", regex="a", choices=["a"])  # two constraints


def unknown_variable(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", max_tokens=1)
    s["y"]  # unknown variable


def unfinished_role(s: sf.ProgramState) -> None:
    s += sf.user_begin()  # unfinished role
    s += "hello"


def nested_role(s: sf.ProgramState) -> None:
    with s.user():
        s += sf.assistant("x")  # nested role


def empty_language(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", schema={"type": "string", "minLength": 3, "maxLength": 2})  # empty language


def cannot_enforce(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", regex=r"(a+)b\1")  # cannot enforce


def does_not_parse(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", regex="(a")  # does not parse


def budget_too_small(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", schema={"const": "0123456789"}, max_tokens=2)  # budget too small


def unread_value(s: sf.ProgramState) -> None:
    s += "a" + sf.gen("x", schema=list[int], max_tokens=3, finish="cut", seed=2)  # unread value
    s["x"]


@pytest.mark.parametrize(
    ("body", "kind", "marker"),
    [
        (wrong_argument, sf.ArgumentError, "wrong argument"),
        (two_constraints, sf.ArgumentError, "two constraints"),
        (unknown_variable, sf.VariableError, "unknown variable"),
        (unfinished_role, sf.RoleError, "unfinished role"),
        (nested_role, sf.RoleError, "nested role"),
        (empty_language, sf.EmptyConstraint, "empty language"),
        (cannot_enforce, sf.UnenforceableConstraint, "cannot enforce"),
        (does_not_parse, sf.ConstraintError, "does not parse"),
        (budget_too_small, sf.BudgetError, "budget too small"),
    ],
)
def test_each_mistake_has_its_class_and_names_its_line(
    backend: Backend, body: Callable[..., Any], kind: type[Exception], marker: str
) -> None:
    with pytest.raises(kind, match=rf"{HERE}:{line_of(marker)}\b") as caught:
        sf.function(body).run(backend=backend)
    assert type(caught.value) is kind


def test_the_grammars_own_error_is_the_cause(backend: Backend) -> None:
    for body, kind in (
        (empty_language, EmptyGrammar),
        (cannot_enforce, UnsupportedGrammar),
        (does_not_parse, GrammarSyntaxError),
    ):
        with pytest.raises(sf.ConstraintError) as caught:
            sf.function(body).run(backend=backend)
        assert isinstance(caught.value.__cause__, kind)


def test_wrong_arguments_of_a_program_name_the_call(backend: Backend) -> None:
    program = sf.function(budget_too_small)
    with pytest.raises(sf.ArgumentError, match=rf"budget_too_small: arguments: .*{HERE}:{line_of('the call')}\b"):
        program.run(nonsense=1, backend=backend)  # the call
    with pytest.raises(sf.ArgumentError, match=rf"run: temperature: .*{HERE}:{line_of('the option')}\b"):
        program.run(temperature=-1, backend=backend)  # the option


def test_an_unfinished_role_is_the_error_of_its_row_only() -> None:
    @sf.function
    def program(s: sf.ProgramState, closed: bool) -> None:
        s += sf.user_begin() + "hi"
        if closed:
            s += sf.user_end()

    states = program.run_batch([{"closed": True}, {"closed": False}], backend=sf.ScriptedBackend())
    assert states[0].error() is None
    assert isinstance(states[1].error(), sf.RoleError)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda s: s.__iadd__(3), "3 of type int was appended"),
        (lambda s: s.__iadd__(None), "None was appended"),
        (lambda s: s.fork(0), "needs at least one branch"),
        (lambda s: s.fork(2).join("all"), "unknown mode 'all'"),
        (lambda s: s.fork(2).__iadd__(["x"]), "1 values for 2 branches"),
    ],
)
def test_what_cannot_be_appended_forked_or_joined_names_its_line(wrong: Any, message: str) -> None:
    with pytest.raises(sf.ProgramError, match=rf"{message}.*test_errors\.py:\d+\)"):
        sf.function(wrong).run(backend=sf.ScriptedBackend({}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: unchecked.gen("x", max_token=3),
            r"gen\('x'\): got an unexpected .*'max_token'; did you mean max_tokens\?",
        ),
        (lambda: unchecked.gen(name="x", temprature=0), r"gen\('x'\): .*'temprature'; did you mean temperature\?"),
        (lambda: unchecked.gen_int("x", max_new_token=3), r"gen_int\('x'\): .*did you mean max_tokens\?"),
        (lambda: unchecked.gen_int("x", dtype=float), r"gen_int\('x'\): got an unexpected keyword argument 'dtype'"),
        (lambda: unchecked.gen_string("x", regx="a"), r"gen_string\('x'\): got an unexpected keyword argument 'regx'"),
        (lambda: unchecked.regex("a", "x", seeds=1), r"regex\('x'\): .*did you mean seed\?"),
        (lambda: unchecked.regex(name="x"), r"regex\('x'\): missing a required argument: 'pattern'"),
        (lambda: unchecked.select("x", choises=["a"]), r"select\('x'\): .*'choises'; did you mean choices\?"),
        (lambda: unchecked.select("x"), r"select\('x'\): needs choices"),
        (lambda: unchecked.call("x", [], max_call=2), r"call\('x'\): .*did you mean max_calls\?"),
        (lambda: unchecked.call("x", [], n=2), r"call\('x'\): got an unexpected keyword argument 'n'"),
        (lambda: unchecked.user("a", "b"), "user: too many positional arguments"),
        (lambda: unchecked.user_begin(role="x"), "user_begin: got an unexpected keyword argument 'role'; known: none"),
        (lambda: unchecked.video("a.mp4", frames=2), r"video: .*'frames'; did you mean num_frames\?"),
        (
            lambda: unchecked.separate_reasoning(unchecked.gen("x"), model="qwen3"),
            r"separate_reasoning: .*model_type\?",
        ),
        (lambda: unchecked.function(num_spec_tokens=3), r"function: .*did you mean num_api_spec_tokens\?"),
    ],
)
def test_arguments_that_a_primitive_does_not_take_suggest_the_nearest(wrong: Any, message: str) -> None:
    with pytest.raises(sf.ArgumentError, match=rf"^{message}.*{HERE}:\d+\)$") as caught:
        wrong()
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda s: s.fork(number=2), r"fork: .*'number'; known: position_ids_offset, size"),
        (lambda s: s.fork(2).join(modes="x"), r"join: .*did you mean mode\?"),
        (lambda s: s.user(exp="x"), r"user: .*did you mean expr\?"),
    ],
)
def test_so_do_the_methods_of_a_state(wrong: Any, message: str) -> None:
    with pytest.raises(sf.ArgumentError, match=rf"{message}.*{HERE}:\d+\)$"):
        sf.function(wrong).run(backend=sf.ScriptedBackend({}))


def test_an_unknown_option_of_a_run_suggests_the_nearest(backend: Backend) -> None:
    with pytest.raises(sf.ArgumentError, match=r"'temprature'; did you mean temperature\?"):
        sf.function(budget_too_small).run(temprature=0, backend=backend)


def test_a_type_error_of_the_programs_own_stays_as_it_is() -> None:
    def body(s: sf.ProgramState) -> None:
        s.fork(1).__iadd__(lambda i: len(i))

    with pytest.raises(TypeError, match=r"has no len\(\)") as caught:
        sf.function(body).run(backend=sf.ScriptedBackend({}))
    assert type(caught.value) is TypeError
