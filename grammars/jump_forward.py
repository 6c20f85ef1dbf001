"""Forced text as ready tokens: only those that the tokenizer's own encoding of the whole text would contain.

Let `known` be the text up to the end of the forced bytes. A byte-pair encoder works such that the tokens of a prefix of
the text that ends at a token border are the encoding of that prefix; so in whatever continues `known`, the first token
that reaches beyond it starts at some position p, where known[p:] begins that token, and all tokens before p are
encode(known[:p]). Hence the tokens common to encode(known[:p]) over every such p are settled. Positions p are found in
the token trie. What follows may also move the borders at which a pre-tokenizer cuts the text before pairs are merged,
white space above all; so the common part is also taken over encodings of `known` with typical continuations.

The observation on prefixes is from the incremental encoder of the `bpe` crate (GitHub, 2024).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from slipform.grammars.trie import TokenTrie
from slipform.kernels.byte_trie import longer_strings

Encode = Callable[[str], list[int]]

_WINDOW_BYTES = 96
_CACHE_ENTRIES = 16_384

# Texts whose tokens behind a place to cut are compared with and without what comes before it.
_PROBE_WORDS = ("a", "The", "red", "isActive", "x1", "2024", "größe", "of", "ing", "s", "Z", "0")
_PROBE_ENDS = ('"', '":', '":"', '","', '"]', '"},"', '":["', '" ')

# One of each kind that pre-tokenizers tell apart: letters (upper case, marks, wide), digits, apostrophes, spaces in
# runs, line ends, punctuation.
_PROBES = (
    "a",
    "A",
    "s",
    "é",
    "́a",
    "中",
    "7",
    "'s",
    " ",
    "  a",
    " a",
    "\n",
    " \n",
    "\n\n",
    "\r\n",
    "\t",
    ".",
    '"',
    "_",
    "/",
    "}",
)

_ANYTHING = np.ones(256, bool)


class JumpForward:
    """Finds the settled tokens of forced text for one vocabulary. Thread-safe; results are cached."""

    def __init__(self, trie: TokenTrie, token_bytes: Sequence[bytes], encode: Encode | None) -> None:
        """`encode`: the tokenizer's plain encoding of a text; without it nothing is ever settled."""
        self._trie = trie
        self._token_bytes = token_bytes
        self._encode = encode
        self._cache: OrderedDict[tuple[bytes, bytes, bytes | None], list[int]] = OrderedDict()
        self._cuts_at: bytes | None = None

    def tokens(self, tail: bytes, forced: bytes, next_bytes: npt.NDArray[np.bool_] | None) -> list[int]:
        """The settled tokens of `forced` behind `tail`.

        Args:
            tail: the text before; its end is a token border.
            forced: what comes next for sure.
            next_bytes: (256,) which bytes may follow `forced`; None if anything may, as at the end of a fill.
        """
        if self._encode is None or not forced:
            return []
        if self._cuts_at is None:
            self._cuts_at = self._probe_cuts(self._encode)
        window = _window(tail, self._cuts_at)
        key = (window, forced, None if next_bytes is None else next_bytes.tobytes())
        known = self._cache.get(key)
        if known is None:
            known = self._cache[key] = self._find(self._encode, window, forced, next_bytes)
            if len(self._cache) > _CACHE_ENTRIES:
                self._cache.popitem(last=False)
        return known.copy()

    def _find(self, encode: Encode, tail: bytes, forced: bytes, next_bytes: npt.NDArray[np.bool_] | None) -> list[int]:
        following = _ANYTHING if next_bytes is None else next_bytes
        text = tail + forced
        while True:
            whole = len(text)
            text = _complete_characters(text)
            if len(text) < whole:
                following = _ANYTHING
            if len(text) <= len(tail):
                return []
            # A token that began before the end of `tail` would not leave a border there.
            borders = self._borders(text, len(tail), following)
            if len(tail) in borders:
                return []
            # A border inside a character: nothing is known of the tokens before it, so the text ends before that one.
            inside = [border for border in borders if text[border] & 0xC0 == 0x80]
            if not inside:
                break
            text = text[: min(inside)]
            following = _ANYTHING
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError:  # the tail is cut inside a character, or is not text at all
            return []
        settled = self._aligned(encode, decoded, text, len(tail)) or []
        for border in borders:
            if not settled:
                return []
            prefix = text[:border]
            settled = _common(settled, self._aligned(encode, prefix.decode("utf-8"), prefix, len(tail)) or [])
        for probe in _PROBES:
            if not settled:
                return []
            if following[probe.encode()[0]]:
                after = self._aligned(encode, decoded + probe, text + probe.encode(), len(tail))
                settled = settled if after is None else _common(settled, after)
        return settled

    def _probe_cuts(self, encode: Encode) -> bytes:
        """Those of a quote and a space before which this tokenizer always cuts, behind an ASCII letter or digit.

        Tried on texts like those that forced runs stand in; without this, the cache would know a run only behind the
        very same text.
        """
        found = b""
        for kind, ends in ((b'"', _PROBE_ENDS), (b" ", (" ", "  ", " -", " \n", " .", " (", ' "', " '"))):
            texts = [(left, end + right) for left in _PROBE_WORDS for right in _PROBE_WORDS for end in ends]
            if all(self._is_cut(encode, f'{{"{left}', right) for left, right in texts):
                found += kind
        return found

    def _is_cut(self, encode: Encode, left: str, right: str) -> bool:
        """Whether `right` has the same tokens behind `left` as alone."""
        if not _is_word(left.encode()[-1]):
            return True
        alone = self._aligned(encode, right, right.encode(), 0)
        return bool(alone) and alone == self._aligned(encode, left + right, (left + right).encode(), len(left.encode()))

    def _borders(self, text: bytes, begin: int, following: npt.NDArray[np.bool_]) -> list[int]:
        """Positions p from `begin` on such that text[p:] begins a longer token that goes on with one of `following`."""
        first = max(begin, len(text) - self._trie.max_depth)
        array = np.frombuffer(text, np.uint8)
        borders: list[int] = longer_strings(self._trie.byte, self._trie.skip, array, first, following).tolist()
        return borders

    def _aligned(self, encode: Encode, decoded: str, text: bytes, begin: int) -> list[int] | None:
        """The tokens of `text` from byte `begin` on; empty if no border is there, None if they spell another text."""
        ids = encode(decoded)
        token_bytes = self._token_bytes
        spelled = b"".join([token_bytes[token] for token in ids])
        # Some tokenizers put a space before the text.
        position = len(text) - len(spelled)
        if position not in (0, -1) or not spelled.endswith(text):
            return None
        for index, token in enumerate(ids):
            if position == begin:
                return ids[index:]
            if position > begin:
                return []
            position += len(token_bytes[token])
        return []


