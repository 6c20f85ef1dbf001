"""What compiling a program is worth, part by part, each beside the same rows run without it.

    python benchmarks/bench_compile.py [--model DIR] [--repeats 5] [--only batch fused …] [--no-server]

    batch      `program.compile().run_batch` beside `program.run_batch`, the time of `compile` included. Several
               questions about each of several documents, the documents taking turns; once with a KV pool that holds
               two documents, as where a batch is larger than its cache, and once with one that holds them all
    order      the order alone: the same compiled program, its prefix pinned, rows as given beside rows ordered
    pin        a program's rows between others' requests that evict everything else: prefix pinned or not
    fused      six holes a row as one request beside six (`fuse=False`): one row at a time and sixteen, in this process
               and on a server over HTTP
    grammars   the first row of a program under a schema that nobody has compiled, beside one after `compile`

Texts are compared before anything is timed: greedy decoding must give equal ones. The two sides of a comparison take
turns, and each run begins on an empty prefix cache; what is reported is the median of the runs.
"""

import argparse
import contextlib
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from common import Timing, print_result, print_table

import slipform as sf
from slipform.errors import SlipformError
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.runtime.engine import Engine
from slipform.runtime.request import GenerateRequest, Text

WORDS = ("parcel", "invoice", "address", "account", "order", "customer", "weight", "street", "paper", "garden")
INTRO = "Read the document and answer each question about it with one short phrase and a grade from 1 to 9.\n"
RULES = " ".join(f"Rule {number}: answer with {word}s only." for number, word in enumerate(WORDS * 4, start=1))

Run = Callable[[], float]
"""One run; returns its own seconds, so that what prepares it is not counted."""
Sides = dict[str, Timing]


@sf.function
def ask(s: sf.ProgramState, document: str, question: str) -> None:
    s += INTRO + "Document: " + document + "\nQuestion: " + question
    s += "\nAnswer: " + sf.gen("answer", max_tokens=8, stop="\n")
    s += "\nGrade: " + sf.regex("[1-9]", name="grade") + "\nWhy: " + sf.gen("why", max_tokens=8, stop="\n")


@sf.function
def apply_rules(s: sf.ProgramState, case: str) -> None:
    s += RULES + "\nCase: " + case + "\nVerdict: " + sf.gen("verdict", max_tokens=6, stop="\n")


@sf.function
def fill_form(s: sf.ProgramState, number: str) -> None:
    s += "Form " + number + "\nName: " + sf.gen("name", max_tokens=6, stop="\n")
    s += "\nDay: " + sf.regex("[0-3][0-9]", name="day") + "\nTown: " + sf.gen("town", max_tokens=6, stop="\n")
    s += "\nClass: " + sf.regex("[A-D]", name="kind") + "\nFloor: " + sf.regex("[1-9]", name="floor")
    s += "\nRemark: " + sf.gen("remark", max_tokens=6, stop="\n")


@sf.function
def order_of(s: sf.ProgramState, mail: str, schema: Mapping[str, Any]) -> None:
    s += "The order as JSON.\n\n" + mail + "\n" + sf.gen("order", schema=schema, max_tokens=60)


def take_turns(runs: Mapping[str, Run], repeats: int) -> Sides:
    """Run A B A B …, `repeats` times each, after one round that is not counted."""
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for round_index in range(repeats + 1):
        for name, run in runs.items():
            seconds = run()
            if round_index:
                samples[name].append(seconds)
    return {name: Timing(tuple(values)) for name, values in samples.items()}


def num_computed(backend: Backend) -> int:
    """Tokens that the engine has run the model on; a server has its engine's counters under `statistics`."""
    info = backend.server_info()
    return int(info.get("statistics", info)["computed_tokens"])


def compare(
    backend: Backend, runs: Mapping[str, Callable[[], list[sf.ProgramState]]], repeats: int
) -> tuple[Sides, dict[str, int]]:
    """Time ways to run the same rows. Returns: their times, and the tokens that each computed."""
    texts: dict[str, list[str]] = {}
    computed: dict[str, int] = {}

    def timed(name: str) -> float:
        backend.flush_cache()
        before = num_computed(backend)
        begin = time.perf_counter()
        states = runs[name]()
        seconds = time.perf_counter() - begin
        texts[name] = [state.text() for state in states]
        computed[name] = num_computed(backend) - before
        return seconds

    for name in runs:
        timed(name)
    if len({json.dumps(found) for found in texts.values()}) > 1:
        raise SystemExit(f"the texts of {', '.join(runs)} differ")
    return take_turns({name: lambda name=name: timed(name) for name in runs}, repeats), computed


