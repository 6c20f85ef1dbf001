"""Who may walk an automaton: one thread at a time."""

import threading

import numpy as np
import numpy.typing as npt

from slipform.kernels.pushdown_tables import IN_USE


class Turn:
    """A lock of one automaton that can be held twice by the same thread.

    Short kernels take no lock: they keep Python's global one throughout. They ask the register IN_USE whether a thread
    is at work that let go of it, and leave the work to a holder of this lock then.
    """

    __slots__ = ("_lock", "_registers")

    def __init__(self, lock: "threading.RLock", registers: npt.NDArray[np.int32]) -> None:
        """`lock` is shared by automata that share a builder."""
        self._lock = lock
        self._registers = registers

    @property
    def order(self) -> int:
        """Who needs several turns takes them in ascending order, so that two threads never wait for each other."""
        return id(self._lock)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        self._lock.acquire()
        self._registers[IN_USE] += 1

    def release(self) -> None:
        self._registers[IN_USE] -= 1
        self._lock.release()
