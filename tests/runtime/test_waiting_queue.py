"""The queue of waiting sequences against a plain list, and what a step may look at."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipform.runtime.policy import PATIENCE, admission_order
from slipform.runtime.waiting_queue import WINDOW, WaitingQueue


@dataclass(eq=False)
class Waiting:
    """What the queue sees of a sequence; `num_looks` counts how often it asked for its arrival."""

    number: int
    priority: int = 0
    times_overtaken: int = 0
    num_looks: int = 0

    @property
    def arrival(self) -> int:
        self.num_looks += 1
        return self.number


def queue_of(sequences: list[Any]) -> WaitingQueue:
    queue = WaitingQueue()
    for sequence in sequences:
        queue.add(sequence)
    return queue


@given(st.lists(st.tuples(st.integers(-2, 2), st.booleans()), max_size=3 * WINDOW), st.randoms())
def test_equals_a_list(drawn: list[tuple[int, bool]], rng: Any) -> None:
    sequences = [Waiting(number, priority) for number, (priority, _) in enumerate(drawn)]
    shuffled = sequences.copy()
    rng.shuffle(shuffled)  # preempted sequences come back out of order
    queue = queue_of(shuffled)
    left = sequences.copy()
    for sequence, (_, goes) in zip(sequences, drawn, strict=True):
        if goes:
            queue.discard(sequence)
            queue.discard(sequence)  # not there any more: nothing happens
            left.remove(sequence)
    assert list(queue) == left
    assert len(queue) == len(left)
    urgent = sorted(left, key=lambda s: (-s.priority, s.number))[:WINDOW]
    candidates = queue.candidates()
    assert {s.number for s in candidates} == {s.number for s in (*left[:WINDOW], *urgent)}
    assert len(candidates) == len({s.number for s in candidates})


def test_a_step_looks_at_few_however_many_wait() -> None:
    sequences = [Waiting(number, priority=number % 7) for number in range(5000)]
    queue = queue_of(sequences)
    last = Waiting(6000, priority=9)
    queue.add(last)
    for sequence in sequences:
        sequence.num_looks = 0
    for _ in range(10):
        candidates = queue.candidates()
        assert len(candidates) <= 2 * WINDOW
        assert last in candidates
        queue.note_overtaken(by=last)
    assert sum(sequence.num_looks for sequence in sequences) <= 10 * 4 * WINDOW


def test_nobody_starves() -> None:
    """Urgent requests keep coming; the first of a long tail of others is admitted nevertheless, and so is the last."""
    queue = queue_of([Waiting(number) for number in range(3 * WINDOW)])
    pending = set(range(3 * WINDOW))
    rounds = 0
    while pending:
        rounds += 1
        assert rounds < 4 * PATIENCE * WINDOW
        queue.add(Waiting(1000 + rounds, priority=1))  # type: ignore[arg-type]
        chosen: Any = admission_order(queue.candidates(), lambda sequence: 0)[0]
        queue.discard(chosen)
        queue.note_overtaken(by=chosen)
        pending.discard(chosen.number)
