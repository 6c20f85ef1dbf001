"""Scenes: whole messages as people write them, with slots for the values, kept as text in `material/`.

    @ e-mail, complaint | urgency=high; refund_wanted/wants_refund=true; status=lost(lost,late,damaged)
    <Hi|Hello>, I'm {customer:person}. My {product:product} has not arrived< since {order_date/ordered_on:date}|>.

The head names the kind of text and, behind the bar, what a reader concludes from it: a judgement of `concepts.py`, a yes
or no, or one of the options in parentheses. `{key/other_key:kind}` is a value of a kind of `kinds.py`, called by any of the
keys; `<a|b>` is one of several wordings. A slot in a wording that was not chosen is a fact that the text does not state.
Lines behind the text may hold questions that a slot answers, or that the text leaves open:

    ? customer: Who is complaining? | Whose parcel is lost?
    ? unknown: Which courier carried it?
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.concepts import CONCEPTS
from slipform.runtime.embedded.kinds import KINDS, Kind, kind_named, later_date, later_time
from slipform.runtime.embedded.schema_fields import Domain, Field
from slipform.runtime.embedded.source import Source, Split, Value, text_is_held_out

MATERIAL = Path(__file__).parent / "material"
UNANSWERED = "unknown"
SLOT = re.compile(r"\{([\w/]+)(?::(\w+))?\}")
WORDINGS = re.compile(r"<([^<>]*\|[^<>]*)>")
CONCLUSION = re.compile(r"([\w/]+)=([^()]+?)(?:\(([^()]*)\))?$")

ROLE_KEYS = {
    "customer": "customer_name client client_name buyer_name",
    "order": "order_number order_id order_no order_reference",
    "invoice": "invoice_number invoice_no invoice_id",
    "ticket": "ticket_id ticket_number ticket_no",
    "total": "total_amount total_price grand_total",
    "recipient": "recipient_name addressee",
    "sender": "sender_name from_name",
    "company": "company_name organisation organization firm",
    "quantity": "qty number_of_items units amount_of_items",
    "phone": "phone_number telephone tel contact_number",
    "email": "email_address e_mail mail contact_email",
    "deadline": "due_date due_by latest_date",
    "contact": "contact_person contact_name",
    "patient": "patient_name",
    "guest": "guest_name",
    "author": "written_by",
    "reviewer": "reviewed_by",
}
ABSENT_KEYS: dict[str, tuple[str, ...]] = {
    "phone": ("phone", "phone_number", "telephone", "fax", "mobile"),
    "email": ("email", "email_address", "contact_email"),
    "date": ("date", "due_date", "birth_date", "delivery_date", "expiry_date"),
    "time": ("time", "start_time", "opening_time"),
    "amount": ("amount", "discount", "total", "price", "deposit", "tax"),
    "address": ("address", "billing_address", "street_address"),
    "city": ("city", "town"),
    "company": ("company", "employer", "supplier"),
    "code": ("order_number", "tracking_number", "reference", "customer_number", "voucher_code"),
    "person": ("contact_person", "manager", "contact_name"),
    "iban": ("iban", "bank_account"),
    "plate": ("license_plate",),
    "url": ("website", "link"),
    "version": ("version",),
    "color": ("color", "colour"),
    "weight": ("weight_kg", "weight"),
    "count": ("number_of_guests", "number_of_rooms"),
    "product": ("product", "item"),
}
ABSENT_KIND = {"code": "code", "weight": "kg", "count": "n"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A text with slots and wordings to choose from.

    Attributes:
        fields: what can be asked about, by kind; kinds are the first keys of slots and conclusions.
        kinds: the kind of value of each slot; names: the keys that the text gives it.
        concluded: answers of the fields that are concluded and stand in no slot.
        questions: questions that slots answer, by their first keys; `unknown` for those that the text does not answer.
        mixed: whether its sentences come from several scenes; composed: whether they were put together from words of roles, none of
            which gives way to a synonym.
    """

    nouns: tuple[str, ...]
    text: str
    fields: dict[str, Field]
    kinds: dict[str, Kind]
    names: dict[str, tuple[str, ...]]
    concluded: dict[str, Value]
    questions: dict[str, tuple[str, ...]]
    mixed: bool = False
    composed: bool = False


def descriptions(keys: Iterable[str]) -> tuple[str, ...]:
    words = [key.replace("_", " ") for key in keys]
    return tuple(dict.fromkeys([*words, *(f"the {word}" for word in words), *(word.capitalize() for word in words)]))


