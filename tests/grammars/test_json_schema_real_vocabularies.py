"""Masks of schemas with two real tokenizers: every token of the vocabulary tried on its own, and walks that end."""

import json
import random
from collections.abc import Callable

import pytest

from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.json_schema_help import SCHEMAS, compiled, judge, mask_of, walk
from tests.grammars.real_vocabularies import sentencepiece_vocabulary, tekken_vocabulary

# Objects with undeclared members, a count of items, text patterns and formats, digits, one of several, a recursion.
CHOSEN = [0, 4, 7, 10, 12, 16, 19, 23]
WORDS = {"type": "string", "pattern": r"^(?:\S+\s+){0,9}\S+$", "maxLength": 200}
UNIQUE = {"type": "array", "items": {"type": ["string", "object"]}, "uniqueItems": True, "maxItems": 4}


def _starts(vocabulary: Vocabulary, schema: object, order: str, rng: random.Random) -> None:
    grammar = compiled(schema, order, vocabulary)
    matcher = grammar.matcher()
    for _ in range(rng.randrange(12)):
        token = rng.choice(sorted(mask_of(grammar, matcher) - set(vocabulary.eos_ids)) or [-1])
        if token < 0 or not matcher.accept_token(token):
            break
    allowed = mask_of(grammar, matcher)
    assert allowed
    for token, text in enumerate(vocabulary.token_bytes):
        if token in vocabulary.eos_ids:
            assert (token in allowed) == matcher.is_accepting
        elif token in vocabulary.special_ids:
            assert token not in allowed
        else:
            assert (token in allowed) == (bool(text) and matcher.fork().accept_bytes(text) == len(text)), text


@pytest.mark.parametrize("make_vocabulary", [sentencepiece_vocabulary, tekken_vocabulary], ids=["32k", "131k"])
@pytest.mark.parametrize("index", range(len(CHOSEN) + 2))
def test_every_token_is_judged_by_its_bytes(index: int, make_vocabulary: Callable[[], Vocabulary]) -> None:
    schema = [*(SCHEMAS[chosen] for chosen in CHOSEN), WORDS, UNIQUE][index]
    _starts(make_vocabulary(), schema, "any" if index % 2 else "declared", random.Random(index))


@pytest.mark.parametrize("schema", [*SCHEMAS, WORDS, UNIQUE], ids=str)
def test_walks_end_in_valid_texts(schema: object) -> None:
    grammar = compiled(schema, "any", tekken_vocabulary())
    rng = random.Random(3)
    for steps in (3, 30):
        text = walk(grammar, rng, steps)
        assert judge(schema).is_valid(json.loads(text)), text
