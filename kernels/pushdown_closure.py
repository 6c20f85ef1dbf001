"""Numba closure of a step: completed nodes return to their frames, new ones begin, until only regular parts remain."""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.int32_tables import Int, inner, table
from slipform.kernels.pushdown_tables import (
    ACCEPTING,
    ALT,
    ARGUMENT,
    BOUNDED,
    CLOSURE_ID,
    EMPTY,
    END_OF_LITERAL,
    ENTRY_NEXT,
    ENTRY_NODE,
    ENTRY_SEEN,
    FRAME_COLUMNS,
    FRAMES,
    KIDS,
    LEAF,
    LEAF_FIRST,
    LEAF_FLAGS,
    LEAF_WORDS,
    LITERAL,
    LITERAL_BASE,
    LITERALS,
    MAX_WORK,
    MEMBERS,
    NEED_ENTRY,
    NEED_ROOM,
    NEED_RULE,
    NEED_START,
    NEED_TEXT,
    NODE_COLUMNS,
    NODES,
    NUM_OUT,
    NUM_SEED_PAIRS,
    NUM_SEED_SETS,
    NUM_WORK,
    OK,
    OUT,
    PLACE_END,
    PLACE_FIRST,
    PLACE_FLAGS,
    REGISTERS,
    REPEAT,
    RESUME,
    RULE,
    SEED_COLUMNS,
    SEED_HASH,
    SEED_PAIRS,
    SEED_SETS,
    SEEN,
    SEEN_COLUMNS,
    SEQ,
    TEXTS,
    TOO_AMBIGUOUS,
    UNIQUE,
    UNKNOWN_BASE,
    WITH_TEXT,
    WORK,
    WORK_HASH,
    hash_pairs,
    intern_config,
    mix,
    push_frame,
    same_pairs,
    sort_pairs,
)
from slipform.kernels.unique_text import num_written, seen_of


@inner
def todo(heap: Any, operation: Int, frame: Int) -> Int:
    """Queue (operation, frame) unless this closure did it already."""
    registers = table(heap, REGISTERS)
    work = table(heap, WORK)
    work_hash = table(heap, WORK_HASH)
    if frame < 0:
        return NEED_ROOM
    closure = registers[CLOSURE_ID]
    mask = (len(work_hash) >> 1) - 1
    slot = mix(operation, frame) & mask
    while work_hash[2 * slot] == closure:
        at = 2 * work_hash[2 * slot + 1]
        if work[at] == operation and work[at + 1] == frame:
            return OK
        slot = (slot + 1) & mask
    count = registers[NUM_WORK]
    if count >= MAX_WORK:
        return TOO_AMBIGUOUS
    if 2 * count + 2 > len(work) or 4 * count > len(work_hash):
        return NEED_ROOM
    work[2 * count] = operation
    work[2 * count + 1] = frame
    work_hash[2 * slot] = closure
    work_hash[2 * slot + 1] = count
    registers[NUM_WORK] = count + 1
    return OK


@njit(inline="always")
def _emit(heap: Any, state: Int, frame: Int) -> Int:
    registers = table(heap, REGISTERS)
    out = table(heap, OUT)
    count = registers[NUM_OUT]
    if 2 * count + 2 > len(out):
        return NEED_ROOM
    out[2 * count] = state
    out[2 * count + 1] = frame
    registers[NUM_OUT] = count + 1
    return OK


@inner
def _arrive(heap: Any, state: Int, frame: Int) -> Int:
    """A regular part has reached `state`: it goes on from there, and completes if the state accepts."""
    literals = table(heap, LITERALS)
    leaf_first = table(heap, LEAF_FIRST)
    leaf_flags = table(heap, LEAF_FLAGS)
    if state >= LITERAL_BASE:
        if literals[state - LITERAL_BASE] == END_OF_LITERAL:
            return todo(heap, RESUME, frame)
        return _emit(heap, state, frame)
    status = OK
    if leaf_first[state + 1] > leaf_first[state]:
        status = _emit(heap, state, frame)
    if status == OK and leaf_flags[state] & 1:
        status = todo(heap, RESUME, frame)
    return status


@njit(inline="always")
def _begin_copy(heap: Any, node: Int, count: Int, parent: Int) -> Int:
    """Start copy number `count` (from 0) of the repetition `node`; the last possible one needs no frame."""
    nodes = table(heap, NODES)
    at = node * NODE_COLUMNS
    maximum = nodes[at + 3]
    if maximum >= 0 and count + 1 >= maximum:
        return todo(heap, nodes[at + 1], parent)
    return todo(heap, nodes[at + 1], push_frame(heap, parent, node, 2 * count))


@inner
def _enter_place(heap: Any, node: Int, place: Int, parent: Int) -> Int:
    """Stand at `place` of the object `node`: end it, or begin one of the members that may come (after a separator)."""
    nodes = table(heap, NODES)
    place_flags = table(heap, PLACE_FLAGS)
    place_first = table(heap, PLACE_FIRST)
    place_end = table(heap, PLACE_END)
    flags = place_flags[place]
    status = OK
    if flags & 1:
        status = todo(heap, RESUME, parent)
    if status != OK or place_first[place] == place_end[place]:
        return status
    if flags & 2:
        return todo(heap, nodes[node * NODE_COLUMNS + 2], push_frame(heap, parent, node, 2 * place + 1))
    return _begin_members(heap, node, place, parent)


