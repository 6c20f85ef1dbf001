"""Regex text to a tree, in the flavours of Python's `re` and of ECMA-262.

The tree knows one character, text, sequence, alternatives, repetition, lookaround and three anchors; everything else
(`\\b`, multi-line anchors, case, dots, classes) is expressed by these. What changes which texts match and yet is not
regular is refused by name: backreferences, conditional groups, atomic groups and possessive quantifiers, recursion.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import lru_cache
from typing import Final, Literal

from slipform.errors import GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars import code_points as sets
from slipform.grammars import unicode_sets as unicode
from slipform.grammars.code_points import CodePoints

Flavour = Literal["python", "ecma"]

MAX_DEPTH: Final = 200
"""Groups nest at most this deep: later passes recurse over the tree."""

MAX_REPEAT: Final = 2**30 - 1
"""The largest bound of a repetition; the counters of the matcher hold no more."""


@dataclass(frozen=True, slots=True)
class Text:
    """These characters in a row."""

    text: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character of a set."""

    points: CodePoints


@dataclass(frozen=True, slots=True)
class Concat:
    parts: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Alternatives:
    options: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """`minimum` to `maximum` (None: any number) of `body`."""

    body: "Tree"
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """Holds where `body` matches from here on (or, `behind`, up to here); `negative`: where it does not."""

    body: "Tree"
    behind: bool
    negative: bool


class Anchor(Enum):
    START = "start of the text"
    END = "end of the text"
    FINAL_END = "end of the text, or before a line feed that ends it"


Tree = Text | OneOf | Concat | Alternatives | Repeat | Look | Anchor

EMPTY: Final = Concat(())


class _Flags(IntFlag):
    NONE = 0
    IGNORE_CASE = 1
    MULTI_LINE = 2
    DOT_ALL = 4
    VERBOSE = 8
    ASCII = 16


# `\B` did not match in the empty text before Python 3.14.
_PYTHON_NO_BOUNDARY_IN_EMPTY_TEXT: Final = re.search(r"\B", "") is not None

_FLAG_LETTERS: Final = {
    "i": _Flags.IGNORE_CASE,
    "m": _Flags.MULTI_LINE,
    "s": _Flags.DOT_ALL,
    "x": _Flags.VERBOSE,
    "a": _Flags.ASCII,
    "u": _Flags.NONE,
}
_PLAIN_RUN: Final = re.compile(r"[^\\.^$*+?{}()\[\]|]+")
_PLAIN_WORDS: Final = re.compile(r"[^\\.^$*+?{}()\[\]|]+(?:\|[^\\.^$*+?{}()\[\]|]+)+(?=\)|\Z)")
_CLASS: Final = {
    "python": re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL),
    "ecma": re.compile(r"\[\^?(?:[^\]\\]|\\.)*\]", re.DOTALL),
}
_BOUNDS: Final = {
    "python": re.compile(r"\{(?=[\d,])(\d*)(,?)(\d*)\}", re.ASCII),
    "ecma": re.compile(r"\{(\d+)(,?)(\d*)\}", re.ASCII),
}
_GLOBAL_FLAGS: Final = re.compile(r"\(\?([aiLmsux]+)\)")
_GROUP_FLAGS: Final = re.compile(r"\(\?([aiLmsux]*)(?:-([imsx]+))?:")
_NAMED_GROUP: Final = re.compile(r"\(\?P?<([^\W\d][\w$]*)>")
_ECMA_CONTROL: Final = re.compile(r"c([A-Za-z])")
_CODE_ESCAPES: Final = {
    "x": re.compile(r"x([0-9a-fA-F]{2})"),
    "u": re.compile(r"u([0-9a-fA-F]{4})"),
    "U": re.compile(r"U([0-9a-fA-F]{8})"),
}
_BRACED_CODE: Final = re.compile(r"[ux]\{([0-9a-fA-F]+)\}")
_LOW_SURROGATE: Final = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_PROPERTY: Final = re.compile(r"[pP](?:\{(\^?)([^{}]+)\}|([A-Z]))")
_PYTHON_NAME: Final = re.compile(r"N\{([^{}]+)\}")
_OCTAL: Final = re.compile(r"0[0-7]{0,2}|[1-3][0-7][0-7]")
_SIMPLE_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_REFUSED_GROUPS: Final = (
    ("(?P=", "backreference"),
    ("(?P>", "recursion"),
    ("(?(", "conditional group"),
    ("(?>", "atomic group"),
    ("(?R", "recursion"),
    ("(?&", "recursion"),
    ("(?|", "branch reset group"),
)


