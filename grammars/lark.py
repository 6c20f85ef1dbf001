"""Lark grammars, in the subset that llguidance documents.

Rules and terminals with groups, `[optional]`, `* + ?`, `~ n..m`, `{m,n}`, strings and `"strings"i`, `"a".."z"`,
`/regexes/flags`, `%ignore`, `%import common.X`, `%json {...}`, `%regex {"substring_words": ...}`, aliases, priorities.

There is no lexer between text and grammar: a text matches if some way of cutting it into terminals does, with ignored
terminals anywhere between them. Priorities and lazy quantifiers choose among such ways and change no language here.
Lookaround in a terminal would depend on what follows it and is refused, as are templates and token literals.
"""

import json
from collections.abc import Callable
from typing import Final

from slipform.errors import GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars import code_points as sets
from slipform.grammars import regex_syntax as syntax
from slipform.grammars.builder import Builder, Node
from slipform.grammars.cfg import NOTHING, Alt, Embedded, Expression, Grammar, Ref, Rep, Seq, Terminal, alt, seq
from slipform.grammars.front_ends import build_spec
from slipform.grammars.lark_syntax import COMMON, Token, tokens
from slipform.grammars.regex_anchors import has_assertion
from slipform.grammars.spec import GrammarSpec, JsonSchema, Lark, Substring
from slipform.grammars.unicode_sets import ignoring_case

MAX_DEPTH: Final = 100
"""Brackets nest at most this deep, terminals refer to one another in chains at most this long."""

