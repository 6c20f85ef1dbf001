"""Exercises in what words mean, from the dictionary: classes, synonyms, opposites, definitions, words in sentences.

Each is a question with options, yes or no, or a word to copy, in the notations of real labelling. Words whose checksum says so are
held out: a training exercise is never about them, though they may stand in the definitions and options of other words.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from slipform.runtime.embedded.dictionary import EverydayClass, Sense, dictionary, form_in, word_is_held_out
from slipform.runtime.embedded.examples import Example, Turn, assistant, user
from slipform.runtime.embedded.labelling import CLASS_QUESTIONS, CLASS_TEXTS, ask_label, show_options
from slipform.runtime.embedded.source import Source, Split
from slipform.runtime.embedded.word_questions import (
    CLASS_CHECKS,
    DOING_CHECKS,
    DOING_QUESTIONS,
    ENTRY_FORMS,
    GLOSS_CHECKS,
    GLOSS_CLASS_QUESTIONS,
    GLOSS_CLUE,
    GLOSS_QUESTIONS,
    IN_TEXT_QUESTIONS,
    KEYWORD_QUESTIONS,
    KIND_CHECKS,
    KIND_QUESTIONS,
    MEMBER_CHECKS,
    OPPOSITE_CHECKS,
    OPPOSITE_QUESTIONS,
    SYNONYM_CHECKS,
    SYNONYM_CLUE,
    SYNONYM_QUESTIONS,
    WORD_CLASS_QUESTIONS,
    WORD_QUESTIONS,
)

FEW_TRIES = 40
PREFERENCE = 1.66
TEXT_WEIGHT = 0.2
MANY_BRANCHES = 12
YES_NO = ((("yes", "no"), "yes", "no"), (("no", "yes"), "yes", "no"), (("true", "false"), "true", "false"))


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question about `word`, at times with a text, and the options of its answer; without options the answer stands in the text."""

    word: str
    text: str
    asked: str
    options: tuple[str, ...]
    answer: str


@functools.cache
def senses_where(split: Split, wanted: str) -> tuple[Sense, ...]:
    """The senses of a split whose attribute `wanted` is not empty."""
    held_out = split == "heldout"
    return tuple(
        sense for sense in dictionary().senses if word_is_held_out(sense.word) == held_out and getattr(sense, wanted)
    )


@functools.cache
def members(split: Split, number: int) -> tuple[str, ...]:
    """The words of a split that belong to an everyday class."""
    return tuple(dict.fromkeys(sense.word for sense in senses_where(split, "classes") if number in sense.classes))


def frequent(s: Source, senses: Sequence[Sense]) -> Sense:
    """One of `senses`, which come in falling frequency: the first tenth is drawn two and a half times as often as on average."""
    return senses[int(len(senses) * s.random.random() ** PREFERENCE)]


def partners(s: Source, words: Sequence[str]) -> list[str]:
    """Those of `words` that an exercise of this split may ask for."""
    return [word for word in words if s.split == "heldout" or not word_is_held_out(word)]


def other_words(s: Source, sense: Sense, count: int, wanted: str = "word") -> list[Sense]:
    """Senses of the same part of speech whose words have nothing in common with that word, and with each other."""
    pool = dictionary().by_pos[sense.pos]
    taken = sense.branches
    found: list[Sense] = []
    for _ in range(FEW_TRIES):
        other = frequent(s, pool)
        if other.word[0].isupper() and not sense.word[0].isupper():
            continue
        if getattr(other, wanted) and not other.branches & taken:
            found.append(other)
            taken |= other.branches
        if len(found) == count:
            break
    return found


@functools.cache
def classes_of_words() -> dict[str, frozenset[int]]:
    """The everyday classes of a word in any of its senses."""
    return {sense.word.lower(): sense.all_classes for sense in dictionary().senses}


def base_forms(text: str) -> Iterator[str]:
    """The words of a text, as they stand and without a common ending."""
    for word in re.findall(r"[a-z]+", text.lower()):
        for ending in ("", "s", "es", "ed", "ing", "d"):
            yield word.removesuffix(ending)


