"""POST /v1/programs: fused segments of text and fills in one request, Slipform's own wire format.

The body is a `GenerateRequest` as `slipform.runtime.wire` writes it. With `stream` the events come one by one as
they would from an engine in the same process; without, the answer is the terminal event.
"""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.errors import InvalidRequest, SlipformError
from slipform.runtime.request import Fill, GenerateRequest, RequestFailed, TokenIds
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.bounded_constraint import check_spec
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import ApiError, as_api_error, bad_request
from slipform.runtime.server.routing import JsonRoute, json_answer
from slipform.runtime.server.services import Services, identity_of, request_id_of, services_of
from slipform.runtime.server.sse import DONE, data, stream_answer
from slipform.runtime.wire import PROGRAM_NAME, event_to_plain, request_from_plain

router = APIRouter(route_class=JsonRoute, tags=["programs"])

_NOT_THE_ENGINES = frozenset({"stream", "program"})


class ProgramBody(Body):
    """A `GenerateRequest`. Unlike elsewhere, unknown fields are errors."""

    segments: list[dict[str, Any]] = Field(
        min_length=1,
        description='`{"type": "text", "text", "parse_special"}`, `{"type": "token_ids", "ids"}` or '
        '`{"type": "fill", "name", "sampling", "constraint", "heal", "finish"}`.',
    )
    request_id: str | None = Field(default=None, min_length=1, max_length=128)
    n: int = Field(default=1, ge=1)
    stream: bool = False
    program: str | None = Field(
        default=None, pattern=PROGRAM_NAME, description="The program that sends it; a label of the server's metrics."
    )


class ProgramAnswer(BaseModel):
    """The terminal event."""

    type: str
    request_id: str
    sequences: list[dict[str, Any]]
    times: dict[str, float]


@router.post("/v1/programs", response_model=None, responses=documented(ProgramAnswer, streams=True))
async def run_program(request: Request, body: ProgramBody) -> Response:
    """Execute segments in order; the model fills the holes."""
    services = services_of(request)
    engine_request = _read(request, body, services)
    generation = Generation.start(request, [engine_request], stream=body.stream, program=body.program)
    if body.stream:
        return await stream_answer(request, _chunks(engine_request.request_id, generation))
    async with generation:
        generation.watch(request)
        (finished,) = await generation.results()
    return json_answer(event_to_plain(finished))


async def _chunks(request_id: str, generation: Generation) -> AsyncGenerator[bytes, None]:
    """Every event; a failure behind the first one is the event that an engine would send."""
    is_begun = False
    async with generation:
        try:
            async for batch in generation.batches():
                yield b"".join([data(event_to_plain(event)) for _, event in batch])
                is_begun = True
        except ApiError as error:
            if not is_begun or not isinstance(error.__cause__, SlipformError):
                raise
            yield data(event_to_plain(RequestFailed(request_id, error.__cause__)))
        yield DONE


def _read(request: Request, body: ProgramBody, services: Services) -> GenerateRequest:
    bounds, settings = services.settings.bounds, services.settings
    plain = {name: value for name, value in body.model_dump(exclude_unset=True).items() if name not in _NOT_THE_ENGINES}
    plain["request_id"] = body.request_id or request_id_of(request)
    try:
        program = request_from_plain(plain)
    except InvalidRequest as error:
        raise as_api_error(error) from error
    if len(program.segments) > bounds.segments:
        raise bad_request(f"at most {bounds.segments}, got {len(program.segments)}", "segments")
    if program.n > bounds.n:
        raise bad_request(f"at most {bounds.n}, got {program.n}", "n")
    if abs(program.priority) > 1000:
        raise bad_request("must be in [-1000, 1000]", "priority")
    limit = min(services.info.max_context, bounds.max_tokens or services.info.max_context)
    for index, segment in enumerate(program.segments):
        where = f"segments[{index}]"
        if isinstance(segment, TokenIds) and max(segment.ids, default=0) >= services.info.vocab_size:
            raise bad_request(f"token ids must be below {services.info.vocab_size}", f"{where}.ids")
        if not isinstance(segment, Fill):
            continue
        sampling = segment.sampling
        if sampling.max_tokens > limit:
            raise bad_request(f"must be at most {limit}, got {sampling.max_tokens}", f"{where}.sampling.max_tokens")
        if sampling.top_logprobs > bounds.logprobs:
            raise bad_request(f"must be at most {bounds.logprobs}", f"{where}.sampling.top_logprobs")
        stops = (*sampling.stop, *sampling.stop_regex)
        if len(stops) + len(sampling.stop_token_ids) > bounds.stops or any(len(s) > bounds.stop_chars for s in stops):
            message = f"at most {bounds.stops} stops of at most {bounds.stop_chars} characters"
            raise bad_request(message, f"{where}.sampling.stop")
        if segment.constraint is not None:
            check_spec(segment.constraint, bounds, f"{where}.constraint")
    for name in ("prompt_top_logprobs", "trace_top_logprobs"):
        if getattr(program, name) > bounds.logprobs:
            raise bad_request(f"must be at most {bounds.logprobs}", name)
    salt = identity_of(request).salt
    deadline_s = min(program.deadline_s or settings.request_timeout_s, settings.request_timeout_s)
    namespace = f"{salt}/{program.namespace}" if salt or program.namespace else ""
    return replace(program, namespace=namespace, deadline_s=deadline_s)
