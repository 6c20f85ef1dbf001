"""Regexes with lookaround and anchors in the middle, determinised directly.

What lies behind is the same for every way of reading a text, so lookbehinds run once, beside everything else. What lies
ahead is a debt of one way of reading: a *thread* is a place in the pattern and the set of its debts, each itself a set
of threads of the lookahead's pattern, wanted (`(?=...)`) or unwanted (`(?!...)`). A state of the result is a set of
threads and the places that the lookbehinds have reached; the text matches if at its end some thread has arrived and
owes nothing that the end does not settle. (An alternating automaton, made deterministic on the fly.)
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from slipform.errors import GrammarTimeout, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars import code_points as sets
from slipform.grammars.code_points import CodePoints
from slipform.grammars.regex_syntax import Alternatives, Anchor, Concat, Look, OneOf, Repeat, Text, Tree
from slipform.grammars.utf8 import Partition

Array = np.ndarray[Any, Any]

_MATCHED: Final = -1
"""Place of a thread whose own pattern has matched; only debts are left."""


@dataclass(frozen=True, slots=True)
class _Debt:
    """What the rest of the text must begin with, or (`negative`) must not; `at_end`: the rest must be empty."""

    threads: "frozenset[_Thread]"
    negative: bool
    at_end: bool = False


_Thread = tuple[int, frozenset[_Debt]]
_Threads = frozenset[_Thread]

_END_OF_TEXT: Final = _Debt(frozenset(), negative=False, at_end=True)
_NOWHERE: Final[_Threads] = frozenset()


@dataclass(frozen=True, slots=True)
class _Condition:
    """What an empty move asks for: an anchor, or the outcome of the lookbehind or lookahead with this number."""

    kind: Anchor | None = None
    behind: int | None = None
    ahead: int | None = None
    negative: bool = False


class _Machine:
    """The pattern's automata in one numbering: the main one, one for each lookahead, one for each lookbehind."""

    def __init__(self, max_states: int) -> None:
        self.max_states = max_states
        self.empty_moves: list[list[tuple[_Condition | None, int]]] = []
        self.moves: list[list[tuple[int, int]]] = []  # (set number, target)
        self.set_number: dict[CodePoints, int] = {}
        self.ahead_start: list[int] = []
        self.behind_start: list[int] = []
        self.behind_end: list[int] = []
        self.matched: set[int] = set()  # ends of lookaheads

    def state(self) -> int:
        if len(self.moves) >= self.max_states:
            raise GrammarTooLarge("states", self.max_states)
        self.empty_moves.append([])
        self.moves.append([])
        return len(self.moves) - 1

    def add(self, tree: Tree, start: int, *, inside_behind: bool) -> int:
        """Append `tree` behind state `start` (which gets no moves back); returns its end."""
        if isinstance(tree, Text):
            for character in tree.text:
                start = self.add(OneOf(sets.single(ord(character))), start, inside_behind=inside_behind)
            return start
        end = self.state()
        if isinstance(tree, OneOf):
            number = self.set_number.setdefault(tree.points, len(self.set_number))
            self.moves[start].append((number, end))
        elif isinstance(tree, Concat):
            for part in tree.parts:
                start = self.add(part, start, inside_behind=inside_behind)
            self.empty_moves[start].append((None, end))
        elif isinstance(tree, Alternatives):
            for option in tree.options:
                entry = self.state()
                self.empty_moves[start].append((None, entry))
                self.empty_moves[self.add(option, entry, inside_behind=inside_behind)].append((None, end))
        elif isinstance(tree, Repeat):
            for _ in range(tree.minimum):
                start = self.add(tree.body, start, inside_behind=inside_behind)
            if tree.maximum is None:
                entry = self.state()
                self.empty_moves[start].append((None, entry))
                last = self.add(tree.body, entry, inside_behind=inside_behind)
                self.empty_moves[last].append((None, entry))
                self.empty_moves[entry].append((None, end))
            else:
                for _ in range(tree.maximum - tree.minimum):
                    entry = self.state()
                    self.empty_moves[start].append((None, entry))
                    self.empty_moves[entry].append((None, end))
                    start = self.add(tree.body, entry, inside_behind=inside_behind)
                self.empty_moves[start].append((None, end))
        elif isinstance(tree, Look):
            self.empty_moves[start].append((self.look(tree, inside_behind=inside_behind), end))
        else:
            if tree is not Anchor.START and inside_behind:
                raise UnsupportedGrammar("lookahead inside a lookbehind", reason="an anchor at the end counts as one")
            if tree is Anchor.FINAL_END:
                line_feed = Repeat(OneOf(sets.single(0x0A)), 0, 1)
                ahead = Look(Concat((line_feed, Anchor.END)), behind=False, negative=False)
                self.empty_moves[start].append((self.look(ahead, inside_behind=False), end))
            else:
                self.empty_moves[start].append((_Condition(kind=tree), end))
        return end

    def look(self, tree: Look, *, inside_behind: bool) -> _Condition:
        if tree.behind:
            anything = Repeat(OneOf(sets.EVERYTHING), 0, None)
            start = self.state()
            end = self.add(Concat((anything, tree.body)), start, inside_behind=True)
            self.behind_start.append(start)  # after those inside the body: inner ones have smaller numbers
            self.behind_end.append(end)
            return _Condition(behind=len(self.behind_start) - 1, negative=tree.negative)
        if inside_behind:
            raise UnsupportedGrammar("lookahead inside a lookbehind", reason="a word boundary counts as one")
        start = self.state()
        self.ahead_start.append(start)
        number = len(self.ahead_start) - 1
        self.matched.add(self.add(tree.body, start, inside_behind=False))
        return _Condition(ahead=number, negative=tree.negative)


