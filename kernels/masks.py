"""Numba masks: which tokens a configuration admits, kept as a shared base row and the few tokens that differ from it.

A mask is MASK_COLUMNS numbers: its base (a base row of the vocabulary, or POOL_BASE - slot for a row of the pool), the
row's serial number in the pool, where its tokens begin in MASK_TOKENS, how many are added to the base and, behind them,
how many are taken away, how many tokens it allows, and a length in bytes that bounds how far a token was read.

Most positions of a JSON text are inside a string, where the mask is nearly the same everywhere: all plain tokens and
the escapes. So where a configuration has one item in (or on the way to) a state that loops over plain characters, the
base is that state's own row, computed once a vocabulary; what follows the string is found by walking the exits only,
once for each frame; and a key that must differ from others is the same but for the tokens where the two states differ.
Everything else is a walk of the trie.
"""

import functools
from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.bounded_text import free_characters
from slipform.kernels.int32_tables import (
    Int,
    address_in,
    c_function,
    call,
    copy_items,
    inner,
    kernel,
    quick,
    table,
    table_at,
)
from slipform.kernels.mask_walks import leaf_after, walk_difference, walk_exits, walk_leaf, walk_trie
from slipform.kernels.plain_text import GOES_ON, LOOPS
from slipform.kernels.pushdown_masks import config_for_mask, plain_room
from slipform.kernels.pushdown_tables import (
    ARGUMENT,
    BOUNDED,
    CONFIG_COLUMNS,
    CONFIGS,
    DEEPEST,
    EMPTY,
    FIND,
    FOUND,
    FRAME_COLUMNS,
    FRAMES,
    IN_USE,
    ITEMS,
    LEAF_BASE,
    LEAF_FLAGS,
    LITERAL_BASE,
    LOST,
    MARKS,
    MASK_COLUMNS,
    MASK_TOKENS,
    MASKS,
    NEED_BASE,
    NEED_LOCK,
    NEED_LONGER_LIST,
    NEED_MASK_TOKENS,
    NEED_POOL_ROW,
    NEED_ROOM,
    NO_BASE,
    NODE_COLUMNS,
    NODES,
    NODES_LEFT,
    NOTHING_FITS,
    NUM_FOUND,
    NUM_LOST,
    NUM_MASK_TOKENS,
    NUM_MASKS,
    OK,
    OUT,
    REGISTERS,
    RESUME_AT,
    UNFIT_ROW,
    UNIQUE,
    UNKNOWN,
    VOCABULARY,
    WALK_AT,
    WALKING,
    intern_config,
)
from slipform.kernels.vocabulary_tables import (
    ALL,
    BASE_COUNT,
    BASE_ROWS,
    EOS_TOKENS,
    LONGEST,
    LONGEST_PLAIN,
    NUM_WORDS,
    OTHERS,
    POOL_CLOCK,
    POOL_ROWS,
    POOL_SERIAL,
    POOL_USED,
    SIZES,
    TOKENS,
)

POOL_BASE = -2
ANY_NUMBER = np.int64(1 << 30)
_FEW_NODES = np.int64(1000)  # some ten microseconds
_PLAIN_BYTE = np.int64(0x7F)  # a plain character that no key and no pattern is likely to ask for


@njit(inline="always")
def _is_marked(marks: Any, token: Int) -> Any:
    return (marks[token >> 5] >> (token & 31)) & 1 == 1


@njit(inline="always")
def _mark(marks: Any, token: Int) -> None:
    marks[token >> 5] |= np.int32(1) << np.int32(token & 31)


@njit(inline="always")
def _unmark(marks: Any, token: Int) -> None:
    marks[token >> 5] &= ~(np.int32(1) << np.int32(token & 31))


@kernel
def add_mask(heap: Any, config: Int, base: Int, serial: Int, adds: Int, removes: Int, allowed: Int, reach: Int) -> Int:
    """Make the mask of `config` from its numbers and what stands behind MASK_TOKENS' end. Returns a status."""
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    masks = table(heap, MASKS)
    mask = registers[NUM_MASKS]
    at = mask * MASK_COLUMNS
    if at + MASK_COLUMNS > len(masks):
        return NEED_ROOM
    masks[at] = base
    masks[at + 1] = serial
    masks[at + 2] = registers[NUM_MASK_TOKENS]
    masks[at + 3] = adds
    masks[at + 4] = removes
    masks[at + 5] = allowed
    masks[at + 6] = reach
    registers[NUM_MASK_TOKENS] += adds + removes
    registers[NUM_MASKS] = mask + 1
    registers[WALKING] = -1
    configs[config * CONFIG_COLUMNS + 4] = mask
    return OK


