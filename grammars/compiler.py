"""From a spec to a compiled grammar, which matchers share; compiled grammars are cached by spec and vocabulary."""

import threading
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from slipform.errors import VocabularyMismatch
from slipform.grammars.bitmask import Int32, allow
from slipform.grammars.builder import Builder, Node
from slipform.grammars.front_ends import build_spec
from slipform.grammars.limits import Budget, CancelToken, Limits
from slipform.grammars.masks import MaskPool
from slipform.grammars.matcher import Matcher
from slipform.grammars.pushdown import Automaton
from slipform.grammars.shortest import Completions
from slipform.grammars.spec import GrammarSpec
from slipform.grammars.vocabulary import Vocabulary

DEFAULT_CACHE_ENTRIES = 512


class CompiledGrammar:
    """A spec ready to constrain texts of one vocabulary. Thread-safe; grows as generation visits new parts.

    Attributes:
        spec: what it was compiled from.
        vocabulary: whose tokens the masks speak of.
        mask_pool: the vocabulary's mask rows.
    """

    def __init__(self, spec: GrammarSpec, vocabulary: Vocabulary, builder: Builder, root: Node) -> None:
        self.spec = spec
        self.vocabulary = vocabulary
        self.mask_pool: MaskPool = vocabulary.mask_pool
        self._builder = builder
        self._root = root
        self._automaton = Automaton(builder, vocabulary.trie.max_depth)
        self._slots: dict[int, tuple[int, int]] = {}
        self._reach: dict[int, int] = {}  # per configuration with a mask: bytes that bound how far a token was read
        self._after: dict[int, int] = {}
        self._completions: dict[int, bytes] = {}
        self._shortest = Completions(builder)
        self._eos = frozenset(vocabulary.eos_ids)
        self._start = self._automaton.start(root)

    def matcher(self, prefix: bytes = b"") -> Matcher:
        """A matcher at the start. With `prefix`, the text must begin with these bytes and then match: they are part of
        what the tokens spell, but not of what the grammar judges. Heals the seam behind a token taken back."""
        if not prefix:
            return Matcher(self, self._start)
        with self._automaton.lock:
            root = self._builder.seq(self._builder.literal(prefix), self._root)
            return Matcher(self, self._automaton.start(root))

    @property
    def num_bytes(self) -> int:
        """Memory of the automaton's tables; mask rows are counted by `mask_pool`."""
        return self._automaton.num_bytes

    # What matchers ask, by configuration

    def is_accepting(self, config: int) -> bool:
        return self._automaton.is_accepting(config)

    def mask(self, config: int) -> Int32:
        """(W,) int32, not to be changed."""
        row: Int32 = self.mask_pool.rows[self.mask_slot(config)]
        return row

    def allowed_count(self, config: int) -> int:
        return self.mask_pool.num_allowed[self.mask_slot(config)]

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
        self._reach[config] = self._automaton.fill_mask(config, self.vocabulary.trie, self.vocabulary.plain, mask)
        if self._automaton.is_accepting(config):
            for token in self.vocabulary.eos_ids:
                allow(mask, token)
        elif not mask.any():
            missing = bytes(np.flatnonzero(self._automaton.successors(config)).astype(np.uint8))
            raise VocabularyMismatch(config, missing)
        self._slots[config] = slot = pool.put(mask)
        return slot[0]

    def _config_for_mask(self, config: int) -> int:
        """A configuration whose mask is the same. Counts nearer to their bounds than the longest token are still alike
        if no token that fits here is as long: that is known once the mask for counts in the middle is."""
        automaton = self._automaton
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
        """The configuration after a token; 0 if it is not allowed, -1 after an allowed end of sequence."""
        key = config * len(self.vocabulary) + token_id
        known = self._after.get(key)
        if known is None:
            known = self._after[key] = self._find_after_token(config, token_id)
        return known

    def _find_after_token(self, config: int, token_id: int) -> int:
        vocabulary = self.vocabulary
        if not 0 <= token_id < len(vocabulary):
            return 0
        if token_id in self._eos:
            return -1 if self._automaton.is_accepting(config) else 0
        begin, end = vocabulary.token_offsets[token_id : token_id + 2].tolist()
        if begin == end:
            return 0
        successor, taken = self._automaton.advance(config, vocabulary.token_text, begin, end)
        return successor if taken == end else 0

    def after_bytes(self, config: int, text: bytes) -> tuple[int, int]:
        """(configuration reached, number of bytes taken)."""
        return self._automaton.advance(config, np.frombuffer(text, np.uint8), 0, len(text))

    def forced_bytes(self, config: int) -> bytes:
        return self._automaton.forced_bytes(config)[0]

    def forced_tokens(self, config: int, tail: bytes) -> list[int]:
        """See `Matcher.forced_tokens`."""
        forced, end = self._automaton.forced_bytes(config)
        if not forced:
            return []
        next_bytes = None if self._automaton.is_accepting(end) else self._automaton.successors(end) != 0
        return self.vocabulary.jump_forward.tokens(tail, forced, next_bytes)

    def shortest_completion(self, config: int) -> bytes:
        """See `Matcher.shortest_completion`."""
        known = self._completions.get(config)
        if known is None:
            with self._automaton.lock:
                known = self._completions[config] = self._shortest.of_config(self._automaton, config)
        return known


