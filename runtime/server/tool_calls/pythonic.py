"""Calls written as a list of Python calls: `[get_weather(city="Oslo", days=3)]`, as Llama 3.2 and 4 do.

The grammar is a Lark grammar, because its rules can be shared and recurse; the parser turns literals into JSON.
"""

import json
import re
from collections.abc import Sequence

from slipform.errors import InvalidRequest
from slipform.grammars.spec import (
    AnyOf,
    AnyText,
    Choice,
    Except,
    GrammarSpec,
    JsonText,
    Lark,
    Regex,
    Repeated,
    Series,
)
from slipform.runtime.server.pieces import PieceParser
from slipform.runtime.server.tool_calls.json_calls import instructions
from slipform.runtime.server.tool_calls.parser import CallParser, CallSyntax
from slipform.runtime.server.tool_calls.python_arguments import PythonArguments
from slipform.runtime.server.tool_calls.python_literals import LiteralRules
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse

_SYNTAX = CallSyntax(lead=r"\s*\[", head=r"(?P<name>NAMES)\(", tail=r"\)", between=",", close=r"\]")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", re.ASCII)


class Pythonic:
    """The format. An answer is either calls or text that does not begin like one."""

    name = "pythonic"
    markers: tuple[str, ...] = ()

    def constraint(self, use: ToolUse, answer: GrammarSpec | None = None) -> GrammarSpec | None:
        """Raises: InvalidRequest if a tool or a parameter has a name that Python does not allow."""
        if use.choice == "none" or not use.tools:
            return answer
        calls = _calls(use, allow_none=use.choice == "auto" and answer is None)
        if use.choice != "auto":
            return calls
        if answer is not None:
            return AnyOf((answer, calls))
        return AnyOf((calls, self.text(use.tools)))

    def text(self, tools: Sequence[Tool]) -> GrammarSpec:
        return Except(AnyText(), Regex(f"(?s:{_SYNTAX.opening(_names(tools))}.*)"))

    def parser(self, tools: Sequence[Tool]) -> PieceParser:
        return CallParser(_SYNTAX, _names(tools), anywhere=False, scanner=PythonArguments)

    def instructions(self, tools: Sequence[Tool]) -> str:
        return instructions(tools, "[NAME(parameter=value)]")


def _names(tools: Sequence[Tool]) -> str:
    return "|".join(re.escape(tool.name) for tool in tools)


def _calls(use: ToolUse, *, allow_none: bool) -> GrammarSpec:
    functions = [tool for tool in use.tools if tool.input is None]
    calls: list[GrammarSpec] = [_custom_call(tool.name, tool.input) for tool in use.tools if tool.input is not None]
    if functions:
        rules = LiteralRules()
        head = f"start: {' | '.join(_call(tool, rules) for tool in functions)}"
        calls.append(Lark("\n".join([head, *rules.lines])))
    several = Repeated(AnyOf(tuple(calls)), 0 if allow_none else 1, use.max_calls, Choice((", ",)))
    return Series((Choice(("[",)), several, Choice(("]",))))


def _custom_call(name: str, input: GrammarSpec) -> GrammarSpec:
    _check_name(name)
    return Series((Choice((f"{name}(input=",)), JsonText(input), Choice((")",))))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{name!r} is no name in Python, as the pythonic tool format needs", field="tools")


def _call(tool: Tool, rules: LiteralRules) -> str:
    """The name of a rule for one call: the required parameters in declared order, then any of the others."""
    _check_name(tool.name)
    schema = tool.schema
    properties = schema.get("properties", {})
    required = [name for name in properties if name in schema.get("required", ())]
    arguments = {name: _argument(tool, name, properties[name], schema, rules) for name in properties}
    parts = [arguments[name] for name in required]
    optional = [name for name in properties if name not in required]
    body = ' ", " '.join(parts)
    if parts:
        body += "".join(f' (", " {arguments[name]})?' for name in optional)
    elif optional:
        body = f"{rules.add(_from(arguments, optional, rules))}?"
    return rules.add(f'{_quoted(tool.name + "(")} {body} ")"')


def _from(arguments: dict[str, str], names: list[str], rules: LiteralRules) -> str:
    """At least one of the arguments, in order."""
    rests = [""] * len(names)
    for index in range(len(names) - 2, -1, -1):
        rests[index] = rules.add(f'(", " {arguments[names[index + 1]]})? {rests[index + 1]}')
    return " | ".join(f"{arguments[name]} {rest}" for name, rest in zip(names, rests, strict=True))


def _argument(tool: Tool, name: str, schema: object, root: dict[str, object], rules: LiteralRules) -> str:
    if not name.isidentifier():
        raise InvalidRequest(
            f"parameter {name!r} of {tool.name!r} is no name in Python, as the pythonic tool format needs",
            field="tools",
        )
    return rules.add(f"{_quoted(name + '=')} {rules.value(schema, root)}")


def _quoted(text: str) -> str:
    return json.dumps(text)
