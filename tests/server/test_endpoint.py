"""Programs on a server give what they give on an engine in this process."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel

import slipform as sf
from slipform.errors import (
    BackendError,
    BackendUnreachable,
    CapacityError,
    DeadlineExceeded,
    FillError,
    GrammarError,
    InvalidRequest,
    RequestAborted,
    SlipformError,
)
from slipform.grammars.spec import Regex
from slipform.lang.backends.endpoint import Endpoint
from slipform.lang.ids import RequestIds, program_of
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Event, Fill, GenerateRequest, RequestFailed, RequestFinished, Text, TextDelta
from tests.server.serving import RunningServer

MAIL = "Hi, my name is Priya Nair. I was charged twice for order SO-20094. No rush."
DIGITS = Fill("digits", SamplingParams(max_tokens=8, temperature=0.0), Regex("[0-9]{4}"))


@sf.function
def read_ticket(s: Any, mail: str) -> None:
    s += sf.user("Extract the ticket as JSON.\n\n" + mail)
    s += sf.assistant(
        sf.gen("name", regex=r"[A-Z][a-z]+ [A-Z][a-z]+", temperature=0)
        + " wants "
        + sf.gen("what", max_tokens=8, temperature=0, return_logprob=True, top_logprobs_num=2)
    )
    s += sf.user("Urgency? Options: low, high")
    s += sf.assistant(sf.select("urgency", ["low", "high"]))


class Collected:
    """A listener that keeps events until the terminal one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._over = threading.Event()

    def __call__(self, event: Event) -> None:
        assert not self._over.is_set()
        self.events.append(event)
        if isinstance(event, RequestFinished | RequestFailed):
            self._over.set()

    def terminal(self) -> Event:
        assert self._over.wait(60)
        return self.events[-1]


@pytest.fixture(scope="module")
def endpoint(embedded: RunningServer) -> Iterator[Endpoint]:
    backend = Endpoint(f"{embedded.url}/v1")
    yield backend
    backend.close()


def test_same_as_in_this_process(endpoint: Endpoint) -> None:
    local = sf.Runtime(pool_slots=4096, warm_up=False)
    here, there = (read_ticket.run(mail=MAIL, backend=backend) for backend in (local, endpoint))
    assert there.text() == here.text()
    for name in ("name", "what", "urgency"):
        assert there[name] == here[name]
    assert re.fullmatch("[A-Z][a-z]+ [A-Z][a-z]+", there["name"])
    metas = [state.get_meta_info("what") for state in (here, there)]
    assert metas[0].keys() == metas[1].keys()
    probabilities = [[entry[0] for entry in meta["output_token_logprobs"]] for meta in metas]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-4)
    scores = [state.get_meta_info("urgency")["normalized_prompt_logprobs"] for state in (here, there)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    local.shutdown()


def test_batches_and_streams(endpoint: Endpoint) -> None:
    rows = [{"mail": MAIL}, {"mail": MAIL.replace("Priya Nair", "Ada Lovelace")}]
    states = read_ticket.run_batch(rows, backend=endpoint)
    assert [state.text() for state in states] == [read_ticket.run(**row, backend=endpoint).text() for row in rows]
    streamed = read_ticket.run(mail=MAIL, backend=endpoint, stream=True)
    assert "".join(streamed.text_iter()) == states[0].text()


class Ticket(BaseModel):
    customer: str | None
    order_id: str | None
    category: Literal["billing", "technical", "shipping", "returns"]
    urgency: Literal["low", "medium", "high"]


@sf.function
def typed_ticket(s: Any, mail: str) -> None:
    s += sf.user("Extract the ticket as JSON.\n\n" + mail)
    s += sf.assistant(sf.gen("ticket", schema=Ticket, temperature=0))


def check_typed_stream(partials: list[Any], ticket: Ticket) -> None:
    """Parts arrive one after the other, and end in the value."""
    assert [partial.done for partial in partials] == [False] * (len(partials) - 1) + [True]
    parts = [part.path for partial in partials for part in partial.completed]
    assert parts == [("customer",), ("order_id",), ("category",), ("urgency",), ()]
    seen = [partial.value for partial in partials if partial.value is not None]
    assert all(isinstance(value, Ticket) for value in seen)
    for value in seen:
        assert value.model_dump(include=value.model_fields_set) == ticket.model_dump(include=value.model_fields_set)
    sizes = [len(value.model_fields_set) for value in seen]  # how many there are on the way depends on the network
    assert sizes == sorted(sizes)
    assert partials[-1].value == ticket


def test_typed_streams_over_the_servers_events(endpoint: Endpoint) -> None:
    whole = typed_ticket.run(mail=MAIL, backend=endpoint)["ticket"]
    check_typed_stream(list(typed_ticket.stream(mail=MAIL, var="ticket", backend=endpoint)), whole)

    async def read() -> list[Any]:
        return [partial async for partial in typed_ticket.stream(mail=MAIL, var="ticket", backend=endpoint)]

    check_typed_stream(asyncio.run(read()), whole)


@pytest.mark.parametrize("server", ["vllm", "openai"])
def test_typed_streams_over_an_api_of_openais_kind(embedded: RunningServer, server: Any) -> None:
    backend = sf.OpenAI("slipform", base_url=f"{embedded.url}/v1", api_key="none", server=server)
    whole = typed_ticket.run(mail=MAIL, backend=backend)["ticket"]
    check_typed_stream(list(typed_ticket.stream(mail=MAIL, var="ticket", backend=backend)), whole)
    backend.close()


def test_leaving_a_typed_stream_ends_the_request_on_the_server(embedded: RunningServer, endpoint: Endpoint) -> None:
    stream = typed_ticket.stream(mail=MAIL, var="ticket", backend=endpoint)
    next(stream)
    stream.close()
    with embedded.http() as http:
        deadline = time.monotonic() + 30
        while http.get("/server_info").json()["requests_in_flight"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_fused_fills_are_one_request(endpoint: Endpoint) -> None:
    collected = Collected()
    endpoint.submit(GenerateRequest("two", (Text("Year "), DIGITS, Text(" and "), DIGITS)), collected)
    finished = collected.terminal()
    assert isinstance(finished, RequestFinished)
    assert finished.request_id == "two"
    assert [len(fill.text) for fill in finished.sequences[0].fills] == [4, 4]
    assert any(isinstance(event, TextDelta) for event in collected.events)


def test_tokens_and_operations(endpoint: Endpoint) -> None:
    text = "Grüße <|user|>"
    assert endpoint.decode(endpoint.encode(text)) == text
    assert len(endpoint.encode("<|user|>", parse_special=True)) == 1
    endpoint.prepare([Regex("a+")])
    with pytest.raises(GrammarError):
        endpoint.prepare([Regex("(")])
    endpoint.flush_cache()
    assert endpoint.server_info()["device"] == "cpu"


def test_the_servers_refusals_name_the_field(endpoint: Endpoint) -> None:
    collected = Collected()
    endpoint.submit(GenerateRequest("bad", (Text("a"), Fill("x", constraint=Regex("(")))), collected)
    failed = collected.terminal()
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, GrammarError)
    too_long = Fill("x", SamplingParams(max_tokens=10**6))
    collected = Collected()
    endpoint.submit(GenerateRequest("long", (Text("a"), too_long)), collected)
    failed = collected.terminal()
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, InvalidRequest)
    assert failed.error.field is not None
    assert "max_tokens" in failed.error.field

    @sf.function
    def wrong(s: Any) -> None:
        s += sf.gen("x", max_tokens=10**6)

    with pytest.raises(FillError, match="max_tokens"):
        wrong.run(backend=endpoint)["x"]


