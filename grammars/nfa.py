"""Nondeterministic automata as arrays, and their subset construction.

Edges carry a *set* number; a set lists atoms, the letters of the alphabet (byte classes for automata over bytes,
classes of code points for regexes). Empty moves are kept apart from edges.
"""

from typing import Any, Final

import numpy as np
from numba import njit

from slipform.errors import GrammarTimeout, GrammarTooLarge
from slipform.grammars.dfa_minimise import grown

Array = np.ndarray[Any, Any]

# Elementary steps of the construction done in a second. The step count, not a clock, stops a construction that runs
# away: the same pattern then has the same outcome on every machine.
STEPS_PER_SECOND: Final = 50_000_000

_COMPLETE = 0
_TOO_MANY_STATES = 1
_TOO_MANY_STEPS = 2


@njit(cache=True, nogil=True)
def _by_source(num_states: int, source: Array) -> tuple[Array, Array]:
    """Stable order of edges by source, and where each state's edges begin in it."""
    pointer = np.zeros(num_states + 1, np.int32)
    for s in source:
        pointer[s + 1] += 1
    for q in range(num_states):
        pointer[q + 1] += pointer[q]
    order = np.empty(source.shape[0], np.int32)
    fill = pointer[:num_states].copy()
    for i in range(source.shape[0]):
        order[fill[source[i]]] = i
        fill[source[i]] += 1
    return order, pointer


