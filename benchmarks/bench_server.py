"""What the server costs: requests a second and latency over HTTP, beside the same engine in the same process.

Both sides run the embedded model in float32 on the same closed loop of distinct prompts, each side in processes of its
own, one after the other; greedy texts are compared first. Each side is measured twice: answers as a whole, and
streamed, where the caller of the engine takes each event in its process as it comes (`async for event in handle`). What
streams cost over HTTP is told against both. The client shares the cores with the server; its own CPU time is reported.

    python benchmarks/bench_server.py
    python benchmarks/bench_server.py --concurrency 128 --profile
"""

import argparse
import asyncio
import contextlib
import cProfile
import json
import os
import platform
import pstats
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from slipform.runtime.handle import RequestHandle
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text, TextDelta

MAX_TOKENS = 48
WORDS = ("river", "stone", "orange", "window", "seven", "market", "train", "silver", "garden", "letter", "music")

FIRST = {"engine": 10_000, "engine streamed": 20_000, "whole": 30_000, "streamed": 50_000}

Call = Callable[[int], Awaitable[str]]


def prompt(number: int) -> str:
    """About thirty tokens, different for each number from the first word on."""
    picked = [WORDS[(number * 7 + step * (number % 5 + 1)) % len(WORDS)] for step in range(12)]
    return f"Request {number}. {' '.join(picked)}. The"


async def closed_loop(call: Call, first: int, count: int, concurrency: int) -> tuple[list[float], float]:
    """Latencies in seconds of `count` calls, `concurrency` at a time, and the time of all."""
    numbers = iter(range(first, first + count))
    latencies: list[float] = []

    async def worker() -> None:
        for number in numbers:
            began = time.perf_counter()
            await call(number)
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return latencies, time.perf_counter() - began


async def measure(call: Call, first: int, levels: list[int], repeats: int, requests: int) -> dict[str, Any]:
    """Texts of a few calls, and for each level the medians over `repeats` runs.

    Args:
        first: number of the first prompt that is timed. Sides that ask the same engine need different ones: a prompt
            that was asked before comes out of the prefix cache.
    """
    texts = [await call(number) for number in range(4)]
    levels_measured = {}
    for level in levels:
        count = max(requests, 2 * level) if level > 1 else requests // 2
        await closed_loop(call, first, level, level)
        first += level
        rates, medians, cpu = [], [], []
        for _ in range(repeats):
            before = time.process_time()
            latencies, seconds = await closed_loop(call, first, count, level)
            first += count
            cpu.append((time.process_time() - before) / count)
            rates.append(count / seconds)
            medians.append(statistics.median(latencies))
        levels_measured[level] = {
            "requests_per_s": statistics.median(rates),
            "latency_ms": 1e3 * statistics.median(medians),
            "own_cpu_ms_per_request": 1e3 * statistics.median(cpu),
        }
    return {"texts": texts, "levels": levels_measured}


# The engine in this process


async def run_engine(arguments: argparse.Namespace) -> dict[str, Any]:
    from slipform.runtime.engine import Engine

    sampling = SamplingParams(max_tokens=MAX_TOKENS, temperature=0.0, ignore_eos=True)
    levels, repeats, requests = arguments.concurrency, arguments.repeats, arguments.requests
    with Engine(trace=False) as engine:

        def submit(number: int, *, deltas: bool) -> RequestHandle:
            segments = (Text(prompt(number)), Fill(None, sampling))
            return engine.submit(GenerateRequest(f"{number}", segments, deltas=deltas))

        async def whole(number: int) -> str:
            return (await submit(number, deltas=False).wait()).sequences[0].fills[0].text

        async def streamed(number: int) -> str:
            handle = submit(number, deltas=True)
            return "".join([event.text async for event in handle if isinstance(event, TextDelta)])

        return {
            "whole": await measure(whole, FIRST["engine"], levels, repeats, requests),
            "streamed": await measure(streamed, FIRST["engine streamed"], levels, repeats, requests),
        }


