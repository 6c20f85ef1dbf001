"""Shapes: sets of JSON values as a union, type by type, of conjunctions of constraints.

A `Shape` is in disjunctive normal form: for each of the six types a tuple of *atoms*, each a conjunction of constraints
on values of that type. Shapes are closed under intersection, union and complement. What an atom says about the values
inside an array or object is a `Goal`, which has a shape of its own that is worked out only when it is needed, so that
recursive schemas stay finite.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

Number = int | Fraction
Clauses = tuple[tuple[frozenset[str], frozenset[str]], ...]

TRUE_BIT, FALSE_BIT = 1, 2


class Goal:
    """What one value must satisfy. Subclasses say it; the shape is filled in by `expansion.Expander.shape`.

    Attributes:
        shape: None until it was needed.
        path: JSON pointer of the schema that says it, for errors.
        productive: whether any finite value satisfies it; None until it is known. `reason` says why none does.
    """

    __slots__ = ("combinations", "negation", "path", "productive", "reason", "shape")

    def __init__(self, path: str, shape: "Shape | None" = None) -> None:
        self.path = path
        self.shape = shape
        self.productive: bool | None = None
        self.reason: tuple[str, str] | None = None
        # What was made of this goal: equal combinations are the same goal, or recursion would not end.
        self.negation: Goal | None = None
        self.combinations: dict[tuple[type, tuple[Goal, ...]], Goal] | None = None


class All(Goal):
    """Every one of `parts`."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Goal, ...]) -> None:
        super().__init__(parts[0].path)
        self.parts = parts


class Some(Goal):
    """At least one of `parts`."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Goal, ...]) -> None:
        super().__init__(parts[0].path)
        self.parts = parts


class Not(Goal):
    """What does not satisfy `part`."""

    __slots__ = ("part",)

    def __init__(self, part: Goal) -> None:
        super().__init__(part.path)
        self.part = part


class Beyond(Not):
    """As `Not`, but nothing at all where the complement has too many cases: for places where less is still right."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NumberAtom:
    """Numbers between the bounds that are multiples of `step` and of none of `not_steps`.

    `allowed` (None: no list) replaces all the other constraints once it is set, but for `whole`. `excluded` is checked
    always. `whole` is about the text: no point and no exponent, as draft-04 asks of integers. It is never
    negated: outside of such numbers are only those with another value.
    """

    low: Number | None = None
    high: Number | None = None
    low_open: bool = False
    high_open: bool = False
    step: Number | None = None
    not_steps: tuple[Number, ...] = ()
    allowed: frozenset[Number] | None = None
    excluded: frozenset[Number] = frozenset()
    whole: bool = False

    def holds(self, value: Number) -> bool:
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        if self.high is not None and (value > self.high or (self.high_open and value == self.high)):
            return False
        if self.step is not None and Fraction(value) % self.step != 0:
            return False
        if any(Fraction(value) % step == 0 for step in self.not_steps):
            return False
        return (self.allowed is None or value in self.allowed) and value not in self.excluded


@dataclass(frozen=True, slots=True)
class StringAtom:
    """Strings of `min` to `max` characters that match every pattern and format, and none of the negated ones.

    Patterns search, as ECMA-262 `RegExp.test` does.
    """

    min: int = 0
    max: int | None = None
    patterns: frozenset[str] = frozenset()
    not_patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    not_formats: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    path: str = field(default="", compare=False)

    @property
    def is_regular(self) -> bool:
        """Whether it takes more than counting characters to check."""
        return bool(self.patterns or self.not_patterns or self.formats or self.not_formats or self.excluded)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayLayer:
    """One schema's view of the items: `prefix` by position, `rest` for those behind.

    `prefix_annotates` counts the leading items that this layer evaluates, None for all (for unevaluatedItems).
    """

    prefix: tuple[Goal, ...]
    rest: Goal
    annotates: int | None = 0


@dataclass(frozen=True, slots=True)
class Contains:
    """Between `min` and `max` (None: no bound) of the items from position `start` on satisfy `goal`."""

    goal: Goal
    min: int
    max: int | None
    start: int = 0
    annotates: bool = False


