"""Masks with real tokenizers against `regex`'s partial matching, token by token; rows, pools and batches."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import regex
import torch

from slipform.grammars.bitmask import allocate_bitmask, allow, is_allowed, pack, unpack
from slipform.grammars.compiler import GrammarCache, compile_grammar
from slipform.grammars.masks import MaskPool
from slipform.grammars.matcher import Matcher, fill_batch
from slipform.grammars.spec import AnyText, Choice, Regex
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import sentencepiece_vocabulary, tekken_vocabulary

PATTERNS = [
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    r"[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,24}",
    r"https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?(/[a-zA-Z0-9._~-]*)*",
    r"(25[0-5]|1?[0-9]{1,2})(\.(25[0-5]|1?[0-9]{1,2})){3}",
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?",
    r'"([^"\\\x00-\x1f]|\\["\\/bfnrt])*"',
    r'"([^"\\\x00-\x1f]|\\["\\/bfnrt]){3,200}"',
    r'"([^"\\\x00-\x1f]|\\["\\/bfnrt]){0,6}" and more',
    r'("[^"\\\x00-\x1f]{0,9}", ?){2,5}end',
    r"(yes|no|maybe|yesterday)",
    r"(January|February|March|April|May|June) (0?[1-9]|[12][0-9]), 20[0-9]{2}",
    r"#[0-9a-f]{6}([0-9a-f]{2})?",
    r"[a-z]{1,200}",
    r"[a-z]{20,}",
    r"([a-z]+ ){2,5}[a-z]+\.",
    r"(a|aa){2,30}b",
    r"((ab?){1,3}c){2,40}",
    r"[^\n]{1,40}\n",
    r"(.|\n){0,30}",
    r"\[([0-9]{1,3}(, ?[0-9]{1,3})*)?\]",
    r"<b>[^<]*</b>",
    r"(ä|ö|ü|ß|é)+",
    r"[一-龥]{2,4}",
    r"[😀-😏]+",
    r"\p{Lu}\p{Ll}*( \p{Lu}\p{Ll}*)*",
    r"[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?",
    r"(true|false|null)",
    r" *(x|y) *= *[0-9]+;?",
    r"def [a-z_][a-z0-9_]*\((self)?\):",
    r"(?:ha){1,1000}!",
    r"[01]{8}( [01]{8})*",
    r"(foo|foobar|bar)*",
    r"\{\"name\": ?\"[^\"\\\x00-\x1f]{1,20}\", ?\"age\": ?[0-9]{1,3}\}",
    r"[^a-z]{3}[a-z]{3}",
    r"\t*- \[[ x]\] [^\n]+(\n\t*- \[[ x]\] [^\n]+)*",
    r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    r"([^,\n]*,){3}[^,\n]*",
    r"SELECT [a-z, ]+ FROM [a-z]+( WHERE [a-z]+ = ('[^']*'|[0-9]+))?;",
    r"[a-f0-9]{8}-([a-f0-9]{4}-){3}[a-f0-9]{12}",
    r"(\([0-9]{3}\) ?|[0-9]{3}-)[0-9]{3}-[0-9]{4}",
]

# Steps of a text at which every token of the vocabulary is tried; at the others a sample is.
EVERY_TOKEN_AT = (0, 2)


@pytest.mark.parametrize("make_vocabulary", [sentencepiece_vocabulary, tekken_vocabulary])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masks_equal_brute_force(make_vocabulary: Callable[[], Vocabulary], pattern: str) -> None:
    vocabulary = make_vocabulary()
    oracle = regex.compile(pattern, regex.VERSION0)
    rng = random.Random(pattern)
    matcher = compile_grammar(Regex(pattern), vocabulary).matcher()
    row = allocate_bitmask(1, len(vocabulary))[0]
    text = b""
    for step in range(5):
        matcher.fill_bitmask(row)
        allowed = unpack(row, len(vocabulary))
        assert matcher.allowed_count == allowed.sum() > 0
        may_end = oracle.fullmatch(text.decode(errors="replace")) is not None
        assert matcher.is_accepting == may_end == allowed[vocabulary.eos_ids[0]]
        assert not any(allowed[token] for token in vocabulary.special_ids - set(vocabulary.eos_ids))
        yes = [token for token in np.flatnonzero(allowed).tolist() if token not in vocabulary.special_ids]
        if step in EVERY_TOKEN_AT:
            tried = range(len(vocabulary))
        else:
            tried = rng.sample(range(len(vocabulary)), 400) + rng.sample(yes, min(len(yes), 150))
        for token in tried:
            if token in vocabulary.special_ids:
                continue
            expected = can_go_on(oracle, text + vocabulary.token_bytes[token])
            if vocabulary.token_bytes[token] and expected is not None:
                assert allowed[token] == expected, (text, vocabulary.token_bytes[token])
        if not yes:
            return
        token = rng.choice(yes)
        assert matcher.accept_token(token)
        text += vocabulary.token_bytes[token]
        completed = text + matcher.shortest_completion()
        assert oracle.fullmatch(completed.decode()), completed


def can_go_on(oracle: "regex.Pattern[str]", text: bytes) -> bool | None:
    """Whether some text that begins with `text` matches; None if `text` ends inside a character."""
    try:
        return oracle.fullmatch(text.decode(), partial=True) is not None
    except UnicodeDecodeError as error:
        return None if error.reason == "unexpected end of data" else False


def test_rows_of_several_grammars_in_one_call() -> None:
    vocabulary = sentencepiece_vocabulary()
    twin = Vocabulary.from_tokens(vocabulary.token_bytes, vocabulary.special_ids, vocabulary.eos_ids)
    specs = [AnyText(), Regex("[a-z]{2,9}"), Choice(("one", "two")), Regex('"[^"]*"')]
    matchers = [compile_grammar(spec, vocabulary).matcher() for spec in specs]
    matchers.append(compile_grammar(Regex("[0-9]+"), twin, cache=GrammarCache()).matcher())
    ended = compile_grammar(Regex("a?"), vocabulary).matcher()
    assert ended.accept_token(vocabulary.eos_ids[0])
    matchers.append(ended)
    width = vocabulary.num_words + 3
    out = np.full((8, width), -1, np.int32)
    rows = [6, 0, 3, 1, 4, 2]
    fill_batch(matchers, out, rows)
    for matcher, row in zip(matchers, rows, strict=True):
        alone = np.full(width, -1, np.int32)
        matcher.fill_bitmask(alone)
        assert np.array_equal(out[row], alone)
        assert not alone[vocabulary.num_words :].any()
    assert (out[[5, 7]] == -1).all()
    tensor = torch.zeros((8, width), dtype=torch.int32)
    fill_batch(matchers, tensor, rows)
    assert np.array_equal(tensor.numpy()[rows], out[rows])
    assert not out[2].any()
    with pytest.raises(TypeError, match="int32"):
        matchers[0].fill_bitmask(np.zeros(width, np.int64))


def test_counts_far_from_their_bounds_share_one_row() -> None:
    vocabulary = sentencepiece_vocabulary()
    grammar = compile_grammar(Regex('"[^"\\\\\\x00-\\x1f]{0,5000}"'), vocabulary, cache=GrammarCache())
    matcher = grammar.matcher()
    matcher.accept_bytes(b'"')
    before = vocabulary.mask_pool.num_bytes
    rows = set()
    for _ in range(4000):
        assert matcher.accept_bytes(b"x") == 1
        rows.add(row_of(matcher, vocabulary).tobytes())
    assert len(rows) == 1
    assert vocabulary.mask_pool.num_bytes - before <= 2 * 4 * vocabulary.num_words
    for _ in range(1000):
        matcher.accept_bytes(b"y")
    assert matcher.accept_bytes(b"y") == 0
    assert matcher.forced_bytes() == b'"'


def row_of(matcher: Matcher, vocabulary: Vocabulary) -> np.ndarray:
    row = np.empty(vocabulary.num_words, np.int32)
    matcher.fill_bitmask(row)
    return row


def test_a_full_pool_forgets_and_masks_stay_right() -> None:
    vocabulary = Vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [], [0])
    vocabulary.mask_pool = MaskPool(vocabulary.num_words, max_bytes=1)
    words = [f"{first}{second}" for first in "abcdefghijkl" for second in "mnopqrstu"]
    grammar = compile_grammar(Choice(tuple(words)), vocabulary, cache=GrammarCache())
    for _ in range(3):
        for first in "abcdefghijkl":
            for second in "mnopqrstu":
                matcher = grammar.matcher()
                assert is_allowed(row_of(matcher, vocabulary), ord(first) + 1)
                matcher.accept_token(ord(first) + 1)
                assert is_allowed(row_of(matcher, vocabulary), ord(second) + 1)
                matcher.accept_token(ord(second) + 1)
                assert unpack(row_of(matcher, vocabulary), 257).nonzero()[0].tolist() == [0]
    assert vocabulary.mask_pool.num_bytes <= 16 * 4 * vocabulary.num_words


@pytest.mark.parametrize("size", [1, 31, 32, 33, 1000])
def test_bits_pack_and_unpack(size: int) -> None:
    wanted = np.random.default_rng(size).random((3, size)) < 0.5
    packed = pack(wanted)
    assert packed.dtype == np.int32
    assert packed.shape == (3, (size + 31) // 32)
    assert np.array_equal(unpack(packed, size), wanted)
    row = allocate_bitmask(1, size)[0]
    allow(row, size - 1)
    assert [is_allowed(row, token) for token in range(size)] == [False] * (size - 1) + [True]
