"""Automata of numbers against exact arithmetic."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import literals
from slipform.grammars.json_schema.numbers import has_value, number_dfa, spellings
from slipform.grammars.json_schema.shapes import NumberAtom

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def _exact(numerator: int, places: int) -> int | Fraction:
    value = Fraction(numerator, 10**places)
    return int(value) if value.denominator == 1 else value


values = st.builds(_exact, st.integers(-5000, 5000), st.integers(0, 3))
steps = st.sampled_from([None, None, 1, 2, 3, 16, 25, Fraction(1, 100), Fraction(5, 2), Fraction(3, 10)])


@st.composite
def atoms(draw: st.DrawFn) -> NumberAtom:
    low, high = draw(st.none() | values), draw(st.none() | values)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return NumberAtom(
        low,
        high,
        draw(st.booleans()) and low is not None,
        draw(st.booleans()) and high is not None,
        draw(steps),
        tuple(draw(st.sets(st.sampled_from([2, Fraction(1, 2)]), max_size=1))),
        None,
        frozenset(draw(st.sets(values, max_size=2))),
    )


@settings(max_examples=150, deadline=None)
@given(atoms(), st.lists(values, min_size=20, max_size=40))
def test_a_number_is_accepted_exactly_when_it_satisfies_the_constraints(
    atom: NumberAtom, tried: list[int | Fraction]
) -> None:
    dfa = number_dfa(atom)
    plain = number_dfa(atom, "canonical")
    for bound in (atom.low, atom.high):
        tried = tried if bound is None else [*tried, bound, bound + 1, bound - Fraction(1, 1000)]
    for value in tried:
        text = spellings(value, "canonical")[0]
        assert dfa.accepts(text) == atom.holds(value), (atom, text)
        assert plain.accepts(text) == atom.holds(value), (atom, text)
    assert has_value(atom) or not any(atom.holds(value) for value in tried)


@settings(max_examples=80, deadline=None)
@given(atoms())
def test_what_is_accepted_is_a_json_number_within_the_constraints(atom: NumberAtom) -> None:
    for text in number_dfa(atom).texts(40):
        assert JSON_NUMBER.fullmatch(text.decode()), text
        assert atom.holds(Fraction(text.decode())), text


def test_free_numbers_have_exponents() -> None:
    for text in (b"1e5", b"-0.5E-10", b"12", b"0", b"1.5e+300"):
        assert number_dfa(NumberAtom()).accepts(text)
    positive = number_dfa(NumberAtom(low=0, low_open=True))
    assert positive.accepts(b"1e-7")
    assert not positive.accepts(b"0e5")
    assert not positive.accepts(b"-1")


def test_bounds_beyond_floats_are_exact() -> None:
    dfa = number_dfa(NumberAtom(low=2**53 + 1, step=1))
    assert dfa.accepts(str(2**53 + 1).encode())
    assert not dfa.accepts(str(2**53).encode())


def test_steps_with_too_many_remainders() -> None:
    few = number_dfa(NumberAtom(step=123456789, low=0, high=10**9))
    assert few.accepts(b"987654312")
    assert not few.accepts(b"987654313")
    nearest = number_dfa(NumberAtom(step=123456789))
    assert nearest.accepts(b"-123456789")
    assert not nearest.accepts(b"123456788")
    with pytest.raises(UnsupportedGrammar):
        number_dfa(NumberAtom(not_steps=(123456789,)))


@st.composite
def scientific_texts(draw: st.DrawFn) -> str:
    digits = draw(st.integers(1, 9)), draw(st.none() | st.integers(0, 999))
    point = "" if digits[1] is None else f".{digits[1]}"
    power = draw(st.sampled_from(["e", "E"])) + draw(st.sampled_from(["", "+", "-"]))
    exponent = str(draw(st.integers(0, 7))).rjust(draw(st.integers(1, 3)), "0")
    return f"{draw(st.sampled_from(['', '-']))}{digits[0]}{point}{power}{exponent}"


@settings(max_examples=40, deadline=None)
@given(atoms(), st.lists(scientific_texts(), min_size=30, max_size=40))
def test_scientific_notation_keeps_the_bounds(atom: NumberAtom, texts: list[str]) -> None:
    dfa = number_dfa(replace(atom, step=None, not_steps=()))
    if dfa == number_dfa(NumberAtom()):
        return
    for text in texts:
        assert dfa.accepts(text.encode()) == replace(atom, step=None, not_steps=()).holds(Fraction(text)), text


def test_exponents_stay_within_what_a_float_holds() -> None:
    dfa = number_dfa(NumberAtom(low=-1))
    assert dfa.accepts(b"1e307")
    assert dfa.accepts(b"-5e-07")
    assert not dfa.accepts(b"1e308")
    assert not number_dfa(NumberAtom()).accepts(b"1e999")


def test_whole_numbers_without_a_point() -> None:
    for atom in (NumberAtom(step=1), NumberAtom(low=-5, high=900, step=5), NumberAtom(low=0, high=10**6, step=2)):
        assert number_dfa(atom).accepts(b"10.0")
        plain = number_dfa(atom, "whole")
        assert plain.accepts(b"10")
        assert not plain.accepts(b"10.0")
    assert number_dfa(NumberAtom(low=0), "whole").accepts(b"10.0")
    assert number_dfa(NumberAtom(allowed=frozenset([3, Fraction(1, 2)])), "whole") == literals([b"3", b"0.5"])
