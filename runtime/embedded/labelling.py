"""Labelling for `select`: a text, a question, a closed list of labels."""

from slipform.runtime.embedded.concepts import CONCEPTS, Concept
from slipform.runtime.embedded.copying import question
from slipform.runtime.embedded.documents import DOMAINS, Style, judgement, random_document
from slipform.runtime.embedded.examples import Example, assistant, system, user
from slipform.runtime.embedded.extraction import enum_options
from slipform.runtime.embedded.source import Source

SYSTEMS = (
    "You label texts.",
    "You are a helpful assistant.",
    "Answer with one of the labels.",
    "You are a classifier. Answer with the label only.",
    "You sort incoming mail.",
    "Pick exactly one option.",
    "You are a careful reader.",
)


def show_options(s: Source, options: tuple[str, ...]) -> str:
    style = s.random.random()
    if style < 0.35:
        return s.pick(("Options: ", "Labels: ", "Choose from: ", "One of: ", "Choices: ")) + ", ".join(options)
    if style < 0.55:
        return "Options:\n" + "\n".join(f"- {option}" for option in options)
    if style < 0.7:
        return "(" + s.pick((" / ", ", ", " | ")).join(options) + ")"
    if style < 0.94:
        return "Answer with " + ", ".join(options[:-1]) + f" or {options[-1]}."
    return ""


def judged_text(s: Source, concept: Concept, label: str) -> str:
    """A text that deserves `label`, among sentences that say nothing about it."""
    style = Style(s)
    thing = s.pick(("product", "order", "lamp", "printer", "phone", "bag", "table", "watch", "app", "camera"))
    sentences = [judgement(s, concept.name, label, thing, s.pick((1, 1, 2, 2, 3)))]
    if concept.name in ("urgency", "category", "sentiment", "spam"):
        fillers = s.phrases(DOMAINS[0].fillers)
        sentences += [s.pick(fillers) for _ in range(s.pick((0, 0, 1, 1, 2)))]
        if concept.name == "urgency":
            other = CONCEPTS["category"]
            sentences.append(judgement(s, "category", s.pick(tuple(other.phrases)), thing, 1))
        elif concept.name == "category" and s.chance(0.4):
            sentences.append(judgement(s, "urgency", s.pick(("low", "medium", "high")), thing, 1))
    elif s.chance(0.3):
        sentences.append(s.pick(s.phrases(s.pick(DOMAINS).fillers)))
    return style.apply(" ".join(s.shuffled(sentences)))


def labelling(s: Source) -> Example:
    """One text, one judgement; sometimes a second judgement on the same text."""
    concept = s.random.choices(tuple(CONCEPTS.values()), [5, 5, 5, 1, 1, 1, 1, 1, 1, 3, 2, 2])[0]
    label = s.pick(tuple(concept.names))
    names, options = enum_options(s, concept.name, label)
    text = judged_text(s, concept, label)
    return _ask(s, text, s.phrase(concept.questions), options, names[label])


def _ask(s: Source, text: str, asked: str, options: tuple[str, ...], answer: str) -> Example:
    shown = show_options(s, options)
    if s.chance(0.3):
        text = s.pick((f"Text: {text}", f'"{text}"', f"Message:\n{text}", f"Review: {text}"))
    head = None
    if s.chance(0.35):
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
    document = random_document(s)
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
    return _ask(s, document.text, asked, options, own)


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
    return _ask(s, document.text, question(s, field), options, answer)


PRESENCE = (("email", "an e-mail address"), ("phone", "a phone number"), ("currency", "a price"))


def yes_or_no(s: Source) -> Example:
    """Whether the text holds a thing of some kind."""
    document = random_document(s)
    kind, name = s.pick(PRESENCE)
    if kind == "currency":
        stated = any(document.fields[k].type == "amount" for k in document.stated)
    else:
        stated = kind in document.stated
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
    return _ask(s, document.text, asked, ("yes", "no") if s.chance(0.7) else ("no", "yes"), "yes" if stated else "no")


def one_label(s: Source) -> Example:
    form = s.random.random()
    if form < 0.78:
        return labelling(s)
    if form < 0.86:
        return kind_of_document(s)
    if form < 0.93:
        return candidate_answers(s)
    return yes_or_no(s)
