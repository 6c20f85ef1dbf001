"""uniqueItems: items are told apart by their bytes, so each value has one spelling in such an array.

A scalar has such a spelling always. An array or object has one where its texts make an automaton of moderate size:
members in the order declared, at most one that is not declared, a bounded depth. Beyond that, objects that all require
the same scalar member are told apart by it, and at last one container may stand among scalars.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from slipform.errors import GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.dfa import (
    Dfa,
    any_text,
    concatenation,
    empty,
    epsilon,
    literal,
    literals,
    repetition,
    routes,
    union,
)
from slipform.grammars.json_schema import numbers, strings
from slipform.grammars.json_schema.arrays import ArrayPlan
from slipform.grammars.json_schema.free_members import free_members
from slipform.grammars.json_schema.objects import Plan
from slipform.grammars.json_schema.shapes import ANYTHING, FALSE_BIT, NOTHING, TRUE_BIT, ArrayAtom, Goal, Shape

if TYPE_CHECKING:
    from slipform.grammars.json_schema.analysis import Analysis

Escapes = Literal["raw", "ascii"]

MAX_DEPTH: Final = 3
"""Containers within containers of one item."""
MAX_LISTED: Final = 64
"""Values of a leading item that may equal another one; they are told apart one by one."""
_MAX_WAYS: Final = 500  # combinations of such values
_MAX_STATES: Final = 3_000
_MAX_MEMBERS: Final = 16
_MAX_COUNTED_MEMBERS: Final = 6
_MAX_COPIES: Final = 32


@dataclass(frozen=True, slots=True)
class Style:
    """How one array and all that is in it is written: strings as UTF-8 or in ASCII, with or without spaces."""

    escapes: Escapes
    separator: bytes
    assign: bytes


def styles(whitespace: Literal["flexible", "compact"]) -> list[Style]:
    """The ways to write an array."""
    marks = [(b",", b":"), (b", ", b": ")] if whitespace == "flexible" else [(b",", b":")]
    escapes: tuple[Escapes, Escapes] = ("raw", "ascii")
    return [Style(one, separator, assign) for one in escapes for separator, assign in marks]


class Canonical:
    """Texts in one style, one for each value."""

    def __init__(self, analysis: "Analysis", style: Style) -> None:
        self._analysis = analysis
        self.style = style
        self._known: dict[tuple[int, int], tuple[Shape, Dfa]] = {}

    def shape_of(self, goal: Goal) -> Shape:
        """What an item may be; nothing where no value satisfies `goal`."""
        return self._analysis.expander.shape(goal) if self._analysis.productive(goal) else NOTHING

    def scalars(self, shape: Shape) -> Dfa:
        """The scalars of `shape`, all of them."""
        return _scalars(shape, self.style)

    def containers(self, shape: Shape, depth: int = MAX_DEPTH) -> Dfa:
        """Some of the arrays and objects of `shape`: those that an automaton can tell apart."""
        return union([self.arrays(shape, depth), self.objects(shape, depth)])

    def arrays(self, shape: Shape, depth: int = MAX_DEPTH) -> Dfa:
        """As `containers`."""
        if shape is ANYTHING:
            return _any_arrays(self.style, depth)
        return _joined(self._array(atom, depth - 1) for atom in shape.arrays) if depth else empty()

    def objects(self, shape: Shape, depth: int = MAX_DEPTH) -> Dfa:
        """As `containers`."""
        if shape is ANYTHING:
            return _any_objects(self.style, depth)
        plan = self.only_plan(shape)
        return _joined(self._object(one, depth - 1) for one in [plan] if one is not None) if depth else empty()

    def only_plan(self, shape: Shape) -> Plan | None:
        """The plan of all objects of `shape`, if there is exactly one."""
        analysis = self._analysis
        plans = [plan for atom in shape.objects for plan in analysis.object_plans(atom)]
        plans = [plan for plan in plans if analysis.object_fault(plan) is None]
        return plans[0] if len(plans) == 1 else None

    def key(self, name: str) -> bytes:
        """A member's name as it is written."""
        return json.dumps(name, ensure_ascii=self.style.escapes == "ascii").encode("utf-8", "surrogatepass")

    def _value(self, goal: Goal, depth: int) -> Dfa:
        shape = self.shape_of(goal)
        key = (id(shape), depth)
        known = self._known.get(key)
        if known is None:
            dfa = union([self.scalars(shape), self.containers(shape, depth)])
            if dfa.num_states > _MAX_STATES:
                raise GrammarTooLarge("states", _MAX_STATES)
            known = self._known[key] = (shape, dfa)
        return known[1]

    def _array(self, atom: ArrayAtom, depth: int) -> Dfa:
        """The arrays of `atom`, or those of few items where it admits many."""
        plan = self._analysis.array_plan(atom)
        first = len(plan.prefix)
        if plan.unique or plan.contains or max(first, plan.min) > _MAX_COPIES:
            return empty()
        if self._analysis.array_fault(atom) is not None:
            return empty()
        longest = self._analysis.longest(plan)
        loops = longest is None
        last = max(first, plan.min, 1) if longest is None else min(longest, _MAX_COPIES)
        # Place 1 + k stands behind k items; the places behind separators come after them.
        behind_separator, end = last + 1, 2 * last + 2
        separator = literal(self.style.separator)
        edges: list[tuple[int, Dfa, int]] = [(0, literal(b"["), 1)]
        for index in range(last + loops):
            item = self._value(plan.goal(index), depth)
            before = index + 1
            if index:
                before = behind_separator + index
                edges.append((index + 1, separator, before))
            edges.append((before, item, min(index + 1, last) + 1))
        edges += [(count + 1, literal(b"]"), end) for count in range(plan.min, last + 1)]
        return routes(end + 1, edges)

    def _object(self, plan: Plan, depth: int) -> Dfa:
        """Objects with their members in the order of the plan, and at most one of no declared name behind them."""
        counted = plan.min > len(plan.required) or plan.max is not None
        if plan.clauses or any(region.min for region in plan.regions):
            return empty()
        if len(plan.declared) > (_MAX_COUNTED_MEMBERS if counted else _MAX_MEMBERS):
            return empty()
        style = self.style
        members = [
            (self.key(name) + style.assign, self._value(goal, depth), name in plan.required)
            for name, goal in plan.declared.items()
            if self._analysis.productive(goal)
        ]
        others = [
            (strings.quoted(strings.decoded_keys(region.keys), style.escapes) + literal(style.assign), region.goal)
            for region in plan.regions
            if self._analysis.productive(region.goal)
        ]
        # A place stands before each member, and behind the last, for each number of members written so far (or only
        # for none and some); between key and value there is one more.
        last = len(members)
        counts = last + 2 if counted else 2
        places = {(index, count): index * counts + count + 1 for index in range(last + 2) for count in range(counts)}
        edges: list[tuple[int, Dfa, int]] = [(0, literal(b"{"), places[0, 0])]
        moves: list[tuple[int, int]] = []
        num_places = 1 + len(places)
        for index in range(last + 1):
            for count in range(min(index, counts - 1) + 1):
                begin, separator = places[index, count], style.separator if count else b""
                after = places[index + 1, min(count + 1, counts - 1)]
                if index < last:
                    name, item, _ = members[index]
                    ways = [(literal(separator + name), item)]
                else:
                    ways = [
                        (literal(separator) + key if separator else key, self._value(goal, depth))
                        for key, goal in others
                    ]
                for key, value in ways:
                    between = num_places
                    num_places += 1
                    edges += [(begin, key, between), (between, value, after)]
                if index == last or not members[index][2]:
                    moves.append((begin, places[index + 1, count]))
        end = num_places
        edges += [
            (places[last + 1, count], literal(b"}"), end)
            for count in range(counts)
            if not counted or (count >= plan.min and (plan.max is None or count <= plan.max))
        ]
        return routes(end + 1, edges, moves)


