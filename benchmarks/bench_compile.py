"""What compiling a program is worth: rows ordered for sharing, a pinned prefix, and fused holes.

    python benchmarks/bench_compile.py [--model DIR] [--documents 8] [--questions 6] [--words 120] [--repeats 3]

A program asks several questions about each of several documents; its rows come in an order in which documents take
turns. The KV pool holds a few documents, not all of them, as where a batch is larger than its cache. Three ways to run
the same rows, timed in turn, each on an empty cache:

    unfused    `run_batch` with `fuse=False`: one request a hole
    program    `run_batch` of the program: one request a row
    compiled   `program.compile().run_batch`: one request a row, rows ordered, the prefix pinned

The texts of all three are compared first; greedy decoding must give equal ones.
"""

import argparse
import random
from pathlib import Path

from common import measure_in_turn, print_result, print_table

import slipform as sf
from slipform.runtime.engine import Engine

WORDS = ("parcel", "invoice", "address", "account", "order", "customer", "weight", "street", "paper", "garden")
INTRO = "Read the document and answer each question about it with one short phrase and a grade from 1 to 9.\n"


@sf.function
def ask(s: sf.ProgramState, document: str, question: str) -> None:
    s += INTRO + "Document: " + document + "\nQuestion: " + question
    s += "\nAnswer: " + sf.gen("answer", max_tokens=8, stop="\n")
    s += "\nGrade: " + sf.regex("[1-9]", name="grade") + "\nWhy: " + sf.gen("why", max_tokens=8, stop="\n")


def rows_of(documents: int, questions: int, words: int) -> list[dict[str, str]]:
    """Rows in which documents take turns: the order that costs a small cache most."""
    rng = random.Random(1)
    texts = [" ".join(rng.choice(WORDS) for _ in range(words)) for _ in range(documents)]
    return [
        {"document": text, "question": f"What about {rng.choice(WORDS)}?"} for _ in range(questions) for text in texts
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--questions", type=int, default=6)
    parser.add_argument("--words", type=int, default=120)
    parser.add_argument("--pool", type=int, default=900, help="KV slots")
    parser.add_argument("--concurrency", type=int, default=2, help="rows in flight")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows = rows_of(arguments.documents, arguments.questions, arguments.words)

    with Engine(arguments.model, pool_slots=arguments.pool, seed=0) as engine:
        texts: dict[str, list[str]] = {}
        computed: dict[str, int] = {}

        def run(name: str) -> None:
            engine.flush_cache()
            before = engine.statistics().computed_tokens
            options = {"temperature": 0, "num_threads": arguments.concurrency}
            if name == "compiled":
                states = ask.compile(backend=engine).run_batch(rows, **options)
            else:
                states = ask.run_batch(rows, backend=engine, fuse=name == "program", **options)
            texts[name] = [state.text() for state in states]
            computed[name] = engine.statistics().computed_tokens - before

        names = ("unfused", "program", "compiled")
        for name in names:
            run(name)
        assert texts["unfused"] == texts["program"] == texts["compiled"], "the texts differ"
        timings = measure_in_turn({name: lambda name=name: run(name) for name in names}, repeats=arguments.repeats)

    base = timings["unfused"].median
    print_table(
        f"{len(rows)} rows over {arguments.documents} documents, a pool of {arguments.pool} slots",
        ["run", "time", "ratio", "tokens computed"],
        [[name, str(timings[name]), f"{base / timings[name].median:.2f}", computed[name]] for name in names],
    )
    figures = {f"{name}_s": timings[name].median for name in names}
    figures |= {f"{name}_computed_tokens": computed[name] for name in names}
    print_result(figures, vars(arguments))


if __name__ == "__main__":
    main()
