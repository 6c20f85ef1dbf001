"""What the routes need, made once by `create_app` and found in `request.app.state.services`."""

import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import cast

from starlette.requests import Request

from slipform.errors import EngineStopped
from slipform.runtime.server.auth import ANONYMOUS, ApiKeys, Identity
from slipform.runtime.server.chat_rendering import ChatRenderer
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.frames import EngineInfo
from slipform.runtime.server.http_errors import as_api_error
from slipform.runtime.server.observer import Observer
from slipform.runtime.server.responses_store import ResponseStore
from slipform.runtime.server.settings import ServerSettings


@dataclass(slots=True)
class Services:
    """Shared by all requests.

    Attributes:
        draining: the server is going down and takes no new work. responses: kept ones of /v1/responses.
        num_embedding: requests of /v1/embeddings that wait or are worked on.
        created: seconds since 1970 of its start.
    """

    settings: ServerSettings
    engine: EngineClient
    keys: ApiKeys
    observer: Observer
    draining: bool = False
    responses: ResponseStore = field(default_factory=ResponseStore)
    num_embedding: int = 0
    created: int = field(default_factory=lambda: int(time.time()))
    fingerprint: str = field(default_factory=lambda: f"slipform-{version('slipform')}")
    _renderer: ChatRenderer | None = None
    _renderer_of: EngineInfo | None = None

    @property
    def info(self) -> EngineInfo:
        """What the loaded engine is. Raises: ApiError 503 before the first one is ready."""
        try:
            return self.engine.info
        except EngineStopped as error:
            raise as_api_error(error, retry_after_s=self.engine.retry_after_s) from error

    @property
    def renderer(self) -> ChatRenderer:
        """Renders chats for the loaded model. Raises: ApiError 503 before there is one."""
        info = self.info
        if self._renderer is None or self._renderer_of is not info:
            self._renderer, self._renderer_of = ChatRenderer(info), info
        return self._renderer


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    return cast(Services, request.app.state.services)


def identity_of(request: Request) -> Identity:
    """Who sent the request, as the access check found out."""
    return cast(Identity, request.scope.get("slipform.identity", ANONYMOUS))


def request_id_of(request: Request) -> str:
    """The id under which the request is answered, logged and traced."""
    return cast(str, request.scope["slipform.request_id"])
