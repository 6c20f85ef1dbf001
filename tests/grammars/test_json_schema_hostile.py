"""Schemas made to hurt: each ends soon, in a grammar or in a named error."""

import json
import time
from typing import Any

import pytest

from slipform.errors import EmptyGrammar, GrammarError, GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.limits import Limits
from tests.grammars.json_schema_help import accepts, compiled

# Of the clock on the wall, which other work on the machine takes from too; the work itself is bounded by `_ends`.
LIMITS = Limits(seconds=200.0)
MOST_SECONDS = 20.0


def _ends(schema: Any) -> str:
    """ "compiled", or the name of the error, both within `MOST_SECONDS` of this thread's own work."""
    begun = time.thread_time()
    try:
        grammar = compiled(schema, limits=LIMITS)
        grammar.matcher().shortest_completion()
        outcome = "compiled"
    except GrammarError as error:
        outcome = type(error).__name__
    assert time.thread_time() - begun < MOST_SECONDS
    return outcome


def test_ten_thousand_branches() -> None:
    assert _ends({"oneOf": [{"const": f"value {i}"} for i in range(10_000)]}) == "compiled"
    kinds = [{"properties": {"kind": {"const": f"k{i}"}}, "required": ["kind"], "type": "object"} for i in range(200)]
    assert _ends({"oneOf": kinds}) == "compiled"
    open_ones = [{"type": "object", "properties": {f"p{i}": {"type": "integer"}}} for i in range(10_000)]
    assert _ends({"oneOf": open_ones}) == "UnsupportedGrammar"


def test_a_hundred_levels_of_references() -> None:
    levels: dict[str, Any] = {f"l{i}": {"$ref": f"#/$defs/l{i + 1}"} for i in range(100)}
    levels["l100"] = {"type": "integer"}
    grammar = compiled({"$defs": levels, "$ref": "#/$defs/l0"})
    assert accepts(grammar, "7")
    assert not accepts(grammar, '"7"')


def test_doubling_references_are_looked_at_once() -> None:
    levels: dict[str, Any] = {
        f"l{i}": {
            "properties": {"a": {"$ref": f"#/$defs/l{i + 1}"}, "b": {"$ref": f"#/$defs/l{i + 1}"}},
            "required": ["a", "b"],
        }
        for i in range(40)
    }
    levels["l40"] = {"type": "object"}
    assert _ends({"$defs": levels, "allOf": [{"$ref": "#/$defs/l0"}, {"type": "object"}]}) in (
        "compiled",
        "GrammarTooLarge",
    )


def test_three_megabytes() -> None:
    member = {
        "type": "object",
        "properties": {f"field_{i}": {"type": "string", "description": "x" * 40} for i in range(20)},
    }
    schema = {"type": "object", "properties": {f"group_{i}": member for i in range(1_700)}}
    assert len(json.dumps(schema)) > 3_000_000
    assert _ends(schema) == "compiled"


def test_sizes_and_depth_are_bounded() -> None:
    with pytest.raises(GrammarTooLarge, match="source_bytes"):
        compiled({"description": "x" * 1000}, limits=Limits(source_bytes=500))
    deep: Any = {"type": "null"}
    for _ in range(600):
        deep = {"items": deep}
    with pytest.raises(GrammarTooLarge, match="depth"):
        compiled(deep)
    nested: Any = {"type": "string"}
    for _ in range(120):
        nested = {"allOf": [nested]}
    assert accepts(compiled(nested), '"a"')
    with pytest.raises(GrammarError):
        compiled("[" * 100_000)


def test_null_characters_and_lone_surrogates() -> None:
    assert accepts(compiled({"const": "a\x00b"}), '"a\\u0000b"')
    assert accepts(compiled({"const": "\ud800"}), '"\\ud800"')
    grammar = compiled({"type": "object", "properties": {"\x00": {"type": "null"}, "\udfff": {"type": "null"}}})
    assert accepts(grammar, '{"\\u0000":null}')
    assert not accepts(grammar, '{"\\u0000":1}')
    assert _ends({"pattern": "\x00"}) == "compiled"
    assert _ends({"patternProperties": {"\ud800": {}}}) in ("compiled", "GrammarSyntaxError", "UnsupportedGrammar")


def test_large_bounds_are_counted_not_unrolled() -> None:
    schema = {
        "type": "array",
        "items": {"type": "string", "maxLength": 1_000_000},
        "maxItems": 1_000_000,
        "minItems": 2,
    }
    grammar = compiled(schema)
    assert accepts(grammar, '["' + "x" * 5000 + '",""]')
    assert not accepts(grammar, '[""]')


def test_nested_bounded_repeats() -> None:
    schema: Any = {"type": "integer"}
    for _ in range(6):
        schema = {"type": "array", "items": schema, "maxItems": 1000, "minItems": 1}
    assert _ends(schema) == "compiled"
    assert _ends({"pattern": "^((a{1,100}){1,100}){1,100}$"}) in ("compiled", "GrammarTooLarge", "UnsupportedGrammar")


def test_combinations_that_multiply() -> None:
    many = {
        "allOf": [{"anyOf": [{"required": [f"a{i}"]}, {"minProperties": i}]} for i in range(1, 14)],
        "type": "object",
    }
    assert _ends(many) in ("compiled", "UnsupportedGrammar")
    overlapping = {"oneOf": [{"properties": {c: {"type": "string"} for c in "abcd"[: i + 1]}} for i in range(4)] * 3}
    assert _ends(overlapping) in ("compiled", "UnsupportedGrammar", "EmptyGrammar")


@pytest.mark.parametrize("text", ["", "nul", "[]", "1", '{"a":NaN}', '{"a":', "\ufeff{}"])
def test_texts_that_are_no_schema(text: str) -> None:
    with pytest.raises(GrammarSyntaxError):
        compiled(text)


def test_false_has_no_text() -> None:
    with pytest.raises(EmptyGrammar):
        compiled(False)
    with pytest.raises(UnsupportedGrammar):
        compiled({"allOf": [{"$ref": "#"}]})
