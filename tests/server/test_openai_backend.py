"""Programs on APIs of OpenAI's kind: constraints are mapped, answers are checked, and what cannot be done is said."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel

import slipform as sf
from slipform.errors import BackendError, FillError, SlipformError
from slipform.grammars.spec import Choice, Ebnf, GrammarSpec, JsonSchema, Regex, Series
from slipform.lang.backends.openai import OpenAI
from slipform.lang.backends.openai_constraints import fits_strict, map_constraint
from tests.server.serving import RunningServer

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
PICK = {"choices": ["a", "b"], "choices_method": "masked_decoding"}
COMPACT = JsonSchema.of(SCHEMA, whitespace="compact")


class Ticket(BaseModel):
    name: str
    urgency: Literal["low", "high"]


@sf.function
def read_ticket(s: Any) -> None:
    s += sf.user("Extract the ticket as JSON.\n\nHi, I am Priya Nair. No rush.")
    s += sf.assistant(sf.gen("ticket", schema=Ticket, temperature=0))
    s += sf.user("Urgency?")
    s += sf.assistant(sf.select("urgency", ["low", "high"], choices_method=sf.masked_decoding))


# A Slipform server in place of vLLM: real answers to real requests


@pytest.fixture(scope="module")
def vllm(embedded: RunningServer) -> Iterator[OpenAI]:
    backend = OpenAI("slipform", base_url=f"{embedded.url}/v1", api_key="none", server="vllm")
    yield backend
    backend.close()


def test_a_program_of_messages(vllm: OpenAI) -> None:
    state = read_ticket.run(backend=vllm)
    assert state["ticket"] == Ticket(name="Priya Nair", urgency="low")
    assert state["urgency"] in ("low", "high")
    assert [message["role"] for message in state.messages()] == ["user", "assistant"] * 2
    assert vllm.usage["completion_tokens"] > 0
    assert not vllm.unenforced


def test_a_message_goes_on_where_it_begun(vllm: OpenAI) -> None:
    @sf.function
    def program(s: Any) -> None:
        s += sf.user("My name is Ada Lovelace. Name?")
        s += sf.assistant("Name: " + sf.gen("name", regex="[A-Z][a-z]+ [A-Z][a-z]+", temperature=0) + "!")

    state = program.run(backend=vllm)
    assert state.messages()[-1]["content"] == f"Name: {state['name']}!"


def test_logprobs_n_and_streams(vllm: OpenAI) -> None:
    @sf.function
    def program(s: Any) -> None:
        s += sf.user("Say yes.")
        s += sf.assistant(sf.gen("a", max_tokens=4, n=2, return_logprob=True, top_logprobs_num=2, ignore_eos=True))

    state = program.run(backend=vllm)
    assert len(state["a"]) == 2

    @sf.function
    def streamed(s: Any) -> None:
        s += sf.user("Say yes.")
        s += sf.assistant(sf.gen("a", max_tokens=6, temperature=0, ignore_eos=True))

    state = streamed.run(backend=vllm, stream=True)
    assert "".join(state.text_iter("a")) == state["a"] != ""


def test_options_are_scored_by_completions(embedded: RunningServer) -> None:
    completions = OpenAI("slipform", base_url=f"{embedded.url}/v1", server="vllm", chat=False)
    endpoint = sf.Endpoint(embedded.url)

    @sf.function
    def program(s: Any) -> None:
        s += "The sky is"
        s += sf.select("color", [" blue", " a table"])

    found = [program.run(backend=backend).get_meta_info("color") for backend in (completions, endpoint)]
    scores = [meta["normalized_prompt_logprobs"] for meta in found]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    completions.close()
    endpoint.close()


# An API that is played


def api(*answers: Any, server: Any = "openai", **options: Any) -> tuple[OpenAI, list[dict[str, Any]]]:
    """A backend whose API answers each of these contents (or whole messages) in turn, the last again and again."""
    bodies: list[dict[str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        bodies.append(body)
        answer = answers[min(len(bodies), len(answers)) - 1]
        message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
        usage = {"prompt_tokens": 3, "completion_tokens": 2}
        if body.get("stream"):
            chunks = [
                {"choices": [{"index": 0, "delta": message, "finish_reason": "stop"}]},
                {"choices": [], "usage": usage},
            ]
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
            return httpx.Response(200, text="".join([*lines, "data: [DONE]\n\n"]))
        choices = [{"index": index, "message": message, "finish_reason": "stop"} for index in range(body.get("n", 1))]
        return httpx.Response(200, json={"choices": choices, "usage": usage})

    return OpenAI("m", server=server, transport=httpx.MockTransport(handle), **options), bodies


def asks(**options: Any) -> sf.Program:
    @sf.function
    def program(s: Any) -> None:
        s += sf.system("Be brief.")
        s += sf.user("Go.")
        s += sf.assistant(sf.gen("x", **options))

    return program


def failure(program: sf.Program, backend: OpenAI) -> str:
    with pytest.raises(FillError) as caught:
        program.run(backend=backend)["x"]
    backend.close()
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "answer", "value", "sent"),
    [
        ({}, "Hello.", "Hello.", None),
        ({"schema": SCHEMA}, '{"n": 3}', {"n": 3}, SCHEMA),
        ({"regex": "[0-9]+"}, '{"answer": "42"}', "42", {"type": "string", "pattern": "^(?:[0-9]+)$"}),
        (
            {"choices": ["a", "b"], "choices_method": "masked_decoding"},
            '{"answer": "b"}',
            "b",
            {"type": "string", "enum": ["a", "b"]},
        ),
        ({"schema": list[int]}, '{"answer": [1, 2]}', [1, 2], None),
    ],
)
def test_constraints_as_response_format(options: dict[str, Any], answer: str, value: Any, sent: Any) -> None:
    backend, bodies = api(answer)
    assert asks(**options).run(backend=backend)["x"] == value
    (body,) = bodies
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Go."}]
    assert body["max_completion_tokens"] > 0
    if sent is not None:
        form = body["response_format"]["json_schema"]
        assert form["strict"] is True
        assert sent in (form["schema"], form["schema"]["properties"].get("answer"))
    backend.close()


def test_constraints_as_a_forced_call() -> None:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "answer", "arguments": '{"n": 3}'}}]}
    backend, bodies = api(call, json_mode="tools")
    assert asks(schema=SCHEMA).run(backend=backend)["x"] == {"n": 3}
    assert bodies[0]["tools"][0]["function"]["parameters"] == SCHEMA
    assert bodies[0]["tool_choice"]["function"]["name"] == "answer"
    backend.close()


def test_what_is_not_enforced_is_checked_counted_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    program = asks(ebnf='root ::= "yes" | "no"')
    backend, bodies = api("maybe", "yes")
    with caplog.at_level(logging.WARNING):
        assert program.run(backend=backend)["x"] == "yes"
    assert len(bodies) == 2
    assert backend.unenforced == {"Ebnf": 1}
    assert backend.server_info()["unenforced"] == {"Ebnf": 1}
    assert "cannot enforce Ebnf" in caplog.text
    backend.close()
    backend, bodies = api("maybe")
    message = failure(program, backend)
    assert "'maybe'" in message
    assert "did not enforce" in message
    assert len(bodies) == 3


def test_a_promise_that_is_broken_is_an_error() -> None:
    backend, bodies = api('{"n": "three"}')
    assert "JsonSchema does not allow" in failure(asks(schema=SCHEMA), backend)
    assert len(bodies) == 1
    backend, _ = api("three")
    assert "where JSON was asked for" in failure(asks(regex="a+"), backend)


def test_a_loose_schema_is_sent_and_checked() -> None:
    loose = {"type": "object", "properties": {"n": {"type": "integer"}}}
    assert fits_strict(SCHEMA)
    assert not fits_strict(loose)
    assert not fits_strict({**SCHEMA, "properties": {"n": {"type": "integer", "not": {"const": 3}}}})
    backend, bodies = api('{"n": "x"}', '{"n": 1}')
    assert asks(schema=loose).run(backend=backend)["x"] == {"n": 1}
    assert [body["response_format"]["json_schema"]["strict"] for body in bodies] == [False, False]
    backend.close()


@pytest.mark.parametrize(
    ("server", "spec", "fields"),
    [
        (
            "vllm",
            JsonSchema.of(SCHEMA, whitespace="compact"),
            {"structured_outputs": {"json": SCHEMA, "disable_any_whitespace": True}},
        ),
        ("vllm", Regex("a"), {"structured_outputs": {"regex": "a"}}),
        ("vllm", Choice(("a", "b")), {"structured_outputs": {"choice": ["a", "b"]}}),
        ("vllm", Ebnf("root ::= x"), {"structured_outputs": {"grammar": "root ::= x"}}),
        ("vllm", Series((Regex("a"),)), {}),
        ("sglang", Regex("a"), {"regex": "a"}),
        ("sglang", Choice(("a.", "b")), {"regex": "(?:a\\.)|(?:b)"}),
        ("sglang", Ebnf("root ::= x"), {"ebnf": "root ::= x"}),
        ("sglang", Series((Regex("a"),)), {}),
        ("openai", None, {}),
    ],
)
def test_fields_of_each_server(server: Any, spec: GrammarSpec | None, fields: dict[str, Any]) -> None:
    mapped = map_constraint(spec, server, "json_schema")
    assert mapped.fields == fields
    assert mapped.enforced is (bool(fields) or spec is None)


@pytest.mark.parametrize(
    ("program", "answer", "says"),
    [
        (asks(top_k=5), "a", "top_k"),
        (asks(stop_regex="a+"), "a", "stop_regex"),
        (asks(logit_bias={3: 1.0}), "a", "logit_bias"),
        (asks(), {"role": "assistant", "content": None, "refusal": "I will not."}, "I will not."),
    ],
)
def test_what_the_api_cannot_do_is_said(program: sf.Program, answer: Any, says: str) -> None:
    assert says in failure(program, api(answer)[0])


def test_programs_that_are_no_messages() -> None:
    @sf.function
    def bare(s: Any) -> None:
        s += "Once upon a time"
        s += sf.gen("x")

    @sf.function
    def begun(s: Any) -> None:
        s += sf.user("Go.")
        s += sf.assistant("Well, " + sf.gen("x"))

    @sf.function
    def inside_user(s: Any) -> None:
        s += sf.user("Go " + sf.gen("x"))

    for program, says in ((bare, "roles"), (begun, "has begun"), (inside_user, "assistant messages only")):
        assert says in failure(program, api("a")[0])

    @sf.function
    def scored(s: Any) -> None:
        s += sf.user("Go.")
        s += sf.assistant(sf.select("x", ["a", "b"]))

    backend, _ = api("a")
    with pytest.raises(SlipformError, match="masked_decoding"):
        scored.run(backend=backend)["x"]
    with pytest.raises(BackendError, match="no cache that can be flushed"):
        backend.flush_cache()
    backend.close()


@sf.function(num_api_spec_tokens=64)
def card(s: Any) -> None:
    s += sf.user("A card for Ada.")
    s += sf.assistant("Name: " + sf.gen("name", stop="\n") + "\nBorn: " + sf.gen("born", regex="[0-9]{4}") + ".")
    s += sf.user("And her trade, as one word?")
    s += sf.assistant("Trade: " + sf.gen("trade"))


CARD = "Name: Ada Lovelace\nBorn: 1815."


def test_a_message_with_several_holes_is_asked_for_as_a_whole() -> None:
    backend, bodies = api(CARD, "Trade: mathematics")
    state = card.run(backend=backend)
    assert [state[name] for name in ("name", "born", "trade")] == ["Ada Lovelace", "1815", "mathematics"]
    assert [message["content"] for message in state.messages()][1::2] == [CARD, "Trade: mathematics"]
    assert [[message["role"] for message in body["messages"]] for body in bodies] == [
        ["user"],
        ["user", "assistant", "user"],
    ]
    assert bodies[1]["messages"][1]["content"] == CARD
    assert bodies[0]["max_completion_tokens"] == 128
    assert "stop" not in bodies[0]
    assert backend.unenforced == {"Regex": 1}
    backend.close()


def test_a_message_that_does_not_fit_is_asked_for_again_three_times() -> None:
    backend, bodies = api("Sure! " + CARD, "Name: Ada", CARD, "Trade: mathematics")
    state = card.run(backend=backend)
    assert state["born"] == "1815"
    assert len(bodies) == 4
    backend.close()
    backend, bodies = api("Sure! " + CARD)
    message = failure(card, backend)
    assert "the model wrote 'Sure! Name: Ada" in message
    assert "where the program goes on with 'Name: '" in message
    assert "asked 3 times" in message
    assert re.search(r"test_openai_backend\.py:\d+", message)
    assert len(bodies) == 3


def test_looks_between_the_holes_of_a_message_read_on_in_it() -> None:
    @sf.function(num_api_spec_tokens=64)
    def looks(s: Any) -> None:
        s += sf.user("A card for Ada.")
        with s.assistant():
            s += "Name: " + sf.gen("name", stop="\n")
            if s["name"].startswith("Ada"):
                s += "\nBorn: " + sf.gen("born", regex="[0-9]{4}")
            forks = s.fork(2)
            forks += lambda i: sf.gen("end", stop="!")

    backend, bodies = api(CARD + "?!")
    state = looks.run(backend=backend)
    assert [state["name"], state["born"]] == ["Ada Lovelace", "1815"]
    assert len(bodies) == 2  # what was written ahead is read once: the second branch gets a text of its own
    backend.close()

    @sf.function(num_api_spec_tokens=64)
    def departs(s: Any) -> None:
        s += sf.user("A card for Ada.")
        with s.assistant():
            s += "Name: " + sf.gen("name", stop="\n")
            s += ", " + s["name"] + " was born in " + sf.gen("born", regex="[0-9]{4}")

    written = "Name: Ada Lovelace, Ada Lovelace was born in 1815."
    backend, bodies = api(CARD, CARD, written)
    state = departs.run(backend=backend)
    assert state["born"] == "1815"
    assert len(bodies) == 3
    backend.close()


def test_contexts_are_kept_without_a_table_that_grows() -> None:
    backend, _ = api("a")
    ids = backend.encode("Ada Lovelace was born in 1815.<|im_end|>", parse_special=True)
    assert backend.decode(ids) == "Ada Lovelace was born in 1815.<|im_end|>"
    other, _ = api("a")
    assert other.encode("zebra") != backend.encode("Ada")
    assert other.decode(ids) == backend.decode(ids)
    assert backend.decode(backend.encode("x" * 1000 + "\0 \ud800 é")) == "x" * 1000 + "\0 \ud800 é"
    backend.close()
    other.close()


def test_sampling_goes_along_and_defaults_do_not() -> None:
    options = {"max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "seed": 5, "min_tokens": 1}
    backend, bodies = api("a", server="vllm", extra_body={"priority": 3})
    asks(stop=["END"], **options).run(backend=backend)["x"]
    backend.close()
    assert bodies[0].items() >= {**options, "priority": 3}.items()
    assert bodies[0]["stop"] == ["END"]
    backend, bodies = api("a")
    asks().run(backend=backend)["x"]
    backend.close()
    assert bodies[0].keys() == {"model", "messages", "max_completion_tokens", "stream", "stream_options"}


def test_a_broken_stream() -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n')

    backend = OpenAI("m", transport=httpx.MockTransport(cut))
    assert "ended before its answer" in failure(asks(), backend)


def test_the_page_runs(embedded: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "backends.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block.replace("http://127.0.0.1:8000", embedded.url), names)
    names["server"].close()
    names["api"].close()
    first, last, *again = capsys.readouterr().out.split()
    assert again == [first, last]
    assert all(hasattr(sf, name) for name in re.findall(r"`sf\.(\w+)", page))
