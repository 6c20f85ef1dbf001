"""uniqueItems: items are told apart by their bytes, so each value has one spelling in such an array.

Arrays and objects have no such spelling that an automaton could follow; among the items of one array at most one may be
a container, which differs from all the others by its type.
"""

from dataclasses import dataclass
from typing import Final, Literal

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import Dfa, literals, union
from slipform.grammars.json_schema import numbers, strings
from slipform.grammars.json_schema.arrays import ArrayPlan
from slipform.grammars.json_schema.shapes import FALSE_BIT, TRUE_BIT, Shape

Escapes = Literal["raw", "ascii"]
WAYS: Final[tuple[Escapes, Escapes]] = ("raw", "ascii")
"""An array is written with all strings as UTF-8, or with all of them in ASCII."""

MAX_LISTED: Final = 64
"""Values of a leading item, which are told apart one by one."""


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one position: texts of scalars, one for each value, and the shape of containers, if any."""

    texts: Dfa
    containers: Shape | None


def items(shape: Shape, escapes: Escapes) -> Items:
    """The items of `shape`, in the spelling `escapes`."""
    listed = [b"null"] if shape.null else []
    listed += [b"true"] if shape.booleans & TRUE_BIT else []
    listed += [b"false"] if shape.booleans & FALSE_BIT else []
    parts = [literals(listed)] if listed else []
    parts += [numbers.number_dfa(atom, canonical=True) for atom in shape.numbers]
    parts += [strings.quoted(strings.decoded(atom), escapes) for atom in shape.strings]
    containers = Shape(arrays=shape.arrays, objects=shape.objects) if shape.arrays or shape.objects else None
    return Items(union(parts), containers)


def check(plan: ArrayPlan, shapes: list[Shape]) -> bool:
    """Whether containers stand among the items. `shapes`: those of the prefix's items and of the rest, `plan` in hand.

    Raises: UnsupportedGrammar for what cannot be told apart.
    """
    if plan.contains:
        raise UnsupportedGrammar("uniqueItems", path=plan.path, reason="it stands beside contains")
    for shape in shapes[: len(plan.prefix)]:
        if shape.arrays or shape.objects or len(list(items(shape, "raw").texts.texts(MAX_LISTED + 1))) > MAX_LISTED:
            raise UnsupportedGrammar(
                "uniqueItems", path=plan.path, reason=f"a leading item has more than {MAX_LISTED} values"
            )
    return any(shape.arrays or shape.objects for shape in shapes)
