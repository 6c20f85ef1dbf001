"""The events of one request on their way from the engine's connection to the route that answers it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from slipform.errors import RequestAborted
from slipform.runtime.request import Event, GenerateRequest, RequestFailed, RequestFinished, TextDelta

# What an event costs beside its text.
_EVENT_BYTES = 64


class Wakeup:
    """Lets one coroutine sleep until something happens. On the event loop only."""

    __slots__ = ("_waiter",)

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the wait, if there is one."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Sleep until `wake` is called."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class EventStream:
    """One request's events, in order, the terminal one last. One consumer, on the event loop.

    What the consumer has not taken waits here, neighbouring texts joined, up to `max_bytes` of text. Beyond that the
    consumer is held to be gone or stuck: the request is aborted and what waits is dropped, so that the next event it
    takes is the terminal one.

    Attributes:
        request: what was asked. is_over: the terminal event has come (it may still wait to be taken).
        wakeup: woken when there is something to take; who reads several streams gives them all the same one.
    """

    def __init__(self, request: GenerateRequest, abort: Callable[[], None], *, max_bytes: int) -> None:
        self.request = request
        self.is_over = False
        self.wakeup = Wakeup()
        self._abort = abort
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._events: deque[Event] = deque()
        self._is_taken = False

    def abort(self) -> None:
        """End the request; its terminal event says `RequestAborted` unless it was over already."""
        if not self.is_over:
            self._abort()

    def deliver(self, event: Event) -> None:
        """Take an event over from the connection. Events behind the terminal one are dropped."""
        if self.is_over:
            return
        if isinstance(event, RequestFinished | RequestFailed):
            self.is_over = True
        last = self._events[-1] if self._events else None
        if isinstance(event, TextDelta):
            self._num_bytes += len(event.text) + (_EVENT_BYTES if event.logprobs else 0)
            if isinstance(last, TextDelta) and _place(last) == _place(event):
                self._events[-1] = _joined(last, event)
            else:
                self._num_bytes += _EVENT_BYTES
                self._events.append(event)
        else:
            self._num_bytes += _EVENT_BYTES
            self._events.append(event)
        if self._num_bytes > self._max_bytes and not self.is_over:
            self.is_over = True
            self._events.clear()
            slow = RequestAborted(event.request_id, "the client reads too slowly")
            self._events.append(RequestFailed(event.request_id, slow))
            self._abort()
        self.wakeup.wake()

    def take(self) -> list[Event]:
        """The events that wait, none of them for longer."""
        events = list(self._events)
        self._events.clear()
        self._num_bytes = 0
        if events:
            self._is_taken = isinstance(events[-1], RequestFinished | RequestFailed)
        return events

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._is_taken:
                raise StopAsyncIteration
            await self.wakeup.wait()
        event = self._events.popleft()
        if isinstance(event, TextDelta):
            self._num_bytes -= len(event.text) + (_EVENT_BYTES if event.logprobs else 0)
        self._num_bytes -= _EVENT_BYTES
        self._is_taken = isinstance(event, RequestFinished | RequestFailed)
        return event

    async def terminal(self) -> RequestFinished:
        """Wait for the end. Raises: the request's error."""
        async for event in self:
            if isinstance(event, RequestFailed):
                raise event.error
            if isinstance(event, RequestFinished):
                return event
        raise AssertionError("a stream ends with its terminal event")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whoever leaves early aborts."""
        self.abort()


def _place(event: TextDelta) -> tuple[int, int]:
    return event.sequence_index, event.fill_index


def _joined(first: TextDelta, second: TextDelta) -> TextDelta:
    return TextDelta(
        first.request_id,
        first.sequence_index,
        first.fill_index,
        first.text + second.text,
        first.token_ids + second.token_ids,
        first.logprobs + second.logprobs,
        second.prompt_len,
        second.seam_len,
    )
