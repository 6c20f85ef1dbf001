"""Forced text as ready tokens: only those that the tokenizer's own encoding of the whole text would contain.

Let `known` be the text up to the end of the forced bytes. A byte-pair encoder works such that the tokens of a prefix of
the text that ends at a token border are the encoding of that prefix; so in whatever continues `known`, the first token
that reaches beyond it starts at some position p, where known[p:] begins that token, and all tokens before p are
encode(known[:p]). Hence the tokens common to encode(known[:p]) over every such p are settled. Positions p are found in
the token trie. By the same property a token t that starts at p is written only if encode(known[:p] + t) ends with it:
where few tokens could start at p, each is tried, and p counts only if one passes. What follows may also move the
borders at which a pre-tokenizer cuts the text before pairs are merged, white space above all; so the common part is
also taken over encodings of `known` with typical continuations.

The observation on prefixes is from the incremental encoder of the `bpe` crate (GitHub, 2024).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from slipform.grammars.trie import TokenTrie
from slipform.kernels.byte_trie import longer_strings, nodes_beyond

Encode = Callable[[str], list[int]]

_WINDOW_BYTES = 96
_MAX_TRIED = 48  # tokens that could start at a position; where there are more, one of them is taken to be written
_CACHE_ENTRIES = 16_384

# Words, and what may follow a place to cut: their tokens are compared with and without what comes before the place.
_PROBE_LETTERS = ("a", "The", "isActive", "größe", "ZIP")
_PROBE_DIGITS = ("x1", "2024", "0")
_PROBE_REST = ("s", "The", "7", ' "x', '":"', "  a")

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

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset(b"0123456789")


class JumpForward:
    """Finds the settled tokens of forced text for one vocabulary. Thread-safe; results are cached."""

    def __init__(self, trie: TokenTrie, token_bytes: Sequence[bytes], encode: Encode | None) -> None:
        """`encode`: the tokenizer's plain encoding of a text; without it nothing is ever settled."""
        self._trie = trie
        self._token_bytes = token_bytes
        self._encode = encode
        self._cache: OrderedDict[tuple[bytes, bytes, bytes | None], list[int]] = OrderedDict()
        self._cuts: bytes | None = None

    def tokens(self, tail: bytes, forced: bytes, next_bytes: npt.NDArray[np.bool_] | None) -> list[int]:
        """The settled tokens of `forced` behind `tail`.

        Args:
            tail: the text before; its end is a token border.
            forced: what comes next for sure.
            next_bytes: (256,) which bytes may follow `forced`; None if anything may, as at the end of a fill.
        """
        if self._encode is None or not forced:
            return []
        window = self.window(tail, forced[0])
        if window is None:
            window = _from_space(tail)
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
            prefix = text[:border]
            before = self._aligned(encode, prefix.decode("utf-8"), prefix, len(tail)) or []
            common = _common(settled, before)
            if len(common) < len(settled) and self._starts_token(encode, prefix, text[border:], following):
                settled = common
            if not settled:
                return []
        for probe in _PROBES:
            if not settled:
                return []
            if following[probe.encode()[0]]:
                after = self._aligned(encode, decoded + probe, text + probe.encode(), len(tail))
                settled = settled if after is None else _common(settled, after)
        return settled

    def window(self, tail: bytes, following: int) -> bytes | None:
        """As much of the end of `tail` as the tokens of what comes next can depend on; `following` is its first byte.

        It begins where the tokenizer always cuts. None if there is no such place.
        """
        if self._cuts is None:
            self._cuts = b"" if self._encode is None else self._find_cuts(self._encode)
        if not self._cuts:
            return b""
        for begin in range(len(tail), max(0, len(tail) - _WINDOW_BYTES), -1):
            if self._cuts[tail[begin - 1] << 8 | following]:
                return tail[begin:]
            following = tail[begin - 1]
        return None

    def _find_cuts(self, encode: Encode) -> bytes:
        """(256 * 256,) 1 for each pair of bytes between which this tokenizer always has a border.

        The first is an ASCII letter or digit; the second is neither, or a digit, or a letter behind a digit. No token
        holds such a pair, and what follows has the same tokens behind it as alone. Pre-tokenizers could prevent that;
        it is tried for each kind of pair. Without this, the cache would know a run only behind the very same text.
        """
        text = np.frombuffer(b"".join(self._token_bytes), np.uint8).astype(np.int64)
        borders = np.cumsum([len(token) for token in self._token_bytes])
        is_inside = np.ones(len(text), bool)
        is_inside[borders[borders < len(text)]] = False
        joined = np.zeros(1 << 16, bool)
        joined[(text[:-1] << 8 | text[1:])[is_inside[1:]]] = True
        cuts = bytearray(1 << 16)
        others = [bytes([byte]) for byte in range(0x20, 0x7F) if byte not in _LETTERS | _DIGITS]
        for lefts, probes, kinds in (
            (_LETTERS, _PROBE_LETTERS, [_DIGITS, *others]),
            (_DIGITS, _PROBE_DIGITS, [_LETTERS, _DIGITS, *others]),
        ):
            for kind in kinds:
                pairs = [first << 8 | second for first in lefts for second in kind]
                free = [pair for pair in pairs if not joined[pair]]
                if free and all(self._is_cut(encode, probes, chr(second)) for second in sorted(kind)[::8]):
                    for pair in free:
                        cuts[pair] = 1
        return bytes(cuts)

    def _is_cut(self, encode: Encode, lefts: Sequence[str], second: str) -> bool:
        """Whether texts that begin with `second` have the same tokens behind `lefts` as alone."""
        for rest in _PROBE_REST:
            right = second + rest
            alone = self._aligned(encode, right, right.encode(), 0)
            if not alone:
                return False
            for left in lefts:
                if self._aligned(encode, left + right, (left + right).encode(), len(left.encode())) != alone:
                    return False
        return True

    def _borders(self, text: bytes, begin: int, following: npt.NDArray[np.bool_]) -> list[int]:
        """Positions p from `begin` on such that text[p:] begins a longer token that goes on with one of `following`."""
        first = max(begin, len(text) - self._trie.max_depth)
        array = np.frombuffer(text, np.uint8)
        borders: list[int] = longer_strings(self._trie.byte, self._trie.skip, array, first, following).tolist()
        return borders

    def _starts_token(self, encode: Encode, prefix: bytes, rest: bytes, following: npt.NDArray[np.bool_]) -> bool:
        """Whether a token that begins with `rest` and goes on with one of `following` may be written behind `prefix`;
        True as well where that would take too long to find out."""
        trie = self._trie
        array = np.frombuffer(rest, np.uint8)
        nodes = nodes_beyond(trie.byte, trie.skip, trie.token_first, array, following, _MAX_TRIED).tolist()
        if len(nodes) > _MAX_TRIED:
            return True
        for node in nodes:
            token = self._token_bytes[int(trie.tokens[trie.token_first[node]])]
            try:
                ids = encode((prefix + token).decode("utf-8"))
            except UnicodeDecodeError:  # it ends inside a character
                return True
            if ids and self._token_bytes[ids[-1]].endswith(token):  # longer where the tokenizer begins with a space
                return True
        return False

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


def _from_space(tail: bytes) -> bytes:
    """The end of `tail` from the last space between two letters on, at least _WINDOW_BYTES of it.

    There every common pre-tokenizer cuts.
    """
    begin = len(tail) - _WINDOW_BYTES
    while begin > 0:
        if tail[begin] == 0x20 and tail[begin - 1] in _LETTERS and tail[begin + 1] in _LETTERS:
            return tail[begin:]
        begin -= 1
    return tail


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
