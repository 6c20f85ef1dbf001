"""Trees of regexes without lookaround to nondeterministic automata over atoms.

The tree is flattened to a postfix program of numbers, which compiled code expands: a repetition copies the states of
its body, so that bounds in the thousands cost microseconds. Every fragment has one start without incoming and one end
without outgoing moves, and its states and moves are contiguous (Thompson, "Regular expression search algorithm", 1968).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numba import njit

from slipform.errors import GrammarTooLarge
from slipform.grammars import code_points as sets
from slipform.grammars.code_points import CodePoints
from slipform.grammars.dfa_minimise import grown
from slipform.grammars.regex_syntax import Alternatives, Concat, OneOf, Repeat, Text, Tree
from slipform.grammars.utf8 import Partition

Array = np.ndarray[Any, Any]

UNBOUNDED: Final = -1


class _Op(IntEnum):
    """Instructions; each leaves one fragment on the stack."""

    EMPTY = 0
    SETS = 1  # count, then that many set numbers in a row
    CONCAT = 2  # count of fragments
    ALTERNATIVES = 3  # count of fragments
    REPEAT = 4  # minimum, maximum or UNBOUNDED


_EMPTY = int(_Op.EMPTY)
_SETS = int(_Op.SETS)
_CONCAT = int(_Op.CONCAT)
_ALTERNATIVES = int(_Op.ALTERNATIVES)
_REPEAT = int(_Op.REPEAT)


@dataclass(frozen=True, slots=True)
class Nfa:
    """An automaton over the atoms of `partition`; arguments of `nfa.determinise` under the same names."""

    partition: Partition
    num_states: int
    empty_source: Array
    empty_target: Array
    edge_source: Array
    edge_set: Array
    edge_target: Array
    start: int
    end: int


def build(tree: Tree, *, max_states: int) -> Nfa:
    """The automaton of `tree`, which holds no lookaround and no anchors.

    Raises: GrammarTooLarge when bounded repetitions would copy more than `max_states` states.
    """
    program: list[int] = []
    set_number: dict[CodePoints, int] = {}
    text_number: dict[str, int] = {}

    def emit(node: Tree) -> None:
        if isinstance(node, Text):
            program.extend((_SETS, len(node.text)))
            for character in node.text:
                number = text_number.get(character)
                if number is None:
                    number = set_number.setdefault(sets.single(ord(character)), len(set_number))
                    text_number[character] = number
                program.append(number)
        elif isinstance(node, OneOf):
            program.extend((_SETS, 1, set_number.setdefault(node.points, len(set_number))))
        elif isinstance(node, Concat):
            for part in node.parts:
                emit(part)
            program.extend((_CONCAT, len(node.parts)))
        elif isinstance(node, Alternatives):
            for option in node.options:
                emit(option)
            program.extend((_ALTERNATIVES, len(node.options)))
        elif isinstance(node, Repeat):
            if node.maximum == 0:
                program.append(_EMPTY)
                return
            if (node.minimum if node.maximum is None else node.maximum) > max_states:
                raise GrammarTooLarge("states", max_states)
            emit(node.body)
            program.extend((_REPEAT, node.minimum, UNBOUNDED if node.maximum is None else node.maximum))
        else:
            raise AssertionError(f"{node} is resolved before this pass")

    emit(tree)
    partition = Partition(list(set_number))
    num_states, empty_source, empty_target, edge_source, edge_set, edge_target, start, end = _expand(
        np.array(program, np.int64), max_states
    )
    if num_states < 0:
        raise GrammarTooLarge("states", max_states)
    return Nfa(partition, num_states, empty_source, empty_target, edge_source, edge_set, edge_target, start, end)


@njit(cache=True, nogil=True)
def _expand(program: Array, max_states: int) -> tuple[int, Array, Array, Array, Array, Array, int, int]:
    """Run the program; the number of states is -1 if it would pass `max_states`."""
    empty_source = np.empty(256, np.int32)
    empty_target = np.empty(256, np.int32)
    edge_source = np.empty(256, np.int32)
    edge_set = np.empty(256, np.int32)
    edge_target = np.empty(256, np.int32)
    # For each fragment on the stack: first state, edge and empty move that belong to it; start; end.
    depth = 0
    stack = np.empty((64, 5), np.int64)
    states = 0
    edges = 0
    empties = 0
    at = 0
    while at < program.shape[0]:
        op = program[at]
        if depth == stack.shape[0]:
            higher = np.empty((2 * depth, 5), np.int64)
            for i in range(depth):
                for j in range(5):
                    higher[i, j] = stack[i, j]
            stack = higher
        if op == _EMPTY or (op == _CONCAT and program[at + 1] == 0):
            at += 1 if op == _EMPTY else 2
            empty_source = grown(empty_source, empties + 1)
            empty_target = grown(empty_target, empties + 1)
            stack[depth, 0] = states
            stack[depth, 1] = edges
            stack[depth, 2] = empties
            stack[depth, 3] = states
            stack[depth, 4] = states + 1
            empty_source[empties] = states
            empty_target[empties] = states + 1
            empties += 1
            states += 2
            depth += 1
        elif op == _SETS:
            length = program[at + 1]
            edge_source = grown(edge_source, edges + length)
            edge_set = grown(edge_set, edges + length)
            edge_target = grown(edge_target, edges + length)
            stack[depth, 0] = states
            stack[depth, 1] = edges
            stack[depth, 2] = empties
            stack[depth, 3] = states
            stack[depth, 4] = states + length
            for i in range(length):
                edge_source[edges + i] = states + i
                edge_set[edges + i] = program[at + 2 + i]
                edge_target[edges + i] = states + i + 1
            edges += length
            states += length + 1
            depth += 1
            at += 2 + length
        elif op == _CONCAT:
            length = program[at + 1]
            at += 2
            empty_source = grown(empty_source, empties + length)
            empty_target = grown(empty_target, empties + length)
            for i in range(depth - length, depth - 1):
                empty_source[empties] = stack[i, 4]
                empty_target[empties] = stack[i + 1, 3]
                empties += 1
            stack[depth - length, 4] = stack[depth - 1, 4]
            depth -= length - 1
        elif op == _ALTERNATIVES:
            length = program[at + 1]
            at += 2
            empty_source = grown(empty_source, empties + 2 * length)
            empty_target = grown(empty_target, empties + 2 * length)
            for i in range(depth - length, depth):
                empty_source[empties] = states
                empty_target[empties] = stack[i, 3]
                empty_source[empties + 1] = stack[i, 4]
                empty_target[empties + 1] = states + 1
                empties += 2
            depth -= length - 1
            stack[depth - 1, 3] = states
            stack[depth - 1, 4] = states + 1
            states += 2
        else:
            minimum = program[at + 1]
            maximum = program[at + 2]
            at += 3
            copies = max(minimum, 1) if maximum == UNBOUNDED else maximum
            state_0 = stack[depth - 1, 0]
            edge_0 = stack[depth - 1, 1]
            empty_0 = stack[depth - 1, 2]
            start_0 = stack[depth - 1, 3]
            end_0 = stack[depth - 1, 4]
            size = states - state_0
            edge_size = edges - edge_0
            empty_size = empties - empty_0
            if state_0 + size * copies > max_states:
                return -1, empty_source, empty_target, edge_source, edge_set, edge_target, 0, 0
            edge_source = grown(edge_source, edge_0 + edge_size * copies)
            edge_set = grown(edge_set, edge_0 + edge_size * copies)
            edge_target = grown(edge_target, edge_0 + edge_size * copies)
            empty_source = grown(empty_source, empty_0 + (empty_size + 2) * copies + 3)
            empty_target = grown(empty_target, empty_0 + (empty_size + 2) * copies + 3)
            for copy in range(1, copies):
                shift = copy * size
                for i in range(edge_0, edge_0 + edge_size):
                    edge_source[edges] = edge_source[i] + shift
                    edge_set[edges] = edge_set[i]
                    edge_target[edges] = edge_target[i] + shift
                    edges += 1
                for i in range(empty_0, empty_0 + empty_size):
                    empty_source[empties] = empty_source[i] + shift
                    empty_target[empties] = empty_target[i] + shift
                    empties += 1
            states = state_0 + size * copies
            new_start = states
            new_end = states + 1
            states += 2
            previous = new_start
            for copy in range(copies):
                first = start_0 + copy * size
                empty_source[empties] = previous
                empty_target[empties] = first
                empties += 1
                if copy >= minimum:
                    empty_source[empties] = first
                    empty_target[empties] = new_end
                    empties += 1
                previous = end_0 + copy * size
            empty_source[empties] = previous
            empty_target[empties] = new_end
            empties += 1
            if maximum == UNBOUNDED:
                empty_source[empties] = previous
                empty_target[empties] = start_0 + (copies - 1) * size
                empties += 1
            stack[depth - 1, 3] = new_start
            stack[depth - 1, 4] = new_end
        if states > max_states:
            return -1, empty_source, empty_target, edge_source, edge_set, edge_target, 0, 0
    return (
        states,
        empty_source[:empties].copy(),
        empty_target[:empties].copy(),
        edge_source[:edges].copy(),
        edge_set[:edges].copy(),
        edge_target[:edges].copy(),
        stack[0, 3],
        stack[0, 4],
    )
