"""POST /v1/score: how likely label tokens are behind a query and each of several items, as SGLang's users ask for it.

Routes that peers have for models with heads for ranking and classification say that this server has none.
"""

import math
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, RequestFinished, Segment, Text, TokenIds, TokenLogprob
from slipform.runtime.server.answers import Usage, documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import ApiError, bad_request, unsupported
from slipform.runtime.server.models import check_model
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.sampling_fields import ACCEPTED, TokenId
from slipform.runtime.server.services import Services, identity_of, request_id_of, services_of
from slipform.runtime.server.token_shapes import usage

router = APIRouter(route_class=JsonRoute, tags=["scores"])

# vLLM's fields of the same route, for models that compare two texts.
_PAIRS = ("text_1", "text_2", "data_1", "data_2", "queries", "documents")


class ScoreBody(Body):
    """The body of /v1/score."""

    model: str | None = None
    query: str | list[TokenId] = Field(description="A text, or token ids.")
    items: str | list[str] | list[list[TokenId]] = Field(description="Of the kind of the query: one text or several.")
    label_token_ids: list[TokenId] = Field(min_length=1, description="The tokens whose probabilities are wanted.")
    apply_softmax: bool | None = Field(default=None, description="Probabilities among the labels: they sum to 1.")
    item_first: bool | None = Field(default=None, description="Each item stands before the query, not behind it.")


class ScoreAnswer(BaseModel):
    """`scores`: for each item, one number for each label, in their orders."""

    object: Literal["scoring"]
    scores: list[list[float]]
    model: str
    usage: Usage


@router.post("/v1/score", response_model=None, responses=documented(ScoreAnswer))
async def score(request: Request, body: ScoreBody) -> Response:
    """The probabilities of label tokens as the next token behind the query and each item."""
    services = services_of(request)
    for name in _PAIRS:
        if name in (body.model_extra or {}):
            raise unsupported(name, "scores of pairs of texts need a model with a head for them; give query and items")
    headers = ignored_fields(request, body, ACCEPTED)
    model = check_model(services, body.model)
    _check_labels(body.label_token_ids, services)
    requests = _requests(request, body, services)
    generation = Generation.start(request, requests, stream=False, max_tokens=1, terms={"prompt": "items"})
    async with generation:
        generation.watch(request)
        results = await generation.results()
    scores = [_scores(result, body) for result in results]
    # The token that the engine samples behind each prompt is no part of the answer.
    counts = {**usage(results), "completion_tokens": 0}
    counts["total_tokens"] = counts["prompt_tokens"]
    return json_answer({"object": "scoring", "scores": scores, "model": model, "usage": counts}, headers)


@router.post("/v1/rerank", include_in_schema=False)
@router.post("/v2/rerank", include_in_schema=False)
@router.post("/rerank", include_in_schema=False)
@router.post("/v1/classify", include_in_schema=False)
@router.post("/classify", include_in_schema=False)
async def needs_a_head(request: Request) -> Response:
    """501."""
    path = request.url.path
    message = f"{path} needs a model with a head for it, and this server runs models that generate text; see /v1/score"
    raise ApiError(501, message, code="unsupported_model")


def _check_labels(labels: Sequence[int], services: Services) -> None:
    limit, vocab_size = services.settings.bounds.logprob_ids, services.info.vocab_size
    if len(labels) > limit:
        raise bad_request(f"at most {limit} tokens, got {len(labels)}", "label_token_ids")
    if max(labels) >= vocab_size:
        raise bad_request(f"token ids must be below {vocab_size}", "label_token_ids")


def _requests(request: Request, body: ScoreBody, services: Services) -> list[GenerateRequest]:
    """One for each item: a prompt, and one token whose alternatives are the labels."""
    items: Sequence[str | list[int]] = [body.items] if isinstance(body.items, str) else body.items
    limit = services.settings.bounds.sequences
    if not 1 <= len(items) <= limit:
        raise bad_request(f"1 to {limit} items, got {len(items)}", "items")
    labels = tuple(dict.fromkeys(body.label_token_ids))
    sampling = SamplingParams(
        max_tokens=1, temperature=0.0, ignore_eos=True, logprobs=True, top_logprobs=0, logprob_token_ids=labels
    )
    query = _segment(body.query, "query", services)
    identity, deadline_s = identity_of(request), services.settings.request_timeout_s
    requests = []
    for index, item in enumerate(items):
        part = _segment(item, f"items[{index}]", services)
        if type(part) is not type(query):
            raise bad_request("must be of the kind of the query: texts, or token ids", f"items[{index}]")
        prompt = (part, query) if body.item_first else (query, part)
        requests.append(
            GenerateRequest(
                request_id_of(request),
                # Unhealed: the labels are asked for behind the prompt's own tokens.
                (*prompt, Fill(None, sampling, heal=False)),
                namespace=f"{identity.salt}/" if identity.salt else "",
                deadline_s=deadline_s,
            )
        )
    return requests


def _segment(value: str | list[int], field: str, services: Services) -> Segment:
    if isinstance(value, str):
        return Text(value)
    if max(value, default=0) >= services.info.vocab_size:
        raise bad_request(f"token ids must be below {services.info.vocab_size}", field)
    return TokenIds(tuple(value))


def _scores(result: RequestFinished, body: ScoreBody) -> list[float]:
    (entry,) = result.sequences[0].fills[0].logprobs
    found = _logprobs(entry)
    logprobs = [found[label] for label in body.label_token_ids]
    if not body.apply_softmax:
        return [math.exp(logprob) for logprob in logprobs]
    largest = max(logprobs)
    weights = [math.exp(logprob - largest) for logprob in logprobs]
    return [weight / sum(weights) for weight in weights]


def _logprobs(entry: TokenLogprob) -> dict[int, float]:
    return {entry.token_id: entry.logprob, **dict(entry.top)}
