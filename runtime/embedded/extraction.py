"""Extraction: a passage, the wanted fields in one of many notations, and the object that answers."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slipform.runtime.embedded import lexicon, values
from slipform.runtime.embedded.concepts import CONCEPTS
from slipform.runtime.embedded.documents import Document
from slipform.runtime.embedded.examples import Example, Turn, assistant, assistant_values, compact_json, system, user
from slipform.runtime.embedded.passages import random_document, similar_document
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.tool_parts import SCHEMA_STEMS, stems

INSTRUCTIONS = (
    "Extract the {noun} as JSON.",
    "Extract the fields below from the {noun} as JSON.",
    "Read the {noun} and fill in the JSON object.",
    "Pull out the following information as JSON.",
    "Return a JSON object with the fields of the schema.",
    "Turn this {noun} into JSON.",
    "Extract the data as JSON.",
    "Fill the schema from the text.",
    "Give me the details of this {noun} as a JSON object.",
    "Parse the {noun}.",
    "Convert the {noun} to a JSON object that matches the schema.",
    "Which values does the {noun} state? Answer in JSON.",
    "Please extract these fields from the text.",
    "I need the following fields from this {noun}, as JSON.",
    "Extract structured data.",
    "Find the values in the text and answer with JSON only.",
    "Get the information out of the {noun}.",
    "Write the facts of this {noun} as JSON.",
    "Respond with one JSON object.",
    "Extract:",
    "Extract the information from the {noun}.",
    "Read this {noun}. Answer with JSON.",
    "What does it say? Fill in the fields.",
    "Summarise the {noun} as a JSON object with the given keys.",
    "Return only JSON.",
    "Extract a JSON object from the message below.",
    "Fill in this form from the {noun}.",
    "List the requested details of the {noun} as JSON.",
    "Extract the {noun}.",
    "Extract this {noun} into JSON.",
    "Get the details.",
    "Read this and fill the form.",
    "{noun} to JSON",
    "Fill out the record for this {noun}.",
    "Pull the facts out of this {noun}.",
    "Return the record.",
    "Can you extract the details from this {noun}?",
    "Please read the {noun} and give me the fields.",
    "Extract the following fields.",
    "Take this {noun} apart into fields.",
    "I need this {noun} as structured data.",
    "Transform the {noun} into an object with these keys.",
    "Summarize this {noun} in JSON.",
    "Answer with the object that the schema describes.",
    "Put the {noun} into this form.",
    "What do these fields hold?",
    "Read it and return the fields.",
    "Complete the following object.",
    "From the {noun}, fill every field.",
    "Make a JSON object of this.",
    "Give back an object with these properties.",
    "Use the {noun} to answer in JSON.",
    "Record what the {noun} says.",
    "Enter the data of this {noun}.",
    "Structure the text.",
    "Do the data entry for this {noun}.",
    "Map the {noun} onto the schema.",
    "Show me the fields as JSON.",
    "Tell me in JSON what it says.",
    "Produce the JSON for this {noun}.",
    "Look for the values of these fields.",
    "Help me fill this in.",
    "Key facts as JSON, please.",
    "Digest this {noun} into a record.",
    "Populate the schema.",
    "Here is a schema and a {noun}.",
    "Would you extract these?",
    "Prepare a JSON record.",
    "Answer in the given format.",
    "Only the object, nothing else.",
    "The {noun} below contains the following data. Extract it.",
    "Find these.",
    "json please",
    "Generate a JSON object with the information from the {noun}.",
    "Identify the values stated in the {noun}.",
    "Analyse the {noun}.",
    "Process this {noun}.",
    "Enter it into the database: one object.",
    "Fill in:",
    "Write one JSON object that holds the facts.",
    "Break the {noun} down into its fields.",
    "Convert it.",
    "Scan the {noun} for these fields.",
    "Note the following details as JSON.",
)
SYSTEMS = (
    "You extract data from text. Answer with JSON only.",
    "You are a helpful assistant.",
    "You turn messages into typed records.",
    "Extract structured information.",
    "You read documents and return JSON.",
    "You are an information extraction system. Use null for what is not stated.",
    "Answer with a JSON object that matches the schema.",
    "You are a careful assistant that fills in forms.",
    "Extract the requested fields. Copy values exactly.",
    "You are a precise data extraction engine.",
    "You work for the back office and read its mail.",
    "Be concise.",
)
DATE_HINTS = ("YYYY-MM-DD", "ISO date", "as YYYY-MM-DD", "ISO 8601", "date")
TIME_HINTS = ("HH:MM", "24-hour time HH:MM", "time as HH:MM", "24 h")
CURRENCY_CODES = list(values.CURRENCIES)


@dataclass(frozen=True, slots=True)
class Asked:
    """One property of a wanted object: its name, its field, whether null is allowed, its options, its answer.

    The name of an `opaque` one says nothing; its description alone tells what is wanted.
    """

    key: str
    field: Field
    nullable: bool
    options: tuple[str, ...]
    answer: Any
    about: str
    opaque: bool = False


def spell_key(s: Source, key: str, case: str) -> str:
    words = key.split("_")
    if case == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if case == "title":
        return " ".join(w.capitalize() for w in words)
    if case == "kebab":
        return "-".join(words)
    if case == "pascal":
        return "".join(w.capitalize() for w in words)
    return key


def enum_options(s: Source, concept_name: str, label: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names for the labels of a concept, and a choice of them in some order that holds `label`."""
    names = {key: s.pick(choices) for key, choices in CONCEPTS[concept_name].names.items()}
    labels = list(names)
    if len(labels) > 3 and s.chance(0.7):
        labels = s.sample(labels, s.integer(3, len(labels)))
    if len(labels) == 3 and len(names) == 3 and s.chance(0.1):
        labels = s.sample(labels, 2)
    if label is not None and label not in labels:
        labels[0] = label
    order = s.shuffled(labels) if s.chance(0.5) else [k for k in names if k in labels]
    return names, tuple(names[k] for k in order)


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str, str, str, str.upper, str.capitalize, lambda text: text.replace(" ", "_").replace("-", "_"),
)  # fmt: skip