class GrammarCache:
    """Compiled grammars by spec and vocabulary, the least recently used forgotten. Thread-safe.

    Two threads that ask for the same new grammar compile it once; a compilation does not hold up other specs.
    """

    def __init__(self, max_entries: int = DEFAULT_CACHE_ENTRIES) -> None:
        self.max_entries = max_entries
        self._entries: OrderedDict[tuple[GrammarSpec, str, Limits], CompiledGrammar] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: dict[tuple[GrammarSpec, str, Limits], threading.Lock] = {}

    def get(
        self, spec: GrammarSpec, vocabulary: Vocabulary, limits: Limits, cancel: CancelToken | None
    ) -> CompiledGrammar:
        """The compiled grammar, made now if it is not cached. Raises: what `compile_grammar` raises."""
        key = (spec, vocabulary.digest, limits)
        with self._lock:
            known = self._entries.get(key)
            if known is not None:
                self._entries.move_to_end(key)
                return known
            turn = self._under_way.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                known = self._entries.get(key)
            if known is None:
                known = _compile(spec, vocabulary, limits, cancel)
            with self._lock:
                self._entries[key] = known
                self._under_way.pop(key, None)
                while len(self._entries) > self.max_entries:
                    self._entries.popitem(last=False)
        return known

    @property
    def num_bytes(self) -> int:
        """Memory of the automata of all cached grammars."""
        with self._lock:
            return sum(grammar.num_bytes for grammar in self._entries.values())

    def clear(self) -> None:
        """Forget everything; grammars in use live on."""
        with self._lock:
            self._entries.clear()


@lru_cache(maxsize=1)
def default_cache() -> GrammarCache:
    """The cache that `compile_grammar` uses, one a process."""
    return GrammarCache()


def compile_grammar(
    spec: GrammarSpec,
    vocab: Vocabulary,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    cancel: CancelToken | None = None,
    cache: GrammarCache | None = None,
) -> CompiledGrammar:
    """Turn a spec into a grammar for the tokens of `vocab`. Thread-safe; cached.

    Args:
        limits: bounds of this compilation.
        cancel: stops the compilation from another thread.
        cache: where to look and keep the result; by default one for the process.

    Raises:
        GrammarSyntaxError, UnsupportedGrammar, EmptyGrammar: what the spec's front end finds wrong.
        GrammarTooLarge, GrammarTimeout: a bound of `limits` was reached, or it was cancelled.
    """
    return (cache or default_cache()).get(spec, vocab, limits, cancel)


def _compile(spec: GrammarSpec, vocabulary: Vocabulary, limits: Limits, cancel: CancelToken | None) -> CompiledGrammar:
    builder = Builder(budget=Budget(limits, cancel))
    root = build_spec(spec, builder)
    return CompiledGrammar(spec, vocabulary, builder, root)
