"""Values while they are written: events and partial objects, against the finished value read by `json.loads`."""

import asyncio
import datetime
import decimal
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slipform as sf
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.lang.json_events import Completed, JsonEvents
from slipform.lang.partial import Partial, PartialReader
from slipform.lang.partial_kinds import child_kind
from tests.fakes import scripted_engine

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def parts_of(value: Any, path: tuple[Any, ...] = ()) -> list[Completed]:
    """Every part of a finished value, inner ones first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [part for key, child in inner for part in parts_of(child, (*path, key))] + [Completed(path, value)]


def is_beginning(partial: Any, whole: Any) -> bool:
    """Whether `partial` holds finished parts of `whole` only, in order."""
    if isinstance(whole, dict) and isinstance(partial, dict):
        shared = list(whole)[: len(partial)]
        return list(partial) == shared and all(is_beginning(partial[key], whole[key]) for key in shared)
    if isinstance(whole, list) and isinstance(partial, list):
        return len(partial) <= len(whole) and all(map(is_beginning, partial, whole))
    return bool(partial == whole) or partial is None


def chunks(text: str, sizes: list[int]) -> Iterator[str]:
    at = 0
    for size in sizes:
        yield text[at : at + size]
        at += size
    yield text[at:]


@settings(max_examples=150)
@given(VALUES, st.lists(st.integers(0, 7), max_size=30), st.booleans(), st.booleans())
def test_events_are_the_parts_of_the_value_however_it_arrives(
    value: Any, sizes: list[int], ascii_only: bool, indented: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1 if indented else None)
    reader, completed = JsonEvents(), list[Completed]()
    for piece in chunks(text, sizes):
        completed += reader.feed(piece)
    completed += reader.close()
    assert completed == parts_of(value)
    assert (reader.is_done, reader.value) == (True, value)


@settings(max_examples=80)
@given(VALUES, st.lists(st.integers(0, 5), max_size=30))
def test_every_partial_is_a_beginning_of_the_value(value: Any, sizes: list[int]) -> None:
    reader = PartialReader()
    for piece in chunks(json.dumps(value), sizes):
        partial = reader.feed(piece)
        assert is_beginning(partial.value, value)
        if partial.text:
            place = value
            for key in partial.path:
                place = place[key]
            assert place.startswith(partial.text)
    last = reader.feed("", is_last=True)
    assert (last.done, last.value) == (True, value)


def test_half_a_pair_of_surrogates_waits_and_alone_stands_for_itself() -> None:
    reader = JsonEvents()
    reader.feed('"x\\ud83d')
    assert reader.open_text == "x"
    reader.feed("\\ude00y")
    assert reader.open_text == "x😀y"
    lonely = JsonEvents()
    lonely.feed('"\\ud83dz"')
    assert lonely.value == "\ud83dz"


# Typed


class Item(pydantic.BaseModel):
    name: str
    price: decimal.Decimal
    due: datetime.date | None = None


class Order(pydantic.BaseModel):
    number: Annotated[str, pydantic.Field(alias="orderNumber")]
    kind: Literal["new", "old"]
    items: list[Item]
    by_city: dict[str, Item] = {}
    pair: tuple[int, str] | None = None


TEXT = (
    '{"orderNumber": "A-1", "kind": "new", "items": [{"name": "pen", "price": "1.50", "due": "2026-11-23"}, '
    '{"name": "ink", "price": "3", "due": null}], "by_city": {"Rome": {"name": "x", "price": "0"}}, "pair": [1, "a"]}'
)


def partials(text: str, kind: Any, size: int = 1) -> list[Partial]:
    reader = PartialReader(kind)
    return [reader.feed(text[at : at + size], is_last=at + size >= len(text)) for at in range(0, len(text), size)]


def test_finished_parts_have_their_types() -> None:
    seen = partials(TEXT, Order)
    events = {completed.path: completed.value for partial in seen for completed in partial.completed}
    assert events["items", 0] == Item(name="pen", price=decimal.Decimal("1.50"), due=datetime.date(2026, 11, 23))
    assert events["items", 0, "due"] == datetime.date(2026, 11, 23)
    assert events["by_city", "Rome"] == Item(name="x", price=decimal.Decimal(0))
    assert events[("pair",)] == (1, "a")
    assert events[()] == seen[-1].value == Order.model_validate_json(TEXT)


def test_an_open_object_is_an_instance_that_lacks_what_is_not_finished() -> None:
    at = TEXT.index('"ink') + 3
    reader = PartialReader(Order)
    partial = reader.feed(TEXT[:at])
    assert isinstance(partial.value, Order)
    assert partial.value.number == "A-1"
    assert partial.value.items[0] == Item(name="pen", price=decimal.Decimal("1.50"), due=datetime.date(2026, 11, 23))
    assert isinstance(partial.value.items[1], Item)
    assert partial.value.items[1].model_fields_set == set()
    assert (partial.path, partial.text, partial.done) == (("items", 1, "name"), "in", False)


def test_what_the_type_refuses_is_said_when_it_is_finished() -> None:
    class Even(pydantic.BaseModel):
        numbers: list[Annotated[int, pydantic.AfterValidator(lambda n: n if n % 2 == 0 else int("odd"))]]

    reader = PartialReader(Even)
    reader.feed('{"numbers": [2, ')
    with pytest.raises(ValueError, match=r"numbers\.1: .*odd"):
        reader.feed("3, 4]}")


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("kind", "place", "child"),
    [
        (list[int], 3, int),
        (dict[str, Point], "a", Point),
        (tuple[int, ...], 5, int),
        (tuple[int, str], 1, str),
        (Point, "x", int),
        (Point | None, "x", int),
        (Annotated[list[str], "meta"], 0, str),
        (pydantic.RootModel[list[int]], 0, int),
        (set[int], 0, int),
    ],
)
def test_types_of_members(kind: Any, place: Any, child: Any) -> None:
    assert child_kind(kind, place) == child


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    name: str
    lives: int


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    name: str
    born: datetime.date


class Herd(pydantic.BaseModel):
    name: str
    heads: list[int]


Beast = Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


@pytest.mark.parametrize("union", [Beast | Herd | None, Cat | Dog | Herd])
def test_what_is_written_of_a_member_of_a_union_decides_its_type(union: Any) -> None:
    reader = PartialReader(dict[str, union])
    first = reader.feed('{"a": {"kind"').value["a"]
    assert first == {}  # a cat or a dog
    cat = reader.feed(': "cat", "na').value["a"]
    assert type(cat) is Cat
    assert cat.kind == "cat"
    dog = reader.feed('me": "Tom", "lives": 9}, "b": {"kind": "dog", "name": "Rex", "born": "2020-01-02"').value["b"]
    assert type(dog) is Dog
    assert dog.born == datetime.date(2020, 1, 2)
    herd = reader.feed('}, "c": {"name": "Sheep", "he').value["c"]
    assert herd == {"name": "Sheep"}  # cats and dogs have names too
    assert type(reader.feed('ads": [1').value["c"]) is Herd
    last = reader.feed(", 2]}}", is_last=True)
    assert last.value == {
        "a": Cat(kind="cat", name="Tom", lives=9),
        "b": Dog(kind="dog", name="Rex", born=datetime.date(2020, 1, 2)),
        "c": Herd(name="Sheep", heads=[1, 2]),
    }


def test_arrays_objects_and_scalars_of_a_union_are_told_apart() -> None:
    reader = PartialReader(list[int | str | list[datetime.date] | list[int] | Herd])
    partial = reader.feed('[1, "x", ["2020-01-02", "2021')
    assert partial.value == [1, "x", [datetime.date(2020, 1, 2)]]
    partial = reader.feed('-03-04"], [5, ')
    assert partial.value[2:] == [[datetime.date(2020, 1, 2), datetime.date(2021, 3, 4)], [5]]
    partial = reader.feed('6], {"heads"')
    assert isinstance(partial.value[-1], Herd)


def test_members_of_which_nothing_is_known_stay_plain_until_their_object_is_finished() -> None:
    seen = partials('[{"x": 1}]', list[Point | Item])
    assert [c.value for p in seen for c in p.completed if c.path == (0, "x")] == [1]
    assert seen[-1].value == [Point(1)]


# In programs


@sf.function
def ordering(s: sf.ProgramState) -> None:
    s += "Order: " + sf.gen("order", schema=Order, max_tokens=120) + "\n" + sf.gen("note", max_tokens=4)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=4) as engine:
        yield as_backend(engine)


def test_a_typed_stream_ends_with_the_value_of_the_variable(backend: Backend) -> None:
    stream = ordering.stream(var="order", backend=backend, seed=3)
    seen = list(stream)
    assert all(isinstance(partial, Partial) for partial in seen)
    assert [partial.done for partial in seen] == [False] * (len(seen) - 1) + [True]
    assert len(seen) > 5
    assert seen[-1].value == stream.state["order"]
    assert all(isinstance(partial.value, Order) for partial in seen[1:])


def test_the_same_with_async_for_and_on_an_async_program(backend: Backend) -> None:
    @sf.function
    async def asynchronous(s: sf.ProgramState) -> None:
        s += "Order: " + sf.gen("order", schema=Order, max_tokens=120)

    async def read(program: sf.Program) -> list[Partial]:
        return [partial async for partial in program.stream(var="order", backend=backend, seed=3)]

    for program in (ordering, asynchronous):
        last = asyncio.run(read(program))[-1]
        assert last.done
        assert isinstance(last.value, Order)


def test_other_variables_and_the_whole_text_stay_text(backend: Backend) -> None:
    assert "".join(ordering.stream(var="note", backend=backend, seed=3))
    state = ordering.run(backend=backend, seed=3)
    assert "".join(ordering.stream(backend=backend, seed=3)) == state.text()
    assert "".join(ordering.run(stream=True, backend=backend, seed=3).text_iter("order")) == state.get_text("order")


def test_a_schema_streams_plain_values() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("x", schema={"type": "object", "properties": {"a": {"type": "array"}}})

    seen = list(program.stream(var="x", backend=sf.ScriptedBackend({"x": '{"a": [1, {"b": "c"}]}'})))
    assert seen[-1].value == {"a": [1, {"b": "c"}]}
    assert [completed.path for partial in seen for completed in partial.completed] == [
        ("a", 0), ("a", 1, "b"), ("a", 1), ("a",), (),
    ]  # fmt: skip


def test_a_refused_part_names_the_hole_and_its_line() -> None:
    class Even(pydantic.BaseModel):
        n: Annotated[int, pydantic.AfterValidator(lambda n: n if n % 2 == 0 else int("odd"))]

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("even", schema=Even)

    with pytest.raises(sf.FillError, match=r"program: gen\('even'\): .* no Even: n: .*odd.*test_partial\.py:\d+"):
        list(program.stream(var="even", backend=sf.ScriptedBackend({"even": '{"n": 3}'})))


def test_leaving_a_typed_stream_early_ends_the_run(backend: Backend) -> None:
    stream = ordering.stream(var="order", backend=backend, seed=3)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)
