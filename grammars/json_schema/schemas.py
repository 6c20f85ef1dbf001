"""A schema object as a goal, and the operands of its keywords, checked."""

from fractions import Fraction
from typing import Any, Final

from slipform.errors import GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.json_schema import values
from slipform.grammars.json_schema.reader import Json
from slipform.grammars.json_schema.resources import Resource
from slipform.grammars.json_schema.shapes import Goal, Number

_MAX_EXPONENT: Final = 400

Scope = tuple[Resource, ...]


class Schema(Goal):
    """What one schema object of a document says. `scope`: the dynamic scope, empty unless the document uses one."""

    __slots__ = ("resource", "schema", "scope")

    def __init__(self, schema: dict[str, Json], path: str, resource: Resource, scope: Scope) -> None:
        super().__init__(path)
        self.schema = schema
        self.resource = resource
        self.scope = scope


def number(goal: Schema, keyword: str) -> Number | None:
    value: Any = goal.schema.get(keyword)
    if value is None and keyword not in goal.schema:
        return None
    if isinstance(value, bool) or not values.is_number(value):
        raise GrammarSyntaxError(f"{keyword} must be a number", path=f"{goal.path}/{keyword}")
    if not isinstance(value, int) and abs(value.adjusted()) > _MAX_EXPONENT:
        raise UnsupportedGrammar(keyword, path=f"{goal.path}/{keyword}", reason=f"{value} is out of range")
    exact = Fraction(value)
    return int(exact) if exact.denominator == 1 else exact


def count(goal: Schema, keyword: str) -> int | None:
    value = number(goal, keyword)
    if value is None:
        return None
    if not isinstance(value, int) or value < 0:
        raise GrammarSyntaxError(f"{keyword} must be a whole number of at least 0", path=f"{goal.path}/{keyword}")
    return value


def names_of(value: Json, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise GrammarSyntaxError("must be a list of property names", path=path)
    return tuple(dict.fromkeys(value))
