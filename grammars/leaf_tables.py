"""Regular parts as the builder keeps them: byte ranges of each state, with what the walks want to know of it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from slipform.kernels.leaf_tables import leaf_of_classes, leaf_of_other_texts, leaf_of_texts
from slipform.kernels.plain_text import GOES_ON

Int32 = npt.NDArray[np.int32]

MAX_WORDS = 1 << 30
"""Texts of a part are counted up to here."""

_SHARED_STATES = 1000  # automata of at most so many states are converted once a process
_SHARED_BYTES = 64  # and so are options of at most so many bytes


class ByteDfa(Protocol):
    """A trim deterministic automaton over bytes (`slipform.grammars.dfa.Dfa` is one).

    Hashable, and equal only to automata of the same language.

    Attributes:
        byte_class: (256,) uint8, the class of each byte.
        table: (n, k) int32, the next state by state and class, or -1 for none. Every state can reach an accepting
            one, except that the empty language is one state which neither accepts nor goes on.
        accepting: (n,) bool.
        start: the first state.
    """

    @property
    def byte_class(self) -> npt.NDArray[np.uint8]: ...
    @property
    def table(self) -> npt.NDArray[np.int32]: ...
    @property
    def accepting(self) -> npt.NDArray[np.bool_]: ...
    @property
    def start(self) -> int: ...
    def __hash__(self) -> int: ...


class LeafTables(NamedTuple):
    """An automaton by sorted byte ranges, those of state s being ends[s - 1] : ends[s] (from 0 for the first).

    Attributes:
        ends: (n,) int32.
        low, high, target: (r,) int32, the bytes of each range and the state that they lead to.
        flags: (n,) int32; bit 0 accepting, bits 1 to 3 GOES_ON, COMPLETES and LOOPS of `kernels.plain_text`.
        words: (n,) int32; how many texts lead from the state to acceptance, at most MAX_WORDS.
        start: the first state.
    """

    ends: Int32
    low: Int32
    high: Int32
    target: Int32
    flags: Int32
    words: Int32
    start: int


def of_dfa(dfa: ByteDfa) -> LeafTables:
    """The tables of an automaton; those of small ones are kept, since most grammars use the same few."""
    return _of_small_dfa(dfa) if len(dfa.table) <= _SHARED_STATES else new_of_dfa(dfa)


@lru_cache(maxsize=512)
def _of_small_dfa(dfa: ByteDfa) -> LeafTables:
    return new_of_dfa(dfa)


def new_of_dfa(dfa: ByteDfa) -> LeafTables:
    """The tables of an automaton, made anew."""
    return of_table(dfa.byte_class, dfa.table, dfa.accepting, dfa.start)


def of_table(
    byte_class: npt.NDArray[np.uint8], table: npt.NDArray[np.int32], accepting: npt.NDArray[np.bool_], start: int
) -> LeafTables:
    """The tables of an automaton given by the attributes of `ByteDfa`."""
    return _packed(leaf_of_classes(byte_class, table, np.ascontiguousarray(accepting), MAX_WORDS), start)


def of_texts(ordered: tuple[bytes, ...]) -> LeafTables:
    """The trie of sorted distinct texts, state 0 its root."""
    return _of_few_texts(ordered) if sum(map(len, ordered)) <= _SHARED_BYTES else _of_texts(ordered)


@lru_cache(maxsize=256)
def _of_few_texts(ordered: tuple[bytes, ...]) -> LeafTables:
    return _of_texts(ordered)


def _of_texts(ordered: tuple[bytes, ...]) -> LeafTables:
    return _packed(leaf_of_texts(*_joined(ordered), MAX_WORDS), 0)


def without(base: LeafTables, texts: Sequence[bytes], *, inside: int, end: int) -> LeafTables:
    """The texts of an automaton but for those which begin, behind its first byte, with one of `texts` and `end`.

    Args:
        base: its first byte leads from the start to `inside` only.
        texts: sorted and distinct; their bytes lead from `inside` to itself, and `end` does not.
        inside: a state of `base` that goes on after any plain character, and has texts without number.
        end: a byte.
    """
    ends, low, high, target = leaf_of_other_texts(*_joined(texts), *base[:4], inside, end)
    count = len(base.ends)
    # Whatever leads into the start of the texts comes from the base's own start, so only that is redirected.
    targets = base.target.copy()
    begin = base.ends[base.start - 1] if base.start else 0
    targets[begin : base.ends[base.start]] = count
    return LeafTables(
        np.concatenate((base.ends, ends + len(base.low)), dtype=np.int32),
        np.concatenate((base.low, low), dtype=np.int32),
        np.concatenate((base.high, high), dtype=np.int32),
        np.concatenate((targets, target), dtype=np.int32),
        np.concatenate((base.flags, np.full(len(ends), 2 * GOES_ON)), dtype=np.int32),
        np.concatenate((base.words, np.full(len(ends), MAX_WORDS)), dtype=np.int32),
        base.start,
    )


def _joined(texts: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return np.frombuffer(b"".join(texts), np.uint8), offsets


def _packed(arrays: tuple[Any, ...], start: int) -> LeafTables:
    ends, low, high, target, flags, words = (array.astype(np.int32) for array in arrays)
    return LeafTables(ends, low, high, target, flags, words, start)
