"""JSON Schema, keyword by keyword: texts that a schema takes and texts that it refuses."""

import json
import random
from typing import Any

import pytest

from slipform.errors import EmptyGrammar, GrammarError, GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.json_schema.compiler import notes
from tests.grammars.json_schema_help import SCHEMAS, accepts, compiled, judge, walk

# (schema, texts taken, texts refused)
CASES: list[tuple[Any, list[str], list[str]]] = [
    (True, ["1", '"a"', "[[],{}]", '{"a":null}'], ["", "tru", "[1,]", '{"a"}', "01", '"\n"']),
    ({"type": "null"}, ["null"], ["true", '"null"']),
    ({"type": ["integer", "null"]}, ["1", "null", "-3", "1.0"], ["1.5", "true", "1.00"]),
    ({"type": "number"}, ["1", "-1.5e-7", "1e+20", "0"], ["01", ".5", "1.", "1e", "+1", "NaN"]),
    (
        {"enum": [1, "a", [1, {"b": None}], {"x": 1, "y": 2}]},
        ["1.0", '"a"', '{"y":2,"x":1}', '[1, {"b": null}]'],
        ["2"],
    ),
    ({"const": {"a": 1}}, ['{"a":1}', '{"a": 1.0}'], ["{}", '{"a":1,"b":1}', '{"a":1,"a":1}']),
    ({"enum": ["é", "a/b", '"']}, ['"é"', '"\\u00e9"', '"a/b"', '"\\""'], ['"e"']),
    ({"type": "string", "maxLength": 2}, ['"😀é"', '"\\ud83d\\ude00\\n"', '""'], ['"abc"', '"\\ud83d\\ude00ab"']),
    ({"type": "string", "minLength": 2}, ['"ab"', '"\\u0041b"'], ['"a"', '"\\n"']),
    ({"pattern": "^a.c$"}, ['"abc"', '"a\\u00e9c"', '"a\\tc"', "1", '"aéc"'], ['"ac"', '"a\\nc"', '"xabc"']),
    ({"type": "string", "pattern": "\\d"}, ['"a1"', '"1"'], ['"a"', '"٣"']),
    ({"type": "string", "pattern": "^a*$", "minLength": 1, "maxLength": 2}, ['"a"', '"aa"'], ['""', '"aaa"', '"b"']),
    ({"format": "date"}, ['"2024-02-29"', "5"], ['"2023-02-29"', '"2024-2-1"', '"0000-01-01"']),
    ({"format": "time"}, ['"23:59:59Z"', '"00:00:00.5+01:30"'], ['"24:00:00Z"', '"12:00:00"']),
    ({"format": "duration"}, ['"P1Y2M3D"', '"PT1H"', '"P2W"'], ['"P"', '"PT"', '"P1D2H"']),
    ({"format": "uuid"}, ['"2EB8AA08-aa98-11ea-b4aa-73b441d16380"'], ['"2eb8aa08-aa98-11ea-b4aa-73b441d1638"']),
    ({"format": "ipv4"}, ['"127.0.0.1"'], ['"127.0.0.256"', '"1.2.3"', '"01.2.3.4"']),
    ({"format": "ipv6"}, ['"::1"', '"1:2:3:4:5:6:7:8"', '"::ffff:1.2.3.4"'], ['"1::2::3"', '":1"', '"12345::"']),
    ({"format": "hostname"}, ['"a.example-1.com"'], ['"-a.com"', '"a..b"', f'"{"a" * 64}"']),
    ({"format": "email"}, ['"a.b+c@example.com"', '"\\"x y\\"@a.de"'], ['"a"', '".a@b.c"', '"a@-b"']),
    ({"format": "idn-email"}, ['"실례@실례.테스트"'], ['"2962"']),
    ({"format": "uri"}, ['"http://a/b?c#d"', '"urn:a:b"', '"http://[::1]:80/"'], ['"//a"', '"a b"', '"http://a b"']),
    ({"format": "uri-reference"}, ['"//a/b"', '"#x"', '""', '"a/b"'], ['"a\\\\b"', '":a"']),
    ({"format": "iri"}, ['"http://ƒøø.ßår/?∂éœ=πîx"'], ['"ƒøø"']),
    ({"format": "json-pointer"}, ['""', '"/a~1b/0"'], ['"a"', '"/~2"']),
    ({"format": "regex"}, ['"^a(b|c)*[0-9]+$"', '"\\\\d{3}"'], ['"("', '"*a"', '"[a"']),
    ({"format": "no such format"}, ['"anything"'], []),
    ({"minimum": 1.5, "maximum": 10}, ["1.5", "10", "10.0", '"x"'], ["1.49", "10.01", "-3"]),
    ({"exclusiveMinimum": -1, "exclusiveMaximum": 1, "type": "number"}, ["0", "-0.999", "0.5"], ["-1", "1", "1.0"]),
    ({"minimum": 3, "exclusiveMinimum": True, "type": "integer"}, ["4"], ["3"]),
    ({"type": "number", "multipleOf": 0.01}, ["4.02", "1", "0.1", "-7.35"], ["4.021", "0.001"]),
    ({"type": "integer", "multipleOf": 4, "minimum": 5}, ["8", "100"], ["4", "10", "-8"]),
    ({"type": "integer", "minimum": 0}, ["0", "12"], ["-1", "-0"]),
    ({"not": {"type": ["object", "array", "string"]}}, ["1", "null"], ['"a"', "{}", "[]"]),
    ({"type": "integer", "not": {"enum": [1, 2]}}, ["3", "12", "-1"], ["1", "2", "1.0"]),
    ({"properties": {"a": {"type": "integer"}}}, ["{}", '{"a":1,"b":"x"}', "3"], ['{"a":"x"}', '{"\\u0061":"x"}']),
    ({"required": ["a"], "type": "object"}, ['{"b":1,"a":2}'], ["{}", '{"b":1}']),
    (
        {"properties": {"a": False, "b": True}, "type": "object", "additionalProperties": False},
        ["{}", '{"b":[]}'],
        ['{"a":1}', '{"c":1}'],
    ),
    (
        {"properties": {"ab": {"type": "integer"}}, "patternProperties": {"^a": {"minimum": 3}}, "type": "object"},
        ['{"ab":3,"ac":4}', '{"ab":4}', '{"x":1}'],
        ['{"ab":1}', '{"ac":2}', '{"ab":3.5}'],
    ),
    ({"type": "object", "minProperties": 2, "maxProperties": 2}, ['{"a":1,"b":2}'], ["{}", '{"a":1}', '{"a":1,"a":2}']),
    (
        {"type": "object", "propertyNames": {"maxLength": 1}, "properties": {"long": True}},
        ['{"a":1}', "{}"],
        ['{"long":1}', '{"ab":1}'],
    ),
    (
        {"type": "object", "dependencies": {"a": ["b"], "c": {"properties": {"d": {"type": "null"}}}}},
        ['{"a":1,"b":1}', '{"c":1,"d":null}', '{"d":1}'],
        ['{"a":1}', '{"c":1,"d":1}'],
    ),
    ({"items": {"type": "integer"}, "minItems": 1, "type": "array"}, ["[1]", "[1, 2]"], ["[]", '["a"]']),
    ({"items": [{"type": "integer"}], "additionalItems": False, "type": "array"}, ["[]", "[1]"], ["[1,2]", '["a"]']),
    ({"prefixItems": [True, {"type": "null"}], "minItems": 2, "type": "array"}, ["[1,null,5]"], ["[1]", "[1,2]"]),
    ({"type": "array", "uniqueItems": True}, ['[1,"1",true,null]', "[{}]"], ["[1,1]", "[1,1.0]", '["a","\\u0061"]']),
    (
        {
            "type": "array",
            "uniqueItems": True,
            "prefixItems": [{"type": "boolean"}, {"type": "boolean"}],
            "items": False,
        },
        ["[true,false]", "[true]", "[]"],
        ["[true,true]"],
    ),
    (
        {"type": "array", "contains": {"const": 1}, "minContains": 2, "maxContains": 2, "maxItems": 3},
        ["[1,1]", "[1,0,1]"],
        ["[1]", "[1,1,1]", "[1,1,0,0]"],
    ),
    (
        {"type": "array", "prefixItems": [{"type": "integer"}], "contains": {"minimum": 5}},
        ["[5]", '["a",6]'.replace('"a"', "1")],
        ["[1]", "[]"],
    ),
    (
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"},
        ['{"a":1}', '{"b":1}', '{"a":1,"b":2}'],
        ["{}", '{"c":1}'],
    ),
    (
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"},
        ['{"a":1}', '{"b":1,"c":2}'],
        ["{}", '{"a":1,"b":2}'],
    ),
    ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, ["1.5"], ["1", "1.0"]),
    (
        {"oneOf": [{"properties": {"a": {"type": "integer"}}}, {"required": ["b"]}], "type": "object"},
        ["{}", '{"a":1}', '{"a":"x","b":1}'],
        ['{"a":1,"b":1}', '{"a":"x"}'],
    ),
    (
        {"type": "object", "not": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}},
        ["{}", '{"a":"x"}', '{"b":1}'],
        ['{"a":1}'],
    ),
    (
        {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
        ["[]", "[[],[[]]]"],
        ["[1]", "[[]"],
    ),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "#/definitions/a",
            "maximum": 1,
            "definitions": {"a": {}},
        },
        ["5"],
        [],
    ),
    ({"$anchor": "x", "type": "array", "items": {"$ref": "#x"}}, ["[[]]"], ["[1]"]),
    (
        {
            "$id": "http://a/root",
            "$defs": {"b": {"$id": "sub/b", "$defs": {"c": {"type": "null"}}}},
            "$ref": "sub/b#/$defs/c",
        },
        ["null"],
        ["1"],
    ),
    ({"properties": {"a~/b": {"type": "integer"}, "r": {"$ref": "#/properties/a~0~1b"}}}, ['{"r":1}'], ['{"r":"x"}']),
    (
        {
            "$id": "http://a/strict",
            "$dynamicAnchor": "node",
            "$ref": "tree",
            "unevaluatedProperties": False,
            "$defs": {
                "tree": {
                    "$id": "tree",
                    "$dynamicAnchor": "node",
                    "type": "object",
                    "properties": {"data": True, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
                }
            },
        },
        ['{"children":[{"data":1}]}'],
        ['{"children":[{"daat":1}]}'],
    ),
    (
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": "https://json-schema.org/draft/2020-12/schema",
        },
        ['{"minLength":1}', "true"],
        ['{"minLength":-1}', '{"type":"text"}'],
    ),
    (
        {"type": "array", "prefixItems": [True], "contains": {"type": "string"}, "unevaluatedItems": False},
        ['[1,"a"]', '["a"]'],
        ['[1,2,"a"]', "[1]"],
    ),
]


