"""Passages: a set of facts, written down in one of many ways, with facts and sentences around them that nobody asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slipform.runtime.embedded import lexicon, values
from slipform.runtime.embedded.concepts import CONCEPTS
from slipform.runtime.embedded.domains_commerce import INVOICE, LISTING, ORDER, PARCEL, TICKET
from slipform.runtime.embedded.domains_life import CAR, CLAIM, EVENT, HOME, NOTE
from slipform.runtime.embedded.domains_work import APPOINTMENT, BOOKING, JOB, LOG, MEETING, PERSON
from slipform.runtime.embedded.scenes import Scene, paraphrased
from slipform.runtime.embedded.schema_fields import Domain, Field
from slipform.runtime.embedded.source import Source, Value
from slipform.runtime.embedded.statements import change, extra_fields, statement
from slipform.runtime.embedded.wordings import composed

DOMAINS = (
    TICKET,
    ORDER,
    INVOICE,
    LISTING,
    PARCEL,
    MEETING,
    JOB,
    LOG,
    APPOINTMENT,
    BOOKING,
    PERSON,
    EVENT,
    HOME,
    CAR,
    NOTE,
    CLAIM,
)
DOMAIN_WEIGHTS = (7, 4, 5, 4, 3, 4, 4, 3, 4, 4, 3, 3, 2, 2, 3, 3)
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Document:
    """A passage and what it states.

    Attributes:
        fields: every field that can be asked about, absent ones too, by kind.
        stated: the values that the text holds, by kind; a currency is stated where an amount is.
        scene: where the text comes from, unless it was put together from sentences of the domain.
    """

    domain: Domain
    text: str
    fields: dict[str, Field]
    stated: dict[str, Value]
    scene: Scene | None = None

    @property
    def origin(self) -> str:
        if self.scene is None:
            return "family of documents"
        if self.scene.composed:
            return "composed roles"
        return "mixed scenes" if self.scene.mixed else "scene"


def slots_of(template: str) -> frozenset[str]:
    return frozenset(SLOT.findall(template))


_SLOTS: dict[str, frozenset[str]] = {t: slots_of(t) for domain in DOMAINS for t in domain.sentences}


def choose_currency(s: Source) -> str:
    return s.pick(("EUR", "EUR", "EUR", "USD", "USD", "USD", "USD", "GBP", "GBP", *values.CURRENCIES))


def fill_small(s: Source, text: str, thing: str) -> str:
    """Replace the small slots of a judgement's sentence."""
    if "{" not in text:
        return text
    text = text.replace("{thing}", thing)
    while "{n}" in text:
        text = text.replace("{n}", str(s.integer(2, 9)), 1)
    return text.replace("{time}", s.pick(lexicon.WEEKDAYS))


def judgement(s: Source, concept_name: str, label: str, thing: str, count: int) -> str:
    """`count` sentences that deserve `label`."""
    phrases = s.phrases(CONCEPTS[concept_name].phrases[label])
    sentences = []
    for phrase in s.sample(phrases, count):
        made = composed(s, concept_name, label) if s.chance(0.5) else None
        sentences.append(made or fill_small(s, paraphrased(s, phrase), thing))
    return " ".join(sentences)


def draw_value(s: Source, field: Field, currency: str, thing: str) -> Value:
    if field.type == "amount":
        return values.amount(s, currency)
    if field.type == "enum":
        label = s.pick(tuple(CONCEPTS[field.concept].names))
        return Value(judgement(s, field.concept, label, thing, 2 if s.chance(0.15) else 1), label)
    assert field.draw is not None, field.kind
    return field.draw(s)


def misspell(s: Source, text: str) -> str:
    """One slip of the fingers somewhere in the letters of `text`."""
    places = [
        i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i - 1].isalpha() and text[i + 1].isalpha()
    ]
    if not places:
        return text
    i = s.pick(places)
    kind = s.random.random()
    if kind < 0.4:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if kind < 0.75:
        return text[:i] + text[i + 1 :]
    return text[:i] + text[i] + text[i:]


SHORTHAND = (
    ("please", "pls"), ("Please", "Pls"), ("thanks", "thx"), ("Thank you", "thx"), ("you ", "u "), ("I am", "im"),
    ("number", "nr"), ("and", "&"), ("I'm", "im"), ("cannot", "cant"), ("as soon as possible", "asap"), ("are", "r"),
)  # fmt: skip


