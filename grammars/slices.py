"""The part of a vocabulary that any run of ordinary characters admits, precomputed.

Inside a JSON string nearly every token is allowed: all that are made of *plain* characters (see
`slipform.kernels.plain_text`). Where a configuration takes plain characters for ever, or n more of them, the mask is a
stored row plus a walk over the few other tokens.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slipform.grammars.trie import TokenTrie
from slipform.kernels.plain_text import count_plain_characters

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PlainSlice:
    """Plain tokens by length, and the trie of all others.

    Attributes:
        masks: (longest + 1, W) int32; row n allows the plain tokens of at most n characters.
        others: the trie of ordinary tokens that are not plain.
    """

    masks: Int32
    others: TokenTrie

    @classmethod
    def build(
        cls, token_bytes: tuple[bytes, ...], text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]
    ) -> "PlainSlice":
        """From all tokens; text[offsets[i] : offsets[i + 1]] are the bytes of token i."""
        characters = count_plain_characters(text, offsets)
        longest = int(characters.max(initial=0))
        num_words = (len(token_bytes) + 31) // 32
        masks = np.zeros((longest + 1, num_words), np.int32)
        words = masks.view(np.uint32)
        for length in range(1, longest + 1):
            words[length] = words[length - 1]
            tokens = np.flatnonzero(characters == length)
            np.bitwise_or.at(words[length], tokens >> 5, np.uint32(1) << (tokens & 31).astype(np.uint32))
        return cls(masks, TokenTrie.build(token_bytes, np.flatnonzero(characters == 0).tolist()))

    @property
    def longest(self) -> int:
        """Characters of the longest plain token."""
        return len(self.masks) - 1

    @property
    def num_bytes(self) -> int:
        return self.masks.nbytes + self.others.num_bytes
