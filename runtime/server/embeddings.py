"""POST /v1/embeddings: texts as vectors, pooled from the served model's last layer."""

import asyncio
import base64
import struct
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.errors import SlipformError
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.http_errors import ApiError, as_api_error, bad_request, unsupported
from slipform.runtime.server.models import check_model
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.services import Services, services_of
from slipform.runtime.server.texts_or_ids import TextsOrIds

# Embeddings are made one request at a time: so much may wait, and one may take so long.
MAX_WAITING = 64
MAX_TOKENS = 65536

router = APIRouter(route_class=JsonRoute, tags=["embeddings"])


class EmbeddingsBody(Body):
    """The body of /v1/embeddings."""

    input: TextsOrIds = Field(description="One text or several.")
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, ge=1, description="Only the model's own number.")
    pooling: Literal["mean", "last"] | None = Field(None, description="Of the states of all tokens, or of the last.")
    user: str | None = None


class Embedding(BaseModel):
    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingsUsage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(BaseModel):
    """`pooling`: how the vectors were made of the tokens' states."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    pooling: Literal["mean", "last"]
    usage: EmbeddingsUsage


@router.post("/v1/embeddings", response_model=None, responses=documented(EmbeddingsAnswer))
async def create_embeddings(request: Request, body: EmbeddingsBody) -> Response:
    """One vector of length 1 for each text."""
    services = services_of(request)
    headers = ignored_fields(request, body)
    model = check_model(services, body.model)
    pooling = body.pooling or "mean"
    if services.num_embedding >= MAX_WAITING:
        raise ApiError(429, f"{MAX_WAITING} requests for embeddings wait already", code="queue_full", retry_after_s=1)
    services.num_embedding += 1
    try:
        async with asyncio.timeout(services.settings.request_timeout_s):
            texts = await _token_ids(services, body.input)
            vectors = await services.engine.ask("embed", [texts, pooling])
    except SlipformError as error:
        raise as_api_error(error) from error
    except TimeoutError as error:
        raise ApiError(504, "the request's time is over", code="deadline_exceeded") from error
    finally:
        services.num_embedding -= 1
    if body.dimensions is not None and body.dimensions != len(vectors[0]):
        raise unsupported("dimensions", f"this model's embeddings have {len(vectors[0])}")
    as_text = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if as_text else vector}
        for index, vector in enumerate(vectors)
    ]
    num_tokens = sum(map(len, texts))
    usage = {"prompt_tokens": num_tokens, "total_tokens": num_tokens}
    answer: dict[str, Any] = {"object": "list", "data": data, "model": model, "pooling": pooling, "usage": usage}
    return json_answer(answer, headers)


async def _token_ids(services: Services, given: str | list[Any]) -> list[list[int]]:
    """The texts as tokens. Raises: ApiError 400 for none, too many, or one that does not fit."""
    several = given if isinstance(given, list) and not (given and isinstance(given[0], int)) else [given]
    bounds, info = services.settings.bounds, services.info
    if not several:
        raise bad_request("must not be empty", "input")
    if len(several) > bounds.prompts:
        raise bad_request(f"at most {bounds.prompts} texts, got {len(several)}", "input")
    texts = await asyncio.gather(*(_encoded(services, text) for text in several))
    for index, ids in enumerate(texts):
        if not 0 < len(ids) <= info.max_context:
            raise bad_request(f"needs 1 to {info.max_context} tokens, got {len(ids)}", f"input[{index}]")
        if max(ids) >= info.vocab_size:
            raise bad_request(f"token ids must be below {info.vocab_size}", f"input[{index}]")
    if sum(map(len, texts)) > MAX_TOKENS:
        raise bad_request(f"at most {MAX_TOKENS} tokens a request", "input")
    return list(texts)


async def _encoded(services: Services, text: str | list[int]) -> list[int]:
    return await services.engine.encode(text, at_start=True) if isinstance(text, str) else text


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
