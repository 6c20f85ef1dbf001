"""Rules that mention themselves, over any specs, against a recogniser written by hand."""

import itertools

import pytest

from slipform.errors import EmptyGrammar, GrammarSyntaxError
from slipform.grammars.captures import all_captured, captured
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import (
    AnyOf,
    Capture,
    Choice,
    GrammarSpec,
    JsonSchema,
    Recursive,
    Reference,
    Regex,
    Repeated,
    Series,
)
from slipform.grammars.vocabulary import Vocabulary

BYTES = Vocabulary.from_tokens([b"", *(bytes([byte]) for byte in range(256))], [0], [0])


def accepts(spec: GrammarSpec, text: str) -> bool:
    matcher = compile_grammar(spec, BYTES).matcher()
    return matcher.accept_bytes(text.encode()) == len(text.encode()) and matcher.is_accepting


def literal(text: str) -> GrammarSpec:
    return Choice((text,))


LISTS = Recursive(
    (
        (
            "value",
            AnyOf(
                (
                    Regex("[ab]"),
                    Series((literal("("), Repeated(Reference("value"), 0, 3, literal(",")), literal(")"))),
                )
            ),
        ),
    ),
    "value",
)


def is_list(text: str) -> bool:
    """The language of LISTS, by recursive descent."""

    def value(at: int) -> int:
        if text[at : at + 1] in ("a", "b"):
            return at + 1
        if text[at : at + 1] != "(":
            return -1
        at += 1
        count = 0
        while (end := value(at)) > 0:
            at, count = end, count + 1
            if text[at : at + 1] != ",":
                break
            at += 1
        else:
            if count:
                return -1
        return at + 1 if text[at : at + 1] == ")" and count <= 3 else -1

    return value(0) == len(text) > 0


def test_every_short_text_agrees_with_a_recogniser() -> None:
    for length in range(7):
        for letters in itertools.product("a(),", repeat=length):
            text = "".join(letters)
            assert accepts(LISTS, text) == is_list(text), text


def test_left_recursion_and_embedded_specs() -> None:
    total = Recursive(
        (
            ("sum", AnyOf((Reference("term"), Series((Reference("sum"), literal("+"), Reference("term")))))),
            (
                "term",
                AnyOf((JsonSchema.of({"type": "integer"}), Series((literal("("), Reference("sum"), literal(")"))))),
            ),
        ),
        "sum",
    )  # fmt: skip
    for text, right in (("1+2+(3+4)", True), ("((1))", True), ("1+", False), ("1++2", False), ("", False)):
        assert accepts(total, text) == right


def test_bad_rules_are_named() -> None:
    with pytest.raises(GrammarSyntaxError, match="there is no rule 'b'"):
        accepts(Recursive((("a", Reference("b")),), "a"), "")
    with pytest.raises(GrammarSyntaxError, match="'a' is defined twice"):
        accepts(Recursive((("a", literal("x")), ("a", literal("y"))), "a"), "")
    with pytest.raises(EmptyGrammar, match="'a' matches no text"):
        accepts(Recursive((("a", Series((literal("x"), Reference("a")))),), "a"), "")
    with pytest.raises(GrammarSyntaxError, match="'a' is mentioned outside of its rules"):
        accepts(Reference("a"), "")


def test_captures_around_a_recursive_part_and_inside_it_are_found() -> None:
    spec = Series((literal("list "), Capture("whole", LISTS), literal("!")))
    assert captured(spec, "list (a,(b))!") == {"whole": "(a,(b))"}
    inside = Recursive((("a", Series((Capture("x", Regex("[0-9]")), Repeated.optional(Reference("a"))))),), "a")
    assert all_captured(inside, "123") == [("x", "1"), ("x", "2"), ("x", "3")]


def test_all_captures_come_in_order() -> None:
    spec = Repeated(
        Series((Capture("k", Regex("[a-z]+")), literal("="), Capture("v", Regex("[0-9]+")))), 1, 5, literal(",")
    )
    assert all_captured(spec, "a=1,b=22") == [("k", "a"), ("v", "1"), ("k", "b"), ("v", "22")]
