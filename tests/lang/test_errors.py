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
