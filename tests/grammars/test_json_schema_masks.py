"""Masks of schemas against trying each token's bytes, one by one, on two vocabularies."""

import random
from collections.abc import Callable
from functools import cache

import pytest

from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.json_schema_help import SCHEMAS, Order, byte_vocabulary, compiled, mask_of, piece_vocabulary

WALKS = 6
PREFIXES = 16  # of each schema that has so many


@cache
def _prefixes(index: int) -> list[bytes]:
    """Different beginnings of texts of a schema, out of random walks by either vocabulary."""
    rng = random.Random(index)
    found: set[bytes] = set()
    for vocabulary in (byte_vocabulary(), piece_vocabulary()) * (WALKS // 2):
        grammar = compiled(SCHEMAS[index], _order(index), vocabulary)
        matcher = grammar.matcher()
        prefix = b""
        for _ in range(20):
            token = rng.choice(sorted(mask_of(grammar, matcher)))
            assert matcher.accept_token(token)
            if matcher.is_terminated:
                break
            prefix += vocabulary.token_bytes[token]
            found.add(prefix)
    return [b"", *rng.sample(sorted(found), min(len(found), PREFIXES - 1))]


def _order(index: int) -> Order:
    return "any" if index % 2 else "declared"


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
def test_masks_behind_prefixes_equal_brute_force(index: int, vocabulary: Callable[[], Vocabulary]) -> None:
    tokens = vocabulary()
    grammar = compiled(SCHEMAS[index], _order(index), tokens)
    for prefix in _prefixes(index):
        matcher = grammar.matcher()
        assert matcher.accept_bytes(prefix) == len(prefix)
        assert mask_of(grammar, matcher) == _brute_force(tokens, grammar, prefix), prefix


def test_at_least_300_pairs_of_schema_and_prefix_are_tried() -> None:
    pairs = {(index, prefix) for index in range(len(SCHEMAS)) for prefix in _prefixes(index)}
    assert len(pairs) >= 300, len(pairs)


@pytest.mark.parametrize("vocabulary", [byte_vocabulary, piece_vocabulary], ids=["bytes", "pieces"])
@pytest.mark.parametrize("index", range(len(SCHEMAS)))
def test_masks_equal_brute_force(index: int, vocabulary: Callable[[], Vocabulary]) -> None:
    tokens = vocabulary()
    grammar = compiled(SCHEMAS[index], _order(index), tokens)
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
