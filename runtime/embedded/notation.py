"""The wanted fields as a prompt writes them down: a JSON Schema, a list, a skeleton, a class; and the schema that checks answers."""

import json
from typing import Any

from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.wanted import Asked

DATE_HINTS = ("YYYY-MM-DD", "ISO date", "as YYYY-MM-DD", "ISO 8601", "date")
TIME_HINTS = ("HH:MM", "24-hour time HH:MM", "time as HH:MM", "24 h")
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
    if form < 0.81 or (form < 0.87 and not all(item.key.isidentifier() for item in asked)):
        rows = [f'"{i.key}": {json.dumps(_plain_type(s, i), ensure_ascii=False)}' for i in asked]
        return s.pick(("Format: ", "", "Answer like this: ", "Template:\n")) + "{" + ", ".join(rows) + "}"
    if form < 0.87:
        rows = []
        for item in asked:
            type_ = PYTHON_TYPES.get(item.field.type, "str")
            if item.options:
                type_ = "Literal[" + ", ".join(f'"{o}"' for o in item.options) + "]"
            rows.append(f"    {item.key}: {type_}{' | None' if item.nullable else ''}")
        return f"class {s.pick(('Record', 'Data', 'Message', 'Item', 'Result'))}:\n" + "\n".join(rows)
    return ""
