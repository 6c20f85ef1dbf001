"""A dictionary of common words for exercises in word meaning: `material/dictionary.jsonl.gz`, made by `make_dictionary.py`.

The first line holds the everyday classes, each further line one usual sense of a word: the fields of `Sense`, in order. Frequent
words come first.
"""

import functools
import gzip
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipform.runtime.embedded.source import entity_is_held_out

MATERIAL = Path(__file__).parent / "material"
FILE = MATERIAL / "dictionary.jsonl.gz"
CLASSES = MATERIAL / "dictionary_classes.txt"
POS_NAMES = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb"}


@dataclass(frozen=True, slots=True)
class EverydayClass:
    """A class of things or doings: the block of classes that it stands in, whether it is `wide`, and what people call it.

    A wide class is no wrong option beside a class of its block: a knife is a device, in a way.
    """

    block: str
    wide: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sense:
    """One usual sense of a word.

    Attributes:
        gloss: its definition; "" where the definition holds the word.
        examples: sentences or phrases that hold the word once.
        synonyms, opposites: words for which that is usual, too; kinds: what it is a kind of, or a way of doing.
        siblings: other concrete things of the same kind.
        classes: numbers of its everyday classes, nearest first; all_classes: those of every sense of the word, usual or not.
        branches: numbers of what the word could be about in any sense: words without a common branch mean different things.
    """

    word: str
    pos: str
    gloss: str
    examples: tuple[str, ...]
    synonyms: tuple[str, ...]
    opposites: tuple[str, ...]
    kinds: tuple[str, ...]
    siblings: tuple[str, ...]
    classes: tuple[int, ...]
    all_classes: frozenset[int]
    branches: frozenset[int]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All senses, also by part of speech, and the everyday classes."""

    classes: tuple[EverydayClass, ...]
    senses: tuple[Sense, ...]
    by_pos: dict[str, tuple[Sense, ...]]


@functools.cache
def dictionary() -> Dictionary:
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        classes = tuple(EverydayClass(block, wide, tuple(names)) for block, wide, names in json.loads(next(file)))
        senses = tuple(_sense(json.loads(line)) for line in file)
    by_pos: dict[str, list[Sense]] = defaultdict(list)
    for sense in senses:
        by_pos[sense.pos].append(sense)
    return Dictionary(classes, senses, {pos: tuple(found) for pos, found in by_pos.items()})


def _sense(row: list[Any]) -> Sense:
    word, pos, gloss, *lists, every, branches = row
    examples, synonyms, opposites, kinds, siblings, classes = map(tuple, lists)
    return Sense(
        word, pos, gloss, examples, synonyms, opposites, kinds, siblings, classes, frozenset(every), frozenset(branches)
    )


def word_is_held_out(word: str) -> bool:
    """Whether exercises about a word serve tests only. It may still stand in the definitions and options of others."""
    return entity_is_held_out(word)


def form_in(word: str, text: str) -> str | None:
    """The form of `word` that stands in `text`, if it stands there once."""
    stem = word if len(word) <= 4 else word.rstrip("ey")
    found = re.findall(rf"\b{re.escape(stem)}(?:|s|es|d|ed|ing|e|y|ies|ied|er|est)\b", text)
    return found[0] if len(found) == 1 else None