@inner
def _finish(heap: Any, vocabulary: Any, config: Int, base: Int, reach: Int) -> Int:
    """Make the mask of `config`: its base, without the tokens in LOST, with those in FOUND. Returns a status."""
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    marks = table(heap, MARKS)
    found = table(heap, FOUND)
    lost = table(heap, LOST)
    kept = table(heap, MASK_TOKENS)
    base_rows = table(vocabulary, BASE_ROWS)
    num_words = table(vocabulary, SIZES)[NUM_WORDS]
    if configs[config * CONFIG_COLUMNS + 2]:
        eos = table(vocabulary, EOS_TOKENS)
        if registers[NUM_FOUND] + len(eos) > len(found):
            return NEED_LONGER_LIST
        for k in range(len(eos)):
            found[registers[NUM_FOUND]] = eos[k]
            registers[NUM_FOUND] += 1
    num_found, num_lost = registers[NUM_FOUND], registers[NUM_LOST]
    num_listed = len(table(vocabulary, OTHERS + TOKENS)) + len(table(vocabulary, EOS_TOKENS))
    if num_found > num_words and num_found > num_listed:
        registers[ARGUMENT] = config
        registers[RESUME_AT] = base
        registers[DEEPEST] = reach
        return NEED_POOL_ROW
    first = registers[NUM_MASK_TOKENS]
    if first + num_found + num_lost > len(kept):
        return NEED_MASK_TOKENS
    adds = 0
    for k in range(num_found):
        token = found[k]
        if _is_marked(marks, token):
            continue
        _mark(marks, token)
        if not (base_rows[base * num_words + (token >> 5)] >> (token & 31)) & 1:
            kept[first + adds] = token
            adds += 1
    removes = 0
    for k in range(num_lost):
        token = lost[k]
        if _is_marked(marks, token):
            continue
        _mark(marks, token)
        if (base_rows[base * num_words + (token >> 5)] >> (token & 31)) & 1:
            kept[first + adds + removes] = token
            removes += 1
    for k in range(num_found):
        _unmark(marks, found[k])
    for k in range(num_lost):
        _unmark(marks, lost[k])
    allowed = (table(vocabulary, BASE_COUNT)[base]) + adds - removes
    if allowed == 0:
        registers[ARGUMENT] = config
        return NOTHING_FITS
    return add_mask(heap, config, base, np.int64(0), adds, removes, allowed, reach)


@kernel
def found_row(heap: Any, base: Int, address: Int) -> Any:
    """Write the base row with the tokens in FOUND to the int32 row at `address`, NUM_WORDS words; returns how many
    tokens it allows."""
    vocabulary = address_in(heap, VOCABULARY)
    registers = table(heap, REGISTERS)
    found = table(heap, FOUND)
    base_rows = table(vocabulary, BASE_ROWS)
    num_words = table(vocabulary, SIZES)[NUM_WORDS]
    allowed = table(vocabulary, BASE_COUNT)[base]
    row = table_at(address, num_words)
    for word in range(num_words):
        row[word] = base_rows[base * num_words + word]
    for k in range(registers[NUM_FOUND]):
        allowed += not _is_marked(row, found[k])
        _mark(row, found[k])
    return allowed


@inner
def _looping_item(heap: Any, config: Int, longest: Int) -> Any:
    """(item, looping state) if just one item goes on after any plain character, and one such character leads it to a
    state that loops over them; (-1, -1) otherwise, or where a key must be unique, or characters are counted that
    `longest` more of could be too many."""
    nodes = table(heap, NODES)
    frames = table(heap, FRAMES)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    leaf_flags = table(heap, LEAF_FLAGS)
    leaf_base = table(heap, LEAF_BASE)
    none = -1, -1
    first, size = configs[config * CONFIG_COLUMNS], configs[config * CONFIG_COLUMNS + 1]
    item, looping = none
    for i in range(first, first + size):
        state, frame = items[2 * i], items[2 * i + 1]
        node = frames[frame * FRAME_COLUMNS + 1]
        kind = nodes[node * NODE_COLUMNS] if frame != 0 else EMPTY
        if kind == UNIQUE:
            return none
        if state >= LITERAL_BASE or not (leaf_flags[state] >> 1) & GOES_ON:
            if kind == BOUNDED:
                return none
            continue
        if kind == BOUNDED:
            count = frames[frame * FRAME_COLUMNS + 2]
            if count < nodes[node * NODE_COLUMNS + 3] or free_characters(heap, node, count) < longest:
                return none
        looping = leaf_after(heap, state, _PLAIN_BYTE)
        if item >= 0 or looping < 0 or not (leaf_flags[looping] >> 1) & LOOPS or leaf_base[looping] == NO_BASE:
            return none
        item = i
    return item, looping


