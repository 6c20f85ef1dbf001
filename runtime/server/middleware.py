"""What happens to every HTTP request before its route: who it is from, whether it may come in, and its whole body."""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipform.runtime.server.auth import Scope as AccessScope
from slipform.runtime.server.http_errors import ApiError
from slipform.runtime.server.services import Services

REQUEST_ID_HEADER = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

# In the scope: the server's own `send`, for parts of a body. Every layer between looks at an answer's start only, and
# passing on each part of each stream would cost as much as making it.
DIRECT_SEND = "slipform.send"

# Answered to everyone: whether the process lives.
OPEN_ROUTES = frozenset({"/health"})
# Routes that need another scope than "infer". Any path, known or not, needs a key.
ROUTE_SCOPES: Mapping[str, AccessScope] = {
    "/metrics": "metrics",
    "/dashboard": "metrics",
    "/ready": "metrics",
    "/abort_request": "infer",
    "/ping": "metrics",
    "/load": "metrics",
    "/flush_cache": "admin",
    "/reset_prefix_cache": "admin",
}
# Routes that answer also while the server goes down.
_ALWAYS_SERVED = frozenset({"/health", "/ready", "/ping", "/metrics", "/load", "/abort_request"})


class Gate:
    """Pure ASGI: the outermost layer of the application.

    It gives each request an id, checks the Host header, the key and its scope, refuses work while the server drains,
    and reads the body within its bounds of size and time. What it refuses never reaches a route.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope["slipform.request_id"] = request_id
        scope[DIRECT_SEND] = send
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            self._admit(scope, headers)
            if scope["method"] in ("POST", "PUT", "PATCH"):
                receive = _replay(await self._read_body(headers, receive), receive)
        except ApiError as error:
            # The rest of an unread body must not be taken for the next request.
            await error.response({"connection": "close"})(scope, receive, send_with_id)
        else:
            await self._app(scope, receive, send_with_id)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", None) or "unmatched"
            seconds = time.monotonic() - began_s
            # The answer goes out first: what was written is sent when the event loop comes round.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._services.observer.answered, path, status or 499, seconds)

    def _admit(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        settings = self._services.settings
        if settings.allowed_hosts and _host_name(headers.get("host", "")) not in settings.allowed_hosts:
            raise ApiError(403, "this server does not answer to that Host header", code="host_not_allowed")
        if path not in OPEN_ROUTES:
            identity = self._services.keys.identify(headers.get("authorization"))
            if identity is None:
                raise ApiError(401, "a valid API key is needed: Authorization: Bearer KEY", code="invalid_api_key")
            needed = ROUTE_SCOPES.get(path, "infer")
            if not identity.may(needed):
                raise ApiError(403, f"this key lacks the scope {needed!r}", code="insufficient_scope")
            scope["slipform.identity"] = identity
        if self._services.draining and path not in _ALWAYS_SERVED:
            raise ApiError(503, "the server is going down", code="draining", retry_after_s=5)

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes:
        settings = self._services.settings
        limit = settings.bounds.body_bytes
        too_large = ApiError(413, f"the body is larger than {limit} bytes", code="body_too_large")
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > limit:
            raise too_large
        chunks: list[bytes] = []
        length = 0
        try:
            async with asyncio.timeout(settings.body_timeout_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ApiError(499, "the client closed the connection", code="client_closed_request")
                    chunks.append(message.get("body", b""))
                    length += len(chunks[-1])
                    if length > limit:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError as error:
            text = f"the body did not come within {settings.body_timeout_s:g} s"
            raise ApiError(408, text, code="body_timeout") from error


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body as one message, then whatever comes."""
    is_read = False

    async def receive_again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _host_name(host: str) -> str:
    """The name of a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[").lower()
    return host.partition(":")[0].lower()
