"""JSON Schemas as grammar rules of Python literals: what a pythonic call writes for an argument."""

import json
from typing import Any

# Keywords that change no text here, or that the rules below carry out themselves.
_NOTES = frozenset({"title", "description", "default", "examples", "$defs", "definitions", "deprecated", "$comment"})

_NOTHING = '""'


class LiteralRules:
    """Rules of one Lark grammar, added one by one.

    Values are written as Python writes them wherever the schema says of what type they are: True, False and None
    instead of true, false and null, also inside lists and dicts. Whatever goes beyond types (bounds, patterns, free
    forms) is written as JSON, whose literals the parser understands as well.

    Attributes:
        lines: one rule a line.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._references: dict[tuple[str, str], str] = {}

    def add(self, body: str) -> str:
        """A new rule; returns its name."""
        name = f"rule_{len(self.lines)}"
        self.lines.append(f"{name}: {body.strip() or _NOTHING}")
        return name

    def value(self, schema: Any, root: dict[str, Any]) -> str:
        """An expression for the values that `schema`, a part of `root`, accepts."""
        if not isinstance(schema, dict):
            return self._json(schema, root)
        keywords = schema.keys() - _NOTES
        if keywords == {"$ref"}:
            return self._reference(schema["$ref"], root)
        if "enum" in keywords and keywords <= {"enum", "type"}:
            return self._one_of(schema["enum"])
        if "const" in keywords and keywords <= {"const", "type"}:
            return self._one_of([schema["const"]])
        for union in ("anyOf", "oneOf"):
            if keywords == {union}:
                return self.add(" | ".join(self.value(option, root) for option in schema[union]))
        kind = schema.get("type")
        if isinstance(kind, list) and keywords == {"type"}:
            return self.add(" | ".join(self.value({"type": one}, root) for one in kind))
        if kind == "boolean" and keywords == {"type"}:
            return '("True" | "False")'
        if kind == "null" and keywords == {"type"}:
            return '"None"'
        if kind == "array" and keywords == {"type", "items"}:
            item = self.value(schema["items"], root)
            return self.add(f'"[" ({item} (", " {item})*)? "]"')
        if kind == "object" and "properties" in keywords and keywords <= _DICT_KEYWORDS:
            return self._dict(schema, root)
        return self._json(schema, root)

    def _dict(self, schema: dict[str, Any], root: dict[str, Any]) -> str:
        """A dict whose keys are all required, in declared order; others are left to JSON."""
        properties: dict[str, Any] = schema["properties"]
        if not properties or schema.get("additionalProperties", False) is not False:
            return self._json(schema, root)
        if set(schema.get("required", ())) != set(properties):
            return self._json(schema, root)
        members = [
            f"{json.dumps(json.dumps(name) + ': ')} {self.value(part, root)}" for name, part in properties.items()
        ]
        return self.add('"{" ' + ' ", " '.join(members) + ' "}"')

    def _reference(self, reference: str, root: dict[str, Any]) -> str:
        key = (reference, json.dumps(root, sort_keys=True))
        if key not in self._references:
            target: Any = root
            for step in reference.removeprefix("#/").split("/"):
                target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
            if target is None or not reference.startswith("#/"):
                return self._json({"$ref": reference}, root)  # says what is wrong with it
            name = self.add("")
            self._references[key] = name
            self.lines[int(name.removeprefix("rule_"))] = f"{name}: {self.value(target, root)}"
        return self._references[key]

    def _one_of(self, values: list[Any]) -> str:
        return "(" + " | ".join(json.dumps(_literal(value)) for value in values) + ")"

    def _json(self, schema: Any, root: dict[str, Any]) -> str:
        definitions = {name: root[name] for name in ("$defs", "definitions", "$schema") if name in root}
        whole = {**definitions, **schema} if isinstance(schema, dict) else schema
        return self.add(f"%json {json.dumps(whole)}")


_DICT_KEYWORDS = frozenset({"type", "properties", "required", "additionalProperties"})


def _literal(value: Any) -> str:
    """A JSON value as Python writes it, strings in double quotes."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
