"""The tables of a pushdown automaton, as the kernels see them, and the interning of frames and configurations.

All tables are flat int32 arrays owned by the caller, in one heap (see `slipform.kernels.int32_tables`) in the order of
the constants below. See `slipform.kernels.pushdown` for the vocabulary.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.int32_tables import Int, inner, kernel, table

OK = 0
NEED_ROOM = 1
NEED_RULE = 2
NEED_START = 3
NEED_ENTRY = 4
NEED_TEXT = 5
TOO_AMBIGUOUS = 6
NEED_LONGER_LIST = 7  # FOUND or LOST is full
NEED_MASK_TOKENS = 12  # MASK_TOKENS is full
NEED_BASE = 8  # the base row of a leaf state
NEED_POOL_ROW = 9  # the tokens in FOUND are too many for a list; they become a row of the pool
NEED_WALK = 10  # the walk of the trie takes longer than it may; call again and it goes on
NOTHING_FITS = 11  # no token can be read and the text is not complete
UNFIT_ROW = 14  # too short, or not contiguous
NEED_LOCK = 13  # another thread is at work on this automaton

LITERAL_BASE = 1 << 30
END_OF_LITERAL = 256
MAX_COUNT = 1 << 30
DEAD = 0
UNKNOWN = -1  # a successor not yet found
RESUME = np.int64(-1)
MAX_WORK = 1 << 16

(NEVER, EMPTY, LITERAL, LEAF, SEQ, ALT, REPEAT, RULE, MEMBERS, UNIQUE, BOUNDED) = range(11)
NODE_COLUMNS = 6

# Columns of frames: parent, node, value, closure in which it was pushed, equivalent frame for masks or -1, the
# configuration behind a regular part over it or -1, and whether it or a frame below counts or holds a text.
FRAME_COLUMNS = 7
# Columns of configurations, edges, seed sets and masks.
CONFIG_COLUMNS = 6  # first item, number of items, accepting, row or -1, mask or -1, newest edge or -1
EDGE_COLUMNS = 4  # lowest byte, highest byte, successor, older edge or -1
SEED_COLUMNS = 3  # first pair, number of pairs, configuration
MASK_COLUMNS = 7  # see `slipform.kernels.masks`

# How a key that must be unique is followed. In the text itself, the value of its frame is a *text frame*: one frame a
# byte, (frame of the byte before, TEXT, byte), the first being (0, TEXTS, node of SEEN); its last column is the node of
# SEEN that the text has reached, or NO_TEXTS. In the walk that computes a mask only that node matters: the value is
# NO_TEXTS, or SEEN_BASE - node, and the text stays unknown. A second key behind an unknown one can begin, but is not
# completed in the same walk; its value is UNKNOWN_BASE - (number of texts before the unknown one).
TEXT = np.int64(-2)
TEXTS = np.int64(-3)
WITH_TEXT = np.int64(
    -4
)  # marks frames (entry, WITH_TEXT, text frame), whose last column is the entry that knows the text
NO_TEXTS = -1
SEEN_BASE = -2
UNKNOWN_BASE = -(1 << 30)
SEEN_COLUMNS = 4

# Registers.
(
    NUM_FRAMES,
    NUM_ITEMS,
    NUM_CONFIGS,
    NUM_SEED_PAIRS,
    NUM_SEED_SETS,
    NUM_EDGES,
    NUM_ROWS,
    CLOSURE_ID,
    ARGUMENT,
    RESUME_AT,
    NUM_WORK,
    NUM_OUT,
    ACCEPTING,
    WALKED,
    DEEPEST,
    NUM_FOUND,
    NUM_LOST,
    NUM_MASKS,
    NUM_MASK_TOKENS,
    WALKING,
    IN_USE,  # some thread holds the automaton's lock: not 0
    WALK_AT,  # the node of the trie at which the walk for configuration WALKING is to go on
    NODES_LEFT,  # of a trie, that a walk may still visit
) = range(23)
NUM_REGISTERS = 23


# Tables of one automaton, each a flat int32 array. Capacities are lengths; counts are in the registers.
(
    REGISTERS,
    NODES,
    KIDS,
    LITERALS,
    LEAF_FIRST,
    LEAF_FLAGS,  # bit 0 accepting; bits 1 and 2: plain_text.GOES_ON and COMPLETES
    RANGE_LOW,
    RANGE_HIGH,
    RANGE_TARGET,
    PLACE_FLAGS,  # an object's place: bit 0 may end here, bit 1 a member stands before
    PLACE_FIRST,  # entries of place p: place_first[p] : place_end[p]
    PLACE_END,
    ENTRY_NODE,
    ENTRY_NEXT,  # place after the entry, or -1
    ENTRY_SEEN,  # texts that the entry's key must not be: a node of SEEN, NO_TEXTS, or UNKNOWN_BASE - number
    SEEN,  # tries of written texts: first edge, number of edges, ends a text, texts below
    SEEN_EDGES,  # pairs (byte, node)
    LEAF_WORDS,
    BOUNDS,  # see `slipform.kernels.bounded_text`
    FRAMES,
    FRAME_HASH,
    ITEMS,  # pairs (state, frame)
    CONFIGS,
    CONFIG_HASH,
    SEED_PAIRS,  # pairs (state, frame)
    SEED_SETS,
    SEED_HASH,
    EDGES,  # successors of configurations that have no row
    ROWS,  # 256 successors a row
    WORK,  # pairs (node or RESUME, frame) of the closure under way
    WORK_HASH,  # pairs (closure id, index into work)
    OUT,  # pairs: seeds, then items, of the step under way
    PATH,  # configuration per depth of the trie walk
    LEAF_PATH,  # leaf state per depth of the trie walk
    OTHER_PATH,
    LEAF_BASE,  # per leaf state: base row of the vocabulary, UNKNOWN or NO_BASE
    FOUND,  # tokens
    LOST,  # tokens
    MARKS,  # a bit a token, all zero between calls
    MASKS,
    MASK_TOKENS,
) = range(41)
# No tables: the address of the vocabulary's heap, and those of C functions.
VOCABULARY = np.int64(41)
STEP = np.int64(42)  # of `slipform.kernels.pushdown_steps`
FIND = np.int64(43)  # of `slipform.kernels.masks`
NUM_TABLES = 44
NO_BASE = -2


@njit(inline="always")
def mix(a: Int, b: Int) -> Int:
    """A hash of two numbers, non-negative, below 2**31."""
    x = (np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F))
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x >> np.uint64(33)) & np.uint64(0x7FFFFFFF))


@inner
def push_frame(heap: Any, parent: Int, node: Int, value: Int) -> Int:
    """The frame (parent, node, value), interned; -1 if there is no room. Marks it as pushed in this closure."""
    registers = table(heap, REGISTERS)
    frames = table(heap, FRAMES)
    frame_hash = table(heap, FRAME_HASH)
    mask = len(frame_hash) - 1
    slot = mix(mix(parent, node), value) & mask
    while frame_hash[slot] >= 0:
        frame = frame_hash[slot]
        at = frame * FRAME_COLUMNS
        if frames[at] == parent and frames[at + 1] == node and frames[at + 2] == value:
            frames[at + 3] = registers[CLOSURE_ID]
            return frame
        slot = (slot + 1) & mask
    frame = registers[NUM_FRAMES]
    at = frame * FRAME_COLUMNS
    if at + FRAME_COLUMNS > len(frames):
        return -1
    frames[at] = parent
    frames[at + 1] = node
    frames[at + 2] = value
    frames[at + 3] = registers[CLOSURE_ID]
    frames[at + 4] = -1
    frames[at + 5] = -1
    nodes = table(heap, NODES)
    kind = nodes[node * NODE_COLUMNS] if node >= 0 else UNIQUE
    frames[at + 6] = (
        frames[parent * FRAME_COLUMNS + 6] != 0
        or kind in (UNIQUE, BOUNDED)
        or (kind == REPEAT and (nodes[node * NODE_COLUMNS + 2] > 0 or nodes[node * NODE_COLUMNS + 3] >= 0))
    )
    frame_hash[slot] = frame
    registers[NUM_FRAMES] = frame + 1
    return frame


@inner
def sort_pairs(pairs: Any, count: Int) -> Int:
    """Sort pairs in place and drop duplicates; returns how many are left. A Shell sort, since sets are small."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap >= 1:
        for i in range(gap, count):
            state, frame = pairs[2 * i], pairs[2 * i + 1]
            j = i
            while j >= gap and (
                pairs[2 * (j - gap) + 1] > frame or (pairs[2 * (j - gap) + 1] == frame and pairs[2 * (j - gap)] > state)
            ):
                pairs[2 * j] = pairs[2 * (j - gap)]
                pairs[2 * j + 1] = pairs[2 * (j - gap) + 1]
                j -= gap
            pairs[2 * j] = state
            pairs[2 * j + 1] = frame
        gap //= 3
    kept = 0
    for i in range(count):
        if kept and pairs[2 * kept - 2] == pairs[2 * i] and pairs[2 * kept - 1] == pairs[2 * i + 1]:
            continue
        pairs[2 * kept] = pairs[2 * i]
        pairs[2 * kept + 1] = pairs[2 * i + 1]
        kept += 1
    return kept


