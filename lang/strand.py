"""A strand: items appended between two forks, executed in as few requests as their order allows.

Appending costs nothing and sends nothing. `start` executes what has been appended so far: a straight run of text and
fills becomes one request, whose fills the engine executes without coming back. Requests follow each other by their own
completion (steps.py), so no thread waits inside a strand.

    fork                 strand A: text, fill, text ──┬── strand A' (the program goes on)
                                                      ├── strand B  (branch 0)   its context begins with A's tokens
                                                      └── strand C  (branch 1)   and so do the others': the KV is shared
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from slipform.errors import FillError, SlipformError
from slipform.lang.backend import ScoreRequest, Scores
from slipform.lang.cells import FillCell, HoleCell, SelectCell
from slipform.lang.choices import UNCONDITIONAL_LIKELIHOOD_NORMALIZED, decide
from slipform.lang.faults import as_fill_error
from slipform.lang.meta import fill_meta, select_meta, spoken_ahead_meta
from slipform.lang.session import Session
from slipform.lang.speculation import Ahead, can_widen
from slipform.lang.steps import Steps, done, gather, new_future, run_steps
from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    GenerateRequest,
    RequestFinished,
    Segment,
    Text,
    TextDelta,
    TokenIds,
)

NUM_TRACED_ALTERNATIVES = 5

# A fork computes its prefix once before the branches start; below this it is cheaper to compute it in each.
WARM_MIN_CHARS = 64


@dataclass(frozen=True, slots=True)
class FillItem:
    """A fill to execute. `alone`: it needs a request of its own (several sequences, scored prompt, rewound
    thoughts)."""

    cell: FillCell
    fill: Fill
    n: int = 1
    prompt_logprobs_from: int | None = None
    text_in_logprobs: bool = False

    @property
    def alone(self) -> bool:
        return self.n > 1 or self.prompt_logprobs_from is not None or self.cell.reasoning is not None


@dataclass(frozen=True, slots=True)
class SelectItem:
    cell: SelectCell
    choices: tuple[str, ...]
    method: str


@dataclass(frozen=True, slots=True)
class WarmItem:
    """Compute what is known here, so that branches find it in the cache."""


Item = Text | FillItem | SelectItem | WarmItem


class Strand:
    """One line of execution; see the module's docstring. Thread-safe."""

    def __init__(self, session: Session, base: "Strand | None" = None) -> None:
        self.session = session
        self._base = base
        self._ids: tuple[int, ...] = ()
        self._tail: tuple[Text, ...] = ()  # text behind `_ids`, kept as text: later text is encoded together with it
        self._items: deque[Item] = deque()
        self._target = 0  # items from the left that may be executed now
        self._run: Future[None] | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self.warmed_ids: tuple[int, ...] = ()  # tokens of the last `WarmItem`
        self._ahead = (
            Ahead(session.num_spec_tokens, lambda text: len(session.backend.encode(text)))
            if session.num_spec_tokens
            else None
        )

    def append(self, item: Item) -> None:
        with self._lock:
            self._items.append(item)
            failure = self._failure
        if failure is not None and isinstance(item, (FillItem, SelectItem)):
            item.cell.fail(failure)

    def branch(self) -> "Strand":
        """A strand that goes on from this one's end. Nothing may be appended to this one afterwards."""
        with self._lock:
            settled = self._run is None and self._base is None and self._failure is None
            if not settled or not all(isinstance(item, Text) for item in self._items):
                return Strand(self.session, self)
            self._tail += tuple(item for item in self._items if isinstance(item, Text))
            self._items.clear()
            other = Strand(self.session)
            other._ids, other._tail = self._ids, self._tail
            return other

    @property
    def num_known_chars(self) -> int:
        """Characters of text at the end that no request has carried yet."""
        return sum(len(item.text) for item in (*self._tail, *self._items) if isinstance(item, Text))

    def start(self) -> "Future[None]":
        """Execute all items appended so far; the future is done when they are."""
        with self._lock:
            if self._failure is not None:
                failed = new_future()
                failed.set_exception(self._failure)
                return failed
            self._target = len(self._items)
            if self._run is not None:
                return self._run
            if not self._items and self._base is None:
                return done(None)
            self._run = run = new_future()
        run_steps(self._steps(), into=run)
        return run

    def _steps(self) -> "Steps[None]":
        pending: Sequence[HoleCell] = ()
        try:
            if self._base is not None:
                yield self._base.start()
                self._ids, self._tail = self._base._ids, self._base._tail
                self._base = None
            while True:
                batch = self._take()
                if batch is None:
                    self.session.notify()
                    return
                pending = [item.cell for item in batch if isinstance(item, (FillItem, SelectItem))]
                last = batch[-1]
                if isinstance(last, SelectItem):
                    yield from self._select(last)
                elif isinstance(last, WarmItem):
                    finished: RequestFinished | None = yield self._send((), (), lambda event: None)
                    self.warmed_ids = finished.sequences[0].token_ids if finished is not None else ()
                elif any(isinstance(item, FillItem) for item in batch):
                    yield from self._generate(batch)
                else:
                    self._follow(item for item in batch if isinstance(item, Text))
        except Exception as error:  # whatever it is, everyone who waits for a later hole gets it
            failure = self._explain(error, pending)
            self._fail(failure, pending)
            if failure is error:
                raise
            raise failure from error

    def _take(self) -> list[Item] | None:
        """The next items that one request can carry; None, and the run is over, when the target is reached."""
        with self._lock:
            batch: list[Item] = []
            num_fills = 0
            while self._target > 0:
                item = self._items[0]
                if isinstance(item, FillItem):
                    if num_fills and item.alone:
                        break
                    num_fills += 1
                elif not isinstance(item, Text) and batch:
                    break
                batch.append(self._items.popleft())
                self._target -= 1
                if isinstance(item, (SelectItem, WarmItem)):
                    break
                if isinstance(item, FillItem) and (item.alone or not self.session.fuse):
                    break
            if not batch:
                self._run = None
                return None
            # Text behind the last fill stays text.
            while num_fills and isinstance(batch[-1], Text):
                self._items.appendleft(batch.pop())
                self._target += 1
            return batch

    def _follow(self, texts: Iterable[Text]) -> None:
        """Text that stands behind the context now."""
        for text in texts:
            self._tail += (text,)
            if self._ahead is not None:
                self._ahead.pass_text(text.text)

    def _context(self) -> tuple[Segment, ...]:
        known = (TokenIds(self._ids),) if self._ids else ()
        return (*known, *self._tail)

    def _send(
        self,
        segments: Sequence[Segment],
        holes: Sequence[HoleCell],
        on_event: Callable[[Event], None],
        n: int = 1,
        prompt_logprobs_from: int | None = None,
    ) -> "Future[Any]":
        context = self._context()
        if not context and not segments:
            return done(None)
        trace = self.session.trace
        request = GenerateRequest(
            self.session.ids.next(),
            (*context, *segments),
            n=n,
            prompt_logprobs_from=prompt_logprobs_from,
            trace=bool(trace),
            trace_top_logprobs=NUM_TRACED_ALTERNATIVES if trace == "full" else 0,
            deltas=bool(trace) or self.session.shows_text,
        )
        note = self.session.note(request.request_id, "fill" if holes else "prefix", self, holes)
        return self.session.send(request, note, on_event)

    def _generate(self, batch: Sequence[Item]) -> "Steps[None]":
        fills = [item for item in batch if isinstance(item, FillItem)]
        if self._ahead is not None and len(fills) == 1 and not fills[0].alone:
            yield from self._speculate(batch, fills[0], self._ahead)
            return
        segments = [item.fill if isinstance(item, FillItem) else item for item in batch if _is_segment(item)]
        last = fills[-1]
        holes = [item.cell for item in fills]

        def on_event(event: Event) -> None:
            if isinstance(event, TextDelta) and event.sequence_index == 0:
                cell = fills[event.fill_index].cell
                if cell.reasoning is None:
                    cell.live.append(event.text)
                    cell.live_token_ids.extend(event.token_ids)
                    cell.live_logprobs.extend(event.logprobs)
            elif isinstance(event, FillFinished) and last.n == 1:
                fills[event.fill_index].cell.resolve((event.result,))
            self.session.notify()

        finished: RequestFinished = yield self._send(segments, holes, on_event, last.n, last.prompt_logprobs_from)
        sequences = sorted(finished.sequences, key=lambda sequence: sequence.index)
        for index, item in enumerate(fills):
            item.cell.meta = fill_meta(item, finished, index, self.session.backend)
            item.cell.resolve([sequence.fills[index] for sequence in sequences])
        first = sequences[0]
        self._ids, self._tail = first.token_ids, ()
        if last.cell.reasoning is not None:
            # The thoughts are not part of what follows: go back to where the fill began and put the answer there.
            written = len(first.fills[-1].token_ids)
            self._ids = first.token_ids[: len(first.token_ids) - written]
            answer = last.cell.text()
            self._tail = (Text(answer),) if answer else ()

    def _speculate(self, batch: Sequence[Item], item: FillItem, ahead: Ahead) -> "Steps[None]":
        """Fill one hole out of what an earlier call wrote ahead, or ask for it and for what may follow."""
        texts = tuple(part for part in batch if isinstance(part, Text))
        ahead.pass_text("".join(text.text for text in texts))
        result = ahead.fill(item.fill)
        request_id = ahead.request_id
        if result is not None:
            item.cell.meta = spoken_ahead_meta(request_id, result)
        else:
            speculating = can_widen(item.fill)
            fill = ahead.widened(item.fill) if speculating else item.fill
            finished: RequestFinished = yield self._send((*texts, fill), (item.cell,), lambda event: None)
            written = finished.sequences[0].fills[0]
            is_whole = written.finish_reason == "stop"
            found = ahead.cut(written.text, item.fill, is_whole=is_whole) if speculating else None
            if speculating and found is None:  # the stop is farther away than the speculation: ask as usual
                finished = yield self._send((*texts, item.fill), (item.cell,), lambda event: None)
            result = finished.sequences[0].fills[0]
            item.cell.meta = fill_meta(item, finished, 0, self.session.backend)
            if found is not None:
                ahead.text, ahead.is_whole, ahead.request_id = found.rest, is_whole, finished.request_id
                result = replace(result, text=found.value, matched_stop=found.stop, finish_reason="stop", token_ids=())
        self._tail += (*texts, *((Text(result.text),) if result.text else ()))
        item.cell.resolve((result,))
        self.session.notify()

    def _select(self, item: SelectItem) -> "Steps[None]":
        request = ScoreRequest(
            self.session.ids.next(),
            item.cell.node.name,
            self._context(),
            item.choices,
            unconditional=item.method == UNCONDITIONAL_LIKELIHOOD_NORMALIZED,
        )
        note = self.session.note(request.request_id, "select", self, (item.cell,))
        try:
            scores: Scores = yield self.session.backend.score(request)
        except Exception as error:
            note.note_end(error)
            raise
        note.note_end()
        note.note_prompt(scores.prompt_len, scores.cached_len)
        decision = decide(item.method, scores.options)
        choice = item.choices[decision.index]
        self._follow((Text(choice),))
        item.cell.resolve(choice, select_meta(item.choices, scores, decision, self.session.backend))
        self.session.notify()

    def _explain(self, error: Exception, pending: Sequence[HoleCell]) -> Exception:
        """An engine's error as one that names the program, the holes of the request and their lines."""
        if not isinstance(error, SlipformError) or isinstance(error, FillError) or not pending:
            return error
        unfinished = [cell for cell in pending if not cell.future.done()] or list(pending)
        lines = ", ".join(dict.fromkeys(str(cell.origin) for cell in unfinished if cell.origin))
        holes = ", ".join(cell.node.describe() for cell in unfinished)
        return as_fill_error(error, program=self.session.program, primitive=holes, where=lines)

    def _fail(self, error: Exception, pending: Sequence[HoleCell]) -> None:
        with self._lock:
            self._failure = error
            self._run = None
            rest = [item.cell for item in self._items if isinstance(item, (FillItem, SelectItem))]
            self._items.clear()
            self._target = 0
        for cell in (*pending, *rest):
            cell.fail(error)
        self.session.notify()


def _is_segment(item: Item) -> TypeGuard[Text | FillItem]:
    return isinstance(item, (Text, FillItem))


def settle(strands: Sequence[Strand]) -> "Future[list[None]]":
    """Start all strands; done when all are, with the first failure in order."""
    return gather([strand.start() for strand in strands])
