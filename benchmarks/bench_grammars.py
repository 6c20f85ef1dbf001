"""Grammars on real JSON schemas and regexes: how many compile, how many are right, and what masks cost.

    python benchmarks/bench_grammars.py --data dev.jsonl.gz --tokenizer DIR [--engines slipform,llguidance] [--sample 4]

`--data` holds one JSON object a line: `id`, `subset`, `schema`, `valid`, `invalid`. A valid instance is right if each
of its tokens is allowed, in compact form and with the separators of `json.dumps`, and the text may end behind the last;
an invalid one (compact) if it is refused somewhere. Characters beyond ASCII are written as they are: llguidance refuses
their `\\u` escapes (`--escapes` writes them in the second form). Each engine runs in a child process with a bound on
memory and on the seconds of a compile; a child that exceeds them is replaced. Engines that take seconds a schema see
the first ten of each subset, and an engine stops after `--engine-seconds`; its row says how many schemas it saw. The
garbage collector is off while timing. Timings are per token: mask and advance; the first walk is the first text under a
grammar, the warm walk is the same text again.

What is forced is counted on the first instance in compact form, under the same schema with neither white space nor
`1.0` for an integer, in three ways. *Ready tokens*: those that the engine hands out and that are the text's own
encoding, out of all its tokens; this is `forced_share`. *Text as tokens*: the engine is asked before each sampled
token, its text is encoded by itself and appended, and the rest of the instance is encoded anew behind it; out of the
tokens of that walk, which are often not those of the tokenizer. *Bytes*: those known before they are sampled, out of
all. A table of its own compares engines on the schemas among the first ten of each subset that all of them compile.
`check_forced.py` finds how many ready tokens there can be at most.
"""

import argparse
import gc
import gzip
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from common import print_result, print_table
from grammar_engines import Walk, load_tokenizer, make_engine

COMPILE_SECONDS = 30.0
SLOW_ENGINES = ("xgrammar", "outlines-core")
SLOW_ENGINES_SEE = 10  # schemas of each subset
MEMORY_BYTES = 6 << 30
ALL_ENGINES = "slipform,slipform-declared,llguidance,llguidance-lenient,xgrammar,outlines-core"
NOTHING_FORCED = ("slipform", "outlines-core")  # any order of properties forces no key; no such function
BATCHES = (64, 256)
WARM_UP = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a+$"}, "b": {"type": "array"}}}


def texts_of(instance: Any, escapes: bool) -> list[str]:
    """The compact form, and the one with the separators of `json.dumps`."""
    return [json.dumps(instance, ensure_ascii=False, separators=(",", ":")), json.dumps(instance, ensure_ascii=escapes)]


