"""The workloads of `bench_serving.py`: requests by name, repeatable, with new prompts for each repeat."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slipform.grammars.spec import GrammarSpec, JsonSchema, Regex
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, TokenIds

# Ids of ordinary tokens: special ones come first in the tokenizers of these workloads.
FIRST_ID, LAST_ID = 1000, 131071

_COLORS = {"type": "string", "enum": ["red", "green", "blue"]}
_WORDS = {"type": "string", "pattern": "^[a-z ]{5,30}$"}
W3_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticket_category_code": {"type": "string", "enum": ["billing", "technical", "shipping", "returns"]},
        "customer_urgency_level": {"type": "string", "enum": ["low", "medium", "high"]},
        "product_color_variant": _COLORS,
        "quantity_ordered_total": {"type": "integer", "minimum": 1, "maximum": 500},
        "satisfaction_rating_score": {"type": "integer", "minimum": 0, "maximum": 10},
        "requested_delivery_date": {
            "type": "string",
            "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        },
        "summary_of_the_request": _WORDS,
        "recommended_next_action": _WORDS,
        "assigned_topic_labels": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-z]{3,10}$"},
            "minItems": 1,
            "maxItems": 3,
        },
        "warehouse_origin_location": {
            "type": "object",
            "properties": {
                "building_floor_number": {"type": "integer", "minimum": 0, "maximum": 99},
                "aisle_side_indicator": {"type": "string", "enum": ["left", "right"]},
                "currently_open_for_pickup": {"type": "boolean"},
            },
            "required": ["building_floor_number", "aisle_side_indicator", "currently_open_for_pickup"],
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
W3_SCHEMA["required"] = list(W3_SCHEMA["properties"])

REGEXES = (
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    r"[a-z]{3,12}(\.[a-z]{2,8})?@[a-z]{3,10}\.(com|org|net)",
    r"((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
    r"(\+1-[0-9]{3}-[0-9]{3}-[0-9]{4}|\$[1-9][0-9]{0,4}\.[0-9]{2})",
)


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests and how they arrive: all at once, or `concurrency` at a time, the next when one ends."""

    name: str
    requests: list[GenerateRequest]
    concurrency: int | None = None


def free_text(num_tokens: int) -> Fill:
    """Greedy text of exactly `num_tokens`."""
    return Fill("text", SamplingParams(temperature=0.0, max_tokens=num_tokens, ignore_eos=True))


def constrained(spec: GrammarSpec, *, jump_forward: bool = True) -> Fill:
    return Fill("text", SamplingParams(temperature=0.0, max_tokens=400), spec, jump_forward=jump_forward)


class Prompts:
    """Random prompts as token ids."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def ids(self, length: int) -> tuple[int, ...]:
        return tuple(self._random.randint(FIRST_ID, LAST_ID) for _ in range(length))

    def between(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def shuffle(self, items: list[Any]) -> None:
        self._random.shuffle(items)


def _requests(name: str, segments: list[tuple[tuple[int, ...], Fill]]) -> list[GenerateRequest]:
    return [GenerateRequest(f"{name}-{i}", (TokenIds(ids), fill)) for i, (ids, fill) in enumerate(segments)]


def throughput(seed: int, count: int = 256) -> Workload:
    """W1: everything at once, prompts of 100 to 1024 tokens, outputs of 100 to 512."""
    prompts = Prompts(seed)
    items = [(prompts.ids(prompts.between(100, 1024)), free_text(prompts.between(100, 512))) for _ in range(count)]
    return Workload("W1", _requests(f"w1-{seed}", items))


def latency(seed: int, concurrency: int, count: int) -> Workload:
    """W2: prompts and outputs of 128 tokens."""
    prompts = Prompts(seed)
    items = [(prompts.ids(128), free_text(128)) for _ in range(count)]
    return Workload(f"W2 at {concurrency}", _requests(f"w2-{seed}", items), concurrency)


def shared_schema(seed: int, concurrency: int, count: int, fill: Callable[[], Fill], name: str) -> Workload:
    """W3 and its free twin: a shared prefix of 1,000 tokens and 60 own ones."""
    prompts = Prompts(seed)
    prefix = prompts.ids(1000)
    items = [(prefix + prompts.ids(60), fill()) for _ in range(count)]
    return Workload(f"{name} at {concurrency}", _requests(f"{name}-{seed}", items), concurrency)


def w3_spec() -> GrammarSpec:
    return JsonSchema.of(W3_SCHEMA, whitespace="compact")


def many_schemas(
    seed: int,
    count: int = 64,
    concurrency: int = 64,
    *,
    fill: Callable[[GrammarSpec], Fill] = constrained,
    prompt_seed: int | None = None,
) -> Workload:
    """W4: `count` different schemas, two requests each. `prompt_seed`: other prompts for the same schemas."""
    prompts = Prompts(seed)
    specs = [random_schema(prompts, f"{seed}_{index}") for index in range(count)]
    if prompt_seed is not None:
        prompts = Prompts(prompt_seed)
    items = [(prompts.ids(200), fill(spec)) for spec in specs for _ in range(2)]
    prompts.shuffle(items)
    return Workload("W4", _requests(f"w4-{seed}-{prompt_seed}", items), concurrency)


def random_schema(prompts: Prompts, label: str) -> GrammarSpec:
    """An object of 3 to 8 properties of mixed kinds, none of whose names occurs in another schema."""
    kinds: list[dict[str, Any]] = [
        _COLORS,
        {"type": "integer", "minimum": 0, "maximum": 9999},
        {"type": "boolean"},
        {"type": "string", "pattern": "^[a-z ]{5,20}$"},
        {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "minItems": 1, "maxItems": 4},
        {"type": "string", "enum": ["alpha", "beta", "gamma", "delta", "epsilon"]},
    ]
    count = prompts.between(3, 8)
    properties = {f"field_{label}_{i}": kinds[prompts.between(0, len(kinds) - 1)] for i in range(count)}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return JsonSchema.of(schema, whitespace="compact")


def regexes(seed: int, count: int = 128, concurrency: int = 64, prompt_len: int = 100, name: str = "W5") -> Workload:
    """W5: four patterns in turn."""
    prompts = Prompts(seed)
    items = [(prompts.ids(prompt_len), constrained(Regex(REGEXES[i % len(REGEXES)]))) for i in range(count)]
    return Workload(name, _requests(f"{name.lower()}-{seed}", items), concurrency)


def regexes_short(seed: int, count: int = 128, concurrency: int = 64) -> Workload:
    """W5s: W5 behind prompts of a sentence or two, 40 tokens."""
    return regexes(seed, count, concurrency, prompt_len=40, name="W5s")


def shared_prefixes(seed: int, groups: int = 8, size: int = 32) -> Workload:
    """W6: groups of requests behind a prefix of 3,000 tokens, 64 own tokens and 16 of output, shuffled."""
    prompts = Prompts(seed)
    items = []
    for _ in range(groups):
        prefix = prompts.ids(3000)
        items += [(prefix + prompts.ids(64), free_text(16)) for _ in range(size)]
    prompts.shuffle(items)
    return Workload("W6", _requests(f"w6-{seed}", items))


def unshared(seed: int, count: int = 128) -> Workload:
    """Prompts of 1,000 tokens that share nothing, 32 tokens of output: what looking for prefixes costs."""
    prompts = Prompts(seed)
    return Workload("unshared", _requests(f"un-{seed}", [(prompts.ids(1000), free_text(32)) for _ in range(count)]))
