"""Labelling for `select`: a text, a question, a closed list of labels."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from slipform.runtime.embedded import lexicon, values
from slipform.runtime.embedded.concepts import CONCEPTS, Concept
from slipform.runtime.embedded.copying import question
from slipform.runtime.embedded.documents import DOMAINS, Style, compose, distractor, judgement
from slipform.runtime.embedded.examples import Example, assistant, system, user
from slipform.runtime.embedded.label_questions import draw_question, fill
from slipform.runtime.embedded.passages import FILLERS, random_document, write_scene
from slipform.runtime.embedded.scenes import MATERIAL, Scene, scenes_of
from slipform.runtime.embedded.source import Source, Split
from slipform.runtime.embedded.wanted import SPELLINGS, choice_options, enum_options

SYSTEMS = (
    "You label texts.",
    "You are a helpful assistant.",
    "Answer with one of the labels.",
    "You are a classifier. Answer with the label only.",
    "You sort incoming mail.",
    "Pick exactly one option.",
    "You are a careful reader.",
)


LATER_OR_SOON = ("Please answer soon.", "There is no hurry.", "Please reply this week.", "It is urgent.", "Take your time.", "I need an answer today.", "Whenever you have time.")  # fmt: skip


THINGS = ("product", "order", "lamp", "printer", "phone", "bag", "table", "watch", "app", "camera")


def show_options(s: Source, options: tuple[str, ...]) -> str:
    style = s.random.random()
    if style < 0.35:
        return s.pick(("Options: ", "Labels: ", "Choose from: ", "One of: ", "Choices: ")) + ", ".join(options)
    if style < 0.55:
        return "Options:\n" + "\n".join(f"- {option}" for option in options)
    if style < 0.7:
        return "(" + s.pick((" / ", ", ", " | ")).join(options) + ")"
    if style < 0.97:
        return "Answer with " + ", ".join(options[:-1]) + f" or {options[-1]}."
    return ""


def judged_text(s: Source, concept: Concept, label: str) -> str:
    """A text that deserves `label`, among sentences that say nothing about it."""
    style = Style(s)
    thing = s.pick(THINGS)
    sentences = [judgement(s, concept.name, label, thing, s.pick((1, 1, 2, 2, 3)))]
    sentences += s.sample(s.phrases(FILLERS), s.pick((0, 0, 1, 1, 2)))
    if concept.name == "urgency" and s.chance(0.6):
        sentences.append(judgement(s, "category", s.pick(tuple(CONCEPTS["category"].phrases)), thing, 1))
    elif concept.name == "category" and s.chance(0.3):
        sentences.append(s.pick(LATER_OR_SOON))
    if s.chance(0.1):
        sentences.append(distractor(s))
    return style.apply(" ".join(s.shuffled(sentences)))


def labelling(s: Source) -> Example:
    """One text, one judgement; sometimes a second judgement on the same text."""
    concept = s.random.choices(tuple(CONCEPTS.values()), [5, 5, 5, 1, 1, 1, 1, 1, 1, 3, 2, 2])[0]
    label = s.pick(tuple(concept.names))
    names, options = enum_options(s, concept.name, label)
    text = judged_text(s, concept, label)
    example = ask_label(s, text, s.phrase(concept.questions), options, names[label])
    return replace(example, origin="judgement")


def ask_label(s: Source, text: str, asked: str, options: tuple[str, ...], answer: str) -> Example:
    """A text, a question and its options, in any order; without options the question stands alone."""
    shown = show_options(s, options) if options else ""
    if text and s.chance(0.3):
        text = s.pick((f"Text: {text}", f'"{text}"', f"Message:\n{text}", f"Review: {text}"))
    head = None
    if text and s.chance(0.35):
        head = f"{s.pick(SYSTEMS)} {asked} {shown}".strip()
        content = text
    else:
        parts = [asked, shown, text] if s.chance(0.4) else [text, asked, shown]
        head = s.pick(SYSTEMS) if s.chance(0.3) else None
        content = s.pick(("\n", "\n\n", " ")).join(p for p in parts if p)
    turns = (user(content), assistant(answer))
    return Example("select", (system(head), *turns) if head else turns, answer, options=options)


def kind_of_document(s: Source) -> Example:
    """Which kind of document is it?"""
    document = compose(s, s.pick(DOMAINS))
    nouns = {d.name: d.nouns[0] for d in DOMAINS}
    own = nouns.pop(document.domain.name)
    options = tuple(s.shuffled([own, *s.sample(list(nouns.values()), s.integer(1, 5))]))
    asked = s.phrase(
        (
            "What kind of document is this?",
            "Which type of text is it?",
            "Classify the document.",
            "What am I looking at?",
            "Document type?",
            "Name the kind of text.",
            "Sort this document.",
        )
    )
    return ask_label(s, document.text, asked, options, own)


def candidate_answers(s: Source) -> Example:
    """A question with values of the same kind to choose from, one of which the text states as the answer."""
    document = random_document(s)
    kinds = [k for k in document.stated if document.fields[k].type in ("string", "email", "integer")]
    if not kinds:
        return labelling(s)
    kind = s.pick(kinds)
    field = document.fields[kind]
    answer = document.stated[kind].surface
    assert field.draw is not None
    others = {document.stated[k].surface for k in kinds if k != kind and s.chance(0.3)}
    others |= {field.draw(s).surface for _ in range(s.integer(1, 3))}
    others.discard(answer)
    if not others:
        return labelling(s)
    options = tuple(s.shuffled([answer, *sorted(others)[:4]]))
    return ask_label(s, document.text, question(s, field), options, answer)


PRESENCE = (("email", "an e-mail address"), ("phone", "a phone number"), ("currency", "a price"))


def yes_or_no(s: Source) -> Example:
    """Whether the text holds a thing of some kind."""
    document = random_document(s)
    kind, name = s.pick(PRESENCE)
    if kind == "currency":
        stated = any(document.fields[k].type == "amount" for k in document.stated)
    elif kind == "email":
        stated = "@" in document.text
    else:
        stated = any(document.fields[k].draw is values.phone for k in document.stated)
    asked = s.phrase(
        (
            f"Does the text contain {name}?",
            f"Is there {name} in the text?",
            f"Do you find {name} in it?",
            f"Does it mention {name}?",
            f"Can you see {name}?",
            f"Is {name} given?",
            f"Has the writer stated {name}?",
        )
    )
    return ask_label(
        s, document.text, asked, ("yes", "no") if s.chance(0.7) else ("no", "yes"), "yes" if stated else "no"
    )


def conclusion(s: Source) -> Example:
    """What a scene lets a reader conclude: one of its options, or yes or no."""
    document = write_scene(s, s.pick(scenes_with_conclusions(s.split)))
    assert document.scene is not None
    kind = s.pick(tuple(document.scene.concluded))
    field, value = document.fields[kind], document.stated[kind].json
    if field.type == "enum":
        names, options = enum_options(s, field.concept, str(value))
        return ask_label(s, document.text, s.phrase(CONCEPTS[field.concept].questions), options, names[str(value)])
    words = s.pick(field.keys).replace("_", " ")
    if field.type == "boolean":
        asked = s.pick((f"{words.capitalize()}?", f"Is it true: {words}?", f"{words.capitalize()}: yes or no?", f"Does this hold: {words}?", f"{words}, true or not?"))  # fmt: skip
        options, answers = s.pick(((("yes", "no"), ("yes", "no")), (("no", "yes"), ("yes", "no")), (("true", "false"), ("true", "false"))))  # fmt: skip
        return ask_label(s, document.text, asked, options, answers[0] if value else answers[1])
    options, answer = choice_options(s, field, value)
    asked = s.pick((f"What is the {words}?", f"{words.capitalize()}?", f"Which {words} fits?", f"Classify by {words}.", f"Pick the {words}.", f"Choose the right {words}.", f"Name the {words}."))  # fmt: skip
    return ask_label(s, document.text, asked, options, str(answer))


@functools.cache
def scenes_with_conclusions(split: Split) -> tuple[Scene, ...]:
    return tuple(scene for scene in scenes_of(split) if scene.concluded)


@dataclass(frozen=True, slots=True)
class WordClass:
    """An everyday class: its name, the wider class it belongs to (or its own name), and what belongs to it."""

    name: str
    wider: str
    words: tuple[str, ...]


@functools.cache
def word_classes() -> tuple[WordClass, ...]:
    """The classes of `material/word_classes.txt`: `birds [animals]: eagle, sparrow`."""
    found = []
    for row in (MATERIAL / "word_classes.txt").read_text(encoding="utf-8").splitlines():
        if row:
            head, _, words = row.partition(": ")
            name, _, wider = head.removesuffix("]").partition(" [")
            found.append(WordClass(name, wider or name, tuple(word.strip() for word in words.split(","))))
    return tuple(found)


CLASS_TEXTS = (
    "I'd like to know more about {a}.",
    "{A}",
    "We sell {a} and {b}.",
    "The text is about {a}.",
    "{A}, {b}",
    "Yesterday we talked about {a} and {b}.",
    "She wrote a whole page on {a}.",
    "My favourites are {a} and {b}.",
    "Have you seen the {a} next to the {b}?",
    "This week: {a}, {b} and more.",
    "Looking for {a} in good condition.",
    "A question about {a}: where can I find out more?",
    "The picture shows {a}.",
    "{A} or {b}, that is the question.",
    "Our topic today is {a}.",
    "Everything you need to know about {a} and {b}.",
    "There were {a} as well as {b}.",
    "He thinks of nothing but {a}.",
    "New on our page: {a}!",
    "Where do I find {a}, and maybe {b} too?",
    "First {a}, then {b}.",
    "In the end we chose {a}.",
    "I have always liked {a}.",
    "{A} everywhere you look!",
    "My neighbour knows a lot about {a}.",
    "Do you need {a} or rather {b}?",
    "We spent the morning on {a} and the afternoon on {b}.",
    "Somebody mentioned {a}.",
    "He drew {a} and {b}.",
    "Our little guide to {a}.",
    "What would you do without {a}?",
    "The exhibition shows {a} next to {b}.",
    "Ten questions about {a}",
    "There is a song about {a}.",
    "Not everybody likes {a}.",
    "You can win {a} or {b}.",
    "It has to do with {a}.",
    "The word of the day is {a}.",
    "In this picture: {a}, {b}.",
    "I dreamt of {a} last night.",
    "Please bring {a} and {b}.",
    "Children ask about {a} all the time.",
    "A short history of {a}",
    "All about {a}: what you should know.",
    "Who knows the difference between {a} and {b}?",
    "{A}, {b} and so on",
    "I had to think of {a}.",
    "She wants {a}, he wants {b}.",
    "Today we look at {a}.",
    "For me it was {a} all along.",
    "A letter about {a}",
    "This reminds me of {a} and {b}.",
    "We have a new page on {a}.",
    "Two words: {a}, {b}.",
    "Let me tell you something about {a}.",
    "Less {a}, more {b}, please.",
    "The talk dealt with {a} and also {b}.",
)
CLASS_QUESTIONS = (
    "Which category does it belong to?",
    "What is it about?",
    "Category?",
    "Classify.",
    "Which group fits?",
    "What kind of thing is mentioned?",
    "Choose the right class.",
    "Sort this.",
    "Which department is it?",
    "Pick the category.",
    "Assign a class.",
)


CLASS_CHECKS = (
    "Is this about {name}?",
    "Does it mention {name}?",
    "{name}: yes or no?",
    "Does the text name any {name}?",
    "Would you file it under {name}?",
    "Is {name} the right category?",
    "Does this belong to {name}?",
    "Are {name} the topic?",
    "Is the writer talking about {name}?",
    "Has this to do with {name}?",
    "Topic {name}?",
)
MEMBER_QUESTIONS = (
    "Which of these belongs to {name}?",
    "Pick the one that fits: {name}.",
    "Find the one from the group {name}.",
    "{name}: which one?",
    "One word belongs to {name}. Which?",
    "Choose the word for {name}.",
    "Which word goes with {name}?",
    "What counts as {name} here?",
    "Under {name} I would put which one?",
    "Which one is listed under {name}?",
    "Category {name}: which word?",
)


def named(s: Source, own: WordClass) -> tuple[str, list[WordClass]]:
    """A name for a class, at times that of its wider class, and the classes that could not be meant by it."""
    apart = [other for other in word_classes() if not set(other.words) & set(own.words)]
    if own.wider != own.name and s.chance(0.3):
        return own.wider, [other for other in apart if other.wider != own.wider]
    return own.name, [other for other in apart if other.name not in (own.name, own.wider)]


def word_class(s: Source) -> Example:
    """Which everyday class does a thing belong to, does it belong to one, or which thing belongs to it?"""
    own = s.pick(word_classes())
    name, others = named(s, own)
    first, second = s.sample(own.words, 2)
    form = s.random.random()
    if form < 0.15:
        words = s.shuffled([first, *(s.pick(other.words) for other in s.sample(others, s.integer(1, 5)))])
        asked = s.phrase(MEMBER_QUESTIONS).replace("{name}", name)
        return ask_label(s, "", asked[:1].upper() + asked[1:], tuple(dict.fromkeys(words)), first)
    text = s.phrase(CLASS_TEXTS).replace("{a}", first).replace("{A}", first.capitalize()).replace("{b}", second)
    text = Style(s).apply(text)
    if form < 0.3:
        true = s.chance(0.5)
        about = name if true else s.pick(others).name
        asked = s.phrase(CLASS_CHECKS).replace("{name}", about)
        pair, right, wrong = s.pick(((("yes", "no"), "yes", "no"), (("no", "yes"), "yes", "no"), (("true", "false"), "true", "false")))  # fmt: skip
        return ask_label(s, text, asked[:1].upper() + asked[1:], pair, right if true else wrong)
    names = [other.wider if s.chance(0.15) and name not in (other.wider, own.wider) and other.wider != own.wider else other.name for other in s.sample(others, s.integer(1, 6))]  # fmt: skip
    options = s.shuffled(list(dict.fromkeys([name, *names])))
    if s.chance(0.3):
        options = [option.capitalize() for option in options]
        name = name.capitalize()
    return ask_label(s, text, s.phrase(CLASS_QUESTIONS), tuple(options), name)


def own_question(s: Source) -> Example:
    """A question that brings its own options."""
    asked, label, template = draw_question(s)
    names = {own: s.pick(called) for own, called in asked.names.items()}
    labels = list(names)
    if len(labels) > 3 and s.chance(0.5):
        labels = [own for own in labels if own == label or s.chance(0.7)]
    if len(labels) < 2:
        labels = list(names)
    if s.chance(0.6):
        labels = s.shuffled(labels)
    spell = s.pick(SPELLINGS)
    small = {"thing": s.pick(THINGS), "time": s.pick(lexicon.WEEKDAYS), "n": str(s.integer(2, 9))}
    text = Style(s).apply(fill(s, template, small))
    if "yes" not in names and s.chance(0.12):
        text = s.pick((" ", "\n")).join(s.shuffled([text, s.phrase(FILLERS)]))
    words = s.pick(asked.keys).replace("_", " ")
    question_text = (
        s.pick(asked.questions)
        if "yes" in asked.names or s.chance(0.75)
        else s.phrase(KEY_QUESTIONS).replace("{key}", words)
    )
    question_text = question_text[:1].upper() + question_text[1:]
    return ask_label(s, text, question_text, tuple(spell(names[own]) for own in labels), spell(names[label]))


KEY_QUESTIONS = (
    "{key}?",
    "{key}:",
    "Which {key} fits?",
    "Classify by {key}.",
    "What is the {key}?",
    "Pick the {key}.",
    "Name the {key}.",
    "Choose the right {key}.",
    "Label the text ({key}).",
    "Give the {key} of this text.",
    "Decide on the {key}.",
)
MAKERS: tuple[tuple[str, Callable[[Source], Example], float], ...] = (
    ("judgement", labelling, 0.22),
    ("question with its own options", own_question, 0.44),
    ("conclusion from a scene", conclusion, 0.14),
    ("class of a word", word_class, 0.08),
    ("kind of document", kind_of_document, 0.03),
    ("one of several values", candidate_answers, 0.06),
    ("presence of a value", yes_or_no, 0.03),
)
_SHARES = tuple(share for _, _, share in MAKERS)


def one_label(s: Source) -> Example:
    name, maker, _ = s.random.choices(MAKERS, _SHARES)[0]
    example = maker(s)
    return replace(example, origin=example.origin or name)
