"""Numba walks of a pushdown automaton over bytes, determinised on the fly.

Vocabulary of this file:

- a *program* is the tables of a grammar builder: nodes (languages) and leaf states (states of regular parts);
- a *frame* is an interned triple (parent frame, node, value): "when what is above completes, go on with `node`". The
  value is a position in a sequence, a count of a repetition, or a place in an object;
- an *item* is (leaf state, frame): one way to read the text so far. A leaf state from `LITERAL_BASE` on is a position
  in the pool of literals;
- a *configuration* is the sorted set of items after some text, interned; 0 is the dead one. Its row of 256 successors
  is filled as it is used. So in the steady state one byte costs one array access, whatever the grammar.

A successor is found in two steps, each memoised: the items' own successors by the byte are the *seeds*; the closure of
the seeds (returning from completed nodes, entering new ones) is the next configuration. It goes into the row for all
bytes on which every item behaves as on this one.

All tables are flat int32 arrays owned by the caller. Kernels receive one int64 array, `heap`: the address and length of
each table, in the order of `pushdown_tables`. A kernel that needs more room, a rule's body or an object's next state
returns a status other than OK; the caller serves the need and calls again. Everything done before stays valid.

Lazy determinisation is the method of Thompson's and Cox's matchers; stacks as hash-consed frames follow
graph-structured stacks (Tomita), without merging, since grammars here are nearly deterministic.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.pushdown_closure import close_seeds
from slipform.kernels.pushdown_tables import (
    ARGUMENT,
    CONFIG_COLUMNS,
    CONFIGS,
    DEAD,
    DEEPEST,
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
    NUM_OUT,
    NUM_ROWS,
    OK,
    OUT,
    PATH,
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
    table,
)
from slipform.kernels.unique_text import num_written, unique_frame_after


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
    rows = table(heap, ROWS)
    out = table(heap, OUT)
    at = config * CONFIG_COLUMNS
    row = configs[at + 3]
    if row < 0:
        row = registers[NUM_ROWS]
        if 256 * (row + 1) > len(rows):
            return -NEED_ROOM
        registers[NUM_ROWS] = row + 1
        configs[at + 3] = row
        for other in range(256 * row, 256 * row + 256):
            rows[other] = UNKNOWN
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
        if frame != 0 and nodes[frames[frame * FRAME_COLUMNS + 1] * NODE_COLUMNS] == UNIQUE:
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
    for other in range(256 * row + low, 256 * row + high + 1):
        rows[other] = successor
    return successor


@njit(cache=True, nogil=True)
def advance(heap: Any, config: Int, text: Any, begin: Int, end: Int) -> Int:
    """Follow text[begin:end] from `config`. Returns a status.

    RESUME_AT holds the position reached, WALKED the configuration there; the position is `end`, or that of the first
    byte that leads nowhere (then the configuration is the one before it). After a need was served, call again from
    there.
    """
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    rows = table(heap, ROWS)
    position = begin
    while position < end:
        row = configs[config * CONFIG_COLUMNS + 3]
        successor = np.int64(rows[256 * row + text[position]]) if row >= 0 else np.int64(UNKNOWN)
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
def expand(heap: Any, config: Int) -> Int:
    """Compute the whole row of `config`. Returns a status."""
    configs = table(heap, CONFIGS)
    rows = table(heap, ROWS)
    for byte in range(256):
        row = configs[config * CONFIG_COLUMNS + 3]
        if row < 0 or rows[256 * row + byte] == UNKNOWN:
            successor = find_successor(heap, config, np.int64(byte))
            if successor < 0:
                return -successor
    return OK


@njit(cache=True, nogil=True)
def walk_mask(
    heap: Any, config: Int, at: Int, trie_byte: Any, trie_depth: Any, trie_skip: Any, token_first: Any, tokens: Any,
    mask: Any,
) -> Int:  # fmt: skip
    """Set in `mask` the bit of every token that `config` can read, from trie node `at` on. Returns a status.

    Trie nodes are in depth-first order; `trie_skip[i]` is the node behind i's subtree, and the tokens that end at node
    i are tokens[token_first[i] : token_first[i + 1]]. After a need was served, call again with the RESUME_AT register.
    DEEPEST holds the greatest depth that was read.
    """
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    rows = table(heap, ROWS)
    path = table(heap, PATH)
    path[0] = config
    deepest = np.int64(0) if at == 0 else np.int64(registers[DEEPEST])
    node = at
    size = len(trie_byte)
    while node < size:
        depth = trie_depth[node]
        here = path[depth - 1]
        row = configs[here * CONFIG_COLUMNS + 3]
        successor = np.int64(rows[256 * row + trie_byte[node]]) if row >= 0 else np.int64(UNKNOWN)
        if successor < 0:
            successor = np.int64(find_successor(heap, np.int64(here), np.int64(trie_byte[node])))
            if successor < 0:
                registers[RESUME_AT] = node
                registers[DEEPEST] = deepest
                return -successor
        if successor == DEAD:
            node = trie_skip[node]
            continue
        path[depth] = successor
        deepest = max(deepest, depth)
        for k in range(token_first[node], token_first[node + 1]):
            token = tokens[k]
            mask[token >> 5] |= np.int32(1) << np.int32(token & 31)
        node += 1
    registers[DEEPEST] = deepest
    return OK


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
    rows = table(heap, ROWS)
    status = np.int64(OK)
    while count < len(text) and configs[config * CONFIG_COLUMNS + 2] == 0:
        only = _only_byte(heap, config)
        if only < 0:
            break
        row = configs[config * CONFIG_COLUMNS + 3]
        successor = np.int64(rows[256 * row + only]) if row >= 0 else np.int64(UNKNOWN)
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
