"""What the tests of JSON Schema share: vocabularies, acceptance of a text, walks, and schemas with instances."""

import json
import random
from functools import cache
from typing import Any, Literal

import jsonschema
import numpy as np

from slipform.grammars.compiler import CompiledGrammar, GrammarCache, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.matcher import Matcher
from slipform.grammars.spec import JsonSchema
from slipform.grammars.vocabulary import Vocabulary

Order = Literal["declared", "any"]


@cache
def byte_vocabulary() -> Vocabulary:
    """One token a byte, and an end."""
    return Vocabulary.from_tokens([bytes((byte,)) for byte in range(256)] + [b""], [256], [256])


@cache
def piece_vocabulary() -> Vocabulary:
    """Bytes, and pieces of JSON that cross the borders of keys, values and characters as large vocabularies do."""
    sample = json.dumps({"name": "Ada é😀", "age": -12.5e3, "tags": ["a", "b", True, None, {}], "x-y": "2024-02-29"})
    texts = [sample, json.dumps(json.loads(sample), ensure_ascii=False, separators=(",", ":")), '"}]},{"', "\\u00e9\\n"]
    pieces = {bytes((byte,)) for byte in range(256)}
    for text in texts:
        data = text.encode()
        pieces |= {data[i : i + n] for n in (2, 3, 5) for i in range(len(data) - n + 1)}
    return Vocabulary.from_tokens([*sorted(pieces), b""], [len(pieces)], [len(pieces)])


def compiled(
    schema: Any,
    order: Order = "any",
    vocabulary: Vocabulary | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> CompiledGrammar:
    spec = JsonSchema.of(schema, property_order=order, **options)
    return compile_grammar(spec, vocabulary or byte_vocabulary(), limits or Limits(), cache=GrammarCache())


def accepts(grammar: CompiledGrammar, text: str | bytes) -> bool:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    matcher = grammar.matcher()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def mask_of(grammar: CompiledGrammar, matcher: Matcher) -> set[int]:
    row = np.zeros(grammar.vocabulary.num_words, np.int32)
    matcher.fill_bitmask(row)
    bits = np.unpackbits(row.view(np.uint8), bitorder="little")
    return set(np.flatnonzero(bits).tolist())


def walk(grammar: CompiledGrammar, rng: random.Random, steps: int) -> str:
    """A text by `steps` random tokens at most, then by the shortest way to the end."""
    matcher = grammar.matcher()
    vocabulary = grammar.vocabulary
    data = b""
    for _ in range(steps):
        allowed = sorted(mask_of(grammar, matcher))
        assert allowed, "a configuration without a continuation"
        token = rng.choice(allowed)
        assert matcher.accept_token(token)
        if matcher.is_terminated:
            return data.decode()
        data += vocabulary.token_bytes[token]
    rest = matcher.shortest_completion()
    assert matcher.accept_bytes(rest) == len(rest)
    assert matcher.is_accepting
    return (data + rest).decode()


def judge(schema: Any) -> Any:
    """The validator that decides; formats are checked."""
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, format_checker=jsonschema.FormatChecker())


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["b"]},
    {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": False, "minProperties": 1},
    {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": {"type": "null"}},
    {"type": "object", "propertyNames": {"pattern": "^[a-c]+$"}, "maxProperties": 2},
    {"type": "array", "items": {"enum": ["a", 1, None, {"k": [True]}]}, "minItems": 1, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "uniqueItems": True, "maxItems": 4},
    {"type": "array", "contains": {"type": "string"}, "minContains": 2, "maxContains": 3, "maxItems": 5},
    {"type": "string", "minLength": 2, "maxLength": 5},
    {"type": "string", "pattern": "^[a-zé]+-[0-9]{2}$"},
    {"type": "string", "pattern": "b", "maxLength": 4, "not": {"pattern": "^a"}},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "ipv6"},
    {"type": "string", "format": "uri"},
    {"type": "integer", "minimum": -7, "exclusiveMaximum": 130, "multipleOf": 7},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 2.5},
    {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "integer"}, {"const": {"a": [1, 2]}}]},
    {"oneOf": [{"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}]},
    {
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind", "x"]},
            {"properties": {"kind": {"const": "b"}, "y": {"type": "string"}}, "required": ["kind", "y"]},
        ],
        "type": "object",
    },
    {
        "type": "object",
        "properties": {"country": {"enum": ["US", "NL"]}, "zip": {"type": "string"}},
        "required": ["country", "zip"],
        "if": {"properties": {"country": {"const": "US"}}},
        "then": {"properties": {"zip": {"pattern": "^[0-9]{5}$"}}},
        "else": {"properties": {"zip": {"pattern": "^[0-9]{4}[A-Z]{2}$"}}},
    },
    {
        "allOf": [
            {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "null"}}},
        ],
        "unevaluatedProperties": False,
        "type": "object",
    },
    {
        "type": "object",
        "properties": {"card": {"type": "string"}, "address": {"type": "string"}, "phone": {"type": "string"}},
        "dependentRequired": {"card": ["address"]},
        "dependentSchemas": {"phone": {"required": ["card"]}},
        "additionalProperties": False,
    },
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["value", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    # As Pydantic writes it: a nested model, an optional field, a literal, a default.
    {
        "$defs": {
            "Item": {
                "properties": {
                    "sku": {"pattern": "^[A-Z]{3}\\d+$", "title": "Sku", "type": "string"},
                    "count": {"default": 1, "minimum": 1, "title": "Count", "type": "integer"},
                },
                "required": ["sku"],
                "title": "Item",
                "type": "object",
            }
        },
        "properties": {
            "items": {"items": {"$ref": "#/$defs/Item"}, "maxItems": 3, "title": "Items", "type": "array"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
            "state": {"enum": ["new", "paid"], "title": "State", "type": "string"},
        },
        "required": ["items", "state"],
        "title": "Order",
        "type": "object",
    },
]
