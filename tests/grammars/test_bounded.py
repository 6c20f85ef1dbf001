"""Regular parts whose characters are counted, against all texts of the lengths allowed."""

import random
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from slipform.grammars.bitmask import unpack
from slipform.grammars.builder import Builder
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.spec import AnyText
from slipform.grammars.storage import load_grammar, save_grammar
from slipform.grammars.vocabulary import Vocabulary

ALPHABET = b"ab"
TOKENS = [b"", *(bytes(text) for size in (1, 2, 3) for text in product(ALPHABET, repeat=size)), b"aaaaa", b'a"', b'"']


@dataclass(frozen=True, eq=False)
class Automaton:
    """What `Builder.bounded` reads; equal to itself alone."""

    byte_class: np.ndarray
    table: np.ndarray
    accepting: np.ndarray
    start: int = 0


def random_automaton(rng: random.Random) -> tuple[Automaton, np.ndarray]:
    """A trim automaton over `ALPHABET`, each byte a character."""
    while True:
        size = rng.randint(1, 5)
        table = [[rng.choice([-1, *range(size)]) for _ in ALPHABET] for _ in range(size)]
        accepting = [rng.random() < 0.4 for _ in range(size)]
        reached = {0}
        for _ in range(size):
            reached |= {after for state in reached for after in table[state] if after >= 0}
        alive = {state for state in range(size) if accepting[state]}
        for _ in range(size):
            alive |= {state for state in range(size) if any(after in alive for after in table[state])}
        kept = sorted(reached & alive)
        if 0 in kept:
            break
    number = {state: index for index, state in enumerate(kept)}
    rows = [[number.get(after, -1) for after in table[state]] + [-1] for state in kept]
    byte_class = np.full(256, 2, np.uint8)
    byte_class[list(ALPHABET)] = (0, 1)
    accepts = np.array([accepting[state] for state in kept])
    return Automaton(byte_class, np.array(rows, np.int32), accepts), np.ones(len(kept), np.bool_)


def language(automaton: Automaton, least: int, most: int) -> set[bytes]:
    texts = set()
    here = {b"": automaton.start}
    for length in range(most + 1):
        if length >= least:
            texts |= {text for text, state in here.items() if automaton.accepting[state]}
        here = {
            text + bytes([byte]): after
            for text, state in here.items()
            for byte in ALPHABET
            if (after := int(automaton.table[state, automaton.byte_class[byte]])) >= 0
        }
    return texts


@pytest.mark.parametrize("seed", range(60))
def test_masks_equal_all_texts_of_the_lengths(seed: int) -> None:
    rng = random.Random(seed)
    automaton, ends = random_automaton(rng)
    least = rng.choice([0, 0, 1, 4])
    most = least + rng.choice([0, 1, 3, 9])
    texts = {b'"' + text + b'"' for text in language(automaton, least, most)}
    builder = Builder()
    part = builder.bounded(automaton, ends, least, most)
    if not texts:
        assert part == builder.never
        return
    assert builder.is_nullable(part) == (b'""' in texts)
    grammar = CompiledGrammar(
        AnyText(),
        Vocabulary.from_tokens(TOKENS, [], [0]),
        builder,
        builder.seq(builder.literal(b'"'), part, builder.literal(b'"')),
    )
    prefixes = {text[:length] for text in texts for length in range(len(text) + 1)}
    for _ in range(8):
        matcher, written = grammar.matcher(), b""
        while not matcher.is_accepting:
            row = np.zeros(grammar.vocabulary.num_words, np.int32)
            matcher.fill_bitmask(row)
            allowed = {TOKENS[token] for token in np.flatnonzero(unpack(row, len(TOKENS))).tolist()}
            assert allowed == {token for token in TOKENS[1:] if written + token in prefixes}, written
            assert written + matcher.shortest_completion() in texts
            token = rng.choice(sorted(allowed))
            assert matcher.accept_token(TOKENS.index(token))
            written += token
        assert written in texts


def test_characters_of_several_bytes_count_once() -> None:
    byte_class = np.full(256, 3, np.uint8)
    byte_class[[0x61, 0xC3, 0xA9]] = (0, 1, 2)
    table = np.array([[2, 1, -1, -1], [-1, -1, 2, -1], [2, 1, -1, -1]], np.int32)  # (a|é)+
    ends = np.array([False, False, True])
    builder = Builder()
    root = builder.bounded(Automaton(byte_class, table, np.array([False, False, True])), ends, 2, 200)
    tokens = [b"", b"a", "é".encode(), b"\xc3", b"\xa9", "aé".encode()]
    grammar = CompiledGrammar(AnyText(), Vocabulary.from_tokens(tokens, [], [0]), builder, root)
    for text in ("aa", "é" * 200, "aé" * 100):
        matcher = grammar.matcher()
        assert matcher.accept_bytes(text.encode()) == len(text.encode())
        assert matcher.is_accepting
        assert matcher.accept_bytes("éa".encode()) == (0 if len(text) == 200 else 3)
    assert not grammar.matcher().is_accepting
    assert grammar.matcher().accept_bytes(("é" * 201).encode()) == 400


def test_far_from_the_bound_configurations_share_a_mask() -> None:
    byte_class = np.full(256, 1, np.uint8)
    byte_class[list(ALPHABET)] = 0
    table = np.array([[0, -1]], np.int32)
    builder = Builder()
    root = builder.bounded(Automaton(byte_class, table, np.array([True])), np.array([True]), 0, 5000)
    grammar = CompiledGrammar(AnyText(), Vocabulary.from_tokens(TOKENS, [], [0]), builder, root)
    matcher = grammar.matcher()
    pool = matcher.mask_pool
    slots = set()
    for _ in range(5000):
        slots.add(matcher.mask_slot())
        assert matcher.accept_bytes(b"a") == 1
    assert len(slots) < 8
    assert pool.num_bytes <= 8 * 4 * grammar.vocabulary.num_words
    assert matcher.accept_bytes(b"a") == 0


def test_a_counted_part_is_stored_and_loaded(tmp_path: Path) -> None:
    byte_class = np.full(256, 1, np.uint8)
    byte_class[list(ALPHABET)] = 0
    builder = Builder()
    automaton = Automaton(byte_class, np.array([[0, -1]], np.int32), np.array([True]))
    root = builder.bounded(automaton, np.array([True]), 2, 300)
    vocabulary = Vocabulary.from_tokens(TOKENS, [], [0])
    save_grammar(CompiledGrammar(AnyText(), vocabulary, builder, root), tmp_path / "grammar")
    matcher = load_grammar(tmp_path / "grammar", vocabulary).matcher()
    assert matcher.shortest_completion() == b"aa"
    assert matcher.accept_bytes(b"a" * 301) == 300
