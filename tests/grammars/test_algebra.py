"""Structural tags and the algebra of specs, against brute force."""

import itertools
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.algebra import spec_dfa
from slipform.grammars.captures import captured
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    AnyText,
    Capture,
    Choice,
    Ebnf,
    Except,
    GrammarSpec,
    JsonText,
    Lark,
    Regex,
    Repeated,
    Series,
    StructuralTag,
    Substring,
    Tag,
    Until,
    think_then_answer,
)
from slipform.grammars.vocabulary import Vocabulary

BYTES = Vocabulary.from_tokens([bytes([i]) for i in range(256)] + [b""], [256], [256])
SHORT = ["".join(t) for n in range(7) for t in itertools.product("ab<", repeat=n)]


def accepts(compiled: CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def grammar(spec: GrammarSpec) -> CompiledGrammar:
    return compile_grammar(spec, BYTES)


def tagged(text: str, spec: StructuralTag, contents: list[str]) -> bool:
    """The definition: read from the left; where a trigger is complete, one of its tags must go on."""
    states = {(0, 0)}  # (where free text begins, tags so far)
    done = False
    seen = set()
    while states:
        start, count = states.pop()
        if (start, count) in seen:
            continue
        seen.add((start, count))
        may_go_on = not (spec.stop_after_first and count)
        first = min((text.find(t, start) + len(t) for t in spec.triggers if text.find(t, start) >= 0), default=None)
        if first is None:
            enough = count > 0 or not spec.at_least_one
            done |= enough and (may_go_on or start == len(text))
            continue
        if not may_go_on:
            continue
        for trigger in spec.triggers:
            if text[start:first].endswith(trigger):
                for tag, content in zip(spec.tags, contents, strict=True):
                    if tag.begin.startswith(trigger):
                        at = first - len(trigger)
                        for end in range(first, len(text) + 1):
                            inner = text[at + len(tag.begin) : end - len(tag.end)]
                            whole = text.startswith(tag.begin, at) and text[at:end] == tag.begin + inner + tag.end
                            if whole and len(tag.begin + inner + tag.end) == end - at and re.fullmatch(content, inner):
                                states.add((end, min(count + 1, 1)))
    return done


TAGS = [
    ([("<a", "a*", ">".replace(">", "b"))], ["<"]),
    ([("<a", "b", "<"), ("<b", "[ab]?", "")], ["<", "<b"]),
    ([("aab", "b*", "a")], ["aa"]),
    ([("ab", "", "a"), ("ba", "a", "")], ["ab", "ba"]),
]


@pytest.mark.parametrize("at_least_one", [False, True])
@pytest.mark.parametrize("stop_after_first", [False, True])
@pytest.mark.parametrize(("tags", "triggers"), TAGS)
def test_structural_tags(
    tags: list[tuple[str, str, str]], triggers: list[str], at_least_one: bool, stop_after_first: bool
) -> None:
    spec = StructuralTag(
        tuple(Tag(begin, Regex(content), end) for begin, content, end in tags),
        tuple(triggers),
        at_least_one,
        stop_after_first,
    )
    compiled = grammar(spec)
    contents = [content for _, content, _ in tags]
    found = [text for text in SHORT if accepts(compiled, text)]
    assert found == [text for text in SHORT if tagged(text, spec, contents)]
    assert found


def test_tool_calls() -> None:
    call = Tag('<function="add">', Regex(r'\{"a":\d+,"b":\d+\}'), "</function>")
    other = Tag('<function="now">', Choice(("{}",)), "</function>")
    compiled = grammar(StructuralTag((call, other), ("<function=",)))
    assert accepts(
        compiled, 'Ça va. <b> <function="add">{"a":1,"b":22}</function> and <function="now">{}</function> <function'
    )
    assert not accepts(compiled, 'so <function="add">{"a":1}</function>')
    assert not accepts(compiled, 'so <function="sub">{"a":1,"b":2}</function>')


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (StructuralTag((Tag("<a>", AnyText(), ""),), ("<b",)), "triggers/0"),
        (StructuralTag((Tag("<a>", AnyText(), ""), Tag("x", AnyText(), "")), ("<a",)), "tags/1/begin"),
        (StructuralTag((Tag("<a>", AnyText(), ""),), ("",)), "triggers/0"),
        (StructuralTag((Tag("<a>", AnyText(), ""),), ()), "triggers"),
    ],
)
def test_tags_without_triggers_are_refused(spec: StructuralTag, path: str) -> None:
    with pytest.raises(GrammarSyntaxError) as caught:
        grammar(spec)
    assert caught.value.path == path


A, B, AB = Regex("a+b?"), Choice(("b", "ab", "ba")), Regex("[ab]{0,3}")
EXPECTED: list[tuple[GrammarSpec, str]] = [
    (Series((A, B)), "(a+b?)(b|ab|ba)"),
    (AnyOf((A, B)), "a+b?|b|ab|ba"),
    (Repeated(B, 1, 2), "(b|ab|ba){1,2}"),
    (Repeated(B, 0, 3, Choice(("<",))), "((b|ab|ba)(<(b|ab|ba)){0,2})?"),
    (Repeated(B, 2, None, Regex("<+")), "(b|ab|ba)(<+(b|ab|ba))+"),
    (Repeated.optional(A), "(a+b?)?"),
    (Series(()), ""),
    (AllOf((AB, Regex("a.*"), Regex(".*b"))), "ab|a[ab]b"),
    (Except(AB, A), "(?!(?:a+b?)$)[ab]{0,3}"),
    (AllOf((Repeated(B, 0, 2, Choice(("<",))), Regex(".*<.*"))), "(b|ab|ba)<(b|ab|ba)"),
    (Until(("b<", "aa")), "(?!.*(b<|aa)).*"),
    (Until(("b<", "aa"), inclusive=True), "(?!.*(b<|aa).).*(b<|aa)"),
    (Capture("x", A), "a+b?"),
    (Series((Until(("<",), inclusive=True), A)), "[^<]*<a+b?"),
]


