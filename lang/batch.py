"""Running a program over many rows: bounded, and with each row's failure kept to itself."""

import asyncio
import queue
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from slipform.errors import ProgramError
from slipform.lang.faults import is_transient
from slipform.lang.rows import Row, UnreadableRow
from slipform.lang.state import ProgramState
from slipform.lang.steps import wait_async

if TYPE_CHECKING:
    from slipform.lang.run import Run

ROWS_IN_FLIGHT = 128
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0

MakeRun = Callable[[], "Run"]
Finished = tuple[int, ProgramState]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a batch is worked through.

    Attributes:
        limit: rows in flight. ordered: yield states in the order of the rows, for which up to `limit` finished ones
            wait for an earlier one; otherwise as they finish. retries: how often a row that fails for a passing reason
            is begun anew, after growing pauses.
    """

    limit: int = ROWS_IN_FLIGHT
    ordered: bool = True
    retries: int = 0


def policy_of(num_threads: int | Literal["auto"], *, ordered: bool = True, retries: int = 0) -> Policy:
    """Raises: ProgramError for anything but "auto" or a positive number, and for negative `retries`."""
    if retries < 0:
        raise ProgramError(f"retries={retries!r} must be at least 0", primitive="run_batch")
    if num_threads == "auto":
        return Policy(ordered=ordered, retries=retries)
    if not isinstance(num_threads, int) or num_threads < 1:
        raise ProgramError(f"num_threads={num_threads!r} must be 'auto' or at least 1", primitive="run_batch")
    return Policy(num_threads, ordered, retries)


def check_rows(rows: Iterable[Any], program: str) -> Iterator[Row]:
    """The rows, each when it is asked for. Raises: ProgramError at a row that is neither a dict nor a tuple of
    arguments."""
    for index, row in enumerate(rows):
        if not isinstance(row, (Mapping, list, tuple, UnreadableRow)):
            raise ProgramError(
                f"row {index} is {row!r}; a row is a dict of arguments or a tuple of them",
                program=program,
                primitive="run_batch",
            )
        yield row


class _Window:
    """Which rows are under way, and which finished ones wait for their turn."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._num_started = 0
        self._num_finished = 0
        self._num_yielded = 0
        self._held: dict[int, ProgramState] = {}

    @property
    def has_room(self) -> bool:
        limit = self._policy.limit
        in_flight = self._num_started - self._num_finished
        return in_flight < limit and self._num_started - self._num_yielded < 2 * limit

    @property
    def is_busy(self) -> bool:
        return self._num_finished < self._num_started

    def start(self) -> None:
        self._num_started += 1

    def finish(self, index: int, state: ProgramState) -> None:
        self._num_finished += 1
        self._held[index] = state

    def ready(self) -> Iterator[Finished]:
        """What may be yielded now."""
        while self._held:
            index = self._num_yielded if self._policy.ordered else next(iter(self._held))
            if index not in self._held:
                return
            self._num_yielded += 1
            yield index, self._held.pop(index)


class _Attempts:
    """The runs of one row: the first, and others while it fails for passing reasons."""

    def __init__(self, index: int, make_run: MakeRun, retries: int) -> None:
        self.index = index
        self.run = make_run()
        self._make_run = make_run
        self._left = retries
        self._pause_s = _FIRST_PAUSE_S

    def fail(self, error: BaseException) -> float | None:
        """End the present run; the seconds to wait before `again`, or None if the failure stands."""
        self.run.session.abort()
        if self._left == 0 or not is_transient(error):
            self.run.fail(error)
            return None
        self._left -= 1
        pause_s = self._pause_s * random.uniform(0.5, 1.0)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return pause_s

    def again(self) -> None:
        self.run = self._make_run()


def iterate(runs: Iterable[MakeRun], policy: Policy) -> Iterator[Finished]:
    """Run rows with threads for their bodies; yields (index of the row, its state).

    A body keeps its thread only while it computes or looks; the rest of a row finishes by itself. Rows are begun as the
    iterator is read.
    """
    window = _Window(policy)
    under_way: dict[int, _Attempts] = {}
    with _Threads(policy.limit) as threads:
        try:
            for index, make_run in enumerate(runs):
                while not window.has_room:
                    _take(threads.over.get(), under_way, window)
                    yield from window.ready()
                window.start()
                under_way[index] = row = _Attempts(index, make_run, policy.retries)
                threads.begin(row)
                while not threads.over.empty():
                    _take(threads.over.get(), under_way, window)
                yield from window.ready()
            while window.is_busy:
                _take(threads.over.get(), under_way, window)
                yield from window.ready()
        finally:
            for row in under_way.values():
                row.run.session.abort()


