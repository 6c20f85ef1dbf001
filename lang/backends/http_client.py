"""HTTP for backends: one event loop on one thread carries any number of requests of a backend. Listeners are called on
a second thread, since they may ask the backend something and wait for the answer.

Errors of servers become Slipform's own: what is wrong with a request is `InvalidRequest`, what goes away by itself is
`CapacityError` after some tries, a server that cannot be reached is `BackendUnreachable`, and one that cannot be
understood is `BackendError`.
"""

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from slipform.errors import (
    BackendError,
    BackendUnreachable,
    CapacityError,
    DeadlineExceeded,
    GrammarError,
    InvalidRequest,
    RequestAborted,
    SlipformError,
)
from slipform.lang.backend import Listener
from slipform.runtime.request import Event, RequestFailed, RequestFinished

_T = TypeVar("_T")
_AGAIN = frozenset({429, 503})  # nothing was accepted, so asking again is safe
_LONGEST_PAUSE_S = 8.0
# An error inside a stream has a type and no status.
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "rate_limit_exceeded": 429,
    "overloaded_error": 503,
    "timeout_error": 504,
}


class HttpClient:
    """Requests to one server. Thread-safe.

    Args:
        base_url: what paths are added to. api_key: sent as a bearer token. headers: sent with every request.
        max_connections: requests on the wire at once; further ones wait.
        timeout_s: longest silence of the server. retries: how often a refusal for lack of room is tried again.
        transport: carries the requests instead of the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 256,
        timeout_s: float = 120.0,
        retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._retries = retries
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slipform-http", daemon=True)
        self._thread.start()
        self.listeners = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slipform-events")
        authorization = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers={**(headers or {}), **authorization},
            timeout=httpx.Timeout(timeout_s, connect=10.0, pool=None),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            transport=transport,
        )

    def start(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Run a coroutine on the loop; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """One request and its JSON answer, waited for. Raises: SlipformError."""
        return self.start(self.fetch(method, path, body)).result()

    async def fetch(self, method: str, path: str, body: Any = None) -> Any:
        """`json` on the loop."""
        async for response in self._responses(method, path, body, stream=False):
            try:
                return response.json() if response.content else None
            except ValueError as error:
                raise BackendError(f"{self.base_url}{path} answered with no JSON") from error
        raise AssertionError("there is a response or an error")

    async def events(self, path: str, body: Any) -> AsyncIterator[Any]:
        """The JSON values of a stream of server-sent events, up to `[DONE]` or the end. Raises: SlipformError."""
        async for response in self._responses("POST", path, body, stream=True):
            try:
                async for line in _lines(response):
                    if not line.startswith("data:"):
                        continue
                    data = line.removeprefix("data:").strip()
                    if data == "[DONE]":
                        return
                    yield _decoded(data, f"{self.base_url}{path}")
            except httpx.HTTPError as error:
                raise BackendUnreachable(f"{self.base_url}{path}: the stream broke off: {error!r}") from error
            finally:
                await response.aclose()

    async def _responses(self, method: str, path: str, body: Any, *, stream: bool) -> AsyncIterator[httpx.Response]:
        """The one successful response, after as many tries as it takes."""
        url = f"{self.base_url}{path}"
        for attempt in range(self._retries + 1):
            request = self._client.build_request(method, url, json=body)
            try:
                response = await self._client.send(request, stream=stream)
                if response.is_success:
                    yield response
                    return
                await response.aread()
            except httpx.ConnectError as error:
                failure: SlipformError = BackendUnreachable(f"{url} cannot be reached: {error}")
                pause_s = 0.0
            except httpx.HTTPError as error:
                raise BackendUnreachable(f"{url}: {error!r}") from error
            else:
                failure = error_of(response)
                pause_s = _seconds(response.headers.get("retry-after"))
                if response.status_code not in _AGAIN:
                    raise failure
            if attempt == self._retries:
                raise failure
            backoff_s = min(0.1 * 2**attempt, _LONGEST_PAUSE_S)
            await asyncio.sleep(max(min(pause_s, _LONGEST_PAUSE_S), backoff_s * random.uniform(0.5, 1.0)))

    def close(self) -> None:
        """Break off what is under way and end the thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.listeners.shutdown(wait=False)  # it still calls the listeners of what was broken off

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()


class HttpCall:
    """A request on the wire: its listener gets events in order, one of them terminal and nothing after it, also where
    the call is aborted or its coroutine fails."""

    def __init__(self, client: HttpClient, request_id: str, listener: Listener) -> None:
        self.request_id = request_id
        self._client = client
        self._listener = listener
        self._future: Future[None] | None = None
        self._lock = threading.Lock()
        self.is_over = False

    def follow(self, future: "Future[None]") -> None:
        """`future` is of the coroutine that delivers the events."""
        self._future = future
        future.add_done_callback(self._check)

    def deliver(self, event: Event) -> None:
        with self._lock:
            if not self.is_over:
                self.is_over = isinstance(event, RequestFinished | RequestFailed)
                self._client.listeners.submit(self._listener, event)

    def abort(self) -> None:
        """Close the connection, which ends the request on the server."""
        if self._future is not None:
            self._future.cancel()
        self.deliver(RequestFailed(self.request_id, RequestAborted(self.request_id)))

    def _check(self, future: "Future[None]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            failure = BackendError(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            self.deliver(RequestFailed(self.request_id, failure))
        elif not self.is_over:
            self.deliver(RequestFailed(self.request_id, RequestAborted(self.request_id)))


def error_of(response: httpx.Response) -> SlipformError:
    """What an answer with an error status means. Its body is read already."""
    return api_error(response.status_code, _error_body(response), str(response.url))


def api_error(status: int, body: Mapping[str, Any], url: str) -> SlipformError:
    """An error in OpenAI's shape as one of ours.

    Args:
        body: the object under `error`: message, param, code.
    """
    message = str(body.get("message") or f"{url} answered {status}")
    param = body.get("param")
    if body.get("code") == "invalid_grammar":
        details = body.get("details") or [{}]
        return GrammarError(str(details[0].get("reason") or message), path=str(details[0].get("pointer") or ""))
    if status in (400, 413, 422):
        field = param if isinstance(param, str) else None
        return InvalidRequest(message.removeprefix(f"{field}: "), field=field)
    if status in _AGAIN:
        return CapacityError(message)
    if status == 504:
        return DeadlineExceeded(url, None, message)
    if status in (408, 502):  # the request did not arrive whole, or what stands before the server could not reach it
        return BackendUnreachable(f"{url} answered {status}: {message}")
    return BackendError(f"{url} answered {status}: {message}")


def _error_body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {"message": response.text[:500]}
    error = body.get("error", body) if isinstance(body, dict) else body
    return error if isinstance(error, dict) else {"message": str(error)}


def _decoded(data: str, url: str) -> Any:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise BackendError(f"{url} streamed what is no JSON: {data[:200]!r}") from error
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        raise api_error(_STATUS_OF_TYPE.get(str(value["error"].get("type")), 500), value["error"], url)
    return value


def _seconds(value: str | None) -> float:
    try:
        return float(value) if value is not None else 0.0
    except ValueError:
        return 0.0


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """The lines of an event stream. `aiter_lines` also splits where Unicode does, which may be within an event."""
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace").removesuffix("\r")
    if rest:
        yield rest.decode("utf-8", "replace")
