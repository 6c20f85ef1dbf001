"""Patterns with lengths, counted at run time or by one automaton, against `re` and each other."""

import itertools
import json
import random
import re

import pytest

from slipform.errors import UnsupportedGrammar
from slipform.grammars.builder import Builder
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.json_schema import strings
from slipform.grammars.json_schema.counted import CountedText
from slipform.grammars.json_schema.shapes import StringAtom
from slipform.grammars.spec import JsonSchema
from tests.grammars.json_schema_help import accepts, byte_vocabulary, compiled, walk

TEXTS = ["".join(letters) for n in range(6) for letters in itertools.product("ab é", repeat=n)]

PATTERNS = [
    r"^[a-bé]+$",
    r"^[a-b]*$",
    r"^a[ab]*$",
    r"^ab?$",
    r"^(?:\S+\s+){0,2}\S+$",
    r"a.b",
    r"^(ab)*$",
    r"^(aa|bbb)*é?$",
    r"^a{0,3}$",
]


def _grammar(pattern: str, low: int, high: int) -> CompiledGrammar:
    """The strings by a counter, whatever their size."""
    builder = Builder()
    text = CountedText(strings.pattern_dfa(pattern), low, high, "")
    quote = builder.literal(b'"')
    root = builder.seq(quote, text.node(builder), quote)
    return CompiledGrammar(JsonSchema("true"), byte_vocabulary(), builder, root)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("bounds", [(0, 3), (2, 4), (3, 3), (0, 0)])
def test_a_counter_admits_what_re_does(pattern: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    fitting = [text for text in TEXTS if low <= len(text) <= high and re.search(pattern, text)]
    counter = CountedText(strings.pattern_dfa(pattern), low, high, "")
    assert counter.is_empty == (not fitting)
    if not fitting:
        return
    grammar = _grammar(pattern, low, high)
    assert [text for text in TEXTS if accepts(grammar, json.dumps(text, ensure_ascii=False))] == fitting
    assert all(accepts(grammar, json.dumps(text)) for text in fitting)
    rng = random.Random(low)
    for steps in (0, 2, 5, 50):
        text = json.loads(walk(grammar, rng, steps))
        assert low <= len(text) <= high
        assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "low", "high"),
    [(r"^(?:\S+\s+){0,49}\S+$", 1, 500), (r"^[a-z ]+$", 0, 5000), (r"^[a-z][a-z0-9]{2,}$", 3, 700)],
)
def test_long_texts_end_at_the_bound(pattern: str, low: int, high: int) -> None:
    schema = {"type": "string", "pattern": pattern, "minLength": low, "maxLength": high}
    assert strings.counted(StringAtom(low, high, frozenset([pattern]))) is not None
    grammar = compiled(schema)
    longest = "word in" + "a" * (high - 7) if " " in pattern or "s" in pattern else "a" * high
    assert accepts(grammar, json.dumps(longest))
    assert not accepts(grammar, json.dumps(longest + "a"))
    matcher = grammar.matcher()
    assert matcher.accept_bytes(json.dumps(longest).encode()[:-1]) == high + 1
    assert matcher.shortest_completion() == b'"'


def test_what_no_counter_can_hold_is_refused() -> None:
    schema = {"properties": {"a": {"type": "string", "pattern": r"^(?:\S+\s+){0,90}\S+$", "maxLength": 100_000}}}
    with pytest.raises(UnsupportedGrammar) as error:
        compiled(schema)
    assert error.value.path == "/properties/a"
    assert error.value.feature == "pattern with a length"
