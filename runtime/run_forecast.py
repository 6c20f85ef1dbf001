"""Whether to wait for a step's tokens before the next one is launched, where that one would probably be for nothing.

A pass that was launched ahead computes one token of each sequence. Where the grammar forces a run behind that token,
the pass was needed for nothing but that token, which would have gone with the run: the sequence takes one step more.
Where the match is complete with the tokens of all sequences, nobody needs the pass, and a request that comes next waits
until it is over. Within an enumeration the one, and at the end of an object the other is certain, and known after the
first visit: by what followed a token that was sampled where a grammar stands now. Waiting costs the time in which the
host commits and launches, and the GPU has nothing to do.
"""

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from slipform.grammars.compiler import CompiledGrammar
from slipform.runtime.gpu_batch import Candidate
from slipform.runtime.sequence import Phase

# With more sequences than these the host's part grows, and runs seldom come in the same step.
MAX_SEQUENCES = 8
# Configurations of one grammar that are remembered.
_MAX_STATES = 1 << 16
# Weight of the last step in the running means.
_WEIGHT = 0.1


@dataclass(slots=True)
class Visits:
    """How often a token was sampled in one configuration, and how often a run followed it or a match was complete."""

    sampled: int = 0
    runs: int = 0
    ends: int = 0


class RunForecast:
    """Counts runs and ends by configuration, and keeps running means of what a step takes the GPU and the host."""

    def __init__(self) -> None:
        self._visits: WeakKeyDictionary[CompiledGrammar, dict[tuple[int, bool], Visits]] = WeakKeyDictionary()
        self._step_s = 0.0
        self._host_s = 0.0
        self._last_s: float | None = None

    def where(self, sampled: list[Candidate]) -> list[Visits | None]:
        """What is known of the configurations in which tokens are being sampled, for `pays_to_wait` and `note`."""
        return [self._of(candidate) for candidate in sampled] if len(sampled) <= MAX_SEQUENCES else []

    def pays_to_wait(self, visits: list[Visits | None]) -> bool:
        """Whether the passes that would be for nothing, by what is known, take longer than the host's part."""
        known = [one for one in visits if one is not None and one.sampled]
        runs = sum(one.runs / one.sampled for one in known)
        all_end = math.prod(one.ends / one.sampled for one in known) if 0 < len(known) == len(visits) else 0.0
        return (runs + all_end) * self._step_s > self._host_s * len(visits)

    def note(self, visits: list[Visits | None], sampled: list[Candidate]) -> None:
        """Count what became of the tokens, which were committed."""
        for known, candidate in zip(visits, sampled, strict=False):
            if known is not None:
                sequence = candidate.sequence
                known.sampled += 1
                if sequence.phase is not Phase.DONE:
                    known.runs += sequence.seq_len > candidate.end + 1
                elif sequence.fill is None:  # complete, and not failed
                    known.ends += sequence.fills[-1].finish_reason == "stop"

    def note_step(self, began_s: float, arrived_s: float, host_s: float) -> None:
        """Note when a step was launched and when its tokens arrived, and what the host did for it in all."""
        last_s, self._last_s = self._last_s, arrived_s
        if last_s is None:
            return
        step_s = arrived_s - max(began_s, last_s)
        first = not self._step_s
        self._step_s += (step_s - self._step_s) * (1.0 if first else _WEIGHT)
        self._host_s += (host_s - self._host_s) * (1.0 if first else _WEIGHT)

    def skip_step(self) -> None:
        """A step was committed that nobody waited for: when the GPU was done with it is not known."""
        self._last_s = None

    def _of(self, candidate: Candidate) -> Visits | None:
        fill = candidate.sequence.fill
        constraint = fill.constraint if fill is not None else None
        if fill is None or constraint is None or constraint.matcher is None or constraint.grammar is None:
            return None
        states = self._visits.setdefault(constraint.grammar, {})
        state = constraint.matcher.state_id, fill.jumps
        if state not in states and len(states) >= _MAX_STATES:
            states.clear()
        return states.setdefault(state, Visits())
