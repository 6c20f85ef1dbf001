"""Regexes against Python's `re` and the `regex` package, over all short texts and over texts made from the patterns."""

import itertools
import random
import re

import pytest
import regex as reference
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from slipform.errors import GrammarSyntaxError, GrammarTimeout, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.regex import regex_dfa
from slipform.grammars.unicode_sets import ignoring_case, python_class, unicode_property

ALPHABET = "ab1_ é\n"
SHORT = ["".join(t) for n in range(5) for t in itertools.product(ALPHABET, repeat=n)]
EXAMPLES = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

ATOMS = [
    "a",
    "b",
    "ab",
    "1",
    " ",
    "é",
    "_",
    r"\n",
    ".",
    r"\w",
    r"\W",
    r"\d",
    r"\D",
    r"\s",
    r"\S",
    "[ab]",
    "[^a]",
    "[^ab1]",
    "[a-b_]",
    r"[\w]",
    r"[^\W\d]",
    "[é-ü]",
    r"\x61",
    r"\u00e9",
    r"[\n ]",
    "(?i:A)",
    "(?s:.)",
    "(?a:\\w)",
    "(?i:[^A])",
    "[]a]",
]
ASSERTIONS = [
    "^",
    "$",
    r"\A",
    r"\Z",
    r"\b",
    r"\B",
    "(?m:^)",
    "(?m:$)",
    "(?<=a)",
    "(?<!b)",
    r"(?<=\w)",
    r"(?<!\s)",
    "(?<=ab)",
]
QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{1,}", "{0}", "{2,3}?"]


def patterns(*, assertions: bool) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(ATOMS)

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        quantified = st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda p: f"(?:{p[0]}){p[1]}")
        options = [
            st.lists(inner, min_size=2, max_size=3).map("".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
            quantified,
            inner.map(lambda p: f"(?:{p}|)"),
        ]
        if assertions:
            options.append(st.sampled_from(ASSERTIONS))
            options.append(inner.map(lambda p: f"(?={p})"))
            options.append(inner.map(lambda p: f"(?!{p})"))
        return st.one_of(options)

    return st.recursive(leaves, extend, max_leaves=7)


def same_as_re(pattern: str, *, search: bool = False) -> None:
    compiled = re.compile(pattern)
    dfa = regex_dfa(pattern, search=search)
    match = compiled.search if search else compiled.fullmatch
    for text in SHORT:
        assert dfa.accepts(text.encode()) == (match(text) is not None), (pattern, text)
    for data in dfa.texts(20):
        assert match(data.decode()) is not None, (pattern, data)


@EXAMPLES
@given(patterns(assertions=False))
def test_plain_patterns(pattern: str) -> None:
    same_as_re(pattern)


@EXAMPLES
@given(patterns(assertions=True), st.booleans())
def test_patterns_with_lookaround_and_anchors(pattern: str, search: bool) -> None:
    same_as_re(pattern, search=search)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?!.*ab)[ab]*",
        r"(?:(?!ab).)*ab?",
        r"^(?=.*\d)(?=.*a)[\w]{2,}$",
        r"(?=(?:..)*$)a*b*",
        r"\bab\b|a\Bb",
        r"(^a|b$)+",
        r"(?:^a|b)*",
        r"(?:a$|b)*",
        r"a$\n",
        r"a$\n?",
        r"(?m:^a$\n?)+",
        r"(?m)^a$(?s:.)*^b$",
        r"(?<!a)b(?!1)",
        r"(?<=a|1)b|a.*",
        r"(?!(?!a)b)..",
        r"(?=(?!ab)a).*",
        r"(?!a(?=b)).*",
        r"\B",
        r"\b",
        r"(?!)",
        r"(?=)",
        r"(?:(?=a)){2}a",
        r"(?:(?=b)|a)*b",
        r"[^\W\d_]+",
        r"(?i)aB+",
        r"(?x) a b # comment",
        "(?x) a\u2028b",  # white space of Unicode is not skipped
        r"a{,2}",
        r"a{2",
        r"a{,}",
        r"x*",
        r"()|a",
        r"(|a)b",
        r"(?#note)a",
        r"(?P<name>a)(?P<other>b)",
        r"[\d-]+",
        r"[a\-b]",
        r"[-a]",
        r"[a-]",
        r"\101",
        r"[\0]|a",
        r"(?-i:a)",
        r"(?i:a(?-i:b))",
    ],
)
@pytest.mark.parametrize("search", [False, True])
def test_chosen_patterns(pattern: str, search: bool) -> None:
    same_as_re(pattern, search=search)


