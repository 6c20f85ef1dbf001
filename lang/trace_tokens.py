"""The tokens of a fill for a trace: what the backend reported of each, and nothing else."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from slipform.lang.backend import Unreported
from slipform.lang.trace_record import Alternative, TracedToken
from slipform.runtime.request import FillResult, TokenLogprob, TokenTrace


def tokens_of(
    result: FillResult, texts: Mapping[int, str], unreported: Collection[Unreported], sent_s: float
) -> tuple[TracedToken, ...]:
    """The tokens of a fill, whose texts make up `result.text`; none where the backend does not tell them apart.

    Args:
        texts: of token ids. sent_s: when the request was sent, in seconds after the run began.
    """
    if result.trace:
        return _traced(result, texts, unreported, sent_s)
    if "sources" in unreported:
        return _named(result, texts)
    return ()


def token_ids_of(result: FillResult, unreported: Collection[Unreported]) -> Iterator[int]:
    """Token ids whose texts `tokens_of` needs."""
    entries = [entry.logprob for entry in result.trace] if result.trace else result.logprobs
    for entry in entries:
        if entry is not None:
            yield from (token for token, _ in (*entry.top, *entry.top_allowed))
    if not result.trace and "sources" in unreported:
        yield from (entry.token_id for entry in result.logprobs)


def _traced(
    result: FillResult, texts: Mapping[int, str], unreported: Collection[Unreported], sent_s: float
) -> tuple[TracedToken, ...]:
    tokens = []
    begin = 0
    last = len(result.trace) - 1
    for index, entry in enumerate(result.trace):
        # A character that was never finished belongs to the last token.
        end = entry.text_end if index < last or len(result.token_ids) > len(result.trace) else len(result.text)
        scored = entry.logprob if "log-probabilities" not in unreported else None
        at_s = entry.at_s if "times" not in unreported else None
        tokens.append(
            TracedToken(
                text=result.text[begin:end],
                token_id=entry.token_id,
                source=entry.source if "sources" not in unreported else None,
                num_allowed=entry.num_allowed if "masks" not in unreported else None,
                logprob=scored.logprob if scored is not None else None,
                constrained=scored.constrained if scored is not None else None,
                alternatives=_alternatives(entry, scored, texts) if scored is not None else (),
                at_s=sent_s + at_s if at_s is not None else None,
                step=entry.step if "steps" not in unreported else None,
                cost_ms=entry.cost_ms if "steps" not in unreported else None,
            )
        )
        begin = end
    # A stop that cut a token: what stood before it was encoded anew.
    recoded = result.token_ids[len(result.trace) :]
    if recoded:
        tokens.append(TracedToken(result.text[begin:], recoded[0] if len(recoded) == 1 else None, "recoded"))
    return tuple(tokens)


def _named(result: FillResult, texts: Mapping[int, str]) -> tuple[TracedToken, ...]:
    """Tokens that an API named beside their log-probabilities, if they are those of the text."""
    if "".join(texts[entry.token_id] for entry in result.logprobs) != result.text:
        return ()
    return tuple(
        TracedToken(
            texts[entry.token_id],
            logprob=entry.logprob,
            alternatives=tuple(Alternative(texts[token], None, value) for token, value in entry.top),
        )
        for entry in result.logprobs
    )


def _alternatives(entry: TokenTrace, scored: TokenLogprob, texts: Mapping[int, str]) -> tuple[Alternative, ...]:
    """The likeliest tokens and the likeliest allowed ones, by their log-probability before masking."""
    if entry.source != "sampled" or entry.num_allowed == 1:
        return _merged(scored.top, {}, entry.token_id, texts)
    if not scored.top_allowed:  # nothing was forbidden
        return _merged(scored.top, dict(scored.top), entry.token_id, texts)
    constrained = scored.constrained if scored.constrained is not None else scored.logprob
    masked_mass = constrained - scored.logprob  # what a log-probability gains among the allowed tokens
    allowed = dict(scored.top_allowed)
    more = [(token, value - masked_mass) for token, value in scored.top_allowed]
    return _merged((*scored.top, *more), allowed, entry.token_id, texts)


def _merged(
    raw: Sequence[tuple[int, float]],
    allowed: Mapping[int, float],
    token_id: int,
    texts: Mapping[int, str],
) -> tuple[Alternative, ...]:
    """Every token but `token_id`, the one that was taken; each once, likeliest first.

    A token that is among the likeliest and not among the likeliest allowed ones is forbidden: as many of these are
    known, so that it would be one of them.
    """
    values = {token: value for token, value in reversed(raw) if token != token_id}
    ranked = sorted(values.items(), key=lambda pair: -pair[1])
    return tuple(Alternative(texts[token], token, value, allowed.get(token)) for token, value in ranked)
