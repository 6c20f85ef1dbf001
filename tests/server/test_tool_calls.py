"""Tool-call formats: their grammars admit the models' own texts and nothing unparseable; their parsers stream."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.errors import ConfigError, InvalidRequest
from slipform.grammars.spec import JsonSchema
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.server.pieces import ContentPiece, PieceParser, ToolCallArguments, ToolCallStart
from slipform.runtime.server.tool_calls.registry import FORMATS, choose_format, writes_tools
from slipform.runtime.server.tool_calls.tools import MAX_CALLS, Tool, ToolUse
from tests.server.grammar_texts import matches, random_text

WEATHER = Tool.of(
    "get_weather",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 1},
            "hourly": {"type": "boolean"},
        },
        "required": ["city"],
    },
)
NOW = Tool.of("now")
PLACE = {
    "type": "object",
    "properties": {"lat": {"type": "number"}, "far": {"type": "boolean"}},
    "required": ["lat", "far"],
}
ROUTE = Tool.of(
    "plan.route",
    {
        "type": "object",
        "$defs": {"place": {**PLACE, "additionalProperties": False}},
        "properties": {
            "stops": {"type": "array", "items": {"$ref": "#/$defs/place"}},
            "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
        },
    },
)
TOOLS = (WEATHER, NOW, ROUTE)
BY_NAME = {tool.name: tool for tool in TOOLS}
CALLS = [("get_weather", {"city": 'O]}"slo', "days": 2, "hourly": True}), ("now", {})]

# What models of each family write for CALLS, as their chat templates show it.
NATIVE = {
    "hermes": (
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "O]}\\"slo", "days": 2, "hourly": true}}\n'
        '</tool_call>\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'
    ),
    "llama3_json": (
        '{"name": "get_weather", "parameters": {"city": "O]}\\"slo", "days": 2, "hourly": true}}; '
        '{"name": "now", "parameters": {}}'
    ),
    "mistral": (
        '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "O]}\\"slo", "days": 2, "hourly": true}}, '
        '{"name": "now", "arguments": {}}]'
    ),
    "mistral_args": (
        '[TOOL_CALLS]get_weather[ARGS]{"city": "O]}\\"slo", "days": 2, "hourly": true}[TOOL_CALLS]now[ARGS]{}'
    ),
    "pythonic": '[get_weather(city="O]}\\"slo", days=2, hourly=True), now()]',
    "generic": (
        '[{"name":"get_weather","arguments":{"city":"O]}\\"slo","days":2,"hourly":true}},{"name":"now","arguments":{}}]'
    ),
}
IN_TEXT = ("hermes", "mistral", "mistral_args")


def parsed(parser: PieceParser, pieces: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Content, and the calls with their arguments as text."""
    content = ""
    calls: list[tuple[str, str]] = []
    for piece in [*(piece for text in pieces for piece in parser.push(text)), *parser.finish()]:
        match piece:
            case ContentPiece(text):
                assert text
                content += text
            case ToolCallStart(index, name):
                assert index == len(calls)
                calls.append((name, ""))
            case ToolCallArguments(index, text):
                assert index == len(calls) - 1
                assert text
                calls[index] = (calls[index][0], calls[index][1] + text)
            case _:
                raise AssertionError(piece)
    return content, calls


def as_values(calls: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in calls]


def cut(text: str, borders: Sequence[int]) -> list[str]:
    borders = sorted({0, *(border % (len(text) + 1) for border in borders), len(text)})
    return [text[begin:end] for begin, end in itertools.pairwise(borders)]


@pytest.mark.parametrize("name", FORMATS)
def test_the_models_own_text_is_admitted_and_read(name: str) -> None:
    form, text = FORMATS[name], NATIVE[name]
    for choice in ("auto", "required"):
        spec = form.constraint(ToolUse(TOOLS, choice))
        assert spec is not None
        assert matches(spec, text)
    content, calls = parsed(form.parser(TOOLS), [text])
    assert content == ""
    assert as_values(calls) == CALLS


@pytest.mark.parametrize("name", FORMATS)
def test_every_cut_in_two_gives_the_same(name: str) -> None:
    text = NATIVE[name]
    whole = parsed(FORMATS[name].parser(TOOLS), [text])
    for border in range(len(text)):
        assert parsed(FORMATS[name].parser(TOOLS), [text[:border], text[border:]]) == whole
    assert parsed(FORMATS[name].parser(TOOLS), list(text)) == whole