@pytest.mark.parametrize(("spec", "pattern"), EXPECTED)
def test_algebra(spec: GrammarSpec, pattern: str) -> None:
    compiled = grammar(spec)
    whole = spec_dfa(spec, Limits())
    expected = [text for text in SHORT if re.fullmatch(pattern, text, re.DOTALL)]
    assert [text for text in SHORT if accepts(compiled, text)] == expected
    assert [text for text in SHORT if whole.accepts(text.encode())] == expected


@settings(max_examples=60)
@given(st.text(alphabet="abé ", min_size=1, max_size=30), st.data())
def test_substrings(document: str, data: st.DataObject) -> None:
    parts = {document[i:j] for i in range(len(document)) for j in range(i + 1, len(document) + 1)}
    dfa = spec_dfa(Substring(document, "characters"), Limits())
    assert {text.decode() for text in dfa.texts(len(parts) + 1)} == parts
    borders = [m.span() for m in re.finditer(r"\S+", document)]
    quotes = {document[i:j] for i, _ in borders for _, j in borders if i < j}
    if quotes:
        by_words = spec_dfa(Substring(document), Limits())
        assert {text.decode() for text in by_words.texts(len(quotes) + 1)} == quotes
    else:
        with pytest.raises(EmptyGrammar):
            spec_dfa(Substring(document), Limits())


def test_a_long_document_is_quoted_quickly() -> None:
    words = [f"word{i * i % 977}" for i in range(3_000)]
    compiled = grammar(Series((Choice(('"',)), Substring(" ".join(words)), Choice(('"',)))))
    assert accepts(compiled, f'"{" ".join(words[100:140])}"')
    assert not accepts(compiled, f'"{words[100]} {words[102]}"')


def test_think_then_answer() -> None:
    compiled = grammar(think_then_answer(Choice(("yes", "no"))))
    assert accepts(compiled, "<think>is 1 < 2? </thin</think>\n\nyes")
    assert not accepts(compiled, "<think>a</think>b</think>yes")
    assert not accepts(compiled, "yes")


def test_what_is_not_regular_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedGrammar, match="Ebnf"):
        grammar(AllOf((Ebnf('root ::= "a" root "b" | ""'), AnyText())))
    with pytest.raises(EmptyGrammar):
        grammar(AllOf((Choice(("a",)), Choice(("b",)))))
    with pytest.raises(EmptyGrammar):
        grammar(AnyOf(()))
    with pytest.raises(GrammarSyntaxError):
        grammar(Repeated(A, 3, 2))
    with pytest.raises(GrammarSyntaxError):
        grammar(Until(("",)))


def test_captures_are_those_of_re() -> None:
    spec = Series(
        (
            Capture("head", Regex("a*")),
            AnyOf((Series((Capture("x", Regex("ab?")), Choice(("<",)))), Capture("y", Regex("[ab]+")))),
            Repeated(Capture("item", Regex("[ab]{1,2}")), 0, 3, Choice(("<",))),
        )
    )
    pattern = re.compile(
        "(?P<head>a*)(?:(?P<x>ab?)<|(?P<y>[ab]+))(?:(?P<item>[ab]{1,2})(?:<(?P<item2>[ab]{1,2})){0,2})?"
    )
    for text in SHORT:
        match = pattern.fullmatch(text)
        if match is None:
            with pytest.raises(ValueError, match="does not match"):
                captured(spec, text)
            continue
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        last = groups.pop("item2", None)
        assert captured(spec, text) == {**groups, **({"item": last} if last is not None else {})}, text


def test_captures_of_larger_specs() -> None:
    spec = think_then_answer(Series((Choice(("{",)), Capture("n", Regex("[0-9]+")), Choice(("}",)))))
    assert captured(spec, "<think>é</think>\n{42}") == {"thoughts": "é", "answer": "{42}", "n": "42"}
    with pytest.raises(UnsupportedGrammar, match="capture inside StructuralTag"):
        captured(StructuralTag((Tag("<", Capture("x", A), ">"),), ("<",)), "<a>")


@pytest.mark.parametrize("body", [Regex('[a"\\\\\n]{0,2}'), Choice(("é", "/")), Lark('start: "a" ("\\"" "a")*')])
def test_json_text_is_the_strings_that_decode_to_the_body(body: GrammarSpec) -> None:
    limits = Limits()
    texts = spec_dfa(body, limits)
    strings = spec_dfa(JsonText(body), limits)
    for length in range(5):
        for characters in itertools.product('a"\\\né/', repeat=length):
            text = "".join(characters)
            for is_ascii in (True, False):
                written = json.dumps(text, ensure_ascii=is_ascii)
                assert strings.accepts(written.encode()) == texts.accepts(text.encode())
    for written_bytes in strings.texts(50):
        assert texts.accepts(json.loads(written_bytes).encode())


def test_json_text_of_what_needs_a_stack_is_refused() -> None:
    with pytest.raises(UnsupportedGrammar, match="in a JSON string"):
        spec_dfa(JsonText(Lark('start: "(" start ")" | "x"')), Limits())
    with pytest.raises(EmptyGrammar):
        compile_grammar(JsonText(Except(AnyText(), AnyText())), BYTES)
