"""Numba walks of a pushdown automaton over bytes, determinised on the fly.

Vocabulary of this file:

- a *program* is the tables of a grammar builder: nodes (languages) and leaf states (states of regular parts);
- a *frame* is an interned triple (parent frame, node, value): "when what is above completes, go on with `node`". The
  value is a position in a sequence, a count of a repetition, or a place in an object;
- an *item* is (leaf state, frame): one way to read the text so far. A leaf state from `LITERAL_BASE` on is a position
  in the pool of literals;
- a *configuration* is the sorted set of items after some text, interned; 0 is the dead one. Its successors are kept as
  edges, one for a range of bytes, and in a row of 256 once there are many. So in the steady state one byte costs an
  array access or a few, whatever the grammar. Most configurations know a few edges only, and memory is what costs.

A successor is found in two steps, each memoised: the items' own successors by the byte are the *seeds*; the closure of
the seeds (returning from completed nodes, entering new ones) is the next configuration. It is kept for all bytes on
which every item behaves as on this one.

All tables are flat int32 arrays owned by the caller. Kernels receive one int64 array, `heap`: the address and length of
each table, in the order of `pushdown_tables`. A kernel that needs more room, a rule's body or an object's next state
returns a status other than OK; the caller serves the need and calls again. Everything done before stays valid.

Lazy determinisation is the method of Thompson's and Cox's matchers; stacks as hash-consed frames follow
graph-structured stacks (Tomita), without merging, since grammars here are nearly deterministic.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.bounded_text import count_after
from slipform.kernels.pushdown_closure import close_seeds
from slipform.kernels.pushdown_tables import (
    ARGUMENT,
    BOUNDED,
    CONFIG_COLUMNS,
    CONFIGS,
    DEAD,
    EDGE_COLUMNS,
    EDGES,
    EMPTY,
    FRAME_COLUMNS,
    FRAMES,
    ITEMS,
    LEAF_FIRST,
    LEAF_WORDS,
    LITERAL_BASE,
    LITERALS,
    NEED_ROOM,
    NO_TEXTS,
    NODE_COLUMNS,
    NODES,
    NUM_EDGES,
    NUM_OUT,
    NUM_ROWS,
    OK,
    OUT,
    RANGE_HIGH,
    RANGE_LOW,
    RANGE_TARGET,
    REGISTERS,
    RESUME_AT,
    ROWS,
    UNIQUE,
    UNKNOWN,
    UNKNOWN_BASE,
    WALKED,
    Int,
    push_frame,
    table,
)
from slipform.kernels.unique_text import num_written, unique_frame_after
from slipform.kernels.vocabulary_tables import TOKEN_BEGIN, TOKEN_TEXT

_MAX_EDGES = 6  # of a configuration without a row


@njit(cache=True, nogil=True)
def known_successor(heap: Any, config: Int, byte: Int) -> Int:
    """The successor of `config` by `byte`, UNKNOWN if it was not yet found."""
    configs = table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    row = configs[at + 3]
    if row >= 0:
        rows = table(heap, ROWS)
        return np.int64(rows[256 * row + byte])
    edges = table(heap, EDGES)
    edge = configs[at + 5]
    while edge >= 0:
        if edges[edge * EDGE_COLUMNS] <= byte <= edges[edge * EDGE_COLUMNS + 1]:
            return np.int64(edges[edge * EDGE_COLUMNS + 2])
        edge = edges[edge * EDGE_COLUMNS + 3]
    return np.int64(UNKNOWN)


@njit(cache=True, nogil=True)
def _keep_successor(heap: Any, config: Int, low: Int, high: Int, successor: Int) -> Int:
    """Note the successor of `config` by the bytes low..high. Returns a status."""
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    edges = table(heap, EDGES)
    rows = table(heap, ROWS)
    at = config * CONFIG_COLUMNS
    row = configs[at + 3]
    if row < 0:
        count = 0
        edge = configs[at + 5]
        while edge >= 0:
            count += 1
            edge = edges[edge * EDGE_COLUMNS + 3]
        if count < _MAX_EDGES:
            edge = registers[NUM_EDGES]
            if (edge + 1) * EDGE_COLUMNS > len(edges):
                return NEED_ROOM
            edges[edge * EDGE_COLUMNS] = low
            edges[edge * EDGE_COLUMNS + 1] = high
            edges[edge * EDGE_COLUMNS + 2] = successor
            edges[edge * EDGE_COLUMNS + 3] = configs[at + 5]
            configs[at + 5] = edge
            registers[NUM_EDGES] = edge + 1
            return OK
        row = registers[NUM_ROWS]
        if 256 * (row + 1) > len(rows):
            return NEED_ROOM
        registers[NUM_ROWS] = row + 1
        for byte in range(256 * row, 256 * row + 256):
            rows[byte] = UNKNOWN
        edge = configs[at + 5]
        while edge >= 0:
            first, last = edges[edge * EDGE_COLUMNS], edges[edge * EDGE_COLUMNS + 1]
            for byte in range(256 * row + first, 256 * row + last + 1):
                rows[byte] = edges[edge * EDGE_COLUMNS + 2]
            edge = edges[edge * EDGE_COLUMNS + 3]
        configs[at + 3] = row
    for byte in range(256 * row + low, 256 * row + high + 1):
        rows[byte] = successor
    return OK


@njit(cache=True, nogil=True)
def find_successor(heap: Any, config: Int, byte: Int) -> Int:
    """The successor of `config` by `byte`, or -status. Stored for all bytes on which the items do the same."""
    registers = table(heap, REGISTERS)
    literals = table(heap, LITERALS)
    leaf_first = table(heap, LEAF_FIRST)
    leaf_words = table(heap, LEAF_WORDS)
    range_low = table(heap, RANGE_LOW)
    range_high = table(heap, RANGE_HIGH)
    range_target = table(heap, RANGE_TARGET)
    nodes = table(heap, NODES)
    frames = table(heap, FRAMES)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    out = table(heap, OUT)
    at = config * CONFIG_COLUMNS
    first, count = configs[at], configs[at + 1]
    if 2 * count > len(out):
        registers[NUM_OUT] = count
        return -NEED_ROOM
    low, high = 0, 255  # the bytes around `byte` on which every item does the same
    seeds = np.int64(0)
    for i in range(first, first + count):
        state = items[2 * i]
        if state >= LITERAL_BASE:
            wanted = literals[state - LITERAL_BASE]
            if wanted == byte:
                low = high = byte
                target = state + 1
            elif wanted < byte:
                low = max(low, wanted + 1)
                continue
            else:
                high = min(high, wanted - 1)
                continue
        else:
            k, end = leaf_first[state], leaf_first[state + 1]
            while k < end and range_high[k] < byte:
                low = max(low, range_high[k] + 1)
                k += 1
            if k == end:
                continue
            if range_low[k] > byte:
                high = min(high, range_low[k] - 1)
                continue
            low = max(low, range_low[k])
            high = min(high, range_high[k])
            target = range_target[k]
        frame = np.int64(items[2 * i + 1])
        kind = nodes[frames[frame * FRAME_COLUMNS + 1] * NODE_COLUMNS] if frame != 0 else EMPTY
        if kind == BOUNDED and state < LITERAL_BASE:
            at_frame = frame * FRAME_COLUMNS
            node = np.int64(frames[at_frame + 1])
            counted = count_after(heap, node, np.int64(target), np.int64(frames[at_frame + 2]))
            if counted < 0:
                continue
            frame = np.int64(push_frame(heap, np.int64(frames[at_frame]), node, counted))
            if frame < 0:
                return -NEED_ROOM
        if kind == UNIQUE:
            value = frames[frame * FRAME_COLUMNS + 2]
            if value != NO_TEXTS and value > UNKNOWN_BASE:
                low = high = byte
            frame = unique_frame_after(heap, frame, byte)
            if frame < 0:
                return -NEED_ROOM
            if leaf_words[target] <= num_written(heap, np.int64(frames[frame * FRAME_COLUMNS + 2])):
                continue  # all texts that begin so are written
        out[2 * seeds] = target
        out[2 * seeds + 1] = frame
        seeds += 1
    successor = np.int64(DEAD)
    if seeds:
        status = close_seeds(heap, seeds)
        if status != OK:
            return -status
        successor = np.int64(registers[ARGUMENT])
    status = _keep_successor(heap, config, np.int64(low), np.int64(high), successor)
    return successor if status == OK else -status


@njit(cache=True, nogil=True)
def advance(heap: Any, config: Int, text: Any, begin: Int, end: Int) -> Int:
    """Follow text[begin:end] from `config`. Returns a status.

    RESUME_AT holds the position reached, WALKED the configuration there; the position is `end`, or that of the first
    byte that leads nowhere (then the configuration is the one before it). After a need was served, call again from
    there.
    """
    registers = table(heap, REGISTERS)
    position = begin
    while position < end:
        successor = known_successor(heap, config, np.int64(text[position]))
        if successor < 0:
            successor = np.int64(find_successor(heap, config, np.int64(text[position])))
            if successor < 0:
                registers[RESUME_AT] = position
                registers[WALKED] = config
                return -successor
        if successor == DEAD:
            break
        config = successor
        position += 1
    registers[RESUME_AT] = position
    registers[WALKED] = config
    return OK


@njit(cache=True, nogil=True)
def successor_range(heap: Any, config: Int, byte: Int) -> Any:
    """(successor of `config` by `byte`, last byte up to which it is the same for sure); -status after a need."""
    successor = known_successor(heap, config, byte)
    if successor == UNKNOWN:
        successor = np.int64(find_successor(heap, config, byte))
    last = np.int64(byte)
    configs = table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    if successor >= 0 and configs[at + 3] < 0:
        edges = table(heap, EDGES)
        edge = configs[at + 5]
        while not edges[edge * EDGE_COLUMNS] <= byte <= edges[edge * EDGE_COLUMNS + 1]:
            edge = edges[edge * EDGE_COLUMNS + 3]
        last = np.int64(edges[edge * EDGE_COLUMNS + 1])
    return successor, last


@njit(cache=True, nogil=True)
def expand(heap: Any, config: Int, out: Any) -> Int:
    """Write the successors of `config` by all 256 bytes to `out`. Returns a status."""
    byte = np.int64(0)
    while byte < 256:
        successor, last = successor_range(heap, config, byte)
        if successor < 0:
            return -successor
        for other in range(byte, last + 1):
            out[other] = successor
        byte = last + 1
    return OK


@njit(cache=True, nogil=True)
def advance_token(heap: Any, vocabulary: Any, config: Int, token: Int) -> Int:
    """The configuration behind a token, DEAD if it cannot be read or spells nothing; -status after a need."""
    registers = table(heap, REGISTERS)
    text_begin = table(vocabulary, TOKEN_BEGIN)
    begin, end = np.int64(text_begin[token]), np.int64(text_begin[token + 1])
    if begin == end:
        return np.int64(DEAD)
    status = advance(heap, config, table(vocabulary, TOKEN_TEXT), begin, end)
    if status != OK:
        return -status
    return np.int64(registers[WALKED]) if registers[RESUME_AT] == end else np.int64(DEAD)


@njit(cache=True, nogil=True)
def _only_byte(heap: Any, config: Int) -> Int:
    """The one byte that can follow, or -1 if there are several or none."""
    literals = table(heap, LITERALS)
    leaf_first = table(heap, LEAF_FIRST)
    range_low = table(heap, RANGE_LOW)
    range_high = table(heap, RANGE_HIGH)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    first, count = configs[config * CONFIG_COLUMNS], configs[config * CONFIG_COLUMNS + 1]
    only = -1
    for i in range(first, first + count):
        state = items[2 * i]
        if state >= LITERAL_BASE:
            low = literals[state - LITERAL_BASE]
        else:
            k = leaf_first[state]
            low = range_low[k]
            if leaf_first[state + 1] != k + 1 or range_high[k] != low:
                return -1
        if only >= 0 and low != only:
            return -1
        only = low
    return only


@njit(cache=True, nogil=True)
def forced_bytes(heap: Any, config: Int, text: Any, count: Int) -> Int:
    """Follow `config` while it is not accepting and only one byte can follow; the bytes go to text[count:].

    Returns a status; WALKED holds the configuration reached and RESUME_AT the number of bytes in `text`. Call again
    with both after a need was served, and with a larger `text` when it is full.
    """
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    status = np.int64(OK)
    while count < len(text) and configs[config * CONFIG_COLUMNS + 2] == 0:
        only = _only_byte(heap, config)
        if only < 0:
            break
        successor = known_successor(heap, config, np.int64(only))
        if successor < 0:
            successor = np.int64(find_successor(heap, config, np.int64(only)))
            if successor < 0:
                status = -successor
                break
        text[count] = only
        count += 1
        config = successor
    registers[WALKED] = config
    registers[RESUME_AT] = count
    return status