# The server, and a client that costs little


class Connection(asyncio.Protocol):
    """One HTTP connection, kept alive.

    It does no more for a part of a stream than to append it: a client elsewhere would not take the server's CPU.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._body_from = 0  # 0: the header is not complete
        self._end = 0  # 0: the body is chunked
        self._answer: asyncio.Future[bytes] | None = None

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """The answer's body; of a stream, all of it."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        data = json.dumps(body).encode()
        self._received.clear()
        self._body_from = self._end = 0
        self._answer = loop.create_future()
        self._transport.write(
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"content-length: {len(data)}\r\n\r\n".encode()
            + data
        )
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._body_from and not self._read_head():
            return
        is_over = len(self._received) >= self._end if self._end else self._received.endswith(b"\r\n0\r\n\r\n")
        if is_over and self._answer is not None and not self._answer.done():
            self._answer.set_result(bytes(self._received[self._body_from :]))

    def _read_head(self) -> bool:
        """Whether the header is complete, and well."""
        at = self._received.find(b"\r\n\r\n")
        if at < 0 or self._answer is None or self._answer.done():
            return False
        head = bytes(self._received[: at + 2]).lower()
        if not head.startswith(b"http/1.1 200"):
            self._answer.set_exception(ConnectionError(f"the server answered {bytes(self._received)!r}"))
            return False
        self._body_from = at + 4
        if b"transfer-encoding: chunked" not in head:
            self._end = self._body_from + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def run_client(port: int, arguments: argparse.Namespace, *, stream: bool) -> dict[str, Any]:
    idle: list[Connection] = []

    async def call(number: int) -> str:
        connection = idle.pop() if idle else Connection(port)
        body = {"prompt": prompt(number), "max_tokens": MAX_TOKENS, "temperature": 0, "ignore_eos": True}
        answer = await connection.post("/v1/completions", {**body, "stream": stream})
        idle.append(connection)
        if not stream:
            return str(json.loads(answer)["choices"][0]["text"])
        events = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: {")]
        return "".join(json.loads(event)["choices"][0]["text"] for event in events)

    first = FIRST["streamed" if stream else "whole"]
    measured = await measure(call, first, arguments.concurrency, arguments.repeats, arguments.requests)
    for connection in idle:
        connection.close()
    return measured


def run_server(port: int, profile: Path | None) -> None:
    """The server's process. With `profile`, its event loop's calls are written there at the end."""
    from slipform.runtime.server.observers import observers_for
    from slipform.runtime.server.serve import serve
    from slipform.runtime.server.settings import ServerSettings

    settings = ServerSettings(port=port)
    profiler = cProfile.Profile() if profile is not None else None
    if profiler is not None:
        profiler.enable()
    serve(None, settings, {}, observer=observers_for(settings), log_level="warning")
    if profiler is not None and profile is not None:
        profiler.disable()
        with profile.open("w") as out:
            pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(25)


@contextlib.contextmanager
def server(arguments: argparse.Namespace, profile: Path | None) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, "--part", "server", "--port", str(port)]
    process = subprocess.Popen([*command, "--profile-to", str(profile)] if profile is not None else command)
    try:
        uvloop.run(wait_ready(port))
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


