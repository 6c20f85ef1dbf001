"""A passage of any origin: a scene written out, or facts of a family of documents put into sentences."""

from slipform.runtime.embedded import values
from slipform.runtime.embedded.concepts import CONCEPTS
from slipform.runtime.embedded.documents import (
    DOMAIN_WEIGHTS,
    DOMAINS,
    SLOT,
    Document,
    Style,
    choose_currency,
    compose,
    distractor,
    draw_value,
)
from slipform.runtime.embedded.scenes import (
    Scene,
    absent_fields,
    choose_wordings,
    domain_of,
    draw_slots,
    mixed_scene,
    paraphrased,
    scenes_of,
)
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source, Value
from slipform.runtime.embedded.statements import change, extra_fields, statement

MIXED_SHARE = 0.22
SCENE_SHARE = 0.66
# Passages of scenes that stand among many sentences of another matter.
LONG_SHARE = 0.02
FILLERS = (
    "Hope you are well.",
    "Sorry for the long message.",
    "I have attached a picture.",
    "Let me know if you need anything else.",
    "The weather is lovely by the way.",
    "It is my second message.",
    "Please read the attachment.",
    "This message was written on a phone.",
    "We look forward to hearing from you.",
    "Have a nice day.",
    "Please don't print this mail.",
    "My colleague knows about it too.",
    "See also the back of this page.",
    "All details are in the file.",
    "As always, ask if something is unclear.",
    "Excuse my English.",
    "The rest can wait until we meet.",
    "You will find the form on our page.",
    "I hope I have not forgotten anything.",
    "This text was created automatically.",
    "Please treat this as confidential.",
    "Sent from my phone",
    "More about this when we speak.",
    "I copied my neighbour in.",
    "Nothing else has changed.",
    "The office is closed over lunch.",
    "Best to ring twice.",
    "Feel free to forward this.",
    "Page one of one.",
    "I wrote this in a hurry.",
    "Thanks for your patience so far.",
    "I will be in the garden most of the day.",
    "There are two pages, please read both.",
    "The dog says hello.",
    "This replaces all earlier versions.",
    "Ask at the desk for the rest.",
    "We have been very busy lately.",
    "Nothing to worry about.",
    "Greetings to everybody.",
    "The printer ate half of the first draft.",
    "You may keep the copy.",
    "It rained all weekend.",
    "I hope this reaches you well.",
    "My handwriting is terrible, sorry.",
    "As far as I can tell that is all.",
    "For the rest see the notes on the wall.",
    "Have I told you that we repainted the house?",
    "Everything else stays as it was.",
    "The usual rules apply.",
    "No need to print this.",
    "We talked about it at lunch.",
    "Please keep it to yourself for now.",
    "I'd rather not say more in writing.",
    "The coffee machine works again.",
    "If in doubt, ask me.",
    "This page was left blank on purpose.",
    "I'm typing with one hand.",
    "Our terms can be found on our website.",
    "Do you still have the ladder?",
    "The traffic was dreadful.",
    "I haven't read the news yet.",
    "See the small print for exceptions.",
    "Let's talk about the rest in person.",
    "The other half follows by post.",
    "All parties have been informed.",
    "A copy went to the office.",
    "The cat sat on the keyboard, sorry.",
    "We are all looking forward to it.",
    "Details may still change.",
    "It's a pity you could not be there.",
    "You can find a map in the folder.",
    "This is the last time I mention it.",
    "Our team is proud of it.",
    "Stay healthy!",
    "What a week.",
    "Nobody else knows yet.",
    "Handle with care.",
    "The list is sorted by date.",
    "I never got an answer to my first letter.",
    "It all started last summer.",
    "Several people have asked about it.",
    "The weather should hold.",
    "Our new logo is at the top.",
    "I'm on the train, the line is bad.",
    "Sorry, that was not quite to the point.",
    "Everything is stored in the usual place.",
    "You know where to find me.",
    "They say it happens a lot.",
    "It could have been worse.",
    "Have a good rest of the week.",
)
SUBJECTS = ("Question", "Request", "Important", "Help", "Hello", "Information", "Your message", "Fwd: see below", "Re: Re:", "(no subject)", "A few details", "News", "Please read")  # fmt: skip