@inner
def _make_looping(heap: Any, vocabulary: Any, config: Int, state: Int, frame: Int) -> Int:
    """Make the mask of `config`, whose one item is the looping `state` over `frame`. Returns a status."""
    registers = table(heap, REGISTERS)
    leaf_base = table(heap, LEAF_BASE)
    base = leaf_base[state]
    registers[NUM_FOUND] = 0
    registers[NUM_LOST] = 0
    status = walk_exits(heap, vocabulary, base, frame)
    if status != OK:
        return status
    return _finish(heap, vocabulary, config, base, table(vocabulary, SIZES)[LONGEST])


@inner
def _make_near_looping(heap: Any, vocabulary: Any, config: Int, item: Int, looping: Int) -> Int:
    """Make the mask of `config`, whose `item` a plain character leads to the state `looping`. Returns a status."""
    registers = table(heap, REGISTERS)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    leaf_base = table(heap, LEAF_BASE)
    out = table(heap, OUT)
    state, frame = items[2 * item], items[2 * item + 1]
    if leaf_base[looping] == UNKNOWN:
        registers[ARGUMENT] = looping
        return NEED_BASE
    out[0], out[1] = looping, frame
    alone = intern_config(heap, np.int64(1), np.int64(0))
    if alone < 0:
        return NEED_ROOM
    if configs[alone * CONFIG_COLUMNS + 4] < 0:
        status = _make_looping(heap, vocabulary, alone, looping, frame)
        if status != OK or alone == config:
            return status
    registers[NUM_FOUND] = 0
    registers[NUM_LOST] = 0
    if state != looping:
        status = walk_difference(heap, vocabulary, state, looping, frame)
        if status != OK:
            return status
    first, count = configs[config * CONFIG_COLUMNS], configs[config * CONFIG_COLUMNS + 1]
    for i in range(first, first + count):
        if i != item:
            status = walk_leaf(heap, vocabulary, items[2 * i], items[2 * i + 1])
            if status != OK:
                return status
    status = _add_unless_lost(heap, configs[alone * CONFIG_COLUMNS + 4])
    if status != OK:
        return status
    reach = table(vocabulary, SIZES)[LONGEST]
    return _finish(heap, vocabulary, config, leaf_base[looping], reach)


@inner
def _add_unless_lost(heap: Any, mask: Int) -> Int:
    """Append to FOUND what `mask` adds to its base and is not in LOST. Returns a status."""
    registers = table(heap, REGISTERS)
    masks = table(heap, MASKS)
    kept = table(heap, MASK_TOKENS)
    marks = table(heap, MARKS)
    found = table(heap, FOUND)
    lost = table(heap, LOST)
    first, adds = masks[mask * MASK_COLUMNS + 2], masks[mask * MASK_COLUMNS + 3]
    count = registers[NUM_FOUND]
    if count + adds > len(found):
        return NEED_LONGER_LIST
    for k in range(registers[NUM_LOST]):
        _mark(marks, lost[k])
    for k in range(first, first + adds):
        if not _is_marked(marks, kept[k]):
            found[count] = kept[k]
            count += 1
    for k in range(registers[NUM_LOST]):
        _unmark(marks, lost[k])
    registers[NUM_FOUND] = count
    return OK


@inner
def _make(heap: Any, vocabulary: Any, config: Int) -> Int:
    """Make the mask of `config` itself. Returns a status; after a need, a walk goes on where it was."""
    registers = table(heap, REGISTERS)
    sizes = table(vocabulary, SIZES)
    item, looping = _looping_item(heap, config, sizes[LONGEST])
    if item >= 0:
        registers[WALKING] = -1
        return _make_near_looping(heap, vocabulary, config, item, looping)
    status = plain_room(heap, config, sizes[LONGEST_PLAIN])
    if status != OK:
        return status
    room = registers[ARGUMENT]
    if registers[WALKING] != config:
        registers[WALKING] = config
        registers[WALK_AT] = 0
        registers[NUM_FOUND] = 0
        registers[NUM_LOST] = 0
        registers[DEEPEST] = 0
    trie = OTHERS if room else ALL
    status = walk_trie(heap, vocabulary, trie, config, registers[WALK_AT])
    if status != OK:
        return status
    reach = sizes[LONGEST] if room else registers[DEEPEST]
    return _finish(heap, vocabulary, config, room, reach)


