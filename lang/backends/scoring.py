"""Options scored by requests that only compute a prompt: shared by every backend with prompt log-probabilities."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from slipform.lang.backend import Listener, ScoreRequest, Scores
from slipform.lang.choices import OptionScore
from slipform.lang.steps import Steps, gather, new_future, run_steps
from slipform.runtime.request import (
    Event,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    SequenceResult,
    Text,
    TokenIds,
)

Submit = Callable[[GenerateRequest, Listener], object]


def score_options(submit: Submit, request: ScoreRequest) -> "Future[Scores]":
    """The log-probabilities of a request's options; all its requests go through `submit`."""
    return run_steps(_score(submit, request))


def _score(submit: Submit, request: ScoreRequest) -> "Steps[Scores]":
    """Compute the context once, then read all options after it in one batch.

    An option's first characters may share a token with the end of the context. So each option is encoded together
    with the context's text, and all options count from the last token that all of these encodings and the context
    have in common.
    """
    context_ids: tuple[int, ...] = ()
    cached_len = 0
    if request.context:
        done: RequestFinished = yield _ask(submit, f"{request.request_id}-context", request.context, None)
        context_ids, cached_len = done.sequences[0].token_ids, done.sequences[0].cached_len
    begin = max(0, len(context_ids) - 1)
    while True:
        finished: list[RequestFinished] = yield gather(
            [
                _ask(submit, f"{request.request_id}-{begin}-{index}", (*request.context, Text(option)), begin)
                for index, option in enumerate(request.options)
            ]
        )
        sequences = [event.sequences[0] for event in finished]
        shared = min([len(context_ids), *(_num_common(context_ids, seq.token_ids) for seq in sequences)])
        if shared >= begin:
            break
        begin = shared  # an encoding differs from the context's further back than its last token: score from there
    scores = [_option_score(sequence, begin, shared) for sequence in sequences]
    if request.unconditional:
        alone: list[RequestFinished] = yield gather(
            [
                _ask(submit, f"{request.request_id}-alone-{index}", (TokenIds(score.token_ids),), 0)
                for index, score in enumerate(scores)
            ]
        )
        scores = [
            OptionScore(score.token_ids, score.logprobs, _option_score(event.sequences[0], 0, 0).logprobs)
            for score, event in zip(scores, alone, strict=True)
        ]
    return Scores(tuple(scores), len(context_ids), cached_len)


def _ask(submit: Submit, request_id: str, segments: Sequence[Any], prompt_logprobs_from: int | None) -> "Future[Any]":
    future = new_future()

    def listen(event: Event) -> None:
        if isinstance(event, RequestFinished):
            future.set_result(event)
        elif isinstance(event, RequestFailed):
            future.set_exception(event.error)

    request = GenerateRequest(request_id, tuple(segments), prompt_logprobs_from=prompt_logprobs_from)
    submit(request, listen)
    return future


def _num_common(left: Sequence[int], right: Sequence[int]) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count


def _option_score(sequence: SequenceResult, begin: int, shared: int) -> OptionScore:
    """Tokens from position `shared` on; `prompt_logprobs` starts at `begin`. A first token of all has no
    log-probability and counts as 0."""
    entries = sequence.prompt_logprobs[shared - begin :]
    return OptionScore(
        tuple(entry.token_id for entry in entries),
        tuple(0.0 if math.isnan(entry.logprob) else entry.logprob for entry in entries),
    )
