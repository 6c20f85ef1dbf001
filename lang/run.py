"""One run of a program: its state, and how its body is executed."""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from slipform.errors import ProgramError
from slipform.lang import streams
from slipform.lang.backend import Backend
from slipform.lang.config import global_config
from slipform.lang.ids import RequestIds
from slipform.lang.interpreter import Interpreter
from slipform.lang.options import SamplingOptions
from slipform.lang.session import Seeds, Session
from slipform.lang.state import ProgramState
from slipform.lang.steps import wait_async

if TYPE_CHECKING:
    from slipform.lang.program import Program


class Run:
    """One run of a program: its state, and how its body is executed."""

    def __init__(
        self,
        program: "Program",
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        backend: Backend,
        options: SamplingOptions,
        fuse: bool,
        refused: ProgramError | None = None,
        seeds: Seeds | None = None,
    ) -> None:
        """
        Args:
            refused: what the body fails with instead of running; for arguments that do not fit, `Program.refusal`.
            seeds: of fills, instead of their own.
        """
        self.program = program
        self._refused = refused
        self.args = (*program.bound_args, *args)
        self.kwargs = {**program.bound_kwargs, **kwargs}
        self.session = Session(
            backend,
            program.name,
            ids=RequestIds(program.name),
            fuse=fuse,
            asynchronous=program.is_async,
            num_spec_tokens=program.num_api_spec_tokens or 0,
            trace=options.trace or False,
            seeds=seeds,
        )
        self.options = options
        self.machine = Interpreter(self.session, options)
        self.session.root = self.machine
        self.session.run = self
        self.state = ProgramState(self.machine)

    def body(self) -> None:
        """Run the function. Raises: what it raises; RoleError for a message that it left open."""
        self.session.body_thread = threading.get_ident()
        self._check_refused()
        self.state.result = self.program.func(self.state, *self.args, **self.kwargs)
        self.machine.check_roles()

    async def async_body(self) -> None:
        """Run the coroutine function. Raises: as `body`."""
        self._check_refused()
        self.state.result = await self.program.func(self.state, *self.args, **self.kwargs)
        self.machine.check_roles()

    def _check_refused(self) -> None:
        if self._refused is not None:
            raise self._refused

    def finish(self) -> "Future[Any]":
        """Start everything that is still pending; done when it is."""
        return self.machine.finish()

    def fail(self, error: BaseException) -> None:
        """Keep what ended the run; looks at the state raise it."""
        for machine in self.machine.everything():
            machine.failure = error
        self.session.notify()

    def run(self) -> ProgramState:
        try:
            self.body()
            self.finish().result()
            if global_config.verbosity >= 2:
                print(self.state.text(), file=sys.stderr)
        except BaseException as error:
            self.fail(error)
            self.session.abort()
            raise
        return self.state

    async def arun(self) -> ProgramState:
        try:
            if self.program.is_async:
                await self.async_body()
            else:
                await asyncio.to_thread(self.body)
            await wait_async(self.finish())
            if global_config.verbosity >= 2:
                print(await self.state.atext(), file=sys.stderr)
        except BaseException as error:
            self.fail(error)
            self.session.abort()
            raise
        return self.state

    def run_in_background(self) -> ProgramState:
        """Run on a thread of its own; the state can be read while it grows."""
        self.session.running = True

        def work() -> None:
            try:
                if self.program.is_async:
                    asyncio.run(self.async_body())
                else:
                    self.body()
                self.finish().result()
            except Exception as error:  # kept: whoever reads the stream gets it
                self.fail(error)
            finally:
                self.session.running = False
                self.session.notify()

        threading.Thread(target=work, name=f"slipform-{self.program.name}", daemon=True).start()
        return self.state

    async def run_as_task(self) -> "asyncio.Task[None]":
        """Run as a task of this loop; the state can be read while it grows."""
        self.session.running = True

        async def work() -> None:
            try:
                with suppress(Exception):  # `arun` has kept it in the state; whoever reads the stream gets it
                    await self.arun()
            finally:
                self.session.running = False
                self.session.notify()

        return asyncio.create_task(work())


@asynccontextmanager
async def streaming(run: Run) -> AsyncIterator[None]:
    """The run goes on as a task inside the block, and ends with it."""
    task = await run.run_as_task()
    try:
        yield
    finally:
        if not task.done():
            run.session.abort()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Stream:
    """What a run writes, as it arrives; see `Program.stream`. It is read once, with `for` or with `async for`.

    Attributes:
        state: of the run, which begins with the first piece that is read.
    """

    def __init__(self, run: Run, var: str | None) -> None:
        self.state = run.state
        self._run = run
        self._var = var
        self._iterator: Generator[Any, None, None] | None = None
        self._async_iterator: AsyncGenerator[Any, None] | None = None

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = self._read()
        return next(self._iterator)

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Any:
        if self._async_iterator is None:
            self._async_iterator = self._read_async()
        return await anext(self._async_iterator)

    def close(self) -> None:
        """End the run if it is still going on."""
        if self._iterator is not None:
            self._iterator.close()

    async def aclose(self) -> None:
        """`close` for a stream that is read with `async for`."""
        if self._async_iterator is not None:
            await self._async_iterator.aclose()

    def __del__(self) -> None:
        self.close()

    def _read(self) -> Generator[Any, None, None]:
        self._run.run_in_background()
        try:
            yield from streams.iterate(self._run.machine, self._var, typed=True)
        finally:
            if self._run.session.running:
                self._run.session.abort()

    async def _read_async(self) -> AsyncGenerator[Any, None]:
        async with streaming(self._run):
            async for piece in streams.iterate_async(self._run.machine, self._var, typed=True):
                yield piece
