"""How much of the time compiling may take while sequences run.

Compiling is mostly Python, and so are the borders between the parts of a step: each time the engine thread comes back
from compiled code it waits for a compiling thread to give the interpreter away. Two threads that compile without a
pause cost others two thirds of their steps. So each compilation has milliseconds to itself, which ordinary grammars
do not use up; beyond them all draw on one credit, a burst and then a share of the time. Those that have to wait for it
sit on threads of their own, and new grammars are compiled past them.
"""

import threading
import time
from collections.abc import Callable

from slipform.grammars.limits import CancelToken

ALLOWANCE_S = 0.005
SHARE = 0.05
BURST_S = 0.1
# The debt is looked at after so much work, and again after each nap: it may be called off, and so may the compilation.
_SLICE_S = 0.001
_LONGEST_NAP_S = 0.05


class CompilePace:
    """The credit of one engine's compiling threads, in seconds of their work. Thread-safe.

    Args:
        is_busy: whether sequences run that would be held up; without them nothing is owed.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._credit_s = BURST_S
        self._at_s = time.monotonic()

    def spend(self, seconds: float) -> float:
        """Note work that was done; how long to pause until it is paid for."""
        now = time.monotonic()
        with self._lock:
            earned = self._credit_s + (now - self._at_s) * SHARE
            self._at_s = now
            self._credit_s = min(BURST_S, earned) - seconds
            if not self._is_busy():
                self._credit_s = max(0.0, self._credit_s)
            owed_s = -self._credit_s / SHARE
        return owed_s if owed_s > _SLICE_S else 0.0


class PacedCompilation(CancelToken):
    """One compilation that keeps the pace, made on the thread that compiles. Its time limit does not count pauses."""

    def __init__(self, pace: CompilePace) -> None:
        super().__init__()
        self._pace = pace
        self._thread = threading.get_ident()
        self._began_s = time.thread_time()
        self._allowance_s = ALLOWANCE_S

    def rest(self) -> float:
        """See `CancelToken.rest`."""
        if threading.get_ident() != self._thread:  # a part that is built while generating
            return 0.0
        worked_s = time.thread_time() - self._began_s
        if worked_s < _SLICE_S:
            return 0.0
        own_s = min(worked_s, self._allowance_s)
        self._allowance_s -= own_s
        owed_s = self._pace.spend(worked_s - own_s)
        rested_s = 0.0
        while owed_s and not self.cancelled:
            nap_s = min(owed_s, _LONGEST_NAP_S)
            time.sleep(nap_s)
            rested_s += nap_s
            owed_s = self._pace.spend(0.0)
        self._began_s = time.thread_time()
        return rested_s
