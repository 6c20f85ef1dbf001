"""Healing the seam between program text and a fill.

The encoding of a text ends with a token border where the text ends, and a model trained on whole texts may have seen
no border there: after "http:" it cannot write "//", since it knows the one token "://". So the last token of the
text is given back, and the fill must begin with its bytes: its first token is one that begins with them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from slipform.grammars.vocabulary import Vocabulary


class SeamIndex:
    """Answers which tokens begin with given bytes. Special tokens do not count."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        special = set(vocabulary.special_ids)
        spelled = sorted(
            (spelling, index)
            for index, spelling in enumerate(vocabulary.token_bytes)
            if spelling and index not in special
        )
        self._spellings = [spelling for spelling, _ in spelled]
        self._ids = np.array([index for _, index in spelled], dtype=np.int64)
        self._num_words = (len(vocabulary.token_bytes) + 31) // 32
        self._special = special
        self._token_bytes: Sequence[bytes] = vocabulary.token_bytes
        self.mask = lru_cache(maxsize=256)(self._build_mask)

    def healable(self, token_id: int) -> bytes:
        """The bytes of a text's last token if a longer token begins with them, else nothing.

        A token that ends or begins inside a character is left alone.
        """
        spelling = self._token_bytes[token_id]
        if token_id in self._special or not _is_text(spelling):
            return b""
        _, end = self._range(spelling)
        return spelling if self._spellings[end - 1] != spelling else b""

    def extensions(self, prefix: bytes) -> npt.NDArray[np.int64]:
        """Ids of the tokens that begin with `prefix`, the token `prefix` itself included."""
        begin, end = self._range(prefix)
        return self._ids[begin:end]

    def _range(self, prefix: bytes) -> tuple[int, int]:
        begin = bisect_left(self._spellings, prefix)
        # The first spelling beyond all that begin with the prefix: the prefix with its last byte below 255 raised.
        stem = prefix.rstrip(b"\xff")
        after = stem[:-1] + bytes([stem[-1] + 1]) if stem else None
        return begin, len(self._spellings) if after is None else bisect_left(self._spellings, after)

    def _build_mask(self, prefix: bytes) -> npt.NDArray[np.int32]:
        """(W,) int32 mask of `extensions`."""
        bits = np.zeros(self._num_words * 32, dtype=np.uint8)
        bits[self.extensions(prefix)] = 1
        return np.packbits(bits, bitorder="little").view(np.int32)


def _is_text(spelling: bytes) -> bool:
    try:
        return bool(spelling.decode("utf-8"))
    except UnicodeDecodeError:
        return False
