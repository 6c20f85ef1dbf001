"""Numba count of the texts of a regular part."""

from typing import Any

import numpy as np
from numba import njit

Int = Any


@njit(cache=True, nogil=True)
def count_words(first: Any, low: Any, high: Any, target: Any, accepting: Any, limit: Int) -> Any:
    """(n,) int64: from each state of a trim automaton, how many texts lead to acceptance, at most `limit`.

    State s has the byte ranges first[s] : first[s + 1]. A state that can reach a cycle has infinitely many. States are
    counted once all their successors are (Kahn's order on the reversed edges); those on or before a cycle never are.
    """
    count = len(accepting)
    waiting = np.zeros(count, np.int64)
    before_first = np.zeros(count + 1, np.int64)
    for state in range(count):
        waiting[state] = first[state + 1] - first[state]
        for k in range(first[state], first[state + 1]):
            before_first[target[k] + 1] += 1
    for state in range(count):
        before_first[state + 1] += before_first[state]
    before = np.empty(len(target), np.int64)
    filled = before_first[:-1].copy()
    for state in range(count):
        for k in range(first[state], first[state + 1]):
            before[filled[target[k]]] = state
            filled[target[k]] += 1
    words = np.full(count, limit, np.int64)
    ready = np.empty(count, np.int64)
    size = 0
    for state in range(count):
        if waiting[state] == 0:
            ready[size] = state
            size += 1
    done = 0
    while done < size:
        state = ready[done]
        done += 1
        total = np.int64(accepting[state])
        for k in range(first[state], first[state + 1]):
            total = min(limit, total + (high[k] - low[k] + 1) * words[target[k]])
        words[state] = total
        for at in range(before_first[state], before_first[state + 1]):
            waiting[before[at]] -= 1
            if waiting[before[at]] == 0:
                ready[size] = before[at]
                size += 1
    return words
