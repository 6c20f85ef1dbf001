"""Recursive shapes as Python functions."""

import contextvars
import functools
from collections.abc import Callable, Hashable
from typing import ParamSpec

from slipform.errors import ArgumentError
from slipform.grammars.spec import GrammarSpec, Recursive, Reference
from slipform.lang.origin import at, caller_origin
from slipform.lang.shape import Shape, as_shape, has_options
from slipform.lang.types import ValueType

P = ParamSpec("P")

_Key = tuple[Callable[..., object], tuple[Hashable, ...], tuple[tuple[str, Hashable], ...]]
_building: contextvars.ContextVar["_Rules | None"] = contextvars.ContextVar("slipform_rules", default=None)


class _Rules:
    """The rules that were called so far while a recursive shape is built."""

    def __init__(self) -> None:
        self.names: dict[_Key, str] = {}
        self.bodies: dict[str, GrammarSpec] = {}
        self.types: dict[str, ValueType] = {}

    def reference(self, key: _Key, name: str, body: Callable[[], object]) -> Reference:
        known = self.names.get(key)
        if known is None:
            used = sum(other == name or other.startswith(f"{name}#") for other in self.names.values())
            known = self.names[key] = name if not used else f"{name}#{used + 1}"
            shape = as_shape(body())
            if has_options(shape):
                raise ArgumentError(
                    f"a part with options of its own cannot stand inside a rule, whose text is one hole; give the "
                    f"options to the rule's result where it stands in a sequence{at(caller_origin())}",
                    primitive=name,
                )
            self.types.update(shape.types)
            self.bodies[known] = shape.spec
        return Reference(known)


def rule(function: Callable[P, object]) -> Callable[P, Shape]:
    """Make a function that returns a shape a rule, which may call itself and other rules.

        @shapes.rule
        def value():
            return shapes.regex("[0-9]+") | "(" + value() + "+" + value() + ")"

    Inside a rule a call stands for the rule; outside it gives the finished shape. A rule may take arguments, which must
    be hashable; each combination of them is a rule of its own. Captures inside a rule are lists, in the order in which
    they end.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Shape:
        key: _Key = (function, args, tuple(sorted(kwargs.items())))
        rules = _building.get()
        if rules is not None:
            return Shape(rules.reference(key, function.__name__, lambda: function(*args, **kwargs)))
        rules = _Rules()
        token = _building.set(rules)
        try:
            start = rules.reference(key, function.__name__, lambda: function(*args, **kwargs))
        finally:
            _building.reset(token)
        return Shape(Recursive(tuple(rules.bodies.items()), start.name), None, tuple(rules.types.items()))

    return call
