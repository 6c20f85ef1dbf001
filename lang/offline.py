"""Constraints without a model: the grammars' own machinery over single bytes.

The language loads where no engine is installed or wanted, so that machinery is loaded by name on first use.
"""

import importlib
import random
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from slipform.grammars.spec import GrammarSpec


class ByteMatcher(Protocol):
    """A place in a constraint, reached by some bytes. See `slipform.grammars.matcher.Matcher`."""

    @property
    def is_accepting(self) -> bool: ...
    @property
    def state_id(self) -> int: ...

    def accept_bytes(self, text: bytes) -> int: ...
    def rollback(self, num_steps: int) -> None: ...
    def fork(self) -> "ByteMatcher": ...
    def forced_bytes(self) -> bytes: ...
    def shortest_completion(self) -> bytes: ...
    def fill_bitmask(self, row: Any) -> None: ...


def matcher(spec: GrammarSpec) -> ByteMatcher:
    """A matcher at the start of `spec`. Raises: GrammarError for a spec that cannot be honoured."""
    compiled = importlib.import_module("slipform.grammars.compiler").compile_grammar(spec, _bytes())
    made: ByteMatcher = compiled.matcher()
    return made


def matches(spec: GrammarSpec, text: str) -> bool:
    """Whether the whole text satisfies `spec`. Raises: GrammarError for a spec that cannot be honoured."""
    data = text.encode()
    at = matcher(spec)
    return at.accept_bytes(data) == len(data) and at.is_accepting


def longest_match(spec: GrammarSpec, text: str) -> tuple[int | None, bool]:
    """Length in characters of the longest beginning of `text` that satisfies `spec`, None where none does; and whether
    a text that begins with all of `text` could satisfy it too.

    Raises: GrammarError for a spec that cannot be honoured.
    """
    at = matcher(spec)
    longest = 0 if at.is_accepting else None
    for index, character in enumerate(text):
        data = character.encode()
        if at.accept_bytes(data) < len(data):
            return longest, False
        if at.is_accepting:
            longest = index + 1
    return longest, bool(at.forced_bytes() or allowed_bytes(at))


def completion(spec: GrammarSpec, prefix: str) -> str | None:
    """A short text that completes `prefix` to a match, or None if nothing does."""
    data = prefix.encode()
    at = matcher(spec)
    return at.shortest_completion().decode() if at.accept_bytes(data) == len(data) else None


def all_captured(spec: GrammarSpec, text: str) -> list[tuple[str, str]]:
    """Name and text of every capture of a text that matches. See `slipform.grammars.captures.all_captured`."""
    found: list[tuple[str, str]] = importlib.import_module("slipform.grammars.captures").all_captured(spec, text)
    return found


def is_prefix_free(spec: GrammarSpec) -> bool:
    """Whether no text of a regular spec begins another one. Raises: UnsupportedGrammar for one that is not regular."""
    limits = importlib.import_module("slipform.grammars.limits").Limits()
    dfa = importlib.import_module("slipform.grammars.algebra").spec_dfa(spec, limits)
    return not bool((dfa.table[dfa.accepting] >= 0).any())


def allowed_bytes(at: ByteMatcher) -> list[int]:
    """The bytes that may come next."""
    words = np.zeros(_NUM_WORDS, np.int32)
    at.fill_bitmask(words)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return [int(token) - 1 for token in np.flatnonzero(bits) if token]


def sample(spec: GrammarSpec, seed: int | None, max_chars: int) -> str:
    """A text of `spec`, byte by byte, each drawn from those that may follow; letters and digits come before others.

    An end is as likely as any byte. Beyond `max_chars` the text is completed the shortest way.
    """
    draw = random.Random(seed)
    at = matcher(spec)
    text = bytearray()
    while len(text) < max_chars:
        following = allowed_bytes(at)
        plain = [byte for byte in following if 0x20 <= byte < 0x7F] or following
        if not following or (at.is_accepting and draw.randrange(len(plain) + 1) == 0):
            break
        text.append(draw.choice(plain))
        at.accept_bytes(bytes(text[-1:]))
    return (bytes(text) + at.shortest_completion()).decode()


_NUM_WORDS = (257 + 31) // 32


@lru_cache(maxsize=1)
def _bytes() -> Any:
    """A vocabulary whose token 1 + b is the byte b, and 0 the end."""
    vocabulary = importlib.import_module("slipform.grammars.vocabulary").Vocabulary
    return vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [0], [0])
