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
each table, in the order of the constants below. A kernel that needs more room, a rule's body or an object's next state
returns a status other than OK; the caller serves the need and calls again. Everything done before stays valid.

Lazy determinisation is the method of Thompson's and Cox's matchers; stacks as hash-consed frames follow
graph-structured stacks (Tomita), without merging, since grammars here are nearly deterministic.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, njit, types
from numba.extending import intrinsic

from slipform.kernels.plain_text import COMPLETES, GOES_ON, is_plain_lead

# Kernels are typed by Numba; for other checkers an integer here is anything.
Int = Any

# Integers are widened to int64 where they leave a table, so that each kernel is compiled for one set of types.

OK = 0
NEED_ROOM = 1
NEED_RULE = 2
NEED_START = 3
NEED_ENTRY = 4
NEED_TEXT = 5
TOO_AMBIGUOUS = 6

LITERAL_BASE = 1 << 30
END_OF_LITERAL = 256
MAX_COUNT = 1 << 30
DEAD = 0
UNKNOWN = -1  # a successor not yet found
RESUME = np.int64(-1)
MAX_WORK = 1 << 16

(NEVER, EMPTY, LITERAL, LEAF, SEQ, ALT, REPEAT, RULE, MEMBERS, UNIQUE) = range(10)
NODE_COLUMNS = 6

# Columns of frames, configurations and seed sets.
FRAME_COLUMNS = 5  # parent, node, value, closure in which it was pushed, equivalent frame for masks or -1
CONFIG_COLUMNS = 4  # first item, number of items, accepting, row or -1
SEED_COLUMNS = 3  # first pair, number of pairs, configuration

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
    NUM_ROWS,
    CLOSURE_ID,
    ARGUMENT,
    RESUME_AT,
    NUM_WORK,
    NUM_OUT,
    ACCEPTING,
    WALKED,
    DEEPEST,
) = range(14)
NUM_REGISTERS = 16


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
    FRAMES,
    FRAME_HASH,
    ITEMS,  # pairs (state, frame)
    CONFIGS,
    CONFIG_HASH,
    SEED_PAIRS,  # pairs (state, frame)
    SEED_SETS,
    SEED_HASH,
    ROWS,  # 256 successors a row
    WORK,  # pairs (node or RESUME, frame) of the closure under way
    WORK_HASH,  # pairs (closure id, index into work)
    OUT,  # pairs: seeds, then items, of the step under way
    PATH,  # configuration per depth of the trie walk
) = range(31)
NUM_TABLES = 31


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """int64 address to a pointer to int32."""
    result = types.CPointer(types.int32)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(32).as_pointer())

    return result(types.int64), codegen


@njit(inline="always")
def _table(heap: Any, index: Int) -> Any:
    return carray(_pointer(heap[2 * index]), (heap[2 * index + 1],))


