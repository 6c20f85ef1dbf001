"""Our engine beside `transformers.generate`: same weights, same machine, each in its own process, timed in turn.

    python benchmarks/bench_programs.py [--model DIR] [--repeats 5] [--dtype float32 bfloat16]

Four workloads in each dtype, both sides in the same one, timed in turn (ours, theirs, ours, theirs …), greedy, equal
numbers of new tokens unless a grammar ends them:

    free_b1        one prompt of about 200 tokens, 64 new tokens
    free_b16       16 prompts of 40 to 300 tokens at once, 64 new tokens each
    json_b16       16 support mails at once to JSON under one schema; theirs with an xgrammar logits processor
    shared_prefix  64 rows behind one few-shot prefix of about 1,000 tokens, 24 new tokens each; theirs in batches of 16

The ratio is their time over ours for the same work. Outputs are checked before anything is timed. Free text must be
equal token for token in float32. In bfloat16 the two sides round sums of different order, and a row may part where two
tokens are nearly as likely: there the logits that transformers gives these two must lie within 0.25 of each other, and
the rows that parted are counted in the output. JSON must parse and validate on both sides. A second table takes our
speed apart: jump-forward off, prefix cache off, one request at a time.

The last line gives the float32 ratios as `free_b1_ratio` and so on, those of bfloat16 as `bfloat16_free_b1_ratio`.
"""

import argparse
import json
import multiprocessing
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jsonschema
import torch
import transformers
import xgrammar
from common import measure_in_turn, print_result, print_table
from xgrammar.contrib.hf import LogitsProcessor

import slipform as sf
from slipform.grammars.spec import JsonSchema
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.request import Fill, GenerateRequest, TokenIds

TICKET: dict[str, Any] = {
    "type": "object",
    "properties": {
        "customer": {"type": "string", "maxLength": 40},
        "email": {"type": "string", "maxLength": 40},
        "category": {"enum": ["billing", "delivery", "technical", "account"]},
        "urgency": {"enum": ["low", "medium", "high"]},
        "order": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{5}$"},
        "refund_requested": {"type": "boolean"},
    },
    "required": ["customer", "email", "category", "urgency", "order", "refund_requested"],
    "additionalProperties": False,
}

FREE_TOKENS = 64
JSON_TOKENS = 160
SHARED_TOKENS = 24
# Logits of two tokens in bfloat16 that differ by less than this are a tie: one unit in the last place at 32 is 0.125.
TIE = 0.25


def mail(rng: random.Random) -> str:
    name = rng.choice(["Ana Silva", "Tom Becker", "Mia Novak", "Omar Haddad", "Lucy Chen", "Piet de Vries"])
    trouble = rng.choice(
        [
            "the parcel never arrived and nobody answers the phone",
            "I was charged twice for the same month",
            "the app closes as soon as I open the settings",
            "I cannot sign in since I changed my password",
        ]
    )
    extra = " ".join(
        rng.choice(["I have waited long enough.", "Please write back.", "This is the second mail.", "Thank you."])
        for _ in range(rng.randint(0, 12))
    )
    order = f"{rng.choice(['AB', 'KX', 'ZQ'])}-{rng.randint(10000, 99999)}"
    address = name.split()[0].lower() + "@example.org"
    return f"Hello, {trouble}. My order is {order}. {extra}\n{name}, {address}"


class Ours:
    """The engine, driven with token ids so that both sides read the same prompts."""

    def __init__(self, model: Path, dtype: str, **options: Any) -> None:
        self.engine = sf.Engine(model, dtype=dtype, **options).start()
        self._count = 0

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        max_tokens: int,
        *,
        schema: dict[str, Any] | None = None,
        one_at_a_time: bool = False,
        jump_forward: bool = True,
    ) -> list[list[int]]:
        """Tokens of each answer, from an empty prefix cache."""
        self.engine.flush_cache()
        constraint = None if schema is None else JsonSchema.of(schema, whitespace="compact")
        sampling = sf.SamplingParams(max_tokens=max_tokens, temperature=0.0, ignore_eos=constraint is None)
        fill = Fill(sampling=sampling, constraint=constraint, heal=False, jump_forward=jump_forward)
        handles = []
        for ids in prompts:
            self._count += 1
            handle = self.engine.submit(GenerateRequest(f"bench-{self._count}", (TokenIds(tuple(ids)), fill)))
            if one_at_a_time:
                handle.result()
            handles.append(handle)
        return [list(handle.result().sequences[0].fills[0].token_ids) for handle in handles]


