"""The body of /v1/responses, and the chat that it stands for."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from slipform.runtime.server.bodies import Body
from slipform.runtime.server.chat_fields import (
    CallOfCustom,
    CallOfFunction,
    CallOfTool,
    ChatBody,
    ContentPart,
    CustomDefinition,
    FunctionDefinition,
    FunctionName,
    GrammarDefinition,
    InputFormat,
    Message,
    NamedTool,
    ToolDefinition,
)
from slipform.runtime.server.http_errors import bad_request, unsupported
from slipform.runtime.server.sampling_fields import SamplingFields, refuse_unsupported

LOGPROBS = "message.output_text.logprobs"


class InputItem(Body):
    """A message, a call that the model made, what the called tool returned, or earlier reasoning."""

    type: Literal[
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
    ] = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[ContentPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: str | list[ContentPart] | None = None


class FlatInputFormat(Body):
    """As a chat's `format` of a custom tool, with `syntax` and `definition` beside `type`."""

    type: Literal["text", "grammar"]
    syntax: Literal["lark", "regex"] | None = None
    definition: str | None = None


class FlatTool(Body):
    """A function, with `parameters` and `strict`, or a custom tool, with `format`."""

    type: Literal["function", "custom"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: FlatInputFormat | None = None

    @property
    def shown(self) -> dict[str, Any]:
        """The tool as an answer repeats it."""
        if self.type == "function":
            return self.model_dump(exclude={"format"})
        return self.model_dump(exclude={"parameters", "strict"}, exclude_none=True)


class FlatChoice(Body):
    type: Literal["function", "custom"]
    name: str


class TextOptions(Body):
    format: dict[str, Any] | None = Field(
        None, description="As a chat's response_format; `schema` stands beside `type`."
    )
    verbosity: str | None = None


class ReasoningOptions(Body):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: str | None = None


class ResponsesBody(SamplingFields):
    """The body of /v1/responses."""

    input: str | list[InputItem] = Field(min_length=1)
    model: str | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[FlatTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | FlatChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: ReasoningOptions | None = None
    max_output_tokens: int | None = Field(None, ge=1)
    top_logprobs: int | None = Field(None, ge=0)
    include: list[str] | None = Field(None, description=f'Only "{LOGPROBS}" changes the answer.')
    store: bool | None = Field(None, description="Keep the response for a while, by default; in memory only.")
    background: bool | None = None
    stream: bool | None = None
    truncation: Literal["disabled", "auto"] | None = None
    metadata: dict[str, str] | None = None


def check_unsupported(body: ResponsesBody) -> None:
    """Raises: ApiError 400 for what is known and not done here."""
    if body.truncation == "auto":
        raise unsupported("truncation", "only disabled is supported")
    if body.background and body.stream:
        raise unsupported("background", "cannot be combined with stream")
    if body.background and body.store is False:
        raise bad_request("needs store", "background")
    for name in ("conversation", "prompt", "max_tool_calls"):
        if (body.model_extra or {}).get(name) is not None:
            raise unsupported(name)
    refuse_unsupported(body)


def chat_messages(items: str | Sequence[InputItem]) -> list[Message]:
    """The messages of an input. Raises: ApiError 400 naming the item that is incomplete."""
    if isinstance(items, str):
        return [Message(role="user", content=items)]
    messages: list[Message] = []
    thoughts: str | None = None
    for index, item in enumerate(items):
        where = f"input[{index}]"
        match item.type:
            case "message":
                if item.role is None:
                    raise bad_request("a message needs a role", f"{where}.role")
                message = Message(role=item.role, content=item.content or "")
                if item.role == "assistant" and thoughts:
                    message.reasoning_content, thoughts = thoughts, None
                messages.append(message)
            case "function_call":
                call = CallOfTool(
                    id=_needed(item.call_id, f"{where}.call_id"),
                    function=CallOfFunction(name=_needed(item.name, f"{where}.name"), arguments=item.arguments or "{}"),
                )
                _add_call(messages, call)
            case "custom_tool_call":
                name = _needed(item.name, f"{where}.name")
                call = CallOfTool(
                    id=_needed(item.call_id, f"{where}.call_id"),
                    type="custom",
                    custom=CallOfCustom(name=name, input=item.input or ""),
                )
                _add_call(messages, call)
            case "function_call_output" | "custom_tool_call_output":
                output = "" if item.output is None else item.output
                call_id = _needed(item.call_id, f"{where}.call_id")
                messages.append(Message(role="tool", content=output, tool_call_id=call_id))
            case "reasoning":
                parts = item.content if isinstance(item.content, list) else []
                thoughts = "".join(part.text or "" for part in parts)
    return messages


def chat_body(body: ResponsesBody, messages: Sequence[Message], model: str | None) -> ChatBody:
    """The chat that answers a body with these messages."""
    wants_logprobs = body.top_logprobs is not None or LOGPROBS in (body.include or ())
    values: dict[str, Any] = {
        name: getattr(body, name) for name in SamplingFields.model_fields if name in body.model_fields_set
    }
    if body.text is not None and body.text.format is not None:
        values["response_format"] = body.text.format
    if body.reasoning is not None and body.reasoning.effort is not None:
        values["reasoning_effort"] = body.reasoning.effort
    values |= {
        "model": model,
        "messages": _with_instructions(body.instructions, messages),
        "max_completion_tokens": body.max_output_tokens,
        "logprobs": wants_logprobs,
        "top_logprobs": body.top_logprobs if wants_logprobs else None,
        "tools": _tools(body.tools),
        "tool_choice": _tool_choice(body),
        "parallel_tool_calls": body.parallel_tool_calls,
    }
    # Constraint fields, and others that chats take without declaring them.
    extra = {name: value for name, value in (body.model_extra or {}).items() if name not in ChatBody.model_fields}
    return ChatBody.model_validate({**extra, **values})


def _with_instructions(instructions: str | None, messages: Sequence[Message]) -> list[Message]:
    first = [Message(role="system", content=instructions)] if instructions else []
    return [*first, *messages]


def _tools(tools: Iterable[FlatTool] | None) -> list[ToolDefinition] | None:
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)] if tools else None


