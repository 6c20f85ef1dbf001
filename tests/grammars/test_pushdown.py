"""The automaton against partial derivatives: masks, forced bytes, completions, rollback, on generated grammars."""

import random
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipform.errors import EmptyGrammar, GrammarTooLarge
from slipform.grammars.bitmask import unpack
from slipform.grammars.builder import Builder, Node
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.limits import Limits
from slipform.grammars.members import Clause, Extra, Member
from slipform.grammars.spec import AnyText
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.core_oracle import Expression, Oracle, build, member_lists, simplify

ALPHABET = b"ab,:"
EOS = 0
TOKENS = [b"", *(bytes(text) for size in (1, 2, 3) for text in product(ALPHABET, repeat=size)), b"aaaaaa", b"a,b:a"]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_tokens(TOKENS, [], [EOS])


def compiled(builder: Builder, root: Node, vocabulary: Vocabulary) -> CompiledGrammar:
    return CompiledGrammar(AnyText(), vocabulary, builder, root)


def check_walk(grammar: CompiledGrammar, oracle: Oracle, expression: Expression, seed: int, steps: int = 12) -> None:
    """One random walk: at each step the mask and all answers equal the oracle's."""
    rng = random.Random(seed)
    matcher = grammar.matcher()
    states = frozenset([simplify(expression)])
    row = np.zeros(grammar.vocabulary.num_words, np.int32)
    text = b""
    for _ in range(steps):
        matcher.fill_bitmask(row)
        allowed = set(np.flatnonzero(unpack(row, len(TOKENS))).tolist())
        expected = {token for token, spelled in enumerate(TOKENS) if spelled and oracle.read(states, spelled)}
        if oracle.accepts(states):
            expected.add(EOS)
        assert allowed == expected, text
        assert allowed, f"dead end behind {text!r}"
        assert matcher.allowed_count == len(allowed)
        assert matcher.is_accepting == oracle.accepts(states)
        assert matcher.forced_bytes() == forced(oracle, states)
        completion = matcher.shortest_completion()
        assert oracle.accepts(oracle.read(states, completion)), (text, completion)
        refused = [token for token in range(len(TOKENS)) if token not in allowed]
        if refused:
            before = matcher.state_id
            assert not matcher.accept_token(rng.choice(refused))
            assert matcher.state_id == before
        token = rng.choice(sorted(allowed))
        assert matcher.accept_token(token)
        if token == EOS:
            assert matcher.is_terminated
            return
        text += TOKENS[token]
        states = oracle.read(states, TOKENS[token])


def forced(oracle: Oracle, states: frozenset[Expression]) -> bytes:
    text = b""
    while not oracle.accepts(states) and len(text) < 300:
        options = [byte for byte in ALPHABET if oracle.after(states, byte)]
        if len(options) != 1:
            break
        text += bytes(options)
        states = oracle.after(states, options[0])
    return text


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(
        st.binary(min_size=1, max_size=3).map(lambda raw: ("lit", bytes(ALPHABET[byte % 4] for byte in raw))),
        st.sets(st.sampled_from(list(ALPHABET)), min_size=1).map(lambda found: ("set", frozenset(found))),
    )

    def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        bounds = st.tuples(st.integers(0, 4), st.none() | st.integers(0, 9)).map(
            lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
        )
        separators = st.none() | st.sampled_from([("lit", b","), ("lit", b":"), ("set", frozenset(b",:"))])
        return st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: ("seq", tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: ("alt", tuple(parts))),
            st.tuples(inner, bounds, separators).map(lambda t: ("rep", t[0], t[1][0], t[1][1], t[2])),
        )

    return st.recursive(leaves, larger, max_leaves=6)


@given(expressions(), st.integers(0, 2**32))
def test_masks_equal_brute_force(vocabulary: Vocabulary, expression: Expression, seed: int) -> None:
    builder = Builder()
    check_walk(compiled(builder, build(builder, expression), vocabulary), Oracle(), expression, seed)


RECURSIVE = [
    {"root": ("alt", (("lit", b"a"), ("seq", (("lit", b","), ("ref", "root"), ("lit", b":")))))},
    {
        "root": (
            "rep",
            ("alt", (("lit", b"b"), ("seq", (("lit", b","), ("ref", "root"), ("lit", b":"))))),
            0,
            None,
            None,
        )
    },
    {"root": ("alt", (("ref", "root"), ("lit", b"a"), ("seq", (("lit", b"b"), ("ref", "root")))))},
    {
        "root": ("seq", (("ref", "pair"), ("rep", ("ref", "root"), 0, 2, None))),
        "pair": ("alt", (("lit", b"a"), ("seq", (("lit", b":"), ("ref", "root"), ("lit", b","))))),
    },
]


