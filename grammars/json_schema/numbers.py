"""Numbers as automata over their digits: bounds and multiples are exact, whatever a float could hold.

A constraint on the value is checked on plain notation (`-12.50`), read digit by digit: comparison with a bound needs to
know how many digits agree so far, divisibility the remainder so far. Exponents are written only where no bound looks at
them.
"""

from collections.abc import Callable, Hashable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import Dfa, literals
from slipform.grammars.json_schema.shapes import Number, NumberAtom

MAX_REMAINDERS: Final = 20_000
MAX_LISTED: Final = 512
MAX_DIGITS: Final = 400

# Byte classes of a number: anything else, then the signs, the point, the digits and the exponent mark.
_OTHER, _PLUS, _MINUS, _POINT, _DIGIT, _EXPONENT = 0, 1, 2, 3, 4, 14
_CLASSES: Final = np.zeros(256, np.uint8)
_CLASSES[ord("+")], _CLASSES[ord("-")], _CLASSES[ord(".")] = _PLUS, _MINUS, _POINT
_CLASSES[[ord("e"), ord("E")]] = _EXPONENT
for _digit in range(10):
    _CLASSES[ord("0") + _digit] = _DIGIT + _digit

State = Hashable
Step = Callable[[Any, int], State | None]


@lru_cache(maxsize=512)
def number_dfa(atom: NumberAtom, *, canonical: bool = False) -> Dfa:
    """The texts of the numbers in `atom`; an empty language if there are none.

    `canonical` keeps one spelling for each value: plain notation without needless zeros, and no minus zero.

    Raises: UnsupportedGrammar for a multiple with too many remainders.
    """
    if atom.allowed is not None:
        return literals(text for value in atom.allowed for text in spellings(value, canonical=canonical))
    listed = _few_multiples(atom)
    if listed is not None:
        return literals(text for value in listed for text in spellings(value, canonical=canonical))
    if canonical:
        return _plain(atom) & _canonical_texts()
    if atom == NumberAtom():
        return _free(signed=True, nonzero=False)
    if atom == NumberAtom(low=0, low_open=atom.low_open):
        return _free(signed=False, nonzero=atom.low_open)
    return _plain(atom)


def spellings(value: Number, *, canonical: bool = False) -> list[bytes]:
    """How a number that is listed may be written: in plain notation, and as `repr` writes an equal float."""
    plain = _decimal_text(value)
    if canonical:
        return [plain.encode()]
    texts = [plain]
    if isinstance(value, int):
        texts.append(plain + ".0")
    size = abs(Fraction(value))
    if 0 < size < Fraction(1, 10**4) or 10**16 <= size < 10**300:
        short = repr(float(value))
        if Fraction(Decimal(short)) == value:
            texts.append(short)
    return [text.encode() for text in texts]


