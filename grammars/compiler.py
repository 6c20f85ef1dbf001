"""From a spec to a compiled grammar, which matchers share; compiled grammars are cached by spec and vocabulary."""

import re
import threading
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from slipform.grammars.builder import Builder, Node
from slipform.grammars.front_ends import build_spec
from slipform.grammars.limits import Budget, CancelToken, Limits
from slipform.grammars.matcher import Matcher, fill_batch
from slipform.grammars.pushdown import Automaton
from slipform.grammars.session import Session
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex
from slipform.grammars.vocabulary import Vocabulary

DEFAULT_CACHE_ENTRIES = 512


class CompiledGrammar:
    """A spec ready to constrain texts of one vocabulary. Thread-safe; grows as generation visits new parts.

    Attributes:
        spec: what it was compiled from.
        vocabulary: whose tokens the masks speak of.
    """

    def __init__(self, spec: GrammarSpec, vocabulary: Vocabulary, builder: Builder, root: Node) -> None:
        self.spec = spec
        self.vocabulary = vocabulary
        self._builder = builder
        self._root = root
        self._lock = threading.RLock()
        self._num_sessions = 0
        self._session = self._open_session()
        self._start = self._session.start(root)

    def matcher(self, prefix: bytes = b"") -> Matcher:
        """A matcher at the start. With `prefix`, the text must begin with these bytes and then match: they are part of
        what the tokens spell, but not of what the grammar judges. Heals the seam behind a token taken back."""
        with self._lock:
            if self.num_bytes > self._builder.budget.limits.memory_bytes // 2:
                self._session = self._open_session()
                self._start = self._session.start(self._root)
            start = self._start
            if prefix:
                start = self._session.start(self._builder.seq(self._builder.literal(prefix), self._root))
            return Matcher(self._session, start)

    def built(self) -> tuple[Builder, Node]:
        """The builder with the bodies of all rules made, and the root: what a file needs to hold.

        Raises: GrammarTooLarge or GrammarTimeout if that exceeds the limits.
        """
        with self._lock:
            self._builder.build_rules()
            return self._builder, self._root

    def _open_session(self) -> Session:
        self._num_sessions += 1
        automaton = Automaton(self._builder, self.vocabulary.mask_tables, self.vocabulary.mask_pool, self._lock)
        return Session(automaton, self.vocabulary, self._num_sessions - 1)

    @property
    def num_bytes(self) -> int:
        """Memory of the tables and memos of the current session; mask rows are counted by the vocabulary's pool."""
        return self._session.num_bytes


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
            if known is not None:
                return known
            try:
                known = _compile(spec, vocabulary, limits, cancel)
                with self._lock:
                    self._entries[key] = known
                    while len(self._entries) > self.max_entries:
                        self._entries.popitem(last=False)
            finally:
                with self._lock:
                    self._under_way.pop(key, None)
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
    load_kernels()
    return (cache or default_cache()).get(spec, vocab, limits, cancel)


@lru_cache(maxsize=1)
def load_kernels() -> None:
    """Compile the kernels, or load them from Numba's cache, by running a small grammar of each common kind.

    This also makes the automata of unique values of any kind, which all grammars share.

    Takes a fraction of a second, or a minute where nothing is cached yet. `compile_grammar` does it once a process
    before any limit counts; call it earlier to choose the moment.
    """
    tokens = [b"", *(bytes([byte]) for byte in range(256)), b"ab"]
    pair = len(tokens) - 1

    def encode(text: str) -> list[int]:
        return [pair if piece == b"ab" else piece[0] + 1 for piece in re.findall(rb"ab|.", text.encode(), re.DOTALL)]

    vocabulary = Vocabulary.from_tokens(tokens, [], [0], encode=encode)
    limits = Limits(seconds=3600)
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "maxLength": 300},
            "b": {"type": "array", "items": {"type": "string", "pattern": "^a+$"}, "uniqueItems": True},
            "e": {"type": "string", "pattern": "^(?:a+ )*a$", "maxLength": 5000},
            "f": {"type": "array", "uniqueItems": True},
        },
    }
    for spec, text in (
        (Regex("(?:ab|[a-y]{2,9})é?"), b"abc"),
        (Choice(("ab", "ac")), b"a"),
        (Regex("xa[a-c]"), b""),  # forced text that may go on as a longer token
        (JsonSchema.of(schema), b'{"a": "ab", "b": ["a", "aa"], "e": "a a", "f": [1], "c": {"d": -1.5}}'),
    ):
        matcher = _compile(spec, vocabulary, limits, None).matcher()
        row = np.zeros((1, vocabulary.num_words), np.int32)
        for byte in text:
            fill_batch([matcher], row, [0])
            matcher.accept_token(byte + 1)
        matcher.forced_tokens()
        matcher.shortest_completion()


def _compile(spec: GrammarSpec, vocabulary: Vocabulary, limits: Limits, cancel: CancelToken | None) -> CompiledGrammar:
    builder = Builder(budget=Budget(limits, cancel))
    root = build_spec(spec, builder)
    return CompiledGrammar(spec, vocabulary, builder, root)
