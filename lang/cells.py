"""What a variable holds: text that is known, that is on its way, or that is made of other cells."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from slipform.errors import FillError
from slipform.lang.ir import Gen, Origin, Select
from slipform.lang.offline import all_captured
from slipform.lang.reasoning import split_reasoning
from slipform.lang.shape import Shape
from slipform.lang.steps import new_future
from slipform.lang.types import ValueType
from slipform.runtime.request import Fill, FillResult, TokenLogprob

if TYPE_CHECKING:
    from slipform.lang.strand import Strand


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Known text of a transcript; `template` text comes from the chat template, not from the program."""

    text: str
    template: bool = False
    special: bool = False


class Cell(Protocol):
    """One variable. `value` and `text` may be read once every leaf's future is done; both raise what went wrong."""

    def leaves(self) -> Iterator["HoleCell"]: ...

    def text(self) -> str: ...

    def value(self) -> Any: ...


Piece = TextPiece | Cell


class HoleCell(ABC):
    """The result of one hole, filled in by the strand that executes it.

    Attributes:
        future: done when the hole is filled; its result is not used.
        live, live_token_ids, live_logprobs: what has arrived so far.
        meta: what `get_meta_info` returns, known when its request is finished.
    """

    def __init__(self, node: Gen | Select, program: str, strand: "Strand") -> None:
        self.node = node
        self.program = program
        self.strand = strand
        self.future: Future[None] = new_future()
        self.live: list[str] = []
        self.live_token_ids: list[int] = []
        self.live_logprobs: list[TokenLogprob] = []
        self.meta: dict[str, Any] | list[dict[str, Any]] = {}

    def leaves(self) -> Iterator["HoleCell"]:
        yield self

    @property
    def origin(self) -> Origin | None:
        return self.node.origin

    @abstractmethod
    def text(self) -> str: ...

    @abstractmethod
    def value(self) -> Any: ...

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def error(self, message: str) -> FillError:
        where = f" ({self.origin})" if self.origin else ""
        return FillError(f"{message}{where}", program=self.program, primitive=self.node.describe())


class FillCell(HoleCell):
    """A `gen`: one result a sequence, the first of which stands in the text. `fill` is what the backend is asked."""

    def __init__(self, node: Gen, program: str, strand: "Strand", reasoning: str | None = None) -> None:
        super().__init__(node, program, strand)
        self.node: Gen = node
        self.value_type: ValueType | None = node.value_type
        self.num_sequences = 1
        self.reasoning = reasoning
        self.fill: Fill | None = None
        self.results: tuple[FillResult, ...] = ()
        self._values: list[Any] | None = None

    def resolve(self, results: Sequence[FillResult]) -> None:
        """Take what was written; again when its request is finished, which says more of the same tokens."""
        self.results = tuple(results)
        if not self.future.done():
            self.future.set_result(None)

    def texts(self) -> list[str]:
        self.future.result()
        return [self.split(result.text)[1] for result in self.results]

    def thoughts(self) -> list[str]:
        self.future.result()
        return [self.split(result.text)[0] for result in self.results]

    def split(self, text: str) -> tuple[str, str]:
        """Thoughts and answer."""
        return split_reasoning(text, self.reasoning) if self.reasoning is not None else ("", text)

    def text(self) -> str:
        return self.texts()[0]

    def value(self) -> Any:
        if self._values is None:
            self._values = [self._parse(text, result) for text, result in zip(self.texts(), self.results, strict=True)]
        return self._values if self.num_sequences > 1 else self._values[0]

    def _parse(self, text: str, result: FillResult) -> Any:
        if self.value_type is None:
            return text
        try:
            return self.value_type.parse(text)
        except (ValueError, KeyError) as error:
            cut = (
                f"; it was cut after {len(result.token_ids)} tokens, so give it more with max_tokens="
                if result.finish_reason == "length"
                else ""
            )
            shown = text if len(text) <= 200 else f"{text[:200]}…"
            raise self.error(f"{shown!r} is no {self.value_type.label}: {error}{cut}") from error


class SelectCell(HoleCell):
    """A `select`: the option that won."""

    def __init__(self, node: Select, program: str, strand: "Strand") -> None:
        super().__init__(node, program, strand)
        self.choice: str = ""

    def resolve(self, choice: str, meta: dict[str, Any]) -> None:
        self.choice = choice
        self.meta = meta
        self.future.set_result(None)

    def text(self) -> str:
        self.future.result()
        return self.choice

    def value(self) -> str:
        return self.text()


class ThoughtCell:
    """The thoughts that came before the answer of a fill."""

    def __init__(self, fill: FillCell) -> None:
        self.fill = fill

    def leaves(self) -> Iterator[HoleCell]:
        yield self.fill

    def text(self) -> str:
        return self.fill.thoughts()[0]

    def value(self) -> Any:
        thoughts = self.fill.thoughts()
        return thoughts if self.fill.num_sequences > 1 else thoughts[0]


class PartsCell:
    """A `gen` of several parts that are sampled in ways of their own: one hole each, one text."""

    def __init__(self, parts: Sequence[FillCell], value_type: ValueType | None) -> None:
        self.parts = tuple(parts)
        self._value_type = value_type

    def leaves(self) -> Iterator[HoleCell]:
        for part in self.parts:
            yield from part.leaves()

    def text(self) -> str:
        return "".join(part.text() for part in self.parts)

    def value(self) -> Any:
        return self.text() if self._value_type is None else self._value_type.parse(self.text())


class CaptureCell:
    """What a capture of a `gen` stands for."""

    def __init__(self, whole: FillCell | PartsCell, shape: Shape, name: str) -> None:
        self._whole = whole
        self._shape = shape
        self._name = name

    def leaves(self) -> Iterator[HoleCell]:
        return self._whole.leaves()

    def text(self) -> str:
        return "".join(self._texts())

    def value(self) -> Any:
        text = self._whole.text()
        hole = next(self.leaves())
        try:
            return self._shape.read(text)[self._name]
        except ValueError as error:
            raise hole.error(f"capture {self._name!r}: {error}") from error

    def _texts(self) -> list[str]:
        found = all_captured(self._shape.spec, self._whole.text())
        return [text for name, text in found if name == self._name]


class ValueCell:
    """A value that the program set itself."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def leaves(self) -> Iterator[HoleCell]:
        return iter(())

    def text(self) -> str:
        return str(self._value)

    def value(self) -> Any:
        return self._value


class SpanCell:
    """The text between the ends of a `var_scope`."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces)

    def leaves(self) -> Iterator[HoleCell]:
        return leaves_of(self.pieces)

    def text(self) -> str:
        return text_of(self.pieces)

    def value(self) -> str:
        return self.text()


class ListCell:
    """One value a branch, after `join`."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = tuple(cells)

    def leaves(self) -> Iterator[HoleCell]:
        for cell in self.cells:
            yield from cell.leaves()

    def text(self) -> str:
        return "".join(cell.text() for cell in self.cells)

    def value(self) -> list[Any]:
        return [cell.value() for cell in self.cells]


def leaves_of(pieces: Sequence[Piece]) -> Iterator[HoleCell]:
    for piece in pieces:
        if not isinstance(piece, TextPiece):
            yield from piece.leaves()


def text_of(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text if isinstance(piece, TextPiece) else piece.text() for piece in pieces)
