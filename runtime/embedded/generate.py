"""The mixture of tasks, and examples as texts and tokens.

    python -m slipform.runtime.embedded.generate --split heldout --count 3

prints examples. Generation is a pure function of (split, seed).
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence

from slipform.runtime.embedded.calling import function_call
from slipform.runtime.embedded.copying import copied_answers, labelled_lines, question_answer_text, role_answers
from slipform.runtime.embedded.examples import Example
from slipform.runtime.embedded.extraction import (
    extraction,
    few_shot,
    line_items,
    nested_extraction,
    role_extraction,
)
from slipform.runtime.embedded.labelling import one_label
from slipform.runtime.embedded.source import Source, Split
from slipform.runtime.embedded.word_meaning import dictionary_text, word_meaning

MIXTURE: tuple[tuple[Callable[[Source], Example], float], ...] = (
    (extraction, 0.31),
    (nested_extraction, 0.03),
    (line_items, 0.015),
    (few_shot, 0.02),
    (function_call, 0.22),
    (one_label, 0.27),
    (copied_answers, 0.10),
    (labelled_lines, 0.02),
    (question_answer_text, 0.02),
)
# What words mean, in training only: the held-out split is made of real tasks.
EXERCISES: tuple[tuple[Callable[[Source], Example], float], ...] = (
    (role_extraction, 0.055),
    (role_answers, 0.025),
    (word_meaning, 0.12),
    (dictionary_text, 0.02),
)

END = "<|end|>"
EOS = END
PAD = "<|pad|>"
SPECIAL_TOKENS = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")

CHAT_TEMPLATE = """\
{%- if tools %}
{{- '<|system|>' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- 'Tools:' }}
{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
{{- '<|end|>' }}
{%- endif %}
{%- for message in messages %}
{%- if not (loop.first and tools and message.role == 'system') %}
{{- '<|' + message.role + '|>' + message.content + '<|end|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"""


def examples(split: Split, seed: int | str) -> Iterator[Example]:
    """An endless stream of examples of the mixture, in training with exercises among them."""
    return drawn(Source(seed, split), (*MIXTURE, *EXERCISES) if split == "train" else MIXTURE)


def exercises(split: Split, seed: int | str) -> Iterator[Example]:
    """An endless stream of exercises alone."""
    return drawn(Source(seed, split), EXERCISES)


def drawn(source: Source, mixture: Sequence[tuple[Callable[[Source], Example], float]]) -> Iterator[Example]:
    makers, weights = zip(*mixture, strict=True)
    while True:
        yield source.random.choices(makers, weights)[0](source)


def pieces(example: Example) -> list[tuple[str, bool]]:
    """The text of an example in parts, as the chat template renders it, each with whether it is to be learnt."""
    parts: list[tuple[str, bool]] = []
    turns = list(example.turns)
    if example.tools:
        head = turns.pop(0).content if turns[0].role == "system" else ""
        parts.append((f"<|system|>{tools_text(example, head)}{END}", False))
    for turn in turns:
        if turn.role == "plain":
            parts.append((turn.content, turn.learn))
        elif turn.parts:
            body = list(turn.parts)
            parts += [(f"<|{turn.role}|>", False), *body[:-1], (body[-1][0] + END, True)]
        elif turn.learn:
            parts += [(f"<|{turn.role}|>", False), (turn.content + END, True)]
        else:
            parts.append((f"<|{turn.role}|>{turn.content}{END}", False))
    return parts


def tools_text(example: Example, head: str) -> str:
    """The system text that the chat template makes of the tools and of `head`, the system text before them."""
    listed = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in example.tools)
    return f"{head}\n\nTools:{listed}" if head else f"Tools:{listed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("train", "heldout"), default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--exercises", action="store_true", help="exercises in word meaning alone")
    options = parser.parse_args()
    stream = (exercises if options.exercises else examples)(options.split, options.seed)
    for _ in range(options.count):
        example = next(stream)
        print(f"=== {example.task}")
        print("".join(f"\033[1m{text}\033[0m" if learn else text for text, learn in pieces(example)))


if __name__ == "__main__":
    main()