def questions(documents: int, each: int, words: int) -> list[dict[str, str]]:
    """Rows in which documents take turns: the order that costs a small cache most."""
    rng = random.Random(1)
    texts = [" ".join(rng.choice(WORDS) for _ in range(words)) for _ in range(documents)]
    return [{"document": text, "question": f"What about {rng.choice(WORDS)}?"} for _ in range(each) for text in texts]


def measure_batch(arguments: argparse.Namespace) -> dict[str, tuple[Sides, dict[str, int]]]:
    return {
        "batch, small pool": measure_pool(arguments, pool=900, concurrency=2),
        "batch, ample pool": measure_pool(arguments, pool=16384, concurrency=16),
    }


def measure_pool(arguments: argparse.Namespace, *, pool: int, concurrency: int) -> tuple[Sides, dict[str, int]]:
    rows = questions(8, 6, 120)
    options = {"temperature": 0, "num_threads": concurrency}
    with Engine(arguments.model, pool_slots=pool, seed=0) as engine:
        backend = as_backend(engine)
        sides = {
            "program": lambda: ask.run_batch(rows, backend=backend, **options),
            "compiled": lambda: ask.compile(backend=backend).run_batch(rows, **options),
        }
        return compare(backend, sides, arguments.repeats)


def measure_order(arguments: argparse.Namespace) -> dict[str, tuple[Sides, dict[str, int]]]:
    rows = questions(8, 6, 120)
    options = {"temperature": 0, "num_threads": 2}
    with Engine(arguments.model, pool_slots=900, seed=0) as engine:
        backend = as_backend(engine)
        compiled = ask.compile(backend=backend)

        def as_given() -> list[sf.ProgramState]:
            with compiled:
                return ask.run_batch(rows, backend=backend, **options)

        sides = {"as given": as_given, "ordered": lambda: compiled.run_batch(rows, **options)}
        return {"order": compare(backend, sides, arguments.repeats)}


def measure_pin(arguments: argparse.Namespace) -> dict[str, tuple[Sides, dict[str, int]]]:
    cases = [f"a {word} that came late" for word in WORDS]
    computed: dict[str, int] = {}
    texts: dict[str, list[str]] = {}
    with Engine(arguments.model, pool_slots=2048, seed=0) as engine:
        compiled = apply_rules.compile(backend=engine)
        numbers = iter(range(1_000_000))

        def crowd_out() -> None:
            """Others' requests: each has room beside the prefix, and all of them together evict what is not pinned."""
            for _ in range(3):
                number = next(numbers)
                noise = " ".join(random.Random(number).choice(WORDS) for _ in range(350))
                engine.submit(GenerateRequest(f"other-{number}", (Text(noise),))).result()

        def rows(name: str) -> float:
            seconds, texts[name], computed[name] = 0.0, [], 0
            for case in cases:
                crowd_out()
                before = engine.statistics().computed_tokens
                begin = time.perf_counter()
                state = compiled.run(case=case, temperature=0)
                seconds += time.perf_counter() - begin
                computed[name] += engine.statistics().computed_tokens - before
                texts[name].append(state.text())
            return seconds

        def evicted() -> float:
            engine.flush_cache()
            apply_rules.cache(backend=engine)
            return rows("evicted")

        def pinned() -> float:
            engine.flush_cache()
            with compiled:
                return rows("pinned")

        sides = take_turns({"evicted": evicted, "pinned": pinned}, arguments.repeats)
    if texts["evicted"] != texts["pinned"]:
        raise SystemExit("the texts of pinned and evicted differ")
    return {"pin": (sides, computed)}


def measure_fused(arguments: argparse.Namespace) -> dict[str, tuple[Sides, dict[str, int]]]:
    found = {}
    with Engine(arguments.model, seed=0) as engine:
        for concurrency in (1, 16):
            label = f"fused, in process, {concurrency} at a time"
            found[label] = compare_fused(as_backend(engine), concurrency, arguments.repeats)
    if not arguments.no_server:
        with server(arguments.model) as endpoint:
            for concurrency in (1, 16):
                label = f"fused, over HTTP, {concurrency} at a time"
                found[label] = compare_fused(endpoint, concurrency, arguments.repeats)
    return found