@njit(inline="always")
def _known_mask(heap: Any, vocabulary: Any, config: Int) -> Any:
    """The mask of `config`, or -1 if it has none or its row has left the pool."""
    configs = table(heap, CONFIGS)
    mask = configs[config * CONFIG_COLUMNS + 4]
    if mask >= 0:
        masks = table(heap, MASKS)
        base = masks[mask * MASK_COLUMNS]
        if base <= POOL_BASE:
            serial = table(vocabulary, POOL_SERIAL)
            if serial[POOL_BASE - base] != masks[mask * MASK_COLUMNS + 1]:
                return -1
    return mask


def _find(heap: Any, config: Int, most_nodes: Int, _: Int) -> Int:
    """The mask of `config` in ARGUMENT, made now if it is not known. Returns a status.

    Configurations whose counts are far from their bounds share the mask of one that stands for all of them. Counts
    nearer to their bounds than the longest token are still alike if no token that fits here is as long: that is known
    once the mask for counts in the middle is.
    """
    vocabulary = address_in(heap, VOCABULARY)
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    masks = table(heap, MASKS)
    mask = _known_mask(heap, vocabulary, config)
    if mask >= 0:
        registers[ARGUMENT] = mask
        return OK
    registers[NODES_LEFT] = most_nodes
    longest = table(vocabulary, SIZES)[LONGEST]
    status = config_for_mask(heap, config, longest, np.int64(1))
    if status != OK:
        return status
    alike = registers[ARGUMENT]
    status = config_for_mask(heap, alike, np.int64(1), np.int64(0))
    if status != OK:
        return status
    middle = registers[ARGUMENT]
    if middle != alike:
        if _known_mask(heap, vocabulary, middle) < 0:
            status = _make(heap, vocabulary, middle)
            if status != OK:
                return status
        reach = masks[configs[middle * CONFIG_COLUMNS + 4] * MASK_COLUMNS + 6]
        status = config_for_mask(heap, alike, reach, np.int64(0))
        if status != OK:
            return status
        if registers[ARGUMENT] == middle:
            alike = middle
    mask = _known_mask(heap, vocabulary, alike)
    if mask < 0:
        status = _make(heap, vocabulary, alike)
        if status != OK:
            return status
        mask = configs[alike * CONFIG_COLUMNS + 4]
    configs[config * CONFIG_COLUMNS + 4] = mask
    registers[ARGUMENT] = mask
    return OK


@functools.cache
def find_function() -> Any:
    """The C function whose address belongs into heaps at FIND. Compiled on the first call."""
    return c_function(_find)


@kernel
def find_mask(heap: Any, config: Int) -> Int:
    """The mask of `config` in ARGUMENT, made now if it is not known. Returns a status."""
    return call(heap, FIND, config, ANY_NUMBER, np.int64(0))


@inner
def put_mask(heap: Any, config: Int, holds_lock: Int, row: Any) -> Int:
    """`write_mask` to a table. Rows of the pool are read without its lock: they move under Python's global lock."""
    vocabulary = address_in(heap, VOCABULARY)
    registers = table(heap, REGISTERS)
    num_words = table(vocabulary, SIZES)[NUM_WORDS]
    if len(row) < num_words:
        return UNFIT_ROW
    if config < 0:
        for word in range(len(row)):
            row[word] = 0
        return OK
    if not holds_lock and registers[IN_USE]:
        return NEED_LOCK
    status = call(heap, FIND, config, _FEW_NODES, np.int64(0))
    if status != OK:
        return status
    masks = table(heap, MASKS)
    kept = table(heap, MASK_TOKENS)
    at = registers[ARGUMENT] * MASK_COLUMNS
    base, first = masks[at], masks[at + 2]
    rows = table(vocabulary, BASE_ROWS)
    if base <= POOL_BASE:
        base = POOL_BASE - base
        used = table(vocabulary, POOL_USED)
        clock = table(vocabulary, POOL_CLOCK)
        clock[0] += 1
        used[base] = clock[0]
        rows = table(vocabulary, POOL_ROWS)
    copy_items(row, rows, base * num_words, num_words)
    for word in range(num_words, len(row)):
        row[word] = 0
    middle = first + masks[at + 3]
    for k in range(first, middle):
        _mark(row, kept[k])
    for k in range(middle, middle + masks[at + 4]):
        _unmark(row, kept[k])
    return OK


@quick
def write_mask(heap: Any, config: Int, holds_lock: Int, row: Any) -> Int:
    """Write the mask of `config` to `row`, contiguous int32, at least NUM_WORDS words; words beyond are zeroed.

    Without the automaton's lock it ends in NEED_LOCK if another thread holds that. A long walk ends in NEED_WALK:
    `find_mask` goes on with it. A configuration below 0 allows nothing. Returns a status.
    """
    if row.strides[0] != 4:
        return UNFIT_ROW
    return put_mask(heap, config, holds_lock, table_at(row.ctypes.data, len(row)))
