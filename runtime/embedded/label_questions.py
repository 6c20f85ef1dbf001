"""Questions about a text with options of their own, kept as text in `material/questions_*.txt`.

    @ intent/wish: What does the writer want? | Intent?
    > book a table/reservation
    Four of us on Friday <evening|night>, by the window if you can.
    > complain
    The soup was cold and nobody said sorry.

The head holds property names and ways to ask, a line with `>` an option under one or more names, the lines below it texts that
deserve it. `<a|b>` is one of several wordings; `{person}` is a value of a kind of `kinds.py`, `{n}`, `{time}` and `{thing}` are small slots.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from slipform.runtime.embedded import values
from slipform.runtime.embedded.kinds import KINDS
from slipform.runtime.embedded.scenes import choose_wordings, paraphrased
from slipform.runtime.embedded.source import PHRASE_STRIDE, Source, Split, text_is_held_out

MATERIAL = Path(__file__).parent / "material"
SLOT = re.compile(r"\{(\w+)\}")
SMALL_SLOTS = ("n", "time", "thing")


@dataclass(frozen=True, slots=True)
class LabelQuestion:
    """A question with its closed list of answers.

    Attributes:
        keys: property names; questions: ways to ask.
        names: for each label, what it may be called; the first name is the label.
        texts: (label, text) pairs.
    """

    keys: tuple[str, ...]
    questions: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    texts: tuple[tuple[str, str], ...]


def parse_question(paragraph: str) -> LabelQuestion:
    """A question from its text. Raises ValueError where it lacks a way to ask, a second option, or texts."""
    head, *rows = (row.strip() for row in paragraph.strip().splitlines() if row.strip())
    keys, colon, asked = head.partition(": ")
    names: dict[str, tuple[str, ...]] = {}
    texts: list[tuple[str, str]] = []
    label = ""
    for row in rows:
        if row.startswith(">"):
            called = tuple(part.strip() for part in row[1:].split("/"))
            label = called[0]
            if label in names:
                raise ValueError(f"the option {label} stands twice: {head}")
            names[label] = called
        elif not label:
            raise ValueError(f"a text before the first option: {head}")
        else:
            for slot in SLOT.findall(row):
                if slot not in SMALL_SLOTS and slot not in KINDS:
                    raise ValueError(f"the slot {slot} has no kind: {row}")
            texts.append((label, row))
    if not colon or len(names) < 2 or {label for label, _ in texts} != names.keys():
        raise ValueError(f"not a question with options and texts: {head}")
    return LabelQuestion(tuple(keys.split("/")), tuple(part.strip() for part in asked.split("|")), names, tuple(texts))


@functools.cache
def label_questions() -> tuple[LabelQuestion, ...]:
    """All questions of the material."""
    found: list[LabelQuestion] = []
    for file in sorted(MATERIAL.glob("questions_*.txt")):
        paragraphs = re.split(r"^@", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [parse_question(paragraph) for paragraph in paragraphs if paragraph.strip()]
    return tuple(found)


@functools.cache
def questions_of(split: Split) -> tuple[LabelQuestion, ...]:
    """The questions that a split may ask. Questions that share a text, also through others, are on the same side."""
    first_with: dict[str, int] = {}
    side_of: list[int] = []  # for each question one that it shares a text with, itself if it is the first

    def root(index: int) -> int:
        while side_of[index] != index:
            index = side_of[index]
        return index

    questions = label_questions()
    for index, question in enumerate(questions):
        side_of.append(index)
        for _, text in question.texts:
            side_of[root(first_with.setdefault(text, index))] = root(index)
    held_out: dict[int, bool] = {}
    for index, question in enumerate(questions):
        held_out.setdefault(root(index), text_is_held_out(question.texts[0][1]))
    return tuple(q for index, q in enumerate(questions) if held_out[root(index)] == (split == "heldout"))


def fill(s: Source, text: str, small: dict[str, str]) -> str:
    """`text` with wordings and synonyms chosen and slots filled, small ones from `small`."""

    def value(name: str) -> str:
        if name in small:
            return small[name]
        kind = KINDS[name]
        return (kind.draw(s) if kind.draw else values.amount(s, s.pick(("EUR", "USD", "GBP")))).surface

    return SLOT.sub(lambda m: value(m.group(1)), paraphrased(s, choose_wordings(s, text)))


def draw_question(s: Source) -> tuple[LabelQuestion, str, str]:
    """A question, one of its labels, and the template of a text that deserves the label.

    A held-out source asks a held-out question, or a known one about a held-out text.
    """
    if s.split == "heldout" and s.chance(0.5):
        asked = s.pick([question for question in questions_of("train") if len(question.texts) >= PHRASE_STRIDE])
        texts = s.phrases(asked.texts)
    else:
        asked = s.pick(questions_of(s.split))
        texts = asked.texts if s.split == "heldout" else s.phrases(asked.texts)
    label = s.pick(tuple(dict.fromkeys(own for own, _ in texts)))
    return asked, label, s.pick([text for own, text in texts if own == label])
