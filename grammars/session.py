"""What matchers ask of a grammar, memoised: masks, successors by token, forced text, completions."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from slipform.grammars.builder import Node
from slipform.grammars.pushdown import Automaton
from slipform.grammars.shortest import Completions
from slipform.grammars.vocabulary import Vocabulary

TERMINATED = -1
_MEMO_BYTES = 150  # roughly
_FACTS_BYTES = 500  # roughly, with a run
_MAX_RUNS = 64  # forced runs kept of one configuration, which stands behind so many different texts


@dataclass(frozen=True, slots=True)
class ForcedRun:
    """Tokens that are forced from a configuration on, and the configuration behind them."""

    ids: tuple[int, ...]
    after: int


@dataclass(slots=True, eq=False)
class ConfigFacts:
    """What was found out about one configuration.

    Attributes:
        is_accepting: the text may end here. is_complete: and nothing else may follow.
        forced_byte: the only byte that may follow, or -1.
        runs: the forced run behind each window of text; see `JumpForward.window`. Without a window, behind the text.
        mask: (slot, serial) of its mask in the pool, as far as known.
    """

    is_accepting: bool
    is_complete: bool
    forced_byte: int
    runs: dict[bytes, ForcedRun] = field(default_factory=dict)
    mask: tuple[int, int] | None = None


class Session:
    """One automaton of a grammar with all that was found out about its configurations. Thread-safe.

    A grammar opens a new session when the tables of the last one have grown large; matchers stay in theirs.

    Attributes:
        first_id: what to add to a configuration's number for an id that no other session shares.
    """

    def __init__(self, automaton: Automaton, vocabulary: Vocabulary, number: int) -> None:
        self.automaton = automaton
        self.vocabulary = vocabulary
        self.first_id = number << 32
        self._size = len(vocabulary)
        self._eos = frozenset(vocabulary.eos_ids)
        self._slots: dict[int, tuple[int, int]] = {}  # by the automaton's number of a mask
        self._facts: dict[int, ConfigFacts] = {}
        self._completions: dict[int, bytes] = {}
        self._shortest = Completions(automaton.builder)

    def start(self, root: Node) -> int:
        """The configuration before any byte of `root`."""
        return self.automaton.start(root)

    @property
    def num_bytes(self) -> int:
        """Memory of the automaton's tables and, roughly, of the memos; mask rows are counted by `mask_pool`."""
        memos = _MEMO_BYTES * (len(self._completions) + len(self._slots)) + _FACTS_BYTES * len(self._facts)
        return self.automaton.num_bytes + memos

    def is_accepting(self, config: int) -> bool:
        return self.automaton.is_accepting(config)

    def facts(self, config: int) -> ConfigFacts:
        """What is known of a configuration, found out on the first call. Raises: VocabularyMismatch as a mask would."""
        known = self._facts.get(config)
        if known is None:
            is_accepting = self.automaton.is_accepting(config)
            is_complete = is_accepting and self.automaton.allowed_count(config) <= len(self._eos)
            forced = b"" if is_accepting else self.automaton.forced_bytes(config)[0]
            known = self._facts[config] = ConfigFacts(is_accepting, is_complete, forced[0] if forced else -1)
        return known

    def forced_run(self, config: int, facts: ConfigFacts, last: bytes, tail: Callable[[], bytes]) -> ForcedRun:
        """See `Matcher.forced_run`. `facts` are those of `config`."""
        jump_forward = self.vocabulary.jump_forward
        window = jump_forward.window(last, facts.forced_byte)
        if window is None:
            text = tail()
            window = jump_forward.window(text, facts.forced_byte)
            if window is None:
                window = text
        run = facts.runs.get(window)
        if run is None:
            ids = tuple(self.forced_tokens(config, window))
            after = config
            for token_id in ids:
                after = self.after_token(after, token_id)
            run = ForcedRun(ids, after)
            if len(facts.runs) >= _MAX_RUNS:
                facts.runs.clear()
            facts.runs[window] = run
        return run

    def mask_slot(self, config: int) -> tuple[int, int]:
        """(slot, serial) of a row of the vocabulary's pool that holds the mask; put there on the first call."""
        facts = self._facts.get(config)
        serial = self.vocabulary.mask_pool.serial
        if facts is not None and facts.mask is not None and serial[facts.mask[0]] == facts.mask[1]:
            return facts.mask
        mask = self.automaton.mask_number(config)
        known = self._slots.get(mask)
        if known is None or serial[known[0]] != known[1]:
            row = np.empty(self.vocabulary.num_words, np.int32)
            self.automaton.fill_row(config, row)
            known = self._slots[mask] = self.vocabulary.mask_pool.put(row)
        if facts is not None:
            facts.mask = known
        return known

    def allowed_count(self, config: int) -> int:
        return self.automaton.allowed_count(config)

    def after_token(self, config: int, token_id: int) -> int:
        """The configuration after a token; 0 if it is not allowed, TERMINATED after an allowed end of sequence."""
        if not 0 <= token_id < self._size:
            return 0
        after = self.automaton.after_token(config, token_id)
        if after == 0 and token_id in self._eos and self.automaton.is_accepting(config):
            return TERMINATED
        return after

    def after_bytes(self, config: int, text: bytes) -> tuple[int, int]:
        """(configuration reached, number of bytes taken)."""
        return self.automaton.advance(config, text)

    def forced_bytes(self, config: int) -> bytes:
        """See `Matcher.forced_bytes`."""
        return self.automaton.forced_bytes(config)[0]

    def forced_tokens(self, config: int, tail: bytes) -> list[int]:
        """See `Matcher.forced_tokens`."""
        forced, end = self.automaton.forced_bytes(config)
        if not forced:
            return []
        next_bytes = None if self.automaton.is_accepting(end) else self.automaton.successors(end) != 0
        return self.vocabulary.jump_forward.tokens(tail, forced, next_bytes)

    def shortest_completion(self, config: int) -> bytes:
        """See `Matcher.shortest_completion`."""
        known = self._completions.get(config)
        if known is None:
            with self.automaton.lock:
                known = self._completions[config] = self._shortest.of_config(self.automaton, config)
        return known