@pytest.mark.parametrize("index", range(len(RECURSIVE)))
def test_recursive_rules(vocabulary: Vocabulary, index: int) -> None:
    rules = RECURSIVE[index]
    oracle = Oracle(
        {name: body for name, body in rules.items() if index != 2} or {"root": ("alt", rules["root"][1][1:])}
    )
    for seed in range(20):
        builder = Builder()
        root = builder.rule("root", lambda builder=builder: build(builder, rules["root"], rules), nullable=index == 1)
        check_walk(compiled(builder, root, vocabulary), oracle, ("ref", "root"), seed)


@given(
    st.lists(st.tuples(st.sampled_from([("set", frozenset(b"ab")), ("rep", ("lit", b"a"), 0, 3, None)]), st.booleans()),
             min_size=1, max_size=4),
    st.booleans(),
    st.integers(0, 2),
    st.none() | st.integers(2, 4),
    st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=2), st.lists(st.integers(0, 3), max_size=2)), max_size=2),
    st.integers(0, 2**32),
)  # fmt: skip
def test_members(
    vocabulary: Vocabulary,
    values: list[tuple[Expression, bool]],
    any_order: bool,
    minimum: int,
    maximum: int | None,
    clauses: list[tuple[list[int], list[int]]],
    seed: int,
) -> None:
    keys = [b"aa", b"ab", b"b", b"aab"]
    members = [(keys[index], value, required) for index, (value, required) in enumerate(values)]
    kept = tuple((tuple(when), tuple(then)) for when, then in clauses if max([*when, *then], default=0) < len(members))
    expression = member_lists(members, any_order=any_order, minimum=minimum, maximum=maximum, clauses=kept)
    if not expression[1]:
        return
    builder = Builder()
    inner = builder.members(
        [Member(builder.literal(key), build(builder, value), required) for key, value, required in members],
        assign=builder.literal(b":"),
        separator=builder.literal(b","),
        order="any" if any_order else "declared",
        min_count=minimum,
        max_count=maximum,
        clauses=[Clause(when, then) for when, then in kept],
    )
    root = builder.seq(builder.literal(b":"), inner, builder.literal(b"::"))
    whole: Expression = ("seq", (("lit", b":"), expression, ("lit", b"::")))
    check_walk(compiled(builder, root, vocabulary), Oracle(), whole, seed)


@given(expressions(), st.lists(st.integers(0, 1000), max_size=10), st.integers(0, 9))
def test_rollback_and_fork_lead_back(
    vocabulary: Vocabulary, expression: Expression, choices: list[int], undo: int
) -> None:
    builder = Builder()
    matcher = compiled(builder, build(builder, expression), vocabulary).matcher()
    row = np.zeros(vocabulary.num_words, np.int32)
    states = [matcher.state_id]
    for choice in choices:
        if matcher.is_terminated:
            break
        matcher.fill_bitmask(row)
        allowed = np.flatnonzero(unpack(row, len(TOKENS)))
        assert matcher.accept_token(int(allowed[choice % len(allowed)]))
        states.append(matcher.state_id)
    twin = matcher.fork()
    undo = min(undo, len(states) - 1)
    matcher.rollback(undo)
    assert matcher.state_id == states[len(states) - 1 - undo]
    assert twin.state_id == states[-1]
    twin.rollback(len(states) - 1)
    assert twin.state_id == states[0]
    with pytest.raises(ValueError, match="cannot undo"):
        twin.rollback(1)


def test_counters_of_any_size_are_not_unrolled(vocabulary: Vocabulary) -> None:
    builder = Builder()
    body = builder.byte_class(b"ab")
    for bounds in [(1, 2000), (0, 1_000_000), (5000, None)]:
        builder.repeat(body, *bounds)
    assert len(builder.nodes) < 100
    grammar = compiled(builder, builder.seq(builder.repeat(body, 3, 2000), builder.literal(b",")), vocabulary)
    matcher = grammar.matcher()
    assert matcher.accept_bytes(b"ab,") == 2
    assert matcher.accept_bytes(b"ab" * 998 + b"ab") == 1998
    assert matcher.forced_bytes() == b","
    assert matcher.accept_bytes(b",") == 1
    assert matcher.is_accepting


def test_left_recursion_is_refused_not_followed(vocabulary: Vocabulary) -> None:
    builder = Builder()
    root = builder.rule(
        "list",
        lambda: builder.alt(builder.literal(b"a"), builder.seq(root, builder.literal(b",a"))),
        nullable=False,
    )
    with pytest.raises(GrammarTooLarge, match="left"):
        compiled(builder, root, vocabulary)


def test_state_limit() -> None:
    builder = Builder(Limits(states=1000))
    with pytest.raises(GrammarTooLarge, match="states=1000"):
        builder.choice(f"option number {index}".encode() for index in range(1000))


def distinct_lists(words: list[bytes], minimum: int, maximum: int) -> Expression:
    options: list[Expression] = [
        ("lit", b",".join(chosen)) for size in range(minimum, maximum + 1) for chosen in permutations(words, size)
    ]
    return ("alt", tuple(options))


