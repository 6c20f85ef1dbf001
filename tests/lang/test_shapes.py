"""Shapes: what combinations accept, against Python's own sets, regular expressions and readers."""

import datetime
import itertools
import re
from collections.abc import Callable
from typing import Annotated, Any

import pydantic
import pytest

import slipform as sf
from slipform import shapes
from slipform.errors import ArgumentError, EmptyGrammar, UnsupportedGrammar
from slipform.lang.shape import Shape

SHORT = ["".join(letters) for length in range(6) for letters in itertools.product("ab", repeat=length)]


def accepted(shape: Shape) -> set[str]:
    return {text for text in SHORT if shape.match(text) is not None}


def by_regex(pattern: str) -> set[str]:
    return {text for text in SHORT if re.fullmatch(pattern, text)}


A, B, EVEN = shapes.regex("a+"), shapes.literal("b"), shapes.regex("(..)*")


@pytest.mark.parametrize(
    ("shape", "texts"),
    [
        (A + "b", by_regex("a+b")),
        ("b" + A, by_regex("ba+")),
        (A | "b" | "bb", by_regex("a+|b|bb")),
        ("ab" | A, by_regex("ab|a+")),
        (A & EVEN, by_regex("a+") & by_regex("(..)*")),
        (shapes.ebnf('root ::= "a"* "b"?') & EVEN - "", by_regex("a*b?") & by_regex("(..)*") - {""}),
        ("aa" & A, {"aa"}),
        (A - "aa", by_regex("a+") - {"aa"}),
        (EVEN - A - "", by_regex("(..)*") - by_regex("a+") - {""}),
        (B * 2, {"bb"}),
        (B * (1, 3), {"b", "bb", "bbb"}),
        ((A | B).repeat(2, 2, separator="b"), by_regex("(a+|b)b(a+|b)")),
        (A.optional() + B, by_regex("(a+)?b")),
        ((B + "a").many(), by_regex("(ba)*")),
        ((B + "a").some(separator="b"), by_regex("ba(bba)*")),
        (shapes.text(2), {text for text in SHORT if len(text) <= 2}),
        (shapes.until("bb"), {text for text in SHORT if "bb" not in text}),
        (shapes.until("bb", inclusive=True), {text for text in SHORT if text.find("bb") == len(text) - 2 >= 0}),
        (shapes.substring("abba", "characters"), {"abba"[i:j] for i in range(4) for j in range(i + 1, 5)}),
        (shapes.ebnf('root ::= "a" root "b" | "ab"'), {"ab", "aabb"}),
        (shapes.lark('start: "a" start "b" | "ab"'), {"ab", "aabb"}),
        (shapes.as_shape(re.compile("ab*")), by_regex("ab*")),
    ],
)
def test_combinations_accept_what_they_say(shape: Shape, texts: set[str]) -> None:
    assert accepted(shape) == texts


def test_rules_call_themselves_and_take_arguments() -> None:
    @shapes.rule
    def nested(inner: str) -> Shape:
        return shapes.literal(inner) | "a" + nested(inner) + "b"

    @shapes.rule
    def pair() -> Shape:
        return nested("a") + nested("b")

    assert accepted(nested("ab")) == {"ab", "aabb"}
    assert accepted(pair()) == by_regex("(a|aab)(b|abb)")


def test_captures_inside_rules_are_lists_in_the_order_in_which_they_end() -> None:
    @shapes.rule
    def term() -> Shape:
        return shapes.integer.capture("number", int) | ("(" + total() + ")").capture("group")

    @shapes.rule
    def total() -> Shape:
        return term().some(separator=shapes.one_of("+", "*").capture("sign"))

    formula = "f = " + total()
    assert formula.captures == {"number": True, "group": True, "sign": True}
    match = formula.match("f = 1+(20*(3+4))*5")
    assert match is not None
    assert match["number"] == [1, 20, 3, 4, 5]
    assert match["group"] == ["(3+4)", "(20*(3+4))"]
    assert match["sign"] == ["+", "*", "+", "*"]
    assert formula.match("f = (1") is None
    deep = "f = " + "(" * 60 + "7" + ")" * 60
    found = formula.match(deep)
    assert found is not None
    assert found["number"] == [7]
    assert len(found["group"]) == 60


def test_captures_of_rules_are_variables_of_a_program() -> None:
    @shapes.rule
    def tree() -> Shape:
        return shapes.regex("[a-z]+").capture("leaf") | "[" + tree().some(separator=" ") + "]"

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("all", grammar=tree(), max_tokens=40)

    state = program.run(backend=sf.ScriptedBackend({"all": "[a [b c] d]"}))
    assert state["leaf"] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: A.using(temperature=1) | B,
        lambda: A.using(temperature=1).many(),
        lambda: ("x" + A.using(temperature=1)).optional(),
        lambda: A.using(temperature=1) & B,
        shapes.rule(lambda: "x" + A.using(temperature=1)),
    ],
)
def test_options_inside_what_is_one_hole_are_refused_with_the_line_and_a_way_out(make: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError, match=r"options .*(using\(…\)|in a sequence).*\(.*test_shapes\.py:\d+\)"):
        make()
    assert ((A | B).using(temperature=1) + "!").match("a!")


def test_words_of_a_document_cannot_be_made_up() -> None:
    quote = shapes.substring("The cat sat on the mat.")
    assert quote.match("cat sat")
    assert quote.match("at sat") is None
    assert quote.match("cat lay") is None


# Captures


ITEM = shapes.regex("[A-Z]{2}[0-9]{2}").capture("code") + " x " + shapes.integer.capture("count", int)


