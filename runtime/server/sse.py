"""Server-sent events: answers that are sent while they are made."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from slipform.runtime.server.http_errors import ApiError

DONE = b"data: [DONE]\n\n"
_COMMENT = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode


def data(value: Any) -> bytes:
    """One event."""
    return b"data: " + _encode(value) + b"\n\n"


async def stream_answer(
    chunks: AsyncGenerator[bytes, None], *, keep_alive_s: float, headers: Mapping[str, str] | None = None
) -> "StreamAnswer":
    """An answer that sends `chunks`, begun only when the first one is there: what fails before that has its own status.

    Raises: ApiError as the first chunk does.
    """
    first = await anext(chunks)
    return StreamAnswer(first, chunks, keep_alive_s, headers)


class StreamAnswer(Response):
    """Sends chunks as they come, a comment in long silences, and an error event if the rest cannot be made.

    When the client goes away the chunks' generator is closed at once, wherever it waits.
    """

    def __init__(
        self,
        first: bytes,
        chunks: AsyncGenerator[bytes, None],
        keep_alive_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(None, 200, {"cache-control": "no-cache", "x-accel-buffering": "no", **(headers or {})})
        self.headers["content-type"] = "text/event-stream; charset=utf-8"
        del self.headers["content-length"]
        self._first = first
        self._chunks = chunks
        self._keep_alive_s = keep_alive_s
        self._sent_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.ensure_future(self._send_all(send)), asyncio.ensure_future(_disconnection(receive))]
        if self._keep_alive_s > 0:
            tasks.append(asyncio.ensure_future(self._keep_alive(send)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._chunks.aclose()
        if tasks[0].done() and not tasks[0].cancelled():
            tasks[0].result()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._send(send, self._first)
        async for chunk in _with_errors(self._chunks):
            await self._send(send, chunk)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, chunk: bytes) -> None:
        self._sent_s = asyncio.get_running_loop().time()
        message: Message = {"type": "http.response.body", "body": chunk, "more_body": True}
        await send(message)

    async def _keep_alive(self, send: Send) -> None:
        now = asyncio.get_running_loop().time
        self._sent_s = now()
        while True:
            await asyncio.sleep(max(0.01, self._sent_s + self._keep_alive_s - now()))
            if now() - self._sent_s >= self._keep_alive_s:
                await self._send(send, _COMMENT)


async def _with_errors(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks; an error ends them as an event of its own, since the status has been sent."""
    try:
        async for chunk in chunks:
            yield chunk
    except ApiError as error:
        yield data(error.body())
        yield DONE


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