@pytest.mark.parametrize(("schema", "taken", "refused"), CASES, ids=[str(index) for index in range(len(CASES))])
def test_cases(schema: Any, taken: list[str], refused: list[str]) -> None:
    grammar = compiled(schema)
    for text in taken:
        assert accepts(grammar, text), text
    for text in refused:
        assert not accepts(grammar, text), text


def test_declared_order_and_white_space() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["b"]}
    declared = compiled(schema, "declared")
    assert accepts(declared, '{"a": 1, "b": 2, "z": 3}')
    assert accepts(declared, '{"b":2}')
    assert not accepts(declared, '{"b":2,"a":1}')
    assert accepts(compiled(schema, "any"), '{"z":0,"b":2,"a":1}')
    assert not accepts(declared, '{"a":  1,"b":2}')
    assert not accepts(compiled(schema, whitespace="compact"), '{"b": 2}')


def test_required_keys_are_forced() -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    matcher = compiled(schema, "declared", whitespace="compact").matcher()
    assert matcher.forced_bytes() == b'{"name":"'


@pytest.mark.parametrize(
    ("schema", "error", "message"),
    [
        (
            {"properties": {"age": {"multipleOf": 0}}},
            GrammarSyntaxError,
            "Grammar error at /properties/age/multipleOf:",
        ),
        ({"items": {"$ref": "http://elsewhere/x.json"}}, UnsupportedGrammar, "Grammar error at /items/$ref: "),
        (
            {"$schema": "http://json-schema.org/draft-03/schema#", "items": {"divisibleBy": 2}},
            UnsupportedGrammar,
            "at /items/divisibleBy: ",
        ),
        ({"$ref": "#/nowhere"}, GrammarSyntaxError, "Grammar error at /$ref: "),
        ({"$ref": "#"}, UnsupportedGrammar, "refers to itself"),
        ({"properties": {"a/b": {"type": "text"}}}, GrammarSyntaxError, "at /properties/a~1b/type: "),
        ({"anyOf": {}}, GrammarSyntaxError, "at /anyOf: "),
        ({"pattern": "("}, GrammarSyntaxError, "Grammar error"),
        ({"type": "string", "pattern": "(a)\\1"}, UnsupportedGrammar, "Grammar error"),
        ({"required": ["a"], "properties": {"a": {"enum": []}}, "type": "object"}, EmptyGrammar, "at /properties/a"),
        ({"type": "object", "required": ["x"], "additionalProperties": False}, EmptyGrammar, "Grammar error at /"),
        ({"type": "array", "minItems": 1, "items": False}, EmptyGrammar, "Grammar error at /items"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, EmptyGrammar, "Grammar error"),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, EmptyGrammar, "Grammar error"),
        ({"$anchor": "a", "type": "array", "minItems": 1, "items": {"$ref": "#a"}}, EmptyGrammar, ""),
        ({"type": "object", "minProperties": 1, "propertyNames": False}, EmptyGrammar, ""),
        ({"items": {"pattern": "^(?:\\S+ ){0,49}\\S+$", "maxLength": 50000}}, UnsupportedGrammar, "at /items"),
    ],
)
def test_errors_point_at_their_cause(schema: Any, error: type[GrammarError], message: str) -> None:
    with pytest.raises(error) as caught:
        compiled(schema)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"properties":{"x":{"type":"null","type":"null"}}}'])