@njit(inline="always")
def same_pairs(left: Any, left_at: Int, right: Any, right_at: Int, count: Int) -> Any:
    i = 0
    while i < 2 * count and left[2 * left_at + i] == right[2 * right_at + i]:
        i += 1
    return i == 2 * count


@njit(inline="always")
def hash_pairs(pairs: Any, first: Int, count: Int, seed: Int) -> Int:
    value = seed
    for i in range(first, first + count):
        value = mix(mix(pairs[2 * i], pairs[2 * i + 1]), value)
    return value


@inner
def intern_config(heap: Any, count: Int, accepting: Int) -> Int:
    """The configuration of the first `count` pairs of `out`; -1 if there is no room."""
    registers = table(heap, REGISTERS)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    config_hash = table(heap, CONFIG_HASH)
    out = table(heap, OUT)
    if count == 0 and accepting == 0:
        return DEAD
    mask = len(config_hash) - 1
    slot = hash_pairs(out, 0, count, accepting) & mask
    while config_hash[slot] >= 0:
        at = config_hash[slot] * CONFIG_COLUMNS
        if configs[at + 1] == count and configs[at + 2] == accepting and same_pairs(items, configs[at], out, 0, count):
            return config_hash[slot]
        slot = (slot + 1) & mask
    config, first = registers[NUM_CONFIGS], registers[NUM_ITEMS]
    if (config + 1) * CONFIG_COLUMNS > len(configs) or 2 * (first + count) > len(items):
        return -1
    for i in range(2 * count):
        items[2 * first + i] = out[i]
    at = config * CONFIG_COLUMNS
    configs[at] = first
    configs[at + 1] = count
    configs[at + 2] = accepting
    configs[at + 3] = -1
    configs[at + 4] = -1
    configs[at + 5] = -1
    config_hash[slot] = config
    registers[NUM_CONFIGS] = config + 1
    registers[NUM_ITEMS] = first + count
    return config


