"""Random draws that know which split they serve, so that what is held out never reaches a training example.

Three rules make the split, and all are pure functions of the material itself:

    phrases   one entry in ten of a list of at least ten is held out (`Source.phrase`)
    texts     a scene or a question is held out when the checksum of its text is 3 modulo 10 (`text_is_held_out`): more
              material leaves what is there on its side
    entities  a name, product or place is held out when the checksum of its text is 0 modulo 9 (`Source.entity`)

A training source never draws what is held out; a held-out source draws nothing else, where a list has such entries.
"""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Split = Literal["train", "heldout"]

PHRASE_STRIDE = 10
PHRASE_HELD_OUT = 3
ENTITY_STRIDE = 9
CACHED_LISTS = 4096


@dataclass(frozen=True, slots=True)
class Value:
    """One drawn value: how the passage writes it, and what JSON should hold (for an enum, the concept)."""

    surface: str
    json: object


def entity_is_held_out(text: str) -> bool:
    return zlib.crc32(text.encode()) % ENTITY_STRIDE == 0


def text_is_held_out(text: str) -> bool:
    return zlib.crc32(text.encode()) % PHRASE_STRIDE == PHRASE_HELD_OUT


def phrase_is_held_out(index: int, count: int) -> bool:
    return count >= PHRASE_STRIDE and index % PHRASE_STRIDE == PHRASE_HELD_OUT


class Source:
    """A seeded stream of choices for one split."""

    def __init__(self, seed: int | str, split: Split) -> None:
        self.random = random.Random(f"{split}/{seed}")
        self.split: Split = split
        self._phrases: dict[int, tuple[Sequence[object], Sequence[object]]] = {}
        self._entities: dict[int, tuple[Sequence[str], Sequence[str]]] = {}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, the same list in both splits."""
        return items[int(self.random.random() * len(items))]

    def integer(self, low: int, high: int) -> int:
        """Uniform in [low, high]."""
        return low + int(self.random.random() * (high - low + 1))

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        return self.random.sample(items, min(count, len(items)))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self.random.sample(items, len(items))

    def phrases(self, items: Sequence[T]) -> Sequence[T]:
        """The entries of a list of wordings that this split may use. Lists are told apart by identity and kept."""
        known = self._phrases.get(id(items))
        if known is None or known[0] is not items:
            wanted = self.split == "heldout"
            kept = [item for i, item in enumerate(items) if phrase_is_held_out(i, len(items)) == wanted]
            known = (items, kept or list(items))
            if len(self._phrases) >= CACHED_LISTS:
                self._phrases.clear()
            self._phrases[id(items)] = known
        return known[1]  # type: ignore[return-value]

    def phrase(self, items: Sequence[T]) -> T:
        return self.pick(self.phrases(items))

    def entity(self, items: Sequence[str]) -> str:
        """One of a list of names; a list that holds no entry of this split is used whole."""
        known = self._entities.get(id(items))
        if known is None or known[0] is not items:
            wanted = self.split == "heldout"
            kept = [item for item in items if entity_is_held_out(item) == wanted]
            known = (items, kept or items)
            self._entities[id(items)] = known
        return self.pick(known[1])
