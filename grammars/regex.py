"""Regexes as automata over UTF-8 bytes: `regex_dfa` for other front ends, `build` for the spec `Regex`.

text ─ parse ─► tree ─ anchors dissolved ─► NFA over atoms ─ determinise, minimise ─► DFA over atoms ─► bytes
                  └── lookaround left over ─► regex_lookaround ──────────────────────────┘
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from slipform.errors import EmptyGrammar, GrammarTooLarge
from slipform.grammars import dfa_kernels as kernels
from slipform.grammars import regex_lookaround, regex_nfa
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import MAX_SECONDS, MAX_STATES, Dfa, literals, product, union
from slipform.grammars.dfa_minimise import minimised
from slipform.grammars.nfa import determinise
from slipform.grammars.regex_anchors import ANY_TEXT, has_assertion, resolved
from slipform.grammars.regex_syntax import (
    Alternatives,
    Concat,
    Flavour,
    Look,
    OneOf,
    Repeat,
    Text,
    Tree,
    concat,
    parse,
)
from slipform.grammars.spec import GrammarSpec, Regex
from slipform.grammars.utf8 import Partition, spelled

Array = np.ndarray[Any, Any]
Spell = Callable[[Dfa], Dfa]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

# Lookaround in the middle of a pattern is worked out by interpreted code, some 20 µs to 1 ms a state.
_LOOKAROUND_STATES: Final = 10_000
_LOOKAROUND_SECONDS: Final = 10.0

# A pattern becomes one automaton if it is no larger than this many characters, repetitions written out, and its
# automaton has at most so many states over characters; else its parts become nodes of their own. One automaton gives
# the fastest masks; nodes keep the compile time flat, since counters are not written out.
_WHOLE_SIZE: Final = 400
_WHOLE_STATES: Final = 2_000


@lru_cache(maxsize=1024)
def regex_dfa(
    pattern: str,
    *,
    flavour: Flavour = "python",
    search: bool = False,
    max_states: int = MAX_STATES,
    seconds: float = MAX_SECONDS,
) -> Dfa:
    """The automaton of all texts that `pattern` matches.

    Args:
        flavour: "python": the syntax of `re` and its Unicode classes, and `\\p{...}` beside; "ecma": ECMA-262 with its
            ASCII `\\d` and `\\w`, as JSON Schema has it.
        search: False: the whole text matches (`re.fullmatch`). True: some part of it does (`re.search`).

    Raises: GrammarSyntaxError, UnsupportedGrammar (naming the construct), GrammarTooLarge, GrammarTimeout. A pattern
        that no text matches gives the empty automaton.
    """
    tree = resolved(parse(pattern, flavour), search=search)
    return tree_dfa(tree, max_states=max_states, seconds=seconds)


def tree_dfa(tree: Tree, *, max_states: int = MAX_STATES, seconds: float = MAX_SECONDS) -> Dfa:
    """The automaton of the texts that `tree` matches as a whole. Raises as `regex_dfa`."""
    if isinstance(tree, Alternatives) and all(isinstance(option, Text) for option in tree.options):
        # Surrogates in a pattern match nothing: no text has them.
        texts = (option.text for option in tree.options if isinstance(option, Text))
        return literals(text.encode() for text in texts if not _SURROGATE.search(text))
    if has_assertion(tree):
        return _with_assertions(tree, max_states, seconds)
    nfa = regex_nfa.build(tree, max_states=4 * max_states)
    partition = nfa.partition
    accepting = np.zeros(nfa.num_states, np.bool_)
    accepting[nfa.end] = True
    table, accepting = determinise(
        num_states=nfa.num_states,
        empty_source=nfa.empty_source,
        empty_target=nfa.empty_target,
        edge_source=nfa.edge_source,
        edge_set=nfa.edge_set,
        edge_target=nfa.edge_target,
        set_pointer=partition.set_pointer,
        set_atoms=partition.set_atoms,
        num_atoms=partition.num_atoms,
        start=nfa.start,
        accepting=accepting,
        max_states=max_states,
        seconds=seconds,
    )
    return _in_bytes(table, accepting, partition, max_states)


def _with_assertions(tree: Tree, max_states: int, seconds: float) -> Dfa:
    """As `tree_dfa`; lookahead at the start of the text and lookbehind at its end are products of automata."""

    def part(text: Tree) -> Dfa:
        return tree_dfa(resolved(text, search=False), max_states=max_states, seconds=seconds)

    if isinstance(tree, Alternatives):
        return union([part(option) for option in tree.options], max_states=max_states)
    parts = _flat(tree)
    look: Tree | None = None
    if isinstance(parts[0], Look) and not parts[0].behind:
        look, rest, condition = parts[0], parts[1:], [parts[0].body, ANY_TEXT]
    elif isinstance(parts[-1], Look) and parts[-1].behind:
        look, rest, condition = parts[-1], parts[:-1], [ANY_TEXT, parts[-1].body]
    if isinstance(look, Look):
        mode = kernels.MODE_DIFFERENCE if look.negative else kernels.MODE_AND
        return product(part(concat(rest)), part(concat(condition)), mode, max_states=max_states)
    table, accepting, partition = regex_lookaround.determinised(
        tree, max_states=min(max_states, _LOOKAROUND_STATES), seconds=min(seconds, _LOOKAROUND_SECONDS)
    )
    return _in_bytes(table, accepting, partition, max_states)


def _flat(tree: Tree) -> list[Tree]:
    """The parts of nested sequences as one list."""
    if isinstance(tree, Concat) and tree.parts:
        return [inner for part in tree.parts for inner in _flat(part)]
    return [tree]


def _in_bytes(table: Array, accepting: Array, partition: Partition, max_states: int) -> Dfa:
    """Minimise an automaton over atoms and spell it out."""
    table, accepting, start = minimised(table, accepting, 0)
    byte_class, table, accepting, complete = spelled(
        table, accepting, partition.range_low, partition.range_atom, 8 * max_states
    )
    if not complete:
        raise GrammarTooLarge("states", 8 * max_states)
    return Dfa(byte_class, table, accepting, start, minimal=True)


# Nodes of a builder ------------------------------------------------------------------------------------------------


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Regex`. Raises as `regex_dfa`, and EmptyGrammar if no text matches."""
    assert isinstance(spec, Regex)
    builder.budget.check_source(spec.pattern)
    node = fragment(resolved(parse(spec.pattern, "python"), search=False), builder)
    if node == builder.never:
        raise EmptyGrammar(f"no text matches the regex {spec.pattern!r}")
    return node


