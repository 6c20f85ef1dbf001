"""Numba walks over a token trie that find which tokens can be read: by a configuration, or by one regular part.

What is found goes to FOUND, token by token, from register NUM_FOUND on. A walk that needs something returns a status
other than OK; see `slipform.kernels.pushdown`.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.kernels.int32_tables import Int, inner, kernel, table
from slipform.kernels.pushdown import known_successor, successor_range
from slipform.kernels.pushdown_steps import close, find_successor
from slipform.kernels.pushdown_tables import (
    ARGUMENT,
    CONFIG_COLUMNS,
    CONFIGS,
    DEAD,
    DEEPEST,
    END_OF_LITERAL,
    FOUND,
    FRAME_COLUMNS,
    FRAMES,
    LEAF_FIRST,
    LEAF_FLAGS,
    LEAF_PATH,
    LITERAL_BASE,
    LITERALS,
    LOST,
    NEED_LONGER_LIST,
    NEED_WALK,
    NODES_LEFT,
    NUM_FOUND,
    NUM_LOST,
    OK,
    OTHER_PATH,
    PATH,
    RANGE_HIGH,
    RANGE_LOW,
    RANGE_TARGET,
    REGISTERS,
    RESUME,
    WALK_AT,
)
from slipform.kernels.vocabulary_tables import BYTE, DEPTH, EXIT_FIRST, EXITS, OTHERS, ROOTS, SKIP, TOKEN_FIRST, TOKENS


@inner
def walk_subtree(heap: Any, vocabulary: Any, trie: Int, config: Int, begin: Int, end: Int) -> Int:
    """Find the tokens that end at nodes begin:end of a trie, siblings with their subtrees, read on from `config`.

    WALK_AT holds the node at which a need arose; PATH keeps the configurations on the way there.
    """
    registers = table(heap, REGISTERS)
    path = table(heap, PATH)
    found = table(heap, FOUND)
    trie_byte = table(vocabulary, trie + BYTE)
    trie_depth = table(vocabulary, trie + DEPTH)
    trie_skip = table(vocabulary, trie + SKIP)
    token_first = table(vocabulary, trie + TOKEN_FIRST)
    tokens = table(vocabulary, trie + TOKENS)
    if begin >= end:
        return OK
    node = begin
    if config >= 0:
        path[trie_depth[node] - 1] = config
    count = registers[NUM_FOUND]
    deepest = registers[DEEPEST]
    nodes_left = registers[NODES_LEFT]
    while node < end:
        nodes_left -= 1
        if nodes_left < 0:
            registers[WALK_AT] = node
            registers[NUM_FOUND] = count
            registers[DEEPEST] = deepest
            return NEED_WALK
        depth = trie_depth[node]
        here = path[depth - 1]
        successor = known_successor(heap, here, trie_byte[node])
        if successor < 0:
            successor = find_successor(heap, here, trie_byte[node])
            if successor < 0:
                registers[WALK_AT] = node
                registers[NUM_FOUND] = count
                registers[DEEPEST] = deepest
                return -successor
        if successor == DEAD:
            node = trie_skip[node]
            continue
        path[depth] = successor
        deepest = max(deepest, depth)
        first, last = token_first[node], token_first[node + 1]
        if count + last - first > len(found):
            registers[WALK_AT] = node
            registers[NUM_FOUND] = count
            registers[DEEPEST] = deepest
            return NEED_LONGER_LIST
        for k in range(first, last):
            found[count] = tokens[k]
            count += 1
        node += 1
    registers[NUM_FOUND] = count
    registers[DEEPEST] = deepest
    registers[NODES_LEFT] = nodes_left
    return OK


@inner
def walk_trie(heap: Any, vocabulary: Any, trie: Int, config: Int, at: Int) -> Int:
    """Find all tokens of a trie that `config` can read. After a need, call again with `at` = WALK_AT."""
    registers = table(heap, REGISTERS)
    roots = table(vocabulary, trie + ROOTS)
    trie_skip = table(vocabulary, trie + SKIP)
    byte = np.int64(0)
    done = at
    while byte < 256:
        successor, last = successor_range(heap, config, byte)
        if successor < 0:
            registers[WALK_AT] = done
            return -successor
        if successor == DEAD:
            byte = last + 1
            continue
        for root_byte in range(byte, last + 1):
            node = roots[root_byte]
            if node < 0 or trie_skip[node] <= at:
                continue
            begin, start = node, config
            if at > node:  # the rest of a subtree: PATH holds the way there
                begin, start = at, -1
            status = walk_subtree(heap, vocabulary, trie, start, begin, trie_skip[node])
            if status != OK:
                return status
            done = trie_skip[node]
        byte = last + 1
    registers[WALK_AT] = len(trie_skip)
    return OK


@inner
def leaf_after(heap: Any, state: Int, byte: Int) -> Int:
    """The state of a regular part behind `byte`, -1 if there is none."""
    if state < 0:
        return -1
    if state >= LITERAL_BASE:
        literals = table(heap, LITERALS)
        return state + 1 if literals[state - LITERAL_BASE] == byte else -1
    leaf_first = table(heap, LEAF_FIRST)
    range_high = table(heap, RANGE_HIGH)
    k, end = leaf_first[state], leaf_first[state + 1]
    while k < end and range_high[k] < byte:
        k += 1
    range_low = table(heap, RANGE_LOW)
    if k == end or range_low[k] > byte:
        return -1
    range_target = table(heap, RANGE_TARGET)
    return range_target[k]


@inner
def may_complete(heap: Any, state: Int) -> Any:
    """Whether a regular part may be complete in `state`."""
    if state < 0:
        return False
    if state >= LITERAL_BASE:
        literals = table(heap, LITERALS)
        return literals[state - LITERAL_BASE] == END_OF_LITERAL
    leaf_flags = table(heap, LEAF_FLAGS)
    return leaf_flags[state] & 1 == 1


@inner
def config_after_leaf(heap: Any, frame: Int) -> Int:
    """The configuration after a regular part over `frame` is complete, in ARGUMENT. Returns a status."""
    registers = table(heap, REGISTERS)
    frames = table(heap, FRAMES)
    known = frames[frame * FRAME_COLUMNS + 5]
    if known >= 0:
        registers[ARGUMENT] = known
        return OK
    after = close(heap, RESUME, frame)
    if after < 0:
        return -after
    frames[frame * FRAME_COLUMNS + 5] = after
    registers[ARGUMENT] = after
    return OK


@inner
def walk_exit(heap: Any, vocabulary: Any, node: Int, frame: Int) -> Int:
    """Find the tokens of OTHERS below `node`, where a regular part over `frame` is complete. Returns a status."""
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    skip = table(vocabulary, OTHERS + SKIP)
    if skip[node] == node + 1:
        return OK
    status = config_after_leaf(heap, frame)
    if status != OK:
        return status
    config = registers[ARGUMENT]
    if configs[config * CONFIG_COLUMNS + 1] == 0:
        return OK
    return walk_subtree(heap, vocabulary, OTHERS, config, node + 1, skip[node])


@inner
def walk_exits(heap: Any, vocabulary: Any, base: Int, frame: Int) -> Int:
    """Find the tokens that complete the part of base row `base`, over `frame`, and go on. Returns a status."""
    registers = table(heap, REGISTERS)
    configs = table(heap, CONFIGS)
    exit_first = table(vocabulary, EXIT_FIRST)
    status = config_after_leaf(heap, frame)
    if status != OK:
        return status
    config = registers[ARGUMENT]
    if configs[config * CONFIG_COLUMNS + 1] == 0:
        return OK
    return walk_subtree(heap, vocabulary, EXITS, config, exit_first[base], exit_first[base + 1])


@njit(inline="always")
def add_tokens(heap: Any, vocabulary: Any, list_table: Int, counter: Int, begin: Int, end: Int) -> Int:
    """Append tokens begin:end of OTHERS to the list FOUND or LOST. Returns a status."""
    registers = table(heap, REGISTERS)
    listed = table(heap, list_table)
    tokens = table(vocabulary, OTHERS + TOKENS)
    count = registers[counter]
    if count + end - begin > len(listed):
        return NEED_LONGER_LIST
    for k in range(begin, end):
        listed[count] = tokens[k]
        count += 1
    registers[counter] = count
    return OK


@inner
def _walk_leaf_from(heap: Any, vocabulary: Any, root: Int, state: Int, frame: Int) -> Int:
    """`walk_leaf` in the subtree of `root`, behind whose byte the part is in `state`."""
    path = table(heap, LEAF_PATH)
    trie_byte = table(vocabulary, OTHERS + BYTE)
    trie_depth = table(vocabulary, OTHERS + DEPTH)
    trie_skip = table(vocabulary, OTHERS + SKIP)
    token_first = table(vocabulary, OTHERS + TOKEN_FIRST)
    node, end = root, trie_skip[root]
    while node < end:
        depth = trie_depth[node]
        here = state
        if node != root:
            here = leaf_after(heap, path[depth - 1], trie_byte[node])
        if here < 0:
            node = trie_skip[node]
            continue
        path[depth] = here
        status = add_tokens(heap, vocabulary, FOUND, NUM_FOUND, token_first[node], token_first[node + 1])
        if status == OK and may_complete(heap, here):
            status = walk_exit(heap, vocabulary, node, frame)
        if status != OK:
            return status
        node += 1
    return OK


@inner
def walk_leaf(heap: Any, vocabulary: Any, state: Int, frame: Int) -> Int:
    """Find the tokens of OTHERS that one item can read. Returns a status."""
    roots = table(vocabulary, OTHERS + ROOTS)
    if state >= LITERAL_BASE:
        literals = table(heap, LITERALS)
        node = roots[literals[state - LITERAL_BASE]]
        return _walk_leaf_from(heap, vocabulary, node, state + 1, frame) if node >= 0 else OK
    leaf_first = table(heap, LEAF_FIRST)
    range_low = table(heap, RANGE_LOW)
    range_high = table(heap, RANGE_HIGH)
    range_target = table(heap, RANGE_TARGET)
    for k in range(leaf_first[state], leaf_first[state + 1]):
        for byte in range(range_low[k], range_high[k] + 1):
            if roots[byte] >= 0:
                node = roots[byte]
                status = _walk_leaf_from(heap, vocabulary, node, range_target[k], frame)
                if status != OK:
                    return status
    return OK


@inner
def _walk_difference_from(heap: Any, vocabulary: Any, root: Int, state: Int, other: Int, frame: Int) -> Int:
    """`walk_difference` in the subtree of `root`, behind whose byte the part is in `state`, or in `other`."""
    path = table(heap, LEAF_PATH)
    other_path = table(heap, OTHER_PATH)
    trie_byte = table(vocabulary, OTHERS + BYTE)
    trie_depth = table(vocabulary, OTHERS + DEPTH)
    trie_skip = table(vocabulary, OTHERS + SKIP)
    token_first = table(vocabulary, OTHERS + TOKEN_FIRST)
    node, end = root, trie_skip[root]
    while node < end:
        depth = trie_depth[node]
        left, right = state, other
        if node != root:
            byte = trie_byte[node]
            left = leaf_after(heap, path[depth - 1], byte)
            right = leaf_after(heap, other_path[depth - 1], byte)
        if left == right:
            node = trie_skip[node]
            continue
        path[depth], other_path[depth] = left, right
        first, behind = token_first[node], token_first[node + 1]
        below = token_first[trie_skip[node]]
        status = OK
        if right < 0:
            status = add_tokens(heap, vocabulary, FOUND, NUM_FOUND, first, behind)
        elif left < 0:
            status = add_tokens(heap, vocabulary, LOST, NUM_LOST, first, behind)
        if status == OK and may_complete(heap, left) != may_complete(heap, right):
            if may_complete(heap, left):
                status = walk_exit(heap, vocabulary, node, frame)
            else:
                status = add_tokens(heap, vocabulary, LOST, NUM_LOST, behind, below)
        if status != OK:
            return status
        node += 1
    return OK


@inner
def _range_at(heap: Any, k: Int, end: Int, byte: Int) -> Any:
    """(range, target, last byte) at `byte` of a state whose ranges go from k to end: target -1 where there is none."""
    range_low = table(heap, RANGE_LOW)
    range_high = table(heap, RANGE_HIGH)
    range_target = table(heap, RANGE_TARGET)
    while k < end and range_high[k] < byte:
        k += 1
    if k == end:
        return k, -1, 255
    if range_low[k] > byte:
        return k, -1, range_low[k] - 1
    return k, range_target[k], range_high[k]


@inner
def walk_difference(heap: Any, vocabulary: Any, state: Int, other: Int, frame: Int) -> Int:
    """Compare two states of one automaton over `frame`: tokens of OTHERS that only `state` can read are found, and
    those that only `other` can read are lost; some lost ones may be found too, and those are read by both.

    `other` must be a state whose automaton goes on nowhere once it may be complete. Returns a status.
    """
    leaf_first = table(heap, LEAF_FIRST)
    roots = table(vocabulary, OTHERS + ROOTS)
    left, left_end = leaf_first[state], leaf_first[state + 1]
    right, right_end = leaf_first[other], leaf_first[other + 1]
    byte = np.int64(0)
    while byte < 256:
        left, target, last = _range_at(heap, left, left_end, byte)
        right, other_target, other_last = _range_at(heap, right, right_end, byte)
        last = min(last, other_last)
        if target != other_target:
            for root_byte in range(byte, last + 1):
                if roots[root_byte] >= 0:
                    root = roots[root_byte]
                    status = _walk_difference_from(heap, vocabulary, root, target, other_target, frame)
                    if status != OK:
                        return status
        byte = last + 1
    return OK


@kernel
def leaf_row(
    first: Any, low: Any, high: Any, target: Any, accepting: Any, vocabulary: Any, row: Any, exits: Any
) -> Int:
    """Set in `row` the tokens of OTHERS that an automaton reads from state 0 without completing before their end.

    The automaton is one of sorted byte ranges, those of state s being first[s] : first[s + 1]. `exits` gets the nodes
    below which it is complete while tokens go on. Returns the number of exits.
    """
    trie_byte = table(vocabulary, OTHERS + BYTE)
    trie_depth = table(vocabulary, OTHERS + DEPTH)
    trie_skip = table(vocabulary, OTHERS + SKIP)
    token_first = table(vocabulary, OTHERS + TOKEN_FIRST)
    tokens = table(vocabulary, OTHERS + TOKENS)
    path = np.zeros(len(trie_byte) + 1, np.int64)
    node = 0
    count = 0
    while node < len(trie_byte):
        depth = trie_depth[node]
        state = path[depth - 1]
        k = first[state]
        while k < first[state + 1] and high[k] < trie_byte[node]:
            k += 1
        if k == first[state + 1] or low[k] > trie_byte[node]:
            node = trie_skip[node]
            continue
        path[depth] = target[k]
        for at in range(token_first[node], token_first[node + 1]):
            row[tokens[at] >> 5] |= np.int32(1) << np.int32(tokens[at] & 31)
        if accepting[target[k]] and trie_skip[node] > node + 1:
            exits[count] = node
            count += 1
        node += 1
    return count


@kernel
def part_below(first: Any, low: Any, high: Any, target: Any, flags: Any, state: Int, limit: Int) -> Any:
    """The automaton that begins in `state`, numbered in the order of a breadth-first walk, so that equal parts of
    different automata are equal arrays: (first, low, high, target, accepting). Empty if it has more than `limit`
    states, or goes on behind an accepting one."""
    order = np.empty(limit, np.int64)
    number = np.full(len(flags), -1, np.int64)
    order[0] = state
    number[state] = 0
    size = 1
    ranges = 0
    at = 0
    while at < size:
        here = order[at]
        ranges += first[here + 1] - first[here]
        if flags[here] & 1 and first[here + 1] > first[here]:
            size = 0
            break
        for k in range(first[here], first[here + 1]):
            if number[target[k]] < 0:
                if size == limit:
                    size = 0
                    break
                order[size] = target[k]
                number[target[k]] = size
                size += 1
        at += 1
    part_first = np.zeros(size + 1, np.int64)
    part_low = np.empty(ranges, np.int64)
    part_high = np.empty(ranges, np.int64)
    part_target = np.empty(ranges, np.int64)
    accepting = np.zeros(size, np.bool_)
    count = 0
    for at in range(size):
        here = order[at]
        accepting[at] = flags[here] & 1 == 1
        for k in range(first[here], first[here + 1]):
            part_low[count] = low[k]
            part_high[count] = high[k]
            part_target[count] = number[target[k]]
            count += 1
        part_first[at + 1] = count
    return part_first, part_low, part_high, part_target, accepting
