"""Tools and the loop of calls: what the model may write, what runs, and what it is told."""

import asyncio
import datetime
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Literal

import pytest

import slipform as sf
from slipform.lang import offline
from slipform.lang.backend import Backend
from slipform.lang.calls import make_call, turn_constraint
from slipform.lang.config import as_backend
from slipform.lang.tool_styles import IN_WORDS
from slipform.lang.tools import as_tools
from tests.fakes import scripted_engine


@sf.tool
def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    The result is exact.

    Args:
        a: the first number,
            of any size.
        b (int): the second.

    Returns:
        their sum
    """
    return a + b


@sf.tool(name="shop.find", description="Find offers.")
async def find(word: str, kind: Literal["new", "used"] = "new") -> list[dict[str, str]]:
    await asyncio.sleep(0)
    return [{"word": word, "kind": kind}]


def fail(reason: str) -> str:
    """Always fails."""
    raise LookupError(f"no {reason}")


def written(name: str, /, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


# Tools


def test_a_signature_and_a_docstring_become_a_schema() -> None:
    assert add.describe() == {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Add two numbers.\n\nThe result is exact.",
            "parameters": {
                "type": "object",
                "title": "add",
                "additionalProperties": False,
                "properties": {
                    "a": {"type": "integer", "title": "A", "description": "the first number, of any size."},
                    "b": {"type": "integer", "title": "B", "description": "the second.", "default": 1},
                },
                "required": ["a"],
            },
        },
    }
    assert (find.name, find.description) == ("shop.find", "Find offers.")
    assert add(2, b=3) == 5


def test_arguments_are_read_as_their_types() -> None:
    @sf.tool
    def due(day: datetime.date, n: int = 2) -> str:
        return (day + datetime.timedelta(days=n)).isoformat()

    assert due.run(due.read({"day": "2026-11-23"})) == "2026-11-25"
    with pytest.raises(ValueError, match="day"):
        due.read({"day": "soon"})


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ([], "must be some and differ"),
        ([add, add], "must be some and differ"),
        ([3], "3 is no tool"),
        ("add", "is no list of tools"),
        ([lambda x: x], "'<lambda>' is no name"),
    ],
)
def test_what_is_no_list_of_tools_is_refused(tools: Any, message: str) -> None:
    with pytest.raises(sf.ArgumentError, match=message):
        as_tools(tools)


def test_functions_that_cannot_be_filled_by_name_are_refused() -> None:
    def variable(*values: int) -> int:
        return sum(values)

    with pytest.raises(sf.ArgumentError, match=r"tool\('variable'\): parameter \*values: int cannot be filled"):
        sf.tool(variable)


def test_the_prompt_holds_every_signature() -> None:
    prompt = sf.tool_prompt([add, find]).text
    lines = prompt[prompt.index("<tools>\n") + 8 : prompt.index("\n</tools>\nWrite")].splitlines()
    assert [json.loads(line) for line in lines] == [add.describe(), find.describe()]


# Constraints


def allows(written_text: str, /, **options: Any) -> bool:
    return offline.matches(turn_constraint(make_call("x", [add, fail], **options), first=True), written_text)


@pytest.mark.parametrize("text_before", ["", "Let me see. "])
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("parallel", [True, False])
def test_what_a_turn_may_hold(text_before: str, required: bool, text: bool, parallel: bool) -> None:
    options = {"required": required, "text": text, "parallel": parallel}
    one = written("add", a=1)
    assert allows(text_before + one, **options) == (text or not text_before)
    assert allows(f"{one}\n{one}", **options) == parallel
    assert allows("No call.", **options) == (not required)
    assert not allows(written("add", b=1), **options)
    assert not allows(written("add", a="1"), **options)
    assert not allows(written("sub", a=1), **options)
    assert not allows("<tool_call>\nnonsense", **options)


def test_calls_are_read_even_where_their_texts_look_like_tags() -> None:
    text = "Hm. " + written("fail", reason="</tool_call>\n<tool_call>\n") + "\n" + written("add", a=1)
    assert IN_WORDS.read(text, as_tools([add, fail])) == [
        ("fail", {"reason": "</tool_call>\n<tool_call>\n"}),
        ("add", {"a": 1}),
    ]


# The loop


def program_with(*tools: Any, **options: Any) -> sf.Program:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.system("Help. " + sf.tool_prompt(tools)) + sf.user("What is 2 + 3?")
        s += sf.call("answer", tools=tools, **options)

    return program


def test_results_are_fed_back_until_the_model_answers() -> None:
    backend = sf.ScriptedBackend({"answer": ["I add. " + written("add", a=2, b=3), written("add", a=5), "It is 6."]})
    state = program_with(add).run(backend=backend)
    assert state["answer"] == "It is 6."
    assert [(call.name, call.arguments, call.result) for call in state["answer_calls"]] == [
        ("add", {"a": 2, "b": 3}, 5),
        ("add", {"a": 5}, 6),
    ]
    roles = [message["role"] for message in state.messages()]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    assert state.messages()[3]["content"] == "<tool_response>\n5\n</tool_response>"
    assert len(backend.requests) == 3


def test_exceptions_and_wrong_values_are_told_and_kept() -> None:
    backend = sf.ScriptedBackend({"answer": [written("fail", reason="luck"), "Sorry."]})
    state = program_with(fail).run(backend=backend)
    (call,) = state["answer_calls"]
    assert isinstance(call.error, LookupError)
    assert state.messages()[3]["content"] == "<tool_response>\nError: LookupError: no luck\n</tool_response>"
    told = program_with(fail, format_error=lambda error: f"oops {error}").run(
        backend=sf.ScriptedBackend({"answer": [written("fail", reason="x"), "Sorry."]})
    )
    assert told["answer_calls"][0].text == "oops no x"


def test_the_last_call_is_followed_by_an_answer_or_by_nothing() -> None:
    answers = {"answer": [written("add", a=1), "Done: 2."]}
    state = program_with(add, max_calls=1).run(backend=sf.ScriptedBackend(answers))
    assert state["answer"] == "Done: 2."
    backend = sf.ScriptedBackend(answers)
    cut = program_with(add, max_calls=1, final=False, required=True, text=False).run(backend=backend)
    assert cut["answer_calls"][0].result == 2
    assert len(backend.requests) == 1
    with pytest.raises(sf.FillError, match="does not allow"):
        program_with(add, max_calls=1).run(backend=sf.ScriptedBackend({"answer": [written("add", a=1)] * 2}))


def test_parallel_calls_run_at_the_same_time() -> None:
    barrier = threading.Barrier(2, timeout=60)

    @sf.tool
    def meet(name: str) -> str:
        """Wait for the other."""
        barrier.wait()
        return f"met {name}"

    both = f"{written('meet', name='a')}\n{written('meet', name='b')}"
    state = program_with(meet, parallel=True).run(backend=sf.ScriptedBackend({"answer": [both, "Done."]}))
    assert [call.result for call in state["answer_calls"]] == ["met a", "met b"]
    assert state.messages()[3]["content"].count("<tool_response>") == 2


def test_async_programs_await_their_calls() -> None:
    @sf.function
    async def program(s: sf.ProgramState) -> str:
        s += sf.user("Find a pen.")
        answer: str = await s.acall("answer", [find, add], parallel=True)
        return answer

    @sf.function
    async def blocking(s: sf.ProgramState) -> None:
        s += sf.call("answer", [add])

    answers = {"answer": [written("shop.find", word="pen") + "\n" + written("add", a=1), "Here."]}
    state = asyncio.run(program.arun(backend=sf.ScriptedBackend(answers)))
    assert state.result == "Here."
    assert [call.result for call in state["answer_calls"]] == [[{"word": "pen", "kind": "new"}], 2]
    assert program_with(find).run(
        backend=sf.ScriptedBackend(answers | {"answer": [written("shop.find", word="x"), "y"]})
    )
    with pytest.raises(sf.ProgramError, match=r"would block the event loop; write `await s\.acall\('answer'"):
        asyncio.run(blocking.arun(backend=sf.ScriptedBackend(answers)))


def test_a_call_stands_alone_and_its_arguments_are_checked() -> None:
    @sf.function
    def inside(s: sf.ProgramState) -> None:
        s += sf.assistant(sf.call("answer", [add]))

    with pytest.raises(sf.RoleError, match=r"writes messages of its own.*test_tools\.py:\d+"):
        inside.run(backend=sf.ScriptedBackend({}))
    with pytest.raises(sf.ArgumentError, match=r"max_calls=0 must be at least 1 .*test_tools\.py:\d+"):
        sf.call("x", [add], max_calls=0)
    with pytest.raises(sf.ArgumentError, match="temperature"):
        sf.call("x", [add], temperature=-1)


def test_plans_name_the_tools() -> None:
    plan = program_with(add, find).plan()
    assert "answer: the model calls add, shop.find up to 8 times" in str(plan)
    assert len(plan.constraints) == 2


# Model Context Protocol


LISTING = {
    "tools": [
        {
            "name": "weather",
            "description": "The weather.",
            "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        }
    ]
}


def test_tools_of_an_mcp_server() -> None:
    asked: list[Any] = []

    def call(name: str, arguments: dict[str, Any]) -> Any:
        asked.append((name, arguments))
        bad = arguments["city"] == "Atlantis"
        return {"content": [{"type": "text", "text": "lost" if bad else "sunny"}], "isError": bad}

    as_objects = SimpleNamespace(tools=[SimpleNamespace(**LISTING["tools"][0])])
    for listing in (LISTING, LISTING["tools"], as_objects):
        (weather,) = sf.mcp_tools(listing, call)
        assert (weather.name, weather.description) == ("weather", "The weather.")
        assert weather.parameters["additionalProperties"] is False
    answers = {"answer": [written("weather", city="Rome"), written("weather", city="Atlantis"), "Sunny."]}
    state = program_with(weather).run(backend=sf.ScriptedBackend(answers))
    assert asked == [("weather", {"city": "Rome"}), ("weather", {"city": "Atlantis"})]
    assert [call.text for call in state["answer_calls"]] == ["sunny", "Error: RuntimeError: lost"]
    with pytest.raises(sf.ArgumentError, match="has no name and inputSchema"):
        sf.mcp_tools([{"name": "x"}], call)


# On an engine


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=8) as engine:
        yield as_backend(engine)
        engine.check()


@pytest.mark.parametrize("parallel", [True, False])
def test_a_model_that_writes_anything_makes_calls_that_run(backend: Backend, parallel: bool) -> None:
    @sf.tool
    def grade(level: Literal["low", "high"], points: int) -> str:
        """Grade."""
        return f"{level} {points}"

    program = program_with(grade, max_calls=2, text=False, required=True, parallel=parallel, max_tokens=80)
    for seed in range(3):
        state = program.run(backend=backend, seed=seed)
        calls = state["answer_calls"]
        assert 1 <= len(calls) <= 2
        assert all(call.error is None and call.result.startswith(call.arguments["level"]) for call in calls)
