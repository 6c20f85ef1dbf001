"""How routes read their bodies and write their answers."""

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Set
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from slipform.runtime.server.bodies import parse_json
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.services import services_of

IGNORED_HEADER = "x-slipform-ignored-fields"


class _JsonRequest(Request):
    value: Any = None

    async def json(self) -> Any:
        return self.value


class JsonRoute(APIRoute):
    """A route whose JSON body is read with bounds. A body that does not say that it is JSON is not read as such, so
    that web pages cannot send one without asking first (CORS)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            parsed = _JsonRequest(request.scope, request.receive)
            body = await parsed.body()
            if body and "json" in request.headers.get("content-type", ""):
                parsed.value = parse_json(body, services_of(request).settings.bounds.json_depth)
            return await handle(parsed)

        return handle_json


def ignored_fields(request: Request, body: BaseModel, known: Set[str] = frozenset()) -> dict[str, str]:
    """The header that names the fields of `body` that no part of it declares, or no header.

    Args:
        known: names that are read elsewhere.
    Raises: ApiError 400 naming the first one if the request or the server is strict.
    """
    names = sorted(set(_extra_names(body)) - known)
    if not names:
        return {}
    if services_of(request).settings.strict_fields or request.query_params.get("strict") in ("1", "true"):
        raise bad_request("unknown field", names[0], "unknown_field")
    shown = ", ".join(re.sub(r"[^!-~]", "?", name)[:64] for name in names[:16])
    return {IGNORED_HEADER: shown}


def _extra_names(body: BaseModel, prefix: str = "") -> Iterator[str]:
    for name in body.model_extra or {}:
        yield prefix + name
    for name in body.model_fields_set:
        value = getattr(body, name, None)
        if isinstance(value, BaseModel):
            yield from _extra_names(value, f"{prefix}{name}.")


def json_answer(value: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """A JSON answer of plain values."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), "application/json")
