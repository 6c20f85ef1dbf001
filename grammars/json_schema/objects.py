"""What an object may be made of: declared members and regions of other keys, worked out from all layers together."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from slipform.errors import UnsupportedGrammar
from slipform.grammars.json_schema import strings, values
from slipform.grammars.json_schema.algebra import both_strings
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE,
    NOTHING,
    Clauses,
    Exists,
    Goal,
    ObjectAtom,
    ObjectLayer,
    StringAtom,
    all_of,
    not_,
)

if TYPE_CHECKING:
    from slipform.grammars.json_schema.expansion import Expander

MAX_REGIONS: Final = 64
_MANY_KEYS: Final = 1000


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys outside `names` that match every one of `patterns`, none of `not_patterns`, and one of `strings`."""

    names: frozenset[str]
    patterns: frozenset[str] = frozenset()
    not_patterns: frozenset[str] = frozenset()
    strings: tuple[StringAtom, ...] | None = None  # None: any string

    @property
    def is_simple(self) -> bool:
        """Any key but `names`."""
        return not self.patterns and not self.not_patterns and self.strings is None


@dataclass(frozen=True, slots=True)
class Region:
    """Keys that are not declared and share one goal. Between `min` and `max` members have a key in it."""

    keys: Keys
    goal: Goal
    min: int = 0
    max: int | None = None


@dataclass(slots=True)
class Plan:
    """The members of the objects of one atom. A plan with exists conditions stands for one way to meet them."""

    declared: dict[str, Goal]
    required: set[str]
    regions: list[Region]
    min: int
    max: int | None
    clauses: Clauses
    path: str
    broken: tuple[str, str] | None = field(default=None)  # set by the analysis: why no object satisfies the plan


def plans(expander: "Expander", atom: ObjectAtom) -> list[Plan]:
    """The plans whose union is `atom`; more than one only where it asks that some key exist."""
    names = _declared_names(atom)
    layers = atom.layers
    declared: dict[str, Goal] = {}
    if len(layers) == 1 and not layers[0].patterns and not atom.names:
        layer = layers[0]
        known = layer.properties
        declared = {name: known.get(name, layer.rest) for name in names}
    else:
        for name in names:
            goals = [goal for layer in layers for goal in values.layer_goals(layer, name)]
            declared[name] = all_of(*goals)
            if any(not values.admits(expander, expander.shape(goal), name) for goal in atom.names):
                declared[name] = FALSE
    regions = _regions(expander, atom, frozenset(names))
    base = Plan(declared, set(atom.required), regions, atom.min, atom.max, atom.clauses, atom.path)
    result = [base]
    for exists in atom.exists:
        result = [way for plan in result for way in _ways(expander, plan, exists)]
    return result


def _declared_names(atom: ObjectAtom) -> list[str]:
    """Every name that the atom speaks of, in the order in which it does."""
    names: dict[str, None] = {}
    for layer in atom.layers:
        names.update(dict.fromkeys(layer.properties))
    names.update(dict.fromkeys(atom.required))
    for when, then in atom.clauses:
        names.update(dict.fromkeys(sorted(when | then)))
    return list(names)


def _regions(expander: "Expander", atom: ObjectAtom, names: frozenset[str]) -> list[Region]:
    """The other keys, divided by the patterns that they match."""
    keys = Keys(names)
    for goal in atom.names:
        shape = expander.shape(goal)
        if shape.strings != ANYTHING.strings:
            keys = Keys(names, strings=_met(keys.strings, shape.strings))
    divided = [keys]
    patterns = dict.fromkeys(pattern for layer in atom.layers for pattern, _ in layer.patterns)
    for pattern in patterns:
        one = frozenset((pattern,))
        parts = []
        for keys in divided:
            parts.append(Keys(names, keys.patterns | one, keys.not_patterns, keys.strings))
            parts.append(Keys(names, keys.patterns, keys.not_patterns | one, keys.strings))
        divided = [keys for keys in parts if strings.keys_exist(keys)] if len(patterns) > 1 else parts
        if len(divided) > MAX_REGIONS:
            raise UnsupportedGrammar(
                "patternProperties",
                path=atom.path,
                reason=f"its patterns divide keys into more than {MAX_REGIONS} regions",
            )
    result = []
    for keys in divided:
        goal = all_of(*(goal for layer in atom.layers for goal in _goals_of_region(layer, keys)))
        if goal.shape is not NOTHING and (keys.is_simple or strings.keys_exist(keys)):
            result.append(Region(keys, goal, max=_capacity(keys) if atom.min else None))
    return result


def _capacity(keys: Keys) -> int | None:
    """How many different keys there are; None for (as good as) no bound."""
    if keys.is_simple:
        return None
    dfa = strings.decoded_keys(keys)
    if not dfa.is_finite:
        return None
    count = sum(1 for _ in dfa.texts(_MANY_KEYS))
    return count if count < _MANY_KEYS else None


def _met(a: tuple[StringAtom, ...] | None, b: tuple[StringAtom, ...]) -> tuple[StringAtom, ...]:
    if a is None:
        return b
    return tuple(atom for x in a for y in b if (atom := both_strings(x, y)) is not None)


def _goals_of_region(layer: ObjectLayer, keys: Keys) -> list[Goal]:
    return [goal for pattern, goal in layer.patterns if pattern in keys.patterns] or [layer.rest]


def _ways(expander: "Expander", plan: Plan, exists: Exists) -> list[Plan]:
    """The ways in which a member that `exists` asks for can be there: a declared one, or one of a region."""
    ways = []
    admitted = expander.shape(exists.key).strings
    for name, goal in plan.declared.items():
        if name in exists.names or not any(strings.admits(atom, name) for atom in admitted):
            continue
        declared = {**plan.declared, name: all_of(goal, exists.value)}
        way = Plan(declared, {*plan.required, name}, plan.regions, plan.min, plan.max, plan.clauses, plan.path)
        ways.append(way)
    for index, region in enumerate(plan.regions):
        keys = region.keys
        inside = Keys(keys.names | exists.names, keys.patterns, keys.not_patterns, _met(keys.strings, admitted))
        if not strings.keys_exist(inside):
            continue
        # With a value of its own, every key in there has it: fewer objects than asked for, and no wrong one.
        divided = [Region(inside, all_of(region.goal, exists.value), 1)]
        outside = expander.shape(not_(exists.key)).strings
        for rest in (
            Keys(keys.names | exists.names, keys.patterns, keys.not_patterns, _met(keys.strings, outside)),
            *(_only(keys, name) for name in sorted(exists.names - keys.names)),
        ):
            if strings.keys_exist(rest):
                divided.append(Region(rest, region.goal))
        regions = [*plan.regions[:index], *divided, *plan.regions[index + 1 :]]
        ways.append(Plan(plan.declared, plan.required, regions, plan.min, plan.max, plan.clauses, plan.path))
    return ways


def _only(keys: Keys, name: str) -> Keys:
    """The one key `name`, if `keys` has it."""
    listed = (StringAtom(allowed=frozenset((name,))),)
    return Keys(keys.names, keys.patterns, keys.not_patterns, _met(keys.strings, listed))