class Style:
    """How one writer writes: careful, hasty, all lower case. Applied to wording only, never to values."""

    def __init__(self, s: Source) -> None:
        self.source = s
        kind = s.random.random()
        self.lower = kind < 0.10
        self.typos = 0.35 if kind < 0.2 else 0.02
        self.shorthand = kind < 0.06
        self.no_stop = s.chance(0.06)

    def apply(self, template: str) -> str:
        parts = re.split(r"(\{\w+\})", template)
        for i, part in enumerate(parts):
            if i % 2 or not part:
                continue
            if self.lower:
                part = part.lower()
            if self.shorthand:
                for long, short in SHORTHAND:
                    part = part.replace(long, short)
            if self.source.chance(self.typos):
                part = misspell(self.source, part)
            parts[i] = part
        text = "".join(parts)
        return text.removesuffix(".") if self.no_stop else text


GREETINGS = ("Hi,", "Hello,", "Dear team,", "Hi there,", "Good morning,", "Dear Sir or Madam,", "Hey,", "Hello team,", "Good day,", "To whom it may concern,")  # fmt: skip
CLOSINGS = ("Best regards", "Kind regards", "Thanks", "Cheers", "Best", "Yours sincerely", "Many thanks", "Regards", "Greetings", "Thank you", "BR", "All the best")  # fmt: skip
SIGNERS = ("customer", "seller", "contact", "chair", "guest", "name", "doctor", "recipient", "caller")
DISTRACTORS = (
    "My colleague {person} sends greetings.",
    "{first} next door has the same problem.",
    "The last time we spoke was in {year}.",
    "I have been waiting for {n} minutes already.",
    "We have {n} children and a dog.",
    "My old one lasted {n} years.",
    "It was {n} degrees outside.",
    "I read about it in the {word} Times.",
    "A friend from {city} told me about you.",
    "My brother {first} thinks so too.",
    "I saw the advert on page {n}.",
    "The bus took {n}0 minutes.",
    "That is what {first} from reception told me.",
    "I tried {n} times.",
    "We went to {city} last summer.",
    "Back in {year} things were different.",
    "The {word} {word2} is still open, by the way.",
    "Please say hello to {first}.",
    "I once worked for {company}.",
    "He said it would take {n} hours.",
    "See section {n}.{n2} of the manual.",
    "There is a {word} in the {word2} as well.",
    "We never had this with the {word}.",
    "You know how {word} people can be.",
    "Somehow the {word} makes a {word2} noise.",
    "Honestly, the {word2} was {word} enough.",
    "The {word} part is fine, the {word2} part is not.",
    "I asked {first} and {first2}, neither knew.",
)


def distractor(s: Source) -> str:
    """A sentence with names, numbers and unknown words that answers nothing."""
    text = s.phrase(DISTRACTORS)
    drawn = {
        "person": lambda: values.person(s).surface,
        "first": lambda: values.first_name(s),
        "first2": lambda: values.first_name(s),
        "city": lambda: values.city(s).surface,
        "company": lambda: values.company(s).surface,
        "year": lambda: str(s.integer(1990, 2026)),
        "n": lambda: str(s.integer(2, 60)),
        "n2": lambda: str(s.integer(1, 9)),
        "word": lambda: values.pseudo_word(s),
        "word2": lambda: values.pseudo_word(s),
    }
    return SLOT.sub(lambda m: drawn[m.group(1)](), text)


# Judgements that most texts allow to some degree: they are asked about only where a sentence settles them.
OPEN_JUDGEMENTS = frozenset(("urgency", "sentiment", "category", "news_topic"))
CONTRADICTING = re.compile(
    r"broke|faulty|refund|trouble|problem|stopped|turn on|owe|charged|billed|replacement|back\b|lot of money"
)


def without_contradictions(s: Source, chosen: list[Field]) -> list[Field]:
    """`chosen` without judgements that the sentences of another one would unsettle."""
    judged = [field for field in chosen if field.concept in OPEN_JUDGEMENTS]
    if len(judged) < 2:
        return chosen
    kept = s.pick(judged)
    allowed = {kept.concept} | ({"urgency", "category"} if kept.concept in ("urgency", "category") else set())
    return [field for field in chosen if field.concept not in OPEN_JUDGEMENTS or field.concept in allowed]


