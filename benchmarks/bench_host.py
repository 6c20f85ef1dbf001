"""What the CPU does in a step of a GPU, without the GPU: microseconds a token and a request.

    python benchmarks/bench_host.py --tokenizer DIR [--workloads W3,W3u,W4,W5] [--concurrency 64,256] [--profile]

Everything of an engine is real, the steps of a GPU included (`runtime/gpu_steps.py`), but for two things: there is no
model, and in place of recorded graphs a *null device* draws a random token under each sequence's mask row. Its own time
is taken out of the figures. What remains is the time that a GPU would wait for, or hide: schedule, build, bind masks,
commit, and what a request costs at its beginning and its end. The GPU waits for none of it while a whole step of the
host is shorter than a step of the device.

The requests are those of `bench_serving.py`, in a closed loop on one thread. `DIR` holds a `tokenizer.json`, and an
`info.json` with `vocab_size`. Every constrained output that ended by itself is checked against its constraint.
"""

import argparse
import cProfile
import gc
import json
import pstats
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from common import print_result, print_table
from numba import njit
from serving_clients import check_output
from serving_workloads import (
    Workload,
    constrained,
    free_text,
    many_schemas,
    regexes,
    regexes_short,
    shared_schema,
    w3_spec,
)
from torch import Tensor

from slipform.runtime import device_steps, engine_core, gpu_setup
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.config import EngineConfig
from slipform.runtime.cuda_graph import step_sizes
from slipform.runtime.engine import Engine
from slipform.runtime.gpu_batch import GpuBatchBuilder
from slipform.runtime.gpu_masks import GpuMasks
from slipform.runtime.gpu_sampler import GpuSampler
from slipform.runtime.handle import RequestHandle
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.models.config import ModelConfig
from slipform.runtime.request import Event, RequestFailed, RequestFinished
from slipform.runtime.tokenizer import Tokenizer

WORKLOADS: dict[str, Callable[[int, int], Workload]] = {
    "W3": lambda seed, c: shared_schema(seed, c, 2 * c, lambda: constrained(w3_spec()), "W3"),
    "W3 no jumps": lambda seed, c: shared_schema(
        seed, c, 2 * c, lambda: constrained(w3_spec(), jump_forward=False), "W3 no jumps"
    ),
    "W3u": lambda seed, c: shared_schema(seed, c, 2 * c, lambda: free_text(135), "W3u"),
    "W4": lambda seed, c: many_schemas(seed, c, c),
    "W5": lambda seed, c: regexes(seed, 4 * c, c),
    "W5s": lambda seed, c: regexes_short(seed, 4 * c, c),
}
PARTS = ("plan_s", "batch_s", "mask_s", "sample_s", "commit_s")


class NullModel:
    """Geometry without weights; nothing calls it."""

    def __init__(self, vocab_size: int, eos_id: int) -> None:
        self.config = ModelConfig(
            architecture="NullModel",
            num_layers=1,
            hidden_size=4,
            vocab_size=vocab_size,
            num_heads=4,
            kv_shapes=((1, 1),),
            max_position=8192,
            eos_ids=(eos_id,),
            bos_id=None,
            hf=None,
        )
        self.dtype = torch.float32
        self.device = torch.device("cpu")

    def forward(self, batch: ForwardBatch, pool: Any) -> Tensor:
        raise AssertionError("a step did not fit the null device")


