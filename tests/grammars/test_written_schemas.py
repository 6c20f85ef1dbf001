"""Schemas as people write them: nothing valid is refused beyond what is documented, nothing invalid is taken."""

import copy
import json
import random
from typing import Any

import jsonschema
import pytest

from tests.grammars.json_schema_help import accepts, compact, compiled, walk
from tests.grammars.written_schemas import ENTRIES, Entry

MUTATIONS = 12


def judge(schema: Any) -> Any:
    """The library's validator with the formats of the schema's own draft."""
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def mutated(rng: random.Random, value: Any) -> Any:
    """`value` with one thing changed, at any depth."""
    change = rng.random()
    if isinstance(value, dict) and value and rng.random() < 0.75:
        name = rng.choice(list(value))
        if change < 0.6:
            return value | {name: mutated(rng, value[name])}
        if change < 0.75:
            return {other: member for other, member in value.items() if other != name}
        added = rng.choice([name + "x", "x-y", "zz", "type"])
        return value | {added: rng.choice([copy.deepcopy(value[name]), 1, None])}
    if isinstance(value, list) and value and rng.random() < 0.75:
        index = rng.randrange(len(value))
        if change < 0.6:
            return [*value[:index], mutated(rng, value[index]), *value[index + 1 :]]
        return value[:index] + value[index + 1 :] if change < 0.75 else [*value, copy.deepcopy(value[index])]
    if isinstance(value, str) and rng.random() < 0.6:
        at = rng.randrange(len(value) + 1)
        return value[:at] + rng.choice('aZ0 -_./:"\\é') + value[at:] if change < 0.5 else value[: at - 1] + value[at:]
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.6:
        return rng.choice([value + 1, -value, value * 10, value + 0.5, float(value) if abs(value) < 1e15 else 0])
    return rng.choice([None, True, 0, -1, 1.5, "", "x", [], {}, {"a": 1}])


@pytest.mark.parametrize("entry", ENTRIES, ids=[name for name, _, _ in ENTRIES])
def test_a_schema_with_its_instances_and_mutations(entry: Entry) -> None:
    name, schema, instances = entry
    grammars = [compiled(schema, "any"), compiled(schema, "declared")]
    valid = judge(schema)
    for value in instances:
        assert valid.is_valid(value)
        for text in (compact(value), json.dumps(value)):
            assert accepts(grammars[0], text), text
    rng = random.Random(name)
    for grammar in grammars:
        for steps in (5, 40):
            text = walk(grammar, rng, steps)
            assert valid.is_valid(json.loads(text)), text
    for value in instances:
        changed = value
        for number in range(MUTATIONS):
            changed = mutated(rng, value if number % 3 == 0 else changed)
            if not valid.is_valid(changed):
                for grammar in grammars:
                    assert not accepts(grammar, compact(changed)), compact(changed)