def test_captures_become_values_lists_and_none() -> None:
    order = "Order: " + ITEM.some(separator=", ") + (" by " + shapes.iso_date.capture("due", datetime.date)).optional()
    match = order.match("Order: AB12 x 2, CD00 x 10 by 2026-11-23")
    assert match is not None
    assert match.captures == {"code": ["AB12", "CD00"], "count": [2, 10], "due": datetime.date(2026, 11, 23)}
    short = order.match("Order: AB12 x 2")
    assert short is not None
    assert short.captures == {"code": ["AB12"], "count": [2], "due": None}
    assert order.captures == {"code": True, "count": True, "due": False}


def test_a_capture_of_json_is_the_validated_object() -> None:
    class Point(pydantic.BaseModel):
        x: int

    shape = "At " + shapes.json(Point).capture("point") + "."
    match = shape.match('At {"x": 3}.')
    assert match is not None
    assert match["point"] == Point(x=3)


def test_a_capture_in_each_alternative_is_one_value_and_twice_in_a_sequence_a_list() -> None:
    either = A.capture("x") | B.capture("x")
    assert either.captures == {"x": False}
    assert (A.capture("x") + B.capture("x")).captures == {"x": True}
    match = (A.capture("x") + B.capture("x")).match("aab")
    assert match is not None
    assert match["x"] == ["aa", "b"]


def test_nested_captures() -> None:
    match = (A.capture("inner") + "b").capture("outer").match("aab")
    assert match is not None
    assert match.captures == {"inner": "aa", "outer": "aab"}


# Without a model


@pytest.mark.parametrize("shape", [A + "b", ITEM, shapes.email, shapes.json(list[int]), (A | B).repeat(3, 9), A & EVEN])
def test_samples_match_and_are_reproducible(shape: Shape) -> None:
    texts = [shape.sample(seed, max_chars=30) for seed in range(8)]
    assert all(shape.match(text) is not None for text in texts)
    assert texts == [shape.sample(seed, max_chars=30) for seed in range(8)]
    assert len(set(texts)) > 1


def test_complete_says_what_is_forced_and_the_shortest_end() -> None:
    shape = "Name: " + A + "!"
    completion = shape.complete("Na")
    assert completion is not None
    assert (completion.is_match, completion.forced, completion.shortest) == (False, "me: a", "me: a!")
    done = shape.complete("Name: a!")
    assert done is not None
    assert (done.is_match, done.shortest) == (True, "")
    assert shape.complete("Nom") is None


def test_explain_draws_the_tree() -> None:
    assert ("Name: " + A.capture("name") + (", " + B).optional()).explain() == (
        "sequence\n├─ 'Name: '\n├─ capture name\n│  └─ regex a+\n"
        "└─ optional\n   └─ sequence\n      ├─ ', '\n      └─ 'b'\nfor example 'Name: a'"
    )


# What is refused


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: A + 3, ArgumentError, "3 of type int is no shape"),
        (lambda: A.repeat(3, 2), ArgumentError, "no count is between 3 and 2"),
        (lambda: A.capture("a b"), ArgumentError, "'a b' is no name"),
        (lambda: shapes.one_of(), ArgumentError, "at least one option"),
        (lambda: shapes.until(), ArgumentError, "needs delimiters"),
        (lambda: shapes.substring("a", "lines"), ArgumentError, "unit must be"),  # type: ignore[arg-type]
        (lambda: A.using(stop="x"), ArgumentError, "a part has no option 'stop'"),
        (lambda: A.using(temperature=1).many(), ArgumentError, "in sequences only"),
        (lambda: shapes.until("x").pattern, ArgumentError, "Until has no regular expression"),
        (lambda: (A & B).match("a"), EmptyGrammar, "no text"),
        (lambda: (shapes.json(int) & A).match("a"), EmptyGrammar, "no text"),
        (lambda: (shapes.json({}) & A).match("a"), UnsupportedGrammar, "more than 2048 configurations"),
    ],
)
def test_mistakes_are_named(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


# In Pydantic fields and in programs


def test_shapes_are_terms_of_pydantic_fields() -> None:
    class Contact(pydantic.BaseModel):
        mail: Annotated[str, shapes.email]
        codes: list[Annotated[str, shapes.regex("[A-Z]{2}") + "-" + shapes.integer]]

    assert Contact(mail="a@b.org", codes=["AB-1"]).codes == ["AB-1"]
    with pytest.raises(pydantic.ValidationError, match="does not have the wanted shape"):
        Contact(mail="nobody", codes=[])
    shape = shapes.json(Contact)
    for seed in range(3):
        Contact.model_validate_json(shape.sample(seed, max_chars=60))
    assert shape.match('{"mail": "a@b.org", "codes": ["AB-12"]}')
    assert shape.match('{"mail": "a@b.org", "codes": ["ab-12"]}') is None


def test_captures_are_variables_of_a_program() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "Write: " + sf.gen("order", grammar="Order: " + ITEM.some(separator=", ")) + "."
        assert s["count"] == [2, 10]
        s += " Total " + str(sum(s["count"]))

    state = program.run(backend=sf.ScriptedBackend({"order": "Order: AB12 x 2, CD00 x 10"}))
    assert state["order"] == "Order: AB12 x 2, CD00 x 10"
    assert state["code"] == ["AB12", "CD00"]
    assert state.text().endswith("CD00 x 10. Total 12")
    assert "gen('order')" in str(program.trace())


def test_several_completions_have_no_captures() -> None:
    with pytest.raises(ArgumentError, match=r"n=2 and captures.*test_shapes\.py"):
        sf.gen("x", grammar=ITEM, n=2)


def test_a_part_that_does_not_end_is_named_with_the_line() -> None:
    shape = A.using(temperature=1.0) + A
    with pytest.raises(ArgumentError, match=r"part 1 of the sequence does not end by itself.*test_shapes\.py:\d+"):
        sf.gen("x", grammar=shape)
