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

All tables are flat int32 arrays owned by the caller, in one heap (see `slipform.kernels.int32_tables`), in the order of
`pushdown_tables`. A kernel that needs more room, a rule's body or an object's next state
returns a status other than OK; the caller serves the need and calls again. Everything done before stays valid.

Lazy determinisation is the method of Thompson's and Cox's matchers; stacks as hash-consed frames follow
graph-structured stacks (Tomita), without merging, since grammars here are nearly deterministic.
"""

from typing import Any

import numpy as np

from slipform.kernels.int32_tables import Int, address_in, inner, kernel, quick, table, table_at
from slipform.kernels.pushdown_steps import close, find_successor
from slipform.kernels.pushdown_tables import (
    CONFIG_COLUMNS,
    CONFIGS,
    DEAD,
    EDGE_COLUMNS,
    EDGES,
    IN_USE,
    ITEMS,
    LEAF_FIRST,
    LITERAL_BASE,
    LITERALS,
    NEED_LOCK,
    OK,
    RANGE_HIGH,
    RANGE_LOW,
    REGISTERS,
    RESUME_AT,
    ROWS,
    UNKNOWN,
    VOCABULARY,
    WALKED,
)
from slipform.kernels.vocabulary_tables import TOKEN_BEGIN, TOKEN_TEXT


@inner
def known_successor(heap: Any, config: Int, byte: Int) -> Int:
    """The successor of `config` by `byte`, UNKNOWN if it was not yet found."""
    configs = table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    row = configs[at + 3]
    if row >= 0:
        rows = table(heap, ROWS)
        return rows[256 * row + byte]
    edges = table(heap, EDGES)
    edge = configs[at + 5]
    while edge >= 0:
        if edges[edge * EDGE_COLUMNS] <= byte <= edges[edge * EDGE_COLUMNS + 1]:
            return edges[edge * EDGE_COLUMNS + 2]
        edge = edges[edge * EDGE_COLUMNS + 3]
    return UNKNOWN


@inner
def _follow(heap: Any, config: Int, text: Any, begin: Int, end: Int) -> Int:
    """`advance` through a table."""
    registers = table(heap, REGISTERS)
    position = begin
    while position < end:
        successor = known_successor(heap, config, text[position])
        if successor < 0:
            successor = find_successor(heap, config, text[position])
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


@kernel
def advance(heap: Any, config: Int, text: Int, begin: Int, end: Int) -> Int:
    """Follow text[begin:end] from `config`; `text` is the address of int32 bytes. Returns a status.

    RESUME_AT holds the position reached, WALKED the configuration there; the position is `end`, or that of the first
    byte that leads nowhere (then the configuration is the one before it). After a need was served, call again from
    there.
    """
    return _follow(heap, config, table_at(text, end), begin, end)


@kernel
def start_config(heap: Any, root: Int) -> Int:
    """The configuration before any byte of node `root`, or -status."""
    return close(heap, root, 0)


@inner
def successor_range(heap: Any, config: Int, byte: Int) -> Any:
    """(successor of `config` by `byte`, last byte up to which it is the same for sure); -status after a need."""
    successor = known_successor(heap, config, byte)
    if successor == UNKNOWN:
        successor = find_successor(heap, config, byte)
    last = byte
    configs = table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    if successor >= 0 and configs[at + 3] < 0:
        edges = table(heap, EDGES)
        edge = configs[at + 5]
        while not edges[edge * EDGE_COLUMNS] <= byte <= edges[edge * EDGE_COLUMNS + 1]:
            edge = edges[edge * EDGE_COLUMNS + 3]
        last = edges[edge * EDGE_COLUMNS + 1]
    return successor, last


@kernel
def expand(heap: Any, config: Int, address: Int) -> Int:
    """Write the successors of `config` by all 256 bytes to the int32 array at `address`. Returns a status."""
    out = table_at(address, 256)
    byte = np.int64(0)
    while byte < 256:
        successor, last = successor_range(heap, config, byte)
        if successor < 0:
            return -successor
        for other in range(byte, last + 1):
            out[other] = successor
        byte = last + 1
    return OK


@inner
def token_successor(heap: Any, config: Int, token: Int) -> Int:
    """The configuration behind a token, DEAD if there is no such token or it cannot be read; -status after a need."""
    registers = table(heap, REGISTERS)
    vocabulary = address_in(heap, VOCABULARY)
    text_begin = table(vocabulary, TOKEN_BEGIN)
    if config <= DEAD or token < 0 or token + 1 >= len(text_begin):
        return DEAD
    begin, end = text_begin[token], text_begin[token + 1]
    if begin == end:
        return DEAD
    status = _follow(heap, config, table(vocabulary, TOKEN_TEXT), begin, end)
    if status != OK:
        return -status
    return registers[WALKED] if registers[RESUME_AT] == end else DEAD


@quick
def advance_token(heap: Any, config: Int, token: Int, holds_lock: Int) -> Int:
    """The configuration behind a token, DEAD if there is no such token or it cannot be read; -status after a need."""
    if not holds_lock and table(heap, REGISTERS)[IN_USE]:
        return -NEED_LOCK
    return token_successor(heap, config, token)


@inner
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


@kernel
def forced_bytes(heap: Any, config: Int, address: Int, length: Int, count: Int) -> Int:
    """Follow `config` while it is not accepting and only one byte can follow; the bytes go to text[count:length], an
    int32 array at `address`.

    Returns a status; WALKED holds the configuration reached and RESUME_AT the number of bytes in `text`. Call again
    with both after a need was served, and with a larger `text` when it is full.
    """
    text = table_at(address, length)
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    status = OK
    while count < len(text) and configs[config * CONFIG_COLUMNS + 2] == 0:
        only = _only_byte(heap, config)
        if only < 0:
            break
        successor = known_successor(heap, config, only)
        if successor < 0:
            successor = find_successor(heap, config, only)
            if successor < 0:
                status = -successor
                break
        text[count] = only
        count += 1
        config = successor
    registers[WALKED] = config
    registers[RESUME_AT] = count
    return status
