"""POST /generate: SGLang's native route."""

import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.runtime.request import (
    Event,
    Fill,
    GenerateRequest,
    RequestFinished,
    Segment,
    SequenceResult,
    Text,
    TextDelta,
    TokenIds,
    TokenLogprob,
)
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bad_words import without_words
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.bounded_constraint import bounded_constraint
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.sampling_fields import (
    ACCEPTED,
    UNSUPPORTED,
    SamplingFields,
    TokenId,
    namespace,
    refuse_unsupported,
    sampling_params,
)
from slipform.runtime.server.services import Services, identity_of, request_id_of, services_of
from slipform.runtime.server.sse import DONE, data, stream_answer
from slipform.runtime.server.token_shapes import finite, token_text

router = APIRouter(route_class=JsonRoute, tags=["generation"])

_DEFAULT_MAX_NEW_TOKENS = 128
_OWN_TERMS = {"max_tokens": "max_new_tokens"}


class NativeSampling(SamplingFields):
    """`sampling_params`: sampling and constraint fields under SGLang's names."""

    max_new_tokens: int | None = Field(default=None, ge=0, description="128 by default; 0 only computes the prompt.")
    min_new_tokens: int | None = Field(default=None, ge=0)
    sampling_seed: int | None = None
    n: int | None = Field(default=None, ge=1)


class GenerateBody(Body):
    """The body of /generate. Of `text` and `input_ids` exactly one."""

    text: str | list[str] | None = None
    input_ids: list[TokenId] | list[list[TokenId]] | None = None
    sampling_params: NativeSampling | list[NativeSampling] | None = None
    rid: str | list[str] | None = None
    return_logprob: bool | None = None
    logprob_start_len: int | None = Field(default=None, ge=-1, description="-1: no log-probabilities of the prompt.")
    top_logprobs_num: int | None = Field(default=None, ge=0)
    return_text_in_logprobs: bool | None = None
    token_ids_logprob: list[TokenId] | None = Field(
        default=None, description="With return_logprob: these tokens' log-probabilities at each token of the answer."
    )
    stream: bool | None = None
    priority: int | None = Field(default=None, ge=-1000, le=1000)
    extra_key: str | None = Field(default=None, max_length=256)
    cache_salt: str | None = Field(default=None, max_length=256)


class FinishInfo(BaseModel):
    type: str
    matched: str | int | None = None
    length: int | None = None


class MetaInfo(BaseModel):
    id: str
    finish_reason: FinishInfo | None
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    weight_version: str
    e2e_latency: float | None = None
    input_token_logprobs: list[Any] | None = None
    output_token_logprobs: list[Any] | None = None
    input_top_logprobs: list[Any] | None = None
    output_top_logprobs: list[Any] | None = None
    output_token_ids_logprobs: list[Any] | None = None


class GenerateAnswer(BaseModel):
    text: str
    output_ids: list[int]
    meta_info: MetaInfo


@dataclass(slots=True)
class _Call:
    body: GenerateBody
    services: Services
    requests: list[GenerateRequest]
    ids: list[str]
    is_batch: bool
    began_s: float = field(default_factory=time.monotonic)


@router.post("/generate", response_model=None, responses=documented(GenerateAnswer, streams=True))
async def generate(request: Request, body: GenerateBody) -> Response:
    """Continue one prompt or a batch. A batch, or n above 1, is answered with a list."""
    refuse_unsupported(body)
    known = CONSTRAINT_FIELDS | ACCEPTED | UNSUPPORTED.keys()
    headers = ignored_fields(request, body, known | {f"sampling_params.{name}" for name in known})
    call = _check(request, body)
    generation = Generation.start(request, call.requests, stream=bool(body.stream), terms=_OWN_TERMS)
    if body.stream:
        return await stream_answer(request, _chunks(call, generation), headers)
    async with generation:
        generation.watch(request)
        results = await generation.results()
    answers = [_answer(call, index, seq) for index, result in enumerate(results) for seq in result.sequences]
    return json_answer(answers if call.is_batch or len(answers) > 1 else answers[0], headers)


