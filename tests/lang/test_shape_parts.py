"""Shapes on an engine: captures of what a model wrote, and parts that are sampled in ways of their own."""

import json
import re
from collections.abc import Iterator

import pydantic
import pytest

import slipform as sf
from slipform import shapes
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.lang.shape import Shape
from slipform.lang.shape_pieces import ends_by_itself
from slipform.runtime.request import Fill
from tests.fakes import scripted_engine


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=3) as engine:
        yield as_backend(engine)


def program_of(shape: Shape, **options: object) -> sf.Program:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "Answer: " + sf.gen("x", grammar=shape, **options) + "."  # type: ignore[arg-type]

    return program


def test_captures_of_what_a_model_wrote(backend: Backend) -> None:
    shape = "id " + shapes.regex("[a-z]{3}").capture("id") + (", " + shapes.integer.capture("n", int)).repeat(1, 3)
    for seed in range(5):
        state = program_of(shape).run(backend=backend, seed=seed, max_new_tokens=24)
        match = re.fullmatch(r"id ([a-z]{3})((, -?\d+){1,3})", state["x"])
        assert match is not None
        assert state["id"] == match[1]
        assert state["n"] == [int(number) for number in match[2].split(",")[1:]]


def test_parts_become_holes_of_one_request_with_their_own_options(backend: Backend) -> None:
    shape = (
        shapes.regex("[a-z]{2}").capture("code")
        + ": "
        + shapes.until("\n").using(temperature=1.5, max_tokens=6).capture("idea")
        + "\n"
        + shapes.regex("[0-9]+").using(temperature=0.0, max_tokens=4)
        + ";"
        + shapes.one_of("yes", "no")
    )
    scripted = sf.ScriptedBackend({"x": ["ab: ", "x\n", "12;", "yes"]})
    state = program_of(shape, temperature=0.7).run(backend=scripted)
    (request,) = scripted.requests
    fills = [part for part in request.segments if isinstance(part, Fill)]
    assert [fill.sampling.temperature for fill in fills] == [0.7, 1.5, 0.0, 0.7]
    assert [fill.sampling.max_tokens for fill in fills][1:3] == [6, 4]
    assert state["x"] == "ab: x\n12;yes"
    assert (state["code"], state["idea"]) == ("ab", "x")
    for seed in range(4):
        found = program_of(shape).run(backend=backend, seed=seed)
        assert shape.match(found["x"]) is not None
        assert len(found.get_meta_info("x")) == 4


def test_a_part_is_closed_within_its_own_budget(backend: Backend) -> None:
    shape = shapes.until(";", inclusive=True).using(max_tokens=3) + shapes.regex("[0-9]{4}")
    for seed in range(6):
        state = program_of(shape, ignore_eos=True).run(backend=backend, seed=seed)
        assert re.fullmatch("[^;]*;[0-9]{4}", state["x"])
        assert state.get_meta_info("x")[0]["completion_tokens"] <= 4


def test_json_with_its_own_options_inside_a_text(backend: Backend) -> None:
    class Point(pydantic.BaseModel):
        x: int
        name: str

    shape = "<" + shapes.json(Point).using(max_tokens=40, temperature=0.5).capture("point") + "> ok"
    state = program_of(shape).run(backend=backend, seed=1)
    assert isinstance(state["point"], Point)
    assert json.loads(state.get_text("point")) == state["point"].model_dump()


@pytest.mark.parametrize(
    ("shape", "ends"),
    [
        (shapes.regex("[0-9]{4}"), True),
        (shapes.regex("[0-9]+"), False),
        (shapes.regex("[0-9]+;"), True),
        (shapes.one_of("a", "ab"), False),
        (shapes.one_of("aa", "ab"), True),
        (shapes.until("x"), False),
        (shapes.until("x", inclusive=True), True),
        (shapes.json(list[int]), True),
        (shapes.json(int), False),
        (shapes.json({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}), True),
        (shapes.json(list[int]) + shapes.regex("[0-9]{2}"), True),
        (shapes.regex("[0-9]+") + ";", True),
    ],
)
def test_which_parts_end_by_themselves(shape: Shape, ends: bool) -> None:
    assert ends_by_itself(shape.spec) == ends
