"""Conditions on which names are present: what alternatives and dependencies come to when they speak of nothing else."""

from itertools import product
from typing import Final

from slipform.grammars.json_schema.keywords import ASSERTIONS
from slipform.grammars.json_schema.schemas import Schema, names_of
from slipform.grammars.json_schema.shapes import ANYTHING, NOTHING, Clauses, Goal, ObjectAtom

MAX_CLAUSES: Final = 64


def clauses_atom(clauses: Clauses, goal: Schema) -> ObjectAtom:
    """An atom of clauses; those of the form "one of {name}" are plainly required."""
    required = tuple(name for when, then in clauses if not when and len(then) == 1 for name in then)
    others = tuple((when, then) for when, then in clauses if when or len(then) != 1)
    return ObjectAtom(required=required, clauses=others, path=goal.path)


def is_one_of(goal: Goal) -> bool:
    """Whether a schema says nothing but oneOf."""
    return isinstance(goal, Schema) and "oneOf" in goal.schema and ASSERTIONS.isdisjoint(goal.schema.keys() - {"oneOf"})


def _required_names(goal: Goal) -> tuple[str, ...] | None:
    """The names that a schema requires, if that is all it says."""
    if not isinstance(goal, Schema) or "required" not in goal.schema:
        return None
    if any(keyword != "required" and keyword in ASSERTIONS for keyword in goal.schema):
        return None
    return names_of(goal.schema["required"], f"{goal.path}/required")


def required_only(parts: list[Goal]) -> Clauses | None:
    """For alternatives that only require names: clauses that say "one of them", in conjunctive form."""
    options = []
    for part in parts:
        names = _required_names(part)
        if not names:
            return None
        options.append(names)
    size = 1
    for names in options:
        size *= len(names)
        if size > MAX_CLAUSES:
            return None
    return tuple((frozenset(), then) for then in dict.fromkeys(frozenset(pick) for pick in product(*options)))


def single_required(parts: list[Goal]) -> list[str] | None:
    """The names, if each alternative requires exactly one and says nothing else."""
    names = []
    for part in parts:
        required = _required_names(part)
        if required is None or len(required) != 1:
            return None
        names.append(required[0])
    return names if len(set(names)) == len(names) else None


def implied(name: str, needed: tuple[str, ...]) -> Clauses:
    return tuple((frozenset((name,)), frozenset((other,))) for other in needed if other != name)


def implied_clauses(name: str, atoms: tuple[ObjectAtom, ...]) -> Clauses | None:
    """What `name` implies by `atoms`, if they speak only of names that are present or absent."""
    if not atoms:
        return ((frozenset((name,)), frozenset()),)
    if len(atoms) != 1:
        return None
    atom = atoms[0]
    if atom.min or atom.max is not None or atom.names or atom.exists:
        return None
    clauses = implied(name, atom.required)
    clauses += tuple((when | {name}, then) for when, then in atom.clauses if name not in then)
    for layer in atom.layers:
        if layer.patterns or layer.rest.shape is not ANYTHING:
            return None
        for other, goal in layer.properties.items():
            if goal.shape is NOTHING:
                clauses += ((frozenset((name, other)), frozenset()),)
            elif goal.shape is not ANYTHING:
                return None
    return clauses
