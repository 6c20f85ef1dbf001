"""The sampling fields that the generation routes share, and what they become for the engine."""

import math
from collections.abc import Mapping, Set
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from slipform.errors import InvalidRequest
from slipform.runtime.params import SamplingParams
from slipform.runtime.server.bodies import Body
from slipform.runtime.server.http_errors import bad_request, unsupported
from slipform.runtime.server.settings import Bounds

# Fields of OpenAI's, vLLM's and SGLang's requests that this server does not implement, and the values that ask for
# nothing. Any other value is answered with 400 rather than ignored: it would change the answer.
UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
    "add_special_tokens": (None, True),
    "audio": (None,),
    "audio_data": (None, []),
    "best_of": (None,),
    "chat_template": (None,),
    "custom_logit_processor": (None,),
    "custom_params": (None, {}),
    "documents": (None, []),
    "echo": (None, False),
    "function_call": (None,),
    "functions": (None, []),
    "image_data": (None, []),
    "input_embeds": (None,),
    "input_ids": (None,),
    "kv_transfer_params": (None,),
    "length_penalty": (None, 1, 1.0),
    "lora_path": (None,),
    "media_io_kwargs": (None, {}),
    "mm_processor_kwargs": (None, {}),
    "modalities": (None, ["text"]),
    "ngram_corpus_id": (None,),
    "prompt_logprobs": (None,),
    "repetition_detection": (None,),
    "require_reasoning": (None, False),
    "return_entropy": (None, False),
    "return_hidden_states": (None, False),
    "return_meta_info": (None, False),
    "return_prompt_text": (None, False),
    "return_prompt_token_ids": (None, False),
    "return_token_offsets": (None, False),
    "return_tokens_as_token_ids": (None, False),
    "routed_dp_rank": (None,),
    "session_id": (None,),
    "session_params": (None,),
    "suffix": (None, ""),
    "token_ids_logprob": (None, []),
    "truncate_prompt_tokens": (None,),
    "truncation_side": (None,),
    "use_beam_search": (None, False),
    "video_data": (None, []),
    "vllm_xargs": (None, {}),
    "watermarking": (None, False),
    "web_search_options": (None,),
}

# Fields that are taken and mean nothing here: who asks, how OpenAI bills and stores, and what every answer says anyway.
ACCEPTED: Set[str] = frozenset(
    {
        "custom_labels",
        "metadata",
        "no_logs",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "return_cached_tokens_details",
        "safety_identifier",
        "service_tier",
        "spaces_between_special_tokens",
        "store",
        "stream_interval",
        "user",
        "verbosity",
    }
)

TokenId = Annotated[int, Field(ge=0, lt=2**31)]


class SamplingFields(Body):
    """Sampling, as OpenAI, vLLM and SGLang name it."""

    temperature: float | None = Field(default=None, ge=0, le=100, description="0 is greedy; 1 by default.")
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, lt=2**31, description="-1 and 0 keep all tokens.")
    min_p: float | None = Field(default=None, ge=0, le=1)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=10)
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = Field(
        default=None, description="Token id, as text, to the value added to its logit."
    )
    allowed_token_ids: list[TokenId] | None = Field(
        default=None, min_length=1, description="Only these tokens; the end token too only if it is among them."
    )
    bad_words: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None, description="Strings that the answer never contains."
    )
    logprob_token_ids: list[TokenId] | None = Field(
        default=None, description="Tokens whose log-probabilities stand among the alternatives of each token."
    )
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: str | list[str] | None = None
    stop_token_ids: list[TokenId] | None = None
    stop_regex: str | list[str] | None = None
    include_stop_str_in_output: bool | None = None
    no_stop_trim: bool | None = Field(default=None, description="SGLang's name for include_stop_str_in_output.")
    ignore_eos: bool | None = None
    min_tokens: int | None = Field(default=None, ge=0)
    skip_special_tokens: bool | None = None
    finish: Literal["cut", "valid"] | None = Field(
        default=None,
        description='At max_tokens a constrained answer is "cut" (default), or closed so that it is "valid".',
    )
    priority: int | None = Field(default=None, ge=-1000, le=1000, description="Larger goes first.")
    timeout: float | None = Field(default=None, gt=0, description="Seconds until the request is ended with 504.")
    cache_salt: str | None = Field(
        default=None, max_length=256, description="Further divides the caller's prefix cache."
    )
    extra_key: str | None = Field(default=None, max_length=256, description="SGLang's name for cache_salt.")
    request_id: str | None = Field(default=None, min_length=1, max_length=128)
    rid: str | None = Field(default=None, min_length=1, max_length=128, description="SGLang's name for request_id.")


