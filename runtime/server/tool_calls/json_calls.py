"""Formats whose calls are JSON: a name, and the arguments as an object."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from slipform.grammars.spec import (
    AnyOf,
    AnyText,
    Choice,
    Except,
    GrammarSpec,
    Regex,
    Repeated,
    Series,
    StructuralTag,
    Tag,
    Until,
)
from slipform.runtime.server.pieces import PieceParser
from slipform.runtime.server.tool_calls.parser import CallParser, CallSyntax
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse

_HEAD = r'\{\s*"name"\s*:\s*"(?P<name>NAMES)"\s*,\s*"KEY"\s*:'


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """A format of this kind.

    Attributes:
        syntax: how the calls are read back. example: one call, for the instructions.
        marker: with it calls begin anywhere in a text; without it an answer is either text or calls.
        begin, separator, end: what is written around all calls and between two.
        call_begin, call_end: what is written around one call.
        arguments_key: key of the arguments; None where a call is its name, `[ARGS]` and the arguments.
        may_be_empty: the model says "no call" with no calls between `begin` and `end`.
    """

    name: str
    syntax: CallSyntax
    example: str
    marker: str | None = None
    begin: str = ""
    call_begin: str = ""
    call_end: str = ""
    separator: GrammarSpec | None = None
    end: str = ""
    arguments_key: str | None = "arguments"
    may_be_empty: bool = False
    markers: tuple[str, ...] = ()

    def constraint(self, use: ToolUse, answer: GrammarSpec | None = None) -> GrammarSpec | None:
        if use.choice == "none" or not use.tools:
            return answer
        if use.choice != "auto":
            return self._calls(use, 1)
        calls = self._calls(use, 0 if self.may_be_empty and answer is None else 1)
        if answer is not None:
            return AnyOf((answer, calls))
        if self.marker is not None:
            return self._calls_in_text(use, self.marker)
        return AnyOf((calls, self.text(use.tools)))

    def text(self, tools: Sequence[Tool]) -> GrammarSpec:
        if self.marker is not None:
            return Until((self.marker,))
        return Except(AnyText(), Regex(f"(?s:{self.syntax.opening(_names(tools))}.*)"))

    def parser(self, tools: Sequence[Tool]) -> PieceParser:
        return CallParser(self.syntax, _names(tools), anywhere=self.marker is not None)

    def instructions(self, tools: Sequence[Tool]) -> str:
        return instructions(tools, self.example)

    def _calls(self, use: ToolUse, minimum: int) -> GrammarSpec:
        """`minimum` or more calls, with all that stands around them."""
        return _series(self.begin, self._several(use, minimum), self.end)

    def _several(self, use: ToolUse, minimum: int) -> GrammarSpec:
        one = AnyOf(tuple(self._call(tool) for tool in use.tools))
        return Repeated(one, minimum, use.max_calls, self.separator)

    def _calls_in_text(self, use: ToolUse, marker: str) -> GrammarSpec:
        if self.begin:  # one region holds all calls
            region = _series(self.begin.removeprefix(marker), self._several(use, 1), self.end)
            return StructuralTag((Tag(marker, region, ""),), (marker,), stop_after_first=True)
        one = AnyOf(tuple(self._bare_call(tool) for tool in use.tools))
        tag = Tag(self.call_begin, one, self.call_end)
        return StructuralTag((tag,), (marker,), stop_after_first=not use.parallel)

    def _call(self, tool: Tool) -> GrammarSpec:
        return _series(self.call_begin, self._bare_call(tool), self.call_end)

    def _bare_call(self, tool: Tool) -> GrammarSpec:
        if self.arguments_key is None:
            return _series(f"{tool.name}[ARGS]", tool.arguments, "")
        name = re.escape(json.dumps(tool.name))
        head = Regex(rf'\{{"name": ?{name}, ?"{self.arguments_key}": ?')
        return Series((head, tool.arguments, Choice(("}",))))


def instructions(tools: Sequence[Tool], example: str) -> str:
    """The tools, one JSON object a line, and how to call them."""
    rows = [
        json.dumps(
            {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)},
            ensure_ascii=False,
        )
        for tool in tools
    ]
    return "\n".join(["You may call these functions:", *rows, f"To call functions, answer only with calls: {example}"])


def _series(begin: str, body: GrammarSpec, end: str) -> Series:
    return Series((Choice((begin,)), body, Choice((end,))))


def _names(tools: Sequence[Tool]) -> str:
    return "|".join(re.escape(tool.name) for tool in tools)


_ANY_COMMA = Choice((", ", ","))
_COMMON = _HEAD.replace("KEY", "arguments")

HERMES = JsonCalls(
    "hermes",
    CallSyntax(lead="<tool_call>", head=_COMMON, tail=r"\}\s*</tool_call>"),
    '<tool_call>\n{"name": "NAME", "arguments": {}}\n</tool_call>',
    marker="<tool_call>",
    call_begin="<tool_call>\n",
    call_end="\n</tool_call>",
    separator=Choice(("\n",)),
    markers=("<tool_call>", "</tool_call>"),
)
LLAMA3_JSON = JsonCalls(
    "llama3_json",
    CallSyntax(lead=r"(?:\s*<\|python_tag\|>)?", head=_HEAD.replace("KEY", "parameters"), tail=r"\}", between=";"),
    '{"name": "NAME", "parameters": {}}',
    separator=Choice(("; ", ";")),
    arguments_key="parameters",
    markers=("<|python_tag|>",),
)
MISTRAL = JsonCalls(
    "mistral",
    CallSyntax(lead=r"\[TOOL_CALLS\]\s*\[", head=_COMMON, tail=r"\}", between=",", close=r"\]"),
    '[TOOL_CALLS][{"name": "NAME", "arguments": {}}]',
    marker="[TOOL_CALLS]",
    begin="[TOOL_CALLS][",
    separator=_ANY_COMMA,
    end="]",
    markers=("[TOOL_CALLS]",),
)
MISTRAL_ARGS = JsonCalls(
    "mistral_args",
    CallSyntax(lead=r"\[TOOL_CALLS\]", head=r"(?P<name>NAMES)\[ARGS\]"),
    "[TOOL_CALLS]NAME[ARGS]{}",
    marker="[TOOL_CALLS]",
    call_begin="[TOOL_CALLS]",
    arguments_key=None,
    markers=("[TOOL_CALLS]", "[ARGS]"),
)
GENERIC = JsonCalls(
    "generic",
    CallSyntax(lead=r"\s*\[", head=_COMMON, tail=r"\}", between=",", close=r"\]"),
    '[{"name": "NAME", "arguments": {}}]',
    begin="[",
    separator=_ANY_COMMA,
    end="]",
    may_be_empty=True,
)
