"""The letters of JSON numbers, automata over them, and the digits of exact numbers."""

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import Dfa
from slipform.grammars.json_schema.shapes import Number

MAX_DIGITS: Final = 400

# Byte classes of a number: anything else, then the signs, the point, the digits and the exponent mark.
OTHER, PLUS, MINUS, POINT, DIGIT, EXPONENT = 0, 1, 2, 3, 4, 14
_CLASSES: Final = np.zeros(256, np.uint8)
_CLASSES[ord("+")], _CLASSES[ord("-")], _CLASSES[ord(".")] = PLUS, MINUS, POINT
_CLASSES[[ord("e"), ord("E")]] = EXPONENT
for _digit in range(10):
    _CLASSES[ord("0") + _digit] = DIGIT + _digit

Int32 = npt.NDArray[np.int32]
State = Hashable
Step = Callable[[Any, int], State | None]


def digits_of(magnitude: Number) -> tuple[str, str]:
    """The digits before and behind the point, without needless zeros; the whole part has at least one."""
    fraction = Fraction(magnitude)
    places = 0
    while 10**places % fraction.denominator:
        places += 1
        if places > MAX_DIGITS:
            raise UnsupportedGrammar("number", reason="it has no finite decimal notation")
    scaled = str(int(fraction * 10**places)).rjust(places + 1, "0")
    return (scaled[:-places], scaled[-places:]) if places else (scaled, "")


def explore(start: State, step: Step) -> tuple[list[Any], Int32]:
    """The states reached from `start` by `step`, the start first, and their table over the letters."""
    index: dict[State, int] = {start: 0}
    order = [start]
    rows: list[list[int]] = []
    for state in order:
        row = [-1] * (EXPONENT + 1)
        for letter in range(PLUS, EXPONENT + 1):
            target = step(state, letter)
            if target is not None:
                number = index.get(target)
                if number is None:
                    number = index[target] = len(order)
                    order.append(target)
                row[letter] = number
        rows.append(row)
    return order, np.array(rows, np.int32)


def automaton(states: list[Any], table: Int32, accepts: Callable[[Any], bool]) -> Dfa:
    """The automaton of explored states that ends in those which `accepts`."""
    return Dfa(_CLASSES, table, np.array([accepts(state) for state in states], np.bool_))


def build(start: State, step: Step, accepts: Callable[[Any], bool]) -> Dfa:
    """The automaton whose states are reached from `start` by `step`."""
    return automaton(*explore(start, step), accepts)
