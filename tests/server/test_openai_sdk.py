"""The openai package, unmodified, against a running server with the embedded model."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

from tests.server.serving import RunningServer

MAIL = "Hi, my name is Priya Nair. I was charged twice for order SO-20094. No rush."
ASK = [{"role": "user", "content": f"Extract the ticket as JSON.\n\n{MAIL}"}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ALARM = {
    "name": "set_alarm",
    "description": "Set an alarm.",
    "parameters": {"type": "object", "properties": {"time": {"type": "string"}}, "required": ["time"]},
}
TOOLS: Any = [{"type": "function", "function": function} for function in (WEATHER, ALARM)]
ASK_WEATHER: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]


class Ticket(BaseModel):
    customer: str
    order_id: str
    urgency: Literal["low", "medium", "high"]


@pytest.fixture(scope="module")
def client(embedded: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_models(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert client.models.retrieve(model.id).id == model.id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="slipform", messages=ASK, max_completion_tokens=60, temperature=0, logprobs=True, top_logprobs=2, n=2
    )
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.content == answer.choices[1].message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.choices[0].logprobs is not None
    entries = answer.choices[0].logprobs.content or []
    assert "".join(entry.token for entry in entries) == answer.choices[0].message.content
    assert all(len(entry.top_logprobs) == 2 for entry in entries)


def test_a_stream_is_the_same_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="slipform", messages=ASK, max_tokens=60, temperature=0)
    chunks = list(
        client.chat.completions.create(
            model="slipform",
            messages=ASK,
            max_tokens=60,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage or chunks[-1].usage is not None


def test_parse(client: openai.OpenAI) -> None:
    answer = client.beta.chat.completions.parse(
        model="slipform", messages=ASK, response_format=Ticket, temperature=0, max_tokens=120
    )
    ticket = answer.choices[0].message.parsed
    assert ticket == Ticket(customer="Priya Nair", order_id="SO-20094", urgency="low")


def test_parse_in_a_stream(client: openai.OpenAI) -> None:
    with client.beta.chat.completions.stream(
        model="slipform", messages=ASK, response_format=Ticket, temperature=0, max_tokens=120
    ) as stream:
        for _ in stream:
            pass
        ticket = stream.get_final_completion().choices[0].message.parsed
    assert ticket == Ticket(customer="Priya Nair", order_id="SO-20094", urgency="low")


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "get_weather"}}])
def test_tools(client: openai.OpenAI, choice: Any) -> None:
    answer = client.chat.completions.create(
        model="slipform", messages=ASK_WEATHER, tools=TOOLS, tool_choice=choice, temperature=0, max_tokens=100
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None


def test_tools_in_a_stream_and_the_turn_after_them(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(
        model="slipform", messages=ASK_WEATHER, tools=TOOLS, temperature=0, max_tokens=100, stream=True
    )
    deltas = [delta for chunk in chunks for delta in chunk.choices[0].delta.tool_calls or []]
    assert deltas[0].id is not None
    assert deltas[0].function is not None
    assert deltas[0].function.name == "get_weather"
    assert all(delta.id is None for delta in deltas[1:])
    arguments = "".join(delta.function.arguments or "" for delta in deltas if delta.function)
    assert json.loads(arguments) == {"city": "Oslo"}
    call = {"id": deltas[0].id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    after = client.chat.completions.create(
        model="slipform",
        messages=[
            *ASK_WEATHER,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": deltas[0].id, "content": '{"temperature": 3}'},
        ],
        tools=TOOLS,
        tool_choice="none",
        max_tokens=20,
    )
    assert after.choices[0].message.tool_calls is None
    assert after.choices[0].message.content is not None


def test_one_call_where_parallel_calls_are_off(client: openai.OpenAI) -> None:
    for parallel in (True, False):
        answer = client.chat.completions.create(
            model="slipform",
            messages=[{"role": "user", "content": "What is the weather in Oslo and set an alarm for 07:00."}],
            tools=TOOLS,
            tool_choice="required",
            parallel_tool_calls=parallel,
            temperature=0,
            max_tokens=120,
        )
        calls = answer.choices[0].message.tool_calls or []
        assert len(calls) == 1 or parallel
        assert {call.function.name for call in calls if call.type == "function"} <= {"get_weather", "set_alarm"}


def test_tools_beside_a_response_format(client: openai.OpenAI) -> None:
    answer = client.beta.chat.completions.parse(
        model="slipform",
        messages=ASK,
        response_format=Ticket,
        tools=[{"type": "function", "function": {**function, "strict": True}} for function in (WEATHER, ALARM)],  # type: ignore[list-item]
        temperature=0,
        max_tokens=120,
    )
    message = answer.choices[0].message
    assert bool(message.tool_calls) != bool(message.parsed)


def test_completions(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="slipform", prompt=["Name: ", "A"], max_tokens=4, echo=True, logprobs=1)
    assert len(answer.choices) == 2
    assert answer.choices[0].text.startswith("Name: ")
    assert answer.choices[0].logprobs is not None
    scored = client.completions.create(model="slipform", prompt="The sky", max_tokens=0, echo=True, logprobs=1)
    assert scored.choices[0].text == "The sky"
    pieces = client.completions.create(model="slipform", prompt="Once", max_tokens=8, temperature=0, stream=True)
    whole = client.completions.create(model="slipform", prompt="Once", max_tokens=8, temperature=0)
    assert "".join(piece.choices[0].text for piece in pieces) == whole.choices[0].text


def test_extra_body(client: openai.OpenAI) -> None:
    for extra in ({"guided_regex": "[0-9]{3}"}, {"structured_outputs": {"regex": "[0-9]{3}"}}, {"regex": "[0-9]{3}"}):
        answer = client.chat.completions.create(model="slipform", messages=ASK, max_tokens=20, extra_body=extra)
        content = answer.choices[0].message.content
        assert content is not None
        assert content.isdigit()
        assert len(content) == 3


def test_errors_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-5", messages=ASK)
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="slipform", messages=ASK, temperature=-1)
    assert caught.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="slipform", messages=ASK, extra_body={"regex": "(", "max_tokens": 5})
    assert caught.value.code == "invalid_grammar"


def test_async(embedded: RunningServer) -> None:
    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0) as client:
            calls = [
                client.beta.chat.completions.parse(
                    model="slipform", messages=ASK, response_format=Ticket, temperature=0, max_tokens=120
                )
                for _ in range(4)
            ]
            for answer in await asyncio.gather(*calls):
                assert answer.choices[0].message.parsed is not None
                assert answer.choices[0].message.parsed.customer == "Priya Nair"
            stream = await client.chat.completions.create(
                model="slipform", messages=ASK, temperature=0, max_tokens=20, stream=True
            )
            texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
            assert "".join(texts)

    asyncio.run(run())