def choice_options(s: Source, field: Field, answer: Any) -> tuple[tuple[str, ...], Any]:
    """The options of a choice in some order and spelling, and the answer spelt alike."""
    options = list(field.options)
    if len(options) > 3 and s.chance(0.3):
        options = [o for o in options if o == answer or s.chance(0.7)]
    spell: Callable[[str], str] = s.pick(SPELLINGS)
    spelled = [spell(option) for option in options]
    return tuple(s.shuffled(spelled) if s.chance(0.4) else spelled), None if answer is None else spell(str(answer))


def ask(s: Source, document: Document, *, low: int = 1, high: int = 8) -> list[Asked]:
    """Choose the properties of an object that can be filled from `document`, in any order."""
    stated = list(document.stated)
    wanted = s.sample(stated, s.integer(low, min(high, max(low, len(stated)))))
    absent = [k for k, f in document.fields.items() if k not in document.stated and f.type != "currency"]
    if absent and s.chance(0.45):
        wanted += s.sample(absent, s.pick((1, 1, 1, 2, 3)))
    case = s.random.choices(("snake", "camel", "title", "kebab", "pascal"), (70, 18, 5, 3, 4))[0]
    some_nullable = s.chance(0.4)
    opaque = (
        s.pick(("field_{}", "f{}", "value{}", "col_{}", "x{}", "answer_{}", "item{}", "q{}"))
        if s.chance(0.05)
        else None
    )
    asked: list[Asked] = []
    used: set[str] = set()
    for kind in s.shuffled(wanted):
        field = document.fields[kind]
        concept = CONCEPTS[field.concept] if field.concept else None
        names = concept.keys if concept else field.keys
        key = names[0] if s.chance(0.25) else s.pick(names)
        if key in used:
            continue
        used.add(key)
        value = document.stated.get(kind)
        options: tuple[str, ...] = ()
        answer = value.json if value else None
        if concept:
            spelled, options = enum_options(s, concept.name, str(answer) if value else None)
            answer = spelled[str(answer)] if value else None
        elif field.type == "currency" and s.chance(0.6):
            options = tuple(s.sample(CURRENCY_CODES, s.integer(2, 6)))
            if answer not in options:
                options = (*options, str(answer))
            options = tuple(s.shuffled(options))
        elif field.type == "choice":
            options, answer = choice_options(s, field, answer)
        elif field.closed and field.draw and s.chance(0.35):
            others = {str(field.draw(s).json) for _ in range(s.integer(2, 6))} | ({str(answer)} if value else set())
            options = tuple(s.shuffled(sorted(others)))
        nullable = value is None or (some_nullable and s.chance(0.5))
        about = s.pick(concept.about if concept else field.about)
        shown = opaque.format(len(asked) + 1) if opaque else spell_key(s, key, case)
        asked.append(Asked(shown, field, nullable, options, answer, about, opaque is not None))
    return asked


JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "amount": "number",
    "strings": "array",
    "boolean": "boolean",
}
PLAIN_TYPES = {**JSON_TYPES, "strings": "list of strings", "boolean": "true or false"}
PYTHON_TYPES = {
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "amount": "float",
    "strings": "list[str]",
    "date": "date",
    "time": "str",
}


def json_schema(s: Source, asked: list[Asked]) -> dict[str, Any]:
    """The schema of the wanted object, written as one of the usual libraries would write it."""
    described = 1.0 if any(item.opaque for item in asked) else s.pick((0.0, 0.0, 0.3, 1.0))
    titled = s.chance(0.2)
    any_of = s.chance(0.5)
    properties: dict[str, Any] = {}
    for item in asked:
        kind = item.field.type
        rule: dict[str, Any] = {"type": JSON_TYPES.get(kind, "string")}
        if kind == "strings":
            rule["items"] = {"type": "string"}
        if item.options:
            rule = {"enum": list(item.options)} if s.chance(0.4) else {"type": "string", "enum": list(item.options)}
        elif kind == "date" and s.chance(0.8):
            rule["format"] = "date"
        elif kind == "time" and s.chance(0.5):
            rule["pattern"] = "^[0-9]{2}:[0-9]{2}$"
        elif kind == "email" and s.chance(0.3):
            rule["format"] = "email"
        if item.nullable:
            if any_of or item.options:
                rule = {"anyOf": [rule, {"type": "null"}]}
            else:
                rule["type"] = [rule["type"], "null"]
        if s.chance(described) and item.about != "-":
            rule["description"] = item.about + _hint(s, item, 0.3)
        if titled:
            rule["title"] = item.key.replace("_", " ").title()
        properties[item.key] = rule
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    enums = [key for key, rule in properties.items() if "enum" in rule]
    if enums and s.chance(0.15):
        name = enums[0].capitalize()
        schema = {"$defs": {name: properties[enums[0]]}, **schema}
        properties[enums[0]] = {"$ref": f"#/$defs/{name}"}
    if s.chance(0.7):
        schema["required"] = [item.key for item in asked]
    if s.chance(0.2):
        schema["additionalProperties"] = False
    if titled:
        schema = {"properties": properties, "required": [i.key for i in asked], "title": "Record", "type": "object"}
    return schema


def checking_schema(asked: list[Asked]) -> dict[str, Any]:
    """The schema that constrains an answer, without any ornament."""
    properties: dict[str, Any] = {}
    for item in asked:
        kind = item.field.type
        rule: dict[str, Any] = {"type": JSON_TYPES.get(kind, "string")}
        if kind == "strings":
            rule["items"] = {"type": "string"}
        if item.options:
            rule = {"enum": list(item.options)}
        elif kind == "date":
            rule["format"] = "date"
        elif kind == "time":
            rule["pattern"] = "^[0-9]{2}:[0-9]{2}$"
        properties[item.key] = {"anyOf": [rule, {"type": "null"}]} if item.nullable else rule
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _hint(s: Source, item: Asked, chance: float = 1.0) -> str:
    if item.field.type == "date" and s.chance(chance):
        return f" ({s.pick(DATE_HINTS)})"
    if item.field.type == "time" and s.chance(chance):
        return f" ({s.pick(TIME_HINTS)})"
    return ""


