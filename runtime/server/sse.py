"""Server-sent events: answers that are sent while they are made."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from slipform.runtime.server.http_errors import ApiError
from slipform.runtime.server.middleware import DIRECT_SEND
from slipform.runtime.server.services import services_of

DONE = b"data: [DONE]\n\n"
_COMMENT = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode
# What splits lines in Python's and httpx's eyes, though not in those of JSON and of event streams.
_SEPARATORS = {character.encode(): f"\\u{ord(character):04x}".encode() for character in "\x85\u2028\u2029"}


def data(value: Any) -> bytes:
    """One event."""
    return b"data: " + json_line(value) + b"\n\n"


def json_line(value: Any) -> bytes:
    """JSON that is one line to every client."""
    line = _encode(value)
    if not line.isascii():
        for separator, escape in _SEPARATORS.items():
            line = line.replace(separator, escape)
    return line


class ChunkWriter:
    """The chunks of one stream in OpenAI's shape. What they have in common is encoded once."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self._begin = b"data: " + json_line(head)[:-1] + b',"choices":['

    def chunk(self, choice: Mapping[str, Any], **more: Any) -> bytes:
        """An event with one choice. `more`: further fields of the chunk."""
        end = b"]" + b"".join(b',"%b":%b' % (name.encode(), json_line(value)) for name, value in more.items())
        return self._begin + json_line(choice) + end + b"}\n\n"


async def stream_answer(
    request: Request, chunks: AsyncGenerator[bytes, None], headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that sends `chunks`, begun when the first one is there, so that what fails before has its own status.

    When the first one takes longer than the keep-alive pause, the answer begins without it, and errors are events.

    Raises: ApiError as the first chunk does; 499 when the client goes away.
    """
    keep_alive_s = services_of(request).settings.keep_alive_s
    first = asyncio.ensure_future(anext(chunks))
    gone = asyncio.ensure_future(_disconnection(request.receive))
    try:
        await asyncio.wait((first, gone), timeout=keep_alive_s or None, return_when=asyncio.FIRST_COMPLETED)
        if gone.done() and not first.done():
            raise ApiError(499, "the client closed the connection", code="client_closed_request")
        if first.done():
            first.result()
    except BaseException:
        await _cancelled(first)
        await _cancelled(gone)
        await chunks.aclose()
        raise
    return StreamAnswer(first, gone, chunks, keep_alive_s, headers)


class StreamAnswer(Response):
    """Sends chunks as they come, a comment in long silences, and an error event if the rest cannot be made.

    When the client goes away the chunks' generator is closed at once, wherever it waits.

    Args:
        first: the first chunk, maybe still to come. gone: done when the client goes away.
    """

    def __init__(
        self,
        first: "asyncio.Future[bytes]",
        gone: "asyncio.Future[None]",
        chunks: AsyncGenerator[bytes, None],
        keep_alive_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(None, 200, {"cache-control": "no-cache", "x-accel-buffering": "no", **(headers or {})})
        self.headers["content-type"] = "text/event-stream; charset=utf-8"
        del self.headers["content-length"]
        self._first = first
        self._gone = gone
        self._chunks = chunks
        self._keep_alive_s = keep_alive_s
        self._sent_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._send_all(scope, send))
        tasks = (sending, self._gone)
        try:
            while not (await asyncio.wait(tasks, timeout=self._pause_s(), return_when=asyncio.FIRST_COMPLETED))[0]:
                if time.monotonic() - self._sent_s >= self._keep_alive_s:
                    await self._send(send, _COMMENT)
        finally:
            for task in (*tasks, self._first):
                await _cancelled(task)
            await self._chunks.aclose()
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        send_part = scope.get(DIRECT_SEND, send)
        try:
            await self._send(send_part, await self._first)
            async for chunk in self._chunks:
                await self._send(send_part, chunk)
        except ApiError as error:  # an event of its own, since the status has been sent
            await self._send(send, data(error.body()) + DONE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, chunk: bytes) -> None:
        self._sent_s = time.monotonic()
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    def _pause_s(self) -> float | None:
        """Until the next comment is due, if nothing is sent before."""
        if not self._keep_alive_s:
            return None
        return max(0.01, self._sent_s + self._keep_alive_s - time.monotonic())


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancelled(task: "asyncio.Future[Any]") -> None:
    """Cancel, and wait until that has happened; what the task raised is somebody else's to handle."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
