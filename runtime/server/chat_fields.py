"""The body of /v1/chat/completions, and its messages and tools as templates and formats want them."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field

from slipform.runtime.server.bodies import Body, StreamOptions
from slipform.runtime.server.http_errors import bad_request, unsupported
from slipform.runtime.server.sampling_fields import SamplingFields
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse


class ContentPart(Body):
    """A part of a message's content; only text is supported."""

    type: str
    text: str | None = None
    refusal: str | None = None


class CallOfFunction(Body):
    name: str
    arguments: str = "{}"


class CallOfTool(Body):
    id: str | None = None
    type: Literal["function"] = "function"
    function: CallOfFunction


class Message(Body):
    """One message of a chat."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[CallOfTool] | None = None
    reasoning_content: str | None = None


class FunctionDefinition(Body):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = Field(default=None, description="false leaves the arguments any JSON object.")


class ToolDefinition(Body):
    type: Literal["function"]
    function: FunctionDefinition


class FunctionName(Body):
    name: str


class NamedTool(Body):
    type: Literal["function"]
    function: FunctionName


class ChatBody(SamplingFields):
    """The body of /v1/chat/completions. Constraint fields of all dialects may stand beside these."""

    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    max_completion_tokens: int | None = Field(default=None, ge=1, description="What the context leaves, by default.")
    max_tokens: int | None = Field(default=None, ge=1, description="The old name of max_completion_tokens.")
    n: int | None = Field(default=None, ge=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0)
    tools: list[ToolDefinition] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    thinking_token_budget: int | None = Field(default=None, ge=0, description="Most tokens of the reasoning.")
    separate_reasoning: bool | None = Field(default=None, description="false leaves the reasoning in the content.")
    stream_reasoning: bool | None = Field(default=None, description="false sends the reasoning in one piece.")
    include_reasoning: bool | None = Field(default=None, description="false leaves the reasoning out.")
    return_token_ids: bool | None = None
    prompt_logprobs: int | None = Field(
        default=None, ge=0, description="Log-probabilities of the prompt's tokens, and of so many alternatives."
    )


def template_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages as chat templates expect them: plain text contents, arguments as objects, roles they know.

    Raises: ApiError 400 naming the part that is not text.
    """
    plain = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        entry: dict[str, Any] = {
            "role": {"developer": "system", "function": "tool"}.get(message.role, message.role),
            "content": _text(message.content, where),
        }
        for name in ("name", "tool_call_id", "reasoning_content"):
            if getattr(message, name) is not None:
                entry[name] = getattr(message, name)
        if message.tool_calls:
            entry["tool_calls"] = [
                {
                    "id": call.id or "",
                    "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": _arguments(call.function.arguments, f"{where}.tool_calls[{number}]"),
                    },
                }
                for number, call in enumerate(message.tool_calls)
            ]
        plain.append(entry)
    return plain


def tool_use(body: ChatBody) -> ToolUse | None:
    """Which tools the answer may call; None without tools. Raises: ApiError 400."""
    if not body.tools:
        if body.tools is not None:
            raise bad_request("must not be empty", "tools")
        if body.tool_choice not in (None, "none", "auto"):
            raise bad_request("needs tools", "tool_choice")
        return None
    tools = tuple(
        Tool.of(
            tool.function.name,
            tool.function.parameters,
            description=tool.function.description or "",
            strict=tool.function.strict is not False,
        )
        for tool in body.tools
    )
    if len({tool.name for tool in tools}) < len(tools):
        raise bad_request("two tools have the same name", "tools")
    parallel = body.parallel_tool_calls is not False
    if not isinstance(body.tool_choice, NamedTool):
        return ToolUse(tools, body.tool_choice or "auto", parallel)
    name = body.tool_choice.function.name
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        raise bad_request(f"no tool is called {name!r}", "tool_choice")
    return ToolUse(named, "named", parallel)


def template_tools(body: ChatBody) -> list[dict[str, Any]] | None:
    """The tools as the template sees them."""
    if not body.tools or body.tool_choice == "none":
        return None
    return [
        {
            "type": "function",
            "function": {
                "name": tool.function.name,
                "description": tool.function.description or "",
                "parameters": tool.function.parameters or {"type": "object", "properties": {}},
            },
        }
        for tool in body.tools
    ]


def _text(content: str | list[ContentPart] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for index, part in enumerate(content):
        if part.type not in ("text", "input_text", "output_text", "refusal"):
            raise unsupported(f"{where}.content[{index}].type", f"{part.type!r} is not supported, only text")
        texts.append(part.text or part.refusal or "")
    return "".join(texts)


def _arguments(text: str, where: str) -> Any:
    try:
        arguments = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_request(f"is not JSON: {error}", f"{where}.function.arguments") from error
    if not isinstance(arguments, dict):
        raise bad_request("must be a JSON object", f"{where}.function.arguments")
    return arguments
