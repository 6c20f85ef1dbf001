"""Text as it arrives, for threads and for event loops. One cursor, two ways to wait."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

from slipform.errors import ProgramError
from slipform.lang.cells import Cell, FillCell, HoleCell, Piece, TextPiece, leaves_of
from slipform.lang.partial import PartialReader
from slipform.lang.steps import wait_async

if TYPE_CHECKING:
    from slipform.lang.state import Machine


class StreamSource(Protocol):
    """What a cursor needs of an interpreter."""

    pieces: list[Piece]
    variables: dict[str, Cell]
    failure: BaseException | None

    def start(self) -> Any: ...
    def is_running(self) -> bool: ...
    def check_failure(self) -> None: ...
    def cell(self, name: str) -> Cell: ...
    def text_waits(self) -> Any: ...
    def meta(self, name: str) -> Any: ...

    @property
    def session(self) -> Any: ...


class Cursor:
    """A reader's place in a growing text: in the whole transcript, or in one variable."""

    def __init__(self, source: StreamSource, name: str | None) -> None:
        self._source = source
        self._name = name
        self._piece = 0
        self._live = 0
        self._sent = 0
        self.finished = False

    def read(self) -> str:
        """What is new; sets `finished` when nothing will follow. Raises: the failure of the fill it stands at."""
        running = self._source.is_running()
        if not running and self._name is None:
            self._source.text_waits()
        if self._name is None:
            text = self._read_pieces(self._source.pieces)
            complete = not running and self._piece == len(self._source.pieces)
            if complete and not text:
                self._source.check_failure()
            # What arrived before a failure is delivered first; the next read raises it.
            self.finished = complete and (not text or self._source.failure is None)
            return text
        cell = self._source.variables.get(self._name)
        if cell is None:
            if not running:
                self._source.cell(self._name)
            return ""
        if not running:
            for leaf in cell.leaves():
                leaf.strand.start()
        text = self._read_pieces([cell])
        self.finished = self._piece == 1
        return text

    def _read_pieces(self, pieces: list[Piece]) -> str:
        parts: list[str] = []
        while self._piece < len(pieces):
            piece = pieces[self._piece]
            if isinstance(piece, TextPiece):
                parts.append(piece.text)
            elif isinstance(piece, HoleCell) and not piece.future.done():
                new = piece.live[self._live :]
                arrived = "".join(new)
                self._live += len(new)
                self._sent += len(arrived)
                parts.append(arrived)
                break
            elif any(not leaf.future.done() for leaf in leaves_of([piece])):
                break
            else:
                # The finished text begins with what has been streamed; the rest of it is due now.
                parts.append(piece.text()[self._sent :])
            self._piece += 1
            self._live = self._sent = 0
        return "".join(parts)

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the variable's hole so far."""
        cell = self._source.variables.get(self._name or "")
        if not isinstance(cell, HoleCell):
            return {}
        ids = list(cell.live_token_ids)
        meta: dict[str, Any] = {"token_ids": ids, "completion_tokens": len(ids)}
        if cell.live_logprobs:
            meta["output_token_logprobs"] = [(entry.logprob, entry.token_id, None) for entry in cell.live_logprobs]
        return meta


class TypedCursor:
    """A reader's place in one variable: partials where its hole has a JSON shape, text otherwise."""

    def __init__(self, source: StreamSource, name: str) -> None:
        self._source = source
        self._name = name
        self._cursor = Cursor(source, name)
        self._reader: PartialReader | None = None

    @property
    def finished(self) -> bool:
        return self._cursor.finished

    def read(self) -> Any:
        """A partial, a text, or "" when nothing is new. Raises: as `Cursor.read`; FillError for a part that its type
        refuses."""
        text = self._cursor.read()
        cell = self._source.variables.get(self._name)
        if not isinstance(cell, FillCell) or cell.value_type is None or not cell.value_type.is_json:
            return text
        if cell.num_sequences > 1 or cell.reasoning is not None:
            return text
        if self._reader is None:
            self._reader = PartialReader(cell.value_type.kind)
        if (not text and not self.finished) or self._reader.is_done:
            return ""
        try:
            return self._reader.feed(text, is_last=self.finished)
        except ValueError as error:
            raise cell.error(f"what has been written is no {cell.value_type.label}: {error}") from error


def _cursor_of(source: StreamSource, name: str | None, typed: bool) -> "Cursor | TypedCursor":
    return TypedCursor(source, name) if typed and name is not None else Cursor(source, name)


def iterate(machine: "Machine", name: str | None, *, typed: bool = False) -> Iterator[Any]:
    source = _source(machine)
    cursor = _cursor_of(source, name, typed)
    changed = threading.Event()
    wake = changed.set
    source.session.subscribe(wake)
    try:
        while True:
            changed.clear()
            text = cursor.read()
            if text:
                yield text
            if cursor.finished:
                return
            if not text:
                changed.wait()
    finally:
        source.session.unsubscribe(wake)


async def iterate_async(machine: "Machine", name: str | None, *, typed: bool = False) -> AsyncIterator[Any]:
    source = _source(machine)
    async for _, piece in _cursors(source, _cursor_of(source, name, typed)):
        if piece:
            yield piece


async def iterate_with_meta(machine: "Machine", name: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    source = _source(machine)
    cursor = Cursor(source, name)
    async for _, text in _cursors(source, cursor):
        if cursor.finished:
            cell = source.variables[name]
            for leaf in cell.leaves():
                await wait_async(leaf.strand.start())
            yield text, source.meta(name)
        elif text:
            yield text, cursor.meta


async def _cursors(
    source: StreamSource, cursor: "Cursor | TypedCursor"
) -> AsyncIterator[tuple["Cursor | TypedCursor", Any]]:
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(changed.set)

    listener: Callable[[], None] = wake
    source.session.subscribe(listener)
    try:
        while not cursor.finished:
            changed.clear()
            text = cursor.read()
            if text or cursor.finished:
                yield cursor, text
            else:
                await changed.wait()
    finally:
        source.session.unsubscribe(listener)


def _source(machine: "Machine") -> StreamSource:
    if not hasattr(machine, "pieces"):
        raise ProgramError("a trace has no text to stream", primitive="text_iter")
    return cast("StreamSource", machine)
