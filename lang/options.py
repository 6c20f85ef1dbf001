"""What a program says about sampling, and how it becomes `SamplingParams`.

A value of None means "not said". A fill's own options win over those of `run`, and those over the defaults below.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as dataclass_replace
from numbers import Integral, Real
from typing import Any, Literal, get_args

from slipform.errors import InvalidRequest
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Finish

DEFAULT_MAX_TOKENS = 128
# A fill in a JSON shape ends by itself, so that the bound only guards against strings that never end.
DEFAULT_MAX_TOKENS_JSON = 1024

_NOT_SAMPLING = frozenset(
    {"n", "finish", "return_logprob", "logprob_start_len", "top_logprobs_num", "return_text_in_logprobs", "trace"}
)


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """The sampling arguments of `gen` and `run`, under the names that programs use; None where not said.

    `logprob_start_len` is the token position from which log-probabilities of the prompt are returned (None or -1:
    none). `finish` is `Fill.finish`. `trace` is a run's only: whether it notes how each token came to be, with "full"
    also how likely it was. The other fields mean what `SamplingParams` says of them.
    """

    max_tokens: int | None = None
    min_tokens: int | None = None
    n: int | None = None
    stop: tuple[str, ...] | None = None
    stop_token_ids: tuple[int, ...] | None = None
    stop_regex: tuple[str, ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: tuple[tuple[int, float], ...] | None = None
    seed: int | None = None
    ignore_eos: bool | None = None
    return_logprob: bool | None = None
    logprob_start_len: int | None = None
    top_logprobs_num: int | None = None
    return_text_in_logprobs: bool | None = None
    finish: Finish | None = None
    trace: bool | Literal["full"] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "SamplingOptions":
        """Build from arguments as people write them: one string or id where a list may stand, a mapping of biases.

        Raises: InvalidRequest naming the argument that is out of range.
        """
        given = {name: value for name, value in values.items() if value is not None}
        _check_kinds(given)
        for name, kind in (("stop", str), ("stop_regex", str), ("stop_token_ids", int)):
            if name in given:
                given[name] = _as_tuple(given[name], kind)
        if isinstance(given.get("logit_bias"), Mapping):
            bias = given["logit_bias"]
            given["logit_bias"] = tuple(sorted((int(key), float(value)) for key, value in bias.items()))
        options = cls(**given)
        options._check()
        return options

    def _check(self) -> None:
        if self.n is not None and self.n < 1:
            raise InvalidRequest(f"must be at least 1, got {self.n!r}", field="n")
        if self.logprob_start_len is not None and self.logprob_start_len < -1:
            raise InvalidRequest(f"must be -1 or at least 0, got {self.logprob_start_len!r}", field="logprob_start_len")
        if self.finish not in (None, *get_args(Finish)):
            raise InvalidRequest(f'must be "valid" or "cut", got {self.finish!r}', field="finish")
        if self.trace not in (None, False, True, "full"):
            raise InvalidRequest(f'must be True, False or "full", got {self.trace!r}', field="trace")
        # Building the parameters checks every range; only `min_tokens` depends on a bound that may come from the run.
        self.params(max_tokens=self.max_tokens or max(DEFAULT_MAX_TOKENS, self.min_tokens or 0))

    def over(self, defaults: "SamplingOptions") -> "SamplingOptions":
        """These options, completed by `defaults` where nothing is said."""
        missing = {
            f.name: getattr(defaults, f.name)
            for f in fields(self)
            if getattr(self, f.name) is None and getattr(defaults, f.name) is not None
        }
        return dataclass_replace(self, **missing) if missing else self

    def params(self, *, max_tokens: int = DEFAULT_MAX_TOKENS, more_stop: Sequence[str] = ()) -> SamplingParams:
        """Sampling parameters; `max_tokens` counts where none was said, `more_stop` comes on top of the stop strings.

        Raises: InvalidRequest naming the field that is out of range.
        """
        values = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in _NOT_SAMPLING and getattr(self, name) is not None
        }
        values.setdefault("max_tokens", max_tokens)
        if more_stop:
            values["stop"] = tuple(dict.fromkeys((*(self.stop or ()), *more_stop)))
        top = self.top_logprobs_num or 0
        return SamplingParams.of(**values, logprobs=bool(self.return_logprob) or top > 0, top_logprobs=top)

    @property
    def prompt_logprobs_from(self) -> int | None:
        """Token position from which the prompt is scored, or None; only with `return_logprob`."""
        start = self.logprob_start_len
        return start if self.return_logprob and start is not None and start >= 0 else None


_WHOLE = ("max_tokens", "min_tokens", "n", "top_k", "seed", "logprob_start_len", "top_logprobs_num")
_NUMBERS = ("temperature", "top_p", "min_p", "frequency_penalty", "presence_penalty", "repetition_penalty")
_LISTS: Mapping[str, tuple[type, str]] = {
    "stop": (str, "text or a list of texts"),
    "stop_regex": (str, "a pattern or a list of patterns"),
    "stop_token_ids": (int, "a token id or a list of them"),
}


def _check_kinds(given: Mapping[str, Any]) -> None:
    """Raises: InvalidRequest naming an argument of the wrong kind; ranges are checked later."""

    def check(name: str, fits: bool, wanted: str) -> None:
        if not fits:
            raise InvalidRequest(f"must be {wanted}, got {given[name]!r}", field=name)

    for name in given.keys() & set(_WHOLE):
        check(name, isinstance(given[name], Integral), "a whole number")
    for name in given.keys() & set(_NUMBERS):
        check(name, isinstance(given[name], Real), "a number")
    for name in given.keys() & _LISTS.keys():
        kind, wanted = _LISTS[name]
        value = given[name]
        is_list = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
        items = list(value) if is_list else [value]
        check(name, all(isinstance(item, kind if kind is str else Integral) for item in items), wanted)
    if "logit_bias" in given:
        check("logit_bias", isinstance(given["logit_bias"], (Mapping, tuple)), "a dict from token ids to numbers")


RUN_OPTIONS = frozenset(f.name for f in fields(SamplingOptions)) - {"n"} | {"max_new_tokens"}
"""What `run` takes of them; `max_new_tokens` is SGLang's name for `max_tokens` there."""


def _as_tuple(value: Any, kind: type) -> tuple[Any, ...]:
    return (value,) if isinstance(value, kind) else tuple(value)