def _scalars(shape: Shape, style: Style) -> Dfa:
    listed = [b"null"] if shape.null else []
    listed += [b"true"] if shape.booleans & TRUE_BIT else []
    listed += [b"false"] if shape.booleans & FALSE_BIT else []
    parts = [literals(listed)] if listed else []
    parts += [numbers.number_dfa(atom, "canonical") for atom in shape.numbers]
    parts += [strings.quoted(strings.decoded(atom), style.escapes) for atom in shape.strings]
    return union(parts)


@lru_cache(maxsize=16)
def _any_value(style: Style, depth: int) -> Dfa:
    """Values of any type, containers of at most `depth` levels among them: objects of one member at most."""
    return union([_scalars(ANYTHING, style), _any_arrays(style, depth), _any_objects(style, depth)])


@lru_cache(maxsize=16)
def _any_arrays(style: Style, depth: int) -> Dfa:
    if depth == 0:
        return empty()
    item = _any_value(style, depth - 1)
    items = item + repetition(literal(style.separator) + item, 0, None)
    return concatenation([literal(b"["), items | epsilon(), literal(b"]")])


@lru_cache(maxsize=16)
def _any_objects(style: Style, depth: int) -> Dfa:
    if depth == 0:
        return empty()
    key = strings.quoted(any_text(), style.escapes)
    member = concatenation([key, literal(style.assign), _any_value(style, depth - 1)])
    if depth == MAX_DEPTH:
        member = member | free_members(key, style.assign, _any_value(style, 0), style.separator)
    return concatenation([literal(b"{"), member | epsilon(), literal(b"}")])


