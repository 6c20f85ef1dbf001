"""Tools: Python functions, or anything that takes a JSON object, as a model may call them."""

import functools
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints, overload

import pydantic
from pydantic_core import to_json

from slipform.errors import ArgumentError
from slipform.lang.arguments import checked
from slipform.lang.origin import at, caller_origin
from slipform.lang.types import closed_schema, json_schema_of

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_ARGUMENT = re.compile(r"\s*\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call.

    Attributes:
        name, description: for the model. parameters: JSON Schema of the arguments, an object.
        run: called with the arguments as a dict; may be a coroutine function.
        read: turns the arguments that the model wrote into those that `run` gets, or raises ValueError.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[dict[str, Any]], Any]
    read: Callable[[dict[str, Any]], dict[str, Any]]

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.run)

    def describe(self) -> dict[str, Any]:
        """The tool as chat APIs write it."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": function}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        return self.run.__wrapped__(*args, **kwargs) if hasattr(self.run, "__wrapped__") else self.run(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model made.

    Attributes:
        arguments: as the function got them, or as the model wrote them where they could not be read.
        result: what it returned. error: what it raised instead, or None. text: what the model was told.
        turn: number of the message that asked for it, from 0; calls of one turn ran together.
    """

    name: str
    arguments: dict[str, Any]
    result: Any = None
    error: BaseException | None = None
    text: str = ""
    turn: int = 0