def _window(tail: bytes, cuts_at: bytes) -> bytes:
    """The end of `tail`, from the last place where the tokenizer cuts before one of `cuts_at`.

    Without such a place, at least _WINDOW_BYTES, from where every common pre-tokenizer cuts: before a space between two
    words.
    """
    for begin in range(len(tail) - 1, max(0, len(tail) - _WINDOW_BYTES), -1):
        if tail[begin] in cuts_at and _is_word(tail[begin - 1]):
            return tail[begin:]
    begin = len(tail) - _WINDOW_BYTES
    while begin > 0:
        before, space, after = tail[begin - 1], tail[begin], tail[begin + 1]
        if space == 0x20 and _is_letter(before) and _is_letter(after):
            return tail[begin:]
        begin -= 1
    return tail


def _is_letter(byte: int) -> bool:
    return 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A


def _is_word(byte: int) -> bool:
    return _is_letter(byte) or 0x30 <= byte <= 0x39


def _complete_characters(text: bytes) -> bytes:
    """`text` without an unfinished character at its end."""
    for back in range(1, min(4, len(text)) + 1):
        byte = text[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        return text if needed <= back else text[:-back]
    return text


def _common(left: Iterable[int], right: Iterable[int]) -> list[int]:
    """The common beginning of two sequences."""
    result = []
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        result.append(a)
    return result