def names_of(keys: Sequence[str], kind: Kind, general: Sequence[str] = ()) -> tuple[str, ...]:
    """All property names of a slot: its keys, their synonyms and endings, and the general names that are free."""
    names = list(keys)
    for key in keys:
        names += ROLE_KEYS.get(key, "").split()
        if not any(part in key for part in ("name", "number", "date", "time", "_id", "amount", "code", "city")):
            names += [key + suffix for suffix in kind.suffixes]
    names += general
    return tuple(dict.fromkeys(names))


def parse_scene(paragraph: str) -> Scene:
    """A scene from its text. Raises ValueError or KeyError where the text breaks the form."""
    head, _, text = paragraph.strip().partition("\n")
    text, questions = parted_questions(text)
    nouns, _, conclusions = head.partition("|")
    slots: dict[str, tuple[list[str], Kind]] = {}
    for keys, kind_name in SLOT.findall(text):
        names = keys.split("/")
        if kind_name:
            if names[0] in slots:
                raise ValueError(f"the slot {names[0]} is declared twice: {head}")
            slots[names[0]] = (names, kind_named(kind_name))
        elif names[0] not in slots:
            raise ValueError(f"the slot {names[0]} has no kind: {head}")
    kinds = {first: kind for first, (_, kind) in slots.items()}
    own_names = {first: tuple(names) for first, (names, _) in slots.items()}
    fields = slot_fields(kinds, own_names)
    concluded: dict[str, Value] = {}
    for conclusion in filter(None, (part.strip() for part in conclusions.split(";"))):
        field, value = parse_conclusion(conclusion)
        fields[field.kind], concluded[field.kind] = field, value
    text = SLOT.sub(lambda m: "{" + m.group(1).split("/")[0] + "}", text).strip("\n")
    if questions.keys() - kinds.keys() - {UNANSWERED}:
        raise ValueError(f"a question about no slot: {head}")
    return Scene(tuple(noun.strip() for noun in nouns.split(",")), text, fields, kinds, own_names, concluded, questions)


