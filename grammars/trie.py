"""Token bytes as a trie in depth-first order: one pass over it, with subtrees skipped, visits every token."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from slipform.kernels.byte_trie import build_trie

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TokenTrie:
    """A trie of token bytes; the root is not a node.

    Attributes:
        byte: (n,) uint8, the byte that leads to node i.
        depth: (n,) int32, from 1.
        skip: (n,) int32, the first node behind i's subtree.
        token_first: (n + 1,) int32; the tokens that end at node i are tokens[token_first[i] : token_first[i + 1]].
        tokens: (t,) int32 token ids, sorted by their bytes.
    """

    byte: npt.NDArray[np.uint8]
    depth: Int32
    skip: Int32
    token_first: Int32
    tokens: Int32

    @classmethod
    def build(cls, token_bytes: Sequence[bytes], token_ids: Sequence[int]) -> "TokenTrie":
        """The trie of tokens `token_ids`, whose bytes are `token_bytes[id]`; empty ones are left out."""
        return cls.of_texts((token_bytes[token], token) for token in token_ids if token_bytes[token])

    @classmethod
    def of_texts(cls, texts: Iterable[tuple[bytes, int]]) -> "TokenTrie":
        """The trie of pairs of a text, not empty, and the token that it stands for."""
        ordered = sorted(texts)
        lengths = np.fromiter((len(text) for text, _ in ordered), np.int64, len(ordered))
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        text = np.frombuffer(b"".join(text for text, _ in ordered), np.uint8)
        tokens = np.fromiter((token for _, token in ordered), np.int32, len(ordered))
        byte, depth, skip, first = build_trie(text, offsets)
        return cls(byte, depth, skip, first, tokens)

    @property
    def max_depth(self) -> int:
        """Length of the longest token, in bytes."""
        return int(self.depth.max(initial=0))

    @property
    def num_bytes(self) -> int:
        return sum(getattr(self, field.name).nbytes for field in fields(self))
