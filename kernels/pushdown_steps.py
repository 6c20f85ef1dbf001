"""Numba steps of a pushdown automaton that find a configuration: by a byte, or behind something that is complete.

All of it is compiled into one C function, since most kernels need it.
"""

import functools
from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.bounded_text import count_after
from slipform.kernels.int32_tables import Int, c_function, call, inner, table
from slipform.kernels.pushdown_closure import begin_closure, close_seeds, finish_closure, todo
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
    ROWS,
    STEP,
    UNIQUE,
    UNKNOWN,
    UNKNOWN_BASE,
    push_frame,
)
from slipform.kernels.unique_text import num_written, unique_frame_after

_MAX_EDGES = 6  # of a configuration without a row


@inner
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


@inner
def _find_successor(heap: Any, config: Int, byte: Int) -> Int:
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
    low, high = np.int64(0), np.int64(255)  # the bytes around `byte` on which every item does the same
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
        frame = items[2 * i + 1]
        kind = nodes[frames[frame * FRAME_COLUMNS + 1] * NODE_COLUMNS] if frame != 0 else EMPTY
        if kind == BOUNDED and state < LITERAL_BASE:
            at_frame = frame * FRAME_COLUMNS
            node = frames[at_frame + 1]
            counted = count_after(heap, node, target, frames[at_frame + 2])
            if counted < 0:
                continue
            frame = push_frame(heap, frames[at_frame], node, counted)
            if frame < 0:
                return -NEED_ROOM
        if kind == UNIQUE:
            value = frames[frame * FRAME_COLUMNS + 2]
            if value != NO_TEXTS and value > UNKNOWN_BASE:
                low = high = byte
            frame = unique_frame_after(heap, frame, byte)
            if frame < 0:
                return -NEED_ROOM
            if leaf_words[target] <= num_written(heap, frames[frame * FRAME_COLUMNS + 2]):
                continue  # all texts that begin so are written
        out[2 * seeds] = target
        out[2 * seeds + 1] = frame
        seeds += 1
    successor = DEAD
    if seeds:
        status = close_seeds(heap, seeds)
        if status != OK:
            return -status
        successor = registers[ARGUMENT]
    status = _keep_successor(heap, config, low, high, successor)
    return successor if status == OK else -status


@inner
def _close(heap: Any, operation: Int, frame: Int) -> Int:
    """The configuration that one operation (a node to begin, or RESUME) over `frame` leads to, or -status."""
    registers = table(heap, REGISTERS)
    begin_closure(heap)
    status = todo(heap, operation, frame)
    if status == OK:
        status = finish_closure(heap)
    return registers[ARGUMENT] if status == OK else -status


def _step(heap: Any, is_byte: Int, left: Int, right: Int) -> Int:
    return _find_successor(heap, left, right) if is_byte else _close(heap, left, right)


@functools.cache
def step_function() -> Any:
    """The C function whose address belongs into heaps at STEP. Compiled on the first call."""
    return c_function(_step)


@njit(inline="always")
def find_successor(heap: Any, config: Int, byte: Int) -> Int:
    """The successor of `config` by `byte`, or -status. Stored for all bytes on which the items do the same."""
    return call(heap, STEP, np.int64(1), config, byte)


@njit(inline="always")
def close(heap: Any, operation: Int, frame: Int) -> Int:
    """The configuration that one operation (a node to begin, or RESUME) over `frame` leads to, or -status."""
    return call(heap, STEP, np.int64(0), operation, frame)
