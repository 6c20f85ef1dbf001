"""A backend that answers from a script: programs can be tested without a model, fast and the same every time."""

import json
import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import jsonschema
from pydantic import TypeAdapter

from slipform.errors import BackendError, BudgetTooSmall, SlipformError
from slipform.grammars.spec import AnyText, Choice, GrammarSpec, JsonSchema, Regex
from slipform.lang.arguments import checked
from slipform.lang.backend import Call, Listener, ScoreRequest, Scores, Unreported
from slipform.lang.chat_template import ChatTemplate
from slipform.lang.choices import OptionScore
from slipform.lang.offline import completion, matches
from slipform.lang.steps import new_future
from slipform.runtime.request import (
    Fill,
    FillFinished,
    FillResult,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    RequestTimes,
    SequenceResult,
    Text,
    TextDelta,
    TokenIds,
    TokenLogprob,
    TokenTrace,
)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Answer = Any
"""Text, or a value to be written as JSON; a list gives one after the other; a callable gets the text before the
hole."""

Validator = Callable[[GrammarSpec, str], bool]


@dataclass(frozen=True, slots=True)
class _Done:
    """A request that is over already."""

    def abort(self) -> None:
        return None


class WordTokens:
    """A tokenizer without a table: each word with its blank before it, and each special token, is one token, and its id
    is the number that its bytes make. So ids of one text are the same in every process, and nothing grows."""

    _PLAIN, _SPECIAL = b"\x01", b"\x02"  # the first byte, which also keeps zero bytes behind it

    def __init__(self, special_tokens: Sequence[str]) -> None:
        self._special_tokens = frozenset(special_tokens)
        special = "|".join(map(re.escape, sorted(special_tokens, key=len, reverse=True)))
        words = r" ?\w{1,64}|\s|[^\w\s]"
        self._plain = re.compile(words)
        self._with_special = re.compile(f"{special}|{words}") if special else self._plain

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        if not parse_special:
            return tuple(map(self.whole, self._plain.findall(text)))
        pieces = self._with_special.findall(text)
        return tuple(
            _number(self._SPECIAL, piece) if piece in self._special_tokens else self.whole(piece) for piece in pieces
        )

    def whole(self, text: str) -> int:
        """One id for any text."""
        return _number(self._PLAIN, text)

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(_bytes_of(token_id)[1:].decode("utf-8", "surrogatepass") for token_id in token_ids)

    def is_special(self, token_id: int) -> bool:
        return _bytes_of(token_id).startswith(self._SPECIAL)


def _number(kind: bytes, text: str) -> int:
    return int.from_bytes(kind + text.encode("utf-8", "surrogatepass"), "big")


