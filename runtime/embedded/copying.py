"""Short answers copied from a passage: questions in a chat, labelled lines, and text without any role."""

import functools

from slipform.runtime.embedded import values
from slipform.runtime.embedded.documents import Document
from slipform.runtime.embedded.examples import Example, Turn, assistant, system, user
from slipform.runtime.embedded.instructions import show_passage
from slipform.runtime.embedded.passages import random_document, write_scene
from slipform.runtime.embedded.role_scenes import role_scene
from slipform.runtime.embedded.scenes import UNANSWERED, Scene, scenes_of
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source, Split

UNKNOWN = "unknown"
WH = ("who ", "when ", "what ", "how ", "where ", "which ", "whether ")
QUESTIONS = (
    "What is the {about}?",
    "What is the {about}?",
    "Give me the {about}.",
    "{About}?",
    "Please tell me the {about}.",
    "Find the {about}.",
    "Copy the {about} from the text.",
    "Which {about} does the text give?",
    "Name the {about}.",
    "I need the {about}.",
    "Answer with the {about} only.",
    "Do you see the {about}? Just write it.",
    "the {about}",
    "Extract the {about}.",
    "Extract the {about} from the text.",
    "Extract only the {about}.",
    "Please extract the {about}, nothing else.",
    "Extract {about}.",
)
WH_QUESTIONS = (
    "{About}?",
    "{About}?",
    "Tell me {about}.",
    "Find out {about}.",
    "Does the text say {about}?",
    "In short: {about}?",
    "Please answer: {about}?",
    "{About}? Answer briefly.",
)
SYSTEMS = (
    "Answer questions about the text with words from the text.",
    "You are a helpful assistant.",
    "Answer briefly. If the text does not say, answer unknown.",
    "You answer with the shortest possible answer.",
    "Copy the answer from the passage.",
    "Reply with the value only.",
    "You look things up in documents.",
)
ASKED_SCENES = 0.45
ISO_REQUESTS = (" Answer as YYYY-MM-DD.", " (YYYY-MM-DD)", " Use the form YYYY-MM-DD.", " Give an ISO date.")
CLOCK_REQUESTS = (" (HH:MM)", " Answer as HH:MM.", " Use 24-hour time.")


# Questions that fit a kind of value, with what a name of the property loses in them.
TYPED_QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "date": (" date", ("When is the {about}?", "On which date is the {about}?", "What day is the {about}?", "When exactly is the {about}?")),
    "time": (" time", ("At what time is the {about}?", "When is the {about}?", "What time is given for the {about}?", "At which hour is the {about}?")),
    "amount": (" amount", ("How much is the {about}?", "What sum is given for the {about}?", "How high is the {about}?", "What does the text give as the {about}, in money?")),
    "person": (" name", ("Who is the {about}?", "Who is named as the {about}?", "Which person is the {about}?", "What is the {about} called?")),
    "company": (" name", ("Which company is the {about}?", "Who is the {about}?", "What is the {about} called?", "Which firm is named as the {about}?")),
}  # fmt: skip


def kind_of_value(field: Field) -> str:
    if field.draw in (values.person, values.company):
        return "person" if field.draw is values.person else "company"
    return str(field.type)


def question(s: Source, field: Field) -> str:
    typed = TYPED_QUESTIONS.get(kind_of_value(field))
    if typed and s.chance(0.3):
        ending, ways = typed
        key = s.pick(field.keys)
        words = key.replace("_", " ").removesuffix(ending)
        if words not in (ending.strip(), "full", "at", "day", "sum", "by", "on") and not words.endswith(
            (" by", " on", " at", " to", " from")
        ):
            return s.pick(ways).replace("{about}", words)
    about = s.pick(field.about).strip("()") if s.chance(0.5) else s.pick(field.keys).replace("_", " ")
    for article in ("the ", "a "):
        about = about.removeprefix(article)
    templates = WH_QUESTIONS if about.startswith(WH) else QUESTIONS
    return s.phrase(templates).replace("{about}", about).replace("{About}", about[:1].upper() + about[1:])


def own_question(s: Source, document: Document, kind: str) -> str:
    """A question for one field: in the scene's own words, where it has some, or built from the names of the field."""
    own = document.scene.questions.get(kind) if document.scene else None
    return s.pick(own) if own and s.chance(0.75) else question(s, document.fields[kind])


def askable(document: Document) -> list[str]:
    """Kinds whose surface can be copied: no judgement, no implied currency."""
    return [
        k
        for k in document.stated
        if document.fields[k].type not in ("enum", "currency", "strings", "choice", "boolean")
    ]