@overload
def tool(function: Callable[..., Any]) -> Tool: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[..., Any]], Tool]: ...
@checked()
def tool(
    function: Callable[..., Any] | None = None, *, name: str | None = None, description: str | None = None
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a Python function: its annotations become the schema, its docstring the description.

    A Google-style `Args:` section describes the parameters. The result may be called as the function was.

    Raises: ArgumentError for what is no function, or one that takes positional-only or variable arguments.
    """
    if function is not None and not callable(function):
        raise ArgumentError(f"{function!r} is no function{at(caller_origin())}", primitive="tool")
    if function is None:
        return lambda inner: _from_function(inner, name, description)
    return _from_function(function, name, description)


def as_tools(tools: object) -> tuple[Tool, ...]:
    """Tools out of a list of tools and functions. Raises: ArgumentError for anything else, and for equal names."""
    if isinstance(tools, (str, Mapping)) or not isinstance(tools, Iterable):
        raise ArgumentError(f"tools={tools!r} is no list of tools{at(caller_origin())}", primitive="call")
    found = [item if isinstance(item, Tool) else tool(item) if callable(item) else item for item in tools]
    for item in found:
        if not isinstance(item, Tool):
            raise ArgumentError(
                f"{item!r} is no tool and no function; see sf.tool and sf.mcp_tools{at(caller_origin())}",
                primitive="call",
            )
    names = [item.name for item in found]
    if not names or len(set(names)) != len(names):
        raise ArgumentError(f"the tools' names {names} must be some and differ{at(caller_origin())}", primitive="call")
    return tuple(found)


@checked()
def mcp_tools(listing: object, call: Callable[[str, dict[str, Any]], Any]) -> list[Tool]:
    """Tools of a Model Context Protocol server.

    Args:
        listing: the answer to `tools/list`: its JSON, the list in it, or the objects of the `mcp` package.
        call: runs a tool by name with its arguments, for example `session.call_tool`; may be a coroutine function. Its
            answer may be a text, or a result with `content` and `isError`.
    """
    items = _field(listing, "tools", listing)
    if isinstance(items, (str, Mapping)) or not isinstance(items, Iterable):
        raise ArgumentError(f"{listing!r} is no list of MCP tools", primitive="mcp_tools")
    return [_from_mcp(item, call) for item in items]


def tools_in_words(tools: Sequence[Tool]) -> str:
    """What a model is told whose chat template has no place for tools: their signatures, and how to write a call.

    The wording and the form of calls are those of Hermes and Qwen models.
    """
    signatures = "\n".join(json.dumps(item.describe(), ensure_ascii=False) for item in tools)
    return (
        "You may call functions to answer. Their signatures are between <tools> and </tools>:\n"
        f"<tools>\n{signatures}\n</tools>\n"
        "Write a call as a JSON object with the function's name and its arguments, between tags:\n"
        '<tool_call>\n{"name": "function-name", "arguments": {…}}\n</tool_call>'
    )


def results_in_words(results: Sequence[str]) -> str:
    """Results of calls as a user message says them to such a model."""
    return "\n".join(f"<tool_response>\n{result}\n</tool_response>" for result in results)


def result_text(result: Any) -> str:
    """What a function returned, as the model is told it: text as it is, anything else as JSON."""
    if isinstance(result, str):
        return result
    content = _field(result, "content", None)
    if content is not None:  # of an MCP server
        return "\n".join(str(_field(part, "text", part)) for part in content)
    return to_json(result, fallback=str).decode()


def error_text(error: BaseException) -> str:
    """What a call raised, as the model is told it: the kind and the message, no traceback."""
    return f"Error: {type(error).__name__}: {error}"


def _from_function(function: Callable[..., Any], name: str | None, description: str | None) -> Tool:
    label = name or str(getattr(function, "__name__", ""))
    _check_name(label)
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    text, described = _read_docstring(inspect.getdoc(function) or "")
    fields: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ArgumentError(f"parameter {parameter} cannot be filled by name", primitive=f"tool({label!r})")
        default = ... if parameter.default is parameter.empty else parameter.default
        info = pydantic.Field(default, description=described.get(parameter.name))
        fields[parameter.name] = (hints.get(parameter.name, Any), info)
    config = pydantic.ConfigDict(extra="forbid")
    model: type[pydantic.BaseModel] = pydantic.create_model(re.sub("[.-]", "_", label), __config__=config, **fields)

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        found = model.model_validate(arguments)
        return {key: getattr(found, key) for key in model.model_fields if key in found.model_fields_set}

    async def run_async(arguments: dict[str, Any]) -> Any:
        return await function(**arguments)

    def run(arguments: dict[str, Any]) -> Any:
        return function(**arguments)

    runs = functools.wraps(function)(run_async if inspect.iscoroutinefunction(function) else run)
    return Tool(label, text if description is None else description, json_schema_of(model), runs, read)


def _from_mcp(item: object, call: Callable[[str, dict[str, Any]], Any]) -> Tool:
    name = _field(item, "name", None)
    schema = _field(item, "inputSchema", None)
    if not isinstance(name, str) or not isinstance(schema, Mapping):
        raise ArgumentError(f"{item!r} has no name and inputSchema", primitive="mcp_tools")
    _check_name(name)

    def checked(result: Any) -> Any:
        if _field(result, "isError", False):
            raise RuntimeError(result_text(result))
        return result

    async def run_async(arguments: dict[str, Any]) -> Any:
        return checked(await call(name, arguments))

    def run(arguments: dict[str, Any]) -> Any:
        return checked(call(name, arguments))

    runs = run_async if inspect.iscoroutinefunction(call) else run
    return Tool(name, _field(item, "description", None) or "", closed_schema(schema), runs, dict)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ArgumentError(
            f"{name!r} is no name for a tool: letters, digits, _ . - only, as in sf.tool(name=…){at(caller_origin())}",
            primitive="tool",
        )


def _field(value: object, name: str, default: Any) -> Any:
    """A member of a JSON object, or an attribute."""
    return value.get(name, default) if isinstance(value, Mapping) else getattr(value, name, default)


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The text before the first section, and the descriptions in its `Args:` section."""
    head, *_ = re.split(r"\n\s*\n?(?:Args|Returns|Raises|Yields|Example|Examples):\s*\n", f"{text}\n", maxsplit=1)
    described: dict[str, str] = {}
    section = re.search(r"(?:^|\n)Args:\s*\n((?:[ \t]+.*\n?|\s*\n)+)", f"{text}\n")
    last = ""
    depth: int | None = None
    for line in section[1].splitlines() if section else ():
        indent = len(line) - len(line.lstrip())
        found = _ARGUMENT.match(line)
        if found and (depth is None or indent <= depth):
            depth, last = indent, found[1]
            described[last] = found[2].strip()
        elif last and line.strip():
            described[last] += f" {line.strip()}"
    return head.strip(), described
