"""What the server adds to the time of one request at a time.

The engine in a process of its own and one or more servers take turns with the same prompts, a few requests each, for
hundreds of requests: what disturbs the machine for a while disturbs all sides alike. How fast the engine is differs by
milliseconds from one process to the next, by where its memory lies, so each request's own time in the engine (from its
arrival there to its end) is taken off: what is left is the way there and back, in this process through the caller's
thread, over HTTP through the client, the server and the engine's connection.

    python benchmarks/bench_latency.py
    python benchmarks/bench_latency.py --beside ~/slipform-before     # a second server, of another tree of packages
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from bench_server import Connection, prompt

from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text

# Of each prompt: seconds for the caller, and of them in the engine.
Times = list[tuple[float, float]]
Side = Callable[[range], Awaitable[Times]]

_FIRST = 10_000


def run_engine(max_tokens: int) -> None:
    """The engine's process: each line of the standard input names prompts; their times are written as one line."""
    from slipform.runtime.engine import Engine

    sampling = SamplingParams(max_tokens=max_tokens, temperature=0.0, ignore_eos=True)
    with Engine(trace=False) as engine:

        async def times_of(numbers: range) -> Times:
            measured = []
            for number in numbers:
                began = time.perf_counter()
                request = GenerateRequest(f"{number}", (Text(prompt(number)), Fill(None, sampling)), deltas=False)
                finished = await engine.submit(request).wait()
                measured.append((time.perf_counter() - began, finished.times.total_s))
            return measured

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for line in sys.stdin:
                first, count = map(int, line.split())
                print(json.dumps(runner.run(times_of(range(first, first + count)))), flush=True)


async def engine_side(max_tokens: int) -> tuple[Side, subprocess.Popen[str]]:
    """The engine in a process of its own."""
    command = [sys.executable, __file__, "--part", "engine", "--max-tokens", str(max_tokens)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def times_of(numbers: range) -> Times:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{numbers.start} {len(numbers)}\n")
        process.stdin.flush()
        return [(whole, own) for whole, own in json.loads(await asyncio.to_thread(process.stdout.readline))]

    return times_of, process


async def server_side(tree: Path | None, max_tokens: int) -> tuple[Side, subprocess.Popen[bytes]]:
    """A server of this tree, or of the packages in `tree`, and a client with one connection a turn."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name("bench_server.py")), "--part", "server"]
    environment = {**os.environ, **({"PYTHONPATH": str(tree)} if tree is not None else {})}
    process = subprocess.Popen([*command, "--port", str(port)], env=environment)

    sampling = {"max_tokens": max_tokens, "temperature": 0.0, "ignore_eos": True}

    async def times_of(numbers: range) -> Times:
        measured = []
        connection = Connection(port)
        for number in numbers:
            began = time.perf_counter()
            segments = [{"type": "text", "text": prompt(number)}, {"type": "fill", "sampling": sampling}]
            answer = json.loads(await connection.post("/v1/programs", {"segments": segments}))
            measured.append((time.perf_counter() - began, answer["times"]["total_s"]))
        connection.close()
        return measured

    return times_of, process


async def ready(side: Side) -> None:
    """Wait until a side answers."""
    give_up = time.monotonic() + 120
    while True:
        try:
            await side(range(_FIRST - 4, _FIRST))
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.2)


async def compare(arguments: argparse.Namespace) -> dict[str, Times]:
    """The times of each side."""
    sides: dict[str, Side] = {}
    processes: list[subprocess.Popen[Any]] = []
    sides["engine"], engine = await engine_side(arguments.max_tokens)
    processes.append(engine)
    try:
        for tree in (None, *arguments.beside):
            name = "server" if tree is None else f"server of {tree}"
            sides[name], process = await server_side(tree, arguments.max_tokens)
            processes.append(process)
        for side in sides.values():
            await ready(side)
        measured: dict[str, Times] = {name: [] for name in sides}
        began = time.monotonic()
        first = _FIRST
        while time.monotonic() - began < arguments.seconds:
            names = list(sides)
            turn = (first - _FIRST) // arguments.block % len(names)
            for name in names[turn:] + names[:turn]:
                # The first one finds the caches and the other side's idle threads as they were left.
                times = await sides[name](range(first, first + arguments.block + 1))
                measured[name] += times[1:]
            first += arguments.block + 1
        return measured
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0, help="of measuring, all sides together")
    parser.add_argument("--block", type=int, default=8, help="requests of a side before the next side's turn")
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a folder with another slipform/")
    parser.add_argument("--part", choices=["engine"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "engine":
        run_engine(arguments.max_tokens)
        return
    measured = uvloop.run(compare(arguments))
    rows = [row(name, times) for name, times in measured.items()]
    for one in rows:
        one["added_ms"] = one["around_ms"] - rows[0]["around_ms"]
    print(f"{len(measured['engine'])} requests a side, medians in ms; quartiles of the time around the engine")
    for one in rows:
        low, high = one["around_quartiles_ms"]
        print(
            f"{one['side']:<40} latency {one['latency_ms']:7.2f}   in the engine {one['engine_ms']:7.2f}   "
            f"around it {one['around_ms']:5.2f} ({low:.2f} to {high:.2f})   added {one['added_ms']:+.2f}"
        )
    result = {
        "benchmark": "latency",
        "commit": subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_average": os.getloadavg()[0],
        "requests": len(measured["engine"]),
        "rows": rows,
    }
    print(json.dumps(result))


def row(name: str, times: Times) -> dict[str, Any]:
    """The medians of one side, in milliseconds."""
    around = [1e3 * (whole - own) for whole, own in times]
    low, middle, high = statistics.quantiles(around, n=4)
    return {
        "side": name,
        "latency_ms": 1e3 * statistics.median(whole for whole, _ in times),
        "engine_ms": 1e3 * statistics.median(own for _, own in times),
        "around_ms": middle,
        "around_quartiles_ms": [low, high],
    }


if __name__ == "__main__":
    main()
