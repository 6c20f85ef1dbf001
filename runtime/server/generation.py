"""One call of a generation route, from the engine's acceptance to the last event, and what observers hear of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Self

from starlette.requests import Request

from slipform.errors import RequestAborted, SlipformError
from slipform.runtime.request import Event, GenerateRequest, RequestFailed, RequestFinished, TextDelta
from slipform.runtime.server.http_errors import ApiError, as_api_error
from slipform.runtime.server.observer import Arrival, Observer
from slipform.runtime.server.services import identity_of, request_id_of, services_of
from slipform.runtime.server.streams import EventStream, Wakeup


class Generation:
    """The engine requests of one call, one for each prompt. Use it as an async context: leaving early aborts them."""

    def __init__(self, parts: "Sequence[_Part]") -> None:
        self._parts = parts
        self._wakeup = Wakeup()
        self._gone: asyncio.Future[None] | None = None
        for part in parts:
            part.stream.wakeup = self._wakeup

    @classmethod
    def start(
        cls,
        http_request: Request,
        requests: Sequence[GenerateRequest],
        *,
        stream: bool,
        max_tokens: int | None = None,
        constraint: str | None = None,
        program: str | None = None,
        terms: Mapping[str, str] | None = None,
    ) -> Self:
        """Hand the requests to the engine.

        Args:
            stream: whether events other than the terminal ones are wanted.
            max_tokens, constraint, program: as the client asked; for observers.
            terms: the route's own names of fields, as for `ApiError.in_terms`.
        Raises: ApiError: 429 with Retry-After if they are too many for now, 503 if there is no engine.
        """
        services = services_of(http_request)
        parts: list[_Part] = []
        try:
            for request in requests:
                arrival = Arrival(
                    request_id=request_id_of(http_request),
                    route=http_request.scope["route"].path,
                    client=identity_of(http_request).name,
                    n=request.n,
                    max_tokens=max_tokens,
                    constraint=constraint,
                    program=program,
                    stream=stream,
                    began_s=time.monotonic(),
                    began_ns=time.time_ns(),
                    trace_context=http_request.headers.get("traceparent"),
                )
                part = _Part(services.engine.submit(request, stream=stream), arrival, services.observer, terms or {})
                parts.append(part)
        except SlipformError as error:
            for part in parts:
                part.abort()
            raise as_api_error(error, retry_after_s=services.engine.retry_after_s) from error
        return cls(parts)

    def watch(self, http_request: Request) -> None:
        """Let whoever waits for events get ApiError 499 when the client goes away. The request's body has been read."""
        self._gone = asyncio.ensure_future(_disconnection(http_request))
        self._gone.add_done_callback(lambda _: self._wakeup.wake())

    async def results(self) -> list[RequestFinished]:
        """Wait for the ends. Raises: ApiError of the first request found to have failed."""
        finished: dict[int, RequestFinished] = {}
        async for batch in self.batches():
            finished |= {index: event for index, event in batch if isinstance(event, RequestFinished)}
        return [finished[index] for index in range(len(self._parts))]

    async def batches(self) -> AsyncIterator[list[tuple[int, Event]]]:
        """The events of all requests, as many at a time as have come, each with the index of its request.

        Raises: ApiError where a RequestFailed comes, and when a client that is watched goes away.
        """
        num_open = len(self._parts)
        failure: ApiError | None = None
        while num_open:
            batch: list[tuple[int, Event]] = []
            for index, part in enumerate(self._parts):
                for event in part.take():
                    if isinstance(event, RequestFailed):
                        failure = failure or part.failure(event.error)
                        continue
                    num_open -= isinstance(event, RequestFinished)
                    batch.append((index, event))
            if batch:
                yield batch
            if failure is not None:
                raise failure from failure.__cause__
            if not batch:
                if self._gone is not None and self._gone.done():
                    raise ApiError(499, "the client closed the connection", code="client_closed_request")
                await self._wakeup.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._gone is not None:
            self._gone.cancel()
        for part in self._parts:
            part.abort()


class _Part:
    """One engine request of a call; tells the observer of it."""

    def __init__(self, stream: EventStream, arrival: Arrival, observer: Observer, terms: Mapping[str, str]) -> None:
        self.stream = stream
        self._terms = terms
        self._arrival = arrival
        self._observer = observer
        self._last_text_s: float | None = None
        self._is_ended = False
        observer.arrived(arrival)

    def take(self) -> list[Event]:
        """The events that wait."""
        events = self.stream.take()
        for event in events:
            match event:
                case TextDelta(token_ids=ids):
                    self._note_text(len(ids))
                case RequestFailed(error=error):
                    self._end(None, error)
                case RequestFinished():
                    self._end(event, None)
        return events

    def failure(self, error: SlipformError) -> ApiError:
        """How the client is told of it."""
        failure = as_api_error(error).in_terms(self._terms)
        failure.__cause__ = error
        return failure

    def abort(self) -> None:
        self.stream.abort()
        self._end(None, RequestAborted(self._arrival.request_id))

    def _note_text(self, num_tokens: int) -> None:
        now = time.monotonic()
        if self._last_text_s is None:
            self._observer.first_token(self._arrival, now - self._arrival.began_s)
        elif num_tokens:
            self._observer.next_tokens(self._arrival, now - self._last_text_s, num_tokens)
        self._last_text_s = now

    def _end(self, finished: RequestFinished | None, error: SlipformError | None) -> None:
        if not self._is_ended:
            self._is_ended = True
            seconds = time.monotonic() - self._arrival.began_s
            name = type(error).__name__ if error else None
            # The answer goes out first.
            asyncio.get_running_loop().call_soon(self._observer.ended, self._arrival, seconds, finished, name)


async def _disconnection(http_request: Request) -> None:
    while (await http_request.receive())["type"] != "http.disconnect":
        pass
