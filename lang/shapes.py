"""`sf.shapes`: what constraints are made of. See shape.py for how they combine.

from slipform import shapes

item = shapes.regex("[A-Z]{2}[0-9]{4}").capture("code") + " x " + shapes.integer.capture("count", int)
order = "Order: " + item.some(separator=", ")
order.match("Order: AB1234 x 2, CD0001 x 10")["count"]     # [2, 10]
"""

from typing import Any, Literal

from slipform.errors import ArgumentError
from slipform.grammars.spec import AnyText, Choice, Ebnf, Lark, Regex, Substring, Until
from slipform.lang.origin import at, caller_origin
from slipform.lang.shape import Completion, Match, Shape, as_shape, one_of, sequence
from slipform.lang.shape_rules import rule
from slipform.lang.shape_types import (
    country,
    currency,
    email,
    hex_color,
    integer,
    ipv4,
    ipv6,
    iso_date,
    iso_datetime,
    iso_time,
    line,
    mac_address,
    number,
    phone,
    semver,
    sentence,
    slug,
    url,
    uuid,
    word,
)
from slipform.lang.types import json_type

__all__ = [
    "Completion",
    "Match",
    "Shape",
    "as_shape",
    "country",
    "currency",
    "ebnf",
    "email",
    "gbnf",
    "hex_color",
    "integer",
    "ipv4",
    "ipv6",
    "iso_date",
    "iso_datetime",
    "iso_time",
    "json",
    "lark",
    "line",
    "literal",
    "mac_address",
    "number",
    "one_of",
    "phone",
    "regex",
    "rule",
    "semver",
    "sentence",
    "sequence",
    "slug",
    "substring",
    "text",
    "until",
    "url",
    "uuid",
    "word",
]


def literal(text: str) -> Shape:
    """Exactly this text. A plain string means the same wherever a shape may stand."""
    return Shape(Choice((text,)))


def regex(pattern: str) -> Shape:
    """Texts that `pattern` (Python `re` syntax) matches as a whole."""
    return Shape(Regex(pattern))


def json(schema: Any) -> Shape:
    """JSON of a shape, as `schema=` of `gen` takes it: a JSON Schema, or any type that Pydantic knows. Its value, and
    that of its captures, is the validated object."""
    value_type = json_type(schema)
    return Shape(value_type.spec, value_type)


def text(max_chars: int | None = None) -> Shape:
    """Any text, of up to `max_chars` characters. For a budget in tokens write `text().using(max_tokens=…)`."""
    if max_chars is None:
        return Shape(AnyText())
    if max_chars < 1:
        raise ArgumentError(f"must be at least 1, got {max_chars!r}{at(caller_origin())}", primitive="text(max_chars)")
    return Shape(Regex(rf"[\s\S]{{0,{max_chars}}}"))


def until(*delimiters: str, inclusive: bool = False) -> Shape:
    """Any text up to the first of the delimiters; `inclusive`: with it, so that the text ends there."""
    if not delimiters or "" in delimiters:
        raise ArgumentError(f"needs delimiters, and none may be empty{at(caller_origin())}", primitive="until")
    return Shape(Until(delimiters, inclusive))


def substring(document: str, unit: Literal["words", "characters"] = "words") -> Shape:
    """A part of `document`, word for word and not empty: a quotation that cannot be made up."""
    if unit not in ("words", "characters"):
        raise ArgumentError(
            f'unit must be "words" or "characters", got {unit!r}{at(caller_origin())}', primitive="substring"
        )
    return Shape(Substring(document, unit))


def ebnf(grammar: str, root: str = "root") -> Shape:
    """Texts of rule `root` of a GBNF grammar, as llama.cpp and xgrammar write it."""
    return Shape(Ebnf(grammar, root))


gbnf = ebnf


def lark(grammar: str, start: str = "start") -> Shape:
    """Texts of rule `start` of a Lark grammar."""
    return Shape(Lark(grammar, start))
