"""Thoughts, calls and content of one answer: a parser of reasoning with a parser of tool calls behind it."""

from collections.abc import Sequence

from slipform.runtime.server.pieces import ContentPiece, Piece, PieceParser, PlainParser


class ChatParser:
    """Both parsers in a row (a `PieceParser`). What is no thought goes on to the parser of calls."""

    def __init__(self, reasoning: PieceParser | None, calls: PieceParser | None) -> None:
        self._reasoning = reasoning or PlainParser()
        self._calls = calls or PlainParser()

    def push(self, text: str) -> Sequence[Piece]:
        return self._forward(self._reasoning.push(text))

    def finish(self) -> Sequence[Piece]:
        return [*self._forward(self._reasoning.finish()), *self._calls.finish()]

    def _forward(self, pieces: Sequence[Piece]) -> list[Piece]:
        out: list[Piece] = []
        for piece in pieces:
            out += self._calls.push(piece.text) if isinstance(piece, ContentPiece) else [piece]
        return out
