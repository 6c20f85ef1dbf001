"""POST /v1/completions: texts continued."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field, replace
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from pydantic import Field

from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    GenerateRequest,
    RequestFinished,
    Segment,
    SequenceResult,
    Text,
    TextDelta,
    TokenIds,
)
from slipform.runtime.server.answers import CompletionAnswer, documented
from slipform.runtime.server.bad_words import without_words
from slipform.runtime.server.bodies import StreamOptions
from slipform.runtime.server.bounded_constraint import bounded_constraint
from slipform.runtime.server.dialects.constraint import Constraint
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.models import check_model
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.sampling_fields import (
    ACCEPTED,
    UNSUPPORTED,
    SamplingFields,
    namespace,
    refuse_unsupported,
    sampling_params,
)
from slipform.runtime.server.services import Services, identity_of, request_id_of, services_of
from slipform.runtime.server.sse import DONE, ChunkWriter, data, stream_answer
from slipform.runtime.server.texts_or_ids import TextsOrIds
from slipform.runtime.server.token_shapes import CompletionTokens, prompt_logprobs, running_usage, usage

router = APIRouter(route_class=JsonRoute, tags=["generation"])

_DEFAULT_MAX_TOKENS = 16


class CompletionBody(SamplingFields):
    """The body of /v1/completions."""

    model: str | None = None
    prompt: TextsOrIds = Field(description="One text or several; token ids are taken as they are.")
    max_tokens: int | None = Field(default=None, ge=0, description="16 by default; 0 only scores the prompt.")
    n: int | None = Field(default=None, ge=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: int | None = Field(
        default=None, ge=0, description="Log-probabilities of tokens, and of so many alternatives."
    )
    echo: bool | None = Field(default=None, description="The answer begins with the prompt.")
    best_of: int | None = Field(default=None, description="Only the value of n.")
    prompt_logprobs: int | None = Field(
        default=None, ge=0, description="Log-probabilities of the prompt's tokens, and of so many alternatives."
    )
    return_token_ids: bool | None = None


@dataclass(slots=True)
class _Call:
    """One checked call: what the answer's shapes need."""

    body: CompletionBody
    services: Services
    requests: list[GenerateRequest]
    echoes: list[str]
    model: str
    n: int
    head: dict[str, Any] = field(default_factory=dict)


@router.post("/v1/completions", response_model=None, responses=documented(CompletionAnswer, streams=True))
async def create_completion(request: Request, body: CompletionBody) -> Response:
    """Continue one prompt or several."""
    refuse_unsupported(body, {"echo", "best_of"})
    headers = ignored_fields(request, body, CONSTRAINT_FIELDS | ACCEPTED | UNSUPPORTED.keys())
    constraint = bounded_constraint(body.model_extra, services_of(request).settings.bounds)
    call = await _check(request, body, constraint)
    if body.stream and body.echo and body.logprobs is not None:
        return await stream_answer(request, _scored_chunks(request, call, constraint), headers)
    generation = Generation.start(
        request,
        call.requests,
        stream=bool(body.stream),
        max_tokens=body.max_tokens,
        constraint=constraint.kind if constraint else None,
    )
    if body.stream:
        return await stream_answer(request, _chunks(call, generation, ()), headers)
    async with generation:
        generation.watch(request)
        results = await generation.results()
    choices = [
        _choice(call, prompt_index * call.n + sequence.index, prompt_index, sequence)
        for prompt_index, result in enumerate(results)
        for sequence in result.sequences
    ]
    return json_answer({**call.head, "choices": choices, "usage": usage(results)}, headers)


