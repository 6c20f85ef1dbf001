"""Numba helpers for *plain* characters: all of UTF-8 but the quote, the backslash and controls below U+0020.

These are what may stand unescaped inside a JSON string, so most tokens consist of nothing else. A state of an automaton
that goes on after any plain character lets through all these tokens at once.
"""

from typing import Any

import numpy as np
from numba import njit

Int = Any

# Byte sequences of plain characters: lead range, then ranges of the bytes that must follow (Unicode, table 3-7).
# Columns: low, high of each of four bytes; -1 ends a shorter sequence.
SEQUENCES = np.array(
    [
        [0x20, 0x21, -1, -1, -1, -1, -1, -1],
        [0x23, 0x5B, -1, -1, -1, -1, -1, -1],
        [0x5D, 0x7F, -1, -1, -1, -1, -1, -1],
        [0xC2, 0xDF, 0x80, 0xBF, -1, -1, -1, -1],
        [0xE0, 0xE0, 0xA0, 0xBF, 0x80, 0xBF, -1, -1],
        [0xE1, 0xEC, 0x80, 0xBF, 0x80, 0xBF, -1, -1],
        [0xED, 0xED, 0x80, 0x9F, 0x80, 0xBF, -1, -1],
        [0xEE, 0xEF, 0x80, 0xBF, 0x80, 0xBF, -1, -1],
        [0xF0, 0xF0, 0x90, 0xBF, 0x80, 0xBF, 0x80, 0xBF],
        [0xF1, 0xF3, 0x80, 0xBF, 0x80, 0xBF, 0x80, 0xBF],
        [0xF4, 0xF4, 0x80, 0x8F, 0x80, 0xBF, 0x80, 0xBF],
    ],
    np.int32,
)

_MAX_BRANCHES = 32

GOES_ON = 1  # flag of a state: after any plain character it is in a state with this flag again
COMPLETES = 2  # flag of a state: after any plain character it is in an accepting state
LOOPS = 4  # flag of a state that does not accept: after any plain character it is in itself again


@njit(cache=True, nogil=True)
def is_plain_lead(byte: Int) -> Any:
    """Whether a plain character can begin with `byte`."""
    return (0x20 <= byte < 0x80 and byte != 0x22 and byte != 0x5C) or 0xC2 <= byte <= 0xF4


@njit(cache=True, nogil=True)
def _leads_to(first: Any, low: Any, high: Any, target: Any, state: Int, good: Any) -> Any:
    """Whether every plain character leads from `state` to a good state; False too if they branch too much."""
    here = np.empty(_MAX_BRANCHES, np.int64)
    after = np.empty(_MAX_BRANCHES, np.int64)
    for row in range(len(SEQUENCES)):
        here[0] = state
        size = 1
        level = 0
        while level < 4 and SEQUENCES[row, 2 * level] >= 0:
            is_last = level == 3 or SEQUENCES[row, 2 * level + 2] < 0
            num_after = 0
            for i in range(size):
                wanted, end = np.int64(SEQUENCES[row, 2 * level]), np.int64(SEQUENCES[row, 2 * level + 1])
                for k in range(first[here[i]], first[here[i] + 1]):
                    if high[k] < wanted or wanted > end:
                        continue
                    if low[k] > wanted or (is_last and not good[target[k]]):
                        return False
                    wanted = high[k] + 1
                    known = is_last
                    for j in range(num_after):
                        known = known or after[j] == target[k]
                    if not known:
                        if num_after == _MAX_BRANCHES:
                            return False
                        after[num_after] = target[k]
                        num_after += 1
                if wanted <= end:
                    return False
            here, after = after, here
            size = num_after
            level += 1
    return True


@njit(cache=True, nogil=True)
def plain_flags(first: Any, low: Any, high: Any, target: Any, accepting: Any) -> Any:
    """(n,) uint8: GOES_ON, COMPLETES and LOOPS flags of an automaton's states, which has sorted byte ranges per state.

    GOES_ON is the greatest fixed point: states that fail are struck out until none does. They are tried from the last
    one on, since states lead forward more often than back.
    """
    count = len(accepting)
    flags = np.zeros(count, np.uint8)
    good = np.ones(count, np.bool_)
    lost = True
    while lost:
        lost = False
        for state in range(count - 1, -1, -1):
            if good[state] and not _leads_to(first, low, high, target, state, good):
                good[state] = False
                lost = True
    itself = np.zeros(count, np.bool_)
    for state in range(count):
        flags[state] = GOES_ON * good[state]
        if _leads_to(first, low, high, target, state, accepting):
            flags[state] += COMPLETES
        if good[state] and not accepting[state]:
            itself[state] = True
            if _leads_to(first, low, high, target, state, itself):
                flags[state] += LOOPS
            itself[state] = False
    return flags


@njit(cache=True, nogil=True)
def count_plain_characters(text: Any, offsets: Any) -> Any:
    """(n,) int32: how many plain characters string i = text[offsets[i] : offsets[i + 1]] has, an unfinished last one
    counted; 0 if it holds anything else, or nothing."""
    count = len(offsets) - 1
    result = np.zeros(count, np.int32)
    for i in range(count):
        position, end = offsets[i], offsets[i + 1]
        characters = 0
        while position < end:
            found = False
            for row in range(len(SEQUENCES)):
                if SEQUENCES[row, 0] <= text[position] <= SEQUENCES[row, 1]:
                    found = True
                    break
            if not found:
                break
            level = 0
            while level < 4 and position < end and SEQUENCES[row, 2 * level] >= 0:
                if not SEQUENCES[row, 2 * level] <= text[position] <= SEQUENCES[row, 2 * level + 1]:
                    found = False
                    break
                position += 1
                level += 1
            if not found:
                break
            characters += 1
        if position == end:
            result[i] = characters
    return result
