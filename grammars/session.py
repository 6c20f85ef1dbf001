"""What matchers ask of a grammar, memoised: masks, successors by token, forced text, completions."""

import itertools

import numpy as np

from slipform.errors import VocabularyMismatch
from slipform.grammars.bitmask import Int32, allow
from slipform.grammars.builder import Node
from slipform.grammars.masks import MaskPool
from slipform.grammars.pushdown import Automaton
from slipform.grammars.shortest import Completions
from slipform.grammars.vocabulary import Vocabulary

TERMINATED = -1
_MAX_MEMOS = 1 << 20


class Session:
    """One automaton of a grammar with all that was found out about its configurations. Thread-safe.

    A grammar opens a new session when the tables of the last one have grown large; matchers stay in theirs.

    Attributes:
        first_id: what to add to a configuration's number for an id that no other session shares.
        mask_pool: the vocabulary's mask rows.
    """

    def __init__(self, automaton: Automaton, vocabulary: Vocabulary, number: int) -> None:
        self.automaton = automaton
        self.vocabulary = vocabulary
        self.first_id = number << 32
        self.mask_pool: MaskPool = vocabulary.mask_pool
        self._size = len(vocabulary)
        self._eos = frozenset(vocabulary.eos_ids)
        self._slots: dict[int, tuple[int, int]] = {}
        self._reach: dict[int, int] = {}  # per configuration with a mask: bytes that bound how far a token was read
        self._after: dict[int, int] = {}
        self._completions: dict[int, bytes] = {}
        self._shortest = Completions(automaton.builder)

    def start(self, root: Node) -> int:
        """The configuration before any byte of `root`."""
        return self.automaton.start(root)

    @property
    def num_bytes(self) -> int:
        """Memory of the automaton's tables and, roughly, of the memos; mask rows are counted by `mask_pool`."""
        entries = len(self._slots) + len(self._reach) + len(self._after) + len(self._completions)
        return self.automaton.num_bytes + 150 * entries

    def is_accepting(self, config: int) -> bool:
        return self.automaton.is_accepting(config)

    def mask(self, config: int) -> Int32:
        """(W,) int32, not to be changed."""
        row: Int32 = self.mask_pool.rows[self.mask_slot(config)]
        return row

    def allowed_count(self, config: int) -> int:
        return self.mask_pool.count(self.mask_slot(config))

    def mask_slot(self, config: int) -> int:
        """The slot of `mask_pool` that holds the mask.

        Raises: VocabularyMismatch if no token can follow and the text is not complete.
        """
        pool = self.mask_pool
        known = self._slots.get(config)
        if known is not None and pool.serial[known[0]] == known[1]:
            pool.touch(known[0])
            return known[0]
        alike = self._config_for_mask(config)
        if alike != config:
            shared = self.mask_slot(alike)
            self._slots[config] = (shared, pool.serial[shared])
            return shared
        mask = np.empty(self.vocabulary.num_words, np.int32)
        self._reach[config] = self.automaton.fill_mask(config, self.vocabulary.trie, self.vocabulary.plain, mask)
        if self.automaton.is_accepting(config):
            for token in self.vocabulary.eos_ids:
                allow(mask, token)
        elif not mask.any():
            missing = bytes(np.flatnonzero(self.automaton.successors(config)).astype(np.uint8))
            raise VocabularyMismatch(config, missing)
        self._slots[config] = slot = pool.put(mask)
        return slot[0]

    def _config_for_mask(self, config: int) -> int:
        """A configuration whose mask is the same. Counts nearer to their bounds than the longest token are still alike
        if no token that fits here is as long: that is known once the mask for counts in the middle is."""
        automaton = self.automaton
        alike = automaton.config_for_mask(config)
        if alike != config:
            return alike
        middle = automaton.config_for_mask(config, 1)
        if middle == config:
            return config
        if middle not in self._reach:
            self.mask_slot(middle)
        reach = self._reach.get(middle)
        if reach is None or automaton.config_for_mask(config, reach) != middle:
            return config
        return middle

    def after_token(self, config: int, token_id: int) -> int:
        """The configuration after a token; 0 if it is not allowed, TERMINATED after an allowed end of sequence."""
        key = config * self._size + token_id
        known = self._after.get(key)
        if known is None:
            known = self._find_after_token(config, token_id)
            if len(self._after) > _MAX_MEMOS:
                self._forget(self._after)
            self._after[key] = known
        return known

    def _find_after_token(self, config: int, token_id: int) -> int:
        vocabulary = self.vocabulary
        if not 0 <= token_id < self._size:
            return 0
        if token_id in self._eos:
            return TERMINATED if self.automaton.is_accepting(config) else 0
        begin, end = vocabulary.token_offsets[token_id : token_id + 2].tolist()
        if begin == end:
            return 0
        successor, taken = self.automaton.advance(config, vocabulary.token_text, begin, end)
        return successor if taken == end else 0

    @staticmethod
    def _forget(memo: dict[int, int]) -> None:
        """Drop the older half; dicts keep the order of insertion."""
        for key in list(itertools.islice(memo, len(memo) // 2)):
            memo.pop(key, None)

    def after_bytes(self, config: int, text: bytes) -> tuple[int, int]:
        """(configuration reached, number of bytes taken)."""
        return self.automaton.advance(config, np.frombuffer(text, np.uint8), 0, len(text))

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
