"""Function calling: a request, the tools at hand, and the calls that answer it as a JSON array (empty for none)."""

import json
from dataclasses import replace
from typing import Any

from slipform.runtime.embedded.examples import Example, Turn, assistant, compact_json, system, user
from slipform.runtime.embedded.linking import ToolWords, between_request_and_tools
from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.tool_parts import Request, Tool, stems
from slipform.runtime.embedded.tool_rivals import confusable
from slipform.runtime.embedded.tool_sheets import rivals_of
from slipform.runtime.embedded.tools import (
    ACTIONS,
    CHATTER,
    alias,
    any_tool,
    composed_tool,
    held_out,
    state_request,
    usable,
)

SYSTEMS = (
    "You are a helpful assistant.",
    "Answer with a JSON array of calls.",
    "You call functions. Answer with a JSON list of calls, or [] if no function fits.",
    "Use the tools below.",
    "You are an assistant with access to tools. Reply with the calls to make.",
    "Call the right tool.",
    "You can use these functions. Reply with JSON only.",
)
JSON_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "date": "string",
    "time": "string",
    "strings": "array",
    "boolean": "boolean",
}
PYTHON_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "date": "date",
    "time": "str",
    "strings": "list[str]",
    "boolean": "bool",
}


# How many tools a prompt offers; how often a distractor comes from the section of a tool that is called.
OFFERED = (1, 2, 3, 3, 4, 4, 5, 6, 7, 8)
RIVALS_SHARE = 0.5
# Shares of requests that no tool answers: of all; and of these, requests for an absent rival of the tools, and small talk.
NONE_SHARE, ABSENT_RIVAL_SHARE, CHATTER_SHARE = 0.13, 0.3, 0.35
TWO_CALLS_SHARE = 0.13
# Array answers that follow earlier requests with the same tools, and how many.
FOLLOWING_SHARE = 0.22
FOLLOWED = (1, 1, 2, 3)


class Offered:
    """A tool as one prompt offers it: with chosen parameter names and descriptions."""

    def __init__(self, s: Source, tool: Tool) -> None:
        self.tool = tool
        self.about = s.pick(tool.about)
        self.name = alias(s, tool.name)
        used: set[str] = set()
        self.names: dict[str, str] = {}
        for item in tool.parameters:
            free = [name for name in item.names if name not in used] or [f"{item.kind}_value"]
            name = free[0] if s.chance(0.35) else s.pick(free)
            used.add(name)
            self.names[item.kind] = name
        self.required = [self.names[p.kind] for p in tool.parameters[: tool.required]]

    def parameters(self, s: Source | None, described: bool) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for item in self.tool.parameters:
            rule: dict[str, Any] = {"type": JSON_TYPES[item.type]}
            if item.options:
                rule["enum"] = list(item.options)
            if item.type == "strings":
                rule["items"] = {"type": "string"}
            if item.type == "date":
                rule["format"] = "date"
            if described and s is not None:
                rule["description"] = s.pick(item.about)
            properties[self.names[item.kind]] = rule
        return {"type": "object", "properties": properties, "required": self.required}

    def function(self, s: Source, described: bool) -> dict[str, Any]:
        return {"name": self.name, "description": self.about, "parameters": self.parameters(s, described)}

    def call(self, arguments: dict[str, object]) -> dict[str, Any]:
        """The call that the given values make, arguments in declared order."""
        chosen = {self.names[p.kind]: arguments[p.kind] for p in self.tool.parameters if p.kind in arguments}
        return {"name": self.name, "arguments": chosen}


