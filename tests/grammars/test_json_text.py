"""JSON spellings of regular texts, against the `json` module in both directions."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.grammars import dfa as dfas
from slipform.grammars.dfa import Dfa
from slipform.grammars.json_text import Escapes, json_string_body
from slipform.grammars.regex import regex_dfa

SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
LANGUAGES: dict[str, Dfa] = {
    "any": dfas.any_text(),
    "ascii words": regex_dfa(r"[a-z]+(-[a-z]+)*"),
    "letters": regex_dfa(r"\p{L}{1,3}"),
    "lines": regex_dfa(r"[^\n]{0,5}"),
    "astral": regex_dfa("[\U0001f600-\U0001f64f\U000103a0\U0010ffff]é?"),
    "controls": regex_dfa('["\\\\/\x00-\x1f\x7f]*'),
    "not these": dfas.any_text() - dfas.literals([b"id", b"name", "größe".encode()]),
    "odd ranges": regex_dfa("[\x80-\u0901\u0fff-\u1001\ud000-\uf123\U00010001-\U00020400]*"),
}
CHARACTERS = st.one_of(
    st.sampled_from(
        'az09"\\/\b\f\n\r\t\x00\x1f\x7f\x80éß\u07ff\u0800\u0fff\u1000\ud7ff\ue000\uffff😀\U00010000\U0010ffff-'
    ),
    st.characters(exclude_categories=["Cs"]),
)


def numbered(character: str, *, capitals: bool) -> str:
    units = character.encode("utf-16-be")
    form = "\\u%04X" if capitals else "\\u%04x"
    return "".join(form % int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))


def spellings(character: str, escapes: Escapes) -> set[str]:
    """Every way in which `escapes` lets a character be written, straight from the definitions."""
    raw = {character} if character >= " " and character not in '"\\' else set()
    short = {SHORT[character]} if character in SHORT else set()
    if escapes == "all":
        either = {numbered(character, capitals=False), numbered(character, capitals=True)}
        return raw | short | either
    only = {json.dumps(character, ensure_ascii=escapes != "raw")[1:-1]}
    if escapes in ("raw", "ascii"):
        return only
    plain = {json.dumps(character, ensure_ascii=False)[1:-1]}
    both = {
        form.replace(numbered(character, capitals=False), numbered(character, capitals=True)) for form in only | plain
    }
    return only | plain | both


@settings(max_examples=150)
@given(
    st.sampled_from(list(LANGUAGES)),
    st.sampled_from(["all", "raw", "ascii", "usual"]),
    st.lists(CHARACTERS, max_size=4),
    st.randoms(),
)
def test_every_spelling_of_a_text(name: str, escapes: Escapes, characters: list[str], chance: random.Random) -> None:
    dfa = LANGUAGES[name]
    body = json_string_body(dfa, escapes)
    expected = dfa.accepts("".join(characters).encode())
    for _ in range(6):
        forms = [chance.choice(sorted(spellings(c, escapes))) for c in characters]
        assert body.accepts("".join(forms).encode()) == expected, forms
    if characters and expected:
        # Every spelling that is not allowed is refused.
        at = chance.randrange(len(characters))
        for form in spellings(characters[at], "all") - spellings(characters[at], escapes):
            forms = [min(spellings(c, escapes)) for c in characters]
            forms[at] = form
            assert not body.accepts("".join(forms).encode()), forms


@settings(max_examples=200)
@given(
    st.sampled_from(list(LANGUAGES)),
    st.lists(st.sampled_from([*'aé😀/"\\bnu0', "\\u", "d83d", "\\ude00", "D", "00e9", "\\n", "\n"]), max_size=8),
)
def test_any_body_means_what_json_reads(name: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    dfa = LANGUAGES[name]
    try:
        decoded = json.loads(f'"{text}"')
        expected = dfa.accepts(decoded.encode())
    except (json.JSONDecodeError, UnicodeEncodeError):
        expected = False
    assert json_string_body(dfa, "all").accepts(text.encode()) == expected


@pytest.mark.parametrize("escapes", ["all", "raw", "ascii", "usual"])
@pytest.mark.parametrize("name", list(LANGUAGES))
def test_texts_of_the_body_decode_to_texts(name: str, escapes: Escapes) -> None:
    body = json_string_body(LANGUAGES[name], escapes)
    decoded = [json.loads(b'"' + text + b'"') for text in body.texts(150)]
    assert decoded
    assert all(LANGUAGES[name].accepts(text.encode()) for text in decoded)
    if escapes in ("raw", "ascii"):
        assert len(set(decoded)) == len(decoded)


@pytest.mark.parametrize("escapes", ["all", "raw", "ascii", "usual"])
def test_spelling_keeps_the_algebra(escapes: Escapes) -> None:
    a, b = regex_dfa(r"[a-dé\n]{1,3}"), regex_dfa(r"[c-f\n😀]*")
    for combined, expected in (
        (a & b, json_string_body(a, escapes) & json_string_body(b, escapes)),
        (a | b, json_string_body(a, escapes) | json_string_body(b, escapes)),
        (a - b, json_string_body(a, escapes) - json_string_body(b, escapes)),
        (a + b, json_string_body(a, escapes) + json_string_body(b, escapes)),
    ):
        assert json_string_body(combined, escapes) == expected
    assert json_string_body(dfas.empty(), escapes).is_empty
    assert json_string_body(dfas.epsilon(), escapes) == dfas.epsilon()
