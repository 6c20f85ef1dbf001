"""A matcher: one text being written under a compiled grammar."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy import ndarray

from slipform.grammars.batch import after_tokens, fill_rows
from slipform.grammars.bitmask import INT32, as_words
from slipform.grammars.masks import MaskPool
from slipform.grammars.session import TERMINATED, ConfigFacts, ForcedRun, Session
from slipform.kernels.masks import write_mask
from slipform.kernels.pushdown import advance_token


class Matcher:
    """Where one sequence stands in its grammar. Not thread-safe; one matcher belongs to one sequence.

    Attributes:
        state_id: equal ids (of one grammar) mean equal masks and equal continuations.
        is_terminated: an end-of-sequence token was accepted; only `rollback` leads on.
    """

    __slots__ = ("_automaton", "_config", "_heap", "_history", "_session")

    def __init__(self, session: Session, config: int, history: list[int] | None = None) -> None:
        self._session = session
        self._automaton = session.automaton
        self._heap = session.automaton.heap  # asked directly where every token counts
        self._config = config
        self._history: list[int] = history or []

    @property
    def state_id(self) -> int:
        return self._config if self._config == TERMINATED else self._session.first_id + self._config

    @property
    def is_terminated(self) -> bool:
        return self._config == TERMINATED

    @property
    def is_accepting(self) -> bool:
        """Whether the text so far matches the whole grammar, so that it may end here."""
        return self._config != TERMINATED and self._session.is_accepting(self._config)

    @property
    def allowed_count(self) -> int:
        """Number of tokens that the mask allows, end-of-sequence tokens included."""
        return 0 if self._config == TERMINATED else self._session.allowed_count(self._config)

    @property
    def mask_pool(self) -> MaskPool:
        """Where the mask rows of its vocabulary are."""
        return self._session.vocabulary.mask_pool

    def mask_slot(self) -> tuple[int, int] | None:
        """(slot, serial) of the mask of the next token in `mask_pool`; None for a terminated matcher."""
        return None if self._config == TERMINATED else self._session.mask_slot(self._config)

    def fill_bitmask(self, row: Any) -> None:
        """Write the mask of the next token into `row`: int32 numpy array or CPU tensor, at least W words.

        Tokens beyond the vocabulary are forbidden. A terminated matcher allows nothing. Mutates: `row`.
        """
        if type(row) is not ndarray or row.dtype is not INT32:
            row = as_words(row)
        if write_mask(self._heap, self._config, 0, row):
            self._automaton.fill_row(self._config, row)

    def accept_token(self, token_id: int) -> bool:
        """Take one token. False if the grammar forbids it; then nothing changes."""
        config = self._config
        successor = advance_token(self._heap, config, token_id, 0)
        if successor <= 0:  # forbidden, an end-of-sequence token, or more to be done than a short call may do
            successor = 0 if config == TERMINATED else self._session.after_token(config, token_id)
            if successor == 0:
                return False
        self._history.append(config)
        self._config = successor
        return True

    def enter(self, successor: int) -> None:
        """Go where `successors` or a `ForcedRun` of this matcher leads. One step for `rollback`."""
        self._history.append(self._config)
        self._config = successor

    def accept_bytes(self, text: bytes) -> int:
        """Take the longest prefix of `text` that the grammar allows; returns its length. One step for `rollback`."""
        if self._config == TERMINATED or not text:
            return 0
        successor, count = self._session.after_bytes(self._config, text)
        if count:
            self._history.append(self._config)
            self._config = successor
        return count

    def rollback(self, num_steps: int) -> None:
        """Undo the last `num_steps` successful `accept_token` and `accept_bytes` calls.

        Raises: ValueError if there were fewer.
        """
        if not 0 <= num_steps <= len(self._history):
            raise ValueError(f"cannot undo {num_steps} of {len(self._history)} steps")
        if num_steps:
            self._config = self._history[-num_steps]
            del self._history[-num_steps:]

    def fork(self) -> "Matcher":
        """An independent matcher at the same place, with the same history."""
        return Matcher(self._session, self._config, self._history.copy())

    def forced_bytes(self) -> bytes:
        """The bytes with which every continuation begins. Changes nothing."""
        return b"" if self._config == TERMINATED else self._session.forced_bytes(self._config)

    def forced_tokens(self, tail: bytes = b"") -> list[int]:
        """The tokens that the tokenizer itself would write for the forced bytes, whatever follows. Changes nothing.

        Args:
            tail: the text before, as far as known; the more of it, the more tokens can be told to be canonical.
        """
        return [] if self._config == TERMINATED else self._session.forced_tokens(self._config, tail)

    @property
    def facts(self) -> ConfigFacts | None:
        """What is known of the place where it stands; None for a terminated matcher."""
        return None if self._config == TERMINATED else self._session.facts(self._config)

    def forced_run(self, facts: ConfigFacts, last: bytes, tail: Callable[[], bytes]) -> ForcedRun:
        """`forced_tokens` and the place behind them. Changes nothing.

        Args:
            facts: the matcher's own. last: what the last tokens spell.
            tail: gives the text before, as far as known; not asked where `last` is enough.
        """
        return self._session.forced_run(self._config, facts, last, tail)

    def shortest_completion(self) -> bytes:
        """A short text that completes the match from here; b"" if it is complete. Changes nothing."""
        return b"" if self._config == TERMINATED else self._session.shortest_completion(self._config)

    def shortest_completion_after(self, token_id: int) -> bytes | None:
        """The `shortest_completion` behind one more token; None if the token is forbidden. Changes nothing."""
        if self._config == TERMINATED:
            return None
        successor = self._session.after_token(self._config, token_id)
        if successor == 0:
            return None
        return b"" if successor == TERMINATED else self._session.shortest_completion(successor)


def fill_batch(matchers: Sequence[Matcher], out: Any, rows: Sequence[int]) -> None:
    """Write the mask of matchers[i] into out[rows[i]].

    Args:
        matchers: of one vocabulary; their grammars may differ.
        out: (B, W or more) int32 numpy array or CPU tensor. Mutated: only the rows named.
        rows: as many as matchers, distinct.
    """
    fill_rows([one._automaton for one in matchers], [one._config for one in matchers], as_words(out), rows)


def successors(matchers: Sequence[Matcher], token_ids: Sequence[int]) -> list[int]:
    """Where each matcher would stand behind its token, for `enter`; 0 where the grammar forbids it. One compiled call.

    Args:
        token_ids: as many as matchers, each of the vocabulary. Several matchers may share a grammar.

    Raises: what serving a grammar's first visit to a rule raises. Changes nothing of the matchers.
    """
    found = after_tokens([one._automaton for one in matchers], [one._config for one in matchers], token_ids)
    for index, after in enumerate(found):
        if after == 0 and matchers[index]._config != TERMINATED:
            found[index] = matchers[index]._session.after_token(matchers[index]._config, token_ids[index])
    return found
