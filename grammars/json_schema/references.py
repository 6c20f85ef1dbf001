"""Which schema $ref, $dynamicRef and $recursiveRef lead to."""

from typing import TYPE_CHECKING

from slipform.grammars.json_schema.reader import Json
from slipform.grammars.json_schema.resources import Resource
from slipform.grammars.json_schema.schemas import Schema, Scope
from slipform.grammars.json_schema.shapes import Goal

if TYPE_CHECKING:
    from slipform.grammars.json_schema.expansion import Expander


def reference(expander: "Expander", goal: Schema) -> Goal:
    """The target of $ref."""
    target, path, resource = expander.registry.resolve(goal.schema["$ref"], goal.resource, f"{goal.path}/$ref")
    return expander.goal(target, path, resource, goal.scope)


def dynamic_reference(expander: "Expander", goal: Schema) -> Goal:
    """The target of $dynamicRef: if it is a dynamic anchor, the outermost resource in scope that has one decides."""
    value = goal.schema["$dynamicRef"]
    target, path, resource = expander.registry.resolve(value, goal.resource, f"{goal.path}/$dynamicRef")
    name = value.partition("#")[2]
    if isinstance(target, dict) and name and target.get("$dynamicAnchor") == name:
        target, path, resource = _outermost(goal.scope, name) or (target, path, resource)
    return expander.goal(target, path, resource, goal.scope)


def recursive_reference(expander: "Expander", goal: Schema) -> Goal:
    """The target of $recursiveRef (2019-09): as $dynamicRef, with the one nameless anchor $recursiveAnchor."""
    value = goal.schema["$recursiveRef"]
    target, path, resource = expander.registry.resolve(value, goal.resource, f"{goal.path}/$recursiveRef")
    if isinstance(target, dict) and target.get("$recursiveAnchor") is True:
        target, path, resource = _outermost(goal.scope, "") or (target, path, resource)
    return expander.goal(target, path, resource, goal.scope)


def _outermost(scope: Scope, name: str) -> tuple[Json, str, Resource] | None:
    for resource in scope:
        if name in resource.dynamic_anchors:
            return (*resource.dynamic_anchors[name], resource)
    return None