def evoked_classes(text: str) -> frozenset[int]:
    """The classes that some word of a text belongs to, in its base form or with a common ending."""
    found: frozenset[int] = frozenset()
    for word in base_forms(text):
        found |= classes_of_words().get(word, frozenset())
    return found


def other_classes(s: Source, sense: Sense, number: int, count: int, text: str = "") -> list[EverydayClass]:
    """Classes that neither the word nor the text could mean in any sense; no wide ones beside a class of their block."""
    excluded = sense.all_classes | evoked_classes(text)
    classes = dictionary().classes
    own = classes[number]
    kinds = {each.block for i, each in enumerate(classes) if i in sense.classes}
    found: list[EverydayClass] = []
    near = s.chance(0.35)
    for _ in range(FEW_TRIES):
        i = s.integer(0, len(classes) - 1)
        other = classes[i]
        if i in excluded or (other.block == "doing") != (own.block == "doing") or other in found:
            continue
        if other.block in kinds and (other.wide or own.wide or not near):
            continue
        found.append(other)
        if len(found) == count:
            break
    return found


def class_of_word(s: Source) -> Exercise | None:
    """Which everyday class does a word belong to, does it belong to one, or which word belongs to it?"""
    sense = frequent(s, senses_where(s.split, "classes"))
    number = sense.classes[0] if s.chance(0.6) else s.pick(sense.classes)
    own = dictionary().classes[number]
    form = s.random.random()
    told = form >= 0.4 and s.chance(0.4)
    text = s.pick(tuple(filter(None, (sense.gloss, *sense.examples))) or ("",)) if told else ""
    others = other_classes(s, sense, number, s.integer(1, 6), text)
    if not others:
        return None
    name = s.pick(own.names)
    if form < 0.2:
        true = s.chance(0.5)
        options, yes, no = s.pick(YES_NO)
        about = name if true else s.pick(others[0].names)
        asked = s.phrase(CLASS_CHECKS).replace("{word}", sense.word).replace("{name}", about)
        return Exercise(sense.word, "", _upper(asked), options, yes if true else no)
    if form < 0.4:
        wrong = other_words(s, sense, s.integer(1, 5))
        names = [other.word for other in wrong if number not in other.all_classes]
        if not names:
            return None
        asked = s.phrase(MEMBER_CHECKS).replace("{name}", name)
        return Exercise(sense.word, "", _upper(asked), tuple(s.shuffled([sense.word, *names])), sense.word)
    choices = tuple(s.shuffled([name, *(s.pick(other.names) for other in others)]))
    if text:
        wordings = GLOSS_CLASS_QUESTIONS if text == sense.gloss else CLASS_QUESTIONS
        return Exercise(sense.word, text, s.phrase(wordings), choices, name)
    if sense.pos == "noun" and s.chance(0.5):
        mates = [word for word in members(s.split, number) if word != sense.word]
        mate = s.pick(mates or [sense.word])
        text = s.phrase(CLASS_TEXTS).replace("{a}", sense.word).replace("{A}", _upper(sense.word)).replace("{b}", mate)
        return Exercise(sense.word, text, s.phrase(CLASS_QUESTIONS), choices, name)
    return Exercise(sense.word, "", s.phrase(WORD_CLASS_QUESTIONS).replace("{word}", sense.word), choices, name)


def synonym(s: Source) -> Exercise | None:
    """Which word means nearly the same, or do two words?"""
    sense = frequent(s, senses_where(s.split, "synonyms"))
    return _pair(s, sense, partners(s, sense.synonyms), sense.opposites, SYNONYM_QUESTIONS, SYNONYM_CHECKS)


def kind_of(s: Source) -> Exercise | None:
    """What is a word a kind of, or a way of doing, or is it?"""
    sense = frequent(s, senses_where(s.split, "kinds"))
    verb = sense.pos == "verb"
    return _pair(
        s, sense, sense.kinds, (), DOING_QUESTIONS if verb else KIND_QUESTIONS, DOING_CHECKS if verb else KIND_CHECKS
    )