@njit(cache=True, nogil=True)
def _scatter(state: int) -> np.uint64:
    """A well mixed 64-bit value of a state number; sums of them are order-free hashes of sets."""
    x = (np.uint64(state) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(31)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(29)
    return x


@njit(cache=True, nogil=True)
def _determinise(
    num_states: int,
    empty_source: Array,
    empty_target: Array,
    edge_source: Array,
    edge_set: Array,
    edge_target: Array,
    set_pointer: Array,
    set_atoms: Array,
    num_atoms: int,
    start: int,
    accepting: Array,
    max_states: int,
    max_steps: int,
) -> tuple[Array, Array, int]:
    empty_order, empty_pointer = _by_source(num_states, empty_source)
    edge_order, edge_pointer = _by_source(num_states, edge_source)

    # Only states with edges or acceptance tell two sets apart; the rest is left out of them.
    matters = np.empty(num_states, np.bool_)
    for q in range(num_states):
        matters[q] = accepting[q] or edge_pointer[q + 1] > edge_pointer[q]

    members = np.empty(1024, np.int32)
    begin = np.empty(257, np.int64)
    digest = np.empty(256, np.uint64)
    final = np.zeros(256, np.bool_)
    rows = np.empty(256 * num_atoms, np.int32)
    slots = 1024
    table = np.full(slots, -1, np.int32)

    stamp = np.zeros(num_states, np.int64)
    clock = 0
    stack = np.empty(num_states + 1, np.int32)

    # The targets of each atom from one set, as linked lists in edge order.
    atom_head = np.full(num_atoms, -1, np.int32)
    atom_digest = np.zeros(num_atoms, np.uint64)
    atom_target = np.empty(num_atoms, np.int32)
    touched = np.empty(num_atoms, np.int32)
    link_next = np.empty(1024, np.int32)
    link_state = np.empty(1024, np.int32)

    begin[0] = 0
    count = 0
    used = 0
    steps = 0
    i = -1
    while i < count:
        num_touched = 0
        links = 0
        if i >= 0:
            rows = grown(rows, (i + 1) * num_atoms)
            rows[i * num_atoms : (i + 1) * num_atoms] = -1
            for m in range(begin[i], begin[i + 1]):
                q = members[m]
                for j in range(edge_pointer[q], edge_pointer[q + 1]):
                    edge = edge_order[j]
                    target = edge_target[edge]
                    mixed = _scatter(target)
                    low = set_pointer[edge_set[edge]]
                    high = set_pointer[edge_set[edge] + 1]
                    link_next = grown(link_next, links + high - low)
                    link_state = grown(link_state, links + high - low)
                    steps += high - low
                    for a in range(low, high):
                        atom = set_atoms[a]
                        if atom_head[atom] == -1:
                            touched[num_touched] = atom
                            num_touched += 1
                            atom_digest[atom] = 0
                        link_state[links] = target
                        link_next[links] = atom_head[atom]
                        atom_head[atom] = links
                        atom_digest[atom] += mixed
                        links += 1
        else:
            num_touched = 1

        for t in range(num_touched):
            atom = touched[t] if i >= 0 else 0
            if i >= 0:
                # Atoms with equal target lists lead to the same set.
                same = -1
                for u in range(t):
                    other = touched[u]
                    if atom_digest[other] == atom_digest[atom]:
                        x = atom_head[atom]
                        y = atom_head[other]
                        while x >= 0 and y >= 0 and link_state[x] == link_state[y]:
                            x = link_next[x]
                            y = link_next[y]
                        if x < 0 and y < 0:
                            same = other
                            break
                if same >= 0:
                    atom_target[atom] = atom_target[same]
                    rows[i * num_atoms + atom] = atom_target[atom]
                    continue

            clock += 1
            top = 0
            if i >= 0:
                link = atom_head[atom]
                while link >= 0:
                    q = link_state[link]
                    if stamp[q] != clock:
                        stamp[q] = clock
                        stack[top] = q
                        top += 1
                    link = link_next[link]
            else:
                stamp[start] = clock
                stack[0] = start
                top = 1
            size = 0
            hashed = np.uint64(0)
            accepts = False
            while top > 0:
                top -= 1
                q = stack[top]
                if matters[q]:
                    members = grown(members, used + size + 1)
                    members[used + size] = q
                    size += 1
                    hashed += _scatter(q)
                    accepts = accepts or accepting[q]
                steps += 1 + empty_pointer[q + 1] - empty_pointer[q]
                for j in range(empty_pointer[q], empty_pointer[q + 1]):
                    p = empty_target[empty_order[j]]
                    if stamp[p] != clock:
                        stamp[p] = clock
                        stack[top] = p
                        top += 1

            slot = np.int64((hashed >> np.uint64(20)) & np.uint64(slots - 1))
            found = -1
            while table[slot] >= 0:
                known = table[slot]
                if digest[known] == hashed and begin[known + 1] - begin[known] == size:
                    equal = True
                    for m in range(begin[known], begin[known + 1]):
                        if stamp[members[m]] != clock:
                            equal = False
                            break
                    if equal:
                        found = known
                        break
                slot = (slot + 1) & (slots - 1)
            if found < 0:
                if count >= max_states:
                    return rows[:0].copy().reshape(0, num_atoms), final[:0].copy(), _TOO_MANY_STATES
                found = count
                begin = grown(begin, count + 2)
                digest = grown(digest, count + 1)
                final = grown(final, count + 1)
                used += size
                begin[count + 1] = used
                digest[count] = hashed
                final[count] = accepts
                table[slot] = count
                count += 1
                if 2 * count > slots:
                    slots *= 4
                    table = np.full(slots, -1, np.int32)
                    for known in range(count):
                        slot = np.int64((digest[known] >> np.uint64(20)) & np.uint64(slots - 1))
                        while table[slot] >= 0:
                            slot = (slot + 1) & (slots - 1)
                        table[slot] = known
            if i >= 0:
                atom_target[atom] = found
                rows[i * num_atoms + atom] = found
        for t in range(num_touched):
            if i >= 0:
                atom_head[touched[t]] = -1
        if steps > max_steps:
            return rows[:0].copy().reshape(0, num_atoms), final[:0].copy(), _TOO_MANY_STEPS
        i += 1
    return rows[: count * num_atoms].copy().reshape(count, num_atoms), final[:count].copy(), _COMPLETE


def determinise(
    *,
    num_states: int,
    empty_source: Array,
    empty_target: Array,
    edge_source: Array,
    edge_set: Array,
    edge_target: Array,
    set_pointer: Array,
    set_atoms: Array,
    num_atoms: int,
    start: int,
    accepting: Array,
    max_states: int,
    seconds: float,
) -> tuple[Array, Array]:
    """Subset construction from `start`: ((n, num_atoms) int32 table with -1 = dead, (n,) bool accepting); start is 0.

    Args:
        empty_source, empty_target: (e,) int32, the empty moves.
        edge_source, edge_set, edge_target: (m,) int32, the edges.
        set_pointer: (s + 1,) int32; set i holds `set_atoms[set_pointer[i]:set_pointer[i + 1]]`, each atom once.
        accepting: (num_states,) bool.
        max_states, seconds: bounds on the result and on the work (see `STEPS_PER_SECOND`).

    Raises: GrammarTooLarge, GrammarTimeout.
    """
    max_steps = int(min(seconds * STEPS_PER_SECOND, 2**62))
    table, final, status = _determinise(
        num_states, empty_source, empty_target, edge_source, edge_set, edge_target, set_pointer, set_atoms,
        num_atoms, start, accepting, max_states, max_steps,
    )  # fmt: skip
    if status == _TOO_MANY_STATES:
        raise GrammarTooLarge("states", max_states)
    if status == _TOO_MANY_STEPS:
        raise GrammarTimeout(seconds)
    return table, final
