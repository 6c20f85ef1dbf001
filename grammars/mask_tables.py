"""A vocabulary's tables for the mask kernels: its tries and tokens, and the rows that all masks build on."""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from slipform.grammars.masks import MaskPool
from slipform.grammars.slices import PlainSlice
from slipform.grammars.trie import TokenTrie
from slipform.kernels import vocabulary_tables as tables
from slipform.kernels.mask_walks import leaf_row

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

LeafPart = tuple[Int64, Int64, Int64, Int64, npt.NDArray[np.bool_]]
"""What `slipform.kernels.mask_walks.part_below` returns."""

MAX_LEAF_BASES = 256
"""Looping parts of automata that get a base row of their own; beyond these, masks are walked."""

MAX_EXIT_NODES = 1 << 17

_TRIE_TABLES = (tables.BYTE, tables.DEPTH, tables.SKIP, tables.TOKEN_FIRST, tables.TOKENS)


class MaskTables:
    """The tables of one vocabulary, see `slipform.kernels.vocabulary_tables`. Thread-safe.

    Base rows are never forgotten: there are at most 256 beside those of plain tokens.

    Attributes:
        num_words: W, the words of a mask row.
        max_depth: bytes of the longest token.
    """

    def __init__(
        self, trie: TokenTrie, plain: PlainSlice, text: npt.NDArray[np.uint8], offsets: Int64, eos_ids: tuple[int, ...]
    ) -> None:
        """`text[offsets[i] : offsets[i + 1]]` are the bytes of token i."""
        first_bases, num_words = plain.masks.shape
        self._lock = threading.Lock()
        self._base_of: dict[bytes, int] = {}
        self._num_bases: int = first_bases
        self._rows: Int32 = np.empty((first_bases + MAX_LEAF_BASES, num_words), np.int32)
        self._rows[:first_bases] = plain.masks
        self._counts: Int32 = np.zeros(len(self._rows), np.int32)
        self._counts[:first_bases] = np.bitwise_count(plain.masks.view(np.uint32)).sum(1)
        self._exit_first: Int32 = np.zeros(len(self._rows) + 1, np.int32)
        self._exits = {tables.EXITS + table: np.zeros(MAX_EXIT_NODES + 1, np.int32) for table in _TRIE_TABLES}
        self._others = plain.others
        self._text, self._offsets = text, offsets
        sizes = np.zeros(tables.NUM_SIZES, np.int32)
        sizes[tables.NUM_WORDS] = num_words
        sizes[tables.LONGEST_PLAIN] = plain.longest
        sizes[tables.LONGEST] = trie.max_depth
        self._arrays: dict[int, Int32] = {
            **_trie_tables(tables.ALL, trie),
            **_trie_tables(tables.OTHERS, plain.others),
            **self._exits,
            tables.TOKEN_TEXT: text.astype(np.int32),
            tables.TOKEN_BEGIN: offsets.astype(np.int32),
            tables.EOS_TOKENS: np.array(eos_ids, np.int32),
            tables.BASE_ROWS: self._rows.reshape(-1),
            tables.BASE_COUNT: self._counts,
            tables.EXIT_FIRST: self._exit_first,
            tables.SIZES: sizes,
        }
        self.num_words = num_words
        self.max_depth = trie.max_depth
        self._heap = np.zeros(2 * tables.NUM_VOCABULARY_TABLES, np.int64)
        for table, array in self._arrays.items():
            _point(self._heap, table, array)

    @property
    def num_bytes(self) -> int:
        """Memory in use: base rows not yet taken are not counted."""
        unused = (len(self._rows) - self._num_bases) * self._rows.strides[0]
        return int(sum(array.nbytes for array in self._arrays.values()) - unused)

    def heap(self, pool: MaskPool) -> Int64:
        """The tables of this vocabulary and the rows of `pool`, as a heap for kernels. Both must outlive it."""
        heap = self._heap.copy()
        _point(heap, tables.POOL_ROWS, pool.rows.reshape(-1))
        _point(heap, tables.POOL_SERIAL, pool.serial)
        _point(heap, tables.POOL_USED, pool.used)
        _point(heap, tables.POOL_CLOCK, pool.clock)
        return heap

    def leaf_base(self, part: LeafPart) -> int | None:
        """The base row of a looping part of an automaton, made now if it is new. None: there is no room for it."""
        key = b"".join(array.tobytes() for array in part)
        with self._lock:
            base: int | None = self._base_of.get(key)
            if base is None and self._num_bases < len(self._rows):
                base = self._add_leaf_base(part)
                if base is not None:
                    self._base_of[key] = base
            return base

    def _add_leaf_base(self, part: LeafPart) -> int | None:
        base = self._num_bases
        row = self._rows[base]
        row[:] = self._rows[int(self._arrays[tables.SIZES][tables.LONGEST_PLAIN])]
        nodes = np.empty(len(self._others.byte), np.int32)
        count = leaf_row(*part, self._heap.ctypes.data, row, nodes)
        if not self._add_exits(base, TokenTrie.of_texts(self._behind(nodes[:count].tolist()))):
            return None
        self._counts[base] = np.bitwise_count(row.view(np.uint32)).sum()
        self._num_bases += 1
        return base

    def _behind(self, nodes: list[int]) -> Iterator[tuple[bytes, int]]:
        """What follows in the tokens below each of these nodes of the second trie, and the token."""
        trie = self._others
        for node in nodes:
            for token in trie.tokens[trie.token_first[node + 1] : trie.token_first[trie.skip[node]]].tolist():
                begin, end = int(self._offsets[token]) + int(trie.depth[node]), int(self._offsets[token + 1])
                yield self._text[begin:end].tobytes(), token

    def _add_exits(self, base: int, trie: TokenTrie) -> bool:
        """Append the exits of a base row. False if there is no room for them."""
        exits = self._exits
        first, size = int(self._exit_first[base]), len(trie.byte)
        token = int(exits[tables.EXITS + tables.TOKEN_FIRST][first])
        if first + size > MAX_EXIT_NODES or token + len(trie.tokens) > MAX_EXIT_NODES:
            return False
        exits[tables.EXITS + tables.BYTE][first : first + size] = trie.byte
        exits[tables.EXITS + tables.DEPTH][first : first + size] = trie.depth
        exits[tables.EXITS + tables.SKIP][first : first + size] = trie.skip + first
        exits[tables.EXITS + tables.TOKEN_FIRST][first : first + size + 1] = trie.token_first + token
        exits[tables.EXITS + tables.TOKENS][token : token + len(trie.tokens)] = trie.tokens
        self._exit_first[base + 1] = first + size
        return True


def _trie_tables(first: int, trie: TokenTrie) -> dict[int, Int32]:
    roots = np.full(256, -1, np.int32)
    nodes = np.flatnonzero(trie.depth == 1)
    roots[trie.byte[nodes]] = nodes
    return {
        first + tables.BYTE: trie.byte.astype(np.int32),
        first + tables.DEPTH: trie.depth,
        first + tables.SKIP: trie.skip,
        first + tables.TOKEN_FIRST: trie.token_first,
        first + tables.TOKENS: trie.tokens,
        first + tables.ROOTS: roots,
    }


def _point(heap: Int64, table: int, array: Int32) -> None:
    heap[2 * table] = array.ctypes.data
    heap[2 * table + 1] = len(array)