def _check(request: Request, body: GenerateBody) -> _Call:
    services = services_of(request)
    bounds = services.settings.bounds
    prompts, is_batch = _prompts(body)
    params = body.sampling_params or NativeSampling()
    all_params = params if isinstance(params, list) else [params] * len(prompts)
    if len(all_params) != len(prompts):
        raise bad_request(f"needs one entry a prompt ({len(prompts)}), got {len(all_params)}", "sampling_params")
    if not prompts or len(prompts) > bounds.prompts:
        raise bad_request(f"1 to {bounds.prompts} prompts, got {len(prompts)}", "text")
    if any((one.n or 1) > bounds.n for one in all_params):
        raise bad_request(f"at most {bounds.n}", "sampling_params.n")
    if sum(one.n or 1 for one in all_params) > bounds.sequences:
        raise bad_request(f"at most {bounds.sequences} sequences", "sampling_params.n")
    rids = body.rid if isinstance(body.rid, list) else [body.rid or request_id_of(request)] * len(prompts)
    if len(rids) != len(prompts):
        raise bad_request(f"needs one entry a prompt ({len(prompts)}), got {len(rids)}", "rid")
    for prompt in prompts:
        if isinstance(prompt, TokenIds) and max(prompt.ids, default=0) >= services.info.vocab_size:
            raise bad_request(f"token ids must be below {services.info.vocab_size}", "input_ids")
    requests = [
        _request(request, body, prompt, one, rid) for prompt, one, rid in zip(prompts, all_params, rids, strict=True)
    ]
    return _Call(body, services, requests, list(rids), is_batch)


def _prompts(body: GenerateBody) -> tuple[list[Segment], bool]:
    if (body.text is None) == (body.input_ids is None):
        raise bad_request("exactly one of text and input_ids is needed", "text")
    if body.text is not None:
        texts = [body.text] if isinstance(body.text, str) else body.text
        return [Text(text) for text in texts], isinstance(body.text, list)
    ids = body.input_ids or []
    if ids and isinstance(ids[0], int):
        return [TokenIds(tuple(ids))], False
    return [TokenIds(tuple(one)) for one in cast(list[list[int]], ids)], True


def _request(
    request: Request, body: GenerateBody, prompt: Segment, params: NativeSampling, rid: str
) -> GenerateRequest:
    services = services_of(request)
    settings = services.settings
    refuse_unsupported(params)
    constraint = bounded_constraint(params.model_extra, settings.bounds)
    max_tokens = _DEFAULT_MAX_NEW_TOKENS if params.max_new_tokens is None else params.max_new_tokens
    if params.min_new_tokens is not None or params.sampling_seed is not None:
        names = {"min_tokens": params.min_new_tokens, "seed": params.sampling_seed}
        params = params.model_copy(update={name: value for name, value in names.items() if value is not None})
    num_top = body.top_logprobs_num or 0
    if body.token_ids_logprob:
        if not body.return_logprob:
            raise bad_request("needs return_logprob", "token_ids_logprob")
        params = params.model_copy(update={"logprob_token_ids": body.token_ids_logprob})
    sampling = sampling_params(
        params,
        settings.bounds,
        max_tokens=max_tokens or None,
        max_context=services.info.max_context,
        num_logprobs=num_top if body.return_logprob else None,
    )
    spec = without_words(constraint.spec if constraint else None, params.bad_words, settings.bounds)
    fill = Fill(None, sampling, spec, finish=params.finish or "cut")
    starts = body.logprob_start_len if body.return_logprob else None
    scores_prompt = starts is not None and starts >= 0
    key = params.model_copy(update={"cache_salt": body.cache_salt, "extra_key": body.extra_key})
    return GenerateRequest(
        request_id=rid,
        segments=(prompt, fill) if max_tokens else (prompt,),
        n=params.n or 1,
        prompt_logprobs_from=starts if scores_prompt else None,
        prompt_top_logprobs=num_top if scores_prompt else 0,
        priority=body.priority or params.priority or 0,
        namespace=namespace(identity_of(request).salt, key),
        deadline_s=min(params.timeout or settings.request_timeout_s, settings.request_timeout_s),
        reserve_tokens=params.max_new_tokens or 0,
    )