def _plain_type(s: Source, item: Asked) -> str:
    if item.options:
        separator = s.pick((" | ", ", ", "/", " or "))
        return s.pick(("", "one of ")) + separator.join(item.options) + _null(s, item)
    if item.field.type in ("date", "time"):
        hint = s.pick(DATE_HINTS if item.field.type == "date" else TIME_HINTS)
        return hint + _null(s, item)
    return PLAIN_TYPES.get(item.field.type, "string") + _null(s, item)


def _null(s: Source, item: Asked) -> str:
    return s.pick((" or null", ", null if absent", "?", " | null", ", optional")) if item.nullable else ""


def show_fields(s: Source, asked: list[Asked]) -> str:
    """The wanted fields as a prompt shows them: a JSON Schema, a list, a skeleton, a class, or nothing at all."""
    opaque = any(item.opaque for item in asked)
    form = s.random.random() * (0.6 if opaque else 1.0)
    if form < 0.42:
        schema = json_schema(s, asked)
        style = s.random.random()
        if style < 0.45:
            text = json.dumps(schema, ensure_ascii=False)
        elif style < 0.75:
            text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        else:
            text = json.dumps(schema, ensure_ascii=False, indent=2)
        return s.pick(("Schema: ", "Schema:\n", "JSON Schema: ", "JSON schema:\n", "", "The schema is:\n", "Use this schema: ", "Schema\n")) + text  # fmt: skip
    if form < 0.60:
        rows = []
        typed, described = s.chance(0.7), opaque or s.chance(0.6)
        for item in asked:
            row = f"{s.pick(('-',))} {item.key}"
            if described and item.about != "-":
                row += f": {item.about}"
            if typed or item.options or item.field.type in ("date", "time"):
                row += f" ({_plain_type(s, item)})"
            rows.append(row)
        return s.pick(("Fields:\n", "", "Keys:\n", "Wanted:\n", "Fields\n")) + "\n".join(rows)
    if form < 0.74:
        parts = []
        typed = s.chance(0.5)
        for item in asked:
            show_type = typed or item.options or (item.field.type in ("date", "time") and s.chance(0.5))
            parts.append(f"{item.key} ({_plain_type(s, item)})" if show_type else item.key)
        return s.pick(("Fields: ", "Keys: ", "", "fields: ", "Return ", "I want: ")) + ", ".join(parts)
    if form < 0.81:
        rows = [f'"{i.key}": {json.dumps(_plain_type(s, i), ensure_ascii=False)}' for i in asked]
        return s.pick(("Format: ", "", "Answer like this: ", "Template:\n")) + "{" + ", ".join(rows) + "}"
    if form < 0.87:
        rows = []
        for item in asked:
            type_ = PYTHON_TYPES.get(item.field.type, "str")
            if item.options:
                type_ = "Literal[" + ", ".join(f'"{o}"' for o in item.options) + "]"
            rows.append(
                f"    {item.key.replace(' ', '_').replace('-', '_')}: {type_}{' | None' if item.nullable else ''}"
            )
        return f"class {s.pick(('Record', 'Data', 'Message', 'Item', 'Result'))}:\n" + "\n".join(rows)
    return ""


PASSAGE_LABELS = ("Text:\n", "Text: ", "{Noun}:\n", "{Noun}: ", "Message:\n", "Input:\n", "Here it is:\n", "Document:\n", "Passage: ", "Email: ")  # fmt: skip


