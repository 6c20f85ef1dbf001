"""How routes read their bodies and write their answers.

FastAPI describes all routes and serves those without a body. Those with one are served by `BodyRoutes`: FastAPI's way
to them, its routers, dependency solver and exit stacks, needs as much time as all the rest of a request, and none of
these routes needs it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, cast, get_type_hints

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from slipform.errors import SlipformError
from slipform.runtime.server.bodies import parse_json
from slipform.runtime.server.http_errors import ApiError, as_api_error, bad_request
from slipform.runtime.server.services import services_of
from slipform.runtime.server.turns import Turns

IGNORED_HEADER = "x-slipform-ignored-fields"


class JsonRoute(APIRoute):
    """A route that may take a JSON body: `async def endpoint(request: Request, body: SomeModel) -> Response`.

    Attributes:
        body_model: the body's model, or None if the endpoint takes none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.body_model: type[BaseModel] | None = get_type_hints(self.endpoint).get("body")

    async def respond(self, request: Request) -> Response:
        """The endpoint's answer to a request whose body is checked first. Raises: ApiError."""
        return cast(Response, await self.endpoint(request, await self._read_body(request)))

    async def _read_body(self, request: Request) -> BaseModel:
        assert self.body_model is not None
        data = await request.body()
        # A body that does not say that it is JSON is not read as such, so that web pages cannot send one without asking
        # first (CORS).
        if data and not _is_json(request.headers.get("content-type", "")):
            raise bad_request("the body: its content-type must be application/json", code="invalid_json")
        value = parse_json(data, services_of(request).settings.bounds.json_depth) if data else None
        if value is None:
            raise bad_request("the body: Field required", code="invalid_json")
        try:
            return self.body_model.model_validate(value)
        except ValidationError as error:
            raise invalid_value([(one["loc"], one["msg"]) for one in error.errors(include_url=False)]) from error


class BodyRoutes:
    """Pure ASGI: POST requests to routes with a body go straight to them, all others to the application."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._turns = Turns()
        self._routes = {
            route.path: route
            for router in routers
            for route in router.routes
            if isinstance(route, JsonRoute) and route.body_model is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        await self._turns.next()
        try:
            response = await route.respond(Request(scope, receive))
        except ApiError as error:
            response = error.response()
        except SlipformError as error:
            response = as_api_error(error).response()
        await response(scope, receive, send)


def invalid_value(errors: Sequence[tuple[tuple[int | str, ...], str]]) -> ApiError:
    """400 that names a field that is wrong, as in `messages[0].content`.

    Args:
        errors: pydantic's: places below the body, and what is wrong there.
    """
    # A union reports each of its kinds; the one that got furthest into the value is the one that was meant.
    location, message = max(errors, key=lambda one: len(one[0]))
    if not location:
        return bad_request(f"the body: {message}", code="invalid_json")
    return bad_request(message, _spelled(location), "invalid_value")


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


def json_answer(value: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """A JSON answer of plain values."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), "application/json")


def _extra_names(body: BaseModel, prefix: str = "") -> Iterator[str]:
    for name in body.model_extra or {}:
        yield prefix + name
    for name in body.model_fields_set:
        value = getattr(body, name, None)
        if isinstance(value, BaseModel):
            yield from _extra_names(value, f"{prefix}{name}.")


def _is_json(content_type: str) -> bool:
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


_KINDS = frozenset({"str", "int", "float", "bool", "dict", "list"})


def _spelled(location: tuple[int | str, ...]) -> str:
    """A field's place. Pydantic also names the kinds of a union that it tried, which clients do not know."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() and part.islower() and part not in _KINDS:
            text += f".{part}" if text else part
    return text
