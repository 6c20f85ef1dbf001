"""Random schemas and instances, to compare what we accept with what the jsonschema library does.

Everything is small and overlaps on purpose: few names, few strings, few numbers, so that keywords meet one another.
`mutated` changes one thing of an instance.
"""

import json
import random
from decimal import Decimal
from typing import Any

import jsonschema

NAMES = ["a", "b", "ab", "c", "x-1", "é"]
STRINGS = ["", "a", "b", "ab", "abc", "aaa", "x-1", "é", "b1", "12"]
NUMBERS = [0, 1, 2, 3, -1, -2, 5, 6, 10, 1.5, 0.5, 2.5, -0.5, 100.0, 100, 0.1, 0.3, 3.0, 1_000_000, 1e-3]
PATTERNS = ["^a", "b$", "^a+$", "^[a-c]{1,2}$", "[0-9]", "^(a|b)*$", "a.b|x", "^.{2}$", "^x-"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]

Schema = Any
Value = Any


def document(rng: random.Random) -> dict[str, Schema]:
    """A schema with definitions for the references in it."""
    schema = _schema(rng, 3)
    root = dict(schema) if isinstance(schema, dict) else {"allOf": [schema]}
    if "#/$defs/" in json.dumps(root):
        root["$defs"] = {"A": _schema(rng, 2), "B": _schema(rng, 1)}
    return root


def instance(rng: random.Random, depth: int = 2) -> Value:
    """A value out of the same few names, strings and numbers."""
    kind = rng.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return rng.random() < 0.5
    if kind < 0.4:
        return rng.choice(NUMBERS)
    if kind < 0.62:
        return rng.choice(STRINGS)
    if depth <= 0:
        return rng.choice([[], {}, 1, "a"])
    size = rng.choice([0, 1, 1, 2, 2, 3])
    if kind < 0.8:
        return [instance(rng, depth - 1) for _ in range(size)]
    return {name: instance(rng, depth - 1) for name in rng.sample(NAMES, size)}


def mutated(rng: random.Random, value: Value) -> Value:
    """`value` with one thing changed."""
    if isinstance(value, list) and value and rng.random() < 0.7:
        index, items = rng.randrange(len(value)), list(value)
        change = rng.random()
        if change < 0.5:
            items[index] = mutated(rng, items[index])
        elif change < 0.65:
            del items[index]
        elif change < 0.8:
            items.insert(index, rng.choice(value))
        else:
            items.append(instance(rng, 1))
        return items
    if isinstance(value, dict) and value and rng.random() < 0.75:
        name, members = rng.choice(list(value)), dict(value)
        change = rng.random()
        if change < 0.5:
            members[name] = mutated(rng, members[name])
        elif change < 0.7:
            del members[name]
        elif change < 0.9:
            members[rng.choice(NAMES)] = instance(rng, 1)
        else:
            members[rng.choice(NAMES)] = members.pop(name)
        return members
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.7:
        return rng.choice([value + 1, value - 1, value * 2, value + 0.5, rng.choice(NUMBERS)])
    if isinstance(value, str) and rng.random() < 0.7:
        return rng.choice([value + "a", value[1:], value[::-1], rng.choice(STRINGS), value.upper()])
    return instance(rng)


def exact_judge(schema: Schema) -> Any:
    """A validator of 2020-12 that computes with exact decimals; give it values that `exact` has read."""

    def is_number(checker: Any, value: Any) -> bool:
        return isinstance(value, int | Decimal) and not isinstance(value, bool)

    def is_integer(checker: Any, value: Any) -> bool:
        return is_number(checker, value) and value == int(value)

    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine_many({"number": is_number, "integer": is_integer})
    return jsonschema.validators.extend(base, type_checker=types)(exact(json.dumps(schema)))


def exact(text: str) -> Value:
    """JSON with numbers as `int` or `Decimal`."""
    return json.loads(text, parse_float=Decimal)


def _schema(rng: random.Random, depth: int) -> Schema:
    kind = rng.random()
    if depth <= 0 or kind < 0.2:
        return _scalar(rng)
    if kind < 0.35:
        return _array(rng, depth)
    if kind < 0.6:
        return _object(rng, depth)
    if kind < 0.75:
        return _combined(rng, depth)
    schema: dict[str, Schema] = {}
    for make in rng.sample([_array, _object, _combined, _combined, _number, _string], rng.randint(2, 3)):
        schema.update(make(rng, depth))
    if rng.random() < 0.15:
        schema["unevaluatedProperties"] = rng.choice([False, _schema(rng, depth - 1)])
    return schema


