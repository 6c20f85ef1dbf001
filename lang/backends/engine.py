"""The in-process engine as a backend."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, Protocol, TypeGuard, cast

from slipform.grammars.spec import GrammarSpec
from slipform.lang.backend import Call, Listener, ScoreRequest, Scores
from slipform.lang.backends.scoring import score_options
from slipform.lang.chat_template import ChatTemplate
from slipform.runtime.request import Event, GenerateRequest


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
    def pin(self, token_ids: Sequence[int]) -> tuple[int, int]: ...
    def unpin(self, pin: int) -> None: ...
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

    def constraint_bytes(self, spec: GrammarSpec) -> int:
        """Memory of the compiled constraint, as it is now: it grows where generation visits new parts.

        Raises: GrammarError for one that cannot be honoured.
        """
        num_bytes: int = self._engine.compile(spec).result().num_bytes
        return num_bytes

    def pin(self, token_ids: Sequence[int]) -> Callable[[], None]:
        """See `PinsPrefixes.pin`."""
        pin, _ = self._engine.pin(token_ids)
        return lambda: self._engine.unpin(pin)

    def flush_cache(self) -> None:
        self._engine.flush_cache()

    def server_info(self) -> Mapping[str, Any]:
        return asdict(cast("Any", self._engine.statistics()))

    def close(self) -> None:
        self._engine.close()

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        return score_options(self._engine.submit, request)


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
