"""Regex automata against those of interegular and outlines-core: independent constructions of the same languages."""

import itertools

import interegular
import outlines_core
import pytest

from slipform.grammars.dfa import Dfa
from slipform.grammars.regex import regex_dfa

ALPHABET = "ab1.-é"
SHORT = ["".join(t) for n in range(5) for t in itertools.product(ALPHABET, repeat=n)]

PATTERNS = [
    r"[0-9]+(\.[0-9]+)?",
    r"(1|1a|1ab)(-|\.)?",
    r"(a|b)*1(a|b){0,2}",
    r"[^ab]{2,3}",
    r"a.?(b|é)+",
    r"(a*b*)*1?",
    r"((a|1)\.){1,2}(a|11)",
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?",
    r"é{2,}|[a-é]",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_interegular(pattern: str) -> None:
    theirs = interegular.parse_pattern(pattern).to_fsm()
    ours = regex_dfa(pattern)
    assert [t for t in SHORT if ours.accepts(t.encode())] == [t for t in SHORT if theirs.accepts(t)]


def outlines_walker(pattern: str) -> "Walker":
    # Some releases lose transitions out of accepting states; in front of a noncharacter that no text holds there are
    # no such states.
    vocabulary = outlines_core.Vocabulary(256, {bytes([byte]): [byte] for byte in range(256)})
    return Walker(outlines_core.Index(f"(?:{pattern})\\x{{10FFFF}}", vocabulary))


class Walker:
    def __init__(self, index: outlines_core.Index) -> None:
        self.index = index

    def accepts(self, text: str) -> bool:
        state = self.index.get_initial_state()
        for byte in text.encode() + "\U0010ffff".encode():
            state = self.index.get_next_state(state, byte)
            if state is None:
                return False
        return bool(self.index.is_final_state(state))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_outlines_core(pattern: str) -> None:
    theirs = outlines_walker(pattern)
    ours = regex_dfa(pattern)
    assert [t for t in SHORT if ours.accepts(t.encode())] == [t for t in SHORT if theirs.accepts(t)]


def test_set_operations_of_interegular() -> None:
    def both(pattern: str) -> tuple[Dfa, interegular.FSM]:
        return regex_dfa(pattern), interegular.parse_pattern(pattern).to_fsm()

    for first, second in itertools.combinations(PATTERNS[:6], 2):
        (a, x), (b, y) = both(first), both(second)
        for ours, theirs in ((a & b, x & y), (a | b, x | y), (a - b, x - y)):
            assert [t for t in SHORT[:300] if ours.accepts(t.encode())] == [t for t in SHORT[:300] if theirs.accepts(t)]
