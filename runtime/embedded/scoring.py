"""Comparing answers with what was wanted, and counting."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from slipform.runtime.embedded.examples import compact_json


@dataclass(frozen=True, slots=True)
class Rate:
    """`right` of `total`, with the Wilson interval at 95 %."""

    right: int = 0
    total: int = 0

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.right + other.right, self.total + other.total)

    @property
    def value(self) -> float:
        return self.right / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.total:
            return math.nan, math.nan
        z, n, p = 1.96, self.total, self.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        spread = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return centre - spread, centre + spread


def parse(text: str) -> Any:
    """The JSON value of an answer, or None when it is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def same(wanted: Any, got: Any) -> bool:
    """Equality of JSON values; numbers by value, text without regard to outer white space."""
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, dict):
        return isinstance(got, dict) and wanted.keys() == got.keys() and all(same(v, got[k]) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(same, wanted, got))
    if isinstance(wanted, int | float) or isinstance(got, int | float):
        return isinstance(wanted, int | float) and isinstance(got, int | float) and math.isclose(wanted, got)
    return str(wanted).strip() == str(got).strip()


def plain_values(value: Any) -> Any:
    """A target as plain JSON values: numbers kept as text become numbers."""
    return json.loads(compact_json(value))


def score_object(wanted: dict[str, Any], got: Any) -> dict[str, Rate]:
    """Exact fields and the whole object."""
    found = got if isinstance(got, dict) else {}
    right = sum(key in found and same(value, found[key]) for key, value in wanted.items())
    return {"field": Rate(right, len(wanted)), "object": Rate(int(same(wanted, got)), 1)}


def score_calls(wanted: list[dict[str, Any]], got: Any) -> dict[str, Rate]:
    """Whether the right tools were chosen, in order; and, call by call, whether all arguments are right."""
    calls = [call for call in got if isinstance(call, dict)] if isinstance(got, list) else None
    names = [call.get("name") for call in calls] if calls is not None else None
    chosen = names == [call["name"] for call in wanted]
    scores = {"tool": Rate(int(chosen), 1), "arguments": Rate(), "argument": Rate()}
    for i, call in enumerate(wanted):
        given = calls[i].get("arguments") if calls and i < len(calls) and calls[i].get("name") == call["name"] else None
        scores["arguments"] += Rate(int(same(call["arguments"], given)), 1)
        found = given if isinstance(given, dict) else {}
        right = sum(key in found and same(value, found[key]) for key, value in call["arguments"].items())
        scores["argument"] += Rate(right, len(call["arguments"]))
    return scores


def score_text(task: str, wanted: str, got: str) -> dict[str, Rate]:
    return {task: Rate(int(wanted.strip() == got.strip()), 1)}


def total(scores: Iterable[dict[str, Rate]]) -> dict[str, Rate]:
    """Sums by name."""
    sums: dict[str, Rate] = {}
    for score in scores:
        for name, rate in score.items():
            sums[name] = sums.get(name, Rate()) + rate
    return sums
