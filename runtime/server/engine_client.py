"""The server's side of the engine: requests out, events in, and the supervision of the process that computes them.

Every request that `submit` accepts ends in exactly one terminal event, whatever becomes of the engine: when its process
ends, all requests in flight fail, and a new process is started, at first at once and then after growing pauses.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Literal, Self, cast

from slipform.errors import EngineStopped, InvalidRequest, QueueFull, RequestAborted, SlipformError
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.request import (
    Event,
    FillFinished,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    TextDelta,
)
from slipform.runtime.server.frames import (
    Abort,
    Ask,
    Delta,
    EngineInfo,
    Failed,
    Filled,
    Finished,
    FrameReader,
    Hello,
    Refused,
    Reply,
    Submit,
    ToEngine,
    ToServer,
    encode,
)
from slipform.runtime.server.launcher import LaunchedEngine, Launcher
from slipform.runtime.server.streams import EventStream
from slipform.runtime.statistics import EngineStatistics
from slipform.runtime.wire import error_from_plain, request_to_plain, spec_to_plain

_log = logging.getLogger(__name__)

EngineState = Literal["starting", "ready", "restarting", "stopped"]

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
# An engine that ran for so long is restarted without a pause.
_STABLE_S = 60.0


class EngineClient:
    """One engine, kept running. Used on one event loop.

    Attributes:
        state: whether it takes requests. num_restarts: engines that ended without being asked to.
        num_accepted, num_ended: requests since the start; all requests in flight are their difference.
    """

    def __init__(
        self,
        launch: Launcher,
        *,
        max_waiting: int = 512,
        stream_buffer_bytes: int = 2**18,
        heartbeat_s: float = 5.0,
        hang_timeout_s: float = 120.0,
        on_restart: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """
        Args:
            max_waiting: sequences accepted beyond those that the engine runs at once; more are refused.
            stream_buffer_bytes: text that waits for a slow consumer before its request is aborted.
            heartbeat_s: pause between two looks at the engine's statistics; hang_timeout_s: an engine that does not
                answer for so long is killed.
            on_restart: told why, each time an engine ended by itself.
        """
        self.state: EngineState = "starting"
        self.num_restarts = 0
        self.num_accepted = 0
        self.num_ended = 0
        self.last_statistics: EngineStatistics | None = None
        self._launch = launch
        self._max_waiting = max_waiting
        self._stream_buffer_bytes = stream_buffer_bytes
        self._heartbeat_s = heartbeat_s
        self._hang_timeout_s = hang_timeout_s
        self._on_restart = on_restart
        self._info: EngineInfo | None = None
        self._engine: LaunchedEngine | None = None
        self._link: _Link | None = None
        self._streams: dict[int, EventStream] = {}
        self._questions: dict[int, asyncio.Future[Any]] = {}
        self._num_sequences = 0
        self._next_number = 0
        self._mean_request_s = 1.0
        self._began_s: dict[int, float] = {}
        self._supervision: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._refused: SlipformError | None = None

    # Life

    def start(self) -> None:
        """Begin to start the engine; `ready` waits for it."""
        if self._supervision is None:
            self._supervision = asyncio.create_task(self._supervise(), name="slipform-engine")

    async def ready(self) -> None:
        """Wait until the engine takes requests. Raises: ConfigError if it never will, EngineStopped after `close`."""
        while self.state not in ("ready", "stopped"):
            await self._settled.wait()
        if self.state == "stopped":
            raise self._refusal

    async def close(self) -> None:
        """Stop the engine. Requests in flight end with EngineStopped."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait([self._supervision])
        self._enter("stopped")

    def kill(self) -> None:
        """End the engine at once, as a crash would; it is restarted."""
        if self._engine is not None:
            self._engine.kill()

    async def __aenter__(self) -> Self:
        self.start()
        await self.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def info(self) -> EngineInfo:
        """What the engine is, or was while a new one starts. Raises: EngineStopped before the first."""
        if self._info is None:
            raise self._refusal
        return self._info

    @property
    def process_id(self) -> int | None:
        """Of the engine that takes requests now."""
        return self._info.pid if self._info is not None and self.state == "ready" else None

    # Requests

    @property
    def num_in_flight(self) -> int:
        """Requests accepted and not ended."""
        return len(self._streams)

    @property
    def num_sequences(self) -> int:
        """Sequences of the requests in flight."""
        return self._num_sequences

    def submit(self, request: GenerateRequest, *, stream: bool = True) -> EventStream:
        """Accept a request. Its events carry the request's own id; without `stream` only the terminal one comes.

        Raises: EngineStopped while no engine is ready; QueueFull; InvalidRequest for numbers beyond 64 bits. What the
            engine finds wrong comes as an event.
        """
        if self.state != "ready" or self._link is None:
            raise self._refusal
        capacity = self.info.max_sequences + self._max_waiting
        if self._num_sequences + request.n > capacity:
            raise QueueFull(self._max_waiting)
        number = self._new_number()
        try:
            frame = encode([Submit(number, stream, request_to_plain(request))])
        except OverflowError as error:
            raise InvalidRequest("a whole number in it is beyond 64 bits") from error
        events = EventStream(request, lambda: self._send(Abort(number)), max_bytes=self._stream_buffer_bytes)
        self._streams[number] = events
        self._began_s[number] = time.monotonic()
        self._num_sequences += request.n
        self.num_accepted += 1
        self._link.write(frame)
        return events

    def abort(self, request_id: str | None = None, *, salt: str | None = None) -> int:
        """Abort the requests in flight of this id, or all; returns how many.

        Args:
            salt: only those whose cache namespace belongs to this salt; None for all.
        """
        chosen = [
            stream
            for stream in self._streams.values()
            if request_id in (None, stream.request.request_id)
            and (salt is None or stream.request.namespace.partition("/")[0] == salt)
        ]
        for stream in chosen:
            stream.abort()
        return len(chosen)

    def end_all(self, reason: str) -> None:
        """End the requests in flight, as if there were no engine any more."""
        for number in self._streams:
            self._send(Abort(number))
        self._fail_all(EngineStopped(reason))

    @property
    def retry_after_s(self) -> int:
        """Whole seconds after which a refused request has a fair chance."""
        if self.state != "ready":
            return 5
        rounds = self._num_sequences / max(1, self.info.max_sequences)
        return max(1, min(60, round(self._mean_request_s * rounds)))

    # Questions. All raise EngineStopped if the engine is not ready or ends meanwhile.

    async def statistics(self) -> EngineStatistics:
        """What the engine has done and holds."""
        self.last_statistics = EngineStatistics(**await self.ask("statistics"))
        return self.last_statistics

    async def flush_cache(self) -> int:
        """Drop cached prefixes that no running sequence uses; how many KV slots became free."""
        return int(await self.ask("flush_cache"))

    async def check(self) -> None:
        """Verify that no KV slot is lost or held twice. Raises: SlipformError saying what is wrong."""
        await self.ask("check")

    async def compile(self, spec: GrammarSpec) -> int:
        """Compile a constraint; the bytes it takes. Raises: GrammarError."""
        return int(await self.ask("compile", spec_to_plain(spec)))

    async def match(self, spec: GrammarSpec, text: str) -> dict[str, Any]:
        """How far a text matches a constraint, as `engine_host.match_text` says. Raises: GrammarError."""
        return dict(await self.ask("match", [spec_to_plain(spec), text]))

    async def encode(self, text: str, *, parse_special: bool = False, at_start: bool = False) -> list[int]:
        """Token ids of a text."""
        return list(await self.ask("encode", [text, parse_special, at_start]))

    async def decode(self, ids: list[int], *, skip_special_tokens: bool = False) -> str:
        """Text of token ids."""
        return str(await self.ask("decode", [ids, skip_special_tokens]))

    async def ask(self, what: str, argument: Any = None) -> Any:
        """The answer to a question that `EngineHost` knows. Raises: the error with which it is answered."""
        if self.state != "ready" or self._link is None:
            raise self._refusal
        number = self._new_number()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        self._send(Ask(number, what, argument))
        try:
            return await answer
        finally:
            self._questions.pop(number, None)

    # The connection

    def _new_number(self) -> int:
        self._next_number += 1
        return self._next_number

    def _send(self, message: ToEngine) -> None:
        if self._link is not None:
            self._link.write(encode([message]))

    def _receive(self, message: ToServer) -> None:
        match message:
            case Delta():  # first, since there are most of these
                self._deliver(message)
            case Reply(number, value, error):
                answer = self._questions.get(number)
                if answer is not None and not answer.done():
                    if error is None:
                        answer.set_result(value)
                    else:
                        answer.set_exception(error_from_plain(error))
            case Hello(info):
                self._info = info
                self._enter("ready")
            case Refused(error):
                self._refused = error_from_plain(error)
            case _:
                self._deliver(message)

    def _deliver(self, message: Delta | Filled | Finished | Failed) -> None:
        stream = self._streams.get(message.number)
        if stream is None:
            return
        request_id = stream.request.request_id
        event: Event
        match message:
            case Delta(_, sequence, fill, text, ids, logprobs, prompt_len, seam_len):
                event = TextDelta(request_id, sequence, fill, text, ids, logprobs, prompt_len, seam_len)
            case Filled(_, sequence, fill, result, prompt_len):
                event = FillFinished(request_id, sequence, fill, result, prompt_len)
            case Finished(_, result):
                event = RequestFinished(request_id, result.sequences, result.times)
                self._end(message.number)
            case Failed(_, error, sequences):
                event = RequestFailed(request_id, _named(error_from_plain(error), request_id), sequences)
                self._end(message.number)
        stream.deliver(event)

    def _end(self, number: int) -> None:
        stream = self._streams.pop(number)
        self._num_sequences -= stream.request.n
        self.num_ended += 1
        self._mean_request_s += 0.05 * (time.monotonic() - self._began_s.pop(number) - self._mean_request_s)

    # Supervision

    @property
    def _refusal(self) -> SlipformError:
        return self._refused or EngineStopped(f"the engine is {self.state}")

    def _enter(self, state: EngineState) -> None:
        self.state = state
        if state in ("ready", "stopped"):
            self._settled.set()
        else:
            self._settled.clear()

    async def _supervise(self) -> None:
        pause_s = 0.0
        while True:
            began_s = time.monotonic()
            reason = await self._run_engine()
            if self._refused is not None:
                self._enter("stopped")
                return
            self.num_restarts += 1
            self._on_restart(reason)
            was_stable = time.monotonic() - began_s >= _STABLE_S
            pause_s = 0.0 if was_stable else min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * pause_s))
            await asyncio.sleep(pause_s)

    async def _run_engine(self) -> str:
        """Start one engine and serve it until it ends; why it did. Afterwards nothing is in flight."""
        reason = "the server stopped it"
        engine: LaunchedEngine | None = None
        tasks: list[asyncio.Task[str]] = []
        try:
            engine = self._engine = await self._launch()
            link = _Link(self._receive)
            await asyncio.get_running_loop().create_connection(lambda: link, sock=engine.connection)
            self._link = link
            tasks = [asyncio.create_task(watch) for watch in (engine.ended(), link.lost(), self._watch())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            reason = next(task for task in tasks if task in done).result()
            if self._refused is None:
                _log.error("the engine ended: %s; %d requests in flight fail", reason, self.num_in_flight)
        except (OSError, EngineStopped) as error:
            reason = f"it could not be started: {error}"
            _log.error("the engine could not be started: %s", error)
        finally:
            if self.state != "stopped":
                self._enter("restarting")
            if self._link is not None:
                self._link.close()
                self._link = None
            self._fail_all(EngineStopped(f"the engine ended: {reason}"))
            for task in tasks:
                task.cancel()
            self._engine = None
            if engine is not None:
                engine.kill()
                await engine.ended()
        return reason

    async def _watch(self) -> str:
        """Look after the engine; returns when it hangs."""
        while self.state != "ready":
            await self._settled.wait()
        while True:
            try:
                async with asyncio.timeout(self._hang_timeout_s):
                    await self.statistics()
            except TimeoutError:
                return f"no step ended within {self._hang_timeout_s:g} s"
            await asyncio.sleep(self._heartbeat_s)

    def _fail_all(self, error: EngineStopped) -> None:
        for number, stream in list(self._streams.items()):
            self._end(number)
            stream.deliver(RequestFailed(stream.request.request_id, error))
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(error)


def _named(error: SlipformError, request_id: str) -> SlipformError:
    """An error of the engine, which knows requests by numbers, with the request's own id."""
    if isinstance(error, RequestAborted):
        error.request_id = request_id
        error.args = (f"request {request_id}: {error.reason}",)
    return error


class _Link(asyncio.Protocol):
    """The connection to one engine."""

    def __init__(self, receive: Callable[[ToServer], None]) -> None:
        self._receive = receive
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._receive(message)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._lost.done():
            self._lost.set_result(f"its connection closed{f': {error}' if error else ''}")

    async def lost(self) -> str:
        """Wait until the connection is gone; how it went."""
        reason = await self._lost
        # A process that dies closes its connection first; how it died says more.
        await asyncio.sleep(0.5)
        return reason

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
