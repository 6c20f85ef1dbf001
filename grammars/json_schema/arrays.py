"""What an array may be made of: the goals of its positions, and what contains and uniqueItems ask of all."""

from dataclasses import dataclass

from slipform.errors import UnsupportedGrammar
from slipform.grammars.json_schema.shapes import FALSE, NOTHING, ArrayAtom, Contains, Goal, all_of, not_

MAX_CONTAINS = 4


@dataclass(slots=True)
class ArrayPlan:
    """The arrays of one atom.

    Attributes:
        prefix: goals of the leading positions. `rest`: the goal of every later one.
        horizon: from this position on, all positions are alike.
    """

    prefix: tuple[Goal, ...]
    rest: Goal
    min: int
    max: int | None
    contains: tuple[Contains, ...]
    unique: bool
    not_unique: bool
    horizon: int
    path: str

    def goal(self, index: int) -> Goal:
        """What the item at `index` must satisfy, `contains` aside."""
        return self.prefix[index] if index < len(self.prefix) else self.rest

    def found(self, index: int, contains: Contains) -> Goal:
        """The item at `index` when it counts for `contains`."""
        return all_of(self.goal(index), contains.goal)

    def passed(self, index: int, contains: Contains) -> Goal:
        """The item at `index` when it does not count for `contains`."""
        return all_of(self.goal(index), not_(contains.goal))

    def cases(self, index: int) -> list[tuple[tuple[bool, ...], Goal]]:
        """The ways in which the item at `index` can count for each `contains`, with the goal of each way."""
        result: list[tuple[tuple[bool, ...], Goal]] = [((), self.goal(index))]
        for contains in self.contains:
            divided = []
            for counted, goal in result:
                if index >= contains.start:
                    divided.append(((*counted, True), all_of(goal, contains.goal)))
                divided.append(
                    ((*counted, False), goal if index < contains.start else all_of(goal, not_(contains.goal)))
                )
            result = divided
        return [(counted, goal) for counted, goal in result if goal.shape is not NOTHING]

    def children(self) -> list[Goal]:
        """Every goal that an item may be asked to satisfy."""
        stop = self.horizon + 1 if self.max is None else min(self.horizon + 1, self.max)
        return [goal for index in range(stop) for _, goal in self.cases(index)]


def array_plan(atom: ArrayAtom) -> ArrayPlan:
    """All layers of `atom` seen together.

    Raises: UnsupportedGrammar for more than `MAX_CONTAINS` contains.
    """
    if len(atom.contains) > MAX_CONTAINS:
        raise UnsupportedGrammar("contains", path=atom.path, reason=f"more than {MAX_CONTAINS} of them meet here")
    length = max((len(layer.prefix) for layer in atom.layers), default=0)
    if atom.max is not None:
        length = min(length, atom.max)
    prefix = tuple(
        all_of(*(layer.prefix[index] if index < len(layer.prefix) else layer.rest for layer in atom.layers))
        for index in range(length)
    )
    rest = all_of(*(layer.rest for layer in atom.layers))
    if atom.max is not None and length == atom.max:
        rest = FALSE
    maximum = length if rest is FALSE or rest.shape is NOTHING else atom.max
    horizon = max([length, *(contains.start for contains in atom.contains)])
    unique = atom.unique and (maximum is None or maximum > 1)
    return ArrayPlan(prefix, rest, atom.min, maximum, atom.contains, unique, atom.not_unique, horizon, atom.path)
