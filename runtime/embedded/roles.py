"""Who did what: verbs with the people who do them and the nouns of the deed, from `material/role_words.txt`.

Its verbs stand by the things that they are done to, one row for words that say the same of such a thing:

    == parcel, crate, sofa
    -- bringing
    delivered, brought, dropped off~dropped _ off | courier, delivery driver | delivery, handover

participles (behind `~` the past form where it differs, `_` the place of the object), people, nouns of the deed. Rows of one block (`--`)
are too near to each other to stand in one message. The words of a row stand for each other in names of properties: `delivered_by`,
`courier`, `dropped_off_by`; `delivered_on`, `date_of_delivery`.
"""

import functools
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipform.runtime.embedded.source import entity_is_held_out

DeedField = Literal["string", "date"]

FILE = Path(__file__).parent / "material" / "role_words.txt"
ROOT = 4
EMPTY_WORDS = frozenset(
    "by on of the to up off out in for at with into from it its was date day name time number".split()
)


def roots(text: str) -> frozenset[str]:
    """The beginnings of the words of a text or a property name, words without a meaning of their own left out."""
    words = (word.lower() for word in re.findall(r"[A-Za-z]+", text))
    return frozenset(word[:ROOT] for word in words if len(word) > 1 and word not in EMPTY_WORDS)


@dataclass(frozen=True, slots=True)
class Deed:
    """Words that say the same of a thing: (participle, past with `_` for the object) pairs, people, nouns."""

    verbs: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    nouns: tuple[str, ...]

    @property
    def slot(self) -> str:
        """What the deed is called in slots of a scene."""
        return re.sub(r"[ -]", "_", self.verbs[0][0])

    @property
    def roots(self) -> frozenset[str]:
        return roots(" ".join(itertools.chain((verb for verb, _ in self.verbs), self.people, self.nouns)))


@dataclass(frozen=True, slots=True)
class Setting:
    """Things that the deeds of `blocks` are done to, and the pronoun for one of them."""

    things: tuple[str, ...]
    pronoun: str
    blocks: tuple[tuple[Deed, ...], ...]


def parse_deed(row: str) -> Deed:
    """A deed from its row. Raises ValueError where a part is missing."""
    verbs, people, nouns = (tuple(part.strip() for part in cell.split(",")) for cell in row.split("|"))
    if not all((*verbs, *people, *nouns)):
        raise ValueError(f"an empty word: {row}")
    pairs = (verb.partition("~") for verb in verbs)
    return Deed(tuple((verb, _with_place(past or verb)) for verb, _, past in pairs), people, nouns)


def _with_place(past: str) -> str:
    return past if "_" in past else f"{past} _"


@functools.cache
def settings() -> tuple[Setting, ...]:
    """All settings of the material."""
    found: list[Setting] = []
    for part in FILE.read_text(encoding="utf-8").split("== ")[1:]:
        head, *rows = part.strip().splitlines()
        pronoun, _, things = head.rpartition(": ")
        blocks: list[list[Deed]] = []
        for row in rows:
            if row.startswith("-- "):
                blocks.append([])
            else:
                blocks[-1].append(parse_deed(row))
        found.append(Setting(tuple(things.split(", ")), pronoun or "it", tuple(tuple(block) for block in blocks)))
    return tuple(found)


def is_held_out(setting: Setting, deed: Deed) -> bool:
    return entity_is_held_out(f"{setting.things[0]} {deed.verbs[0][0]}")


def names(deed: Deed, kind: DeedField, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Names that a property may have for the person ("string") or the day ("date") of a deed; none that holds a word of `without`."""
    verbs, people, nouns = (
        [re.sub(r"[ -]", "_", word) for word in words]
        for words in ([verb for verb, _ in deed.verbs if len(verb.split()) <= 3], deed.people, deed.nouns)
    )
    if kind == "date":
        found = [f"{verb}_on" for verb in verbs] + [f"date_{verb}" for verb in verbs]
        found += [form.format(noun) for noun in nouns for form in ("{}_date", "date_of_{}", "day_of_{}")]
    else:
        found = [f"{verb}_by" for verb in verbs] + people + [f"{person}_name" for person in people]
    return tuple(name for name in found if not roots(name) & without)
