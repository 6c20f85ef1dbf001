"""What recordings of CUDA graphs are kept from; recording itself needs a GPU (`test_gpu_equality.py`)."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from slipform.runtime.graph_recording import undisturbed_recording


class Ring:
    """Refers to itself, as an engine and its parts do: only the collector frees it."""

    def __init__(self) -> None:
        self.ring = self


@pytest.fixture
def eager_collector() -> Iterator[None]:
    """A collector that runs at nearly every new object."""
    usual = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*usual)


def garbage() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def test_garbage_is_freed_before() -> None:
    gc.disable()
    try:
        found = garbage()
        assert found() is not None
        with undisturbed_recording():
            assert found() is None
    finally:
        gc.enable()


def test_garbage_is_not_freed_within(eager_collector: None) -> None:
    with undisturbed_recording():
        found = garbage()
        assert len([[] for _ in range(1000)]) == 1000  # enough for a collector that is on
        assert found() is not None
    gc.collect()
    assert found() is None


def test_the_collector_is_left_as_it_was() -> None:
    with pytest.raises(KeyError), undisturbed_recording():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with undisturbed_recording():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_one_thread_records_at_a_time() -> None:
    order: list[str] = []

    def second() -> None:
        with undisturbed_recording():
            order.append("second")

    other = threading.Thread(target=second)
    with undisturbed_recording():
        other.start()
        other.join(0.05)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert gc.isenabled()
