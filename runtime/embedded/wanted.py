"""Which properties of an object an example asks for: their names, options and answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slipform.runtime.embedded import values
from slipform.runtime.embedded.concepts import CONCEPTS
from slipform.runtime.embedded.documents import Document
from slipform.runtime.embedded.property_names import other_names, unclaimed
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source

CURRENCY_CODES = list(values.CURRENCIES)


@dataclass(frozen=True, slots=True)
class Asked:
    """One property of a wanted object: its name, its field, whether null is allowed, its options, its answer.

    The name of an `opaque` one says nothing; its description alone tells what is wanted.
    """

    key: str
    field: Field
    nullable: bool
    options: tuple[str, ...]
    answer: Any
    about: str
    opaque: bool = False


def spell_key(s: Source, key: str, case: str) -> str:
    words = key.split("_")
    if case == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if case == "title":
        return " ".join(w.capitalize() for w in words)
    if case == "kebab":
        return "-".join(words)
    if case == "pascal":
        return "".join(w.capitalize() for w in words)
    return key


def enum_options(s: Source, concept_name: str, label: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names for the labels of a concept, and a choice of them in some order that holds `label`."""
    names = {key: s.pick(choices) for key, choices in CONCEPTS[concept_name].names.items()}
    labels = list(names)
    if len(labels) > 3 and s.chance(0.7):
        labels = s.sample(labels, s.integer(3, len(labels)))
    if len(labels) == 3 and len(names) == 3 and s.chance(0.1):
        labels = s.sample(labels, 2)
    if label is not None and label not in labels:
        labels[0] = label
    order = s.shuffled(labels) if s.chance(0.5) else [k for k in names if k in labels]
    return names, tuple(names[k] for k in order)


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str, str, str, str.upper, str.capitalize, lambda text: text.replace(" ", "_").replace("-", "_"),
)  # fmt: skip


def choice_options(s: Source, field: Field, answer: Any) -> tuple[tuple[str, ...], Any]:
    """The options of a choice in some order and spelling, and the answer spelt alike."""
    options = list(field.options)
    if len(options) > 3 and s.chance(0.3):
        options = [o for o in options if o == answer or s.chance(0.7)]
    spell: Callable[[str], str] = s.pick(SPELLINGS)
    spelled = [spell(option) for option in options]
    return tuple(s.shuffled(spelled) if s.chance(0.4) else spelled), None if answer is None else spell(str(answer))


OTHER_NAMES = 0.3


def other_name(s: Source, document: Document, field: Field, key: str) -> str:
    """Another name for a property, of words that no other property of the document claims; or `key`."""
    others = [name for other in document.fields.values() if other is not field for name in other.keys]
    found = unclaimed(other_names(key, field), others)
    return s.pick(found) if found else key


def ask(s: Source, document: Document, *, low: int = 1, high: int = 8) -> list[Asked]:
    """Choose the properties of an object that can be filled from `document`, in any order."""
    stated = list(document.stated)
    wanted = s.sample(stated, s.integer(low, min(high, max(low, len(stated)))))
    absent = [k for k, f in document.fields.items() if k not in document.stated and f.type != "currency"]
    if absent and s.chance(0.45):
        wanted += s.sample(absent, s.pick((1, 1, 1, 2, 3)))
    case = s.random.choices(("snake", "camel", "title", "kebab", "pascal"), (70, 18, 5, 3, 4))[0]
    some_nullable = s.chance(0.4)
    opaque = (
        s.pick(("field_{}", "f{}", "value{}", "col_{}", "x{}", "answer_{}", "item{}", "q{}"))
        if s.chance(0.05)
        else None
    )
    asked: list[Asked] = []
    used: set[str] = set()
    for kind in s.shuffled(wanted):
        field = document.fields[kind]
        concept = CONCEPTS[field.concept] if field.concept else None
        names = concept.keys if concept else field.keys
        key = names[0] if s.chance(0.25) else s.pick(names)
        if s.split == "train" and s.chance(OTHER_NAMES):
            key = other_name(s, document, field, key)
        if key in used:
            continue
        used.add(key)
        value = document.stated.get(kind)
        options: tuple[str, ...] = ()
        answer = value.json if value else None
        if concept:
            spelled, options = enum_options(s, concept.name, str(answer) if value else None)
            answer = spelled[str(answer)] if value else None
        elif field.type == "currency" and s.chance(0.6):
            options = tuple(s.sample(CURRENCY_CODES, s.integer(2, 6)))
            if answer not in options:
                options = (*options, str(answer))
            options = tuple(s.shuffled(options))
        elif field.type == "choice":
            options, answer = choice_options(s, field, answer)
        elif field.closed and field.draw and s.chance(0.35):
            others = {str(field.draw(s).json) for _ in range(s.integer(2, 6))} | ({str(answer)} if value else set())
            options = tuple(s.shuffled(sorted(others)))
        nullable = value is None or (some_nullable and s.chance(0.5))
        about = s.pick(concept.about if concept else field.about)
        shown = opaque.format(len(asked) + 1) if opaque else spell_key(s, key, case)
        asked.append(Asked(shown, field, nullable, options, answer, about, opaque is not None))
    return asked
