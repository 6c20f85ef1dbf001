"""Single JSON values: equality as the standard defines it, the shape of a list of values, and validation by shape."""

from collections.abc import Hashable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from slipform.grammars.json_schema import strings
from slipform.grammars.json_schema.reader import Json
from slipform.grammars.json_schema.shapes import (
    FALSE_BIT,
    TRUE,
    TRUE_BIT,
    ArrayAtom,
    ArrayLayer,
    Exists,
    Goal,
    Number,
    NumberAtom,
    ObjectAtom,
    ObjectLayer,
    Shape,
    StringAtom,
)

if TYPE_CHECKING:
    from slipform.grammars.json_schema.expansion import Expander


def is_number(value: Json) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def exact(value: int | Decimal) -> Number:
    """The number as `int` where it is whole, else as `Fraction`."""
    if isinstance(value, int):
        return value
    fraction = Fraction(value)
    return int(fraction) if fraction.denominator == 1 else fraction


def key(value: Json) -> Hashable:
    """Equal for equal JSON values: 1 is 1.0 but not true, and members have no order."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, list):
        return ("array", tuple(map(key, value)))
    if isinstance(value, dict):
        return ("object", frozenset((name, key(member)) for name, member in value.items()))
    return ("number", exact(value))


def shape_of(listed: Iterable[Json], path: str) -> Shape:
    """The shape that admits exactly the values listed."""
    null, booleans = False, 0
    numbers: set[Number] = set()
    texts: set[str] = set()
    arrays: dict[Hashable, ArrayAtom] = {}
    objects: dict[Hashable, ObjectAtom] = {}
    for value in listed:
        if isinstance(value, str):
            texts.add(value)
        elif value is None:
            null = True
        elif isinstance(value, bool):
            booleans |= TRUE_BIT if value else FALSE_BIT
        elif isinstance(value, list):
            arrays[key(value)] = _array_of(value, path)
        elif isinstance(value, dict):
            objects[key(value)] = _object_of(value, path)
        else:
            numbers.add(exact(value))
    return Shape(
        null,
        booleans,
        (NumberAtom(allowed=frozenset(numbers)),) if numbers else (),
        (StringAtom(allowed=frozenset(texts), path=path),) if texts else (),
        tuple(arrays.values()),
        tuple(objects.values()),
    )


def _array_of(value: list[Json], path: str) -> ArrayAtom:
    prefix = tuple(Goal(path, shape_of([item], path)) for item in value)
    return ArrayAtom((ArrayLayer(prefix, TRUE),) if prefix else (), len(value), len(value), path=path)


def _object_of(value: dict[str, Json], path: str) -> ObjectAtom:
    members = {name: Goal(path, shape_of([member], path)) for name, member in value.items()}
    layer = ObjectLayer(members, (), TRUE, annotates=False)
    return ObjectAtom((layer,) if members else (), tuple(members), len(members), len(members), path=path)


def admits(expander: "Expander", shape: Shape, value: Json) -> bool:
    """Whether `value` is in `shape`."""
    if value is None:
        return shape.null
    if isinstance(value, bool):
        return bool(shape.booleans & (TRUE_BIT if value else FALSE_BIT))
    if isinstance(value, str):
        return any(strings.admits(atom, value) for atom in shape.strings)
    if isinstance(value, list):
        return any(_admits_array(expander, atom, value) for atom in shape.arrays)
    if isinstance(value, dict):
        return any(_admits_object(expander, atom, value) for atom in shape.objects)
    return any(atom.holds(exact(value)) for atom in shape.numbers)


def _meets(expander: "Expander", goal: Goal, value: Json) -> bool:
    return admits(expander, expander.shape(goal), value)


def _admits_array(expander: "Expander", atom: ArrayAtom, value: list[Json]) -> bool:
    if len(value) < atom.min or (atom.max is not None and len(value) > atom.max):
        return False
    for layer in atom.layers:
        for index, item in enumerate(value):
            goal = layer.prefix[index] if index < len(layer.prefix) else layer.rest
            if not _meets(expander, goal, item):
                return False
    for contains in atom.contains:
        found = sum(_meets(expander, contains.goal, item) for item in value[contains.start :])
        if found < contains.min or (contains.max is not None and found > contains.max):
            return False
    if atom.unique or atom.not_unique:
        distinct = len({key(item) for item in value}) == len(value)
        return distinct if atom.unique else not distinct
    return True


def _admits_object(expander: "Expander", atom: ObjectAtom, value: dict[str, Json]) -> bool:
    if len(value) < atom.min or (atom.max is not None and len(value) > atom.max):
        return False
    if not all(name in value for name in atom.required):
        return False
    if any(when <= value.keys() and not then & value.keys() for when, then in atom.clauses):
        return False
    for name, member in value.items():
        if not all(_meets(expander, goal, name) for goal in atom.names):
            return False
        for layer in atom.layers:
            if not all(_meets(expander, goal, member) for goal in layer_goals(layer, name)):
                return False
    return all(_exists(expander, exists, value) for exists in atom.exists)


def _exists(expander: "Expander", exists: Exists, value: dict[str, Json]) -> bool:
    return any(
        name not in exists.names and _meets(expander, exists.key, name) and _meets(expander, exists.value, member)
        for name, member in value.items()
    )


def layer_goals(layer: ObjectLayer, name: str) -> list[Goal]:
    """What one layer asks of the member `name`."""
    goals = [layer.properties[name]] if name in layer.properties else []
    goals += [goal for pattern, goal in layer.patterns if strings.matches(pattern, name)]
    return goals or [layer.rest]
