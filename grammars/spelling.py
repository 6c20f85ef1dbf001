"""Spelling a text in as few tokens as a vocabulary allows: what a budget of tokens must hold to write it."""

from collections.abc import Sequence
from functools import lru_cache


class Spelling:
    """The ways in which one vocabulary spells a text. Thread-safe; the index is built on first use."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        """`token_bytes`: per id, the bytes of the token; b"" for tokens that spell nothing."""
        self._token_bytes = token_bytes
        self._ids: dict[bytes, int] | None = None
        self._longest = 0
        self.fewest = lru_cache(maxsize=4096)(self._fewest)

    def _fewest(self, text: bytes) -> tuple[int, ...] | None:
        """The fewest tokens that spell `text`, by dynamic programming from its end; None if no tokens do.

        Among spellings of equal length the one whose first token is longest counts, then likewise for the rest.
        """
        ids = self._index()
        best: list[tuple[int, int] | None] = [None] * len(text) + [(0, 0)]  # tokens to the end, length of the first
        for begin in range(len(text) - 1, -1, -1):
            for length in range(1, min(self._longest, len(text) - begin) + 1):
                rest = best[begin + length]
                if rest is None or text[begin : begin + length] not in ids:
                    continue
                found = best[begin]
                if found is None or rest[0] + 1 <= found[0]:
                    best[begin] = (rest[0] + 1, length)
        spelled: list[int] = []
        begin = 0
        while begin < len(text):
            step = best[begin]
            if step is None:
                return None
            spelled.append(ids[text[begin : begin + step[1]]])
            begin += step[1]
        return tuple(spelled)

    def _index(self) -> dict[bytes, int]:
        if self._ids is None:
            self._longest = max(map(len, self._token_bytes), default=0)
            self._ids = {text: token for token, text in enumerate(self._token_bytes) if text}
        return self._ids