class NullDevice:
    """Stands in for `RecordedSteps`: a forward pass of no time, and a token drawn evenly from each mask row."""

    instances: "list[NullDevice]" = []  # noqa: RUF012 - one an engine, for the benchmark to ask

    def __init__(
        self, runner: ModelRunner, builder: GpuBatchBuilder, sampler: GpuSampler, masks: GpuMasks, sizes: list[int]
    ) -> None:
        self._sampler = sampler
        self._masks = masks
        self._max_rows = builder.max_rows
        self._logits = torch.zeros((1, 1))
        self._sizes = step_sizes(8192)
        self._num_ids = len(masks.pool[0]) * 32
        for size in sizes:
            for shares in (False, True):
                builder.captured_tensors(size, shares=shares)
        self.seconds = 0.0
        self.sizes: list[int] = []
        NullDevice.instances.append(self)

    def size_for(self, num_tokens: int, *, shares: bool) -> int:
        self.sizes.append(num_tokens)
        return self._sizes[bisect_left(self._sizes, num_tokens)]

    def forward(self, size: int, *, shares: bool) -> Tensor:
        return self._logits

    def num_sampled(self, size: int) -> int:
        return min(size, self._max_rows)

    def sample(self, size: int) -> None:
        began = time.perf_counter()
        given = self._sampler.tensors(self.num_sampled(size))
        _draw(
            self._masks.pool.numpy(),
            given.mask_slots.numpy(),
            given.table_rows.numpy(),
            self._num_ids,
            given.ids.numpy(),
            given.num_allowed.numpy(),
        )
        self.seconds += time.perf_counter() - began


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _draw(pool: Any, slots: Any, rows: Any, num_ids: Any, ids: Any, allowed: Any) -> None:
    for i in range(len(slots)):
        if rows[i] < 0:
            continue
        if slots[i] < 0:
            ids[i] = np.random.randint(1000, num_ids)
            allowed[i] = num_ids
            continue
        row = pool[slots[i]]
        total = 0
        for word in row:
            bits = np.uint32(word)
            while bits:
                bits &= bits - np.uint32(1)
                total += 1
        allowed[i] = total
        wanted = np.random.randint(0, total)
        for at in range(len(row)):
            bits = np.uint32(row[at])
            for bit in range(32):
                if (bits >> np.uint32(bit)) & np.uint32(1):
                    if wanted == 0:
                        ids[i] = 32 * at + bit
                    wanted -= 1


@dataclass(slots=True)
class Times:
    """Seconds of one run by part, and what they are to be divided by."""

    parts: dict[str, float] = field(default_factory=dict)
    tokens: int = 0
    requests: int = 0
    steps: int = 0
    step_tokens: list[int] = field(default_factory=list)

    @property
    def total_s(self) -> float:
        return sum(self.parts.values())


@contextmanager
def null_device(device: type[NullDevice]) -> Iterator[None]:
    """Engines that are made in this block take the path of a GPU on to a `device`."""
    with ExitStack() as stack:
        for module in (device_steps, engine_core):
            stack.enter_context(mock.patch.object(module, "runs_device_steps", return_value=True))
        stack.enter_context(mock.patch.object(gpu_setup, "RecordedSteps", device))
        yield


def make_engine(folder: Path, concurrency: int) -> Engine:
    """An engine for `concurrency` sequences, within a block of `null_device`."""
    vocab_size = json.loads((folder / "info.json").read_text())["vocab_size"]
    config = EngineConfig(
        model=folder,
        trace=False,
        max_sequences=concurrency,
        token_budget=8192,
        chunk_size=8192,
        pool_slots=1_000_000,
        warm_up=False,
    )
    tokenizer = Tokenizer.from_directory(folder, eos_ids=(2,))
    engine = Engine.from_parts(config, NullModel(vocab_size, 2), tokenizer)
    gc.freeze()  # as `Engine.start` does
    return engine


