"""What HTTP costs when many requests arrive together: first texts and requests a second, in process and over HTTP.

    python benchmarks/bench_arrivals.py --tokenizer DIR [--workloads W3u,W3,W5] [--concurrency 64,256]

There is no GPU and no model: the engine is that of `bench_host.py`, whose device draws random tokens, here in steps
that take as long as those of an 8 B model on an H100, so that the cores are free for the server and the client while it
"computes". The server and the engine run in processes of their own, the client in this one; each one's CPU time is
told. Prompts are token ids, and the run that is measured repeats one before it, so that all of them are cached: nothing
but a step or two stands between a request and its first text.

`DIR` holds a `tokenizer.json`, and an `info.json` with `vocab_size`.
"""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bench_host import WORKLOADS, NullDevice, make_engine, null_device
from common import print_result, print_table
from serving_clients import Client, EngineClient, HttpClient, Run, wait_ready
from torch import Tensor

from slipform.runtime.engine import Engine
from slipform.runtime.server import serve as serving
from slipform.runtime.server.engine_host import EngineHost
from slipform.runtime.server.engine_process import SWITCH_INTERVAL_S
from slipform.runtime.server.launcher import EngineProcess
from slipform.runtime.server.observers import observers_for
from slipform.runtime.server.settings import ServerSettings

# A step of an 8 B model on an H100, roughly: 5.7 ms with one token, 11.5 with 256, 190 with 8,192.
STEP_S, TOKEN_S = 0.0057, 0.0000225
# A step that is launched so long after the end of the one before had been launched ahead of it on a GPU.
_AHEAD_S = 0.006


class TimedDevice(NullDevice):
    """A null device whose steps take time, in which it computes nothing."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._ends_s = 0.0

    def forward(self, size: int, *, shares: bool) -> Tensor:
        """Launch a step; returns when the one before has ended, as the engine then waits for that one's tokens."""
        time.sleep(max(0.0, self._ends_s - time.perf_counter()))
        now = time.perf_counter()
        began = self._ends_s if now - self._ends_s < _AHEAD_S else now
        self._ends_s = began + STEP_S + TOKEN_S * self.sizes[-1]
        return super().forward(size, shares=shares)


@contextmanager
def timed_engine(folder: Path, concurrency: int) -> Iterator[Engine]:
    with null_device(TimedDevice), make_engine(folder, concurrency) as engine:
        yield engine


def run_engine(folder: Path, concurrency: int, descriptor: int) -> None:
    """The engine's process, as `engine_process` but for the device."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with timed_engine(folder, concurrency) as engine:
        EngineHost(engine, socket.socket(fileno=descriptor)).run()


def run_server(folder: Path, concurrency: int, port: int) -> None:
    """The server's process: the real one, which starts this file's engine."""

    async def launch() -> EngineProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            command = _part("engine", folder, concurrency, theirs.fileno())
            process = await asyncio.create_subprocess_exec(*command, pass_fds=(theirs.fileno(),))
        ours.setblocking(False)
        print(process.pid, flush=True)
        return EngineProcess(process, ours)

    settings = ServerSettings(port=port)
    with (
        mock.patch.object(serving, "ProcessLauncher", return_value=launch),
        mock.patch.object(serving, "check_model"),
    ):
        serving.serve(folder, settings, {}, observer=observers_for(settings), log_level="warning")


@contextmanager
def running_server(folder: Path, concurrency: int) -> Iterator[tuple[int, list[int]]]:
    """The port of a server that is ready, and the ids of its process and of its engine's."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(_part("server", folder, concurrency, port), stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        asyncio.run(wait_ready(port, process))
        yield port, [process.pid, int(process.stdout.readline())]
    finally:
        process.terminate()
        process.wait(60)


def _part(name: str, folder: Path, concurrency: int, number: int) -> list[str]:
    return [
        sys.executable, __file__, "--part", name, "--tokenizer", str(folder),
        "--concurrency", str(concurrency), "--number", str(number),
    ]  # fmt: skip


def cpu_s(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(client: Client, name: str, concurrency: int, repeats: int, pids: Sequence[int]) -> dict[str, Any]:
    """Medians over `repeats` runs of the same requests, after one that is not counted. CPU in ms a request, of each
    process."""
    runs: list[Run] = []
    cpu: list[list[float]] = []
    for _ in range(repeats + 1):
        workload = WORKLOADS[name](0, concurrency)
        before = [cpu_s(pid) for pid in pids]
        runs.append(client.run(workload))
        cpu.append([1e3 * (cpu_s(pid) - s) / len(workload.requests) for pid, s in zip(pids, before, strict=True)])

    def median(figure: Callable[[Run], float]) -> float:
        return round(statistics.median(map(figure, runs[1:])), 1)

    return {
        "requests/s": median(lambda run: run.requests_per_s),
        "first ms": median(lambda run: run.first_ms),
        "first p99 ms": median(lambda run: run.first_p99_ms),
        "ms/token": median(lambda run: run.ms_per_token),
        "cpu ms": [round(statistics.median(values), 2) for values in zip(*cpu[1:], strict=True)],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--workloads", default="W3u,W3,W5")
    parser.add_argument("--concurrency", default="64,256")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--part", choices=["engine", "server"], help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.part is not None:
        part = run_engine if options.part == "engine" else run_server
        part(options.tokenizer, int(options.concurrency), options.number)
        os._exit(0)  # an ordinary end lists what the bindings of Triton's compiler leave behind
    figures: dict[str, Any] = {}
    for concurrency in map(int, options.concurrency.split(",")):
        names = options.workloads.split(",")
        with timed_engine(options.tokenizer, concurrency) as engine:
            for name in names:
                label = f"{name} at {concurrency}, in process"
                figures[label] = measure(EngineClient(engine), name, concurrency, options.repeats, [os.getpid()])
        with running_server(options.tokenizer, concurrency) as (port, pids):
            for name in names:
                label = f"{name} at {concurrency}, HTTP"
                processes = [*pids, os.getpid()]
                figures[label] = measure(HttpClient(port), name, concurrency, options.repeats, processes)
    columns = ("requests/s", "first ms", "first p99 ms", "ms/token")
    rows = [
        (label, *(figure[column] for column in columns), " / ".join(map(str, figure["cpu ms"])))
        for label, figure in figures.items()
    ]
    title = "Requests that arrive together, no GPU; CPU of the whole process, or of server / engine / client"
    print_table(title, ("workload", *columns, "CPU ms a request"), rows)
    print_result(figures, vars(options))


if __name__ == "__main__":
    main()
