"""The loop behind `sf.call`: the model writes calls, they run, and it is told the results until it answers.

A turn is one assistant message. Its constraint lets the model write calls of the tools and nothing that only looks like
one, so that every call can be read; the arguments of each match its schema. How calls are written, and where results
go, is a `CallStyle`.
"""

import asyncio
import itertools
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from slipform.errors import ArgumentError, InvalidRequest
from slipform.grammars.spec import GrammarSpec
from slipform.lang import ir
from slipform.lang.arguments import checked
from slipform.lang.options import DEFAULT_MAX_TOKENS_JSON, SamplingOptions
from slipform.lang.tool_styles import IN_WORDS, CallStyle, Wanted
from slipform.lang.tools import Tool, ToolCall, as_tools, error_text, result_text

if TYPE_CHECKING:
    from slipform.lang.state import ProgramState

Loop = Generator["str | Wanted", Any, None]
"""Yields the name of a variable to wait for, whose text it is sent, or calls to run, whose outcomes it is sent."""


# The options of each turn: those of one fill with one completion.
CALL_OPTIONS = frozenset(field.name for field in fields(SamplingOptions)) - {"n", "trace"}


@checked(options=CALL_OPTIONS, primitive="call")
def make_call(
    name: str,
    tools: Sequence[Any],
    *,
    max_calls: int = 8,
    parallel: bool = False,
    text: bool = True,
    required: bool = False,
    final: bool = True,
    format_error: Callable[[Exception], str] | None = None,
    **options: Any,
) -> ir.Call:
    """The node of `sf.call`, which says what the arguments mean. Raises: ArgumentError naming one that is wrong."""
    origin = ir.caller_origin()
    primitive = f"call({name!r})"
    if not isinstance(max_calls, int) or max_calls < 1:
        raise ArgumentError(f"max_calls={max_calls!r} must be at least 1{ir.at(origin)}", primitive=primitive)
    try:
        checked = SamplingOptions.of({"finish": "valid", "max_tokens": DEFAULT_MAX_TOKENS_JSON, **options})
    except (InvalidRequest, TypeError, ValueError) as error:
        raise ArgumentError(f"{error}{ir.at(origin)}", primitive=primitive) from error
    found = as_tools(tools)
    return ir.Call(name, found, max_calls, parallel, text, required, final, checked, format_error, origin)


def turn_constraint(node: ir.Call, *, first: bool, style: CallStyle = IN_WORDS) -> GrammarSpec:
    """What the model may write in one turn. Raises: ArgumentError for tools that its format cannot name."""
    try:
        return style.turn(node.tools, text=node.text, required=first and node.required, parallel=node.parallel)
    except InvalidRequest as error:
        raise ArgumentError(f"{error}{ir.at(node.origin)}", primitive=node.describe()) from error


def constraints_of(node: ir.Call, style: CallStyle = IN_WORDS) -> list[GrammarSpec]:
    """Every constraint that the loop may use."""
    later = [turn_constraint(node, first=False, style=style)] if node.max_calls > 1 else []
    answer = [style.answer(node.tools)] if node.final else []
    return list(dict.fromkeys([turn_constraint(node, first=True, style=style), *later, *answer]))


def _loop(state: "ProgramState", node: ir.Call) -> Loop:
    done: list[ToolCall] = []
    style = state.call_style
    for turn in itertools.count():
        left = node.max_calls - len(done)
        constraint = turn_constraint(node, first=not done, style=style) if left > 0 else style.answer(node.tools)
        hole = ir.Gen(node.name, node.options, constraint, None, node.origin)
        state += ir.concat(ir.RoleBegin("assistant", node.origin), hole, ir.RoleEnd("assistant", node.origin))
        text = yield node.name
        wanted = style.read(text, node.tools) if left > 0 else []
        if wanted:
            made = yield wanted[:left]
            made += [_refused(node, name, arguments) for name, arguments in wanted[left:]]
            done += [replace(call, turn=turn) for call in made]
        state.set_var(f"{node.name}_calls", list(done))
        if not wanted or (not node.final and len(done) >= node.max_calls):
            return
        state += ir.ToolResults(tuple(call.text for call in done[-len(wanted) :]))


def _refused(node: ir.Call, name: str, arguments: dict[str, Any]) -> ToolCall:
    error = RuntimeError(f"not run, as {node.max_calls} calls have been made already")
    return ToolCall(name, arguments, error=error, text=_told(node, error))


def run_calls(state: "ProgramState", node: ir.Call) -> None:
    """The loop for plain programs; calls of one turn run on threads where `parallel` is set."""
    loop = _loop(state, node)
    step = next(loop)
    tools = {tool.name: tool for tool in node.tools}
    try:
        while True:
            if isinstance(step, str):
                step = loop.send(state.get_text(step))
            elif len(step) > 1:
                with ThreadPoolExecutor(max_workers=len(step), thread_name_prefix="slipform-tool") as pool:
                    step = loop.send(list(pool.map(lambda call: _run(tools[call[0]], call[1], node), step)))
            else:
                step = loop.send([_run(tools[name], arguments, node) for name, arguments in step])
    except StopIteration:
        return


async def run_calls_async(state: "ProgramState", node: ir.Call) -> None:
    """The loop for async programs; calls of one turn run together."""
    loop = _loop(state, node)
    step = next(loop)
    tools = {tool.name: tool for tool in node.tools}
    try:
        while True:
            if isinstance(step, str):
                step = loop.send(await state.aget_text(step))
            else:
                step = loop.send(list(await asyncio.gather(*(_run_async(tools[n], a, node) for n, a in step))))
    except StopIteration:
        return


def _run(tool: Tool, arguments: dict[str, Any], node: ir.Call) -> ToolCall:
    try:
        arguments = tool.read(arguments)
        result = asyncio.run(tool.run(arguments)) if tool.is_async else tool.run(arguments)
    except Exception as error:  # the model is told, and may try again
        return ToolCall(tool.name, arguments, error=error, text=_told(node, error))
    return ToolCall(tool.name, arguments, result, text=result_text(result))


async def _run_async(tool: Tool, arguments: dict[str, Any], node: ir.Call) -> ToolCall:
    try:
        arguments = tool.read(arguments)
        result = await tool.run(arguments) if tool.is_async else await asyncio.to_thread(tool.run, arguments)
    except Exception as error:  # the model is told, and may try again
        return ToolCall(tool.name, arguments, error=error, text=_told(node, error))
    return ToolCall(tool.name, arguments, result, text=result_text(result))


def _told(node: ir.Call, error: Exception) -> str:
    return (node.format_error or error_text)(error)
