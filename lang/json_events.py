"""Reading JSON while it is written: an automaton over its characters, which reads each of them once.

The text comes from a hole that only lets JSON of its schema be written, so whatever has arrived is a beginning of such
a value, and the reader's stack says where it stands. Nothing is parsed again when more arrives.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indices from the root to a part: `("items", 2, "name")`."""

_STRING_END = re.compile(r'["\\]')
_WORD_END = re.compile(r"[\s,\]}]")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Completed:
    """A part of the value that is finished: an object, an array, a text, a number …"""

    path: Path
    value: Any


@dataclass(slots=True)
class OpenContainer:
    """An object or array that is being written. `key` is that of the member under way, once it is known; `kind` is for
    whoever knows its type."""

    is_object: bool
    members: dict[str, Any] = field(default_factory=dict)
    items: list[Any] = field(default_factory=list)
    key: str | None = None
    kind: Any = None

    def put(self, value: Any) -> None:
        if self.is_object:
            assert self.key is not None
            self.members[self.key] = value
            self.key = None
        else:
            self.items.append(value)

    @property
    def place(self) -> str | int | None:
        """Where the next value goes; None between the members of an object."""
        return self.key if self.is_object else len(self.items)

    @property
    def value(self) -> Any:
        return self.members if self.is_object else self.items


class JsonEvents:
    """Reads one JSON value as it arrives.

    Args:
        finish: turns the plain value of a finished part into what stands for it, given its path; parts of it are
            finished already.

    Attributes:
        stack: the open containers, outermost first. is_done: the value is complete. value: the whole, once it is.
    """

    def __init__(self, finish: Callable[[Path, Any], Any] = lambda path, value: value) -> None:
        self._finish = finish
        self.stack: list[OpenContainer] = []
        self.is_done = False
        self.value: Any = None
        self._word = ""  # the number, true, false or null under way
        self._text: list[str] | None = None  # pieces of the text or key under way, unescaped
        self._escape = ""  # the escape sequence under way
        self._high = ""  # the first half of a surrogate pair

    @property
    def path(self) -> Path:
        """Where the next character belongs."""
        places = [container.place for container in self.stack]
        return tuple(place for place in places if place is not None)

    @property
    def open_text(self) -> str:
        """The text value under way as far as it has arrived, or ""; keys are not shown."""
        return "" if self._text is None or self._expects_key else "".join(self._text)

    def feed(self, text: str) -> list[Completed]:
        """Read more; returns what was finished by it, inner parts first."""
        completed: list[Completed] = []
        at = 0
        while at < len(text):
            if self._text is None:
                at = self._read_outside(text, at, completed)
            else:
                at = self._read_text(text, at, self._text, completed)
        return completed

    def close(self) -> list[Completed]:
        """The text is over: a number at the root has no other end."""
        completed: list[Completed] = []
        self._end_word(completed)
        return completed

    @property
    def _expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_object and self.stack[-1].key is None

    def _read_text(self, text: str, at: int, pieces: list[str], completed: list[Completed]) -> int:
        if self._escape:
            self._escape += text[at]
            if self._escape[1] != "u" or len(self._escape) == 6:
                self._end_escape(pieces)
            return at + 1
        found = _STRING_END.search(text, at)
        end = found.start() if found else len(text)
        if end > at or (found and found[0] == '"'):
            pieces.append(self._high)  # half a pair that nothing completed stands for itself
            self._high = ""
        pieces.append(text[at:end])
        if found is None:
            return end
        if found[0] == "\\":
            self._escape = "\\"
        else:
            self._text = None
            self._end_text("".join(pieces), completed)
        return end + 1

    def _end_escape(self, pieces: list[str]) -> None:
        escape, self._escape = self._escape, ""
        if escape[1] != "u":
            pieces.append(self._high + _ESCAPES[escape[1]])
            self._high = ""
            return
        unit = chr(int(escape[2:], 16))
        if self._high and "\udc00" <= unit <= "\udfff":
            unit = chr(0x10000 + ((ord(self._high) - 0xD800) << 10) + ord(unit) - 0xDC00)
            self._high = ""
        pieces.append(self._high)
        self._high = unit if "\ud800" <= unit <= "\udbff" else ""
        if not self._high:
            pieces.append(unit)

    def _end_text(self, value: str, completed: list[Completed]) -> None:
        if self._expects_key:
            self.stack[-1].key = value
        else:
            self._complete(value, completed)

    def _read_outside(self, text: str, at: int, completed: list[Completed]) -> int:
        if self._word:
            found = _WORD_END.search(text, at)
            end = found.start() if found else len(text)
            self._word += text[at:end]
            if found:
                self._end_word(completed)
            return end
        char = text[at]
        if char in "{[":
            self.stack.append(OpenContainer(char == "{"))
        elif char in "}]":
            self._complete(self.stack.pop().value, completed)
        elif char == '"':
            self._text = []
        elif char not in " \t\r\n,:":
            self._word = char
        return at + 1

    def _end_word(self, completed: list[Completed]) -> None:
        if self._word:
            word, self._word = self._word, ""
            self._complete(json.loads(word), completed)

    def _complete(self, plain: Any, completed: list[Completed]) -> None:
        path = self.path
        value = self._finish(path, plain)
        completed.append(Completed(path, value))
        if self.stack:
            self.stack[-1].put(value)
        else:
            self.value, self.is_done = value, True