@inner
def _begin_members(heap: Any, node: Int, place: Int, parent: Int) -> Int:
    place_first = table(heap, PLACE_FIRST)
    place_end = table(heap, PLACE_END)
    entry_node = table(heap, ENTRY_NODE)
    for entry in range(place_first[place], place_end[place]):
        status = todo(heap, entry_node[entry], push_frame(heap, parent, node, 2 * entry))
        if status != OK:
            return status
    return OK


@inner
def _enter_unique(heap: Any, node: Int, frame: Int) -> Int:
    """Begin the key of a unique extra; `frame` is that of its entry."""
    nodes = table(heap, NODES)
    frames = table(heap, FRAMES)
    entry_seen = table(heap, ENTRY_SEEN)
    leaf_words = table(heap, LEAF_WORDS)
    if frame < 0:
        return NEED_ROOM
    value = entry_seen[frames[frame * FRAME_COLUMNS + 2] >> 1]
    if value <= UNKNOWN_BASE:
        start = nodes[nodes[node * NODE_COLUMNS + 1] * NODE_COLUMNS + 1]
        if leaf_words[start] <= num_written(heap, value):
            return OK
    else:
        seen = value
        value = push_frame(heap, np.int64(0), TEXTS, seen)
        if value < 0:
            return NEED_ROOM
        frames[value * FRAME_COLUMNS + 4] = seen
    return todo(heap, nodes[node * NODE_COLUMNS + 1], push_frame(heap, frame, node, value))


@inner
def _resume_unique(heap: Any, frame: Int) -> Int:
    """A unique key is complete: refuse it if it was written before, else go on under an entry that knows its text."""
    registers = table(heap, REGISTERS)
    nodes = table(heap, NODES)
    frames = table(heap, FRAMES)
    seen_table = table(heap, SEEN)
    parent, node = frames[frame * FRAME_COLUMNS], frames[frame * FRAME_COLUMNS + 1]
    value = frames[frame * FRAME_COLUMNS + 2]
    seen = seen_of(heap, value)
    if value <= UNKNOWN_BASE or (seen >= 0 and seen_table[seen * SEEN_COLUMNS + 2]):
        return OK
    rest = nodes[node * NODE_COLUMNS + 2]
    if value < 0:
        return todo(heap, rest, parent)
    at = parent * FRAME_COLUMNS
    entry = frames[at + 2] >> 1
    link = push_frame(heap, entry, WITH_TEXT, value)
    if link < 0:
        return NEED_ROOM
    if frames[link * FRAME_COLUMNS + 4] < 0:
        registers[ARGUMENT] = link
        return NEED_TEXT
    known = frames[link * FRAME_COLUMNS + 4]
    return todo(heap, rest, push_frame(heap, frames[at], frames[at + 1], 2 * known))


@inner
def _enter(heap: Any, node: Int, frame: Int) -> Int:
    """Begin `node`, to return to `frame`."""
    registers = table(heap, REGISTERS)
    nodes = table(heap, NODES)
    kids = table(heap, KIDS)
    at = node * NODE_COLUMNS
    kind = nodes[at]
    if kind == LITERAL:
        return _emit(heap, LITERAL_BASE + nodes[at + 1], frame)
    if kind == LEAF:
        return _arrive(heap, nodes[at + 1], frame)
    if kind == SEQ:
        return todo(heap, kids[nodes[at + 1]], push_frame(heap, frame, node, np.int64(1)))
    if kind == EMPTY:
        return todo(heap, RESUME, frame)
    if kind == ALT:
        for kid in range(nodes[at + 1], nodes[at + 1] + nodes[at + 2]):
            status = todo(heap, kids[kid], frame)
            if status != OK:
                return status
        return OK
    if kind == REPEAT:
        status = OK
        if nodes[at + 2] == 0:
            status = todo(heap, RESUME, frame)
        return status if status != OK else _begin_copy(heap, node, 0, frame)
    if kind == RULE:
        if nodes[at + 1] < 0:
            registers[ARGUMENT] = node
            return NEED_RULE
        return todo(heap, nodes[at + 1], frame)
    if kind == MEMBERS:
        if nodes[at + 3] < 0:
            registers[ARGUMENT] = node
            return NEED_START
        return _enter_place(heap, node, nodes[at + 3], frame)
    if kind == UNIQUE:
        return _enter_unique(heap, node, frame)
    if kind == BOUNDED:
        counting = push_frame(heap, frame, node, np.int64(0))
        return NEED_ROOM if counting < 0 else todo(heap, nodes[at + 1], counting)
    return OK  # NEVER


