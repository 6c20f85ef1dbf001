"""Intersection, union and complement of shapes."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import lcm
from typing import Final, TypeVar

from slipform.errors import UnsupportedGrammar
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE,
    FULL_ARRAY,
    FULL_NUMBER,
    FULL_OBJECT,
    FULL_STRING,
    NOTHING,
    TRUE,
    ArrayAtom,
    ArrayLayer,
    Contains,
    Exists,
    Goal,
    Number,
    NumberAtom,
    ObjectAtom,
    ObjectLayer,
    Shape,
    StringAtom,
    all_of,
    not_,
)

MAX_ATOMS: Final = 4096
"""Atoms of one type in one shape. A schema that needs more is refused: it would take as long at every token."""

# Intersection --------------------------------------------------------------------------------------------------------

Atom = TypeVar("Atom", NumberAtom, StringAtom, ArrayAtom, ObjectAtom)


def intersect(a: Shape, b: Shape) -> Shape:
    """The values in both."""
    if a is ANYTHING or a is b:
        return b
    if b is ANYTHING:
        return a
    return Shape(
        a.null and b.null,
        a.booleans & b.booleans,
        _meet(a.numbers, b.numbers, FULL_NUMBER, both_numbers),
        _meet(a.strings, b.strings, FULL_STRING, both_strings),
        _meet(a.arrays, b.arrays, FULL_ARRAY, both_arrays),
        _meet(a.objects, b.objects, FULL_OBJECT, both_objects),
        a.narrowed or b.narrowed,
    )


def _meet(
    a: tuple[Atom, ...], b: tuple[Atom, ...], full: Atom, both: Callable[[Atom, Atom], Atom | None]
) -> tuple[Atom, ...]:
    if not a or not b:
        return ()
    if len(a) == 1 and a[0] is full:
        return b
    if len(b) == 1 and b[0] is full:
        return a
    if len(a) * len(b) > MAX_ATOMS:
        path = next((atom.path for atom in (*a, *b) if not isinstance(atom, NumberAtom) and atom.path), "/")
        raise UnsupportedGrammar(
            "the combination of alternatives", path=path, reason=f"it has more than {MAX_ATOMS} cases"
        )
    met = [atom for x in a for y in b if (atom := x if x is y else both(x, y)) is not None]
    return tuple(dict.fromkeys(met)) if len(met) > 1 else tuple(met)


def both_numbers(a: NumberAtom, b: NumberAtom) -> NumberAtom | None:
    if a.allowed is not None or b.allowed is not None:
        source = a.allowed if a.allowed is not None else b.allowed
        kept = frozenset(value for value in source or () if a.holds(value) and b.holds(value))
        return NumberAtom(allowed=kept, whole=a.whole or b.whole) if kept else None
    low, low_open = _tighter(a.low, a.low_open, b.low, b.low_open, lower=True)
    high, high_open = _tighter(a.high, a.high_open, b.high, b.high_open, lower=False)
    if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
        return None
    step = a.step if b.step is None else b.step if a.step is None else _common_multiple(a.step, b.step)
    not_steps = tuple(dict.fromkeys(a.not_steps + b.not_steps))
    if step is not None and any(Fraction(step) % other == 0 for other in not_steps):
        return None
    excluded, whole = a.excluded | b.excluded, a.whole or b.whole
    return NumberAtom(low, high, low_open, high_open, step, not_steps, None, excluded, whole)


def _tighter(
    a: Number | None, a_open: bool, b: Number | None, b_open: bool, *, lower: bool
) -> tuple[Number | None, bool]:
    if a is None or b is None:
        return (b, b_open) if a is None else (a, a_open)
    if a == b:
        return a, a_open or b_open
    return (a, a_open) if (a > b) == lower else (b, b_open)


def _common_multiple(a: Number, b: Number) -> Number:
    x, y = Fraction(a), Fraction(b)
    scale = lcm(x.denominator, y.denominator)
    common = Fraction(lcm(int(x * scale), int(y * scale)), scale)
    return int(common) if common.denominator == 1 else common


def both_strings(a: StringAtom, b: StringAtom) -> StringAtom | None:
    low = max(a.min, b.min)
    high = a.max if b.max is None else b.max if a.max is None else min(a.max, b.max)
    if high is not None and low > high:
        return None
    excluded = a.excluded | b.excluded
    allowed = a.allowed if b.allowed is None else b.allowed if a.allowed is None else a.allowed & b.allowed
    patterns, not_patterns = a.patterns | b.patterns, a.not_patterns | b.not_patterns
    formats, not_formats = a.formats | b.formats, a.not_formats | b.not_formats
    if patterns & not_patterns or formats & not_formats:
        return None
    if allowed is not None:
        allowed = frozenset(
            value
            for value in allowed
            if value not in excluded and low <= len(value) and (high is None or len(value) <= high)
        )
        if not allowed:
            return None
        low, high, excluded = 0, None, frozenset()
    return StringAtom(low, high, patterns, not_patterns, formats, not_formats, allowed, excluded, a.path or b.path)


def both_arrays(a: ArrayAtom, b: ArrayAtom) -> ArrayAtom | None:
    low = max(a.min, b.min)
    high = a.max if b.max is None else b.max if a.max is None else min(a.max, b.max)
    unique, not_unique = a.unique or b.unique, a.not_unique or b.not_unique
    if (high is not None and low > high) or (unique and not_unique):
        return None
    return ArrayAtom(
        _joined(a.layers, b.layers), low, high, _joined(a.contains, b.contains), unique, not_unique, a.path or b.path
    )


def both_objects(a: ObjectAtom, b: ObjectAtom) -> ObjectAtom | None:
    low = max(a.min, b.min)
    high = a.max if b.max is None else b.max if a.max is None else min(a.max, b.max)
    if high is not None and low > high:
        return None
    atom = ObjectAtom(
        _joined(a.layers, b.layers),
        _joined(a.required, b.required),
        low,
        high,
        _joined(a.names, b.names),
        _joined(a.clauses, b.clauses),
        _joined(a.exists, b.exists),
        a.path or b.path,
    )
    if atom.exists:
        atom = _settled(atom)
    return None if contradictory(atom) else atom


def _settled(atom: ObjectAtom) -> ObjectAtom:
    """`atom` with "some other key" said by name where a layer lists all the keys there can be."""
    closed = [layer for layer in atom.layers if layer.rest.shape is NOTHING and not layer.patterns]
    if not closed:
        return atom
    possible = [
        name
        for name, goal in closed[0].properties.items()
        if goal.shape is not NOTHING and all(name in layer.properties for layer in closed)
    ]
    remaining = []
    required, clauses = atom.required, atom.clauses
    for exists in atom.exists:
        keys = exists.key.shape
        if exists.value is not TRUE or keys is None or keys.strings != ANYTHING.strings:
            remaining.append(exists)
            continue
        names = [name for name in possible if name not in exists.names]
        if len(names) == 1:
            required = _joined(required, (names[0],))
        else:
            clauses = _joined(clauses, ((frozenset(), frozenset(names)),))
    return replace(atom, required=required, clauses=clauses, exists=tuple(remaining))


def contradictory(atom: ObjectAtom) -> bool:
    """Whether names alone show that no object satisfies `atom`: a required one is forbidden, or a clause fails."""
    required = set(atom.required)
    for layer in atom.layers:
        if layer.properties:
            for name in atom.required:
                if layer.properties.get(name, TRUE).shape is NOTHING:
                    return True
    forbidden = {name for layer in atom.layers for name, goal in layer.properties.items() if goal.shape is NOTHING}
    return any(required >= when and then <= forbidden for when, then in atom.clauses)


Element = TypeVar("Element")


def _joined(a: tuple[Element, ...], b: tuple[Element, ...]) -> tuple[Element, ...]:
    if not a or not b:
        return a or b
    return tuple(dict.fromkeys(a + b))


# Union ---------------------------------------------------------------------------------------------------------------


def union(shapes: list[Shape], *, keep_annotations: bool = False) -> Shape:
    """The values in at least one.

    `keep_annotations`: an alternative that admits everything does not absorb the others, since those may evaluate
    members and items of which it says nothing.
    """
    if len(shapes) == 1:
        return shapes[0]
    booleans = 0
    for shape in shapes:
        if shape is ANYTHING and not keep_annotations:
            return ANYTHING
        booleans |= shape.booleans
    return Shape(
        any(shape.null for shape in shapes),
        booleans,
        _merge_numbers([atom for shape in shapes for atom in shape.numbers]),
        _merge_strings([atom for shape in shapes for atom in shape.strings]),
        _distinct([atom for shape in shapes for atom in shape.arrays], None if keep_annotations else FULL_ARRAY),
        _distinct([atom for shape in shapes for atom in shape.objects], None if keep_annotations else FULL_OBJECT),
        any(shape.narrowed for shape in shapes),
    )


def _distinct(atoms: list[Atom], full: Atom | None) -> tuple[Atom, ...]:
    if len(atoms) < 2:
        return tuple(atoms)
    distinct = dict.fromkeys(atoms)
    if full is not None and full in distinct:
        return (full,)
    return tuple(distinct)


def _merge_numbers(atoms: list[NumberAtom]) -> tuple[NumberAtom, ...]:
    if len(atoms) < 2:
        return tuple(atoms)
    listed = [atom.allowed for atom in atoms if atom.allowed is not None and not atom.whole]
    if len(listed) > 1:
        atoms = [atom for atom in atoms if atom.allowed is None or atom.whole]
        atoms.append(NumberAtom(allowed=frozenset().union(*listed)))
    return _distinct(atoms, FULL_NUMBER)


def _merge_strings(atoms: list[StringAtom]) -> tuple[StringAtom, ...]:
    if len(atoms) < 2:
        return tuple(atoms)
    listed = [atom for atom in atoms if atom.allowed is not None and not atom.is_regular]
    if len(listed) > 1:
        values = frozenset().union(*(atom.allowed or () for atom in listed))
        atoms = [atom for atom in atoms if atom.allowed is None or atom.is_regular]
        atoms.append(StringAtom(allowed=values, path=listed[0].path))
    return _distinct(atoms, FULL_STRING)


# Complement ----------------------------------------------------------------------------------------------------------


def complement(shape: Shape, path: str = "") -> Shape:
    """The values outside `shape`.

    Raises: UnsupportedGrammar, at `path`, for a shape that was narrowed.
    """
    if shape is ANYTHING:
        return NOTHING
    if shape is NOTHING:
        return ANYTHING
    if shape.narrowed:
        raise UnsupportedGrammar(
            "not", path=path, reason="what it negates has too many cases to tell all of them apart"
        )
    return Shape(
        not shape.null,
        3 & ~shape.booleans,
        _outside(shape.numbers, FULL_NUMBER, _not_number, both_numbers),
        _outside(shape.strings, FULL_STRING, _not_string, both_strings),
        _outside(shape.arrays, FULL_ARRAY, _not_array, both_arrays),
        _outside(shape.objects, FULL_OBJECT, _not_object, both_objects),
        narrowed=any(atom.whole for atom in shape.numbers),
    )


def _outside(
    atoms: tuple[Atom, ...],
    full: Atom,
    negated: Callable[[Atom], list[Atom]],
    both: Callable[[Atom, Atom], Atom | None],
) -> tuple[Atom, ...]:
    result: tuple[Atom, ...] = (full,)
    for atom in atoms:
        result = _meet(result, tuple(negated(atom)), full, both)
        if not result:
            return ()
    return result


def _not_number(atom: NumberAtom) -> list[NumberAtom]:
    if atom.allowed is not None:
        return [NumberAtom(excluded=atom.allowed)]
    result = []
    if atom.low is not None:
        result.append(NumberAtom(high=atom.low, high_open=not atom.low_open))
    if atom.high is not None:
        result.append(NumberAtom(low=atom.high, low_open=not atom.high_open))
    if atom.step is not None:
        result.append(NumberAtom(not_steps=(atom.step,)))
    result.extend(NumberAtom(step=step) for step in atom.not_steps)
    if atom.excluded:
        result.append(NumberAtom(allowed=atom.excluded))
    return result


def _not_string(atom: StringAtom) -> list[StringAtom]:
    path = atom.path
    result = [StringAtom(not_patterns=frozenset([pattern]), path=path) for pattern in sorted(atom.patterns)]
    result += [StringAtom(patterns=frozenset([pattern]), path=path) for pattern in sorted(atom.not_patterns)]
    result += [StringAtom(not_formats=frozenset([name]), path=path) for name in sorted(atom.formats)]
    result += [StringAtom(formats=frozenset([name]), path=path) for name in sorted(atom.not_formats)]
    if atom.min > 0:
        result.append(StringAtom(max=atom.min - 1, path=path))
    if atom.max is not None:
        result.append(StringAtom(min=atom.max + 1, path=path))
    if atom.allowed is not None:
        result.append(StringAtom(excluded=atom.allowed, path=path))
    if atom.excluded:
        result.append(StringAtom(allowed=atom.excluded, path=path))
    return result


def _not_array(atom: ArrayAtom) -> list[ArrayAtom]:
    path = atom.path
    result = []
    if atom.min > 0:
        result.append(ArrayAtom(max=atom.min - 1, path=path))
    if atom.max is not None:
        result.append(ArrayAtom(min=atom.max + 1, path=path))
    for layer in atom.layers:
        for index, goal in enumerate(layer.prefix):
            if goal.shape is not ANYTHING:
                wrong = ArrayLayer((TRUE,) * index + (not_(goal),), TRUE)
                result.append(ArrayAtom(layers=(wrong,), min=index + 1, path=path))
        if layer.rest.shape is not ANYTHING:
            found = Contains(not_(layer.rest), 1, None, len(layer.prefix))
            result.append(ArrayAtom(contains=(found,), path=path))
    for contains in atom.contains:
        if contains.min > 0:
            result.append(
                ArrayAtom(contains=(replace(contains, min=0, max=contains.min - 1, annotates=False),), path=path)
            )
        if contains.max is not None:
            result.append(
                ArrayAtom(contains=(replace(contains, min=contains.max + 1, max=None, annotates=False),), path=path)
            )
    if atom.unique:
        result.append(ArrayAtom(not_unique=True, min=2, path=path))
    if atom.not_unique:
        result.append(ArrayAtom(unique=True, path=path))
    return result


def _not_object(atom: ObjectAtom) -> list[ObjectAtom]:
    path = atom.path
    result = []
    demanded: dict[str, list[Goal]] = {name: [] for name in atom.required}
    for layer in atom.layers:
        for name, goal in layer.properties.items():
            if name in demanded and goal.shape is not ANYTHING:
                demanded[name].append(goal)
    # A required member that is missing, or there with a wrong value: one case, "wrong if it is there".
    for name, goals in demanded.items():
        if goals:
            wrong = ObjectLayer({name: not_(all_of(*goals))}, (), TRUE, annotates=False)
            result.append(ObjectAtom(layers=(wrong,), path=path))
    free = frozenset(name for name, goals in demanded.items() if not goals)
    if free:
        result.append(ObjectAtom(clauses=((free, frozenset()),), path=path))
    if atom.min > 0:
        result.append(ObjectAtom(max=atom.min - 1, path=path))
    if atom.max is not None:
        result.append(ObjectAtom(min=atom.max + 1, path=path))
    for layer in atom.layers:
        result += _not_layer(layer, frozenset(demanded), path)
    for names in atom.names:
        found = Exists(not_(names), frozenset(), TRUE, ObjectAtom(names=(names,), path=path))
        result.append(ObjectAtom(exists=(found,), path=path))
    for when, then in atom.clauses:
        absent = ObjectLayer(dict.fromkeys(then, FALSE), (), TRUE, annotates=False)
        result.append(ObjectAtom(layers=(absent,) if then else (), required=tuple(sorted(when)), path=path))
    result += [exists.none for exists in atom.exists]
    return result


def _not_layer(layer: ObjectLayer, required: frozenset[str], path: str) -> list[ObjectAtom]:
    """The ways to break `layer`, apart from wrong values of `required` names."""
    result = []
    for name, goal in layer.properties.items():
        if goal.shape is not ANYTHING and name not in required:
            wrong = ObjectLayer({name: not_(goal)}, (), TRUE, annotates=False)
            result.append(ObjectAtom(layers=(wrong,), required=(name,), path=path))
    for pattern, goal in layer.patterns:
        if goal.shape is not ANYTHING:
            keys = Goal(path, Shape(strings=(StringAtom(patterns=frozenset([pattern]), path=path),)))
            none = ObjectLayer({}, ((pattern, goal),), TRUE, annotates=False)
            found = Exists(keys, frozenset(), not_(goal), ObjectAtom(layers=(none,), path=path))
            result.append(ObjectAtom(exists=(found,), path=path))
    if layer.rest.shape is not ANYTHING:
        others = StringAtom(not_patterns=frozenset(pattern for pattern, _ in layer.patterns), path=path)
        keys = Goal(path, Shape(strings=(others,)))
        anyhow = tuple((pattern, TRUE) for pattern, _ in layer.patterns)
        none = ObjectLayer(dict.fromkeys(layer.properties, TRUE), anyhow, layer.rest, annotates=False)
        found = Exists(keys, frozenset(layer.properties), not_(layer.rest), ObjectAtom(layers=(none,), path=path))
        result.append(ObjectAtom(exists=(found,), path=path))
    return result
