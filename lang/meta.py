"""What `get_meta_info` returns: SGLang's keys, and beside them what only this runtime knows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipform.lang.backend import Backend, Scores
from slipform.lang.choices import Decision
from slipform.runtime.request import FillResult, RequestFinished, TokenLogprob

if TYPE_CHECKING:
    from slipform.lang.strand import FillItem


def fill_meta(
    item: "FillItem", finished: RequestFinished, fill_index: int, backend: Backend
) -> dict[str, Any] | list[dict[str, Any]]:
    """Metadata of fill number `fill_index` of a request; a list with one entry a sequence where the fill has n > 1.

    `prompt_tokens` and `cached_tokens` count for the whole request that carried the fill. The lists of
    log-probabilities have one entry a token; that of the last `unscored_tokens` is None, as the model was not asked for
    them: tokens that closed the text, or what a stop left of a token that it cut.
    """
    decode = backend.decode if item.text_in_logprobs else None
    metas = []
    for sequence in sorted(finished.sequences, key=lambda sequence: sequence.index):
        result = sequence.fills[fill_index]
        meta = {
            "id": finished.request_id,
            "finish_reason": {"type": result.finish_reason, "matched": result.matched_stop},
            "prompt_tokens": sequence.prompt_len,
            "cached_tokens": sequence.cached_len,
            "completion_tokens": len(result.token_ids),
            "sampled_tokens": result.num_sampled,
            "forced_tokens": result.num_forced,
            "closing_tokens": result.num_closing,
            "closed": result.closed,
            "mask_ms": result.mask_ms,
            "queue_s": finished.times.queue_s,
            "e2e_latency": finished.times.total_s,
        }
        if item.fill.sampling.logprobs:
            unscored = _unscored(result)
            meta["unscored_tokens"] = len(unscored)
            meta |= _logprobs("output", result.logprobs, decode, item.fill.sampling.top_logprobs, unscored)
            constrained = [entry.constrained for entry in result.logprobs]
            meta["output_constrained_logprobs"] = [*constrained, *([None] * len(unscored))]
            if item.prompt_logprobs_from is not None:
                prompt = sequence.prompt_logprobs[: max(0, sequence.prompt_len - item.prompt_logprobs_from)]
                meta |= _logprobs("input", prompt, decode, item.fill.sampling.top_logprobs)
        metas.append(meta)
    return metas if item.n > 1 else metas[0]


def spoken_ahead_meta(request_id: str, result: FillResult) -> dict[str, Any]:
    """Metadata of a fill that stood in what an earlier request had written ahead: it cost no tokens of its own."""
    return {
        "id": request_id,
        "finish_reason": {"type": result.finish_reason, "matched": result.matched_stop},
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
    }


def select_meta(choices: Sequence[str], scores: Scores, decision: Decision, backend: Backend) -> dict[str, Any]:
    """Metadata of a select; every list has one entry a choice, in order.

    `probabilities` is the model's distribution over the choices (it sums to 1) with its `entropy` (nats) and `margin`.
    `normalized_prompt_logprobs` is what the rule compared, under SGLang's name.
    """
    meta: dict[str, Any] = {
        "choices": list(choices),
        "probabilities": list(decision.probabilities),
        "entropy": decision.entropy,
        "margin": decision.margin,
        "normalized_prompt_logprobs": list(decision.scores),
        "input_token_logprobs": [
            [
                (logprob, token_id, backend.decode((token_id,)))
                for logprob, token_id in zip(option.logprobs, option.token_ids, strict=True)
            ]
            for option in scores.options
        ],
        "output_token_logprobs": [[] for _ in choices],
        "prompt_tokens": scores.prompt_len,
        "cached_tokens": scores.cached_len,
    }
    if decision.matrix:
        meta["greedy_logprob_matrix"] = [list(row) for row in decision.matrix]
    if any(option.unconditional for option in scores.options):
        meta["unconditional_token_logprobs"] = [list(option.unconditional) for option in scores.options]
        meta["normalized_unconditional_prompt_logprobs"] = list(decision.scores)
    return meta


def _unscored(result: FillResult) -> tuple[int, ...]:
    """The tokens at the end of a fill that have no log-probability."""
    scored = tuple(entry.token_id for entry in result.logprobs)
    # An API that counts tokens of its own scores others than those that stand in the context.
    return result.token_ids[len(scored) :] if result.token_ids[: len(scored)] == scored else ()


def _logprobs(
    side: str, entries: Sequence[TokenLogprob], decode: Any, top: int, unscored: Sequence[int] = ()
) -> dict[str, Any]:
    def entry(token_id: int, logprob: float | None) -> tuple[float | None, int, str | None]:
        return (logprob, token_id, decode((token_id,)) if decode is not None else None)

    scored = [entry(token.token_id, token.logprob) for token in entries]
    meta: dict[str, Any] = {f"{side}_token_logprobs": [*scored, *(entry(token_id, None) for token_id in unscored)]}
    if top:
        alternatives = [[entry(token_id, logprob) for token_id, logprob in token.top] for token in entries]
        meta[f"{side}_top_logprobs"] = [*alternatives, *([] for _ in unscored)]
    return meta
