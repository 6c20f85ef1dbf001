"""Numba helpers for regular parts whose characters are counted: which counts can still become right.

The count lives in the frame under the part, so lengths of thousands cost no states. The table of such a part, in
BOUNDS: the greatest length, the greatest count up to which every state can be completed, the words of a bit set, and
then for each state whether a character ends on arriving in it, and the set of counts from which it can be completed.
"""

from typing import Any

import numpy as np

from slipform.kernels.int32_tables import Int, inner, kernel, table
from slipform.kernels.pushdown_tables import BOUNDS, NODE_COLUMNS, NODES

BOUND_HEADER = 3


@inner
def _inner_order(first: Any, target: Any, ends: Any) -> Any:
    """The states such that each comes behind those that it leads to within a character; shorter if there is a cycle."""
    count = len(first) - 1
    waiting = np.zeros(count, np.int64)
    before_first = np.zeros(count + 1, np.int64)
    for state in range(count):
        for k in range(first[state], first[state + 1]):
            waiting[state] += not ends[target[k]]
            before_first[target[k] + 1] += 1
    for state in range(count):
        before_first[state + 1] += before_first[state]
    before = np.empty(len(target), np.int64)
    filled = before_first[:-1].copy()
    for state in range(count):
        for k in range(first[state], first[state + 1]):
            before[filled[target[k]]] = state
            filled[target[k]] += 1
    order = np.empty(count, np.int64)
    size = 0
    for state in range(count):
        if waiting[state] == 0:
            order[size] = state
            size += 1
    done = 0
    while done < size:
        after = order[done]
        done += 1
        if ends[after]:
            continue
        for at in range(before_first[after], before_first[after + 1]):
            waiting[before[at]] -= 1
            if waiting[before[at]] == 0:
                order[size] = before[at]
                size += 1
    return order[:size]


@kernel
def bounds_table(first: Any, target: Any, accepting: Any, ends: Any, least: Int, most: Int) -> Any:
    """The table of a part for BOUNDS, int32. Empty if some cycle of states holds no end of a character.

    State s has the ranges first[s] : first[s + 1] to target[k]; ends: (n,) bool, a character ends on arriving there.
    """
    count = len(first) - 1
    order = _inner_order(first, target, ends)
    if len(order) < count:
        return np.zeros(0, np.int32)
    words = most // 32 + 1
    result = np.zeros(BOUND_HEADER + count * (words + 1), np.int32)
    after = np.zeros(count, np.bool_)  # for one character more
    here = np.zeros(count, np.bool_)
    full = most
    is_settled = False  # nothing changes any more from count to count, as long as ends are allowed
    for characters in range(most, -1, -1):
        is_full = True
        if not is_settled or characters < least:
            is_settled = characters >= least
            for at in range(count):
                state = order[at]
                good = accepting[state] and characters >= least
                for k in range(first[state], first[state + 1]):
                    good = good or (after[target[k]] if ends[target[k]] else here[target[k]])
                here[state] = good
                is_settled = is_settled and good == after[state]
        else:
            here[:] = after
        for state in range(count):
            is_full = is_full and (here[state] or not ends[state])
            if here[state]:
                place = BOUND_HEADER + state * (words + 1) + 1 + (characters >> 5)
                result[place] |= np.int32(1) << np.int32(characters & 31)
        if not is_full:
            full = characters - 1
        here, after = after, here
    result[0], result[1], result[2] = most, full, words
    for state in range(count):
        result[BOUND_HEADER + state * (words + 1)] = ends[state]
    return result


@inner
def count_after(heap: Any, node: Int, state: Int, count: Int) -> Any:
    """How many characters stand before leaf `state`, reached from `count` of them; -1 if it leads nowhere."""
    nodes = table(heap, NODES)
    bounds = table(heap, BOUNDS)
    at = nodes[node * NODE_COLUMNS + 2]
    first_state = nodes[nodes[node * NODE_COLUMNS + 1] * NODE_COLUMNS + 2]
    words = bounds[at + 2]
    place = at + BOUND_HEADER + (state - first_state) * (words + 1)
    count += bounds[place]
    if count > bounds[at] or not (bounds[place + 1 + (count >> 5)] >> (count & 31)) & 1:
        return -1
    return count


@inner
def free_characters(heap: Any, node: Int, count: Int) -> Any:
    """How many more characters, behind `count` of them, surely leave a way to completion."""
    nodes = table(heap, NODES)
    bounds = table(heap, BOUNDS)
    return bounds[nodes[node * NODE_COLUMNS + 2] + 1] - count


@inner
def is_free_to_the_end(heap: Any, node: Int) -> Any:
    """Whether every count up to the greatest length leaves a way to completion."""
    nodes = table(heap, NODES)
    bounds = table(heap, BOUNDS)
    at = nodes[node * NODE_COLUMNS + 2]
    return bounds[at] == bounds[at + 1]


def is_completable(bounds: Any, state: int, count: int) -> bool:
    """Whether a part with this table can be completed from a state, numbered from its first one, at `count`."""
    most, _, words = bounds[:BOUND_HEADER]
    place = BOUND_HEADER + state * (words + 1) + 1
    return bool(count <= most and bounds[place + (count >> 5)] >> (count & 31) & 1)