@dataclass(slots=True)
class _Frame:
    """An open group: finished alternatives, the parts of the one being read, and how to wrap the result."""

    opened_at: int
    flags: _Flags
    wrap: Callable[[Tree], Tree]
    options: list[Tree]
    parts: list[Tree]

    def tree(self) -> Tree:
        self.options.append(concat(self.parts))
        return self.options[0] if len(self.options) == 1 else Alternatives(tuple(self.options))


def concat(parts: list[Tree]) -> Tree:
    return parts[0] if len(parts) == 1 else Concat(tuple(parts))


def parse(pattern: str, flavour: Flavour) -> Tree:
    """The tree of `pattern`.

    Raises: GrammarSyntaxError with the offset; UnsupportedGrammar naming the construct; GrammarTooLarge (depth).
    """
    return _Parser(pattern, flavour).parse()


class _Parser:
    def __init__(self, pattern: str, flavour: Flavour) -> None:
        self.pattern = pattern
        self.flavour = flavour
        self.at = 0
        self.names: set[str] = set()

    def error(self, message: str, position: int | None = None) -> GrammarSyntaxError:
        where = self.at if position is None else position
        return GrammarSyntaxError(message, pattern=self.pattern, position=where)

    def refused(self, feature: str, reason: str = "") -> UnsupportedGrammar:
        return UnsupportedGrammar(feature, path=f"offset {self.at}", reason=reason)

    def parse(self) -> Tree:
        pattern = self.pattern
        flags = _Flags.NONE
        while match := _GLOBAL_FLAGS.match(pattern, self.at):
            flags |= self.flags_of(match[1])
            self.at = match.end()
        stack = [_Frame(0, flags, lambda tree: tree, [], [])]
        while self.at < len(pattern):
            frame = stack[-1]
            character = pattern[self.at]
            if frame.flags & _Flags.VERBOSE and (character in " \t\n\r\v\f#"):
                end = pattern.find("\n", self.at) if character == "#" else self.at
                self.at = len(pattern) if end < 0 else end + 1
                continue
            if character == "(":
                opened = self.group(frame)
                if opened is not None:
                    if len(stack) >= MAX_DEPTH:
                        raise GrammarTooLarge("depth", MAX_DEPTH, path=f"offset {self.at}")
                    stack.append(opened)
            elif character == ")":
                if len(stack) == 1:
                    raise self.error("unbalanced parenthesis")
                self.at += 1
                stack.pop()
                tree = frame.tree()
                if isinstance(tree, Text | Anchor):
                    tree = Concat((tree,))  # one thing to a quantifier
                stack[-1].parts.append(frame.wrap(tree))
            elif character == "|":
                self.at += 1
                frame.options.append(concat(frame.parts))
                frame.parts = []
            elif character in "*+?" or (character == "{" and self.bounds() is not None):
                self.quantifier(frame)
            else:
                self.atom(frame, character)
        if len(stack) > 1:
            raise self.error("missing ), unterminated group", stack[-1].opened_at)
        return stack[0].tree()

    # Groups and flags

    def flags_of(self, letters: str) -> _Flags:
        flags = _Flags.NONE
        for letter in letters:
            if letter == "L":
                raise self.refused("flag L", "it depends on the locale")
            flags |= _FLAG_LETTERS[letter]
        return flags

    def group(self, outer: _Frame) -> _Frame | None:
        """The frame that "(" opens here, None for a comment. Moves behind what opens it."""
        pattern, start = self.pattern, self.at
        if not pattern.startswith("(?", start):
            self.at += 1
            return _Frame(start, outer.flags, lambda tree: tree, [], [])
        for prefix, behind, negative in (
            ("(?=", False, False),
            ("(?!", False, True),
            ("(?<=", True, False),
            ("(?<!", True, True),
        ):
            if pattern.startswith(prefix, start):
                self.at += len(prefix)
                return _Frame(start, outer.flags, lambda tree, b=behind, n=negative: Look(tree, b, n), [], [])  # type: ignore[misc]
        if pattern.startswith("(?#", start):
            end = pattern.find(")", start)
            if end < 0:
                raise self.error("missing ), unterminated comment")
            self.at = end + 1
            return None
        for prefix, feature in _REFUSED_GROUPS:
            if pattern.startswith(prefix, start):
                raise self.refused(feature)
        if match := _NAMED_GROUP.match(pattern, start):
            if match[1] in self.names:
                raise self.error(f"redefinition of group name {match[1]!r}")
            self.names.add(match[1])
            self.at = match.end()
            return _Frame(start, outer.flags, lambda tree: tree, [], [])
        if match := _GROUP_FLAGS.match(pattern, start):
            flags = outer.flags | self.flags_of(match[1])
            if "u" in match[1]:
                flags &= ~_Flags.ASCII
            flags &= ~self.flags_of(match[2] or "")
            self.at = match.end()
            return _Frame(start, flags, lambda tree: tree, [], [])
        if _GLOBAL_FLAGS.match(pattern, start):
            raise self.error("global flags not at the start of the expression")
        raise self.error(f"unknown extension {pattern[start : start + 3]}")

    # Quantifiers

    def bounds(self) -> tuple[int, int | None, int] | None:
        """Minimum, maximum and end of "{m,n}" here; None if the brace is an ordinary character."""
        match = _BOUNDS[self.flavour].match(self.pattern, self.at)
        if match is None:
            return None
        minimum = int(match[1] or 0)
        if not match[2]:
            return minimum, minimum, match.end()
        return minimum, int(match[3]) if match[3] else None, match.end()

    def quantifier(self, frame: _Frame) -> None:
        start = self.at
        character = self.pattern[start]
        bounds = self.bounds() if character == "{" else None
        if bounds is not None:
            minimum, maximum, self.at = bounds
        else:
            minimum, maximum = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
            self.at += 1
        if max(minimum, maximum or 0) > MAX_REPEAT:
            raise self.error("the repetition number is too large", start)
        if maximum is not None and maximum < minimum:
            raise self.error("min repeat greater than max repeat", start)
        if not frame.parts or frame.parts[-1] in (Anchor.START, Anchor.END, Anchor.FINAL_END):
            raise self.error("nothing to repeat", start)
        following = self.pattern[self.at : self.at + 1]
        if following == "?":  # lazy: another order of trying, the same texts
            self.at += 1
        elif following == "+":
            if self.flavour == "python":
                raise self.refused("possessive quantifier")
            raise self.error("nothing to repeat")
        elif following == "*" or (following == "{" and self.bounds() is not None):
            raise self.error("multiple repeat")
        body = frame.parts[-1]
        if isinstance(body, Text) and len(body.text) > 1:
            frame.parts[-1] = Text(body.text[:-1])
            frame.parts.append(Repeat(Text(body.text[-1]), minimum, maximum))
        else:
            frame.parts[-1] = Repeat(body, minimum, maximum)

    # Single characters

    def atom(self, frame: _Frame, character: str) -> None:
        pattern, flags = self.pattern, frame.flags
        if character == "[":
            frame.parts.append(self.bracket(flags))
        elif character == "\\":
            frame.parts.append(self.escape(flags))
        elif character == ".":
            self.at += 1
            if flags & _Flags.DOT_ALL:
                frame.parts.append(OneOf(sets.EVERYTHING))
            else:
                ends = sets.single(0x0A) if self.flavour == "python" else unicode.ECMA_LINE_END
                frame.parts.append(OneOf(sets.complement(ends)))
        elif character in "^$":
            self.at += 1
            frame.parts.append(self.anchor(character, flags))
        else:
            plain = not flags & (_Flags.VERBOSE | _Flags.IGNORE_CASE)
            match = _PLAIN_WORDS.match(pattern, self.at) if plain and not frame.parts else None
            if match:
                # Alternatives that are plain words, to the end of the group: often thousands of them.
                *words, last = match[0].split("|")
                frame.options.extend(map(Text, words))
                frame.parts.append(Text(last))
                self.at = match.end()
                return
            match = _PLAIN_RUN.match(pattern, self.at) if plain else None
            text = match[0] if match else character
            self.at += len(text)
            frame.parts.append(self.character(text, flags) if len(text) == 1 else Text(text))
            # A quantifier takes the last character only; `quantifier` splits the run.

    def character(self, character: str, flags: _Flags) -> Tree:
        if flags & _Flags.IGNORE_CASE:
            return OneOf(unicode.ignoring_case(sets.single(ord(character)), ascii_only=bool(flags & _Flags.ASCII)))
        return Text(character)

    def anchor(self, character: str, flags: _Flags) -> Tree:
        ends = OneOf(sets.single(0x0A) if self.flavour == "python" else unicode.ECMA_LINE_END)
        if character == "^":
            if flags & _Flags.MULTI_LINE:
                return Alternatives((Anchor.START, Look(ends, behind=True, negative=False)))
            return Anchor.START
        if flags & _Flags.MULTI_LINE:
            return Alternatives((Anchor.END, Look(ends, behind=False, negative=False)))
        return Anchor.FINAL_END if self.flavour == "python" else Anchor.END

    def bracket(self, flags: _Flags) -> Tree:
        match = _CLASS[self.flavour].match(self.pattern, self.at)
        if match is None:
            raise self.error("unterminated character set")
        start = self.at
        try:
            points = _class_points(match[0], self.flavour, flags & (_Flags.IGNORE_CASE | _Flags.ASCII))
        except GrammarSyntaxError as error:
            raise self.error(error.reason, start + (error.position or 0)) from None
        self.at = match.end()
        return OneOf(points)

    def escape(self, flags: _Flags) -> Tree:
        start = self.at
        letter = self.pattern[start + 1 : start + 2]
        if letter == "A":
            self.at += 2
            return Anchor.START
        if letter in ("Z", "z") and letter:
            self.at += 2
            return Anchor.END
        if letter in ("b", "B") and letter:
            self.at += 2
            word = OneOf(_shorthand("w", self.flavour, bool(flags & _Flags.ASCII)))
            empty_text = self.flavour == "ecma" or _PYTHON_NO_BOUNDARY_IN_EMPTY_TEXT
            return _word_boundary(word, negative=letter == "B", empty_text=empty_text)
        if letter == "k" or (letter in "123456789" and letter and not _OCTAL.match(self.pattern, start + 1)):
            raise self.refused("backreference")
        try:
            points, self.at = _escape(self.pattern, start, self.flavour, bool(flags & _Flags.ASCII), in_class=False)
        except GrammarSyntaxError as error:
            raise self.error(error.reason, error.position) from None
        if isinstance(points, int):
            return self.character(chr(points), flags)
        return OneOf(points)