def opposite(s: Source) -> Exercise | None:
    """Which word means the opposite, or do two words?"""
    sense = frequent(s, senses_where(s.split, "opposites"))
    return _pair(s, sense, partners(s, sense.opposites), sense.synonyms, OPPOSITE_QUESTIONS, OPPOSITE_CHECKS)


def _pair(
    s: Source,
    sense: Sense,
    rights: Sequence[str],
    tempting: Sequence[str],
    questions: Sequence[str],
    checks: Sequence[str],
) -> Exercise | None:
    """A question for one of the partners of a word; `tempting` are words with the wrong relation to it."""
    if not rights:
        return None
    right = s.pick(rights)
    wrong = [other.word for other in other_words(s, sense, s.integer(1, 5)) if other.word != right]
    if tempting and s.chance(0.5):
        wrong = [s.pick(tempting), *wrong[1:]]
    if not wrong:
        return None
    if s.chance(0.25):
        true = s.chance(0.5)
        options, yes, no = s.pick(YES_NO)
        asked = s.phrase(checks).replace("{word}", sense.word).replace("{other}", right if true else wrong[0])
        return Exercise(sense.word, "", _upper(asked), options, yes if true else no)
    text = ""
    asked = s.phrase(questions).replace("{word}", sense.word)
    if sense.examples and s.chance(0.4):
        text = s.pick(sense.examples)
    return Exercise(sense.word, text, asked, tuple(s.shuffled([right, *wrong])), right)


@functools.cache
def branches_of_words() -> dict[str, frozenset[int]]:
    """What a word could be about, for words that are not about everything."""
    return {s.word.lower(): s.branches for s in dictionary().senses if len(s.branches) <= MANY_BRANCHES}


def keyword(s: Source) -> Exercise | None:
    """Which word has to do with a text that does not hold it: a synonym of one of its words, or what that is a kind of."""
    sense = frequent(s, senses_where(s.split, "examples"))
    related = [*partners(s, sense.synonyms), *partners(s, sense.kinds)]
    text = s.pick(sense.examples)
    if not related:
        return None
    evoked: frozenset[int] = frozenset()
    for word in base_forms(text):
        evoked |= branches_of_words().get(word, frozenset())
    wrong = [o.word for o in other_words(s, sense, s.integer(1, 5)) if not o.branches & evoked and o.word not in text]
    if not wrong:
        return None
    right = s.pick(related)
    return Exercise(sense.word, text, s.phrase(KEYWORD_QUESTIONS), tuple(s.shuffled([right, *wrong])), right)


def definition(s: Source) -> Exercise | None:
    """Which definition fits a word, or which word a definition, or does it?"""
    sense = frequent(s, senses_where(s.split, "gloss"))
    others = other_words(s, sense, s.integer(1, 4), "gloss")
    if not others:
        return None
    form = s.random.random()
    if form < 0.25:
        true = s.chance(0.5)
        options, yes, no = s.pick(YES_NO)
        gloss = sense.gloss if true else others[0].gloss
        asked = s.phrase(GLOSS_CHECKS).replace("{word}", sense.word).replace("{gloss}", gloss)
        return Exercise(sense.word, "", _upper(asked), options, yes if true else no)
    if form < 0.5:
        glosses = tuple(s.shuffled([sense.gloss, *(other.gloss for other in others)]))
        return Exercise(sense.word, "", s.phrase(GLOSS_QUESTIONS).replace("{word}", sense.word), glosses, sense.gloss)
    words = [other.word for other in others]
    if sense.siblings and s.chance(0.5):
        words = [*s.sample(sense.siblings, s.integer(1, 3)), *words[1:]]
    asked = s.phrase(WORD_QUESTIONS).replace("{gloss}", sense.gloss).replace("{Gloss}", _upper(sense.gloss))
    return Exercise(sense.word, "", asked, tuple(s.shuffled(list(dict.fromkeys([sense.word, *words])))), sense.word)


