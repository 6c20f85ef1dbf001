"""Traces of programs on a server hold what those of an engine in this process hold."""

from collections.abc import Iterator

import pytest

import slipform as sf
from slipform.lang.backends.endpoint import Endpoint
from slipform.lang.run_trace import RunTrace
from tests.server.serving import RunningServer

MAIL = "Hi, my name is Priya Nair. I was charged twice for order SO-20094. No rush."


@sf.function
def read_ticket(s: sf.ProgramState) -> None:
    s += sf.user("Extract the ticket as JSON.\n\n" + MAIL)
    s += sf.assistant(
        sf.gen("order", regex='{"order": "SO-[0-9]{5}"}', temperature=0) + "\n" + sf.gen("more", max_tokens=5)
    )
    s += sf.user("Urgency?")
    s += sf.assistant(sf.select("urgency", ["low", "high"]))


@pytest.fixture(scope="module")
def endpoint(embedded: RunningServer) -> Iterator[Endpoint]:
    backend = Endpoint(f"{embedded.url}/v1")
    yield backend
    backend.close()


def test_a_full_trace_is_that_of_an_engine_in_this_process(endpoint: Endpoint) -> None:
    there = read_ticket.run(backend=endpoint, trace="full", seed=3).trace
    local = sf.Runtime(pool_slots=4096, warm_up=False)
    here = read_ticket.run(backend=local, trace="full", seed=3).trace
    local.shutdown()
    assert not there.missing
    assert there.text == here.text
    assert there.counts.forced > 0
    pairs = list(zip(there.tokens(), here.tokens(), strict=True))
    for remote, near in pairs:
        assert (remote.text, remote.token_id, remote.source, remote.num_allowed) == (
            near.text,
            near.token_id,
            near.source,
            near.num_allowed,
        )
        assert remote.logprob == pytest.approx(near.logprob, abs=1e-3)
        assert remote.alternatives
        assert all(alternative.text for alternative in remote.alternatives)
    for request in there.requests:
        assert 0 <= request.sent_s <= request.ended_s <= there.duration_s  # type: ignore[operator]
        if request.kind == "fill":
            assert request.queue_s <= request.first_token_s <= request.total_s  # type: ignore[operator]
    times = [token.at_s for token in there.fill("order").tokens]
    assert times == sorted(times)  # type: ignore[type-var]


def test_times_of_tokens_come_to_those_who_ask(endpoint: Endpoint) -> None:
    plain = read_ticket.run(backend=endpoint, seed=3).trace
    assert plain.requests[0].prompt_len
    assert all(token.at_s is None for token in plain.tokens())
    assert "token times" in plain.missing
    asked = read_ticket.run(backend=endpoint, trace=True, seed=3).trace
    order = asked.fill("order")
    assert "".join(token.text for token in order.tokens) == order.text
    assert all(token.at_s is not None and token.logprob is None for token in order.tokens)


def test_a_trace_of_a_server_runs_again(endpoint: Endpoint) -> None:
    trace = read_ticket.run(backend=endpoint, trace=True, temperature=1.2).trace
    replayed = RunTrace.from_json(trace.to_json()).replay(endpoint, program=read_ticket)
    assert replayed.is_same, str(replayed)
