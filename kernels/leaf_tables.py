"""Numba construction of the tables in which regular parts are kept: sorted byte ranges of each state, and what states
are good for.

Each function returns flat arrays: `ends`, so that state s has the ranges ends[s - 1] : ends[s] (from 0 for the first);
`low`, `high`, `target` of the ranges; `flags`, bit 0 for accepting and from bit 1 on those of
`slipform.kernels.plain_text`; `words`, as `slipform.kernels.leaf_words` counts them.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.leaf_words import count_words
from slipform.kernels.plain_text import plain_flags

Int = Any


@njit(cache=True, nogil=True)
def leaf_of_classes(byte_class: Any, table: Any, accepting: Any, limit: Int) -> Any:
    """The tables of an automaton.

    Args:
        byte_class: (256,) uint8; table: (n, k) int32, -1 for no successor; accepting: (n,) bool. Trim.
        limit: what words are counted up to.
    """
    count = len(table)
    runs = np.empty(257, np.int64)
    num_runs = 0
    for byte in range(256):
        if byte == 0 or byte_class[byte] != byte_class[byte - 1]:
            runs[num_runs] = byte
            num_runs += 1
    runs[num_runs] = 256
    num_ranges = 0
    for state in range(count):
        previous = np.int32(-1)
        for run in range(num_runs):
            following = table[state, byte_class[runs[run]]]
            num_ranges += following >= 0 and following != previous
            previous = following
    ends = np.empty(count + 1, np.int64)
    low = np.empty(num_ranges, np.int64)
    high = np.empty(num_ranges, np.int64)
    target = np.empty(num_ranges, np.int64)
    at = 0
    for state in range(count):
        ends[state] = at
        previous = np.int32(-1)
        for run in range(num_runs):
            following = table[state, byte_class[runs[run]]]
            if following >= 0:
                if following != previous:
                    low[at] = runs[run]
                    target[at] = following
                    at += 1
                high[at - 1] = runs[run + 1] - 1
            previous = following
    ends[count] = at
    return _finished(ends, low, high, target, accepting, limit)


@njit(cache=True, nogil=True)
def leaf_of_texts(text: Any, offsets: Any, limit: Int) -> Any:
    """The tables of the trie of sorted distinct texts, text[offsets[i] : offsets[i + 1]]; state 0 is its root.

    Args:
        text: uint8; offsets: int64; limit: what words are counted up to.
    """
    source, byte, accepting = _trie(text, offsets)
    count = len(accepting)
    ends = np.zeros(count + 1, np.int64)
    for edge in range(count - 1):
        ends[source[edge] + 1] += 1
    for state in range(count):
        ends[state + 1] += ends[state]
    low = np.empty(count - 1, np.int64)
    target = np.empty(count - 1, np.int64)
    filled = ends[:-1].copy()
    for edge in range(count - 1):  # edge e leads to state e + 1; those of one state come in ascending order of bytes
        at = filled[source[edge]]
        filled[source[edge]] += 1
        low[at] = byte[edge]
        target[at] = edge + 1
    return _finished(ends, low, low, target, accepting, limit)


@njit(cache=True, nogil=True)
def leaf_of_other_texts(
    text: Any, offsets: Any, base_ends: Any, base_low: Any, base_high: Any, base_target: Any, open_: Int, end_byte: Int
) -> Any:
    """(ends, low, high, target) of the states that are put behind those of a base automaton, so that it accepts only
    what begins with none of the given texts and `end_byte`. The first of them takes the place of its state `open_`.

    Args:
        text, offsets: sorted distinct texts, as in `leaf_of_texts`. Each of their bytes leads from `open_` to itself.
        base_ends, base_low, base_high, base_target: the base's own tables.
    """
    source, byte, accepting = _trie(text, offsets)
    count = len(accepting)
    first_child = np.full(count, -1, np.int64)
    next_child = np.full(count, -1, np.int64)
    for edge in range(count - 2, -1, -1):  # so that the children of a state come in ascending order of bytes
        next_child[edge + 1] = first_child[source[edge]]
        first_child[source[edge]] = edge + 1
    num_base = len(base_ends)
    begin = base_ends[open_ - 1] if open_ > 0 else 0
    width = base_ends[open_] - begin
    room = count * width + 2 * (count - 1) + count
    ends = np.empty(count, np.int64)
    low = np.empty(room, np.int64)
    high = np.empty(room, np.int64)
    target = np.empty(room, np.int64)
    at = 0
    for state in range(count):
        child = first_child[state]
        for k in range(begin, begin + width):
            next_low = base_low[k]
            while next_low <= base_high[k]:
                stop = base_high[k] + 1  # bytes from next_low up to here, exclusive, lead where the base says
                if child >= 0 and byte[child - 1] <= base_high[k]:
                    stop = byte[child - 1]
                if accepting[state] and next_low <= end_byte < stop:
                    stop = end_byte
                if next_low < stop:
                    low[at], high[at], target[at] = next_low, stop - 1, base_target[k]
                    at += 1
                next_low = stop
                if child >= 0 and next_low == byte[child - 1]:
                    low[at], high[at], target[at] = next_low, next_low, num_base + child
                    at += 1
                    next_low += 1
                    child = next_child[child]
                elif accepting[state] and next_low == end_byte:
                    next_low += 1
        ends[state] = at
    return ends, low[:at], high[:at], target[:at]


@njit(cache=True, nogil=True)
def _trie(text: Any, offsets: Any) -> Any:
    """(source, byte) of each edge of a trie, in the order of the texts, and which states accept."""
    room = len(text) + 1
    source = np.empty(room, np.int64)
    byte = np.empty(room, np.int64)
    accepting = np.zeros(room + 1, np.bool_)
    path = np.zeros(room + 1, np.int64)
    size = 1
    for index in range(len(offsets) - 1):
        begin, end = offsets[index], offsets[index + 1]
        common = 0
        if index > 0:
            before = offsets[index - 1]
            while common < min(begin - before, end - begin) and text[before + common] == text[begin + common]:
                common += 1
        for depth in range(common, end - begin):
            source[size - 1] = path[depth]
            byte[size - 1] = text[begin + depth]
            path[depth + 1] = size
            size += 1
        accepting[path[end - begin]] = True
    return source[: size - 1], byte[: size - 1], accepting[:size]


@njit(cache=True, nogil=True)
def _finished(first: Any, low: Any, high: Any, target: Any, accepting: Any, limit: Int) -> Any:
    flags = 2 * plain_flags(first, low, high, target, accepting).astype(np.int32) + accepting
    words = count_words(first, low, high, target, accepting, limit)
    return first[1:], low, high, target, flags, words