async def _check(request: Request, body: CompletionBody, constraint: Constraint | None) -> _Call:
    services = services_of(request)
    bounds = services.settings.bounds
    info = services.info
    model = check_model(services, body.model)
    prompts = _prompts(body.prompt)
    n = body.n or 1
    if not prompts or len(prompts) > bounds.prompts:
        raise bad_request(f"1 to {bounds.prompts} prompts, got {len(prompts)}", "prompt")
    if n > bounds.n or n * len(prompts) > bounds.sequences:
        raise bad_request(f"at most {bounds.n}, and {bounds.sequences} with all prompts, got {n}", "n")
    if body.best_of is not None and body.best_of != n:
        raise bad_request("only the value of n is supported", "best_of", "unsupported_parameter")
    if body.stream_options is not None and not body.stream:
        raise bad_request("needs stream", "stream_options")
    if body.prompt_logprobs is not None and body.stream:
        raise bad_request("cannot be streamed", "prompt_logprobs", "unsupported_parameter")
    if (body.prompt_logprobs or 0) > bounds.logprobs:
        raise bad_request(f"at most {bounds.logprobs} alternatives, got {body.prompt_logprobs}", "prompt_logprobs")
    fills = _fills(body, services, constraint)
    echoes_scores = bool(body.echo) and body.logprobs is not None
    scores_prompt = echoes_scores or body.prompt_logprobs is not None
    alternatives = max((body.logprobs or 0) if echoes_scores else 0, body.prompt_logprobs or 0)
    requests = [
        GenerateRequest(
            request_id=body.request_id or body.rid or request_id_of(request),
            segments=(prompt, *fills),
            n=n,
            prompt_logprobs_from=0 if scores_prompt else None,
            prompt_top_logprobs=alternatives,
            priority=body.priority or 0,
            namespace=namespace(identity_of(request).salt, body),
            deadline_s=min(body.timeout or services.settings.request_timeout_s, services.settings.request_timeout_s),
            reserve_tokens=body.max_tokens or 0,
        )
        for prompt in prompts
    ]
    for prompt in prompts:
        if isinstance(prompt, TokenIds) and max(prompt.ids, default=0) >= info.vocab_size:
            raise bad_request(f"token ids must be below {info.vocab_size}", "prompt")
    echoes = [await _text(services, prompt) for prompt in prompts] if body.echo else []
    head = {
        "id": f"cmpl-{request_id_of(request)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": services.fingerprint,
    }
    return _Call(body, services, requests, echoes, model, n, head)


def _prompts(prompt: str | list[str] | list[int] | list[list[int]]) -> list[Segment]:
    if isinstance(prompt, str):
        return [Text(prompt)]
    if prompt and isinstance(prompt[0], int):
        return [TokenIds(tuple(prompt))]
    parts = cast(list[str] | list[list[int]], prompt)
    return [Text(part) if isinstance(part, str) else TokenIds(tuple(part)) for part in parts]


def _fills(body: CompletionBody, services: Services, constraint: Constraint | None) -> tuple[Fill, ...]:
    """The hole behind the prompt; none where only the prompt is to be scored."""
    max_tokens = _DEFAULT_MAX_TOKENS if body.max_tokens is None else body.max_tokens
    sampling = sampling_params(
        body,
        services.settings.bounds,
        max_tokens=max_tokens or None,
        max_context=services.info.max_context,
        num_logprobs=body.logprobs,
    )
    if max_tokens == 0:
        if not body.echo:
            raise bad_request("0 needs echo: there is nothing else to answer with", "max_tokens")
        return ()
    spec = without_words(constraint.spec if constraint else None, body.bad_words, services.settings.bounds)
    return (Fill(None, sampling, spec, finish=body.finish or "cut"),)


async def _text(services: Services, prompt: Segment) -> str:
    if isinstance(prompt, Text):
        return prompt.text
    assert isinstance(prompt, TokenIds)
    return await services.engine.decode(list(prompt.ids))


def _choice(call: _Call, index: int, prompt_index: int, sequence: SequenceResult) -> dict[str, Any]:
    body, spellings = call.body, call.services.info.spellings
    fill = sequence.fills[-1] if sequence.fills else None
    echoed = call.echoes[prompt_index] if body.echo else ""
    logprobs = None
    if body.logprobs is not None:
        if body.echo:
            logprobs = CompletionTokens(spellings).take(sequence.prompt_logprobs, has_first=True)
        elif fill is not None:
            logprobs = CompletionTokens(spellings, -fill.seam_len).take(fill.logprobs)
    choice = {
        "index": index,
        "text": echoed + (fill.text if fill else ""),
        "logprobs": logprobs,
        "finish_reason": fill.finish_reason if fill else "length",
        "stop_reason": fill.matched_stop if fill else None,
    }
    if body.return_token_ids:
        choice["token_ids"] = list(fill.token_ids) if fill else []
    if body.prompt_logprobs is not None:
        choice["prompt_logprobs"] = prompt_logprobs(sequence, spellings)
    return choice


