"""Numba walks of a pushdown automaton over bytes, determinised on the fly.

Vocabulary of this file:

- a *program* is the tables of a grammar builder: nodes (languages) and leaf states (states of regular parts);
- a *frame* is an interned triple (parent frame, node, value): "when what is above completes, go on with `node`". The
  value is a position in a sequence, a count of a repetition, or a place in an object;
- an *item* is (leaf state, frame): one way to read the text so far. A leaf state from `LITERAL_BASE` on is a position
  in the pool of literals;
- a *configuration* is the sorted set of items after some text, interned; 0 is the dead one. Its row of 256 successors
  is computed when it is first left. So in the steady state one byte costs one array access, whatever the grammar.

Successors are found in three steps, each memoised: the bytes are cut into segments on which all items behave alike;
the items' direct successors on a segment are its *seeds*; the closure of the seeds (returning from completed nodes,
entering new ones) is the next configuration.

All tables are flat int32 arrays owned by the caller. Kernels receive one int64 array, `heap`: the address and length of
each table in the order of `Machine`. A kernel that needs more room, a rule's body or an object's next state returns a
status other than OK; the caller serves the need and calls again. Everything done before stays valid.

Lazy determinisation is the method of Thompson's and Cox's matchers; stacks as hash-consed frames follow
graph-structured stacks (Tomita), without merging, since grammars here are nearly deterministic.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, njit, types
from numba.extending import intrinsic

# Kernels are typed by Numba; for other checkers an integer here is anything.
Int = Any

OK = 0
NEED_ROOM = 1
NEED_RULE = 2
NEED_START = 3
NEED_ENTRY = 4
TOO_AMBIGUOUS = 5

LITERAL_BASE = 1 << 30
END_OF_LITERAL = 256
DEAD = 0
RESUME = -1
MAX_WORK = 1 << 16

(NEVER, EMPTY, LITERAL, LEAF, SEQ, ALT, REPEAT, RULE, MEMBERS) = range(9)
NODE_COLUMNS = 6

# Columns of frames, configurations and seed sets.
FRAME_COLUMNS = 4  # parent, node, value, closure in which it was pushed
CONFIG_COLUMNS = 4  # first item, number of items, accepting, row or -1
SEED_COLUMNS = 3  # first pair, number of pairs, configuration

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
) = range(13)
NUM_REGISTERS = 16


class Machine(NamedTuple):
    """The tables of one automaton; each a flat int32 array. Capacities are lengths; counts are in `registers`."""

    registers: Any
    nodes: Any
    kids: Any
    literals: Any
    leaf_first: Any
    leaf_accepting: Any
    range_low: Any
    range_high: Any
    range_target: Any
    place_flags: Any  # an object's place: bit 0 may end here, bit 1 a member stands before
    place_first: Any  # entries of place p: place_first[p] : place_first[p + 1]
    entry_node: Any
    entry_next: Any  # place after the entry, or -1
    frames: Any
    frame_hash: Any
    items: Any  # pairs (state, frame)
    configs: Any
    config_hash: Any
    seed_pairs: Any  # pairs (state, frame)
    seed_sets: Any
    seed_hash: Any
    rows: Any  # 256 successors a row
    work: Any  # pairs (node or RESUME, frame) of the closure under way
    work_hash: Any  # pairs (closure id, index into work)
    out: Any  # pairs: seeds, then items, of the step under way
    cut: Any  # 257 segment borders, then one range cursor per item
    path: Any  # configuration per depth of the trie walk


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


@njit(cache=True, nogil=True)
def open_machine(heap: Any) -> Machine:
    """The tables behind `heap`."""
    return Machine(
        _table(heap, 0), _table(heap, 1), _table(heap, 2), _table(heap, 3), _table(heap, 4), _table(heap, 5),
        _table(heap, 6), _table(heap, 7), _table(heap, 8), _table(heap, 9), _table(heap, 10), _table(heap, 11),
        _table(heap, 12), _table(heap, 13), _table(heap, 14), _table(heap, 15), _table(heap, 16), _table(heap, 17),
        _table(heap, 18), _table(heap, 19), _table(heap, 20), _table(heap, 21), _table(heap, 22), _table(heap, 23),
        _table(heap, 24), _table(heap, 25), _table(heap, 26),
    )  # fmt: skip


@njit(inline="always")
def _mix(a: Int, b: Int) -> Int:
    """A hash of two numbers, non-negative, below 2**31."""
    x = (np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F))
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x >> np.uint64(33)) & np.uint64(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def push_frame(m: Machine, parent: Int, node: Int, value: Int) -> Int:
    """The frame (parent, node, value), interned; -1 if there is no room. Marks it as pushed in this closure."""
    frames, table, registers = m.frames, m.frame_hash, m.registers
    mask = len(table) - 1
    slot = _mix(_mix(parent, node), value) & mask
    while table[slot] >= 0:
        frame = table[slot]
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
    table[slot] = frame
    registers[NUM_FRAMES] = frame + 1
    return frame


@njit(cache=True, nogil=True)
def _todo(m: Machine, operation: Int, frame: Int) -> Int:
    """Queue (operation, frame) unless this closure did it already."""
    if frame < 0:
        return NEED_ROOM
    registers, work, table = m.registers, m.work, m.work_hash
    closure = registers[CLOSURE_ID]
    mask = (len(table) >> 1) - 1
    slot = _mix(operation, frame) & mask
    while table[2 * slot] == closure:
        at = 2 * table[2 * slot + 1]
        if work[at] == operation and work[at + 1] == frame:
            return OK
        slot = (slot + 1) & mask
    count = registers[NUM_WORK]
    if count >= MAX_WORK:
        return TOO_AMBIGUOUS
    if 2 * count + 2 > len(work) or 4 * count > len(table):
        return NEED_ROOM
    work[2 * count] = operation
    work[2 * count + 1] = frame
    table[2 * slot] = closure
    table[2 * slot + 1] = count
    registers[NUM_WORK] = count + 1
    return OK


@njit(inline="always")
def _emit(m: Machine, state: Int, frame: Int) -> Int:
    count = m.registers[NUM_OUT]
    if 2 * count + 2 > len(m.out):
        return NEED_ROOM
    m.out[2 * count] = state
    m.out[2 * count + 1] = frame
    m.registers[NUM_OUT] = count + 1
    return OK


@njit(cache=True, nogil=True)
def _arrive(m: Machine, state: Int, frame: Int) -> Int:
    """A regular part has reached `state`: it goes on from there, and completes if the state accepts."""
    if state >= LITERAL_BASE:
        if m.literals[state - LITERAL_BASE] == END_OF_LITERAL:
            return _todo(m, RESUME, frame)
        return _emit(m, state, frame)
    status = OK
    if m.leaf_first[state + 1] > m.leaf_first[state]:
        status = _emit(m, state, frame)
    if status == OK and m.leaf_accepting[state]:
        status = _todo(m, RESUME, frame)
    return status


@njit(inline="always")
def _begin_copy(m: Machine, node: Int, count: Int, parent: Int) -> Int:
    """Start copy number `count` (from 0) of the repetition `node`; the last possible one needs no frame."""
    at = node * NODE_COLUMNS
    maximum = m.nodes[at + 3]
    if maximum >= 0 and count + 1 >= maximum:
        return _todo(m, m.nodes[at + 1], parent)
    return _todo(m, m.nodes[at + 1], push_frame(m, parent, node, 2 * count))


@njit(cache=True, nogil=True)
def _enter_place(m: Machine, node: Int, place: Int, parent: Int) -> Int:
    """Stand at `place` of the object `node`: end it, or begin one of the members that may come (after a separator)."""
    flags = m.place_flags[place]
    status = OK
    if flags & 1:
        status = _todo(m, RESUME, parent)
    if status != OK or m.place_first[place] == m.place_first[place + 1]:
        return status
    if flags & 2:
        return _todo(m, m.nodes[node * NODE_COLUMNS + 2], push_frame(m, parent, node, 2 * place + 1))
    return _begin_members(m, node, place, parent)


@njit(cache=True, nogil=True)
def _begin_members(m: Machine, node: Int, place: Int, parent: Int) -> Int:
    for entry in range(m.place_first[place], m.place_first[place + 1]):
        status = _todo(m, m.entry_node[entry], push_frame(m, parent, node, 2 * entry))
        if status != OK:
            return status
    return OK


@njit(cache=True, nogil=True)
def _enter(m: Machine, node: Int, frame: Int) -> Int:
    """Begin `node`, to return to `frame`."""
    at = node * NODE_COLUMNS
    nodes = m.nodes
    kind = nodes[at]
    if kind == LITERAL:
        return _emit(m, LITERAL_BASE + nodes[at + 1], frame)
    if kind == LEAF:
        return _arrive(m, nodes[at + 1], frame)
    if kind == SEQ:
        return _todo(m, m.kids[nodes[at + 1]], push_frame(m, frame, node, 1))
    if kind == EMPTY:
        return _todo(m, RESUME, frame)
    if kind == ALT:
        for kid in range(nodes[at + 1], nodes[at + 1] + nodes[at + 2]):
            status = _todo(m, m.kids[kid], frame)
            if status != OK:
                return status
        return OK
    if kind == REPEAT:
        status = OK
        if nodes[at + 2] == 0:
            status = _todo(m, RESUME, frame)
        return status if status != OK else _begin_copy(m, node, 0, frame)
    if kind == RULE:
        if nodes[at + 1] < 0:
            m.registers[ARGUMENT] = node
            return NEED_RULE
        return _todo(m, nodes[at + 1], frame)
    if kind == MEMBERS:
        if nodes[at + 3] < 0:
            m.registers[ARGUMENT] = node
            return NEED_START
        return _enter_place(m, node, nodes[at + 3], frame)
    return OK  # NEVER


@njit(cache=True, nogil=True)
def _resume(m: Machine, frame: Int) -> Int:
    """What stood above `frame` is complete."""
    if frame == 0:
        m.registers[ACCEPTING] = 1
        return OK
    at_frame = frame * FRAME_COLUMNS
    parent, node, value = m.frames[at_frame], m.frames[at_frame + 1], m.frames[at_frame + 2]
    at = node * NODE_COLUMNS
    nodes = m.nodes
    kind = nodes[at]
    if kind == SEQ:
        kid = m.kids[nodes[at + 1] + value]
        if value + 1 == nodes[at + 2]:
            return _todo(m, kid, parent)
        return _todo(m, kid, push_frame(m, parent, node, value + 1))
    if kind == REPEAT:
        count = value >> 1
        if value & 1:
            return _begin_copy(m, node, count, parent)
        separator = nodes[at + 4]
        pushed_here = m.frames[at_frame + 3] == m.registers[CLOSURE_ID]
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
            status = _todo(m, RESUME, parent)
        if status != OK or (maximum >= 0 and count >= maximum):
            return status
        if separator >= 0:
            return _todo(m, separator, push_frame(m, parent, node, 2 * count + 1))
        return _begin_copy(m, node, count, parent)
    # MEMBERS
    if value & 1:
        return _begin_members(m, node, value >> 1, parent)
    entry = value >> 1
    if m.entry_next[entry] < 0:
        m.registers[ARGUMENT] = entry
        return NEED_ENTRY
    return _enter_place(m, node, m.entry_next[entry], parent)


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
def _intern_config(m: Machine, count: Int, accepting: Int) -> Int:
    """The configuration of the first `count` pairs of `out`; -1 if there is no room."""
    registers, configs, table = m.registers, m.configs, m.config_hash
    if count == 0 and accepting == 0:
        return DEAD
    mask = len(table) - 1
    slot = _hash_pairs(m.out, count, accepting) & mask
    while table[slot] >= 0:
        at = table[slot] * CONFIG_COLUMNS
        if (
            configs[at + 1] == count
            and configs[at + 2] == accepting
            and _same_pairs(m.items, configs[at], m.out, 0, count)
        ):
            return table[slot]
        slot = (slot + 1) & mask
    config, first = registers[NUM_CONFIGS], registers[NUM_ITEMS]
    if (config + 1) * CONFIG_COLUMNS > len(configs) or 2 * (first + count) > len(m.items):
        return -1
    for i in range(2 * count):
        m.items[2 * first + i] = m.out[i]
    at = config * CONFIG_COLUMNS
    configs[at] = first
    configs[at + 1] = count
    configs[at + 2] = accepting
    configs[at + 3] = -1
    table[slot] = config
    registers[NUM_CONFIGS] = config + 1
    registers[NUM_ITEMS] = first + count
    return config


@njit(cache=True, nogil=True)
def _begin_closure(m: Machine) -> None:
    m.registers[CLOSURE_ID] += 1
    m.registers[NUM_WORK] = 0
    m.registers[NUM_OUT] = 0
    m.registers[ACCEPTING] = 0


@njit(cache=True, nogil=True)
def _finish_closure(m: Machine) -> Int:
    """Work off the queue and intern the configuration; its id goes to the ARGUMENT register."""
    done = 0
    while done < m.registers[NUM_WORK]:
        operation, frame = m.work[2 * done], m.work[2 * done + 1]
        done += 1
        status = _resume(m, frame) if operation == RESUME else _enter(m, operation, frame)
        if status != OK:
            return status
    count = _sort_pairs(m.out, m.registers[NUM_OUT])
    config = _intern_config(m, count, m.registers[ACCEPTING])
    if config < 0:
        return NEED_ROOM
    m.registers[ARGUMENT] = config
    return OK


@njit(cache=True, nogil=True)
def _close_seeds(m: Machine, count: Int) -> Int:
    """The configuration that the first `count` pairs of `out` lead to; its id goes to the ARGUMENT register."""
    registers = m.registers
    count = _sort_pairs(m.out, count)
    table = m.seed_hash
    mask = len(table) - 1
    slot = _hash_pairs(m.out, count, 0) & mask
    while table[slot] >= 0:
        at = table[slot] * SEED_COLUMNS
        if m.seed_sets[at + 1] == count and _same_pairs(m.seed_pairs, m.seed_sets[at], m.out, 0, count):
            registers[ARGUMENT] = m.seed_sets[at + 2]
            return OK
        slot = (slot + 1) & mask
    first, seed_set = registers[NUM_SEED_PAIRS], registers[NUM_SEED_SETS]
    if 2 * (first + count) > len(m.seed_pairs) or (seed_set + 1) * SEED_COLUMNS > len(m.seed_sets):
        return NEED_ROOM
    for i in range(2 * count):
        m.seed_pairs[2 * first + i] = m.out[i]
    _begin_closure(m)
    for i in range(first, first + count):
        status = _arrive(m, m.seed_pairs[2 * i], m.seed_pairs[2 * i + 1])
        if status != OK:
            return status
    status = _finish_closure(m)
    if status != OK:
        return status
    at = seed_set * SEED_COLUMNS
    m.seed_sets[at] = first
    m.seed_sets[at + 1] = count
    m.seed_sets[at + 2] = registers[ARGUMENT]
    table[slot] = seed_set
    registers[NUM_SEED_PAIRS] = first + count
    registers[NUM_SEED_SETS] = seed_set + 1
    return OK


@njit(cache=True, nogil=True)
def start_config(heap: Any, root: Int) -> Int:
    """The configuration before any byte, in the ARGUMENT register. Returns a status."""
    m = open_machine(heap)
    _begin_closure(m)
    status = _todo(m, root, 0)
    return status if status != OK else _finish_closure(m)


@njit(cache=True, nogil=True)
def _expand(m: Machine, config: Int) -> Int:
    """Compute the row of `config`."""
    registers, cut, rows = m.registers, m.cut, m.rows
    row = registers[NUM_ROWS]
    if 256 * (row + 1) > len(rows):
        return NEED_ROOM
    at = config * CONFIG_COLUMNS
    first, count = m.configs[at], m.configs[at + 1]
    if 257 + count > len(cut):
        return NEED_ROOM
    for byte in range(257):
        cut[byte] = 0
    for i in range(count):
        state = m.items[2 * (first + i)]
        if state >= LITERAL_BASE:
            byte = m.literals[state - LITERAL_BASE]
            cut[byte] = 1
            cut[byte + 1] = 1
        else:
            cut[257 + i] = m.leaf_first[state]
            for k in range(m.leaf_first[state], m.leaf_first[state + 1]):
                cut[m.range_low[k]] = 1
                cut[m.range_high[k] + 1] = 1
    base = 256 * row
    low = 0
    while low < 256:
        high = low + 1
        while high < 256 and cut[high] == 0:
            high += 1
        seeds = 0
        for i in range(count):
            state, frame = m.items[2 * (first + i)], m.items[2 * (first + i) + 1]
            if state >= LITERAL_BASE:
                if m.literals[state - LITERAL_BASE] != low:
                    continue
                target = state + 1
            else:
                k = cut[257 + i]
                end = m.leaf_first[state + 1]
                while k < end and m.range_high[k] < low:
                    k += 1
                cut[257 + i] = k
                if k == end or m.range_low[k] > low:
                    continue
                target = m.range_target[k]
            if 2 * seeds + 2 > len(m.out):
                return NEED_ROOM
            m.out[2 * seeds] = target
            m.out[2 * seeds + 1] = frame
            seeds += 1
        successor = DEAD
        if seeds:
            status = _close_seeds(m, seeds)
            if status != OK:
                return status
            successor = registers[ARGUMENT]
        for byte in range(low, high):
            rows[base + byte] = successor
        low = high
    registers[NUM_ROWS] = row + 1
    m.configs[at + 3] = row
    return OK


@njit(cache=True, nogil=True)
def advance(heap: Any, config: Int, text: Any, begin: Int, end: Int) -> Int:
    """Follow text[begin:end] from `config`. Returns a status.

    RESUME_AT holds the position reached, WALKED the configuration there; the position is `end`, or that of the first
    byte that leads nowhere (then the configuration is the one before it). After a need was served, call again from
    there.
    """
    m = open_machine(heap)
    registers = m.registers
    position = begin
    while position < end:
        row = m.configs[config * CONFIG_COLUMNS + 3]
        if row < 0:
            status = _expand(m, config)
            if status != OK:
                registers[RESUME_AT] = position
                registers[WALKED] = config
                return status
            row = m.configs[config * CONFIG_COLUMNS + 3]
        successor = m.rows[256 * row + text[position]]
        if successor == DEAD:
            break
        config = successor
        position += 1
    registers[RESUME_AT] = position
    registers[WALKED] = config
    return OK


@njit(cache=True, nogil=True)
def expand(heap: Any, config: Int) -> Int:
    """Make sure that `config` has its row. Returns a status."""
    m = open_machine(heap)
    return OK if m.configs[config * CONFIG_COLUMNS + 3] >= 0 else _expand(m, config)


@njit(cache=True, nogil=True)
def walk_mask(
    heap: Any, config: Int, at: Int, trie_byte: Any, trie_depth: Any, trie_skip: Any, token_first: Any, tokens: Any,
    mask: Any,
) -> Int:  # fmt: skip
    """Set in `mask` the bit of every token that `config` can read, from trie node `at` on. Returns a status.

    Trie nodes are in depth-first order; `trie_skip[i]` is the node behind i's subtree, and the tokens that end at node
    i are tokens[token_first[i] : token_first[i + 1]]. After a need was served, call again with the RESUME_AT register.
    """
    m = open_machine(heap)
    registers, path, rows, configs = m.registers, m.path, m.rows, m.configs
    path[0] = config
    node = at
    size = len(trie_byte)
    while node < size:
        depth = trie_depth[node]
        here = path[depth - 1]
        row = configs[here * CONFIG_COLUMNS + 3]
        if row < 0:
            status = _expand(m, here)
            if status != OK:
                registers[RESUME_AT] = node
                return status
            row = configs[here * CONFIG_COLUMNS + 3]
        successor = rows[256 * row + trie_byte[node]]
        if successor == DEAD:
            node = trie_skip[node]
            continue
        path[depth] = successor
        for k in range(token_first[node], token_first[node + 1]):
            token = tokens[k]
            mask[token >> 5] |= np.int32(1) << np.int32(token & 31)
        node += 1
    return OK


@njit(cache=True, nogil=True)
def forced_bytes(heap: Any, config: Int, out: Any, count: Int) -> Int:
    """Follow `config` while it is not accepting and has one successor byte only; the bytes go to out[count:].

    Returns a status; WALKED holds the configuration reached and RESUME_AT the number of bytes in `out`. Call again with
    both after a need was served, and with a larger `out` when it is full.
    """
    m = open_machine(heap)
    registers = m.registers
    status = OK
    while count < len(out) and m.configs[config * CONFIG_COLUMNS + 2] == 0:
        if m.configs[config * CONFIG_COLUMNS + 3] < 0:
            status = _expand(m, config)
            if status != OK:
                break
        base = 256 * m.configs[config * CONFIG_COLUMNS + 3]
        only = -1
        for byte in range(256):
            if m.rows[base + byte] != DEAD:
                if only >= 0:
                    only = -1
                    break
                only = byte
        if only < 0:
            break
        out[count] = only
        count += 1
        config = m.rows[base + only]
    registers[WALKED] = config
    registers[RESUME_AT] = count
    return status


@njit(cache=True, nogil=True)
def rehash(heap: Any) -> None:
    """Refill the three hash tables (all -1) after they grew."""
    m = open_machine(heap)
    mask = len(m.frame_hash) - 1
    for frame in range(m.registers[NUM_FRAMES]):
        at = frame * FRAME_COLUMNS
        slot = _mix(_mix(m.frames[at], m.frames[at + 1]), m.frames[at + 2]) & mask
        while m.frame_hash[slot] >= 0:
            slot = (slot + 1) & mask
        m.frame_hash[slot] = frame
    mask = len(m.config_hash) - 1
    for config in range(1, m.registers[NUM_CONFIGS]):
        at = config * CONFIG_COLUMNS
        pairs = m.items[2 * m.configs[at] :]
        slot = _hash_pairs(pairs, m.configs[at + 1], m.configs[at + 2]) & mask
        while m.config_hash[slot] >= 0:
            slot = (slot + 1) & mask
        m.config_hash[slot] = config
    mask = len(m.seed_hash) - 1
    for seed_set in range(m.registers[NUM_SEED_SETS]):
        at = seed_set * SEED_COLUMNS
        pairs = m.seed_pairs[2 * m.seed_sets[at] :]
        slot = _hash_pairs(pairs, m.seed_sets[at + 1], 0) & mask
        while m.seed_hash[slot] >= 0:
            slot = (slot + 1) & mask
        m.seed_hash[slot] = seed_set
