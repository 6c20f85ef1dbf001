"""/v1/responses through the openai package: create, stream, functions, text.format, memory, cancel."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from slipform.runtime.server.responses_store import ResponseStore, StoredResponse
from tests.server.serving import RunningServer, wait_until
from tests.server.test_openai_sdk import MAIL, WEATHER, Ticket

ASK = f"Extract the ticket as JSON.\n\n{MAIL}"
TOOLS: Any = [{"type": "function", "strict": True, **WEATHER}]


@pytest.fixture(scope="module")
def client(embedded: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_text_and_parse(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="slipform", input=ASK, temperature=0, max_output_tokens=80)
    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    parsed = client.responses.parse(model="slipform", input=ASK, text_format=Ticket, temperature=0)
    assert parsed.output_parsed == Ticket(customer="Priya Nair", order_id="SO-20094", urgency="low")


def test_an_answer_that_is_cut(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="slipform", input=ASK, temperature=0, max_output_tokens=3)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_a_stream_of_events(client: openai.OpenAI) -> None:
    with client.responses.stream(
        model="slipform",
        input=ASK,
        text_format=Ticket,
        temperature=0,
        top_logprobs=1,
        include=["message.output_text.logprobs"],
    ) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == final.output_text
    assert final.output_parsed is not None
    logprobs = [entry for event in events if event.type == "response.output_text.delta" for entry in event.logprobs]
    assert "".join(entry.token for entry in logprobs) == deltas


def test_functions_and_the_turn_after_them(client: openai.OpenAI) -> None:
    first = client.responses.create(
        model="slipform", input="What is the weather in Oslo?", tools=TOOLS, tool_choice="required", temperature=0
    )
    (call,) = first.output
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo"})
    second = client.responses.create(
        model="slipform",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": '{"temperature": 3}'}],
        max_output_tokens=20,
    )
    assert second.previous_response_id == first.id
    assert second.output_text is not None
    with client.responses.stream(
        model="slipform", input="What is the weather in Oslo?", tools=TOOLS, temperature=0
    ) as stream:
        kinds = {event.type for event in stream}
        done = stream.get_final_response()
    assert kinds >= {"response.function_call_arguments.delta", "response.function_call_arguments.done"}
    assert done.output[0].type == "function_call"


def test_kept_responses(client: openai.OpenAI) -> None:
    kept = client.responses.create(model="slipform", input="Hi", max_output_tokens=3, instructions="Be brief.")
    assert client.responses.retrieve(kept.id).output_text == kept.output_text
    client.responses.delete(kept.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(kept.id)
    forgotten = client.responses.create(model="slipform", input="Hi", max_output_tokens=3, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(forgotten.id)
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model="slipform", input="Hi", previous_response_id=kept.id)
    assert caught.value.param == "previous_response_id"


def test_background_and_cancel(client: openai.OpenAI) -> None:
    short = client.responses.create(model="slipform", input=ASK, max_output_tokens=5, background=True)
    assert short.status == "queued"
    wait_until(lambda: client.responses.retrieve(short.id).status == "incomplete")
    assert client.responses.cancel(short.id).status == "incomplete"
    endless = client.responses.create(
        model="slipform", input=ASK, background=True, extra_body={"ignore_eos": True, "max_output_tokens": 1500}
    )
    assert client.responses.cancel(endless.id).status == "cancelled"
    assert client.responses.retrieve(endless.id).status == "cancelled"
    plain = client.responses.create(model="slipform", input="Hi", max_output_tokens=2)
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(plain.id)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [{"content": "a"}]}, "input[0].role"),
        ({"input": [{"type": "function_call"}]}, "input[0].call_id"),
        ({"input": "a", "truncation": "auto"}, "truncation"),
        ({"input": "a", "background": True, "stream": True}, "background"),
        ({"input": "a", "background": True, "store": False}, "background"),
        ({"input": "a", "conversation": "c"}, "conversation"),
        ({"input": "a", "text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"input": "a", "max_output_tokens": 10**6}, "max_output_tokens"),
        ({"input": "a", "tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].type"),
    ],
)
def test_what_is_wrong_is_named(embedded: RunningServer, body: dict[str, Any], param: str) -> None:
    answer = httpx.post(f"{embedded.url}/v1/responses", json=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_the_store_is_bounded_and_owned() -> None:
    store = ResponseStore(max_entries=2, max_bytes=10_000)
    for name in ("a", "b", "c"):
        store.put(StoredResponse({"id": name}, "ada", []))
    assert store.get("a", "ada") is None
    assert store.get("c", "ada") is not None
    assert store.get("c", "bob") is None
    store.put(StoredResponse({"id": "large", "text": "x" * 9_900}, "ada", []))
    assert store.get("large", "ada") is not None
    assert store.get("b", "ada") is None
    assert store.num_bytes <= 10_000
    store.put(StoredResponse({"id": "larger", "text": "x" * 20_000}, "ada", []))
    assert len(store) == 0
    assert store.num_bytes == 0


def test_the_input_is_shown_again(client: openai.OpenAI) -> None:
    """As the client of the openai package reads it, page by page, the newest item first."""
    items: Any = [
        {"role": "user", "content": "What is the weather?"},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"role": "assistant", "content": "It rains."},
        {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
    ]
    answer = client.responses.create(
        model="slipform", input=items, tools=TOOLS, tool_choice="none", max_output_tokens=2
    )
    found = list(client.responses.input_items.list(answer.id, limit=2))
    assert [item.type for item in found] == ["message", "message", "function_call_output", "function_call", "message"]
    assert found[0].content[0].text == "And now?"
    assert found[1].role == "assistant"
    assert found[3].arguments == '{"city": "Oslo"}'
    oldest = client.responses.input_items.list(answer.id, limit=1, order="asc")
    assert oldest.data[0].id == found[-1].id
    assert oldest.has_more
    with pytest.raises(openai.BadRequestError, match="after"):
        client.responses.input_items.list(answer.id, after="msg_nobody")
    with pytest.raises(openai.NotFoundError):
        client.responses.input_items.list("resp_nobody")


def test_fields_of_chats_alone_are_unknown_here(http: httpx.Client) -> None:
    """They neither take effect nor fail, whatever they hold."""
    for fields in ({"n": 3}, {"n": "many"}, {"stream_options": 7}, {"separate_reasoning": "x"}):
        answer = http.post("/v1/responses", json={"input": "Hi", "max_output_tokens": 2, **fields})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-slipform-ignored-fields"] == next(iter(fields))
        assert len(answer.json()["output"]) == 1
