"""From automata over classes of code points to automata over UTF-8 bytes.

Code points are partitioned into *atoms*, the coarsest classes that no set of a pattern tells apart. Subset construction
and minimisation run over atoms; only the minimal result is spelled out in bytes. The spelling keeps it minimal: states
between characters stay distinct, and those inside a character are shared wherever they go on alike.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from slipform.grammars.code_points import END, CodePoints
from slipform.grammars.dfa_minimise import grown

Array = np.ndarray[Any, Any]

_SURROGATES = (0xD800, 0xE000)


class Partition:
    """Atoms of a collection of sets.

    Attributes:
        range_low: (r,) int32; ascending first code points of ranges, which cover everything from 0 to U+10FFFF.
        range_atom: (r,) int32; the atom of each range, -1 for surrogates and for what no set holds.
        set_pointer, set_atoms: set i holds the atoms `set_atoms[set_pointer[i]:set_pointer[i + 1]]`.
        num_atoms: how many atoms there are; at least 1.
    """

    __slots__ = ("num_atoms", "range_atom", "range_low", "set_atoms", "set_pointer")

    def __init__(self, code_point_sets: Sequence[CodePoints]) -> None:
        sizes = np.fromiter(map(len, code_point_sets), np.int64, len(code_point_sets))
        bounds = np.fromiter((x for points in code_point_sets for x in points), np.int32, int(sizes.sum()))
        pointer = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=pointer[1:])
        borders = np.unique(np.append(bounds, np.array([0, *_SURROGATES, END], np.int32)))[:-1]
        self.range_low = borders
        self.range_atom, self.set_pointer, self.set_atoms, num_atoms = _partition(borders, bounds, pointer)
        self.num_atoms = int(num_atoms)


@njit(cache=True, nogil=True)
def _range_at(low: Array, code: int) -> int:
    """The last range that begins at `code` or before it; the first begins at 0."""
    begin = 0
    end = low.shape[0]
    while end - begin > 1:
        middle = (begin + end) // 2
        if low[middle] <= code:
            begin = middle
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def _partition(low: Array, bounds: Array, pointer: Array) -> tuple[Array, Array, Array, int]:
    """`low` holds every bound, so that each set is a union of ranges."""
    num_ranges = low.shape[0]

    # Group 0 is in no set; each set moves what it holds out of each group into a new one.
    group = np.zeros(num_ranges, np.int32)
    num_sets = pointer.shape[0] - 1
    moved = np.full(num_ranges + 1, -1, np.int32)
    groups = 1
    for s in range(num_sets):
        before = groups
        renamed = np.empty(0, np.int32)
        for i in range(pointer[s], pointer[s + 1], 2):
            r = _range_at(low, bounds[i])
            while r < num_ranges and low[r] < bounds[i + 1]:
                g = group[r]
                if low[r] != _SURROGATES[0]:
                    if moved.shape[0] <= groups:
                        old = moved.shape[0]
                        moved = grown(moved, groups + 1)
                        for j in range(old, moved.shape[0]):
                            moved[j] = -1
                    if moved[g] < 0:
                        moved[g] = groups
                        groups += 1
                        renamed = grown(renamed, groups - before)
                        renamed[groups - before - 1] = g
                    group[r] = moved[g]
                r += 1
        for i in range(groups - before):
            moved[renamed[i]] = -1

    number = np.full(groups, -1, np.int32)
    atoms = 0
    atom = np.empty(num_ranges, np.int32)
    for r in range(num_ranges):
        if group[r] == 0:
            atom[r] = -1
            continue
        if number[group[r]] < 0:
            number[group[r]] = atoms
            atoms += 1
        atom[r] = number[group[r]]

    set_pointer = np.zeros(num_sets + 1, np.int32)
    set_atoms = np.empty(num_ranges + 1, np.int32)
    used = 0
    seen = np.full(max(atoms, 1), -1, np.int32)
    for s in range(num_sets):
        for i in range(pointer[s], pointer[s + 1], 2):
            r = _range_at(low, bounds[i])
            while r < num_ranges and low[r] < bounds[i + 1]:
                a = atom[r]
                if a >= 0 and seen[a] != s:
                    seen[a] = s
                    set_atoms = grown(set_atoms, used + 1)
                    set_atoms[used] = a
                    used += 1
                r += 1
        set_pointer[s + 1] = used
    return atom, set_pointer, set_atoms[:used].copy(), max(atoms, 1)


# A tree over code points: a node of level L reads L continuation bytes. Its edges are runs of byte values, given by
# their last byte, to a child: a node of level L - 1, or an atom below level 1; -1 is dead. Children precede parents.


@njit(cache=True, nogil=True)
def _make_node(
    level: int,
    base: int,
    clip: int,
    range_low: Array,
    range_atom: Array,
    uniform: Array,
    pointer: Array,
    edge_high: Array,
    edge_child: Array,
    leaf: Array,
    count: Array,
) -> int:
    """The node for the 64 ** level code points from `base`, of which those below `clip` are dead; -1 if all are."""
    step = 64 ** (level - 1)
    children = np.empty(64, np.int32)
    r = _range_at(range_low, base)
    num_ranges = range_low.shape[0]
    alive = False
    for i in range(64):
        low = base + i * step
        if low < clip or low >= END:
            children[i] = -1
            continue
        while r + 1 < num_ranges and range_low[r + 1] <= low:
            r += 1
        if level == 1:
            children[i] = range_atom[r]
        elif r + 1 >= num_ranges or range_low[r + 1] >= low + step:
            children[i] = _uniform_node(level - 1, range_atom[r], uniform, pointer, edge_high, edge_child, leaf, count)
        else:
            children[i] = _make_node(
                level - 1, low, clip, range_low, range_atom, uniform, pointer, edge_high, edge_child, leaf, count
            )
        alive = alive or children[i] >= 0
    if not alive:
        return -1
    for i in range(64):
        if i == 63 or children[i + 1] != children[i]:
            edge_high[count[1]] = 0x80 + i
            edge_child[count[1]] = children[i]
            count[1] += 1
    leaf[count[0]] = level == 1
    count[0] += 1
    pointer[count[0]] = count[1]
    return int(count[0]) - 1


@njit(cache=True, nogil=True)
def _uniform_node(
    level: int,
    atom: int,
    uniform: Array,
    pointer: Array,
    edge_high: Array,
    edge_child: Array,
    leaf: Array,
    count: Array,
) -> int:
    """The node of `level` all of whose characters are in `atom`."""
    if atom < 0:
        return -1
    child = int(atom)
    for below in range(1, level + 1):
        if uniform[below, atom] < 0:
            edge_high[count[1]] = 0xBF
            edge_child[count[1]] = child
            count[1] += 1
            uniform[below, atom] = count[0]
            leaf[count[0]] = below == 1
            count[0] += 1
            pointer[count[0]] = count[1]
        child = int(uniform[below, atom])
    return child


@njit(cache=True, nogil=True)
def spelled(
    table: Array, accepting: Array, range_low: Array, range_atom: Array, max_states: int
) -> tuple[Array, Array, Array, bool]:
    """A minimal, trim automaton over atoms as one over bytes: (byte_class, table, accepting, complete).

    States keep their numbers; those inside characters come behind them. The result is minimal and trim as well.
    `complete` is False if it would have more than `max_states` states.
    """
    n, num_atoms = table.shape
    num_ranges = range_low.shape[0]
    # Every node that is not uniform holds a border between ranges or is the node of a lead byte.
    capacity = 3 * num_ranges + 3 * num_atoms + 64
    pointer = np.zeros(capacity + 1, np.int32)
    edge_high = np.empty(6 * num_ranges + 3 * capacity + 64, np.int32)
    edge_child = np.empty(edge_high.shape[0], np.int32)
    leaf = np.zeros(capacity, np.bool_)
    uniform = np.full((4, num_atoms), -1, np.int32)
    count = np.zeros(2, np.int32)
    root = np.full(256, -1, np.int32)
    for lead in range(0xC2, 0xF5):
        if lead < 0xE0:
            level, base, clip = 1, (lead & 0x1F) << 6, 0x80
        elif lead < 0xF0:
            level, base, clip = 2, (lead & 0x0F) << 12, 0x800
        else:
            level, base, clip = 3, (lead & 0x07) << 18, 0x10000
        r = _range_at(range_low, base)
        if base >= clip and base + 64**level <= END and (r + 1 >= num_ranges or range_low[r + 1] >= base + 64**level):
            root[lead] = _uniform_node(level, range_atom[r], uniform, pointer, edge_high, edge_child, leaf, count)
        else:
            root[lead] = _make_node(
                level, base, clip, range_low, range_atom, uniform, pointer, edge_high, edge_child, leaf, count
            )
    num_nodes = count[0]

    atom_of_ascii = np.empty(0x80, np.int32)
    r = 0
    for byte in range(0x80):
        while r + 1 < num_ranges and range_low[r + 1] <= byte:
            r += 1
        atom_of_ascii[byte] = range_atom[r]

    cut = np.zeros(257, np.bool_)
    cut[0] = True
    cut[0x80] = True
    inner_pointer = np.zeros(257, np.int64)
    inner_high = np.empty(1024, np.int32)
    inner_target = np.empty(1024, np.int32)
    inner_digest = np.empty(256, np.uint64)
    inner = 0
    used = 0
    slots = 1024
    hashed = np.full(slots, -1, np.int32)
    state_of_node = np.empty(max(num_nodes, 1), np.int32)
    lead_target = np.full((n, 0xF5 - 0xC2), -1, np.int32)
    for q in range(n):
        for node in range(num_nodes):
            # Write the edges behind the pool; keep them only if no state has the same.
            begin = used
            alive = False
            digest = np.uint64(14695981039346656037)
            inner_high = grown(inner_high, used + 64)
            inner_target = grown(inner_target, used + 64)
            for e in range(pointer[node], pointer[node + 1]):
                child = edge_child[e]
                if child < 0:
                    target = -1
                elif leaf[node]:
                    target = table[q, child]
                else:
                    target = state_of_node[child]
                alive = alive or target >= 0
                if used > begin and inner_target[used - 1] == target:
                    inner_high[used - 1] = edge_high[e]
                else:
                    inner_high[used] = edge_high[e]
                    inner_target[used] = target
                    used += 1
            if not alive:
                used = begin
                state_of_node[node] = -1
                continue
            for i in range(begin, used):
                digest = (digest ^ np.uint64(inner_high[i])) * np.uint64(1099511628211)
                digest = (digest ^ np.uint64(inner_target[i] + 1)) * np.uint64(1099511628211)
                digest ^= digest >> np.uint64(31)
            slot = np.int64(digest & np.uint64(slots - 1))
            found = -1
            while hashed[slot] >= 0:
                other = hashed[slot]
                first = inner_pointer[other]
                if inner_digest[other] == digest and inner_pointer[other + 1] - first == used - begin:
                    same = True
                    for i in range(used - begin):
                        if inner_high[first + i] != inner_high[begin + i] or (
                            inner_target[first + i] != inner_target[begin + i]
                        ):
                            same = False
                            break
                    if same:
                        found = other
                        break
                slot = (slot + 1) & (slots - 1)
            if found >= 0:
                used = begin
                state_of_node[node] = n + found
                continue
            if n + inner >= max_states:
                return np.zeros(256, np.uint8), table[:0], accepting[:0], False
            hashed[slot] = inner
            inner_pointer = grown(inner_pointer, inner + 2)
            inner_digest = grown(inner_digest, inner + 1)
            inner_pointer[inner + 1] = used
            inner_digest[inner] = digest
            for i in range(begin, used):
                cut[inner_high[i] + 1] = True
            state_of_node[node] = n + inner
            inner += 1
            if 2 * inner > slots:
                slots *= 4
                hashed = np.full(slots, -1, np.int32)
                for other in range(inner):
                    slot = np.int64(inner_digest[other] & np.uint64(slots - 1))
                    while hashed[slot] >= 0:
                        slot = (slot + 1) & (slots - 1)
                    hashed[slot] = other
        for lead in range(0xC2, 0xF5):
            if root[lead] >= 0:
                lead_target[q, lead - 0xC2] = state_of_node[root[lead]]

    # Bytes are told apart where an inner state does, where lead bytes differ, and by atom below 0x80.
    cut[0xC2] = True
    cut[0xF5] = True
    for lead in range(0xC3, 0xF5):
        for q in range(n):
            if lead_target[q, lead - 0xC2] != lead_target[q, lead - 0xC3]:
                cut[lead] = True
                break
    byte_class = np.empty(256, np.uint8)
    byte_of_class = np.empty(256, np.int32)
    class_of_atom = np.full(num_atoms + 1, -1, np.int32)
    k = 0
    for byte in range(0x80):
        atom = atom_of_ascii[byte]
        if class_of_atom[atom] < 0:  # -1 is the last entry
            class_of_atom[atom] = k
            byte_of_class[k] = byte
            k += 1
        byte_class[byte] = class_of_atom[atom]
    first_high = k
    for byte in range(0x80, 256):
        if cut[byte]:
            byte_of_class[k] = byte
            k += 1
        byte_class[byte] = k - 1
    result = np.full((n + inner, k), -1, np.int32)
    result_accepting = np.zeros(n + inner, np.bool_)
    for q in range(n):
        result_accepting[q] = accepting[q]
        for c in range(k):
            byte = byte_of_class[c]
            if byte < 0x80:
                if atom_of_ascii[byte] >= 0:
                    result[q, c] = table[q, atom_of_ascii[byte]]
            elif 0xC2 <= byte < 0xF5:
                result[q, c] = lead_target[q, byte - 0xC2]
    for s in range(inner):
        c = first_high
        for i in range(inner_pointer[s], inner_pointer[s + 1]):
            while c < k and byte_of_class[c] <= inner_high[i]:
                result[n + s, c] = inner_target[i]
                c += 1
    return byte_class, result, result_accepting, True