def compare_fused(backend: Backend, concurrency: int, repeats: int) -> tuple[Sides, dict[str, int]]:
    rows = [{"number": str(number)} for number in range(8 if concurrency == 1 else 48)]
    options = {"temperature": 0, "num_threads": concurrency, "backend": backend}
    sides = {
        "unfused": lambda: fill_form.run_batch(rows, fuse=False, **options),
        "fused": lambda: fill_form.run_batch(rows, **options),
    }
    return compare(backend, sides, repeats)


@contextlib.contextmanager
def server(model: Path | None) -> Iterator[sf.Endpoint]:
    """A server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("slipform")), "serve", "--port", str(port)]
    process = subprocess.Popen([*command, *(["--model", str(model)] if model is not None else [])])
    endpoint = sf.Endpoint(f"http://127.0.0.1:{port}")
    try:
        give_up = time.monotonic() + 120
        while True:
            with contextlib.suppress(SlipformError):
                fill_form.run(number="0", backend=endpoint)
                break
            if time.monotonic() > give_up or process.poll() is not None:
                raise SystemExit("the server did not become ready")
        yield endpoint
    finally:
        endpoint.close()
        process.terminate()
        process.wait(60)


def measure_grammars(arguments: argparse.Namespace) -> dict[str, tuple[Sides, dict[str, int]]]:
    fresh = iter(range(1_000_000))
    mail = "Two pens and a garden chair to Elm Street 4, please."
    with Engine(arguments.model, seed=0) as engine:

        def first_row(*, compile_first: bool) -> float:
            schema = order_schema(next(fresh))
            if compile_first:
                order_of.compile(schema=schema, backend=engine)
            begin = time.perf_counter()
            state = order_of.run(mail=mail, schema=schema, backend=engine, temperature=0)
            seconds = time.perf_counter() - begin
            if not state["order"]["reference"].startswith("ref-"):
                raise SystemExit("the order does not have its shape")
            return seconds

        sides = take_turns(
            {"cold": lambda: first_row(compile_first=False), "compiled": lambda: first_row(compile_first=True)},
            4 * arguments.repeats,
        )
    return {"grammars": (sides, {})}


def order_schema(number: int) -> dict[str, Any]:
    """A schema that no other number has."""
    item = {
        "type": "object",
        "properties": {
            "article": {"enum": [f"{word}-{number}" for word in WORDS]},
            "count": {"type": "integer", "minimum": 1, "maximum": 99},
            "note": {"type": "string", "maxLength": 40},
        },
        "required": ["article", "count"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "reference": {"type": "string", "pattern": f"^ref-{number}-[0-9]{{6}}$"},
            "due": {"type": "string", "format": "date"},
            "items": {"type": "array", "items": item, "minItems": 1, "maxItems": 5},
            "contact": {"type": "string", "format": "email"},
        },
        "required": ["reference", "due", "items"],
        "additionalProperties": False,
    }


PARTS = {
    "batch": measure_batch,
    "order": measure_order,
    "pin": measure_pin,
    "fused": measure_fused,
    "grammars": measure_grammars,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None, help="a checkpoint; without one the embedded model")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--no-server", action="store_true", help="leave out what runs over HTTP")
    arguments = parser.parse_args()
    found = {label: result for part in arguments.only for label, result in PARTS[part](arguments).items()}

    rows = []
    figures: dict[str, Any] = {}
    for label, (sides, computed) in found.items():
        (plain, without), (better, with_it) = sides.items()
        gain = without.median / with_it.median
        rows.append([label, f"{plain}: {without}", f"{better}: {with_it}", f"{gain:.2f}", _tokens(computed)])
        figures[label] = {plain: without.median, better: with_it.median, "gain": gain, "computed_tokens": computed}
    print_table("seconds, medians", ["", "without", "with", "gain", "tokens computed"], rows)
    print_result(figures, vars(arguments))


def _tokens(computed: Mapping[str, int]) -> str:
    return " → ".join(map(str, computed.values())) if any(computed.values()) else ""


if __name__ == "__main__":
    main()