def _take(row: _Attempts, under_way: dict[int, _Attempts], window: _Window) -> None:
    del under_way[row.index]
    window.finish(row.index, row.run.state)


class _Threads:
    """Threads on which bodies run; rows that are over, whether they failed or not, arrive in `over`."""

    def __init__(self, limit: int) -> None:
        self.over: queue.SimpleQueue[_Attempts] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=limit, thread_name_prefix="slipform-row")
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> "_Threads":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
        self._pool.shutdown()

    def begin(self, row: _Attempts) -> None:
        with self._lock:
            if not self._closed:
                self._pool.submit(row.run.body).add_done_callback(lambda body: self._after_body(row, body))

    def _after_body(self, row: _Attempts, body: "Future[None]") -> None:
        error = body.exception()
        if error is not None:
            self._end(row, error)
        else:
            row.run.finish().add_done_callback(lambda rest: self._end(row, rest.exception()))

    def _end(self, row: _Attempts, error: BaseException | None) -> None:
        pause_s = None if error is None else row.fail(error)
        if pause_s is None:
            self.over.put(row)
            return
        timer = threading.Timer(pause_s, self._again, (row,))
        timer.daemon = True
        timer.start()

    def _again(self, row: _Attempts) -> None:
        row.again()
        self.begin(row)


async def iterate_async(runs: Iterable[MakeRun], policy: Policy) -> AsyncIterator[Finished]:
    """`iterate` on the running event loop. Bodies of plain programs use threads."""
    window = _Window(policy)
    under_way: dict[int, tuple[_Attempts, asyncio.Task[None]]] = {}
    over: asyncio.Queue[_Attempts] = asyncio.Queue()
    pool: ThreadPoolExecutor | None = None

    async def work(row: _Attempts) -> None:
        while True:
            run = row.run
            try:
                if run.session.asynchronous:
                    await run.async_body()
                else:
                    await asyncio.get_running_loop().run_in_executor(pool, run.body)
                await wait_async(run.finish())
            except Exception as error:  # a row's failure is its own: kept in its state
                pause_s = row.fail(error)
                if pause_s is not None:
                    await asyncio.sleep(pause_s)
                    row.again()
                    continue
            over.put_nowait(row)
            return

    def take(row: _Attempts) -> None:
        del under_way[row.index]
        window.finish(row.index, row.run.state)

    try:
        for index, make_run in enumerate(runs):
            while not window.has_room:
                take(await over.get())
                for finished in window.ready():
                    yield finished
            window.start()
            row = _Attempts(index, make_run, policy.retries)
            if pool is None and not row.run.session.asynchronous:
                pool = ThreadPoolExecutor(max_workers=policy.limit, thread_name_prefix="slipform-row")
            under_way[index] = (row, asyncio.create_task(work(row)))
            while not over.empty():
                take(over.get_nowait())
            for finished in window.ready():
                yield finished
        while window.is_busy:
            take(await over.get())
            for finished in window.ready():
                yield finished
    finally:
        for row, task in under_way.values():
            row.run.session.abort()
            task.cancel()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def iterate_on_loop(runs: Iterable[MakeRun], policy: Policy) -> Iterator[Finished]:
    """`iterate_async` for a caller without an event loop: the loop runs on one thread of its own.

    At most `policy.limit` finished rows wait to be read.
    """
    finished: queue.Queue[tuple[Literal["row", "error", "end"], Any]] = queue.Queue(policy.limit)
    stop = threading.Event()

    def tell(kind: Literal["row", "error", "end"], value: Any) -> None:
        while not stop.is_set():
            try:
                finished.put((kind, value), timeout=0.1)
            except queue.Full:
                continue
            return

    async def work() -> None:
        async for row in iterate_async(runs, policy):
            # Put without waiting where there is room; otherwise off the loop, which other rows need.
            if finished.full():
                await asyncio.to_thread(tell, "row", row)
            else:
                tell("row", row)
            if stop.is_set():
                return

    def loop() -> None:
        try:
            asyncio.run(work())
        except Exception as error:  # handed to the caller's thread
            tell("error", error)
        else:
            tell("end", None)

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


def with_progress(finished: Iterable[Finished], total: int | None, label: str) -> Iterator[Finished]:
    """The same rows, with a progress bar on the terminal's error stream."""
    from slipform.lang.progress import BatchProgress

    with BatchProgress(total, label) as progress:
        for index, state in finished:
            progress.add(state)
            yield index, state
