"""What a document can state: fields with their kinds, names and wordings, and the domains made of them."""

from dataclasses import dataclass
from typing import Literal

from slipform.runtime.embedded.values import Draw

FieldType = Literal[
    "string", "email", "date", "time", "integer", "number", "amount", "currency", "strings", "enum", "choice", "boolean"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a domain.

    Attributes:
        kind: its name in the domain's sentences (`{kind}`).
        type: how JSON holds it; "amount" is a number written with the document's currency, "currency" that currency, "enum" a
            judgement, "choice" one of `options` that the passage implies, "boolean" what the passage affirms or denies.
        keys: property names a schema may give it, in snake case; the first labels also serve as `Label: value`.
        about: descriptions a schema may give.
        draw: how a value is drawn; None for amounts, currencies and enums.
        concept: for an enum, the name of its `Concept`.
        options: for a choice, the labels to choose from.
        closed: whether a string comes from a short list, so that a schema may list it among options.
    """

    kind: str
    type: FieldType
    keys: tuple[str, ...]
    about: tuple[str, ...]
    draw: Draw | None = None
    concept: str = ""
    options: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """A family of documents: its fields, sentences that state them, and sentences that state nothing asked for."""

    name: str
    nouns: tuple[str, ...]
    fields: tuple[Field, ...]
    sentences: tuple[str, ...]
    fillers: tuple[str, ...]


def field(kind: str, type_: FieldType, keys: str, about: str, draw: Draw | None = None, concept: str = "") -> Field:
    """A field from space-separated keys and |-separated descriptions."""
    return Field(kind, type_, tuple(keys.split()), tuple(about.split("|")), draw, concept)


def lines(text: str) -> tuple[str, ...]:
    """One entry per line of `text`, blank lines left out."""
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())