def compose(s: Source, domain: Domain, *, most_fields: int = 10) -> Document:
    """Draw facts of `domain` and write them down."""
    currency = choose_currency(s)
    all_fields = {f.kind: f for f in domain.fields}
    askable = [f for f in domain.fields if f.type != "currency"]
    chosen = s.sample(askable, s.integer(2, min(most_fields, len(askable))))
    stated: dict[str, Value] = {}
    thing = s.pick(("product", "item", "thing", "device", "article"))
    chosen = without_contradictions(s, chosen)
    for field in chosen:
        if field.kind == "thing":
            stated["thing"] = draw_value(s, field, currency, thing)
            thing = stated["thing"].surface
    for field in chosen:
        if field.kind != "thing":
            stated[field.kind] = draw_value(s, field, currency, thing)
    for field in domain.fields:
        if field.concept in OPEN_JUDGEMENTS and field.kind not in stated:
            del all_fields[field.kind]
    extra_lines: list[str] = []
    if s.chance(0.3):
        for field, label in extra_fields(s):
            value = draw_value(s, field, currency, thing)
            all_fields[field.kind] = field
            stated[field.kind] = value
            extra_lines.append(f"{label}={value.surface}" if domain is LOG else statement(s, label, value.surface))
    if domain is not LOG and s.chance(0.12):
        line, changed = change(s, currency)
        extra_lines.append(line)
        for field, value in changed:
            all_fields[field.kind] = field
            stated[field.kind] = value
    writer = s.random.random()
    if domain is LOG:
        text = _log_text(s, domain, stated, extra_lines)
    elif writer < 0.16:
        text = _labelled_text(s, domain, all_fields, stated, extra_lines)
    else:
        text = _prose(s, domain, all_fields, stated, extra_lines)
    currency_fields = [f for f in domain.fields if f.type == "currency"]
    if currency_fields and any(all_fields[kind].type == "amount" for kind in stated):
        stated[currency_fields[0].kind] = Value("", currency)
    return Document(domain, text, all_fields, stated)