async def _scored_chunks(request: Request, call: _Call, constraint: Constraint | None) -> AsyncGenerator[bytes, None]:
    """A stream that begins with the prompt's log-probabilities: the prompts are scored first, which leaves them in the
    prefix cache for the answers."""
    kind = constraint.kind if constraint else None
    scoring = [replace(one, segments=one.segments[:1], n=1, reserve_tokens=0) for one in call.requests]
    async with Generation.start(request, scoring, stream=False) as generation:
        scored = await generation.results()
    answering = [replace(one, prompt_logprobs_from=None, prompt_top_logprobs=0) for one in call.requests]
    generation = Generation.start(request, answering, stream=True, max_tokens=call.body.max_tokens, constraint=kind)
    async for chunk in _chunks(call, generation, scored):
        yield chunk


async def _chunks(
    call: _Call, generation: Generation, scored: SequenceOf[RequestFinished]
) -> AsyncGenerator[bytes, None]:
    """`scored`: the results of scoring the prompts, where the echo has log-probabilities."""
    body, spellings = call.body, call.services.info.spellings
    options = body.stream_options or StreamOptions()
    shapes: dict[int, CompletionTokens] = {}
    begun: set[int] = set()
    counts: Counter[int] = Counter()
    results: list[RequestFinished] = []
    writer = ChunkWriter(call.head)

    def chunk(index: int, text: str, prompt_len: int | None = None, **changes: Any) -> bytes:
        choice = {"index": index, "text": text, "logprobs": None, "finish_reason": None, **changes}
        if not options.wants_usage:
            return writer.chunk(choice)
        counted = options.counts_on and prompt_len is not None
        return writer.chunk(choice, usage=running_usage(prompt_len or 0, counts[index]) if counted else None)

    def echo_chunk(prompt_index: int, index: int) -> bytes:
        if not scored:
            return chunk(index, call.echoes[prompt_index])
        (sequence,) = scored[prompt_index].sequences
        shapes[index] = CompletionTokens(spellings)
        logprobs = shapes[index].take(sequence.prompt_logprobs, has_first=True)
        return chunk(index, call.echoes[prompt_index], sequence.prompt_len, logprobs=logprobs)

    def chunks_of(prompt_index: int, event: Event) -> Iterator[bytes]:
        first = prompt_index * call.n
        match event:
            case TextDelta(prompt_len=prompt_len):
                index = first + event.sequence_index
                counts[index] += len(event.token_ids)
                changes: dict[str, Any] = {}
                if body.logprobs is not None:
                    if index not in begun:
                        begun.add(index)
                        shapes.setdefault(index, CompletionTokens(spellings)).step_back(event.seam_len)
                    changes["logprobs"] = shapes[index].take(event.logprobs)
                if body.return_token_ids:
                    changes["token_ids"] = list(event.token_ids)
                yield chunk(index, event.text, prompt_len, **changes)
            case FillFinished(result=fill, prompt_len=prompt_len):
                reason, stop = fill.finish_reason, fill.matched_stop
                index = first + event.sequence_index
                yield chunk(index, "", prompt_len, finish_reason=reason, stop_reason=stop)
            case RequestFinished():
                results.append(event)
                for sequence in event.sequences:
                    if not sequence.fills:  # only scored
                        yield chunk(first + sequence.index, "", sequence.prompt_len, finish_reason="length")

    async with generation:
        for prompt_index in range(len(call.echoes)):
            for index in range(prompt_index * call.n, (prompt_index + 1) * call.n):
                yield echo_chunk(prompt_index, index)
        async for batch in generation.batches():
            if chunks := b"".join([part for index, event in batch for part in chunks_of(index, event)]):
                yield chunks
        if options.wants_usage:
            yield data({**call.head, "choices": [], "usage": usage(results)})
        yield DONE
