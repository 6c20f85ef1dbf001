"""Routes for operators: is it alive, does it work, what has it done, and stop that."""

import asyncio
import contextlib
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.errors import SlipformError
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import ApiError, as_api_error, bad_request
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.services import identity_of, request_id_of, services_of

router = APIRouter(route_class=JsonRoute, tags=["operations"])

_STATISTICS_TIMEOUT_S = 2.0


class Status(BaseModel):
    status: str


class Readiness(BaseModel):
    """`engine`: starting, ready, restarting or stopped."""

    status: str
    engine: str
    restarts: int


class Freed(BaseModel):
    freed_slots: int


class AbortBody(Body):
    rid: str | None = Field(default=None, description="Of the request to end.")
    request_id: str | None = None
    abort_all: bool = Field(default=False, description="End all requests; needs the scope admin.")


class Aborted(BaseModel):
    aborted: int


class ServerInfo(BaseModel):
    """Lengths in tokens. `statistics`: the engine's counters and sizes, if it answers in time."""

    version: str
    model: str
    state: str
    restarts: int
    requests_in_flight: int
    device: str
    dtype: str
    chat_template: str | None
    special_tokens: dict[str, str]
    special_texts: list[str]
    eos_ids: list[int]
    vocab_size: int
    max_context: int
    max_sequences: int
    max_n: int
    pool_slots: int
    bounds: dict[str, Any]
    statistics: dict[str, Any] | None


@router.get("/health", response_model=Status)
async def health(request: Request) -> Response:
    """This process lives. The only route that needs no key."""
    return json_answer({"status": "ok"})


@router.get("/ready", response_model=None, responses=documented(Readiness))
async def ready(request: Request) -> Response:
    """Whether new requests are taken now: 200, or 503 while the engine starts or the server goes down."""
    services = services_of(request)
    engine = services.engine
    takes = engine.state == "ready" and not services.draining
    status = "ready" if takes else "draining" if services.draining else "not ready"
    answer = {"status": status, "engine": engine.state, "restarts": engine.num_restarts}
    return json_answer(answer, None if takes else {"retry-after": str(engine.retry_after_s)}, 200 if takes else 503)


@router.get("/health_generate", response_model=None, responses=documented(Status))
async def health_generate(request: Request) -> Response:
    """The engine makes a token: 200, or the error that it made instead."""
    sampling = SamplingParams(max_tokens=1, temperature=0.0)
    probe = GenerateRequest(
        request_id_of(request),
        (Text("Hello"), Fill(None, sampling)),
        priority=1000,
        namespace="health",
        deadline_s=30.0,
    )
    async with Generation.start(request, [probe], stream=False) as generation:
        generation.watch(request)
        await generation.results()
    return json_answer({"status": "ok"})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus text."""
    services = services_of(request)
    # An engine that is down or busy still has a past; whatever comes of asking, the latest statistics are kept.
    with contextlib.suppress(TimeoutError, SlipformError):
        async with asyncio.timeout(_STATISTICS_TIMEOUT_S):
            await services.engine.statistics()
    statistics = services.engine.last_statistics
    body, content_type = services.observer.render(statistics)
    return Response(body, media_type=content_type)


@router.get("/server_info", response_model=None, responses=documented(ServerInfo))
@router.get("/get_server_info", response_model=None, responses=documented(ServerInfo), include_in_schema=False)
async def server_info(request: Request) -> Response:
    """What runs here: model, engine, bounds, counters."""
    services = services_of(request)
    info = services.info
    try:
        async with asyncio.timeout(_STATISTICS_TIMEOUT_S):
            statistics = asdict(await services.engine.statistics())
    except (TimeoutError, SlipformError):
        statistics = None
    answer = {
        "version": services.fingerprint.removeprefix("slipform-"),
        "model": services.settings.model_name,
        "state": services.engine.state,
        "restarts": services.engine.num_restarts,
        "requests_in_flight": services.engine.num_in_flight,
        **{name: getattr(info, name) for name in info.__struct_fields__ if name not in ("spellings", "model", "pid")},
        "bounds": asdict(services.settings.bounds),
        "statistics": statistics,
    }
    return json_answer(answer)


@router.post("/flush_cache", response_model=None, responses=documented(Freed))
async def flush_cache(request: Request) -> Response:
    """Forget cached prefixes that no running sequence uses."""
    try:
        freed = await services_of(request).engine.flush_cache()
    except SlipformError as error:
        raise as_api_error(error) from error
    return json_answer({"freed_slots": freed})


@router.post("/abort_request", response_model=None, responses=documented(Aborted))
async def abort_request(request: Request, body: AbortBody) -> Response:
    """End requests in flight: their own callers are answered with an error."""
    headers = ignored_fields(request, body)
    identity, engine = identity_of(request), services_of(request).engine
    request_id = body.rid or body.request_id
    if body.abort_all:
        if not identity.may("admin"):
            raise ApiError(403, "aborting all requests needs the scope 'admin'", code="insufficient_scope")
        return json_answer({"aborted": engine.abort()}, headers)
    if request_id is None:
        raise bad_request("is needed, or abort_all", "rid")
    salt = None if identity.may("admin") else identity.salt
    return json_answer({"aborted": engine.abort(request_id, salt=salt)}, headers)