@dataclass(frozen=True, slots=True)
class ArrayAtom:
    """Arrays of `min` to `max` items that satisfy every layer and every `contains`."""

    layers: tuple[ArrayLayer, ...] = ()
    min: int = 0
    max: int | None = None
    contains: tuple[Contains, ...] = ()
    unique: bool = False
    not_unique: bool = False
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectLayer:
    """One schema's view of the members: by name, else by every matching pattern, and `rest` where neither applies.

    Attributes:
        evaluates_rest: the layer evaluates every key (additionalProperties or unevaluatedProperties was given).
        annotates: the layer counts for unevaluatedProperties (not so below `not`).
    """

    properties: dict[str, Goal]
    patterns: tuple[tuple[str, Goal], ...]
    rest: Goal
    evaluates_rest: bool = False
    annotates: bool = True


@dataclass(frozen=True, slots=True)
class Exists:
    """Some member has a key that `key` admits (a goal on strings), that is none of `names`, and a value of `value`.

    `none` is the opposite: the atom of the objects without such a member.
    """

    key: Goal
    names: frozenset[str]
    value: Goal
    none: "ObjectAtom" = field(compare=False)


@dataclass(frozen=True, slots=True)
class ObjectAtom:
    """Objects that satisfy every layer.

    Attributes:
        required: names in the order in which the schema gives them.
        names: goals that every key satisfies, as a string.
        clauses: (when, then): if all of `when` are present, one of `then` is.
    """

    layers: tuple[ObjectLayer, ...] = ()
    required: tuple[str, ...] = ()
    min: int = 0
    max: int | None = None
    names: tuple[Goal, ...] = ()
    clauses: Clauses = ()
    exists: tuple[Exists, ...] = ()
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A set of JSON values; see the module.

    `narrowed`: some values that the schema admits were left out, because telling all of them apart would take too many
    cases. Nothing may be concluded from their absence, so such a shape has no complement.
    """

    null: bool = False
    booleans: int = 0
    numbers: tuple[NumberAtom, ...] = ()
    strings: tuple[StringAtom, ...] = ()
    arrays: tuple[ArrayAtom, ...] = ()
    objects: tuple[ObjectAtom, ...] = ()
    narrowed: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is left, as far as can be told without looking into items and members."""
        return not (self.null or self.booleans or self.numbers or self.strings or self.arrays or self.objects)


FULL_NUMBER: Final = NumberAtom()
INTEGER: Final = NumberAtom(step=1)
WHOLE_INTEGER: Final = NumberAtom(step=1, whole=True)
FULL_STRING: Final = StringAtom()
FULL_ARRAY: Final = ArrayAtom()
FULL_OBJECT: Final = ObjectAtom()
ANYTHING: Final = Shape(True, 3, (FULL_NUMBER,), (FULL_STRING,), (FULL_ARRAY,), (FULL_OBJECT,))
NOTHING: Final = Shape()
TRUE: Final = Goal("", ANYTHING)
FALSE: Final = Goal("", NOTHING)


def all_of(*goals: Goal) -> Goal:
    """Every one of `goals`. Order is kept and repetitions are dropped."""
    parts: dict[Goal, None] = {}
    for goal in goals:
        if goal.shape is NOTHING:
            return goal
        if isinstance(goal, All):
            parts.update(dict.fromkeys(goal.parts))
        elif goal.shape is not ANYTHING:
            parts[goal] = None
    if any(isinstance(goal, Not) and goal.part in parts for goal in parts):
        return FALSE
    return _combined(All, tuple(parts)) if parts else TRUE


def some_of(*goals: Goal) -> Goal:
    """At least one of `goals`."""
    parts: dict[Goal, None] = {}
    for goal in goals:
        if goal.shape is ANYTHING:
            return TRUE
        if isinstance(goal, Some):
            parts.update(dict.fromkeys(goal.parts))
        elif goal.shape is not NOTHING:
            parts[goal] = None
    return _combined(Some, tuple(parts)) if parts else FALSE


def not_(goal: Goal) -> Goal:
    """What does not satisfy `goal`."""
    if goal.shape is ANYTHING:
        return FALSE
    if goal.shape is NOTHING:
        return TRUE
    if isinstance(goal, Not):
        return goal.part
    if goal.negation is None:
        goal.negation = Not(goal)
    return goal.negation


def _combined(kind: type[All] | type[Some], parts: tuple[Goal, ...]) -> Goal:
    first = parts[0]
    if len(parts) == 1:
        return first
    if first.combinations is None:
        first.combinations = {}
    key = (kind, parts)
    goal = first.combinations.get(key)
    if goal is None:
        goal = first.combinations[key] = kind(parts)
    return goal
