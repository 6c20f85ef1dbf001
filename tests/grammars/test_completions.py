"""Shortest completions where the first way that comes to mind leads back to itself."""

import json
import time

import pytest

from slipform.errors import UnsupportedGrammar
from slipform.grammars.builder import MAX_COUNT, Builder
from slipform.grammars.compiler import GrammarCache, compile_grammar
from slipform.grammars.limits import CancelToken, Limits
from slipform.grammars.spec import JsonSchema
from slipform.grammars.vocabulary import Vocabulary

VOCABULARY = Vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [], [0])


@pytest.mark.parametrize("order", ["declared", "any"])
@pytest.mark.parametrize("begun", [b"", b"{", b'{"c', b'{"c":{'])
def test_a_recursive_member_is_left_out_of_a_completion(order: str, begun: bytes) -> None:
    schema = {
        "type": "object",
        "properties": {"c": {"$ref": "#"}, "ab": {"type": "integer"}},
        "minProperties": 1,
        "unevaluatedProperties": False,
    }
    matcher = compile_grammar(JsonSchema.of(schema, property_order=order), VOCABULARY).matcher()
    assert matcher.accept_bytes(begun) == len(begun)
    value = json.loads(begun + matcher.shortest_completion())
    while "ab" not in value:
        value = value["c"]
    assert isinstance(value["ab"], int)


def test_a_completion_may_make_rules_long_after_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    schema: dict[str, object] = {"properties": {"a": {"$ref": "#/$defs/late"}}, "type": "object", "required": ["a"]}
    schema["$defs"] = {"late": {"type": "object", "properties": {"b": {"$ref": "#/$defs/late"}, "c": {"const": 7}}}}
    cancel = CancelToken()
    grammar = compile_grammar(
        JsonSchema.of(schema), VOCABULARY, Limits(seconds=20), cancel=cancel, cache=GrammarCache()
    )
    cancel.cancel()
    monkeypatch.setattr("slipform.grammars.limits.time.monotonic", lambda: time.monotonic_ns() / 1e9 + 3600)
    assert json.loads(grammar.matcher().shortest_completion()) == {"a": {}}


def test_too_many_copies_are_refused_by_name() -> None:
    builder = Builder()
    with pytest.raises(UnsupportedGrammar, match="repetition"):
        builder.repeat(builder.literal(b"a"), 1, MAX_COUNT)