@inner
def _resume(heap: Any, frame: Int) -> Int:
    """What stood above `frame` is complete."""
    registers = table(heap, REGISTERS)
    nodes = table(heap, NODES)
    kids = table(heap, KIDS)
    entry_next = table(heap, ENTRY_NEXT)
    frames = table(heap, FRAMES)
    if frame == 0:
        registers[ACCEPTING] = 1
        return OK
    at_frame = frame * FRAME_COLUMNS
    parent, node = frames[at_frame], frames[at_frame + 1]
    value = frames[at_frame + 2]
    at = node * NODE_COLUMNS
    kind = nodes[at]
    if kind == SEQ:
        kid = kids[nodes[at + 1] + value]
        if value + 1 == nodes[at + 2]:
            return todo(heap, kid, parent)
        return todo(heap, kid, push_frame(heap, parent, node, value + 1))
    if kind == REPEAT:
        count = value >> 1
        if value & 1:
            return _begin_copy(heap, node, count, parent)
        separator = nodes[at + 4]
        pushed_here = frames[at_frame + 3] == registers[CLOSURE_ID]
        if pushed_here and separator < 0 and nodes[nodes[at + 1] * NODE_COLUMNS + 5] == 1:
            # An empty copy. min is 0 then, so this frame's entry has already offered the end, and a lower count
            # allows all that a higher one does.
            return OK
        minimum, maximum = nodes[at + 2], nodes[at + 3]
        count += 1
        if maximum < 0 and count > minimum:
            count = minimum
        status = OK
        if count >= minimum:
            status = todo(heap, RESUME, parent)
        if status != OK or (maximum >= 0 and count >= maximum):
            return status
        if separator >= 0:
            return todo(heap, separator, push_frame(heap, parent, node, 2 * count + 1))
        return _begin_copy(heap, node, count, parent)
    if kind == UNIQUE:
        return _resume_unique(heap, frame)
    if kind == BOUNDED:
        return todo(heap, RESUME, parent) if value >= nodes[at + 3] else OK
    # MEMBERS
    if value & 1:
        return _begin_members(heap, node, value >> 1, parent)
    entry = value >> 1
    if entry_next[entry] < 0:
        registers[ARGUMENT] = entry
        return NEED_ENTRY
    return _enter_place(heap, node, entry_next[entry], parent)


@inner
def begin_closure(heap: Any) -> None:
    registers = table(heap, REGISTERS)
    registers[CLOSURE_ID] += 1
    registers[NUM_WORK] = 0
    registers[NUM_OUT] = 0
    registers[ACCEPTING] = 0


@inner
def finish_closure(heap: Any) -> Int:
    """Work off the queue and intern the configuration; its id goes to the ARGUMENT register."""
    registers = table(heap, REGISTERS)
    work = table(heap, WORK)
    out = table(heap, OUT)
    done = 0
    while done < registers[NUM_WORK]:
        operation, frame = work[2 * done], work[2 * done + 1]
        done += 1
        status = _resume(heap, frame) if operation == RESUME else _enter(heap, operation, frame)
        if status != OK:
            return status
    count = sort_pairs(out, registers[NUM_OUT])
    config = intern_config(heap, count, registers[ACCEPTING])
    if config < 0:
        return NEED_ROOM
    registers[ARGUMENT] = config
    return OK


@inner
def close_seeds(heap: Any, count: Int) -> Int:
    """The configuration that the first `count` pairs of `out` lead to; its id goes to the ARGUMENT register."""
    registers = table(heap, REGISTERS)
    seed_pairs = table(heap, SEED_PAIRS)
    seed_sets = table(heap, SEED_SETS)
    seed_hash = table(heap, SEED_HASH)
    out = table(heap, OUT)
    count = sort_pairs(out, count)
    mask = len(seed_hash) - 1
    slot = hash_pairs(out, 0, count, 0) & mask
    while seed_hash[slot] >= 0:
        at = seed_hash[slot] * SEED_COLUMNS
        if seed_sets[at + 1] == count and same_pairs(seed_pairs, seed_sets[at], out, 0, count):
            registers[ARGUMENT] = seed_sets[at + 2]
            return OK
        slot = (slot + 1) & mask
    first, seed_set = registers[NUM_SEED_PAIRS], registers[NUM_SEED_SETS]
    if 2 * (first + count) > len(seed_pairs) or (seed_set + 1) * SEED_COLUMNS > len(seed_sets):
        return NEED_ROOM
    for i in range(2 * count):
        seed_pairs[2 * first + i] = out[i]
    begin_closure(heap)
    for i in range(first, first + count):
        status = _arrive(heap, seed_pairs[2 * i], seed_pairs[2 * i + 1])
        if status != OK:
            return status
    status = finish_closure(heap)
    if status != OK:
        return status
    at = seed_set * SEED_COLUMNS
    seed_sets[at] = first
    seed_sets[at + 1] = count
    seed_sets[at + 2] = registers[ARGUMENT]
    seed_hash[slot] = seed_set
    registers[NUM_SEED_PAIRS] = first + count
    registers[NUM_SEED_SETS] = seed_set + 1
    return OK
