"""What the server tells its metrics, logs and traces about each request."""

from dataclasses import dataclass
from typing import Protocol

from slipform.runtime.request import RequestFinished
from slipform.runtime.statistics import EngineStatistics


@dataclass(frozen=True, slots=True)
class Arrival:
    """A generation that was handed to the engine: one prompt, and the `n` sequences grown from it.

    Attributes:
        request_id: as in the answer's `x-request-id`. route: its path template, such as "/v1/chat/completions".
        client: name of the API key, or "anonymous".
        n, max_tokens: as asked for (max_tokens None: what the context leaves).
        constraint: kind of the constraint ("json_schema", "regex", …), or None for free text.
        program: name of the program that sent it, or None.
        stream: whether the answer is streamed. began_s: `time.monotonic` at arrival. began_ns: `time.time_ns`.
        trace_context: the request's `traceparent` header, or None.
    """

    request_id: str
    route: str
    client: str
    n: int
    max_tokens: int | None
    constraint: str | None
    stream: bool
    began_s: float
    began_ns: int
    trace_context: str | None = None
    program: str | None = None


class Observer(Protocol):
    """Told of every request. Called on the event loop: quick, and never raises."""

    def arrived(self, arrival: Arrival) -> None:
        """The engine accepted the request; exactly one `ended` follows."""

    def first_token(self, arrival: Arrival, seconds: float) -> None:
        """The first text came out, `seconds` after arrival. Streams only."""

    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None:
        """`count` more tokens came out `seconds` after those before them. Streams only."""

    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None:
        """The request is over: with its result, or with the name of an error class."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        """An HTTP request of any route was answered."""

    def engine_restarted(self, reason: str) -> None:
        """The engine process ended without being asked to, and is being started again."""

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        """The metrics page and its content type. `statistics`: the engine's, or None if it never answered."""


class SilentObserver:
    """Tells nobody."""

    def arrived(self, arrival: Arrival) -> None: ...
    def first_token(self, arrival: Arrival, seconds: float) -> None: ...
    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None: ...
    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None: ...
    def answered(self, route: str, status: int, seconds: float) -> None: ...
    def engine_restarted(self, reason: str) -> None: ...

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        return b"", "text/plain; charset=utf-8"
