"""HTTP connections with bounds: how many there are, how long a header may take, how long nothing may be taken in.

uvicorn bounds none of these. Without them a client can hold connections for ever by sending half a header, or by not
reading what it asked for. Where all connections are taken, a new one takes the place of the one that has been silent
(no whole header yet) for longest, or, where none is silent, of the one that has been idle behind an answer for longest.
So idle clients cannot keep others out, and connections that never ask for anything cannot drive out those that did.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MAX_HEADER_BYTES = 65536
# A connection is silent or idle for at least so long before another one may take its place.
_IDLE_GRACE_S = 1.0
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b"
)
_TOO_MANY = b'{"error":{"message":"too many connections","type":"overloaded_error","param":null,"code":"connections"}}'


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """Bounds of one server's connections.

    Attributes:
        connections: open at a time; more take the place of idle ones, or are answered with 503 and closed.
        header_s: from the first byte of a request (or the connection's opening) to the end of its header.
        write_s: without any progress of a client that has something to read.
    """

    connections: int
    header_s: float
    write_s: float


def bounded_protocol(bounds: ConnectionBounds) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with `bounds`, which hold for all connections of the class together."""
    # Connections without a request, the longest first, and since when: those that never had one, and those between two.
    silent: dict[asyncio.Transport, float] = {}
    idle: dict[asyncio.Transport, float] = {}

    class BoundedProtocol(HttpToolsProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._header_timer: asyncio.TimerHandle | None = None
            self._header_bytes = 0
            self._write_timer: asyncio.TimerHandle | None = None
            self._is_refused = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            if len(self.connections) >= bounds.connections and not self._make_room():
                self._is_refused = True
                transport.write(_REFUSAL % (len(_TOO_MANY), _TOO_MANY))
                transport.close()
                return
            super().connection_made(transport)
            silent[transport] = self.loop.time()
            self._expect_header()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._is_refused:
                return
            silent.pop(self.transport, None)
            idle.pop(self.transport, None)
            self._cancel_timers()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._is_refused:
                return
            is_idle = self.cycle is None or self.cycle.response_complete
            if is_idle:
                if self._header_timer is None:
                    self._expect_header()
                self._header_bytes += len(data)
            super().data_received(data)
            if self._header_timer is not None and self._header_bytes > _MAX_HEADER_BYTES:
                self._end("headers are too large")

        def on_headers_complete(self) -> None:
            silent.pop(self.transport, None)
            idle.pop(self.transport, None)
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None
            super().on_headers_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._watch_writing()

        def resume_writing(self) -> None:
            if self._write_timer is not None:
                self._write_timer.cancel()
                self._write_timer = None
            super().resume_writing()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():  # what is still to be sent must not wait for ever either
                self._watch_writing()
            elif self.cycle is None or self.cycle.response_complete:
                idle[self.transport] = self.loop.time()

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._watch_writing()

        def shutdown(self) -> None:
            super().shutdown()
            if self.transport.is_closing():
                self._watch_writing()

        def _make_room(self) -> bool:
            """End the connection that is silent or else idle for longest, if it is so for long enough."""
            candidates = silent or idle
            oldest = next(iter(candidates), None)
            if oldest is None or self.loop.time() - candidates[oldest] < _IDLE_GRACE_S:
                return False
            del candidates[oldest]
            oldest.abort()
            return True

        def _expect_header(self) -> None:
            self._header_bytes = 0
            self._header_timer = self.loop.call_later(bounds.header_s, self._end, "the header took too long")

        def _watch_writing(self) -> None:
            if self._write_timer is None:
                self._write_timer = self.loop.call_later(bounds.write_s, self._end, "the client takes nothing in")

        def _end(self, reason: str) -> None:
            self.logger.info("connection ended: %s", reason)
            self._cancel_timers()
            self.transport.abort()

        def _cancel_timers(self) -> None:
            for timer in (self._header_timer, self._write_timer):
                if timer is not None:
                    timer.cancel()
            self._header_timer = self._write_timer = None

    return BoundedProtocol
