"""Tokens, their log-probabilities and their counts in the shapes of the OpenAI API."""

import codecs
import math
from collections.abc import Iterable, Sequence
from typing import Any

from slipform.runtime.request import RequestFinished, SequenceResult, TokenLogprob

# JSON has no infinity; a token that the sampler rules out is as unlikely as this.
LOWEST_LOGPROB = -9999.0


def usage(finished: Iterable[RequestFinished]) -> dict[str, Any]:
    """Tokens of all prompts, once each, and of all their sequences."""
    prompt = completion = cached = 0
    for result in finished:
        prompt += result.sequences[0].prompt_len
        cached += min(sequence.cached_len for sequence in result.sequences)
        completion += sum(len(fill.token_ids) for sequence in result.sequences for fill in sequence.fills)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def running_usage(prompt_len: int, num_tokens: int) -> dict[str, int]:
    """The usage of one choice while it is written."""
    return {
        "prompt_tokens": prompt_len,
        "completion_tokens": num_tokens,
        "total_tokens": prompt_len + num_tokens,
    }


def prompt_logprobs(sequence: SequenceResult, spellings: Sequence[bytes]) -> list[dict[str, Any] | None]:
    """vLLM's shape: for each token of the prompt, `{"ID": {"logprob", "rank", "decoded_token"}}` of it and of its
    likeliest alternatives; null for the first one. The rank of a token that is not among these is null. Where the seam
    to the answer was healed, the last token is the one that was written in place of the prompt's own."""
    shape: list[dict[str, Any] | None] = [None]
    for entry in sequence.prompt_logprobs[1 : sequence.prompt_len]:
        listed = {token_id: (logprob, rank) for rank, (token_id, logprob) in enumerate(entry.top, 1)}
        tokens = {entry.token_id: listed.get(entry.token_id, (entry.logprob, None)), **listed}
        shape.append(
            {
                str(token_id): {
                    "logprob": finite(logprob),
                    "rank": rank,
                    "decoded_token": token_text(spellings[token_id]),
                }
                for token_id, (logprob, rank) in tokens.items()
            }
        )
    return shape


def chat_logprobs(entries: Sequence[TokenLogprob], spellings: Sequence[bytes]) -> dict[str, Any]:
    """`{"content": [{"token", "logprob", "bytes", "top_logprobs"}]}`."""
    return {
        "content": [
            {
                **_spelled(entry.token_id, entry.logprob, spellings),
                "top_logprobs": [_spelled(token_id, logprob, spellings) for token_id, logprob in entry.top],
            }
            for entry in entries
        ]
    }


class CompletionTokens:
    """Builds the `logprobs` of a completion, across the chunks of a stream.

    `text_offset` counts characters of the text that is answered with. A first token that also spells characters of the
    prompt (its seam was healed) begins before an answer without echo, and is given 0.
    """

    def __init__(self, spellings: Sequence[bytes], offset: int = 0) -> None:
        self._spellings = spellings
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = offset

    def step_back(self, seam_len: int) -> None:
        """The next token begins so many characters before the end of what was taken."""
        self._offset -= seam_len

    def take(self, entries: Sequence[TokenLogprob], *, has_first: bool = False) -> dict[str, Any]:
        """The shape of the next tokens. `has_first`: the first of them begins the context, so nothing predicts it."""
        shape: dict[str, Any] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for index, entry in enumerate(entries):
            unpredicted = has_first and index == 0
            shape["tokens"].append(token_text(self._spellings[entry.token_id]))
            shape["token_logprobs"].append(None if unpredicted else finite(entry.logprob))
            top = {token_text(self._spellings[token_id]): finite(logprob) for token_id, logprob in entry.top}
            shape["top_logprobs"].append(None if unpredicted else top)
            shape["text_offset"].append(max(0, self._offset))
            self._offset += len(self._decoder.decode(self._spellings[entry.token_id]))
        return shape


def token_text(spelling: bytes) -> str:
    """The text of a token; one that is no text is written as OpenAI writes it, `bytes:\\xe2\\x80`."""
    try:
        return spelling.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in spelling)


def finite(logprob: float) -> float:
    """A number that JSON can hold."""
    return logprob if math.isfinite(logprob) else LOWEST_LOGPROB


def _spelled(token_id: int, logprob: float, spellings: Sequence[bytes]) -> dict[str, Any]:
    spelling = spellings[token_id] if token_id < len(spellings) else b""
    return {
        "token": spelling.decode("utf-8", "replace"),
        "logprob": finite(logprob),
        "bytes": list(spelling),
    }
