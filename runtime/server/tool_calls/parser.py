"""Reads JSON-like calls back out of an answer, incrementally: everything but the syntax of a format."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import regex

from slipform.runtime.server.pieces import ContentPiece, Piece, ToolCallArguments, ToolCallStart
from slipform.runtime.server.tool_calls.json_scanner import JsonScanner


@dataclass(frozen=True, slots=True)
class CallSyntax:
    """What stands around the arguments of calls, as patterns; NAMES stands for the names of the tools.

        lead  head arguments tail  between  head arguments tail  close

    White space may stand between any two of them.

    Attributes:
        lead: begins a region of calls. head: begins a call and holds its name as group `name`.
        tail: ends a call. between: separates calls of one region, or None where a region holds one call.
        close: ends a region; one without calls may follow its lead at once.
    """

    lead: str
    head: str
    tail: str = ""
    between: str | None = None
    close: str = ""

    def opening(self, names: str) -> str:
        """A pattern of how an answer made of calls begins."""
        close = f"|{self.close}" if self.close else ""
        return rf"{self.lead}\s*(?:{self.head.replace('NAMES', names)}{close})"


class ArgumentScanner(Protocol):
    """Follows the arguments of one call."""

    def take(self, text: str) -> tuple[str, int | None]:
        """Take more text. Returns: more of the arguments as JSON, and how much of `text` belongs to them if they end in
        it, else None."""


class JsonArguments:
    """Arguments that are JSON already."""

    def __init__(self) -> None:
        self._scanner = JsonScanner()

    def take(self, text: str) -> tuple[str, int | None]:
        end = self._scanner.end(text)
        return text[:end], end


class CallParser:
    """Splits one answer into content and calls (a `PieceParser`).

    White space between content and calls belongs to neither and is dropped.

    Args:
        names: pattern of the tools' names. anywhere: calls may follow text; otherwise the answer's beginning decides.
        scanner: makes what follows the arguments of a call.
    """

    def __init__(
        self,
        syntax: CallSyntax,
        names: str,
        *,
        anywhere: bool,
        scanner: Callable[[], ArgumentScanner] = JsonArguments,
    ) -> None:
        self._lead = regex.compile(syntax.lead)
        self._head = regex.compile(syntax.head.replace("NAMES", names))
        self._opening = regex.compile(syntax.opening(names))
        self._tail = regex.compile(syntax.tail)
        self._between = None if syntax.between is None else regex.compile(syntax.between)
        self._close = regex.compile(syntax.close)
        self._anywhere = anywhere
        self._new_scanner = scanner
        self._scanner: ArgumentScanner = scanner()
        self._step: Callable[[], bool] = self._content if anywhere else self._beginning
        self._buffer = ""
        self._held = ""  # a region's lead, until a call in it is certain
        self._space = ""  # white space behind content, until more content follows it
        self._num_calls = 0
        self._behind_call = False
        self._final = False
        self._pieces: list[Piece] = []

    def push(self, text: str) -> list[Piece]:
        self._buffer += text
        return self._run()

    def finish(self) -> list[Piece]:
        self._final = True
        pieces = self._run()
        if self._step in (self._lead_in, self._beginning):
            self._add_content(self._held + self._buffer)
        if self._space and not self._behind_call:
            self._pieces.append(ContentPiece(self._space))
        pieces += self._pieces
        self._pieces = []
        self._buffer = ""
        return pieces

    def _run(self) -> list[Piece]:
        while self._step():
            pass
        pieces, self._pieces = self._pieces, []
        return pieces

    # Each step consumes what it can of the buffer and returns whether another step can go on.

    def _beginning(self) -> bool:
        match = self._match(self._opening)
        if match is None:
            self._step = self._text
            return True
        if match.partial:
            return False
        return self._open_region()

    def _content(self) -> bool:
        match = self._lead.search(self._buffer, partial=not self._final)
        begin = len(self._buffer) if match is None else match.start()
        self._add_content(self._buffer[:begin])
        self._buffer = self._buffer[begin:]
        if match is None or match.partial:
            return False
        return self._open_region()

    def _text(self) -> bool:
        self._add_content(self._buffer)
        self._buffer = ""
        return False

    def _open_region(self) -> bool:
        lead = self._match(self._lead)
        assert lead is not None
        self._held = self._consume(lead)
        self._step = self._lead_in
        return True

    def _lead_in(self) -> bool:
        """Before a call's name."""
        self._held += self._skip_space()
        match = self._match(self._head)
        if match is None:
            return self._end_region()
        if match.partial:
            return False
        self._consume(match)
        self._held = self._space = ""
        self._pieces.append(ToolCallStart(self._num_calls, match["name"]))
        self._num_calls += 1
        self._behind_call = True
        self._scanner = self._new_scanner()
        self._step = self._before_arguments
        return True

    def _before_arguments(self) -> bool:
        self._skip_space()
        if self._buffer:
            self._step = self._arguments
        return bool(self._buffer)

    def _arguments(self) -> bool:
        arguments, end = self._scanner.take(self._buffer)
        if arguments:
            self._pieces.append(ToolCallArguments(self._num_calls - 1, arguments))
        self._buffer = "" if end is None else self._buffer[end:]
        if end is None:
            return False
        self._step = self._after_call
        return True

    def _after_call(self) -> bool:
        self._skip_space()
        match = self._match(self._tail)
        if match is not None and match.partial:
            return False
        if match is not None:
            self._consume(match)
        self._step = self._end_region if self._between is None else self._between_calls
        return True

    def _between_calls(self) -> bool:
        assert self._between is not None
        self._skip_space()
        match = self._match(self._between)
        if match is None:
            return self._end_region()
        if match.partial:
            return False
        self._consume(match)
        self._step = self._lead_in
        return True

    def _end_region(self) -> bool:
        self._held += self._skip_space()
        match = self._match(self._close)
        if match is not None and match.partial:
            self._step = self._end_region
            return False
        if match is None:  # no call after all: what looked like the beginning of one is text
            self._add_content(self._held)
        else:
            self._consume(match)
        self._held = ""
        self._step = self._content if self._anywhere else self._text
        return True

    def _match(self, pattern: "regex.Pattern[str]") -> "regex.Match[str] | None":
        """At the beginning of the buffer; partial where more text could complete it."""
        return pattern.match(self._buffer, partial=not self._final)

    def _consume(self, match: "regex.Match[str]") -> str:
        text, self._buffer = self._buffer[: match.end()], self._buffer[match.end() :]
        return text

    def _skip_space(self) -> str:
        rest = self._buffer.lstrip()
        space = self._buffer[: len(self._buffer) - len(rest)]
        self._buffer = rest
        return space

    def _add_content(self, text: str) -> None:
        text = self._space + text
        body = text.rstrip()
        self._space = text[len(body) :]
        if self._behind_call:
            body = body.lstrip()
        if body:
            self._behind_call = False
            self._pieces.append(ContentPiece(body))