def show_passage(s: Source, document: Document) -> str:
    noun = s.pick(document.domain.nouns)
    form = s.random.random()
    if form < 0.3:
        return document.text
    if form < 0.7:
        return s.pick(PASSAGE_LABELS).replace("{Noun}", noun.capitalize()) + document.text
    if form < 0.8:
        return f'"""\n{document.text}\n"""'
    if form < 0.87:
        return f"<text>\n{document.text}\n</text>"
    if form < 0.94:
        return f'"{document.text}"'
    return f"---\n{document.text}\n---"


INSTRUCTION_PARTS = (
    ("Extract", "Pull out", "Get", "Give me", "Find", "Collect", "Read off", "Return", "Write down", "Identify", "Parse", "Determine", "Gather", "Fill in", "Please extract", "I need", "Capture", "Report"),
    ("the details", "the data", "the facts", "the information", "the fields", "all fields", "the key facts", "the record", "these values", "the following", "what is asked", "the values", "a record", "the relevant details"),
    ("from this {noun}", "from the {noun}", "in the {noun}", "of this {noun}", "from the text below", "from the text", "", "out of the {noun}", "given in the {noun}"),
    (" as JSON", " in JSON", " as a JSON object", " as structured data", "", "", " (JSON)", " in JSON format", ", JSON only"),
    (".", ".", ":", "", "!"),
)  # fmt: skip


def write_instruction(s: Source, noun: str) -> str:
    """What to do, in one of a few thousand wordings."""
    if s.chance(0.45):
        return s.phrase(INSTRUCTIONS).replace("{noun}", noun)
    verb, what, where, form, end = (s.phrase(parts) for parts in INSTRUCTION_PARTS)
    return f"{verb} {what} {where.replace('{noun}', noun)}".strip() + form + end


def extraction_request(s: Source, document: Document, asked: list[Asked]) -> tuple[str | None, str, bool]:
    """(system text or None, user text, whether the text names the fields) of one extraction."""
    noun = s.pick(document.domain.nouns) if s.chance(0.7) else s.pick(("text", "message", "passage", "document"))
    instruction = write_instruction(s, noun)
    fields = show_fields(s, asked)
    named = bool(fields)
    passage = show_passage(s, document)
    if s.chance(0.08) and any(item.nullable for item in asked):
        instruction += s.pick((" Use null if something is missing.", " Missing values are null.", " Put null where the text says nothing."))  # fmt: skip
    if s.chance(0.3):
        head = s.pick(SYSTEMS) if s.chance(0.5) else instruction
        if fields and s.chance(0.6):
            head = f"{head}\n{fields}"
            fields = ""
        parts = [passage] if s.chance(0.6) else [instruction, passage]
        if fields:
            parts = [*parts, fields] if s.chance(0.5) else [fields, *parts]
        return head, s.pick(("\n\n", "\n")).join(parts), named
    order = s.random.random()
    if order < 0.45:
        parts = [instruction, fields, passage]
    elif order < 0.75:
        parts = [instruction, passage, fields]
    elif order < 0.9:
        parts = [passage, instruction, fields]
    else:
        parts = [passage, fields, instruction]
    text = s.pick(("\n\n", "\n\n", "\n")).join(part for part in parts if part)
    return (s.pick(SYSTEMS) if s.chance(0.25) else None), text, named


def combination_is_held_out(asked: list[Asked]) -> bool:
    """A pure function of the set of field kinds: one set in eight serves tests only."""
    kinds = "+".join(sorted(item.field.kind for item in asked))
    return zlib.crc32(kinds.encode()) % 8 == 0


def make_asked(s: Source, document: Document, high: int = 8) -> list[Asked] | None:
    """Properties whose combination belongs to the split of `s`, or None when three draws find none."""
    for _ in range(3):
        asked = ask(s, document, high=high)
        if len(asked) < 2 or combination_is_held_out(asked) == (s.split == "heldout"):
            return asked
    return None


GROUP_KEYS = ("details", "contact", "info", "data", "address", "customer_data", "meta", "about", "payment", "subject")