@pytest.mark.parametrize("bounds", [(0, 2), (1, 3), (3, 6)])
def test_unique_texts_without_dead_ends(vocabulary: Vocabulary, bounds: tuple[int, int]) -> None:
    """Six words, each at most once: the last one left must be reachable, a prefix of written ones only not."""
    words = [b"a", b"b", b"aa", b"ab", b"ba", b"bb"]
    minimum, maximum = bounds
    oracle_list = distinct_lists(words, minimum, min(maximum, len(words)))
    for seed in range(6):
        builder = Builder()
        extra = Extra(builder.choice(words), builder.empty, unique=True)
        inner = builder.members(
            (),
            assign=builder.empty,
            separator=builder.literal(b","),
            extras=[extra],
            min_count=minimum,
            max_count=maximum,
        )
        root = builder.seq(builder.literal(b":"), inner, builder.literal(b"::"))
        whole: Expression = ("seq", (("lit", b":"), oracle_list, ("lit", b"::")))
        check_walk(compiled(builder, root, vocabulary), Oracle(), whole, seed, steps=20)


def test_minimum_counts_ask_for_distinct_keys(vocabulary: Vocabulary) -> None:
    builder = Builder()
    word = builder.repeat(builder.byte_class(b"ab"), 1, 3)
    with pytest.raises(ValueError, match="dfa, choice or literal"):
        builder.members((), assign=word, separator=word, extras=[Extra(word, word)], min_count=2)
    extra = Extra(builder.choice([b"a", b"b"]), builder.byte_class(b"ab"))
    comma, colon = builder.literal(b","), builder.literal(b":")
    with pytest.raises(EmptyGrammar):
        builder.members((), assign=colon, separator=comma, extras=[extra], min_count=3)
    inner = builder.members((), assign=colon, separator=comma, extras=[extra], min_count=2)
    matcher = compiled(builder, inner, vocabulary).matcher()
    assert matcher.accept_bytes(b"a:a,a:a") == 4
    assert matcher.forced_bytes() == b"b:"
    assert matcher.shortest_completion() in (b"b:a", b"b:b")


def viable(text: bytes, word: frozenset[int], longest: int, maximum: int) -> bool:
    """Whether distinct words of bytes `word`, up to `longest` long, separated by commas and ended by `:`, begin so."""
    body, _, rest = text.partition(b":")
    parts = body.split(b",")
    ended = b":" in text
    written = parts if ended else parts[:-1]
    if rest or len(parts) > maximum or len(set(written)) < len(written) or b"" in written:
        return False
    if not all(len(part) <= longest and set(part) <= word for part in parts):
        return False
    last = parts[-1]
    taken = sum(part.startswith(last) for part in written)
    return ended or taken < len(word) ** (longest - len(last) + 1) - 1 - (not last)


@pytest.mark.parametrize("longest", [6, 1000])
def test_unique_texts_of_large_sets(vocabulary: Vocabulary, longest: int) -> None:
    """Masks hold exactly the tokens with at most one completed text; accepting follows the text to the byte."""
    word = frozenset(b"ab")
    for seed in range(4):
        builder = Builder()
        table = np.arange(1, longest + 1, dtype=np.int32)
        transitions = np.full((longest + 1, 2), -1, np.int32)
        transitions[:-1, 1] = table
        inside = np.zeros(256, np.uint8)
        inside[sorted(word)] = 1
        accepting = np.arange(longest + 1) > 0
        key = builder.dfa(Table(inside, transitions, accepting))
        inner = builder.members(
            (),
            assign=builder.empty,
            separator=builder.literal(b","),
            extras=[Extra(key, builder.empty, unique=True)],
            min_count=1,
            max_count=4,
        )
        grammar = compiled(builder, builder.seq(inner, builder.literal(b":")), vocabulary)
        matcher, text, rng = grammar.matcher(), b"", random.Random(seed)
        row = np.zeros(vocabulary.num_words, np.int32)
        while not matcher.is_accepting and len(text) < 40:
            matcher.fill_bitmask(row)
            for token, allowed in enumerate(unpack(row, len(TOKENS))):
                if TOKENS[token] and (TOKENS[token].count(b",") + TOKENS[token].count(b":") < 2):
                    expected = viable(text + TOKENS[token], word, longest, 4)
                    assert bool(allowed) == expected, (text, TOKENS[token])
            completed = text + matcher.shortest_completion()
            assert completed.endswith(b":")
            assert viable(completed, word, longest, 4)
            token = rng.choice(np.flatnonzero(unpack(row, len(TOKENS))).tolist())
            assert matcher.accept_token(token)
            text += TOKENS[token]
            assert viable(text, word, longest, 4)


class Table:
    """The least that `Builder.dfa` reads."""

    start = 0

    def __init__(self, byte_class: np.ndarray, table: np.ndarray, accepting: np.ndarray) -> None:
        self.byte_class, self.table, self.accepting = byte_class, table, accepting
