"""What a tokenizer can write: the bytes of each token, which tokens are special, and the trie of all ordinary ones."""

import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from slipform.errors import ConfigError
from slipform.grammars.config import cache_directory
from slipform.grammars.jump_forward import Encode, JumpForward
from slipform.grammars.mask_tables import MaskTables
from slipform.grammars.masks import MaskPool
from slipform.grammars.slices import PlainSlice
from slipform.grammars.spelling import Spelling
from slipform.grammars.trie import TokenTrie

_CACHE_FORMAT = "1"


class Vocabulary:
    """The tokens of one tokenizer, as grammars see them. Immutable and safe to share between threads.

    Attributes:
        token_bytes: per id, the bytes that the token adds to the text; b"" for control tokens and unused ids.
        special_ids: tokens that plain text never holds, whatever it says: control tokens, which are no part of a fill's
            text either, and special tokens that mark up an answer (spelled ones), which are.
        eos_ids: tokens that end a fill.
        digest: hex hash of the content; equal digests mean interchangeable vocabularies.
        trie: the trie of all ordinary tokens.
        encode: the tokenizer's plain encoding of a text (no special tokens added or parsed), or None. Jump-forward
            needs it: without it no token is ever forced.
        mask_tables: what masks are made of.
        mask_pool: mask rows of all grammars of this vocabulary.
        jump_forward: finds the tokens of forced text.
        spelling: finds the fewest tokens that spell a text.
    """

    def __init__(
        self,
        token_bytes: tuple[bytes, ...],
        special_ids: frozenset[int],
        eos_ids: tuple[int, ...],
        encode: Encode | None,
        cache: Path | None,
    ) -> None:
        self.token_bytes = token_bytes
        self.special_ids = special_ids
        self.eos_ids = eos_ids
        self.encode = encode
        self.digest = _digest(token_bytes, special_ids, eos_ids)
        self.trie = _load_trie(cache, self.digest, token_bytes)
        lengths = np.fromiter(map(len, token_bytes), np.int64, len(token_bytes))
        self.token_offsets: npt.NDArray[np.int64] = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        self.token_text: npt.NDArray[np.uint8] = np.frombuffer(b"".join(token_bytes), np.uint8)
        self.mask_pool = MaskPool(self.num_words)
        plain = PlainSlice.build(token_bytes, self.token_text, self.token_offsets)
        self.mask_tables = MaskTables(self.trie, plain, self.token_text, self.token_offsets, eos_ids)
        self.jump_forward = JumpForward(self.trie, token_bytes, encode)
        self.spelling = Spelling(token_bytes)

    def __len__(self) -> int:
        """Number of ids, special ones included: mask rows have ceil(len / 32) words."""
        return len(self.token_bytes)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens, {self.digest[:12]})"

    @property
    def size(self) -> int:
        """Number of ids, as `len`."""
        return len(self.token_bytes)

    @property
    def num_words(self) -> int:
        """Words of a mask row: 32 tokens each."""
        return (len(self) + 31) // 32

    @classmethod
    def from_tokens(
        cls,
        tokens: Sequence[bytes],
        special_ids: Iterable[int],
        eos_ids: Iterable[int],
        *,
        encode: Encode | None = None,
        cache: bool = False,
        spelled_ids: Iterable[int] = (),
    ) -> "Vocabulary":
        """A vocabulary from the bytes of each id. `cache` keeps the trie on disk, worth it from 10,000 tokens on.

        Args:
            spelled_ids: special tokens that add their bytes to the text all the same.

        Raises: ConfigError if an id is out of range.
        """
        eos = tuple(dict.fromkeys(eos_ids))
        special = frozenset(special_ids) | frozenset(eos)
        outside = [token for token in special if not 0 <= token < len(tokens)]
        if outside:
            raise ConfigError(f"ids {sorted(outside)} are outside the {len(tokens)} tokens", field="special_ids")
        silent = special - frozenset(spelled_ids) | frozenset(eos)
        plain = tuple(b"" if token in silent else bytes(text) for token, text in enumerate(tokens))
        return cls(plain, special, eos, encode, cache_directory() / "vocabularies" if cache else None)

    @classmethod
    def from_huggingface(
        cls, tokenizer: Any, *, eos_ids: Iterable[int] | None = None, spelled: Collection[str] = ()
    ) -> "Vocabulary":
        """The vocabulary of a fast tokenizer: byte-level BPE or SentencePiece-like with byte fallback.

        Added tokens that the tokenizer does not call special are text like any other.

        Args:
            tokenizer: a transformers fast tokenizer, or a `tokenizers.Tokenizer`.
            eos_ids: tokens that end a fill; by default the tokenizer's own end-of-sequence token.
            spelled: special tokens that are part of a fill's text where the model writes them.

        Raises: ConfigError for a tokenizer whose tokens do not spell bytes (such as WordPiece), or a slow one.
        """
        backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
        if not hasattr(backend, "get_added_tokens_decoder"):
            raise ConfigError("a fast tokenizer (of the tokenizers library) is needed", field="tokenizer")
        if eos_ids is None:
            own = getattr(tokenizer, "eos_token_id", None)
            eos_ids = () if own is None else (own,)
        pieces: dict[str, int] = backend.get_vocab(with_added_tokens=True)
        added: dict[int, Any] = backend.get_added_tokens_decoder()
        size = max(pieces.values(), default=-1) + 1
        read = _piece_reader(backend)
        tokens = [b""] * size
        for piece, token in pieces.items():
            tokens[token] = read(piece) if token not in added else added[token].content.encode()
        special = {token for token, entry in added.items() if entry.special}
        markers = {added[token].content: token for token in special if added[token].content in spelled}
        encode = _PlainEncode(backend, markers)
        return cls.from_tokens(tokens, special, eos_ids, encode=encode, cache=True, spelled_ids=markers.values())


