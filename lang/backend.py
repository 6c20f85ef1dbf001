"""What executes a program's requests, as the interpreter sees it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from slipform.grammars.spec import GrammarSpec
from slipform.lang.chat_template import ChatTemplate
from slipform.lang.choices import OptionScore
from slipform.runtime.request import Event, GenerateRequest, Segment

Listener = Callable[[Event], None]


class Call(Protocol):
    """A request on its way."""

    def abort(self) -> None:
        """End it early; its listener still gets the terminal event."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Options to be read after a context, not written.

    Attributes:
        name: the variable that the choice fills, or None.
        unconditional: score the options' tokens with nothing before them too.
    """

    request_id: str
    name: str | None
    context: tuple[Segment, ...]
    options: tuple[str, ...]
    unconditional: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """One score an option, in order; lengths in tokens of the context and of its part found in the cache."""

    options: tuple[OptionScore, ...]
    prompt_len: int
    cached_len: int


def fuses(backend: object) -> bool:
    """Whether one request may carry several fills. A backend says no with an attribute `fuses = False`."""
    return bool(getattr(backend, "fuses", True))


Unreported = Literal["sources", "masks", "log-probabilities", "seeds", "steps", "times"]
"""What a trace may lack: which tokens were forced, how many were allowed, how likely they were, what they were drawn
with, which engine steps made them and at what cost, and when they and their requests went through the backend."""


def unreported(backend: object) -> frozenset[Unreported]:
    """What the backend does not tell of its tokens. It says so with an attribute `unreported`."""
    found: frozenset[Unreported] = getattr(backend, "unreported", frozenset())
    return found


@runtime_checkable
class PinsPrefixes(Protocol):
    """A backend that can keep what it computed; not every one does."""

    def pin(self, token_ids: Sequence[int]) -> Callable[[], None]:
        """Keep the cached prefix of `token_ids` until the returned function is called, or until others need its
        room."""


@runtime_checkable
class MeasuresConstraints(Protocol):
    """A backend that knows how large its compiled constraints are; not every one does."""

    def constraint_bytes(self, spec: GrammarSpec) -> int:
        """Memory of a compiled constraint. Raises: GrammarError for one that cannot be honoured."""


@runtime_checkable
class WritesMessages(Protocol):
    """A backend whose API may be unable to go on inside a message, and then asks for the whole of it.

    Attributes:
        writes_messages: whether that is so.
    """

    @property
    def writes_messages(self) -> bool: ...

    def submit_messages(self, request: GenerateRequest, listener: Listener, num_tokens: int) -> "Call":
        """`Backend.submit` of a request whose messages may hold several fills; each message is asked for as a whole, of
        up to at least `num_tokens` tokens, and read against the request's text and fills."""


@runtime_checkable
class Backend(Protocol):
    """Executes requests. One backend serves many programs and threads at once. What backends may offer beside this
    say `fuses`, `unreported`, `PinsPrefixes` and `MeasuresConstraints`.

    Attributes:
        name: for messages. chat_template: how the model's messages are written, or None for a model without.
    """

    @property
    def name(self) -> str: ...

    @property
    def chat_template(self) -> ChatTemplate | None: ...

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        """Start a request; `listener` gets its events in order, the last one terminal, on any thread.

        Raises: SlipformError when the request is refused at once (then the listener gets nothing).
        """

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        """The log-probabilities of options."""

    def prepare(self, specs: Sequence[GrammarSpec]) -> None:
        """Compile constraints ahead of their use. Raises: GrammarError for one that cannot be honoured."""

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]: ...

    def decode(self, token_ids: Sequence[int]) -> str: ...

    def flush_cache(self) -> None:
        """Forget cached prefixes that no running request uses."""

    def server_info(self) -> Mapping[str, Any]:
        """Plain values for people: model, sizes, counters."""

    def close(self) -> None: ...
