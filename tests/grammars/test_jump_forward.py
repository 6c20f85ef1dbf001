"""Forced tokens are those of the tokenizer: 2,000 texts reached with jump-forward equal their encoding."""

import json
import random
from collections.abc import Callable

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import sentencepiece_vocabulary, tekken_vocabulary

WORDS = [
    "a",
    "Berlin",
    "größer",
    "naïve",
    "東京",
    "it's",
    "x-1",
    "/tmp",
    "  two",
    "end.",
    "",
    "ünï",
    "42",
    "\n",
    "\t",
    "😀",
]
SCHEMA = {
    "type": "object",
    "properties": {
        "first_name": {"type": "string"},
        "größe": {"type": "number"},
        "名前": {"enum": ["東京", "東", "北京"]},
        "isActive": {"type": "boolean"},
        "kind of item": {"const": "a fixed, rather long value"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["first_name", "größe", "名前", "isActive", "kind of item", "tags"],
    "additionalProperties": False,
}


def an_object(rng: random.Random, separators: tuple[str, str]) -> str:
    value = {
        "first_name": " ".join(rng.choices(WORDS, k=rng.randint(0, 4))),
        "größe": rng.choice([0, -1.5, 12, 1e-7, 1000000]),
        "名前": rng.choice(["東京", "東", "北京"]),
        "isActive": rng.random() < 0.5,
        "kind of item": "a fixed, rather long value",
        "tags": rng.choices(WORDS, k=rng.randint(0, 3)),
    }
    return json.dumps(value, separators=separators, ensure_ascii=False)


def a_form(rng: random.Random) -> str:
    name, number = rng.choice(["Ann", "Bo", "Zoë"]), rng.randint(0, 999)
    return f"Name: {name}\n\n  Number:  {number}\nSigned '{name}'s clerk'  \n  (end of form)\n"


FORM = r"Name: (Ann|Bo|Zoë)\n\n  Number:  [0-9]{1,3}\nSigned '(Ann|Bo|Zoë)'s clerk'  \n  \(end of form\)\n"
LINES = [
    "The quick brown fox",
    "The quick brown foxes jump",
    "The quiet one",
    "  indented  twice\n\n\tand tabbed",
    "The",
]
COMPACT, SPACED = (",", ":"), (", ", ": ")

CASES: list[tuple[GrammarSpec, Callable[[random.Random], str]]] = [
    (JsonSchema.of(SCHEMA, whitespace="compact"), lambda rng: an_object(rng, COMPACT)),
    (JsonSchema.of(SCHEMA), lambda rng: an_object(rng, rng.choice([COMPACT, SPACED]))),
    (Regex(FORM), a_form),
    (Choice(tuple(LINES)), lambda rng: rng.choice(LINES)),
]
PROMPTS = ["Answer:", "Answer: ", "An answer\n", 'He said "', "{", "x = f(", "..."]


@pytest.mark.parametrize("make_vocabulary", [tekken_vocabulary, sentencepiece_vocabulary])
def test_texts_with_jump_forward_equal_their_encoding(make_vocabulary: Callable[[], Vocabulary]) -> None:
    vocabulary = make_vocabulary()
    assert vocabulary.encode is not None
    rng = random.Random(7)
    forced_tokens = all_tokens = 0
    for number in range(1000):
        spec, make_text = CASES[number % len(CASES)]
        prompt, text = rng.choice(PROMPTS), make_text(rng)
        expected = vocabulary.encode(prompt + text)
        known, position, seam = prompt_tokens(vocabulary, expected, prompt.encode())
        matcher = compile_grammar(spec, vocabulary).matcher(prefix=seam)
        while position < len(expected):
            forced = matcher.forced_tokens(known[-64:])
            assert forced == expected[position : position + len(forced)], (prompt, text, known)
            forced_tokens += len(forced)
            for token in forced or [expected[position]]:
                assert matcher.accept_token(token), (prompt, text, known, vocabulary.token_bytes[token])
                known += vocabulary.token_bytes[token]
                position += 1
                all_tokens += 1
        assert matcher.is_accepting
    assert forced_tokens > all_tokens / 10


def prompt_tokens(vocabulary: Vocabulary, ids: list[int], prompt: bytes) -> tuple[bytes, int, bytes]:
    """The tokens that lie in the prompt: (their text, their number, bytes of the prompt that the next token begins)."""
    spelled = b"".join(vocabulary.token_bytes[token] for token in ids)
    dummy = spelled[: spelled.index(prompt)]  # a space that the tokenizer put before the text
    known, count = b"", 0
    while len(known + vocabulary.token_bytes[ids[count]]) <= len(dummy + prompt):
        known += vocabulary.token_bytes[ids[count]]
        count += 1
    return known[len(dummy) :], count, (dummy + prompt)[len(known) :]


def test_what_a_later_byte_could_merge_with_is_held_back() -> None:
    vocabulary = Vocabulary.from_tokens([b"", b"a", b"b", b"c", b"ab", b"bc", b"abc"], [], [0], encode=greedy)
    forced = compile_grammar(Choice(("abab", "abac")), vocabulary).matcher()
    assert forced.forced_bytes() == b"aba"
    assert forced.forced_tokens() == [4]  # the last a may become ab
    ends = compile_grammar(Choice(("abb",)), vocabulary).matcher()
    assert ends.forced_tokens() == [4]  # behind the end anything may come: b may become bc
    assert compile_grammar(Choice(("abb", "aba")), vocabulary).matcher().forced_tokens() == [4]
    assert compile_grammar(Choice(("aba", "abca")), vocabulary).matcher().forced_tokens() == []


def test_what_the_tokenizer_would_never_merge_is_not_held_back() -> None:
    pieces = {"<eos>": 0, "a": 1, "b": 2, "c": 3, "d": 4, "ab": 5, "bc": 6}
    backend = Tokenizer(BPE(pieces, [("a", "b"), ("b", "c")]))
    vocabulary = Vocabulary.from_tokens(
        [b"", *(piece.encode() for piece in list(pieces)[1:])], [], [0], encode=lambda text: backend.encode(text).ids
    )
    # There is a token bc, but behind an a it is never written: ab is merged first.
    assert compile_grammar(Choice(("abc", "abd")), vocabulary).matcher().forced_tokens() == [5]
    assert compile_grammar(Choice(("dbc", "dbd")), vocabulary).matcher().forced_tokens() == [4]


def test_a_colon_before_a_number_is_ready() -> None:
    vocabulary = tekken_vocabulary()
    assert vocabulary.encode is not None
    schema = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}
    matcher = compile_grammar(JsonSchema.of(schema, whitespace="compact"), vocabulary).matcher()
    assert matcher.forced_tokens() == vocabulary.encode('{"price":')


def greedy(text: str) -> list[int]:
    """A tokenizer that always takes the longest token."""
    tokens = {"a": 1, "b": 2, "c": 3, "ab": 4, "bc": 5, "abc": 6}
    ids = []
    while text:
        piece = max((token for token in tokens if text.startswith(token)), key=len, default=None)
        if piece is None:
            return []
        ids.append(tokens[piece])
        text = text[len(piece) :]
    return ids


def test_without_an_encoder_nothing_is_forced() -> None:
    vocabulary = Vocabulary.from_tokens([b"", b"a", b"b"], [], [0])
    assert compile_grammar(Choice(("ab",)), vocabulary).matcher().forced_tokens() == []