def _word_boundary(word: OneOf, *, negative: bool, empty_text: bool) -> Tree:
    """`\\b`: a word character on one side only; `\\B`: on both or on neither, and `empty_text`: in the empty text."""

    def sides(before: bool, after: bool) -> Tree:
        return Concat((Look(word, behind=True, negative=not before), Look(word, behind=False, negative=not after)))

    if not negative:
        return Alternatives((sides(True, False), sides(False, True)))
    neither = sides(False, False)
    if not empty_text:
        anything = OneOf(sets.EVERYTHING)
        somewhere = Alternatives(
            (Look(anything, behind=True, negative=False), Look(anything, behind=False, negative=False))
        )
        neither = Concat((neither, somewhere))
    return Alternatives((sides(True, True), neither))


@lru_cache(maxsize=64)
def _shorthand(letter: str, flavour: Flavour, ascii_only: bool) -> CodePoints:
    """`\\d`, `\\w`, `\\s` and, in capitals, what they leave out."""
    lower = letter.lower()
    if flavour == "ecma":
        points = {"d": unicode.ASCII_DIGIT, "w": unicode.ASCII_WORD, "s": unicode.ECMA_SPACE}[lower]
    elif ascii_only:
        points = {"d": unicode.ASCII_DIGIT, "w": unicode.ASCII_WORD, "s": unicode.ASCII_SPACE}[lower]
    else:
        points = unicode.python_class(f"\\{lower}")
    return points if letter == lower else sets.complement(points)


