"""Masks of many matchers in one call: equal to those of each alone, whatever grammars they share and threads do."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from slipform.errors import VocabularyMismatch
from slipform.grammars.compiler import CompiledGrammar, GrammarCache, compile_grammar
from slipform.grammars.matcher import Matcher, fill_batch
from slipform.grammars.spec import GrammarSpec, JsonSchema, Regex
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import sentencepiece_vocabulary

SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}, "age": {"type": "integer"}}},
    {"type": "array", "items": {"type": "string", "pattern": "^[a-m]{2,9}$"}, "uniqueItems": True},
    {"type": "object", "additionalProperties": {"enum": ["red", "green", 7]}, "minProperties": 2},
)
SPECS: tuple[GrammarSpec, ...] = (*map(JsonSchema.of, SCHEMAS), Regex(r"[a-z0-9]{3,30}@[a-z]+\.(com|org)"), Regex("é+"))
TEXTS = (
    json.dumps({"name": "Ada Lovelace", "age": 36}),
    json.dumps(["abc", "defg", "ijklm"]),
    json.dumps({"k": "red", "other": 7}),
    "someone@example.org",
    "ééé",
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return sentencepiece_vocabulary()


def fresh(vocabulary: Vocabulary) -> list[CompiledGrammar]:
    return [compile_grammar(spec, vocabulary, cache=GrammarCache(0)) for spec in SPECS]


def standing(grammars: list[CompiledGrammar], count: int, seed: int) -> list[Matcher]:
    """Matchers somewhere in their texts; several of each grammar, some at the same place, in no order."""
    rng = random.Random(seed)
    matchers = []
    for _ in range(count):
        which = rng.randrange(len(grammars))
        matcher = grammars[which].matcher()
        begun = TEXTS[which].encode()[: rng.randrange(len(TEXTS[which].encode()))]
        assert matcher.accept_bytes(begun) == len(begun)
        matchers.append(matcher)
    return matchers


def alone(matchers: list[Matcher], width: int) -> list[bytes]:
    row = np.empty(width, np.int32)
    seen = []
    for matcher in matchers:
        matcher.fill_bitmask(row)
        seen.append(row.tobytes())
    return seen


def together(matchers: list[Matcher], width: int) -> list[bytes]:
    out = np.full((2 * len(matchers), width), 7, np.int32)
    rows = random.Random(1).sample(range(len(out)), len(matchers))
    fill_batch(matchers, out, rows)
    assert all((out[row] == 7).all() for row in set(range(len(out))) - set(rows))
    return [out[row].tobytes() for row in rows]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 120])
def test_cold_and_warm_masks_of_a_batch_are_those_of_each_alone(vocabulary: Vocabulary, count: int) -> None:
    width = vocabulary.num_words + 2
    expected = alone(standing(fresh(vocabulary), count, seed=count), width)
    matchers = standing(fresh(vocabulary), count, seed=count)
    assert together(matchers, width) == expected
    assert together(matchers, width) == expected


def test_batches_of_several_threads_share_grammars(vocabulary: Vocabulary) -> None:
    width = vocabulary.num_words
    expected = {seed: alone(standing(fresh(vocabulary), 40, seed), width) for seed in range(6)}
    grammars = fresh(vocabulary)
    with ThreadPoolExecutor(6) as threads:
        tasks = {
            seed: threads.submit(lambda seed=seed: together(standing(grammars, 40, seed), width)) for seed in range(6)
        }
        for seed, task in tasks.items():
            assert task.result(timeout=120) == expected[seed]


def test_a_terminated_matcher_allows_nothing(vocabulary: Vocabulary) -> None:
    grammar = compile_grammar(Regex("a"), vocabulary)
    done, open_ = grammar.matcher(), grammar.matcher()
    assert done.accept_bytes(b"a") == 1
    assert done.accept_token(vocabulary.eos_ids[0])
    out = np.full((2, vocabulary.num_words), -1, np.int32)
    fill_batch([done, open_], out, [1, 0])
    assert not out[1].any()
    assert out[0].any()


def test_rows_of_any_layout(vocabulary: Vocabulary) -> None:
    matcher = compile_grammar(Regex("[a-z]+"), vocabulary).matcher()
    expected = np.empty(vocabulary.num_words, np.int32)
    matcher.fill_bitmask(expected)
    tensor = torch.full((3, vocabulary.num_words), 7, dtype=torch.int32)
    matcher.fill_bitmask(tensor[2])
    assert (tensor[2].numpy() == expected).all()
    assert (tensor[:2] == 7).all()
    strided = np.full((3, 2 * vocabulary.num_words), 7, np.int32)
    matcher.fill_bitmask(strided[0, ::2])
    fill_batch([matcher], strided[:, 1::2], [2])
    assert (strided[0, ::2] == expected).all()
    assert (strided[2, 1::2] == expected).all()
    assert (strided[1] == 7).all()
    assert (strided[0, 1::2] == 7).all()


def test_rows_that_do_not_fit_are_refused(vocabulary: Vocabulary) -> None:
    matcher = compile_grammar(Regex("[a-z]+"), vocabulary).matcher()
    out = np.zeros((2, vocabulary.num_words), np.int32)
    with pytest.raises(IndexError, match="between 0 and 1"):
        fill_batch([matcher], out, [2])
    with pytest.raises(ValueError, match="1 matchers and 2 rows"):
        fill_batch([matcher], out, [0, 1])
    with pytest.raises(ValueError, match=f"have {vocabulary.num_words} words"):
        fill_batch([matcher], out[:, 1:].copy(), [0])
    with pytest.raises(ValueError, match=f"have {vocabulary.num_words} words"):
        matcher.fill_bitmask(out[0, 1:])
    with pytest.raises(TypeError, match="int32"):
        matcher.fill_bitmask(out[0].astype(np.int64))
    assert not out.any()


def test_a_dead_end_of_the_vocabulary_is_told_from_a_batch() -> None:
    letters = Vocabulary.from_tokens([b"", b"a", b"b"], [], [0])
    stuck = compile_grammar(Regex("ac"), letters).matcher()
    fine = compile_grammar(Regex("ab"), letters).matcher()
    assert stuck.accept_bytes(b"a") == 1
    out = np.zeros((2, letters.num_words), np.int32)
    with pytest.raises(VocabularyMismatch):
        fill_batch([fine, stuck], out, [0, 1])
    fine.fill_bitmask(out[0])
    assert out[0].any()


def test_a_token_outside_the_vocabulary_is_no_token(vocabulary: Vocabulary) -> None:
    matcher = compile_grammar(Regex("[a-z]+"), vocabulary).matcher()
    for token_id in (-1, len(vocabulary), 1 << 40):
        assert not matcher.accept_token(token_id)
    assert matcher.accept_bytes(b"a") == 1
