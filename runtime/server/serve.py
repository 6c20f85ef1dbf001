"""Running the server: sockets, signals, draining."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import resource
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from slipform.errors import ConfigError
from slipform.runtime.server.app import create_app
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.http_protocol import ConnectionBounds, bounded_protocol
from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.logs import set_up_logs
from slipform.runtime.server.observer import Observer
from slipform.runtime.server.preflight import check_model, check_tls, listen
from slipform.runtime.server.reasoning import choose_reasoning
from slipform.runtime.server.services import Services
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.server.tool_calls.registry import choose_format

_log = logging.getLogger(__name__)

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
# An idle connection is kept for longer than clients' pools keep theirs (5 s in httpx): who closes first while the other
# one sends costs the client a request.
_IDLE_TIMEOUT_S = 30
# Descriptors for everything that is not a client's connection.
_SPARE_DESCRIPTORS = 64


def serve(
    model: Path | None,
    settings: ServerSettings,
    engine_options: Mapping[str, Any],
    *,
    observer: Observer,
    allow_anonymous: bool = False,
    log_level: str = "info",
) -> None:
    """Serve until SIGTERM or Ctrl-C; then let requests in flight finish, at most `drain_timeout_s`.

    Args:
        model: checkpoint directory, or None for the embedded model. engine_options: fields of `EngineConfig`.
        allow_anonymous: listen on other addresses than loopback without any API key.
    Raises: ConfigError for options that cannot be used, and for a model that cannot be loaded.
    """
    set_up_logs(log_level)
    keys = ApiKeys.load(settings.keys_file)
    settings = resolve(settings, has_keys=bool(keys), allow_anonymous=allow_anonymous)
    if model is not None:
        check_model(model, needs_weights=engine_options.get("load_format") != "dummy")
    listeners = listen(settings.host, settings.port)
    engine = EngineClient(
        ProcessLauncher(model, {"trace": False, **engine_options}, log_level=log_level.upper()),
        max_waiting=settings.max_waiting,
        stream_buffer_bytes=settings.stream_buffer_bytes,
        on_restart=observer.engine_restarted,
    )
    app = create_app(engine, settings, keys=keys, observer=observer)
    server = DrainingServer(uvicorn_config(app, settings, log_level), app.state.services)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        failure = runner.run(server.serve_with_engine(listeners))
    if failure is not None:
        raise failure


def resolve(settings: ServerSettings, *, has_keys: bool, allow_anonymous: bool = False) -> ServerSettings:
    """Check the settings against each other and this machine, and fill in what follows from them.

    Raises: ConfigError.
    """
    is_local = _is_loopback(settings.host)
    if not is_local and not has_keys and not allow_anonymous:
        raise ConfigError(
            f"{settings.host} can be reached by others and there is no API key: give some with --keys-file or "
            "SLIPFORM_API_KEYS, or say --allow-anonymous",
            field="host",
        )
    check_tls(settings)
    choose_format(settings.tool_format, None)
    choose_reasoning(settings.reasoning_format, None)
    if is_local and not settings.allowed_hosts:
        settings = replace(settings, allowed_hosts=(*_LOOPBACK_NAMES, settings.host))
    return replace(settings, max_connections=_affordable(settings.max_connections))


def uvicorn_config(app: Any, settings: ServerSettings, log_level: str = "info") -> uvicorn.Config:
    """uvicorn's configuration for an application."""
    bounds = ConnectionBounds(settings.max_connections, settings.header_timeout_s, settings.write_timeout_s)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=bounded_protocol(bounds),
        ws="none",
        # uvicorn says that it has started before there is an engine; `DrainingServer` says when.
        log_level="warning" if log_level.lower() == "info" else log_level.lower(),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_TIMEOUT_S,
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_ca_certs=None if settings.tls_client_ca is None else str(settings.tls_client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if settings.tls_client_ca is None else ssl.CERT_REQUIRED,
    )


class DrainingServer(uvicorn.Server):
    """A server that, told to end, first refuses new work with 503 and lets what is in flight finish.

    A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve_with_engine(self, sockets: list[socket.socket] | None = None) -> ConfigError | None:
        """Serve; returns why the engine can never start, if that is so."""
        failure: list[ConfigError] = []
        self._loop = asyncio.get_running_loop()
        watching = asyncio.create_task(self._watch_engine(failure))
        try:
            await self.serve(sockets)
        finally:
            watching.cancel()
        return failure[0] if failure else None

    async def _watch_engine(self, failure: list[ConfigError]) -> None:
        while not self.started and not self.should_exit:
            await asyncio.sleep(0.01)
        try:
            await self._services.engine.ready()
        except ConfigError as error:
            failure.append(error)
            self.should_exit = True
        else:
            # What exists now stays; without this, garbage collections that look at it all took a tenth of the CPU that
            # streams cost (an Intel Xeon).
            gc.freeze()
            _log.info("the engine is ready: %s", self._services.settings.model_name)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections, and say where."""
        await super().startup(sockets)
        scheme = "https" if self.config.is_ssl else "http"
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            _log.info("listening on %s://%s:%d; the engine is being loaded", scheme, shown, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins to drain, a second one ends the server at once."""
        if self._services.draining or self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self.begin_drain)

    def begin_drain(self) -> None:
        """Refuse new work, and end when what is in flight has finished. Called on the event loop."""
        if not self._services.draining:
            self._services.draining = True
            self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        services = self._services
        _log.info("going down; %d requests are in flight", services.engine.num_in_flight)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(services.settings.drain_timeout_s):
                while services.engine.num_in_flight:
                    await asyncio.sleep(0.02)
        services.engine.end_all("the server went down before the request was over")
        self.should_exit = True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _affordable(connections: int) -> int:
    """Connections that this process has descriptors for, after raising its own limit as far as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return connections if hard == resource.RLIM_INFINITY else max(1, min(connections, hard - _SPARE_DESCRIPTORS))
