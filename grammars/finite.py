"""The automaton of any spec that needs no stack: JSON of bounded depth, grammars without nesting."""

from functools import lru_cache

import numpy as np

from slipform.errors import UnsupportedGrammar
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.dfa import Dfa
from slipform.grammars.limits import Limits
from slipform.grammars.spec import GrammarSpec
from slipform.grammars.vocabulary import Vocabulary

MAX_CONFIGURATIONS = 2048


def finite_dfa(spec: GrammarSpec, limits: Limits) -> Dfa:
    """Every configuration of the spec's pushdown automaton as a state, breadth first.

    Raises: UnsupportedGrammar if there are more than `MAX_CONFIGURATIONS`: what nests without bound, remembers keys, or
        counts far is not regular, or not worth treating as if it were. GrammarError as `compile_grammar`.
    """
    first = compile_grammar(spec, _bytes(), limits).matcher()
    states = {first.state_id: 0}
    matchers = [first]
    rows: list[list[int]] = []
    allowed = np.zeros(_bytes().num_words, np.int32)
    for matcher in matchers:
        matcher.fill_bitmask(allowed)
        row = [-1] * 256
        for token in np.flatnonzero(np.unpackbits(allowed.view(np.uint8), bitorder="little")).tolist():
            if token == _END:
                continue
            after = matcher.fork()
            after.accept_token(token)
            state = states.setdefault(after.state_id, len(states))
            if state == len(matchers):
                if state == MAX_CONFIGURATIONS:
                    raise UnsupportedGrammar(
                        f"{type(spec).__name__} in an intersection or exclusion, or in a JSON string",
                        reason=f"it has more than {MAX_CONFIGURATIONS} configurations, so that it may need a stack",
                    )
                matchers.append(after)
            row[token] = state
        rows.append(row)
    accepting = np.array([matcher.is_accepting for matcher in matchers])
    return Dfa(np.arange(256, dtype=np.uint8), np.array(rows, np.int32), accepting)


_END = 256


@lru_cache(maxsize=1)
def _bytes() -> Vocabulary:
    """A vocabulary of single bytes and an end token."""
    return Vocabulary.from_tokens([*(bytes([byte]) for byte in range(256)), b""], [_END], [_END])
