"""Lark grammars against a plain recogniser on random grammars, and against llguidance on written ones."""

import itertools
import json

import llguidance
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarSyntaxError, GrammarTooLarge, UnsupportedGrammar
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.spec import Lark
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.recognizer import Expression, derives

BYTES = Vocabulary.from_tokens([bytes([i]) for i in range(256)] + [b""], [256], [256])
SHORT = ["".join(t) for n in range(6) for t in itertools.product("ab", repeat=n)]


def accepts(compiled: CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    data = text.encode()
    return matcher.accept_bytes(data) == len(data) and matcher.is_accepting


def grammar(text: str, start: str = "start") -> CompiledGrammar:
    return compile_grammar(Lark(text, start), BYTES)


def written(expression: Expression) -> str:
    kind, *operands = expression
    if kind == "text":
        return f'"{operands[0]}"'
    if kind == "regex":
        return f"/{operands[0]}/"
    if kind == "ref":
        return str(operands[0])
    if kind == "seq":
        return "(" + " ".join(map(written, operands[0])) + ")"
    if kind == "alt":
        return "(" + " | ".join(map(written, operands[0])) + ")"
    body, minimum, maximum = operands
    if maximum is None:
        return f"({written(body)}){{{minimum},}}"
    return f"({written(body)}) ~ {minimum}..{maximum}"


EXPRESSIONS = st.recursive(
    st.one_of(
        st.sampled_from(["a", "b", "ab"]).map(lambda t: ("text", t)),
        st.sampled_from(["[ab]", "[^a]b?", "a+"]).map(lambda t: ("regex", t)),
        st.sampled_from(["start", "x", "Y"]).map(lambda n: ("ref", n)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: ("seq", parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ("alt", parts)),
        st.tuples(inner, st.integers(0, 2), st.sampled_from([1, None])).map(
            lambda t: ("rep", t[0], t[1], None if t[2] is None else t[1] + t[2])
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=80)
@given(st.fixed_dictionaries({"start": EXPRESSIONS, "x": EXPRESSIONS}))
def test_random_grammars(rules: dict[str, Expression]) -> None:
    text = "\n".join(f"{name}: {written(body)}" for name, body in rules.items()) + '\nY: "b" /a*/ | "ab"i\n'
    everything = {**rules, "Y": ("regex", "ba*|[aA][bB]")}
    expected = [t for t in SHORT if derives(everything, "start", t)]
    try:
        compiled = compile_grammar(Lark(text), BYTES, limits=Limits(memory_bytes=2**24))
        found = [t for t in SHORT if accepts(compiled, t)]
    except UnsupportedGrammar as error:
        assume("it hides" not in str(error))
        raise
    except EmptyGrammar:
        assert expected == [], text
        return
    except GrammarTooLarge:  # every text can be read in exponentially many ways
        reject()
    assert found == expected, text


CALCULATOR = r"""
?start: terms
      | NAME "=" terms    -> bind   // an alias

?terms: factors
    | terms ("+" | "-") factors

?factors: unit (("*" | "/") unit)*

?unit: NUMBER | NAME
     | "-" unit           -> minus
     | "(" terms ")"

%import common.CNAME -> NAME
%import common.NUMBER
%import common.WS_INLINE
%ignore WS_INLINE
"""
LISTS = r"""
start: "[" [item ("," item)*] "]"
item.2: WORD | STRING | start | pair{1,2}
pair: KEY ":" ("true"i | "false"i)
KEY.1: LOW (LOW | DIGIT)~2..3
LOW: "a".."f"
STRING: /"[^"\/]*"/i
%import common (WORD, DIGIT, WS)
"""
CASES = [
    (CALCULATOR, ["1+2*x", " x = (1 - -2) / 3.5e1", "a=b", "1  +  1 "], ["1+", "x=y=z", "(1", "1 2"]),
    (LISTS, ["[]", '[abc:TRUE,"é",[WORD]]', "[abcd:falseabc:true]"], ["[,]", "[ab:true]", "[abc :true]", '["/"]']),
    (
        'start: "call" %json {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]} ";"',
        ['call{"n":1};', 'call{"n": -20};'],
        ['call{"n":"x"};', "call{};"],
    ),
    (
        'start: "<" %regex {"substring_words": "the quick brown fox"} ">"',
        ["<quick brown>", "<the>"],
        ["<qui>", "<fox the>"],
    ),
    ('start: A B?\nA: /[0-9]+(\\.[0-9]+)?/\nB: "k"i | "\\u00e9\\x41\\t"', ["1.5", "12K", "7éA\t"], ["1.", "k"]),
    ('start: (a | b)+ // comment\na: "x" \\\n  "y"\n  | "z"\nb[capture="n"]: /q.*?r/s', ["xyz", "zq\nr"], ["x", "q"]),
]


@pytest.mark.parametrize(("text", "matching", "other"), CASES)
def test_written_grammars(text: str, matching: list[str], other: list[str]) -> None:
    compiled = grammar(text)
    assert [t for t in matching if not accepts(compiled, t)] == []
    assert [t for t in other if accepts(compiled, t)] == []


@pytest.mark.parametrize("index", [0, 2, 4])
def test_llguidance_agrees(index: int) -> None:
    text, matching, other = CASES[index]

    class Bytes:
        eos_token_id = 256
        bos_token_id = None
        tokens = (*(bytes([i]) for i in range(256)), b"</s>")
        special_token_ids = (256,)

        def __call__(self, data: bytes | str) -> list[int]:
            return list(data.encode() if isinstance(data, str) else data)

    tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Bytes()))
    compiled = grammar(text)
    for sample in matching + other:
        matcher = llguidance.LLMatcher(tokenizer, json.dumps({"grammars": [{"lark_grammar": text}]}))
        assert not matcher.is_error(), matcher.get_error()
        data = sample.encode()
        if sample.startswith(" "):
            continue  # it ignores nothing before the first terminal
        taken = matcher.try_consume_tokens(list(data)) == len(data) and matcher.is_accepting()
        assert accepts(compiled, sample) == taken, sample


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('start: "a', "1:8", "unexpected"),
        ("start: a\nb: c", "1:8", "no rule 'a'"),
        ("start: A", "1:8", "no rule 'A'"),
        ("start: A\nA: B", "2:4", "no terminal 'B'"),
        ("start: A\nA: b\nb: A", "2:4", "cannot refer to a rule"),
        ('start: A\nA: "a" B\nB: A?', "2:1", "refers to itself"),
        ('start: ("a"', "1:12", "expected"),
        ('start: "a" ~ 3..2', "1:12", "below"),
        ('start: "b".."a"', "1:8", "range"),
        ('start: "a"\nstart: "b"', "2:1", "twice"),
        ("start: /a(/", "1:8", "in the regex"),
        ("%import common.NOTHING\nstart: NOTHING", "1:16", "no terminal"),
        ('start: %json {"type": }', "1:8", "JSON"),
    ],
)
def test_errors_point(text: str, path: str, message: str) -> None:
    with pytest.raises(GrammarSyntaxError, match=message) as caught:
        grammar(text)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "feature", "path"),
    [
        ("start: <|think|>", "token literal", "1:8"),
        ('start: list{"a"}\nlist{x}: x', "template", "1:8"),
        ('_sep{x, s}: x (s x)*\nstart: "a"', "template", "1:1"),
        ("start: /a(?=b)/", "lookaround in a terminal", "1:8"),
        (r"start: /(a)\1/", "backreference", "1:8"),
        ('start: A\nA: "a" & /b/', "operator &", "2:8"),
        ("start: A\nA: ~/b/", "operator ~", "2:4"),
        ('start[max_tokens=3]: "a"', "attribute max_tokens", "1:7"),
        ('%declare X\nstart: "a"', "directive %declare", "1:1"),
        ("%import python.NAME\nstart: NAME", "import of python", "1:1"),
        ("start: @other", "reference to another grammar", "1:8"),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_name(text: str, feature: str, path: str) -> None:
    with pytest.raises(UnsupportedGrammar) as caught:
        grammar(text)
    assert (caught.value.feature, caught.value.path) == (feature, path)


def test_start_rule_and_depth() -> None:
    assert accepts(grammar('begin: "x"', "begin"), "x")
    with pytest.raises(GrammarSyntaxError, match="no rule 'start'"):
        grammar('begin: "x"')
    with pytest.raises(GrammarTooLarge, match="depth"):
        grammar("start: " + "(" * 300 + '"a"' + ")" * 300)
