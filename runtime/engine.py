"""The engine: `add`, `step`, `abort`, and the one thread that runs them for everyone else."""

import atexit
import gc
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import torch

from slipform.errors import CapacityError, EngineStopped, InvalidRequest, QueueFull, SlipformError
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.config import EngineConfig, resolve
from slipform.runtime.embedder import Embedder, Pooling
from slipform.runtime.engine_core import Arrival, EngineCore
from slipform.runtime.handle import OnEvent, RequestHandle, Waker, wake
from slipform.runtime.models.interface import CausalModel
from slipform.runtime.models.loader import load_model
from slipform.runtime.program import Limits
from slipform.runtime.request import Event, GenerateRequest, RequestFailed, RequestFinished
from slipform.runtime.statistics import EngineStatistics
from slipform.runtime.tokenizer import Tokenizer

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Engine:
    """A model that serves requests.

    Two ways to use it, one at a time. By hand: `add`, `step`, `abort`, all on one thread. Or from any number of
    threads: `submit`; a thread of the engine's own then does the stepping, from the first `submit` (or `start`) until
    `close` or the end of the `with` block.

        with Engine(path) as engine:
            result = engine.submit(GenerateRequest("1", (Text("Hello"), Fill()))).result()

    Attributes:
        config: the resolved options. tokenizer: of the checkpoint.
        on_delivered: if set, called on the engine's own thread behind each step, when its events have been handed over.
            It must be quick and may not raise.
    """

    def __init__(self, model: str | Path | None = None, **options: Any) -> None:
        """Load a checkpoint directory; None is the embedded model. `options` are the fields of `EngineConfig`.

        Raises: ConfigError naming the option, or saying what of the checkpoint cannot be used.
        """
        config = resolve(model, options, cuda=torch.cuda.is_available())
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        device = torch.device(config.device or "cpu")
        weights = _in_passing_thread(
            lambda: load_model(
                config.model,
                dtype=config.torch_dtype,
                device=device,
                load_format=config.load_format,
                deterministic=config.deterministic,
            )
        )
        tokenizer = Tokenizer.from_directory(config.model, eos_ids=weights.config.eos_ids)
        self._set_up(config, weights, tokenizer)

    @classmethod
    def from_parts(cls, config: EngineConfig, model: CausalModel, tokenizer: Tokenizer) -> Self:
        """An engine around a model that is in memory already."""
        engine = cls.__new__(cls)
        engine._set_up(config, model, tokenizer)
        return engine

    def _set_up(self, config: EngineConfig, model: CausalModel, tokenizer: Tokenizer) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self._core = _in_passing_thread(lambda: EngineCore(config, model, tokenizer))
        self._wakeup = threading.Condition()
        self._inbox: deque[Callable[[], None]] = deque()
        self._handles: dict[str, RequestHandle] = {}
        self._num_unseen = 0
        self._thread: threading.Thread | None = None
        self._closing = False
        self._stopped: EngineStopped | None = None
        self.on_delivered: Callable[[], None] | None = None

    # By hand

    def add(self, request: GenerateRequest) -> None:
        """Accept a request; its events come out of later steps.

        Raises: InvalidRequest, PoolExhausted, QueueFull: it is refused.
        """
        self._refuse_if_threaded()
        self._core.add(self._core.receive(self._core.prepare(request)))

    def step(self) -> list[Event]:
        """Compute one batch; returns what happened since the last step, at most one terminal event a request."""
        self._refuse_if_threaded()
        return self._core.step()

    def abort(self, request_id: str) -> None:
        """End a request; unknown ids and finished requests are left alone."""
        if self._thread is None:
            self._core.abort(request_id)
        else:
            self._send(lambda: self._abort_now(request_id))

    @property
    def has_work(self) -> bool:
        """Whether `step` would do something now."""
        return self._core.has_work

    # By threads

    def submit(self, request: GenerateRequest, on_event: OnEvent | None = None) -> RequestHandle:
        """Accept a request from any thread.

        Args:
            on_event: called on the engine thread with each event, in order, instead of queueing them in the handle; it
                must be quick, and may call `submit` and `abort`. An exception of its own is logged.

        Raises: InvalidRequest, PoolExhausted, QueueFull, EngineStopped: it is refused, and no event will come.
        """
        program = self._core.prepare(request)
        handle = RequestHandle(request.request_id, self.abort, on_event)
        self.start()
        with self._wakeup:
            if self._stopped is not None:
                raise self._refusal()
            if request.request_id in self._handles:
                raise InvalidRequest(f"{request.request_id!r} is in flight already", field="request_id")
            if self._num_unseen + self._core.num_waiting >= self.config.max_queue:
                raise QueueFull(self.config.max_queue)
            self._handles[request.request_id] = handle
            self._num_unseen += 1
            arrival = self._core.receive(program)
            self._inbox.append(lambda: self._add_now(arrival))
            pending = arrival.pending
            if not pending or request.deadline_s is not None:
                self._wakeup.notify()
        # A thread that sleeps is left to sleep while constraints compile: there is nothing to do before, and the two
        # would take turns with the interpreter.
        for compilation in pending:
            compilation.add_done_callback(self._notify)
        return handle

    def start(self) -> Self:
        """Start the engine thread if it is not running. Raises: EngineStopped if it ran and ended."""
        with self._wakeup:
            if self._stopped is not None:
                raise self._refusal()
            if self._thread is None:
                # What exists now stays: without this, each full collection of garbage looks at it all again, and stops
                # the engine for a quarter of a second (a tokenizer of 131k tokens, an Intel Xeon).
                gc.freeze()
                self._thread = threading.Thread(target=self._run, name="slipform-engine", daemon=True)
                self._thread.start()
                # A daemon thread that computes while the interpreter goes down can crash it.
                reference = weakref.ref(self)
                atexit.register(lambda: (engine := reference()) is not None and engine.close())
        return self

    def close(self) -> None:
        """Stop. Requests in flight end with EngineStopped; later ones are refused with it."""
        with self._wakeup:
            self._closing = True
            thread = self._thread
            self._wakeup.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if thread is None:
            self._stop(EngineStopped("the engine was closed"))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Either way

    @property
    def limits(self) -> Limits:
        """What one request may ask for."""
        return self._core.limits

    def compile(self, spec: GrammarSpec) -> "Future[CompiledGrammar]":
        """Compile a constraint ahead of its first use; the future's exception is the GrammarError, if any."""
        return self._core.compile(spec)

    def statistics(self) -> EngineStatistics:
        """What the engine has done and holds."""
        return self._ask(self._core.statistics)

    def pin(self, token_ids: Sequence[int], *, namespace: str = "") -> tuple[int, int]:
        """Keep the cached prefix of `token_ids` from eviction, until `unpin` or until running requests need its room.

        Returns: a number for `unpin`, and how many tokens are kept; only what is cached already can be.
        """
        return self._ask(lambda: self._core.pin(token_ids, namespace))

    def unpin(self, pin: int) -> None:
        """End a pin."""
        self._ask(lambda: self._core.unpin(pin))

    def embed(self, texts: Sequence[Sequence[int]], pooling: Pooling = "mean") -> list[list[float]]:
        """Vectors of length 1 of texts of token ids, made of the model's states; see `Embedder.embed`.

        Raises: InvalidRequest for a text that is empty or too long, UnsupportedField if the model does not show its
            states, CapacityError if a GPU's memory does not suffice now.
        """
        limit = self.limits.max_context
        for index, text in enumerate(texts):
            if not 0 < len(text) <= limit:
                raise InvalidRequest(f"needs 1 to {limit} tokens, got {len(text)}", field=f"texts[{index}]")
        embedder = Embedder(
            lambda batch, pool: self._ask(lambda: self._core.states(batch, pool)),
            lambda num_slots: self._ask(lambda: self._core.new_pool(num_slots)),
            token_budget=self.config.token_budget,
        )
        try:
            return embedder.embed(texts, pooling)
        except torch.OutOfMemoryError as error:
            raise CapacityError(f"embeddings do not fit the device's memory now: {error}") from error

    def flush_cache(self) -> int:
        """Drop cached prefixes that no running sequence uses; returns how many KV slots became free."""
        return self._ask(self._core.flush_cache)

    def check(self) -> None:
        """Verify that no KV slot is lost or held twice. Raises: AssertionError."""
        self._ask(self._core.check)

    # The engine thread

    def _run(self) -> None:
        try:
            while True:
                with self._wakeup:
                    self._wait_for_work()
                    if self._closing:
                        break
                    commands = list(self._inbox)
                    self._inbox.clear()
                for command in commands:
                    command()
                self._deliver(self._core.step())
        except Exception as error:
            # Any failure of the model or a defect of ours: nothing can be trusted any more, and everyone must learn it.
            _log.exception("the engine failed")
            stopped = EngineStopped(f"the engine failed: {type(error).__name__}: {error}")
            stopped.__cause__ = error
            self._stop(stopped)
        else:
            self._stop(EngineStopped("the engine was closed"))

    def _wait_for_work(self) -> None:
        while not (self._closing or self._inbox or self._core.has_work):
            deadline_s = self._core.next_deadline_s()
            timeout = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
            if not self._wakeup.wait(timeout):
                return

    def _add_now(self, arrival: Arrival) -> None:
        self._num_unseen -= 1
        try:
            self._core.add(arrival)
        except SlipformError as error:
            self._deliver([RequestFailed(arrival.program.request.request_id, error)])

    def _abort_now(self, request_id: str) -> None:
        self._core.abort(request_id)

    def _deliver(self, events: list[Event]) -> None:
        """Hand a step's events over. Coroutines that wait for them are woken together, once for each event loop."""
        wakers: list[Waker] = []
        for event in events:
            if isinstance(event, (RequestFinished, RequestFailed)):
                with self._wakeup:
                    handle = self._handles.pop(event.request_id)
            else:
                handle = self._handles[event.request_id]
            try:
                handle.take(event, wakers)
            except Exception:  # the client's own code: whatever it raises must not stop the engine
                _log.exception("a client's on_event failed on %s", type(event).__name__)
        wake(wakers)
        if self.on_delivered is not None:
            self.on_delivered()

    def _stop(self, stopped: EngineStopped) -> None:
        with self._wakeup:
            self._stopped = stopped
            request_ids = list(self._handles)
            self._inbox.clear()
        self._core.close()
        gc.unfreeze()
        self._deliver([RequestFailed(request_id, stopped) for request_id in request_ids])

    def _send(self, command: Callable[[], None]) -> None:
        with self._wakeup:
            self._inbox.append(command)
            self._wakeup.notify()

    def _notify(self, _: "Future[CompiledGrammar]") -> None:
        with self._wakeup:
            self._wakeup.notify()

    def _ask(self, question: Callable[[], _Result]) -> _Result:
        """Let the thread that owns the state answer."""
        thread = self._thread
        if thread is None or thread is threading.current_thread() or not thread.is_alive():
            return question()
        answer: Future[_Result] = Future()

        def command() -> None:
            try:
                answer.set_result(question())
            except (AssertionError, SlipformError, torch.OutOfMemoryError) as error:
                answer.set_exception(error)

        self._send(command)
        while True:
            try:
                return answer.result(timeout=0.1)
            except TimeoutError:
                if not thread.is_alive() and not answer.done():
                    return question()

    def _refuse_if_threaded(self) -> None:
        if self._thread is not None:
            raise RuntimeError("the engine's own thread is stepping; use submit")

    def _refusal(self) -> EngineStopped:
        assert self._stopped is not None
        refusal = EngineStopped(str(self._stopped))
        refusal.__cause__ = self._stopped.__cause__
        return refusal


def _in_passing_thread(build: Callable[[], _Result]) -> _Result:
    """What `build` returns, computed on a thread that is gone afterwards.

    Each thread that runs parallel tensor code gets an OpenMP team of its own, and keeps it while it lives. With more
    team members than cores, libgomp lets them sleep at every barrier instead of spinning: on two cores a decode step of
    16 sequences took 12 ms instead of 5 while the loading thread's team stood beside the engine thread's.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="slipform-load") as executor:
        return executor.submit(build).result()
