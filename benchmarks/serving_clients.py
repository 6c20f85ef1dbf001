"""Clients that put a workload through an engine, in this process or over HTTP, and say how long everything took."""

import asyncio
import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jsonschema
from serving_workloads import Workload

from slipform.grammars.spec import JsonSchema, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.request import Event, Fill, GenerateRequest, RequestFailed, RequestFinished, TokenIds


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds and tokens of one request.

    Attributes:
        per_token_s: None for a single token.
        queue_s: until it was admitted, its constraint compiled; None where a client cannot know.
    """

    first_s: float
    per_token_s: float | None
    num_tokens: int
    num_sampled: int
    queue_s: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One workload, once."""

    seconds: float
    outcomes: list[Outcome]
    steps: int
    times: dict[str, float]

    @property
    def tokens_per_s(self) -> float:
        return sum(o.num_tokens for o in self.outcomes) / self.seconds

    @property
    def requests_per_s(self) -> float:
        return len(self.outcomes) / self.seconds

    @property
    def ms_per_token(self) -> float:
        return 1e3 * statistics.median(o.per_token_s for o in self.outcomes if o.per_token_s is not None)

    @property
    def first_ms(self) -> float:
        return 1e3 * statistics.median(o.first_s for o in self.outcomes)

    @property
    def first_p99_ms(self) -> float:
        ordered = sorted(o.first_s for o in self.outcomes)
        return 1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


class Client(Protocol):
    """`has_options`: whether requests may say all that a `Fill` can, `jump_forward` for one."""

    has_options: bool

    def run(self, workload: Workload) -> Run:
        """Submit the requests as the workload says, and wait for the last end. Raises what a request failed with."""


class EngineClient:
    """Submits a workload to an engine of this process and waits for its end.

    The next request of a closed loop goes out as one ends.
    """

    has_options = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, workload: Workload) -> Run:
        waiting: Iterator[GenerateRequest] = iter(workload.requests)
        outcomes: list[Outcome] = []
        failures: list[Exception] = []
        left = len(workload.requests)
        done = threading.Event()
        lock = threading.Lock()
        specs = {request.request_id: request for request in workload.requests}
        texts: list[tuple[GenerateRequest, str]] = []

        def submit_next() -> None:
            with lock:
                request = next(waiting, None)
            if request is not None:
                self._engine.submit(request, on_event)

        def on_event(event: Event) -> None:
            nonlocal left
            if isinstance(event, RequestFailed):
                failures.append(event.error)
            elif isinstance(event, RequestFinished):
                fill = event.sequences[0].fills[0]
                times = event.times
                count = len(fill.token_ids)
                per_token = (times.total_s - times.first_token_s) / (count - 1) if count > 1 else None
                outcomes.append(Outcome(times.first_token_s, per_token, count, fill.num_sampled, times.queue_s))
                if fill.finish_reason == "stop":
                    texts.append((specs[event.request_id], fill.text))
            else:
                return
            left -= 1
            if left == 0:
                done.set()
            elif workload.concurrency is not None:
                submit_next()

        before = self._engine.statistics()
        began = time.perf_counter()
        for _ in range(workload.concurrency or len(workload.requests)):
            submit_next()
        if not done.wait(600):
            raise SystemExit(f"{workload.name} did not end")
        seconds = time.perf_counter() - began
        if failures:
            raise failures[0]
        for request, text in texts:
            check_output(request, text)
        after = self._engine.statistics()
        names = ("plan_s", "batch_s", "forward_s", "mask_s", "sample_s", "commit_s")
        times = {name: getattr(after, name) - getattr(before, name) for name in names}
        return Run(seconds, outcomes, after.steps - before.steps, times)


