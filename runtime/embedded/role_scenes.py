"""Messages composed of deeds, whose people and days are asked for in other words than those of the text."""

from collections.abc import Sequence
from dataclasses import replace

from slipform.runtime.embedded.kinds import Kind, kind_named
from slipform.runtime.embedded.roles import Deed, DeedField, Setting, is_held_out, names, roots, settings
from slipform.runtime.embedded.scenes import UNANSWERED, Scene, slot_fields
from slipform.runtime.embedded.source import Source

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
WHO = (
    "Who {did the thing}?",
    "Who was it that {did the thing}?",
    "By whom was the {thing} {verb}?",
    "Who was the {person}?",
    "Name the {person}.",
    "Tell me who {did the thing}.",
    "The {thing} was {verb} by whom?",
    "What is the {person} called?",
    "Find out who {did it}.",
)
WHEN = (
    "When was the {thing} {verb}?",
    "On what day was the {thing} {verb}?",
    "Which date is given for the {noun}?",
    "The {noun} was when?",
    "Which day does the text give for the {noun}?",
    "Date of the {noun}?",
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
    questions: dict[str, tuple[str, ...]] = {}
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
            questions[slot] = _questions(s, WHEN if kind == "date" else WHO, deed, used, setting.pronoun, thing)
    if missing:
        slot = f"{missing.slot}_by"
        called[slot], kinds[slot] = tuple(s.shuffled(names(missing, "string"))), _kind(s, "string")
        questions[UNANSWERED] = _questions(s, WHO, missing, frozenset(), setting.pronoun, thing)
    text = s.pick((" ", " ", "\n")).join(told)
    fields = slot_fields(kinds, called)
    return Scene(NOUNS, text, fields, kinds, called, {}, questions, composed=True)


def _questions(
    s: Source, forms: Sequence[str], deed: Deed, used: frozenset[str], pronoun: str, thing: str
) -> tuple[str, ...]:
    """Questions for the person or the day of a deed, where possible in words that the text does not use."""
    verb, past = s.pick([pair for pair in deed.verbs if not roots(pair[0]) & used] or deed.verbs)
    person, noun = (
        s.pick([word for word in words if not roots(word) & used] or words) for words in (deed.people, deed.nouns)
    )
    words = {"verb": verb, "noun": noun, "person": person}
    return tuple(_sentence(form, words, past, thing, pronoun, "") for form in s.sample(forms, 3))


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