@dataclass(frozen=True, slots=True)
class _State:
    threads: _Threads
    behind: tuple[frozenset[int], ...]


class _Construction:
    def __init__(self, tree: Tree, max_states: int, seconds: float) -> None:
        self.max_states = max_states
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.machine = _Machine(max_states)
        self.start = self.machine.state()
        self.end = self.machine.add(tree, self.start, inside_behind=False)
        self.partition = Partition(list(self.machine.set_number))
        pointer, atoms = self.partition.set_pointer, self.partition.set_atoms
        self.atoms_of_set = [
            frozenset(atoms[pointer[i] : pointer[i + 1]].tolist()) for i in range(len(self.machine.set_number))
        ]
        # Facts about the current position while a state is being made.
        self.at_start = True
        self.holds_behind: list[bool] = []
        self.opened: dict[int, _Threads] = {}

    def run(self) -> tuple[Array, Array, Partition]:
        num_atoms = self.partition.num_atoms
        first = self.state_at(None, {}, at_start=True)
        number = {first: 0}
        waiting = [first]
        rows: list[list[int]] = []
        while len(rows) < len(waiting):
            state = waiting[len(rows)]
            row = []
            for atom in range(num_atoms):
                following = self.state_at(state, {}, at_start=False, atom=atom)
                if not following.threads:
                    row.append(-1)
                    continue
                if following not in number:
                    if len(number) >= self.max_states:
                        raise GrammarTooLarge("states", self.max_states)
                    number[following] = len(number)
                    waiting.append(following)
                row.append(number[following])
            rows.append(row)
            if time.monotonic() > self.deadline:
                raise GrammarTimeout(self.seconds)
        accepting = np.array([self.accepts(state.threads, main=True) for state in waiting])
        return np.array(rows, np.int32), accepting, self.partition

    def state_at(self, before: _State | None, memo: dict[Any, Any], *, at_start: bool, atom: int = -1) -> _State:
        """The state after `atom` from `before`, or the first state of all."""
        self.at_start = at_start
        self.opened = {}
        self.holds_behind = []
        behind: list[frozenset[int]] = []
        for i, start in enumerate(self.machine.behind_start):
            reached = {start} if before is None else self.targets(before.behind[i], atom)
            closed = self.closed_behind(reached)
            behind.append(closed)
            self.holds_behind.append(self.machine.behind_end[i] in closed)
        if before is None:
            threads = self.closed({(self.start, frozenset())})
        else:
            threads = self.stepped(before.threads, atom)
        return _State(threads, tuple(behind))

    def targets(self, places: frozenset[int], atom: int) -> set[int]:
        return {
            target
            for place in places
            for number, target in self.machine.moves[place]
            if atom in self.atoms_of_set[number]
        }

    def closed_behind(self, places: set[int]) -> frozenset[int]:
        """With all that empty moves reach; lookbehinds with smaller numbers are known already."""
        closed = set(places)
        waiting = list(places)
        while waiting:
            for condition, target in self.machine.empty_moves[waiting.pop()]:
                if target not in closed and self.holds(condition):
                    closed.add(target)
                    waiting.append(target)
        return frozenset(closed)

    def holds(self, condition: _Condition | None) -> bool:
        """Whether a condition on what lies behind holds here."""
        if condition is None:
            return True
        if condition.behind is not None:
            return self.holds_behind[condition.behind] != condition.negative
        return condition.kind is Anchor.START and self.at_start

    def closed(self, threads: set[_Thread]) -> _Threads:
        """With all threads that empty moves make of them, less those that another one makes superfluous."""
        closed = set(threads)
        waiting = list(threads)
        while waiting:
            place, debts = waiting.pop()
            if place == _MATCHED:
                continue
            for condition, target in self.machine.empty_moves[place]:
                owed = debts
                if condition is not None and condition.ahead is not None:
                    debt = self.settled(_Debt(self.opened_ahead(condition.ahead), condition.negative))
                    if debt is False:
                        continue
                    if debt is not True:
                        owed = debts | {debt}
                elif condition is not None and condition.kind is Anchor.END:
                    owed = debts | {_END_OF_TEXT}
                elif not self.holds(condition):
                    continue
                thread = (_MATCHED if target in self.machine.matched else target, owed)
                if thread not in closed:
                    closed.add(thread)
                    waiting.append(thread)
        return self.reduced(closed)

    def opened_ahead(self, number: int) -> _Threads:
        """The threads of a lookahead that begins here."""
        if number not in self.opened:
            start = self.machine.ahead_start[number]
            place = _MATCHED if start in self.machine.matched else start
            self.opened[number] = self.closed({(place, frozenset())})
        return self.opened[number]

    def reduced(self, threads: set[_Thread]) -> _Threads:
        """Only places that can read on or have arrived, each with its least sets of debts."""
        by_place: dict[int, list[frozenset[_Debt]]] = {}
        for place, debts in sorted(threads, key=lambda thread: len(thread[1])):
            if place != _MATCHED and place != self.end and not self.machine.moves[place]:
                continue
            kept = by_place.setdefault(place, [])
            if not any(less <= debts for less in kept):
                kept.append(debts)
        if frozenset() in by_place.get(_MATCHED, ()):
            return frozenset({(_MATCHED, frozenset())})
        return frozenset((place, debts) for place, kept in by_place.items() for debts in kept)

    def settled(self, debt: _Debt) -> _Debt | bool:
        """True: paid. False: cannot be paid any more. Else the debt itself."""
        if debt.at_end:
            return debt
        if not debt.threads:
            return debt.negative
        if (_MATCHED, frozenset()) in debt.threads:
            return not debt.negative
        return debt

    def stepped(self, threads: _Threads, atom: int) -> _Threads:
        """The threads after one character of `atom`."""
        following: set[_Thread] = set()
        for place, debts in threads:
            if place == _MATCHED:
                places = [_MATCHED]
            else:
                places = [t for number, t in self.machine.moves[place] if atom in self.atoms_of_set[number]]
                if not places:
                    continue
            owed = self.stepped_debts(debts, atom)
            if owed is not None:
                following.update((_MATCHED if t in self.machine.matched else t, owed) for t in places)
        return self.closed(following) if following else _NOWHERE

    def stepped_debts(self, debts: frozenset[_Debt], atom: int) -> frozenset[_Debt] | None:
        """What is left to pay after a character; None if some debt cannot be paid."""
        left: set[_Debt] = set()
        for debt in debts:
            if debt.at_end:
                return None
            outcome = self.settled(_Debt(self.stepped(debt.threads, atom), debt.negative))
            if outcome is False:
                return None
            if outcome is not True:
                left.add(outcome)
        return frozenset(left)

    def accepts(self, threads: _Threads, *, main: bool) -> bool:
        """Whether some thread has arrived and the end of the text settles its debts."""
        arrived = self.end if main else _MATCHED
        return any(
            place == arrived
            and all(debt.at_end or self.accepts(debt.threads, main=False) != debt.negative for debt in debts)
            for place, debts in threads
        )


def determinised(tree: Tree, *, max_states: int, seconds: float) -> tuple[Array, Array, Partition]:
    """(n, num_atoms) int32 table with -1 = dead, (n,) bool accepting, and the atoms; state 0 is the start.

    Raises: UnsupportedGrammar for a lookahead inside a lookbehind; GrammarTooLarge; GrammarTimeout.
    """
    return _Construction(tree, max_states, seconds).run()
