"""GBNF against a plain recogniser on random grammars, and against xgrammar on grammars that people write."""

import itertools

import pytest
import xgrammar
from hypothesis import assume, event, given, reject, settings
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.spec import Ebnf
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.recognizer import Expression, derives

BYTES = Vocabulary.from_tokens([bytes([i]) for i in range(256)] + [b""], [256], [256])
SHORT = ["".join(t) for n in range(6) for t in itertools.product("ab", repeat=n)]


def accepts(compiled: CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def grammar(text: str, root: str = "root") -> CompiledGrammar:
    return compile_grammar(Ebnf(text, root), BYTES)


def written(expression: Expression) -> str:
    kind, *operands = expression
    if kind == "text":
        return f'"{operands[0]}"'
    if kind == "regex":
        return str(operands[0])
    if kind == "ref":
        return str(operands[0])
    if kind == "seq":
        return "(" + " ".join(map(written, operands[0])) + ")"
    if kind == "alt":
        return "(" + " | ".join(map(written, operands[0])) + ")"
    body, minimum, maximum = operands
    return f"{written(body)}{{{minimum},{'' if maximum is None else maximum}}}"


LEAVES = st.one_of(
    st.sampled_from(["a", "b", "ab", ""]).map(lambda t: ("text", t)),
    st.sampled_from(["[ab]", "[^a]"]).map(lambda t: ("regex", t)),
    st.sampled_from(["root", "x", "y"]).map(lambda n: ("ref", n)),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: ("seq", parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ("alt", parts)),
        st.tuples(inner, st.integers(0, 2), st.sampled_from([0, 1, None])).map(
            lambda t: ("rep", t[0], t[1], None if t[2] is None else t[1] + t[2])
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=120)
@given(st.fixed_dictionaries({"root": EXPRESSIONS, "x": EXPRESSIONS, "y": EXPRESSIONS}))
def test_random_grammars(rules: dict[str, Expression]) -> None:
    text = "\n".join(f"{name} ::= {written(body)}" for name, body in rules.items())
    expected = [t for t in SHORT if derives(rules, "root", t)]
    try:
        compiled = compile_grammar(Ebnf(text), BYTES, limits=Limits(memory_bytes=2**24))
    except UnsupportedGrammar as error:
        event(f"refused: {error}")
        assume("left recursion cannot be enforced: it hides" not in str(error))
        raise
    except EmptyGrammar:
        assert expected == [], text
        return
    try:
        found = [t for t in SHORT if accepts(compiled, t)]
    except GrammarTooLarge:  # every text can be read in exponentially many ways
        event("too ambiguous")
        reject()
    assert found == expected, text


ARITHMETIC = r"""
# left recursive, as textbooks write it
root ::= expr
expr ::= expr [-+] term | term
term ::= term "*" factor | factor
factor ::= "(" expr ")" | [0-9]+ | "é"{2,3}
"""
JSON = r"""
root ::= gap obj
any  ::= (obj | list | text | num | "true" | "false" | "null") gap
obj  ::= "{" gap (member (
             "," gap member
         )*)? "}" gap   # members in any number
member ::= text gap ":" gap any
list ::= "[" gap (any ("," gap any)*)? "]" gap
text ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}) )* "\""
num  ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
gap  ::= | " " | "\n" [ \t]{0,8}
"""
ROUTE = r"""
root ::= "from " stop " to " stop "\n" (leg ". " stop "\n")+
leg  ::= [1-9] [0-9]?
stop ::= (city | "(" city ", " city ")") [!?]?
city ::= [A-Z] [a-z]{2,} ("-" [A-Z] [a-z]+)*
"""
LIST = 'root ::= point{1,3}\npoint ::= "* " [^\\r\\n\\x0b\\u2028\\u2029]+ "\\n"\n'
ANY = 'root ::= "<" .{0,5} ">" | "\\u00e9\\U0001F600\\x41\\t\\]" [\\]\\-a]'

CASES = [
    (ARITHMETIC, ["1+2*3", "(1-2)*(éé+ééé)", "((7))", "12"], ["1+", "é", "1++2", "(1", "éééé"]),
    (
        JSON,
        ["{}", '{"a":[1,2.5e-1,true,{"b\\n":"\\u00e9"}]}', '\n  {"k":\n  null }'],
        ['{"a"}', "[]", '{"a":01}', '{"a":"\x01"}'],
    ),
    (
        ROUTE,
        ["from Ulm to Bad-Ems?\n1. Rom\n", "from (Ulm, Aue) to Rom\n12. Ulm!\n3. Rom\n"],
        ["from Ulm to Rom\n", "from U to Rom\n1. Ulm\n"],
    ),
    (LIST, ["* a\n* béc\n"], ["* \n", "* a", "* a\u2028\n", "* a\n" * 4]),
    (ANY, ["<>", "<a\né😀>", "é😀A\t]-"], ["<123456>", "é😀A\t]b"]),
    ('root ::= x\nx ::= "a" |\n  "b"\n  | "c" # more\n | [d-f]{2}', ["a", "b", "c", "de"], ["d", "", "ab"]),
    ('root ::= "a"{2} "b"{1,} ("c" "d"){0,2}', ["aab", "aabbcdcd"], ["ab", "aabcdcdcd"]),
    ('root ::= ("a" | )+ "b"?', ["", "aab", "b"], ["ba"]),
    ("root ::= [a-c-] [^b] [\\[]", ["-x[", "aa["], ["db[", "ab["]),
]


@pytest.mark.parametrize(("text", "matching", "other"), CASES)
def test_written_grammars(text: str, matching: list[str], other: list[str]) -> None:
    compiled = grammar(text)
    assert [t for t in matching if not accepts(compiled, t)] == []
    assert [t for t in other if accepts(compiled, t)] == []


@pytest.mark.parametrize(("text", "matching", "other"), CASES[:4])
def test_xgrammar_agrees(text: str, matching: list[str], other: list[str]) -> None:
    if "left recursive" in text:
        text = text.replace("expr [-+] term | term", "term ([-+] term)*").replace(
            'term "*" factor | factor', 'factor ("*" factor)*'
        )
    text = text.replace("gap  ::= |", 'gap ::= "" |')
    compiled = grammar(text)
    tokenizer = xgrammar.TokenizerInfo([bytes([i]) for i in range(1, 256)] + [b"</s>"], stop_token_ids=[255])
    theirs = xgrammar.GrammarCompiler(tokenizer).compile_grammar(text)
    for sample in matching + other:
        matcher = xgrammar.GrammarMatcher(theirs, terminate_without_stop_token=False)
        taken = matcher.accept_string(sample) and matcher.accept_token(255)
        assert accepts(compiled, sample) == taken, sample


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('root ::= "a', "1:10", "not closed"),
        ('root ::= "a"\nb :: "c"', "2:3", "unexpected"),
        ("root ::= [a", "1:10", "not closed"),
        ('root ::= ("a"', "1:10", "not closed"),
        ("root ::= a\nb ::= [a]", "1:10", "no rule 'a'"),
        ('root ::= "a"\nroot ::= "b"', "2:1", "twice"),
        ("root ::= [z-a]", "1:11", "backwards"),
        ('root ::= "a"{3,2}', "1:13", "below"),
        ('root ::= "\\q"', "1:11", "unknown escape"),
        ('root ::= "a"{x}', "1:13", "expected"),
        ("", "1:1", "no rules"),
        ("  = a", "1:3", "expected a rule"),
    ],
)
def test_errors_point(text: str, path: str, message: str) -> None:
    with pytest.raises(GrammarSyntaxError, match=message) as caught:
        grammar(text)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "feature", "path"),
    [
        ("root ::= <[1000]>", "token literal", "1:10"),
        ("root ::= !<think>", "token literal", "1:10"),
        ('root ::= "a" (="b")', "lookahead", "1:14"),
        ('root ::= TagDispatch(("a", b))', "TagDispatch", "1:10"),
        ('root ::= "a" | e\ne ::= w e "b" | "c"\nw ::= " "?', "left recursion", "2:1"),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_name(text: str, feature: str, path: str) -> None:
    with pytest.raises(UnsupportedGrammar) as caught:
        grammar(text)
    assert (caught.value.feature, caught.value.path) == (feature, path)


@pytest.mark.parametrize("text", ["root ::= root", 'root ::= "a" x\nx ::= "b" x', 'root ::= "\\ud800"', "root ::= []"])
def test_grammars_without_texts_are_refused(text: str) -> None:
    with pytest.raises(EmptyGrammar):
        grammar(text)


def test_other_root_and_unused_rules() -> None:
    compiled = grammar('root ::= "a"\nstart ::= "b" unused?\nunused ::= "c" unused2\nunused2 ::= "d"', "start")
    assert accepts(compiled, "bcd")
    with pytest.raises(GrammarSyntaxError, match="no rule 'begin'"):
        grammar('root ::= "a"', "begin")


def test_hostile_grammars() -> None:
    with pytest.raises(GrammarTooLarge, match="depth"):
        grammar("root ::= " + "(" * 1000 + '"a"' + ")" * 1000)
    nested = "\n".join(f'r{i} ::= r{i + 1}{{0,9}} r{i + 1} "x"?' for i in range(30))
    with pytest.raises(GrammarTooLarge):
        accepts(grammar(f'root ::= r0\n{nested}\nr30 ::= "a"'), "aaaa")
    wide = grammar("root ::= " + " | ".join(f'"word{i}"' for i in range(5000)))
    assert accepts(wide, "word4999")
    assert not accepts(wide, "word5000")
    chain = "\n".join(f"r{i} ::= r{i + 1}" for i in range(300))
    assert accepts(grammar(f'root ::= r0\n{chain}\nr300 ::= "a"'), "a")