def _tool(tool: FlatTool, where: str) -> ToolDefinition:
    if tool.type == "function":
        function = FunctionDefinition.model_validate(tool.model_dump(exclude={"type", "format"}))
        return ToolDefinition(type="function", function=function)
    form = None if tool.format is None else _input_format(tool.format, f"{where}.format")
    custom = CustomDefinition(name=tool.name, description=tool.description, format=form)
    return ToolDefinition(type="custom", custom=custom)


def _input_format(form: FlatInputFormat, where: str) -> InputFormat:
    if form.type == "text":
        return InputFormat(type="text")
    if form.syntax is None:
        raise bad_request("is missing", f"{where}.syntax")
    definition = _needed(form.definition, f"{where}.definition")
    return InputFormat(type="grammar", grammar=GrammarDefinition(syntax=form.syntax, definition=definition))


def _tool_choice(body: ResponsesBody) -> Literal["none", "auto", "required"] | NamedTool | None:
    if not isinstance(body.tool_choice, FlatChoice):
        return body.tool_choice
    name = FunctionName(name=body.tool_choice.name)
    if body.tool_choice.type == "custom":
        return NamedTool(type="custom", custom=name)
    return NamedTool(type="function", function=name)


def own_terms(body: ResponsesBody) -> dict[str, str]:
    """What errors call the fields of the chat, by what they are called in `body`; for `ApiError.in_terms`."""
    terms = {"response_format": "text.format", "messages": "input", "max_tokens": "max_output_tokens"}
    for index, tool in enumerate(body.tools or ()):
        if tool.type == "custom":
            terms[f"tools[{index}].custom.format.grammar"] = f"tools[{index}].format"
    return terms


def _add_call(messages: list[Message], call: CallOfTool) -> None:
    """Calls of one turn are one message of the assistant."""
    last = messages[-1] if messages else None
    if last is not None and last.role == "assistant":
        last.tool_calls = [*(last.tool_calls or ()), call]
    else:
        messages.append(Message(role="assistant", content="", tool_calls=[call]))


def _needed(value: str | None, where: str) -> str:
    if not value:
        raise bad_request("is missing", where)
    return value
