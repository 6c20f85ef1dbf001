"""Running a program over many rows: bounded, in order, and with each row's failure kept to itself."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from slipform.errors import ProgramError
from slipform.lang.state import ProgramState
from slipform.lang.steps import new_future, wait_async

if TYPE_CHECKING:
    from slipform.lang.run import Run

ROWS_IN_FLIGHT = 128


def concurrency(num_threads: int | Literal["auto"]) -> int:
    """Rows in flight. Raises: ProgramError for anything but "auto" or a positive number."""
    if num_threads == "auto":
        return ROWS_IN_FLIGHT
    if not isinstance(num_threads, int) or num_threads < 1:
        raise ProgramError(f"num_threads={num_threads!r} must be 'auto' or at least 1", primitive="run_batch")
    return num_threads


def check_rows(rows: Sequence[Any], program: str) -> list[Mapping[str, Any] | Sequence[Any]]:
    """The rows as a list. Raises: ProgramError naming the first row that is neither a dict nor a tuple of arguments."""
    checked = list(rows)
    for index, row in enumerate(checked):
        if not isinstance(row, (Mapping, list, tuple)):
            raise ProgramError(
                f"row {index} is {row!r}; a row is a dict of arguments or a tuple of them",
                program=program,
                primitive="run_batch",
            )
    return checked


def iterate(runs: "Iterator[Run]", limit: int) -> Iterator[ProgramState]:
    """Run rows with threads for their bodies; yields states in order.

    A body keeps its thread only while it computes or looks; the rest of a row finishes by itself. At most `limit` rows
    are in flight, and as many again may wait, finished, for an earlier one.
    """
    free = threading.Semaphore(limit)
    window: deque[tuple[Run, Future[None]]] = deque()
    with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="slipform-row") as pool:
        try:
            for run in runs:
                free.acquire()
                window.append((run, _start(run, pool, free)))
                while window and (window[0][1].done() or len(window) >= 2 * limit):
                    yield _finished(*window.popleft())
            while window:
                yield _finished(*window.popleft())
        finally:
            for run, _ in window:
                run.session.abort()


def _start(run: "Run", pool: ThreadPoolExecutor, free: threading.Semaphore) -> "Future[None]":
    """Begin a row; the future is done, without an error, when the row is finished or has failed."""
    over = new_future()

    def end(error: BaseException | None) -> None:
        if error is not None:
            run.fail(error)
        free.release()
        over.set_result(None)

    def after_body(body: "Future[None]") -> None:
        error = body.exception()
        if error is not None:
            run.session.abort()
            end(error)
            return
        run.finish().add_done_callback(lambda rest: end(rest.exception()))

    pool.submit(run.body).add_done_callback(after_body)
    return over


def _finished(run: "Run", over: "Future[None]") -> ProgramState:
    over.result()
    return run.state


async def iterate_async(runs: "Iterator[Run]", limit: int) -> AsyncIterator[ProgramState]:
    """Run rows on the running event loop; yields states in order. Bodies of plain programs use threads."""
    free = asyncio.Semaphore(limit)
    window: deque[tuple[Run, asyncio.Task[None]]] = deque()
    pool: ThreadPoolExecutor | None = None

    async def work(run: "Run") -> None:
        try:
            if run.session.asynchronous:
                await run.async_body()
            else:
                await asyncio.get_running_loop().run_in_executor(pool, run.body)
            await wait_async(run.finish())
        except Exception as error:  # a row's failure is its own: kept in its state
            run.fail(error)
            run.session.abort()
        finally:
            free.release()

    try:
        for run in runs:
            if pool is None and not run.session.asynchronous:
                pool = ThreadPoolExecutor(max_workers=limit, thread_name_prefix="slipform-row")
            await free.acquire()
            window.append((run, asyncio.create_task(work(run))))
            while window and (window[0][1].done() or len(window) >= 2 * limit):
                run, task = window.popleft()
                await task
                yield run.state
        while window:
            run, task = window.popleft()
            await task
            yield run.state
    finally:
        for run, task in window:
            run.session.abort()
            task.cancel()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def iterate_on_loop(runs: "Iterator[Run]", limit: int) -> Iterator[ProgramState]:
    """`iterate_async` for a caller without an event loop: the loop runs on one thread of its own."""
    finished: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()

    async def work() -> None:
        async for state in iterate_async(runs, limit):
            finished.put(("state", state))
            if stop.is_set():
                return

    def loop() -> None:
        try:
            asyncio.run(work())
        except Exception as error:  # handed to the caller's thread
            finished.put(("error", error))
        else:
            finished.put(("end", None))

    thread = threading.Thread(target=loop, name="slipform-batch", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = finished.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stop.set()


def with_progress(states: Iterator[ProgramState], total: int, label: str) -> Iterator[ProgramState]:
    """The same states, with a progress bar on the terminal's error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    failed = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, failed="")
        for state in states:
            failed += state.error() is not None
            progress.update(task, advance=1, failed=f"{failed} failed" if failed else "")
            yield state
