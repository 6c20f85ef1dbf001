"""Thinking before answering: finding the thoughts in a text, bounding them, and constraining only what comes behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from slipform.errors import ConfigError, InvalidRequest
from slipform.grammars.spec import AnyOf, Choice, GrammarSpec, Regex, Series, Until
from slipform.runtime.request import Fill, Segment, Text
from slipform.runtime.server.pieces import ContentPiece, Piece, ReasoningPiece

Start = Literal["inside", "outside", "closed"]


@dataclass(frozen=True, slots=True)
class ReasoningFormat:
    """The markers around the thoughts of one family of models."""

    name: str
    begin: str
    end: str

    def start(self, prompt: str) -> Start:
        """Where the answer begins, by the end of the rendered prompt: inside thoughts that the prompt opened, behind
        thoughts that it closed at once (thinking is switched off), or outside, so that the model decides."""
        prompt = prompt.rstrip()
        if prompt.endswith(self.begin):
            return "inside"
        return "closed" if prompt.endswith(self.end) else "outside"

    def parser(self, start: Start) -> "ReasoningParser":
        return ReasoningParser(self, start)

    def num_tokens(self, spellings: Sequence[bytes], start: Start, *, seam_len: int = 0) -> int:
        """How many tokens of an answer are thoughts or their markers: those up to the end of the closing marker.

        Args:
            spellings: of each token, special ones by their names.
            seam_len: characters of the prompt that the first tokens spell anew.
        """
        written = b"".join(spellings)
        seam = len(written.decode("utf-8", "replace")[:seam_len].encode())
        opening = written[seam:].lstrip()
        is_opened = opening.startswith(self.begin.encode())
        if start == "closed" or (start == "outside" and not is_opened):
            return 0
        begin = len(written) - len(opening) + (len(self.begin) if is_opened else 0)
        end = written.find(self.end.encode(), begin)
        if end < 0:
            return len(spellings)
        lengths = accumulate(map(len, spellings))
        return next(count for count, length in enumerate(lengths, 1) if length >= end + len(self.end))

    def constraint(self, answer: GrammarSpec | None, start: Start) -> GrammarSpec | None:
        """What a whole text matches whose answer matches `answer`; thoughts before it are free."""
        if answer is None or start == "closed":
            return answer
        thoughts = (Until((self.end,)), Choice((self.end,)), Regex(r"\s{0,2}"), answer)
        if start == "inside":
            return Series(thoughts)
        return AnyOf((Series((Choice((self.begin,)), *thoughts)), answer))

    def budgeted(self, fill: Fill, budget: int, start: Start) -> tuple[Segment, ...]:
        """Segments that give the thoughts at most `budget` of the fill's tokens, and then the answer the rest.

        Thoughts that reach the budget are closed; then the answer begins. The thoughts come out as a fill named
        `thoughts`, without markers.

        Raises: InvalidRequest if the budget leaves no token for the answer.
        """
        if start == "closed":
            return (fill,)
        if not 0 <= budget < fill.sampling.max_tokens:
            raise InvalidRequest(
                f"must be at least 0 and below max_tokens ({fill.sampling.max_tokens}), got {budget}",
                field="thinking_token_budget",
            )
        opening = (Text(f"{self.begin}\n", parse_special=True),) if start == "outside" else ()
        closing = Text(f"{self.end}\n\n", parse_special=True)
        answer = replace(fill, sampling=fill.sampling.replace(max_tokens=fill.sampling.max_tokens - budget), heal=False)
        if budget == 0:
            return (*opening, closing, answer)
        limits = fill.sampling.replace(
            max_tokens=budget, min_tokens=0, stop=(self.end,), stop_token_ids=(), stop_regex=(), include_stop=False
        )
        return (*opening, Fill("thoughts", limits), closing, answer)


class ReasoningParser:
    """Splits a text into thoughts and answer while it is written (a `PieceParser`).

    White space beside the markers belongs to neither part. Text that ends before the closing marker is all thoughts.
    """

    def __init__(self, form: ReasoningFormat, start: Start) -> None:
        self._form = form
        self._start = start
        self._buffer = ""
        self._part: Literal["opening", "thoughts", "border", "answer"] = "answer" if start == "closed" else "opening"
        self._has_thoughts = False
        self._final = False

    def push(self, text: str) -> Sequence[Piece]:
        self._buffer += text
        pieces: list[Piece] = []
        if self._part == "opening":
            self._open()
        if self._part == "thoughts" and (thoughts := self._think()):
            self._has_thoughts = True
            pieces.append(ReasoningPiece(thoughts))
        if self._part == "border":
            self._buffer = self._buffer.lstrip()
            self._part = "answer" if self._buffer else "border"
        if self._part == "answer" and self._buffer:
            pieces.append(ContentPiece(self._buffer))
            self._buffer = ""
        return pieces

    def finish(self) -> Sequence[Piece]:
        self._final = True
        return self.push("")

    def _open(self) -> None:
        """Whether the text begins with the opening marker; undecided while it could. A model may write the marker once
        more although the prompt ends with it."""
        text, marker = self._buffer.lstrip(), self._form.begin
        if text.startswith(marker):
            self._buffer = text.removeprefix(marker)
            self._part = "thoughts"
        elif self._final or not marker.startswith(text):
            self._part = "thoughts" if self._start == "inside" else "answer"

    def _think(self) -> str:
        """Thoughts that are certain. What stays in the buffer is white space or may begin the closing marker."""
        marker = self._form.end
        text = self._buffer if self._has_thoughts else self._buffer.lstrip()
        thoughts, found, rest = text.partition(marker)
        if found:
            self._part = "border"
            self._buffer = rest
            return thoughts.rstrip()
        certain = text if self._final else text[: len(text) - _overlap(text, marker)]
        thoughts = certain.rstrip()
        self._buffer = "" if self._final else text[len(thoughts) :]
        return thoughts


def _overlap(text: str, marker: str) -> int:
    """How many characters at the end of `text` begin `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((count for count in range(longest, 0, -1) if text.endswith(marker[:count])), 0)


FORMATS = {
    form.name: form
    for form in (
        ReasoningFormat("think", "<think>", "</think>"),
        ReasoningFormat("mistral", "[THINK]", "[/THINK]"),
    )
}


def choose_reasoning(name: str | None, template: str | None) -> ReasoningFormat | None:
    """The format `name` ("none" switches it off), or the one whose closing marker the chat template holds.

    Raises: ConfigError for an unknown name.
    """
    if name == "none":
        return None
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(f"{name!r} is unknown; known: none, {', '.join(FORMATS)}", field="reasoning_format")
        return FORMATS[name]
    return next((form for form in FORMATS.values() if template is not None and form.end in template), None)
