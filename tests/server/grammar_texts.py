"""Texts of a grammar, drawn at random, and whether a text matches one: over single bytes, so that no tokenizer hides
a byte that a grammar admits."""

import random
from functools import lru_cache

import numpy as np

from slipform.grammars.bitmask import unpack
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.matcher import Matcher
from slipform.grammars.spec import GrammarSpec
from slipform.grammars.vocabulary import Vocabulary

END = 256


@lru_cache(maxsize=1)
def single_bytes() -> Vocabulary:
    return Vocabulary.from_tokens([*(bytes([byte]) for byte in range(256)), b""], [END], [END])


def matcher_of(spec: GrammarSpec) -> Matcher:
    return compile_grammar(spec, single_bytes()).matcher()


def matches(spec: GrammarSpec, text: str) -> bool:
    matcher = matcher_of(spec)
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def random_text(spec: GrammarSpec, seed: int, *, steps: int = 200) -> str:
    """At most `steps` bytes as the mask allows them, each allowed byte as likely as the next, then the shortest way to
    an end."""
    matcher = matcher_of(spec)
    choose = random.Random(seed)
    row = np.zeros(single_bytes().num_words, np.int32)
    out = bytearray()
    for _ in range(steps):
        matcher.fill_bitmask(row)
        allowed = [int(token) for token in np.flatnonzero(unpack(row, END + 1))]
        # Printable characters twice as often as the rest, or strings are mostly control characters in UTF-8.
        plain = [token for token in allowed if 32 <= token < 127]
        token = choose.choice(plain if plain and choose.random() < 0.9 else allowed)
        if token == END:
            return out.decode()
        assert matcher.accept_token(token)
        out.append(token)
    return (bytes(out) + matcher.shortest_completion()).decode()
