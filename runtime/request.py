"""What a client asks for and what it gets back: requests made of segments, events, results. Imports no torch.

A request is a list of segments that the engine executes without coming back to the client:

    TokenIds(ids)            known tokens, taken as they are
    Text("...")              program text, encoded by the engine's tokenizer
    Fill("name", ...)        the model writes, under a constraint if there is one

Adjacent `Text` segments with the same `parse_special` are encoded together, so that splitting a text changes nothing.
Each accepted request ends in exactly one `RequestFinished` or `RequestFailed`.
"""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from slipform.errors import SlipformError
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.params import SamplingParams

FinishReason = Literal["stop", "length", "abort", "error"]
TokenSource = Literal["sampled", "forced", "closing"]
Finish = Literal["cut", "valid"]


@dataclass(frozen=True, slots=True)
class TokenIds:
    """Tokens taken as they are; how a client continues a context it holds as ids."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Program text. `parse_special` reads markers such as `<|im_start|>` as special tokens: for template text only,
    never for text that a user wrote."""

    text: str
    parse_special: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """A hole that the model fills.

    Attributes:
        name: variable that holds the text, or None.
        constraint: what the text must match, or None for free text.
        heal: the seam to the text before is healed: that text's last token may be replaced by a longer one
            that begins with the same bytes. Applies only behind a `Text` with parse_special=False.
        jump_forward: append tokens that the constraint forces without running the model on each one alone.
            Off changes speed only.
        finish: what a constrained fill does at `max_tokens`. "cut": it ends as it stands. "valid": it ends with a
            match, and never takes more than `max_tokens`: a token behind which the shortest completion would not fit
            any more is replaced by the completion itself (source "closing").
    """

    name: str | None = None
    sampling: SamplingParams = field(default_factory=SamplingParams)
    constraint: GrammarSpec | None = None
    heal: bool = True
    jump_forward: bool = True
    finish: Finish = "cut"


Segment = TokenIds | Text | Fill


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One client call.

    Attributes:
        segments: executed in order. A request without a Fill computes its prompt (to warm the cache or to score it).
        n: sequences to grow from the same segments; sequence i of a seeded request uses a seed derived from i.
        prompt_logprobs_from: token position from which log-probabilities of known tokens are returned, or None.
            A request with it reuses cached KV only before that position.
        prompt_top_logprobs: and for each of these tokens the likeliest N alternatives.
        priority: larger goes first. namespace: requests share cached prefixes only within one namespace.
        deadline_s: seconds after arrival at which the request is aborted, or None.
        reserve_tokens: refuse the request unless so many tokens fit the context behind its prompt.
        trace: keep how and when each output token came to be, whatever the engine's own setting. trace_top_logprobs:
            and how likely the model found it, beside the likeliest N tokens; 0 for neither. Changes no text.
        deltas: whether `TextDelta` events are made; the terminal event has all of their text.
    """

    request_id: str
    segments: tuple[Segment, ...]
    n: int = 1
    prompt_logprobs_from: int | None = None
    prompt_top_logprobs: int = 0
    priority: int = 0
    namespace: str = ""
    deadline_s: float | None = None
    trace: bool = False
    trace_top_logprobs: int = 0
    reserve_tokens: int = 0
    deltas: bool = True


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token: its id, its log-probability before masking (natural log), and the alternatives that were asked for.

    `constrained` is the log-probability among the tokens that the mask allowed (0 for a forced one), equal to `logprob`
    without a constraint; None for a token of the prompt. `top_allowed` are the likeliest of the allowed ones with their
    log-probabilities among these; only in traces, and only where a mask forbade something.
    """

    token_id: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    constrained: float | None = None
    top_allowed: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TokenTrace:
    """How one output token came to be: for people who want to know why.

    Attributes:
        num_allowed: tokens the mask admitted (1 for a forced token, the vocabulary's size without a constraint).
        step: index of the engine step that made it. cost_ms: that step's time divided by its tokens.
        text_end: length of the fill's text up to and with this token; a character counts once it is whole.
        at_s: when it was known, in seconds after the request's arrival; None unless the request asks for a trace.
        logprob: None unless the request asks for it. In `FillFinished` it is missing where a token was known before the
            model had read it; the terminal event has it.
    """

    token_id: int
    source: TokenSource
    num_allowed: int
    step: int
    cost_ms: float
    text_end: int = 0
    at_s: float | None = None
    logprob: TokenLogprob | None = None


@dataclass(frozen=True, slots=True)
class FillResult:
    """One filled hole.

    Attributes:
        text: what the fill wrote, without the healed prefix and without a matched stop.
        token_ids: tokens of `text` as they stand in the context.
        matched_stop: the stop string, regex or token id that ended it, or None.
        logprobs: one entry per sampled or forced token when asked for.
        closed: the tokens ran out, and the text matches all the same (`Fill.finish`).
        num_forced, num_sampled, num_closing: tokens that the grammar forced / that were sampled / that closed the text.
        mask_ms: time spent on this fill's masks and automaton.
        start: position of its first token in the context.
        seed: 64 bits that with the positions determined its draws; given as `SamplingParams.seed` they do so again (for
            n > 1 that of sequence 0 does, for all of them). None where the backend does not say.
        seam_len: characters before the fill that its first tokens spell again, since the seam was healed.
    """

    name: str | None
    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    matched_stop: str | int | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    trace: tuple[TokenTrace, ...] = ()
    num_forced: int = 0
    num_sampled: int = 0
    num_closing: int = 0
    closed: bool = False
    mask_ms: float = 0.0
    start: int = 0
    seed: int | None = None
    seam_len: int = 0


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """One finished sequence.

    Attributes:
        token_ids: the whole context at its end; pass it back as `TokenIds` to continue without re-encoding.
        text: the text of all segments but TokenIds, in order.
        prompt_logprobs: entries for known tokens from `prompt_logprobs_from` on.
        cached_len: tokens found in the prefix cache when the sequence was admitted.
    """

    index: int
    token_ids: tuple[int, ...]
    text: str
    fills: tuple[FillResult, ...]
    finish_reason: FinishReason
    prompt_len: int
    cached_len: int
    prompt_logprobs: tuple[TokenLogprob, ...] = ()


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """New text of fill number `fill_index` (counted over the request's fills) of sequence `sequence_index`.

    `logprobs` has an entry for each of `token_ids`, if the fill asks for them. `prompt_len`: tokens before the first
    fill.
    `seam_len`: characters before the fill that its first tokens spell again, since the seam was healed.
    There is one a token of each stream: a struct is made in a tenth of a dataclass's time.
    """

    request_id: str
    sequence_index: int
    fill_index: int
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...] = ()
    prompt_len: int = 0
    seam_len: int = 0


@dataclass(frozen=True, slots=True)
class FillFinished:
    """Fill number `fill_index` is complete. `prompt_len`: tokens before the first fill."""

    request_id: str
    sequence_index: int
    fill_index: int
    result: FillResult
    prompt_len: int = 0


@dataclass(frozen=True, slots=True)
class RequestTimes:
    """Seconds: waiting for admission, to the first token, and in all."""

    queue_s: float
    first_token_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """Terminal event: every sequence ended."""

    request_id: str
    sequences: tuple[SequenceResult, ...]
    times: RequestTimes


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Terminal event: the request ended with an error (`RequestAborted` when the client or a deadline ended it).

    `sequences` holds what was complete by then.
    """

    request_id: str
    error: SlipformError
    sequences: tuple[SequenceResult, ...] = ()


Event = TextDelta | FillFinished | RequestFinished | RequestFailed