@functools.cache
def scenes_with_questions(split: Split) -> tuple[Scene, ...]:
    return tuple(scene for scene in scenes_of(split) if scene.questions)


def copied_answers(s: Source) -> Example:
    """A passage and one to four questions about it."""
    document = write_scene(s, s.pick(scenes_with_questions(s.split))) if s.chance(ASKED_SCENES) else random_document(s)
    return answers_about(s, document)


def role_answers(s: Source) -> Example:
    """Questions about who did what to a thing, in other words than those of the text."""
    return answers_about(s, write_scene(s, role_scene(s)))


def answers_about(s: Source, document: Document) -> Example:
    """One to four questions about `document`, at times one that it does not answer."""
    kinds = askable(document)
    wanted = s.sample(kinds, s.pick((1, 2, 2, 3, 4)))
    open_questions = document.scene.questions.get(UNANSWERED) if document.scene else None
    absent = [
        k
        for k, f in document.fields.items()
        if k not in document.stated and f.type not in ("enum", "currency", "choice", "boolean")
    ]
    if absent and (s.chance(0.25) or not wanted):
        wanted.append(s.pick(absent))
    if open_questions and s.chance(0.3):
        wanted.append(UNANSWERED)
    turns: list[Turn] = []
    answer = ""
    for i, kind in enumerate(s.shuffled(wanted)):
        field = document.fields.get(kind)
        text = own_question(s, document, kind) if field else s.pick(open_questions or ())
        value = document.stated.get(kind)
        answer = value.surface if value else UNKNOWN
        if field and value and field.type == "date" and s.chance(0.4):
            text, answer = text + s.pick(ISO_REQUESTS), str(value.json)
        elif field and value and field.type == "time" and s.chance(0.4):
            text, answer = text + s.pick(CLOCK_REQUESTS), str(value.json)
        if i == 0:
            passage = show_passage(s, document)
            joiner = s.pick(("\n\n", "\n"))
            text = f"{passage}{joiner}{text}" if s.chance(0.65) else f"{text}{joiner}{passage}"
        turns += [user(text), assistant(answer)]
    if s.chance(0.4):
        turns.insert(0, system(s.pick(SYSTEMS)))
    return Example("copy", tuple(turns), answer, origin=document.origin)


def labelled_lines(s: Source) -> Example:
    """`Name: value` lines as an answer, or as a text that goes on without roles."""
    document = random_document(s)
    kinds = askable(document)
    wanted = s.sample(kinds, s.integer(1, 4))
    if not wanted:
        return copied_answers(s)
    plain = s.chance(0.5)
    turns: list[Turn] = []
    labels = []
    for kind in wanted:
        words = s.pick(document.fields[kind].keys).replace("_", " ")
        labels.append(words.capitalize() if s.chance(0.7) else words)
    if plain:
        turns.append(Turn("plain", show_passage(s, document) + s.pick(("\n\n", "\n"))))
    else:
        listed = ", ".join(labels)
        request = s.phrase(
            (
                f"List these facts, one per line: {listed}.",
                f"Answer in lines of the form Name: value. Facts: {listed}",
                f"Write one line each for {listed}.",
                f"Give me {listed} as lines.",
                f"Report {listed}.",
                f"I want {listed}, each on its own line.",
                f"Note down {listed}.",
            )
        )
        turns.append(user(f"{show_passage(s, document)}\n\n{request}"))
    answer = ""
    lines = []
    for label, kind in zip(labels, wanted, strict=True):
        answer = document.stated[kind].surface
        if plain:
            turns += [Turn("plain", f"{label}: "), Turn("plain", answer, learn=True), Turn("plain", "\n", learn=True)]
        else:
            lines.append(f"{label}: {answer}")
    if not plain:
        turns.append(assistant("\n".join(lines)))
        answer = lines[-1]
    return Example("copy", tuple(turns), answer, origin=document.origin)


def question_answer_text(s: Source) -> Example:
    """`Q: … A: …` without roles, as older programs write it."""
    document = random_document(s, most_fields=6)
    if not askable(document):
        return copied_answers(s)
    turns = [Turn("plain", show_passage(s, document) + "\n\n")]
    mark_q, mark_a = s.pick((("Q: ", "A: "), ("Question: ", "Answer: "), ("Q:", "A:")))
    answer = ""
    for kind in s.sample(askable(document), 3):
        answer = document.stated[kind].surface
        turns += [Turn("plain", f"{mark_q}{own_question(s, document, kind)}\n{mark_a}")]
        turns += [Turn("plain", answer, learn=True), Turn("plain", "\n", learn=True)]
    return Example("copy", tuple(turns), answer, origin=document.origin)