class Runner:
    """One engine in a child process: answers a job at a time."""

    def __init__(self, name: str, tokenizer_path: Path, escapes: bool) -> None:
        self.engine = make_engine(name, tokenizer := load_tokenizer(tokenizer_path))
        self.escapes = escapes
        self.tokenizer = tokenizer
        self._ids: dict[str, list[int]] = {}
        self.check_schema({"schema": WARM_UP, "valid": [{"a": "aa", "b": [1]}], "invalid": [{"a": 1}]})

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def check_schema(self, row: dict[str, Any]) -> dict[str, Any]:
        """Compile, first mask, every instance; then the first text again."""
        gc.collect()
        gc.disable()
        try:
            begun = time.perf_counter()
            start = self.engine.compile_schema(row["schema"])
            walk = start()
            walk.mask()
            first_mask = time.perf_counter() - begun
            result: dict[str, Any] = {"first_mask": first_mask, "wrong": 0, "refused": 0, "first": [], "all": []}
            texts = [text for value in row["valid"] for text in texts_of(value, self.escapes)]
            for index, text in enumerate(texts):
                taken, times = self._walk(start(), self.encode(text))
                result["refused"] += not taken
                result["all"] += times
                if index == 0:
                    result["first"] = times
            if texts:
                ids = self.encode(texts[0])
                result["warm"] = self._walk(start(), ids)[1]
                compact = (self.engine.compile_compact or self.engine.compile_schema)(row["schema"])
                result["forced"], result["tokens"] = self._forced(compact(), ids)
                result["forced_bytes"], result["bytes"] = self._forced_text(compact(), ids, texts[0].encode())
                result["pasted"], result["pasted_of"] = self._pasted(compact(), texts[0])
            for value in row["invalid"]:
                result["wrong"] += self._walk(start(), self.encode(texts_of(value, self.escapes)[0]))[0]
            return result
        finally:
            gc.enable()

    def check_regex(self, row: dict[str, Any]) -> dict[str, Any]:
        gc.collect()
        gc.disable()
        try:
            begun = time.perf_counter()
            start = self.engine.compile_regex(row["regex"])
            start().mask()
            result: dict[str, Any] = {"first_mask": time.perf_counter() - begun, "wrong": 0, "refused": 0, "all": []}
            for text in row["valid"]:
                taken, times = self._walk(start(), self.encode(text))
                result["refused"] += not taken
                result["all"] += times
            for text in row["invalid"]:
                result["wrong"] += self._walk(start(), self.encode(text))[0]
            return result
        finally:
            gc.enable()

    def check_batch(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Masks of one step for different requests: each somewhere in its first instance."""
        if self.engine.fill is None:
            return {}
        walks: list[Walk] = []
        for index, row in enumerate(rows):
            if len(walks) == max(BATCHES):
                break
            if not row["valid"]:
                continue
            try:
                walk = self.engine.compile_schema(row["schema"])()
            except Exception:  # whatever an engine raises, it cannot serve this schema
                continue
            ids = self.encode(texts_of(row["valid"][0], self.escapes)[0])
            for token in ids[: index % max(1, len(ids))]:
                if not walk.advance(token):
                    break
            walks.append(walk)
        figures: dict[str, Any] = {}
        gc.disable()
        for size in (*BATCHES,):
            chosen = walks[:size] if size < max(BATCHES) else walks
            for label in ("cold", "warm"):
                begun = time.perf_counter()
                self.engine.fill(chosen)
                figures[f"{size} {label}"] = (time.perf_counter() - begun) * 1e3
        gc.enable()
        figures["requests"] = len(walks)
        return figures

    def _walk(self, walk: Walk, ids: Sequence[int]) -> tuple[bool, list[float]]:
        times = []
        for token in ids:
            begun = time.perf_counter()
            walk.mask()
            allowed = walk.allows(token) and walk.advance(token)
            times.append(time.perf_counter() - begun)
            if not allowed:
                return False, times
        return walk.may_end(), times

    def _forced(self, walk: Walk, ids: Sequence[int]) -> tuple[int, int]:
        """How many of `ids` come as forced tokens when the engine is asked before each sampled one."""
        at = forced = 0
        while at < len(ids):
            known = self.tokenizer.decode(ids[max(0, at - 16) : at]).encode()
            given = walk.forced(known)
            if given and list(ids[at : at + len(given)]) == given:
                forced += len(given)
                step = len(given)
            else:
                step = 1
            for token in ids[at : at + step]:
                if not walk.advance(token):
                    return forced, at
            at += step
        return forced, len(ids)

    def _forced_text(self, walk: Walk, ids: Sequence[int], text: bytes) -> tuple[int, int]:
        """How many bytes of `text` the engine knows when it is asked before each token, out of how many."""
        known = bytearray(len(text))
        at = 0
        for token in ids:
            begun = walk.forced_text()
            for given, byte in enumerate(begun[: len(text) - at]):
                if text[at + given] != byte:
                    break
                known[at + given] = 1
            if not walk.advance(token):
                return sum(known[:at]), at
            at += len(self.tokenizer.decode([token]).encode("utf-8"))
        return sum(known), len(text)

    def _pasted(self, walk: Walk, text: str) -> tuple[int, int]:
        """How many tokens come of forced text that is encoded by itself, out of how many in a walk along `text`."""
        pasted = count = 0
        while text:
            forced = walk.forced_text().decode("utf-8", "ignore")
            agrees = bool(forced) and text.startswith(forced)
            ids = self.encode(forced) if agrees else self.encode(text)[:1]
            for token in ids:
                if not walk.advance(token):
                    return pasted, count
            count += len(ids)
            pasted += len(ids) if agrees else 0
            text = text[len(forced) if agrees else len(self.tokenizer.decode(ids)) :]
        return pasted, count


def serve(name: str, tokenizer_path: str, escapes: bool, jobs: Connection) -> None:
    """The child: answers (method, argument) until the pipe closes."""
    runner = Runner(name, Path(tokenizer_path), escapes)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES + (8 << 30), resource.RLIM_INFINITY))
    jobs.send("ready")
    while True:
        try:
            method, argument = jobs.recv()
        except EOFError:
            return
        try:
            jobs.send(getattr(runner, method)(argument))
        except Exception as error:  # whatever an engine raises counts as a refusal
            jobs.send({"error": f"{type(error).__name__}: {error}"[:300]})


class Child:
    """A `serve` process that is replaced when it dies or takes too long."""

    def __init__(self, name: str, tokenizer_path: Path, escapes: bool = False) -> None:
        self.name, self.tokenizer_path, self.escapes = name, tokenizer_path, escapes
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(self.name, str(self.tokenizer_path), self.escapes, other), daemon=True
        )
        self._process.start()
        other.close()
        self._pipe.recv()

    def ask(self, method: str, argument: Any, seconds: float = COMPILE_SECONDS + 10) -> dict[str, Any]:
        try:
            self._pipe.send((method, argument))
            if self._pipe.poll(seconds):
                answer: dict[str, Any] = self._pipe.recv()
                return answer
            failure = "timeout"
        except (EOFError, ConnectionError):
            failure = "died"
        self._process.kill()
        self._process.join()
        self._start()
        return {"error": failure}

    def close(self) -> None:
        self._pipe.close()
        self._process.join(5)
        self._process.kill()


def first_of_subsets(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first `count` rows of each subset, one of each at a time, so that a beginning of them is even too."""
    by_subset: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_subset.setdefault(row.get("subset", ""), []).append(row)
    chosen = (group[index : index + 1] for index in range(count) for group in by_subset.values())
    return [row for one in chosen for row in one]


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else float("nan")


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one engine over all schemas (or regexes)."""
    done = [result for result in results if "error" not in result]
    first = [seconds * 1e6 for result in done for seconds in result.get("first", [])]
    warm = [seconds * 1e6 for result in done for seconds in result.get("warm", [])]
    every = [seconds * 1e6 for result in done for seconds in result["all"]]
    masks = [result["first_mask"] * 1e3 for result in done]
    tokens = sum(result.get("tokens", 0) for result in done)
    num_bytes = sum(result.get("bytes", 0) for result in done)
    return {
        "schemas": len(results),
        "compiled": len(done) / max(1, len(results)),
        "all_right": sum(not result["wrong"] and not result["refused"] for result in done) / max(1, len(results)),
        "wrong_accepts": sum(result["wrong"] for result in done),
        "timeouts": sum(result.get("error") in ("timeout", "died") for result in results)
        + sum(result["first_mask"] > COMPILE_SECONDS for result in done),
        "first_mask_ms": (mean(masks), percentile(masks, 0.5), percentile(masks, 0.99)),
        "all_us": (mean(every), percentile(every, 0.5), percentile(every, 0.99), max(every, default=0.0)),
        "first_us": (mean(first), percentile(first, 0.5), percentile(first, 0.99), max(first, default=0.0)),
        "warm_us": (mean(warm), percentile(warm, 0.5), percentile(warm, 0.99)),
        "forced_share": sum(result.get("forced", 0) for result in done) / max(1, tokens),
        "forced_text": sum(result.get("forced_bytes", 0) for result in done) / max(1, num_bytes),
    }


def shares(results: Sequence[dict[str, Any]]) -> list[float]:
    """What is forced, in the three ways of the module's text."""
    pairs = (("forced", "tokens"), ("pasted", "pasted_of"), ("forced_bytes", "bytes"))
    return [sum(one[part] for one in results) / max(1, sum(one[whole] for one in results)) for part, whole in pairs]


def print_common(rows: list[dict[str, Any]], figures: dict[str, dict[str, Any]]) -> dict[str, list[float]]:
    """What is forced on the schemas that all engines compile, out of the first ten of each subset."""
    forced = {name: f["forced"] for name, f in figures.items() if f["forced"] and name not in NOTHING_FORCED}
    first = {row["id"] for row in first_of_subsets(rows, SLOW_ENGINES_SEE)}
    common = sorted(first.intersection(*forced.values()))
    result = {name: shares([of[one] for one in common]) for name, of in forced.items()}
    print_table(
        f"Forced in compact form, {len(common)} schemas that all of these compile, of the first ten of each subset",
        ["engine", "ready tokens", "text as tokens", "bytes"],
        [[name, *(f"{share:.1%}" for share in row)] for name, row in result.items()],
    )
    return result


def spread(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.3g}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="schemas with instances, JSON lines, may be gzipped")
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory of a Hugging Face fast tokenizer")
    parser.add_argument("--regexes", type=Path, help="regexes with valid and invalid texts, a JSON list")
    parser.add_argument(
        "--engines", default="all", help=f"out of {ALL_ENGINES}; the two slipform ones differ in property order"
    )
    parser.add_argument("--sample", type=int, default=1, help="every n-th schema")
    parser.add_argument("--escapes", action="store_true", help="write json.dumps's own \\u escapes in the second form")
    parser.add_argument(
        "--engine-seconds",
        type=float,
        default=900.0,
        help="an engine stops after so long, with schemas and with regexes",
    )
    parser.add_argument("--show", action="store_true", help="print each schema that is not right")
    arguments = parser.parse_args()
    opened = gzip.open if arguments.data.suffix == ".gz" else open
    with opened(arguments.data, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:: arguments.sample]
    regexes: list[dict[str, Any]] = []
    if arguments.regexes:
        loaded = json.loads(arguments.regexes.read_text())
        regexes = loaded if isinstance(loaded, list) else [row for group in loaded.values() for row in group]

    figures: dict[str, dict[str, Any]] = {}
    for name in (ALL_ENGINES if arguments.engines == "all" else arguments.engines).split(","):
        child = Child(name, arguments.tokenizer, arguments.escapes)
        results = []
        end = time.monotonic() + arguments.engine_seconds
        for row in first_of_subsets(rows, SLOW_ENGINES_SEE) if name in SLOW_ENGINES else rows:
            if time.monotonic() > end:
                break
            result = child.ask("check_schema", {key: row[key] for key in ("schema", "valid", "invalid")})
            results.append(result | {"id": row["id"]})
            if arguments.show and ("error" in result or result["wrong"] or result["refused"]):
                print(
                    name,
                    row["id"],
                    result.get("error") or {key: result[key] for key in ("wrong", "refused")},
                    flush=True,
                )
        figures[name] = summary(results)
        figures[name]["forced"] = {one["id"]: one for one in results if one.get("tokens")}
        end = time.monotonic() + arguments.engine_seconds
        seen = [child.ask("check_regex", row) for row in regexes if time.monotonic() < end]
        figures[name]["regexes"] = summary(seen) if seen else None
        figures[name]["batch"] = child.ask("check_batch", rows, 600.0)
        child.close()

    print_table(
        f"{len(rows)} schemas",
        [
            *(
                "engine",
                "schemas",
                "compiles",
                "all right",
                "wrong",
                "time-outs",
                "compile + first mask ms (mean/p50/p99)",
            ),
            *("all walks µs (mean/p50/p99/max)", "first walk µs", "warm walk µs", "forced tokens", "forced text"),
        ],
        [
            [
                *(
                    name,
                    f["schemas"],
                    f"{f['compiled']:.1%}",
                    f"{f['all_right']:.1%}",
                    f["wrong_accepts"],
                    f["timeouts"],
                ),
                *map(spread, (f["first_mask_ms"], f["all_us"], f["first_us"], f["warm_us"])),
                f"{f['forced_share']:.1%}",
                f"{f['forced_text']:.1%}",
            ]
            for name, f in figures.items()
        ],
    )
    print_table(
        "Masks of one step, ms, a different request each",
        ["engine", "requests", "64 cold", "64 warm", "256 cold", "256 warm"],
        [
            [name, f["batch"].get("requests", "-")]
            + [f["batch"].get(key, "-") for key in ("64 cold", "64 warm", "256 cold", "256 warm")]
            for name, f in figures.items()
        ],
    )
    if regexes:
        print_table(
            f"{len(regexes)} regexes",
            [
                "engine",
                "regexes",
                "compiles",
                "right",
                "first mask ms (mean/p50/p99)",
                "mask + advance µs (mean/p50/p99/max)",
            ],
            [
                [
                    name,
                    r["schemas"],
                    f"{r['compiled']:.1%}",
                    f"{r['all_right']:.1%}",
                    spread(r["first_mask_ms"]),
                    spread(r["all_us"]),
                ]
                for name, f in figures.items()
                if (r := f["regexes"])
            ],
        )
    common = print_common(rows, figures)
    ours = figures.get("slipform") or figures.get("slipform-declared") or next(iter(figures.values()))
    declared = figures.get("slipform-declared")
    print_result(
        {
            "compiled": ours["compiled"],
            "all_right_any_order": ours["all_right"] if "slipform" in figures else None,
            "all_right_declared": declared["all_right"] if declared else None,
            "wrong_accepts": ours["wrong_accepts"] + (declared["wrong_accepts"] if declared else 0),
            "timeouts": ours["timeouts"],
            "first_mask_ms_p50": ours["first_mask_ms"][1],
            "first_mask_ms_p99": ours["first_mask_ms"][2],
            "first_walk_us_mean": ours["first_us"][0],
            "warm_walk_us_mean": ours["warm_us"][0],
            "batch256_warm_ms": ours["batch"].get("256 warm"),
            "forced_share": (declared or ours)["forced_share"],
            "forced_text_share": (declared or ours)["forced_text"],
            "forced_share_common": {name: row[0] for name, row in common.items()},
        },
        {key: str(value) for key, value in vars(arguments).items()},
    )


if __name__ == "__main__":
    main()