@lru_cache(maxsize=1024)
def _class_points(text: str, flavour: Flavour, flags: _Flags) -> CodePoints:
    """The set that "[...]" stands for. Raises GrammarSyntaxError with an offset into `text`."""
    ascii_only = bool(flags & _Flags.ASCII)
    at = 1
    negative = text.startswith("^", at)
    at += negative
    first = at
    members: list[CodePoints] = []
    end = len(text) - 1
    while at < end or (flavour == "python" and at == first and text[at] == "]"):
        start = at
        low, at = _class_member(text, at, flavour, ascii_only)
        if isinstance(low, int) and text.startswith("-", at) and at + 1 < end:
            high, past = _class_member(text, at + 1, flavour, ascii_only)
            if isinstance(high, int):
                if high < low:
                    raise GrammarSyntaxError("bad character range", pattern=text, position=start)
                members.append(sets.span(low, high))
                at = past
                continue
            if flavour == "python":
                raise GrammarSyntaxError("bad character range", pattern=text, position=start)
        elif not isinstance(low, int) and flavour == "python" and text.startswith("-", at) and at + 1 < end:
            raise GrammarSyntaxError("bad character range", pattern=text, position=start)
        members.append(sets.single(low) if isinstance(low, int) else low)
    points = sets.union(members)
    if flags & _Flags.IGNORE_CASE:
        points = unicode.ignoring_case(points, ascii_only=ascii_only)
    return sets.complement(points) if negative else points


