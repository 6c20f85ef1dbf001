"""`response_format` and its relatives: one object whose `type` says what the rest means.

OpenAI     {"type": "json_schema", "json_schema": {"name": …, "schema": …, "strict": …}}, json_object, text
Responses  {"type": "json_schema", "name": …, "schema": …, "strict": …}     (as text.format)
TGI        {"type": "json" | "json_schema" | "regex", "value": …}           (as grammar, too)
TRT-LLM    {"type": "json", "schema": …}, {"type": "regex", "regex": …}, {"type": "ebnf", "ebnf": …}
llama.cpp  {"type": "json_object", "schema": …}
xgrammar   {"type": "structural_tag", "format" or "structures": …}
"""

from collections.abc import Mapping
from typing import Any

from slipform.runtime.server.dialects.constraint import (
    Constraint,
    grammar,
    json_object,
    json_schema,
    mapping,
    regex,
)
from slipform.runtime.server.dialects.structural_tags import structural_tag
from slipform.runtime.server.http_errors import bad_request, unsupported

_TYPES = ("text", "json_object", "json_schema", "json", "regex", "ebnf", "grammar", "structural_tag")


def response_format(value: Any, field: str) -> Constraint | None:
    """Raises: ApiError naming the part that is missing or not usable."""
    body = mapping(value, field)
    match body.get("type"):
        case "text":
            return None
        case "json_object":
            return json_schema(body["schema"], f"{field}.schema") if "schema" in body else json_object(field)
        case "json_schema" | "json":
            return _schema(body, field)
        case "regex":
            return regex(*_first(body, field, "regex", "value", "pattern"))
        case "ebnf" | "grammar":
            return grammar(*_first(body, field, "ebnf", "grammar", "value"))
        case "structural_tag":
            return structural_tag(body, field)
        case other:
            raise unsupported(f"{field}.type", f"must be one of {', '.join(_TYPES)}, got {other!r}")


def _schema(body: Mapping[str, Any], field: str) -> Constraint:
    """`strict: false` gives up the schema and keeps the JSON."""
    named = body.get("json_schema")
    inner, where = (
        (named, f"{field}.json_schema") if isinstance(named, Mapping) and "schema" in named else (body, field)
    )
    if inner.get("strict") is False:
        return json_schema(True, f"{where}.schema")
    value, at = _first(inner, where, "schema", "value", "json_schema")
    if body.get("type") == "json_schema" and isinstance(value, Mapping) and isinstance(value.get("schema"), Mapping):
        value = value["schema"]  # TGI names its schemas as OpenAI does
    return json_schema(value, at)


def _first(body: Mapping[str, Any], field: str, *names: str) -> tuple[Any, str]:
    """The first of the parts that is there, and its place."""
    for name in names:
        if body.get(name) is not None:
            return body[name], f"{field}.{name}"
    raise bad_request("is missing", f"{field}.{names[0]}")
