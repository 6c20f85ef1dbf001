"""Intersections and exclusions of JSON and grammars with regular specs, against checking both sides."""

import itertools
import json
import re

import jsonschema
import pytest

from slipform.errors import EmptyGrammar, UnsupportedGrammar
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.finite import finite_dfa
from slipform.grammars.limits import Limits
from slipform.grammars.spec import AllOf, AnyOf, Choice, Ebnf, Except, GrammarSpec, JsonSchema, Regex, Repeated
from slipform.grammars.vocabulary import Vocabulary

BYTES = Vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [0], [0])
POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer"},
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "boolean"}},
    },
    "required": ["x"],
    "additionalProperties": False,
}
TEXTS = ['{"x":1}', '{"x": 12}', '{"x":1,"name":"ab"}', '{"x":-3, "name": "é", "tags": [true, false]}', '{"name":"a"}']


def accepts(spec: GrammarSpec, text: str) -> bool:
    matcher = compile_grammar(spec, BYTES).matcher()
    return matcher.accept_bytes(text.encode()) == len(text.encode()) and matcher.is_accepting


@pytest.mark.parametrize("pattern", [".{0,12}", "[^é]*", r"[^ ]*", ".*ab.*", "[\\s\\S]*"])
def test_a_schema_and_a_regex_at_once(pattern: str) -> None:
    both = AllOf((JsonSchema.of(POINT), Regex(pattern)))
    without = Except(JsonSchema.of(POINT), Regex(pattern)) if pattern != "[\\s\\S]*" else None
    for text in TEXTS:
        valid = jsonschema.Draft202012Validator(POINT).is_valid(json.loads(text))
        matches = re.fullmatch(pattern, text) is not None
        assert accepts(both, text) == (valid and matches), text
        if without is not None:
            assert accepts(without, text) == (valid and not matches), text


def test_every_text_of_the_intersection_can_be_completed() -> None:
    both = AllOf((JsonSchema.of(POINT), Regex(".{10,30}")))
    matcher = compile_grammar(both, BYTES).matcher()
    for byte in b'{"x":1,"na':
        assert matcher.accept_bytes(bytes([byte])) == 1
        text = matcher.shortest_completion()
        trial = matcher.fork()
        assert trial.accept_bytes(text) == len(text)
        assert trial.is_accepting


def test_a_grammar_without_nesting_is_regular() -> None:
    grammar = Ebnf('root ::= item ("," item)*\nitem ::= "a" | "b" "b"?')
    regular = finite_dfa(grammar, Limits())
    for length in range(6):
        for letters in itertools.product("ab,", repeat=length):
            text = "".join(letters)
            assert regular.accepts(text.encode()) == (re.fullmatch("(a|bb?)(,(a|bb?))*", text) is not None)


@pytest.mark.parametrize(
    "spec",
    [
        JsonSchema.of(True),
        JsonSchema.of({"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}),
        Ebnf('root ::= "(" root ")" | "x"'),
    ],
)
def test_what_needs_a_stack_is_refused(spec: GrammarSpec) -> None:
    with pytest.raises(UnsupportedGrammar, match=r"in an intersection or exclusion.*more than 2048 configurations"):
        accepts(AllOf((spec, Regex("[\\s\\S]*"))), "x")


def test_an_intersection_without_texts_is_empty() -> None:
    with pytest.raises(EmptyGrammar, match="no text satisfies AllOf"):
        accepts(AllOf((JsonSchema.of({"type": "integer"}), Regex("[a-z]+"))), "a")
    digits = Repeated(AnyOf((Choice(("1",)), Choice(("2",)))), 1, 3)
    assert accepts(AllOf((JsonSchema.of({"type": "integer", "maximum": 20}), digits)), "12")