def sampling_params(
    fields: SamplingFields, bounds: Bounds, *, max_tokens: int | None, max_context: int, num_logprobs: int | None = None
) -> SamplingParams:
    """The engine's parameters.

    Args:
        max_tokens: as asked for; None is what the context leaves.
        num_logprobs: alternatives wanted beside each token's log-probability; None for no log-probabilities.
    Raises: ApiError 400 naming the field that is out of bounds.
    """
    limit = min(max_context, bounds.max_tokens or max_context)
    if max_tokens is not None and max_tokens > limit:
        raise bad_request(f"must be at most {limit}, got {max_tokens}", "max_tokens")
    if fields.logprob_token_ids and num_logprobs is None:
        raise bad_request("needs logprobs", "logprob_token_ids")
    if len(fields.logprob_token_ids or ()) > bounds.logprob_ids:
        raise bad_request(f"at most {bounds.logprob_ids} tokens", "logprob_token_ids")
    if num_logprobs is not None and num_logprobs > bounds.logprobs:
        raise bad_request(f"at most {bounds.logprobs} alternatives, got {num_logprobs}", "logprobs")
    stop, stop_regex = _texts(fields.stop, "stop", bounds), _texts(fields.stop_regex, "stop_regex", bounds)
    stop_token_ids = tuple(fields.stop_token_ids or ())
    if len(stop) + len(stop_regex) + len(stop_token_ids) > bounds.stops:
        raise bad_request(f"at most {bounds.stops} stops", "stop")
    values: dict[str, Any] = {
        "max_tokens": max_tokens or limit,
        "min_tokens": fields.min_tokens,
        "temperature": fields.temperature,
        "top_p": fields.top_p,
        "top_k": fields.top_k,
        "min_p": fields.min_p,
        "frequency_penalty": fields.frequency_penalty,
        "presence_penalty": fields.presence_penalty,
        "repetition_penalty": fields.repetition_penalty,
        "logit_bias": _bias(fields.logit_bias),
        "allowed_token_ids": tuple(fields.allowed_token_ids or ()),
        "logprob_token_ids": tuple(dict.fromkeys(fields.logprob_token_ids or ())),
        "seed": fields.seed,
        "stop": stop,
        "stop_token_ids": stop_token_ids,
        "stop_regex": stop_regex,
        "include_stop": fields.include_stop_str_in_output or fields.no_stop_trim,
        "ignore_eos": fields.ignore_eos,
        "logprobs": num_logprobs is not None,
        "top_logprobs": num_logprobs,
        "skip_special_tokens": fields.skip_special_tokens,
    }
    try:
        return SamplingParams(**{name: value for name, value in values.items() if value is not None})
    except InvalidRequest as error:
        raise bad_request(str(error).partition(": ")[2], error.field) from error


def refuse_unsupported(body: BaseModel, implemented: Set[str] = frozenset()) -> None:
    """Raises: ApiError 400 for the first known field that asks for something this server does not do.

    Args:
        implemented: fields of the table that this route does implement.
    """
    for name, value in (body.model_extra or {}).items():
        if name in UNSUPPORTED and name not in implemented and value not in UNSUPPORTED[name]:
            raise unsupported(name)


def namespace(salt: str, fields: SamplingFields) -> str:
    """Where cached prefixes are shared: among requests of one key, and of one `cache_salt` if they give one."""
    own = fields.cache_salt or fields.extra_key or ""
    return f"{salt}/{own}" if salt or own else ""


def _texts(value: str | list[str] | None, name: str, bounds: Bounds) -> tuple[str, ...]:
    texts = () if value is None else (value,) if isinstance(value, str) else tuple(value)
    for text in texts:
        if len(text) > bounds.stop_chars:
            raise bad_request(f"longer than {bounds.stop_chars} characters", name)
    return texts


def _bias(values: dict[str, float] | None) -> tuple[tuple[int, float], ...] | None:
    if not values:
        return None
    pairs = []
    for key, value in values.items():
        if not key.isascii() or not key.isdigit() or len(key) > 10 or not math.isfinite(value):
            raise bad_request(f"needs token ids and numbers, got {key[:40]!r}: {value}", "logit_bias")
        pairs.append((int(key), value))
    return tuple(sorted(pairs))
