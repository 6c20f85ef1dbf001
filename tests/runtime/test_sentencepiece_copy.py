"""The embedded model's tokenizer in SentencePiece's form: other readers of it spell texts in the same tokens."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from slipform.runtime.embedded import sentencepiece_copy
from slipform.runtime.embedded.generate import SPECIAL_TOKENS, examples, pieces

MODEL = Path(sentencepiece_copy.__file__).parent / "model"


@pytest.fixture(scope="module")
def original() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.fixture(scope="module")
def copy() -> Any:
    return SentencePieceProcessor(model_file=str(MODEL / sentencepiece_copy.FILE_NAME))


def texts(count: int) -> Iterator[str]:
    """What stands between special tokens in generated examples."""
    split = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
    for example in itertools.islice(examples("train", "copy of the tokenizer"), count):
        yield from filter(None, split.split("".join(text for text, _ in pieces(example))))


def test_the_shipped_file_is_made_of_the_shipped_tokenizer() -> None:
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text(encoding="utf-8"))
    assert (MODEL / sentencepiece_copy.FILE_NAME).read_bytes() == sentencepiece_copy.model_of(tokenizer)


def test_generated_texts_have_the_same_tokens(original: Tokenizer, copy: Any) -> None:
    """All but those with a character that the original spells in a token which ends inside it."""
    inside = {
        id_
        for token, id_ in original.get_vocab().items()
        if len(token) > 1 and "\N{REPLACEMENT CHARACTER}" in original.decode([id_])
    }
    compared = 0
    for text in texts(300):
        expected = original.encode(text).ids
        found = copy.encode(text)
        assert copy.decode(found) == text
        if inside.isdisjoint(expected):
            compared += 1
            assert found == expected, text
    assert compared > 900


@pytest.mark.parametrize(
    "text", ["", " ", "a  b\n\n\tc", "naïve Zürich – 東京 😀", '{"a":[1,2.5],"b":"x"}', "\x00\x7f"]
)
def test_any_text_comes_back(copy: Any, text: str) -> None:
    assert copy.decode(copy.encode(text)) == text


def test_special_tokens_keep_their_ids(original: Tokenizer, copy: Any) -> None:
    for token in SPECIAL_TOKENS:
        assert copy.piece_to_id(token) == original.token_to_id(token)
        assert copy.is_control(copy.piece_to_id(token)) or copy.is_unknown(copy.piece_to_id(token))
    assert copy.get_piece_size() == original.get_vocab_size()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"added_tokens": []}, "special token"),
        ({"model": {"vocab": {"<s>": 0, "a": 2}, "merges": []}}, "id 1 has no token"),
        ({"model": {"vocab": {"<s>": 0, "a": 1}, "merges": []}}, "no token ends inside a character"),
    ],
)
def test_tokenizers_that_cannot_be_copied(change: dict[str, Any], message: str) -> None:
    tokenizer = {"added_tokens": [{"content": "<s>"}], "model": {"vocab": {"<s>": 0}, "merges": []}, **change}
    with pytest.raises(ValueError, match=message):
        sentencepiece_copy.model_of(tokenizer)
