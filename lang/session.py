"""A session: what all strands (strand.py) of one program run share."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal

from slipform.errors import FillError
from slipform.lang.backend import Backend, Call, Listener, WritesMessages, fuses
from slipform.lang.cells import HoleCell
from slipform.lang.ids import RequestIds
from slipform.lang.steps import new_future
from slipform.lang.trace_log import RequestNote
from slipform.lang.trace_record import RequestKind
from slipform.runtime.request import Event, GenerateRequest, RequestFailed, RequestFinished

if TYPE_CHECKING:
    from slipform.lang.interpreter import Interpreter
    from slipform.lang.run import Run
    from slipform.lang.strand import Strand

Seeds = Mapping[tuple[tuple[int, ...], int], int]
"""Seeds of fills, by the path of their branch and their number in it."""


class Session:
    """The backend of a run, its options, its requests in flight, and who listens to progress.

    Attributes:
        fuse: whether a run of fills goes out as one request. asynchronous: the program is an `async def`.
        num_spec_tokens: how far to let a backend that takes one fill a request write ahead; 0 for not at all.
        num_message_tokens: the same for one that asks for whole messages.
        trace: what requests note of their tokens. notes: of every request, in the order in which they were sent.
        seeds: of fills, instead of their own. root: the program's own machine. run: what it is a run of.
        began_s: of `time.monotonic`. began_at: of `time.time`.
        shows_text: text is asked for as it is written; without it a fill's text comes when the fill is over.
        running: a stream reads while the body runs, on the thread `body_thread` where it has one.
    """

    def __init__(
        self,
        backend: Backend,
        program: str,
        *,
        ids: RequestIds,
        fuse: bool = True,
        asynchronous: bool = False,
        num_spec_tokens: int = 0,
        trace: bool | Literal["full"] = False,
        seeds: Seeds | None = None,
    ) -> None:
        self.backend = backend
        self.program = program
        whole = isinstance(backend, WritesMessages) and backend.writes_messages
        self.num_message_tokens = num_spec_tokens if whole else 0
        self.fuse = fuse and (fuses(backend) or self.num_message_tokens > 0)
        self.num_spec_tokens = 0 if fuses(backend) or whole else num_spec_tokens
        self.ids = ids
        self.asynchronous = asynchronous
        self.trace = trace
        self.seeds = seeds
        self.notes: list[RequestNote] = []
        self.root: Interpreter | None = None
        self.run: Run | None = None
        self.began_s = time.monotonic()
        self.began_at = time.time()
        self.shows_text = True
        self.running = False
        self.body_thread: int | None = None
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._calls: set[Call] = set()
        self._aborted = threading.Event()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` at every progress. Requests that are sent from now on show their text as it is written."""
        with self._lock:
            self._listeners = [*self._listeners, listener]
            self.shows_text = True

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners = [other for other in self._listeners if other is not listener]

    def notify(self) -> None:
        for listener in self._listeners:
            listener()

    def abort(self) -> None:
        """End every request in flight and send no more."""
        with self._lock:
            self._aborted.set()
            calls = list(self._calls)
        for call in calls:
            call.abort()

    def note(self, request_id: str, kind: RequestKind, strand: "Strand", holes: Sequence[HoleCell]) -> RequestNote:
        """Note that a request is sent."""
        note = RequestNote(request_id, kind, strand, holes, time.monotonic())
        self.notes.append(note)
        return note

    def send(
        self, request: GenerateRequest, note: RequestNote, on_event: Callable[[Event], None]
    ) -> "Future[RequestFinished]":
        """Submit a request; deltas and finished fills go to `on_event`."""
        future = new_future()
        if self._aborted.is_set():
            future.set_exception(FillError("the run was aborted", program=self.program))
            return future
        calls: list[Call] = []

        def listen(event: Event) -> None:
            if isinstance(event, (RequestFinished, RequestFailed)):
                with self._lock:
                    self._calls.difference_update(calls)
                if isinstance(event, RequestFinished):
                    note.note_finished(event, keep_ids=bool(self.trace))
                    future.set_result(event)
                else:
                    note.note_end(event.error)
                    future.set_exception(event.error)
            else:
                note.note_text()
                on_event(event)

        call = self._submit(request, listen)
        with self._lock:
            calls.append(call)
            if not future.done():
                self._calls.add(call)
        if self._aborted.is_set():  # meanwhile, so that `abort` could not see this call
            call.abort()
        return future

    def _submit(self, request: GenerateRequest, listener: Listener) -> Call:
        if self.num_message_tokens and isinstance(self.backend, WritesMessages):
            return self.backend.submit_messages(request, listener, self.num_message_tokens)
        return self.backend.submit(request, listener)
