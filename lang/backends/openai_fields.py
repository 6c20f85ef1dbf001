"""Sampling options as the fields that an OpenAI-like API has for them; others are refused, never dropped."""

from collections.abc import Collection
from typing import Any

from slipform.errors import UnsupportedField
from slipform.lang.backends.openai_constraints import Server
from slipform.runtime.params import SamplingParams

_DEFAULTS = SamplingParams()
_EVERYWHERE = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_EXTRAS = ("top_k", "min_p", "repetition_penalty", "min_tokens", "ignore_eos", "stop_token_ids", "skip_special_tokens")


def sampling_fields(
    sampling: SamplingParams, server: Server, *, chat: bool, own_markers: Collection[int] = ()
) -> dict[str, Any]:
    """The fields for `sampling`; what is at its default is left out.

    Args:
        own_markers: stop tokens that stand for the end of a message, where every API stops by itself.
    Raises: UnsupportedField naming an option that the API does not have.
    """
    sampling = sampling.replace(stop_token_ids=tuple(set(sampling.stop_token_ids) - set(own_markers)))
    limit = "max_completion_tokens" if chat and server == "openai" else "max_tokens"
    fields: dict[str, Any] = {limit: sampling.max_tokens}
    for name in _EVERYWHERE:
        if getattr(sampling, name) != getattr(_DEFAULTS, name):
            fields[name] = getattr(sampling, name)
    for name in _EXTRAS:
        value = getattr(sampling, name)
        if value != getattr(_DEFAULTS, name):
            if server == "openai":
                raise UnsupportedField(name, "OpenAI's API has no such option")
            fields[name] = list(value) if isinstance(value, tuple) else value
    if sampling.seed is not None:
        fields["seed"] = sampling.seed
    if sampling.stop:
        fields["stop"] = list(sampling.stop)
    if sampling.stop_regex:
        if server != "sglang":
            raise UnsupportedField("stop_regex", "only SGLang's API has such an option")
        fields["stop_regex"] = list(sampling.stop_regex)
    if sampling.include_stop:
        if server == "openai":
            raise UnsupportedField("include_stop", "OpenAI's API has no such option")
        fields["include_stop_str_in_output" if server == "vllm" else "no_stop_trim"] = True
    if sampling.logit_bias:
        raise UnsupportedField("logit_bias", "the ids of the remote model's tokens are not known here")
    if sampling.logprobs or sampling.top_logprobs:
        fields |= (
            {"logprobs": True, "top_logprobs": sampling.top_logprobs} if chat else {"logprobs": sampling.top_logprobs}
        )
    return fields
