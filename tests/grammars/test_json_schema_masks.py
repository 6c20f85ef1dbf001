"""Masks of schemas against trying each token's bytes, one by one, on two vocabularies."""

import random
from collections.abc import Callable

import pytest

from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.json_schema_help import SCHEMAS, byte_vocabulary, compiled, mask_of, piece_vocabulary


def _brute_force(vocabulary: Vocabulary, grammar: CompiledGrammar, prefix: bytes) -> set[int]:
    allowed = set()
    for token, text in enumerate(vocabulary.token_bytes):
        if text:
            matcher = grammar.matcher()
            if matcher.accept_bytes(prefix + text) == len(prefix) + len(text):
                allowed.add(token)
    matcher = grammar.matcher()
    matcher.accept_bytes(prefix)
    return allowed | (set(vocabulary.eos_ids) if matcher.is_accepting else set())


@pytest.mark.parametrize("vocabulary", [byte_vocabulary, piece_vocabulary], ids=["bytes", "pieces"])
@pytest.mark.parametrize("index", range(len(SCHEMAS)))
def test_masks_equal_brute_force(index: int, vocabulary: Callable[[], Vocabulary]) -> None:
    tokens = vocabulary()
    grammar = compiled(SCHEMAS[index], "any" if index % 2 else "declared", tokens)
    rng = random.Random(index)
    matcher = grammar.matcher()
    prefix = b""
    for step in range(24):
        mask = mask_of(grammar, matcher)
        if step % 4 == 0:
            assert mask == _brute_force(tokens, grammar, prefix), prefix
        assert matcher.allowed_count == len(mask) > 0
        token = rng.choice(sorted(mask))
        assert matcher.accept_token(token)
        if matcher.is_terminated:
            break
        prefix += tokens.token_bytes[token]
