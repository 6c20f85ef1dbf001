"""Token bytes of tokenizers of both families, the trie, and its cache on disk."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from slipform.errors import ConfigError
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.config import cache_directory
from slipform.grammars.slices import PlainSlice
from slipform.grammars.spec import Choice
from slipform.grammars.trie import TokenTrie
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import sentencepiece_vocabulary, tekken_vocabulary

TEXTS = [
    "The quick brown fox, größer than 東京 😀\n\n\tand 12.5 more!",
    '  it\'s {"a": [1, 2]}',
    "<s> is not special here",
]


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer


def sentencepiece_like() -> Tokenizer:
    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        "▁the",
        "t",
        "h",
        "e",
        "th",
        "the",
        "▁t",
    ]
    merges = [("t", "h"), ("th", "e"), ("▁", "the")]
    tokenizer = Tokenizer(
        models.BPE({piece: index for index, piece in enumerate(pieces)}, merges, unk_token="<unk>", byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


@pytest.mark.parametrize("make", [byte_level, sentencepiece_like])
def test_tokens_of_a_fast_tokenizer_spell_the_text(
    make: "type[Tokenizer]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPFORM_CACHE_DIR", str(tmp_path))
    tokenizer = make()
    end = tokenizer.token_to_id("</s>")
    vocabulary = Vocabulary.from_huggingface(tokenizer, eos_ids=[end])
    assert len(vocabulary) == vocabulary.size == tokenizer.get_vocab_size()
    assert vocabulary.eos_ids == (end,)
    added = tokenizer.get_added_tokens_decoder()
    assert vocabulary.special_ids == {token for token, entry in added.items() if entry.special}
    for token, entry in added.items():
        assert vocabulary.token_bytes[token] == (b"" if entry.special else entry.content.encode())
    assert vocabulary.encode is not None
    for text in TEXTS:
        ids = vocabulary.encode(text)
        assert b"".join(vocabulary.token_bytes[token] for token in ids) == text.encode()
    assert tokenizer.encode("<s>", add_special_tokens=False).ids == [tokenizer.token_to_id("<s>")]


def test_a_tokenizer_that_does_not_spell_bytes_is_refused() -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    with pytest.raises(ConfigError, match="WordPiece"):
        Vocabulary.from_huggingface(tokenizer)
    with pytest.raises(ConfigError, match="fast tokenizer"):
        Vocabulary.from_huggingface(object())
    with pytest.raises(ConfigError, match="outside"):
        Vocabulary.from_tokens([b"a"], [3], [])


def test_the_trie_comes_back_from_disk_and_survives_a_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPFORM_CACHE_DIR", str(tmp_path))
    tokens = [bytes([byte]) for byte in range(256)] + [b"ab", b"abc", b"ab"]
    fresh = Vocabulary.from_tokens(tokens, [], [0], cache=True)
    (file,) = (tmp_path / "vocabularies").iterdir()
    written = file.stat().st_mtime_ns
    again = Vocabulary.from_tokens(tokens, [], [0], cache=True)
    assert file.stat().st_mtime_ns == written
    assert again.digest == fresh.digest
    assert Vocabulary.from_tokens(tokens, [], [1]).digest != fresh.digest
    file.write_bytes(file.read_bytes()[:100])
    healed = Vocabulary.from_tokens(tokens, [], [0], cache=True)
    for name in TokenTrie.__slots__:
        assert np.array_equal(getattr(fresh.trie, name), getattr(again.trie, name))
        assert np.array_equal(getattr(fresh.trie, name), getattr(healed.trie, name))


def test_the_cache_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPFORM_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_directory() == Path("/somewhere/slipform")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "slipform"


@given(st.lists(st.binary(max_size=5), max_size=30))
def test_the_trie_holds_every_token_once(tokens: list[bytes]) -> None:
    trie = TokenTrie.build(tokens, range(len(tokens)))
    path = bytearray()
    found: dict[int, bytes] = {}
    for node, depth in enumerate(trie.depth.tolist()):
        del path[depth - 1 :]
        path.append(trie.byte[node])
        for token in trie.tokens[trie.token_first[node] : trie.token_first[node + 1]].tolist():
            found[token] = bytes(path)
        inside = [other for other in range(node + 1, len(trie.depth)) if trie.depth[other] <= depth]
        assert trie.skip[node] == (inside[0] if inside else len(trie.depth))
    assert found == {token: text for token, text in enumerate(tokens) if text}


@given(st.lists(st.text(max_size=4).map(str.encode) | st.binary(max_size=4), max_size=40))
def test_plain_tokens_are_those_of_ordinary_characters(tokens: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, tokens)])
    plain = PlainSlice.build(tuple(tokens), np.frombuffer(b"".join(tokens), np.uint8), offsets)
    for token, text in enumerate(tokens):
        length = plain_length(text)
        for limit in range(plain.longest + 1):
            allowed = bool(plain.masks[limit, token >> 5] >> (token & 31) & 1)
            assert allowed == (0 < length <= limit)
        assert (token in plain.others.tokens) == (length == 0 and bool(text))


def plain_length(text: bytes) -> int:
    """Characters of a token that any JSON string admits, an unfinished last one counted; 0 if it is not one."""
    for extra in (b"", b"\x80", b"\x80\x80", b"\x80\x80\x80", b"\xbf", b"\xbf\x80", b"\x90\x80\x80", b"\x90\x80"):
        try:
            decoded = (text + extra).decode()
        except UnicodeDecodeError:
            continue
        if extra and (not decoded or decoded[-1].encode()[-len(extra) :] != extra or decoded[-1].encode() == extra):
            continue
        return len(decoded) if all(character >= " " and character not in '"\\' for character in decoded) else 0
    return 0


@pytest.mark.parametrize(("vocabulary", "size"), [(sentencepiece_vocabulary, 32_000), (tekken_vocabulary, 131_072)])
def test_real_tokenizers(vocabulary: "type[Vocabulary]", size: int) -> None:
    loaded = vocabulary()
    assert len(loaded) == size
    assert {bytes([byte]) for byte in range(256)} <= set(loaded.token_bytes)
    assert loaded.trie.max_depth == max(map(len, loaded.token_bytes))


def test_tokens_that_mark_up_an_answer_are_text() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens(["<tool_call>"])
    tokenizer.add_special_tokens(["[TOOL_CALLS]", "<control>"])
    plain, special, control = map(tokenizer.token_to_id, ("<tool_call>", "[TOOL_CALLS]", "<control>"))
    vocabulary = Vocabulary.from_huggingface(tokenizer, eos_ids=[], spelled={"[TOOL_CALLS]"})
    assert [vocabulary.token_bytes[token] for token in (plain, special, control)] == [
        b"<tool_call>",
        b"[TOOL_CALLS]",
        b"",
    ]
    assert {special, control} <= vocabulary.special_ids
    assert plain not in vocabulary.special_ids
    assert vocabulary.encode is not None
    assert vocabulary.encode("<tool_call>")[0] == plain
    assert vocabulary.encode("[TOOL_CALLS][TOOL_CALLS]") == [special, special]
    assert control not in vocabulary.encode("<control>")
    for marker, token in (("<tool_call>", plain), ("[TOOL_CALLS]", special)):
        matcher = compile_grammar(Choice((f"{marker}a",)), vocabulary).matcher()
        assert matcher.forced_tokens()[0] == token
        assert matcher.accept_token(token)
