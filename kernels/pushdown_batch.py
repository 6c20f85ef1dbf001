"""Numba kernels over many matchers: the configurations behind one token each, and their masks."""

from typing import Any

import numpy as np

from slipform.kernels.int32_tables import Int, call, kernel, quick, table, table_at
from slipform.kernels.masks import ANY_NUMBER, put_mask
from slipform.kernels.pushdown import token_successor
from slipform.kernels.pushdown_tables import FIND, IN_USE, NEED_LOCK, NEED_WALK, OK, REGISTERS


@quick
def advance_tokens(heaps: Any, configs: Any, tokens: Any, begin: Int, holds_locks: Int, after: Any) -> Int:
    """Find the configuration behind tokens[i] from configs[i], for i from `begin` on.

    Args: arrays are (N,) int64.
        heaps: addresses of the automata's heaps.
        configs: DEAD and anything below leads nowhere.

    Returns: N, or the index of an automaton that needs something first: after[i] is then the negative status. Serve the
        need and call again from there. Mutates: after, DEAD where the token cannot be read or spells nothing.
    """
    for i in range(begin, len(tokens)):
        if not holds_locks and table(heaps[i], REGISTERS)[IN_USE]:
            after[i] = -NEED_LOCK
        else:
            after[i] = token_successor(heaps[i], configs[i], tokens[i])
        if after[i] < 0:
            return i
    return len(tokens)


@quick
def write_masks(heaps: Any, configs: Any, holds_locks: Int, out: Int, rows: Any, num_words: Int, statuses: Any) -> Int:
    """Write the mask of configs[i] to row rows[i] of the int32 matrix at address `out`, `num_words` a row.

    Args: arrays are (N,) int64; see `slipform.kernels.masks.write_mask`.

    Returns: how many were not written. Mutates: the matrix; statuses, (N,), why not.
    """
    missing = 0
    for i in range(len(heaps)):
        row = table_at(out + 4 * rows[i] * num_words, num_words)
        statuses[i] = put_mask(heaps[i], configs[i], holds_locks, row)
        missing += statuses[i] != OK
    return missing


@kernel
def find_masks(heaps: Any, configs: Any, chosen: Any, begin: Int, end: Int, statuses: Any) -> None:
    """Find the masks of configs[i] for each i in chosen[begin:end], as `find_mask` does. Their locks are held.

    An automaton that needs something does no more: its other masks are left with the status NEED_WALK.

    Args: arrays are (N,) int64; equal heaps stand side by side in `chosen`. Mutates: statuses[i].
    """
    waiting = 0
    for k in range(begin, end):
        i = chosen[k]
        statuses[i] = NEED_WALK
        if heaps[i] != waiting:
            statuses[i] = call(heaps[i], FIND, configs[i], ANY_NUMBER, np.int64(0))
            if statuses[i] != OK:
                waiting = heaps[i]