def _cover(s: Source, domain: Domain, kinds: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sentences of the domain that state exactly `kinds`, and the kinds that no allowed sentence states."""
    left = set(kinds)
    chosen: list[str] = []
    pool = s.shuffled(s.phrases(domain.sentences))
    if "category" in left or "sentiment" in left:
        pool = [template for template in pool if not CONTRADICTING.search(template)]
    prefer_long = s.chance(0.5)
    if prefer_long:
        pool.sort(key=lambda t: -min(len(_SLOTS[t]), 3))
        cut = s.integer(0, 12)
        pool = pool[cut:] + pool[:cut]
    for template in pool:
        slots = _SLOTS[template]
        if slots <= left and (len(slots) > 1 or not prefer_long or s.chance(0.8)):
            chosen.append(template)
            left -= slots
            if not left:
                break
    return chosen, sorted(left)


def _insert(template: str, stated: dict[str, Value]) -> str:
    return SLOT.sub(lambda m: stated[m.group(1)].surface, template)


def _label(s: Source, field: Field, key: str | None = None) -> str:
    words = (key or s.pick(field.keys)).replace("_", " ")
    form = s.random.random()
    return (
        words.capitalize() if form < 0.6 else words.title() if form < 0.8 else words.upper() if form < 0.86 else words
    )


def _prose(s: Source, domain: Domain, fields: dict[str, Field], stated: dict[str, Value], extra: list[str]) -> str:
    style = Style(s)
    kinds = [k for k in stated if not k.startswith("extra ")]
    signer = next((k for k in SIGNERS if k in kinds), None) if s.chance(0.3) else None
    header: list[str] = []
    if signer:
        kinds.remove(signer)
        if "email" in kinds and s.chance(0.3):
            header.append(f"From: {stated[signer].surface} <{stated['email'].surface}>")
            kinds.remove("email")
            if s.chance(0.6):
                signer = None
    if s.chance(0.12):
        day = values.calendar_day(s)
        header.append(
            s.pick(("Sent: ", "Received: "))
            + f"{day:%a}, {day.day} {day:%b} {day.year} {s.integer(0, 23):02}:{s.integer(0, 59):02}"
        )
    if header and s.chance(0.6):
        header.append(
            f"Subject: {s.pick(('Question', 'Request', 'Important', 'Help', 'Hello', 'Information', 'Your message', 'Fwd', 'Re: Re:'))}"
        )
    generic = [k for k in kinds if fields[k].type != "enum" and s.chance(0.18)]
    templates, left = _cover(s, domain, [k for k in kinds if k not in generic])
    sentences = [_insert(style.apply(t), stated) for t in templates]
    for kind in generic:
        sentences.append(statement(s, s.pick(fields[kind].keys).replace("_", " "), stated[kind].surface))
    for kind in left:
        stating = stated[kind].surface
        sentences.append(stating if fields[kind].type == "enum" else f"{_label(s, fields[kind])}: {stating}")
    sentences += extra
    fillers = s.phrases(domain.fillers)
    size = s.random.random()
    amount = s.integer(0, 3) if size < 0.9 else s.integer(3, 9)
    sentences += [style.apply(filler) for filler in s.sample(fillers, amount)]
    if s.chance(0.3):
        sentences += [distractor(s) for _ in range(s.pick((1, 1, 2, 3)))]
    if size > 0.97 and "sentiment" not in stated:
        sentences += _padding(s, domain)
    sentences = s.shuffled(sentences)
    joiner = s.pick((" ", " ", " ", " ", "\n", "\n\n", "  "))
    body = _joined(sentences, joiner)
    parts = header
    if s.chance(0.3 if not header else 0.7):
        parts = [*parts, style.apply(s.pick(GREETINGS))]
    parts = [*parts, body]
    if signer:
        name = stated[signer].surface
        closing = style.apply(s.pick(CLOSINGS))
        form = s.random.random()
        if form < 0.4:
            parts = [*parts, f"{closing}{s.pick((',', '', '!'))}\n{name}"]
        elif form < 0.7:
            ending = s.pick(
                (f"{closing}, {name}", f"{closing} {name}", f"{closing} - {name}", f"{closing} from {name}")
            )
            parts = [*parts[:-1], f"{parts[-1]} {ending}"] if s.chance(0.7) else [*parts, ending]
        else:
            ending = s.pick(
                (f"- {name}", f"/{name}", f"{name}", f"-- {name}", f"({name})", f"Yours, {name}", f"xx {name}")
            )
            parts = [*parts[:-1], f"{parts[-1]} {ending}"] if s.chance(0.6) else [*parts, ending]
    elif s.chance(0.08):
        parts = [*parts, s.pick(CLOSINGS)]
    return s.pick(("\n", "\n", "\n\n", " ")).join(parts)


def _joined(sentences: list[str], joiner: str) -> str:
    out = []
    for sentence in sentences:
        if "\n" not in joiner and sentence[-1:].isalnum():
            sentence += "."
        out.append(sentence)
    return joiner.join(out)


def _padding(s: Source, domain: Domain) -> list[str]:
    """Sentences from elsewhere that state nothing that this domain's fields ask for: long passages."""
    others = [d for d in DOMAINS if d is not domain and d is not LOG]
    lines = [s.pick(s.phrases(s.pick(others).fillers)) for _ in range(s.integer(4, 14))]
    topic = s.pick(tuple(CONCEPTS["news_topic"].phrases))
    lines.append(judgement(s, "news_topic", topic, "product", 2))
    return lines


def _labelled_text(
    s: Source, domain: Domain, fields: dict[str, Field], stated: dict[str, Value], extra: list[str]
) -> str:
    """A form: one `Label: value` per line, or a table."""
    separator = s.pick((": ", ": ", ": ", " - ", ":\t", " = ", ":\n", " | "))
    bullet = s.pick(("", "", "", "- ", "* ", "• "))
    rows = []
    judged = []
    for kind in s.shuffled([k for k in stated if not k.startswith("extra ")]):
        if fields[kind].type == "enum":
            judged.append(stated[kind].surface)
        else:
            rows.append(f"{bullet}{_label(s, fields[kind])}{separator}{stated[kind].surface}")
    if judged:
        rows.append(s.pick(("Note: ", "", "Message: ", "Comment: ", "Remarks: ")) + " ".join(judged))
    rows += extra
    if s.chance(0.4):
        rows.append(s.pick(s.phrases(domain.fillers)))
    title = s.pick(domain.nouns).capitalize()
    if s.chance(0.4):
        rows = [s.pick((title, title.upper(), f"== {title} ==", f"# {title}", f"{title}:")), *rows]
    return s.pick(("\n", "\n", "\n", "\n\n", "; ")).join(rows)


def _log_text(s: Source, domain: Domain, stated: dict[str, Value], extra: list[str]) -> str:
    """One log line, or a few lines of which the others say nothing else."""
    kinds = [k for k in stated if not k.startswith("extra ")]
    templates, left = _cover(s, domain, kinds)
    if s.chance(0.8):
        templates.sort(key=lambda t: not ({"date", "time"} & _SLOTS[t]))
    parts = [_insert(t, stated) for t in templates] + [f"{k}={stated[k].surface}" for k in left]
    parts += [s.pick(s.phrases(domain.fillers)) for _ in range(s.integer(0, 2))]
    parts += extra
    return s.pick((" ", " ", " ", " | ", ", ")).join(parts)
