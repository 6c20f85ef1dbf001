"""Random schemas against the jsonschema library: nothing wrong is accepted, walks end in valid texts."""

import json
import random
from dataclasses import dataclass
from typing import Any

from slipform.errors import EmptyGrammar, GrammarError
from tests.grammars.json_schema_fuzz import document, exact, exact_judge, instance, mutated
from tests.grammars.json_schema_help import accepts, compact, compiled, walk

SCHEMAS = 120


@dataclass
class Counts:
    """What became of the schemas, and of the instances that the library holds valid."""

    compiled: int = 0
    refused: int = 0
    valid: int = 0
    taken: int = 0


def _is_valid(judge: Any, text: str) -> bool | None:
    """None where the library does not end, as under `{"$ref": "#"}`."""
    try:
        return bool(judge.is_valid(exact(text)))
    except BaseException as error:
        # Deep recursion inside rpds, which jsonschema uses, surfaces as a panic that is no Exception.
        if isinstance(error, RecursionError) or type(error).__name__ == "PanicException":
            return None
        raise


def _check(seed: int, counts: Counts) -> None:
    rng = random.Random(seed)
    schema = document(rng)
    judge = exact_judge(schema)
    values = [instance(rng) for _ in range(20)]
    verdicts = [_is_valid(judge, compact(value)) for value in values]
    if None in verdicts:
        return
    try:
        grammar = compiled(schema)
    except EmptyGrammar:
        assert not any(verdicts), schema
        return
    except GrammarError:
        counts.refused += 1
        return
    counts.compiled += 1
    for steps in (4, 25):
        text = walk(grammar, rng, steps)
        assert _is_valid(judge, text) in (True, None), (schema, text)
        values.append(json.loads(text))
    values += [mutated(rng, value) for value in values for _ in range(3)]
    for value in values:
        text = compact(value)
        if "Infinity" in text:
            continue
        valid, taken = _is_valid(judge, text), accepts(grammar, text)
        assert not (taken and valid is False), (schema, text)
        counts.valid += valid is True
        counts.taken += taken


def test_random_schemas() -> None:
    counts = Counts()
    for seed in range(SCHEMAS):
        _check(seed, counts)
    assert counts.compiled > 0.7 * SCHEMAS
    assert counts.refused < 0.1 * SCHEMAS
    assert counts.taken > 0.995 * counts.valid, "what is refused in vain is documented and rare"
