"""Random load on an engine whose KV pool is far too small: does every request end once, is every slot free at the end?

    python benchmarks/gpu_load.py --tokenizer DIR [--geometry 0.6b] [--seconds 300] [--pool-slots 24000]

Free and constrained requests, programs of several fills, samples of one prompt, long prompts, clients that leave,
deadlines that pass; about twice as many as there is room for, so that sequences are preempted all the time. Each
request must end in exactly one way. Every constrained text that ended by itself is checked, greedy texts of equal
requests are compared (in the deterministic mode, which is used here, they must be equal whatever shared the batch), and
at the end the engine must hold nothing.

Every ten seconds a line says what was done in them. When `--seconds` are over nothing new is asked for, what is open
gets `--drain` seconds to end by itself, and the clients of the rest leave: a pool of a few sequences' length may have
minutes of work left then. The engine's start is not counted; a line says when it is over.
"""

import argparse
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from common import print_result
from dummy_models import write_checkpoint
from serving_clients import check_output
from serving_workloads import REGEXES, Prompts, constrained, free_text, random_schema, w3_spec

from slipform.errors import DeadlineExceeded, RequestAborted
from slipform.grammars.spec import Regex
from slipform.runtime.engine import Engine
from slipform.runtime.handle import RequestHandle
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Event,
    Fill,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    Segment,
    TokenIds,
)

PROGRESS_S = 10.0
LONGEST_ABORT_S = 15.0  # until an engine has ended what its clients left, a step under way included


class Load:
    """What was asked for, and what came of it. Events arrive on the engine's thread."""

    def __init__(self, engine: Engine, seed: int, longest: int, longest_output: int) -> None:
        self._engine = engine
        self._random = random.Random(seed)
        self._prompts = Prompts(seed)
        self._longest = longest
        self._longest_output = longest_output
        self._shared = self._prompts.ids(longest // 2)
        self._lock = threading.Lock()
        self._handles: dict[str, RequestHandle] = {}
        self._asked: dict[str, GenerateRequest] = {}
        self._repeated: dict[str, set[str]] = {}
        self.accepted = 0
        self.ended: Counter[str] = Counter()
        self.broken: list[str] = []

    @property
    def num_open(self) -> int:
        return len(self._asked)

    def submit_one(self) -> None:
        self.accepted += 1
        name = f"load-{self.accepted}"
        kind, segments = self._segments()
        request = GenerateRequest(
            f"{name} {kind}",
            tuple(segments),
            n=self._random.choice([1, 1, 1, 3]),
            priority=self._random.randint(0, 2),
            deadline_s=0.05 if kind == "late" else None,
        )
        with self._lock:
            self._asked[request.request_id] = request
        handle = self._engine.submit(request, self._on_event)
        with self._lock:
            if request.request_id in self._asked:
                self._handles[request.request_id] = handle

    def leave_one(self) -> None:
        """A client of one of the open requests goes away."""
        with self._lock:
            handle = self._handles[self._random.choice(list(self._handles))] if self._handles else None
        if handle is not None:
            handle.abort()

    def leave_all(self) -> int:
        """The clients of all open requests go away. Returns how many requests were open."""
        with self._lock:
            handles = list(self._handles.values())
        for handle in handles:
            handle.abort()
        return len(handles)

    def check_greedy(self) -> None:
        """Equal greedy requests must have got equal texts."""
        for key, texts in self._repeated.items():
            if len(texts) > 1:
                self.broken.append(f"{key}: {len(texts)} different greedy texts")

    def _segments(self) -> tuple[str, list[Segment]]:
        rng, prompts = self._random, self._prompts
        prompt = TokenIds(self._shared[: rng.randint(1, len(self._shared))] + prompts.ids(rng.randint(1, 200)))
        kind = rng.choice(["free", "sampled", "schema", "fresh schema", "regex", "program", "long", "late", "repeated"])
        length = rng.randint(1, self._longest_output)
        fills: dict[str, list[Segment]] = {
            "free": [prompt, free_text(length)],
            "sampled": [prompt, Fill("text", SamplingParams(top_p=0.9, max_tokens=length))],
            "schema": [prompt, constrained(w3_spec())],
            "fresh schema": [prompt, constrained(random_schema(prompts, f"load_{self.accepted}"))],
            "regex": [prompt, constrained(Regex(rng.choice(REGEXES)))],
            "program": [prompt, constrained(Regex(REGEXES[0])), TokenIds(prompts.ids(30)), constrained(w3_spec())],
            "long": [TokenIds(prompts.ids(self._longest)), free_text(100)],
            "late": [prompt, free_text(2000)],
        }  # fmt: skip
        if kind == "repeated":
            number = rng.randint(0, 5)
            return f"repeated {number}", [TokenIds(self._shared[: 100 + 50 * number]), free_text(120)]
        return kind, fills[kind]

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, RequestFinished | RequestFailed):
            return
        with self._lock:
            request = self._asked.pop(event.request_id, None)
            self._handles.pop(event.request_id, None)
        if request is None:
            self.broken.append(f"{event.request_id} ended twice")
        elif isinstance(event, RequestFailed):
            if not isinstance(event.error, DeadlineExceeded | RequestAborted):
                self.broken.append(f"{event.request_id}: {event.error!r}")
            self.ended[type(event.error).__name__] += 1
        else:
            self._check(request, event)
            self.ended["finished"] += 1

    def _check(self, request: GenerateRequest, event: RequestFinished) -> None:
        if len(event.sequences) != request.n:
            self.broken.append(f"{event.request_id}: {len(event.sequences)} sequences of {request.n}")
        kind = request.request_id.partition(" ")[2]
        for sequence in event.sequences:
            last = sequence.fills[-1]
            if kind.startswith("repeated"):
                self._repeated.setdefault(kind, set()).add(last.text)
            elif last.finish_reason == "stop":
                try:
                    check_output(request, last.text)
                except Exception as error:
                    self.broken.append(f"{event.request_id}: {error!r}")


