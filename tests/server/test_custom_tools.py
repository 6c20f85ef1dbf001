"""Custom tools: texts as inputs, free or in a grammar, through the OpenAI SDK and through every tool-call format."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageCustomToolCall

from slipform.grammars.spec import AnyText, GrammarSpec, Regex
from slipform.runtime.server.pieces import CustomCallInput, CustomCallStart, Piece, ToolCallArguments, ToolCallStart
from slipform.runtime.server.tool_calls.custom_inputs import CustomInputs, InputDecoder
from slipform.runtime.server.tool_calls.registry import FORMATS
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse
from tests.server.grammar_texts import random_text
from tests.server.serving import RunningServer

SUM_LARK = 'start: NUMBER (" + " NUMBER)~1..3\nNUMBER: /[0-9]{1,3}/'
SUM = re.compile(r"[0-9]{1,3}( \+ [0-9]{1,3}){1,3}")
ODD = re.compile(r'[a"\\\n/é😀]{3,12}')
ASK: Any = [{"role": "user", "content": "Compute 3 + 4."}]
FUNCTION = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
NESTED = 'start: "(" start ")" | "x"'


def custom(name: str, syntax: str, definition: str) -> dict[str, Any]:
    form = {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}
    return {"type": "custom", "custom": {"name": name, "description": "Works.", "format": form}}


def flat(name: str, syntax: str, definition: str) -> dict[str, Any]:
    form = {"type": "grammar", "syntax": syntax, "definition": definition}
    return {"type": "custom", "name": name, "description": "Works.", "format": form}


TOOLS: Any = [FUNCTION, custom("add", "lark", SUM_LARK), custom("odd", "regex", ODD.pattern)]
NAMED: Any = {"type": "custom", "custom": {"name": "add"}}


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.parametrize(("name", "form"), [("add", SUM), ("odd", ODD)])
@pytest.mark.parametrize("seed", range(3))
def test_a_named_tool_is_called_with_a_text_of_its_grammar(
    client: openai.OpenAI, name: str, form: "re.Pattern[str]", seed: int
) -> None:
    choice: Any = {"type": "custom", "custom": {"name": name}}
    answer = client.chat.completions.create(
        model="slipform", messages=ASK, tools=TOOLS, tool_choice=choice, seed=seed, max_tokens=300
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert isinstance(call, ChatCompletionMessageCustomToolCall)
    assert call.id
    assert call.custom.name == name
    assert form.fullmatch(call.custom.input)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None


def test_functions_and_custom_tools_in_one_answer(client: openai.OpenAI) -> None:
    kinds = set()
    for seed in range(4):
        answer = client.chat.completions.create(
            model="slipform", messages=ASK, tools=TOOLS, tool_choice="required", seed=seed, max_tokens=1500
        )
        calls = answer.choices[0].message.tool_calls or []
        complete = calls if answer.choices[0].finish_reason == "tool_calls" else calls[:-1]
        for call in complete:
            kinds.add(call.type)
            if call.type == "custom":
                assert {"add": SUM, "odd": ODD}[call.custom.name].fullmatch(call.custom.input)
            else:
                assert (call.function.name, json.loads(call.function.arguments)) == ("now", {})
    assert kinds == {"function", "custom"}


def test_a_stream_has_the_whole_input(server: RunningServer) -> None:
    body = {"messages": ASK, "tools": TOOLS, "seed": 5, "max_tokens": 300}
    body["tool_choice"] = {"type": "custom", "custom": {"name": "odd"}}
    url = f"{server.url}/v1/chat/completions"
    whole = httpx.post(url, json=body, timeout=60).json()["choices"][0]["message"]["tool_calls"][0]
    sent = httpx.post(url, json={**body, "stream": True}, timeout=60).text
    chunks = [json.loads(line[6:]) for line in sent.splitlines() if line.startswith("data: {")]
    deltas = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert deltas[0]["id"]
    assert (deltas[0]["index"], deltas[0]["type"], deltas[0]["custom"]) == (0, "custom", {"name": "odd", "input": ""})
    assert len(deltas) >= 2
    assert "".join(delta["custom"]["input"] for delta in deltas) == whole["custom"]["input"]
    assert ODD.fullmatch(whole["custom"]["input"])


def test_any_text_and_the_turn_after_it(client: openai.OpenAI) -> None:
    tool: Any = {"type": "custom", "custom": {"name": "note", "format": {"type": "text"}}}
    call: Any = {"id": "call_1", "type": "custom", "custom": {"name": "note", "input": 'a "quoted"\nline'}}
    answer = client.chat.completions.create(
        model="slipform",
        messages=[
            *ASK,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "noted"},
        ],
        tools=[tool],
        tool_choice={"type": "custom", "custom": {"name": "note"}},
        max_tokens=20,
    )
    (made,) = answer.choices[0].message.tool_calls or []
    assert made.type == "custom"
    assert made.custom.name == "note"


def test_responses(client: openai.OpenAI) -> None:
    tools: Any = [flat("add", "lark", SUM_LARK), flat("odd", "regex", ODD.pattern)]
    fields: Any = {"model": "slipform", "tools": tools, "tool_choice": {"type": "custom", "name": "odd"}}
    first = client.responses.create(input="Go.", max_output_tokens=300, **fields)
    (call,) = first.output
    assert call.type == "custom_tool_call"
    assert call.name == "odd"
    assert ODD.fullmatch(call.input)
    result: Any = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "7"}
    second = client.responses.create(previous_response_id=first.id, input=[result], max_output_tokens=300, **fields)
    assert second.output[0].type == "custom_tool_call"
    assert client.responses.input_items.list(second.id).data[0].type == "custom_tool_call_output"
    events = list(client.responses.create(input="Go.", max_output_tokens=300, stream=True, **fields))
    deltas = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    (done,) = [event for event in events if event.type == "response.custom_tool_call_input.done"]
    assert "".join(deltas) == done.input
    assert ODD.fullmatch(done.input)
    assert events[-1].type == "response.completed"
    assert events[-1].response.tools[0].type == "custom"


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        (custom("a", "lark", "start: ("), "tools[1].custom.format.grammar.definition"),
        (custom("a", "lark", NESTED), "tools[1].custom.format.grammar.definition"),
        (custom("a", "regex", "[a"), "tools[1].custom.format.grammar.definition"),
        (custom("a", "ebnf", "a"), "tools[1].custom.format.grammar.syntax"),
        ({"type": "custom", "custom": {"name": "a", "format": {"type": "grammar"}}}, "tools[1].custom.format.grammar"),
        ({"type": "custom"}, "tools[1].custom"),
        ({"type": "function"}, "tools[1].function"),
        (custom("now", "regex", "a"), "tools"),
    ],
)
def test_what_is_wrong_with_a_tool_is_named(http: httpx.Client, tool: dict[str, Any], param: str) -> None:
    body = {"messages": ASK, "tools": [FUNCTION, tool], "max_tokens": 2}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "add"}}, {"type": "custom"}])
def test_a_choice_of_no_such_tool(http: httpx.Client, choice: dict[str, Any]) -> None:
    answer = http.post("/v1/chat/completions", json={"messages": ASK, "tools": TOOLS, "tool_choice": choice})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"].startswith("tool_choice")


@pytest.mark.parametrize("tool", [flat("a", "lark", NESTED), flat("a", "regex", "")])
def test_responses_name_their_own_field(http: httpx.Client, tool: dict[str, Any]) -> None:
    answer = http.post("/v1/responses", json={"input": "Go.", "tools": [tool]})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == "tools[0].format.definition"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_carries_inputs(name: str, seed: int) -> None:
    """Whatever the grammar admits, however it is cut, is read as an input that matches."""
    kinds: dict[str, GrammarSpec] = {"odd": Regex(ODD.pattern), "free": AnyText()}
    tools = (*(Tool.custom(kind, spec) for kind, spec in kinds.items()), Tool.of("now"))
    spec = FORMATS[name].constraint(ToolUse(tools, "required"))
    assert spec is not None
    text = random_text(spec, seed)
    for size in (1, 3, len(text)):
        parser = CustomInputs(FORMATS[name].parser(tools), set(kinds))
        pieces: list[Piece] = []
        for start in range(0, len(text), size):
            pieces += parser.push(text[start : start + size])
        pieces += parser.finish()
        inputs: dict[int, tuple[str, str]] = {}
        for piece in pieces:
            match piece:
                case CustomCallStart(index, tool):
                    inputs[index] = (tool, "")
                case CustomCallInput(index, part):
                    inputs[index] = (inputs[index][0], inputs[index][1] + part)
                case _:
                    assert isinstance(piece, ToolCallStart | ToolCallArguments)
        assert all(ODD.fullmatch(value) for tool, value in inputs.values() if tool == "odd")
        oracle = CustomInputs(FORMATS[name].parser(tools), set())
        arguments: dict[int, str] = {}
        for piece in [*oracle.push(text), *oracle.finish()]:
            if isinstance(piece, ToolCallArguments):
                arguments[piece.index] = arguments.get(piece.index, "") + piece.text
        assert {index: value for index, (_, value) in inputs.items()} == {
            index: json.loads(arguments[index])["input"] for index in inputs
        }


@pytest.mark.parametrize("text", ["", 'é"\\/\b\f\n\r\t\x00', "a😀b", "\\u0041", "ends in \\"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_inputs_are_decoded_at_every_cut(text: str, is_ascii: bool) -> None:
    written = json.dumps({"input": text}, ensure_ascii=is_ascii)
    for cut in range(len(written) + 1):
        decoder = InputDecoder()
        assert decoder.push(written[:cut]) + decoder.push(written[cut:]) == text
