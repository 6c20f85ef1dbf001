"""Other names for a property that say the same: with another noun (`material/name_words.txt`), or with other words for a deed."""

import functools
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from slipform.runtime.embedded.kinds import KINDS
from slipform.runtime.embedded.roles import Deed, DeedField, names, roots, settings
from slipform.runtime.embedded.schema_fields import Field

FILE = Path(__file__).parent / "material" / "name_words.txt"


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
    """For each noun, those that may stand for it in names of properties; several words only where the name is that noun alone."""
    rows = [row.split("|") for row in FILE.read_text(encoding="utf-8").split()]
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