def test_abort_ends_the_request_here_and_there(embedded: RunningServer, endpoint: Endpoint) -> None:
    collected = Collected()
    endless = Fill("x", SamplingParams(max_tokens=1500, ignore_eos=True, temperature=0.0))
    call = endpoint.submit(GenerateRequest("gone", (Text("Once"), endless)), collected)
    call.abort()
    call.abort()
    failed = collected.terminal()
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, RequestAborted)
    assert len(collected.events) == 1 or not isinstance(collected.events[-2], RequestFailed)
    embedded.wait_idle()


# What a server may do wrong


def answering(*answers: Callable[[httpx.Request], httpx.Response]) -> tuple[Endpoint, list[httpx.Request]]:
    """An endpoint whose server gives these answers, the last one again and again."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answers[min(len(seen), len(answers)) - 1](request)

    return Endpoint("http://server", api_key="k", transport=httpx.MockTransport(handle), retries=2), seen


def outcome(endpoint: Endpoint) -> SlipformError:
    collected = Collected()
    endpoint.submit(GenerateRequest("r", (Text("a"), DIGITS)), collected)
    failed = collected.terminal()
    endpoint.close()
    assert isinstance(failed, RequestFailed)
    return failed.error


def refusing(status: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    body = {"error": {"message": "no", "type": "t", "param": None, "code": None}}
    return lambda request: httpx.Response(status, json=body, headers=headers)


def streaming(*lines: str) -> Callable[[httpx.Request], httpx.Response]:
    async def chunks() -> AsyncIterator[bytes]:
        for line in lines:
            yield f"{line}\n\n".encode()

    return lambda request: httpx.Response(200, content=chunks())


FINISHED = (
    '{"type": "request_finished", "request_id": "other", "sequences": [], '
    '"times": {"queue_s": 0.0, "first_token_s": 0.0, "total_s": 0.0}}'
)


def test_a_full_server_is_asked_again() -> None:
    endpoint, seen = answering(refusing(429, **{"retry-after": "0"}), streaming(": hello", f"data: {FINISHED}"))
    collected = Collected()
    endpoint.submit(GenerateRequest("r", (Text("a"), DIGITS)), collected)
    finished = collected.terminal()
    endpoint.close()
    assert isinstance(finished, RequestFinished)
    assert finished.request_id == "r"
    assert len(seen) == 2
    assert seen[0].headers["authorization"] == "Bearer k"


def test_a_server_that_stays_full() -> None:
    endpoint, seen = answering(refusing(503))
    assert isinstance(outcome(endpoint), CapacityError)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (refusing(401), BackendError, "401"),
        (refusing(500), BackendError, "500"),
        (refusing(504), DeadlineExceeded, "no"),
        (refusing(502), BackendUnreachable, "no"),
        (refusing(408), BackendUnreachable, "no"),
        (streaming('data: {"error": {"message": "late", "type": "timeout_error"}}'), DeadlineExceeded, "late"),
        (lambda request: httpx.Response(400, content=b"<html>"), InvalidRequest, "html"),
        (streaming("data: {"), BackendError, "no JSON"),
        (streaming('data: {"type": "later"}'), InvalidRequest, "type"),
        (streaming(": nothing"), BackendError, "ended the stream"),
        (streaming("data: [DONE]"), BackendError, "ended the stream"),
        (streaming('data: {"error": {"message": "full", "type": "overloaded_error"}}'), CapacityError, "full"),
    ],
)
def test_one_terminal_event_whatever_the_server_does(
    answer: Callable[[httpx.Request], httpx.Response], error: type[SlipformError], text: str
) -> None:
    endpoint, _ = answering(answer)
    found = outcome(endpoint)
    assert type(found) is error
    assert text in str(found)


class Troubled(httpx.AsyncBaseTransport):
    """A network to a real server that has trouble with the first programs."""

    def __init__(self, *trouble: Callable[[httpx.Request], httpx.Response]) -> None:
        self._trouble = list(trouble)
        self._network = httpx.AsyncHTTPTransport()
        self.programs: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/programs":
            self.programs.append(json.loads(await request.aread()))
            if self._trouble:
                return self._trouble.pop(0)(request)
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


def breaks_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection is gone", request=request)


@sf.function
def year(s: Any, name: str) -> None:
    s += "The year of " + name + ": " + sf.regex("[0-9]{4}", name="year", temperature=0)


@pytest.mark.parametrize("trouble", [refusing(504), refusing(503), refusing(429), refusing(502), breaks_off])
def test_a_jobs_row_is_begun_anew_after_what_passes(embedded: RunningServer, trouble: Any) -> None:
    network = Troubled(trouble, trouble)
    endpoint = Endpoint(embedded.url, retries=0, transport=network)
    (state,) = year.run_batch([{"name": "Ada"}], retries=2, backend=endpoint)
    endpoint.close()
    assert re.fullmatch("[0-9]{4}", state["year"])
    assert len(network.programs) == 3
    assert all(program.get("deadline_s") is None for program in network.programs)


@pytest.mark.parametrize("trouble", [refusing(400), refusing(401), refusing(500)])
def test_what_stays_wrong_is_the_rows_error_at_once(embedded: RunningServer, trouble: Any) -> None:
    network = Troubled(trouble)
    endpoint = Endpoint(embedded.url, retries=0, transport=network)
    (state,) = year.run_batch([{"name": "Ada"}], retries=2, backend=endpoint)
    endpoint.close()
    assert isinstance(state.error(), FillError)
    assert len(network.programs) == 1


def test_nobody_there() -> None:
    endpoint = Endpoint("http://127.0.0.1:9", retries=1)
    assert "cannot be reached" in str(outcome(endpoint))
    with pytest.raises(BackendError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:9", retries=0).server_info()


def test_closing_ends_what_is_under_way() -> None:
    started = threading.Event()

    async def never() -> AsyncIterator[bytes]:
        started.set()
        yield b": wait\n\n"
        await asyncio.sleep(3600)

    endpoint, _ = answering(lambda request: httpx.Response(200, content=never()))
    collected = Collected()
    endpoint.submit(GenerateRequest("r", (Text("a"), DIGITS)), collected)
    assert started.wait(30)
    endpoint.close()
    failed = collected.terminal()
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, RequestAborted)
    endpoint.close()


def test_the_metrics_name_the_program(embedded: RunningServer, endpoint: Endpoint) -> None:
    """Prompt tokens, and those of them that an earlier run left in the prefix cache, by the program's name."""
    for _ in range(2):
        read_ticket.run(mail=MAIL, backend=endpoint)
    with embedded.http() as http:
        page = http.get("/metrics").text

    def value(name: str) -> float:
        found = re.search(rf'^slipform:program_{name}_tokens_total\{{[^}}]*program="read_ticket"\}} (\S+)$', page, re.M)
        assert found is not None, page
        return float(found[1])

    assert 0 < value("cached") < value("prompt")


@pytest.mark.parametrize(
    ("request_id", "program"),
    [
        (RequestIds("ticket").next(), "ticket"),
        (RequestIds("ticket-prefix").next(), "ticket"),
        (RequestIds("a-b.c_1").next(), "a-b.c_1"),
        (RequestIds("prüfung").next(), None),
        (RequestIds("x" * 65).next(), None),
        ("mine", None),
    ],
)
def test_request_ids_hold_the_program(request_id: str, program: str | None) -> None:
    assert program_of(request_id) == program
