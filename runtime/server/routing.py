"""How routes read their bodies and write their answers."""

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Set
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.services import services_of

IGNORED_HEADER = "x-slipform-ignored-fields"


class Body(BaseModel):
    """A request body. Fields it does not declare are kept, so that they can be named."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


class _JsonRequest(Request):
    async def json(self) -> Any:
        bounds = services_of(self).settings.bounds
        return parse_json(await self.body(), bounds.json_depth)


class JsonRoute(APIRoute):
    """A route whose JSON body is read with bounds."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return handle_json


def parse_json(data: bytes, max_depth: int) -> Any:
    """Raises: ApiError 400 for what is not JSON, not UTF-8, or nested deeper than `max_depth`."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the body is not JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise bad_request(f"the body is nested more than {max_depth} levels deep", code="too_deep") from error
    if is_deeper(value, max_depth):
        raise bad_request(f"the body is nested more than {max_depth} levels deep", code="too_deep")
    return value


def is_deeper(value: Any, max_depth: int) -> bool:
    """Whether arrays and objects are nested more than `max_depth` levels deep."""
    level = [value]
    for _ in range(max_depth + 1):
        level = [
            item
            for container in level
            if isinstance(container, list | dict)
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, list | dict)
        ]
        if not level:
            return False
    return True


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