@pytest.mark.parametrize("name", IN_TEXT)
def test_calls_behind_text(name: str) -> None:
    text = "I look it up.\n\n" + NATIVE[name]
    spec = FORMATS[name].constraint(ToolUse(TOOLS))
    assert spec is not None
    assert matches(spec, text)
    content, calls = parsed(FORMATS[name].parser(TOOLS), list(text))
    assert content == "I look it up."
    assert as_values(calls) == CALLS


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", ["Hello.", " \n[1, 2] ", '{"name": "Ada"}', "<tool", "", "  two  words \n", "a [TOOL"])
def test_text_without_calls_stays_as_it_is(name: str, text: str) -> None:
    spec = FORMATS[name].constraint(ToolUse(TOOLS))
    assert spec is not None
    assert matches(spec, text)
    assert parsed(FORMATS[name].parser(TOOLS), list(text)) == (text, [])


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_whatever_the_grammar_admits_is_calls_with_valid_arguments(name: str, seed: int, data: st.DataObject) -> None:
    form = FORMATS[name]
    spec = form.constraint(ToolUse(TOOLS, "required"))
    assert spec is not None
    text = random_text(spec, seed)
    content, calls = parsed(form.parser(TOOLS), [text])
    assert content == ""
    assert 1 <= len(calls) <= MAX_CALLS
    for tool, arguments in as_values(calls):
        jsonschema.validate(arguments, BY_NAME[tool].schema)
    borders = data.draw(st.lists(st.integers(0, 10**4), max_size=8))
    assert parsed(form.parser(TOOLS), cut(text, borders)) == (content, calls)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(
    end=st.integers(0, 10**4),
    borders=st.lists(st.integers(0, 10**4), max_size=6),
    noise=st.text('<>[]{}tool_cal/TOLSC "name:,', max_size=30),
)
def test_a_cut_or_strange_text_breaks_nothing(name: str, end: int, borders: list[int], noise: str) -> None:
    text = (NATIVE[name] + noise)[: end % 300] if end % 2 else noise + NATIVE[name]
    whole = parsed(FORMATS[name].parser(TOOLS), [text])
    assert parsed(FORMATS[name].parser(TOOLS), cut(text, borders)) == whole


@pytest.mark.parametrize("name", FORMATS)
def test_one_call_where_one_is_asked_for(name: str) -> None:
    form = FORMATS[name]
    one = _single(name)
    for use in (ToolUse(TOOLS, "required", parallel=False), ToolUse(TOOLS, "auto", parallel=False)):
        spec = form.constraint(use)
        assert spec is not None
        assert not matches(spec, NATIVE[name])
        assert all(matches(spec, text) for text in one)
    named = form.constraint(ToolUse((NOW,), "named"))
    assert named is not None
    assert [matches(named, text) for text in one] == [False, True]
    assert not matches(named, NATIVE[name])


def _single(name: str) -> tuple[str, str]:
    """Each of the two calls of NATIVE alone."""
    text = NATIVE[name]
    if name in ("hermes", "mistral_args"):
        begin = text.rindex(text[:8])
        return text[:begin].rstrip("\n"), text[begin:]
    separator = {"llama3_json": "; ", "generic": "},{", "pythonic": "), "}.get(name, "}, {")
    kept = separator.rstrip("{; ,") if name != "llama3_json" else ""
    head, tail = text.rsplit(separator, 1)
    opened = {"mistral": "[TOOL_CALLS][{", "generic": "[{", "pythonic": "["}.get(name, "")
    closed = "" if name == "llama3_json" else "]"
    return head + kept + closed, opened + tail


@pytest.mark.parametrize("name", FORMATS)
def test_none_and_an_answer_beside_calls(name: str) -> None:
    form = FORMATS[name]
    answer = JsonSchema.of({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
    assert form.constraint(ToolUse(TOOLS, "none")) is None
    assert form.constraint(ToolUse(TOOLS, "none"), answer) == answer
    assert form.constraint(ToolUse(()), answer) == answer
    both = form.constraint(ToolUse(TOOLS), answer)
    assert both is not None
    assert matches(both, '{"n": 1}')
    assert matches(both, NATIVE[name])
    assert not matches(both, "Hello.")
    assert not matches(both, "[]")
    assert parsed(form.parser(TOOLS), list('{"n": 1}')) == ('{"n": 1}', [])


@pytest.mark.parametrize("name", FORMATS)
def test_strict_is_the_default_and_can_be_switched_off(name: str) -> None:
    form, text = FORMATS[name], NATIVE[name].replace("days", "daze")
    strict = form.constraint(ToolUse(TOOLS, "required"))
    loose_tool = Tool.of("get_weather", json.loads(WEATHER.parameters), strict=False)
    loose = form.constraint(ToolUse((loose_tool, NOW), "required"))
    assert strict is not None
    assert loose is not None
    assert not matches(strict, text)
    assert matches(loose, text) or name == "pythonic"  # a Python call names its parameters


def test_python_literals_become_json() -> None:
    stops_text = "[{'lat': -1.5, 'far': False}, {\"lat\": 2e3, \"far\": True}]"
    text = f"[plan.route(stops={stops_text}, note='it\\'s \"x\" \\u00e9\\x41\\n')]"
    _, calls = parsed(FORMATS["pythonic"].parser(TOOLS), list(text))
    stops = [{"lat": -1.5, "far": False}, {"lat": 2000.0, "far": True}]
    assert as_values(calls) == [("plan.route", {"stops": stops, "note": 'it\'s "x" éA\n'})]
    spec = FORMATS["pythonic"].constraint(ToolUse(TOOLS, "required"))
    assert spec is not None
    assert matches(spec, '[plan.route(stops=[{"lat": -1.5, "far": False}], note=None)]')
    assert matches(spec, "[plan.route(note=None), plan.route()]")


def test_unfit_names() -> None:
    with pytest.raises(InvalidRequest, match="tools"):
        Tool.of("two words")
    with pytest.raises(InvalidRequest, match="no name in Python"):
        FORMATS["pythonic"].constraint(ToolUse((Tool.of("get-weather"),), "required"))
    keyword = Tool.of("f", {"type": "object", "properties": {"a b": {"type": "string"}}})
    with pytest.raises(InvalidRequest, match="'a b'"):
        FORMATS["pythonic"].constraint(ToolUse((keyword,), "required"))


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ('<tool_call>{"name": <f>, "arguments": <a>}</tool_call>', "hermes"),
        ("{{ '[TOOL_CALLS]' + call | tojson }}", "mistral"),
        ("[TOOL_CALLS]{{ name }}[ARGS]{{ arguments }}", "mistral_args"),
        ('<|eot_id|> respond with {"name": x, "parameters": y}', "llama3_json"),
        ("[func_name1(params_name1=params_value1)]", "pythonic"),
        (None, "generic"),
        ("{{ messages }}", "generic"),
    ],
)
def test_the_template_decides(template: str | None, name: str) -> None:
    assert choose_format(None, template).name == name


def test_a_flag_decides_first() -> None:
    assert choose_format("hermes", "[TOOL_CALLS]").name == "hermes"
    with pytest.raises(ConfigError, match="known: hermes"):
        choose_format("harmony", None)


def test_the_embedded_model_writes_the_generic_format() -> None:
    template = json.loads((EMBEDDED_MODEL / "tokenizer_config.json").read_text())["chat_template"]
    assert choose_format(None, template).name == "generic"
    assert writes_tools(template)
    assert not writes_tools("{{ messages }}")
    spec = FORMATS["generic"].constraint(ToolUse(TOOLS))
    assert spec is not None
    assert matches(spec, "[]")
    assert parsed(FORMATS["generic"].parser(TOOLS), list("[]")) == ("", [])
    for tool in TOOLS:
        assert tool.name in FORMATS["generic"].instructions(TOOLS)


@pytest.mark.parametrize("name", FORMATS)
def test_an_integer_argument_is_never_written_as_a_float(name: str) -> None:
    spec = FORMATS[name].constraint(ToolUse(TOOLS, "required"))
    assert spec is not None
    digits = [at for at, character in enumerate(NATIVE[name]) if character.isdigit()]
    assert matches(spec, NATIVE[name])
    assert not matches(spec, NATIVE[name][: digits[-1] + 1] + ".0" + NATIVE[name][digits[-1] + 1 :])
