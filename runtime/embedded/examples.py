"""A training or test example: turns of a chat, some of which the model must write, and what to score."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from slipform.runtime.embedded.values import Decimal


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `learn` marks what the model must write; a plain turn stands outside of any role."""

    role: str
    content: str
    learn: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One chat.

    Attributes:
        task: "extract", "tool", "select" or "copy".
        turns: role "plain" marks text that stands in no role.
        target: what a test compares: an object, a list of calls, a label, a short text.
        schema: JSON Schema that constrains the answer, where there is one; `options` the labels to choose from.
    """

    task: str
    turns: tuple[Turn, ...]
    target: Any = None
    schema: dict[str, Any] | None = None
    options: tuple[str, ...] = ()
    tools: tuple[dict[str, Any], ...] = field(default=())


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


def with_system(turns: Sequence[Turn], content: str | None) -> tuple[Turn, ...]:
    return (system(content), *turns) if content else tuple(turns)
