"""A constraint as a request gave it, and the readers of its kinds that every dialect shares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slipform.grammars.spec import Choice, Ebnf, GrammarSpec, JsonSchema, Lark, Regex
from slipform.runtime.server.http_errors import bad_request

Kind = Literal["json_schema", "json_object", "regex", "choice", "grammar", "structural_tag"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the answer must match.

    Attributes:
        field: the request's field that asked for it.
    """

    spec: GrammarSpec
    kind: Kind
    field: str


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How JSON under a schema is written.

    Attributes:
        closed: objects hold no properties that their schema does not name.
    """

    whitespace: Literal["flexible", "compact"] = "flexible"
    closed: bool = False


def json_schema(value: Any, field: str, style: JsonStyle = JsonStyle()) -> Constraint:
    """A schema: an object, true or false, or JSON text of one of these."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise bad_request(f"is not JSON: {error}", field) from error
    if not isinstance(value, Mapping | bool):
        raise bad_request("must be a JSON Schema", field)
    if style.closed:
        value = _closed(value)
    # Readers of an API's answers take `3.0` for a float, so a whole number is written `3`.
    return Constraint(JsonSchema.of(value, whitespace=style.whitespace, integers="plain"), "json_schema", field)


def json_object(field: str, style: JsonStyle = JsonStyle()) -> Constraint:
    """Any JSON object."""
    spec = JsonSchema.of({"type": "object"}, whitespace=style.whitespace)
    return Constraint(spec, "json_object", field)


def regex(value: Any, field: str) -> Constraint:
    return Constraint(Regex(text(value, field)), "regex", field)


def choice(value: Any, field: str) -> Constraint:
    if not isinstance(value, list) or not value or not all(isinstance(option, str) and option for option in value):
        raise bad_request("must be a list of strings that are not empty", field)
    return Constraint(Choice.of(value), "choice", field)


def grammar(value: Any, field: str) -> Constraint:
    """GBNF where there is a `::=` in it, else Lark; SGLang's first line `%llguidance {}` says Lark too."""
    source = text(value, field)
    if source.lstrip().startswith("%llguidance"):
        return Constraint(Lark(source.lstrip().partition("\n")[2]), "grammar", field)
    return Constraint(Ebnf(source) if "::=" in source else Lark(source), "grammar", field)


def text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise bad_request("must be a string that is not empty", field)
    return value


def mapping(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise bad_request("must be an object", field)
    return value


def only_one(found: list[Constraint]) -> Constraint | None:
    """Raises: ApiError naming the first two fields if there are several."""
    if len(found) > 1:
        first, second = found[0].field, found[1].field
        raise bad_request(
            f"cannot be combined with {second}: a request has at most one constraint", first, "conflicting_constraints"
        )
    return found[0] if found else None


def _closed(schema: Any) -> Any:
    """`schema` with every object closed that names properties and does not speak of others."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {
        name: part if name in ("enum", "const", "default", "examples") else _closed(part)
        for name, part in schema.items()
    }
    if "properties" in closed and isinstance(schema["properties"], Mapping):
        closed.setdefault("additionalProperties", False)
    return closed


# Keywords that hold values, not schemas.
_VALUES = frozenset({"enum", "const", "default", "examples"})
