"""uniqueItems with containers, leading items and contains; keys that must differ within their own region."""

import itertools
import json
import random
from typing import Any

import pytest

from slipform.errors import EmptyGrammar, UnsupportedGrammar
from tests.grammars.json_schema_help import accepts, compact, compiled, judge, walk

ITEMS: list[Any] = [None, True, False, 0, 1, "a", "é", [], [1], [True], [[1]], {}, {"a": 1}, {"a": True}, {"b": [1]}]
PERSON = {
    "type": "object",
    "properties": {"nick": {"type": "string"}, "id": {"type": "integer"}, "knows": {"$ref": "#"}},
    "required": ["id"],
}


def test_small_items_of_any_kind_are_told_apart() -> None:
    grammar = compiled({"uniqueItems": True})
    for pair in itertools.product(ITEMS, repeat=2):
        distinct = json.dumps(pair[0]) != json.dumps(pair[1])
        for text in (compact(list(pair)), json.dumps(list(pair))):
            assert accepts(grammar, text) == distinct, text
    assert not accepts(grammar, '[{"a": 1},{"a":1}]'), "two spellings of one value"
    assert accepts(grammar, '[{"a":1,"b":2},{"a":2,"b":1}]')
    assert not accepts(grammar, '[{"a":1,"b":2},{"b":2,"a":1}]')
    assert accepts(grammar, '[3,{"b":{"a":[1,{"c":2}]},"a":[]}]')


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        (
            {"items": PERSON, "uniqueItems": True, "type": "array"},
            ['[{"id":1},{"id":2}]', '[{"id":1,"knows":[{"id":5}]},{"id":2,"nick":"x"}]', '[{"nick":"x","id":1}]'],
            ['[{"id":1},{"id":1}]', '[{"id":1,"nick":"a"},{"nick":"a","id":1}]'],
        ),
        (
            {
                "items": {"properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}, "maxProperties": 2},
                "uniqueItems": True,
            },
            ['[{"x":1,"y":2},{"x":1,"y":3},{"y":3},{}]', '[{"z":1},{"z":2}]'],
            ['[{"x":1,"y":2},{"x":1,"y":2}]', '[{"x":1,"y":2},{"y":2,"x":1}]', "[{},{}]"],
        ),
        (
            {
                "uniqueItems": True,
                "contains": {"type": "string"},
                "maxContains": 2,
                "items": {"type": ["string", "array"]},
            },
            ['["a"]', '["a",[1],[2],"b"]'],
            ["[]", "[[1]]", '["a","a"]', '["a","b","c"]', '["a",[1],[1]]'],
        ),
        (
            {
                "uniqueItems": True,
                "prefixItems": [{"type": "string"}, {"type": "object"}],
                "items": {"type": "integer"},
            },
            ['["a",{"b":1,"c":2},1,2]', '["a"]', '["a",{"c":2.50,"b":1}]'],
            ['["a",{},1,1]'],
        ),
        (
            {"uniqueItems": True, "prefixItems": [{"type": "boolean"}, {"type": "boolean"}]},
            ["[true,false,1,[1],[2]]"],
            ["[true,true]", "[true,false,true]"],
        ),
        (
            {
                "type": "object",
                "patternProperties": {"^[ab]{1,2}$": True, "^a+$": {"type": "null"}},
                "minProperties": 3,
            },
            ['{"":0,"a":null,"aa":null}', '{"b":1,"aa":null,"a":null}'],
            ['{"":0,"a":null,"a":null}', '{"b":1,"aa":1,"a":null}'],
        ),
    ],
)
def test_what_is_different_is_taken(schema: Any, taken: list[str], refused: list[str]) -> None:
    grammar = compiled(schema)
    for text in taken:
        assert judge(schema).is_valid(json.loads(text))
        assert accepts(grammar, text), text
    for text in refused:
        assert not accepts(grammar, text), text
    for seed in range(8):
        value = json.loads(walk(grammar, random.Random(seed), 40))
        assert judge(schema).is_valid(value), value


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": True, "items": {"enum": [1, 2]}, "minItems": 3},
        {"uniqueItems": True, "prefixItems": [{"type": "boolean"}] * 3, "minItems": 3},
        {"uniqueItems": True, "contains": {"enum": ["a", "b"]}, "minContains": 3},
        {"contains": {}, "maxContains": 2, "minItems": 3},
        {"contains": {"const": 1}, "maxContains": 1, "prefixItems": [{"const": 1}, {"const": 1}], "minItems": 2},
        {"not": {"uniqueItems": True}},
    ],
)
def test_arrays_that_cannot_be_are_found_when_compiling(schema: Any) -> None:
    with pytest.raises(EmptyGrammar):
        compiled({"type": "array", **schema})
    assert accepts(compiled(schema if "not" not in schema else {"not": {"uniqueItems": True, "type": "array"}}), "1")


def test_what_cannot_be_told_apart_is_refused() -> None:
    string = {"type": "string"}
    with pytest.raises(UnsupportedGrammar, match="at /properties/a: uniqueItems"):
        compiled({"properties": {"a": {"uniqueItems": True, "prefixItems": [string, string]}}})
