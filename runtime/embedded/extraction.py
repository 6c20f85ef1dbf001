"""Extraction: a passage, the wanted fields in one of many notations, and the object that answers."""

import json
import zlib
from dataclasses import replace
from typing import Any

from slipform.runtime.embedded import lexicon, values
from slipform.runtime.embedded.documents import Document
from slipform.runtime.embedded.examples import Example, Turn, assistant, assistant_values, compact_json, system, user
from slipform.runtime.embedded.instructions import SYSTEMS, show_passage, write_instruction
from slipform.runtime.embedded.linking import WantedField, beside_values
from slipform.runtime.embedded.notation import checking_schema, json_schema, show_fields
from slipform.runtime.embedded.passages import random_document, similar_document, write_scene
from slipform.runtime.embedded.role_scenes import role_scene
from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.wanted import Asked, ask

FOLLOW_UP_SHARE = 0.25
FOLLOW_UPS = ("Now only these fields.", "And now this.", "Same text, other fields.", "Now extract the following.")


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
    return Example("extract", turns, answer, schema, origin=document.origin)


def extraction(s: Source, *, most_fields: int = 10) -> Example:
    """One extraction, sometimes followed by others from the same text."""
    while True:
        document = random_document(s, most_fields=most_fields)
        asked = make_asked(s, document)
        if asked:
            return extraction_from(s, document, asked)


def role_extraction(s: Source) -> Example:
    """Who did what to a thing, asked for in other words than those of the text."""
    while True:
        document = write_scene(s, role_scene(s))
        asked = make_asked(s, document)
        if asked:
            return replace(extraction_from(s, document, asked), noisy=False)


def extraction_from(s: Source, document: Document, asked: list[Asked]) -> Example:
    """The properties `asked` of `document`, at times followed by others from the same text."""
    head, text, named = extraction_request(s, document, asked)
    answer = {item.key: item.answer for item in asked}
    turns = [user(text), assistant(compact_json(answer)) if named else assistant_values(answer)]
    everything = list(asked)
    for _ in range(s.pick((1, 1, 2)) if s.chance(FOLLOW_UP_SHARE) else 0):
        again = make_asked(s, document, high=4)
        if again:
            answer = {item.key: item.answer for item in again}
            shown = show_fields(s, again)
            written = assistant(compact_json(answer)) if shown else assistant_values(answer)
            turns += [user(f"{s.pick(FOLLOW_UPS)}\n{shown}".strip()), written]
            asked = again
            everything += again
    if head:
        turns.insert(0, system(head))
    links = linking_words(document, everything)
    return Example("extract", tuple(turns), answer, checking_schema(asked), linking=links, origin=document.origin)


def linking_words(document: Document, asked: list[Asked]) -> tuple[str, ...]:
    """Stems of the names of `asked` that a made-up word may stand for: see `linking.py`."""
    stated = document.stated
    fields = [
        WantedField(i.key, i.options, stated[i.field.kind].surface if i.field.kind in stated else None) for i in asked
    ]
    return beside_values(document.text, fields, (value.surface for value in stated.values()))


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
    return Example("extract", turns, answer, schema, origin="line items")


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
    return Example("extract", tuple(turns), answer, checking_schema(asked), origin=base.origin)
