"""Numbers as automata over their digits: bounds and multiples are exact, whatever a float could hold.

A constraint on the value is checked on plain notation (`-12.50`), read digit by digit: comparison with a bound needs to
know how many digits agree so far, divisibility the remainder so far. Exponents are written only where no bound looks at
them.
"""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import Dfa, literals
from slipform.grammars.json_schema.digits import DIGIT, EXPONENT, MINUS, POINT, State, build, digits_of
from slipform.grammars.json_schema.exponents import exponents, scientific
from slipform.grammars.json_schema.shapes import FULL_NUMBER, Number, NumberAtom

Spelling = Literal["any", "whole", "canonical"]
"""How a number may be written: "any": as JSON does, `3.0` for 3 too; "whole": without a point where a schema asks for
whole numbers; "canonical": in one way, plain notation without needless zeros."""

MAX_REMAINDERS: Final = 20_000
MAX_LISTED: Final = 512


@lru_cache(maxsize=512)
def number_dfa(atom: NumberAtom, spelling: Spelling = "any") -> Dfa:
    """The texts of the numbers in `atom`; an empty language if there are none.

    Raises: UnsupportedGrammar for a multiple with too many remainders.
    """
    spelling = spelling_of(atom, spelling)
    listed = sorted(atom.allowed) if atom.allowed is not None else _few_multiples(atom)
    if listed is not None:
        return literals(text for value in listed for text in spellings(value, spelling))
    if spelling == "canonical":
        return _plain(atom) & _canonical_texts()
    if atom == FULL_NUMBER:
        return _free(signed=True, nonzero=False)
    if atom == NumberAtom(low=0, low_open=atom.low_open):
        return _free(signed=False, nonzero=atom.low_open)
    plain = _plain(atom)
    if isinstance(atom.step, int) and spelling == "whole":
        return plain & _without_point()
    if atom.step is not None or atom.not_steps:
        return plain
    texts = scientific(atom.low, atom.high, low_open=atom.low_open, high_open=atom.high_open)
    for value in atom.excluded:
        texts = texts - scientific(value, value, low_open=False, high_open=False)
    return plain | texts


def spelling_of(atom: NumberAtom, spelling: Spelling) -> Spelling:
    """How numbers of `atom` are written where `spelling` is asked for."""
    return "whole" if atom.whole and spelling == "any" else spelling


def spellings(value: Number, spelling: Spelling = "any") -> list[bytes]:
    """How a number that is listed may be written: in plain notation, and as `repr` writes an equal float."""
    plain = _decimal_text(value)
    if spelling == "canonical" or (spelling == "whole" and isinstance(value, int)):
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


@lru_cache(maxsize=1)
def _without_point() -> Dfa:
    """Numbers written as whole ones, `-0` among them."""

    def step(state: str, letter: int) -> State | None:
        if letter == MINUS:
            return "sign" if state == "start" else None
        return "digits" if DIGIT <= letter < EXPONENT else None

    return build("start", step, lambda state: state == "digits")


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
    whole, fraction = digits_of(abs(Fraction(value)))
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


@lru_cache(maxsize=4)
def _free(*, signed: bool, nonzero: bool) -> Dfa:
    """JSON numbers in any notation, with exponents that floats have."""

    def step(state: tuple[str, bool], letter: int) -> State | None:
        name, seen = state
        digit = letter - DIGIT if DIGIT <= letter < EXPONENT else None
        if name == "start" and letter == MINUS and signed:
            return "sign", seen
        if digit is not None:
            if name in ("start", "sign"):
                return ("zero", seen) if digit == 0 else ("whole", True)
            if name in ("whole", "fraction"):
                return name, True if digit else seen
            if name == "point":
                return "fraction", seen or digit > 0
        if letter == POINT and name in ("zero", "whole"):
            return "point", seen
        return None

    mantissa = build(("start", not nonzero), step, lambda state: state[0] in ("zero", "whole", "fraction") and state[1])
    return mantissa | mantissa + exponents(None, None)


def _plain(atom: NumberAtom) -> Dfa:
    """Plain notation of the numbers in `atom`."""
    positive = _Magnitude.of(atom, negative=False)
    negative = _Magnitude.of(atom, negative=True)

    def step(state: str | _Reading, letter: int) -> State | None:
        if isinstance(state, _Reading):
            side = negative if state.sign else positive
            return side.next(state, letter) if side is not None else None
        if state == "start":
            if letter == MINUS:
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
    dfa = build("start", step, accepts)
    for value in atom.excluded:
        dfa = dfa - _plain(NumberAtom(low=value, high=value))
    return dfa


class _Bound:
    """Comparison of the digits read with a bound. A comparison is -1, 0 or 1; while digits agree, 0."""

    def __init__(self, magnitude: Number) -> None:
        self.whole, self.fraction = digits_of(magnitude)

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
        whole, fraction = digits_of(step)
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
        if not DIGIT <= letter < EXPONENT:
            return None
        digit = letter - DIGIT
        low = self.low.first(digit) if self.low else (0, 0)
        high = self.high.first(digit) if self.high else (0, 0)
        remainders = tuple(digit % divisor.modulus for divisor in self.divisors)
        return _Reading(sign, "0" if digit == 0 else "whole", 0, low, high, remainders)

    def next(self, state: _Reading, letter: int) -> _Reading | None:
        sign, part, place, low, high, remainders = state
        if letter == POINT:
            if part not in ("0", "whole"):
                return None
            low = (0, self.low.whole_result(low[0], low[1])) if self.low else low
            high = (0, self.high.whole_result(high[0], high[1])) if self.high else high
            return None if low[1] < 0 else _Reading(sign, "point", 0, low, high, remainders)
        if not DIGIT <= letter < EXPONENT or part == "0":
            return None
        digit = letter - DIGIT
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
        digit = letter - DIGIT if DIGIT <= letter < EXPONENT else None
        if name == "start" and letter == MINUS:
            return ("sign",)
        if digit is not None:
            if name in ("start", "sign"):
                return ("whole",) if digit else ("zero",) if name == "start" else ("minus zero",)
            if name == "whole":
                return state
            if name in ("point", "ends in zero", "ends well"):
                return ("ends well",) if digit else ("ends in zero",)
        if letter == POINT and name in ("whole", "zero", "minus zero"):
            return ("point",)
        return None

    return build(("start",), step, lambda state: state[0] in ("zero", "whole", "ends well"))
