"""All constraint fields that clients of other servers send, read into one constraint."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from slipform.runtime.server.dialects.constraint import (
    Constraint,
    JsonStyle,
    choice,
    grammar,
    json_object,
    json_schema,
    mapping,
    only_one,
    regex,
)
from slipform.runtime.server.dialects.response_format import response_format
from slipform.runtime.server.dialects.structural_tags import structural_tag
from slipform.runtime.server.http_errors import bad_request, unsupported

Reader = Callable[[Any, str], Constraint | None]


def constraint_of(body: Mapping[str, Any]) -> Constraint | None:
    """The constraint of a request, whichever dialect it is written in; fields that are null count as absent.

    Args:
        body: the request's fields; others than `CONSTRAINT_FIELDS` are left alone.

    Raises: ApiError 400 naming both fields if there are two constraints, or the field that cannot be honoured.
    """
    found = []
    for field, read in _FIELDS.items():
        value = body.get(field)
        if value is not None and (constraint := read(value, field)) is not None:
            found.append(constraint)
    found += _guided_parts({name: body.get(f"guided_{name}") for name in _LEGACY}, "guided_")
    return only_one(found)


def _guided(value: Any, field: str) -> Constraint | None:
    """vLLM's `structured_outputs` and TensorRT-LLM's `guided_decoding`: an object with exactly one constraint."""
    body = mapping(value, field)
    for name in body:
        if name not in _GUIDED and name not in _OPTIONS:
            raise unsupported(f"{field}.{name}", "is not known")
    found = _guided_parts(body, f"{field}.")
    if not found:
        raise bad_request(f"needs one of {', '.join(_GUIDED)}", field)
    return only_one(found)


def _guided_parts(parts: Mapping[str, Any], prefix: str) -> list[Constraint]:
    """The constraints among `parts`, whose fields are called `prefix` and their name."""
    style = JsonStyle(
        _whitespace(parts, f"{prefix}whitespace_pattern"), closed=parts.get("disable_additional_properties") is True
    )
    found = []
    for name, read in _GUIDED.items():
        part, field = parts.get(name), prefix + name
        if part is None:
            continue
        constraint = json_schema(part, field, style) if name == "json" else read(part, field)
        if constraint is not None:
            found.append(constraint)
    return found


def _whitespace(parts: Mapping[str, Any], field: str) -> Literal["flexible", "compact"]:
    """Patterns of white space between the parts of JSON: none, or what models like to write."""
    pattern = parts.get("whitespace_pattern")
    if pattern == "" or parts.get("disable_any_whitespace") is True:
        return "compact"
    if pattern is None or pattern in _FREE_WHITESPACE:
        return "flexible"
    raise unsupported(field, "only the empty pattern (no white space) and free white space are supported")


def _flag_of_json_object(value: Any, field: str) -> Constraint | None:
    if not isinstance(value, bool):
        raise bad_request("must be true or false", field)
    return json_object(field) if value else None


def _grammar_or_format(value: Any, field: str) -> Constraint | None:
    """llama.cpp sends a text under this name, TGI an object with a type."""
    return response_format(value, field) if isinstance(value, Mapping) else grammar(value, field)


def _format(value: Any, field: str) -> Constraint | None:
    """Ollama: "json", or a schema."""
    return json_object(field) if value == "json" else json_schema(mapping(value, field), field)


def _output_config(value: Any, field: str) -> Constraint | None:
    """Anthropic: `{"format": {"type": "json_schema", "schema": …}}`."""
    form = mapping(value, field).get("format")
    return None if form is None else response_format(form, f"{field}.format")


def _lazy(value: Any, field: str) -> Constraint | None:
    """llama.cpp's triggers: `structural_tag` says the same, so only "not lazy" is accepted."""
    if value:
        raise unsupported(field, "lazy grammars are not supported; use structural_tag")
    return None


_GUIDED: dict[str, Reader] = {
    "json": json_schema,
    "json_object": _flag_of_json_object,
    "regex": regex,
    "choice": choice,
    "grammar": grammar,
    "structural_tag": structural_tag,
}
# Beside one of the above. A name of an engine changes nothing: there is one here, with the same guarantee.
_OPTIONS = frozenset({"disable_any_whitespace", "disable_additional_properties", "whitespace_pattern", "backend"})
_LEGACY = (*_GUIDED, "whitespace_pattern", "decoding_backend")
_FREE_WHITESPACE = frozenset({" ?", "[ ]?", r"[\n ]?", r"[ \n]?", r"[\n\t ]*", r"[ \n]*", r"\s*", r"[\s]*"})

_FIELDS: dict[str, Reader] = {
    "response_format": response_format,
    "structured_outputs": _guided,
    "guided_decoding": _guided,
    "json_schema": json_schema,
    "regex": regex,
    "ebnf": grammar,
    "structural_tag": structural_tag,
    "grammar": _grammar_or_format,
    "grammar_lazy": _lazy,
    "grammar_triggers": _lazy,
    "format": _format,
    "output_config": _output_config,
}

CONSTRAINT_FIELDS = frozenset({*_FIELDS, *(f"guided_{name}" for name in _LEGACY)})
