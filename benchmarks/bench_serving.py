"""Serving on one GPU: throughput, latency, and what constraints cost, on models of real geometry with random weights.

    python benchmarks/bench_serving.py --geometry 8b --tokenizer DIR [--workloads W1,W2,W3,W4,W5,W6]

Requests go to the engine in this process, with the arrivals of the workloads in `serving_workloads.py`; there is no
HTTP between. Times are the engine's own: a request's first token and its end, as its client would see them. Every
constrained output that ended by itself is checked against its schema or pattern before a figure is printed.

The ceiling of a decode step is the time to read the weights once at the card's measured read bandwidth. The profile
says how much of a steady step the GPU was busy.
"""

import argparse
import gc
import json
import re
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import torch
from common import print_result, print_table
from serving_workloads import (
    Prompts,
    Workload,
    constrained,
    free_text,
    latency,
    many_schemas,
    random_schema,
    regexes,
    shared_prefixes,
    shared_schema,
    throughput,
    unshared,
    w3_spec,
)

from slipform.grammars.spec import JsonSchema, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.request import Event, Fill, GenerateRequest, RequestFailed, RequestFinished, TokenIds

GEOMETRIES: dict[str, dict[str, Any]] = {
    "8b": {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "head_dim": 128,
        "tie_word_embeddings": False, "rope_theta": 500000.0,
    },
    "0.6b": {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 8, "intermediate_size": 3072, "head_dim": 128,
        "tie_word_embeddings": True, "rope_theta": 1000000.0,
    },
    "tiny": {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128, "head_dim": 16,
        "tie_word_embeddings": True, "rope_theta": 10000.0,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds and tokens of one request. `per_token_s` is None for a single token."""

    first_s: float
    per_token_s: float | None
    num_tokens: int
    num_sampled: int


@dataclass(frozen=True, slots=True)
class Run:
    """One workload, once."""

    seconds: float
    outcomes: list[Outcome]
    steps: int
    times: dict[str, float]

    @property
    def tokens_per_s(self) -> float:
        return sum(o.num_tokens for o in self.outcomes) / self.seconds

    @property
    def requests_per_s(self) -> float:
        return len(self.outcomes) / self.seconds

    @property
    def ms_per_token(self) -> float:
        return 1e3 * statistics.median(o.per_token_s for o in self.outcomes if o.per_token_s is not None)

    @property
    def first_ms(self) -> float:
        return 1e3 * statistics.median(o.first_s for o in self.outcomes)

    @property
    def first_p99_ms(self) -> float:
        ordered = sorted(o.first_s for o in self.outcomes)
        return 1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


class Client:
    """Submits a workload and waits for its end; the next request of a closed loop goes out as one ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, workload: Workload) -> Run:
        waiting: Iterator[GenerateRequest] = iter(workload.requests)
        outcomes: list[Outcome] = []
        failures: list[Exception] = []
        left = len(workload.requests)
        done = threading.Event()
        lock = threading.Lock()
        specs = {request.request_id: request for request in workload.requests}
        texts: list[tuple[GenerateRequest, str]] = []

        def submit_next() -> None:
            with lock:
                request = next(waiting, None)
            if request is not None:
                self._engine.submit(request, on_event)

        def on_event(event: Event) -> None:
            nonlocal left
            if isinstance(event, RequestFailed):
                failures.append(event.error)
            elif isinstance(event, RequestFinished):
                fill = event.sequences[0].fills[0]
                times = event.times
                count = len(fill.token_ids)
                per_token = (times.total_s - times.first_token_s) / (count - 1) if count > 1 else None
                outcomes.append(Outcome(times.first_token_s, per_token, count, fill.num_sampled))
                if fill.finish_reason == "stop":
                    texts.append((specs[event.request_id], fill.text))
            else:
                return
            left -= 1
            if left == 0:
                done.set()
            elif workload.concurrency is not None:
                submit_next()

        before = self._engine.statistics()
        began = time.perf_counter()
        for _ in range(workload.concurrency or len(workload.requests)):
            submit_next()
        if not done.wait(600):
            raise SystemExit(f"{workload.name} did not end")
        seconds = time.perf_counter() - began
        if failures:
            raise failures[0]
        for request, text in texts:
            check_output(request, text)
        after = self._engine.statistics()
        names = ("plan_s", "batch_s", "forward_s", "mask_s", "sample_s", "commit_s")
        times = {name: getattr(after, name) - getattr(before, name) for name in names}
        return Run(seconds, outcomes, after.steps - before.steps, times)


def check_output(request: GenerateRequest, text: str) -> None:
    """Raises: ValueError where a finished text does not satisfy its constraint."""
    fill = request.segments[-1]
    assert isinstance(fill, Fill)
    spec = fill.constraint
    if isinstance(spec, JsonSchema):
        jsonschema.validate(json.loads(text), json.loads(spec.schema))
    elif isinstance(spec, Regex) and re.fullmatch(spec.pattern, text) is None:
        raise ValueError(f"{text!r} does not match {spec.pattern!r}")


def median_run(client: Client, make: Callable[[int], Workload], repeats: int, key: Callable[[Run], float]) -> Run:
    """The run with the median `key` of `repeats`, after one that warms up; new prompts each."""
    client.run(make(999))
    runs = sorted((client.run(make(seed)) for seed in range(repeats)), key=key)
    return runs[len(runs) // 2]


def read_bandwidth() -> float:
    """Bytes a second of summing a large tensor."""
    data = torch.ones(1 << 30, dtype=torch.float32, device="cuda")
    for _ in range(3):
        data.sum()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(10):
        data.sum()
    end.record()
    torch.cuda.synchronize()
    return 10 * data.nbytes / (begin.elapsed_time(end) / 1e3)


def weight_bytes(geometry: dict[str, Any], vocab: int) -> int:
    """Bytes of bfloat16 weights that a step reads: all layers and the head."""
    hidden, inner, dim = geometry["hidden_size"], geometry["intermediate_size"], geometry["head_dim"]
    heads, kv_heads = geometry["num_attention_heads"], geometry["num_key_value_heads"]
    layer = hidden * dim * (2 * heads + 2 * kv_heads) + 3 * hidden * inner
    return 2 * (geometry["num_hidden_layers"] * layer + vocab * hidden)


def profile(engine: Engine, workload: Workload, steps: int = 20) -> dict[str, Any]:
    """Step an engine by hand through a workload, and trace `steps` steady steps."""
    for request in workload.requests:
        fill = request.segments[-1]
        if isinstance(fill, Fill) and fill.constraint is not None:
            engine.compile(fill.constraint).result()
        engine.add(request)
    for _ in range(30):
        engine.step()
    activities = [torch.profiler.ProfilerActivity.CUDA]
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=activities) as trace:
        began = time.perf_counter()
        for _ in range(steps):
            engine.step()
        torch.cuda.synchronize()
        wall = time.perf_counter() - began
    spans = sorted(
        (e.time_range.start, e.time_range.end, e.name) for e in trace.events() if e.device_type.name == "CUDA"
    )
    busy, reached = 0.0, spans[0][0]
    by_name: Counter[str] = Counter()
    for begin, end, name in spans:
        by_name[name[:60]] += end - begin
        busy += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    window = spans[-1][1] - spans[0][0]
    for request in workload.requests:
        engine.abort(request.request_id)
    while engine.has_work:
        engine.step()
    return {
        "busy": busy / window,
        "step_ms": window / steps / 1e3,
        "wall_step_ms": wall / steps * 1e3,
        "kernels": [(name, micro / steps) for name, micro in by_name.most_common(14)],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="8b")
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory with a tokenizer.json")
    parser.add_argument("--workloads", default="W2,W3,W1,W5,W4,W6,cache,W4s")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args(arguments)
    geometry = GEOMETRIES[options.geometry]
    vocab = json.loads((options.tokenizer / "info.json").read_text())["vocab_size"]
    wanted = options.workloads.split(",")
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for file in options.tokenizer.iterdir():
            (path / file.name).symlink_to(file.resolve())
        config = {
            **geometry, "vocab_size": vocab, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
            "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
        }  # fmt: skip
        (path / "config.json").write_text(json.dumps(config))
        engine_options = {"device": options.device, "load_format": "dummy", "dtype": "bfloat16", "trace": False}
        began = time.perf_counter()
        with Engine(path, **engine_options) as engine:
            print(f"engine ready in {time.perf_counter() - began:.1f} s; {engine.statistics().pool_slots} slots of KV")
            client = Client(engine)
            rows = []
            for label, figure in run_all(client, wanted, options.repeats):
                # A workload that fails says so, and the others go on.
                if isinstance(figure, Exception):
                    print(label, "failed:", repr(figure), flush=True)
                    figures[label] = {"failed": repr(figure)}
                    continue
                began = time.perf_counter()
                run: Run | None = figure if isinstance(figure, Run) else None
                if run is not None:
                    summary = {
                        "tokens/s": run.tokens_per_s, "requests/s": run.requests_per_s,
                        "ms/token": run.ms_per_token, "first ms": run.first_ms, "first p99 ms": run.first_p99_ms,
                        "steps": run.steps, "tokens": sum(o.num_tokens for o in run.outcomes),
                        "sampled": sum(o.num_sampled for o in run.outcomes),
                        **{key: seconds / max(1, run.steps) * 1e3 for key, seconds in run.times.items()},
                    }  # fmt: skip
                else:
                    summary = {"first ms": figure}
                figures[label] = {key: round(value, 3) for key, value in summary.items()}
                rows.append((label, *(f"{summary.get(key, float('nan')):.4g}" for key in COLUMNS)))
                print(label, figures[label], flush=True)
        print_table(f"{options.geometry}: in process, bfloat16, greedy, random weights", ("workload", *COLUMNS), rows)
        del engine, client
        gc.collect()
        if options.device == "cuda":
            torch.cuda.empty_cache()
            bandwidth = read_bandwidth()
            floor_ms = weight_bytes(geometry, vocab) / bandwidth * 1e3
            figures["read_gb_s"] = round(bandwidth / 1e9)
            figures["floor_ms"] = round(floor_ms, 3)
            print(f"weights read once at {bandwidth / 1e9:.0f} GB/s: {floor_ms:.2f} ms a step")
            if "W2 at 1" in figures:
                print(f"share of it reached at batch 1: {floor_ms / figures['W2 at 1']['ms/token']:.1%}")
            if not options.no_profile:
                stepped = Engine(path, **engine_options, pool_slots=120_000)
                for label, workload in (
                    ("batch 1", Workload("p", latency(5, 1, 1).requests)),
                    ("batch 64, free", shared_schema(5, 64, 64, lambda: free_text(150), "p")),
                    ("batch 64, W3", shared_schema(6, 64, 64, lambda: constrained(w3_spec()), "p")),
                ):
                    found = profile(stepped, workload)
                    figures[f"profile {label}"] = found
                    print(f"{label}: a step {found['step_ms']:.3f} ms on the GPU, busy {found['busy']:.1%}")
                    for name, micro in found["kernels"]:
                        print(f"    {micro:9.1f} us  {name}")
    print_result(figures, vars(options))


def run_all(client: Client, names: Sequence[str], repeats: int) -> Iterator[tuple[str, Run | float | Exception]]:
    for name in names:
        try:
            yield from RUNS[name](client, repeats)
        except Exception as error:
            yield name, error


COLUMNS = ("tokens/s", "requests/s", "ms/token", "first ms", "first p99 ms", "steps")
_Figures = Iterator[tuple[str, Run | float]]


def _w1(client: Client, repeats: int) -> _Figures:
    yield "W1", median_run(client, throughput, min(2, repeats), lambda run: run.tokens_per_s)


def _w2(client: Client, repeats: int) -> _Figures:
    for concurrency, count in ((1, 4), (8, 24), (32, 64)):
        run = median_run(client, lambda s, c=concurrency, n=count: latency(s, c, n), repeats, lambda r: r.ms_per_token)
        yield f"W2 at {concurrency}", run


def _w3(client: Client, repeats: int) -> _Figures:
    spec = w3_spec()
    for concurrency, count in ((1, 4), (64, 128), (256, 512)):
        jumps = median_run(
            client,
            lambda s, c=concurrency, n=count: shared_schema(s, c, n, lambda: constrained(spec), "W3"),
            repeats if concurrency < 256 else 1,
            lambda run: run.requests_per_s,
        )
        yield f"W3 at {concurrency}", jumps
        plain = median_run(
            client,
            lambda s, c=concurrency, n=count: shared_schema(
                s, c, n, lambda: constrained(spec, jump_forward=False), "W3 no jumps"
            ),
            repeats if concurrency < 256 else 1,
            lambda run: run.ms_per_token,
        )
        yield f"W3 at {concurrency}, no jump-forward", plain
        length = round(statistics.mean(o.num_tokens for o in jumps.outcomes))
        free = median_run(
            client,
            lambda s, c=concurrency, n=count, t=length: shared_schema(s, c, n, lambda: free_text(t), "W3u"),
            repeats if concurrency < 256 else 1,
            lambda run: run.ms_per_token,
        )
        yield f"W3u at {concurrency}", free


def _w4(client: Client, repeats: int) -> _Figures:
    yield "W4", median_run(client, many_schemas, repeats, lambda run: run.requests_per_s)


def _w4s(client: Client, repeats: int) -> _Figures:
    """Time to first token on an idle engine: a fresh schema, the same again, none."""
    prompts = Prompts(77)
    found: dict[str, list[float]] = {"fresh schema": [], "same schema again": [], "no schema": []}
    for index in range(12):
        fill = constrained(random_schema(prompts, f"single_{index}"))
        for label, choice in (("fresh schema", fill), ("same schema again", fill), ("no schema", free_text(20))):
            request = GenerateRequest(f"w4s-{label}-{index}", (TokenIds(prompts.ids(128)), choice))
            found[label].append(client.run(Workload("W4s", [request], 1)).outcomes[0].first_s * 1e3)
    for label, times in found.items():
        yield f"W4s: {label}", statistics.median(times)


def _w5(client: Client, repeats: int) -> _Figures:
    yield "W5", median_run(client, regexes, repeats, lambda run: run.requests_per_s)


def _w6(client: Client, repeats: int) -> _Figures:
    yield "W6", median_run(client, shared_prefixes, repeats, lambda run: run.requests_per_s)


def _cache(client: Client, repeats: int) -> _Figures:
    yield "nothing shared", median_run(client, unshared, repeats, lambda run: run.requests_per_s)


RUNS: dict[str, Callable[[Client, int], _Figures]] = {
    "W1": _w1,
    "W2": _w2,
    "W3": _w3,
    "W4": _w4,
    "W4s": _w4s,
    "W5": _w5,
    "W6": _w6,
    "cache": _cache,
}

if __name__ == "__main__":
    main()
