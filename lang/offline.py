"""Constraints without a model: the grammars' own machinery over single bytes.

The language loads where no engine is installed or wanted, so that machinery is loaded by name on first use.
"""

import importlib
from functools import lru_cache
from typing import Any, Protocol

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


def completion(spec: GrammarSpec, prefix: str) -> str | None:
    """A short text that completes `prefix` to a match, or None if nothing does."""
    data = prefix.encode()
    at = matcher(spec)
    return at.shortest_completion().decode() if at.accept_bytes(data) == len(data) else None


@lru_cache(maxsize=1)
def _bytes() -> Any:
    """A vocabulary whose token 1 + b is the byte b, and 0 the end."""
    vocabulary = importlib.import_module("slipform.grammars.vocabulary").Vocabulary
    return vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [0], [0])