def test_a_repeated_key_is_an_error(text: str) -> None:
    with pytest.raises(GrammarSyntaxError, match="appears twice") as caught:
        compiled(text)
    assert caught.value.path == ("/properties/x" if "properties" in text else "/")


def test_an_optional_property_that_nothing_satisfies_is_not_written() -> None:
    grammar = compiled({"type": "object", "properties": {"a": {"enum": []}}, "additionalProperties": {"type": "null"}})
    assert accepts(grammar, '{"b":null}')
    assert not accepts(grammar, '{"a":null}')


def test_notes_tell_what_is_an_annotation() -> None:
    found = notes(json.dumps({"properties": {"c": {"type": "string", "format": "color"}}}))
    assert [path for path, _ in found] == ["/properties/c/format"]


@pytest.mark.parametrize("order", ["declared", "any"])
@pytest.mark.parametrize("index", range(len(SCHEMAS)))
def test_random_walks_end_in_valid_texts(index: int, order: Any) -> None:
    schema = SCHEMAS[index]
    grammar = compiled(schema, order)
    judged = judge(schema)
    rng = random.Random(index)
    for steps in (0, 3, 10, 30, 80):
        text = walk(grammar, rng, steps)
        judged.validate(json.loads(text))
        assert accepts(compiled(schema, "any"), text), text
