"""How many tokens can be forced at most? For each token that could be, look for two completions that disagree on it.

    python benchmarks/check_forced.py --data dev.jsonl.gz --tokenizer DIR [--first 10] [--tried 300]

`--data` as for `bench_grammars.py`. The first valid instance of each schema is walked in compact form, with properties
in declared order. A token of its encoding is *forced* if it comes next in the tokenizer's own encoding of every text
that the grammar still admits. Then all its bytes are forced, so only tokens with this property are candidates. For a
candidate, completions are made (one for each token that may follow the forced bytes, or for `--tried` of them) and
encoded whole: one in which another token comes next is a proof that it is not forced. What is left unrefuted is an
upper bound of what any engine may hand out; `handed_out` is what `Matcher.forced_tokens` gives. A token that is handed
out and refuted would be an error.
"""

import argparse
import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from bench_grammars import first_of_subsets
from common import print_result, print_table
from grammar_engines import load_tokenizer

from slipform.errors import GrammarError
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.matcher import Matcher
from slipform.grammars.spec import JsonSchema
from slipform.grammars.vocabulary import Vocabulary

CONTEXT = 12  # tokens before the one in question that completions are encoded with
COLUMNS = ("tokens", "candidates", "unrefuted", "handed_out", "errors")


def continuations(matcher: Matcher, vocabulary: Vocabulary, tried: int, rng: random.Random) -> list[bytes]:
    """Texts that complete a match: for each next token (the short ones and a sample, if they are many), a short one."""
    texts = [b""] if matcher.is_accepting else []
    row = np.zeros(vocabulary.num_words, np.int32)
    matcher.fill_bitmask(row)
    allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist()
    allowed = [token for token in allowed if vocabulary.token_bytes[token]]
    if len(allowed) > tried:
        short = [token for token in allowed if len(vocabulary.token_bytes[token]) == 1]
        marks = [token for token in allowed if not vocabulary.token_bytes[token][:1].isalnum()]
        allowed = short + rng.sample(marks, min(len(marks), tried - 100)) + rng.sample(allowed, 100)
    for token in allowed:
        rest = matcher.shortest_completion_after(token)
        if rest is not None:
            texts.append(vocabulary.token_bytes[token] + rest)
    return texts


def is_refuted(vocabulary: Vocabulary, before: list[int], token: int, forced: bytes, rests: list[bytes]) -> bool:
    """Whether a text `before` + `forced` + one of `rests` has `before` at its beginning and then another token."""
    assert vocabulary.encode is not None
    head = b"".join(vocabulary.token_bytes[one] for one in before)
    for rest in rests:
        try:
            ids = vocabulary.encode((head + forced + rest).decode("utf-8"))
        except UnicodeDecodeError:
            continue
        if ids[: len(before)] == before and ids[len(before)] != token:
            return True
    return False


def check(row: dict[str, Any], vocabulary: Vocabulary, tried: int, rng: random.Random) -> Counter[str]:
    """The counts of `COLUMNS` along the first instance of one schema."""
    assert vocabulary.encode is not None
    spec = JsonSchema.of(row["schema"], whitespace="compact", integers="plain")
    matcher = compile_grammar(spec, vocabulary).matcher()
    ids = vocabulary.encode(json.dumps(row["valid"][0], ensure_ascii=False, separators=(",", ":")))
    counts = Counter(dict.fromkeys(COLUMNS, 0))
    handed_until = 0
    for at, token in enumerate(ids):
        text = vocabulary.token_bytes[token]
        tail = b"".join(vocabulary.token_bytes[one] for one in ids[max(0, at - 16) : at])
        given = matcher.forced_tokens(tail) if at >= handed_until else []
        if given and ids[at : at + len(given)] == given:
            handed_until = at + len(given)
        forced = matcher.forced_bytes()
        counts["tokens"] += 1
        counts["handed_out"] += at < handed_until
        if forced.startswith(text):
            counts["candidates"] += 1
            behind = matcher.fork()
            behind.accept_bytes(forced)
            rests = continuations(behind, vocabulary, tried, rng)
            refuted = is_refuted(vocabulary, ids[max(0, at - CONTEXT) : at], token, forced, rests)
            counts["unrefuted"] += not refuted
            counts["errors"] += refuted and at < handed_until
        if not matcher.accept_token(token):
            break
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="schemas with instances, JSON lines, may be gzipped")
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory of a Hugging Face fast tokenizer")
    parser.add_argument("--first", type=int, default=10, help="so many schemas of each subset")
    parser.add_argument("--tried", type=int, default=300, help="completions for each token, where more are possible")
    arguments = parser.parse_args()
    opened = gzip.open if arguments.data.suffix == ".gz" else open
    with opened(arguments.data, "rt", encoding="utf-8") as lines:
        rows = first_of_subsets([json.loads(line) for line in lines], arguments.first)
    vocabulary = Vocabulary.from_huggingface(load_tokenizer(arguments.tokenizer))
    rng = random.Random(0)
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if row["valid"]:
            try:
                counts.setdefault(row["subset"], Counter()).update(check(row, vocabulary, arguments.tried, rng))
            except GrammarError:
                continue
    total = sum(counts.values(), Counter())
    print_table(
        "Tokens of the first instance, compact, properties in declared order",
        ["subset", *COLUMNS],
        [[name, *(of[column] for column in COLUMNS)] for name, of in [*counts.items(), ("all", total)]],
    )
    shares = {column: total[column] / max(1, total["tokens"]) for column in COLUMNS[1:]}
    print_result(shares, {key: str(value) for key, value in vars(arguments).items()})


if __name__ == "__main__":
    main()
