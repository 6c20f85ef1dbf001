"""The one minimal, canonically numbered automaton of a language, from any deterministic one.

Automata are tables as in `dfa_kernels.py`. Everything here is a pure function of its arrays; nothing holds the
interpreter lock.
"""

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


@njit(cache=True, nogil=True)
def grown(array: Array, needed: int) -> Array:
    """`array` itself if it holds `needed` entries, else a copy of at least twice the length."""
    if needed <= array.shape[0]:
        return array
    bigger = np.empty(max(2 * array.shape[0], needed), array.dtype)
    for i in range(array.shape[0]):
        bigger[i] = array[i]
    return bigger


@njit(cache=True, nogil=True)
def _mark(
    element: int, elements: Array, location: Array, block_of: Array, first: Array, marked: Array, touched: Array, n: int
) -> int:
    """Move `element` into the marked front of its block; `touched[:n]` lists blocks with marks. Returns the new n."""
    block = block_of[element]
    here = location[element]
    front = first[block] + marked[block]
    elements[here] = elements[front]
    location[elements[here]] = here
    elements[front] = element
    location[element] = front
    if marked[block] == 0:
        touched[n] = block
        n += 1
    marked[block] += 1
    return n


@njit(cache=True, nogil=True)
def _split(
    elements: Array, block_of: Array, first: Array, past: Array, marked: Array, touched: Array, n: int, blocks: int
) -> int:
    """Split each touched block into its marked and unmarked part; the smaller gets a new number. Returns `blocks`."""
    while n > 0:
        n -= 1
        block = touched[n]
        border = first[block] + marked[block]
        if border == past[block]:
            marked[block] = 0
            continue
        if marked[block] <= past[block] - border:
            first[blocks] = first[block]
            past[blocks] = border
            first[block] = border
        else:
            past[blocks] = past[block]
            first[blocks] = border
            past[block] = border
        for i in range(first[blocks], past[blocks]):
            block_of[elements[i]] = blocks
        marked[block] = 0
        marked[blocks] = 0
        blocks += 1
    return blocks


@njit(cache=True, nogil=True)
def useful_states(table: Array, accepting: Array, start: int) -> Array:
    """(n,) bool: reachable from `start` and able to reach an accepting state."""
    n, k = table.shape
    reached = np.zeros(n, np.bool_)
    stack = np.empty(n, np.int32)
    stack[0] = start
    reached[start] = True
    top = 1
    num_edges = 0
    while top > 0:
        top -= 1
        q = stack[top]
        for c in range(k):
            t = table[q, c]
            if t >= 0:
                num_edges += 1
                if not reached[t]:
                    reached[t] = True
                    stack[top] = t
                    top += 1
    pointer = np.zeros(n + 1, np.int32)
    for q in range(n):
        if reached[q]:
            for c in range(k):
                t = table[q, c]
                if t >= 0:
                    pointer[t + 1] += 1
    for q in range(n):
        pointer[q + 1] += pointer[q]
    source = np.empty(num_edges, np.int32)
    fill = pointer[:n].copy()
    for q in range(n):
        if reached[q]:
            for c in range(k):
                t = table[q, c]
                if t >= 0:
                    source[fill[t]] = q
                    fill[t] += 1
    useful = np.zeros(n, np.bool_)
    for q in range(n):
        if reached[q] and accepting[q]:
            useful[q] = True
            stack[top] = q
            top += 1
    while top > 0:
        top -= 1
        q = stack[top]
        for i in range(pointer[q], pointer[q + 1]):
            p = source[i]
            if not useful[p]:
                useful[p] = True
                stack[top] = p
                top += 1
    return useful