def write_scene(s: Source, scene: Scene) -> Document:
    """The scene with wordings and values chosen, in the hand of some writer, at times with other facts around it."""
    template = scene.text if scene.composed else paraphrased(s, choose_wordings(s, scene.text))
    used = {name for name in SLOT.findall(template) if name in scene.kinds}
    currency = choose_currency(s)
    bare = s.chance(0.1)
    stated = draw_slots(s, scene, used, None if bare else currency)
    style = Style(s)
    if style.lower and s.chance(0.6):
        stated = {name: values.lowered(v) if scene.kinds[name].type == "string" else v for name, v in stated.items()}
    body = SLOT.sub(lambda m: stated[m.group(1)].surface if m.group(1) in stated else m.group(), style.apply(template))
    distracted = s.chance(0.08)
    text, extra = surrounded(s, f"{body} {distractor(s)}" if distracted else body, currency)
    fields = dict(scene.fields) if distracted else scene.fields | absent_fields(s, scene)
    for field, value in extra:
        fields[field.kind] = field
        stated[field.kind] = value
    stated |= scene.concluded
    amounts = [kind for kind in stated if fields[kind].type == "amount"]
    if amounts and not bare:
        fields["currency"] = Field(
            "currency", "currency", ("currency", "currency_code"), ("currency", "ISO currency code")
        )
        stated["currency"] = Value("", currency)
    return Document(domain_of(scene), text, fields, stated, scene)


def padding(s: Source) -> list[str]:
    """Twenty to a hundred sentences of news that nobody asks about."""
    phrases = CONCEPTS["news_topic"].phrases
    sentences = [phrase for label in phrases for phrase in s.phrases(phrases[label]) if "{" not in phrase]
    return s.sample(sentences, s.integer(20, 100))


def surrounded(s: Source, body: str, currency: str) -> tuple[str, list[tuple[Field, Value]]]:
    """`body` with sentences before and behind it, some of which state facts of their own."""
    facts: list[tuple[Field, Value]] = []
    behind: list[str] = []
    if s.chance(0.14):
        for field, label in extra_fields(s):
            value = draw_value(s, field, currency, "thing")
            facts.append((field, value))
            behind.append(statement(s, label, value.surface))
    if s.chance(0.05):
        line, changed = change(s, currency)
        behind.append(line)
        facts += changed
    behind += s.sample(s.phrases(FILLERS), s.pick((0, 0, 0, 1, 1, 2)))
    before: list[str] = []
    if s.chance(LONG_SHARE):
        around = padding(s)
        cut = s.integer(0, len(around))
        before, behind = [" ".join(around[:cut])], [*behind, " ".join(around[cut:])]
    joiner = s.pick(("\n", "\n", " ", "\n\n"))
    text = joiner.join(part for part in (*before, body, *s.shuffled(behind)) if part)
    if s.chance(0.08):
        day = values.calendar_day(s)
        sent = f"{day:%a}, {day.day} {day:%b} {day.year} {s.integer(0, 23):02}:{s.integer(0, 59):02}"
        text = f"{s.pick(('Sent: ', 'Received: ', 'Printed: '))}{sent}\n{text}"
    if s.chance(0.1):
        text = f"Subject: {s.pick(SUBJECTS)}\n{text}"
    return text, facts


def random_document(s: Source, *, most_fields: int = 10) -> Document:
    form = s.random.random()
    if form < MIXED_SHARE:
        mixed = mixed_scene(s, scenes_of(s.split))
        if mixed:
            return write_scene(s, mixed)
    if form < MIXED_SHARE + SCENE_SHARE:
        return write_scene(s, s.pick(scenes_of(s.split)))
    return compose(s, s.random.choices(DOMAINS, DOMAIN_WEIGHTS)[0], most_fields=most_fields)


def similar_document(s: Source, document: Document) -> Document:
    """Another passage of the same family."""
    return write_scene(s, document.scene) if document.scene else compose(s, document.domain, most_fields=9)