def _scalar(rng: random.Random) -> Schema:
    return rng.choice(
        [
            {"type": rng.choice(TYPES[:5])},
            {"const": instance(rng, 1)},
            {"enum": [instance(rng, 1) for _ in range(rng.randint(1, 4))]},
            _number(rng, 0),
            _string(rng, 0),
            rng.random() < 0.6,
            {"type": rng.sample(TYPES, rng.randint(1, 3))},
            {},
        ]
    )


def _number(rng: random.Random, depth: int) -> dict[str, Schema]:
    schema: dict[str, Schema] = {"type": rng.choice(["integer", "number"])} if rng.random() < 0.4 else {}
    for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if rng.random() < 0.25:
            schema[keyword] = rng.choice(NUMBERS)
    if rng.random() < 0.3:
        schema["multipleOf"] = rng.choice([1, 2, 3, 0.5, 0.1, 0.01, 1.5, 10.0, 2.5])
    return schema


def _string(rng: random.Random, depth: int) -> dict[str, Schema]:
    schema: dict[str, Schema] = {"type": "string"} if rng.random() < 0.5 else {}
    for keyword in ("minLength", "maxLength"):
        if rng.random() < 0.3:
            schema[keyword] = rng.randint(0, 3)
    if rng.random() < 0.5:
        schema["pattern"] = rng.choice(PATTERNS)
    return schema


def _array(rng: random.Random, depth: int) -> dict[str, Schema]:
    schema: dict[str, Schema] = {"type": "array"} if rng.random() < 0.4 else {}
    if rng.random() < 0.4:
        schema["items"] = _schema(rng, depth - 1)
    if rng.random() < 0.4:
        schema["prefixItems"] = [_schema(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.35:
        schema["contains"] = _schema(rng, depth - 1)
        if rng.random() < 0.4:
            schema["minContains"] = rng.randint(0, 2)
        if rng.random() < 0.4:
            schema["maxContains"] = rng.randint(0, 3)
    if rng.random() < 0.2:
        schema["minItems"] = rng.randint(0, 3)
    if rng.random() < 0.2:
        schema["maxItems"] = rng.randint(0, 4)
    if rng.random() < 0.25:
        schema["uniqueItems"] = True
    if rng.random() < 0.12:
        schema["unevaluatedItems"] = rng.choice([False, _schema(rng, depth - 1)])
    return schema


def _object(rng: random.Random, depth: int) -> dict[str, Schema]:
    def some(names: list[str], most: int) -> list[str]:
        return rng.sample(names, rng.randint(1, most))

    schema: dict[str, Schema] = {"type": "object"} if rng.random() < 0.4 else {}
    if rng.random() < 0.6:
        schema["properties"] = {name: _schema(rng, depth - 1) for name in some(NAMES, 3)}
    if rng.random() < 0.3:
        schema["patternProperties"] = {pattern: _schema(rng, depth - 1) for pattern in some(PATTERNS, 2)}
    if rng.random() < 0.3:
        schema["additionalProperties"] = rng.choice([False, False, _schema(rng, depth - 1)])
    if rng.random() < 0.15:
        schema["propertyNames"] = _string(rng, 0)
    if rng.random() < 0.35:
        schema["required"] = some(NAMES, 2)
    for keyword in ("minProperties", "maxProperties"):
        if rng.random() < 0.12:
            schema[keyword] = rng.randint(0, 3)
    if rng.random() < 0.12:
        schema["dependentRequired"] = {name: some(NAMES, 2) for name in some(NAMES, 2)}
    if rng.random() < 0.12:
        schema["dependentSchemas"] = {name: _schema(rng, depth - 1) for name in some(NAMES, 1)}
    if rng.random() < 0.15:
        schema["unevaluatedProperties"] = rng.choice([False, False, _schema(rng, depth - 1)])
    return schema


def _combined(rng: random.Random, depth: int) -> dict[str, Schema]:
    keyword = rng.choice(["allOf", "anyOf", "oneOf", "not", "if", "$ref", "$ref"])
    if keyword == "$ref":
        return {"$ref": rng.choice(["#/$defs/A", "#/$defs/B", "#/$defs/A", "#/$defs/B", "#"])}
    if keyword == "not":
        return {"not": _schema(rng, depth - 1)}
    if keyword == "if":
        schema = {"if": _schema(rng, depth - 1)}
        if rng.random() < 0.8:
            schema["then"] = _schema(rng, depth - 1)
        if rng.random() < 0.6:
            schema["else"] = _schema(rng, depth - 1)
        return schema
    return {keyword: [_schema(rng, depth - 1) for _ in range(rng.randint(1, 3))]}
