"""How one fill is sampled. Imports no torch, so that the language and clients can build these values anywhere."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from typing import Any

from slipform.errors import InvalidRequest

MAX_TOP_LOGPROBS = 1024


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Sampling of one fill; every value is checked at construction.

    Attributes:
        max_tokens: most tokens the fill may take, forced ones included.
        min_tokens: no end token and no stop before this many tokens (a finished grammar ends all the same).
        temperature: 0 is greedy.
        top_p, min_p: probability mass in (0, 1] and [0, 1]; top_k: -1 or 0 keeps all.
        frequency_penalty, presence_penalty: subtracted per occurrence / once, over generated tokens, in [-2, 2].
        repetition_penalty: divides (positive) or multiplies (negative) logits of prompt and output tokens, in (0, 10].
        logit_bias: pairs (token id, value added to its logit), sorted; build it with `SamplingParams.of`.
        allowed_token_ids: only these tokens, end tokens included, may be sampled; empty allows all. Such a fill neither
            heals its seam nor jumps forward; where a constraint admits none of them, its request ends in an error.
        seed: with it a sample depends on (seed, position) alone; None draws a seed for the request.
        stop: strings that end the fill and are not part of it (kept when `include_stop` is set).
        stop_token_ids: further tokens that end the fill, not kept. stop_regex: patterns that end it, match not kept.
        ignore_eos: go on past the model's end token.
        logprobs: return the log-probability of each output token. top_logprobs: and of the N likeliest alternatives.
        logprob_token_ids: and of these tokens, behind the likeliest ones and in this order.
        skip_special_tokens: leave special tokens out of the text.
    """

    max_tokens: int = 128
    min_tokens: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    allowed_token_ids: tuple[int, ...] = ()
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()
    stop_regex: tuple[str, ...] = ()
    include_stop: bool = False
    ignore_eos: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    logprob_token_ids: tuple[int, ...] = ()
    skip_special_tokens: bool = True

    def __post_init__(self) -> None:
        _check("max_tokens", self.max_tokens, self.max_tokens >= 1, "must be at least 1")
        _check("min_tokens", self.min_tokens, 0 <= self.min_tokens <= self.max_tokens, "must be in [0, max_tokens]")
        _check("temperature", self.temperature, 0.0 <= self.temperature < math.inf, "must be finite and at least 0")
        _check("top_p", self.top_p, 0.0 < self.top_p <= 1.0, "must be in (0, 1]")
        _check("top_k", self.top_k, -1 <= self.top_k < 2**31, "must be -1, or at least 0 and below 2**31")
        _check("min_p", self.min_p, 0.0 <= self.min_p <= 1.0, "must be in [0, 1]")
        _check("frequency_penalty", self.frequency_penalty, -2 <= self.frequency_penalty <= 2, "must be in [-2, 2]")
        _check("presence_penalty", self.presence_penalty, -2 <= self.presence_penalty <= 2, "must be in [-2, 2]")
        _check("repetition_penalty", self.repetition_penalty, 0 < self.repetition_penalty <= 10, "must be in (0, 10]")
        _check(
            "top_logprobs",
            self.top_logprobs,
            0 <= self.top_logprobs <= MAX_TOP_LOGPROBS,
            f"must be in [0, {MAX_TOP_LOGPROBS}]",
        )
        for token_id, bias in self.logit_bias:
            _check("logit_bias", (token_id, bias), token_id >= 0 and math.isfinite(bias), "needs token ids and numbers")
        for text in self.stop:
            _check("stop", text, text != "", "must not hold an empty string")

    @classmethod
    def of(cls, **values: Any) -> "SamplingParams":
        """Build from loosely typed values: single strings or ids for lists, a mapping for `logit_bias`.

        Raises: InvalidRequest naming the field that is unknown or out of range.
        """
        for name in values:
            if name not in cls.__dataclass_fields__:
                raise InvalidRequest("unknown sampling parameter", field=name)
        for name in ("stop", "stop_regex"):
            if name in values:
                values[name] = _as_tuple(values[name], str)
        for name in ("stop_token_ids", "allowed_token_ids", "logprob_token_ids"):
            if name in values:
                values[name] = _as_tuple(values[name], int)
        bias = values.get("logit_bias")
        if isinstance(bias, Mapping):
            values["logit_bias"] = tuple(sorted((int(key), float(value)) for key, value in bias.items()))
        elif bias is None:
            values.pop("logit_bias", None)
        return cls(**values)

    @property
    def wants_logprobs(self) -> bool:
        """Whether log-probabilities of the output tokens are to be returned."""
        return self.logprobs or self.top_logprobs > 0 or bool(self.logprob_token_ids)

    def replace(self, **changes: Any) -> "SamplingParams":
        return dataclass_replace(self, **changes)


def _check(name: str, value: object, valid: bool, rule: str) -> None:
    if not valid:
        raise InvalidRequest(f"{rule}, got {value!r}", field=name)


def _as_tuple(value: Any, kind: type) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, kind) else tuple(value)