def fragment(tree: Tree, builder: Builder, *, spell: Spell | None = None) -> Node:
    """The texts that `tree` matches as a whole, as a node of `builder`; large repetitions become counters."""

    def whole(max_states: int) -> Node:
        dfa = tree_dfa(tree, max_states=max_states, seconds=limits.seconds)
        return builder.dfa(spell(dfa) if spell else dfa)

    builder.budget.check_time()
    limits = builder.budget.limits
    if has_assertion(tree):
        return whole(min(limits.states, MAX_STATES))
    fits = tree_size(tree) <= _WHOLE_SIZE
    if fits or isinstance(tree, Text) or is_choice(tree):
        try:
            return whole(max(_WHOLE_STATES, tree_size(tree)))
        except GrammarTooLarge:
            # Few characters and many states, as in `(a|b)*a(a|b){14}`: left to the matcher, which makes only the
            # states that a text visits.
            if isinstance(tree, Text | OneOf):
                raise
    if isinstance(tree, Repeat):
        tree = _joined(tree)
        return builder.repeat(fragment(tree.body, builder, spell=spell), tree.minimum, tree.maximum)
    if isinstance(tree, Concat):
        parts = _flat(tree)
        return builder.seq(*(fragment(part, builder, spell=spell) for part in (parts if fits else _grouped(parts))))
    assert isinstance(tree, Alternatives)
    return builder.alt(*(fragment(option, builder, spell=spell) for option in tree.options))


def is_choice(tree: Tree) -> bool:
    """Whether the tree is alternatives of plain texts; thousands of them make one small automaton."""
    return isinstance(tree, Alternatives) and all(isinstance(option, Text) for option in tree.options)


def tree_size(tree: Tree) -> int:
    """Characters of the pattern with repetitions written out; those outside ASCII count as the bytes they need."""
    if isinstance(tree, Text):
        return len(tree.text)
    if isinstance(tree, OneOf):
        return 1 if not tree.points or tree.points[-1] <= 0x80 else 4
    if isinstance(tree, Concat):
        return sum(map(tree_size, tree.parts))
    if isinstance(tree, Alternatives):
        return sum(map(tree_size, tree.options))
    assert isinstance(tree, Repeat)
    return tree_size(tree.body) * max(tree.minimum, 1 if tree.maximum is None else tree.maximum)


def _grouped(parts: list[Tree]) -> list[Tree]:
    """Neighbours joined as long as they make one automaton of moderate size."""
    groups: list[list[Tree]] = []
    room = 0
    for part in parts:
        size = tree_size(part)
        if size > room:
            groups.append([])
            room = _WHOLE_SIZE
        groups[-1].append(part)
        room -= size
    return [concat(group) for group in groups]


def _joined(tree: Repeat) -> Repeat:
    """Nested repetitions as one, where every count between the extremes can be had: `(x{1,9}){2,5}` is `x{2,45}`."""
    while True:
        inner = tree.body
        while isinstance(inner, Concat) and len(inner.parts) == 1:
            inner = inner.parts[0]
        if not isinstance(inner, Repeat) or tree.maximum == 0 or inner.maximum == 0:
            return tree
        # k inner repetitions give k * minimum to k * maximum; the ranges of k and k + 1 must touch from the first k on.
        first = tree.minimum
        gapless = inner.maximum is None and first > 0
        if inner.maximum is not None or first == 0:
            past = first * (inner.maximum or 0) + 1
            gapless = (first + 1) * inner.minimum <= past
        if tree.maximum != tree.minimum and not gapless:
            return tree
        unbounded = tree.maximum is None or inner.maximum is None
        maximum = None if unbounded else (tree.maximum or 0) * (inner.maximum or 0)
        tree = Repeat(inner.body, tree.minimum * inner.minimum, maximum)