class _PlainEncode:
    """Encodes text as ordinary text, also where it spells a special token, except for `markers` (text to id). Copies
    the tokenizer on first use."""

    def __init__(self, backend: Any, markers: Mapping[str, int]) -> None:
        self._original = backend
        self._copy: Any = None
        self._markers = markers
        longest_first = sorted(markers, key=len, reverse=True)
        self._borders = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if markers else None

    def __call__(self, text: str) -> list[int]:
        if self._borders is None:
            return self._encode(text)
        ids: list[int] = []
        for index, part in enumerate(self._borders.split(text)):
            ids += [self._markers[part]] if index % 2 else self._encode(part)
        return ids

    def _encode(self, text: str) -> list[int]:
        if self._copy is None:
            copy = type(self._original).from_str(self._original.to_str())
            copy.encode_special_tokens = True
            copy.no_truncation()
            copy.no_padding()
            self._copy = copy
        ids: list[int] = self._copy.encode(text, add_special_tokens=False).ids
        return ids


def _piece_reader(backend: Any) -> Callable[[str], bytes]:
    """How the tokenizer spells bytes in the names of its tokens, told by its decoder."""
    steps = _decoder_steps(backend)
    kinds = {step.get("type") for step in steps}
    if "ByteLevel" in kinds:
        return _read_byte_level
    replaces_marker = any(
        step.get("type") == "Replace" and step.get("pattern") == {"String": "▁"} and step.get("content") == " "
        for step in steps
    )
    if "Metaspace" in kinds or replaces_marker:
        return _read_sentencepiece
    names = ", ".join(sorted(str(kind) for kind in kinds)) or "no decoder"
    raise ConfigError(f"token bytes cannot be read from a tokenizer with {names}", field="tokenizer")


def _decoder_steps(backend: Any) -> list[dict[str, Any]]:
    if backend.decoder is None:
        return []
    state: dict[str, Any] = json.loads(backend.decoder.__getstate__())
    steps: list[dict[str, Any]] = state.get("decoders", [state])
    return steps


@lru_cache(maxsize=1)
def _byte_of_character() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes: printable Latin-1 characters are themselves, others follow U+0100."""
    table = {}
    shift = 256
    for byte in range(256):
        if 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte <= 255:
            table[chr(byte)] = byte
        else:
            table[chr(shift)] = byte
            shift += 1
    return table


def _read_byte_level(piece: str) -> bytes:
    table = _byte_of_character()
    try:
        return bytes([table[character] for character in piece])
    except KeyError:
        return piece.encode("utf-8")  # a token that was put into the vocabulary as plain text


def _read_sentencepiece(piece: str) -> bytes:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace("▁", " ").encode("utf-8")


def _digest(token_bytes: tuple[bytes, ...], special_ids: frozenset[int], eos_ids: tuple[int, ...]) -> str:
    state = hashlib.blake2b(digest_size=20)
    state.update(np.fromiter(map(len, token_bytes), np.int64, len(token_bytes)).tobytes())
    state.update(b"".join(token_bytes))
    state.update(json.dumps([sorted(special_ids), eos_ids]).encode())
    return state.hexdigest()


def _load_trie(cache: Path | None, digest: str, token_bytes: tuple[bytes, ...]) -> TokenTrie:
    """The trie, from disk where it is there and whole; a file that cannot be read or written is not an error."""
    file = cache / f"{digest}-{_CACHE_FORMAT}.npz" if cache else None
    if file is not None:
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                return TokenTrie(**{name: stored[name] for name in stored.files})
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            pass  # absent, or cut short by a crash: built anew below
    trie = TokenTrie.build(token_bytes, range(len(token_bytes)))
    if file is not None:
        write_arrays(file, {name: getattr(trie, name) for name in TokenTrie.__slots__})
    return trie


def write_arrays(file: Path, arrays: dict[str, npt.NDArray[Any]]) -> bool:
    """Write an .npz file in one step, so that readers see all of it or nothing. Returns False if the disk refuses."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, **arrays)  # type: ignore[arg-type]
            os.replace(name, file)
        except BaseException:
            os.unlink(name)
            raise
    except OSError:
        return False
    return True