def _answer(call: _Call, index: int, sequence: SequenceResult) -> dict[str, Any]:
    """The whole answer of one sequence."""
    body = call.body
    fill = sequence.fills[-1] if sequence.fills else None
    meta: dict[str, Any] = {
        "id": call.ids[index],
        "finish_reason": _finish(fill.finish_reason, fill.matched_stop, len(fill.token_ids)) if fill else _finish(),
        "prompt_tokens": sequence.prompt_len,
        "completion_tokens": len(fill.token_ids) if fill else 0,
        "cached_tokens": sequence.cached_len,
        "weight_version": "default",
        "e2e_latency": time.monotonic() - call.began_s,
    }
    if body.return_logprob:
        start = call.requests[index].prompt_logprobs_from
        num_prompt = max(0, sequence.prompt_len - start) if start is not None else 0
        prompt = sequence.prompt_logprobs[:num_prompt]
        _add_logprobs(call, meta, "input", prompt, has_first=start == 0)
        _add_logprobs(call, meta, "output", fill.logprobs if fill else ())
    return {
        "text": fill.text if fill else "",
        "output_ids": list(fill.token_ids) if fill else [],
        "meta_info": meta,
    }


def _add_logprobs(
    call: _Call, meta: dict[str, Any], side: str, entries: tuple[TokenLogprob, ...], *, has_first: bool = False
) -> None:
    """`[log-probability, id, text]` a token; the first token of a context has null."""

    def triple(token_id: int, logprob: float | None) -> list[Any]:
        text = token_text(call.services.info.spellings[token_id]) if call.body.return_text_in_logprobs else None
        return [None if logprob is None else finite(logprob), token_id, text]

    meta[f"{side}_token_logprobs"] = [
        triple(entry.token_id, None if has_first and index == 0 else entry.logprob)
        for index, entry in enumerate(entries)
    ]
    if call.body.top_logprobs_num:
        meta[f"{side}_top_logprobs"] = [
            None
            if has_first and index == 0
            else [triple(token_id, logprob) for token_id, logprob in entry.top[: call.body.top_logprobs_num]]
            for index, entry in enumerate(entries)
        ]
    if call.body.token_ids_logprob and side == "output":
        found = [dict(entry.top) for entry in entries]
        meta["output_token_ids_logprobs"] = [
            [triple(token_id, tops[token_id]) for token_id in call.body.token_ids_logprob] for tops in found
        ]


def _finish(reason: str = "length", matched: str | int | None = None, length: int = 0) -> dict[str, Any]:
    """`{"type": "stop", "matched"}` or `{"type": "length", "length"}`."""
    return {"type": reason, "matched": matched} if reason == "stop" else {"type": reason, "length": length}


async def _chunks(call: _Call, generation: Generation) -> AsyncGenerator[bytes, None]:
    """Each event holds the text so far, the last one of each sequence the whole answer."""
    texts: dict[tuple[int, int], str] = {}
    ids: dict[tuple[int, int], list[int]] = {}
    many = call.is_batch or sum(request.n for request in call.requests) > 1
    first_index = [sum(request.n for request in call.requests[:index]) for index in range(len(call.requests))]

    def events_of(index: int, event: Event) -> Iterator[bytes]:
        if isinstance(event, TextDelta):
            place = (index, event.sequence_index)
            texts[place] = texts.get(place, "") + event.text
            ids.setdefault(place, []).extend(event.token_ids)
            meta = {"id": call.ids[index], "finish_reason": None, "completion_tokens": len(ids[place])}
            answers = [{"text": texts[place], "output_ids": ids[place], "meta_info": meta}]
            places = [event.sequence_index]
        elif isinstance(event, RequestFinished):
            answers = [_answer(call, index, sequence) for sequence in event.sequences]
            places = [sequence.index for sequence in event.sequences]
        else:
            return
        for sequence_index, answer in zip(places, answers, strict=True):
            yield data({**answer, "index": first_index[index] + sequence_index} if many else answer)

    async with generation:
        async for batch in generation.batches():
            if chunks := b"".join([part for index, event in batch for part in events_of(index, event)]):
                yield chunks
        yield DONE