def show_tools(s: Source, offered: list[Offered]) -> str:
    """The tools in a prompt: JSON per line, signatures, or a list in words."""
    described = s.chance(0.5)
    form = s.random.random()
    if form < 0.4:
        rows = [json.dumps(o.function(s, described), ensure_ascii=False) for o in offered]
        return "\n".join(rows)
    if form < 0.7:
        rows = []
        for o in offered:
            parts = []
            for item in o.tool.parameters:
                name = o.names[item.kind]
                type_ = PYTHON_TYPES[item.type]
                if item.options:
                    type_ = "Literal[" + ", ".join(f'"{option}"' for option in item.options) + "]"
                parts.append(f"{name}: {type_}" if name in o.required else f"{name}: {type_} = None")
            rows.append(f"{o.name}({', '.join(parts)}): {o.about}")
        mark = s.pick(("", "- ", "def "))
        return "\n".join(mark + row for row in rows)
    rows = []
    for o in offered:
        named = ", ".join(o.names[p.kind] for p in o.tool.parameters) or "no arguments"
        rows.append(f"- {o.name}: {o.about} ({named})")
    return "\n".join(rows)


def offer(s: Source, wanted: list[Tool], count: int) -> list[Offered]:
    """`wanted` among distractors, some of which share an action or an object with them; in any order."""
    chosen = {tool.name: tool for tool in wanted}
    for _ in range(60):
        if len(chosen) >= count:
            break
        tool = any_tool(s)
        if wanted and wanted[0].section and s.chance(RIVALS_SHARE):
            tool = s.pick(usable(s, rivals_of(s.pick(wanted).section)) or (tool,))
        elif wanted and wanted[0].composed and s.chance(0.4):
            verb, _, noun = wanted[0].name.partition("_")
            if verb in ACTIONS:
                noun = noun.removesuffix("s") if verb == "list" else noun
                other = composed_tool(s, action=verb) if s.chance(0.5) else composed_tool(s, obj=noun)
                base = other.name.removesuffix("s") if other.name.startswith("list_") else other.name
                if held_out(base) == (s.split == "heldout"):
                    tool = other
        if not any(confusable(tool, own) for own in wanted):
            chosen.setdefault(tool.name, tool)
    offered = {o.name: o for o in (Offered(s, tool) for tool in chosen.values())}
    missing = [tool for tool in wanted if tool.name not in {o.tool.name for o in offered.values()}]
    if missing:
        return offer(s, wanted, count)
    return s.shuffled(list(offered.values()))


