"""Automata of texts to automata of JSON strings that stand for them.

A JSON string spells each character in one of several ways: as it is, by a short escape, by `\\uXXXX`, or by two of
these for a surrogate pair. `json_string_body` gives what may stand between the quotes so that the decoded text is
accepted.

UTF-8 cuts a code point into groups of six bits and hexadecimal digits into groups of four. After the digits h1 h2 of
`\\uXXXX` the automaton knows its state behind the first byte and four of the six bits of the second; after h3 it knows
the state behind the second byte and two bits of the third. So rows of sixteen targets, shared wherever they are equal,
spell all escapes at a cost that grows with the states of the automaton, not with the code points.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numba import njit

from slipform.errors import GrammarTooLarge
from slipform.grammars.dfa import MAX_STATES, Dfa
from slipform.grammars.dfa_kernels import distances
from slipform.grammars.dfa_minimise import grown

Array = np.ndarray[Any, Any]

Escapes = Literal["all", "raw", "ascii", "usual"]

_SHORT: Final = {'"': 0x22, "\\": 0x5C, "/": 0x2F, "b": 0x08, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09}
_SHORT_LETTERS: Final = np.array([ord(letter) for letter in _SHORT], np.int32)
_SHORT_MEANINGS: Final = np.array(list(_SHORT.values()), np.int32)
_SOLIDUS: Final = 2


@dataclass(frozen=True, slots=True)
class _Spelling:
    """What one value of `Escapes` allows.

    Attributes:
        raw: (256,) bool; bytes that may stand for themselves.
        short: (8,) bool; which of `_SHORT`.
        numbered: (128,) bool; ASCII characters that may be written `\\u00XX`; `wide`: and all others so.
        capitals: hexadecimal digits may be capitals.
    """

    raw: Array
    short: Array
    numbered: Array
    wide: bool
    capitals: bool


@lru_cache(maxsize=4)
def _spelling(escapes: Escapes) -> _Spelling:
    raw = np.ones(256, np.bool_)
    raw[:0x20] = False
    raw[[0x22, 0x5C]] = False
    short = np.ones(len(_SHORT), np.bool_)
    numbered = np.ones(128, np.bool_)
    if escapes != "all":
        # One escape for each character: the short one where there is one.
        numbered[0x20:] = False
        numbered[_SHORT_MEANINGS] = False
        short[_SOLIDUS] = False
        numbered[0x7F] = escapes != "raw"
    if escapes == "ascii":
        raw[0x7F:] = False
    return _Spelling(raw, short, numbered, escapes != "raw", escapes in ("all", "usual"))


@lru_cache(maxsize=512)
def json_string_body(dfa: Dfa, escapes: Escapes = "all", *, max_states: int = MAX_STATES) -> Dfa:
    """What may stand between the quotes of a JSON string whose decoded text `dfa` accepts.

    Args:
        dfa: a language of valid UTF-8 texts.
        escapes: which spellings of a text are legal. "all": every one that RFC 8259 allows (surrogates only in pairs).
            "raw": exactly one: UTF-8 as it is, short escapes for `"`, `\\` and \\b \\f \\n \\r \\t, `\\u00xx` for other
            controls. "ascii": exactly one, as `json.dumps(..., ensure_ascii=True)` writes it. "usual": "raw" and
            "ascii" mixed at will, with hexadecimal digits in either case.

    Raises: GrammarTooLarge.
    """
    return Dfa(*_spelled(dfa, escapes, max_states))


@dataclass(frozen=True, eq=False)
class CharacterDfa:
    """An automaton of JSON string bodies, not minimised: each of its states knows whether a character ends there.

    Attributes:
        byte_class, table, accepting, start: as in `slipform.grammars.leaf_tables.ByteDfa`; trim.
        ends: (n,) bool.
    """

    byte_class: Array
    table: Array
    accepting: Array
    ends: Array
    start: int = 0


@lru_cache(maxsize=64)
def json_characters(dfa: Dfa, escapes: Escapes = "all", *, max_states: int = MAX_STATES) -> CharacterDfa:
    """As `json_string_body`, of a language that is not empty, with the ends of characters. Raises: GrammarTooLarge."""
    byte_class, table, accepting = _spelled(dfa, escapes, max_states)
    ends = np.zeros(len(table), np.bool_)
    # Inside a character only bytes from 0x80 to 0xBF follow, and some always do.
    continuing = (dfa.table[:, dfa.byte_class[0x80:0xC0]] >= 0).any(axis=1)
    ends[: dfa.num_states] = ~continuing
    alive = distances(table, accepting) >= 0
    numbers = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
    kept = np.where(table >= 0, numbers[table], -1)[alive]
    return CharacterDfa(byte_class, kept, accepting[alive], ends[alive])


def _spelled(dfa: Dfa, escapes: Escapes, max_states: int) -> tuple[Array, Array, Array]:
    """Byte classes, table and accepting states of `json_string_body`; the states of `dfa` come first."""
    spelling = _spelling(escapes)
    byte_class, table, complete = _json_table(
        dfa.byte_class,
        dfa.table,
        spelling.raw,
        _SHORT_LETTERS,
        _SHORT_MEANINGS,
        spelling.short,
        spelling.numbered,
        spelling.wide,
        spelling.capitals,
        max_states,
    )
    if not complete:
        raise GrammarTooLarge("states", max_states)
    accepting = np.zeros(len(table), np.bool_)
    accepting[: dfa.num_states] = dfa.accepting
    return byte_class, table, accepting


@njit(cache=True, nogil=True)
def _interned(row: Array, rows: Array, count: Array, slots: Array) -> int:
    """The index of this row of 16 targets in `rows`, appended if new; -1 if all are dead. There must be room."""
    alive = False
    for h in range(16):
        alive = alive or row[h] != -1
    if not alive:
        return -1
    size = slots.shape[0]
    slot = _slot(row, size)
    while slots[slot] >= 0:
        other = slots[slot]
        same = True
        for h in range(16):
            if rows[other, h] != row[h]:
                same = False
                break
        if same:
            return int(other)
        slot = (slot + 1) & (size - 1)
    for h in range(16):
        rows[count[0], h] = row[h]
    slots[slot] = count[0]
    count[0] += 1
    return int(count[0]) - 1


@njit(cache=True, nogil=True)
def _json_table(
    byte_class: Array,
    table: Array,
    raw: Array,
    short_letters: Array,
    short_meanings: Array,
    short: Array,
    numbered: Array,
    wide: bool,
    capitals: bool,
    max_states: int,
) -> tuple[Array, Array, bool]:
    n = table.shape[0]
    boundary = np.zeros(n, np.bool_)
    boundaries = 0
    for q in range(n):
        for byte in range(256):
            if (byte < 0x80 or byte >= 0xC0) and table[q, byte_class[byte]] >= 0:
                boundary[q] = True
                boundaries += 1
                break

    # Targets: below n states of `dfa`, n + r the row r of sixteen targets, -1 dead, below that pairs (see below).
    room = 256
    rows = np.empty((room, 16), np.int32)
    slots = np.full(4 * room, -1, np.int32)
    count = np.zeros(1, np.int64)
    row = np.empty(16, np.int32)
    unknown = -2
    third = np.full((n, 4), unknown, np.int32)  # behind the byte before the last and two of its six bits
    second = np.full((n, 16), unknown, np.int32)  # behind the first of three bytes and four bits of the second
    first = np.full(n, unknown, np.int32)  # behind the first of three bytes
    pair = np.full((n, 4), unknown, np.int32)  # behind a high surrogate: after two of four bytes, two bits of the third
    # A pair's first half is followed by "\u": two states each, which lead to a row.
    pair_rows = np.empty(64, np.int32)
    pairs = 0
    after_u = np.full(n, -1, np.int32)
    surrogate_row = np.empty(16, np.int32)
    surrogate_row[:] = -1
    known_leads = np.full(5, unknown, np.int32)

    for q in range(n):
        if not boundary[q]:
            continue
        # At most this many rows are added for one q: a bound on the sum of the loops below.
        needed = count[0] + 1024 + 8 * 64
        if n + needed + 2 * pairs > 4 * max_states:
            return byte_class, table, False
        if 2 * needed > room:
            room = 4 * needed
            bigger = np.empty((room, 16), np.int32)
            for r in range(count[0]):
                for h in range(16):
                    bigger[r, h] = rows[r, h]
            rows = bigger
            slots = np.full(_power(4 * room), -1, np.int32)
            for r in range(count[0]):
                _rehash(r, rows, slots)

        digit_rows = np.full(16, -1, np.int32)
        # One and two bytes, and three whose first hexadecimal digit is 0.
        zero = np.full(16, -1, np.int32)
        for h2 in range(16):
            if h2 >= 8:
                if wide:
                    p = table[q, byte_class[0xE0]]
                    if p >= 0:
                        zero[h2] = _second(p, h2, byte_class, table, n, third, second, row, rows, count, slots)
                continue
            inner = np.full(16, -1, np.int32)
            for h3 in range(16):
                if h2 == 0 and h3 < 8:
                    for h4 in range(16):
                        code = 16 * h3 + h4
                        row[h4] = table[q, byte_class[code]] if numbered[code] else np.int32(-1)
                    found = _interned(row, rows, count, slots)
                    inner[h3] = n + found if found >= 0 else -1
                elif wide:
                    p = table[q, byte_class[0xC0 | h2 << 2 | h3 >> 2]]
                    if p >= 0:
                        inner[h3] = _third(p, h3 & 3, byte_class, table, n, third, row, rows, count, slots)
            found = _interned(inner, rows, count, slots)
            zero[h2] = n + found if found >= 0 else -1
        found = _interned(zero, rows, count, slots)
        digit_rows[0] = n + found if found >= 0 else -1
        if wide:
            for h1 in range(1, 16):
                p = table[q, byte_class[0xE0 | h1]]
                if h1 == 0xD or p < 0:
                    continue
                if first[p] == unknown:
                    outer = np.full(16, -1, np.int32)
                    for h2 in range(16):
                        outer[h2] = _second(p, h2, byte_class, table, n, third, second, row, rows, count, slots)
                    found = _interned(outer, rows, count, slots)
                    first[p] = n + found if found >= 0 else -1
                digit_rows[h1] = first[p]
            # Surrogates: the rows for the first halves depend on the states behind F0 to F4 only.
            same = True
            for lead in range(5):
                p = table[q, byte_class[0xF0 + lead]]
                same = same and known_leads[lead] == p
                known_leads[lead] = p
            if not same:
                surrogate_row[:] = -1
                for high in range(4):
                    middle = np.full(16, -1, np.int32)
                    for h3 in range(16):
                        last = np.full(16, -1, np.int32)
                        for h4 in range(16):
                            bits = 0x40 + (high << 8 | h3 << 4 | h4)
                            p = known_leads[bits >> 8]  # the lead byte is 0xF0 + (bits >> 8)
                            if p >= 0:
                                p = table[p, byte_class[0x80 | (bits >> 2) & 0x3F]]
                            if p < 0:
                                continue
                            if pair[p, bits & 3] == unknown:
                                target = _low_half(p, bits & 3, byte_class, table, n, third, row, rows, count, slots)
                                if target >= 0:
                                    pair_rows = grown(pair_rows, pairs + 1)
                                    pair_rows[pairs] = target
                                    # Numbered from -3 downwards until the number of rows is known.
                                    pair[p, bits & 3] = -3 - pairs
                                    pairs += 1
                                else:
                                    pair[p, bits & 3] = -1
                            last[h4] = pair[p, bits & 3]
                        found = _interned(last, rows, count, slots)
                        middle[h3] = n + found if found >= 0 else -1
                    found = _interned(middle, rows, count, slots)
                    surrogate_row[8 + high] = n + found if found >= 0 else -1
            p = table[q, byte_class[0xED]]
            outer = np.full(16, -1, np.int32)
            for h2 in range(8, 12):
                outer[h2] = surrogate_row[h2]
            if p >= 0:
                for h2 in range(8):
                    outer[h2] = _second(p, h2, byte_class, table, n, third, second, row, rows, count, slots)
            found = _interned(outer, rows, count, slots)
            digit_rows[0xD] = n + found if found >= 0 else -1
        found = _interned(digit_rows, rows, count, slots)
        after_u[q] = n + found if found >= 0 else -1

    # Layout: states of `dfa`, rows, two states a pair, one state for "\" behind each boundary state.
    num_rows = count[0]
    first_pair = n + num_rows
    first_escape = first_pair + 2 * pairs
    total = first_escape + boundaries
    special = np.zeros(256, np.int32)
    mark = 1
    special[0x75] = mark
    for letter in short_letters:
        mark += 1
        special[letter] = mark
    digit_class = np.full((2, 16), -1, np.int32)
    for h in range(16):
        low = 0x30 + h if h < 10 else 0x57 + h
        high = 0x30 + h if h < 10 else 0x37 + h
        for byte in (low, high):
            if special[byte] == 0:
                mark += 1
                special[byte] = mark
    joint = np.empty(256, np.uint8)
    byte_of_class = np.empty(256, np.int32)
    seen = np.full((256, mark + 1, 2), -1, np.int32)
    k = 0
    for byte in range(256):
        plain = 1 if raw[byte] else 0
        if seen[byte_class[byte], special[byte], plain] < 0:
            seen[byte_class[byte], special[byte], plain] = k
            byte_of_class[k] = byte
            k += 1
        joint[byte] = seen[byte_class[byte], special[byte], plain]
    for h in range(16):
        digit_class[0, h] = joint[0x30 + h if h < 10 else 0x57 + h]
        digit_class[1, h] = joint[0x30 + h if h < 10 else 0x37 + h]
    backslash = joint[0x5C]
    result = np.full((total, k), -1, np.int32)
    escape = first_escape
    for q in range(n):
        for c in range(k):
            byte = byte_of_class[c]
            if raw[byte]:
                result[q, c] = table[q, byte_class[byte]]
        if boundary[q]:
            result[q, backslash] = escape
            for i in range(short_letters.shape[0]):
                if short[i]:
                    result[escape, joint[short_letters[i]]] = table[q, byte_class[short_meanings[i]]]
            result[escape, joint[0x75]] = after_u[q]
            escape += 1
    for r in range(num_rows):
        for h in range(16):
            target = rows[r, h]
            if target <= -3:
                target = first_pair + 2 * (-3 - target)
            result[n + r, digit_class[0, h]] = target
            if capitals:
                result[n + r, digit_class[1, h]] = target
    for i in range(pairs):
        result[first_pair + 2 * i, backslash] = first_pair + 2 * i + 1
        result[first_pair + 2 * i + 1, joint[0x75]] = pair_rows[i]
    return joint, result, True


@njit(cache=True, nogil=True)
def _power(size: int) -> int:
    power = 1
    while power < size:
        power *= 2
    return power


@njit(cache=True, nogil=True)
def _slot(row: Array, size: int) -> int:
    """Where the search for a row begins in a table of `size` (a power of two) slots."""
    digest = 1469598103934665603
    for h in range(16):
        digest = (digest ^ row[h]) * -0x61C8864680B583EB
        digest ^= digest >> 32
    return int(digest & (size - 1))


@njit(cache=True, nogil=True)
def _rehash(r: int, rows: Array, slots: Array) -> None:
    slot = _slot(rows[r], slots.shape[0])
    while slots[slot] >= 0:
        slot = (slot + 1) & (slots.shape[0] - 1)
    slots[slot] = r


@njit(cache=True, nogil=True)
def _third(
    p: int, bits: int, byte_class: Array, table: Array, n: int, third: Array, row: Array, rows: Array, count: Array,
    slots: Array,
) -> int:  # fmt: skip
    """The state that reads the last digit when `bits` are the first two bits of the last byte, read from state p."""
    if third[p, bits] == -2:
        for h4 in range(16):
            row[h4] = table[p, byte_class[0x80 | bits << 4 | h4]]
        found = _interned(row, rows, count, slots)
        third[p, bits] = n + found if found >= 0 else -1
    return int(third[p, bits])


@njit(cache=True, nogil=True)
def _second(
    p: int, h2: int, byte_class: Array, table: Array, n: int, third: Array, second: Array, row: Array, rows: Array,
    count: Array, slots: Array,
) -> int:  # fmt: skip
    """The state that reads the third digit behind the first of three bytes (state p) and digit `h2`."""
    if second[p, h2] == -2:
        inner = np.full(16, -1, np.int32)
        for h3 in range(16):
            behind = table[p, byte_class[0x80 | h2 << 2 | h3 >> 2]]
            if behind >= 0:
                inner[h3] = _third(behind, h3 & 3, byte_class, table, n, third, row, rows, count, slots)
        found = _interned(inner, rows, count, slots)
        second[p, h2] = n + found if found >= 0 else -1
    return int(second[p, h2])


@njit(cache=True, nogil=True)
def _low_half(
    p: int, bits: int, byte_class: Array, table: Array, n: int, third: Array, row: Array, rows: Array, count: Array,
    slots: Array,
) -> int:  # fmt: skip
    """The state that reads the digits of a low surrogate, after two of four bytes (state p) and two bits."""
    outer = np.full(16, -1, np.int32)
    for high in range(4):
        inner = np.full(16, -1, np.int32)
        for h3 in range(16):
            behind = table[p, byte_class[0x80 | bits << 4 | high << 2 | h3 >> 2]]
            if behind >= 0:
                inner[h3] = _third(behind, h3 & 3, byte_class, table, n, third, row, rows, count, slots)
        found = _interned(inner, rows, count, slots)
        outer[0xC + high] = n + found if found >= 0 else -1
    found = _interned(outer, rows, count, slots)
    if found < 0:
        return -1
    row[:] = -1
    row[0xD] = n + found
    found = _interned(row, rows, count, slots)
    return n + int(found)
