"""Fills that must end with a match do, whatever their budget: the text is closed along its shortest way."""

import json
import re
from collections.abc import Iterator

import jsonschema
import pytest

from slipform.errors import BudgetTooSmall, PromptTooLong
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex, Series
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, Text
from tests.fakes import scripted_engine
from tests.runtime.driving import drive, one, outcome, request, results, streamed

SCHEMAS = [
    {"type": "array", "items": {"type": "integer"}, "minItems": 7},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}, "required": ["a", "b"]},
    {"type": "array", "items": {"enum": ["red", "green"]}, "minItems": 3},
    {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}},
    {"type": "array", "items": True, "minItems": 5},
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = scripted_engine(eos_bias=-20.0)  # a model that never wants to end
    yield made
    made.check()


def fill(spec: GrammarSpec, max_tokens: int, *, finish: str = "valid", **values: object) -> Fill:
    return Fill("x", SamplingParams(temperature=1.0, max_tokens=max_tokens, **values), spec, finish=finish)  # type: ignore[arg-type]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_json_is_valid_at_every_budget_and_never_exceeds_it(engine: Engine, schema: object) -> None:
    spec = JsonSchema.of(schema)  # type: ignore[arg-type]
    num_closed = 0
    for seed in range(3):
        for max_tokens in (*range(22, 44, 4), 100):
            result = one(engine, Text("Answer: "), fill(spec, max_tokens, seed=seed)).fills[0]
            jsonschema.validate(json.loads(result.text), schema)  # type: ignore[arg-type]
            assert len(result.token_ids) <= max_tokens + 1  # the token of a healed seam does not count
            assert result.closed == (result.finish_reason == "length")
            num_closed += result.closed
    assert num_closed


def test_what_was_written_before_the_closing_is_what_an_open_fill_writes(engine: Engine) -> None:
    spec = JsonSchema.of({"type": "array", "items": {"type": "string"}})
    closed = one(engine, Text("a: "), fill(spec, 30, seed=5)).fills[0]
    cut = one(engine, Text("a: "), fill(spec, 30, seed=5, finish="cut")).fills[0]
    kept = len(closed.token_ids) - closed.num_closing
    assert closed.token_ids[:kept] == cut.token_ids[:kept]
    assert [step.source for step in closed.trace[kept:]] == ["closing"] * closed.num_closing
    assert closed.num_closing
    assert closed.num_forced + closed.num_sampled + closed.num_closing == len(closed.token_ids)
    assert not cut.closed
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)


def test_a_budget_that_holds_exactly_the_shortest_match_is_enough_and_one_less_is_refused(engine: Engine) -> None:
    spec = Series((Regex("[a-z]{3,}"), Choice(("-0123456789",))))
    vocabulary = engine.tokenizer.vocabulary
    shortest = compile_grammar(spec, vocabulary).matcher().shortest_completion()
    needed = len(vocabulary.spelling.fewest(shortest) or ())
    result = one(engine, Text("Q:"), Fill("x", SamplingParams(max_tokens=needed), spec, heal=False, finish="valid"))
    assert re.fullmatch("[a-z]{3,}-0123456789", result.text.removeprefix("Q:"))
    assert len(result.fills[0].token_ids) <= needed
    with pytest.raises(BudgetTooSmall, match=f"{needed - 1} tokens hold no match.*takes {needed}") as caught:
        one(engine, Text("Q:"), Fill("x", SamplingParams(max_tokens=needed - 1), spec, heal=False, finish="valid"))
    assert (caught.value.needed, caught.value.budget) == (needed, needed - 1)


def test_the_context_is_a_budget_too() -> None:
    spec = JsonSchema.of({"type": "array", "items": {"type": "integer"}})
    small = scripted_engine(eos_bias=-20.0, max_context=48)
    result = one(small, Text("numbers: "), fill(spec, 500))
    assert len(result.token_ids) <= 48
    assert isinstance(json.loads(result.fills[0].text), list)
    with pytest.raises(PromptTooLong, match="limit is 48"):
        one(small, Text("0 " * 20), fill(JsonSchema.of({"const": "a value that takes many tokens"}), 500))


@pytest.mark.parametrize("jump_forward", [True, False])
def test_several_sequences_segments_and_streams(jump_forward: bool) -> None:
    spec = JsonSchema.of({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]})
    made = scripted_engine(eos_bias=-20.0, jump_forward=jump_forward)
    segments = (Text("A "), fill(spec, 12, seed=1), Text("\nB "), fill(spec, 12, seed=2), Text(" end"))
    events = drive(made, [request("r", *segments, n=3)])
    sequences = events[-1].sequences  # type: ignore[union-attr]
    for sequence in sequences:
        first, second = sequence.fills
        for result in (first, second):
            assert set(json.loads(result.text)) == {"id"}
            assert result.closed
            assert streamed(events, "r", sequence.index, sequence.fills.index(result))[1] == result.token_ids
        assert sequence.text == f"A {first.text}\nB {second.text} end"
    alone = results(made, [request("r0", *segments)])["r0"][0]
    assert outcome(alone) == outcome(sequences[0])


def test_a_healed_seam_counts_for_nothing(engine: Engine) -> None:
    spec = Choice(("//example.org/", "//example.com/index.html"))
    result = one(engine, Text("http:"), Fill("x", SamplingParams(max_tokens=12), spec, finish="valid"))
    assert result.fills[0].text in spec.options