def _class_member(text: str, at: int, flavour: Flavour, ascii_only: bool) -> tuple[int | CodePoints, int]:
    if text[at] == "\\":
        return _escape(text, at, flavour, ascii_only, in_class=True)
    return ord(text[at]), at + 1


def _escape(
    text: str, start: int, flavour: Flavour, ascii_only: bool, *, in_class: bool
) -> tuple[int | CodePoints, int]:
    """The code point or set that the backslash at `start` introduces, and where it ends."""
    at = start + 1
    letter = text[at : at + 1]

    def error(message: str) -> GrammarSyntaxError:
        return GrammarSyntaxError(message, pattern=text, position=start)

    if not letter:
        raise error("bad escape (end of pattern)")
    if letter in "dDwWsS":
        return _shorthand(letter, flavour, ascii_only), at + 1
    if letter in _SIMPLE_ESCAPES:
        return ord(_SIMPLE_ESCAPES[letter]), at + 1
    if letter == "b" and in_class:
        return 0x08, at + 1
    if letter in "pP":
        match = _PROPERTY.match(text, at)
        if match is None:
            raise error(f"bad escape \\{letter}")
        points = unicode.unicode_property(match[2] or match[3])
        if points is None:
            raise UnsupportedGrammar(f"Unicode property {match[2] or match[3]}", path=f"offset {start}")
        negative = (letter == "P") != bool(match[1])
        return (sets.complement(points) if negative else points), match.end()
    if match := _BRACED_CODE.match(text, at):
        code = int(match[1], 16)
        if code >= sets.END:
            raise error(f"\\{match[0]} is past U+10FFFF")
        return code, match.end()
    if letter in _CODE_ESCAPES and (flavour == "python" or letter != "U"):
        match = _CODE_ESCAPES[letter].match(text, at)
        if match is None:
            raise error(f"incomplete escape \\{letter}")
        code = int(match[1], 16)
        if code >= sets.END:
            raise error(f"\\{match[0]} is past U+10FFFF")
        low = _LOW_SURROGATE.match(text, match.end()) if flavour == "ecma" and 0xD800 <= code < 0xDC00 else None
        if low is not None:
            return 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00, low.end()
        return code, match.end()
    if letter in "0123456789":
        match = _OCTAL.match(text, at)
        if match is None or int(match[0], 8) > 0o377:
            raise error(f"bad escape \\{letter}")
        return int(match[0], 8), match.end()
    if flavour == "python":
        if letter == "a":
            return 0x07, at + 1
        if match := _PYTHON_NAME.match(text, at):
            try:
                return ord(unicodedata.lookup(match[1])), match.end()
            except KeyError:
                raise error(f"undefined character name {match[1]!r}") from None
        if letter.isascii() and letter.isalpha():
            raise error(f"bad escape \\{letter}")
    elif match := _ECMA_CONTROL.match(text, at):
        return ord(match[1]) % 32, match.end()
    return ord(letter), at + 1
