"""Work that goes on by itself: a generator of futures, driven by their completion instead of by a waiting thread.

A generator yields a `concurrent.futures.Future`, gets its result (or its exception, thrown in), and returns a value.
`run_steps` drives it and gives one future for the value. Threads wait on that future, event loops await it, and
nobody is needed in between; this is how programs of both kinds share one interpreter.
"""

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

Steps = Generator["Future[Any]", Any, T]


def new_future() -> "Future[Any]":
    """A future that a waiter cannot cancel: others may wait for the same result."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def done(value: T) -> "Future[T]":
    future = new_future()
    future.set_result(value)
    return future


def run_steps(steps: "Steps[T]", into: "Future[T] | None" = None) -> "Future[T]":
    """Drive `steps` to the end; the result goes to `into`, or to a new future.

    The generator runs on the calling thread until it yields a future that is not done, and from then on wherever
    those futures are completed.
    """
    result = into if into is not None else new_future()

    def advance(finished: "Future[Any] | None") -> None:
        while True:
            try:
                if finished is None:
                    waiting = next(steps)
                elif (error := finished.exception()) is not None:
                    waiting = steps.throw(error)
                else:
                    waiting = steps.send(finished.result())
            except StopIteration as stop:
                result.set_result(stop.value)
                return
            except Exception as error:  # whatever it is belongs to those who wait for the result
                result.set_exception(error)
                return
            if not waiting.done():
                waiting.add_done_callback(advance)
                return
            finished = waiting

    advance(None)
    return result


def gather(futures: "list[Future[Any]]") -> "Future[list[Any]]":
    """All results in order, once every future is done; or the first exception in order."""

    def steps() -> "Steps[list[Any]]":
        results: list[Any] = []
        failure: BaseException | None = None
        for future in futures:
            try:
                results.append((yield future))
            except Exception as error:  # kept for the end, so that nothing is still running when this reports
                failure = failure or error
        if failure is not None:
            raise failure
        return results

    return run_steps(steps())


async def wait_async(future: "Future[T]") -> T:
    """Await a future; cancelling the waiter leaves the work alone."""
    if not future.done():
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def resume() -> None:
            if not waiter.done():
                waiter.set_result(None)

        def wake(_: "Future[T]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(resume)

        future.add_done_callback(wake)
        await waiter
    return future.result()
