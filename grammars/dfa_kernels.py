"""Compiled loops behind `dfa.py`: products, tries, walks, lengths. Minimisation is in `dfa_minimise.py`.

An automaton is a dense table (n, k) int32 over k byte classes, -1 = dead, with `byte_class` (256,) uint8 naming the
class of each byte. Everything here is a pure function of its arrays; nothing holds the interpreter lock.
"""

from typing import Any

import numpy as np
from numba import njit

from slipform.grammars.dfa_minimise import grown

Array = np.ndarray[Any, Any]

MODE_AND = 0
MODE_OR = 1
MODE_DIFFERENCE = 2
MODE_XOR = 3


@njit(cache=True, nogil=True)
def joint_classes(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Common refinement of two byte classifications: (byte_class, class in a, class in b) per joint class."""
    joint = np.empty(256, np.uint8)
    left = np.empty(256, np.int32)
    right = np.empty(256, np.int32)
    seen = np.full((256, 256), -1, np.int32)
    count = 0
    for byte in range(256):
        x = a[byte]
        y = b[byte]
        if seen[x, y] < 0:
            seen[x, y] = count
            left[count] = x
            right[count] = y
            count += 1
        joint[byte] = seen[x, y]
    return joint, left[:count].copy(), right[:count].copy()


@njit(cache=True, nogil=True)
def edges_by_atom(table: Array, class_of_atom: Array) -> tuple[Array, Array, Array]:
    """All edges of a table whose classes are divided into atoms: (E,) int32 each of source, atom, target, in order.

    Args:
        table: (n, classes) int32, -1 where there is no edge.
        class_of_atom: (atoms,) the class that holds each atom.
    """
    count = 0
    for q in range(table.shape[0]):
        for c in class_of_atom:
            count += table[q, c] >= 0
    source = np.empty(count, np.int32)
    atom = np.empty(count, np.int32)
    target = np.empty(count, np.int32)
    at = 0
    for q in range(table.shape[0]):
        for a, c in enumerate(class_of_atom):
            if table[q, c] >= 0:
                source[at], atom[at], target[at] = q, a, table[q, c]
                at += 1
    return source, atom, target


@njit(cache=True, nogil=True)
def product(
    class_a: Array,
    table_a: Array,
    accepting_a: Array,
    class_b: Array,
    table_b: Array,
    accepting_b: Array,
    mode: int,
    max_states: int,
) -> tuple[Array, Array, Array, bool]:
    """Both automata side by side from states (0, 0): (byte_class, table, accepting, complete).

    `complete` is False when more than `max_states` pairs are reachable; the arrays are then of no use.
    """
    joint, left, right = joint_classes(class_a, class_b)
    k = left.shape[0]
    n_b = table_b.shape[0]
    slots = 1024
    keys = np.full(slots, -1, np.int64)
    values = np.empty(slots, np.int32)
    pair_a = np.empty(256, np.int32)
    pair_b = np.empty(256, np.int32)
    rows = np.empty(256 * k, np.int32)
    pair_a[0] = 0
    pair_b[0] = 0
    # A dead side is counted as -1, hence the shift by one in the key.
    width = np.int64(n_b + 1)
    keys[_slot(width + 1, slots)] = width + 1
    values[_slot(width + 1, slots)] = 0
    count = 1
    i = 0
    while i < count:
        a = pair_a[i]
        b = pair_b[i]
        rows = grown(rows, (i + 1) * k)
        for c in range(k):
            next_a = table_a[a, left[c]] if a >= 0 else np.int32(-1)
            next_b = table_b[b, right[c]] if b >= 0 else np.int32(-1)
            if mode == MODE_AND:
                alive = next_a >= 0 and next_b >= 0
            elif mode == MODE_DIFFERENCE:
                alive = next_a >= 0
            else:
                alive = next_a >= 0 or next_b >= 0
            if not alive:
                rows[i * k + c] = -1
                continue
            key = np.int64(next_a + 1) * width + np.int64(next_b + 1)
            slot = _slot(key, slots)
            while keys[slot] != -1 and keys[slot] != key:
                slot = (slot + 1) & (slots - 1)
            if keys[slot] == -1:
                if count >= max_states:
                    return joint, np.empty((0, 0), np.int32), np.empty(0, np.bool_), False
                keys[slot] = key
                values[slot] = count
                pair_a = grown(pair_a, count + 1)
                pair_b = grown(pair_b, count + 1)
                pair_a[count] = next_a
                pair_b[count] = next_b
                rows[i * k + c] = count
                count += 1
                if 2 * count > slots:
                    slots *= 4
                    keys = np.full(slots, -1, np.int64)
                    values = np.empty(slots, np.int32)
                    for j in range(count):
                        key = np.int64(pair_a[j] + 1) * width + np.int64(pair_b[j] + 1)
                        slot = _slot(key, slots)
                        while keys[slot] != -1:
                            slot = (slot + 1) & (slots - 1)
                        keys[slot] = key
                        values[slot] = j
            else:
                rows[i * k + c] = values[slot]
        i += 1
    table = rows[: count * k].copy().reshape(count, k)
    accepting = np.empty(count, np.bool_)
    for i in range(count):
        in_a = pair_a[i] >= 0 and accepting_a[pair_a[i]]
        in_b = pair_b[i] >= 0 and accepting_b[pair_b[i]]
        if mode == MODE_AND:
            accepting[i] = in_a and in_b
        elif mode == MODE_OR:
            accepting[i] = in_a or in_b
        elif mode == MODE_DIFFERENCE:
            accepting[i] = in_a and not in_b
        else:
            accepting[i] = in_a != in_b
    return joint, table, accepting, True


@njit(cache=True, nogil=True)
def _slot(key: int, slots: int) -> int:
    mixed = key * -0x61C8864680B583EB  # wraps, as signed integers do in compiled code
    return (mixed ^ (mixed >> 32)) & (slots - 1)


@njit(cache=True, nogil=True)
def trie(data: Array, ends: Array) -> tuple[Array, Array, Array, int]:
    """The minimal automaton of sorted, distinct texts: `data` joins them, `ends[i]` is where text i stops.

    A prefix tree, whose equal subtrees are then shared from the leaves up; linear in `data`.
    Returns (byte_class, table, accepting, start).
    """
    size = data.shape[0] + 1
    # Children of a node are linked from the last to the first; a child's number is greater than its parent's.
    last_child = np.full(size, -1, np.int32)
    sibling = np.full(size, -1, np.int32)
    letter = np.zeros(size, np.uint8)
    accepting = np.zeros(size, np.bool_)
    path = np.zeros(size, np.int32)
    count = 1
    begin = 0
    previous = 0
    previous_end = 0
    for i in range(ends.shape[0]):
        end = ends[i]
        depth = 0
        while begin + depth < end and previous + depth < previous_end and data[begin + depth] == data[previous + depth]:
            depth += 1
        for j in range(begin + depth, end):
            parent = path[j - begin]
            letter[count] = data[j]
            sibling[count] = last_child[parent]
            last_child[parent] = count
            path[j - begin + 1] = count
            count += 1
        accepting[path[end - begin]] = True
        previous = begin
        previous_end = end
        begin = end

    slots = 1024
    while slots < 2 * count:
        slots *= 2
    table = np.full(slots, -1, np.int32)
    same_as = np.empty(count, np.int32)
    number = np.full(count, -1, np.int32)
    kept = 0
    for node in range(count - 1, -1, -1):
        digest = 1 if accepting[node] else 0
        child = last_child[node]
        while child >= 0:
            digest = (digest ^ (same_as[child] << 8 | letter[child])) * -0x61C8864680B583EB
            digest ^= digest >> 32
            child = sibling[child]
        slot = digest & (slots - 1)
        same_as[node] = node
        while table[slot] >= 0:
            other = table[slot]
            x = last_child[node]
            y = last_child[other]
            while x >= 0 and y >= 0 and letter[x] == letter[y] and same_as[x] == same_as[y]:
                x = sibling[x]
                y = sibling[y]
            if x < 0 and y < 0 and accepting[node] == accepting[other]:
                same_as[node] = other
                break
            slot = (slot + 1) & (slots - 1)
        if same_as[node] == node:
            table[slot] = node
            number[node] = kept
            kept += 1

    byte_class = np.zeros(256, np.uint8)
    used = np.zeros(256, np.bool_)
    for node in range(1, count):
        used[letter[node]] = True
    k = 0
    for byte in range(256):
        if used[byte]:
            byte_class[byte] = k
            k += 1
    if k < 256:
        for byte in range(256):
            if not used[byte]:
                byte_class[byte] = k
        k += 1
    result = np.full((kept, k), -1, np.int32)
    result_accepting = np.zeros(kept, np.bool_)
    for node in range(count):
        if number[node] >= 0:
            result_accepting[number[node]] = accepting[node]
            child = last_child[node]
            while child >= 0:
                result[number[node], byte_class[letter[child]]] = number[same_as[child]]
                child = sibling[child]
    return byte_class, result, result_accepting, number[0]


@njit(cache=True, nogil=True)
def walked(byte_class: Array, table: Array, state: int, data: Array) -> int:
    """The state after `data`, or -1."""
    for byte in data:
        if state < 0:
            return -1
        state = table[state, byte_class[byte]]
    return state


@njit(cache=True, nogil=True)
def distances(table: Array, accepting: Array) -> Array:
    """(n,) int32: bytes to the nearest accepting state, by breadth-first search backwards; -1 where there is none."""
    n, k = table.shape
    pointer = np.zeros(n + 1, np.int32)
    for q in range(n):
        for c in range(k):
            if table[q, c] >= 0:
                pointer[table[q, c] + 1] += 1
    for q in range(n):
        pointer[q + 1] += pointer[q]
    source = np.empty(pointer[n], np.int32)
    fill = pointer[:n].copy()
    for q in range(n):
        for c in range(k):
            t = table[q, c]
            if t >= 0:
                source[fill[t]] = q
                fill[t] += 1
    distance = np.full(n, -1, np.int32)
    queue = np.empty(n, np.int32)
    count = 0
    for q in range(n):
        if accepting[q]:
            distance[q] = 0
            queue[count] = q
            count += 1
    i = 0
    while i < count:
        q = queue[i]
        i += 1
        for j in range(pointer[q], pointer[q + 1]):
            p = source[j]
            if distance[p] < 0:
                distance[p] = distance[q] + 1
                queue[count] = p
                count += 1
    return distance


@njit(cache=True, nogil=True)
def longest_path(table: Array, weight_of_class: Array) -> int:
    """Greatest total weight of a path from state 0 in a trim automaton, -1 if a cycle makes it unbounded.

    `weight_of_class` (k,) int32 is what a byte of the class counts: 1 for bytes, 0 for UTF-8 continuation bytes when
    characters are counted (a cycle always has a character in it, since a character has at most three of them).
    """
    n, k = table.shape
    indegree = np.zeros(n, np.int32)
    for q in range(n):
        for c in range(k):
            if table[q, c] >= 0:
                indegree[table[q, c]] += 1
    best = np.zeros(n, np.int64)
    stack = np.empty(n, np.int32)
    top = 0
    for q in range(n):
        if indegree[q] == 0:
            stack[top] = q
            top += 1
    seen = 0
    longest = 0
    while top > 0:
        top -= 1
        q = stack[top]
        seen += 1
        longest = max(longest, best[q])
        for c in range(k):
            t = table[q, c]
            if t >= 0:
                best[t] = max(best[t], best[q] + weight_of_class[c])
                indegree[t] -= 1
                if indegree[t] == 0:
                    stack[top] = t
                    top += 1
    return longest if seen == n else -1


@njit(cache=True, nogil=True)
def fewest(table: Array, accepting: Array, weight_of_class: Array) -> int:
    """Least total weight (0 or 1 a byte) of a path from state 0 to an accepting state; -1 if there is none."""
    n, k = table.shape
    far = 2**31 - 1
    best = np.full(n, far, np.int32)
    best[0] = 0
    queue = np.empty(n, np.int32)
    waiting = np.zeros(n, np.bool_)
    queue[0] = 0
    waiting[0] = True
    head = 0
    size = 1
    while size > 0:
        q = queue[head]
        head = (head + 1) % n
        size -= 1
        waiting[q] = False
        for c in range(k):
            t = table[q, c]
            if t >= 0 and best[q] + weight_of_class[c] < best[t]:
                best[t] = best[q] + weight_of_class[c]
                if not waiting[t]:
                    waiting[t] = True
                    if weight_of_class[c] == 0:
                        head = (head + n - 1) % n
                        queue[head] = t
                    else:
                        queue[(head + size) % n] = t
                    size += 1
    answer = -1
    for q in range(n):
        if accepting[q] and best[q] < far and (answer < 0 or best[q] < answer):
            answer = best[q]
    return answer