def nested_extraction(s: Source) -> Example:
    """An object with an object inside, under a JSON Schema."""
    while True:
        document = random_document(s)
        asked = make_asked(s, document, high=6)
        if asked and len(asked) >= 3:
            break
    cut = s.integer(1, len(asked) - 2)
    free = [key for key in GROUP_KEYS if key not in {item.key for item in asked}]
    group = s.pick(free)
    outer, inner = asked[:cut], asked[cut:]
    shown = json_schema(s, outer)
    shown.pop("title", None)
    part = json_schema(s, inner)
    if "$defs" in part or "$defs" in shown:
        return nested_extraction(s)
    shown["properties"][group] = part
    if "required" in shown:
        shown["required"].append(group)
    schema = checking_schema(outer)
    schema["properties"][group] = checking_schema(inner)
    schema["required"].append(group)
    answer: dict[str, Any] = {item.key: item.answer for item in outer}
    answer[group] = {item.key: item.answer for item in inner}
    text = json.dumps(shown, ensure_ascii=False, indent=2 if s.chance(0.3) else None)
    instruction = write_instruction(s, s.pick(document.domain.nouns))
    parts = [instruction, text, show_passage(s, document)]
    if s.chance(0.5):
        parts = [parts[0], parts[2], parts[1]]
    turns = (user("\n\n".join(parts)), assistant(compact_json(answer)))
    return Example("extract", turns, answer, schema)


def extraction(s: Source, *, most_fields: int = 10) -> Example:
    """One extraction, sometimes behind one or two solved ones of the same shape."""
    while True:
        document = random_document(s, most_fields=most_fields)
        asked = make_asked(s, document)
        if asked:
            break
    head, text, named = extraction_request(s, document, asked)
    answer = {item.key: item.answer for item in asked}
    turns = [user(text), assistant(compact_json(answer)) if named else assistant_values(answer)]
    linking = set(linking_stems(document, asked))
    for _ in range(s.pick((1, 1, 2)) if s.chance(FOLLOW_UP_SHARE) else 0):
        again = make_asked(s, document, high=4)
        if again:
            answer = {item.key: item.answer for item in again}
            shown = show_fields(s, again)
            written = assistant(compact_json(answer)) if shown else assistant_values(answer)
            turns += [user(f"{s.pick(FOLLOW_UPS)}\n{shown}".strip()), written]
            asked = again
            linking &= set(linking_stems(document, again)) | (linking - words_of(again))
    if head:
        turns.insert(0, system(head))
    return Example("extract", tuple(turns), answer, checking_schema(asked), linking=tuple(sorted(linking)))


FOLLOW_UP_SHARE = 0.25
FOLLOW_UPS = ("Now only these fields.", "And now this.", "Same text, other fields.", "Now extract the following.")
# Characters around a value in which the word of a key counts as standing beside it.
BESIDE = 45


def words_of(asked: list[Asked]) -> frozenset[str]:
    """Stems of the property names and options of `asked`."""
    return stems(" ".join([*(item.key for item in asked), *(option for item in asked for option in item.options)]))


def linking_stems(document: Document, asked: list[Asked]) -> tuple[str, ...]:
    """Stems of property names that stand beside their values in the passage, too, and mean nothing else there."""
    free: set[str] = set()
    kept = set(SCHEMA_STEMS | stems(" ".join(value.surface for value in document.stated.values())))
    for item in asked:
        kept |= stems(" ".join(item.options))
        words = stems(item.key)
        value = document.stated.get(item.field.kind)
        place = document.text.find(value.surface) if value and value.surface else -1
        if value is None or place < 0:
            kept |= words
            continue
        before = document.text[max(0, place - BESIDE) : place]
        beside = stems(before + " " + document.text[place + len(value.surface) :][:BESIDE])
        free |= words & beside
        kept |= words - beside if not words & beside else set()
    return tuple(sorted(free - kept))


