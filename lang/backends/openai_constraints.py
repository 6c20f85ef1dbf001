"""What of a constraint an OpenAI-like API can be asked to enforce, and how its answer is read back."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from slipform.grammars.spec import AnyText, Choice, Ebnf, GrammarSpec, JsonSchema, Lark, Regex

Server = Literal["openai", "vllm", "sglang"]
JsonMode = Literal["json_schema", "tools"]

# OpenAI's schemas describe objects, so that everything else travels as the only member of one.
_MEMBER = "answer"


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Mapped:
    """A constraint as fields of a request.

    Attributes:
        enforced: whether the API promises it; otherwise the answer may well not match.
        read: the API's text to the text that the constraint speaks of.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    enforced: bool = True
    read: Callable[[str], str] = _same

    @property
    def is_plain(self) -> bool:
        """The text can be shown while it comes."""
        return self.enforced and self.read is _same and "tools" not in self.fields


def map_constraint(spec: GrammarSpec | None, server: Server, json_mode: JsonMode) -> Mapped:
    """The request's fields for `spec`; without fields where the API has none for it."""
    if spec is None or spec == AnyText():
        return Mapped()
    if server == "vllm":
        return _vllm(spec)
    if server == "sglang":
        return _sglang(spec)
    return _openai(spec, json_mode)


def _vllm(spec: GrammarSpec) -> Mapped:
    match spec:
        case JsonSchema():
            parts: dict[str, Any] = {"json": json.loads(spec.schema)}
            if spec.whitespace == "compact":
                parts["disable_any_whitespace"] = True
        case Regex(pattern):
            parts = {"regex": pattern}
        case Choice(options):
            parts = {"choice": list(options)}
        case Ebnf(text, "root") | Lark(text, "start"):
            parts = {"grammar": text}
        case _:
            return Mapped(enforced=False)
    return Mapped({"structured_outputs": parts})


def _sglang(spec: GrammarSpec) -> Mapped:
    match spec:
        case JsonSchema():
            return Mapped({"response_format": _response_format(json.loads(spec.schema), strict=True)})
        case Regex(pattern):
            return Mapped({"regex": pattern})
        case Choice(options):
            return Mapped({"regex": "|".join(f"(?:{re.escape(option)})" for option in options)})
        case Ebnf(text, "root"):
            return Mapped({"ebnf": text})
        case _:
            return Mapped(enforced=False)


def _openai(spec: GrammarSpec, json_mode: JsonMode) -> Mapped:
    match spec:
        case JsonSchema():
            schema = json.loads(spec.schema)
            if isinstance(schema, dict) and schema.get("type") == "object":
                return _as_object(schema, json_mode, _same)
            return _as_object(_member(schema), json_mode, _read_value)
        case Choice(options):
            return _as_object(_member({"type": "string", "enum": list(options)}), json_mode, _read_string)
        case Regex(pattern):
            part = {"type": "string", "pattern": f"^(?:{pattern})$"}
            return _as_object(_member(part), json_mode, _read_string)
        case _:
            return Mapped(enforced=False)


def _as_object(schema: dict[str, Any], json_mode: JsonMode, read: Callable[[str], str]) -> Mapped:
    strict = fits_strict(schema)
    if json_mode == "json_schema":
        return Mapped({"response_format": _response_format(schema, strict=strict)}, strict, read)
    function = {"name": _MEMBER, "parameters": schema, "strict": strict}
    fields = {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": _MEMBER}},
    }
    return Mapped(fields, strict, read)


def _member(schema: Any) -> dict[str, Any]:
    definitions = {}
    if isinstance(schema, dict):  # references go on pointing to the root
        definitions = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
        schema = {name: part for name, part in schema.items() if name not in definitions}
    return {
        "type": "object",
        "properties": {_MEMBER: schema},
        "required": [_MEMBER],
        "additionalProperties": False,
        **definitions,
    }


def _response_format(schema: Any, *, strict: bool) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": _MEMBER, "schema": schema, "strict": strict}}


def _read_value(text: str) -> str:
    return json.dumps(_read_member(text), ensure_ascii=False)


def _read_string(text: str) -> str:
    value = _read_member(text)
    return value if isinstance(value, str) else json.dumps(value)


def _read_member(text: str) -> Any:
    value = json.loads(text)
    return value[_MEMBER] if isinstance(value, dict) and _MEMBER in value else value


def fits_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes the schema: objects are closed, all their properties required, and no keyword
    stands in it that the mode does not know."""
    if not isinstance(schema, dict) or schema.keys() - _STRICT_KEYWORDS:
        return False
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties)
    ):
        return False
    parts = [*properties.values(), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    parts += [schema[name] for name in ("items",) if name in schema]
    return all(map(fits_strict, parts))


_STRICT_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs"}
    | {"title", "description", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"multipleOf", "minItems", "maxItems"}
)
