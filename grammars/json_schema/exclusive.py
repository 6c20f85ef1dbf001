"""`oneOf`: the values in exactly one of several shapes, by taking from each what overlaps with the others.

Most alternatives of real schemas are disjoint, and seeing that is cheap: another type, another constant behind the same
required name. Only alternatives that may overlap are subtracted from one another.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

from slipform.errors import UnsupportedGrammar
from slipform.grammars.json_schema import numbers, strings
from slipform.grammars.json_schema.algebra import (
    Atom,
    both_arrays,
    both_numbers,
    both_objects,
    both_strings,
    complement,
    intersect,
)
from slipform.grammars.json_schema.expansion import Expander
from slipform.grammars.json_schema.keywords import KEYWORDS
from slipform.grammars.json_schema.reader import Json
from slipform.grammars.json_schema.schemas import Schema
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE_BIT,
    NOTHING,
    TRUE,
    TRUE_BIT,
    All,
    ArrayAtom,
    Beyond,
    Exists,
    Goal,
    Not,
    NumberAtom,
    ObjectAtom,
    ObjectLayer,
    Shape,
    StringAtom,
    all_of,
    not_,
)
from slipform.grammars.limits import Budget

MAX_PAIRS: Final = 20_000
"""Pairs of alternatives compared in one oneOf; beyond this it is refused unless a discriminating name divides them."""
MAX_PIECES: Final = 64
"""Pieces into which the alternatives of one oneOf may fall, shared among them; of more the simplest are kept."""
_MANY_PIECES: Final = 1_000
_DEPTH: Final = 3


_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "dependencies", "const", "enum", "default")
_ANNOTATIONS: Final = frozenset(keyword.name for keyword in KEYWORDS if keyword.kind == "annotation") - {"default"}


class Exclusion:
    """Answers whether alternatives overlap. `expander` is set before the first use: each needs the other."""

    def __init__(self, budget: Budget) -> None:
        self.expander: Expander
        self._budget = budget
        self._narrowed = False
        self._share = MAX_PIECES
        self._layers: dict[ObjectLayer, ObjectLayer] = {}
        self._ways: dict[ObjectAtom, tuple[ObjectAtom, ...]] = {}
        self._beyond: dict[Goal, Goal] = {}
        self._representatives: dict[Hashable, Goal] = {}

    def exactly_one(self, shapes: list[Shape], context: Shape, path: str) -> Shape:
        """The values of `context` in exactly one of `shapes`.

        The context is what the schema says beside its oneOf: what it requires often tells the alternatives apart.

        Raises: UnsupportedGrammar when there are too many alternatives to compare.
        """
        outer, self._narrowed = self._narrowed, any(shape.narrowed for shape in (context, *shapes))
        null = sum(shape.null for shape in shapes) == 1
        booleans = 0
        for bit in (TRUE_BIT, FALSE_BIT):
            if sum(bool(shape.booleans & bit) for shape in shapes) == 1:
                booleans |= bit
        result = Shape(
            null,
            booleans,
            self._numbers([shape.numbers for shape in shapes], path),
            self._strings([shape.strings for shape in shapes], path),
            self._each(
                [shape.arrays for shape in shapes],
                both_arrays,
                self._array_is_empty,
                lambda atom, others: intersect(Shape(arrays=(atom,)), complement(Shape(arrays=others))).arrays,
                path,
            ),
        )
        result = intersect(result, context)
        result = replace(result, objects=self._objects([shape.objects for shape in shapes], context.objects, path))
        result = replace(result, narrowed=True) if self._narrowed else result
        self._narrowed = outer  # an inner oneOf may have been worked out on the way
        return result

    def without_empty(self, shape: Shape) -> Shape:
        """`shape` without the objects' cases that are seen to be empty."""
        kept = tuple(atom for atom in shape.objects if not self._object_is_empty(atom))
        return shape if len(kept) == len(shape.objects) else replace(shape, objects=kept)

    def _numbers(self, groups: list[tuple[NumberAtom, ...]], path: str) -> tuple[NumberAtom, ...]:
        if all(atom.allowed is not None for atoms in groups for atom in atoms):
            counts = Counter(
                value for atoms in groups for value in frozenset().union(*(atom.allowed or () for atom in atoms))
            )
            once = frozenset(value for value, count in counts.items() if count == 1)
            whole = any(atom.whole for atoms in groups for atom in atoms)
            return (NumberAtom(allowed=once, whole=whole),) if once else ()
        return self._each(
            groups,
            both_numbers,
            lambda atom: not numbers.has_value(atom),
            lambda atom, others: intersect(Shape(numbers=(atom,)), complement(Shape(numbers=others))).numbers,
            path,
        )

    def _strings(self, groups: list[tuple[StringAtom, ...]], path: str) -> tuple[StringAtom, ...]:
        if all(atom.allowed is not None and not atom.is_regular for atoms in groups for atom in atoms):
            counts = Counter(
                text for atoms in groups for text in frozenset().union(*(atom.allowed or () for atom in atoms))
            )
            once = frozenset(text for text, count in counts.items() if count == 1)
            return (StringAtom(allowed=once, path=path),) if once else ()
        return self._each(
            groups,
            both_strings,
            lambda atom: not strings.has_text(atom),
            lambda atom, others: intersect(Shape(strings=(atom,)), complement(Shape(strings=others))).strings,
            path,
        )

    def _objects(
        self, groups: list[tuple[ObjectAtom, ...]], context: tuple[ObjectAtom, ...], path: str
    ) -> tuple[ObjectAtom, ...]:
        if not context:
            return ()
        groups = self._alike(groups)
        beside = Shape(objects=context)
        met = [intersect(beside, Shape(objects=atoms)).objects for atoms in groups]
        met = [tuple(atom for atom in atoms if not self._object_is_empty(atom)) for atoms in met]
        return self._each(met, both_objects, self._object_is_empty, self._object_without, path, groups)

    def _each(
        self,
        groups: list[tuple[Atom, ...]],
        both: Callable[[Atom, Atom], Atom | None],
        is_empty: Callable[[Atom], bool],
        without: Callable[[Atom, tuple[Atom, ...]], tuple[Atom, ...]],
        path: str,
        excluded: list[tuple[Atom, ...]] | None = None,
    ) -> tuple[Atom, ...]:
        """The atoms of each group outside all other groups; `excluded`: the groups without their context."""
        filled = [atoms for atoms in groups if atoms]
        if len(filled) < 2:
            return filled[0] if filled else ()
        outside = filled
        if excluded is not None:
            outside = [whole for whole, atoms in zip(excluded, groups, strict=True) if atoms]
        overlaps: list[set[int]] = [set() for _ in filled]
        for i, j in self._pairs(filled, path):
            if j in overlaps[i]:
                continue
            self._budget.check_time()
            if any((met := both(a, b)) is not None and not is_empty(met) for a in filled[i] for b in filled[j]):
                overlaps[i].add(j)
                overlaps[j].add(i)
        share = max(2, MAX_PIECES // len(filled))
        result: dict[Atom, None] = {}
        for atoms, others in zip(filled, overlaps, strict=True):
            for atom in atoms:
                remaining: list[Atom] = [atom]
                for other in sorted(others):
                    self._budget.check_time()
                    self._share = share  # an inner oneOf may have set it
                    pieces = dict.fromkeys(part for piece in remaining for part in without(piece, outside[other]))
                    remaining = [piece for piece in pieces if not is_empty(piece)]
                    if len(remaining) > share:
                        self._narrowed = True
                        remaining = sorted(remaining, key=_effort)[:share]
                result.update(dict.fromkeys(remaining))
        return tuple(result)

    def _pairs(self, groups: list[tuple[Atom, ...]], path: str) -> list[tuple[int, int]]:
        """The pairs of groups that may overlap, as far as one discriminating name tells."""
        n = len(groups)
        buckets: dict[str, list[int]] | None = None
        some: list[tuple[object, ...]] = list(groups)
        objects = [[atom for atom in atoms if isinstance(atom, ObjectAtom)] for atoms in some]
        if n > 2 and [len(atoms) for atoms in objects] == [len(atoms) for atoms in groups]:
            buckets = self._buckets(objects)
        if buckets is None:
            members = [list(range(n))]
        else:
            members = [sorted(set(indices)) for indices in buckets.values()]
        if sum(len(group) ** 2 for group in members) > 2 * MAX_PAIRS:
            raise UnsupportedGrammar("oneOf", path=path, reason=f"{n} alternatives that no common property tells apart")
        return sorted({(i, j) for group in members for i in group for j in group if i < j})

    def _buckets(self, groups: list[list[ObjectAtom]]) -> dict[str, list[int]] | None:
        """Groups by the constants behind a name that all of their atoms require; None if there is no such name."""
        for name in groups[0][0].required:
            buckets: dict[str, list[int]] = {}
            for index, atoms in enumerate(groups):
                for atom in atoms:
                    texts = self._constants(atom, name)
                    if texts is None:
                        break
                    for text in texts:
                        buckets.setdefault(text, []).append(index)
                else:
                    continue
                break
            else:
                return buckets
        return None

    def _constants(self, atom: ObjectAtom, name: str) -> frozenset[str] | None:
        """The strings that may stand behind the required `name`; None if they are not listed."""
        if name not in atom.required:
            return None
        for layer in atom.layers:
            goal = layer.properties.get(name)
            shape = self._known_shape(goal) if goal is not None else None
            if shape is not None and not (
                shape.null or shape.booleans or shape.numbers or shape.arrays or shape.objects
            ):
                listed = [string.allowed for string in shape.strings]
                if None not in listed:
                    return frozenset(text for texts in listed for text in texts or ())
        return None

    def _object_without(self, atom: ObjectAtom, others: tuple[ObjectAtom, ...]) -> tuple[ObjectAtom, ...]:
        """The objects of `atom` outside `others`. A way out that `atom` takes anyhow is the only one needed."""
        pieces: tuple[ObjectAtom, ...] = (atom,)
        for other in others:
            ways = self._ways.get(other)
            if ways is None:
                ways = tuple(map(self._leniently, complement(Shape(objects=(other,))).objects))
                self._ways[other] = ways
            result: dict[ObjectAtom, None] = {}
            for piece in pieces:
                if any(self._implies(piece, way) for way in ways):
                    result[piece] = None
                else:
                    result.update((met, None) for way in ways if (met := both_objects(piece, way)) is not None)
            pieces = _without_subsumed(tuple(result))
            if len(pieces) > self._share:
                self._narrowed = True
                pieces = tuple(sorted(pieces, key=_effort)[: self._share])
        return pieces

    def _leniently(self, way: ObjectAtom) -> ObjectAtom:
        """`way` with goals that may give up: of a way to be outside, less is still outside."""
        layers = []
        for layer in way.layers:
            properties = {
                name: self._beyond.setdefault(goal, Beyond(goal.part)) if type(goal) is Not else goal
                for name, goal in layer.properties.items()
            }
            layers.append(replace(layer, properties=properties))
        return replace(way, layers=tuple(layers))

    def _implies(self, atom: ObjectAtom, way: ObjectAtom) -> bool:
        """Whether every object of `atom` is seen to be one of `way`."""
        if way.min > atom.min or way.max is not None or way.names:
            return False
        if not set(way.required) <= set(atom.required):
            return False
        for layer in way.layers:
            if layer.patterns or layer.rest is not TRUE:
                return False
            for name, goal in layer.properties.items():
                if not self._is_empty(all_of(*_goals(atom, name), not_(goal)), _DEPTH):
                    return False
        for when, then in way.clauses:
            if then & set(atom.required):
                continue
            if not any(self._is_empty(all_of(*_goals(atom, name)), _DEPTH) for name in when):
                return False
        for exists in way.exists:
            if exists.value is not TRUE or not any(self._has_key(exists, name) for name in atom.required):
                return False
        return True

    def _has_key(self, exists: Exists, name: str) -> bool:
        shape = self._known_shape(exists.key)
        return (
            shape is not None and name not in exists.names and any(strings.admits(atom, name) for atom in shape.strings)
        )

    def _alike(self, groups: list[tuple[ObjectAtom, ...]]) -> list[tuple[ObjectAtom, ...]]:
        """The same atoms, with schemas that say the same word for word made the same goal, so that they cancel out."""
        if sum(map(len, groups)) < 2:
            return groups
        return [
            tuple(replace(atom, layers=tuple(map(self._alike_layer, atom.layers))) for atom in group)
            for group in groups
        ]

    def _alike_layer(self, layer: ObjectLayer) -> ObjectLayer:
        known = self._layers.get(layer)
        if known is None:
            properties = {name: self._alike_goal(goal) for name, goal in layer.properties.items()}
            known = self._layers[layer] = replace(layer, properties=properties)
        return known

    def _alike_goal(self, goal: Goal) -> Goal:
        if not isinstance(goal, Schema):
            return goal
        key = (skeleton(goal.schema), goal.resource, goal.scope)
        return self._representatives.setdefault(key, goal)

    # Emptiness, as far as it shows at once; False when in doubt ------------------------------------------------------

    def _known_shape(self, goal: Goal) -> Shape | None:
        """The shape of `goal`, unless it is being worked out right now or has too many cases."""
        try:
            return self.expander.shape(goal)
        except UnsupportedGrammar:
            return None

    def _is_empty(self, goal: Goal, depth: int) -> bool:
        if goal is TRUE or depth == 0:
            return False
        if isinstance(goal, All) and any(part in self.expander.expanding for part in goal.parts):
            return False
        shape = self._known_shape(goal)
        if shape is None or shape is ANYTHING:
            return False
        if shape is NOTHING:
            return True
        if shape.narrowed:
            return False
        if shape.null or shape.booleans or any(map(numbers.has_value, shape.numbers)):
            return False
        return (
            not any(map(strings.has_text, shape.strings))
            and all(self._array_is_empty(atom, depth - 1) for atom in shape.arrays)
            and all(self._object_is_empty(atom, depth - 1) for atom in shape.objects)
        )

    def _array_is_empty(self, atom: ArrayAtom, depth: int = _DEPTH) -> bool:
        for index in range(min(atom.min, 8)):
            goals = [layer.prefix[index] if index < len(layer.prefix) else layer.rest for layer in atom.layers]
            if self._is_empty(all_of(*goals), depth):
                return True
        return False

    def _object_is_empty(self, atom: ObjectAtom, depth: int = _DEPTH) -> bool:
        for name in atom.required:
            goals = _goals(atom, name)
            if len(goals) == 1 and depth < _DEPTH and goals[0].shape is None:
                continue  # one schema alone: its author meant it to be satisfiable
            if self._is_empty(all_of(*goals), depth):
                return True
        return False


def _effort(atom: NumberAtom | StringAtom | ArrayAtom | ObjectAtom) -> int:
    """How much an atom asks for: pieces that ask for little are worth keeping."""
    if isinstance(atom, ObjectAtom):
        return len(atom.required) + len(atom.clauses) + 2 * len(atom.exists)
    return len(atom.contains) if isinstance(atom, ArrayAtom) else 0


def _without_subsumed(pieces: tuple[ObjectAtom, ...]) -> tuple[ObjectAtom, ...]:
    """The pieces that ask for nothing beyond what another one asks for are enough."""
    if not 1 < len(pieces) <= _MANY_PIECES:
        return pieces
    demands = [
        frozenset((*piece.layers, *piece.required, *piece.clauses, *piece.exists, *piece.names, piece.min, piece.max))
        for piece in pieces
    ]
    return tuple(
        piece
        for index, piece in enumerate(pieces)
        if not any(demands[other] < demands[index] for other in range(len(pieces)))
    )


def _goals(atom: ObjectAtom, name: str) -> list[Goal]:
    """What the layers of `atom` ask of the member `name`, patterns aside."""
    goals = []
    for layer in atom.layers:
        if name in layer.properties:
            goals.append(layer.properties[name])
        elif not layer.patterns:
            goals.append(layer.rest)
    return goals


def skeleton(schema: Json) -> Hashable:
    """Equal for schemas that say the same apart from annotations."""
    if isinstance(schema, dict):
        return frozenset(
            (keyword, _members(value) if keyword in _MAPS else skeleton(value))
            for keyword, value in schema.items()
            if keyword not in _ANNOTATIONS
        )
    if isinstance(schema, list):
        return tuple(map(skeleton, schema))
    return (type(schema), schema)


def _members(value: Json) -> Hashable:
    if isinstance(value, dict):
        return tuple((name, skeleton(child)) for name, child in value.items())
    return skeleton(value)
