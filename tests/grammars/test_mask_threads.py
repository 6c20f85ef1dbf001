"""Threads that make masks of shared grammars at once, out of a pool too small for them."""

import string
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from slipform.grammars.compiler import CompiledGrammar, GrammarCache, compile_grammar
from slipform.grammars.masks import MaskPool
from slipform.grammars.matcher import fill_batch
from slipform.grammars.spec import Regex
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import sentencepiece_vocabulary

LETTERS = string.ascii_lowercase
PATTERN = "".join(f"[a-{letter}]+[0-9]" for letter in LETTERS)
TEXT = "".join(f"{letter}{index % 10}" for index, letter in enumerate(LETTERS)).encode()


def masks_along(grammar: CompiledGrammar, width: int) -> list[bytes]:
    matcher = grammar.matcher()
    row = np.empty((1, width), np.int32)
    seen = []
    for byte in TEXT:
        fill_batch([matcher], row, [0])
        seen.append(row.tobytes())
        assert matcher.accept_bytes(bytes([byte])) == 1
    return seen


def test_threads_see_the_masks_of_one() -> None:
    source = sentencepiece_vocabulary()
    vocabulary = Vocabulary.from_tokens(source.token_bytes, source.special_ids, source.eos_ids)
    vocabulary.mask_pool = MaskPool(vocabulary.num_words, max_bytes=1)
    grammars = [compile_grammar(Regex(PATTERN), vocabulary, cache=GrammarCache()) for _ in range(2)]
    expected = masks_along(grammars[0], vocabulary.num_words)
    assert len(set(expected)) > 16  # rows of the pool
    with ThreadPoolExecutor(4) as threads:
        tasks = [threads.submit(masks_along, grammars[index % 2], vocabulary.num_words) for index in range(12)]
        for task in tasks:
            assert task.result() == expected
    assert vocabulary.mask_pool.num_bytes <= 16 * 4 * vocabulary.num_words