@kernel
def rehash(heap: Any) -> None:
    """Refill the three hash tables (all -1) after they grew."""
    registers = table(heap, REGISTERS)
    frames = table(heap, FRAMES)
    frame_hash = table(heap, FRAME_HASH)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    config_hash = table(heap, CONFIG_HASH)
    seed_pairs = table(heap, SEED_PAIRS)
    seed_sets = table(heap, SEED_SETS)
    seed_hash = table(heap, SEED_HASH)
    mask = len(frame_hash) - 1
    for frame in range(registers[NUM_FRAMES]):
        at = frame * FRAME_COLUMNS
        slot = mix(mix(frames[at], frames[at + 1]), frames[at + 2]) & mask
        while frame_hash[slot] >= 0:
            slot = (slot + 1) & mask
        frame_hash[slot] = frame
    mask = len(config_hash) - 1
    for config in range(1, registers[NUM_CONFIGS]):
        at = config * CONFIG_COLUMNS
        slot = hash_pairs(items, configs[at], configs[at + 1], configs[at + 2]) & mask
        while config_hash[slot] >= 0:
            slot = (slot + 1) & mask
        config_hash[slot] = config
    mask = len(seed_hash) - 1
    for seed_set in range(registers[NUM_SEED_SETS]):
        at = seed_set * SEED_COLUMNS
        slot = hash_pairs(seed_pairs, seed_sets[at], seed_sets[at + 1], 0) & mask
        while seed_hash[slot] >= 0:
            slot = (slot + 1) & mask
        seed_hash[slot] = seed_set
