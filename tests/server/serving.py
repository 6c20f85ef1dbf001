"""Servers for tests: an engine over a scripted model on a thread, behind real sockets."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from slipform.runtime.engine import Engine
from slipform.runtime.server.app import create_app
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.engine_host import EngineHost
from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.observer import Observer
from slipform.runtime.server.serve import DrainingServer, resolve, uvicorn_config
from slipform.runtime.server.services import Services
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.tokenizer import Tokenizer
from tests.fakes import EOS, MARK, ScriptedModel, byte_tokenizer, scripted_engine

CHAT_TEMPLATE = (
    "{% for message in messages %}" + MARK + "{{ message.role }}: {{ message.content }}\n" + EOS + "{% endfor %}"
    "{% if add_generation_prompt %}" + MARK + "assistant:{% endif %}"
)


def chat_tokenizer() -> Tokenizer:
    fast = byte_tokenizer()
    fast.chat_template = CHAT_TEMPLATE
    return Tokenizer(fast)


class SlowModel(ScriptedModel):
    """Takes `step_s` seconds a step, so that requests are in flight for as long as a test wants."""

    step_s = 0.01

    def forward(self, batch: Any, pool: Any) -> Any:
        time.sleep(self.step_s)
        return super().forward(batch, pool)


def slow_engine(**options: Any) -> Engine:
    tokenizer = chat_tokenizer()
    model = SlowModel(len(tokenizer.vocabulary), eos_id=tokenizer.eos_ids[0], eos_bias=-100.0)
    return scripted_engine(tokenizer=tokenizer, model=model, **options)


@dataclass(slots=True)
class EngineThread:
    """An engine served from a thread of this process, over the same kind of socket as one in its own process."""

    engine: Engine
    connection: socket.socket
    theirs: socket.socket
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.theirs.shutdown(socket.SHUT_RDWR)
        self._over.set()

    async def ended(self) -> str:
        await self._over.wait()
        return "killed by the test"


class ThreadLauncher:
    """Makes engines with `make`; `launched` has them in order."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self.launched: list[EngineThread] = []

    async def __call__(self) -> EngineThread:
        engine = self._make()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        launched = EngineThread(engine, ours, theirs)
        self.launched.append(launched)

        def host() -> None:
            with theirs, engine:
                EngineHost(engine, theirs).run()

        threading.Thread(target=host, daemon=True).start()
        return launched


@dataclass(slots=True)
class RunningServer:
    """A server on a thread. `call` runs a coroutine function on its event loop."""

    url: str
    client: EngineClient
    services: Services
    server: DrainingServer
    loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def call(self, work: Callable[[], Any]) -> Any:
        async def run() -> Any:
            result = work()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    def wait_idle(self, seconds: float = 20.0) -> None:
        """Wait until nothing is in flight."""
        wait_until(lambda: self.client.num_in_flight == 0, seconds)

    def http(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, **options)


@contextlib.contextmanager
def running(
    launch: ThreadLauncher | ProcessLauncher | Callable[[], Engine],
    settings: ServerSettings | None = None,
    *,
    keys: ApiKeys | None = None,
    observer: Observer | None = None,
    **client_options: Any,
) -> Iterator[RunningServer]:
    """A server that is ready. `launch` may also be a function that makes an engine, which then runs on a thread."""
    settings = resolve(settings or ServerSettings(), has_keys=True)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    launcher = launch if isinstance(launch, ThreadLauncher | ProcessLauncher) else ThreadLauncher(launch)
    started: list[RunningServer] = []

    def run() -> None:
        async def main() -> None:
            started.append(RunningServer(url, client, app.state.services, server, asyncio.get_running_loop()))
            await server.serve_with_engine([listener])

        client = EngineClient(
            launcher,
            max_waiting=settings.max_waiting,
            stream_buffer_bytes=settings.stream_buffer_bytes,
            **client_options,
        )
        app = create_app(client, settings, keys=keys, observer=observer)
        server = DrainingServer(uvicorn_config(app, settings, "error"), app.state.services)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until(lambda: bool(started) and started[0].client.state == "ready", 120)
    try:
        yield started[0]
    finally:
        started[0].server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.005)


def events_of(response: httpx.Response) -> Iterator[str]:
    """The data of each server-sent event; comments are left out."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")
