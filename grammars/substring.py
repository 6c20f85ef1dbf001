"""The automaton of all parts of a document, linear in its length.

A suffix automaton over units (Blumer et al., "The smallest automaton recognizing the subwords of a text", 1985), whose
edges are then spelled in bytes. Units are characters, or words and the white space between them.
"""

import re
from typing import Literal

import numpy as np

from slipform.errors import EmptyGrammar, GrammarSyntaxError
from slipform.grammars.dfa import MAX_SECONDS, MAX_STATES, Dfa
from slipform.grammars.nfa import determinise


def substring_dfa(document: str, unit: Literal["characters", "words"]) -> Dfa:
    """Texts, not empty, that stand somewhere in `document`; by "words": from the start of a word to the end of one.

    Raises: EmptyGrammar for a document without any word or character; GrammarSyntaxError for a lone surrogate in it.
    """
    try:
        document.encode()
    except UnicodeEncodeError as error:
        raise GrammarSyntaxError("a lone surrogate has no UTF-8 form", position=error.start) from error
    by_words = unit == "words"
    edges, last_unit = _suffix_automaton(re.findall(r"\s+|\S+", document) if by_words else list(document))
    accepting = [text is not None and not (by_words and text.isspace()) for text in last_unit]
    if not any(accepting):
        raise EmptyGrammar("the document has nothing to quote")
    if by_words:
        edges[0] = {text: target for text, target in edges[0].items() if not text.isspace()}

    # The edges of a state become a prefix tree of its own, whose ends lead on by an empty move: one word may begin
    # another.
    source: list[int] = []
    letter: list[int] = []
    target: list[int] = []
    empty_source: list[int] = []
    empty_target: list[int] = []
    for state, outgoing in enumerate(edges):
        inside = {b"": state}
        for text, following in outgoing.items():
            data = text.encode()
            for i in range(1, len(data) + 1):
                if data[:i] not in inside:
                    source.append(inside[data[: i - 1]])
                    letter.append(data[i - 1])
                    target.append(len(accepting))
                    inside[data[:i]] = len(accepting)
                    accepting.append(False)
            empty_source.append(inside[data])
            empty_target.append(following)
    used, atom = np.unique(np.array(letter, np.uint8), return_inverse=True)
    byte_class = np.full(256, len(used) % 256, np.uint8)
    byte_class[used] = np.arange(len(used))
    num_atoms = min(len(used) + 1, 256)
    table, final = determinise(
        num_states=len(accepting),
        empty_source=np.array(empty_source, np.int32),
        empty_target=np.array(empty_target, np.int32),
        edge_source=np.array(source, np.int32),
        edge_set=atom.astype(np.int32),
        edge_target=np.array(target, np.int32),
        set_pointer=np.arange(num_atoms + 1, dtype=np.int32),
        set_atoms=np.arange(num_atoms, dtype=np.int32),
        num_atoms=num_atoms,
        start=0,
        accepting=np.array(accepting),
        max_states=MAX_STATES,
        seconds=MAX_SECONDS,
    )
    return Dfa(byte_class, table, final)


def _suffix_automaton(units: list[str]) -> tuple[list[dict[str, int]], list[str | None]]:
    """Edges by state and unit, and the unit that leads to each state (all that do are equal); None for the start."""
    edges: list[dict[str, int]] = [{}]
    link = [-1]
    length = [0]
    last_unit: list[str | None] = [None]
    last = 0
    for unit in units:
        new = len(edges)
        edges.append({})
        length.append(length[last] + 1)
        last_unit.append(unit)
        link.append(0)
        walk = last
        while walk >= 0 and unit not in edges[walk]:
            edges[walk][unit] = new
            walk = link[walk]
        if walk >= 0:
            following = edges[walk][unit]
            if length[following] == length[walk] + 1:
                link[new] = following
            else:
                clone = len(edges)
                edges.append(dict(edges[following]))
                length.append(length[walk] + 1)
                last_unit.append(unit)
                link.append(link[following])
                while walk >= 0 and edges[walk].get(unit) == following:
                    edges[walk][unit] = clone
                    walk = link[walk]
                link[following] = link[new] = clone
        last = new
    return edges, last_unit
