"""POST /v1/chat/completions."""

import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from slipform.runtime.request import RequestFinished, TokenLogprob
from slipform.runtime.server.answers import ChatAnswer, documented
from slipform.runtime.server.bodies import StreamOptions
from slipform.runtime.server.chat_fields import ChatBody
from slipform.runtime.server.chat_turn import ChatTurn, TurnDelta, TurnEnd, WholeAnswer, prepare_turn
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.pieces import (
    ContentPiece,
    CustomCallInput,
    CustomCallStart,
    Piece,
    ReasoningPiece,
    ToolCallArguments,
    ToolCallStart,
)
from slipform.runtime.server.routing import JsonRoute, json_answer
from slipform.runtime.server.services import request_id_of
from slipform.runtime.server.sse import DONE, ChunkWriter, data, stream_answer
from slipform.runtime.server.token_shapes import chat_logprobs, prompt_logprobs, running_usage

router = APIRouter(route_class=JsonRoute, tags=["generation"])


@router.post("/v1/chat/completions", response_model=None, responses=documented(ChatAnswer, streams=True))
async def create_chat_completion(request: Request, body: ChatBody) -> Response:
    """Answer a chat, with text, tool calls or both."""
    turn = await prepare_turn(request, body)
    head = {
        "id": f"chatcmpl-{request_id_of(request)}",
        "object": "chat.completion.chunk" if body.stream else "chat.completion",
        "created": int(time.time()),
        "model": turn.model,
        "system_fingerprint": turn.services.fingerprint,
    }
    generation = turn.start(request, stream=bool(body.stream))
    if body.stream:
        return await stream_answer(request, _chunks(turn, body, head, generation), turn.headers)
    async with generation:
        generation.watch(request)
        (finished,) = await generation.results()
    choices = [_choice(body, turn, turn.whole(sequence)) for sequence in finished.sequences]
    answer: dict[str, Any] = {**head, "choices": choices, "usage": turn.usage(finished)}
    if body.prompt_logprobs is not None:
        answer["prompt_logprobs"] = prompt_logprobs(finished.sequences[0], turn.services.info.spellings)
    return json_answer(answer, turn.headers)


def message_of(pieces: Iterable[Piece]) -> dict[str, Any]:
    """The assistant's message that pieces make up."""
    content: list[str] = []
    reasoning: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        match piece:
            case ContentPiece(text):
                content.append(text)
            case ReasoningPiece(text):
                reasoning.append(text)
            case ToolCallStart(index, name):
                calls[index] = {"id": call_id(), "type": "function", "function": {"name": name, "arguments": ""}}
            case ToolCallArguments(index, text):
                calls[index]["function"]["arguments"] += text
            case CustomCallStart(index, name):
                calls[index] = {"id": call_id(), "type": "custom", "custom": {"name": name, "input": ""}}
            case CustomCallInput(index, text):
                calls[index]["custom"]["input"] += text
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content), "refusal": None}
    if calls and not message["content"].strip():
        message["content"] = None
    if reasoning:
        message["reasoning_content"] = "".join(reasoning)
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return message


def call_id() -> str:
    """A new id of a tool call."""
    return f"call_{secrets.token_hex(12)}"


def _choice(body: ChatBody, turn: ChatTurn, answer: WholeAnswer) -> dict[str, Any]:
    message = message_of(_wanted(body, answer.pieces))
    if echoed := body.echoed:
        message["content"] = echoed + (message["content"] or "")
    choice: dict[str, Any] = {
        "index": answer.end.choice,
        "message": message,
        "logprobs": _logprobs(body, turn, answer.logprobs),
        "finish_reason": answer.end.finish_reason,
        "stop_reason": answer.end.matched_stop,
    }
    if body.return_token_ids:
        choice["token_ids"] = list(answer.token_ids)
    return choice


