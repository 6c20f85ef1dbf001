"""What an assistant's answer is made of, in the order it was written. Parsers make pieces, routes put them on the wire.

A parser of reasoning or of tool calls turns the model's text into pieces as it streams; what it cannot place yet
(a marker may be split over tokens) it keeps until the next push.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ContentPiece:
    """Text of the answer itself."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPiece:
    """Text of the model's reasoning, without its markers."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    """Call number `index` of the answer begins; its arguments follow."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallArguments:
    """The next part of the JSON text of call `index`'s arguments."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class CustomCallStart:
    """Call number `index` of the answer begins, of a custom tool; its input follows."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CustomCallInput:
    """The next part of the text that call `index` gives to its custom tool."""

    index: int
    text: str


Piece = ContentPiece | ReasoningPiece | ToolCallStart | ToolCallArguments | CustomCallStart | CustomCallInput


class PieceParser(Protocol):
    """Turns the text of one sequence into pieces. The pieces' texts do not depend on how the text is cut."""

    def push(self, text: str) -> Sequence[Piece]:
        """The pieces that `text`, which follows what was pushed before, makes certain."""

    def finish(self) -> Sequence[Piece]:
        """What was held back; the text is over, complete or cut."""


class PlainParser:
    """Everything is content."""

    def push(self, text: str) -> Sequence[Piece]:
        return (ContentPiece(text),) if text else ()

    def finish(self) -> Sequence[Piece]:
        return ()
