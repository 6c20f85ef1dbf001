"""Events on their way to their consumers."""

import asyncio

from slipform.runtime.handle import RequestHandle, Waker, wake
from slipform.runtime.request import Event, RequestFinished, RequestTimes, TextDelta

END = RequestFinished("a", (), RequestTimes(0.0, 0.0, 0.0))


def handle(on_event: "list[Event] | None" = None) -> RequestHandle:
    return RequestHandle("a", lambda request_id: None, None if on_event is None else on_event.append)


def test_coroutines_are_woken_by_one_message() -> None:
    asyncio.run(_wake_several())


async def _wake_several() -> None:
    handles = [handle() for _ in range(3)]
    waiting = [asyncio.create_task(one.wait()) for one in handles]
    iterating = asyncio.create_task(_events(handles[0]))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    messages: list[object] = []
    call = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *rest: messages.append(call(*rest))  # type: ignore[method-assign,assignment]
    wakers: list[Waker] = []
    for one in handles:
        one.take(TextDelta("a", 0, 0, "x", (1,)), wakers)
        one.take(END, wakers)
    wake(wakers)
    assert len(messages) == 1
    assert await asyncio.gather(*waiting) == [END] * 3
    assert await iterating == [TextDelta("a", 0, 0, "x", (1,)), END]


async def _events(one: RequestHandle) -> list[Event]:
    return [event async for event in one]


def test_who_waits_is_woken_though_the_callback_fails() -> None:
    asyncio.run(_wake_behind_a_failure())


async def _wake_behind_a_failure() -> None:
    failing = RequestHandle("a", lambda request_id: None, lambda event: [][0])
    waiting = asyncio.create_task(failing.wait())
    await asyncio.sleep(0)
    try:
        failing.deliver(END)
    except IndexError:
        assert await waiting == END
    else:
        raise AssertionError("the callback's exception did not come out")


def test_a_callback_gets_every_event_in_order() -> None:
    seen: list[Event] = []
    one = handle(seen)
    one.deliver(TextDelta("a", 0, 0, "x", (1,)))
    one.deliver(END)
    assert seen == [TextDelta("a", 0, 0, "x", (1,)), END]
    assert one.result() == END
