"""A training or test example: turns of a chat, some of which the model must write, and what to score."""

import json
from dataclasses import dataclass, field
from typing import Any

from slipform.runtime.embedded.values import Decimal


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `learn` marks what the model must write; a plain turn stands outside of any role.

    `parts` splits the content of a learnt turn where the model cannot know some of it (names of fields that no prompt shows).
    """

    role: str
    content: str
    learn: bool = False
    parts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One chat.

    Attributes:
        task: "extract", "tool", "select" or "copy".
        turns: role "plain" marks text that stands in no role.
        target: what a test compares: an object, a list of calls, a label, a short text.
        schema: JSON Schema that constrains the answer, where there is one; `options` the labels to choose from.
        linking: stems of words that only tie a wish to what answers it (a key to the words beside its value, a request to
            its tool): replaced by one made-up word throughout, they tie it just as well.
        origin: what kind of material it was made from; scores are also counted by it.
        weight: of the loss on what is to be learnt; small for text of which much cannot be foreseen.
        noisy: whether words of the prompt that no answer holds may give way to made-up ones.
    """

    task: str
    turns: tuple[Turn, ...]
    target: Any = None
    schema: dict[str, Any] | None = None
    options: tuple[str, ...] = ()
    tools: tuple[dict[str, Any], ...] = field(default=())
    linking: tuple[str, ...] = ()
    origin: str = ""
    weight: float = 1.0
    noisy: bool = True


def compact_json(value: object) -> str:
    """JSON without white space, numbers written as the passage writes them (`49.50` stays `49.50`)."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact_json(k)}:{compact_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(compact_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def user(content: str) -> Turn:
    return Turn("user", content)


def system(content: str) -> Turn:
    return Turn("system", content)


def assistant(content: str) -> Turn:
    return Turn("assistant", content, learn=True)


def assistant_values(answer: dict[str, Any]) -> Turn:
    """An object of which only the values are learnt: nothing in the prompt names its keys."""
    text = compact_json(answer)
    parts: list[tuple[str, bool]] = []
    rest = text
    for key in answer:
        before, _, rest = rest.partition(compact_json(key) + ":")
        parts += [(before + '"', True), (compact_json(key)[1:-1], False)]
        rest = '":' + rest
    return Turn("assistant", text, learn=True, parts=(*parts, (rest, True)))