class Theirs:
    """`transformers.generate` with its defaults: dynamic cache, SDPA attention, left padding; rows in batches of 16."""

    def __init__(self, model: Path, dtype: str) -> None:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype)).eval()
        self.pad_id = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=self.model.config.vocab_size)
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1)

    @torch.inference_mode()
    def generate(
        self, prompts: Sequence[Sequence[int]], max_tokens: int, *, schema: dict[str, Any] | None = None
    ) -> list[list[int]]:
        """Tokens of each answer, padding included."""
        rows: list[list[int]] = []
        for start in range(0, len(prompts), 16):
            rows += self._generate_batch(prompts[start : start + 16], max_tokens, schema)
        return rows

    def _generate_batch(
        self, prompts: Sequence[Sequence[int]], max_tokens: int, schema: dict[str, Any] | None
    ) -> list[list[int]]:
        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), self.pad_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        options: dict[str, Any] = {"max_new_tokens": max_tokens, "do_sample": False, "pad_token_id": self.pad_id}
        if schema is None:
            options["eos_token_id"] = None
        else:
            grammar = self.compiler.compile_json_schema(schema, any_whitespace=False)
            options["logits_processor"] = [LogitsProcessor(grammar)]
        output = self.model.generate(ids, attention_mask=mask, **options)
        return [row[width:].tolist() for row in output]

    @torch.inference_mode()
    def gap(self, ids: Sequence[int], one: int, other: int) -> float:
        """How far apart the logits of two tokens behind `ids` are."""
        logits = self.model(torch.tensor([list(ids)])).logits[0, -1].float()
        return abs(float(logits[one] - logits[other]))


class Side:
    """One of the two in a process of its own, so that neither's idle threads take the other's cores."""

    def __init__(self, make: type[Ours] | type[Theirs], model: Path, dtype: str, **options: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, make, model, dtype, options), daemon=True)
        self._process.start()

    def generate(self, prompts: Sequence[Sequence[int]], max_tokens: int, **options: Any) -> list[list[int]]:
        rows: list[list[int]] = self._call("generate", prompts, max_tokens, **options)
        return rows

    def gap(self, ids: Sequence[int], one: int, other: int) -> float:
        gap: float = self._call("gap", ids, one, other)
        return gap

    def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        self._pipe.send((method, arguments, options))
        return self._pipe.recv()

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()


def _serve(
    pipe: Connection, make: type[Ours] | type[Theirs], model: Path, dtype: str, options: Mapping[str, Any]
) -> None:
    side = make(model, dtype, **options)
    while (call := pipe.recv()) is not None:
        method, arguments, call_options = call
        pipe.send(getattr(side, method)(*arguments, **call_options))


def free_prompts(tokenizer: Any, rng: random.Random, lengths: Sequence[int]) -> list[list[int]]:
    prompts = []
    for length in lengths:
        ids: list[int] = []
        while len(ids) < length:
            ids += tokenizer.encode(mail(rng) + "\n", add_special_tokens=False)
        prompts.append(ids[:length])
    return prompts


