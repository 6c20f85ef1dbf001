"""Compilation: caching, threads, limits and cancelling, growth of sessions, files."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from slipform.errors import (
    ConfigError,
    EmptyGrammar,
    GrammarSyntaxError,
    GrammarTimeout,
    GrammarTooLarge,
    UnsupportedGrammar,
    VocabularyMismatch,
)
from slipform.grammars.bitmask import unpack
from slipform.grammars.builder import Builder
from slipform.grammars.compiler import CompiledGrammar, GrammarCache, compile_grammar
from slipform.grammars.limits import Budget, CancelToken, Limits
from slipform.grammars.spec import AnyText, Choice, GrammarSpec, JsonSchema, Regex
from slipform.grammars.storage import load_grammar, save_grammar
from slipform.grammars.vocabulary import Vocabulary

TOKENS = [b"", *(bytes([byte]) for byte in range(256)), b'{"', b'":', b'", "', b"the ", b"12", b'"}', "ü".encode()]
PERSON = JsonSchema.of(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "age": {"type": "integer", "minimum": 0},
            "friends": {"type": "array", "items": {"$ref": "#"}, "maxItems": 3},
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
        "required": ["name"],
    }
)
SPECS: list[GrammarSpec] = [
    PERSON,
    Regex(r"[a-z]{2,300}(-[0-9]+)?"),
    Choice(("one", "two", "three")),
    AnyText(),
    AnyText(9),
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_tokens(TOKENS, [], [0])


def random_walk(grammar: CompiledGrammar, seed: int, steps: int = 60) -> list[tuple[bytes, int]]:
    """Masks and tokens of a seeded walk."""
    rng = random.Random(seed)
    matcher = grammar.matcher()
    row = np.empty(grammar.vocabulary.num_words, np.int32)
    walk = []
    for _ in range(steps):
        matcher.fill_bitmask(row)
        allowed = np.flatnonzero(unpack(row, len(grammar.vocabulary)))
        assert len(allowed)
        token = int(rng.choice(allowed))
        walk.append((row.tobytes(), token))
        assert matcher.accept_token(token)
        if matcher.is_terminated:
            break
    return walk


def test_equal_specs_share_one_grammar_and_old_ones_are_forgotten(vocabulary: Vocabulary) -> None:
    cache = GrammarCache(max_entries=2)
    first = compile_grammar(Choice(("a", "b")), vocabulary, cache=cache)
    assert compile_grammar(Choice(("a", "b")), vocabulary, cache=cache) is first
    assert compile_grammar(Choice(("a", "b")), vocabulary, Limits(seconds=9), cache=cache) is not first
    compile_grammar(Choice(("c",)), vocabulary, cache=cache)
    assert compile_grammar(Choice(("a", "b")), vocabulary, cache=cache) is not first
    assert cache.num_bytes > 0
    cache.clear()
    assert cache.num_bytes == 0


def test_threads_compile_once_and_walk_the_same_masks(vocabulary: Vocabulary) -> None:
    cache = GrammarCache()
    alone = {
        index: random_walk(compile_grammar(spec, vocabulary, cache=GrammarCache()), index)
        for index, spec in enumerate(SPECS)
    }

    def work(number: int) -> bool:
        index = number % len(SPECS)
        return random_walk(compile_grammar(SPECS[index], vocabulary, cache=cache), index) == alone[index]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
    grammars = [compile_grammar(SPECS[0], vocabulary, cache=cache) for _ in range(3)]
    assert len(set(map(id, grammars))) == 1


def test_a_failed_compilation_is_not_kept(vocabulary: Vocabulary) -> None:
    cache = GrammarCache()
    for _ in range(2):
        with pytest.raises(GrammarSyntaxError):
            compile_grammar(Regex("(a"), vocabulary, cache=cache)
    with pytest.raises(EmptyGrammar):
        compile_grammar(Choice(()), vocabulary, cache=cache)
    with pytest.raises(EmptyGrammar):
        compile_grammar(AnyText(-1), vocabulary, cache=cache)
    with pytest.raises(GrammarSyntaxError, match="option 1"):
        compile_grammar(Choice(("fine", "\ud800")), vocabulary, cache=cache)
    with pytest.raises(UnsupportedGrammar, match="str"):
        compile_grammar("no spec", vocabulary, cache=cache)  # type: ignore[arg-type]
    assert not cache._under_way


def test_limits_and_cancelling_end_in_named_errors(vocabulary: Vocabulary) -> None:
    many = Choice(tuple(f"option {index}" for index in range(500)))
    with pytest.raises(GrammarTooLarge, match="states=100"):
        compile_grammar(many, vocabulary, Limits(states=100))
    with pytest.raises(GrammarTooLarge, match="source_bytes=5"):
        compile_grammar(many, vocabulary, Limits(source_bytes=5))
    with pytest.raises(GrammarTooLarge, match="states=1000"):
        compile_grammar(AnyText(10**9), vocabulary, Limits(states=1000))
    with pytest.raises(GrammarTimeout, match="longer than 0 s"):
        compile_grammar(many, vocabulary, Limits(seconds=0))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(GrammarTimeout, match="cancelled") as caught:
        compile_grammar(many, vocabulary, cancel=cancel, cache=GrammarCache())
    assert caught.value.cancelled
    budget = Budget(Limits(depth=3))
    budget.check_depth(3)
    with pytest.raises(GrammarTooLarge, match="depth=3"):
        budget.check_depth(4, path="/items")


def test_a_compilation_under_way_can_be_cancelled(vocabulary: Vocabulary) -> None:
    cancel, started = CancelToken(), threading.Event()
    builder = Builder(budget=Budget(Limits(), cancel))

    def endless() -> None:
        while True:
            builder.choice([b"a", str(len(builder.nodes)).encode()])
            started.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(endless)
        started.wait()
        cancel.cancel()
        with pytest.raises(GrammarTimeout, match="cancelled"):
            running.result(timeout=60)


def test_memory_is_bounded_by_new_sessions(vocabulary: Vocabulary) -> None:
    limits = Limits(memory_bytes=400_000)
    grammar = compile_grammar(Regex(r"([a-z]{1,40},){1,9000}"), vocabulary, limits, cache=GrammarCache())
    ids = set()
    text = b",".join(b"word" for _ in range(400))
    for _ in range(4):
        matcher = grammar.matcher()
        assert matcher.accept_bytes(text) == len(text)
        assert grammar.num_bytes <= limits.memory_bytes
        ids.add(matcher.state_id)
    assert len(ids) > 1, "no new session was opened"
    endless = grammar.matcher()
    with pytest.raises(GrammarTooLarge, match="memory_bytes"):
        endless.accept_bytes(b",".join(b"x" * (index % 40 + 1) for index in range(8000)))


def test_tokens_that_cannot_spell_the_grammar_are_named() -> None:
    poor = Vocabulary.from_tokens([b"", b"a", b"b"], [], [0])
    matcher = compile_grammar(Choice(("ac", "ad")), poor).matcher()
    assert matcher.accept_token(1)
    with pytest.raises(VocabularyMismatch, match="b'cd'"):
        matcher.fill_bitmask(np.zeros(1, np.int32))


def test_a_prefix_is_spelled_first_and_not_judged(vocabulary: Vocabulary) -> None:
    grammar = compile_grammar(Regex("[0-9]+"), vocabulary)
    matcher = grammar.matcher(prefix=b"at 1")
    assert matcher.forced_bytes() == b"at 1"
    assert matcher.accept_bytes(b"at 12x") == 5
    assert not matcher.is_terminated
    assert matcher.is_accepting
    assert not grammar.matcher(prefix=b"at ").is_accepting


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_stored_grammars_walk_alike(spec: GrammarSpec, vocabulary: Vocabulary, tmp_path: Path) -> None:
    grammar = compile_grammar(spec, vocabulary, cache=GrammarCache())
    file = tmp_path / "grammar.npz"
    save_grammar(grammar, file)
    loaded = load_grammar(file, vocabulary)
    assert loaded.spec == spec
    for seed in range(5):
        assert random_walk(loaded, seed) == random_walk(grammar, seed)
    assert loaded.matcher().shortest_completion() == grammar.matcher().shortest_completion()
    with pytest.raises(ConfigError, match="another vocabulary"):
        load_grammar(file, Vocabulary.from_tokens(TOKENS[:-1], [], [0]))
    file.write_bytes(json.dumps({}).encode())
    with pytest.raises(ConfigError, match="not a stored grammar"):
        load_grammar(file, vocabulary)