@njit(cache=True, nogil=True)
def minimised(table: Array, accepting: Array, start: int) -> tuple[Array, Array, int]:
    """The minimal partial automaton of the same language: (table, accepting, start); one dead state if it is empty.

    Partition refinement over states and transitions together, O(m log m) for m transitions (Valmari and Lehtinen,
    "Efficient minimization of DFAs with partial transition functions", 2008).
    """
    n, k = table.shape
    useful = useful_states(table, accepting, start)
    if not useful[start]:
        return np.full((1, k), -1, np.int32), np.zeros(1, np.bool_), 0
    number = np.full(n, -1, np.int32)
    states = 0
    for q in range(n):
        if useful[q]:
            number[q] = states
            states += 1
    edges = 0
    for q in range(n):
        if useful[q]:
            for c in range(k):
                if table[q, c] >= 0 and useful[table[q, c]]:
                    edges += 1
    tail = np.empty(edges, np.int32)
    head = np.empty(edges, np.int32)
    # Transitions are listed label by label, so each label is one block of the initial partition of transitions.
    t_elements = np.arange(edges).astype(np.int32)
    t_location = np.arange(edges).astype(np.int32)
    t_block = np.empty(edges, np.int32)
    t_first = np.empty(edges + 1, np.int32)
    t_past = np.empty(edges + 1, np.int32)
    size = max(edges, states) + 1
    marked = np.zeros(size, np.int32)
    t_marked = np.zeros(size, np.int32)
    touched = np.empty(size, np.int32)
    t_blocks = np.int64(0)
    e = 0
    for c in range(k):
        begin = e
        for q in range(n):
            if useful[q]:
                t = table[q, c]
                if t >= 0 and useful[t]:
                    tail[e] = number[q]
                    head[e] = number[t]
                    t_block[e] = t_blocks
                    e += 1
        if e > begin:
            t_first[t_blocks] = begin
            t_past[t_blocks] = e
            t_blocks += 1

    s_elements = np.arange(states).astype(np.int32)
    s_location = np.arange(states).astype(np.int32)
    s_block = np.zeros(states, np.int32)
    s_first = np.empty(states + 1, np.int32)
    s_past = np.empty(states + 1, np.int32)
    s_first[0] = 0
    s_past[0] = states
    # Not literals: those would be types of their own, and `_mark` and `_split` be compiled for each.
    s_blocks = np.int64(1)
    count = np.int64(0)
    for q in range(n):
        if useful[q] and accepting[q]:
            count = _mark(number[q], s_elements, s_location, s_block, s_first, marked, touched, count)
    s_blocks = _split(s_elements, s_block, s_first, s_past, marked, touched, count, s_blocks)

    pointer = np.zeros(states + 1, np.int32)
    for i in range(edges):
        pointer[head[i] + 1] += 1
    for q in range(states):
        pointer[q + 1] += pointer[q]
    incoming = np.empty(edges, np.int32)
    fill = pointer[:states].copy()
    for i in range(edges):
        incoming[fill[head[i]]] = i
        fill[head[i]] += 1

    state_done = 1
    edge_done = 0
    while edge_done < t_blocks:
        count = np.int64(0)
        for i in range(t_first[edge_done], t_past[edge_done]):
            count = _mark(tail[t_elements[i]], s_elements, s_location, s_block, s_first, marked, touched, count)
        s_blocks = _split(s_elements, s_block, s_first, s_past, marked, touched, count, s_blocks)
        edge_done += 1
        while state_done < s_blocks:
            count = np.int64(0)
            for i in range(s_first[state_done], s_past[state_done]):
                q = s_elements[i]
                for j in range(pointer[q], pointer[q + 1]):
                    count = _mark(incoming[j], t_elements, t_location, t_block, t_first, t_marked, touched, count)
            t_blocks = _split(t_elements, t_block, t_first, t_past, t_marked, touched, count, t_blocks)
            state_done += 1

    new_table = np.full((s_blocks, k), -1, np.int32)
    new_accepting = np.zeros(s_blocks, np.bool_)
    for q in range(n):
        if useful[q]:
            block = s_block[number[q]]
            new_accepting[block] = accepting[q]
            if s_elements[s_first[block]] == number[q]:
                for c in range(k):
                    t = table[q, c]
                    if t >= 0 and useful[t]:
                        new_table[block, c] = s_block[number[t]]
    return new_table, new_accepting, s_block[number[start]]


@njit(cache=True, nogil=True)
def merged_columns(byte_class: Array, table: Array) -> tuple[Array, Array]:
    """Classes with equal columns become one; classes are numbered by their first byte. Returns (byte_class, table)."""
    n, k = table.shape
    digest = np.zeros(k, np.uint64)
    for q in range(n):
        for c in range(k):
            digest[c] = digest[c] * np.uint64(0x9E3779B97F4A7C15) + np.uint64(table[q, c] + 2)
            digest[c] ^= digest[c] >> np.uint64(29)
    new_class = np.empty(256, np.uint8)
    number = np.full(k, -1, np.int32)
    keeper = np.empty(256, np.int32)
    count = 0
    for byte in range(256):
        c = byte_class[byte]
        if number[c] < 0:
            for other in range(count):
                d = keeper[other]
                if digest[d] == digest[c]:
                    same = True
                    for q in range(n):
                        if table[q, c] != table[q, d]:
                            same = False
                            break
                    if same:
                        number[c] = other
                        break
            if number[c] < 0:
                number[c] = count
                keeper[count] = c
                count += 1
        new_class[byte] = number[c]
    new_table = np.empty((n, count), np.int32)
    for q in range(n):
        for c in range(count):
            new_table[q, c] = table[q, keeper[c]]
    return new_class, new_table


@njit(cache=True, nogil=True)
def breadth_first(table: Array, accepting: Array, start: int) -> tuple[Array, Array]:
    """States renumbered breadth first in class order from the start state, which becomes 0; the rest is dropped."""
    n, k = table.shape
    number = np.full(n, -1, np.int32)
    order = np.empty(n, np.int32)
    order[0] = start
    number[start] = 0
    count = 1
    i = 0
    while i < count:
        q = order[i]
        i += 1
        for c in range(k):
            t = table[q, c]
            if t >= 0 and number[t] < 0:
                number[t] = count
                order[count] = t
                count += 1
    new_table = np.full((count, k), -1, np.int32)
    new_accepting = np.empty(count, np.bool_)
    for i in range(count):
        q = order[i]
        new_accepting[i] = accepting[q]
        for c in range(k):
            t = table[q, c]
            if t >= 0:
                new_table[i, c] = number[t]
    return new_table, new_accepting


@njit(cache=True, nogil=True)
def canonical(
    byte_class: Array, table: Array, accepting: Array, start: int, minimal: bool
) -> tuple[Array, Array, Array]:
    """Minimal, breadth-first, with the fewest classes: equal languages give equal arrays. Start is state 0.

    `minimal` says that the input is already minimal and trim, which saves the refinement.
    """
    byte_class, table = merged_columns(byte_class, table)
    if not minimal:
        table, accepting, start = minimised(table, accepting, start)
        byte_class, table = merged_columns(byte_class, table)
    table, accepting = breadth_first(table, accepting, start)
    return byte_class, table, accepting
