"""A batch of programs against a loop of an OpenAI client that does the same job.

    python benchmarks/bench_gpu_programs.py --tokenizer DIR [--geometry 8b] [--rows 512]

The job is that of `examples/invoices.py`: three answers about a text, each by a regular expression, the later questions
behind the earlier answers. `run_batch` gives it to an engine of this process, one request a row; the same over HTTP
through `sf.Endpoint`. The loop asks /v1/completions of a Slipform server three times a row, 64 rows at a time, over
connections that are kept open, as a client of any engine with that API would. Answers are checked against the patterns.

Answers of the ways are compared too. A program goes on from the tokens that an answer was written in; a client sends
its text, which is encoded anew, and random weights often write a text in other tokens than the tokenizer would. So the
loop's three requests a row are also given to the engine of this process: these must be answered as over HTTP, and a
program over HTTP as in process, where the arithmetic does not depend on who shares a batch (`--dtype float32` on a CPU,
`--deterministic` on a GPU); then a difference ends the benchmark with an error. In bfloat16 without `--deterministic`,
greedy answers of random weights differ by rounding.
"""

import argparse
import asyncio
import gc
import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from common import print_result, print_table
from dummy_models import GEOMETRIES, write_checkpoint
from serving_clients import running_server

import slipform as sf

QUESTIONS = (
    ("number", "\n\nWhat is the invoice number?\n", r"[A-Z]{1,4}-?[0-9]{3,8}"),
    (
        "due",
        "\nWhen must it be paid? Answer as YYYY-MM-DD.\n",
        r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    ),
    ("vendor", "\nWho issued the invoice?\n", r"[A-Z][\w&. -]{1,40}"),
)
SYSTEM = "Answer questions about the text with words from the text.\n\n"
MAX_TOKENS = 48


@sf.function
def extract(s: Any, text: str) -> None:
    s += SYSTEM + text
    for name, question, pattern in QUESTIONS:
        s += question
        s += sf.gen(name, regex=pattern, temperature=0, max_tokens=MAX_TOKENS)


@sf.function
def complete(s: Any, prompt: str, pattern: str) -> None:
    s += prompt
    s += sf.gen("answer", regex=pattern, temperature=0, max_tokens=MAX_TOKENS)


def make_rows(count: int, salt: str) -> list[dict[str, str]]:
    """The example's texts in turn, no two alike from their first words on."""
    lines = (Path(__file__).resolve().parent.parent / "examples" / "invoices.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [{"text": f"Document {salt}{number}. {texts[number % len(texts)]}"} for number in range(count)]


Answers = list[dict[str, str]]


def run_programs(rows: list[dict[str, str]], backend: object, at_once: int) -> tuple[Answers, float]:
    began = time.perf_counter()
    states = extract.run_batch(rows, backend=backend, num_threads=at_once)
    seconds = time.perf_counter() - began
    for state in states:
        if state.error() is not None:
            raise SystemExit(f"a row failed: {state.error()!r}")
    return [{name: state[name] for name, _, _ in QUESTIONS} for state in states], seconds


def run_loop_in_process(rows: list[dict[str, str]], backend: object, at_once: int) -> Answers:
    """The requests of `run_loop`, put to an engine of this process."""
    answers: Answers = [{} for _ in rows]
    prompts = [SYSTEM + row["text"] for row in rows]
    for name, question, pattern in QUESTIONS:
        prompts = [prompt + question for prompt in prompts]
        asked = [{"prompt": prompt, "pattern": pattern} for prompt in prompts]
        states = complete.run_batch(asked, backend=backend, num_threads=at_once)
        for answer, state in zip(answers, states, strict=True):
            answer[name] = state["answer"]
        prompts = [prompt + answer[name] for prompt, answer in zip(prompts, answers, strict=True)]
    return answers


async def run_loop(rows: list[dict[str, str]], port: int, concurrency: int) -> tuple[Answers, float]:
    """Three calls a row, `concurrency` rows at a time."""
    answers: Answers = [{} for _ in rows]
    numbers = iter(range(len(rows)))

    async def worker() -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            prompt = SYSTEM + rows[number]["text"]
            for name, question, pattern in QUESTIONS:
                prompt += question
                answers[number][name] = await _complete(*connection, prompt, pattern)
                prompt += answers[number][name]
        connection[1].close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return answers, time.perf_counter() - began


async def _complete(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, prompt: str, pattern: str) -> str:
    fields = {"prompt": prompt, "max_tokens": MAX_TOKENS, "temperature": 0, "structured_outputs": {"regex": pattern}}
    body = json.dumps(fields).encode()
    headers = f"host: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(f"POST /v1/completions HTTP/1.1\r\n{headers}".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    answer = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200"):
        raise SystemExit(answer.decode())
    return str(json.loads(answer)["choices"][0]["text"])


