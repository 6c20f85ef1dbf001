"""How often the embedded model is right: the held-out split and examples written by hand, through Slipform programs.

    python benchmarks/bench_embedded.py [--count 300] [--model DIR] [--wrong FILE]

The held-out split gives `--count` examples of each task. Each example is a program: its turns stand in their roles,
earlier answers as they should be, and the last answer is generated greedily; once under the constraint that a user
would give (the schema of the object or of the calls, the options of `select`) and once without any. Prompts that do
not name the wanted fields count under constraints only, since nothing then tells an unconstrained model their names.
A second table counts the held-out answers by the material that their examples come from: wordings of a family of
documents that training knows, whole scenes and hand-written tools that it does not, composed tools, kinds of labelling.
The last line is one JSON object with the rates under constraints.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import environment, print_table

import slipform as sf
from slipform.runtime.embedded.evaluate import handwritten, last_answer, score
from slipform.runtime.embedded.examples import Example
from slipform.runtime.embedded.generate import examples, tools_text
from slipform.runtime.embedded.scoring import Rate, total

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
TASKS = ("extract", "tool", "select", "copy")
MAX_TOKENS = 320
ROLES = {"system": sf.system, "user": sf.user, "assistant": sf.assistant}


def hole(example: Example, constrained: bool) -> Any:
    """The fill that answers an example."""
    if constrained and example.task == "select":
        return sf.select("answer", list(example.options))
    stop = "\n" if example.turns[-1].role == "plain" else None
    schema = json.dumps(example.schema, ensure_ascii=False) if constrained and answers_in_json(example) else None
    return sf.gen("answer", max_tokens=MAX_TOKENS, temperature=0, json_schema=schema, stop=stop)


def answers_in_json(example: Example) -> bool:
    return example.schema is not None and last_answer(example)[1][:1] in "{["


@sf.function
def chat(s: Any, example: Example, constrained: bool) -> None:
    """The turns of `example`, the last answer generated."""
    turns = list(example.turns)
    while turns[-1].role == "plain" and turns[-1].content == "\n":
        turns.pop()
    if example.tools:
        head = turns.pop(0).content if turns[0].role == "system" else ""
        s += sf.system(tools_text(example, head))
    for turn in turns[:-1]:
        s += turn.content if turn.role == "plain" else ROLES[turn.role](turn.content)
    fill = hole(example, constrained)
    s += fill if turns[-1].role == "plain" else sf.assistant(fill)


def answers(chosen: Sequence[Example], constrained: bool) -> list[str]:
    """The text of each answer. Raises what a program raised."""
    rows = [{"example": example, "constrained": constrained} for example in chosen]
    return [str(state["answer"]) for state in chat.run_batch(rows, progress_bar=True)]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rates under constraints, rows of the table with and without them, and rows by the origin of the examples."""

    rates: dict[str, Rate]
    rows: list[list[str]]
    by_origin: list[list[str]]


def measure(name: str, chosen: Sequence[Example], wrong: list[dict[str, Any]]) -> Measured:
    """Answer the examples with and without constraints. Appends the wrong answers under constraints to `wrong`."""
    by_origin: list[list[str]] = []
    rates: dict[bool, dict[str, Rate]] = {}
    for constrained in (True, False):
        scored = [e for e in chosen if constrained or not e.turns[-1].parts]
        written = answers(scored, constrained)
        results = []
        for example, text in zip(scored, written, strict=True):
            wanted = last_answer(example)[1]
            results.append(score(example, wanted, text))
            if constrained and any(rate.right < rate.total for rate in results[-1].values()):
                prompt = last_answer(example)[0]
                wrong.append({"set": name, "task": example.task, "prompt": prompt, "wanted": wanted, "answer": text})
        rates[constrained] = total(results)
        if constrained:
            by_origin = rows_by_origin(scored, results)
    rows = [[name, key, show(rates[True][key]), show(rates[False].get(key, Rate()))] for key in sorted(rates[True])]
    return Measured(rates[True], rows, by_origin)


def rows_by_origin(chosen: Sequence[Example], results: Sequence[dict[str, Rate]]) -> list[list[str]]:
    """One row for each task, origin and measure."""
    groups: dict[tuple[str, str], list[dict[str, Rate]]] = {}
    for example, result in zip(chosen, results, strict=True):
        groups.setdefault((example.task, example.origin), []).append(result)
    return [
        [task, origin, key, show(rate)]
        for (task, origin), group in sorted(groups.items())
        for key, rate in sorted(total(group).items())
        if rate.total
    ]


def held_out(count: int) -> list[Example]:
    """The first `count` examples of each task of the held-out stream."""
    found: dict[str, list[Example]] = {task: [] for task in TASKS}
    stream = examples("heldout", "evaluation")
    while any(len(kept) < count for kept in found.values()):
        example = next(stream)
        if len(found[example.task]) < count:
            found[example.task].append(example)
    return [example for kept in found.values() for example in kept]


def show(rate: Rate) -> str:
    if not rate.total:
        return "-"
    low, high = rate.interval
    return f"{rate.value:.1%} of {rate.total} ({low:.1%}–{high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="held-out examples of each task")
    parser.add_argument("--model", help="a checkpoint's directory; without it the embedded model")
    parser.add_argument("--wrong", type=Path, help="write the wrong answers here, one JSON object a line")
    options = parser.parse_args()
    by_hand = {name: handwritten(DATA / f"{name}.jsonl") for name in ("handwritten", "development")}
    sets = by_hand | {"held-out": held_out(options.count)}
    sf.set_default_backend(sf.Engine(options.model))
    wrong: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    by_origin: list[list[str]] = []
    figures: dict[str, float] = {}
    started = time.perf_counter()
    for name, chosen in sets.items():
        measured = measure(name, chosen, wrong)
        rows += measured.rows
        prefix = f"{name}_" if name in by_hand else ""
        figures |= {f"{prefix}{key}": round(rate.value, 4) for key, rate in measured.rates.items() if rate.total}
        if name == "held-out":
            by_origin = measured.by_origin
    print_table(
        "The embedded model: right answers, 95 % intervals", ("set", "measure", "with constraints", "without"), rows
    )
    print_table("Held-out answers under constraints, by material", ("task", "material", "measure", "right"), by_origin)
    if options.wrong:
        options.wrong.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in wrong))
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({**environment(), "count": options.count, "seconds": seconds, **figures}), flush=True)


if __name__ == "__main__":
    main()
