"""Sequences that wait for admission. Whatever a step asks of it costs the same for ten of them and for ten thousand."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from itertools import islice

from slipform.runtime.sequence import Sequence

# How many of those that wait longest, and how many of the most urgent ones, a step looks at. Matching a sequence
# against the prefix cache costs some microseconds; the oldest few are enough to find neighbours in the cache.
WINDOW = 64


class WaitingQueue:
    """A set of sequences in two orders: by arrival, and by priority (larger first), then arrival.

    Iterates by arrival. Arrivals are unique.
    """

    def __init__(self) -> None:
        self._by_arrival: list[Sequence] = []
        self._by_urgency: list[Sequence] = []

    def __len__(self) -> int:
        return len(self._by_arrival)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self._by_arrival)

    def add(self, sequence: Sequence) -> None:
        insort(self._by_arrival, sequence, key=_arrival)
        insort(self._by_urgency, sequence, key=_urgency)

    def discard(self, sequence: Sequence) -> None:
        """Take a sequence out, if it is there."""
        _discard(self._by_arrival, sequence, _arrival)
        _discard(self._by_urgency, sequence, _urgency)

    def candidates(self) -> list[Sequence]:
        """The WINDOW sequences that wait longest and the WINDOW most urgent ones, each once, in no particular order."""
        longest = self._by_arrival[:WINDOW]
        if len(self._by_arrival) <= WINDOW:
            return longest
        last = longest[-1].arrival
        return longest + [sequence for sequence in self._by_urgency[:WINDOW] if sequence.arrival > last]

    def note_overtaken(self, by: Sequence) -> None:
        """Count the admission of `by` for those of the WINDOW longest-waiting sequences that arrived before it.

        Mutates: their `times_overtaken`.
        """
        for sequence in islice(self._by_arrival, WINDOW):
            if sequence.arrival > by.arrival:
                return
            sequence.times_overtaken += 1


def _arrival(sequence: Sequence) -> int:
    return sequence.arrival


def _urgency(sequence: Sequence) -> tuple[int, int]:
    return -sequence.priority, sequence.arrival


def _discard(order: list[Sequence], sequence: Sequence, key: Callable[[Sequence], int | tuple[int, int]]) -> None:
    at = bisect_left(order, key(sequence), key=key)
    if at < len(order) and order[at] is sequence:
        del order[at]