def parted_questions(text: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """A scene's text, and the questions of the lines behind it."""
    rows = text.split("\n")
    questions: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.startswith("? "):
            key, _, asked = row[2:].partition(": ")
            questions[key] = tuple(part.strip() for part in asked.split("|"))
    return "\n".join(row for row in rows if not row.startswith("? ")), questions


def slot_fields(kinds: dict[str, Kind], names: dict[str, tuple[str, ...]]) -> dict[str, Field]:
    """The fields of slots that stand in one text. A general name goes to a slot that no other one could mean."""
    rivals = Counter(kind.group for kind in kinds.values())
    claims = Counter(name for kind in kinds.values() for name in set(kind.called))
    fields: dict[str, Field] = {}
    for first, kind in kinds.items():
        general = [name for name in kind.called if claims[name] == 1 and rivals[kind.group] == 1]
        called = names_of(names[first], kind, general)
        fields[first] = Field(first, kind.type, called, descriptions(called), kind.draw, closed=kind.closed)
    return fields


def parse_conclusion(text: str) -> tuple[Field, Value]:
    """`keys=value(options)` as a field and its answer."""
    match = CONCLUSION.match(text)
    if match is None:
        raise ValueError(f"not a conclusion: {text}")
    keys, value, options = match.group(1).split("/"), match.group(2).strip(), match.group(3)
    about = descriptions(keys)
    if value in ("true", "false"):
        whether = tuple(f"whether it is so: {key.replace('_', ' ')}" for key in keys)
        return Field(keys[0], "boolean", tuple(keys), (*about, *whether)), Value("", value == "true")
    if options is None:
        if value not in CONCEPTS[keys[0]].names:
            raise ValueError(f"{keys[0]} has no label {value}")
        return Field(keys[0], "enum", (keys[0],), about, concept=keys[0]), Value("", value)
    choices = tuple(option.strip() for option in options.split(","))
    if value not in choices:
        raise ValueError(f"{value} is not among its options: {text}")
    return Field(keys[0], "choice", tuple(keys), about, options=choices), Value("", value)


@functools.cache
def scenes() -> tuple[Scene, ...]:
    """All scenes of the material."""
    found: list[Scene] = []
    for file in sorted(MATERIAL.glob("scenes_*.txt")):
        paragraphs = re.split(r"^@", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [parse_scene(paragraph) for paragraph in paragraphs if paragraph.strip()]
    return tuple(found)


@functools.cache
def scenes_of(split: Split) -> tuple[Scene, ...]:
    """The scenes that a split may use."""
    return tuple(scene for scene in scenes() if text_is_held_out(scene.text) == (split == "heldout"))


SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n+")
NAMES_A_SLOT = re.compile(r"\{(\w+)\}")


def sentences_of(s: Source, scene: Scene) -> list[str]:
    """The sentences and lines of a scene that state something."""
    template = paraphrased(s, choose_wordings(s, scene.text))
    parts = (part.strip() for part in SENTENCE_END.split(template))
    return [part for part in parts if NAMES_A_SLOT.search(part) and len(NAMES_A_SLOT.sub("", part)) > 12]


def mixed_scene(s: Source, pool: Sequence[Scene]) -> Scene | None:
    """Two to five sentences of different scenes in one text, no two of which hold values of one group."""
    chosen: list[str] = []
    kinds: dict[str, Kind] = {}
    names: dict[str, tuple[str, ...]] = {}
    wanted = s.integer(2, 5)
    for scene in s.sample(pool, 12):
        sentences = sentences_of(s, scene)
        if not sentences:
            continue
        sentence = s.pick(sentences)
        slots = dict.fromkeys(NAMES_A_SLOT.findall(sentence))
        groups = {scene.kinds[slot].group for slot in slots}
        if groups & {kind.group for kind in kinds.values()} or kinds.keys() & slots.keys():
            continue
        chosen.append(sentence)
        kinds |= {slot: scene.kinds[slot] for slot in slots}
        names |= {slot: scene.names[slot] for slot in slots}
        if len(chosen) == wanted:
            break
    if len(chosen) < 2:
        return None
    text = s.pick((" ", "\n", " ")).join(chosen)
    return Scene(("message", "text", "note"), text, slot_fields(kinds, names), kinds, names, {}, {}, mixed=True)


def choose_wordings(s: Source, text: str) -> str:
    """`text` with one of the wordings of each `<a|b>`."""
    return WORDINGS.sub(lambda m: s.pick(m.group(1).split("|")), text)


@functools.cache
def synonyms() -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """A pattern of the words that have synonyms, longest first, and what may stand for each: its line's other words."""
    rows = (row.split("|") for row in (MATERIAL / "synonyms.txt").read_text(encoding="utf-8").splitlines())
    others = {word: tuple(rest) for word, *rest in rows}
    listed = "|".join(re.escape(word) for word in sorted(others, key=len, reverse=True))
    return re.compile(rf"(?<![\w{{/'’-])(?:{listed})(?![\w}}/:'’-])", re.IGNORECASE), others


SYNONYMS_SHARE = 0.35
SYNONYMS = 0.3


def paraphrased(s: Source, template: str) -> str:
    """`template` with some words replaced by others of similar meaning. What is held out stays as it was written."""
    if s.split == "heldout" or not s.chance(SYNONYMS_SHARE):
        return template
    pattern, others = synonyms()

    def other(match: re.Match[str]) -> str:
        word = match.group()
        if word.lower() not in others or not s.chance(SYNONYMS):
            return word
        new = s.pick(others[word.lower()])
        return new[:1].upper() + new[1:] if word[0].isupper() else new

    return pattern.sub(other, template)


def draw_slots(s: Source, scene: Scene, used: set[str], currency: str | None) -> dict[str, Value]:
    """Values of the slots in `used`; a second date or time of a text comes after the first, and no two values are the same.
    Births come before everything else, wherever the text names them.

    Without a currency amounts are bare numbers.
    """
    drawn: dict[str, Value] = {}
    last: dict[str, Value] = {}
    for name, kind in scene.kinds.items():
        if name not in used:
            continue
        for _ in range(20):
            if kind.type == "date" and kind.draw is v.date and "date" in last:
                value = later_date(s, str(last["date"].json))
            elif kind.type == "time" and "time" in last:
                value = later_time(s, str(last["time"].json))
            elif kind.draw is None and currency is None:
                value = v.bare_amount(s)
            elif kind.draw is None:
                value = v.amount(s, str(currency))
            else:
                value = kind.draw(s)
            if all(value.json != other.json for other in drawn.values()):
                break
        drawn[name] = value
        if kind.draw is not v.birth_date:
            last[str(kind.type)] = value
    return drawn


def absent_fields(s: Source, scene: Scene) -> dict[str, Field]:
    """A few fields of kinds that no slot of the scene holds."""
    groups = {kind.group for kind in scene.kinds.values()}
    if groups & {"street", "postcode"}:
        groups |= {"address"}
    if groups & {"address", "team", "title", "task", "text"}:
        groups |= {"city"}
    keys = {key for field in scene.fields.values() for key in field.keys}
    found: dict[str, Field] = {}
    for group in s.sample([group for group in ABSENT_KEYS if group not in groups], 4):
        key = s.pick(ABSENT_KEYS[group])
        kind = KINDS[ABSENT_KIND.get(group, group)] if group != "weight" else KINDS["kg"]
        if key not in keys:
            found[key] = Field(key, kind.type, (key,), descriptions((key,)), kind.draw)
    return found


def domain_of(scene: Scene) -> Domain:
    return Domain("scene", scene.nouns, tuple(scene.fields.values()), (), ())
