"""Ten thousand connections at once: are they all served, does anybody else notice, and what do they cost?

A server of the embedded model runs in processes of its own. Good clients ask for short completions all the time, over
new connections and kept ones. Beside them connections are opened and held: kept alive behind an answer, silent, with
half a header, with half a body. Afterwards as many come once more to a server that may hold only some of them: they
must take the place of idle ones or be answered with 503, and so must the good clients while the others arrive.

    python benchmarks/connections.py                        # 10,000
    python benchmarks/connections.py --connections 500      # quicker
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

BODY = json.dumps({"prompt": "The sky is", "max_tokens": 4, "temperature": 0}).encode()
HEAD = (
    b"POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
KINDS = ("kept", "silent", "half a header", "half a body")


async def answer(streams: Streams) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = (await streams[0].readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await streams[0].readexactly(length)


async def ask(streams: Streams) -> tuple[int, bytes]:
    streams[1].write(HEAD % len(BODY) + BODY)
    return await answer(streams)


async def begin(port: int, kind: str) -> Streams:
    """A connection that is now held in this state. A kept one has had an answer."""
    streams = await asyncio.open_connection("127.0.0.1", port)
    match kind:
        case "kept":
            streams[1].write(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            status, _ = await answer(streams)
            if status != 200:
                raise ConnectionRefusedError(status)
        case "half a header":
            streams[1].write(b"POST /v1/completions HTTP/1.1\r\nhost: loc")
        case "half a body":
            streams[1].write(HEAD % 500 + b'{"prompt": ')
    return streams


class GoodClients:
    """Ask without a pause, every other time over a new connection; every answer must be right."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self.latencies: list[float] = []
        self.refusals = 0
        self.failures: list[str] = []
        self._texts: set[bytes] = set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._work()) for _ in range(self._count)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def take(self) -> list[float]:
        """Latencies in seconds since the last call."""
        taken, self.latencies = self.latencies, []
        return taken

    async def _work(self) -> None:
        kept: Streams | None = None
        while True:
            began = time.perf_counter()
            is_new = kept is None
            try:
                streams = kept or await asyncio.open_connection("127.0.0.1", self._port)
                status, body = await ask(streams)
                if status == 503:
                    self.refusals += 1
                    kept = None
                    continue
                self._texts.add(json.loads(body)["choices"][0]["text"] if status == 200 else b"")
                if status != 200 or len(self._texts) > 1:
                    self.failures.append(f"{status}: {body[:200]!r}")
            except (OSError, asyncio.IncompleteReadError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                kept = None
                await asyncio.sleep(0.05)
                continue
            self.latencies.append(time.perf_counter() - began)
            if is_new:
                kept = streams
            else:
                streams[1].close()
                kept = None
            await asyncio.sleep(0.02)


async def hold(port: int, count: int) -> tuple[list[tuple[str, Streams]], Counter[str]]:
    """Open `count` connections of all kinds, a hundred at a time: those that are open, and how the others ended."""
    kinds = [KINDS[0] if index % 10 < 7 else KINDS[1 + index % 3] for index in range(count)]
    held: list[tuple[str, Streams]] = []
    ended: Counter[str] = Counter()
    slots = asyncio.Semaphore(100)

    async def one(kind: str) -> None:
        async with slots:
            try:
                held.append((kind, await begin(port, kind)))
            except (OSError, asyncio.IncompleteReadError) as error:
                ended["503" if error.args == (503,) else type(error).__name__] += 1

    await asyncio.gather(*(one(kind) for kind in kinds))
    return held, ended


async def endings(held: list[tuple[str, Streams]]) -> Counter[str]:
    """How the server ended the connections that it would not keep, without anything more from their clients."""
    found: Counter[str] = Counter()

    async def one(kind: str, streams: Streams) -> None:
        try:
            async with asyncio.timeout(60):
                data = await streams[0].read(12)
        except (OSError, TimeoutError) as error:
            data = type(error).__name__.encode()
        found[
            f"{kind}: {data[9:12].decode() if data.startswith(b'HTTP') else 'closed' if not data else data.decode()}"
        ] += 1

    await asyncio.gather(*(one(kind, streams) for kind, streams in held))
    return found


def milliseconds(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    if not ordered:
        return {"requests": 0}
    return {
        "requests": len(ordered),
        "p50_ms": round(1e3 * statistics.median(ordered), 1),
        "p99_ms": round(1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1),
    }


async def all_held(port: int, pid: int, count: int) -> dict[str, Any]:
    """Every connection is held; then the server's time limits end what never became a request."""
    good = GoodClients(port, 4)
    async with good.working():
        await asyncio.sleep(3)
        alone = milliseconds(good.take())
        rss_before = resident_mb(pid)
        began = time.perf_counter()
        held, ended = await hold(port, count)
        opening_s = time.perf_counter() - began
        beside_opening = milliseconds(good.take())
        rss_held = resident_mb(pid)
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        await asyncio.sleep(3)
        beside = milliseconds(good.take())
        found = await endings(held)
        for _, streams in held:
            streams[1].close()
        await asyncio.sleep(1)
        after = milliseconds(good.take())
    return {
        "asked_for": count,
        "held": len(held),
        "refused": dict(ended),
        "open_descriptors": descriptors,
        "opening_s": round(opening_s, 1),
        "endings": dict(sorted(found.items())),
        "rss_mb": {"before": rss_before, "held": rss_held, "after": resident_mb(pid)},
        "kb_per_connection": round(1024 * (rss_held - rss_before) / max(1, len(held)), 1),
        "good": {"alone": alone, "while_opening": beside_opening, "beside": beside, "until_they_ended": after},
        "good_503": good.refusals,
        "good_failures": good.failures,
    }


async def more_than_allowed(port: int, count: int) -> dict[str, Any]:
    """As many connections to a server that may hold fewer."""
    good = GoodClients(port, 4)
    async with good.working():
        await asyncio.sleep(2)
        good.take()
        held, ended = await hold(port, count)
        arriving, refusals = milliseconds(good.take()), good.refusals
        await asyncio.sleep(3)
        beside = milliseconds(good.take())
        for _, streams in held:
            streams[1].close()
    return {
        "opened": len(held),
        "refused": dict(ended),
        "good": {"while_opening": arriving, "beside": beside},
        "good_503": {"while_opening": refusals, "beside": good.refusals - refusals},
        "good_failures": good.failures,
    }


@contextlib.contextmanager
def server(max_connections: int) -> Iterator[tuple[int, int]]:
    """Port and process id of a server with the embedded model."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "slipform.cli", "serve", "--port", str(port)]
    process = subprocess.Popen([*command, "--max-connections", str(max_connections), "--log-level", "warning"])
    try:
        asyncio.run(ready(port))
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


async def ready(port: int) -> None:
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            streams = await asyncio.open_connection("127.0.0.1", port)
            status, _ = await ask(streams)
            streams[1].close()
            if status == 200:
                return
        await asyncio.sleep(0.2)
    raise SystemExit("the server did not become ready")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--allowed", type=int, default=2048, help="of the second server")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with server(arguments.connections + 100) as (port, pid):
        held = asyncio.run(all_held(port, pid, arguments.connections))
    with server(arguments.allowed) as (port, _):
        refused = asyncio.run(more_than_allowed(port, arguments.connections))
    result = {"benchmark": "connections", **held, "more_than_allowed": {"allowed": arguments.allowed, **refused}}
    for name, value in result.items():
        print(f"{name}: {value}")
    print(json.dumps(result))
    went_wrong = held["held"] < arguments.connections or held["good_503"] or held["good_failures"]
    sys.exit(1 if went_wrong or refused["good_failures"] else 0)


if __name__ == "__main__":
    main()
