"""Any API that speaks OpenAI's protocol as a backend: constraints are mapped to what it offers, and always checked."""

import asyncio
import logging
import os
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import httpx

from slipform.errors import BackendError, SlipformError
from slipform.grammars.spec import GrammarSpec
from slipform.lang.arguments import checked
from slipform.lang.backend import Call, Listener, ScoreRequest, Scores, Unreported
from slipform.lang.backends.http_client import HttpCall, HttpClient
from slipform.lang.backends.openai_answers import Answer, AnswerStream, answers_of
from slipform.lang.backends.openai_constraints import JsonMode, Mapped, Server, map_constraint
from slipform.lang.backends.openai_context import Contexts
from slipform.lang.backends.openai_fields import sampling_fields
from slipform.lang.backends.openai_messages import MessageFiller
from slipform.lang.chat_template import ChatTemplate
from slipform.lang.choices import OptionScore
from slipform.lang.offline import matches
from slipform.lang.steps import new_future
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Fill,
    FillFinished,
    FillResult,
    FinishReason,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    RequestTimes,
    SequenceResult,
    Text,
    TextDelta,
    TokenLogprob,
)

_log = logging.getLogger(__name__)


class OpenAI:
    """Runs programs on a remote model.

        sf.set_default_backend(sf.OpenAI("gpt-5-mini"))
        sf.set_default_backend(sf.OpenAI("Qwen/Qwen3-8B", base_url="http://gpu:8000/v1", server="vllm"))

    JSON schemas go out as `response_format` (or, by `json_mode="tools"`, as the arguments of a forced call), choices
    and regexes as members of such a schema; vLLM and SGLang get them, and grammars, in their own fields. Every answer
    is checked against its constraint. A constraint that the API cannot enforce is logged once and counted in
    `unenforced`; an answer that misses it is asked for again, and after `attempts` the fill fails.

    Tokens are words here: lengths that programs see are not the model's.

    OpenAI's own API begins every message anew. A program whose messages hold text before a hole, or several holes, runs
    there with `@sf.function(num_api_spec_tokens=…)`: the model writes the whole message, which is asked for again when
    it does not fit, up to `attempts` times.

    Args:
        base_url: of the API, with `/v1`. api_key: OPENAI_API_KEY of the environment where none is given.
        server: whose extra fields the API understands. chat: False uses completions, for programs without roles.
        extra_body: fields added to every request.
        transport: carries the requests instead of the network, for tests.

    Attributes:
        unenforced: how often each kind of constraint went out without the API's promise.
        usage: tokens as the API counted them, `prompt_tokens` and `completion_tokens`.
    """

    fuses = False
    unreported: frozenset[Unreported] = frozenset(("sources", "masks", "seeds", "steps", "times"))

    @checked(primitive="OpenAI")
    def __init__(
        self,
        model: str,
        *,
        base_url: str = "https://api.openai.com/v1",
        api_key: str | None = None,
        server: Server = "openai",
        chat: bool = True,
        json_mode: JsonMode = "json_schema",
        attempts: int = 3,
        extra_body: Mapping[str, Any] | None = None,
        max_connections: int = 64,
        timeout_s: float = 600.0,
        retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.model = model
        self.unenforced: Counter[str] = Counter()
        self.usage: Counter[str] = Counter()
        self._server = server
        self._chat = chat
        self._json_mode = json_mode
        self._attempts = attempts
        self._extra_body = dict(extra_body or {})
        self._contexts = Contexts()
        self._messages = MessageFiller(self._contexts, self._ask, attempts)
        self._lock = threading.Lock()
        self._http = HttpClient(
            base_url,
            api_key=api_key or os.environ.get("OPENAI_API_KEY"),
            max_connections=max_connections,
            timeout_s=timeout_s,
            retries=retries,
            transport=transport,
        )

    @property
    def name(self) -> str:
        return f"{self.model} at {self._http.base_url}"

    @property
    def chat_template(self) -> ChatTemplate | None:
        return self._contexts.template if self._chat else None

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        return self._contexts.tokens.encode(text, parse_special=parse_special)

    def decode(self, token_ids: Sequence[int]) -> str:
        return self._contexts.tokens.decode(token_ids)

    def prepare(self, specs: Sequence[GrammarSpec]) -> None:
        """The API compiles what it gets when it gets it."""

    def flush_cache(self) -> None:
        raise BackendError("has no cache that can be flushed", program=self.name)

    def server_info(self) -> Mapping[str, Any]:
        return {"model": self.model, "url": self._http.base_url, **self.usage, "unenforced": dict(self.unenforced)}

    def close(self) -> None:
        self._http.close()

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        """Raises: BackendError for what no such API can do, UnsupportedField for what this one cannot."""
        call = HttpCall(self._http, request.request_id, listener)
        fills = [segment for segment in request.segments if isinstance(segment, Fill)]
        if request.prompt_logprobs_from is not None:
            raise BackendError("cannot give log-probabilities of a prompt", program=self.name)
        if not fills:  # it warms a cache, and this one is the API's own business
            ids = self._contexts.encode(request.segments)
            nothing = SequenceResult(0, ids, "", (), "stop", len(ids), 0)
            call.deliver(RequestFinished(request.request_id, (nothing,), RequestTimes(0.0, 0.0, 0.0)))
            return call
        if len(fills) > 1 or request.segments[-1] is not fills[0]:
            raise BackendError("fills one hole a request, at its end", program=self.name)
        path, body, mapped = self._translate(request, fills[0])
        call.follow(self._http.start(self._run(request, fills[0], path, body, mapped, call)))
        return call

    @property
    def writes_messages(self) -> bool:
        """Whether only whole messages can be asked for; see `WritesMessages`."""
        return self._chat and self._server == "openai"

    def submit_messages(self, request: GenerateRequest, listener: Listener, num_tokens: int) -> Call:
        """See `WritesMessages.submit_messages`. A single hole that its message begins with is asked for by itself where
        the API enforces its constraint or several texts are wanted."""
        fills = [segment for segment in request.segments if isinstance(segment, Fill)]
        if not fills or request.n > 1 or request.prompt_logprobs_from is not None or self._stands_alone(request, fills):
            return self.submit(request, listener)
        for fill in fills:
            if fill.constraint is not None:
                self._note_unenforced(fill)
        call = HttpCall(self._http, request.request_id, listener)
        call.follow(self._http.start(self._run_messages(request, num_tokens, call)))
        return call

    def _stands_alone(self, request: GenerateRequest, fills: Sequence[Fill]) -> bool:
        if len(fills) > 1 or fills[0].constraint is None:
            return False
        messages = self._contexts.messages(self._contexts.encode(request.segments))
        return messages is not None and not messages.begun

    async def _run_messages(self, request: GenerateRequest, num_tokens: int, call: HttpCall) -> None:
        """As `_run`, for whole messages."""
        try:
            results, total = await self._messages.fill(request.segments, num_tokens)
        except SlipformError as error:
            call.deliver(RequestFailed(request.request_id, error))
            return
        for index, result in enumerate(results):
            call.deliver(TextDelta(request.request_id, 0, index, result.text, result.token_ids))
            call.deliver(FillFinished(request.request_id, 0, index, result))
        filled = iter(results)
        whole = [Text(next(filled).text) if isinstance(part, Fill) else part for part in request.segments]
        ids = self._contexts.encode(whole)
        text = "".join(part.text for part in whole if isinstance(part, Text))
        sequence = SequenceResult(0, ids, text, tuple(results), "stop", total.prompt_tokens, total.cached_tokens)
        call.deliver(RequestFinished(request.request_id, (sequence,), RequestTimes(0.0, 0.0, 0.0)))

    async def _ask(self, messages: list[dict[str, str]], sampling: SamplingParams) -> Answer:
        """The message that follows `messages`."""
        tokens = self._contexts.tokens
        own_markers = [index for index in sampling.stop_token_ids if tokens.is_special(index)]
        fields = sampling_fields(sampling, self._server, chat=True, own_markers=own_markers)
        body = {"model": self.model, **fields, **self._extra_body, "messages": messages}
        (answer,) = answers_of(await self._http.fetch("POST", "/chat/completions", body))
        self._count_usage(answer)
        return answer

    def _translate(self, request: GenerateRequest, fill: Fill) -> tuple[str, dict[str, Any], Mapped]:
        ids = self._contexts.encode(request.segments)
        own_markers = [index for index in fill.sampling.stop_token_ids if self._contexts.tokens.is_special(index)]
        mapped = map_constraint(fill.constraint, self._server, self._json_mode)
        sampling = fill.sampling
        if request.trace_top_logprobs:
            sampling = sampling.replace(
                logprobs=True, top_logprobs=max(sampling.top_logprobs, request.trace_top_logprobs)
            )
        body: dict[str, Any] = {
            "model": self.model,
            **sampling_fields(sampling, self._server, chat=self._chat, own_markers=own_markers),
            **mapped.fields,
            **({"n": request.n} if request.n > 1 else {}),
            **self._extra_body,
        }
        if not self._chat:
            return "/completions", {**body, "prompt": self.decode(ids)}, mapped
        messages = self._contexts.messages(ids)
        if messages is None:
            raise BackendError(
                "takes messages: put the program's text into roles, or use chat=False", program=self.name
            )
        body["messages"] = list(messages.closed)
        if messages.begun:
            if self._server == "openai":
                raise BackendError(
                    "cannot go on inside an assistant message that has begun; with "
                    "@sf.function(num_api_spec_tokens=…) the model writes the whole message, which is read against the "
                    "program",
                    program=self.name,
                )
            body["messages"].append({"role": "assistant", "content": messages.begun})
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return "/chat/completions", body, mapped

    async def _run(
        self, request: GenerateRequest, fill: Fill, path: str, body: dict[str, Any], mapped: Mapped, call: HttpCall
    ) -> None:
        """Get the answers and deliver them; whatever happens, the last event is terminal."""
        streams = mapped.is_plain and request.n == 1
        try:
            answers = await (self._streamed(path, body, call) if streams else self._whole(fill, path, body, mapped))
            if streams:
                self._check(fill, answers[0])
        except SlipformError as error:
            call.deliver(RequestFailed(request.request_id, error))
            return
        context = self._contexts.encode(request.segments)
        known = "".join(segment.text for segment in request.segments if isinstance(segment, Text))
        sequences = []
        for index, answer in enumerate(answers):
            result = self._result(fill, answer)
            if not streams:
                call.deliver(TextDelta(request.request_id, index, 0, result.text, result.token_ids))
            call.deliver(FillFinished(request.request_id, index, 0, result))
            ids = (*context, *result.token_ids)
            text, reason = known + result.text, result.finish_reason
            sequences.append(
                SequenceResult(index, ids, text, (result,), reason, answer.prompt_tokens, answer.cached_tokens)
            )
        call.deliver(RequestFinished(request.request_id, tuple(sequences), RequestTimes(0.0, 0.0, 0.0)))

    async def _streamed(self, path: str, body: dict[str, Any], call: HttpCall) -> list[Answer]:
        stream = AnswerStream()
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        async for chunk in self._http.events(path, body):
            if text := stream.push(chunk):
                call.deliver(TextDelta(call.request_id, 0, 0, text, self.encode(text)))
        answer = stream.answer()
        self._count_usage(answer)
        return [answer]

    async def _whole(self, fill: Fill, path: str, body: dict[str, Any], mapped: Mapped) -> list[Answer]:
        """Ask until every answer matches; where the API promises that, once."""
        if not mapped.enforced:
            self._note_unenforced(fill)
        for attempt in range(self._attempts):
            answers = answers_of(await self._http.fetch("POST", path, body))
            self._count_usage(answers[0])
            try:
                for answer in answers:
                    answer.text = _read(mapped, answer)
                    self._check(fill, answer)
            except BackendError:
                if mapped.enforced or attempt == self._attempts - 1:
                    raise
            else:
                return answers
        raise BackendError("attempts must be at least 1", program=self.name)

    def _check(self, fill: Fill, answer: Answer) -> None:
        """Raises: BackendError for a complete answer that does not match."""
        spec = fill.constraint
        if spec is None or answer.finish_reason == "length" or matches(spec, answer.text):
            return
        kind = type(spec).__name__
        raise BackendError(
            f"answered {answer.text[:200]!r}, which the {kind} does not allow, and the API did not enforce it",
            program=self.name,
        )

    def _note_unenforced(self, fill: Fill) -> None:
        kind = type(fill.constraint).__name__
        with self._lock:
            self.unenforced[kind] += 1
            first = self.unenforced[kind] == 1
        if first:
            _log.warning("%s cannot enforce %s: answers are only checked", self.name, kind)

    def _count_usage(self, answer: Answer) -> None:
        with self._lock:
            self.usage.update(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)

    def _result(self, fill: Fill, answer: Answer) -> FillResult:
        ids = self.encode(answer.text)
        name = self._contexts.tokens.whole
        logprobs = tuple(
            TokenLogprob(name(token), logprob, tuple((name(other), value) for other, value in top))
            for token, logprob, top in answer.logprobs
        )
        reason: FinishReason = "length" if answer.finish_reason == "length" else "stop"
        return FillResult(fill.name, answer.text, ids, reason, answer.stop_reason, logprobs, num_sampled=len(ids))

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        """Options are read by echo, which only completions offer."""
        if self._chat or request.unconditional:
            failed = new_future()
            failed.set_exception(
                BackendError(
                    "cannot score options; use choices_method=sf.masked_decoding, or chat=False",
                    program=self.name,
                    primitive="select",
                )
            )
            return failed
        return self._http.start(self._score(request))

    async def _score(self, request: ScoreRequest) -> Scores:
        ids = self._contexts.encode(request.context)
        context = self.decode(ids)
        body = {"model": self.model, "max_tokens": 0, "echo": True, "logprobs": 0, **self._extra_body}
        bodies = [{**body, "prompt": context + option} for option in request.options]
        found = await asyncio.gather(*(self._http.fetch("POST", "/completions", body) for body in bodies))
        return Scores(tuple(self._option_score(body, len(context)) for body in found), len(ids), 0)

    def _option_score(self, body: Any, begin: int) -> OptionScore:
        """Tokens that reach beyond the first `begin` characters."""
        try:
            (answer,) = answers_of(body)
            offsets = body["choices"][0]["logprobs"]["text_offset"]
        except (KeyError, TypeError) as error:
            raise BackendError("does not return the log-probabilities of an echo", program=self.name) from error
        kept = [entry for entry, offset in zip(answer.logprobs, offsets, strict=True) if offset + len(entry[0]) > begin]
        return OptionScore(
            tuple(self._contexts.tokens.whole(token) for token, _, _ in kept), tuple(value for _, value, _ in kept)
        )


def _read(mapped: Mapped, answer: Answer) -> str:
    """The text that the constraint speaks of. Raises: BackendError if the API's promise of JSON was not kept."""
    if answer.finish_reason == "length":
        return answer.text
    try:
        return mapped.read(answer.text)
    except ValueError as error:
        raise BackendError(f"the API answered {answer.text[:200]!r} where JSON was asked for") from error
