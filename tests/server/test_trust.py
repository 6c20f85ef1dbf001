"""What one bad client, or a dead engine, does to the others: nothing."""

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipform.errors import ConfigError
from slipform.runtime.server import http_protocol, serve
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.serve import resolve
from slipform.runtime.server.settings import Bounds, ServerSettings
from tests.server.serving import (
    RunningServer,
    SlowModel,
    ThreadLauncher,
    events_of,
    running,
    slow_engine,
    wait_until,
)

INFER, OTHER, METRICS, ADMIN = "key-infer-1", "key-infer-2", "key-metrics", "key-admin-0"
LONG = {"prompt": "x", "max_tokens": 1000, "ignore_eos": True}


@pytest.fixture(scope="module")
def guarded() -> Iterator[RunningServer]:
    """A server with keys and small bounds, over a model that takes its time."""
    keys = ApiKeys([f"{INFER} one", f"{OTHER}:infer two", f"{METRICS}:metrics", f"{ADMIN}:admin boss"])
    settings = ServerSettings(
        bounds=Bounds(body_bytes=100_000),
        write_timeout_s=1.0,
        stream_buffer_bytes=4096,
        keep_alive_s=0.05,
        max_waiting=4,
        cors_origins=("https://app.example",),
    )
    with running(lambda: slow_engine(max_sequences=4), settings, keys=keys) as server:
        yield server


@pytest.fixture
def http(guarded: RunningServer) -> Iterator[httpx.Client]:
    with guarded.http(headers={"authorization": f"Bearer {INFER}"}) as client:
        yield client
    guarded.wait_idle()


def raw(server: RunningServer, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(data)
    return connection


def answer(connection: socket.socket) -> int:
    """The status of the next answer, which is read to its end: it may come in parts."""
    with HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status


def head(path: str, length: int, key: str = INFER) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def streamed(server: RunningServer, **fields: Any) -> socket.socket:
    body = json.dumps({**LONG, "stream": True, **fields}).encode()
    return raw(server, head("/v1/completions", len(body)) + body)


# Keys


def test_every_route_but_health_needs_a_key(guarded: RunningServer) -> None:
    with guarded.http() as bare:
        document = bare.get("/openapi.json", headers={"authorization": f"Bearer {ADMIN}"}).json()
        routes = [(method, path) for path, methods in document["paths"].items() for method in methods]
        assert len(routes) > 15
        others = [("get", "/"), ("get", "/openapi.json"), ("post", "/nowhere"), ("get", "/get_server_info")]
        for method, path in [*routes, *others]:
            for headers in ({}, {"authorization": "Bearer wrong-key"}, {"authorization": f"Basic {INFER}"}):
                response = bare.request(method, path.replace("{", "").replace("}", ""), headers=headers)
                assert response.status_code == (200 if path == "/health" else 401), (method, path)
                if path != "/health":
                    assert response.json()["error"]["type"] == "authentication_error"
                    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("key", "allowed", "refused"),
    [
        (INFER, ["/v1/models", "/server_info"], ["/metrics", "/ready", "/flush_cache"]),
        (METRICS, ["/metrics", "/ready"], ["/v1/models", "/flush_cache"]),
        (ADMIN, ["/metrics", "/ready", "/v1/models", "/flush_cache"], []),
    ],
)
def test_scopes(guarded: RunningServer, key: str, allowed: list[str], refused: list[str]) -> None:
    with guarded.http(headers={"authorization": f"Bearer {key}"}) as client:
        for path in [*allowed, *refused]:
            response = client.request("POST" if path == "/flush_cache" else "GET", path)
            assert response.status_code == (200 if path in allowed else 403), path


