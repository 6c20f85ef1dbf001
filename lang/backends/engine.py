"""The in-process engine as a backend."""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, Protocol, TypeGuard, cast

from slipform.grammars.spec import GrammarSpec
from slipform.lang.backend import Call, Listener, ScoreRequest, Scores
from slipform.lang.chat_template import ChatTemplate
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


class VocabularyLike(Protocol):
    @property
    def special_ids(self) -> Sequence[int]: ...


class TokenizerLike(Protocol):
    """What this backend needs of an engine's tokenizer."""

    @property
    def chat_template(self) -> str | None: ...
    @property
    def special_tokens(self) -> Mapping[str, str]: ...
    @property
    def vocabulary(self) -> VocabularyLike: ...

    def encode(self, text: str, *, parse_special: bool = False) -> Sequence[int]: ...
    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str: ...


class EngineLike(Protocol):
    """What this backend needs of an engine."""

    @property
    def tokenizer(self) -> TokenizerLike: ...

    def submit(self, request: GenerateRequest, on_event: Callable[[Event], None] | None = None) -> Call: ...
    def compile(self, spec: GrammarSpec) -> "Future[Any]": ...
    def statistics(self) -> Any: ...
    def flush_cache(self) -> None: ...
    def start(self) -> Any: ...
    def close(self) -> None: ...


def is_engine(value: object) -> TypeGuard[EngineLike]:
    return all(hasattr(value, name) for name in ("tokenizer", "submit", "compile", "flush_cache"))


class EngineBackend:
    """Runs programs on an engine in this process."""

    def __init__(self, engine: EngineLike) -> None:
        self._engine = engine
        tokenizer = engine.tokenizer
        self._template = None
        if tokenizer.chat_template:
            specials = [
                tokenizer.decode([token_id], skip_special_tokens=False) for token_id in tokenizer.vocabulary.special_ids
            ]
            self._template = ChatTemplate(
                tokenizer.chat_template, named_tokens=tokenizer.special_tokens, special_tokens=specials
            )
        engine.start()

    @classmethod
    def around(cls, engine: EngineLike) -> "EngineBackend":
        return cls(engine)

    @property
    def engine(self) -> EngineLike:
        return self._engine

    @property
    def name(self) -> str:
        return "this engine"

    @property
    def chat_template(self) -> ChatTemplate | None:
        return self._template

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        return self._engine.submit(request, on_event=listener)

    def prepare(self, specs: Sequence[GrammarSpec]) -> None:
        for future in [self._engine.compile(spec) for spec in specs]:
            future.result()

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        return tuple(self._engine.tokenizer.encode(text, parse_special=parse_special))

    def decode(self, token_ids: Sequence[int]) -> str:
        return self._engine.tokenizer.decode(token_ids, skip_special_tokens=False)

    def flush_cache(self) -> None:
        self._engine.flush_cache()

    def server_info(self) -> Mapping[str, Any]:
        return asdict(cast("Any", self._engine.statistics()))

    def close(self) -> None:
        self._engine.close()

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        return run_steps(self._score(request))

    def _score(self, request: ScoreRequest) -> "Steps[Scores]":
        """Compute the context once, then read all options after it in one batch.

        An option's first characters may share a token with the end of the context. So each option is encoded together
        with the context's text, and all options count from the last token that all of these encodings and the context
        have in common.
        """
        context_ids: tuple[int, ...] = ()
        cached_len = 0
        if request.context:
            done: RequestFinished = yield self._ask(f"{request.request_id}-context", request.context, None)
            context_ids, cached_len = done.sequences[0].token_ids, done.sequences[0].cached_len
        begin = max(0, len(context_ids) - 1)
        while True:
            finished: list[RequestFinished] = yield gather(
                [
                    self._ask(f"{request.request_id}-{begin}-{index}", (*request.context, Text(option)), begin)
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
                    self._ask(f"{request.request_id}-alone-{index}", (TokenIds(score.token_ids),), 0)
                    for index, score in enumerate(scores)
                ]
            )
            scores = [
                OptionScore(score.token_ids, score.logprobs, _option_score(event.sequences[0], 0, 0).logprobs)
                for score, event in zip(scores, alone, strict=True)
            ]
        return Scores(tuple(scores), len(context_ids), cached_len)

    def _ask(self, request_id: str, segments: Sequence[Any], prompt_logprobs_from: int | None) -> "Future[Any]":
        future = new_future()

        def listen(event: Event) -> None:
            if isinstance(event, RequestFinished):
                future.set_result(event)
            elif isinstance(event, RequestFailed):
                future.set_exception(event.error)

        request = GenerateRequest(request_id, tuple(segments), prompt_logprobs_from=prompt_logprobs_from)
        self._engine.submit(request, on_event=listen)
        return future


class Runtime(EngineBackend):
    """An engine on a checkpoint, as a backend that the program makes and shuts down itself; SGLang's name for it.

    Args:
        model_path: a checkpoint directory; None is the embedded model. options: fields of the engine's configuration.
    """

    def __init__(self, model_path: str | None = None, **options: Any) -> None:
        # Named instead of imported: the language must load where no engine is installed or wanted.
        super().__init__(importlib.import_module("slipform.runtime.engine").Engine(model_path, **options))

    def shutdown(self) -> None:
        """Stop the engine; requests in flight end with EngineStopped."""
        self.close()

    def get_tokenizer(self) -> TokenizerLike:
        return self.engine.tokenizer


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