def json_prompts(tokenizer: Any, rng: random.Random, count: int) -> list[list[int]]:
    prompts = []
    for _ in range(count):
        messages = [{"role": "user", "content": mail(rng) + "\n\nExtract the ticket as JSON."}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        prompts.append(tokenizer.encode(text, add_special_tokens=False))
    return prompts


def shared_prompts(tokenizer: Any, rng: random.Random, count: int, prefix_len: int) -> list[list[int]]:
    prefix = free_prompts(tokenizer, rng, [prefix_len])[0]
    return [prefix + tokenizer.encode("\n" + mail(rng), add_special_tokens=False)[:60] for _ in range(count)]


def check_equal(name: str, prompts: Sequence[Sequence[int]], tokens: int, ours: Side, theirs: Side, dtype: str) -> None:
    """Raises: SystemExit unless both sides write the same text, but for ties where the dtype has them."""
    gaps = []
    pairs = zip(prompts, ours.generate(prompts, tokens), theirs.generate(prompts, tokens), strict=True)
    for prompt, mine, other in pairs:
        parted = next((at for at, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b), None)
        if parted is not None:
            gaps.append(theirs.gap([*prompt, *other[:parted]], mine[parted], other[parted]))
    equal = f"{name}: {len(prompts) - len(gaps)} of {len(prompts)} outputs equal token for token"
    if not gaps:
        print(equal)
        return
    if dtype == "float32" or max(gaps) > TIE:
        raise SystemExit(f"{equal}; the others part at logits up to {max(gaps):.3g} apart, so timing means nothing")
    print(f"{equal}; the others part at ties, logits at most {max(gaps):.3g} apart")


def check_valid(name: str, texts: Sequence[str]) -> None:
    for text in texts:
        jsonschema.validate(json.loads(text), TICKET)
    print(f"{name}: {len(texts)} of {len(texts)} outputs valid")


@dataclass(frozen=True)
class Workload:
    """Both sides of one comparison, the check that they did the same, and our side with parts switched off."""

    check: Callable[[], None]
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    parts: Mapping[str, Callable[[], Any]] = field(default_factory=dict)


NAMES = ("free_b1", "free_b16", "json_b16", "shared_prefix")


def workloads(dtype: str, tokenizer: Any, ours: Side, theirs: Side, uncached: Side) -> dict[str, Workload]:
    """The four comparisons by name, on prompts that are the same in every run."""
    rng = random.Random(0)
    one = free_prompts(tokenizer, rng, [200])
    sixteen = free_prompts(tokenizer, rng, [rng.randint(40, 300) for _ in range(16)])
    tickets = json_prompts(tokenizer, rng, 16)
    rows = shared_prompts(tokenizer, rng, 64, 1000)

    def free(name: str, prompts: list[list[int]], tokens: int, parts: Mapping[str, Callable[[], Any]]) -> Workload:
        return Workload(
            lambda: check_equal(f"{dtype}, {name}", prompts, tokens, ours, theirs, dtype),
            lambda: ours.generate(prompts, tokens),
            lambda: theirs.generate(prompts, tokens),
            parts,
        )

    def check_json() -> None:
        for side, whose in ((ours, "ours"), (theirs, "theirs")):
            rows = side.generate(tickets, JSON_TOKENS, schema=TICKET)
            texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in rows]
            check_valid(f"{dtype}, json_b16, {whose}", texts)

    return {
        "free_b1": free("free_b1", one, FREE_TOKENS, {}),
        "free_b16": free("free_b16", sixteen, FREE_TOKENS, {}),
        "json_b16": Workload(
            check_json,
            lambda: ours.generate(tickets, JSON_TOKENS, schema=TICKET),
            lambda: theirs.generate(tickets, JSON_TOKENS, schema=TICKET),
            {
                "jump-forward off": lambda: ours.generate(tickets, JSON_TOKENS, schema=TICKET, jump_forward=False),
                "prefix cache off": lambda: uncached.generate(tickets, JSON_TOKENS, schema=TICKET),
                "one at a time": lambda: ours.generate(tickets, JSON_TOKENS, schema=TICKET, one_at_a_time=True),
            },
        ),
        "shared_prefix": free(
            "shared_prefix",
            rows,
            SHARED_TOKENS,
            {"prefix cache off": lambda: uncached.generate(rows, SHARED_TOKENS)},
        ),
    }


def compare(dtype: str, model: Path, names: Sequence[str], repeats: int) -> dict[str, float]:
    """Check and time the workloads in one dtype, print both tables, and return the ratios by workload."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    ours, theirs = Side(Ours, model, dtype), Side(Theirs, model, dtype)
    uncached = Side(Ours, model, dtype, prefix_cache=False)
    table, parts, ratios = [], [], {}
    for name, work in workloads(dtype, tokenizer, ours, theirs, uncached).items():
        if name not in names:
            continue
        work.check()
        timings = measure_in_turn({"ours": work.ours, "theirs": work.theirs, **work.parts}, repeats=repeats)
        ratios[name] = round(timings["theirs"].median / timings["ours"].median, 2)
        table.append([name, timings["ours"], timings["theirs"], ratios[name]])
        for part in work.parts:
            parts.append([f"{name}, {part}", timings[part], timings[part].median / timings["ours"].median])
    for side in (ours, theirs, uncached):
        side.close()
    print_table(f"Slipform and transformers.generate, {dtype}", ["workload", "ours", "theirs", "theirs / ours"], table)
    if parts:
        print_table(f"Where our speed comes from, {dtype}", ["setting", "time", "slower by"], parts)
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED_MODEL)
    parser.add_argument("--repeats", type=int, default=5)
    dtypes = ["float32", "bfloat16"]
    parser.add_argument("--dtype", nargs="+", choices=dtypes, default=dtypes)
    parser.add_argument("--workloads", nargs="+", choices=NAMES, default=list(NAMES))
    arguments = parser.parse_args()
    figures = {}
    for dtype in arguments.dtype:
        prefix = "" if dtype == "float32" else f"{dtype}_"
        ratios = compare(dtype, arguments.model, arguments.workloads, arguments.repeats)
        figures |= {f"{prefix}{name}_ratio": ratio for name, ratio in ratios.items()}
    print_result(figures, vars(arguments))


if __name__ == "__main__":
    main()
