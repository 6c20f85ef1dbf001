"""Regexes as automata over UTF-8 bytes: `regex_dfa` for other front ends, `build` for the spec `Regex`.

text ─ parse ─► tree ─ anchors resolved ─► NFA over atoms ─ determinise, minimise ─► DFA over atoms ─► bytes
                  └── lookaround left over ─► regex_lookaround ─────────────────────────┘
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from slipform.errors import EmptyGrammar, GrammarTooLarge
from slipform.grammars import code_points as sets
from slipform.grammars import dfa_kernels as kernels
from slipform.grammars import regex_lookaround, regex_nfa
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import MAX_SECONDS, MAX_STATES, Dfa
from slipform.grammars.nfa import determinise
from slipform.grammars.regex_syntax import (
    EMPTY,
    Alternatives,
    Anchor,
    Concat,
    Flavour,
    OneOf,
    Repeat,
    Text,
    Tree,
    concat,
    parse,
)
from slipform.grammars.spec import GrammarSpec, Regex
from slipform.grammars.utf8 import spelled

ANY_TEXT: Final = Repeat(OneOf(sets.EVERYTHING), 0, None)


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
    """The automaton of the texts that `tree` matches as a whole."""
    if has_assertion(tree):
        table, accepting, partition = regex_lookaround.determinised(tree, max_states=max_states, seconds=seconds)
    else:
        nfa = regex_nfa.build(tree, max_states=max_states)
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
    table, accepting, start = kernels.minimised(table, accepting, 0)
    byte_class, table, accepting, complete = spelled(
        table, accepting, partition.range_low, partition.range_atom, max_states
    )
    if not complete:
        raise GrammarTooLarge("states", max_states)
    return Dfa(byte_class, table, accepting, start, minimal=True)


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Regex`. Raises as `regex_dfa`, and EmptyGrammar if no text matches."""
    assert isinstance(spec, Regex)
    builder.budget.check_source(spec.pattern)
    node = fragment(resolved(parse(spec.pattern, "python"), search=False), builder)
    if node == builder.never:
        raise EmptyGrammar(f"no text matches the regex {spec.pattern!r}")
    return node


def fragment(tree: Tree, builder: Builder) -> Node:
    """The texts that `tree` matches as a whole, as a node of `builder`."""
    limits = builder.budget.limits
    return builder.dfa(tree_dfa(tree, max_states=min(limits.states, MAX_STATES), seconds=limits.seconds))


# Anchors -----------------------------------------------------------------------------------------------------------


def has_assertion(tree: Tree) -> bool:
    """Whether the tree holds an anchor or lookaround."""
    if isinstance(tree, Text | OneOf):
        return False
    if isinstance(tree, Concat):
        return any(map(has_assertion, tree.parts))
    if isinstance(tree, Alternatives):
        return any(map(has_assertion, tree.options))
    if isinstance(tree, Repeat):
        return has_assertion(tree.body)
    return True


@dataclass(frozen=True, slots=True)
class _Split:
    """A tree as the union of what follows an anchor at its edge and what needs none there; None for no text."""

    anchored: Tree | None
    free: Tree | None


def resolved(tree: Tree, *, search: bool) -> Tree:
    """A tree that matches the whole text, where `tree` may match a part of it (`search`) or all of it.

    Anchors at the edges are dissolved; what remains for `regex_lookaround` are anchors inside and lookaround.
    """
    if not has_assertion(tree):
        return concat([ANY_TEXT, tree, ANY_TEXT]) if search else tree
    options: list[Tree] = []
    by_start = _split(tree, at_end=False, search=search)
    for begins, start_part in ((True, by_start.anchored), (False, by_start.free)):
        if start_part is None:
            continue
        by_end = _split(start_part, at_end=True, search=search)
        for ends, part in ((True, by_end.anchored), (False, by_end.free)):
            if part is not None:
                before = [] if begins or not search else [ANY_TEXT]
                after = [] if ends or not search else [ANY_TEXT]
                options.append(concat([*before, part, *after]))
    return options[0] if len(options) == 1 else Alternatives(tuple(options))


def _split(tree: Tree, *, at_end: bool, search: bool) -> _Split:
    """Dissolve the anchors that stand first in `tree`, or last (`at_end`)."""
    if tree is (Anchor.END if at_end else Anchor.START):
        return _Split(EMPTY, None)
    if tree is Anchor.FINAL_END and at_end:
        return _Split(Repeat(Text("\n"), 0, 1) if search else EMPTY, None)
    if isinstance(tree, Concat) and tree.parts:
        edge = tree.parts[-1] if at_end else tree.parts[0]
        rest = tree.parts[:-1] if at_end else tree.parts[1:]
        if not has_assertion(edge):
            return _Split(None, tree)
        split = _split(edge, at_end=at_end, search=search)

        def joined(part: Tree | None) -> Tree | None:
            if part is None or part == EMPTY:
                return part if part is None else concat(list(rest))
            return concat([*rest, part] if at_end else [part, *rest])

        anchored = joined(split.anchored)
        if anchored is not None and split.anchored == EMPTY:
            # `^^a`: anchors behind one that has held hold as well.
            again = _split(anchored, at_end=at_end, search=search)
            anchored = _either([again.anchored, again.free])
        return _Split(anchored, joined(split.free))
    if isinstance(tree, Alternatives) and has_assertion(tree):
        splits = [_split(option, at_end=at_end, search=search) for option in tree.options]
        return _Split(_either([split.anchored for split in splits]), _either([split.free for split in splits]))
    return _Split(None, tree)


def _either(options: list[Tree | None]) -> Tree | None:
    present = [option for option in options if option is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else Alternatives(tuple(present))