def has_value(atom: NumberAtom) -> bool:
    """Whether any number satisfies `atom`."""
    if atom.allowed is not None:
        return any(atom.holds(value) for value in atom.allowed)
    if atom.not_steps or atom.excluded:
        return not number_dfa(atom).is_empty
    if atom.step is None or atom.low is None or atom.high is None:
        return True
    step = Fraction(atom.step)
    first, last = -((-Fraction(atom.low)) // step), Fraction(atom.high) // step
    first += atom.low_open and first * step == atom.low
    last -= atom.high_open and last * step == atom.high
    return first <= last


def _few_multiples(atom: NumberAtom) -> list[Number] | None:
    """The values themselves, if bounds and step leave only a few.

    A step with too many remainders for an automaton is narrowed to the multiples nearest to 0.
    """
    if atom.step is None:
        return None
    step = Fraction(atom.step)
    first = None if atom.low is None else -((-Fraction(atom.low)) // step)
    last = None if atom.high is None else Fraction(atom.high) // step
    if first is None or last is None or last - first >= MAX_LISTED:
        if _Divisor(atom.step).modulus <= MAX_REMAINDERS:
            return None
        first, last = _nearest(first, last)
    listed = [step * factor for factor in range(int(first), int(last) + 1)]
    exact = [int(value) if value.denominator == 1 else value for value in listed]
    return [value for value in exact if atom.holds(value)]


def _nearest(first: int | None, last: int | None) -> tuple[int, int]:
    """`MAX_LISTED` factors in a row within bounds, as near to 0 as possible."""
    half = MAX_LISTED // 2
    if first is not None and first > -half:
        last = first + MAX_LISTED - 1 if last is None else min(last, first + MAX_LISTED - 1)
        return first, last
    if last is not None and last < half:
        return last - MAX_LISTED + 1, last
    return -half, half - 1


def _decimal_text(value: Number) -> str:
    """Plain decimal notation of a number that has one."""
    sign = "-" if value < 0 else ""
    whole, fraction = _digits(abs(Fraction(value)))
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _digits(magnitude: Number) -> tuple[str, str]:
    """The digits before and behind the point, without needless zeros; the whole part has at least one."""
    fraction = Fraction(magnitude)
    places = 0
    while 10**places % fraction.denominator:
        places += 1
        if places > MAX_DIGITS:
            raise UnsupportedGrammar("number", reason="it has no finite decimal notation")
    scaled = str(int(fraction * 10**places)).rjust(places + 1, "0")
    return (scaled[:-places], scaled[-places:]) if places else (scaled, "")


def _build(start: State, step: Step, accepts: Callable[[Any], bool]) -> Dfa:
    """The automaton whose states are reached from `start` by `step`."""
    index: dict[State, int] = {start: 0}
    order = [start]
    rows: list[list[int]] = []
    for state in order:
        row = [-1] * (_EXPONENT + 1)
        for letter in range(_PLUS, _EXPONENT + 1):
            target = step(state, letter)
            if target is not None:
                number = index.get(target)
                if number is None:
                    number = index[target] = len(order)
                    order.append(target)
                row[letter] = number
        rows.append(row)
    return Dfa(_CLASSES, np.array(rows, np.int32), np.array([accepts(state) for state in order], np.bool_))


@lru_cache(maxsize=8)
def _free(*, signed: bool, nonzero: bool) -> Dfa:
    """JSON numbers; exponents of at most three digits, since nothing reads larger ones back."""

    def step(state: tuple[str, bool], letter: int) -> State | None:
        name, seen = state
        digit = letter - _DIGIT if _DIGIT <= letter < _EXPONENT else None
        if name == "start" and letter == _MINUS and signed:
            return "sign", seen
        if digit is not None:
            if name in ("start", "sign"):
                return ("zero", seen) if digit == 0 else ("whole", True)
            if name in ("whole", "fraction"):
                return name, True if digit else seen
            if name == "point":
                return "fraction", seen or digit > 0
            if name in ("mark", "mark sign"):
                return "power 1", seen
            if name in ("power 1", "power 2"):
                return ("power 2" if name == "power 1" else "power 3"), seen
        if letter == _POINT and name in ("zero", "whole"):
            return "point", seen
        if letter == _EXPONENT and name in ("zero", "whole", "fraction"):
            return "mark", seen
        if letter in (_PLUS, _MINUS) and name == "mark":
            return "mark sign", seen
        return None

    ends = ("zero", "whole", "fraction", "power 1", "power 2", "power 3")
    return _build(("start", not nonzero), step, lambda state: state[0] in ends and bool(state[1]))


def _plain(atom: NumberAtom) -> Dfa:
    """Plain notation of the numbers in `atom`."""
    positive = _Magnitude.of(atom, negative=False)
    negative = _Magnitude.of(atom, negative=True)

    def step(state: str | _Reading, letter: int) -> State | None:
        if isinstance(state, _Reading):
            side = negative if state.sign else positive
            return side.next(state, letter) if side is not None else None
        if state == "start":
            if letter == _MINUS:
                return "sign" if negative is not None else None
            return positive.first(letter, sign=False) if positive is not None else None
        return negative.first(letter, sign=True) if negative is not None else None

    def accepts(state: str | _Reading) -> bool:
        if not isinstance(state, _Reading):
            return False
        side = negative if state.sign else positive
        return side is not None and side.accepts(state)

    if any(_Divisor(other).modulus > MAX_REMAINDERS for other in atom.not_steps):
        raise UnsupportedGrammar("not", reason=f"a negated multipleOf takes more than {MAX_REMAINDERS} remainders")
    dfa = _build("start", step, accepts)
    for value in atom.excluded:
        dfa = dfa - _plain(NumberAtom(low=value, high=value))
    return dfa


class _Bound:
    """Comparison of the digits read with a bound. A comparison is -1, 0 or 1; while digits agree, 0."""

    def __init__(self, magnitude: Number) -> None:
        self.whole, self.fraction = _digits(magnitude)

    def first(self, digit: int) -> tuple[int, int]:
        return 1, _compare(digit, self.whole[0])

    def more_whole(self, count: int, so_far: int, digit: int) -> tuple[int, int]:
        """One more digit before the point. Past the bound's length the number is greater, and counting stops."""
        if count >= len(self.whole):
            return len(self.whole) + 1, 1
        return count + 1, so_far or _compare(digit, self.whole[count])

    def whole_result(self, count: int, so_far: int) -> int:
        return -1 if count < len(self.whole) else so_far

    def more_fraction(self, place: int, so_far: int, digit: int) -> int:
        if so_far:
            return so_far
        return _compare(digit, self.fraction[place] if place < len(self.fraction) else "0")

    def result(self, place: int, so_far: int) -> int:
        return so_far if so_far or place >= len(self.fraction) else -1


def _compare(digit: int, other: str) -> int:
    return (digit > int(other)) - (digit < int(other))


class _Divisor:
    """Remainder of the digits read, scaled so that the step is the whole number `modulus` at `places` decimals."""

    def __init__(self, step: Number) -> None:
        whole, fraction = _digits(step)
        self.places = len(fraction)
        self.modulus = int(whole + fraction)

    def divides(self, remainder: int, places_read: int) -> bool:
        return remainder * int(10 ** max(0, self.places - places_read)) % self.modulus == 0


class _Reading(NamedTuple):
    """How far a number in plain notation has been read.

    `part` is "0", "whole", "point" or "fraction"; `place` counts fraction digits as far as they matter. `low` and
    `high` are comparisons with the bounds: digits read before the point, result. A remainder is None once a digit has
    made a multiple impossible.
    """

    sign: bool
    part: str
    place: int
    low: tuple[int, int]
    high: tuple[int, int]
    remainders: tuple[int | None, ...]


class _Magnitude:
    """The numbers of one sign."""

    def __init__(self, low: tuple[Number, bool] | None, high: tuple[Number, bool] | None, atom: NumberAtom) -> None:
        self.low = _Bound(low[0]) if low else None
        self.high = _Bound(high[0]) if high else None
        self.low_open = bool(low and low[1])
        self.high_open = bool(high and high[1])
        self.divisors = [_Divisor(atom.step)] if atom.step is not None else []
        self.must_divide = len(self.divisors)
        self.divisors += [_Divisor(step) for step in atom.not_steps]
        bounds = [bound for bound in (self.low, self.high) if bound]
        places = [len(bound.fraction) for bound in bounds] + [divisor.places for divisor in self.divisors]
        self.places = max(places, default=0)
        # With a step, digits behind its last place would all be zeros: one is enough to write `1.0`.
        self.last_place = max(1, self.divisors[0].places) if self.must_divide else None

    @classmethod
    def of(cls, atom: NumberAtom, *, negative: bool) -> "_Magnitude | None":
        low = None if atom.low is None else (atom.low, atom.low_open)
        high = None if atom.high is None else (atom.high, atom.high_open)
        if negative:
            low, high = (None if bound is None else (-bound[0], bound[1]) for bound in (high, low))
        if high is not None and (high[0] < 0 or (high[0] == 0 and high[1])):
            return None
        if negative and high is not None and high[0] == 0:
            return None  # minus zero helps nobody
        if low is not None and (low[0] < 0 or (low[0] == 0 and not low[1])):
            low = None
        return cls(low, high, atom)

    def first(self, letter: int, *, sign: bool) -> _Reading | None:
        if not _DIGIT <= letter < _EXPONENT:
            return None
        digit = letter - _DIGIT
        low = self.low.first(digit) if self.low else (0, 0)
        high = self.high.first(digit) if self.high else (0, 0)
        remainders = tuple(digit % divisor.modulus for divisor in self.divisors)
        return _Reading(sign, "0" if digit == 0 else "whole", 0, low, high, remainders)

    def next(self, state: _Reading, letter: int) -> _Reading | None:
        sign, part, place, low, high, remainders = state
        if letter == _POINT:
            if part not in ("0", "whole"):
                return None
            low = (0, self.low.whole_result(low[0], low[1])) if self.low else low
            high = (0, self.high.whole_result(high[0], high[1])) if self.high else high
            return None if low[1] < 0 else _Reading(sign, "point", 0, low, high, remainders)
        if not _DIGIT <= letter < _EXPONENT or part == "0":
            return None
        digit = letter - _DIGIT
        if part == "whole":
            low = self.low.more_whole(low[0], low[1], digit) if self.low else low
            high = self.high.more_whole(high[0], high[1], digit) if self.high else high
            if self.high and high[0] > len(self.high.whole):
                return None
            remainders = tuple(
                None if remainder is None else (remainder * 10 + digit) % divisor.modulus
                for remainder, divisor in zip(remainders, self.divisors, strict=True)
            )
            return _Reading(sign, part, 0, low, high, remainders)
        if self.last_place is not None and place >= self.last_place:
            return None
        low = (0, self.low.more_fraction(place, low[1], digit)) if self.low else low
        high = (0, self.high.more_fraction(place, high[1], digit)) if self.high else high
        if self.high and high[1] > 0:
            return None
        after: list[int | None] = []
        for index, (remainder, divisor) in enumerate(zip(remainders, self.divisors, strict=True)):
            if remainder is None or (place >= divisor.places and digit > 0):
                if index < self.must_divide:
                    return None
                after.append(None)
            elif place >= divisor.places:
                after.append(remainder)
            else:
                after.append((remainder * 10 + digit) % divisor.modulus)
        limit = self.places if self.last_place is None else max(self.places, self.last_place)
        return _Reading(sign, "fraction", min(place + 1, limit), low, high, tuple(after))

    def accepts(self, state: _Reading) -> bool:
        _, part, place, low, high, remainders = state
        if part == "point":
            return False
        if self.low:
            order = self.low.whole_result(low[0], low[1]) if part in ("0", "whole") else low[1]
            order = self.low.result(place, order)
            if order < 0 or (order == 0 and self.low_open):
                return False
        if self.high:
            order = self.high.whole_result(high[0], high[1]) if part in ("0", "whole") else high[1]
            order = self.high.result(place, order)
            if order > 0 or (order == 0 and self.high_open):
                return False
        for index, (remainder, divisor) in enumerate(zip(remainders, self.divisors, strict=True)):
            divides = remainder is not None and divisor.divides(remainder, place)
            if divides != (index < self.must_divide):
                return False
        return True


@lru_cache(maxsize=1)
def _canonical_texts() -> Dfa:
    """Plain numbers without needless zeros: -?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?, and no minus zero."""

    def step(state: tuple[str], letter: int) -> State | None:
        name = state[0]
        digit = letter - _DIGIT if _DIGIT <= letter < _EXPONENT else None
        if name == "start" and letter == _MINUS:
            return ("sign",)
        if digit is not None:
            if name in ("start", "sign"):
                return ("whole",) if digit else ("zero",) if name == "start" else ("minus zero",)
            if name == "whole":
                return state
            if name in ("point", "ends in zero", "ends well"):
                return ("ends well",) if digit else ("ends in zero",)
        if letter == _POINT and name in ("whole", "zero", "minus zero"):
            return ("point",)
        return None

    return _build(("start",), step, lambda state: state[0] in ("zero", "whole", "ends well"))
