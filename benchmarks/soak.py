"""A server under good, slow, aborting and hostile clients, its engine killed twice: does all end, and stay small?

Each client keeps its own account: a request that the server accepted must end in exactly one way, with an answer, an
error status or the end of its stream. At the end the engine must hold nothing (`check` is clean), and the server's
memory must be where it was after the warm-up.

    python benchmarks/soak.py                 # ten minutes
    python benchmarks/soak.py --seconds 20    # the short form that the tests run
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from slipform.runtime.server.app import create_app
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.launcher import Launcher, ProcessLauncher
from slipform.runtime.server.metrics import PrometheusObserver
from slipform.runtime.server.serve import DrainingServer, resolve, uvicorn_config
from slipform.runtime.server.settings import ServerSettings

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("/v1/completions", {"prompt": "x", "n": 10**9}),
    ("/v1/completions", {"prompt": "x", "max_tokens": 10**12}),
    ("/v1/completions", {"prompt": "x", "regex": "(" * 3000}),
    ("/v1/completions", {"prompt": "x", "regex": "((a{1,99}){1,99}){1,99}", "max_tokens": 4}),
    ("/v1/completions", {"prompt": "x", "regex": "(.*a.*){40}", "max_tokens": 4}),
    ("/v1/completions", {"prompt": "x", "stop_regex": "(a*)*$", "max_tokens": 4}),
    ("/v1/completions", {"prompt": "x" * 200_000}),
    ("/v1/completions", {"prompt": [[0] * 100_000]}),
    ("/v1/completions", {"prompt": "x", "json_schema": {"$ref": "#"}}),
    ("/v1/completions", {"prompt": "x", "ebnf": "root ::= root | root root"}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "{{ 7 * 7 }}"}], "chat_template": "{{ 1 }}"}),
    ("/v1/chat/completions", {"messages": [], "tools": [{}] * 1000}),
    ("/v1/grammar/compile", {"json_schema": {"anyOf": [{"$ref": "#"}] * 50}}),
    ("/v1/programs", {"segments": [{"type": "fill"}] * 5000}),
    ("/abort_request", {"rid": "nobody"}),
]


@dataclass(slots=True)
class Account:
    """What clients saw.

    Attributes:
        opened: requests that were sent whole. ended: of these, those that ended, by how.
        broken: descriptions of endings that must not happen.
    """

    opened: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class Soak:
    """Clients of one server. `random_` decides what each does next."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._port = int(url.rpartition(":")[2])
        self._random = random.Random(seed)
        self.account = Account()
        self.stopping = False

    async def run_client(self, kind: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=600) as client:
            while not self.stopping:
                try:
                    await kind(client)
                except httpx.TransportError as error:
                    self.account.broken.append(f"{kind.__name__}: {type(error).__name__}: {error}")
                await asyncio.sleep(self._random.random() * 0.05)

    async def good(self, client: httpx.AsyncClient) -> None:
        """Asks, and checks the answer's shape."""
        body: dict[str, Any] = {"messages": [{"role": "user", "content": f"My name is Ada, {self._random.random()}."}]}
        body |= {"max_tokens": 40, "seed": 1, "n": self._random.choice([1, 1, 2])}
        if self._random.random() < 0.5:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
        self.account.opened += 1
        response = await client.post("/v1/chat/completions", json=body)
        self._note(response.status_code)
        if response.status_code == 200 and "response_format" in body:
            for choice in response.json()["choices"]:
                if choice["finish_reason"] == "stop" and not isinstance(json.loads(choice["message"]["content"]), dict):
                    self.account.broken.append(f"not of the schema: {choice}")

    async def streaming(self, client: httpx.AsyncClient) -> None:
        """Reads a stream to its end; every stream ends in [DONE], with one finish reason a choice or with an error."""
        body = {"prompt": f"Once {self._random.random()}", "max_tokens": 60, "stream": True, "n": 2}
        self.account.opened += 1
        async with client.stream("POST", "/v1/completions", json=body) as response:
            if response.status_code != 200:
                await response.aread()
                self._note(response.status_code)
                return
            events = [line[6:] async for line in response.aiter_lines() if line.startswith("data: ")]
        chunks = [json.loads(event) for event in events[:-1]]
        finishes = sum(bool(chunk["choices"][0]["finish_reason"]) for chunk in chunks if "choices" in chunk)
        errors = sum("error" in chunk for chunk in chunks)
        if events[-1] != "[DONE]" or errors > 1 or (errors == 0 and finishes != 2):
            self.account.broken.append(f"a stream ended with {finishes} finishes, {errors} errors, {events[-1][:80]}")
        self.account.ended["stream error" if errors else "stream"] += 1

    async def aborting(self, client: httpx.AsyncClient) -> None:
        """Leaves in the middle, of a stream or of a whole answer."""
        body = {"prompt": f"Leaving {self._random.random()}", "max_tokens": 1000, "ignore_eos": True}
        self.account.opened += 1
        streams = self._random.random() < 0.5
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._random.random() * 0.3):
                async with client.stream("POST", "/v1/completions", json={**body, "stream": streams}) as response:
                    async for _ in response.aiter_bytes():
                        pass
        self.account.ended["left"] += 1

    async def slow(self, _: httpx.AsyncClient) -> None:
        """Takes in some bytes now and then of a stream it asked for, then goes."""
        body = {"prompt": "Slowly", "max_tokens": 300, "ignore_eos": True, "stream": True, "logprobs": 5}
        data = json.dumps(body).encode()
        reader, writer = await self._raw(b"/v1/completions", len(data))
        self.account.opened += 1
        writer.write(data)
        with contextlib.suppress(OSError):
            for _ in range(5):
                await reader.read(1)
                await asyncio.sleep(0.2)
        writer.close()
        self.account.ended["slow"] += 1

    async def half(self, _: httpx.AsyncClient) -> None:
        """Sends half a body, or half a header."""
        reader, writer = await self._raw(b"/v1/completions", 1000)
        writer.write(b'{"prompt": ')
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._random.random() * 3):
                await reader.read()
        writer.close()

    async def hostile(self, client: httpx.AsyncClient) -> None:
        path, body = self._random.choice(HOSTILE)
        self.account.opened += 1
        response = await client.post(path, json={**body, "timeout": 10})
        self._note(response.status_code)
        if response.status_code >= 500 and response.status_code not in (503, 504):
            self.account.broken.append(f"{path} {str(body)[:80]}: {response.status_code} {response.text[:200]}")

    async def _raw(self, path: bytes, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" % path)
        writer.write(b"content-length: %d\r\n\r\n" % length)
        return reader, writer

    def _note(self, status: int) -> None:
        self.account.ended[str(status)] += 1


async def soak(launch: Launcher, seconds: float, seed: int) -> dict[str, Any]:
    """Run it all; the figures of the last line."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = resolve(ServerSettings(body_timeout_s=2.0, header_timeout_s=2.0, write_timeout_s=5.0), has_keys=True)
    observer = PrometheusObserver("soak")
    engine = EngineClient(launch, max_waiting=settings.max_waiting, on_restart=observer.engine_restarted)
    app = create_app(engine, settings, observer=observer)
    server = DrainingServer(uvicorn_config(app, settings, "error"), app.state.services)
    serving = asyncio.create_task(server.serve_with_engine([listener]))
    while engine.state != "ready":
        await asyncio.sleep(0.05)
    clients = Soak(f"http://127.0.0.1:{listener.getsockname()[1]}", seed)
    kinds = [clients.good] * 6 + [clients.streaming] * 4 + [clients.aborting] * 3
    kinds += [clients.slow] * 2 + [clients.half] + [clients.hostile] * 2
    tasks = [asyncio.create_task(clients.run_client(kind)) for kind in kinds]
    began = time.monotonic()
    rss_mb = 0.0
    kills = [seconds * 0.35, seconds * 0.7]
    while (elapsed := time.monotonic() - began) < seconds or kills:
        await asyncio.sleep(0.05)
        if kills and elapsed >= kills[0] and engine.state == "ready":
            kills.pop(0)
            if rss_mb == 0.0:  # everything has been used once by now
                rss_mb = resident_mb()
            engine.kill()
    clients.stopping = True
    await asyncio.gather(*tasks)
    while engine.state != "ready" or engine.num_in_flight:
        await asyncio.sleep(0.05)
    await engine.check()
    statistics = await engine.statistics()
    account = clients.account
    result = {
        "benchmark": "soak",
        "seconds": round(time.monotonic() - began, 1),
        "engine_restarts": engine.num_restarts,
        "opened": account.opened,
        "endings": dict(sorted(account.ended.items())),
        "broken": account.broken[:20],
        "accepted": engine.num_accepted,
        "terminal": engine.num_ended,
        "lost": engine.num_accepted - engine.num_ended + account.opened - account.ended.total(),
        "leaked_slots": statistics.pool_slots - statistics.free_slots - statistics.cached_slots,
        "open_connections": len(server.server_state.connections),
        "rss_mb": round(resident_mb(), 1),
        "rss_growth_mb": round(resident_mb() - rss_mb, 1),
    }
    server.should_exit = True
    await serving
    return result


def resident_mb() -> float:
    """Memory of this process: server and clients."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    result = asyncio.run(soak(ProcessLauncher(None, {"trace": False}), arguments.seconds, arguments.seed))
    print("endings:", ", ".join(f"{name} {count}" for name, count in result["endings"].items()))
    print(json.dumps(result))
    sys.exit(1 if result["lost"] or result["broken"] or result["leaked_slots"] else 0)


if __name__ == "__main__":
    main()
