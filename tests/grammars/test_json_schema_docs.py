"""The reference page tells what the code does."""

from pathlib import Path
from typing import Any

import pytest

from slipform.grammars.json_schema import conditions, expansion
from slipform.grammars.json_schema.formats import FORMATS
from slipform.grammars.json_schema.keywords import ASSERTIONS, KEYWORDS
from slipform.grammars.json_schema.reference import page
from tests.grammars.json_schema_help import accepts, compiled

PAGE = Path(__file__).parent.parent.parent / "docs" / "json-schema.md"

# For each enforced keyword a schema with it, a text that it refuses, and one that it takes.
WITNESSES: dict[str, tuple[Any, str, str]] = {
    "type": ({"type": "null"}, "1", "null"),
    "enum": ({"enum": [1]}, "2", "1"),
    "const": ({"const": 1}, "2", "1"),
    "multipleOf": ({"multipleOf": 3}, "2", "3"),
    "minimum": ({"minimum": 3}, "2", "3"),
    "maximum": ({"maximum": 3}, "4", "3"),
    "exclusiveMinimum": ({"exclusiveMinimum": 3}, "3", "4"),
    "exclusiveMaximum": ({"exclusiveMaximum": 3}, "3", "2"),
    "minLength": ({"minLength": 1}, '""', '"a"'),
    "maxLength": ({"maxLength": 0}, '"a"', '""'),
    "pattern": ({"pattern": "a"}, '"b"', '"a"'),
    "format": ({"format": "date"}, '"b"', '"2024-01-01"'),
    "items": ({"items": {"type": "null"}}, "[1]", "[null]"),
    "prefixItems": ({"prefixItems": [{"type": "null"}]}, "[1]", "[null]"),
    "additionalItems": ({"items": [True], "additionalItems": False}, "[1,1]", "[1]"),
    "minItems": ({"minItems": 1}, "[]", "[1]"),
    "maxItems": ({"maxItems": 0}, "[1]", "[]"),
    "uniqueItems": ({"uniqueItems": True}, "[1,1]", "[1,2]"),
    "contains": ({"contains": {"type": "null"}}, "[1]", "[null]"),
    "minContains": ({"contains": {"type": "null"}, "minContains": 2}, "[null]", "[null,null]"),
    "maxContains": ({"contains": {"type": "null"}, "maxContains": 1}, "[null,null]", "[null]"),
    "properties": ({"properties": {"a": {"type": "null"}}}, '{"a":1}', '{"a":null}'),
    "patternProperties": ({"patternProperties": {"a": {"type": "null"}}}, '{"a":1}', '{"a":null}'),
    "additionalProperties": ({"additionalProperties": {"type": "null"}}, '{"a":1}', '{"a":null}'),
    "propertyNames": ({"propertyNames": {"maxLength": 1}}, '{"aa":1}', '{"a":1}'),
    "required": ({"required": ["a"]}, "{}", '{"a":1}'),
    "minProperties": ({"minProperties": 1}, "{}", '{"a":1}'),
    "maxProperties": ({"maxProperties": 0}, '{"a":1}', "{}"),
    "dependentRequired": ({"dependentRequired": {"a": ["b"]}}, '{"a":1}', '{"a":1,"b":1}'),
    "dependentSchemas": ({"dependentSchemas": {"a": {"maxProperties": 1}}}, '{"a":1,"b":1}', '{"a":1}'),
    "dependencies": ({"dependencies": {"a": ["b"]}}, '{"a":1}', '{"b":1}'),
    "allOf": ({"allOf": [{"type": "null"}]}, "1", "null"),
    "anyOf": ({"anyOf": [{"type": "null"}]}, "1", "null"),
    "oneOf": ({"oneOf": [{"type": "null"}, True]}, "null", "1"),
    "not": ({"not": {"type": "null"}}, "null", "1"),
    "if": ({"if": {"minimum": 5}, "then": {"const": 7}}, "6", "7"),
    "then": ({"if": True, "then": {"const": 7}}, "6", "7"),
    "else": ({"if": False, "else": {"const": 7}}, "6", "7"),
    "unevaluatedProperties": ({"unevaluatedProperties": False}, '{"a":1}', "{}"),
    "unevaluatedItems": ({"unevaluatedItems": False}, "[1]", "[]"),
}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_enforced_keyword_has_a_witness() -> None:
    assert {keyword.name for keyword in KEYWORDS if keyword.kind == "enforced"} == set(WITNESSES)
    assert len({keyword.name for keyword in KEYWORDS}) == len(KEYWORDS)
    assert conditions.ASSERTIONS is ASSERTIONS
    assert set(expansion._IN_PLACE) <= ASSERTIONS


@pytest.mark.parametrize("keyword", WITNESSES)
def test_an_enforced_keyword_is_enforced(keyword: str) -> None:
    schema, refused, taken = WITNESSES[keyword]
    assert keyword in schema
    grammar = compiled(schema)
    assert accepts(grammar, taken)
    assert not accepts(grammar, refused)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_refuses_something(name: str) -> None:
    grammar = compiled({"type": "string", "format": name}, formats="all")
    assert not accepts(grammar, '"\\u0000("')
    shortest = grammar.matcher().shortest_completion()
    assert accepts(grammar, shortest)