_SIMPLE_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "b": "\b", "v": "\v", "0": "\0"}
_CODE_LENGTHS: Final = {"x": 2, "u": 4, "U": 8}
_SUBSTRING_UNITS: Final[dict[str, str]] = {"substring_words": "words", "substring_chars": "characters"}


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Lark`. Errors carry `line:column`.

    Raises: GrammarSyntaxError, UnsupportedGrammar naming the construct, EmptyGrammar, GrammarTooLarge; what the front
        end of an inline JSON schema raises.
    """
    assert isinstance(spec, Lark)
    builder.budget.check_source(spec.text)
    grammar, ignored = _Parser(spec.text).grammar()
    if ignored is None:
        return grammar.build(spec.start, builder)
    if spec.start not in grammar.rules:
        raise GrammarSyntaxError(f"there is no rule {spec.start!r}")
    # Every terminal is followed by what is ignored; the text may begin with it, too.
    begin = "%start"
    position = grammar.positions[spec.start]
    rules = {**grammar.rules, begin: Seq((ignored, Ref(spec.start, position)))}
    return Grammar(rules, {**grammar.positions, begin: position}, grammar.key).build(begin, builder)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.in_terminal = False
        self.rules: dict[str, Expression] = {}
        self.terminals: dict[str, Expression] = {}
        self.positions: dict[str, str] = {}
        self.ignored: list[Expression] = []
        self.trees: dict[str, syntax.Tree] = {}
        self.open: set[str] = set()  # terminals whose trees are being made

    # Tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def is_operator(self, text: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return token.kind == "operator" and token.text == text

    def take(self, kind: str, what: str) -> Token:
        token = self.token
        if token.kind != kind:
            raise self.error(f"expected {what}")
        self.at += 1
        return token

    def take_operator(self, text: str) -> None:
        if not self.is_operator(text):
            raise self.error(f"expected {text!r}")
        self.at += 1

    def error(self, message: str, token: Token | None = None) -> GrammarSyntaxError:
        where = token or self.token
        found = "" if token else f", found {where.text!r}" if where.text.strip() else ""
        return GrammarSyntaxError(message + found, pattern=self.text, position=where.start, path=where.path)

    def skip_newlines(self) -> None:
        while self.token.kind == "newline":
            self.at += 1

    # Definitions

    def grammar(self) -> tuple[Grammar, Expression | None]:
        """The grammar, its terminals put in, and what may stand behind each terminal (None: nothing is ignored)."""
        self.skip_newlines()
        while self.token.kind != "end":
            if self.token.kind == "directive":
                self.directive()
            else:
                self.definition()
            if self.token.kind not in ("newline", "end"):
                raise self.error("expected the end of the line")
            self.skip_newlines()
        for name in self.terminals:
            self.terminal_tree(name, 0)
        ignored: Expression | None = None
        if self.ignored:
            trees = [self.as_tree(expression, 0) for expression in self.ignored]
            one = trees[0] if len(trees) == 1 else syntax.Alternatives(tuple(trees))
            ignored = Terminal(syntax.Repeat(one, 0, None))
        rules = {name: self.with_terminals(body, ignored) for name, body in self.rules.items()}
        return Grammar(rules, self.positions, ("lark", self.text)), ignored

    def definition(self) -> None:
        token = self.token
        if token.kind not in ("name", "terminal"):
            raise self.error("expected a rule, a terminal or a directive")
        self.at += 1
        name = token.text.lstrip("!?")
        table = self.rules if token.kind == "name" else self.terminals
        if name in self.positions:
            raise self.error(f"{name!r} is defined twice", token)
        self.positions[name] = token.path
        if self.is_operator("{"):
            raise UnsupportedGrammar("template", path=token.path)
        if self.is_operator("["):
            self.attributes()
        if self.is_operator("."):
            self.at += 1
            self.take("number", "a priority")
        self.take_operator(":")
        self.in_terminal = token.kind == "terminal"
        table[name] = self.alternatives()

    def attributes(self) -> None:
        """`[capture]` and `[capture="name"]` change no language; other attributes do, and are refused."""
        self.take_operator("[")
        while not self.is_operator("]"):
            token = self.take("name", "an attribute")
            if token.text != "capture":
                raise UnsupportedGrammar(f"attribute {token.text}", path=token.path)
            if self.is_operator("="):
                self.at += 1
                self.take("string", "a string")
            if self.is_operator(","):
                self.at += 1
        self.at += 1

    def directive(self) -> None:
        token = self.token
        self.at += 1
        if token.text == "%ignore":
            self.in_terminal = True
            self.ignored.append(self.alternatives())
        elif token.text == "%import":
            self.imports(token)
        elif token.text == "%llguidance":
            while self.token.kind not in ("newline", "end"):
                self.at += 1
        else:
            raise UnsupportedGrammar(f"directive {token.text}", path=token.path)

    def imports(self, directive: Token) -> None:
        library = self.take("name", "a library")
        if library.text != "common":
            raise UnsupportedGrammar(f"import of {library.text}", path=directive.path, reason="only common is known")
        if self.is_operator("."):
            self.at += 1
            token = self.take("terminal", "a terminal")
            name = token
            if self.is_operator("->"):
                self.at += 1
                name = self.take("terminal", "a terminal")
            self.imported(token, name)
            return
        self.take_operator("(")
        while not self.is_operator(")"):
            token = self.take("terminal", "a terminal")
            self.imported(token, token)
            if self.is_operator(","):
                self.at += 1
        self.at += 1

    def imported(self, token: Token, name: Token) -> None:
        if token.text not in COMMON:
            raise self.error(f"common has no terminal {token.text!r}", token)
        if name.text in self.positions:
            raise self.error(f"{name.text!r} is defined twice", name)
        self.positions[name.text] = name.path
        self.terminals[name.text] = Terminal(syntax.parse(COMMON[token.text], "python"))

    # Expressions

    def alternatives(self) -> Expression:
        options = [self.sequence()]
        while True:
            before = self.at
            self.skip_newlines()
            if not self.is_operator("|"):
                if not self.depth:
                    self.at = before
                return alt(options)
            self.at += 1
            self.skip_newlines()
            options.append(self.sequence())

    def sequence(self) -> Expression:
        parts: list[Expression] = []
        while True:
            if self.depth:
                self.skip_newlines()
            token = self.token
            if token.kind in ("newline", "end") or any(map(self.is_operator, ("|", ")", "]"))):
                break
            if self.is_operator("->"):
                self.at += 1
                self.take("name", "an alias")
                break
            if self.is_operator("&"):
                raise UnsupportedGrammar("operator &", path=token.path, reason="use the spec AllOf")
            parts.append(self.repeated(self.atom()))
        return seq(parts) if parts else NOTHING

    def repeated(self, expression: Expression) -> Expression:
        while True:
            token = self.token
            if token.kind != "operator" or token.text not in ("*", "+", "?", "~", "{"):
                return expression
            if token.text == "~" and self.tokens[self.at + 1].kind != "number":
                return expression
            self.at += 1
            minimum: int
            maximum: int | None
            if token.text in "*+?":
                minimum, maximum = {"*": (0, None), "+": (1, None), "?": (0, 1)}[token.text]
            elif token.text == "~":
                minimum = maximum = self.count()
                if self.is_operator(".."):
                    self.at += 1
                    maximum = self.count()
            else:
                minimum = self.count() if self.token.kind == "number" else 0
                maximum = minimum
                if self.is_operator(","):
                    self.at += 1
                    maximum = self.count() if self.token.kind == "number" else None
                self.take_operator("}")
            if maximum is not None and maximum < minimum:
                raise self.error("the upper bound is below the lower one", token)
            expression = NOTHING if maximum == 0 else Rep(expression, minimum, maximum)

    def count(self) -> int:
        token = self.take("number", "a number")
        value = int(token.text)
        if not 0 <= value <= syntax.MAX_REPEAT:
            raise self.error("the repetition number is out of range", token)
        return value

    def atom(self) -> Expression:
        token = self.token
        self.at += 1
        if token.kind in ("name", "terminal"):
            if self.is_operator("{") and self.tokens[self.at + 1].kind in ("name", "terminal", "string"):
                raise UnsupportedGrammar("template", path=token.path)
            if token.kind == "name" and self.in_terminal:
                raise self.error("a terminal cannot refer to a rule", token)
            return Ref(token.text.lstrip("!?"), token.path)
        if token.kind == "string":
            if self.is_operator(".."):
                self.at += 1
                return self.range(token, self.take("string", "a string"))
            return self.literal(token)
        if token.kind == "regexp":
            return self.regexp(token)
        if token.kind == "operator" and token.text in "([":
            if self.depth >= MAX_DEPTH:
                raise GrammarTooLarge("depth", MAX_DEPTH, path=token.path)
            self.depth += 1
            inside = self.alternatives()
            self.depth -= 1
            self.take_operator(")" if token.text == "(" else "]")
            return inside if token.text == "(" else Rep(inside, 0, 1)
        if token.kind == "directive" and token.text in ("%json", "%regex") and not self.in_terminal:
            return self.inline(token, self.take("json value", "JSON"))
        if token.kind == "special":
            raise UnsupportedGrammar("token literal", path=token.path, reason="write the text of the token")
        if token.kind == "operator" and token.text == "~":
            raise UnsupportedGrammar("operator ~", path=token.path, reason="use the spec Except")
        if token.kind == "operator" and token.text == "@":
            raise UnsupportedGrammar("reference to another grammar", path=token.path)
        if token.kind == "directive":
            raise UnsupportedGrammar(f"directive {token.text}", path=token.path)
        self.at -= 1
        raise self.error("expected an expression")

    def inline(self, directive: Token, value: Token) -> Expression:
        spec: GrammarSpec
        if directive.text == "%json":
            spec = JsonSchema.of(json.dumps(value.value, ensure_ascii=False), integers="plain")
        else:
            options = value.value if isinstance(value.value, dict) else {}
            key = next(iter(options), None)
            if len(options) != 1 or key not in _SUBSTRING_UNITS or not isinstance(options[key], str):
                raise UnsupportedGrammar("directive %regex", path=directive.path, reason="other than substring_words")
            spec = Substring(options[key], "words" if _SUBSTRING_UNITS[key] == "words" else "characters")
        made: Callable[[Builder], Node] = lambda builder: build_spec(spec, builder)  # noqa: E731
        return Embedded(spec, made, nullable=False)

    # Terminals

    def literal(self, token: Token) -> Expression:
        text = self.unescaped(token)
        if not text:
            return NOTHING
        if token.text.endswith("i"):
            letters = [syntax.OneOf(ignoring_case(sets.single(ord(c)))) for c in text]
            return Terminal(syntax.concat(list(letters)))
        return Terminal(syntax.Text(text))

    def range(self, low: Token, high: Token) -> Expression:
        first, last = self.unescaped(low), self.unescaped(high)
        if len(first) != 1 or len(last) != 1 or first > last:
            raise self.error("a range goes from one character to a later one", low)
        return Terminal(syntax.OneOf(sets.span(ord(first), ord(last))))

    def unescaped(self, token: Token) -> str:
        body = token.text[1 : token.text.rindex('"')]
        result: list[str] = []
        at = 0
        while at < len(body):
            if body[at] != "\\":
                result.append(body[at])
                at += 1
                continue
            letter = body[at + 1]
            if letter in _CODE_LENGTHS:
                digits = body[at + 2 : at + 2 + _CODE_LENGTHS[letter]]
                try:
                    result.append(chr(int(digits, 16)))
                except (ValueError, OverflowError) as error:
                    raise self.error(f"incomplete escape \\{letter}{digits}", token) from error
                at += 2 + len(digits)
                continue
            if letter in _SIMPLE_ESCAPES:
                result.append(_SIMPLE_ESCAPES[letter])
            elif not letter.isalnum():
                result.append(letter)
            else:
                raise self.error(f"unknown escape \\{letter}", token)
            at += 2
        return "".join(result)

    def regexp(self, token: Token) -> Expression:
        end = token.text.rindex("/")
        flags = token.text[end + 1 :]
        if "l" in flags:
            raise UnsupportedGrammar("flag l", path=token.path, reason="it depends on the locale")
        pattern = token.text[1:end].replace("\\/", "/")
        try:
            tree = syntax.parse(f"(?{flags})" + pattern if flags else pattern, "python")
        except GrammarSyntaxError as error:
            raise self.error(f"in the regex: {error.reason}", token) from error
        except UnsupportedGrammar as error:
            raise UnsupportedGrammar(error.feature, path=token.path) from error
        if has_assertion(tree):
            raise UnsupportedGrammar(
                "lookaround in a terminal", path=token.path, reason="anchors and word boundaries count as such"
            )
        return Terminal(tree)

    def terminal_tree(self, name: str, depth: int) -> syntax.Tree:
        if name in self.open:
            raise GrammarSyntaxError(f"terminal {name!r} refers to itself", path=self.positions[name])
        if depth > MAX_DEPTH:
            raise GrammarTooLarge("depth", MAX_DEPTH, path=self.positions[name])
        if name not in self.trees:
            self.open.add(name)
            self.trees[name] = self.as_tree(self.terminals[name], depth)
            self.open.discard(name)
        return self.trees[name]

    def as_tree(self, expression: Expression, depth: int) -> syntax.Tree:
        match expression:
            case Terminal(tree):
                return tree
            case Ref(name, path):
                if name not in self.terminals:
                    raise GrammarSyntaxError(f"there is no terminal {name!r}", path=path)
                return self.terminal_tree(name, depth + 1)
            case Seq(parts):
                return syntax.concat([self.as_tree(part, depth) for part in parts])
            case Alt(options):
                return syntax.Alternatives(tuple(self.as_tree(option, depth) for option in options))
            case Rep(body, minimum, maximum):
                return syntax.Repeat(self.as_tree(body, depth), minimum, maximum)
            case Embedded():
                raise AssertionError("the parser makes none in terminals")

    def with_terminals(self, expression: Expression, ignored: Expression | None) -> Expression:
        """The expression of a rule with terminals put in, each followed by what is ignored."""
        match expression:
            case Terminal() | Embedded():
                return expression if ignored is None else Seq((expression, ignored))
            case Ref(name):
                if name not in self.terminals:
                    return expression
                tree = Terminal(self.trees[name])
                return tree if ignored is None else Seq((tree, ignored))
            case Seq(parts):
                return seq([self.with_terminals(part, ignored) for part in parts]) if parts else NOTHING
            case Alt(options):
                return Alt(tuple(self.with_terminals(option, ignored) for option in options))
            case Rep(body, minimum, maximum):
                return Rep(self.with_terminals(body, ignored), minimum, maximum)
