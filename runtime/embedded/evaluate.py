"""Score a checkpoint with a plain transformers loop, unconstrained: what training is steered by.

    python -m slipform.runtime.embedded.evaluate --model build/embedded --count 1500 --device cuda

Prompts that do not name the wanted fields are left out, since nothing then tells an unconstrained model their names.
`benchmarks/bench_embedded.py` measures the same through Slipform programs; this file needs no engine.
"""

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from slipform.runtime.embedded.examples import Example, Turn, compact_json
from slipform.runtime.embedded.generate import END, examples, exercises, pieces
from slipform.runtime.embedded.scoring import Rate, parse, plain_values, score_calls, score_object, score_text, total

MAX_NEW_TOKENS = 300


def last_answer(example: Example) -> tuple[str, str]:
    """(text up to the last answer, that answer); earlier answers stand in the text as they should be."""
    parts = pieces(example)
    whole = example.turns[-1]
    if whole.parts:
        return "".join(text for text, _ in parts[: -len(whole.parts)]), whole.content
    while not parts[-1][1] or parts[-1][0] == "\n":
        parts.pop()
    return "".join(text for text, _ in parts[:-1]), parts[-1][0].removesuffix(END)


def generate(model: Any, tokenizer: Any, prompts: list[str], device: str) -> list[str]:
    """Greedy continuations, batched by length."""
    batch_size = 16 if device == "cpu" else 512
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    answers = [""] * len(prompts)
    tokenizer.padding_side = "left"
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        coded = tokenizer(
            [prompts[i] for i in rows], return_tensors="pt", padding=True, return_token_type_ids=False
        ).to(device)
        with torch.no_grad():
            out = model.generate(**coded, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        for i, row in zip(rows, out[:, coded.input_ids.shape[1] :], strict=True):
            text = tokenizer.decode(row, skip_special_tokens=False)
            answers[i] = text.split(END)[0].replace("<|pad|>", "")
    return answers


def score(example: Example, wanted: str, answer: str) -> dict[str, Rate]:
    if example.task == "extract":
        return score_object(plain_values(parse(wanted)), parse(answer))
    if example.task == "tool":
        target, got = parse(wanted), parse(answer)
        if isinstance(target, list):
            return score_calls(target, got)
        if isinstance(target, dict) and set(target) == {"name", "arguments"}:
            return score_calls([target], [got])
        if isinstance(target, dict):
            return score_calls([{"name": "", "arguments": target}], [{"name": "", "arguments": got}]) | {"tool": Rate()}
        return score_text("tool", wanted, answer)
    return score_text(example.task, wanted, answer.split("\n")[0] if example.turns[0].role == "plain" else answer)


def handwritten_prompt(row: dict[str, Any]) -> str:
    """The user message of a row: what is asked, the text, the schema."""
    return f"{row['ask']}\n\n{row['text']}\n\nSchema: {json.dumps(row['schema'], ensure_ascii=False)}"


def handwritten(path: Path) -> list[Example]:
    """The handwritten examples of `path` as chats: see docs/embedded-model.md for the file's form."""
    found = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        text = handwritten_prompt(row)
        turns = (Turn("user", text), Turn("assistant", compact_json(row["expected"]), learn=True))
        found.append(Example("extract", turns, row["expected"], row.get("schema")))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--split", choices=("train", "heldout"), default="heldout")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--handwritten", type=Path)
    parser.add_argument(
        "--exercises", type=int, default=0, help="also score so many exercises in word meaning, by kind"
    )
    parser.add_argument("--wrong", type=Path, help="write the wrong answers here, one JSON object a line")
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16).to(options.device).eval()
    stream = examples(options.split, "evaluation")
    named = (example for example in stream if not example.turns[-1].parts)
    sets = {options.split: [next(named) for _ in range(options.count)]}
    drills = (drill for drill in exercises(options.split, "evaluation") if drill.origin != "dictionary")
    for drill in itertools.islice((d for d in drills if not d.turns[-1].parts), options.exercises):
        sets.setdefault(drill.origin, []).append(drill)
    if options.handwritten:
        sets["handwritten"] = handwritten(options.handwritten)
    wrong = []
    for name, chosen in sets.items():
        cut = [last_answer(example) for example in chosen]
        answers = generate(model, tokenizer, [prompt for prompt, _ in cut], options.device)
        scores = [score(e, w, a) for e, (_, w), a in zip(chosen, cut, answers, strict=True)]
        for key, rate in sorted(total(scores).items()):
            low, high = rate.interval
            print(
                f"{name:24} {key:10} {rate.value:7.2%}  ({rate.right}/{rate.total}; {low:.1%} to {high:.1%})",
                flush=True,
            )
        for (prompt, wanted), answer, result in zip(cut, answers, scores, strict=True):
            if any(rate.right < rate.total for rate in result.values()):
                wrong.append({"set": name, "prompt": prompt, "wanted": wanted, "answer": answer})
    if options.wrong:
        options.wrong.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in wrong))


if __name__ == "__main__":
    main()