def line_items(s: Source) -> Example:
    """A list of small objects: what was bought, how many, at what price."""
    currency = s.pick(("EUR", "USD", "GBP"))
    rows = []
    texts = []
    style = s.integer(0, 4)
    with_price = s.chance(0.7)
    keys = s.pick((("name", "quantity", "price"), ("product", "count", "unit_price"), ("item", "qty", "price"), ("description", "quantity", "amount")))  # fmt: skip
    for _ in range(s.integer(1, 5)):
        name = values.product(s).surface
        number = s.integer(1, 12)
        price = values.amount(s, currency)
        row: dict[str, object] = {keys[0]: name, keys[1]: number}
        if with_price:
            row[keys[2]] = price.json
        rows.append(row)
        shown = price.surface if with_price else ""
        word = lexicon.NUMBER_WORDS[number] if s.chance(0.3) else str(number)
        if style == 0:
            texts.append(f"{number} x {name}" + (f" at {shown}" if shown else ""))
        elif style == 1:
            texts.append(f"{word} of the {name}" + (f" ({shown} each)" if shown else ""))
        elif style == 2:
            texts.append(f"{name} - {number} pcs" + (f" - {shown}" if shown else ""))
        elif style == 3:
            texts.append(f"{name}: {word}" + (f", {shown}" if shown else ""))
        else:
            texts.append(f"{number}x {name}" + (f" {shown}" if shown else ""))
    customer = values.person(s).surface
    body = "\n".join(texts) if style != 1 and s.chance(0.6) else "; ".join(texts)
    intro = s.phrase(("I would like to order:", "Please send us the following:", "Order:", "Items:", "We need:", "Your cart:", "Delivered today:", "Shopping list:"))  # fmt: skip
    text = f"{intro}\n{body}\n" + s.pick((f"Regards, {customer}", customer, f"Customer: {customer}", "Thanks!"))
    list_key = s.pick(("items", "lines", "positions", "products", "order_lines"))
    rule = {
        "type": "object",
        "properties": {keys[0]: {"type": "string"}, keys[1]: {"type": "integer"}}
        | ({keys[2]: {"type": "number"}} if with_price else {}),
        "required": list(rows[0]),
        "additionalProperties": False,
    }
    answer: dict[str, object] = {list_key: rows}
    properties: dict[str, Any] = {list_key: {"type": "array", "items": rule}}
    if customer in text and s.chance(0.5):
        answer = {"customer": customer, **answer}
        properties = {"customer": {"type": "string"}, **properties}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    shown_schema = s.pick(
        (json.dumps(schema), json.dumps(schema, indent=2), f"Return {list_key} with {', '.join(rows[0])}.", "")
    )
    instruction = write_instruction(s, "order")
    parts = [instruction, shown_schema, text] if s.chance(0.6) else [instruction, text, shown_schema]
    written = assistant(compact_json(answer)) if shown_schema.startswith("{") else assistant_values(answer)
    turns = (user("\n\n".join(p for p in parts if p)), written)
    return Example("extract", turns, answer, schema)


def few_shot(s: Source) -> Example:
    """Solved examples first, with the same fields each time; the fields themselves may be unnamed."""
    base = random_document(s, most_fields=5)
    asked = [
        item
        for item in ask(s, base, high=4)
        if item.answer is not None and item.field.type not in ("enum", "choice", "boolean")
    ]
    if not asked:
        return extraction(s)
    shown = show_fields(s, asked) if s.chance(0.5) else ""
    instruction = write_instruction(s, s.pick(base.domain.nouns))
    turns: list[Turn] = [system(f"{instruction}\n{shown}".strip())] if s.chance(0.7) else []
    shots = s.integer(1, 3)
    kinds = {item.field.kind for item in asked}
    answer: dict[str, Any] = {}
    made = 0
    for _ in range(60):
        document = base if made == 0 else similar_document(s, base)
        if not kinds <= set(document.stated) or any(
            item.options and document.stated[item.field.kind].json not in item.options for item in asked
        ):
            continue
        answer = {}
        for item in asked:
            answer[item.key] = document.stated[item.field.kind].json
        first = made == 0 and not shown
        turns += [user(document.text), assistant_values(answer) if first else assistant(compact_json(answer))]
        made += 1
        if made > shots:
            break
    return Example("extract", tuple(turns), answer, checking_schema(asked))
