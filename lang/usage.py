"""Tokens that a run has cost, and what they cost in money."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipform.errors import SlipformError
from slipform.lang.state import ProgramState


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of prompts, those of them that came out of the cache, and tokens written."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """Money for a million tokens of prompts and of completions, in any currency."""

    prompt: float
    completion: float

    def of(self, usage: Usage) -> float:
        return (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6


def usage_of(state: ProgramState) -> Usage:
    """Tokens of the requests behind a state's variables. Holes that failed, and branches, are not counted."""
    prompts: dict[str, tuple[int, int]] = {}
    written = 0
    for name in state.variables():
        try:
            meta = state.get_meta_info(name)
        except SlipformError:  # no hole was filled for it, or it failed
            continue
        for fill in _dicts(meta):
            written += fill.get("completion_tokens", 0)
            # A request with several fills says its prompt with each of them: the last one says all.
            key = str(fill.get("id", name))
            prompts[key] = max(prompts.get(key, (0, 0)), (fill["prompt_tokens"], fill["cached_tokens"]))
    return Usage(sum(prompt for prompt, _ in prompts.values()), sum(cached for _, cached in prompts.values()), written)


def _dicts(meta: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(meta, Mapping):
        yield meta
    else:
        for part in meta:
            yield from _dicts(part)
