"""Typed values: what types look like as constraints, and what comes back."""

import dataclasses
import datetime
import decimal
import enum
import json
import uuid
from typing import Annotated, Any, Literal, TypedDict

import jsonschema
import pydantic
import pytest

import slipform as sf
from slipform.errors import FillError, GrammarSyntaxError, ProgramError
from slipform.grammars.spec import Choice, JsonSchema, Regex
from slipform.lang.types import json_type, plain_type, type_label


class Priority(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Address(pydantic.BaseModel):
    street: str
    number: int


class Ticket(pydantic.BaseModel):
    title: str
    priority: Priority
    address: Address | None
    tags: list[str] = []


@dataclasses.dataclass
class Point:
    x: float
    y: float


class Movie(TypedDict):
    title: str
    year: int


class Draft(Movie, total=False):
    notes: list[Movie]


class Node(pydantic.BaseModel):
    value: int
    next: "Node | None" = None


UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")

CASES: list[tuple[Any, str, Any]] = [
    (int, "42", 42),
    (bool, "true", True),
    (str, '"text"', "text"),
    (float, "1.5", 1.5),
    (list[int], "[1, 2]", [1, 2]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (int | None, "null", None),
    (int | str, '"a"', "a"),
    (Literal["a", "b"], '"b"', "b"),
    (Priority, '"high"', Priority.HIGH),
    (Point, '{"x": 1.0, "y": 2.0}', Point(1.0, 2.0)),
    (Movie, '{"title": "M", "year": 1931}', {"title": "M", "year": 1931}),
    (Draft, '{"title": "M", "year": 1931}', {"title": "M", "year": 1931}),
    (Movie | None, "null", None),
    (dict[str, list[Movie]], '{"a": [{"title": "M", "year": 1}]}', {"a": [{"title": "M", "year": 1}]}),
    (list[Movie], '[{"title": "M", "year": 1931}]', [{"title": "M", "year": 1931}]),
    (
        Ticket,
        '{"title": "t", "priority": "low", "address": {"street": "s", "number": 1}}',
        Ticket(title="t", priority=Priority.LOW, address=Address(street="s", number=1)),
    ),
    (Node, '{"value": 1, "next": {"value": 2}}', Node(value=1, next=Node(value=2))),
    (datetime.date, '"2026-11-23"', datetime.date(2026, 11, 23)),
    (datetime.datetime, '"2026-11-23T10:00:00Z"', datetime.datetime(2026, 11, 23, 10, tzinfo=datetime.UTC)),
    (datetime.time, '"10:30:00"', datetime.time(10, 30)),
    (decimal.Decimal, '"12.50"', decimal.Decimal("12.50")),
    (uuid.UUID, f'"{UUID}"', UUID),
    (Annotated[int, pydantic.Field(ge=1, le=5)], "3", 3),
]


@pytest.mark.parametrize(("kind", "text", "value"), CASES, ids=[type_label(kind) for kind, _, _ in CASES])
def test_json_types(kind: Any, text: str, value: Any) -> None:
    value_type = json_type(kind)
    assert isinstance(value_type.spec, JsonSchema)
    schema = json.loads(value_type.spec.schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    assert value_type.parse(text) == value
    assert json_type(kind).spec == value_type.spec


@pytest.mark.parametrize(
    ("text", "value"), [("3.0", 3), ("1590471511241236266.0", 1590471511241236266), ("12e2", 1200), ("-0.0", 0)]
)
def test_integers_in_every_spelling_of_json_schema(text: str, value: int) -> None:
    assert json_type(int).parse(text) == value
    assert json_type(list[int]).parse(f"[{text}]") == [value]


@pytest.mark.parametrize("text", ["1.5", "1e9999999999", "[1"])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(ValueError, match=r"value: |Expecting"):
        json_type(int).parse(text)


@pytest.mark.parametrize("kind", [Ticket, Point, Movie, list[Address]])
def test_python_types_are_closed_objects(kind: Any) -> None:
    schema = json.loads(json_type(kind).spec.schema)  # type: ignore[union-attr]
    objects = [schema, *schema.get("$defs", {}).values()]
    assert all(found["additionalProperties"] is False for found in objects if found.get("type") == "object")


def test_decimals_keep_their_bounds() -> None:
    kind = Annotated[decimal.Decimal, pydantic.Field(max_digits=5, decimal_places=2)]
    schema = json.loads(json_type(kind).spec.schema)  # type: ignore[union-attr]
    for text, fits in [("123.45", True), ("-1", True), ("1234", False), ("1.234", False)]:
        assert jsonschema.Draft202012Validator(schema).is_valid(text) is fits


@pytest.mark.parametrize("given", [{"type": "integer"}, '{"type": "integer"}', True, "true"])
def test_schemas_are_taken_as_they_are(given: Any) -> None:
    value_type = json_type(given)
    assert json.loads(value_type.spec.schema) == (json.loads(given) if isinstance(given, str) else given)  # type: ignore[union-attr]
    assert value_type.parse("7") == 7


@pytest.mark.parametrize("given", ['{"type": ', "[1]", "5"])
def test_text_that_is_no_schema(given: str) -> None:
    with pytest.raises(GrammarSyntaxError):
        json_type(given)


def test_a_type_without_a_json_form() -> None:
    class Opaque: ...

    with pytest.raises(ProgramError, match="schema: Opaque has no JSON form"):
        json_type(Opaque)


@pytest.mark.parametrize(
    ("kind", "spec", "text", "value"),
    [
        (Priority, Choice(("low", "high")), "high", Priority.HIGH),
        (Literal["a", "b"], Choice(("a", "b")), "b", "b"),
        (Literal[1, 2], Choice(("1", "2")), "2", 2),
        (datetime.date, None, "2026-11-23", datetime.date(2026, 11, 23)),
        (datetime.time, None, "10:30:00", datetime.time(10, 30)),
        (datetime.datetime, None, "2026-11-23T10:30:00", datetime.datetime(2026, 11, 23, 10, 30)),
        (uuid.UUID, None, str(UUID), UUID),
        (decimal.Decimal, None, "12.50", decimal.Decimal("12.50")),
        (list[int], json_type(list[int]).spec, "[1]", [1]),
    ],
)
def test_plain_types(kind: Any, spec: Any, text: str, value: Any) -> None:
    value_type = plain_type(kind)
    assert spec is None or value_type.spec == spec
    backend = sf.ScriptedBackend({"v": text})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "v=" + sf.gen("v", dtype=kind)

    assert program.run(backend=backend)["v"] == value  # the scripted backend checks the text against the constraint
    assert isinstance(value_type.spec, (Choice, Regex, JsonSchema))


def test_plain_type_by_an_unknown_name() -> None:
    with pytest.raises(ProgramError, match="unknown type 'integer'; known by name: int, float, bool, str"):
        plain_type("integer")


def test_a_day_that_the_pattern_allows_and_the_calendar_does_not() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("day", dtype=datetime.date)

    state = program.run(backend=sf.ScriptedBackend({"day": "2026-02-31"}))
    with pytest.raises(FillError, match=r"program: gen\('day'\): '2026-02-31' is no date: day"):
        state["day"]
    assert state.get_text("day") == "2026-02-31"


def test_validators_of_a_model_count_too() -> None:
    class Even(pydantic.BaseModel):
        number: int

        @pydantic.field_validator("number")
        @classmethod
        def even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("odd")
            return value

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("even", schema=Even)

    assert program.run(backend=sf.ScriptedBackend({"even": Even(number=2)}))["even"] == Even(number=2)
    state = program.run(backend=sf.ScriptedBackend({"even": '{"number": 3}'}))
    with pytest.raises(FillError, match=r"is no Even: number: Value error, odd"):
        state["even"]


def test_n_typed_values() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("numbers", schema=int, n=2)

    assert program.run(backend=sf.ScriptedBackend({"numbers": [1, 2]}))["numbers"] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "label"),
    [(int, "int"), (Ticket, "Ticket"), (list[Ticket], "list[Ticket]"), (int | None, "int | None")],
)
def test_labels(kind: Any, label: str) -> None:
    assert type_label(kind) == label
