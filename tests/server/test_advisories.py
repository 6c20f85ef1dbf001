"""The advisories of this field, each as a test that shows we are not affected; and what else must stay bounded.

Also in test_trust.py: constraints that kill an engine (CVE-2025-48942, CVE-2025-48943), regular expressions that take
for ever, prefix-cache timing across tenants (CVE-2025-46570), routes without a key.
"""

import ast
import asyncio
import pickle
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipform.errors import EngineStopped
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, RequestFailed, Text, TextDelta
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.frames import FrameReader, read_frames
from slipform.runtime.server.launcher import _accept
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.server.streams import EventStream
from tests.fakes import scripted_engine
from tests.server.serving import SlowModel, ThreadLauncher, chat_tokenizer, running, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("n", [65, 10**6, 10**18, -1, 0])
@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
def test_n_is_bounded(http: httpx.Client, path: str, n: int) -> None:
    """CVE-2026-34756: an unbounded `n` fills the memory before anything is checked."""
    body = {"prompt": "x"} if path == "/v1/completions" else {"messages": [{"role": "user", "content": "x"}]}
    response = http.post(path, json={**body, "n": n, "max_tokens": 1})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "n")


def test_compiled_grammars_are_bounded_and_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2025-32381 and GHSA-mgrm-fgjv-mhv8: caches of compiled grammars that grow with every new constraint, in
    memory or on the disk."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with running(lambda: scripted_engine(tokenizer=chat_tokenizer(), grammar_cache=4)) as server, server.http() as http:

        def misses(pattern: str) -> int:
            before = int(server.call(server.client.statistics).grammar_misses)
            assert http.post("/v1/grammar/compile", json={"regex": pattern}).status_code == 200
            return int(server.call(server.client.statistics).grammar_misses) - before

        assert misses("first") == 1
        assert misses("first") == 0
        files = sorted(tmp_path.rglob("*"))  # tables of the vocabulary, of a size that the tokenizer determines
        for number in range(12):
            misses(f"pattern {number}")
        assert misses("first") == 1
    assert sorted(tmp_path.rglob("*")) == files


@pytest.mark.parametrize("folder", ["runtime", "slipform", "lang", "grammars"])
def test_nothing_unpickles_or_evaluates(folder: str) -> None:
    """CVE-2026-3059, CVE-2026-3060, CVE-2026-7301: pickles taken from a socket run what their sender likes.

    runtime/embedded is the training of the embedded model, which no server imports.
    """
    modules = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "multiprocessing", "zmq"}
    for path in (ROOT / folder).rglob("*.py"):
        if path.parent == ROOT / "runtime" / "embedded":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").partition(".")[0]]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path
            assert not modules & set(names), path


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was run",))


def test_a_pickle_is_no_message() -> None:
    data = pickle.dumps(_Bomb())
    frame = len(data).to_bytes(4, "big") + data
    with pytest.raises(ValueError, match=r"MessagePack|type|Expected|Invalid"):
        FrameReader().feed(frame)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(frame)
        with pytest.raises(ValueError, match=r"MessagePack|type|Expected|Invalid"):
            next(read_frames(theirs))


def test_only_who_knows_the_token_is_the_engine() -> None:
    """On a port of this machine anyone may connect; a stranger is neither believed nor waited for."""

    async def accept() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            token = bytes(range(32))
            with socket.create_connection(listener.getsockname()) as stranger:
                stranger.sendall(pickle.dumps(_Bomb()).ljust(32, b"x"))
                with socket.create_connection(listener.getsockname()) as engine:
                    engine.sendall(token + b"hello")
                    connection = await _accept(listener, token)
                    with connection:
                        return await asyncio.get_running_loop().sock_recv(connection, 5)

    assert asyncio.run(accept()) == b"hello"


def test_what_waits_for_a_reader_is_bounded() -> None:
    aborted = []
    request = GenerateRequest("a", (Text("x"),))
    stream = EventStream(request, lambda: aborted.append(True), max_bytes=1000)
    for _ in range(100):
        stream.deliver(TextDelta("a", 0, 0, "x" * 100, (1,)))
    assert aborted == [True]

    async def read() -> list[Any]:
        return [event async for event in stream]

    (event,) = asyncio.run(read())
    assert isinstance(event, RequestFailed)
    assert "too slowly" in str(event.error)


def test_neighbouring_texts_are_joined() -> None:
    stream = EventStream(GenerateRequest("a", (Text("x"),)), lambda: None, max_bytes=1000)
    for index, sequence in enumerate((0, 0, 1, 1, 0)):
        stream.deliver(TextDelta("a", sequence, 0, f"{index}", (index,)))

    async def read() -> list[tuple[int, str, tuple[int, ...]]]:
        events = [await anext(stream) for _ in range(3)]
        return [(e.sequence_index, e.text, e.token_ids) for e in events if isinstance(e, TextDelta)]

    assert asyncio.run(read()) == [(0, "01", (0, 1)), (1, "23", (2, 3)), (0, "4", (4,))]


def test_an_engine_that_hangs_is_replaced() -> None:
    release = threading.Event()

    class HangingModel(SlowModel):
        def forward(self, batch: Any, pool: Any) -> Any:
            if not release.is_set():
                release.wait(20)
            return super().forward(batch, pool)

    def make() -> Engine:
        tokenizer = chat_tokenizer()
        return scripted_engine(tokenizer=tokenizer, model=HangingModel(len(tokenizer.vocabulary), eos_id=0))

    async def run() -> tuple[str, int, int]:
        client = EngineClient(ThreadLauncher(make), heartbeat_s=0.05, hang_timeout_s=0.3)
        async with client:
            fill = Fill(None, SamplingParams(max_tokens=2))
            with pytest.raises(EngineStopped) as caught:
                await client.submit(GenerateRequest("a", (Text("x"), fill))).terminal()
            release.set()
            while client.num_restarts == 0:
                await asyncio.sleep(0.01)
            while True:
                await client.ready()
                try:
                    answer = await client.submit(GenerateRequest("b", (Text("x"), fill))).terminal()
                except EngineStopped:  # on a busy machine a new engine may need longer than the timeout, too
                    continue
                return str(caught.value), client.num_restarts, len(answer.sequences)

    message, restarts, sequences = asyncio.run(run())
    assert "no step ended" in message
    assert restarts >= 1
    assert sequences == 1


def test_tls_and_certificates_of_clients(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = ServerSettings(tls_certificate=certificate, tls_key=key, tls_client_ca=certificate)
    with running(lambda: scripted_engine(tokenizer=chat_tokenizer()), settings) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        url = f"https://127.0.0.1:{server.port}/health"
        with pytest.raises(httpx.TransportError), httpx.Client(verify=context, timeout=60) as bare:
            bare.get(url)
        context.load_cert_chain(certificate, key)
        with httpx.Client(verify=context, timeout=60) as client:
            assert client.get(url).json() == {"status": "ok"}


def test_ten_thousand_connections() -> None:
    """Twenty times five hundred: those beyond the bound are turned away, and whoever was there before goes on."""
    settings = ServerSettings(max_connections=200)
    with running(lambda: scripted_engine(tokenizer=chat_tokenizer()), settings) as server, server.http() as kept:
        assert kept.get("/health").status_code == 200
        for _ in range(20):
            connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(500)]
            assert kept.get("/health").status_code == 200
            for connection in connections:
                connection.close()
        wait_until(lambda: len(server.server.server_state.connections) <= 1)
        assert kept.post("/v1/completions", json={"prompt": "x", "max_tokens": 1}).status_code == 200
