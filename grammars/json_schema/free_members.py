"""Members of no declared name as an automaton with one text for each set of them.

Any order would do, if it were one; alphabetical order takes an automaton with a copy for each letter. So the first byte
of a key, taken modulo a small number, puts it into a group. Of each group there is one member at most, and groups
follow in order: no two texts hold the same members.
"""

from typing import Final

import numpy as np

from slipform.grammars.dfa import Dfa, concatenation, literal, repetition

_MARK: Final = b"\x01"  # stands behind the opening quote of a key while the automaton is put together
_NUM_GROUPS: Final = 4
_GROUPS: Final = np.arange(256) % _NUM_GROUPS


def free_members(key: Dfa, assign: bytes, value: Dfa, separator: bytes) -> Dfa:
    """At least one member with a key of `key` (JSON strings) and a value of `value`, in the order of their groups."""
    member = concatenation([literal(b'"' + _MARK), key.after(b'"'), literal(assign), value])
    if member.is_empty:
        return member
    members = member + repetition(literal(separator) + member, 0, None)
    n, levels = members.num_states, _NUM_GROUPS + 1  # level 0: no key yet; above: one more than the last group
    joint, byte_class = np.unique(members.byte_class.astype(np.int64) * levels + _GROUPS, return_inverse=True)
    table = members.table[:, joint // levels].astype(np.int64)
    group = joint % levels
    opened = members.walk(b'"')  # behind the opening quote of a key, where only the mark follows
    begun = table[members.walk(b'"' + _MARK)]
    result = np.full((levels, n, len(joint)), -1, np.int64)
    for level in range(levels):
        result[level] = np.where(table >= 0, table + level * n, -1)
        result[level, opened] = np.where((begun >= 0) & (group + 1 > level), begun + (group + 1) * n, -1)
    accepting = np.tile(members.accepting, levels)
    return Dfa(byte_class.astype(np.uint8), result.reshape(levels * n, -1), accepting)
