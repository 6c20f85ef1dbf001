"""Random grammars against other readers: Lark's own Earley parser, a plain recogniser, tags followed by hand.

Lark's `dynamic_complete` lexer reads a grammar as these masks do: a text matches if some way of cutting it does.
"""

import itertools
import re

import lark
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.spec import Ebnf, GrammarSpec, Lark, Regex, StructuralTag, Tag
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.recognizer import Expression, derives

BYTES = Vocabulary.from_tokens([bytes([i]) for i in range(256)] + [b""], [256], [256])
LETTERS = ["".join(letters) for size in range(6) for letters in itertools.product("ab", repeat=size)]
SPACED = ["".join(letters) for size in range(5) for letters in itertools.product("aB ", repeat=size)]


def accepts(compiled: CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def compiled_or_rejected(spec: GrammarSpec) -> CompiledGrammar | None:
    """None for a grammar of no text; a grammar that is refused for a documented reason is no example."""
    try:
        return compile_grammar(spec, BYTES, limits=Limits(memory_bytes=2**24))
    except EmptyGrammar:
        return None
    except UnsupportedGrammar as error:
        assume("left recursion cannot be enforced: it hides" not in str(error))
        raise
    except GrammarTooLarge:
        reject()


def accepted(compiled: CompiledGrammar | None, texts: list[str]) -> list[str]:
    if compiled is None:
        return []
    try:
        return [text for text in texts if accepts(compiled, text)]
    except GrammarTooLarge:  # a text with exponentially many readings
        reject()


# Lark: every notation that both sides know, with and without ignored blanks

# Terminals without alternatives of which one begins another: Lark's lexer takes the first of those that `re` finds.
ATOMIC = ['"a"', '"b"', '"ab"', '"b"i', '"a".."b"', "/a+/", "/[^a ]/", "/(b|aa)/", r'"\x61"']
TERMINALS = st.recursive(
    st.sampled_from(ATOMIC),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=2).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"({part})+"),
        inner.map(lambda part: f"({part}) ~ 2"),
    ),
    max_leaves=3,
)
RULES = st.recursive(
    st.sampled_from(['"a"', '"b"i', '"ab"', "/a+b/", '"a".."b"', "start", "x", "T", "U", "()"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3, unique=True).map(lambda parts: f"({' | '.join(parts)})"),
        inner.map(lambda part: f"[{part}]"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", " ~ 2", " ~ 0..2"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(RULES, RULES, TERMINALS, TERMINALS, st.sampled_from(["", '%ignore " "', "%ignore /[ ]+/"]))
def test_lark_agrees(start: str, x: str, terminal: str, other: str, ignore: str) -> None:
    text = f"start: {start}\nx: {x}\n  | U -> alias\nT.2: {terminal}\nU: T {other}\n{ignore}\n"
    try:
        parser = lark.Lark(text, parser="earley", lexer="dynamic_complete", ambiguity="forest")
    except lark.exceptions.LarkError:  # it wants rules without equal alternatives
        reject()
    found = accepted(compiled_or_rejected(Lark(text)), SPACED)
    assert found == [candidate for candidate in SPACED if parses(parser, candidate)], text


def parses(parser: lark.Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except lark.exceptions.UnexpectedInput:
        return False
    return True


# GBNF: one grammar in many spellings

ATOMS = st.sampled_from(
    [
        ('"a"', ("text", "a")),
        (r'"\x61b"', ("text", "ab")),
        (r'"\u0062"', ("text", "b")),
        ("[ab]", ("regex", "[ab]")),
        ("[^b-z]", ("regex", "[^b-z]")),
        ("[a\\-\\]]", ("regex", "[a\\-\\]]")),
        (".", ("regex", ".")),
        ('""', ("text", "")),
        ("root", ("ref", "root")),
        ("x-1", ("ref", "x-1")),
    ]
)
BLANKS = st.sampled_from([" ", "  ", "\n  ", ' # a comment ::= "\n'])
COUNTS = st.sampled_from(
    [("*", 0, None), ("+", 1, None), ("?", 0, 1), ("{2}", 2, 2), ("{1,}", 1, None), ("{0,2}", 0, 2), ("{,1}", 0, 1)]
)
Spelt = tuple[str, Expression]


def in_order(drawn: tuple[list[Spelt], str]) -> Spelt:
    parts, blank = drawn
    return f"({blank.join(text for text, _ in parts)})", ("seq", [meaning for _, meaning in parts])


def either(drawn: tuple[list[Spelt], str]) -> Spelt:
    parts, blank = drawn
    return f"({f'{blank}|{blank}'.join(text for text, _ in parts)})", ("alt", [meaning for _, meaning in parts])


def repeated(drawn: tuple[Spelt, tuple[str, int, int | None]]) -> Spelt:
    (text, meaning), (mark, minimum, maximum) = drawn
    return f"{text}{mark}", ("rep", meaning, minimum, maximum)


SPELT = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(st.lists(inner, min_size=1, max_size=3), BLANKS).map(in_order),
        st.tuples(st.lists(inner, min_size=2, max_size=3), BLANKS).map(either),
        st.tuples(inner, COUNTS).map(repeated),
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(SPELT, SPELT, BLANKS)
def test_gbnf_in_any_spelling(root: Spelt, x: Spelt, blank: str) -> None:
    text = f"root{blank}::={blank}{root[0]}\n{blank}\nx-1 ::= {x[0]}"
    rules: dict[str, Expression] = {"root": root[1], "x-1": x[1]}
    found = accepted(compiled_or_rejected(Ebnf(text)), LETTERS)
    assert found == [candidate for candidate in LETTERS if derives(rules, "root", candidate)], text


# Structural tags, followed by hand


@st.composite
def tag_specs(draw: st.DrawFn) -> tuple[StructuralTag, list[str]]:
    """A spec, and the regexes of its contents."""
    triggers = draw(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2, unique=True))
    rests, ends = st.text("ab", max_size=2), st.text("ab", max_size=2)
    tags: list[Tag] = []
    contents: list[str] = []
    for trigger in (*triggers, *draw(st.lists(st.sampled_from(triggers), max_size=1))):
        contents.append(draw(st.sampled_from(["", "a", "b*", "[ab]{1,2}", "(ab)*"])))
        tags.append(Tag(trigger + draw(rests), Regex(contents[-1]), draw(ends)))
    return StructuralTag(tuple(tags), tuple(triggers), draw(st.booleans()), draw(st.booleans())), contents


def follows(text: str, spec: StructuralTag, contents: list[str], num_tags: int = 0) -> bool:
    """Free text runs to the first place where a trigger is complete; there a tag that begins with it must go on."""
    if spec.stop_after_first and num_tags:
        return text == ""
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(trigger) for trigger in spec.triggers)]
    if not ends:
        return num_tags > 0 or not spec.at_least_one
    for trigger in spec.triggers:
        if text[: ends[0]].endswith(trigger):
            rest = text[ends[0] - len(trigger) :]
            for tag, content in zip(spec.tags, contents, strict=True):
                whole = re.compile(re.escape(tag.begin) + f"(?:{content})" + re.escape(tag.end))
                for end in range(len(trigger), len(rest) + 1):
                    if (
                        tag.begin.startswith(trigger)
                        and whole.fullmatch(rest, 0, end)
                        and follows(rest[end:], spec, contents, num_tags + 1)
                    ):
                        return True
    return False


@settings(max_examples=60)
@given(tag_specs())
def test_structural_tags_followed_by_hand(drawn: tuple[StructuralTag, list[str]]) -> None:
    spec, contents = drawn
    found = accepted(compiled_or_rejected(spec), LETTERS)
    assert found == [text for text in LETTERS if follows(text, spec, contents)]