class HttpClient:
    """Streams a workload from a server over /v1/completions; what arrives is looked at when all is over."""

    has_options = False

    def __init__(self, port: int) -> None:
        self._port = port

    def run(self, workload: Workload) -> Run:
        """See `Client`."""
        answers, seconds = asyncio.run(self._run(workload))
        outcomes = []
        for request, (first_s, total_s, body) in zip(workload.requests, answers, strict=True):
            text, reason, count = _read_stream(body)
            if reason == "stop":
                check_output(request, text)
            per_token = (total_s - first_s) / (count - 1) if count > 1 else None
            outcomes.append(Outcome(first_s, per_token, count, 0))
        return Run(seconds, outcomes, 0, {})

    async def _run(self, workload: Workload) -> tuple[list[tuple[float, float, bytes]], float]:
        bodies = [json.dumps(_completion_body(request)).encode() for request in workload.requests]
        answers: list[tuple[float, float, bytes]] = [(0.0, 0.0, b"")] * len(bodies)
        numbers = iter(range(len(bodies)))

        async def worker() -> None:
            connection = await asyncio.open_connection("127.0.0.1", self._port)
            for number in numbers:
                answers[number] = await _stream(*connection, bodies[number])
            connection[1].close()

        began = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(workload.concurrency or len(bodies))))
        return answers, time.perf_counter() - began


async def _stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
) -> tuple[float, float, bytes]:
    """Seconds until the first event and until the end, and the whole answer."""
    began = time.perf_counter()
    headers = f"host: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(f"POST /v1/completions HTTP/1.1\r\n{headers}".encode() + body)
    status = await reader.readuntil(b"\r\n\r\n")
    if not status.startswith(b"HTTP/1.1 200"):
        raise SystemExit((status + await reader.read(2000)).decode())
    parts: list[bytes] = []
    first_s = 0.0
    while not b"".join(parts[-2:]).endswith(b"\r\n0\r\n\r\n"):
        parts.append(await reader.read(1 << 16))
        if not parts[-1]:
            raise SystemExit("the server closed a stream")
        first_s = first_s or time.perf_counter() - began
    return first_s, time.perf_counter() - began, b"".join(parts)


def _completion_body(request: GenerateRequest) -> dict[str, Any]:
    prompt, fill = request.segments
    assert isinstance(prompt, TokenIds)
    assert isinstance(fill, Fill)
    sampling = fill.sampling
    body: dict[str, Any] = {
        "prompt": list(prompt.ids), "max_tokens": sampling.max_tokens, "temperature": sampling.temperature,
        "ignore_eos": sampling.ignore_eos, "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    spec = fill.constraint
    if isinstance(spec, JsonSchema):
        compact = spec.whitespace == "compact"
        body["structured_outputs"] = {"json": json.loads(spec.schema), "disable_any_whitespace": compact}
    elif isinstance(spec, Regex):
        body["structured_outputs"] = {"regex": spec.pattern}
    return body


def _read_stream(body: bytes) -> tuple[str, str, int]:
    """The text of a streamed answer, why it ended, and how many tokens it has."""
    text, reason, count = "", "", 0
    for line in body.split(b"\n"):
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise SystemExit(str(event["error"]))
        for choice in event["choices"]:
            text += choice["text"]
            reason = choice["finish_reason"] or reason
        count = (event.get("usage") or {}).get("completion_tokens", count)
    return text, reason, count


@contextlib.contextmanager
def running_server(checkpoint: Path, engine_options: Mapping[str, Any]) -> Iterator[int]:
    """A server of its own process on a free port, ready when the block begins."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, str(checkpoint), str(port), json.dumps(dict(engine_options))])
    try:
        asyncio.run(wait_ready(port, process))
        yield port
    finally:
        process.terminate()
        process.wait(60)


async def wait_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when a server that was started is ready. Raises: SystemExit if it ends or never is."""
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            status = await reader.readuntil(b"\r\n")
            writer.close()
            if b" 200 " in status:
                return
        await asyncio.sleep(0.2)
    raise SystemExit("the server did not become ready")


def check_output(request: GenerateRequest, text: str) -> None:
    """Raises: ValueError where a finished text does not satisfy its constraint."""
    fill = request.segments[-1]
    assert isinstance(fill, Fill)
    spec = fill.constraint
    if isinstance(spec, JsonSchema):
        jsonschema.validate(json.loads(text), json.loads(spec.schema))
    elif isinstance(spec, Regex) and re.fullmatch(spec.pattern, text) is None:
        raise ValueError(f"{text!r} does not match {spec.pattern!r}")


def _serve(checkpoint: Path, port: int, engine_options: Mapping[str, Any]) -> None:
    from slipform.runtime.server.observers import observers_for
    from slipform.runtime.server.serve import serve
    from slipform.runtime.server.settings import ServerSettings

    settings = ServerSettings(port=port)
    serve(checkpoint, settings, engine_options, observer=observers_for(settings), log_level="warning")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