REALISTIC = [
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    r"((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
    r"[0-9]+(\.[0-9]+)?|(1|12)",
    r'"([^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"',
    r"[^\n]{1,40}",
    r"(\w+\s){2,4}\w+",
    r"(?i)straße|ΣΊΣΥΦΟΣ|[k-s]+",
    r"(?!.*(foo|bar))[a-z]{1,6}",
    r"[\U0001F600-\U0001F64F]+|[一-鿿ぁ-ヿ，。]{1,9}",
]


@pytest.mark.parametrize("pattern", REALISTIC)
def test_texts_made_from_the_pattern_and_their_mutations(pattern: str) -> None:
    compiled = re.compile(pattern)
    dfa = regex_dfa(pattern)
    chance = random.Random(pattern)
    matched = 0

    @settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.from_regex(pattern, fullmatch=True))
    def check(text: str) -> None:
        nonlocal matched
        assume(not any("\ud800" <= c <= "\udfff" for c in text))
        mutations = [text]
        for _ in range(8):
            at = chance.randrange(len(text) + 1)
            other = chance.choice(["", "a", "1", "é", "\n", "😀", ".", text[:3], chr(chance.randrange(0x20, 0x2FF))])
            mutations.append(text[:at] + other + text[at + chance.randrange(2) :])
        for mutated in mutations:
            expected = compiled.fullmatch(mutated) is not None
            matched += expected
            assert dfa.accepts(mutated.encode()) == expected, mutated

    check()
    assert matched


def test_every_character() -> None:
    everything = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for pattern in (r"\w", r"\S", r"(?i)k", r"(?i)[å-ö]", r"[^\W\d]"):
        dfa = regex_dfa(pattern)
        compiled = re.compile(pattern)
        wrong = [c for c in everything[::7] if dfa.accepts(c.encode()) != (compiled.match(c) is not None)]
        assert wrong == [], pattern


@pytest.mark.parametrize(
    "name",
    [
        "L",
        "Lu",
        "Letter",
        "gc=Nd",
        "Greek",
        "Script=Cyrillic",
        "sc=Hira",
        "scx=Grek",
        "Alphabetic",
        "Emoji",
        "White_Space",
        "P",
        "ASCII",
        "Any",
        "Assigned",
        "ID_Start",
        "Uppercase_Letter",
        "Cn",
        "Han",
        "XIDC",
    ],
)
def test_unicode_properties(name: str) -> None:
    points = unicode_property(name)
    assert points is not None
    found: list[int] = []
    for match in reference.finditer(rf"\p{{{name}}}+", "".join(map(chr, range(0x110000)))):
        found += match.span()
    surrogates = ("C", "Any", "Cs", "Other", "Assigned")
    if name not in surrogates:
        assert points == tuple(found)
    dfa = regex_dfa(rf"\p{{{name}}}")
    inverse = regex_dfa(rf"\P{{{name}}}")
    for code in range(0, 0x110000, 211):
        if not 0xD800 <= code < 0xE000:
            expected = reference.match(rf"\p{{{name}}}", chr(code)) is not None
            assert dfa.accepts(chr(code).encode()) == expected != inverse.accepts(chr(code).encode())


def test_case_variants_are_those_of_re() -> None:
    everything = "".join(map(chr, range(0x20000)))
    odd = [
        0x49,
        0x4B,
        0x53,
        0xB5,
        0xDF,
        0x130,
        0x131,
        0x17F,
        0x1C4,
        0x1C5,
        0x345,
        0x390,
        0x3B8,
        0x3C2,
        0x1E9E,
        0x1FD3,
        0x2126,
    ]
    for code in [*odd, 0x212A, 0xFB05, 0x10400, 0x1E900, 0x10D0, 0x13A0, 0xAB70, 0x1C80]:
        expected = {ord(c) for c in re.findall(f"(?i){re.escape(chr(code))}", everything)}
        points = ignoring_case((code, code + 1))
        assert {c for low, high in zip(points[::2], points[1::2], strict=True) for c in range(low, high)} == expected
    assert python_class(r"\d")[:2] == (0x30, 0x3A)