async def _chunks(
    turn: ChatTurn, body: ChatBody, head: dict[str, Any], generation: Generation
) -> AsyncGenerator[bytes, None]:
    options = body.stream_options or StreamOptions()
    counts: Counter[int] = Counter()
    held_reasoning: dict[int, str] = {}
    writer = ChunkWriter(head)

    def chunk(
        index: int, delta: dict[str, Any], prompt_len: int, finish_reason: str | None = None, **changes: Any
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason, **changes}
        if not options.wants_usage:
            return writer.chunk(choice)
        return writer.chunk(choice, usage=running_usage(prompt_len, counts[index]) if options.counts_on else None)

    def chunks_of(item: TurnDelta | TurnEnd | RequestFinished) -> Iterator[bytes]:
        match item:
            case TurnDelta(index, pieces, token_ids, logprobs, prompt_len):
                counts[index] += len(token_ids)
                deltas = _deltas(_wanted(body, pieces), held_reasoning, index, hold=body.stream_reasoning is False)
                changes: dict[str, Any] = {}
                if body.logprobs and logprobs:
                    changes["logprobs"] = _logprobs(body, turn, logprobs)
                if body.return_token_ids and token_ids:
                    changes["token_ids"] = list(token_ids)
                for delta in deltas or ([{}] if changes else []):
                    yield chunk(index, delta, prompt_len, **changes)
                    changes = {}
            case TurnEnd(index, reason, matched_stop, prompt_len):
                if held_reasoning.get(index):
                    yield chunk(index, {"reasoning_content": held_reasoning.pop(index)}, prompt_len)
                yield chunk(index, {}, prompt_len, reason, stop_reason=matched_stop)
            case RequestFinished():
                if options.wants_usage:
                    yield data({**head, "choices": [], "usage": turn.usage(item)})

    async with generation:
        is_begun = False
        async for batch in turn.batches(generation):
            chunks: list[bytes] = []
            if not is_begun and not isinstance(batch[0], RequestFinished):
                is_begun = True
                greetings = [{"role": "assistant", "content": ""}]
                if echoed := body.echoed:
                    greetings.append({"content": echoed})
                for index in range(turn.request.n):
                    chunks += [chunk(index, greeting, batch[0].prompt_len) for greeting in greetings]
            chunks += [part for item in batch for part in chunks_of(item)]
            if chunks:
                yield b"".join(chunks)
        yield DONE


def _deltas(pieces: Iterable[Piece], held: dict[int, str], index: int, *, hold: bool) -> list[dict[str, Any]]:
    """The deltas of pieces. With `hold`, reasoning is kept in `held` until something else comes."""
    deltas: list[dict[str, Any]] = []
    for piece in pieces:
        if isinstance(piece, ReasoningPiece):
            if hold:
                held[index] = held.get(index, "") + piece.text
            else:
                deltas.append({"reasoning_content": piece.text})
            continue
        if held.get(index):
            deltas.append({"reasoning_content": held.pop(index)})
        match piece:
            case ContentPiece(text):
                deltas.append({"content": text})
            case ToolCallStart(number, name):
                function = {"name": name, "arguments": ""}
                call = {"index": number, "id": call_id(), "type": "function", "function": function}
                deltas.append({"tool_calls": [call]})
            case ToolCallArguments(number, text):
                deltas.append({"tool_calls": [{"index": number, "function": {"arguments": text}}]})
            case CustomCallStart(number, name):
                call = {"index": number, "id": call_id(), "type": "custom", "custom": {"name": name, "input": ""}}
                deltas.append({"tool_calls": [call]})
            case CustomCallInput(number, text):
                deltas.append({"tool_calls": [{"index": number, "custom": {"input": text}}]})
    return deltas


def _wanted(body: ChatBody, pieces: Sequence[Piece]) -> Sequence[Piece]:
    if body.include_reasoning is not False:
        return pieces
    return [piece for piece in pieces if not isinstance(piece, ReasoningPiece)]


def _logprobs(body: ChatBody, turn: ChatTurn, entries: Sequence[TokenLogprob]) -> dict[str, Any] | None:
    return chat_logprobs(entries, turn.services.info.spellings) if body.logprobs else None
