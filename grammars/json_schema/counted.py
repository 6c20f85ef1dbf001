"""Strings of a pattern and a length whose product would be a large automaton: characters are counted on the way.

The pattern's automaton is read from character to character. Where that gives some characters in a row and then any
number of one class, as in `^[a-z][a-z0-9]*$`, a counter of the run-time stack repeats that class. Otherwise one rule
stands for a state and the number of characters behind it; a rule is made when generation first reaches it, so a text of
n characters costs n rules and not the product of states and lengths.
"""

from functools import partial
from typing import Final

import numpy as np

from slipform.errors import UnsupportedGrammar
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import Dfa, length_between
from slipform.grammars.json_text import json_string_body

MAX_COUNTS: Final = 1_000_000
"""States times lengths; beyond this a pattern with a length is refused."""

_LEADS: Final = (*range(0x80), *range(0xC2, 0xF5))


class CountedText:
    """Texts of `dfa` with `low` to `high` characters.

    Attributes:
        states: the states of `dfa` between two characters. All other attributes number them in this order.
        following: for each state, the states that one more character leads to.
    """

    def __init__(self, dfa: Dfa, low: int, high: int, path: str) -> None:
        """Raises: UnsupportedGrammar, at `path`, if there are more than `MAX_COUNTS` states times lengths."""
        self._dfa = dfa
        self._low, self._high = low, high
        self.states, self.following = _character_graph(dfa)
        if len(self.states) * (high + 1) > MAX_COUNTS:
            raise UnsupportedGrammar(
                "pattern with a length", path=path, reason=f"they take more than {MAX_COUNTS:,} counts of characters"
            )
        self._accepting = [bool(dfa.accepting[state]) for state in self.states]
        self._finishing = self._finishing_sets()
        self._letters: dict[tuple[int, int], tuple[Dfa, bytes]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no such text."""
        return self._least_rest(0, 0) is None

    def node(self, builder: Builder) -> Node:
        """What stands between the quotes of a JSON string with such a text, in the usual spellings."""
        return self._chain(builder) if self.is_chain else self._rule(builder, 0, 0)

    @property
    def is_chain(self) -> bool:
        """Whether each state leads to the next one alone, but for a last one that may lead to itself."""
        last = len(self.states) - 1
        inner = all(self.following[state] == [state + 1] for state in range(last))
        return inner and self.following[last] in ([], [last])

    def _chain(self, builder: Builder) -> Node:
        last = len(self.states) - 1
        node = builder.never
        if self.following[last] and last <= self._high:
            letter = builder.dfa(self._letter(last, last)[0])
            node = builder.repeat(letter, max(0, self._low - last), self._high - last)
        elif self._low <= last <= self._high:
            node = builder.empty
        for state in range(last - 1, -1, -1):
            node = builder.seq(builder.dfa(self._letter(state, state + 1)[0]), node)
            if self._accepting[state] and self._low <= state <= self._high:
                node = builder.optional(node)
        return node

    def _rule(self, builder: Builder, state: int, count: int) -> Node:
        rest = self._least_rest(state, count)
        assert rest is not None
        return builder.rule(
            ("counted", self._dfa, self._low, self._high, state, count),
            partial(self._body, builder, state, count),
            nullable=rest == 0,
            witness=self._witness(state, rest),
        )

    def _body(self, builder: Builder, state: int, count: int) -> Node:
        options = [builder.empty] if self._accepting[state] and count >= self._low else []
        if count < self._high:
            options += [
                builder.seq(builder.dfa(self._letter(state, after)[0]), self._rule(builder, after, count + 1))
                for after in self.following[state]
                if self._least_rest(after, count + 1) is not None
            ]
        return builder.alt(*options)

    def _letter(self, state: int, after: int) -> tuple[Dfa, bytes]:
        """The spellings of the characters that lead from one state to another, and the shortest of them."""
        known = self._letters.get((state, after))
        if known is None:
            dfa = self._dfa
            ends = np.zeros(dfa.num_states, np.bool_)
            ends[self.states[after]] = True
            one = Dfa(dfa.byte_class, dfa.table, ends, self.states[state]) & length_between(1, 1)
            spelled = json_string_body(one, "usual")
            known = self._letters[state, after] = spelled, spelled.shortest() or b""
        return known

    def _least_rest(self, state: int, count: int) -> int | None:
        """How many characters at least complete a text that is `count` characters long; None if none do."""
        first = max(0, self._low - count)
        last = len(self._finishing) - 1  # all later sets equal the last one
        for rest in range(first, self._high - count + 1):
            if self._finishing[min(rest, last)] >> state & 1:
                return rest
            if rest > last:
                return None
        return None

    def _witness(self, state: int, rest: int) -> bytes:
        text = b""
        last = len(self._finishing) - 1
        while rest:
            rest -= 1
            after = next(one for one in self.following[state] if self._finishing[min(rest, last)] >> one & 1)
            text += self._letter(state, after)[1]
            state = after
        return text

    def _finishing_sets(self) -> list[int]:
        """By number of characters, the states (a bitset) from which so many more are accepted; the last one repeats."""
        before = [0] * len(self.states)
        for state, following in enumerate(self.following):
            for after in following:
                before[after] |= 1 << state
        sets = [sum(1 << state for state, accepts in enumerate(self._accepting) if accepts)]
        while len(sets) <= self._high:
            current, previous = sets[-1], 0
            while current:
                lowest = current & -current
                previous |= before[lowest.bit_length() - 1]
                current ^= lowest
            if previous == sets[-1]:
                break
            sets.append(previous)
        return sets


def _character_graph(dfa: Dfa) -> tuple[list[int], list[list[int]]]:
    """The states reached by whole characters, the start first, and by position in that list what follows each."""
    table = dfa.table.tolist()
    lead_classes = np.unique(dfa.byte_class[list(_LEADS)]).tolist()
    multibyte = {int(dfa.byte_class[byte]): _length(byte) for byte in _LEADS if byte >= 0xC2}
    tail_classes = np.unique(dfa.byte_class[0x80:0xC0]).tolist()
    index = {0: 0}
    states = [0]
    following: list[list[int]] = []
    for state in states:
        row = table[state]
        ends: dict[int, None] = {}
        for letter in lead_classes:
            reached = {row[letter]} - {-1}
            for _ in range(multibyte.get(letter, 1) - 1):
                reached = {table[one][tail] for one in reached for tail in tail_classes} - {-1}
            ends.update(dict.fromkeys(sorted(reached)))
        for end in ends:
            if end not in index:
                index[end] = len(states)
                states.append(end)
        following.append([index[end] for end in ends])
    return states, following


def _length(lead: int) -> int:
    """Bytes of a UTF-8 character that begins with `lead`."""
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
