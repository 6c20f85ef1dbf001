"""Numba steps of a key that must be unique: which written texts it may still turn out to be."""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.pushdown_tables import (
    FRAME_COLUMNS,
    FRAMES,
    NO_TEXTS,
    SEEN,
    SEEN_BASE,
    SEEN_COLUMNS,
    SEEN_EDGES,
    TEXT,
    UNKNOWN_BASE,
    Int,
    push_frame,
    table,
)


@njit(cache=True, nogil=True)
def _seen_after(heap: Any, node: Int, byte: Int) -> Int:
    """The node of SEEN behind `byte`, or NO_TEXTS."""
    seen = table(heap, SEEN)
    edges = table(heap, SEEN_EDGES)
    if node >= 0:
        first = seen[node * SEEN_COLUMNS]
        for edge in range(first, first + seen[node * SEEN_COLUMNS + 1]):
            if edges[2 * edge] == byte:
                return np.int64(edges[2 * edge + 1])
    return np.int64(NO_TEXTS)


@njit(cache=True, nogil=True)
def seen_of(heap: Any, value: Int) -> Int:
    """The node of SEEN that a unique key has reached, by its frame's value: NO_TEXTS if no written text begins so."""
    frames = table(heap, FRAMES)
    if value >= 0:
        return np.int64(frames[value * FRAME_COLUMNS + 4])
    return np.int64(SEEN_BASE - value) if UNKNOWN_BASE < value <= SEEN_BASE else np.int64(NO_TEXTS)


@njit(cache=True, nogil=True)
def num_written(heap: Any, value: Int) -> Int:
    """How many texts that begin like the unique key may be written already, by the value of the key's frame."""
    seen = table(heap, SEEN)
    if value <= UNKNOWN_BASE:
        return UNKNOWN_BASE - value + 1
    reached = seen_of(heap, value)
    return np.int64(seen[reached * SEEN_COLUMNS + 3]) if reached >= 0 else np.int64(0)


@njit(cache=True, nogil=True)
def unique_frame_after(heap: Any, frame: Int, byte: Int) -> Int:
    """The frame of a unique key after one more byte; -1 if there is no room."""
    frames = table(heap, FRAMES)
    at = frame * FRAME_COLUMNS
    value = np.int64(frames[at + 2])
    if value == NO_TEXTS or value <= UNKNOWN_BASE:
        return np.int64(frame)
    seen = _seen_after(heap, seen_of(heap, value), byte)
    if value >= 0:
        value = np.int64(push_frame(heap, value, TEXT, byte))
        if value < 0:
            return np.int64(-1)
        frames[value * FRAME_COLUMNS + 4] = seen
    else:
        value = np.int64(NO_TEXTS) if seen < 0 else SEEN_BASE - seen
    return np.int64(push_frame(heap, np.int64(frames[at]), np.int64(frames[at + 1]), value))
