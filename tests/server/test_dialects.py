"""Constraint fields of other servers' requests mean here what they mean there."""

import json
from typing import Any

import pytest

from slipform.grammars.spec import (
    AnyOf,
    AnyText,
    Choice,
    Ebnf,
    GrammarSpec,
    JsonSchema,
    Lark,
    Regex,
    Repeated,
    Series,
    StructuralTag,
    Tag,
    Until,
)
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS, constraint_of
from slipform.runtime.server.http_errors import ApiError
from tests.server.grammar_texts import matches

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
AS_SPEC = JsonSchema.of(SCHEMA, integers="plain")
COMPACT = JsonSchema.of(SCHEMA, whitespace="compact", integers="plain")
OBJECT = JsonSchema.of({"type": "object"})
GBNF = 'root ::= "yes" | "no"'
LARK = 'start: "yes" | "no"'
A, B = {"type": "const_string", "value": "a"}, {"type": "regex", "pattern": "b"}
TAG = {"begin": "<f>", "schema": SCHEMA, "end": "</f>"}
TAG_SPEC = StructuralTag((Tag("<f>", AS_SPEC, "</f>"),), ("<f",))


def named(**members: Any) -> dict[str, Any]:
    """OpenAI's response format."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", **members}}}


SAME: list[tuple[dict[str, Any], GrammarSpec | None]] = [
    # OpenAI
    ({}, None),
    ({"response_format": None}, None),
    ({"response_format": {"type": "text"}}, None),
    ({"response_format": {"type": "json_object"}}, OBJECT),
    (named(schema=SCHEMA), AS_SPEC),
    (
        named(schema=SCHEMA, strict=True),
        AS_SPEC,
    ),
    (named(schema=SCHEMA, strict=False), JsonSchema.of(True, integers="plain")),
    # vLLM
    ({"structured_outputs": {"json": SCHEMA}}, AS_SPEC),
    ({"structured_outputs": {"json": json.dumps(SCHEMA)}}, AS_SPEC),
    (
        {"structured_outputs": {"json": SCHEMA, "disable_any_whitespace": True}},
        COMPACT,
    ),
    ({"structured_outputs": {"json": SCHEMA, "whitespace_pattern": ""}}, COMPACT),
    (
        {"structured_outputs": {"json": SCHEMA, "disable_additional_properties": True}},
        JsonSchema.of({**SCHEMA, "additionalProperties": False}, integers="plain"),
    ),
    ({"structured_outputs": {"json": None, "regex": "a+"}}, Regex("a+")),
    ({"structured_outputs": {"choice": ["a", "b"]}}, Choice(("a", "b"))),
    ({"structured_outputs": {"grammar": GBNF}}, Ebnf(GBNF)),
    ({"structured_outputs": {"grammar": LARK}}, Lark(LARK)),
    ({"structured_outputs": {"json_object": True}}, OBJECT),
    ({"structured_outputs": {"structural_tag": json.dumps({"structures": [TAG], "triggers": ["<f"]})}}, TAG_SPEC),
    ({"guided_json": SCHEMA, "guided_decoding_backend": "outlines"}, AS_SPEC),
    ({"guided_json": SCHEMA, "guided_whitespace_pattern": ""}, COMPACT),
    ({"guided_json": SCHEMA, "guided_whitespace_pattern": "[ ]?"}, AS_SPEC),
    ({"guided_regex": "a+"}, Regex("a+")),
    ({"guided_choice": ["a", "b"]}, Choice(("a", "b"))),
    ({"guided_grammar": GBNF}, Ebnf(GBNF)),
    # SGLang
    ({"json_schema": json.dumps(SCHEMA)}, AS_SPEC),
    ({"regex": "a+"}, Regex("a+")),
    ({"ebnf": GBNF}, Ebnf(GBNF)),
    ({"ebnf": "%llguidance {}\n" + LARK}, Lark(LARK)),
    ({"structural_tag": json.dumps({"type": "structural_tag", "structures": [TAG], "triggers": ["<f"]})}, TAG_SPEC),
    # TGI
    ({"grammar": {"type": "json", "value": SCHEMA}}, AS_SPEC),
    ({"grammar": {"type": "json_schema", "value": {"name": "x", "schema": SCHEMA}}}, AS_SPEC),
    ({"grammar": {"type": "regex", "value": "a+"}}, Regex("a+")),
    ({"response_format": {"type": "json", "value": SCHEMA}}, AS_SPEC),
    # llama.cpp
    ({"grammar": GBNF, "grammar_lazy": False, "grammar_triggers": []}, Ebnf(GBNF)),
    ({"json_schema": SCHEMA}, AS_SPEC),
    ({"response_format": {"type": "json_object", "schema": SCHEMA}}, AS_SPEC),
    ({"response_format": {"type": "json_schema", "schema": SCHEMA}}, AS_SPEC),
    # TensorRT-LLM
    ({"response_format": {"type": "json", "schema": SCHEMA}}, AS_SPEC),
    ({"response_format": {"type": "regex", "regex": "a+"}}, Regex("a+")),
    ({"response_format": {"type": "ebnf", "ebnf": GBNF}}, Ebnf(GBNF)),
    ({"response_format": {"type": "structural_tag", "structures": [TAG], "triggers": ["<f"]}}, TAG_SPEC),
    ({"guided_decoding": {"json": SCHEMA}}, AS_SPEC),
    ({"guided_decoding": {"grammar": GBNF}}, Ebnf(GBNF)),
    # Ollama, Anthropic
    ({"format": "json"}, OBJECT),
    ({"format": SCHEMA}, AS_SPEC),
    ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, AS_SPEC),
]


@pytest.mark.parametrize(("body", "spec"), SAME, ids=[json.dumps(body)[:60] for body, _ in SAME])
def test_one_specification(body: dict[str, Any], spec: GrammarSpec | None) -> None:
    assert body.keys() <= CONSTRAINT_FIELDS
    constraint = constraint_of({"model": "m", **body})
    assert (constraint.spec if constraint else None) == spec
    if constraint is not None:
        assert constraint.field.split(".")[0] in body


@pytest.mark.parametrize(
    ("form", "spec"),
    [
        ({"type": "const_string", "value": "a"}, Choice(("a",))),
        ({"type": "any_text"}, AnyText()),
        ({"type": "regex", "pattern": "a+"}, Regex("a+")),
        ({"type": "grammar", "grammar": GBNF}, Ebnf(GBNF)),
        ({"type": "json_schema", "json_schema": SCHEMA}, AS_SPEC),
        (
            {
                "type": "sequence",
                "elements": [{"type": "const_string", "value": "a"}, {"type": "regex", "pattern": "b"}],
            },
            Series((Choice(("a",)), Regex("b"))),
        ),
        ({"type": "or", "elements": [B]}, AnyOf((Regex("b"),))),
        (
            {"type": "tag", "begin": "<t>", "content": {"type": "any_text"}, "end": ["</t>"]},
            Series((Choice(("<t>",)), Until(("</t>",)), Choice(("</t>",)))),
        ),
        (
            {
                "type": "triggered_tags",
                "triggers": ["<f"],
                "tags": [{"begin": "<f>", "content": {"type": "json_schema", "json_schema": SCHEMA}, "end": "</f>"}],
                "at_least_one": True,
                "stop_after_first": True,
            },
            StructuralTag((Tag("<f>", AS_SPEC, "</f>"),), ("<f",), at_least_one=True, stop_after_first=True),
        ),
        (
            {
                "type": "tags_with_separator",
                "tags": [{"begin": "<t>", "content": B, "end": "</t>"}],
                "separator": ", ",
                "at_least_one": True,
            },
            Repeated(AnyOf((Series((Choice(("<t>",)), Regex("b"), Choice(("</t>",)))),)), 1, None, Choice((", ",))),
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_format_trees(form: dict[str, Any], spec: GrammarSpec) -> None:
    constraint = constraint_of({"structural_tag": {"type": "structural_tag", "format": form}})
    assert constraint is not None
    assert (constraint.spec, constraint.kind) == (spec, "structural_tag")


def test_text_after_a_format_tree() -> None:
    form = {
        "type": "triggered_tags",
        "triggers": ["<think>"],
        "tags": [{"begin": "<think>", "content": {"type": "any_text"}, "end": "</think>"}],
        "at_least_one": True,
    }
    constraint = constraint_of({"structural_tag": {"format": form}})
    assert constraint is not None
    assert matches(constraint.spec, "so <think>a < b</think> and <think></think>")
    assert not matches(constraint.spec, "so <think>a")
    assert not matches(constraint.spec, "so")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"regex": "a", "ebnf": GBNF}, ("regex", "ebnf")),
        ({"response_format": {"type": "json_object"}, "guided_regex": "a"}, ("response_format", "guided_regex")),
        (
            {"structured_outputs": {"json": SCHEMA, "regex": "a"}},
            ("structured_outputs.json", "structured_outputs.regex"),
        ),
        ({"guided_json": SCHEMA, "guided_choice": ["a"]}, ("guided_json", "guided_choice")),
    ],
)
def test_two_at_once_are_refused_by_name(body: dict[str, Any], fields: tuple[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        constraint_of(body)
    assert caught.value.status == 400
    assert caught.value.code == "conflicting_constraints"
    assert all(name in caught.value.message for name in fields)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"response_format": 3}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": 3}}},
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": "regex"}}, "response_format.regex"),
        ({"json_schema": "{"}, "json_schema"),
        ({"json_schema": 3}, "json_schema"),
        ({"regex": ""}, "regex"),
        ({"guided_choice": []}, "guided_choice"),
        ({"guided_choice": ["a", 3]}, "guided_choice"),
        ({"guided_json": SCHEMA, "guided_whitespace_pattern": "\t+"}, "guided_whitespace_pattern"),
        ({"structured_outputs": {}}, "structured_outputs"),
        ({"structured_outputs": {"yaml": "a"}}, "structured_outputs.yaml"),
        ({"structured_outputs": {"json_object": "yes"}}, "structured_outputs.json_object"),
        ({"grammar": GBNF, "grammar_lazy": True}, "grammar_lazy"),
        ({"structural_tag": {}}, "structural_tag"),
        ({"structural_tag": "{"}, "structural_tag"),
        ({"structural_tag": {"format": {"type": "qwen_xml_parameter"}}}, "structural_tag.format.type"),
        ({"structural_tag": {"structures": [{"begin": ""}], "triggers": ["a"]}}, "structural_tag.structures[0].begin"),
        ({"structural_tag": {"format": {"type": "sequence", "elements": []}}}, "structural_tag.format.elements"),
        ({"format": "xml"}, "format"),
    ],
)
def test_what_cannot_be_honoured_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as caught:
        constraint_of(body)
    assert (caught.value.status, caught.value.param) == (400, field)


@pytest.mark.parametrize("field", ["json_schema", "guided_json", "format"])
def test_a_whole_number_is_never_written_as_a_float(field: str) -> None:
    constraint = constraint_of({field: {"type": "object", "properties": {"n": {"type": "integer"}}}})
    assert constraint is not None
    assert matches(constraint.spec, '{"n": 3}')
    assert not matches(constraint.spec, '{"n": 3.0}')