class Progress:
    """Prints a line every `PROGRESS_S` seconds: what happened since the last one, and what is open."""

    def __init__(self, engine: Engine, load: Load) -> None:
        self._engine = engine
        self._load = load
        self._began = self._shown = time.monotonic()
        self._before = engine.statistics()
        print("the engine has started", flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def show(self) -> None:
        passed = time.monotonic() - self._shown
        if passed < PROGRESS_S:
            return
        now, before = self._engine.statistics(), self._before
        steps = now.steps - before.steps
        sampled = now.sampled_tokens - before.sampled_tokens
        computed = now.computed_tokens - before.computed_tokens
        print(
            f"{self.seconds:.0f} s: {steps / passed:.0f} steps/s, {sampled / passed:.0f} sampled and "
            f"{computed / passed:.0f} computed tokens/s, {now.preemptions - before.preemptions} preemptions; "
            f"{now.sequences_running} sequences run, {now.sequences_waiting} wait; {self._load.num_open} requests "
            f"open, {sum(self._load.ended.values())} of {self._load.accepted} ended",
            flush=True,
        )
        self._before, self._shown = now, time.monotonic()


def _wait_for_end(load: Load, progress: Progress, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while load.num_open and time.monotonic() < give_up:
        progress.show()
        time.sleep(0.01)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--geometry", default="0.6b")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--drain", type=float, default=30, help="seconds for what is open behind --seconds")
    parser.add_argument("--pool-slots", type=int, default=24_000)
    parser.add_argument("--longest-output", type=int, default=300, help="tokens; long ones outgrow the pool")
    parser.add_argument("--open", type=int, default=96, help="requests that are open at a time")
    parser.add_argument("--max-sequences", type=int, default=48)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--kv-dtype", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    on_gpu = {"deterministic": True, "kv_dtype": options.kv_dtype} if options.device != "cpu" else {}
    with tempfile.TemporaryDirectory() as folder:
        path = write_checkpoint(Path(folder), options.geometry, options.tokenizer)
        engine = Engine(
            path, device=options.device, dtype="bfloat16", load_format="dummy", trace=False,
            pool_slots=options.pool_slots, max_sequences=options.max_sequences, **on_gpu,
        )  # fmt: skip
    with engine:
        load = Load(engine, options.seed, options.pool_slots // 6, options.longest_output)
        progress = Progress(engine, load)
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            while load.num_open < options.open and time.monotonic() < end:
                load.submit_one()
                if rng.random() < 0.1:
                    load.leave_one()
            progress.show()
            time.sleep(0.002)
        _wait_for_end(load, progress, options.drain)
        sent_away = load.leave_all()
        _wait_for_end(load, progress, LONGEST_ABORT_S)
        load.check_greedy()
        engine.flush_cache()
        statistics = engine.statistics()
    figures = {
        "seconds": round(progress.seconds), "accepted": load.accepted, "ended": dict(load.ended),
        "sent away at the end": sent_away, "still open": load.num_open, "sampled_tokens": statistics.sampled_tokens,
        "computed_tokens": statistics.computed_tokens,
        "preemptions": statistics.preemptions, "steps": statistics.steps,
        "slots not free": statistics.pool_slots - statistics.free_slots, "broken": load.broken[:20],
    }  # fmt: skip
    print_result(figures, vars(options))
    if load.broken or load.num_open or figures["slots not free"] or sum(load.ended.values()) != load.accepted:
        raise SystemExit("the load harmed somebody")


if __name__ == "__main__":
    main()