def _bytes_of(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class ScriptedBackend:
    """Answers each hole from a script, checks the answer against the hole's constraint, and records every request.

        backend = ScriptedBackend({"city": "Paris", "ticket": {"priority": "high"}})
        state = program.run(question="…", backend=backend)

    Args:
        answers: by the hole's name. Text; any other value is written as JSON; a list is used up one by one (and serves
            `n` > 1); a callable is called with the text before the hole. For a select, the option to win, or a dict
            from option to probability.
        patterns: pairs of a regular expression and an answer, tried in order on the text before the hole when no name
            matches.
        default: the answer of holes that nothing else answers; without it they are an error.
        chat_template: Jinja source; ChatML by default, None for a model without one.
        special_tokens: texts that the template uses as special tokens.
        record: False keeps no request and no cached prefix, so that memory does not grow with the requests.
        validate: called as validate(spec, text) for constraints that have no checker here (grammars, shapes, tags); by
            default the grammars' own matcher.

    Attributes:
        requests: every generation request, in order of arrival. scored: every request to score options.
    """

    unreported: frozenset[Unreported] = frozenset(("masks", "log-probabilities", "seeds", "steps", "times"))

    @checked(primitive="ScriptedBackend")
    def __init__(
        self,
        answers: Mapping[str, Answer] | Callable[[str, str], str] | None = None,
        *,
        patterns: Sequence[tuple[str, Answer]] = (),
        default: Answer = None,
        chat_template: str | None = CHATML,
        special_tokens: Sequence[str] = ("<|im_start|>", "<|im_end|>"),
        record: bool = True,
        validate: Validator | None = None,
    ) -> None:
        self._answers = answers if callable(answers) else dict(answers or {})
        self._patterns = [(re.compile(pattern), answer) for pattern, answer in patterns]
        self._default = default
        self._validate = validate or matches
        self._tokens = WordTokens(special_tokens)
        self._template = (
            ChatTemplate(chat_template, special_tokens=special_tokens) if chat_template is not None else None
        )
        self._record = record
        self._used: dict[str, int] = {}
        self._seen: set[tuple[int, ...]] = set()
        self._lock = threading.Lock()
        self.requests: list[GenerateRequest] = []
        self.scored: list[ScoreRequest] = []
        self.prepared: list[GrammarSpec] = []

    @property
    def name(self) -> str:
        return "the scripted backend"

    @property
    def chat_template(self) -> ChatTemplate | None:
        return self._template

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        return self._tokens.encode(text, parse_special=parse_special)

    def decode(self, token_ids: Sequence[int]) -> str:
        return self._tokens.decode(token_ids)

    def prepare(self, specs: Sequence[GrammarSpec]) -> None:
        self.prepared.extend(specs)

    def flush_cache(self) -> None:
        with self._lock:
            self._seen.clear()

    def server_info(self) -> Mapping[str, Any]:
        return {"backend": "scripted", "num_requests": len(self.requests)}

    def close(self) -> None:
        """Nothing runs between requests."""

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        if self._record:
            with self._lock:
                self.requests.append(request)
        try:
            sequences = tuple(self._sequence(request, index, listener) for index in range(request.n))
        except SlipformError as error:
            listener(RequestFailed(request.request_id, error))
        else:
            listener(RequestFinished(request.request_id, sequences, RequestTimes(0.0, 0.0, 0.0)))
        return _Done()

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        if self._record:
            with self._lock:
                self.scored.append(request)
        future = new_future()
        context = self._encode_all(request.context)
        try:
            answer = self._find(request.name, self.decode(context), "select")
            scores = [self._option(option, answer, request) for option in request.options]
        except SlipformError as error:
            future.set_exception(error)
            return future
        future.set_result(Scores(tuple(scores), len(context), self._cached(context)))
        return future

    # Inside

    def _option(self, option: str, answer: Any, request: ScoreRequest) -> OptionScore:
        """Probabilities over the tokens of an option: the wanted one gets 0.9, or what the script says."""
        if isinstance(answer, str) and answer not in request.options:
            raise BackendError(
                f"the script answers {answer!r}, which is none of {list(request.options)}", primitive="select"
            )
        ids = self.encode(option)
        weight = answer.get(option, 0.0) if isinstance(answer, Mapping) else 0.9 if option == answer else 0.1
        logprob = (math.log(weight) if weight > 0 else -1e9) / len(ids)
        return OptionScore(ids, (logprob,) * len(ids), (0.0,) * len(ids) if request.unconditional else ())

    def _sequence(self, request: GenerateRequest, index: int, listener: Listener) -> SequenceResult:
        ids: list[int] = []
        text: list[str] = []
        fills: list[FillResult] = []
        prompt_len = cached_len = 0
        for segment in request.segments:
            if isinstance(segment, TokenIds):
                ids.extend(segment.ids)
            elif isinstance(segment, Text):
                ids.extend(self.encode(segment.text, parse_special=segment.parse_special))
                text.append(segment.text)
            else:
                if not fills:
                    prompt_len, cached_len = len(ids), self._cached(ids)
                result = self._fill(segment, self.decode(ids), ids)
                ids.extend(result.token_ids)
                text.append(result.text)
                for token_id in result.token_ids:
                    listener(TextDelta(request.request_id, index, len(fills), self.decode((token_id,)), (token_id,)))
                listener(FillFinished(request.request_id, index, len(fills), result))
                fills.append(result)
        if not fills:
            prompt_len, cached_len = len(ids), self._cached(ids)
        start = request.prompt_logprobs_from
        scored = tuple(TokenLogprob(token, -0.5) for token in ids[start:]) if start is not None else ()
        if self._record:
            with self._lock:
                self._seen.update(tuple(ids[:count]) for count in range(1, len(ids) + 1))
        reason = fills[-1].finish_reason if fills else "stop"
        return SequenceResult(index, tuple(ids), "".join(text), tuple(fills), reason, prompt_len, cached_len, scored)

    def _cached(self, ids: Sequence[int]) -> int:
        with self._lock:
            return next((count for count in range(len(ids), 0, -1) if tuple(ids[:count]) in self._seen), 0)

    def _encode_all(self, segments: Sequence[Any]) -> tuple[int, ...]:
        ids: list[int] = []
        for segment in segments:
            if isinstance(segment, TokenIds):
                ids.extend(segment.ids)
            else:
                ids.extend(self.encode(segment.text, parse_special=segment.parse_special))
        return tuple(ids)

    def _fill(self, fill: Fill, before: str, context: Sequence[int]) -> FillResult:
        answer = self._find(fill.name, before, "gen")
        text = answer if isinstance(answer, str) else _as_json(answer)
        text, matched = _cut(text, fill)
        ids = self.encode(text)
        reason = "stop"
        num_closing = 0
        if len(ids) > fill.sampling.max_tokens:
            ids, num_closing = self._shortened(ids, fill)
            reason, matched, text = "length", None, self.decode(ids)
        elif not self._matches(fill.constraint, text):
            raise BackendError(
                f"the script answers {text!r}, which {fill.constraint} does not allow", primitive=f"gen({fill.name!r})"
            )
        sampling = fill.sampling
        top = tuple((token_id, -0.5) for token_id in ids[:1]) if sampling.top_logprobs else ()
        scored = ids[: len(ids) - num_closing]
        logprobs = tuple(TokenLogprob(token_id, -0.5, top) for token_id in scored) if sampling.logprobs else ()
        ends = accumulate(len(self.decode((token_id,))) for token_id in ids)
        trace = tuple(
            TokenTrace(token_id, "sampled" if place < len(scored) else "closing", 2, len(context) + place, 0.0, end)
            for place, (token_id, end) in enumerate(zip(ids, ends, strict=True))
        )
        return FillResult(
            fill.name,
            text,
            ids,
            "length" if reason == "length" else "stop",
            matched,
            logprobs,
            trace,
            num_sampled=len(ids) - num_closing,
            num_closing=num_closing,
            closed=reason == "length" and fill.finish == "valid",
        )

    def _shortened(self, ids: Sequence[int], fill: Fill) -> tuple[tuple[int, ...], int]:
        """An answer cut to `max_tokens`, or closed within them where it must end with a match; and how many tokens
        closed it."""
        budget = fill.sampling.max_tokens
        if fill.finish == "cut" or fill.constraint is None:
            return tuple(ids[:budget]), 0
        for kept in range(budget, -1, -1):
            closing = completion(fill.constraint, self.decode(ids[:kept]))
            added = self.encode(closing) if closing is not None else ()
            if closing is not None and kept + len(added) <= budget:
                return (*ids[:kept], *added), len(added)
        raise BudgetTooSmall(len(added), budget)

    def _find(self, name: str | None, before: str, primitive: str) -> Answer:
        answer: Answer = None
        if callable(self._answers):
            answer = self._answers(name or "", before)
        elif name is not None and name in self._answers:
            answer = self._answers[name]
            if isinstance(answer, list):
                answer = self._next(name, answer)
        else:
            for pattern, candidate in self._patterns:
                if pattern.search(before):
                    answer = candidate
                    break
            else:
                answer = self._default
        if callable(answer):
            answer = answer(before)
        if answer is None:
            raise BackendError(
                f"the script has no answer; the text before it ends with {before[-80:]!r}",
                primitive=f"{primitive}({name!r})",
            )
        return answer

    def _next(self, name: str, answers: list[Answer]) -> Answer:
        with self._lock:
            used = self._used.get(name, 0)
            self._used[name] = used + 1
        if used >= len(answers):
            raise BackendError(f"the script's {len(answers)} answers are used up", primitive=f"gen({name!r})")
        return answers[used]

    def _matches(self, spec: GrammarSpec | None, text: str) -> bool:
        match spec:
            case None | AnyText():
                return True
            case Regex():
                return re.fullmatch(spec.pattern, text) is not None
            case Choice():
                return text in spec.options
            case JsonSchema():
                return _json_matches(spec, text)
            case _:
                return self._validate(spec, text)


def _as_json(answer: Any) -> str:
    return TypeAdapter(type(answer)).dump_json(answer).decode()


def _json_matches(spec: JsonSchema, text: str) -> bool:
    """Whether the text is JSON that the whole schema accepts."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return False
    schema = json.loads(spec.schema)
    return bool(jsonschema.validators.validator_for(schema)(schema).is_valid(value))


def _cut(text: str, fill: Fill) -> tuple[str, str | None]:
    """The text up to the first stop, and that stop."""
    found: list[tuple[int, int, str]] = [
        (place, place + len(stop), stop) for stop in fill.sampling.stop if (place := text.find(stop)) >= 0
    ]
    for pattern in fill.sampling.stop_regex:
        match = re.search(pattern, text)
        if match is not None:
            found.append((match.start(), match.end(), pattern))
    if not found:
        return text, None
    start, end, stop = min(found)
    return text[: end if fill.sampling.include_stop else start], stop
