"""POST /v1/responses and its relatives: OpenAI's newer shape of a chat, with functions, text.format and memory.

Responses are kept in this process's memory only, within bounds, and belong to the key that made them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from slipform.runtime.request import RequestFinished
from slipform.runtime.server.answers import documented
from slipform.runtime.server.chat_fields import Message
from slipform.runtime.server.chat_turn import ChatTurn, TurnDelta, TurnEnd, prepare_turn
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import ApiError, bad_request
from slipform.runtime.server.responses_fields import (
    InputItem,
    ResponsesBody,
    chat_body,
    chat_messages,
    check_unsupported,
    own_terms,
)
from slipform.runtime.server.responses_input import page, shown_items
from slipform.runtime.server.responses_output import Output
from slipform.runtime.server.responses_store import ResponseStore, StoredResponse
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.sampling_fields import ACCEPTED, UNSUPPORTED
from slipform.runtime.server.services import identity_of, request_id_of, services_of
from slipform.runtime.server.sse import json_line, stream_answer
from slipform.runtime.server.token_shapes import chat_logprobs

router = APIRouter(route_class=JsonRoute, tags=["responses"])


class ResponseAnswer(BaseModel):
    """A response. `status`: queued, in_progress, completed, incomplete, failed or cancelled."""

    id: str
    object: Literal["response"]
    created_at: float
    status: str
    model: str
    output: list[dict[str, Any]]
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    incomplete_details: dict[str, Any] | None


class InputItems(BaseModel):
    object: Literal["list"]
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedResponse(BaseModel):
    id: str
    object: Literal["response"]
    deleted: bool


@dataclass(slots=True)
class _Call:
    """One response on its way."""

    body: ResponsesBody
    turn: ChatTurn
    messages: list[Message]
    response: dict[str, Any]
    headers: dict[str, str]
    items: list[dict[str, Any]]
    output: Output = field(default_factory=Output)
    finish_reason: str = "length"

    def take(self, batch: Sequence[TurnDelta | TurnEnd | RequestFinished]) -> Iterator[dict[str, Any]]:
        """Keep `response` current; yields the events of the output, which hold only until the next one."""
        for item in batch:
            match item:
                case TurnDelta(_, pieces, _, logprobs, _):
                    shown = chat_logprobs(logprobs, self.turn.services.info.spellings)["content"]
                    yield from self.output.push(pieces, shown)
                case TurnEnd(_, reason, _, _):
                    self.finish_reason = reason
                    yield from self.output.finish(complete=reason != "length")
                case RequestFinished():
                    self._finish(item, self.finish_reason)

    def _finish(self, finished: RequestFinished, reason: str) -> None:
        tokens = self.turn.usage(finished)
        details = tokens.get("completion_tokens_details", {"reasoning_tokens": 0})
        is_cut = reason == "length"
        self.response |= {
            "status": "incomplete" if is_cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "output": self.output.items,
            "usage": {
                "input_tokens": tokens["prompt_tokens"],
                "input_tokens_details": {**tokens["prompt_tokens_details"], "cache_write_tokens": 0},
                "output_tokens": tokens["completion_tokens"],
                "output_tokens_details": details,
                "total_tokens": tokens["total_tokens"],
            },
        }

    def fail(self, error: ApiError) -> None:
        self.response |= {
            "status": "failed",
            "output": self.output.items,
            "error": {"code": error.code or "server_error", "message": error.message},
        }


@router.post("/v1/responses", response_model=None, responses=documented(ResponseAnswer, streams=True))
async def create_response(request: Request, body: ResponsesBody) -> Response:
    """Answer an input: text, function calls, or both."""
    call = await _prepare(request, body)
    generation = call.turn.start(request, stream=True, terms=own_terms(body))
    store = _store_of(request)
    owner = identity_of(request).salt
    if body.background:
        entry = StoredResponse(call.response, owner, call.messages, call.items)
        entry.task = asyncio.create_task(_run_in_background(call, generation, store, entry))
        store.put(entry)
        return json_answer(call.response, call.headers)
    keeps = store if body.store is not False else None
    if body.stream:
        return await stream_answer(request, _chunks(call, generation, keeps, owner), call.headers)
    async with generation:
        generation.watch(request)
        await _run(call, generation)
    _keep(call, keeps, owner)
    return json_answer(call.response, call.headers)


@router.get("/v1/responses/{response_id}", response_model=None, responses=documented(ResponseAnswer))
async def get_response(request: Request, response_id: str) -> Response:
    """A response that was kept."""
    return json_answer(_stored(request, response_id).response)


@router.get("/v1/responses/{response_id}/input_items", response_model=None, responses=documented(InputItems))
async def get_input_items(
    request: Request,
    response_id: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> Response:
    """The input of a response that was kept, the newest item first."""
    return json_answer(page(_stored(request, response_id).items, limit, order, after))


@router.post("/v1/responses/{response_id}/cancel", response_model=None, responses=documented(ResponseAnswer))
async def cancel_response(request: Request, response_id: str) -> Response:
    """End a response that works in the background; one that is over stays as it is."""
    entry = _stored(request, response_id)
    if not entry.response["background"]:
        raise bad_request("only responses in the background can be cancelled", "response_id")
    if entry.task is not None:
        entry.task.cancel()
        await asyncio.wait((entry.task,))
    return json_answer(entry.response)


@router.delete("/v1/responses/{response_id}", response_model=None, responses=documented(DeletedResponse))
async def delete_response(request: Request, response_id: str) -> Response:
    """Forget a response; one in the background ends."""
    entry = _stored(request, response_id)
    if entry.task is not None:
        entry.task.cancel()
        await asyncio.wait((entry.task,))
    _store_of(request).remove(response_id)
    return json_answer({"id": response_id, "object": "response", "deleted": True})


async def _prepare(request: Request, body: ResponsesBody) -> _Call:
    """Check the body. Raises: ApiError in terms of its own fields."""
    check_unsupported(body)
    headers = ignored_fields(request, body, CONSTRAINT_FIELDS | ACCEPTED | UNSUPPORTED.keys() | {"max_tool_calls"})
    earlier: list[Message] = []
    if body.previous_response_id is not None:
        entry = _store_of(request).get(body.previous_response_id, identity_of(request).salt)
        if entry is None:
            message = f"no response {body.previous_response_id!r} is kept here"
            raise ApiError(404, message, param="previous_response_id", code="response_not_found")
        if entry.task is not None:
            raise ApiError(409, "the response is not complete yet", param="previous_response_id")
        earlier = entry.messages
    messages = [*earlier, *chat_messages(body.input)]
    try:
        turn = await prepare_turn(request, chat_body(body, messages, body.model))
    except ApiError as error:
        raise error.in_terms(own_terms(body)) from error
    response = _new_response(body, f"resp_{request_id_of(request)}", turn.model)
    return _Call(body, turn, messages, response, headers, shown_items(body.input))


def _new_response(body: ResponsesBody, response_id: str, model: str) -> dict[str, Any]:
    form = body.text.format if body.text is not None else None
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "queued" if body.background else "in_progress",
        "background": bool(body.background),
        "model": model,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "store": body.store is not False,
        "temperature": 1.0 if body.temperature is None else body.temperature,
        "text": {"format": form or {"type": "text"}},
        "tool_choice": _plain_choice(body),
        "tools": [tool.shown for tool in body.tools or ()],
        "top_logprobs": body.top_logprobs,
        "top_p": 1.0 if body.top_p is None else body.top_p,
        "truncation": "disabled",
        "usage": None,
    }


def _plain_choice(body: ResponsesBody) -> Any:
    choice = body.tool_choice
    return choice.model_dump() if isinstance(choice, BaseModel) else choice or "auto"


async def _run(call: _Call, generation: Generation) -> None:
    async for batch in call.turn.batches(generation):
        for _ in call.take(batch):
            pass


async def _chunks(
    call: _Call, generation: Generation, store: ResponseStore | None, owner: str
) -> AsyncGenerator[bytes, None]:
    number = 0

    def chunk(event: dict[str, Any]) -> bytes:
        nonlocal number
        number += 1
        encoded = json_line({**event, "sequence_number": number - 1})
        return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded)

    async with generation:
        batches = call.turn.batches(generation)
        try:
            batch: list[TurnDelta | TurnEnd | RequestFinished] = await anext(batches, [])
            yield chunk({"type": "response.created", "response": call.response})
            yield chunk({"type": "response.in_progress", "response": call.response})
            while batch:
                if chunks := b"".join(map(chunk, call.take(batch))):
                    yield chunks
                batch = await anext(batches, [])
        except ApiError as error:
            if not number:
                raise
            call.fail(error)
        _keep(call, store, owner)
        yield chunk({"type": f"response.{call.response['status']}", "response": call.response})


async def _run_in_background(call: _Call, generation: Generation, store: ResponseStore, entry: StoredResponse) -> None:
    call.response["status"] = "in_progress"
    try:
        async with generation:
            await _run(call, generation)
    except ApiError as error:
        call.fail(error)
    except asyncio.CancelledError:
        call.response |= {"status": "cancelled", "output": call.output.items}
    finally:
        entry.task = None
    _keep(call, store, entry.owner, entry)


def _keep(call: _Call, store: ResponseStore | None, owner: str, entry: StoredResponse | None = None) -> None:
    if store is None:
        return
    entry = entry or StoredResponse(call.response, owner, call.messages, call.items)
    calls = ("function_call", "custom_tool_call")
    written = [item for item in call.output.items if item["status"] == "completed" or item["type"] not in calls]
    entry.messages = [*call.messages, *_as_messages(written)]
    store.put(entry)


def _as_messages(items: list[dict[str, Any]]) -> list[Message]:
    """An output as the input of what follows."""
    return chat_messages([InputItem.model_validate(item) for item in items])


def _stored(request: Request, response_id: str) -> StoredResponse:
    entry = _store_of(request).get(response_id, identity_of(request).salt)
    if entry is None:
        raise ApiError(404, f"no response {response_id[:80]!r} is kept here", code="response_not_found")
    return entry


def _store_of(request: Request) -> ResponseStore:
    return services_of(request).responses
