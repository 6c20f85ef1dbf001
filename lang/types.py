"""Values with a type: what a fill must look like, and how its text becomes a Python object.

`json_type` gives the JSON form of any type that Pydantic knows, or of a JSON Schema; `plain_type` gives the bare text
form (`dtype=` of `gen`), in which a date is `2026-11-23` without quotes.
"""

import datetime
import decimal
import enum
import functools
import json
import re
import sys
import types
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, Required, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import typing_extensions
from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from slipform.errors import GrammarSyntaxError, ProgramError
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex

# SGLang's table of dtypes; its pattern for text allowed word characters and blanks only, this one any but quotes.
INT_PATTERN = r"[-+]?[0-9]+[ \n]*"
FLOAT_PATTERN = r"[-+]?[0-9]*\.?[0-9]+[ \n]*"
BOOL_PATTERN = r"(True|False)"
STR_PATTERN = r'"[^"\\\x00-\x1f]*"'

_SPELLED_OUT = re.compile(r"[0-9][.eE]")
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DECIMAL = r"-?[0-9]{1,18}(\.[0-9]{1,9})?"


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of values.

    Attributes:
        label: its name for people. spec: what the text must match.
        parse: text to value; raises ValueError saying what is wrong.
        stop: strings that also end the fill.
        kind: of a JSON form, the Python type; None for a JSON Schema.
    """

    label: str
    spec: GrammarSpec
    parse: Callable[[str], Any] = field(compare=False)
    stop: tuple[str, ...] = ()
    kind: Any = field(default=None, compare=False)

    @property
    def is_json(self) -> bool:
        return isinstance(self.spec, JsonSchema)


class _ClosedSchemas(GenerateJsonSchema):
    """Schemas for writing, where Pydantic's are for reading: objects hold the declared fields only, a decimal is
    written as digits in quotes."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        places = schema.get("decimal_places", 9)
        digits = max(1, schema.get("max_digits", 18 + places) - places)
        fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        return {"type": "string", "pattern": rf"^-?[0-9]{{1,{digits}}}{fraction}$"}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _closed(super().model_schema(schema))

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _closed(super().typed_dict_schema(schema))

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _closed(super().dataclass_schema(schema))


def _closed(schema: JsonSchemaValue) -> JsonSchemaValue:
    if schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


def json_type(schema: object) -> ValueType:
    """The JSON form of `schema`: a JSON Schema (dict, bool or JSON text), or a Python type that Pydantic understands.

    A schema gives plain Python values (`json.loads`); a type gives validated objects of that type.

    Raises: GrammarSyntaxError for text that is no JSON; ProgramError for a type without a JSON form.
    """
    if isinstance(schema, (Mapping, bool)):
        return ValueType("JSON", JsonSchema.of(cast("Mapping[str, Any] | bool", schema)), _load_json)
    if isinstance(schema, str):
        try:
            decoded = json.loads(schema)
        except json.JSONDecodeError as error:
            raise GrammarSyntaxError(
                f"the schema is not JSON: {error.msg}", pattern=schema, position=error.pos
            ) from error
        if not isinstance(decoded, (dict, bool)):
            raise GrammarSyntaxError("a schema is an object, true or false", pattern=schema)
        return ValueType("JSON", JsonSchema.of(decoded), _load_json)
    try:
        hash(schema)
    except TypeError:
        raise ProgramError(f"{schema!r} is no JSON Schema and no type", primitive="schema") from None
    return _json_type_of(schema)


@functools.lru_cache(maxsize=512)
def _json_type_of(kind: Any) -> ValueType:
    label = type_label(kind)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(_portable(kind))
        schema = adapter.json_schema(schema_generator=_ClosedSchemas)
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        reason = str(error).partition("\n")[0]  # advice on Pydantic's own settings follows
        raise ProgramError(f"{label} has no JSON form: {reason}", primitive="schema") from error

    # JSON Schema counts 3.0 and 3e5 among the integers; Pydantic reads those as floats, and refuses or rounds the
    # large ones.
    has_integers = '"integer"' in json.dumps(schema)

    def parse(text: str) -> Any:
        try:
            if has_integers and _SPELLED_OUT.search(text):
                text = json.dumps(json.loads(text, parse_float=_exact_number))
            return adapter.validate_json(text)
        except ValidationError as error:
            raise ValueError(_first_lines(error)) from error

    return ValueType(label, JsonSchema.of(schema), parse, kind=kind)


