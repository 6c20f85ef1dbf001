"""Characters at which many clients split lines, though events may hold them, reach those clients within their event."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from slipform.lang.backends.http_client import HttpClient
from tests.server.serving import events_of

TEXT = "a\x0bb\x85c\u2028d\u2029e\x1cf"
CHOICE = {"structured_outputs": {"choice": [TEXT]}}
MESSAGES = [{"role": "user", "content": TEXT}]


def of_completions(events: list[dict[str, Any]]) -> str:
    return "".join(event["choices"][0]["text"] for event in events)


def of_chats(events: list[dict[str, Any]]) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events)


def of_responses(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def of_generate(events: list[dict[str, Any]]) -> str:
    return str(events[-1]["text"])


def of_programs(events: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["type"] == "text_delta")


@pytest.mark.parametrize(
    ("route", "body", "text_of"),
    [
        ("/v1/completions", {"prompt": "x", "max_tokens": 40, **CHOICE}, of_completions),
        ("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 40, **CHOICE}, of_chats),
        ("/v1/responses", {"input": "x", "max_output_tokens": 40, **CHOICE}, of_responses),
        ("/generate", {"text": "x", "sampling_params": {"max_new_tokens": 40, **CHOICE}}, of_generate),
        (
            "/v1/programs",
            {
                "segments": [
                    {"type": "text", "text": "x"},
                    {
                        "type": "fill",
                        "sampling": {"max_tokens": 40},
                        "constraint": {"type": "choice", "options": [TEXT]},
                    },
                ]
            },
            of_programs,
        ),
    ],
)
def test_streams(
    http: httpx.Client, route: str, body: dict[str, Any], text_of: Callable[[list[dict[str, Any]]], str]
) -> None:
    with http.stream("POST", route, json={**body, "stream": True}) as response:
        assert response.status_code == 200, response.read()
        events = [json.loads(event) for event in events_of(response) if event != "[DONE]"]
    assert text_of(events) == TEXT


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_our_client_takes_them_from_servers_that_send_them_as_they_are(newline: bytes) -> None:
    data = json.dumps({"text": TEXT}, ensure_ascii=False).encode()
    stream = b"data: %b%bdata: [DONE]%b" % (data, 2 * newline, newline)

    async def cut() -> Any:
        for at in range(len(stream)):
            yield stream[at : at + 1]

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=cut()))
    client = HttpClient("http://server", transport=transport)

    async def collected() -> list[Any]:
        return [value async for value in client.events("/stream", {})]

    try:
        assert client.start(collected()).result(20) == [{"text": TEXT}]
    finally:
        client.close()
