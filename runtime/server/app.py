"""The application: routes, errors and the gate before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import get_close_matches
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from slipform.errors import SlipformError
from slipform.runtime.server import (
    chat,
    completions,
    embeddings,
    generate,
    grammar_routes,
    models,
    operations,
    other_servers,
    programs,
    responses,
    scores,
    tokens,
)
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.http_errors import ApiError, as_api_error
from slipform.runtime.server.middleware import REQUEST_ID_HEADER, Gate
from slipform.runtime.server.observer import Observer, SilentObserver
from slipform.runtime.server.routing import BodyRoutes, invalid_value
from slipform.runtime.server.services import Services
from slipform.runtime.server.settings import ServerSettings

_ROUTERS = (
    chat.router,
    completions.router,
    responses.router,
    embeddings.router,
    scores.router,
    models.router,
    generate.router,
    programs.router,
    grammar_routes.router,
    tokens.router,
    operations.router,
    other_servers.router,
)


def create_app(
    engine: EngineClient,
    settings: ServerSettings | None = None,
    *,
    keys: ApiKeys | None = None,
    observer: Observer | None = None,
) -> FastAPI:
    """The server as an ASGI application. It starts the engine when it starts, and closes it when it ends.

    Args:
        keys: of clients; without any, everyone may do everything.
        observer: told of every request.
    """
    services = Services(
        settings=settings or ServerSettings(),
        engine=engine,
        keys=keys or ApiKeys(),
        observer=observer or SilentObserver(),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        await engine.close()

    app = FastAPI(
        title="Slipform",
        version=version("slipform"),
        description="Structured generation: the OpenAI API, SGLang's /generate, and Slipform's own routes.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router)
    app.add_exception_handler(ApiError, _answer_api_error)
    app.add_exception_handler(SlipformError, _answer_slipform_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_defect)
    app.add_middleware(BodyRoutes, routers=_ROUTERS)
    app.add_middleware(Gate, services=services)  # around it
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(services.settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", REQUEST_ID_HEADER],
            expose_headers=[REQUEST_ID_HEADER, "retry-after"],
        )
    return app


async def _answer_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _answer_slipform_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SlipformError)
    return as_api_error(error).response()


async def _answer_validation_error(_: Request, error: Exception) -> Response:
    """A query that is wrong."""
    assert isinstance(error, RequestValidationError)
    return invalid_value([(one["loc"][1:], one["msg"]) for one in error.errors()]).response()


async def _answer_http_error(request: Request, error: Exception) -> Response:
    """What FastAPI refuses: routes that do not exist, and methods that one does not have."""
    assert isinstance(error, HTTPException)
    path, status = request.url.path, error.status_code
    if status == 404:
        known = [route.path for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)]
        close = get_close_matches(path, known, 1)
        hint = f"did you mean {close[0]}?" if close else "GET /openapi.json lists its routes"
        return ApiError(404, f"this server has no route {path}; {hint}", code="unknown_route").response()
    if status == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{path} does not take {request.method}, but {allowed}"
        return ApiError(405, message, code="method_not_allowed").response(error.headers)
    return ApiError(status, str(error.detail)).response(error.headers)


async def _answer_defect(_: Request, error: Exception) -> Response:
    """A defect of the server; the log has the details, the client need not."""
    return as_api_error(SlipformError(str(error))).response()