def _joined(automata: Iterator[Dfa]) -> Dfa:
    """The union of automata of moderate size; nothing where they grow beyond it."""
    try:
        joined = union(automata)
    except (GrammarTooLarge, UnsupportedGrammar):
        return empty()
    return joined if joined.num_states <= _MAX_STATES else empty()


@dataclass(frozen=True, slots=True)
class Leader:
    """Objects that are told apart by the member written first: `text` up to the end of its value.

    Attributes:
        name: of that member, a required scalar.
        plan: of the objects.
    """

    text: Dfa
    name: str
    plan: Plan


def leader(canonical: Canonical, shape: Shape) -> Leader | None:
    """How the objects of `shape` can be told apart by one member; None if they cannot."""
    plan = canonical.only_plan(shape)
    if plan is None or plan.clauses or any(region.min for region in plan.regions):
        return None
    for name, goal in plan.declared.items():
        if name in plan.required:
            value = canonical.shape_of(goal)
            if not value.arrays and not value.objects:
                begun = literal(b"{" + canonical.key(name) + canonical.style.assign)
                return Leader(begun + canonical.scalars(value), name, plan)
    return None


def free_positions(canonical: Canonical, plan: ArrayPlan) -> set[int]:
    """Leading positions whose items cannot equal those of any other position."""
    shapes = [canonical.shape_of(goal) for goal in (*plan.prefix, plan.rest)]
    last = len(shapes) - 1
    return {
        index
        for index in range(last)
        if all(_disjoint(canonical, shapes[index], other) for at, other in enumerate(shapes) if at != index)
    }


def _disjoint(canonical: Canonical, a: Shape, b: Shape) -> bool:
    if (a.arrays and b.arrays) or (a.objects and b.objects):
        return False
    return (canonical.scalars(a) & canonical.scalars(b)).is_empty


