"""Who did what: verbs with the people who do them, as composed messages and as other names of properties.

`material/role_words.txt` holds verbs by the things that they are done to, one row for words that say the same of such a thing:

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
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from slipform.runtime.embedded.kinds import KINDS, Kind, kind_named
from slipform.runtime.embedded.scenes import Scene, slot_fields
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source, entity_is_held_out

DeedField = Literal["string", "date"]

MATERIAL = Path(__file__).parent / "material"
FILE = MATERIAL / "role_words.txt"
NAME_WORDS = MATERIAL / "name_words.txt"
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


WITH_DATE = (
    "The {thing} was {verb} by {p} on {d}.",
    "On {d} the {thing} was {verb} by {p}.",
    "{p} {did it} on {d}.",
    "On {d}, {p} {did the thing}.",
    "{Noun}: {p}, {d}",
    "{Verb} by: {p} ({d})",
    "{Verb} on {d} by {p}.",
    "It was {p} who {did the thing}, on {d}.",
    "{Person}: {p}, {d}",
    "{d}: {verb} by {p}",
    "{p} was the {person}, on {d}.",
    "{d} - {noun} ({p})",
    "{Verb} {d}, {p}",
    "As far as I know, {p} {did the thing} on {d}.",
    "The {thing} had been {verb} on {d}, by {p}.",
    "{p} says: I {did the thing} on {d}.",
    "{Noun} on {d} ({person} {p})",
    "Who {did the thing}? {p}, on {d}.",
    "The {noun} was on {d}, and the {person} was {p}.",
    "The {thing}: {verb} {d}, {p}",
)
WITHOUT_DATE = (
    "The {thing} was {verb} by {p}.",
    "{p} {did it}.",
    "{p} {did the thing}.",
    "{Person}: {p}",
    "{Noun}: {p}",
    "{Verb} by {p}",
    "{Verb} by: {p}",
    "It was {p} who {did the thing}.",
    "{p} was the {person}.",
    "The {person} was {p}.",
    "According to the list, {p} {did the thing}.",
    "Who {did the thing}? {p}.",
    "In the end {p} {did it}.",
    "{p} (the {person}) sends regards.",
    "Thanks to {p}, the {person}.",
    "{p} is down as {person}.",
    "The {thing} has been {verb}. That was {p}.",
    "After that, {p} {did it}.",
    "The one who {did the thing} was {p}.",
    "- {verb} by {p}",
)
NOUNS = ("note", "message", "text", "record", "history", "report")
DATED = 0.45
MISSING = 0.35
REWORDED = 0.75
PEOPLE = ("person", "person", "person", "person", "person", "person", "first", "lastmr", "company")


def role_scene(s: Source) -> Scene:
    """A message that tells who did what to one thing, and names for its people and days in words that it mostly does not use.

    A held-out source tells of one or two held-out deeds among others.
    """
    setting = s.pick(settings())
    chosen = _choose(s, setting)
    missing = chosen.pop() if len(chosen) > 2 and s.chance(MISSING) else None
    thing = s.pick(setting.things)
    kinds: dict[str, Kind] = {}
    called: dict[str, tuple[str, ...]] = {}
    told = []
    for deed in chosen:
        verb, past = s.pick(deed.verbs)
        words = {"verb": verb, "noun": s.pick(deed.nouns), "person": s.pick(deed.people)}
        dated = s.chance(DATED)
        form = s.phrase(WITH_DATE if dated else WITHOUT_DATE)
        used = roots(
            " ".join(word for key, word in words.items() if key in form.lower() or (key == "verb" and "{did" in form))
        )
        told.append(_sentence(form, words, past, thing, setting.pronoun, deed.slot))
        slots: tuple[tuple[str, DeedField], ...] = ((f"{deed.slot}_by", "string"), (f"{deed.slot}_on", "date"))
        for slot, kind in slots[: 2 if dated else 1]:
            other = names(deed, kind, used) if s.chance(REWORDED) else ()
            called[slot] = tuple(s.shuffled(other or names(deed, kind)))
            kinds[slot] = _kind(s, kind)
    if missing:
        slot = f"{missing.slot}_by"
        called[slot], kinds[slot] = tuple(s.shuffled(names(missing, "string"))), _kind(s, "string")
    text = s.pick((" ", " ", "\n")).join(told)
    fields = slot_fields(kinds, called)
    return Scene(NOUNS, text, fields, kinds, called, {}, {}, composed=True)


def _kind(s: Source, kind: DeedField) -> Kind:
    """A kind of day, or of person or company; without endings for names, since deeds have names of their own."""
    return replace(kind_named("date" if kind == "date" else s.pick(PEOPLE)), suffixes=())


def _choose(s: Source, setting: Setting) -> list[Deed]:
    """Two to six deeds of different blocks that share no word."""
    deeds = [(block, deed) for block in setting.blocks for deed in block]
    own = [pair for pair in deeds if is_held_out(setting, pair[1]) == (s.split == "heldout")]
    pool = s.shuffled(own)
    if s.split == "heldout":
        pool = pool[:2] + s.shuffled([pair for pair in deeds if pair not in own])
    wanted = s.integer(2, 6)
    chosen: list[Deed] = []
    blocks: list[tuple[Deed, ...]] = []
    taken: frozenset[str] = frozenset()
    for block, deed in pool:
        if block not in blocks and not deed.roots & taken:
            chosen.append(deed)
            blocks.append(block)
            taken |= deed.roots
        if len(chosen) == wanted:
            break
    return chosen


def _sentence(form: str, words: dict[str, str], past: str, thing: str, pronoun: str, slot: str) -> str:
    object_ = f"the {thing}"
    did_thing = past.replace("_", object_)
    short = past.replace("_", pronoun) if past.index("_") < len(past) - 1 or len(past.split()) == 2 else did_thing
    text = form.replace("{did it}", short).replace("{did the thing}", did_thing).replace("{thing}", thing)
    for key, word in words.items():
        text = text.replace(f"{{{key}}}", word).replace(f"{{{key.capitalize()}}}", word[:1].upper() + word[1:])
    return text.replace("{p}", f"{{{slot}_by}}").replace("{d}", f"{{{slot}_on}}")


@functools.cache
def _deeds_by_name() -> dict[tuple[DeedField, str], tuple[Deed, ...]]:
    found: dict[tuple[DeedField, str], list[Deed]] = defaultdict(list)
    kinds: tuple[DeedField, ...] = ("string", "date")
    for setting in settings():
        for block in setting.blocks:
            for deed in block:
                for kind in kinds:
                    for name in names(deed, kind):
                        found[kind, name].append(deed)
    return {key: tuple(deeds) for key, deeds in found.items()}


@functools.cache
def _same_words() -> dict[str, tuple[str, ...]]:
    """Nouns that stand for each other in names of properties: the rows of `material/name_words.txt`, the first one for all others."""
    rows = [row.split("|") for row in NAME_WORDS.read_text(encoding="utf-8").split()]
    return {word: tuple(other for other in row if other != word) for row in rows for word in row if "_" not in word}


# Names of people by what they are, not only by what they did this time: no deed follows from them.
OCCUPATIONS = frozenset(
    "accountant bookkeeper reporter director client customer presenter agent judge secretary speaker leader boss supervisor operator"
    " manager guard pilot teacher instructor trainer coach doctor vet nurse therapist surgeon builder contractor cleaner printer"
    " publisher producer player performer singer composer designer architect inspector examiner technician mechanic engineer dealer"
    " assistant deputy officer employer caretaker janitor decorator painter electrician plumber detective investigator mentor cook"
    " chef waiter creator collector broker landlord tenant resident visitor companion escort magistrate prosecutor caller".split()
)
DOERS = tuple(kind.draw for kind in KINDS.values() if kind.group in ("person", "company"))


def other_names(name: str, field: Field) -> tuple[str, ...]:
    """Names that say the same as `name` of that field, whatever the thing is: with another noun, or other words for a deed."""
    kind: DeedField | None = "date" if field.type == "date" else "string" if field.draw in DOERS else None
    return _other_names(name, kind)


@functools.cache
def _other_names(name: str, kind: DeedField | None) -> tuple[str, ...]:
    found: set[str] = set()
    if kind and (kind, name) in _deeds_by_name() and name.removesuffix("_name") not in OCCUPATIONS:
        found = set.intersection(*(set(names(deed, kind)) for deed in _deeds_by_name()[kind, name]))
    words = name.split("_")
    for i, word in enumerate(words):
        others = (other for other in _same_words().get(word, ()) if "_" not in other or len(words) == 1)
        found |= {"_".join([*words[:i], other, *words[i + 1 :]]) for other in others}
    return tuple(sorted(found - {name}))


def unclaimed(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that share no word with the names `others` of other properties."""
    taken = roots(" ".join(others))
    return tuple(name for name in names if not roots(name) & taken)
