"""Requests that arrive together, with prompts of many token ids: read quickly, refused by name, and one at a time."""

import asyncio
import json
import socket
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Message

from slipform.errors import InvalidRequest
from slipform.runtime.request import TokenIds
from slipform.runtime.server.bodies import is_deeper, parse_json
from slipform.runtime.server.http_errors import ApiError
from slipform.runtime.server.routing import BodyRoutes, JsonRoute
from slipform.runtime.server.sampling_fields import TokenId
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.server.texts_or_ids import TextsOrIds
from slipform.runtime.server.turns import Turns
from slipform.runtime.wire import request_from_plain

# Turns


async def rounds_of(turns: Turns, cancelled: set[int], count: int = 8) -> list[tuple[int, int]]:
    """Who had a turn, in order, and in which round of the event loop."""
    loop = asyncio.get_running_loop()
    had: list[tuple[int, int]] = []
    round_number = 0

    def tick() -> None:
        nonlocal round_number
        round_number += 1
        if len(had) < count - len(cancelled):
            loop.call_soon(tick)

    async def call(number: int) -> None:
        await turns.next()
        had.append((number, round_number))

    calls = [asyncio.ensure_future(call(number)) for number in range(count)]
    loop.call_soon(tick)
    await asyncio.sleep(0)
    for number in cancelled:
        calls[number].cancel()
    await asyncio.wait(calls)
    return had


@pytest.mark.parametrize("cancelled", [set(), {2}, {1, 2, 7}, {3, 4, 5, 6, 7}])
def test_one_caller_goes_on_in_a_round_in_order_of_arrival(cancelled: set[int]) -> None:
    turns = Turns()

    async def twice() -> list[list[tuple[int, int]]]:
        return [await rounds_of(turns, cancelled), await rounds_of(turns, set())]

    for had, missing in zip(asyncio.run(twice()), (cancelled, set[int]()), strict=True):
        assert [number for number, _ in had] == [number for number in range(8) if number not in missing]
        rounds = [round_number for _, round_number in had]
        assert len(set(rounds)) == len(rounds)


def test_who_is_alone_does_not_wait() -> None:
    async def alone() -> None:
        turns = Turns()
        for _ in range(3):
            coroutine = turns.next()
            with pytest.raises(StopIteration):
                coroutine.send(None)
            await asyncio.sleep(0)

    asyncio.run(alone())


class _Body(BaseModel):
    number: int


def test_sockets_are_read_between_requests_that_arrived_together() -> None:
    """What an engine sends for the first request is received before the third one is looked at."""
    seen: list[str] = []

    async def arrive() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            asyncio.get_running_loop().add_reader(ours, lambda: seen.append(ours.recv(10).decode()))
            router = APIRouter(route_class=JsonRoute)

            @router.post("/work")
            async def work(request: Request, body: _Body) -> Response:
                seen.append(str(body.number))
                if body.number == 0:
                    theirs.send(b"text")
                return Response()

            async def nothing(*_: Any) -> None: ...

            app = BodyRoutes(nothing, [router])
            await asyncio.gather(*(post(app, "/work", {"number": number}) for number in range(20)))

    asyncio.run(arrive())
    assert [one for one in seen if one != "text"] == [str(number) for number in range(20)]
    assert seen.index("text") <= 2


async def post(app: BodyRoutes, path: str, body: dict[str, Any]) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    services = SimpleNamespace(settings=ServerSettings())
    scope = {
        "type": "http", "method": "POST", "path": path, "headers": [(b"content-type", b"application/json")],
        "app": SimpleNamespace(state=SimpleNamespace(services=services)),
    }  # fmt: skip
    await app(scope, receive, send)


# Token ids in bodies

_PLAIN: TypeAdapter[Any] = TypeAdapter(str | list[str] | list[TokenId] | list[list[TokenId]])
_FAST: TypeAdapter[Any] = TypeAdapter(TextsOrIds)
_ID = st.integers(-1, 2**31)
_NUMBER = _ID | st.floats() | st.booleans() | st.none()


@given(
    st.text()
    | st.lists(st.text())
    | st.lists(_NUMBER)
    | st.lists(st.lists(_NUMBER, max_size=3))
    | st.lists(_NUMBER | st.lists(_ID, max_size=2))
    | st.lists(st.text() | st.lists(_ID, max_size=2))
    | _NUMBER
    | st.dictionaries(st.text(), _ID)
)
def test_texts_or_ids_are_those_of_the_plain_union(value: Any) -> None:
    assert validated(_FAST, value) == validated(_PLAIN, value)


def validated(kind: TypeAdapter[Any], value: Any) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return "refused"


@pytest.mark.parametrize("route", ["/v1/completions", "/v1/embeddings"])
@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([1, "a"], "[1]"),
        ([1, 2, -5], "[2]"),
        ([1, 2**31], "[1]"),
        ([1, 1.5], "[1]"),
        ([None], "[0]"),
        (["a", 3], "[1]"),
        ([[1], 2], "[1]"),
        ([[1], [2, "a"]], "[1][1]"),
        (5, ""),
        ({"a": 1}, ""),
    ],
)
def test_a_wrong_item_is_named(http: httpx.Client, route: str, value: Any, place: str) -> None:
    field = "prompt" if route == "/v1/completions" else "input"
    answer = http.post(route, json={field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field + place


@pytest.mark.parametrize("wrong", ["a", True, None, 2.0, [1]])
def test_a_wrong_id_of_a_program_is_named(wrong: Any) -> None:
    def read(ids: list[Any]) -> Any:
        return request_from_plain({"request_id": "1", "segments": [{"type": "token_ids", "ids": ids}]})

    assert read([5, 2**70, 7]).segments == (TokenIds((5, 2**70, 7)),)
    with pytest.raises(InvalidRequest) as caught:
        read([5, 6, wrong, 7])
    assert caught.value.field == "segments[0].ids[2]"


_JSON = st.recursive(
    st.integers() | st.text("[]{}ab", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("[{", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(_JSON, st.integers(0, 6))
def test_a_body_is_refused_exactly_if_it_is_too_deep(value: Any, max_depth: int) -> None:
    data = json.dumps(value).encode()
    if is_deeper(value, max_depth):
        with pytest.raises(ApiError) as caught:
            parse_json(data, max_depth)
        assert caught.value.code == "too_deep"
    else:
        assert parse_json(data, max_depth) == value
