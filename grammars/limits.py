"""Bounds of one compilation: how large a grammar may get, how long building it may take, and how to cancel it."""

import threading
import time
from dataclasses import dataclass

from slipform.errors import GrammarTimeout, GrammarTooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold for one compiled grammar; reaching one raises the error named beside it.

    Attributes:
        source_bytes: length of the spec's text in UTF-8 (`GrammarTooLarge`).
        states: automaton states and nodes that building may create, parts built later included (`GrammarTooLarge`).
        seconds: time for `compile_grammar`; parts built lazily get the same time each (`GrammarTimeout`).
        memory_bytes: memory of the run-time tables of one grammar. New matchers start on fresh tables once half of
            it is used; a single text that needs all of it ends in `GrammarTooLarge`.
        depth: nesting of the source (`GrammarTooLarge`), as front ends count it.
    """

    source_bytes: int = 8 * 1024 * 1024
    states: int = 2_000_000
    seconds: float = 30.0
    memory_bytes: int = 256 * 1024 * 1024
    depth: int = 512


class CancelToken:
    """Lets another thread stop a compilation; safe to share between compilations. A subclass may also slow it down."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask every compilation that holds this token to stop with `GrammarTimeout(cancelled=True)`."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def rest(self) -> float:
        """Called now and then by the thread that compiles: may pause; how long it did, which no time limit counts."""
        return 0.0


class Budget:
    """What is left of `Limits` for one compilation. Builders and front ends call the checks where they do work."""

    def __init__(self, limits: Limits, cancel: CancelToken | None = None) -> None:
        self.limits = limits
        self.num_states = 0
        self._cancel = cancel
        self._deadline = time.monotonic() + limits.seconds

    def restart_clock(self, cancel: CancelToken | None = None) -> None:
        """Give `limits.seconds` anew, for a part that is built after compilation. Replaces the cancel token."""
        self._cancel = cancel
        self._deadline = time.monotonic() + self.limits.seconds

    def check_time(self) -> None:
        """Raise `GrammarTimeout` if the time is used up or the compilation was cancelled. Costs about 0.1 µs."""
        if self._cancel is not None:
            self._deadline += self._cancel.rest()
            if self._cancel.cancelled:
                raise GrammarTimeout(self.limits.seconds, cancelled=True)
        if time.monotonic() > self._deadline:
            raise GrammarTimeout(self.limits.seconds)

    def add_states(self, count: int, *, path: str = "") -> None:
        """Account for `count` new states or nodes; raise `GrammarTooLarge` beyond `limits.states`."""
        self.num_states += count
        if self.num_states > self.limits.states:
            raise GrammarTooLarge("states", self.limits.states, path=path)

    def check_source(self, text: str, *, path: str = "") -> None:
        """Raise `GrammarTooLarge` if `text` has more than `limits.source_bytes` bytes (lone surrogates count 3)."""
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > self.limits.source_bytes:
            raise GrammarTooLarge("source_bytes", self.limits.source_bytes, path=path)

    def check_depth(self, depth: int, *, path: str = "") -> None:
        """Raise `GrammarTooLarge` if the source nests deeper than `limits.depth`."""
        if depth > self.limits.depth:
            raise GrammarTooLarge("depth", self.limits.depth, path=path)
