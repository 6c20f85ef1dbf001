"""GBNF, the grammar notation of llama.cpp (`grammars/README.md` there), as xgrammar reads it too.

root   ::= "{" ws pair ("," ws pair)* "}"     # rules; a rule goes on until the next `name ::=`
pair   ::= [a-z_]+ ":" ws value{1,3}           # classes, ranges, negation, repetition with bounds
value  ::= "\\"" [^"\\n]* "\\"" | .              # escapes; "." is any character
"""

import re
from typing import Final

from slipform.errors import GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars import code_points as sets
from slipform.grammars.builder import Builder, Node
from slipform.grammars.cfg import NOTHING, Expression, Grammar, Ref, Rep, Terminal, alt, seq
from slipform.grammars.regex_syntax import MAX_REPEAT, OneOf, Text
from slipform.grammars.spec import Ebnf, GrammarSpec

MAX_DEPTH: Final = 200
"""Parentheses nest at most this deep: later passes recurse over expressions."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)+")
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*|[0-9][a-zA-Z0-9_-]*")
_BOUNDS: Final = re.compile(r"\{\s*(\d*)\s*(,?)\s*(\d*)\s*\}")
_HEX_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_BRACED_ESCAPE: Final = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")
_SIMPLE_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "b": "\b", "0": "\0"}
_MACRO: Final = re.compile(r"(TagDispatch|TokenTagDispatch|Token|ExcludeToken|EmptyStr)\s*\(")


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Ebnf`. Errors carry `line:column`.

    Raises: GrammarSyntaxError, UnsupportedGrammar (token literals, macros, lookahead, hidden left recursion),
        EmptyGrammar, GrammarTooLarge.
    """
    assert isinstance(spec, Ebnf)
    builder.budget.check_source(spec.text)
    return parse(spec.text).build(spec.root, builder)


