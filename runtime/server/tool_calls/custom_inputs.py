"""Calls of custom tools: the text that such a tool takes, decoded out of its JSON arguments while they arrive."""

import json
from collections.abc import Iterable, Sequence, Set

import regex

from slipform.runtime.server.pieces import (
    CustomCallInput,
    CustomCallStart,
    Piece,
    PieceParser,
    ToolCallArguments,
    ToolCallStart,
)

_OPENING = regex.compile(r'\{\s*"input"\s*:\s*"')
# Characters of a JSON string of which nothing is missing; both halves of a surrogate pair are one.
_CHARACTERS = regex.compile(
    r'(?:[^"\\]|\\["\\/bfnrt]'
    r"|\\u(?![dD][89abAB])[0-9a-fA-F]{4}"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)


class CustomInputs:
    """Turns the calls of custom tools among a parser's pieces into such calls (a `PieceParser`).

    Args:
        calls: the parser of all calls. names: of the custom tools.
    """

    def __init__(self, calls: PieceParser, names: Set[str]) -> None:
        self._calls = calls
        self._names = names
        self._input: InputDecoder | None = None  # of the custom call that is being written

    def push(self, text: str) -> Sequence[Piece]:
        return self._decoded(self._calls.push(text))

    def finish(self) -> Sequence[Piece]:
        return self._decoded(self._calls.finish())

    def _decoded(self, pieces: Iterable[Piece]) -> list[Piece]:
        out: list[Piece] = []
        for piece in pieces:
            match piece:
                case ToolCallStart(index, name):
                    self._input = InputDecoder() if name in self._names else None
                    out.append(piece if self._input is None else CustomCallStart(index, name))
                case ToolCallArguments(index, text) if self._input is not None:
                    decoded = self._input.push(text)
                    if decoded:
                        out.append(CustomCallInput(index, decoded))
                case _:
                    out.append(piece)
        return out


class InputDecoder:
    """The text of `input` in the JSON text `{"input": "…"}`, given in pieces."""

    def __init__(self) -> None:
        self._buffer = ""
        self._is_open = False

    def push(self, text: str) -> str:
        """The part of the input that `text` completes."""
        self._buffer += text
        if not self._is_open:
            opening = _OPENING.match(self._buffer)
            if opening is None:
                return ""
            self._is_open = True
            self._buffer = self._buffer[opening.end() :]
        whole = _CHARACTERS.match(self._buffer)
        assert whole is not None
        self._buffer = self._buffer[whole.end() :]
        return str(json.loads(f'"{whole.group()}"', strict=False))
