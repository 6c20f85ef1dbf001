"""Scientific notation between bounds: `1.5e-07`, as floats far from 1 are written.

With one digit other than 0 before the point, a number is compared with a bound by its exponent first and by its digits
only where the exponents are equal. So the digits are read into classes (how they compare with those of each bound), and
each class goes on with the exponents that keep it within the bounds.
"""

from functools import lru_cache, partial
from itertools import product
from typing import Final, NamedTuple

from slipform.grammars.dfa import Dfa, literal, literals, union
from slipform.grammars.json_schema.digits import DIGIT, EXPONENT, POINT, automaton, digits_of, explore
from slipform.grammars.json_schema.shapes import Number

MAX_EXPONENT: Final = 307
"""Some numbers with a larger one are infinity when read as a float, and some with a smaller negative one are zero."""

_SIGNS: Final = {-1: (b"-",), 0: (b"", b"+", b"-"), 1: (b"", b"+")}


@lru_cache(maxsize=64)
def exponents(least: int | None, greatest: int | None) -> Dfa:
    """An exponent between the bounds (None: the extreme one), its mark included."""
    low = -MAX_EXPONENT if least is None else max(least, -MAX_EXPONENT)
    high = MAX_EXPONENT if greatest is None else min(greatest, MAX_EXPONENT)
    texts = [
        mark + sign + b"%0*d" % (width, abs(value))
        for value in range(low, high + 1)
        for mark in (b"e", b"E")
        for sign in _SIGNS[(value > 0) - (value < 0)]
        for width in range(len(str(abs(value))), 4)
    ]
    return literals(texts)


class _Bound(NamedTuple):
    """A positive bound: its digits without leading zeros, and the exponent of the first of them."""

    digits: str
    exponent: int
    open: bool

    @classmethod
    def of(cls, value: Number, *, open: bool) -> "_Bound":
        whole, fraction = digits_of(value)
        digits = (whole + fraction).lstrip("0")
        exponent = len(whole) - 1 if whole != "0" else len(digits) - len(fraction) - 1
        return cls(digits.rstrip("0"), exponent, open)

    def compare(self, place: int, so_far: int, digit: int) -> int:
        """How the digits up to `place` compare with those of the bound: -1, 0 or 1."""
        other = int(self.digits[place]) if place < len(self.digits) else 0
        return so_far or (digit > other) - (digit < other)


def scientific(low: Number | None, high: Number | None, *, low_open: bool, high_open: bool) -> Dfa:
    """The texts of the numbers between the bounds (None: no bound) with a digit from 1 to 9 before the point."""
    sides = []
    for sign, least, least_open, greatest, greatest_open in (
        (b"", low, low_open, high, high_open),
        (b"-", _opposite(high), high_open, _opposite(low), low_open),
    ):
        if greatest is not None and greatest <= 0:
            continue
        above = _Bound.of(least, open=least_open) if least is not None and least > 0 else None
        below = _Bound.of(greatest, open=greatest_open) if greatest is not None else None
        sides.append(literal(sign) + _magnitude(above, below))
    return union(sides)


def _opposite(value: Number | None) -> Number | None:
    return None if value is None else -value


class _Digits(NamedTuple):
    """How far the digits have been read: `above` and `below` compare them with those of the two bounds."""

    place: int
    complete: bool  # not right behind the point
    above: int
    below: int


def _magnitude(above: _Bound | None, below: _Bound | None) -> Dfa:
    """The texts of the positive numbers between the bounds."""
    longest = max(len(bound.digits) if bound else 1 for bound in (above, below))

    def step(state: _Digits, letter: int) -> _Digits | None:
        place, complete, low, high = state
        if letter == POINT:
            return state._replace(complete=False) if place == 1 and complete else None
        if not DIGIT <= letter < EXPONENT or (place == 0 and letter == DIGIT) or (place == 1 and complete):
            return None
        digit = letter - DIGIT
        low = above.compare(place, low, digit) if above else 0
        high = below.compare(place, high, digit) if below else 0
        return _Digits(min(place + 1, max(longest, 2)), True, low, high)

    def kind(state: _Digits) -> tuple[int, int]:
        """The comparisons when no digit follows: the bound's own digits may go on."""
        low, high = state.above, state.below
        if above and not low and state.place < len(above.digits):
            low = -1
        if below and not high and state.place < len(below.digits):
            high = -1
        return low, high

    def ends_as(wanted: tuple[int, int], state: _Digits) -> bool:
        return state.place > 0 and state.complete and kind(state) == wanted

    states, table = explore(_Digits(0, True, 0, 0), step)
    parts = []
    for low, high in product((-1, 0, 1) if above else (0,), (-1, 0, 1) if below else (0,)):
        least = None if above is None else above.exponent + (low < 0 or (low == 0 and above.open))
        greatest = None if below is None else below.exponent - (high > 0 or (high == 0 and below.open))
        if least is None or greatest is None or least <= greatest:
            digits = automaton(states, table, partial(ends_as, (low, high)))
            parts.append(digits + exponents(least, greatest))
    return union(parts)