def parse(text: str) -> Grammar:
    """The rules of a GBNF text."""
    return _Parser(text).grammar()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def where(self, position: int | None = None) -> str:
        """`line:column` of a position, both from 1."""
        before = self.text[: self.at if position is None else position]
        return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    def error(self, message: str, position: int | None = None) -> GrammarSyntaxError:
        at = self.at if position is None else position
        return GrammarSyntaxError(message, pattern=self.text, position=at, path=self.where(at))

    def blank(self) -> None:
        if match := _BLANK.match(self.text, self.at):
            self.at = match.end()

    def next_is(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def grammar(self) -> Grammar:
        rules: dict[str, Expression] = {}
        positions: dict[str, str] = {}
        self.blank()
        while self.at < len(self.text):
            start = self.at
            name = self.defined_name()
            if name is None:
                raise self.error("expected a rule, `name ::= …`")
            if name in rules:
                raise self.error(f"rule {name!r} is defined twice", start)
            positions[name] = self.where(start)
            rules[name] = self.alternatives()
        if not rules:
            raise self.error("the grammar has no rules")
        return Grammar(rules, positions, ("ebnf", self.text))

    def defined_name(self) -> str | None:
        """The name in `name ::=` if that comes next, and then past it; else None, and nothing moves."""
        match = _NAME.match(self.text, self.at)
        if match is None:
            return None
        blank = _BLANK.match(self.text, match.end())
        after = blank.end() if blank else match.end()
        if not self.text.startswith("::=", after):
            return None
        self.at = after + 3
        self.blank()
        return match[0]

    def alternatives(self) -> Expression:
        options = [self.sequence()]
        while self.next_is("|"):
            self.at += 1
            self.blank()
            options.append(self.sequence())
        return alt(options)

    def sequence(self) -> Expression:
        parts: list[Expression] = []
        while self.at < len(self.text) and not self.next_is("|") and not self.next_is(")"):
            start = self.at
            if self.defined_name() is not None:
                self.at = start
                break
            parts.append(self.repeated(self.item()))
        return seq(parts) if parts else NOTHING

    def repeated(self, expression: Expression) -> Expression:
        self.blank()
        while self.at < len(self.text) and self.text[self.at] in "*+?{":
            start = self.at
            character = self.text[start]
            if character == "{":
                match = _BOUNDS.match(self.text, start)
                if match is None or not (match[1] or match[3]):
                    raise self.error("expected {m}, {m,} or {m,n}")
                minimum = int(match[1] or 0)
                maximum = (int(match[3]) if match[3] else None) if match[2] else minimum
                if maximum is not None and maximum < minimum:
                    raise self.error("the upper bound is below the lower one")
                if max(minimum, maximum or 0) > MAX_REPEAT:
                    raise self.error("the repetition number is too large")
                self.at = match.end()
            else:
                minimum, maximum = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
                self.at += 1
            expression = NOTHING if maximum == 0 else Rep(expression, minimum, maximum)
            self.blank()
        return expression

    def item(self) -> Expression:
        start = self.at
        character = self.text[start]
        if character == '"':
            return self.literal()
        if character == "[":
            return self.character_class()
        if character == ".":
            self.at += 1
            return Terminal(OneOf(sets.EVERYTHING))
        if character == "(":
            if self.next_is("(="):
                raise UnsupportedGrammar("lookahead", path=self.where())
            if self.depth >= MAX_DEPTH:
                raise GrammarTooLarge("depth", MAX_DEPTH, path=self.where())
            self.at += 1
            self.depth += 1
            self.blank()
            inside = self.alternatives()
            self.depth -= 1
            if not self.next_is(")"):
                raise self.error("this parenthesis is not closed", start)
            self.at += 1
            return inside
        if character == "<" or self.next_is("!<"):
            raise UnsupportedGrammar("token literal", path=self.where(), reason="write the text of the token")
        if match := _MACRO.match(self.text, start):
            raise UnsupportedGrammar(match[1], path=self.where())
        if match := _NAME.match(self.text, start):
            self.at = match.end()
            return Ref(match[0], self.where(start))
        raise self.error(f"unexpected {character!r}")

    def literal(self) -> Expression:
        start = self.at
        self.at += 1
        characters: list[str] = []
        while not self.next_is('"'):
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                raise self.error("this string is not closed", start)
            characters.append(chr(self.character()))
        self.at += 1
        return Terminal(Text("".join(characters))) if characters else NOTHING

    def character_class(self) -> Expression:
        start = self.at
        self.at += 1
        negative = self.next_is("^")
        self.at += negative
        members: list[sets.CodePoints] = []
        while not self.next_is("]"):
            if self.at >= len(self.text):
                raise self.error("this class is not closed", start)
            first = self.at
            low = high = self.character()
            if self.next_is("-") and not self.text.startswith("-]", self.at):
                self.at += 1
                if self.at >= len(self.text):
                    raise self.error("this class is not closed", start)
                high = self.character()
                if high < low:
                    raise self.error("the range runs backwards", first)
            members.append(sets.span(low, high))
        self.at += 1
        points = sets.union(members)
        return Terminal(OneOf(sets.complement(points) if negative else points))

    def character(self) -> int:
        """One character of a string or class, escaped or not."""
        text, start = self.text, self.at
        if text[start] != "\\":
            self.at += 1
            return ord(text[start])
        if match := _HEX_ESCAPE.match(text, start) or _BRACED_ESCAPE.match(text, start):
            self.at = match.end()
            code = int(next(digits for digits in match.groups() if digits), 16)
            if code >= sets.END:
                raise self.error(f"{match[0]} is past U+10FFFF", start)
            return code
        letter = text[start + 1 : start + 2]
        if letter in _SIMPLE_ESCAPES:
            self.at += 2
            return ord(_SIMPLE_ESCAPES[letter])
        if letter and not letter.isalnum():
            self.at += 2
            return ord(letter)
        raise self.error(f"unknown escape \\{letter}")