def _portable(kind: Any) -> Any:
    """The same type with `typing.TypedDict` classes as Pydantic takes them.

    Before Python 3.12 these do not know which keys they inherited as required, so Pydantic refuses them and asks for
    the class of typing_extensions; a TypedDict without such inheritance means the same in both.
    """
    if sys.version_info >= (3, 12):
        return kind
    if is_typeddict(kind) and type(kind).__module__ == "typing":
        fields = {
            key: Required[_portable(value)] if key in kind.__required_keys__ else NotRequired[_portable(value)]
            for key, value in get_type_hints(kind).items()
        }
        return typing_extensions.TypedDict(kind.__name__, fields)  # type: ignore[operator]
    if args := get_args(kind):
        portable = tuple(_portable(arg) for arg in args)
        if portable != args and get_origin(kind) is not Literal:
            union = isinstance(kind, types.UnionType) or get_origin(kind) is Union
            return Union[portable] if union else get_origin(kind)[portable]  # noqa: UP007  # built at run time
    return kind


def json_schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a Python type, as `json_type` writes it."""
    schema: dict[str, Any] = TypeAdapter(kind).json_schema(schema_generator=_ClosedSchemas)
    return schema


def closed_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema of an object that holds no undeclared members unless it says that it may."""
    return dict(_closed({"type": "object", **schema}))


def plain_type(dtype: object) -> ValueType:
    """The bare text form of a type.

    `int`, `float`, `bool`, `str` (or their names) follow SGLang: the variable stays text. An Enum or a Literal is one
    of its values and gives the member; dates, times, UUIDs and decimals are written as ISO text or digits and give the
    object; any other type is written as JSON (`json_type`).

    Raises: ProgramError for a type that has no form.
    """
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", "")
    if isinstance(dtype, str) or dtype in (int, float, bool, str):
        if name not in _PLAIN_TEXT:
            raise ProgramError(f"unknown type {dtype!r}; known by name: int, float, bool, str", primitive="dtype")
        pattern, stop = _PLAIN_TEXT[name]
        return ValueType(name, Regex(pattern), _same, stop)
    if isinstance(dtype, type) and issubclass(dtype, enum.Enum):
        return _choice_type(type_label(dtype), {str(member.value): member for member in dtype})
    if get_origin(dtype) is Literal:
        return _choice_type(type_label(dtype), {str(value): value for value in get_args(dtype)})
    if isinstance(dtype, type) and dtype in _PLAIN_VALUES:
        pattern, parse = _PLAIN_VALUES[dtype]
        return ValueType(type_label(dtype), Regex(pattern), parse)
    return json_type(dtype)


def _choice_type(label: str, values: Mapping[str, Any]) -> ValueType:
    if not values:
        raise ProgramError(f"{label} has no values to choose from", primitive="dtype")
    return ValueType(label, Choice.of(tuple(values)), values.__getitem__)


def _same(text: str) -> str:
    return text


def _load_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not a complete JSON value: {error}") from error


def _exact_number(text: str) -> int | float:
    """A JSON number with a fraction or an exponent: an int where it is one, unless it is absurdly large."""
    number = decimal.Decimal(text)
    return int(number) if number.adjusted() < 1000 and number == number.to_integral_value() else float(text)


def _decimal(text: str) -> decimal.Decimal:
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation as error:
        raise ValueError(f"no decimal number: {text!r}") from error


_PLAIN_TEXT: dict[str, tuple[str, tuple[str, ...]]] = {
    "int": (INT_PATTERN, (" ", "\n")),
    "float": (FLOAT_PATTERN, (" ", "\n")),
    "bool": (BOOL_PATTERN, ()),
    "str": (STR_PATTERN, ()),
}

_PLAIN_VALUES: dict[type, tuple[str, Callable[[str], Any]]] = {
    datetime.date: (_DATE, datetime.date.fromisoformat),
    datetime.time: (_TIME, datetime.time.fromisoformat),
    datetime.datetime: (f"{_DATE}T{_TIME}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?", datetime.datetime.fromisoformat),
    uuid.UUID: (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", uuid.UUID),
    decimal.Decimal: (_DECIMAL, _decimal),
}


def type_label(kind: Any) -> str:
    """A short name for people: `Ticket`, `list[Ticket]`, `Literal['a', 'b']`."""
    if isinstance(kind, type) and get_origin(kind) is None:
        return kind.__name__
    return re.sub(r"\b(?:[A-Za-z_][\w<>]*\.)+", "", str(kind))


def _first_lines(error: ValidationError) -> str:
    problems = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}"
        for problem in error.errors(include_url=False)[:3]
    ]
    more = error.error_count() - len(problems)
    return "; ".join(problems) + (f"; and {more} more" if more > 0 else "")
