"""Starting engine processes and connecting to them."""

import asyncio
import hmac
import json
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from slipform.errors import EngineStopped

_CONNECT_TIMEOUT_S = 60.0
_TOKEN_BYTES = 32


class LaunchedEngine(Protocol):
    """An engine that was started, maybe still loading.

    Attributes:
        connection: a connected, non-blocking socket to its `EngineHost`.
    """

    @property
    def connection(self) -> socket.socket: ...

    def kill(self) -> None:
        """End it at once."""

    async def ended(self) -> str:
        """Wait until it has ended; how it did, for people."""


class Launcher(Protocol):
    """Starts an engine; called again after each one that ended."""

    async def __call__(self) -> LaunchedEngine: ...


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """An engine in a process of its own."""

    process: asyncio.subprocess.Process
    connection: socket.socket

    def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()

    async def ended(self) -> str:
        code = await self.process.wait()
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


@dataclass(frozen=True, slots=True)
class ProcessLauncher:
    """Starts `engine_process` with a fresh interpreter.

    Attributes:
        model: checkpoint directory, or None for the embedded model. options: fields of `EngineConfig`.
        loopback: connect by a port of 127.0.0.1, where sockets cannot be inherited, instead of a socket pair.
    """

    model: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    loopback: bool = sys.platform == "win32"
    log_level: str = "WARNING"

    async def __call__(self) -> EngineProcess:
        """Raises: EngineStopped if the process does not connect."""
        start = {
            "model": None if self.model is None else str(self.model),
            "options": dict(self.options),
            "log_level": self.log_level,
        }
        if self.loopback:
            return await self._by_port(start)
        ours, theirs = socket.socketpair()
        with theirs:
            process = await _spawn({**start, "fd": theirs.fileno()}, (theirs.fileno(),))
        ours.setblocking(False)
        return EngineProcess(process, ours)

    async def _by_port(self, start: dict[str, Any]) -> EngineProcess:
        """Whoever knows the token is the engine; the token is said only to the process's standard input."""
        token = secrets.token_bytes(_TOKEN_BYTES)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            process = await _spawn({**start, "port": port, "token": token.hex()}, ())
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    return EngineProcess(process, await _accept(listener, token))
            except BaseException as error:
                await _end(process)
                if isinstance(error, TimeoutError):
                    text = f"the engine process did not connect within {_CONNECT_TIMEOUT_S:g} s"
                    raise EngineStopped(text) from error
                raise


async def _accept(listener: socket.socket, token: bytes) -> socket.socket:
    """The first connection that says the token."""
    while True:
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.setblocking(False)
        if hmac.compare_digest(await _said(connection), token):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection.close()


async def _said(connection: socket.socket) -> bytes:
    """The first bytes that come, as many as a token has; nothing from whoever takes long."""
    loop = asyncio.get_running_loop()
    said = b""
    try:
        async with asyncio.timeout(2.0):
            while len(said) < _TOKEN_BYTES:
                data = await loop.sock_recv(connection, _TOKEN_BYTES - len(said))
                if not data:
                    break
                said += data
    except (TimeoutError, OSError):
        return b""
    return said


async def _spawn(start: Mapping[str, Any], descriptors: tuple[int, ...]) -> asyncio.subprocess.Process:
    # A session of its own: signals of the terminal go to the server alone.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "slipform.runtime.server.engine_process",
        stdin=asyncio.subprocess.PIPE, pass_fds=descriptors, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(start).encode() + b"\n")
    try:
        await process.stdin.drain()
    except BaseException:
        await _end(process)
        raise
    process.stdin.close()
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave no process behind that nobody is connected to."""
    if process.returncode is None:
        process.kill()
    await process.wait()
