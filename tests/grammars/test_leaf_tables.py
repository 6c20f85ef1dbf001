"""Tables of regular parts against the automata that they stand for."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipform.grammars import leaf_tables
from slipform.grammars.dfa import any_text, literals
from slipform.grammars.json_schema.objects import Keys
from slipform.grammars.json_schema.strings import quoted, quoted_keys
from slipform.grammars.leaf_tables import LeafTables
from slipform.grammars.regex import regex_dfa


def accepts(tables: LeafTables, text: bytes) -> bool:
    state = tables.start
    for byte in text:
        begin, end = tables.ends[state - 1] if state else 0, tables.ends[state]
        hits = [k for k in range(begin, end) if tables.low[k] <= byte <= tables.high[k]]
        assert len(hits) <= 1
        if not hits:
            return False
        state = int(tables.target[hits[0]])
    return bool(tables.flags[state] & 1)


def successors(tables: LeafTables, state: int) -> list[int]:
    row = [-1] * 256
    for k in range(tables.ends[state - 1] if state else 0, tables.ends[state]):
        assert row[tables.low[k] : tables.high[k] + 1] == [-1] * (tables.high[k] - tables.low[k] + 1)
        row[tables.low[k] : tables.high[k] + 1] = [int(tables.target[k])] * (tables.high[k] - tables.low[k] + 1)
    return row


@pytest.mark.parametrize("pattern", ["", "a", "[a-z]+", "(?:ab|a[^b])*c?", "é{2,5}", r"\w{1,3}", r"\d+(?:\.\d+)?"])
def test_ranges_are_the_table_of_the_automaton(pattern: str) -> None:
    dfa = regex_dfa(pattern)
    tables = leaf_tables.new_of_dfa(dfa)
    assert [successors(tables, state) for state in range(dfa.num_states)] == dfa.transitions.tolist()
    assert (tables.flags & 1).tolist() == dfa.accepting.astype(int).tolist()


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=12))
def test_a_trie_accepts_its_texts_and_nothing_else(texts: list[bytes]) -> None:
    ordered = tuple(sorted(set(texts)))
    tables = leaf_tables.of_texts(ordered)
    assert tables.words[0] == len(ordered)
    for text in (*ordered, *(text + b"a" for text in ordered), *(text[:-1] for text in ordered if text)):
        assert accepts(tables, text) == (text in ordered)


@pytest.mark.parametrize(
    "names", [["a"], ["", "ab", "abc"], ["type", "types", "t"], ["~", " ", "!", "a/b"], ["x" * 40, "x" * 39 + "y"]]
)
def test_other_keys_are_all_strings_without_the_names(names: list[str]) -> None:
    tables = quoted_keys(Keys(frozenset(names)))
    oracle = quoted(any_text() - literals(name.encode() for name in names))
    numbers = random.Random(0)
    spelled = [name.encode() for name in names]
    texts = [b'"' + text + b'"' for text in spelled]
    texts += [
        b'"' + text[:cut] + other + b'"'
        for text in spelled
        for cut in range(len(text) + 1)
        for other in (b"", b"z", "é".encode(), b'\\"', b"\\u00e9", b"\\u00", b'"')
    ]
    texts += [bytes(numbers.choice(b'"tabype\\nu0x~ !') for _ in range(numbers.randrange(8))) for _ in range(300)]
    assert any(oracle.accepts(text) for text in texts)
    for text in texts:
        assert accepts(tables, text) == oracle.accepts(text), text
    # What the walks are told of the states is what they would find out.
    byte_class = np.arange(256, dtype=np.uint8)
    table = np.array([successors(tables, state) for state in range(len(tables.ends))], np.int32)
    again = leaf_tables.of_table(byte_class, table, (tables.flags & 1).astype(bool), tables.start)
    for given_array, found in zip(tables[:6], again[:6], strict=True):
        assert given_array.tolist() == found.tolist()
