"""What grammars that take long to compile cost those who generate beside them, and those who bring a small new one.

Four sequences of the embedded model are generated without end. Rounds with nothing else alternate with rounds in which
hostile constraints wait to be compiled all the time (no two alike; regexes, schemas, Lark); in both, a small new schema
is compiled now and then. At the end all hostile requests are aborted, which must end their compilations.

    python benchmarks/hostile_grammars.py
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator

from slipform.grammars.spec import GrammarSpec, JsonSchema, Lark, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.handle import RequestHandle
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text
from slipform.runtime.server.engine_process import SWITCH_INTERVAL_S

NUM_HOSTILE = 8


def hostile() -> Iterator[GrammarSpec]:
    """Constraints of a fifth of a second each or more, no two alike."""
    for number in itertools.count():
        variants = [f"[a-z]{{1,{20 + width}}}x{number}" for width in range(200)]
        yield Regex(f"({'|'.join(variants)}){{3}}")
        inner = {f"q{n}": {"type": "string", "pattern": f"^(a|b){{{n},{n + 9}}}.*{number}$"} for n in range(12)}
        names = {f"p{number}_{n}": {"oneOf": [{"type": "object", "properties": inner}]} for n in range(40)}
        yield JsonSchema.of({"type": "object", "properties": names})
        rules = [f'r{n}: "x{number}_{n}" r{(7 * n + 1) % 300} | /[a-z]{{1,50}}{n}/' for n in range(300)]
        yield Lark("\n".join([f"start: {' | '.join(f'r{n}' for n in range(300))}", *rules]))


def small(number: int) -> GrammarSpec:
    properties = {f"field_{number}_{name}": {"type": "string"} for name in ("a", "b", "c")}
    return JsonSchema.of({"type": "object", "properties": properties, "required": list(properties)})


class Rounds:
    """One engine, its sequences without end, and the hostile requests beside them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hostile = hostile()
        self._numbers = itertools.count()
        self._waiting: list[RequestHandle] = []
        self._endless = [self._submit(f"Story {index}.", None) for index in range(4)]

    def measure(self, seconds: float, *, with_hostile: bool) -> tuple[float, list[float]]:
        """Steps a second, and the milliseconds until each small new grammar was compiled."""
        before, began_s = self._engine.statistics().steps, time.perf_counter()
        latencies = []
        while (now := time.perf_counter()) - began_s < seconds:
            if with_hostile:
                self._refill()
            self._engine.compile(small(next(self._numbers))).result()
            latencies.append(1e3 * (time.perf_counter() - now))
            time.sleep(0.1)
            self._endless = [
                self._submit(f"Story {index}.", None) if handle.is_done else handle
                for index, handle in enumerate(self._endless)
            ]
        return (self._engine.statistics().steps - before) / (time.perf_counter() - began_s), latencies

    def abort(self) -> int:
        """End the hostile requests; how many were waiting for their constraint."""
        waiting = self._engine.statistics().requests_compiling
        for handle in self._waiting:
            handle.abort()
        self._waiting.clear()
        return waiting

    def _refill(self) -> None:
        self._waiting = [handle for handle in self._waiting if not handle.is_done]
        while len(self._waiting) < NUM_HOSTILE:
            self._waiting.append(self._submit("x", next(self._hostile), max_tokens=1))

    def _submit(self, text: str, spec: GrammarSpec | None, max_tokens: int = 3000) -> RequestHandle:
        sampling = SamplingParams(max_tokens=max_tokens, temperature=0, ignore_eos=True)
        fill = Fill(None, sampling, spec)
        return self._engine.submit(GenerateRequest(f"r{next(self._numbers)}", (Text(text), fill)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    arguments = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as in the server's engine process
    rates: dict[bool, list[float]] = {False: [], True: []}
    latencies: dict[bool, list[float]] = {False: [], True: []}
    with Engine(trace=False, threads=1) as engine:
        rounds = Rounds(engine)
        rounds.measure(2, with_hostile=False)
        for _ in range(arguments.rounds):
            for with_hostile in (False, True):
                rate, compiled = rounds.measure(arguments.seconds, with_hostile=with_hostile)
                rates[with_hostile].append(rate)
                latencies[with_hostile] += compiled
            aborted = rounds.abort()
            time.sleep(0.5)
        left = engine.statistics().requests_compiling
    ratio = statistics.median(there / alone for alone, there in zip(rates[False], rates[True], strict=True))
    result = {
        "benchmark": "hostile_grammars",
        "steps_per_s": {"alone": statistics.median(rates[False]), "beside": statistics.median(rates[True])},
        "share_of_steps_kept": round(ratio, 3),
        "small_grammar_ms": {
            name: {"p50": round(statistics.median(found), 1), "max": round(max(found), 1)}
            for name, found in (("alone", latencies[False]), ("beside", latencies[True]))
        },
        "aborted_while_compiling": aborted,
        "compiling_after_abort": left,
    }
    for name, value in result.items():
        print(f"{name}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
