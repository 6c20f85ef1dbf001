"""What a run's trace holds: plain frozen values, which become JSON and come back.

    RunTrace
    ├── branches     the text, segment by segment; branch 0 is the program itself, the others are what forks made
    │   └── segments     constant text, template text, fills, selects, each with the role it stands in
    │       └── tokens       how each came to be, and what else might have stood there
    └── requests     what was sent for it, and when

A value of None is not known: the backend does not report it, or the run was not asked for it (`RunTrace.missing` says
which). Times are in seconds after the run began. Log-probabilities are natural logarithms.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer

from slipform.runtime.request import TokenSource

Detail = Literal["kept", "tokens", "full"]
"""How much a run recorded: what it keeps anyway; each token's time and what of a prompt was cached, too; or
log-probabilities and alternatives as well."""

SegmentKind = Literal["text", "template", "fill", "call", "select"]
RequestKind = Literal["fill", "select", "prefix"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that might have stood in a token's place.

    `logprob` is before masking; `constrained` among the tokens that the mask allowed, None for one that it forbade.
    """

    text: str
    token_id: int | None
    logprob: float | None
    constrained: float | None = None


@dataclass(frozen=True, slots=True)
class TracedToken:
    """One token of a fill.

    Attributes:
        text: its share of the fill's text; empty where it holds only a part of a character.
        source: "recoded" for text before a stop that cut a token in two; None where the backend does not say.
        num_allowed: tokens that the mask admitted; the vocabulary's size without one.
        logprob, constrained: of this token, before masking and among the allowed ones.
        alternatives: the likeliest tokens, and the likeliest of those allowed, likeliest first.
        step: index of the engine step that made it. cost_ms: that step's time divided by its tokens.
    """

    text: str
    token_id: int | None = None
    source: TokenSource | Literal["recoded"] | None = None
    num_allowed: int | None = None
    logprob: float | None = None
    constrained: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    at_s: float | None = None
    step: int | None = None
    cost_ms: float | None = None


@dataclass(frozen=True, slots=True)
class TracedSample:
    """One sequence of a fill with n > 1, other than the one that stands in the text."""

    text: str
    tokens: tuple[TracedToken, ...] = ()
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TracedChoice:
    """One choice of a select. `logprob` is of the whole choice, `probability` among the choices."""

    text: str
    probability: float
    logprob: float


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call that a `sf.call` loop ran, and what the model was told of it."""

    tool: str
    arguments: str
    told: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the text that has one origin. The texts of a branch's segments make up what the branch wrote.

    Attributes:
        role: of the message that it stands in, or None. name: of the variable that it fills.
        origin: `path:line` of the program. constraint: what the text had to match, for people.
        request: index of the request that filled it. state: "pending" and "failed" have no text; `error` says why.
        tokens: of `written` where that is set, otherwise of `text`.
        written: what the model wrote, where the text is only a part of it (thoughts are left out).
        sampling: options of the fill that differ from their defaults. seed: 64 bits that determine its draws.
        samples: further sequences of the same fill. choices: of a select, with `entropy` (nats) and `margin`.
        calls: tool calls that a turn of a `sf.call` loop (kind "call") asked for.
    """

    kind: SegmentKind
    text: str = ""
    role: str | None = None
    name: str | None = None
    origin: str | None = None
    constraint: str | None = None
    request: int | None = None
    state: Literal["done", "pending", "failed"] = "done"
    error: str | None = None
    tokens: tuple[TracedToken, ...] = ()
    written: str | None = None
    finish_reason: str | None = None
    matched_stop: str | int | None = None
    closed: bool = False
    sampling: dict[str, Any] = field(default_factory=dict)
    seed: Annotated[int | None, PlainSerializer(str, when_used="json-unless-none")] = None  # too long for JavaScript
    mask_ms: float | None = None
    samples: tuple[TracedSample, ...] = ()
    choices: tuple[TracedChoice, ...] = ()
    entropy: float | None = None
    margin: float | None = None
    calls: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of text.

    Attributes:
        path: how it came about: () is the program, (1, 0) the first branch made by the second branch made by it.
        parent: index of the branch it goes on from, or None. after: how many of that one's own segments it begins
            behind. fork: number of the fork among the parent's; its branches run together.
        segments: its own, without those of the branch it goes on from.
        variables: what it filled or set itself, by name: a text, or a list of texts.
    """

    path: tuple[int, ...]
    parent: int | None
    after: int
    fork: int
    segments: tuple[Segment, ...]
    variables: dict[str, str | list[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What the branch wrote itself."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """One request to the backend.

    Attributes:
        kind: "prefix" computes text that a fork's branches share. branch: index of the branch that sent it.
        sent_s, first_text_s, ended_s: as the sender's clock saw it; None where it did not happen.
        queue_s, first_token_s, total_s: as the backend saw it, in seconds after its arrival there: until admission,
            until the first token, in all. What lies between the first two is the prefill.
        prompt_len, cached_len: tokens before the first hole, and how many of them the prefix cache held.
        cached_chars: length of the branch's text that the cached tokens spell, from the very beginning.
    """

    request_id: str
    kind: RequestKind
    branch: int
    sent_s: float
    first_text_s: float | None = None
    ended_s: float | None = None
    queue_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    prompt_len: int | None = None
    cached_len: int | None = None
    cached_chars: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a trace adds up to. Tokens are output tokens, except `prompt` and `cached`; None where nothing is known.

    `passes`: engine steps that made the tokens. `requests` leaves out those that only computed a prefix.
    """

    tokens: int
    sampled: int
    forced: int
    closing: int
    passes: int | None
    requests: int
    prompt: int | None
    cached: int | None
    branches: int
