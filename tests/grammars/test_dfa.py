"""Operations on automata against brute force over all short texts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.errors import GrammarTooLarge
from slipform.grammars import dfa as dfas
from slipform.grammars.dfa import Dfa

# No deadline: the first example waits for compiled code.
EXAMPLES = settings(deadline=None, max_examples=60)
ALPHABET = b"ab\xc3\xa9"
SHORT = [bytes(t) for n in range(5) for t in itertools.product(ALPHABET, repeat=n)]


@st.composite
def automata(draw: st.DrawFn) -> Dfa:
    """A random automaton of up to five states over ALPHABET, partial, not minimal."""
    n = draw(st.integers(1, 5))
    byte_class = np.full(256, 4)
    for i, byte in enumerate(ALPHABET):
        byte_class[byte] = i
    cells = draw(st.lists(st.integers(-1, n - 1), min_size=4 * n, max_size=4 * n))
    table = np.full((n, 5), -1)
    table[:, :4] = np.array(cells).reshape(n, 4)
    accepting = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    return Dfa(byte_class, table, accepting, draw(st.integers(0, n - 1)))


def language(dfa: Dfa) -> set[bytes]:
    return {text for text in SHORT if dfa.accepts(text)}


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@EXAMPLES
@given(automata(), automata())
def test_boolean_operations(a: Dfa, b: Dfa) -> None:
    la, lb = language(a), language(b)
    assert language(a & b) == la & lb
    assert language(a | b) == la | lb
    assert language(a - b) == la - lb
    assert language(a ^ b) == la ^ lb
    assert language(a.complement()) == {t for t in SHORT if is_utf8(t)} - la
    assert (a <= b) == (a - b).is_empty == (a | b == b)


@EXAMPLES
@given(automata(), automata())
def test_equal_languages_are_equal_values(a: Dfa, b: Dfa) -> None:
    assert (a & b) == (b & a)
    assert hash(a | b) == hash(b | a)
    assert (a ^ b) == (a - b) | (b - a)
    assert (a == b) == (a ^ b).is_empty
    assert a - (a - b) == a & b


@EXAMPLES
@given(automata(), automata())
def test_concatenation(a: Dfa, b: Dfa) -> None:
    joined = a + b
    for text in SHORT:
        expected = any(a.accepts(text[:i]) and b.accepts(text[i:]) for i in range(len(text) + 1))
        assert joined.accepts(text) == expected, text


@EXAMPLES
@given(automata(), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3)))
def test_repetition(a: Dfa, minimum: int, more: int | None) -> None:
    repeated = dfas.repetition(a, minimum, None if more is None else minimum + more)

    def counts(text: bytes) -> set[int]:
        """Numbers of pieces, up to 8, into which `text` can be cut (empty pieces allowed where `a` allows them)."""
        reach: list[set[int]] = [set() for _ in range(len(text) + 1)]
        reach[0].add(0)
        for _ in range(9):
            for i in range(len(text) + 1):
                for j in range(i, len(text) + 1):
                    if a.accepts(text[i:j]):
                        reach[j] |= {k + 1 for k in reach[i] if k < 8}
        return reach[len(text)]

    highest = 8 if more is None else minimum + more
    for text in SHORT[:85]:
        assert repeated.accepts(text) == any(minimum <= k <= highest for k in counts(text)), text


@EXAMPLES
@given(automata())
def test_reverse_and_derivative(a: Dfa) -> None:
    assert language(a.reverse()) == {text[::-1] for text in language(a)}
    assert a.reverse().reverse() == a
    after = a.after(b"a\xc3")
    for text in SHORT[:85]:
        assert after.accepts(text) == a.accepts(b"a\xc3" + text)


@EXAMPLES
@given(automata())
def test_measures(a: Dfa) -> None:
    texts = sorted(language(a), key=lambda t: (len(t), t))
    if texts:
        assert a.shortest() == texts[0]
        assert a.bounds()[0] == len(texts[0])
    listed = list(a.texts(30))
    assert listed == sorted(set(listed), key=lambda t: (len(t), t))
    assert [t for t in listed if len(t) <= 4] == texts[: len([t for t in listed if len(t) <= 4])]
    assert all(a.accepts(t) for t in listed)
    assert a.is_finite == (a.bounds()[1] is not None)
    if a.is_finite:
        everything = list(a.texts(10_000))
        assert a.bounds() == ((min(map(len, everything)), max(map(len, everything))) if everything else (0, 0))
    assert a.is_empty == (a.shortest() is None) == (not listed)


@EXAMPLES
@given(st.sets(st.binary(max_size=6), max_size=30))
def test_literals(texts: set[bytes]) -> None:
    dfa = dfas.literals(texts)
    assert set(dfa.texts(len(texts) + 1)) == texts
    assert dfa == dfas.union([dfas.literal(t) for t in texts])
    for text in texts:
        assert dfa.accepts(text)
        assert not dfa.accepts(text + b"\x00") or text + b"\x00" in texts


def test_utf8_is_exact() -> None:
    character = dfas.any_character()
    for code in [*range(0, 0x110000, 97), 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF]:
        if not 0xD800 <= code < 0xE000:
            assert character.accepts(chr(code).encode())
    for wrong in (
        b"\x80",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
    ):
        assert not character.accepts(wrong)
    assert character.character_bounds() == (1, 1)
    assert character.bounds() == (1, 4)


@EXAMPLES
@given(st.integers(0, 6), st.integers(0, 6), st.text(max_size=8))
def test_length_in_characters(minimum: int, more: int, text: str) -> None:
    dfa = dfas.length_between(minimum, minimum + more)
    assert dfa.accepts(text.encode("utf-8", "surrogatepass")) == (
        minimum <= len(text) <= minimum + more and not any("\ud800" <= c <= "\udfff" for c in text)
    )
    assert dfa.character_bounds() == (minimum, minimum + more)
    assert dfas.length_between(minimum, None).character_bounds() == (minimum, None)


def test_many_options_and_their_exclusion() -> None:
    words = [f"word{i * 7919 % 10007}".encode() for i in range(5000)]
    options = dfas.literals(words)
    others = dfas.any_text() - options
    assert all(options.accepts(word) and not others.accepts(word) for word in words)
    assert others.accepts(b"word")
    assert others.accepts(words[0] + b"x")
    assert (options & others).is_empty


def test_bounds_are_named() -> None:
    with pytest.raises(GrammarTooLarge, match="states=1000"):
        dfas.repetition(dfas.any_character(), 0, 10_000, max_states=1000)
    a = dfas.repetition(dfas.literal(b"ab"), 0, 200)
    with pytest.raises(GrammarTooLarge):
        dfas.product(a, a.complement(), 3, max_states=50)
    with pytest.raises(ValueError, match="2 to 1"):
        dfas.repetition(a, 2, 1)


def test_values_are_immutable() -> None:
    dfa = dfas.literal(b"x")
    with pytest.raises(AttributeError):
        dfa.table = np.zeros((1, 1), np.int32)
    with pytest.raises(ValueError, match="read-only"):
        dfa.table[0, 0] = 0
    assert dfa.transitions.shape == (2, 256)
    assert dfa.transitions[0, ord("x")] == 1
    assert (dfa.transitions[1] == -1).all()