def run(engine: Engine, workload: Workload) -> Times:
    """Serve a workload in a closed loop by hand; events go through handles, as they do on the engine's thread."""
    device = NullDevice.instances[-1]
    waiting: Iterator[Any] = iter(workload.requests)
    specs = {request.request_id: request for request in workload.requests}
    handles: dict[str, RequestHandle] = {}
    finished: list[RequestFinished] = []
    clock = time.perf_counter
    add_s = deliver_s = step_s = 0.0

    def on_event(event: Event) -> None:
        if isinstance(event, RequestFailed):
            raise event.error
        if isinstance(event, RequestFinished):
            finished.append(event)

    def add_next() -> None:
        nonlocal add_s
        request = next(waiting, None)
        if request is not None:
            began = clock()
            handles[request.request_id] = RequestHandle(request.request_id, engine.abort, on_event)
            engine.add(request)
            add_s += clock() - began

    device.seconds = 0.0
    device.sizes.clear()
    before = engine.statistics()
    for _ in range(workload.concurrency or len(specs)):
        add_next()
    while len(finished) < len(specs):
        if not engine.has_work:
            time.sleep(0.0002)  # a constraint is being compiled
            continue
        began = clock()
        events = engine.step()
        stepped = clock()
        done = len(finished)
        for event in events:
            handles[event.request_id].deliver(event)
        deliver_s += clock() - stepped
        step_s += stepped - began
        for _ in range(len(finished) - done):
            add_next()
    after = engine.statistics()
    parts = {name: getattr(after, name) - getattr(before, name) for name in PARTS}
    parts["sample_s"] -= device.seconds
    parts["rest_s"] = step_s - device.seconds - sum(parts.values())
    parts["deliver_s"] = deliver_s
    parts["add_s"] = add_s
    fills = [event.sequences[0].fills[0] for event in finished]
    for event, fill in zip(finished, fills, strict=True):
        if fill.finish_reason == "stop":
            check_output(specs[event.request_id], fill.text)
    tokens = sum(len(fill.token_ids) for fill in fills)
    return Times(parts, tokens, len(finished), after.steps - before.steps, device.sizes.copy())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--concurrency", default="64,256")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="say where the time of each workload's last run went")
    options = parser.parse_args(arguments)
    rows, figures = [], {}
    with null_device(NullDevice):
        for concurrency in map(int, options.concurrency.split(",")):
            engine = make_engine(options.tokenizer, concurrency)
            for name in options.workloads.split(","):
                make = WORKLOADS[name]
                run(engine, make(999, concurrency))
                runs = [run(engine, make(seed, concurrency)) for seed in range(options.repeats)]
                times = sorted(runs, key=lambda one: one.total_s / one.tokens)[len(runs) // 2]
                label = f"{name} at {concurrency}"
                micro = {part.removesuffix("_s"): 1e6 * s / times.tokens for part, s in times.parts.items()}
                per_request = 1e6 * times.total_s / times.requests
                step_ms = 1e3 * times.total_s / times.steps
                total = sum(micro.values())
                rows.append(
                    (label, *(f"{value:.1f}" for value in micro.values()), f"{total:.1f}", f"{per_request:.0f}",
                     f"{step_ms:.2f}", f"{times.tokens / times.steps:.0f}", f"{max(times.step_tokens)}")
                )  # fmt: skip
                figures[label] = {
                    **{part: round(value, 2) for part, value in micro.items()},
                    "total_us_per_token": round(total, 2),
                    "us_per_request": round(per_request),
                    "step_ms": round(step_ms, 3),
                    "output_tokens_per_step": round(times.tokens / times.steps, 1),
                    "step_tokens_p50": statistics.median(times.step_tokens),
                    "step_tokens_p99": float(np.quantile(times.step_tokens, 0.99)),
                }
                if options.profile:
                    profiler = cProfile.Profile()
                    workload = make(1000, concurrency)
                    profiler.enable()
                    run(engine, workload)
                    profiler.disable()
                    print(f"\n{label}")
                    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
            engine.close()
    columns = ("µs a token", *(part.removesuffix("_s") for part in (*PARTS, "rest_s", "deliver_s", "add_s")), "all")
    print_table(
        "The host's part of a step, no GPU",
        (*columns, "µs a request", "ms a step", "tokens a step", "longest"),
        rows,
    )
    print_result(figures, vars(options))


if __name__ == "__main__":
    main()