def check(analysis: "Analysis", plan: ArrayPlan) -> None:
    """Raises: UnsupportedGrammar for items that cannot be told apart."""
    if plan.contains and (len(plan.contains) > 1 or plan.horizon > 0):
        raise UnsupportedGrammar(
            "uniqueItems", path=plan.path, reason="it stands beside several contains, or one with leading items"
        )
    for goal in (*plan.prefix, plan.rest):
        for string in analysis.expander.shape(goal).strings:
            if string.is_regular:
                strings.decoded(string)  # raises for one that takes a counter of characters
    canonical = Canonical(analysis, styles("compact")[0])
    if not _can_be_listed(canonical, plan, free_positions(canonical, plan)):
        raise UnsupportedGrammar(
            "uniqueItems", path=plan.path, reason="a leading item may equal another one in too many ways"
        )


def _can_be_listed(canonical: Canonical, plan: ArrayPlan, free: set[int]) -> bool:
    """Whether the leading items that may equal others are few enough to go through all their values."""
    ways = 1
    for index, goal in enumerate(plan.prefix):
        if index not in free:
            shape = canonical.shape_of(goal)
            listed = sum(1 for _ in canonical.scalars(shape).texts(MAX_LISTED + 1))
            ways *= listed
            if shape.arrays or shape.objects or listed > MAX_LISTED or ways > _MAX_WAYS:
                return False
    return True


def shortage(analysis: "Analysis", plan: ArrayPlan) -> tuple[str, str] | None:
    """Why the items of `plan` are too few to be all different; None if they are not, or if `check` will refuse it."""
    canonical = Canonical(analysis, styles("compact")[0])
    enough = True
    if plan.prefix:
        free = free_positions(canonical, plan)
        if plan.min > 1 and _can_be_listed(canonical, plan, free):
            enough = _has_enough(canonical, plan, free, 0, frozenset())
    elif plan.contains:
        contains = plan.contains[0]
        found, passed = canonical.shape_of(plan.found(0, contains)), canonical.shape_of(plan.passed(0, contains))
        most = plan.min if contains.max is None else contains.max
        counted = _told_apart(canonical, found, max(plan.min, contains.min))
        enough = counted >= contains.min
        enough = enough and min(counted, most) + _told_apart(canonical, passed, plan.min) >= plan.min
    elif plan.min > 1:
        enough = _capacity(canonical, canonical.shape_of(plan.rest), frozenset(), plan.min) >= plan.min
    return None if enough else (plan.path, "there are too few different items that can be told apart")


def _told_apart(canonical: Canonical, shape: Shape, wanted: int) -> int:
    """How many items have a spelling of their own, counted up to `wanted`."""
    return sum(1 for _ in union([canonical.scalars(shape), canonical.containers(shape)]).texts(wanted))


def _capacity(canonical: Canonical, shape: Shape, used: frozenset[bytes], wanted: int) -> int:
    """How many different items there are, counted up to `wanted`."""
    count = sum(1 for text in canonical.scalars(shape).texts(wanted + len(used)) if text not in used)
    if count >= wanted or not (shape.arrays or shape.objects):
        return count
    objects = canonical.objects(shape)
    if objects.is_empty:
        led = leader(canonical, shape)
        objects = led.text if led is not None else objects
    containers = sum(sum(1 for _ in dfa.texts(wanted)) for dfa in (canonical.arrays(shape), objects))
    return count + max(1, containers)


def _has_enough(canonical: Canonical, plan: ArrayPlan, free: set[int], index: int, used: frozenset[bytes]) -> bool:
    """Whether the items from `index` on, as far as there must be any, can differ from one another and from `used`."""
    if index >= plan.min:
        return True
    shape = canonical.shape_of(plan.goal(index))
    if index >= len(plan.prefix):
        return _capacity(canonical, shape, used, plan.min - index) >= plan.min - index
    if index in free:
        return _has_enough(canonical, plan, free, index + 1, used)
    return any(
        _has_enough(canonical, plan, free, index + 1, used | {text})
        for text in canonical.scalars(shape).texts(MAX_LISTED)
        if text not in used
    )
