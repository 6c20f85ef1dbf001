"""Strings of a pattern and a length whose product would be a large automaton: characters are counted on the way.

The pattern's automaton is read from character to character. Where that gives some characters in a row and then any
number of one class, as in `^[a-z][a-z0-9]*$`, a counter of the run-time stack repeats that class. Otherwise the
automaton stands under a frame that counts the characters.
"""

from typing import Final

import numpy as np

from slipform.errors import UnsupportedGrammar
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import Dfa, length_between
from slipform.grammars.json_text import json_characters, json_string_body

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

    @property
    def is_empty(self) -> bool:
        """Whether there is no such text."""
        sets = self._finishing_sets()
        return not any(sets[min(length, len(sets) - 1)] & 1 for length in range(self._low, self._high + 1))

    @property
    def admits_empty(self) -> bool:
        """Whether the empty text is one of them."""
        return self._low == 0 and self._accepting[0]

    def node(self, builder: Builder) -> Node:
        """What stands between the quotes of a JSON string with such a text, in the usual spellings."""
        if self.is_chain:
            return self._chain(builder)
        characters = json_characters(self._dfa, "usual")
        return builder.bounded(characters, characters.ends, self._low, self._high)

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
            letter = builder.dfa(self._letter(last, last))
            node = builder.repeat(letter, max(0, self._low - last), self._high - last)
        elif self._low <= last <= self._high:
            node = builder.empty
        for state in range(last - 1, -1, -1):
            node = builder.seq(builder.dfa(self._letter(state, state + 1)), node)
            if self._accepting[state] and self._low <= state <= self._high:
                node = builder.optional(node)
        return node

    def _letter(self, state: int, after: int) -> Dfa:
        """The spellings of the characters that lead from one state to another."""
        dfa = self._dfa
        ends = np.zeros(dfa.num_states, np.bool_)
        ends[self.states[after]] = True
        one = Dfa(dfa.byte_class, dfa.table, ends, self.states[state]) & length_between(1, 1)
        return json_string_body(one, "usual")

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