def word_in_text(s: Source) -> Exercise | None:
    """Sentences, and a question for the one word in them that a synonym or a definition describes."""
    sense = frequent(s, senses_where(s.split, "examples"))
    text = s.pick(sense.examples)
    answer = form_in(sense.word, text)
    clues = [SYNONYM_CLUE.format(word) for word in partners(s, sense.synonyms)]
    if sense.gloss:
        clues.append(GLOSS_CLUE.format(sense.gloss))
    if not clues or answer is None:
        return None
    texts = [text]
    for other in other_words(s, sense, s.pick((0, 1, 1, 2, 3)), "examples"):
        texts.append(s.pick(other.examples))
    joined = s.pick((". ", "\n", " / ")).join(s.shuffled(texts))
    if joined.count(answer) != 1:
        return None
    return Exercise(sense.word, joined, s.phrase(IN_TEXT_QUESTIONS).replace("{clue}", s.pick(clues)), (), answer)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


KINDS: tuple[tuple[str, Callable[[Source], Exercise | None], float], ...] = (
    ("class", class_of_word, 0.24),
    ("synonym", synonym, 0.14),
    ("kind", kind_of, 0.12),
    ("opposite", opposite, 0.06),
    ("definition", definition, 0.22),
    ("keyword", keyword, 0.10),
    ("word in a text", word_in_text, 0.12),
)
_SHARES = tuple(share for _, _, share in KINDS)
CHAINED = 0.6


def draw_exercise(s: Source) -> tuple[str, Exercise]:
    """The name of a kind of exercise, and one of the kind."""
    while True:
        name, maker, _ = s.random.choices(KINDS, _SHARES)[0]
        exercise = maker(s)
        if exercise:
            return name, exercise


def word_meaning(s: Source) -> Example:
    """One exercise as real labelling would ask it, often with more of them behind it."""
    name, first = draw_exercise(s)
    example = shown(s, first)
    turns: list[Turn] = list(example.turns)
    answer, options = first.answer, first.options
    for _ in range(s.integer(2, 7) if s.chance(CHAINED) else 0):
        name, again = draw_exercise(s)
        turns += [user(shown_briefly(s, again)), assistant(again.answer)]
        answer, options = again.answer, again.options
    return Example("select", tuple(turns), answer, options=options, origin=f"meaning: {name}")


def shown(s: Source, exercise: Exercise) -> Example:
    if any("," in option or " or " in option for option in exercise.options):
        return Example("select", (user(shown_briefly(s, exercise)), assistant(exercise.answer)))
    example = ask_label(s, exercise.text, exercise.asked, exercise.options, exercise.answer)
    return replace(example, origin="")


def shown_briefly(s: Source, exercise: Exercise) -> str:
    """The question, its text and its options as one more message of a chat."""
    if any("," in option or " or " in option for option in exercise.options):
        options = "\n".join(f"- {option}" for option in exercise.options)
    else:
        options = show_options(s, exercise.options) if exercise.options else ""
    return "\n".join(part for part in (exercise.text, exercise.asked, options) if part)


def dictionary_text(s: Source) -> Example:
    """Entries of the dictionary as plain text, in which every word is to be foreseen, at a small weight."""
    rows = []
    for _ in range(s.integer(2, 8)):
        sense = frequent(s, senses_where(s.split, "gloss"))
        form = s.phrase(ENTRY_FORMS)
        row = form.replace("{word}", sense.word).replace("{Word}", _upper(sense.word)).replace("{gloss}", sense.gloss)
        row = row.replace("{Gloss}", _upper(sense.gloss)).replace("{pos}", sense.pos)
        similar = partners(s, sense.synonyms)[:3]
        if similar and s.chance(0.5):
            row += s.pick((" Also: ", " Similar: ", " Synonyms: ")) + ", ".join(similar)
        if sense.examples and s.chance(0.5):
            row += f' "{s.pick(sense.examples)}"'
        rows.append(row)
    text = "\n".join(rows)
    return Example("copy", (Turn("plain", text, learn=True),), text, origin="dictionary", weight=TEXT_WEIGHT)
