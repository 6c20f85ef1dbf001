"""The spec `Regex` through the matcher: counters and parts must mean what the whole pattern means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarSyntaxError, GrammarTooLarge
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.regex import regex_dfa
from slipform.grammars.spec import Regex
from slipform.grammars.vocabulary import Vocabulary

BYTES = Vocabulary.from_tokens([bytes([i]) for i in range(256)] + [b""], [256], [256])


def grammar(pattern: str) -> CompiledGrammar:
    return compile_grammar(Regex(pattern), BYTES)


def accepts(compiled: CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


LARGE = [
    r"[^\n]{1,200}",
    r"x(é|yz){3,150}w?",
    r"(a|b)*a(a|b){14}",
    r"(ab?){30,400}",
    r"((a{1,9}){1,9}){1,9}b",
    r"(a{2}){1,300}",
    r"(a{2,3}){0,300}",
    r"((ab){0,60}c?){2,20}",
    r"(a{0,300}|b{7,300}é)(ab|a){200,}",
    r"(- [^\n]{1,120}\n){3,10}",
    r"(?:x+x+)+y{500}",
    r"(?!aaa)[ab]{2,300}",
    r"(a{200,}){2,}b",
]


@settings(max_examples=40)
@given(st.sampled_from(LARGE), st.data())
def test_large_patterns(pattern: str, data: st.DataObject) -> None:
    compiled = grammar(pattern)
    text = data.draw(
        st.one_of(
            st.sampled_from(list(regex_dfa(pattern).texts(40))).map(bytes.decode),
            st.text(alphabet="abéxyz- \n", max_size=40),
            st.integers(0, 950).map(lambda n: "a" * n),
            st.integers(0, 420).map(lambda n: "ab" * n),
        )
    )
    if any("\ud800" <= c <= "\udfff" for c in text):
        return
    # One automaton of the whole pattern, which test_regex.py compares with `re`; `re` itself would backtrack for ever.
    whole = regex_dfa(pattern)
    for candidate in (text, text + "b", text[1:]):
        assert accepts(compiled, candidate) == whole.accepts(candidate.encode())


@pytest.mark.parametrize("bound", [100, 2_000, 20_000])
def test_bounds_hold_exactly(bound: int) -> None:
    compiled = grammar(f"[^,]{{3,{bound}}}")
    assert not accepts(compiled, "é" * 2)
    assert accepts(compiled, "é" * 3)
    assert accepts(compiled, "é" * bound)
    assert not accepts(compiled, "é" * (bound + 1))


def test_two_thousand_words() -> None:
    words = [f"w{i * i % 100_003}" for i in range(2_000)]
    compiled = grammar("|".join(words))
    assert all(accepts(compiled, word) for word in words)
    assert not accepts(compiled, "w")
    assert grammar(f"({'|'.join(words)})!")


def test_hostile_patterns_are_quick_or_refused() -> None:
    for pattern in (
        r"((a{1,100}){1,100}){1,100}",
        r"(a|b)*a(a|b){60}",
        r"(x+x+)+y{500000}",
        r"a{1000000000}",
        r"(.*a){30}[ab]{30}",
    ):
        matcher = grammar(pattern).matcher()
        assert matcher.accept_bytes(b"aaaa") in (0, 4)
    with pytest.raises(GrammarTooLarge, match="depth"):
        grammar("(" * 500 + "a" + ")" * 500)
    with pytest.raises(GrammarTooLarge, match="source_bytes"):
        compile_grammar(Regex("a" * 100), BYTES, limits=Limits(source_bytes=50))
    with pytest.raises(GrammarSyntaxError, match="too large"):
        grammar("a{99999999999}")
    with pytest.raises(GrammarTooLarge):
        compile_grammar(Regex(r"(?!.*a.{40}b).*"), BYTES, limits=Limits(states=5_000))


def test_a_pattern_without_texts_is_refused() -> None:
    with pytest.raises(EmptyGrammar):
        grammar(r"a\bb")


def test_nul_and_lone_surrogates() -> None:
    assert accepts(grammar("\x00[\x00-\x02]*"), "\x00\x01")
    assert accepts(grammar("a|\ud800"), "a")
    with pytest.raises(EmptyGrammar):
        grammar("\ud800")
    assert regex_dfa("[\ud800-\ue000]").accepts("\ue000".encode())
