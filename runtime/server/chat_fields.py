"""The body of /v1/chat/completions, and its messages and tools as templates and formats want them."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field

from slipform.grammars.spec import AnyText, GrammarSpec, Lark, Regex
from slipform.runtime.server.bodies import Body, StreamOptions
from slipform.runtime.server.http_errors import bad_request, unsupported
from slipform.runtime.server.sampling_fields import SamplingFields, TokenId
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse


class ContentPart(Body):
    """A part of a message's content; only text is supported."""

    type: str
    text: str | None = None
    refusal: str | None = None


class CallOfFunction(Body):
    name: str
    arguments: str = "{}"


class CallOfCustom(Body):
    name: str
    input: str = ""


class CallOfTool(Body):
    """A call that the model made, with the object that `type` names."""

    id: str | None = None
    type: Literal["function", "custom"] = "function"
    function: CallOfFunction | None = None
    custom: CallOfCustom | None = None


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


class GrammarDefinition(Body):
    syntax: Literal["lark", "regex"]
    definition: str = Field(min_length=1)

    @property
    def spec(self) -> GrammarSpec:
        return Lark(self.definition) if self.syntax == "lark" else Regex(self.definition)


class InputFormat(Body):
    type: Literal["text", "grammar"]
    grammar: GrammarDefinition | None = None


class CustomDefinition(Body):
    name: str
    description: str | None = None
    format: InputFormat | None = Field(default=None, description="What the tool's input is; any text by default.")


class ToolDefinition(Body):
    """A tool, with the object that `type` names."""

    type: Literal["function", "custom"]
    function: FunctionDefinition | None = None
    custom: CustomDefinition | None = None


class FunctionName(Body):
    name: str


class NamedTool(Body):
    """One tool, with the object that `type` names."""

    type: Literal["function", "custom"]
    function: FunctionName | None = None
    custom: FunctionName | None = None


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
    echo: bool | None = Field(default=None, description="The answer begins with the assistant's last message.")
    input_ids: list[TokenId] | None = Field(
        default=None, min_length=1, description="The prompt's tokens, in place of the rendered messages."
    )

    @property
    def echoed(self) -> str:
        """What the answer's content begins with."""
        last = self.messages[-1]
        if not self.echo or last.role != "assistant":
            return ""
        return _text(last.content, f"messages[{len(self.messages) - 1}]")


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
                    "function": _template_call(call, f"{where}.tool_calls[{number}]"),
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
    tools = tuple(_tool(definition, f"tools[{index}]") for index, definition in enumerate(body.tools))
    if len({tool.name for tool in tools}) < len(tools):
        raise bad_request("two tools have the same name", "tools")
    parallel = body.parallel_tool_calls is not False
    if not isinstance(body.tool_choice, NamedTool):
        return ToolUse(tools, body.tool_choice or "auto", parallel)
    kind = body.tool_choice.type
    choice = body.tool_choice.function if kind == "function" else body.tool_choice.custom
    if choice is None:
        raise bad_request("is missing", f"tool_choice.{kind}")
    named = tuple(tool for tool in tools if tool.name == choice.name and (tool.input is not None) == (kind == "custom"))
    if not named:
        raise bad_request(f"no {kind} tool is called {choice.name!r}", "tool_choice")
    return ToolUse(named, "named", parallel)


def template_tools(body: ChatBody) -> list[dict[str, Any]] | None:
    """The tools as the template sees them."""
    if not body.tools or body.tool_choice == "none":
        return None
    tools = [_tool(definition, f"tools[{index}]") for index, definition in enumerate(body.tools)]
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": msgspec.json.decode(tool.parameters),
            },
        }
        for tool in tools
    ]


def input_grammars(body: ChatBody) -> dict[str, GrammarSpec]:
    """The grammars of custom tools, by the field that holds their text."""
    found: dict[str, GrammarSpec] = {}
    for index, tool in enumerate(body.tools or ()):
        form = tool.custom.format if tool.type == "custom" and tool.custom is not None else None
        if form is not None and form.type == "grammar" and form.grammar is not None:
            found[f"tools[{index}].custom.format.grammar.definition"] = form.grammar.spec
    return found


def _tool(definition: ToolDefinition, where: str) -> Tool:
    if definition.type == "custom":
        return _custom_tool(definition.custom, f"{where}.custom")
    function = definition.function
    if function is None:
        raise bad_request("is missing", f"{where}.function")
    return Tool.of(
        function.name,
        function.parameters or None,
        description=function.description or "",
        strict=function.strict is not False,
    )


def _custom_tool(custom: CustomDefinition | None, where: str) -> Tool:
    if custom is None:
        raise bad_request("is missing", where)
    description = custom.description or ""
    if custom.format is None or custom.format.type == "text":
        return Tool.custom(custom.name, AnyText(), description=description)
    grammar = custom.format.grammar
    if grammar is None:
        raise bad_request("is missing", f"{where}.format.grammar")
    kind = "Lark grammar" if grammar.syntax == "lark" else "regular expression"
    hint = f"A text that matches this {kind}:\n{grammar.definition}"
    return Tool.custom(custom.name, grammar.spec, description=description, input_description=hint)


def _template_call(call: CallOfTool, where: str) -> dict[str, Any]:
    """A call as a template writes it: that of a custom tool has one argument, `input`."""
    if call.type == "custom":
        if call.custom is None:
            raise bad_request("is missing", f"{where}.custom")
        return {"name": call.custom.name, "arguments": {"input": call.custom.input}}
    if call.function is None:
        raise bad_request("is missing", f"{where}.function")
    return {"name": call.function.name, "arguments": _arguments(call.function.arguments, where)}


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
