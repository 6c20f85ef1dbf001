"""One token stream being grown, and the request it belongs to. Written by the engine thread only."""

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from slipform.errors import SlipformError
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.spec import GrammarSpec
from slipform.runtime.cache_manager import Holding
from slipform.runtime.fill_state import FillState
from slipform.runtime.program import FillPart, Program
from slipform.runtime.radix_cache import IdArray
from slipform.runtime.request import (
    FillResult,
    FinishReason,
    GenerateRequest,
    SequenceResult,
    TokenLogprob,
)


class Phase(Enum):
    """Where a sequence is in its life; `DONE` has a result or an error, and holds no slots."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(slots=True, eq=False)
class ActiveRequest:
    """An accepted request on its way to its one terminal event. Times are of `time.monotonic`, in seconds.

    Attributes:
        seed: 64 bits, drawn when the request was accepted: how long its constraints compile changes no text.
    """

    program: Program
    arrival_s: float
    seed: int
    sequences: list["Sequence"] = field(default_factory=list)
    grammars: dict[GrammarSpec, CompiledGrammar] = field(default_factory=dict)
    admitted_s: float | None = None
    first_token_s: float | None = None
    error: SlipformError | None = None
    ended: bool = False

    @property
    def request(self) -> GenerateRequest:
        return self.program.request

    @property
    def deadline_s(self) -> float | None:
        limit = self.request.deadline_s
        return None if limit is None else self.arrival_s + limit


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of known tokens of which the first `computed_len` have their keys and values in the pool.

    Attributes:
        ids: (seq_len,) int64, a view; ids_address: where it lies, until it grows. Both are written by `append`,
            `append_ids` and `truncate` only.
        cursor: index of the next part of the program to execute.
        cached_len: tokens found in the prefix cache at first admission, or None before it.
        unscored: positions of known tokens whose log-probability is still to be computed, ascending.
        scores: log-probabilities by position: from the request's `prompt_logprobs_from` on, and where a trace wants
            those of tokens that were not sampled.
        times_overtaken: admissions of later arrivals while this one was among those that wait longest.
    """

    owner: ActiveRequest
    index: int
    arrival: int
    seed: int
    phase: Phase = Phase.WAITING
    computed_len: int = 0
    cached_len: int | None = None
    cursor: int = 0
    fill: FillState | None = None
    fills: list[FillResult] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    holding: Holding | None = None
    unscored: deque[int] = field(default_factory=deque)
    scores: dict[int, TokenLogprob] = field(default_factory=dict)
    times_overtaken: int = 0
    ids_address: int = field(init=False)
    seq_len: int = 0
    _ids: IdArray = field(init=False)

    def __post_init__(self) -> None:
        self._ids = np.empty(64, dtype=np.int64)
        self.ids_address = self._ids.ctypes.data

    @property
    def ids(self) -> IdArray:
        return self._ids[: self.seq_len]

    @property
    def pending_len(self) -> int:
        """Tokens that are known and not computed."""
        return self.seq_len - self.computed_len

    @property
    def is_complete(self) -> bool:
        """Nothing is left to fill or to score; without any fill, the prompt is computed too."""
        program = self.owner.program
        if self.fill is not None or self.cursor < len(program.parts) or self.unscored:
            return False
        return program.has_fill or self.pending_len == 0

    @property
    def wants_logprobs(self) -> bool:
        """Whether a sampled token's log-probability is wanted."""
        return self.fill is not None and self.fill.wants_logprobs

    def streams_logprobs(self, part: FillPart) -> bool:
        """Whether each token of a fill comes with its log-probability at once."""
        return self.owner.request.prompt_logprobs_from is not None or part.fill.sampling.wants_logprobs

    @property
    def num_top_logprobs(self) -> int:
        """Alternatives wanted beside a sampled token."""
        own = self.fill.part.fill.sampling.top_logprobs if self.fill is not None else 0
        return max(own, self.owner.request.trace_top_logprobs)

    @property
    def num_known_top_logprobs(self) -> int:
        """Alternatives wanted beside a known token that is scored."""
        return max(self.owner.request.prompt_top_logprobs, self.owner.request.trace_top_logprobs)

    @property
    def logprob_token_ids(self) -> tuple[int, ...]:
        return self.fill.part.fill.sampling.logprob_token_ids if self.fill is not None else ()

    @property
    def priority(self) -> int:
        return self.owner.request.priority

    @property
    def namespace(self) -> str:
        return self.owner.request.namespace

    @property
    def reusable_len(self) -> int:
        """How much of the context may come out of the cache: not the token whose logits are wanted next."""
        return (self.unscored[0] if self.unscored else self.seq_len) - 1

    def holds(self, position: int, token_id: int) -> bool:
        """Whether the token at `position` is this one."""
        return position < self.seq_len and bool(self._ids[position] == token_id)

    def last_id(self) -> int:
        return int(self._ids[self.seq_len - 1])

    def append_ids(self, ids: tuple[int, ...]) -> None:
        """Append output tokens."""
        end = self.seq_len + len(ids)
        if end > len(self._ids):
            self._grow(end)
        if len(ids) == 1:
            self._ids[self.seq_len] = ids[0]
        else:
            self._ids[self.seq_len : end] = ids
        self.seq_len = end

    def append(self, ids: IdArray) -> None:
        """Append known tokens. Those at a position that the request wants scored are noted as unscored."""
        end = self.seq_len + len(ids)
        if end > len(self._ids):
            self._grow(end)
        self._ids[self.seq_len : end] = ids
        first = self.owner.request.prompt_logprobs_from
        if first is not None:
            if first == 0 and self.seq_len == 0 and end:
                # Nothing predicts the first token: its probability counts as 1.
                self.scores[0] = TokenLogprob(int(self._ids[0]), 0.0)
            self.unscored.extend(range(max(self.seq_len, first, 1), end))
        self.seq_len = end

    def note_unscored(self) -> None:
        """The last token was not sampled, and its log-probability is wanted."""
        self.unscored.append(self.seq_len - 1)

    def truncate(self, length: int) -> None:
        """Forget the tokens behind the first `length`. Slots are the cache manager's to take back."""
        self.seq_len = length
        self.computed_len = min(self.computed_len, length)
        while self.unscored and self.unscored[-1] >= length:
            self.unscored.pop()
        if self.scores:
            self.scores = {position: score for position, score in self.scores.items() if position < length}

    def result(self, finish_reason: FinishReason) -> SequenceResult:
        request = self.owner.request
        return SequenceResult(
            index=self.index,
            token_ids=tuple(self.ids.tolist()),
            text="".join(self.texts),
            fills=tuple(map(self._scored, self.fills) if request.trace_top_logprobs else self.fills),
            finish_reason=finish_reason,
            prompt_len=self.owner.program.prompt_len,
            cached_len=self.cached_len or 0,
            prompt_logprobs=tuple(self.scores[position] for position in sorted(self.scores))
            if request.prompt_logprobs_from is not None
            else (),
        )

    def _scored(self, fill: FillResult) -> FillResult:
        """With the log-probabilities of tokens that were known before the model had read them; nothing else was
        allowed in their places."""
        trace = tuple(
            replace(entry, logprob=replace(self.scores[position], constrained=0.0))
            if entry.logprob is None and position in self.scores
            else entry
            for position, entry in enumerate(fill.trace, start=fill.start)
        )
        return replace(fill, trace=trace)

    def _grow(self, needed: int) -> None:
        grown = np.empty(max(needed, 2 * len(self._ids)), dtype=np.int64)
        grown[: self.seq_len] = self._ids[: self.seq_len]
        self._ids = grown
        self.ids_address = grown.ctypes.data