@njit(inline="always")
def _mix(a: Int, b: Int) -> Int:
    """A hash of two numbers, non-negative, below 2**31."""
    x = (np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F))
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x >> np.uint64(33)) & np.uint64(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def push_frame(heap: Any, parent: Int, node: Int, value: Int) -> Int:
    """The frame (parent, node, value), interned; -1 if there is no room. Marks it as pushed in this closure."""
    registers = _table(heap, REGISTERS)
    frames = _table(heap, FRAMES)
    frame_hash = _table(heap, FRAME_HASH)
    mask = len(frame_hash) - 1
    slot = _mix(_mix(parent, node), value) & mask
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
    frame_hash[slot] = frame
    registers[NUM_FRAMES] = frame + 1
    return frame


@njit(cache=True, nogil=True)
def _todo(heap: Any, operation: Int, frame: Int) -> Int:
    """Queue (operation, frame) unless this closure did it already."""
    registers = _table(heap, REGISTERS)
    work = _table(heap, WORK)
    work_hash = _table(heap, WORK_HASH)
    if frame < 0:
        return NEED_ROOM
    closure = registers[CLOSURE_ID]
    mask = (len(work_hash) >> 1) - 1
    slot = _mix(operation, frame) & mask
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
    registers = _table(heap, REGISTERS)
    out = _table(heap, OUT)
    count = registers[NUM_OUT]
    if 2 * count + 2 > len(out):
        return NEED_ROOM
    out[2 * count] = state
    out[2 * count + 1] = frame
    registers[NUM_OUT] = count + 1
    return OK


@njit(cache=True, nogil=True)
def _arrive(heap: Any, state: Int, frame: Int) -> Int:
    """A regular part has reached `state`: it goes on from there, and completes if the state accepts."""
    literals = _table(heap, LITERALS)
    leaf_first = _table(heap, LEAF_FIRST)
    leaf_flags = _table(heap, LEAF_FLAGS)
    if state >= LITERAL_BASE:
        if literals[state - LITERAL_BASE] == END_OF_LITERAL:
            return _todo(heap, RESUME, frame)
        return _emit(heap, state, frame)
    status = OK
    if leaf_first[state + 1] > leaf_first[state]:
        status = _emit(heap, state, frame)
    if status == OK and leaf_flags[state] & 1:
        status = _todo(heap, RESUME, frame)
    return status


@njit(inline="always")
def _begin_copy(heap: Any, node: Int, count: Int, parent: Int) -> Int:
    """Start copy number `count` (from 0) of the repetition `node`; the last possible one needs no frame."""
    nodes = _table(heap, NODES)
    at = node * NODE_COLUMNS
    maximum = nodes[at + 3]
    if maximum >= 0 and count + 1 >= maximum:
        return _todo(heap, np.int64(nodes[at + 1]), parent)
    return _todo(heap, np.int64(nodes[at + 1]), push_frame(heap, parent, node, 2 * count))


@njit(cache=True, nogil=True)
def _enter_place(heap: Any, node: Int, place: Int, parent: Int) -> Int:
    """Stand at `place` of the object `node`: end it, or begin one of the members that may come (after a separator)."""
    nodes = _table(heap, NODES)
    place_flags = _table(heap, PLACE_FLAGS)
    place_first = _table(heap, PLACE_FIRST)
    place_end = _table(heap, PLACE_END)
    flags = place_flags[place]
    status = OK
    if flags & 1:
        status = _todo(heap, RESUME, parent)
    if status != OK or place_first[place] == place_end[place]:
        return status
    if flags & 2:
        return _todo(heap, np.int64(nodes[node * NODE_COLUMNS + 2]), push_frame(heap, parent, node, 2 * place + 1))
    return _begin_members(heap, node, place, parent)


@njit(cache=True, nogil=True)
def _begin_members(heap: Any, node: Int, place: Int, parent: Int) -> Int:
    place_first = _table(heap, PLACE_FIRST)
    place_end = _table(heap, PLACE_END)
    entry_node = _table(heap, ENTRY_NODE)
    for entry in range(np.int64(place_first[place]), np.int64(place_end[place])):
        status = _todo(heap, np.int64(entry_node[entry]), push_frame(heap, parent, node, 2 * entry))
        if status != OK:
            return status
    return OK


@njit(cache=True, nogil=True)
def _enter_unique(heap: Any, node: Int, frame: Int) -> Int:
    """Begin the key of a unique extra; `frame` is that of its entry."""
    nodes = _table(heap, NODES)
    frames = _table(heap, FRAMES)
    entry_seen = _table(heap, ENTRY_SEEN)
    leaf_words = _table(heap, LEAF_WORDS)
    if frame < 0:
        return NEED_ROOM
    value = np.int64(entry_seen[frames[frame * FRAME_COLUMNS + 2] >> 1])
    if value <= UNKNOWN_BASE:
        start = nodes[nodes[node * NODE_COLUMNS + 1] * NODE_COLUMNS + 1]
        if leaf_words[start] <= _num_written(heap, value):
            return OK
    else:
        seen = value
        value = np.int64(push_frame(heap, np.int64(0), TEXTS, seen))
        if value < 0:
            return NEED_ROOM
        frames[value * FRAME_COLUMNS + 4] = seen
    return _todo(heap, np.int64(nodes[node * NODE_COLUMNS + 1]), push_frame(heap, frame, node, value))


@njit(cache=True, nogil=True)
def _seen_after(heap: Any, node: Int, byte: Int) -> Int:
    """The node of SEEN behind `byte`, or NO_TEXTS."""
    seen = _table(heap, SEEN)
    edges = _table(heap, SEEN_EDGES)
    if node >= 0:
        first = seen[node * SEEN_COLUMNS]
        for edge in range(first, first + seen[node * SEEN_COLUMNS + 1]):
            if edges[2 * edge] == byte:
                return np.int64(edges[2 * edge + 1])
    return np.int64(NO_TEXTS)


@njit(cache=True, nogil=True)
def _seen_of(heap: Any, value: Int) -> Int:
    """The node of SEEN that a unique key has reached, by its frame's value: NO_TEXTS if no written text begins so."""
    frames = _table(heap, FRAMES)
    if value >= 0:
        return np.int64(frames[value * FRAME_COLUMNS + 4])
    return np.int64(SEEN_BASE - value) if UNKNOWN_BASE < value <= SEEN_BASE else np.int64(NO_TEXTS)


@njit(cache=True, nogil=True)
def _num_written(heap: Any, value: Int) -> Int:
    """How many texts that begin like the unique key may be written already, by the value of the key's frame."""
    seen = _table(heap, SEEN)
    if value <= UNKNOWN_BASE:
        return UNKNOWN_BASE - value + 1
    reached = _seen_of(heap, value)
    return np.int64(seen[reached * SEEN_COLUMNS + 3]) if reached >= 0 else np.int64(0)


@njit(cache=True, nogil=True)
def _unique_frame_after(heap: Any, frame: Int, byte: Int) -> Int:
    """The frame of a unique key after one more byte; -1 if there is no room."""
    frames = _table(heap, FRAMES)
    at = frame * FRAME_COLUMNS
    value = np.int64(frames[at + 2])
    if value == NO_TEXTS or value <= UNKNOWN_BASE:
        return np.int64(frame)
    seen = _seen_after(heap, _seen_of(heap, value), byte)
    if value >= 0:
        value = np.int64(push_frame(heap, value, TEXT, byte))
        if value < 0:
            return np.int64(-1)
        frames[value * FRAME_COLUMNS + 4] = seen
    else:
        value = np.int64(NO_TEXTS) if seen < 0 else SEEN_BASE - seen
    return np.int64(push_frame(heap, np.int64(frames[at]), np.int64(frames[at + 1]), value))


@njit(cache=True, nogil=True)
def _resume_unique(heap: Any, frame: Int) -> Int:
    """A unique key is complete: refuse it if it was written before, else go on under an entry that knows its text."""
    registers = _table(heap, REGISTERS)
    nodes = _table(heap, NODES)
    frames = _table(heap, FRAMES)
    seen_table = _table(heap, SEEN)
    parent, node = np.int64(frames[frame * FRAME_COLUMNS]), np.int64(frames[frame * FRAME_COLUMNS + 1])
    value = np.int64(frames[frame * FRAME_COLUMNS + 2])
    seen = _seen_of(heap, value)
    if value <= UNKNOWN_BASE or (seen >= 0 and seen_table[seen * SEEN_COLUMNS + 2]):
        return OK
    rest = np.int64(nodes[node * NODE_COLUMNS + 2])
    if value < 0:
        return _todo(heap, rest, parent)
    at = parent * FRAME_COLUMNS
    entry = frames[at + 2] >> 1
    link = push_frame(heap, entry, WITH_TEXT, value)
    if link < 0:
        return NEED_ROOM
    if frames[link * FRAME_COLUMNS + 4] < 0:
        registers[ARGUMENT] = link
        return NEED_TEXT
    known = frames[link * FRAME_COLUMNS + 4]
    return _todo(heap, rest, push_frame(heap, np.int64(frames[at]), np.int64(frames[at + 1]), 2 * known))


@njit(cache=True, nogil=True)
def _enter(heap: Any, node: Int, frame: Int) -> Int:
    """Begin `node`, to return to `frame`."""
    registers = _table(heap, REGISTERS)
    nodes = _table(heap, NODES)
    kids = _table(heap, KIDS)
    at = node * NODE_COLUMNS
    kind = nodes[at]
    if kind == LITERAL:
        return _emit(heap, LITERAL_BASE + nodes[at + 1], frame)
    if kind == LEAF:
        return _arrive(heap, np.int64(nodes[at + 1]), frame)
    if kind == SEQ:
        return _todo(heap, np.int64(kids[nodes[at + 1]]), push_frame(heap, frame, node, np.int64(1)))
    if kind == EMPTY:
        return _todo(heap, RESUME, frame)
    if kind == ALT:
        for kid in range(nodes[at + 1], nodes[at + 1] + nodes[at + 2]):
            status = _todo(heap, np.int64(kids[kid]), frame)
            if status != OK:
                return status
        return OK
    if kind == REPEAT:
        status = OK
        if nodes[at + 2] == 0:
            status = _todo(heap, RESUME, frame)
        return status if status != OK else _begin_copy(heap, node, np.int64(0), frame)
    if kind == RULE:
        if nodes[at + 1] < 0:
            registers[ARGUMENT] = node
            return NEED_RULE
        return _todo(heap, np.int64(nodes[at + 1]), frame)
    if kind == MEMBERS:
        if nodes[at + 3] < 0:
            registers[ARGUMENT] = node
            return NEED_START
        return _enter_place(heap, node, np.int64(nodes[at + 3]), frame)
    if kind == UNIQUE:
        return _enter_unique(heap, node, frame)
    return OK  # NEVER


@njit(cache=True, nogil=True)
def _resume(heap: Any, frame: Int) -> Int:
    """What stood above `frame` is complete."""
    registers = _table(heap, REGISTERS)
    nodes = _table(heap, NODES)
    kids = _table(heap, KIDS)
    entry_next = _table(heap, ENTRY_NEXT)
    frames = _table(heap, FRAMES)
    if frame == 0:
        registers[ACCEPTING] = 1
        return OK
    at_frame = frame * FRAME_COLUMNS
    parent, node = np.int64(frames[at_frame]), np.int64(frames[at_frame + 1])
    value = np.int64(frames[at_frame + 2])
    at = node * NODE_COLUMNS
    kind = nodes[at]
    if kind == SEQ:
        kid = np.int64(kids[nodes[at + 1] + value])
        if value + 1 == nodes[at + 2]:
            return _todo(heap, kid, parent)
        return _todo(heap, kid, push_frame(heap, parent, node, value + 1))
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
            status = _todo(heap, RESUME, parent)
        if status != OK or (maximum >= 0 and count >= maximum):
            return status
        if separator >= 0:
            return _todo(heap, np.int64(separator), push_frame(heap, parent, node, 2 * count + 1))
        return _begin_copy(heap, node, count, parent)
    if kind == UNIQUE:
        return _resume_unique(heap, frame)
    # MEMBERS
    if value & 1:
        return _begin_members(heap, node, value >> 1, parent)
    entry = value >> 1
    if entry_next[entry] < 0:
        registers[ARGUMENT] = entry
        return NEED_ENTRY
    return _enter_place(heap, node, np.int64(entry_next[entry]), parent)


@njit(cache=True, nogil=True)
def _sort_pairs(pairs: Any, count: Int) -> Int:
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
def _same_pairs(left: Any, left_at: Int, right: Any, right_at: Int, count: Int) -> Any:
    i = 0
    while i < 2 * count and left[2 * left_at + i] == right[2 * right_at + i]:
        i += 1
    return i == 2 * count


@njit(inline="always")
def _hash_pairs(pairs: Any, count: Int, seed: Int) -> Int:
    value = np.int64(seed)
    for i in range(count):
        value = _mix(_mix(pairs[2 * i], pairs[2 * i + 1]), value)
    return value


@njit(cache=True, nogil=True)
def _intern_config(heap: Any, count: Int, accepting: Int) -> Int:
    """The configuration of the first `count` pairs of `out`; -1 if there is no room."""
    registers = _table(heap, REGISTERS)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
    config_hash = _table(heap, CONFIG_HASH)
    out = _table(heap, OUT)
    if count == 0 and accepting == 0:
        return DEAD
    mask = len(config_hash) - 1
    slot = _hash_pairs(out, count, accepting) & mask
    while config_hash[slot] >= 0:
        at = config_hash[slot] * CONFIG_COLUMNS
        if configs[at + 1] == count and configs[at + 2] == accepting and _same_pairs(items, configs[at], out, 0, count):
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
    config_hash[slot] = config
    registers[NUM_CONFIGS] = config + 1
    registers[NUM_ITEMS] = first + count
    return config


@njit(cache=True, nogil=True)
def _begin_closure(heap: Any) -> None:
    registers = _table(heap, REGISTERS)
    registers[CLOSURE_ID] += 1
    registers[NUM_WORK] = 0
    registers[NUM_OUT] = 0
    registers[ACCEPTING] = 0


@njit(cache=True, nogil=True)
def _finish_closure(heap: Any) -> Int:
    """Work off the queue and intern the configuration; its id goes to the ARGUMENT register."""
    registers = _table(heap, REGISTERS)
    work = _table(heap, WORK)
    out = _table(heap, OUT)
    done = 0
    while done < registers[NUM_WORK]:
        operation, frame = np.int64(work[2 * done]), np.int64(work[2 * done + 1])
        done += 1
        status = _resume(heap, frame) if operation == RESUME else _enter(heap, operation, frame)
        if status != OK:
            return status
    count = _sort_pairs(out, np.int64(registers[NUM_OUT]))
    config = _intern_config(heap, count, np.int64(registers[ACCEPTING]))
    if config < 0:
        return NEED_ROOM
    registers[ARGUMENT] = config
    return OK


@njit(cache=True, nogil=True)
def _close_seeds(heap: Any, count: Int) -> Int:
    """The configuration that the first `count` pairs of `out` lead to; its id goes to the ARGUMENT register."""
    registers = _table(heap, REGISTERS)
    seed_pairs = _table(heap, SEED_PAIRS)
    seed_sets = _table(heap, SEED_SETS)
    seed_hash = _table(heap, SEED_HASH)
    out = _table(heap, OUT)
    count = _sort_pairs(out, count)
    mask = len(seed_hash) - 1
    slot = _hash_pairs(out, count, 0) & mask
    while seed_hash[slot] >= 0:
        at = seed_hash[slot] * SEED_COLUMNS
        if seed_sets[at + 1] == count and _same_pairs(seed_pairs, seed_sets[at], out, 0, count):
            registers[ARGUMENT] = seed_sets[at + 2]
            return OK
        slot = (slot + 1) & mask
    first, seed_set = registers[NUM_SEED_PAIRS], registers[NUM_SEED_SETS]
    if 2 * (first + count) > len(seed_pairs) or (seed_set + 1) * SEED_COLUMNS > len(seed_sets):
        return NEED_ROOM
    for i in range(2 * count):
        seed_pairs[2 * first + i] = out[i]
    _begin_closure(heap)
    for i in range(first, first + count):
        status = _arrive(heap, np.int64(seed_pairs[2 * i]), np.int64(seed_pairs[2 * i + 1]))
        if status != OK:
            return status
    status = _finish_closure(heap)
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


@njit(cache=True, nogil=True)
def start_config(heap: Any, root: Int) -> Int:
    """The configuration before any byte, in the ARGUMENT register. Returns a status."""
    _begin_closure(heap)
    status = _todo(heap, root, np.int64(0))
    return status if status != OK else _finish_closure(heap)


@njit(cache=True, nogil=True)
def _find_successor(heap: Any, config: Int, byte: Int) -> Int:
    """The successor of `config` by `byte`, or -status. Stored for all bytes on which the items do the same."""
    registers = _table(heap, REGISTERS)
    literals = _table(heap, LITERALS)
    leaf_first = _table(heap, LEAF_FIRST)
    leaf_words = _table(heap, LEAF_WORDS)
    range_low = _table(heap, RANGE_LOW)
    range_high = _table(heap, RANGE_HIGH)
    range_target = _table(heap, RANGE_TARGET)
    nodes = _table(heap, NODES)
    frames = _table(heap, FRAMES)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
    rows = _table(heap, ROWS)
    out = _table(heap, OUT)
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
            frame = _unique_frame_after(heap, frame, byte)
            if frame < 0:
                return -NEED_ROOM
            if leaf_words[target] <= _num_written(heap, np.int64(frames[frame * FRAME_COLUMNS + 2])):
                continue  # all texts that begin so are written
        out[2 * seeds] = target
        out[2 * seeds + 1] = frame
        seeds += 1
    successor = np.int64(DEAD)
    if seeds:
        status = _close_seeds(heap, seeds)
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
    registers = _table(heap, REGISTERS)
    configs = _table(heap, CONFIGS)
    rows = _table(heap, ROWS)
    position = begin
    while position < end:
        row = configs[config * CONFIG_COLUMNS + 3]
        successor = np.int64(rows[256 * row + text[position]]) if row >= 0 else np.int64(UNKNOWN)
        if successor < 0:
            successor = np.int64(_find_successor(heap, config, np.int64(text[position])))
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
    configs = _table(heap, CONFIGS)
    rows = _table(heap, ROWS)
    for byte in range(256):
        row = configs[config * CONFIG_COLUMNS + 3]
        if row < 0 or rows[256 * row + byte] == UNKNOWN:
            successor = _find_successor(heap, config, np.int64(byte))
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
    registers = _table(heap, REGISTERS)
    configs = _table(heap, CONFIGS)
    rows = _table(heap, ROWS)
    path = _table(heap, PATH)
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
            successor = np.int64(_find_successor(heap, np.int64(here), np.int64(trie_byte[node])))
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
def _clamped(heap: Any, node: Int, value: Int, reach: Int) -> Any:
    """A count that allows the same texts of up to `reach` bytes: counts far from both bounds are alike."""
    nodes = _table(heap, NODES)
    at = node * NODE_COLUMNS
    if nodes[at] == UNIQUE and value >= 0:
        seen = _seen_of(heap, value)
        return np.int64(NO_TEXTS) if seen < 0 else SEEN_BASE - seen
    if nodes[at] != REPEAT:
        return np.int64(value)
    minimum, maximum = nodes[at + 2], nodes[at + 3]
    count = value >> 1
    if maximum >= 0 and count + reach >= maximum:
        return np.int64(value)
    if count >= minimum:
        count = minimum
    elif count + reach < minimum:
        count = 0
    return np.int64(2 * count + (value & 1))


@njit(cache=True, nogil=True)
def _frame_for_mask(heap: Any, frame: Int, reach: Int, keep: Int) -> Any:
    """The frame with all counts clamped; -1 if there is no room. With `keep`, answers are kept with the frames."""
    registers = _table(heap, REGISTERS)
    frames = _table(heap, FRAMES)
    work = _table(heap, WORK)
    # Up to the first frame whose answer is known, then down again, keeping the way in `work`.
    way = 0
    here = frame
    while here != 0 and (not keep or frames[here * FRAME_COLUMNS + 4] < 0):
        if way >= len(work):
            registers[NUM_WORK] = way >> 1
            return -1
        work[way] = here
        way += 1
        here = frames[here * FRAME_COLUMNS]
    known = np.int64(0) if here == 0 else np.int64(frames[here * FRAME_COLUMNS + 4])
    while way > 0:
        way -= 1
        here = work[way]
        node, value = np.int64(frames[here * FRAME_COLUMNS + 1]), np.int64(frames[here * FRAME_COLUMNS + 2])
        known = np.int64(push_frame(heap, known, node, _clamped(heap, node, value, reach)))
        if known < 0:
            return known
        if keep:
            frames[here * FRAME_COLUMNS + 4] = known
    return known


@njit(cache=True, nogil=True)
def config_for_mask(heap: Any, config: Int, reach: Int, keep: Int) -> Int:
    """A configuration with the same mask for tokens of up to `reach` bytes, in ARGUMENT.

    Counts that are further than `reach` copies from their bounds are replaced by one that stands for all of them, so
    that one mask serves them all. `keep` must go with one value of `reach` only. Returns a status.
    """
    registers = _table(heap, REGISTERS)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
    out = _table(heap, OUT)
    at = config * CONFIG_COLUMNS
    first, count, accepting = configs[at], configs[at + 1], configs[at + 2]
    if 2 * count > len(out):
        registers[NUM_OUT] = count
        return NEED_ROOM
    changed = False
    for i in range(count):
        frame = items[2 * (first + i) + 1]
        mapped = _frame_for_mask(heap, frame, reach, keep)
        if mapped < 0:
            return NEED_ROOM
        changed = changed or mapped != frame
        out[2 * i] = items[2 * (first + i)]
        out[2 * i + 1] = mapped
    registers[ARGUMENT] = config
    if changed:
        mapped = _intern_config(heap, _sort_pairs(out, np.int64(count)), np.int64(accepting))
        if mapped < 0:
            return NEED_ROOM
        registers[ARGUMENT] = mapped
    return OK


@njit(cache=True, nogil=True)
def _reads_plain(heap: Any, state: Int) -> Any:
    """Whether some plain character can begin at `state`."""
    literals = _table(heap, LITERALS)
    leaf_first = _table(heap, LEAF_FIRST)
    range_low = _table(heap, RANGE_LOW)
    range_high = _table(heap, RANGE_HIGH)
    if state >= LITERAL_BASE:
        return is_plain_lead(np.int64(literals[state - LITERAL_BASE]))
    for k in range(leaf_first[state], leaf_first[state + 1]):
        for byte in range(range_low[k], range_high[k] + 1):
            if is_plain_lead(byte):
                return True
    return False


@njit(cache=True, nogil=True)
def plain_room(heap: Any, config: Int, longest: Int) -> Int:
    """How many plain characters `config` takes, whatever they are, in ARGUMENT; at most `longest`. Returns a status.

    0: that cannot be said; n < longest: any n plain characters, and never more; longest: any number up to that.
    """
    registers = _table(heap, REGISTERS)
    nodes = _table(heap, NODES)
    leaf_flags = _table(heap, LEAF_FLAGS)
    frames = _table(heap, FRAMES)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    first, count = configs[at], configs[at + 1]
    registers[ARGUMENT] = 0
    loop = -1
    for i in range(first, first + count):
        state, frame = items[2 * i], items[2 * i + 1]
        if state >= LITERAL_BASE:
            continue
        flags = leaf_flags[state] >> 1
        if flags & GOES_ON:
            registers[ARGUMENT] = longest
            return OK
        node, value = frames[frame * FRAME_COLUMNS + 1], frames[frame * FRAME_COLUMNS + 2]
        in_copy = frame != 0 and nodes[node * NODE_COLUMNS] == REPEAT and value & 1 == 0
        if in_copy and flags & COMPLETES and nodes[node * NODE_COLUMNS + 4] < 0:
            loop = i
    if loop < 0:
        return OK
    frame = items[2 * loop + 1]
    parent, node = frames[frame * FRAME_COLUMNS], frames[frame * FRAME_COLUMNS + 1]
    maximum = nodes[node * NODE_COLUMNS + 3]
    room = maximum - (frames[frame * FRAME_COLUMNS + 2] >> 1)
    if maximum < 0 or room >= longest:
        registers[ARGUMENT] = longest
        return OK
    for i in range(first, first + count):
        if i != loop and _reads_plain(heap, items[2 * i]):
            return OK
    # What follows the loop must not read plain characters either, or longer tokens could run out of it.
    _begin_closure(heap)
    status = _todo(heap, RESUME, parent)
    if status == OK:
        status = _finish_closure(heap)
    if status != OK:
        return status
    at = registers[ARGUMENT] * CONFIG_COLUMNS
    registers[ARGUMENT] = 0
    for i in range(configs[at], configs[at] + configs[at + 1]):
        if _reads_plain(heap, items[2 * i]):
            return OK
    registers[ARGUMENT] = room
    return OK


@njit(cache=True, nogil=True)
def _only_byte(heap: Any, config: Int) -> Int:
    """The one byte that can follow, or -1 if there are several or none."""
    literals = _table(heap, LITERALS)
    leaf_first = _table(heap, LEAF_FIRST)
    range_low = _table(heap, RANGE_LOW)
    range_high = _table(heap, RANGE_HIGH)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
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
    registers = _table(heap, REGISTERS)
    configs = _table(heap, CONFIGS)
    rows = _table(heap, ROWS)
    status = np.int64(OK)
    while count < len(text) and configs[config * CONFIG_COLUMNS + 2] == 0:
        only = _only_byte(heap, config)
        if only < 0:
            break
        row = configs[config * CONFIG_COLUMNS + 3]
        successor = np.int64(rows[256 * row + only]) if row >= 0 else np.int64(UNKNOWN)
        if successor < 0:
            successor = np.int64(_find_successor(heap, config, np.int64(only)))
            if successor < 0:
                status = -successor
                break
        text[count] = only
        count += 1
        config = successor
    registers[WALKED] = config
    registers[RESUME_AT] = count
    return status


@njit(cache=True, nogil=True)
def rehash(heap: Any) -> None:
    """Refill the three hash tables (all -1) after they grew."""
    registers = _table(heap, REGISTERS)
    frames = _table(heap, FRAMES)
    frame_hash = _table(heap, FRAME_HASH)
    items = _table(heap, ITEMS)
    configs = _table(heap, CONFIGS)
    config_hash = _table(heap, CONFIG_HASH)
    seed_pairs = _table(heap, SEED_PAIRS)
    seed_sets = _table(heap, SEED_SETS)
    seed_hash = _table(heap, SEED_HASH)
    mask = len(frame_hash) - 1
    for frame in range(registers[NUM_FRAMES]):
        at = frame * FRAME_COLUMNS
        slot = _mix(_mix(frames[at], frames[at + 1]), frames[at + 2]) & mask
        while frame_hash[slot] >= 0:
            slot = (slot + 1) & mask
        frame_hash[slot] = frame
    mask = len(config_hash) - 1
    for config in range(1, registers[NUM_CONFIGS]):
        at = config * CONFIG_COLUMNS
        pairs = items[2 * configs[at] :]
        slot = _hash_pairs(pairs, configs[at + 1], configs[at + 2]) & mask
        while config_hash[slot] >= 0:
            slot = (slot + 1) & mask
        config_hash[slot] = config
    mask = len(seed_hash) - 1
    for seed_set in range(registers[NUM_SEED_SETS]):
        at = seed_set * SEED_COLUMNS
        pairs = seed_pairs[2 * seed_sets[at] :]
        slot = _hash_pairs(pairs, seed_sets[at + 1], 0) & mask
        while seed_hash[slot] >= 0:
            slot = (slot + 1) & mask
        seed_hash[slot] = seed_set