def test_keys_come_from_file_and_environment(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# ours\nfile-key-1:infer,metrics  team a\n\n")
    keys = ApiKeys.load(path, {"SLIPFORM_API_KEYS": "env-key-22; env-key-33:admin boss"})
    team, boss = keys.identify("Bearer file-key-1"), keys.identify("bearer env-key-33")
    assert team is not None
    assert boss is not None
    assert (team.name, sorted(team.scopes)) == ("team a", ["infer", "metrics"])
    assert boss.may("metrics")
    assert keys.identify("Bearer file-key-2") is None
    assert keys.identify(None) is None
    for entries in (["tiny"], ["key-long-enough:root"], ["same-key-1", "same-key-1"]):
        with pytest.raises(ConfigError) as caught:
            ApiKeys(entries)
        assert entries[0].partition(":")[0] not in str(caught.value)


def test_no_public_address_without_keys() -> None:
    with pytest.raises(ConfigError, match="API key"):
        resolve(ServerSettings(host="0.0.0.0"), has_keys=False)
    assert resolve(ServerSettings(host="0.0.0.0"), has_keys=True).allowed_hosts == ()
    assert "localhost" in resolve(ServerSettings(), has_keys=False).allowed_hosts


def test_other_host_names_are_refused_on_loopback(http: httpx.Client) -> None:
    assert http.get("/health", headers={"host": "evil.example"}).status_code == 403


def test_cors_is_for_the_given_origins(http: httpx.Client) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    known = http.options("/v1/completions", headers={**asked, "origin": "https://app.example"})
    assert known.headers["access-control-allow-origin"] == "https://app.example"
    unknown = http.options("/v1/completions", headers={**asked, "origin": "https://evil.example"})
    assert "access-control-allow-origin" not in unknown.headers


def test_tenants_share_no_cached_prefix(guarded: RunningServer) -> None:
    """Neither the same prompt nor a chosen salt finds what another key has computed (timing side channel)."""
    prompt = "A secret prompt of one tenant, long enough to be cached. " * 2

    def cached(key: str, **fields: Any) -> int:
        with guarded.http(headers={"authorization": f"Bearer {key}"}) as client:
            answer = client.post("/v1/completions", json={"prompt": prompt, "max_tokens": 1, **fields}).json()
            return int(answer["usage"]["prompt_tokens_details"]["cached_tokens"])

    assert cached(INFER) == 0
    assert cached(INFER) > 0
    assert cached(OTHER) == 0
    assert cached(INFER, cache_salt="own") == 0
    identity = guarded.services.keys.identify(f"Bearer {INFER}")
    assert identity is not None
    assert cached(OTHER, cache_salt=identity.salt) == 0


# Sizes


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"x" * 200_000, 413, "body_too_large"),
        (b"[" * 50_000, 400, "too_deep"),
        (b'{"prompt":' + b"[" * 200 + b"]" * 200 + b"}", 400, "too_deep"),
        (b'{"prompt": "\xff"}', 400, "invalid_json"),
        (b'{"prompt": "a"', 400, "invalid_json"),
        (b"3", 400, "invalid_json"),
        (b"", 400, "invalid_json"),
    ],
)
def test_bad_bodies(http: httpx.Client, body: bytes, status: int, code: str) -> None:
    response = http.post("/v1/completions", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_body_without_announced_length_is_bounded_too(http: httpx.Client) -> None:
    chunks = (b"x" * 10_000 for _ in range(100))
    response = http.post("/v1/completions", content=chunks, headers={"content-type": "application/json"})
    assert response.status_code == 413


@pytest.mark.parametrize(
    "fields",
    [
        {"regex": "(" * 5000},
        {"regex": "(a+)+$" * 200, "max_tokens": 5},
        {"regex": "((((a{1,99}){1,99}){1,99}){1,99}){1,99}"},
        {"stop_regex": "(a*)*b", "max_tokens": 5},
        {"ebnf": "root ::= root"},
        {"ebnf": "root ::= ("},
        {"json_schema": json.dumps({"$ref": "#"})},
        {"json_schema": {"type": "nonsense"}},
        {"json_schema": "{" * 90},
        {"response_format": {"type": "json_schema"}},
        {"json_schema": json.dumps({"properties": {"a": {"$ref": "#/nowhere"}}})},
    ],
)
def test_hostile_constraints_harm_only_themselves(http: httpx.Client, fields: dict[str, Any]) -> None:
    """Each is answered, with its text or with 400; the engine lives, and an ordinary request beside it is served."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(http.post, "/v1/completions", json={"prompt": "x", "max_tokens": 3})
        body = {"prompt": "x", "max_tokens": 5, "timeout": 120, **fields}  # kernels may have to be compiled first
        response = http.post("/v1/completions", json=body, timeout=150)
        assert response.status_code in (200, 400), response.text
        assert beside.result().status_code == 200
    assert http.get("/server_info").json()["restarts"] == 0


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/completions", {"top_k": 10**30}),
        ("/v1/completions", {"top_k": 2**40}),
        ("/v1/completions", {"stop_token_ids": [10**30]}),
        ("/v1/completions", {"logit_bias": {"9" * 30: 1}}),
        ("/v1/completions", {"allowed_token_ids": [2**63]}),
        ("/v1/programs", {"segments": [{"type": "fill", "sampling": {"top_k": 2**40}}]}),
        ("/v1/programs", {"segments": [{"type": "text", "text": "x"}], "prompt_logprobs_from": 10**30}),
    ],
)
def test_numbers_that_no_message_holds(http: httpx.Client, guarded: RunningServer, path: str, fields: Any) -> None:
    """They are refused, nothing stays accepted for them, and the engine lives."""
    body = {"prompt": "x", "max_tokens": 2} if path == "/v1/completions" else {}
    response = http.post(path, json={**body, **fields})
    assert response.status_code == 400, response.text
    assert guarded.client.num_in_flight == 0
    assert http.get("/server_info").json()["restarts"] == 0


# Slow and vanishing clients


def is_served(server: RunningServer) -> bool:
    """Whether an ordinary request is answered; a busy client may be too slow for a bound on headers."""
    try:
        with server.http() as client:
            return client.get("/v1/models").status_code == 200
    except httpx.TransportError:
        return False


def test_a_header_and_a_body_that_are_never_whole_end_in_time() -> None:
    with running(slow_engine, ServerSettings(header_timeout_s=0.4)) as server:
        with raw(server, b"POST /v1/completions HTTP/1.1\r\nhost: loc") as loris, raw(server) as silent:
            for connection in (loris, silent):
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(100) == b""
        wait_until(lambda: not server.server.server_state.connections)
        wait_until(lambda: is_served(server))
    with running(slow_engine, ServerSettings(body_timeout_s=0.4)) as server, server.http() as client:
        with raw(server, head("/v1/completions", 500) + b'{"prompt"') as half:
            assert answer(half) == 408
        assert client.get("/v1/models").status_code == 200


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "_IDLE_GRACE_S", 1000.0)
    settings = ServerSettings(max_connections=40, header_timeout_s=1000.0)
    with running(slow_engine, settings) as server, server.http() as client:
        connections = [raw(server) for _ in range(60)]
        try:
            assert [answer(connection) for connection in connections[40:]] == [503] * 20
            assert len(server.server.server_state.connections) == 40
        finally:
            for connection in connections:
                connection.close()
        wait_until(lambda: len(server.server.server_state.connections) < 10)
        assert client.get("/v1/models").status_code == 200


def test_idle_connections_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all connections are taken by clients that ask for nothing, new ones take the places of the oldest."""
    ask = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
    monkeypatch.setattr(http_protocol, "_IDLE_GRACE_S", 1000.0)
    with running(slow_engine, ServerSettings(max_connections=40)) as server, contextlib.ExitStack() as stack:

        def connect(data: bytes) -> socket.socket:
            return stack.enter_context(raw(server, data))

        body = json.dumps({**LONG, "max_tokens": 3000, "stream": True}).encode()
        busy = connect(head("/v1/completions", len(body)) + body)
        assert busy.recv(1000).startswith(b"HTTP/1.1 200")
        kept = [connect(ask) for _ in range(45)]
        assert [answer(connection) for connection in kept] == [200] * 39 + [503] * 6
        monkeypatch.setattr(http_protocol, "_IDLE_GRACE_S", 0.0)
        for _ in range(20):
            assert answer(connect(ask)) == 200
        wait_until(lambda: len(server.server.server_state.connections) == 40)
        assert busy.recv(1000)  # one that is being answered is not idle


def test_connections_that_asked_for_nothing_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a client has been idle behind its answer, silent connections do not take its place."""
    monkeypatch.setattr(http_protocol, "_IDLE_GRACE_S", 0.0)
    ask = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with running(slow_engine, ServerSettings(max_connections=3)) as server, contextlib.ExitStack() as stack:

        def connect(data: bytes = b"") -> socket.socket:
            return stack.enter_context(raw(server, data))

        def held() -> int:
            return len(server.server.server_state.connections)

        wait_until(lambda: held() == 0)
        first = connect(ask)
        assert answer(first) == 200
        silent = [connect()]
        wait_until(lambda: held() == 2)
        silent.append(connect())
        wait_until(lambda: held() == 3)
        second = connect(ask)
        assert answer(second) == 200
        third = connect(ask)
        assert answer(third) == 200
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
        first.sendall(ask)
        assert answer(first) == 200
        fourth = connect(ask)  # nobody is silent: the place of who is idle for longest
        assert answer(fourth) == 200
        with contextlib.suppress(ConnectionResetError):
            assert second.recv(100) == b""


def test_many_connections_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form of benchmarks/connections.py: all are held, and clients that ask are served beside them."""
    monkeypatch.setattr(serve, "_IDLE_TIMEOUT_S", 250)
    settings = ServerSettings(max_connections=1300, header_timeout_s=250, body_timeout_s=250)
    with running(lambda: slow_engine(max_sequences=4), settings) as server, server.http() as client:
        whole = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
        begun = (whole, b"", b"POST /v1/completions HTTP/1.1\r\nhost: loc", head("/v1/completions", 500) + b"{")
        held = [raw(server, begun[index % 4]) for index in range(1200)]
        try:
            wait_until(lambda: len(server.server.server_state.connections) >= 1200, 60)
            for connection in held[::4]:
                assert answer(connection) == 200
            for _ in range(3):
                completed = client.post("/v1/completions", json={"prompt": "x", "max_tokens": 2})
                assert completed.status_code == 200
            assert len(server.server.server_state.connections) >= 1200
        finally:
            for connection in held:
                connection.close()
        wait_until(lambda: len(server.server.server_state.connections) < 10)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_slots_within_a_step(guarded: RunningServer, stream: bool) -> None:
    body = json.dumps({**LONG, "stream": stream, "n": 4}).encode()
    connection = raw(guarded, head("/v1/completions", len(body)) + body)
    wait_until(lambda: guarded.call(guarded.client.statistics).sequences_running == 4)
    connection.close()
    wait_until(lambda: guarded.client.num_in_flight == 0)
    statistics = guarded.call(guarded.client.statistics)
    assert statistics.sequences_running == statistics.sequences_waiting == 0
    assert statistics.free_slots + statistics.cached_slots == statistics.pool_slots
    guarded.call(guarded.client.check)


def test_a_client_that_does_not_read_is_ended(guarded: RunningServer, http: httpx.Client) -> None:
    """It neither holds its slots nor an unbounded buffer, and the others go on."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.connect(("127.0.0.1", guarded.port))
    body = json.dumps({**LONG, "max_tokens": 3000, "stream": True, "logprobs": 20, "n": 4}).encode()
    connection.sendall(head("/v1/completions", len(body)) + body)
    wait_until(lambda: guarded.client.num_in_flight == 1)
    wait_until(lambda: guarded.client.num_in_flight == 0, 200)
    assert http.post("/v1/completions", json={"prompt": "x", "max_tokens": 2}).status_code == 200
    wait_until(lambda: len(guarded.server.server_state.connections) <= 2)
    connection.close()
    guarded.call(guarded.client.check)


def test_keep_alive_comments_in_silence(guarded: RunningServer) -> None:
    with streamed(guarded, n=4), streamed(guarded, max_tokens=5, stop=["never"], min_tokens=5) as waiting:
        received = b""
        while b": keep-alive" not in received:
            data = waiting.recv(1000)
            assert data
            received += data
        assert b"HTTP/1.1 200" in received
    guarded.wait_idle()


# Load


def test_a_full_queue_is_429_and_a_passed_deadline_504(guarded: RunningServer, http: httpx.Client) -> None:
    with streamed(guarded, n=4) as first, streamed(guarded, n=4):
        wait_until(lambda: guarded.client.num_sequences == 8)
        refused = http.post("/v1/completions", json={"prompt": "x"})
        assert refused.status_code == 429
        assert refused.json()["error"]["type"] == "rate_limit_exceeded"
        assert int(refused.headers["retry-after"]) >= 1
        first.close()
        wait_until(lambda: guarded.client.num_sequences == 4)
        late = http.post("/v1/completions", json={**LONG, "timeout": 0.1})
        assert (late.status_code, late.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_abort_request_reaches_only_ones_own(guarded: RunningServer, http: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        running_one = pool.submit(http.post, "/v1/completions", json={**LONG, "request_id": "mine"})
        wait_until(lambda: guarded.client.num_in_flight == 1)
        with guarded.http(headers={"authorization": f"Bearer {OTHER}"}) as other:
            assert other.post("/abort_request", json={"rid": "mine"}).json() == {"aborted": 0}
            assert other.post("/abort_request", json={"abort_all": True}).status_code == 403
        assert http.post("/abort_request", json={"rid": "mine"}).json() == {"aborted": 1}
        error = running_one.result().json()["error"]
        assert (error["code"], error["message"]) == ("request_aborted", "request mine: aborted")


def test_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in flight finishes, new work is refused with 503, and then the server ends."""
    go_on = threading.Event()
    forward = SlowModel.forward

    def held(model: SlowModel, batch: Any, pool: Any) -> Any:
        assert go_on.wait(60)
        return forward(model, batch, pool)

    monkeypatch.setattr(SlowModel, "forward", held)
    with running(lambda: slow_engine(max_sequences=4), ServerSettings(drain_timeout_s=200)) as server:
        with ThreadPoolExecutor(1) as pool, server.http() as client, server.http() as other:
            body = {**LONG, "max_tokens": 60}
            finishing = pool.submit(client.post, "/v1/completions", json=body)
            wait_until(lambda: server.client.num_in_flight == 1)
            assert other.get("/ready").status_code == 200
            server.loop.call_soon_threadsafe(server.server.begin_drain)
            wait_until(lambda: server.services.draining)
            refused = other.post("/v1/completions", json={"prompt": "x"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
            assert "retry-after" in refused.headers
            assert other.get("/ready").status_code == 503
            assert other.get("/health").status_code == 200
            go_on.set()
            answer = finishing.result()
            assert answer.json()["usage"]["completion_tokens"] == 60
        wait_until(lambda: server.server.should_exit)


def test_what_does_not_finish_while_draining_is_told_so() -> None:
    with running(slow_engine, ServerSettings(drain_timeout_s=0.2)) as server, server.http() as client:
        with ThreadPoolExecutor(2) as pool:
            whole = pool.submit(client.post, "/v1/completions", json=LONG)
            begun: list[str] = []

            def read_stream() -> list[str]:
                with client.stream("POST", "/v1/completions", json={**LONG, "stream": True}) as response:
                    for event in events_of(response):
                        begun.append(event)
                return begun

            stream = pool.submit(read_stream)
            wait_until(lambda: bool(begun) and server.client.num_in_flight == 2)
            server.loop.call_soon_threadsafe(server.server.begin_drain)
            answer = whole.result()
            assert answer.status_code == 503
            assert answer.json()["error"]["message"] == "the server went down before the request was over"
            assert "retry-after" in answer.headers
            error, done = stream.result()[-2:]
            assert json.loads(error)["error"]["code"] == "engine_unavailable"
            assert done == "[DONE]"
        wait_until(lambda: server.server.should_exit)


# The engine dies


def test_every_request_ends_when_the_engine_dies_and_it_comes_back() -> None:
    launcher = ThreadLauncher(lambda: slow_engine(max_sequences=8))
    with running(launcher) as server, server.http() as client:
        with ThreadPoolExecutor(8) as pool:
            whole = [pool.submit(client.post, "/v1/completions", json=LONG) for _ in range(4)]

            begun: list[str] = []

            def read_stream() -> list[str]:
                with client.stream("POST", "/v1/completions", json={**LONG, "stream": True}) as response:
                    events = events_of(response)
                    begun.append(next(events))
                    return list(events)

            streams = [pool.submit(read_stream) for _ in range(4)]
            wait_until(lambda: len(begun) == 4 and server.client.num_in_flight == 8)
            launcher.launched[0].kill()
            for answer in whole:
                assert answer.result().status_code == 503
                assert answer.result().json()["error"]["code"] == "engine_unavailable"
            for events in streams:
                assert json.loads(events.result()[-2])["error"]["code"] == "engine_unavailable"
                assert events.result()[-1] == "[DONE]"
        assert client.get("/health").status_code == 200
        wait_until(lambda: server.client.state == "ready")
        assert client.get("/ready").json() == {"status": "ready", "engine": "ready", "restarts": 1}
        assert client.post("/v1/completions", json={"prompt": "x", "max_tokens": 2}).status_code == 200
        assert server.client.num_accepted == server.client.num_ended == 9


@pytest.mark.parametrize("loopback", [False, True])
def test_a_killed_process_is_replaced(loopback: bool) -> None:
    """The real thing: an engine process with the embedded model, and SIGKILL in mid-answer."""
    launcher = ProcessLauncher(None, {"max_sequences": 8, "pool_slots": 8192, "warm_up": False}, loopback=loopback)
    with running(launcher) as server, server.http() as client:
        first = server.client.process_id
        assert first is not None
        with client.stream("POST", "/v1/completions", json={**LONG, "stream": True}) as response:
            events = events_of(response)
            next(events)
            os.kill(first, 9)
            assert json.loads(list(events)[-2])["error"]["code"] == "engine_unavailable"
        assert client.get("/ready").status_code == 503
        assert client.post("/v1/completions", json={"prompt": "x"}).status_code == 503
        if not loopback:  # loading it once more takes seconds
            wait_until(lambda: server.client.state == "ready", 120)
            assert server.client.process_id != first
            answer = client.post("/v1/completions", json={"prompt": "x", "max_tokens": 2})
            assert answer.status_code == 200


def test_a_model_that_cannot_be_loaded_is_a_config_error() -> None:
    launcher = ProcessLauncher(Path("/nowhere"))

    async def start() -> None:
        async with EngineClient(launcher):
            pass

    with pytest.raises(ConfigError, match="not a directory"):
        asyncio.run(start())
