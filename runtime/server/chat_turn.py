"""One turn of a chat, from a checked body to the pieces of the answers: what the chat and the responses route share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars.spec import GrammarSpec, JsonText
from slipform.runtime.request import (
    Fill,
    FillFinished,
    GenerateRequest,
    RequestFinished,
    Segment,
    SequenceResult,
    TextDelta,
    TokenIds,
    TokenLogprob,
)
from slipform.runtime.server.bad_words import without_words
from slipform.runtime.server.bounded_constraint import bounded_constraint, check_spec
from slipform.runtime.server.chat_fields import ChatBody, input_grammars, template_messages, template_tools, tool_use
from slipform.runtime.server.chat_parser import ChatParser
from slipform.runtime.server.chat_rendering import text_of
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.generation import Generation
from slipform.runtime.server.http_errors import as_api_error, bad_request, unsupported
from slipform.runtime.server.models import check_model
from slipform.runtime.server.pieces import CustomCallStart, Piece, PieceParser, ReasoningPiece, ToolCallStart
from slipform.runtime.server.reasoning import ReasoningFormat, Start, choose_reasoning
from slipform.runtime.server.routing import ignored_fields
from slipform.runtime.server.sampling_fields import (
    ACCEPTED,
    UNSUPPORTED,
    namespace,
    refuse_unsupported,
    sampling_params,
)
from slipform.runtime.server.services import Services, identity_of, request_id_of, services_of
from slipform.runtime.server.token_shapes import usage
from slipform.runtime.server.tool_calls.custom_inputs import CustomInputs
from slipform.runtime.server.tool_calls.registry import choose_format, writes_tools

# Larger chats are rendered on another thread.
_INLINE_CHARS = 32768


@dataclass(frozen=True, slots=True)
class TurnDelta:
    """More of choice `choice`. `logprobs`: of the tokens behind these pieces, if asked for. `prompt_len`: tokens of the
    prompt."""

    choice: int
    pieces: Sequence[Piece]
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...]
    prompt_len: int


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """Choice `choice` is complete. `finish_reason`: "stop", "length" or "tool_calls"."""

    choice: int
    finish_reason: str
    matched_stop: str | int | None
    prompt_len: int = 0


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A complete choice."""

    end: TurnEnd
    pieces: Sequence[Piece]
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A checked chat, ready to be given to the engine.

    Attributes:
        headers: for the answer. model: the name to answer with.
        has_thoughts_fill: the last fill is the answer; the one before it holds only reasoning.
        reasoning: how the model marks its reasoning, or None; reasoning_start: where its answer begins.
    """

    services: Services
    request: GenerateRequest
    model: str
    headers: dict[str, str]
    constraint: str | None
    max_tokens: int | None
    new_parser: Callable[[], PieceParser]
    has_thoughts_fill: bool
    reasoning: ReasoningFormat | None
    reasoning_start: Start

    def start(self, http_request: Request, *, stream: bool, terms: Mapping[str, str] | None = None) -> Generation:
        """Hand it to the engine. `terms`: as for `ApiError.in_terms`. Raises: ApiError 429 or 503."""
        return Generation.start(
            http_request,
            [self.request],
            stream=stream,
            max_tokens=self.max_tokens,
            constraint=self.constraint,
            terms=terms,
        )

    async def batches(self, generation: Generation) -> AsyncIterator[list[TurnDelta | TurnEnd | RequestFinished]]:
        """The answers' pieces, as many at a time as have come; the engine's result last."""
        answers = [_Answer(index, self.new_parser(), self.has_thoughts_fill) for index in range(self.request.n)]
        async for batch in generation.batches():
            items: list[TurnDelta | TurnEnd | RequestFinished] = []
            for _, event in batch:
                match event:
                    case TextDelta():
                        items += answers[event.sequence_index].push(event)
                    case FillFinished():
                        items += answers[event.sequence_index].end_fill(event)
                    case RequestFinished():
                        items.append(event)
            if items:
                yield items

    def whole(self, sequence: SequenceResult) -> WholeAnswer:
        """The answer of a finished sequence."""
        answer = _Answer(sequence.index, self.new_parser(), self.has_thoughts_fill)
        pieces: list[Piece] = []
        end = TurnEnd(sequence.index, "length", None)
        for index, fill in enumerate(sequence.fills):
            pieces += answer.parse(index, fill.text)
            finished = FillFinished(self.request.request_id, sequence.index, index, fill)
            for item in answer.end_fill(finished):
                if isinstance(item, TurnEnd):
                    end = item
                else:
                    pieces += item.pieces
        token_ids = tuple(token_id for fill in sequence.fills for token_id in fill.token_ids)
        logprobs = tuple(entry for fill in sequence.fills for entry in fill.logprobs)
        return WholeAnswer(end, pieces, token_ids, logprobs)

    def usage(self, finished: RequestFinished) -> dict[str, Any]:
        """The usage, with the tokens of the reasoning where the model marks it."""
        shape = usage([finished])
        if self.reasoning is not None:
            count = sum(map(self._num_reasoning_tokens, finished.sequences))
            shape["completion_tokens_details"] = {"reasoning_tokens": count}
        return shape

    def _num_reasoning_tokens(self, sequence: SequenceResult) -> int:
        if self.reasoning is None or not sequence.fills:
            return 0
        first, spellings = sequence.fills[0], self.services.info.spellings
        if self.has_thoughts_fill:
            return len(first.token_ids)
        spelled = [spellings[token_id] for token_id in first.token_ids]
        return self.reasoning.num_tokens(spelled, self.reasoning_start, seam_len=first.seam_len)


class _Answer:
    """The text of one sequence on its way through the parsers."""

    def __init__(self, choice: int, parser: PieceParser, has_thoughts_fill: bool) -> None:
        self._choice = choice
        self._parser = parser
        self._last_fill = 1 if has_thoughts_fill else 0
        self._calls_tools = False
        self._held_ids: tuple[int, ...] = ()
        self._held_logprobs: tuple[TokenLogprob, ...] = ()

    def parse(self, fill_index: int, text: str) -> list[Piece]:
        if fill_index < self._last_fill:
            return [ReasoningPiece(text)] if text else []
        return self._noted(self._parser.push(text))

    def push(self, event: TextDelta) -> list[TurnDelta]:
        """The pieces that new text makes certain; its tokens wait for the next ones if there are none."""
        self._held_ids += event.token_ids
        self._held_logprobs += event.logprobs
        pieces = self.parse(event.fill_index, event.text)
        return [self._taken(pieces, event.prompt_len)] if pieces or self._held_logprobs else []

    def end_fill(self, event: FillFinished) -> list[TurnDelta | TurnEnd]:
        """What a finished fill sets free; behind the last one, the end."""
        if event.fill_index < self._last_fill:
            return []
        items: list[TurnDelta | TurnEnd] = []
        pieces = self._noted(self._parser.finish())
        if pieces or self._held_ids:
            items.append(self._taken(pieces, event.prompt_len))
        reason: str = event.result.finish_reason
        if reason == "stop" and self._calls_tools:
            reason = "tool_calls"
        items.append(TurnEnd(self._choice, reason, event.result.matched_stop, event.prompt_len))
        return items

    def _taken(self, pieces: Sequence[Piece], prompt_len: int) -> TurnDelta:
        delta = TurnDelta(self._choice, pieces, self._held_ids, self._held_logprobs, prompt_len)
        self._held_ids, self._held_logprobs = (), ()
        return delta

    def _noted(self, pieces: Sequence[Piece]) -> list[Piece]:
        self._calls_tools = self._calls_tools or any(
            isinstance(piece, ToolCallStart | CustomCallStart) for piece in pieces
        )
        return list(pieces)


async def prepare_turn(http_request: Request, body: ChatBody) -> ChatTurn:
    """Check a chat and make it an engine request. Raises: ApiError naming the field that is wrong."""
    services = services_of(http_request)
    settings = services.settings
    refuse_unsupported(body, {"add_special_tokens"})
    if (body.model_extra or {}).get("add_special_tokens"):
        raise unsupported("add_special_tokens", "the chat template writes them")
    headers = ignored_fields(http_request, body, CONSTRAINT_FIELDS | ACCEPTED | UNSUPPORTED.keys())
    model = check_model(services, body.model)
    _check_bounds(body, services)
    constraint = bounded_constraint(body.model_extra, settings.bounds)
    await _check_input_grammars(body, services)
    max_tokens = body.max_completion_tokens or body.max_tokens
    prompt = await _render(body, services)
    reasoning = choose_reasoning(settings.reasoning_format, services.renderer.template)
    start = reasoning.start(text_of(prompt)) if reasoning is not None else "closed"
    spec = constraint.spec if constraint else None
    fills, new_parser = _plan(body, services, reasoning, start, answer=spec, max_tokens=max_tokens)
    request = GenerateRequest(
        request_id=body.request_id or body.rid or request_id_of(http_request),
        segments=(*prompt, *fills),
        n=body.n or 1,
        prompt_logprobs_from=None if body.prompt_logprobs is None else 0,
        prompt_top_logprobs=body.prompt_logprobs or 0,
        priority=body.priority or 0,
        namespace=namespace(identity_of(http_request).salt, body),
        deadline_s=min(body.timeout or settings.request_timeout_s, settings.request_timeout_s),
        reserve_tokens=max_tokens or 0,
    )
    return ChatTurn(
        services=services,
        request=request,
        model=model,
        headers=headers,
        constraint=constraint.kind if constraint else None,
        max_tokens=max_tokens,
        new_parser=new_parser,
        has_thoughts_fill=sum(isinstance(segment, Fill) for segment in fills) > 1,
        reasoning=reasoning,
        reasoning_start=start if body.thinking_token_budget is None else "closed",
    )


def _check_bounds(body: ChatBody, services: Services) -> None:
    bounds = services.settings.bounds
    for name, values, limit in (("messages", body.messages, bounds.messages), ("tools", body.tools, bounds.tools)):
        if len(values or ()) > limit:
            raise bad_request(f"at most {limit}, got {len(values or ())}", name)
    if (body.n or 1) > bounds.n:
        raise bad_request(f"at most {bounds.n}, got {body.n}", "n")
    if body.top_logprobs is not None and not body.logprobs:
        raise bad_request("needs logprobs", "top_logprobs")
    if (body.top_logprobs or 0) > bounds.logprobs:
        raise bad_request(f"at most {bounds.logprobs}, got {body.top_logprobs}", "top_logprobs")
    if body.stream_options is not None and not body.stream:
        raise bad_request("needs stream", "stream_options")
    if body.prompt_logprobs is not None and body.stream:
        raise bad_request("cannot be streamed", "prompt_logprobs", "unsupported_parameter")
    if (body.prompt_logprobs or 0) > bounds.logprobs:
        raise bad_request(f"at most {bounds.logprobs}, got {body.prompt_logprobs}", "prompt_logprobs")
    if body.continue_final_message and body.add_generation_prompt:
        raise bad_request("cannot be combined with continue_final_message", "add_generation_prompt")
    if body.continue_final_message and body.messages[-1].role != "assistant":
        raise bad_request("needs a last message of the assistant", "continue_final_message")


async def _check_input_grammars(body: ChatBody, services: Services) -> None:
    """Raises: ApiError 400 naming the grammar that cannot be compiled, or cannot stand in a JSON string."""
    for field, grammar in input_grammars(body).items():
        spec = JsonText(grammar)
        check_spec(spec, services.settings.bounds, field)
        try:
            await services.engine.compile(spec)
        except SlipformError as error:
            raise as_api_error(error, param=field) from error


async def _render(body: ChatBody, services: Services) -> tuple[Segment, ...]:
    if body.input_ids is not None:
        if max(body.input_ids) >= services.info.vocab_size:
            raise bad_request(f"token ids must be below {services.info.vocab_size}", "input_ids")
        return (TokenIds(tuple(body.input_ids)),)
    renderer = services.renderer
    messages = template_messages(body.messages)
    tools = template_tools(body)
    if tools and not writes_tools(renderer.template):
        use = tool_use(body)
        assert use is not None
        format_ = choose_format(services.settings.tool_format, renderer.template)
        messages = _with_instructions(messages, format_.instructions(use.tools))
    variables = dict(body.chat_template_kwargs or {})
    for name in ("messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "chat_template"):
        if name in variables:
            raise bad_request("is a field of its own", f"chat_template_kwargs.{name}")
    if body.reasoning_effort is not None:
        variables.setdefault("reasoning_effort", body.reasoning_effort)
        variables.setdefault("enable_thinking", body.reasoning_effort != "none")
        variables.setdefault("thinking", body.reasoning_effort != "none")

    def render() -> tuple[Segment, ...]:
        continues = bool(body.continue_final_message)
        prompts = body.add_generation_prompt if body.add_generation_prompt is not None else not continues
        return renderer.render(
            messages,
            tools=tools,
            add_generation_prompt=prompts,
            continue_final_message=continues,
            variables=variables,
        )

    num_chars = sum(len(message["content"]) for message in messages)
    if num_chars <= _INLINE_CHARS and len(messages) <= 64 and not tools:
        return render()
    return await asyncio.to_thread(render)


def _with_instructions(messages: list[dict[str, Any]], instructions: str) -> list[dict[str, Any]]:
    if messages[0]["role"] == "system":
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{instructions}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": instructions}, *messages]


def _plan(
    body: ChatBody,
    services: Services,
    thinking: ReasoningFormat | None,
    start: Start,
    *,
    answer: GrammarSpec | None,
    max_tokens: int | None,
) -> tuple[tuple[Segment, ...], Callable[[], PieceParser]]:
    """What to append to the prompt, and how to read what the model makes of it."""
    settings, template = services.settings, services.renderer.template
    sampling = sampling_params(
        body,
        settings.bounds,
        max_tokens=max_tokens,
        max_context=services.info.max_context,
        num_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )
    answer = without_words(answer, body.bad_words, settings.bounds)
    use = tool_use(body)
    has_calls = use is not None and use.choice != "none"
    format_ = choose_format(settings.tool_format, template) if has_calls else None
    if format_ is not None and use is not None:
        answer = format_.constraint(use, answer)
        if answer is not None:
            check_spec(answer, settings.bounds, "tools")
    spec = thinking.constraint(answer, start) if thinking is not None else answer
    fills: tuple[Segment, ...] = (Fill(None, sampling, spec, finish=body.finish or "cut"),)
    budget = body.thinking_token_budget
    if budget is not None and thinking is not None and start != "closed":
        try:
            fills = thinking.budgeted(Fill(None, sampling, answer, finish=body.finish or "cut"), budget, start)
        except InvalidRequest as error:
            raise as_api_error(error) from error
        start = "closed"

    def new_parser() -> PieceParser:
        calls: PieceParser | None = None
        if format_ is not None and use is not None:
            custom = {tool.name for tool in use.tools if tool.input is not None}
            calls = format_.parser(use.tools)
            calls = CustomInputs(calls, custom) if custom else calls
        splits = thinking is not None and start != "closed" and body.separate_reasoning is not False
        return ChatParser(thinking.parser(start) if splits and thinking is not None else None, calls)

    return fills, new_parser