def calls_schema(offered: list[Offered]) -> dict[str, Any]:
    """An array of calls, each of one of the tools with its own arguments."""
    branches = []
    for o in offered:
        arguments = {**o.parameters(None, False), "additionalProperties": False}
        branches.append(
            {
                "type": "object",
                "properties": {"name": {"const": o.name}, "arguments": arguments},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return {"type": "array", "items": {"anyOf": branches}, "maxItems": 2}


JOINERS = ("{a} and {b}", "{a}. Also, {b}", "{a}, and then {b}", "{a}. {b}", "{a}; {b}", "{a}. After that {b}", "First {a}, then {b}", "{a}\n{b}", "{a} + {b}", "{a} as well as {b}", "{a}, plus {b}", "{a}. And {b}")  # fmt: skip
CLEAR_JOINERS = ("{a}. Also, {b}", "{a}\n{b}", "{a}; {b}", "{a}\n\nAnd: {b}", "1. {a}\n2. {b}", "- {a}\n- {b}")


def request_for(s: Source, wanted: list[Tool]) -> tuple[str, list[dict[str, object]]]:
    """One request that calls each of `wanted` once, in order."""
    requests = [state_request(s, tool) for tool in wanted]
    stated = [request.arguments for request in requests]
    if len(requests) == 2:
        return joined_requests(s, requests[0], requests[1]), stated
    text = requests[0].text
    if s.chance(0.15):
        text = s.pick(("Hi! ", "Good morning. ", "Sorry to bother you. ", "I have a question. ", "Quick one: ", "Ok so ", "Hello there, ", "Hey. ")) + text  # fmt: skip
    if text.endswith((".", "!", "?")) and s.chance(0.12):
        text += s.pick((" Thanks!", " Thank you.", " It's urgent.", " Please be quick.", " thx", " Cheers"))
    return text, stated


def joined_requests(s: Source, first: Request, second: Request) -> str:
    """Two requests as one text. A value at the end of the first is not run into the second."""
    head = first.text if first.closes else first.text.rstrip(".!")
    tail = second.text
    if not second.opens and s.chance(0.5):
        tail = tail[:1].lower() + tail[1:]
    return s.pick(CLEAR_JOINERS if first.closes else JOINERS).replace("{a}", head).replace("{b}", tail)


def stray_request(s: Source, offered: list[Offered]) -> str | None:
    """A request that no tool on offer answers: it shares no word with them."""
    words = frozenset().union(*(stems(f"{o.tool.name} {' '.join(o.tool.about)}") for o in offered))
    for _ in range(6):
        stray = any_tool(s)
        text, _ = request_for(s, [stray])
        alike = any(confusable(stray, o.tool) for o in offered)
        if not alike and not stems(f"{stray.name} {' '.join(stray.about)} {text}") & words:
            return text
    return None


def absent_rival(s: Source) -> tuple[str, list[Offered]] | None:
    """A request, and tools of which none answers it although rivals of the one that would are among them."""
    absent = any_tool(s)
    rivals = usable(s, rivals_of(absent.section)) if absent.section else ()
    near = [tool for tool in rivals if not confusable(tool, absent)]
    if not near:
        return None
    offered = [
        o
        for o in offer(s, [s.pick(near)], s.pick(OFFERED))
        if o.tool.name != absent.name and not confusable(o.tool, absent)
    ]
    return request_for(s, [absent])[0], offered


def asked_of(s: Source, offered: list[Offered], wanted: list[Tool]) -> tuple[str, list[dict[str, Any]]]:
    """A request for the wanted tools among those on offer, or for none of them; and its calls."""
    if not wanted:
        return (None if s.chance(CHATTER_SHARE) else stray_request(s, offered)) or s.phrase(CHATTER), []
    by_name = {o.tool.name: o for o in offered}
    text, stated = request_for(s, wanted)
    return text, [by_name[t.name].call(a) for t, a in zip(wanted, stated, strict=True)]


def links(text: str, offered: list[Offered], calls: list[dict[str, Any]]) -> tuple[str, ...]:
    """Words that tie one request to the tools that it calls and may become made-up ones on both sides."""
    called = {call["name"] for call in calls}
    words = [
        ToolWords(stems(f"{o.name} {o.about}"), stems(" ".join(o.names.values())), o.name in called) for o in offered
    ]
    kept = json.dumps([call["arguments"] for call in calls], default=str)
    options = " ".join(option for o in offered for p in o.tool.parameters for option in p.options + p.surfaces)
    return between_request_and_tools(text, words, f"{kept} {options}")


def function_call(s: Source) -> Example:
    """Tools and one request: no call, one call, or two; at times behind earlier requests with the same tools."""
    form = s.random.random()
    wanted: list[Tool] = []
    if form >= NONE_SHARE:
        wanted = [any_tool(s)]
        if form > 1 - TWO_CALLS_SHARE:
            near = usable(s, rivals_of(wanted[0].section)) if wanted[0].section and s.chance(RIVALS_SHARE) else ()
            second = s.pick(near) if near else any_tool(s)
            if second.name != wanted[0].name and not confusable(second, wanted[0]):
                wanted.append(second)
    near_miss = absent_rival(s) if not wanted and s.chance(ABSENT_RIVAL_SHARE) else None
    calls: list[dict[str, Any]] = []
    if near_miss is not None:
        text, offered = near_miss
    else:
        offered = offer(s, wanted, max(len(wanted), s.pick(OFFERED)))
        text, calls = asked_of(s, offered, wanted)
    linking = links(text, offered, calls)
    shape = s.random.random()
    if shape < 0.62 or len(calls) != 1:
        earlier: tuple[Turn, ...] = ()
        for _ in range(s.pick(FOLLOWED) if s.chance(FOLLOWING_SHARE) else 0):
            before = [s.pick(offered).tool] if s.chance(0.8) else []
            old_text, old_calls = asked_of(s, offered, before)
            earlier = (*earlier, user(old_text), assistant(compact_json(old_calls)))
            shared = links(old_text, offered, old_calls)
            linking = tuple(stem for stem in linking if stem in shared)
        example = _array_answer(s, offered, earlier, text, calls)
    elif shape < 0.82:
        example = _single_answer(s, offered, text, calls[0])
    else:
        example = _two_steps(s, offered, text, calls[0])
    origin = "no tool" if not wanted else "composed tools" if any(t.composed for t in wanted) else "hand-written tools"
    return replace(example, linking=linking, origin=origin)


def _array_answer(
    s: Source, offered: list[Offered], earlier: tuple[Turn, ...], text: str, calls: list[dict[str, Any]]
) -> Example:
    """An array of calls, `earlier` being requests and their answers before this one."""
    schema = calls_schema(offered)
    answer = assistant(compact_json(calls))
    if s.chance(0.5):
        described = s.chance(0.6)
        tools = tuple({"type": "function", "function": o.function(s, described)} for o in offered)
        turns: tuple[Turn, ...] = (*earlier, user(text), answer)
        if s.chance(0.5):
            turns = (system(s.pick(SYSTEMS)), *turns)
        return Example("tool", turns, calls, schema, tools=tools)
    shown = s.pick(("Tools:\n", "Functions:\n", "Available tools:\n", "")) + show_tools(s, offered)
    if s.chance(0.6):
        return Example("tool", (system(f"{s.pick(SYSTEMS)}\n{shown}"), *earlier, user(text), answer), calls, schema)
    head = f"{shown}\n\n{s.pick(('Request: ', '', 'User: ', 'Task: '))}"
    if earlier:
        return Example("tool", (user(head + earlier[0].content), *earlier[1:], user(text), answer), calls, schema)
    return Example("tool", (user(head + text), answer), calls, schema)


def _single_answer(s: Source, offered: list[Offered], text: str, call: dict[str, Any]) -> Example:
    """Exactly one call, as one object."""
    schema = {"anyOf": calls_schema(offered)["items"]["anyOf"]}
    head = s.phrase(
        (
            "Answer with one call as JSON.",
            "Reply with a single JSON call.",
            'Return {"name": ..., "arguments": {...}}.',
            "Choose one function and answer with its call as a JSON object.",
            "Exactly one tool must be called. Answer with a JSON object.",
            "Write the call as one JSON object.",
            "One call, as JSON object.",
        )
    )
    shown = show_tools(s, offered)
    content = f"{head}\n{shown}"
    turns = (system(content), user(text)) if s.chance(0.6) else (user(f"{content}\n\n{text}"),)
    return Example("tool", (*turns, assistant(compact_json(call))), call, schema)


def _two_steps(s: Source, offered: list[Offered], text: str, call: dict[str, Any]) -> Example:
    """The tool's name first, its arguments in a second answer."""
    shown = show_tools(s, offered)
    question = s.phrase(("Which tool?", "Which function fits?", "Choose the tool.", "Name the tool to use.", "Pick a function.", "Answer with the name of the tool.", "Tool?"))  # fmt: skip
    turns: list[Turn] = []
    if s.chance(0.5):
        turns += [
            system(shown if s.chance(0.4) else f"{s.pick(SYSTEMS)}\n{shown}"),
            user(f"{text}\n{question}" if s.chance(0.6) else text),
        ]
    else:
        turns += [user(f"{shown}\n\n{text}\n\n{question}")]
    turns.append(assistant(str(call["name"])))
    ask = s.phrase(("Arguments as JSON.", "Now the arguments.", "Give the arguments as a JSON object.", "With which arguments?", "Fill in the arguments.", "Arguments?", "Write its arguments as JSON."))  # fmt: skip
    chosen = next(o for o in offered if o.name == call["name"])
    if s.chance(0.3):
        ask += " " + json.dumps(chosen.parameters(s, False))
    turns += [user(ask), assistant(compact_json(call["arguments"]))]
    schema = {**chosen.parameters(None, False), "additionalProperties": False}
    return Example("tool", tuple(turns), call["arguments"], schema)
