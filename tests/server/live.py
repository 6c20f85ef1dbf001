"""A server on a free port of this machine, with the embedded model in an engine process of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from slipform.runtime.server.app import create_app
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.observer import Observer
from slipform.runtime.server.serve import DrainingServer, uvicorn_config
from slipform.runtime.server.settings import ServerSettings

ENGINE_OPTIONS = {"pool_slots": 8192, "max_sequences": 16, "seed": 0, "warm_up": False, "threads": 2}
_START_TIMEOUT_S = 280.0


@dataclass(frozen=True, slots=True)
class LiveServer:
    """Attributes:
    url: without a path. model: the name to ask for.
    """

    url: str
    model: str
    app: Any

    @property
    def v1(self) -> str:
        return f"{self.url}/v1"


@contextmanager
def live_server(
    settings: ServerSettings | None = None,
    *,
    keys: ApiKeys | None = None,
    observer: Observer | None = None,
    engine_options: Mapping[str, Any] = ENGINE_OPTIONS,
) -> Iterator[LiveServer]:
    """Serves from a thread until the block ends; yields when the engine is ready."""
    settings = settings or ServerSettings()
    app = create_app(EngineClient(ProcessLauncher(None, engine_options)), settings, keys=keys, observer=observer)
    server = DrainingServer(uvicorn_config(app, settings, "warning"), app.state.services)
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    listener = socket.create_server((settings.host, 0))
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(server.serve_with_engine([listener]))
        except BaseException as error:  # shown by the thread that waits for the start
            failure.append(error)

    thread = threading.Thread(target=run, name="live-server", daemon=True)
    thread.start()
    try:
        _wait_until_ready(app.state.services.engine, thread, failure)
        yield LiveServer(f"http://{settings.host}:{listener.getsockname()[1]}", settings.model_name, app)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def _wait_until_ready(engine: EngineClient, thread: threading.Thread, failure: list[BaseException]) -> None:
    waiting = threading.Event()
    for _ in range(int(_START_TIMEOUT_S / 0.05)):
        if engine.state == "ready":
            return
        if not thread.is_alive():
            raise RuntimeError("the server ended before it was ready") from (failure[0] if failure else None)
        waiting.wait(0.05)
    raise TimeoutError(f"no engine after {_START_TIMEOUT_S} s")