def check(answers: Answers) -> None:
    """Raises: SystemExit if an answer does not match; one that was cut must be as long as answers may be."""
    for row in answers:
        for name, _, pattern in QUESTIONS:
            if re.fullmatch(pattern, row[name]) is None and len(row[name]) < MAX_TOKENS:
                raise SystemExit(f"{name}: {row[name]!r}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="8b")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--concurrency", type=int, default=64, help="of the loop")
    parser.add_argument("--at-once", type=int, default=256, help="rows that run_batch has in flight")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--deterministic", action="store_true")
    options = parser.parse_args(arguments)
    engine_options: dict[str, Any] = {
        "device": options.device, "dtype": options.dtype, "load_format": "dummy", "trace": False,
    }  # fmt: skip
    if options.deterministic:
        engine_options["deterministic"] = True
    measured: dict[str, tuple[Answers, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = write_checkpoint(Path(folder), options.geometry, options.tokenizer)
        warm, rows = (make_rows(options.rows, salt) for salt in ("w", ""))
        with sf.Engine(path, **engine_options) as engine:
            run_programs(warm, engine, options.at_once)
            measured["run_batch in process"] = run_programs(rows, engine, options.at_once)
            statistics = engine.statistics()
            by_text = run_loop_in_process(rows, engine, options.at_once)
        del engine
        gc.collect()
        if options.device == "cuda":
            torch.cuda.empty_cache()
        with running_server(path, engine_options) as port:
            asyncio.run(run_loop(warm, port, options.concurrency))
            measured["client loop"] = asyncio.run(run_loop(rows, port, options.concurrency))
            backend = sf.Endpoint(f"http://127.0.0.1:{port}", max_connections=options.at_once)
            run_programs(warm[: options.at_once], backend, options.at_once)
            backend.flush_cache()
            measured["run_batch over HTTP"] = run_programs(rows, backend, options.at_once)
            backend.close()
    for answers, _ in measured.values():
        check(answers)
    ways = {label: answers for label, (answers, _) in measured.items()}
    equal = {
        "program, in process and over HTTP": _num_equal(ways["run_batch in process"], ways["run_batch over HTTP"]),
        "loop, in process and over HTTP": _num_equal(by_text, ways["client loop"]),
        "program and loop, over HTTP (tokens at seams differ)": _num_equal(
            ways["run_batch over HTTP"], ways["client loop"]
        ),
    }
    report(options, measured, equal, vars_of(statistics))
    is_exact = options.deterministic or (options.device == "cpu" and options.dtype == "float32")
    if is_exact and min(list(equal.values())[:2]) < options.rows:
        raise SystemExit("equal requests got different answers")


def _num_equal(ours: Answers, theirs: Answers) -> int:
    return sum(one == other for one, other in zip(ours, theirs, strict=True))


def vars_of(statistics: Any) -> dict[str, Any]:
    return {name: getattr(statistics, name) for name in ("steps", "sampled_tokens", "forced_tokens", "cached_tokens")}


def report(
    options: argparse.Namespace,
    measured: Mapping[str, tuple[Answers, float]],
    equal: Mapping[str, int],
    statistics: Mapping[str, Any],
) -> None:
    loop = options.rows / measured["client loop"][1]
    lines, figures = [], {}
    for label, (_, seconds) in measured.items():
        rate = options.rows / seconds
        lines.append((label, f"{seconds:.2f}", f"{rate:.1f}", f"{rate / loop:.2f}"))
        figures[label] = {"rows/s": round(rate, 2), "of the loop": round(rate / loop, 3)}
    print_table(f"{options.rows} rows, {options.geometry}", ("way", "s", "rows/s", "of the loop"), lines)
    for label, count in equal.items():
        print(f"{count} of {options.rows} rows have equal answers: {label}")
    print_result({**figures, "equal rows": dict(equal), "engine, both runs": statistics}, vars(options))


if __name__ == "__main__":
    main()