ECMA = [
    (r"^\d+$", ["1", "42"], ["١", "a", "1\n"]),
    (r"\w", ["a", "é_"], ["é", ""]),
    (r"^\s$", ["\ufeff", "\u2029", " "], ["\x1f", "x"]),
    (r"^.$", ["a", "😀", "\u0085"], ["\n", "\r", "\u2028"]),
    (r"^[^]$", ["\n", "a"], ["", "ab"]),
    (r"[]", [], ["", "a"]),
    (r"^\cA\u0041\u{1F600}\x42$", ["\x01A😀B"], ["cAA😀B"]),
    (r"^\ud83d\ude00$", ["😀"], ["\ud83d"[:0]]),
    (r"a{,2}", ["a{,2}"], ["aa"]),
    (r"^a{2}$|^b", ["aa", "bc"], ["a", "xaa"]),
    (r"foo", ["foo", "xfoox"], ["fo"]),
    (r"^(?<year>\d{4})\/\-$", ["2026/-"], ["2026"]),
    (r"^x-", ["x-", "x-y"], ["yx-"]),
    (r"^(?!x-)", ["", "y", "x"], ["x-", "x-y"]),
    (r"^\p{Lu}\p{Script=Greek}$", ["Aλ"], ["aλ", "Ab"]),
    (r"\bfoo\b", ["foo", "a foo.", "éfooé"], ["afoo", "foo_"]),
    (r"(?<=\$)\d", ["$1", "a$12"], ["1", "$"]),
]


@pytest.mark.parametrize(("pattern", "matching", "other"), ECMA)
def test_ecma(pattern: str, matching: list[str], other: list[str]) -> None:
    dfa = regex_dfa(pattern, flavour="ecma", search=True)
    assert [t for t in matching if not dfa.accepts(t.encode())] == []
    assert [t for t in other if dfa.accepts(t.encode())] == []


@pytest.mark.parametrize(
    ("pattern", "feature"),
    [
        (r"(a)\1", "backreference"),
        (r"(?P<x>a)(?P=x)", "backreference"),
        (r"(a)?(?(1)b|c)", "conditional group"),
        ("(?>a*)a", "atomic group"),
        ("a*+a", "possessive quantifier"),
        (r"(?<=a(?=b))b", "lookahead inside a lookbehind"),
        (r"(?<=a\b) ", "lookahead inside a lookbehind"),
        (r"\p{Nonsense}", "Unicode property Nonsense"),
        ("(?L)a", "flag L"),
        (r"(?R)", "recursion"),
        (r"(?<x>a)\k<x>", "backreference"),
    ],
)
def test_what_is_not_regular_is_refused_by_name(pattern: str, feature: str) -> None:
    with pytest.raises(UnsupportedGrammar) as caught:
        regex_dfa(pattern)
    assert caught.value.feature == feature


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("a(b", 1),
        ("a)", 1),
        ("*a", 0),
        ("a**", 2),
        ("[a", 0),
        ("a[z-a]", 2),
        (r"\q", 0),
        ("a{3,2}", 1),
        ("(?P<1>a)", 0),
        ("a\\", 1),
        (r"\x4", 0),
        (r"a(?i)b", 1),
        ("^*", 1),
        ("(?<a>x)(?<a>y)", 7),
        (r"[\w-a]", 1),
        (r"\N{no such name}", 0),
    ],
)
def test_syntax_errors_point(pattern: str, position: int) -> None:
    with pytest.raises(GrammarSyntaxError) as caught:
        regex_dfa(pattern)
    assert caught.value.position == position
    with pytest.raises((re.error, reference.error)):
        re.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "((a{1,100}){1,100}){1,100}",
        "(a|b)*a(a|b){60}",
        "(.*a){30}[ab]{30}",
        "(((((a{0,9}){0,9}){0,9}){0,9}){0,9}){0,9}",
        "(x+x+)+y{500000}",
        "(?=.*a.{20}b)(?=.*b.{21}a).*",
        "(" * 500 + "a" + ")" * 500,
        "a{1000000000}",
        r"(?!.*a.{40}b).*",
    ],
)
def test_explosions_end_in_a_named_error(pattern: str) -> None:
    with pytest.raises((GrammarTooLarge, GrammarTimeout)):
        regex_dfa(pattern, max_states=20_000, seconds=1.0)


def test_never_matching_patterns_are_empty() -> None:
    for pattern in (r"a^b", r"$a", r"(?!)", r"\bé\B(?=x)y", r"[^\s\S]", "\\ud800"):
        assert regex_dfa(pattern).is_empty, pattern
