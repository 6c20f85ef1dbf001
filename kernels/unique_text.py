"""Numba steps of a key that must be unique: which written texts it may still turn out to be."""

from typing import Any

from slipform.kernels.int32_tables import Int, inner, table
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
    push_frame,
)


@inner
def _seen_after(heap: Any, node: Int, byte: Int) -> Int:
    """The node of SEEN behind `byte`, or NO_TEXTS."""
    seen = table(heap, SEEN)
    edges = table(heap, SEEN_EDGES)
    if node >= 0:
        first = seen[node * SEEN_COLUMNS]
        for edge in range(first, first + seen[node * SEEN_COLUMNS + 1]):
            if edges[2 * edge] == byte:
                return edges[2 * edge + 1]
    return NO_TEXTS


@inner
def seen_of(heap: Any, value: Int) -> Int:
    """The node of SEEN that a unique key has reached, by its frame's value: NO_TEXTS if no written text begins so."""
    frames = table(heap, FRAMES)
    if value >= 0:
        return frames[value * FRAME_COLUMNS + 4]
    return SEEN_BASE - value if UNKNOWN_BASE < value <= SEEN_BASE else NO_TEXTS


@inner
def num_written(heap: Any, value: Int) -> Int:
    """How many texts that begin like the unique key may be written already, by the value of the key's frame."""
    seen = table(heap, SEEN)
    if value <= UNKNOWN_BASE:
        return UNKNOWN_BASE - value + 1
    reached = seen_of(heap, value)
    return seen[reached * SEEN_COLUMNS + 3] if reached >= 0 else 0


@inner
def unique_frame_after(heap: Any, frame: Int, byte: Int) -> Int:
    """The frame of a unique key after one more byte; -1 if there is no room."""
    frames = table(heap, FRAMES)
    at = frame * FRAME_COLUMNS
    value = frames[at + 2]
    if value == NO_TEXTS or value <= UNKNOWN_BASE:
        return frame
    seen = _seen_after(heap, seen_of(heap, value), byte)
    if value >= 0:
        value = push_frame(heap, value, TEXT, byte)
        if value < 0:
            return -1
        frames[value * FRAME_COLUMNS + 4] = seen
    else:
        value = NO_TEXTS if seen < 0 else SEEN_BASE - seen
    return push_frame(heap, frames[at], frames[at + 1], value)
