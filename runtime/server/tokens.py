"""POST /tokenize, /detokenize and /apply-template."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from slipform.errors import SlipformError
from slipform.runtime.request import Segment, Text
from slipform.runtime.server.answers import documented
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.chat_fields import ChatBody, Message, ToolDefinition, template_messages, template_tools
from slipform.runtime.server.chat_rendering import text_of
from slipform.runtime.server.http_errors import as_api_error, bad_request
from slipform.runtime.server.models import check_model
from slipform.runtime.server.routing import JsonRoute, ignored_fields, json_answer
from slipform.runtime.server.sampling_fields import TokenId
from slipform.runtime.server.services import Services, services_of
from slipform.runtime.server.token_shapes import token_text

router = APIRouter(route_class=JsonRoute, tags=["tokens"])


class TokenizeBody(Body):
    """Of `prompt` and `messages` exactly one."""

    model: str | None = None
    prompt: str | None = None
    messages: list[Message] | None = Field(default=None, min_length=1)
    tools: list[ToolDefinition] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    add_generation_prompt: bool = True
    add_special_tokens: bool = Field(default=True, description="A prompt begins as the tokenizer begins a text.")
    parse_special: bool = Field(
        default=False, description="Read the texts of special tokens in the prompt as these tokens."
    )
    return_token_strs: bool = False


class TemplateBody(Body):
    """The body of /apply-template."""

    model: str | None = None
    messages: list[Message] = Field(min_length=1)
    tools: list[ToolDefinition] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    add_generation_prompt: bool = True


class TemplateAnswer(BaseModel):
    prompt: str


class TokenizeAnswer(BaseModel):
    tokens: list[int]
    count: int
    max_model_len: int
    token_strs: list[str] | None = None


class DetokenizeBody(Body):
    model: str | None = None
    tokens: list[TokenId]
    skip_special_tokens: bool = False


class DetokenizeAnswer(BaseModel):
    """The same text under vLLM's name and under SGLang's."""

    prompt: str
    text: str


@router.post("/tokenize", response_model=None, responses=documented(TokenizeAnswer))
async def tokenize(request: Request, body: TokenizeBody) -> Response:
    """The tokens of a text, or of a chat as the model sees it."""
    services = services_of(request)
    headers = ignored_fields(request, body)
    check_model(services, body.model)
    info = services.info
    try:
        tokens = await _encode(services, body)
    except SlipformError as error:
        raise as_api_error(error) from error
    answer: dict[str, Any] = {"tokens": tokens, "count": len(tokens), "max_model_len": info.max_context}
    if body.return_token_strs:
        answer["token_strs"] = [token_text(info.spellings[token]) for token in tokens]
    return json_answer(answer, headers)


@router.post("/detokenize", response_model=None, responses=documented(DetokenizeAnswer))
async def detokenize(request: Request, body: DetokenizeBody) -> Response:
    """The text of tokens."""
    services = services_of(request)
    headers = ignored_fields(request, body)
    check_model(services, body.model)
    if max(body.tokens, default=0) >= services.info.vocab_size:
        raise bad_request(f"token ids must be below {services.info.vocab_size}", "tokens")
    try:
        text = await services.engine.decode(body.tokens, skip_special_tokens=body.skip_special_tokens)
    except SlipformError as error:
        raise as_api_error(error) from error
    return json_answer({"prompt": text, "text": text}, headers)


@router.post("/apply-template", response_model=None, responses=documented(TemplateAnswer))
async def apply_template(request: Request, body: TemplateBody) -> Response:
    """The text of a chat as the model sees it."""
    services = services_of(request)
    headers = ignored_fields(request, body)
    check_model(services, body.model)
    segments = await _rendered(services, body, body.messages)
    return json_answer({"prompt": text_of(segments)}, headers)


async def _rendered(
    services: Services, body: TokenizeBody | TemplateBody, messages: list[Message]
) -> tuple[Segment, ...]:
    chat = ChatBody(messages=messages, tools=body.tools)
    return await asyncio.to_thread(
        services.renderer.render,
        template_messages(messages),
        tools=template_tools(chat),
        add_generation_prompt=body.add_generation_prompt,
        variables=body.chat_template_kwargs,
    )


async def _encode(services: Services, body: TokenizeBody) -> list[int]:
    if (body.prompt is None) == (body.messages is None):
        raise bad_request("exactly one of prompt and messages is needed", "prompt")
    if body.prompt is not None:
        if body.tools:
            raise bad_request("needs messages", "tools")
        return await services.engine.encode(
            body.prompt, parse_special=body.parse_special, at_start=body.add_special_tokens
        )
    segments = await _rendered(services, body, body.messages or [])
    texts = [segment for segment in segments if isinstance(segment, Text)]
    encoded = [
        services.engine.encode(text.text, parse_special=text.parse_special, at_start=index == 0)
        for index, text in enumerate(texts)
    ]
    return [token for tokens in await asyncio.gather(*encoded) for token in tokens]
