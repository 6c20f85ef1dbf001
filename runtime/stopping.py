"""Finding stops in the text of a fill, across token borders, and how much of the text is still in doubt.

Text is in doubt while it could be the beginning of a stop; a stream shows only what is not. Stops are looked for after
each token: the one that is complete first ends the fill, and to a pattern the text so far is the whole text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex

from slipform.errors import InvalidRequest
from slipform.runtime.detokenizer import IncrementalDetokenizer

# A client's pattern runs on the engine thread, so one search may not take longer than this.
SEARCH_TIMEOUT_S = 0.05


@dataclass(frozen=True, slots=True)
class StopMatch:
    """A stop found at text[start:end]; `stop` is the string or the pattern."""

    start: int
    end: int
    stop: str


class StopFinder:
    """Searches for stop strings and stop patterns. Immutable, shared by the sequences of a request.

    Raises (at construction): InvalidRequest naming `stop_regex` if a pattern does not compile.
    """

    def __init__(self, strings: tuple[str, ...], patterns: tuple[str, ...]) -> None:
        self._strings = strings
        self._patterns = [_compile(pattern) for pattern in patterns]

    def search(self, text: str, start: int) -> StopMatch | None:
        """The leftmost stop that begins at `start` or later; at one place the one that was given first.

        Raises: InvalidRequest if a pattern takes too long on this text.
        """
        best: StopMatch | None = None
        for stop in self._strings:
            at = text.find(stop, start)
            if at >= 0 and (best is None or at < best.start):
                best = StopMatch(at, at + len(stop), stop)
        for pattern in self._patterns:
            found = _search(pattern, text, start, partial=False)
            if found is not None and found.end() > found.start() and (best is None or found.start() < best.start):
                best = StopMatch(found.start(), found.end(), pattern.pattern)
        return best

    def doubtful_from(self, text: str, start: int) -> int:
        """The least index at or after `start` from which the rest of `text` could begin a stop; len(text) if none."""
        doubtful = len(text)
        for stop in self._strings:
            for length in range(min(len(stop) - 1, len(text) - start), 0, -1):
                if text.endswith(stop[:length]):
                    doubtful = min(doubtful, len(text) - length)
                    break
        for pattern in self._patterns:
            found = _search(pattern, text, start, partial=True)
            if found is not None:
                doubtful = min(doubtful, found.start())
        return doubtful


def _compile(pattern: str) -> "regex.Pattern[str]":
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise InvalidRequest(f"{pattern!r} is not a regular expression: {error}", field="stop_regex") from error


def _search(pattern: "regex.Pattern[str]", text: str, start: int, *, partial: bool) -> "regex.Match[str] | None":
    try:
        return pattern.search(text, start, partial=partial, timeout=SEARCH_TIMEOUT_S)
    except TimeoutError as error:
        message = f"{pattern.pattern!r} took more than {SEARCH_TIMEOUT_S} s to search {len(text)} characters"
        raise InvalidRequest(message, field="stop_regex") from error


class FillText:
    """The growing text of one fill: decodes token bytes, finds stops, and says what may be shown.

    Args:
        finder: looks for stops, or None.
        hidden: bytes at the beginning that are not the fill's own (the seam to the text before it), whole characters.
    """

    __slots__ = (
        "_borders",
        "_detokenizer",
        "_finder",
        "_hidden_len",
        "_scan_from",
        "_shown_len",
        "_shown_tokens",
        "text",
    )

    def __init__(self, finder: StopFinder | None, hidden: bytes = b"") -> None:
        self.text = ""
        self._finder = finder
        self._hidden_len = len(hidden)
        self._detokenizer = IncrementalDetokenizer()
        # Per token the length of the text behind it, or -1 where the token ends inside a character or the hidden bytes.
        self._borders: list[int] = []
        self._scan_from = 0
        self._shown_len = 0
        self._shown_tokens = 0

    def push(self, token_bytes: bytes) -> None:
        """Append the text of one more token."""
        if self._hidden_len:
            hidden = min(self._hidden_len, len(token_bytes))
            self._hidden_len -= hidden
            token_bytes = token_bytes[hidden:]
        self.text += self._detokenizer.push(token_bytes)
        whole = self._detokenizer.at_border and not self._hidden_len
        self._borders.append(len(self.text) if whole else -1)

    def find_stop(self, admissible: Callable[[StopMatch], bool]) -> StopMatch | None:
        """The first stop in the text that is `admissible`; the others are text for good."""
        if self._finder is None:
            return None
        while (match := self._finder.search(self.text, self._scan_from)) is not None:
            if admissible(match):
                return match
            self._scan_from = match.start + 1
        self._scan_from = self._finder.doubtful_from(self.text, self._scan_from)
        return None

    def take_delta(self) -> tuple[str, int, int]:
        """What may be shown now and was not yet: text, and the range (begin, end) of tokens that it shows whole."""
        if self._finder is None and self._borders and self._borders[-1] == len(self.text):
            text, begin = self.text[self._shown_len :], self._shown_tokens
            self._shown_len, self._shown_tokens = len(self.text), len(self._borders)
            return text, begin, self._shown_tokens
        end = len(self.text) if self._finder is None else self._scan_from
        return self._take(end)

    def finish(self, length: int | None = None) -> None:
        """End the text, cut to `length` characters if given."""
        if length is None:
            self.text += self._detokenizer.finish()
        else:
            self.text = self.text[:length]

    def take_rest(self) -> str:
        """What `take_delta` had held back, after `finish`."""
        text = self.text[self._shown_len :]
        self._shown_len = len(self.text)
        return text

    @property
    def num_shown_tokens(self) -> int:
        return self._shown_tokens

    def token_ends(self) -> Iterator[int]:
        """Per token the length of the text up to and with it, where a character counts once it is whole."""
        end = 0
        for border in self._borders:
            end = max(end, border)
            yield end

    def whole_tokens(self, length: int) -> tuple[int, int]:
        """How many leading tokens lie whole within the first `length` characters, and how long their text is."""
        for count in range(len(self._borders), 0, -1):
            if 0 <= self._borders[count - 1] <= length:
                return count, self._borders[count - 1]
        return 0, 0

    def _take(self, end: int) -> tuple[str, int, int]:
        text = self.text[self._shown_len : end] if end > self._shown_len else ""
        self._shown_len = max(end, self._shown_len)
        begin = count = self._shown_tokens
        for index in range(begin, len(self._borders)):
            border = self._borders[index]
            if border > self._shown_len:
                break
            if border >= 0:
                count = index + 1
        self._shown_tokens = count
        return text, begin, count