async def wait_ready(port: int) -> None:
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            connection = Connection(port)
            await connection.post("/v1/completions", {"prompt": "Hello", "max_tokens": 1})
            connection.close()
            return
        await asyncio.sleep(0.2)
    raise SystemExit("the server did not become ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 128])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--requests", type=int, default=64, help="a run, at least; twice the concurrency if more")
    parser.add_argument("--profile", action="store_true", help="also profile the server's process (slows it down)")
    parser.add_argument("--part", choices=["engine", "server"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--profile-to", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "engine":
        print(json.dumps(uvloop.run(run_engine(arguments))))
    elif arguments.part == "server":
        run_server(arguments.port, arguments.profile_to)
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    forwarded = ["--repeats", str(arguments.repeats), "--requests", str(arguments.requests)]
    forwarded += ["--concurrency", *map(str, arguments.concurrency)]
    command = [sys.executable, __file__, "--part", "engine", *forwarded]
    engine = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    with server(arguments, None) as (port, process):
        ready_cpu_s = cpu_seconds(process.pid)
        whole = uvloop.run(run_client(port, arguments, stream=False))
        whole_cpu_s = cpu_seconds(process.pid) - ready_cpu_s
        streamed = uvloop.run(run_client(port, arguments, stream=True))
        streamed_cpu_s = cpu_seconds(process.pid) - ready_cpu_s - whole_cpu_s
    for side in (engine["streamed"], whole, streamed):
        assert side["texts"] == engine["whole"]["texts"], "the texts differ from the engine's"
    rows = [row(level, engine, whole, streamed) for level in arguments.concurrency]
    print("requests a second; costs are shares of the engine's throughput that the server takes")
    print(
        f"{'at a time':>9} {'engine':>8} {'streamed':>9} {'server':>8} {'cost':>7} {'streamed':>9} "
        f"{'of streamed':>12} {'of whole':>9}   median latency"
    )
    for item in rows:
        print(
            f"{item['concurrency']:>9} {item['engine_per_s']:>8.1f} {item['engine_streamed_per_s']:>9.1f} "
            f"{item['server_per_s']:>8.1f} {item['server_cost']:>+7.1%} {item['streamed_per_s']:>9.1f} "
            f"{item['streamed_cost']:>+12.1%} {item['streamed_cost_of_whole']:>+9.1%}"
            f"   {item['engine_ms']:.2f} -> {item['server_ms']:.2f} ms ({item['added_ms']:+.2f} ms)"
        )
    print(f"CPU of the server's process over all runs: {whole_cpu_s:.2f} s, streamed {streamed_cpu_s:.2f} s")
    if arguments.profile:
        profile(arguments)
    result = {
        "benchmark": "server",
        "commit": subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_average": os.getloadavg()[0],
        "arguments": forwarded,
        "rows": rows,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(result))


def row(level: int, engine: dict[str, Any], whole: dict[str, Any], streamed: dict[str, Any]) -> dict[str, Any]:
    """One line of the table; costs are shares of the engine's throughput that the server takes."""
    own, own_streamed = engine["whole"]["levels"][str(level)], engine["streamed"]["levels"][str(level)]
    served, sent = whole["levels"][level], streamed["levels"][level]
    return {
        "concurrency": level,
        "engine_per_s": own["requests_per_s"],
        "engine_streamed_per_s": own_streamed["requests_per_s"],
        "server_per_s": served["requests_per_s"],
        "streamed_per_s": sent["requests_per_s"],
        "server_cost": 1 - served["requests_per_s"] / own["requests_per_s"],
        "streamed_cost": 1 - sent["requests_per_s"] / own_streamed["requests_per_s"],
        "streamed_cost_of_whole": 1 - sent["requests_per_s"] / own["requests_per_s"],
        "engine_ms": own["latency_ms"],
        "server_ms": served["latency_ms"],
        "added_ms": served["latency_ms"] - own["latency_ms"],
        "client_cpu_ms": served["own_cpu_ms_per_request"],
        "streamed_client_cpu_ms": sent["own_cpu_ms_per_request"],
    }


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def profile(arguments: argparse.Namespace) -> None:
    """Where the server's process spends its time at the largest concurrency."""
    path = Path("server-profile.txt")
    largest = argparse.Namespace(**{**vars(arguments), "concurrency": [max(arguments.concurrency)], "repeats": 2})
    with server(arguments, path) as (port, _):
        uvloop.run(run_client(port, largest, stream=True))
    print(path.read_text())
    path.unlink()


if __name__ == "__main__":
    main()
