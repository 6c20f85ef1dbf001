"""POST /v1/grammar/compile and /v1/grammar/match: constraints tried out without a model's help."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.bounded_constraint import bounded_constraint, check_spec
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.http_errors import as_api_error, bad_request
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.services import services_of
from slipform.runtime.wire import spec_from_plain, spec_to_plain

router = APIRouter(route_class=JsonRoute, tags=["grammars"])


class GrammarBody(Body):
    """A constraint: Slipform's own `constraint`, or the constraint fields of any dialect."""

    constraint: dict[str, Any] | None = Field(
        default=None, description='Such as `{"type": "regex", "pattern": "[0-9]+"}`.'
    )


class MatchBody(GrammarBody):
    text: str


class CompileAnswer(BaseModel):
    """`seconds`: compilation, or the time to find it compiled. `bytes`: memory of its tables."""

    constraint: dict[str, Any]
    seconds: float
    bytes: int


class MatchAnswer(BaseModel):
    """`matches`: the whole text does. `is_prefix`: some continuation does. `accepted_bytes`: of the text, in UTF-8."""

    matches: bool
    is_prefix: bool
    accepted_bytes: int


@router.post("/v1/grammar/compile", response_model=None, responses=documented(CompileAnswer))
async def compile_grammar(request: Request, body: GrammarBody) -> Response:
    """Compile a constraint, so that the first request with it need not wait; or learn why it is refused."""
    headers, spec = _read(request, body)
    began_s = time.monotonic()
    try:
        num_bytes = await services_of(request).engine.compile(spec)
    except SlipformError as error:
        raise as_api_error(error, param="constraint") from error
    seconds = time.monotonic() - began_s
    return json_answer({"constraint": spec_to_plain(spec), "seconds": seconds, "bytes": num_bytes}, headers)


@router.post("/v1/grammar/match", response_model=None, responses=documented(MatchAnswer))
async def match_grammar(request: Request, body: MatchBody) -> Response:
    """Whether a text matches a constraint, or how far."""
    headers, spec = _read(request, body)
    try:
        answer = await services_of(request).engine.match(spec, body.text)
    except SlipformError as error:
        raise as_api_error(error, param="constraint") from error
    return json_answer(answer, headers)


def _read(request: Request, body: GrammarBody) -> tuple[dict[str, str], GrammarSpec]:
    headers = ignored_fields(request, body, CONSTRAINT_FIELDS)
    bounds = services_of(request).settings.bounds
    found = bounded_constraint(body.model_extra, bounds)
    if (found is None) == (body.constraint is None):
        raise bad_request("exactly one constraint is needed", "constraint")
    if found is not None:
        return headers, found.spec
    try:
        spec = spec_from_plain(body.constraint)
    except InvalidRequest as error:
        raise as_api_error(error) from error
    check_spec(spec, bounds, "constraint")
    return headers, spec
