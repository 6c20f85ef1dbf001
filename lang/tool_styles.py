"""How a model writes calls of tools and is told of their results: as its chat template does, or in words of our own."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from slipform.grammars.spec import GrammarSpec, StructuralTag
from slipform.lang.chat_template import ChatTemplate
from slipform.lang.tools import Tool
from slipform.runtime.server.pieces import ToolCallArguments, ToolCallStart
from slipform.runtime.server.tool_calls.format import ToolCallFormat
from slipform.runtime.server.tool_calls.json_calls import HERMES
from slipform.runtime.server.tool_calls.registry import choose_format, writes_tools
from slipform.runtime.server.tool_calls.tools import Tool as FormatTool
from slipform.runtime.server.tool_calls.tools import ToolUse

Wanted = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class CallStyle:
    """One way.

    Attributes:
        format: of the calls. in_template: the chat template tells of the tools, and has messages for results (role
            `tool`); otherwise both stand in words, results in messages of the user.
        several: one message may hold several calls, which some templates refuse.
    """

    format: ToolCallFormat
    in_template: bool
    several: bool = True

    def turn(self, tools: Sequence[Tool], *, text: bool, required: bool, parallel: bool) -> GrammarSpec:
        """What the model may write where it may call.

        Args:
            text: text may stand before a call, where the format has a mark that calls begin with. required: it must
                call. parallel: it may make several calls, where its
                template takes them.
        """
        offered = _offered(tools)
        parallel = parallel and self.several
        free = self.format.constraint(ToolUse(offered, "auto", parallel))
        if text and isinstance(free, StructuralTag):
            return replace(free, at_least_one=required)
        if required:
            found = self.format.constraint(ToolUse(offered, "required", parallel))
        else:
            found = self.format.constraint(ToolUse(offered, "auto", parallel), self.answer(tools))
        assert found is not None
        return found

    def answer(self, tools: Sequence[Tool]) -> GrammarSpec:
        """What the model may write where it may not call."""
        return self.format.text(_offered(tools))

    def read(self, text: str, tools: Sequence[Tool]) -> Wanted:
        """Names and arguments of the calls in what a model wrote, in order."""
        parser = self.format.parser(_offered(tools))
        wanted: list[tuple[str, list[str]]] = []
        for piece in (*parser.push(text), *parser.finish()):
            if isinstance(piece, ToolCallStart):
                wanted.append((piece.name, []))
            elif isinstance(piece, ToolCallArguments):
                wanted[piece.index][1].append(piece.text)
        return [(name, json.loads("".join(parts) or "{}")) for name, parts in wanted]


IN_WORDS = CallStyle(HERMES, in_template=False)


def call_style(template: ChatTemplate | None) -> CallStyle:
    """As the template does, where it tells of tools and has messages for results. Calls are a JSON list where it does
    not show how they are written."""
    return _style_of(template) if template is not None else IN_WORDS


@functools.lru_cache(maxsize=64)
def _style_of(template: ChatTemplate) -> CallStyle:
    format_ = choose_format(None, template.source)
    if not writes_tools(template.source) or not template.writes_results(1):
        return IN_WORDS
    return CallStyle(format_, in_template=True, several=template.writes_results(2))


def _offered(tools: Sequence[Tool]) -> tuple[FormatTool, ...]:
    return tuple(FormatTool.of(tool.name, tool.parameters, description=tool.description) for tool in tools)
