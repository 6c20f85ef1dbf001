"""Random walks under real JSON schemas: is every text valid, and can every walk end?

    python benchmarks/check_walks.py --data dev.jsonl.gz --tokenizer DIR [--walks 5] [--steps 60] [--order any]

`--data` holds one JSON object a line with `id` and `schema`. A walk draws tokens at random among those that the mask
allows; after `--steps` of them it is closed along the shortest completion. A walk is sound if no mask is empty, the
text is JSON, and the `jsonschema` library accepts its value, formats checked. Schemas that the library itself cannot
apply (references that it would have to fetch, recursion without end) are counted apart.
"""

import argparse
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any, Literal

import jsonschema
import numpy as np
from common import print_result, print_table
from grammar_engines import load_tokenizer

from slipform.errors import GrammarError
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.spec import JsonSchema
from slipform.grammars.vocabulary import Vocabulary

FOREIGN = (jsonschema.exceptions.SchemaError, RecursionError)


def walk(grammar: CompiledGrammar, rng: random.Random, steps: int) -> tuple[str, int]:
    """One text and the number of tokens drawn for it. Raises: ValueError where a mask is empty."""
    vocabulary = grammar.vocabulary
    matcher = grammar.matcher()
    row = np.zeros(vocabulary.num_words, np.int32)
    text = b""
    for step in range(steps):
        matcher.fill_bitmask(row)
        allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little"))
        if len(allowed) == 0:
            raise ValueError(f"nothing is allowed behind {text!r}")
        # Half of the draws among the shorter half of the tokens: else nearly all of them prolong a string.
        if rng.random() < 0.5:
            allowed = allowed[: max(1, len(allowed) // 200)]
        token = int(rng.choice(allowed))
        if not matcher.accept_token(token):
            raise ValueError(f"token {token} is allowed and not accepted behind {text!r}")
        if matcher.is_terminated:
            return text.decode(), step
        text += vocabulary.token_bytes[token]
    rest = matcher.shortest_completion()
    if matcher.accept_bytes(rest) != len(rest) or not matcher.is_accepting:
        raise ValueError(f"the shortest completion {rest!r} does not end {text!r}")
    return (text + rest).decode(), steps


def faults_of(
    row: dict[str, Any], vocabulary: Vocabulary, order: Literal["declared", "any"], walks: int, steps: int
) -> tuple[str, list[str], int]:
    """What became of one schema ("checked", "refused" or "not judged"), what is wrong, and the tokens drawn."""
    schema = row["schema"]
    try:
        grammar = compile_grammar(JsonSchema.of(schema, property_order=order), vocabulary)
    except GrammarError as error:
        return "refused", [str(error)], 0
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    judge = kind(schema, format_checker=kind.FORMAT_CHECKER)
    rng = random.Random(row["id"])
    faults, tokens = [], 0
    for _ in range(walks):
        try:
            text, drawn = walk(grammar, rng, rng.choice([steps // 10, steps // 2, steps]))
        except (ValueError, GrammarError) as error:
            faults.append(str(error)[:300])
            continue
        tokens += drawn
        try:
            fault = next(iter(judge.iter_errors(json.loads(text))), None)
        except FOREIGN:
            return "not judged", faults, tokens
        except jsonschema.exceptions._WrappedReferencingError:
            return "not judged", faults, tokens
        if fault is not None:
            faults.append(f"{fault.message[:200]} in {text[:200]}")
    return "checked", faults, tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--walks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--order", choices=("declared", "any"), default="any")
    arguments = parser.parse_args()
    vocabulary = Vocabulary.from_huggingface(load_tokenizer(arguments.tokenizer))
    counts = {"checked": 0, "refused": 0, "not judged": 0}
    unsound, tokens = [], 0
    begun = time.perf_counter()
    with gzip.open(arguments.data, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            outcome, faults, drawn = faults_of(row, vocabulary, arguments.order, arguments.walks, arguments.steps)
            counts[outcome] += 1
            tokens += drawn
            unsound += [(row["id"], fault) for fault in faults]
    for name, fault in unsound:
        print(f"{name}: {fault}")
    figures = {
        "schemas": sum(counts.values()),
        **{name.replace(" ", "_"): count for name, count in counts.items()},
        "walks": arguments.walks * (counts["checked"] + counts["not judged"]),
        "tokens": tokens,
        "unsound": len(unsound),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print_table("random walks", ["figure", "value"], [[name, value] for name, value in figures.items()])
    print_result(figures, {"walks": arguments.walks, "steps": arguments.steps, "order": arguments.order})


if __name__ == "__main__":
    main()
