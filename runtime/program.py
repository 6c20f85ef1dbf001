"""A request made ready: its texts encoded, its fills checked. Runs on the thread of whoever submits it."""

from dataclasses import dataclass

import numpy as np

from slipform.errors import InvalidRequest, OutputTooLong, PoolExhausted, PromptTooLong
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.params import MAX_TOP_LOGPROBS, SamplingParams
from slipform.runtime.radix_cache import IdArray
from slipform.runtime.request import Fill, GenerateRequest, Text, TokenIds
from slipform.runtime.stopping import StopFinder
from slipform.runtime.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class KnownPart:
    """Tokens that are known beforehand. `healable`: plain text, whose seam to a fill behind it may be healed.

    `text` is what it adds to the text of the result.
    """

    ids: IdArray
    text: str
    healable: bool


@dataclass(frozen=True, slots=True)
class FillPart:
    """Fill number `index` of the request.

    Attributes:
        finder: looks for stops, or None. end_ids: tokens that end it by themselves.
        edits_masks: its parameters can change what its grammar allows. has_penalties: they count its tokens.
    """

    fill: Fill
    index: int
    finder: StopFinder | None
    end_ids: frozenset[int]
    edits_masks: bool
    has_penalties: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for (lengths in tokens). `num_slots` is the size of the KV pool."""

    max_n: int
    max_context: int
    num_slots: int


@dataclass(frozen=True, slots=True)
class Program:
    """A request whose segments are ready to run. `prompt_len`: tokens before the first fill."""

    request: GenerateRequest
    parts: tuple[KnownPart | FillPart, ...]
    prompt_len: int
    has_fill: bool

    @property
    def constraints(self) -> set[GrammarSpec]:
        fills = (part.fill for part in self.parts if isinstance(part, FillPart))
        return {fill.constraint for fill in fills if fill.constraint is not None}


def prepare(request: GenerateRequest, tokenizer: Tokenizer, vocab_size: int, limits: Limits) -> Program:
    """Encode and check a request.

    Adjacent texts with the same `parse_special` are encoded as one. A context that begins with text begins as the
    tokenizer begins a text (BOS); one that begins with `TokenIds` is taken as it is; one that begins with a fill begins
    with `Tokenizer.start_ids`.

    Raises: InvalidRequest naming the field; PromptTooLong if the known tokens and one for each fill exceed the context;
        OutputTooLong if the prompt and `reserve_tokens` do;
        PoolExhausted if they exceed the whole KV pool.
    """
    if not 1 <= request.n <= limits.max_n:
        raise InvalidRequest(f"must be in [1, {limits.max_n}], got {request.n}", field="n")
    if request.prompt_logprobs_from is not None and request.prompt_logprobs_from < 0:
        raise InvalidRequest("must not be negative", field="prompt_logprobs_from")
    limit = min(MAX_TOP_LOGPROBS, vocab_size)
    for field in ("prompt_top_logprobs", "trace_top_logprobs"):
        if not 0 <= getattr(request, field) <= limit:
            raise InvalidRequest(f"must be in [0, {limit}], got {getattr(request, field)}", field=field)
    if request.trace_top_logprobs and not request.trace:
        raise InvalidRequest("needs trace", field="trace_top_logprobs")
    if request.deadline_s is not None and not request.deadline_s > 0:
        raise InvalidRequest("must be positive", field="deadline_s")
    if request.reserve_tokens < 0:
        raise InvalidRequest("must not be negative", field="reserve_tokens")
    parts: list[KnownPart | FillPart] = []
    text_run: list[Text] = []
    num_fills = 0
    starts_with_text = next((not isinstance(s, TokenIds) for s in request.segments if s != TokenIds(())), True)

    def close_run() -> None:
        if text_run:
            text = "".join(segment.text for segment in text_run)
            special = text_run[0].parse_special
            ids = tokenizer.encode(text, parse_special=special, at_start=starts_with_text and not parts)
            if ids:
                parts.append(KnownPart(np.array(ids, dtype=np.int64), text, healable=bool(text) and not special))
            text_run.clear()

    for segment in request.segments:
        if isinstance(segment, Text):
            if text_run and text_run[0].parse_special != segment.parse_special:
                close_run()
            text_run.append(segment)
            continue
        close_run()
        if isinstance(segment, TokenIds):
            if segment.ids:
                ids = np.array(segment.ids, dtype=np.int64)
                if ids.min() < 0 or ids.max() >= vocab_size:
                    raise InvalidRequest(f"token ids must be in [0, {vocab_size})", field="segments")
                parts.append(KnownPart(ids, "", healable=False))
            continue
        if not parts and tokenizer.start_ids:
            parts.append(KnownPart(np.array(tokenizer.start_ids, dtype=np.int64), "", healable=False))
        if not parts:
            problem = (
                "a fill needs a token before it, and the tokenizer names neither a BOS nor an end token to start with"
            )
            raise InvalidRequest(problem, field="segments")
        _check_ids(segment.sampling, vocab_size)
        if segment.sampling.allowed_token_ids and segment.finish == "valid":
            raise InvalidRequest('cannot be combined with finish="valid"', field="allowed_token_ids")
        parts.append(_fill_part(segment, num_fills, tokenizer))
        num_fills += 1
    close_run()
    if not parts:
        raise InvalidRequest("the request holds no token", field="segments")
    known_len = sum(len(part.ids) for part in parts if isinstance(part, KnownPart))
    first_fill = next((i for i, part in enumerate(parts) if isinstance(part, FillPart)), len(parts))
    prompt_len = sum(len(part.ids) for part in parts[:first_fill] if isinstance(part, KnownPart))
    if known_len + num_fills > limits.max_context:
        raise PromptTooLong(known_len + num_fills, limits.max_context)
    if known_len + num_fills > limits.num_slots:
        raise PoolExhausted(known_len + num_fills, limits.num_slots, 0)
    if prompt_len + request.reserve_tokens > min(limits.max_context, limits.num_slots):
        raise OutputTooLong(prompt_len, request.reserve_tokens, min(limits.max_context, limits.num_slots))
    return Program(request, tuple(parts), prompt_len, num_fills > 0)


def _fill_part(fill: Fill, index: int, tokenizer: Tokenizer) -> FillPart:
    params = fill.sampling
    finder = StopFinder(params.stop, params.stop_regex) if params.stop or params.stop_regex else None
    end_ids = frozenset(params.stop_token_ids) | (frozenset() if params.ignore_eos else frozenset(tokenizer.eos_ids))
    edits_masks = params.min_tokens > 0 or params.ignore_eos or bool(params.stop_token_ids or params.allowed_token_ids)
    has_penalties = bool(params.frequency_penalty or params.presence_penalty or params.repetition_penalty != 1.0)
    return FillPart(fill, index, finder, end_ids, edits_masks, has_penalties)


def _check_ids(params: SamplingParams, vocab_size: int) -> None:
    for field, ids in (
        ("stop_token_ids", params.stop_token_ids),
        ("logit_bias", [index for index, _ in params.logit_bias]),
        ("allowed_token_ids", params.allowed_token_ids),
        ("logprob_token_ids", params.logprob_token_ids),
    ):
        for index in ids:
            if not 0 <= index < vocab_size:
                raise InvalidRequest(f"token {index} is not in [0, {vocab_size})", field=field)
    if params.top_logprobs > vocab_size:
        raise InvalidRequest(f"the vocabulary has {vocab_size} tokens", field="top_logprobs")
