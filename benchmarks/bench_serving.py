"""Serving on one GPU: throughput, latency, and what constraints cost, on models of real geometry with random weights.

    python benchmarks/bench_serving.py --geometry 8b --tokenizer DIR [--workloads W1,W2,W3@64,W4,W5,W5s,cache] [--http]

Requests arrive as the workloads in `serving_workloads.py` say. They go to the engine in this process, and times are the
engine's own; or with `--http` through a server of its own process, streamed, and times are what one client sees. Every
constrained output that ended by itself is checked against its schema or pattern before a figure is printed.

`W3@64` is W3 at this concurrency only; without it, at all of its own. The ceiling of a decode step is the time to read
the weights once at the card's measured read bandwidth. Traces (`gpu_trace.py`) say how much of the middle half of a run
the GPU was busy, and what it waited for. `cache` runs prompts that share nothing, with the prefix cache and without.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from common import print_result, print_table
from dummy_models import GEOMETRIES, vocab_size, weight_bytes, write_checkpoint
from gpu_ceilings import read_bandwidth
from gpu_trace import traced
from serving_clients import Client, EngineClient, HttpClient, Outcome, Run, running_server
from serving_workloads import (
    Prompts,
    Workload,
    constrained,
    free_text,
    latency,
    many_schemas,
    random_schema,
    regexes,
    regexes_short,
    shared_prefixes,
    shared_schema,
    throughput,
    unshared,
    w3_spec,
)

from slipform.runtime.engine import Engine
from slipform.runtime.request import GenerateRequest, TokenIds


def median_run(client: Client, make: Callable[[int], Workload], repeats: int, key: Callable[[Run], float]) -> Run:
    """The run with the median `key` of `repeats`, after one that warms up; new prompts each."""
    client.run(make(999))
    runs = sorted((client.run(make(seed)) for seed in range(repeats)), key=key)
    return runs[len(runs) // 2]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="8b")
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory with a tokenizer.json")
    parser.add_argument("--workloads", default="W2,W3,W1,W5,W5s,W4,W6,cache,W4s")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--http", action="store_true", help="through a server; no traces then")
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--kv-dtype", default="auto")
    parser.add_argument("--deterministic", action="store_true")
    options = parser.parse_args(arguments)
    wanted = options.workloads.split(",")
    figures: dict[str, Any] = {}
    engine_options = {"device": options.device, "load_format": "dummy", "dtype": "bfloat16", "trace": False}
    if options.kv_dtype != "auto":
        engine_options["kv_dtype"] = options.kv_dtype
    if options.deterministic:
        engine_options["deterministic"] = True
    with tempfile.TemporaryDirectory() as folder:
        path = write_checkpoint(Path(folder), options.geometry, options.tokenizer)
        if options.http:
            with running_server(path, engine_options) as port:
                measure(HttpClient(port), wanted, options.repeats, figures)
        else:
            with client_of(path, engine_options) as client:
                measure(client, wanted, options.repeats, figures)
                if options.device == "cuda" and not options.no_profile:
                    traces(client, figures)
            del client
            gc.collect()
            if "cache" in wanted:
                with client_of(path, {**engine_options, "prefix_cache": False}) as client:
                    measure(client, ["no cache"], options.repeats, figures)
                del client
                gc.collect()
        table(options, figures)
        if options.device == "cuda":
            torch.cuda.empty_cache()
            note_ceiling(options, figures)
    print_result(figures, vars(options))


@contextmanager
def client_of(path: Path, engine_options: dict[str, Any]) -> Iterator[EngineClient]:
    """A client of an engine of this process, for the length of a block."""
    began = time.perf_counter()
    with Engine(path, **engine_options) as engine:
        print(f"engine ready in {time.perf_counter() - began:.1f} s; {engine.statistics().pool_slots} slots of KV")
        yield EngineClient(engine)


def measure(client: Client, names: Sequence[str], repeats: int, figures: dict[str, Any]) -> None:
    """Run workloads and note what they say. One that fails says so, and the others go on."""
    for label, figure in run_all(client, names, repeats):
        if isinstance(figure, Exception):
            figures[label] = {"failed": repr(figure)}
        elif isinstance(figure, Run):
            summary = {
                "tokens/s": figure.tokens_per_s, "requests/s": figure.requests_per_s, "ms/token": figure.ms_per_token,
                "first ms": figure.first_ms, "first p99 ms": figure.first_p99_ms, "steps": figure.steps,
                "tokens": sum(o.num_tokens for o in figure.outcomes),
                "sampled": sum(o.num_sampled for o in figure.outcomes),
                **{key: seconds / max(1, figure.steps) * 1e3 for key, seconds in figure.times.items()},
            }  # fmt: skip
            figures[label] = {key: round(value, 3) for key, value in summary.items()}
        else:
            figures[label] = {"first ms": round(figure, 3)}
        print(label, figures[label], flush=True)


def table(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    way = "through a server" if options.http else "in process"
    rows = [(label, *(f"{figure.get(key, float('nan')):.4g}" for key in COLUMNS)) for label, figure in figures.items()]
    print_table(f"{options.geometry}: {way}, bfloat16, greedy, random weights", ("workload", *COLUMNS), rows)


def note_ceiling(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    bandwidth = read_bandwidth()
    floor_ms = weight_bytes(options.geometry, vocab_size(options.tokenizer)) / bandwidth * 1e3
    print(f"weights read once at {bandwidth / 1e9:.0f} GB/s: {floor_ms:.2f} ms a step")
    if "ms/token" in figures.get("W2 at 1", {}):
        print(f"share of it reached at batch 1: {floor_ms / figures['W2 at 1']['ms/token']:.1%}")
    figures["read_gb_s"], figures["floor_ms"] = round(bandwidth / 1e9), round(floor_ms, 3)


# What is traced: steady decode steps of one and of many sequences, without and with a constraint, and short requests.
TRACES: dict[str, Callable[[int], Workload]] = {
    "one at a time": lambda seed: latency(seed, 1, 1),
    "W3u at 64": lambda seed: shared_schema(seed, 64, 64, lambda: free_text(60), "W3u"),
    "W3 at 64": lambda seed: shared_schema(seed, 64, 128, lambda: constrained(w3_spec()), "W3"),
    "W5": regexes,
}


def traces(client: EngineClient, figures: dict[str, Any]) -> None:
    for label, make in TRACES.items():
        client.run(make(501))
        found = traced(partial(client.run, make(502)))
        figures[f"trace of {label}"] = found
        idle = ", ".join(f"{cause} {micro:.0f}" for cause, micro in found["idle_us"].items())
        print(f"{label}: a step {found['step_ms']:.3f} ms, GPU busy {found['busy']:.1%}; us a step idle {idle}")
        for name, micro in found["kernels"]:
            print(f"    {micro:9.1f} us  {name}", flush=True)


def run_all(client: Client, names: Sequence[str], repeats: int) -> Iterator[tuple[str, Run | float | Exception]]:
    for name in names:
        workload, _, concurrency = name.partition("@")
        try:
            yield from RUNS[workload](client, repeats, int(concurrency) if concurrency else None)
        except Exception as error:
            yield name, error


COLUMNS = ("tokens/s", "requests/s", "ms/token", "first ms", "first p99 ms", "steps")
_Figures = Iterator[tuple[str, Run | float]]


def _chosen(pairs: Sequence[tuple[int, int]], only: int | None) -> list[tuple[int, int]]:
    """(concurrency, requests) of a workload: those of one concurrency, or all."""
    return [pair for pair in pairs if only in (None, pair[0])]


def _w1(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "W1", median_run(client, throughput, min(2, repeats), lambda run: run.tokens_per_s)


def _w2(client: Client, repeats: int, only: int | None) -> _Figures:
    for concurrency, count in _chosen(((1, 4), (8, 24), (32, 64)), only):
        make = partial(latency, concurrency=concurrency, count=count)
        run = median_run(client, make, repeats, lambda run: run.ms_per_token)
        yield f"W2 at {concurrency}", run


def _w3(client: Client, repeats: int, only: int | None) -> _Figures:
    spec = w3_spec()
    for concurrency, count in _chosen(((1, 4), (64, 128), (256, 512)), only):
        make = partial(shared_schema, concurrency=concurrency, count=count)
        repeats_here = repeats if concurrency < 256 else 1
        jumps = median_run(
            client,
            partial(make, fill=partial(constrained, spec), name="W3"),
            repeats_here,
            lambda run: run.requests_per_s,
        )
        yield f"W3 at {concurrency}", jumps
        if client.has_options:
            plain = median_run(
                client,
                partial(make, fill=partial(constrained, spec, jump_forward=False), name="W3 no jumps"),
                repeats_here,
                lambda run: run.ms_per_token,
            )
            yield f"W3 at {concurrency}, no jump-forward", plain
        length = round(statistics.mean(o.num_tokens for o in jumps.outcomes))
        free = median_run(
            client,
            partial(make, fill=partial(free_text, length), name="W3u"),
            repeats_here,
            lambda run: run.ms_per_token,
        )
        yield f"W3u at {concurrency}", free


def _w4(client: Client, repeats: int, only: int | None) -> _Figures:
    """With fresh schemas; then the same schemas again, step by step, and their free twin."""
    fresh = median_run(client, many_schemas, repeats, lambda run: run.requests_per_s)
    yield "W4", fresh
    if client.has_options:
        again = median_run(
            client,
            lambda s: many_schemas(0, fill=lambda spec: constrained(spec, jump_forward=False), prompt_seed=s),
            repeats,
            lambda run: run.ms_per_token,
        )
        yield "W4 again, no jump-forward", again
    length = round(statistics.mean(o.num_tokens for o in fresh.outcomes))
    free = median_run(
        client,
        lambda s: many_schemas(0, fill=lambda _: free_text(length), prompt_seed=2000 + s),
        repeats,
        lambda run: run.ms_per_token,
    )
    yield "W4u", free


def _w4s(client: Client, repeats: int, only: int | None) -> _Figures:
    """Time to first token on an idle engine: a fresh schema, the same again, none; and what of it went by before
    admission, where the client can tell."""
    prompts = Prompts(77)
    found: dict[str, list[Outcome]] = {"fresh schema": [], "same schema again": [], "no schema": []}
    for index in range(12):
        fill = constrained(random_schema(prompts, f"single_{index}"))
        for label, choice in (("fresh schema", fill), ("same schema again", fill), ("no schema", free_text(20))):
            request = GenerateRequest(f"w4s-{label}-{index}", (TokenIds(prompts.ids(128)), choice))
            found[label] += client.run(Workload("W4s", [request], 1)).outcomes
    for label, outcomes in found.items():
        yield f"W4s: {label}", 1e3 * statistics.median(outcome.first_s for outcome in outcomes)
        queued = [outcome.queue_s for outcome in outcomes if outcome.queue_s is not None]
        if queued:
            yield f"W4s: {label}, until admitted", 1e3 * statistics.median(queued)


def _w5(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "W5", median_run(client, regexes, repeats, lambda run: run.requests_per_s)


def _w5s(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "W5s", median_run(client, regexes_short, repeats, lambda run: run.requests_per_s)


def _w6(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "W6", median_run(client, shared_prefixes, repeats, lambda run: run.requests_per_s)


def _cache(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "nothing shared", median_run(client, unshared, max(3, repeats), lambda run: run.requests_per_s)


def _no_cache(client: Client, repeats: int, only: int | None) -> _Figures:
    yield "nothing shared, no cache", median_run(client, unshared, max(3, repeats), lambda run: run.requests_per_s)


RUNS: dict[str, Callable[[Client, int, int | None], _Figures]] = {
    "W1": _w1,
    "W2": _w2,
    "W3": _w3,
    "W4": _w4,
    "W4s": _w4s,
    "W5": _w5,
    "W5s": _w5s,
    "W6": _w6,
    "cache": _cache,
    "no cache": _no_cache,
}

if __name__ == "__main__":
    main()
