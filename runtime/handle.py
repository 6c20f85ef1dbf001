"""A submitted request as its client sees it: events to iterate over, a result to wait for, a way to end it."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from slipform.runtime.request import Event, RequestFailed, RequestFinished

OnEvent = Callable[[Event], None]
_TERMINAL = (RequestFinished, RequestFailed)
Waker = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class RequestHandle:
    """The events of one request on their way to one consumer: plain or `async` iteration, or only the result.

    Events wait here for as long as the consumer likes: the engine never waits for it. Their number is bounded by the
    request itself (`n` times `max_tokens` of its fills), so a slow consumer costs only that much memory.
    Only someone who iterates is woken for each event; `result` sleeps until the terminal one.
    """

    def __init__(self, request_id: str, abort: Callable[[str], None], on_event: OnEvent | None = None) -> None:
        self.request_id = request_id
        self._abort = abort
        self._on_event = on_event
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._terminal: RequestFinished | RequestFailed | None = None
        self._num_iterating = 0
        self._wakers: list[Waker] = []

    @property
    def is_done(self) -> bool:
        """Whether the terminal event has come."""
        return self._terminal is not None

    def abort(self) -> None:
        """End the request; its terminal event says `RequestAborted` unless it was over already."""
        self._abort(self.request_id)

    def result(self, timeout: float | None = None) -> RequestFinished:
        """Wait for the end, at most `timeout` seconds. Raises: the request's error; TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._terminal is not None, timeout):
                raise TimeoutError(f"request {self.request_id} is not done after {timeout} s")
        return self._outcome()

    async def wait(self) -> RequestFinished:
        """`result` for coroutines."""
        while (waker := self._waker(lambda: self._terminal is None)) is not None:
            await waker
        return self._outcome()

    def __iter__(self) -> Iterator[Event]:
        """Every event from the first on, the terminal one last. One consumer; each event comes once."""
        while True:
            with self._changed:
                self._num_iterating += 1
                self._changed.wait_for(lambda: self._events or self._terminal is not None)
                self._num_iterating -= 1
                if not self._events:
                    return
                event = self._events.popleft()
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while (waker := self._waker(lambda: not self._events and self._terminal is None)) is not None:
                await waker
            with self._changed:
                if not self._events:
                    return
                event = self._events.popleft()
            yield event

    def deliver(self, event: Event) -> None:
        """Take an event over and wake who waits for it. Called in order; exceptions of `on_event` come out."""
        wakers: list[Waker] = []
        try:
            self.take(event, wakers)
        finally:
            wake(wakers)

    def take(self, event: Event, wakers: "list[Waker]") -> None:
        """`deliver`, but for coroutines that wait: they are put behind `wakers`, for `wake`."""
        if self._on_event is not None and not isinstance(event, _TERMINAL):
            self._on_event(event)  # nobody waits for anything but the end
            return
        with self._changed:
            if self._on_event is None:
                self._events.append(event)
            if isinstance(event, _TERMINAL):
                self._terminal = event
            if self._terminal is not None or self._num_iterating:
                self._changed.notify_all()
            wakers += self._wakers
            self._wakers.clear()
        if self._on_event is not None:
            self._on_event(event)

    def _waker(self, must_wait: Callable[[], bool]) -> "asyncio.Future[None] | None":
        """A future that the next event completes, or None if there is nothing to wait for."""
        loop = asyncio.get_running_loop()
        with self._changed:
            if not must_wait():
                return None
            waker: asyncio.Future[None] = loop.create_future()
            self._wakers.append((loop, waker))
            return waker

    def _outcome(self) -> RequestFinished:
        if isinstance(self._terminal, RequestFailed):
            raise self._terminal.error
        assert self._terminal is not None
        return self._terminal


def wake(wakers: Iterable[Waker]) -> None:
    """Complete futures of any event loops, from any thread: one message to each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for loop, waker in wakers:
        by_loop.setdefault(loop, []).append(waker)
    for loop, futures in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_complete, futures)


def _complete(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
