"""One step of many matchers: the configurations behind one token each, over the tables of several automata."""

from typing import Any

from numba import njit

from slipform.kernels._addresses import int64_array
from slipform.kernels.pushdown import advance_token
from slipform.kernels.pushdown_tables import DEAD, NUM_TABLES, Int
from slipform.kernels.vocabulary_tables import NUM_VOCABULARY_TABLES


@njit(cache=True, nogil=True)
def advance_tokens(heaps: Any, vocabularies: Any, configs: Any, tokens: Any, begin: Int, after: Any) -> Int:
    """Find the configuration behind tokens[i] from configs[i], for i from `begin` on.

    Args: all (N,) int64.
        heaps, vocabularies: addresses of the automaton's heap and of its vocabulary's.
        configs: DEAD and anything below leads nowhere.

    Returns: N, or the index of an automaton that needs something first: after[i] is then the negative status. Serve the
        need and call again from there. Mutates: after, DEAD where the token cannot be read or spells nothing.
    """
    for i in range(begin, len(tokens)):
        if configs[i] <= DEAD:
            after[i] = DEAD
            continue
        heap = int64_array(heaps[i], 2 * NUM_TABLES)
        vocabulary = int64_array(vocabularies[i], 2 * NUM_VOCABULARY_TABLES)
        after[i] = advance_token(heap, vocabulary, configs[i], tokens[i])
        if after[i] < 0:
            return i
    return len(tokens)
