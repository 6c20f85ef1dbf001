"""Deterministic automata over bytes, and the algebra of regular languages on them.

Every `Dfa` is minimal, trim and numbered canonically: two automata of the same language are equal and hash alike, so
they serve as cache keys and shared fragments. Tables are dense over byte classes; classes are few (a date has 8), which
keeps a table of 80,000 states at a few megabytes.

    pattern = regex_dfa(r"[a-z]+")            # regex.py
    keys = literals([b"id", b"name"])
    other = pattern - keys                    # [a-z]+ without the two names
    short = other & length_between(1, 10)     # characters, not bytes
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any, Final

import numpy as np

from slipform.errors import GrammarTooLarge
from slipform.grammars import dfa_kernels as kernels
from slipform.grammars.dfa_minimise import canonical
from slipform.grammars.nfa import determinise

Array = np.ndarray[Any, Any]

# Bounds of one operation where the caller names none; `regex.py` and the front ends pass those of `Limits`.
MAX_STATES: Final = 500_000
MAX_SECONDS: Final = 5.0


class Dfa:
    """A minimal deterministic automaton over bytes; immutable, equal exactly when the languages are equal.

    Attributes:
        byte_class: (256,) uint8; the class of each byte. Classes are numbered by their first byte.
        table: (n, k) int32; next state by state and class, -1 = no text goes on this way.
        accepting: (n,) bool.
        start: always state 0.

    From every state an accepting one can be reached, except in the automaton of the empty language, which is one
    state without transitions.
    """

    __slots__ = ("_hash", "accepting", "byte_class", "table")

    start: Final = 0
    byte_class: Array
    table: Array
    accepting: Array

    def __init__(
        self, byte_class: Array, table: Array, accepting: Array, start: int = 0, *, minimal: bool = False
    ) -> None:
        """Any deterministic automaton in the shape of the attributes; it is minimised here.

        `minimal` promises that it is minimal and trim already, so that only numbers change.
        """
        self.byte_class, self.table, self.accepting = canonical(
            np.array(byte_class, np.uint8, order="C"),
            np.array(table, np.int32, order="C"),
            np.array(accepting, np.bool_, order="C"),
            start,
            minimal,
        )
        for array in (self.byte_class, self.table, self.accepting):
            array.flags.writeable = False
        self._hash: int | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_hash" and hasattr(self, name):
            raise AttributeError(f"Dfa is immutable: cannot set {name}")
        object.__setattr__(self, name, value)

    @property
    def num_states(self) -> int:
        return int(self.table.shape[0])

    @property
    def num_classes(self) -> int:
        return int(self.table.shape[1])

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        return int(self.table.nbytes + self.accepting.nbytes + self.byte_class.nbytes)

    @property
    def transitions(self) -> Array:
        """The table by byte instead of class: (n, 256) int32, made anew by each call."""
        return np.ascontiguousarray(self.table[:, self.byte_class])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dfa):
            return NotImplemented
        return (
            self.table.shape == other.table.shape
            and bool((self.byte_class == other.byte_class).all())
            and bool((self.accepting == other.accepting).all())
            and bool((self.table == other.table).all())
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.table.tobytes(), self.accepting.tobytes(), self.byte_class.tobytes()))
        return self._hash

    def __repr__(self) -> str:
        return f"Dfa({self.num_states} states, {self.num_classes} classes, shortest={self.shortest()!r})"

    # Questions -----------------------------------------------------------------------------------------------------

    def walk(self, data: bytes, state: int = 0) -> int:
        """The state after `data` from `state`; -1 once no accepted text can follow."""
        return int(kernels.walked(self.byte_class, self.table, state, np.frombuffer(data, np.uint8)))

    def accepts(self, data: bytes) -> bool:
        state = self.walk(data)
        return state >= 0 and bool(self.accepting[state])

    @property
    def is_empty(self) -> bool:
        """No text at all is accepted."""
        return self.num_states == 1 and not self.accepting[0]

    @property
    def accepts_empty(self) -> bool:
        return bool(self.accepting[0])

    @property
    def is_finite(self) -> bool:
        """Only finitely many texts are accepted."""
        return bool(kernels.longest_path(self.table, np.ones(self.num_classes, np.int32)) >= 0)

    def bounds(self) -> tuple[int, int | None]:
        """Least and greatest length in bytes; None for unbounded. Of the empty language (0, 0)."""
        return self._bounds(np.ones(self.num_classes, np.int32))

    def character_bounds(self) -> tuple[int, int | None]:
        """As `bounds`, in code points; the language must lie within valid UTF-8."""
        weight = np.zeros(self.num_classes, np.int32)
        lead = [*range(0x80), *range(0xC0, 0x100)]
        alive = (self.table >= 0).any(axis=0)
        weight[self.byte_class[lead]] = 1
        weight[~alive] = 0
        return self._bounds(weight)

    def _bounds(self, weight: Array) -> tuple[int, int | None]:
        if self.is_empty:
            return 0, 0
        longest = int(kernels.longest_path(self.table, weight))
        return int(kernels.fewest(self.table, self.accepting, weight)), (longest if longest >= 0 else None)

    def shortest(self, state: int = 0) -> bytes | None:
        """The least in byte order among the shortest texts accepted from `state`; None where there is none."""
        distance = kernels.distances(self.table, self.accepting)
        if distance[state] < 0:
            return None
        first_byte = self._first_bytes()
        text = bytearray()
        while distance[state] > 0:
            row = self.table[state]
            nearer = np.flatnonzero((row >= 0) & (distance[row] == distance[state] - 1))
            text.append(first_byte[nearer[0]])
            state = int(row[nearer[0]])
        return bytes(text)

    def texts(self, limit: int) -> Iterator[bytes]:
        """The accepted texts, shorter ones first and then in byte order, at most `limit` of them."""
        if self.is_empty:
            return
        distance = kernels.distances(self.table, self.accepting)
        # Best first by the length of the nearest completion: each prefix taken leads to a text that is still wanted.
        heap = [(int(distance[0]), b"", 0)]
        given = 0
        while heap and given < limit:
            _, text, state = heappop(heap)
            if self.accepting[state]:
                yield text
                given += 1
            row = self.table[state][self.byte_class]
            for byte in np.flatnonzero(row >= 0).tolist():
                following = int(row[byte])
                heappush(heap, (len(text) + 1 + int(distance[following]), text + bytes((byte,)), following))

    def _first_bytes(self) -> list[int]:
        """The least byte of each class; classes are numbered in that order."""
        return np.unique(self.byte_class, return_index=True)[1].tolist()  # type: ignore[no-any-return]

    # Algebra -------------------------------------------------------------------------------------------------------

    def __and__(self, other: "Dfa") -> "Dfa":
        return product(self, other, kernels.MODE_AND)

    def __or__(self, other: "Dfa") -> "Dfa":
        return product(self, other, kernels.MODE_OR)

    def __sub__(self, other: "Dfa") -> "Dfa":
        return product(self, other, kernels.MODE_DIFFERENCE)

    def __xor__(self, other: "Dfa") -> "Dfa":
        return product(self, other, kernels.MODE_XOR)

    def __add__(self, other: "Dfa") -> "Dfa":
        return concatenation([self, other])

    def __le__(self, other: "Dfa") -> bool:
        """Whether every text of `self` is one of `other`."""
        return (self - other).is_empty

    def complement(self) -> "Dfa":
        """All valid UTF-8 texts that are not accepted (lone surrogates and overlong forms are no texts)."""
        return any_text() - self

    def after(self, prefix: bytes) -> "Dfa":
        """The texts that complete `prefix` to an accepted one (Brzozowski's derivative)."""
        state = self.walk(prefix)
        return empty() if state < 0 else Dfa(self.byte_class, self.table, self.accepting, state)

    def reverse(self, *, max_states: int = MAX_STATES, seconds: float = MAX_SECONDS) -> "Dfa":
        """The accepted texts read backwards, byte by byte."""
        if self.is_empty:
            return self
        source, letter = np.nonzero(self.table >= 0)
        target = self.table[source, letter]
        finals = np.flatnonzero(self.accepting).astype(np.int32)
        n = self.num_states
        accepting = np.zeros(n + 1, np.bool_)
        accepting[0] = True
        table, accepting = determinise(
            num_states=n + 1,
            empty_source=np.full(len(finals), n, np.int32),
            empty_target=finals,
            edge_source=target.astype(np.int32),
            edge_set=letter.astype(np.int32),
            edge_target=source.astype(np.int32),
            set_pointer=np.arange(self.num_classes + 1, dtype=np.int32),
            set_atoms=np.arange(self.num_classes, dtype=np.int32),
            num_atoms=self.num_classes,
            start=n,
            accepting=accepting,
            max_states=max_states,
            seconds=seconds,
        )
        return Dfa(self.byte_class, table, accepting)


def product(a: Dfa, b: Dfa, mode: int, *, max_states: int = MAX_STATES) -> Dfa:
    """Both automata at once; `mode` is one of dfa_kernels.MODE_*.

    Raises: GrammarTooLarge when more than `max_states` pairs of states are reachable.
    """
    byte_class, table, accepting, complete = kernels.product(
        a.byte_class, a.table, a.accepting, b.byte_class, b.table, b.accepting, mode, max_states
    )
    if not complete:
        raise GrammarTooLarge("states", max_states)
    return Dfa(byte_class, table, accepting)


def intersection(automata: Iterable[Dfa], *, max_states: int = MAX_STATES) -> Dfa:
    """The texts that all accept; of no automaton at all, any text. Small automata are met first."""
    parts = sorted(set(automata), key=lambda part: part.num_states)
    if not parts:
        return any_text()
    result = parts[0]
    for part in parts[1:]:
        result = product(result, part, kernels.MODE_AND, max_states=max_states)
    return result


def union(automata: Iterable[Dfa], *, max_states: int = MAX_STATES) -> Dfa:
    """The texts that at least one accepts, joined pairwise so that many small automata cost n log n."""
    parts = list(dict.fromkeys(part for part in automata if not part.is_empty))
    if not parts:
        return empty()
    while len(parts) > 1:
        joined = [
            product(parts[i], parts[i + 1], kernels.MODE_OR, max_states=max_states) for i in range(0, len(parts) - 1, 2)
        ]
        parts = joined + parts[len(parts) - len(parts) % 2 :]
    return parts[0]


def concatenation(parts: Sequence[Dfa], *, max_states: int = MAX_STATES, seconds: float = MAX_SECONDS) -> Dfa:
    """A text of each part, one after the other."""
    if any(part.is_empty for part in parts):
        return empty()
    if not parts:
        return epsilon()
    return _chained(parts, optional_from=len(parts), loops=False, max_states=max_states, seconds=seconds)


def repetition(
    dfa: Dfa, minimum: int, maximum: int | None, *, max_states: int = MAX_STATES, seconds: float = MAX_SECONDS
) -> Dfa:
    """`minimum` to `maximum` texts of `dfa` in a row; None = any number from `minimum` on."""
    if minimum < 0 or (maximum is not None and maximum < minimum):
        raise ValueError(f"repetition of {minimum} to {maximum} times")
    if dfa.is_empty:
        return epsilon() if minimum == 0 else dfa
    if maximum == 0:
        return epsilon()
    copies = max(minimum, 1) if maximum is None else maximum
    if copies * dfa.num_states > 4 * max_states:
        raise GrammarTooLarge("states", max_states)
    return _chained(
        [dfa] * copies, optional_from=minimum, loops=maximum is None, max_states=max_states, seconds=seconds
    )


def _chained(parts: Sequence[Dfa], *, optional_from: int, loops: bool, max_states: int, seconds: float) -> Dfa:
    """The parts in a row; from any index >= `optional_from` the rest may be left out. `loops` repeats the last part."""
    end = len(parts)
    edges = [(index, part, index + 1) for index, part in enumerate(parts)]
    moves = [(index, end) for index in range(optional_from, end)]
    if loops:
        moves.append((end, end - 1))
    return routes(end + 1, edges, moves, max_states=max_states, seconds=seconds)


def routes(
    num_places: int,
    edges: Sequence[tuple[int, Dfa, int]],
    moves: Sequence[tuple[int, int]] = (),
    *,
    max_states: int = MAX_STATES,
    seconds: float = MAX_SECONDS,
) -> Dfa:
    """The texts on all ways from place 0 to the last place: an edge (from, part, to) writes a text of its part, a move
    (from, to) writes nothing. One subset construction, whatever the number of edges.

    Raises: GrammarTooLarge, GrammarTimeout.
    """
    distinct = list(dict.fromkeys(part for _, part, _ in edges))
    joint = distinct[0].byte_class.copy()
    for part in distinct[1:]:
        joint = kernels.joint_classes(joint, part.byte_class)[0]
    byte_of_class = np.unique(joint, return_index=True)[1]
    num_atoms = len(byte_of_class)
    # For each distinct part: its edges over joint classes.
    inner: dict[Dfa, tuple[Array, Array, Array]] = {}
    for part in distinct:
        inner[part] = kernels.edges_by_atom(part.table, part.byte_class[byte_of_class])
    # The places come first, then a copy of its part for each edge.
    sources: list[Array] = []
    atoms: list[Array] = []
    targets: list[Array] = []
    empty_sources = [np.array([begin for begin, _ in moves], np.int32)]
    empty_targets = [np.array([end for _, end in moves], np.int32)]
    first = num_places
    for begin, part, end in edges:
        source, atom, target = inner[part]
        sources.append(source + np.int32(first))
        atoms.append(atom)
        targets.append(target + np.int32(first))
        ends = (np.flatnonzero(part.accepting) + first).astype(np.int32)
        empty_sources += [np.array([begin], np.int32), ends]
        empty_targets += [np.array([first], np.int32), np.full(len(ends), end, np.int32)]
        first += part.num_states
    accepting = np.zeros(first, np.bool_)
    accepting[num_places - 1] = True
    table, accepting = determinise(
        num_states=first,
        empty_source=np.concatenate(empty_sources),
        empty_target=np.concatenate(empty_targets),
        edge_source=np.concatenate(sources),
        edge_set=np.concatenate(atoms),
        edge_target=np.concatenate(targets),
        set_pointer=np.arange(num_atoms + 1, dtype=np.int32),
        set_atoms=np.arange(num_atoms, dtype=np.int32),
        num_atoms=num_atoms,
        start=0,
        accepting=accepting,
        max_states=max_states,
        seconds=seconds,
    )
    return Dfa(joint, table, accepting)


# Constructors ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def empty() -> Dfa:
    """No text."""
    return Dfa(np.zeros(256, np.uint8), np.full((1, 1), -1), np.zeros(1, np.bool_))


@lru_cache(maxsize=1)
def epsilon() -> Dfa:
    """The empty text only."""
    return Dfa(np.zeros(256, np.uint8), np.full((1, 1), -1), np.ones(1, np.bool_))


@lru_cache(maxsize=1)
def any_character() -> Dfa:
    """One code point in valid UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF)."""
    table = np.full((9, 256), -1)
    accepting = np.zeros(9, np.bool_)
    accepting[8] = True
    table[0, :0x80] = 8
    table[0, 0xC2:0xE0] = 1
    table[0, 0xE0] = 4
    table[0, 0xE1:0xF0] = 2
    table[0, 0xED] = 5
    table[0, 0xF0] = 6
    table[0, 0xF1:0xF4] = 3
    table[0, 0xF4] = 7
    table[1, 0x80:0xC0] = 8
    table[2, 0x80:0xC0] = 1
    table[3, 0x80:0xC0] = 2
    table[4, 0xA0:0xC0] = 1
    table[5, 0x80:0xA0] = 1
    table[6, 0x90:0xC0] = 2
    table[7, 0x80:0x90] = 2
    return Dfa(np.arange(256), table, accepting)


@lru_cache(maxsize=1)
def any_text() -> Dfa:
    """Every valid UTF-8 text, the empty one included."""
    return repetition(any_character(), 0, None)


@lru_cache(maxsize=256)
def length_between(minimum: int, maximum: int | None) -> Dfa:
    """Texts of `minimum` to `maximum` code points; None = unbounded. Eight states a character."""
    return repetition(any_character(), minimum, maximum)


def literal(data: bytes) -> Dfa:
    """Exactly `data`."""
    return literals([data])


def literals(texts: Iterable[bytes]) -> Dfa:
    """Any one of `texts`, by a prefix tree whose equal tails are shared; thousands of texts take milliseconds."""
    options = sorted(set(texts))
    if not options:
        return empty()
    data = np.frombuffer(b"".join(options), np.uint8)
    ends = np.cumsum(np.fromiter(map(len, options), np.int64, len(options)))
    return Dfa(*kernels.trie(data, ends), minimal=True)
