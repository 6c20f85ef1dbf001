"""The tables of a vocabulary, as the kernels see them: one int64 array of addresses and lengths, like an automaton's.

Two tries: of all ordinary tokens, and of those that are not *plain* (see `slipform.kernels.plain_text`). *Base rows*
are packed masks that many configurations share; the first ones allow the plain tokens of at most n characters. A base
row that belongs to a state of a regular part has *exits*: a trie of what follows in tokens that complete this part.
"""

import numpy as np

from slipform.kernels.int32_tables import Int

# Tables of a trie, from its first one on; `slipform.grammars.trie.TokenTrie` says what they hold.
BYTE = 0
DEPTH = 1
SKIP = 2
TOKEN_FIRST = 3
TOKENS = 4
ROOTS = 5  # (256,) the node of each first byte, or -1

ALL: Int = np.int64(0)  # first table of the trie of all tokens
OTHERS: Int = np.int64(6)  # first table of the trie of tokens that are not plain
EXITS: Int = np.int64(12)  # first table of the tries of exits, one behind the other; no roots

(
    TOKEN_TEXT,  # the bytes of all tokens, one behind the other
    TOKEN_BEGIN,  # token t is TOKEN_TEXT[TOKEN_BEGIN[t] : TOKEN_BEGIN[t + 1]]
    EOS_TOKENS,
    BASE_ROWS,  # NUM_WORDS words a row
    BASE_COUNT,  # tokens that a base row allows
    EXIT_FIRST,  # the exits of base b are the nodes EXIT_FIRST[b] : EXIT_FIRST[b + 1] of EXITS
    POOL_ROWS,  # rows that are no base, as `slipform.grammars.masks.MaskPool` keeps them
    POOL_SERIAL,
    POOL_USED,
    POOL_CLOCK,
    SIZES,  # NUM_WORDS, LONGEST_PLAIN, LONGEST
) = range(18, 29)
NUM_VOCABULARY_TABLES = 29

# Places in SIZES.
NUM_WORDS = 0
LONGEST_PLAIN = 1  # characters of the longest plain token
LONGEST = 2  # bytes of the longest token
NUM_SIZES = 3
