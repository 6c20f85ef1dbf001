"""unevaluatedProperties and unevaluatedItems: a layer over what no schema of the same place has evaluated."""

from dataclasses import replace
from typing import TYPE_CHECKING

from slipform.grammars.json_schema.algebra import intersect
from slipform.grammars.json_schema.schemas import Schema
from slipform.grammars.json_schema.shapes import TRUE, ArrayAtom, ArrayLayer, ObjectAtom, ObjectLayer, Shape, some_of

if TYPE_CHECKING:
    from slipform.grammars.json_schema.expansion import Expander


def close_properties(expander: "Expander", goal: Schema, shape: Shape) -> Shape:
    rest = expander.below(goal, "unevaluatedProperties")
    atoms: list[ObjectAtom] = []
    for atom in shape.objects:
        known = [layer for layer in atom.layers if layer.annotates]
        if not any(layer.evaluates_rest for layer in known):
            names = {name: TRUE for layer in known for name in layer.properties}
            patterns = {pattern: TRUE for layer in known for pattern, _ in layer.patterns}
            closing = ObjectLayer(names, tuple(patterns.items()), rest, True)
            met = intersect(Shape(objects=(atom,)), Shape(objects=(ObjectAtom((closing,), path=goal.path),)))
            atoms.extend(met.objects)
        else:
            atoms.append(atom)
    return replace(shape, objects=tuple(atoms))


def close_items(expander: "Expander", goal: Schema, shape: Shape) -> Shape:
    rest = expander.below(goal, "unevaluatedItems")
    atoms: list[ArrayAtom] = []
    for atom in shape.arrays:
        counts = [layer.annotates for layer in atom.layers]
        if None in counts:
            atoms.append(atom)
            continue
        known = max((count for count in counts if count is not None), default=0)
        found = [contains.goal for contains in atom.contains if contains.annotates]
        closing = ArrayLayer((TRUE,) * known, some_of(rest, *found), None)
        met = intersect(Shape(arrays=(atom,)), Shape(arrays=(ArrayAtom((closing,), path=goal.path),)))
        atoms.extend(met.arrays)
    return replace(shape, arrays=tuple(atoms))
