"""The builder that front ends target: hash-consed fragments of byte languages, some of them built on first use.

A *node* is a language over bytes. Front ends (regex, JSON Schema, EBNF, ...) make nodes bottom-up and hand the root to
the compiler; equal arguments give the same node. Three ideas keep large sources cheap:

- `repeat` and `members` are counters and sets that live in the run-time stack, never unrolled states;
- `rule` makes its body when the matcher first reaches it, so work is proportional to what generation visits;
- a regular part enters as one deterministic automaton (`dfa`, `choice`, `literal`), never as a tree of alternatives.

Contract on emptiness: **no reachable node may be the empty language without the builder knowing.** `never` is known
and propagates at once (`seq` with it is `never`, `alt` drops it, a member whose value is `never` cannot be chosen). A
`rule` is taken to be non-empty: a front end finds out before it makes one. Automata given to `dfa` are trim.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Literal, NewType

import numpy as np
import numpy.typing as npt

from slipform.errors import EmptyGrammar, UnsupportedGrammar
from slipform.grammars import leaf_tables
from slipform.grammars.leaf_tables import ByteDfa, LeafTables
from slipform.grammars.limits import Budget, Limits
from slipform.grammars.members import Clause, Extra, Member, MembersSolver, MembersSpec
from slipform.kernels.bounded_text import bounds_table, is_completable

Node = NewType("Node", int)
"""A fragment of one builder; an index into its tables."""

MAX_COUNT = leaf_tables.MAX_WORDS
"""Bounds of `repeat` and `members` stay below this."""

MAX_LISTED_WORDS = 64
"""A unique extra with at most so many keys becomes declared members, one a key."""

NODE_COLUMNS = 6
"""Numbers in `Builder.nodes` for each node: its `Kind`, four operands, and whether it is nullable (0, 1, UNKNOWN)."""

NULLABLE = 5
UNKNOWN = 2
END_OF_LITERAL = 256


class Kind(IntEnum):
    """What a node is; the comments name its operands (columns of `Builder.nodes`)."""

    NEVER = 0
    EMPTY = 1
    LITERAL = 2  # offset into literal_pool, length
    LEAF = 3  # start state, first state and number of states of its automaton
    SEQ = 4  # offset into kids, count
    ALT = 5  # offset into kids, count
    REPEAT = 6  # body, min, max or -1, separator or -1
    RULE = 7  # body or -1, rule index
    UNIQUE = 9  # leaf of the key, what follows the key
    MEMBERS = 8  # index into members_solvers, separator, first place or -1
    BOUNDED = 10  # leaf, offset into bounds, least number of characters


class Builder:
    """Makes nodes. Not thread-safe; one builder belongs to one compilation (and later to its compiled grammar).

    Attributes:
        budget: bounds; front ends call its checks in their own loops.
        path: where in the source the front end is; put into errors that the builder raises.
        empty: the node of the empty text alone. `never`: the node of no text at all.
    """

    def __init__(self, limits: Limits | None = None, *, budget: Budget | None = None) -> None:
        self.budget = budget or Budget(limits or Limits())
        self.path = ""
        # Tables that the run-time reads; rows are only ever appended (RULE rows get their body once).
        self.nodes: list[int] = []  # NODE_COLUMNS numbers a node: kind, four operands, nullable
        self.kids: list[int] = []
        self.literal_pool: list[int] = []  # bytes of literals, each literal closed by END_OF_LITERAL
        self.leaf_first = array("i", (0,))  # leaf state s has the ranges leaf_first[s] : leaf_first[s + 1]
        self.leaf_flags = array("i")  # flags and words of states as in `LeafTables`
        self.leaf_words = array("i")
        self.range_low = array("i")
        self.range_high = array("i")
        self.range_target = array("i")
        self.bounds = array("i")  # tables of kernels.bounded_text
        self.members_solvers: list[MembersSolver] = []
        self.rule_makers: list[Callable[[], Node] | None] = []
        self.rule_witness: list[bytes | None] = []
        self._interned: dict[Hashable, Node] = {}
        self._rules: dict[Hashable, Node] = {}
        self.never = self._add(Kind.NEVER, nullable=False)
        self.empty = self._add(Kind.EMPTY, nullable=True)

    # Regular fragments

    def literal(self, text: bytes) -> Node:
        """Exactly `text`."""
        if not text:
            return self.empty
        key = (Kind.LITERAL, text)
        node = self._interned.get(key)
        if node is None:
            self.budget.add_states(len(text), path=self.path)
            offset = len(self.literal_pool)
            self.literal_pool.extend(text)
            self.literal_pool.append(END_OF_LITERAL)
            node = self._interned[key] = self._add(Kind.LITERAL, offset, len(text), nullable=False)
        return node

    def choice(self, options: Iterable[bytes]) -> Node:
        """One of `options`, as a trie: thousands of them cost their total length. No options give `never`."""
        ordered = tuple(sorted(set(options)))
        if not ordered:
            return self.never
        if len(ordered) == 1:
            return self.literal(ordered[0])
        key = (Kind.LEAF, "choice", ordered)
        node = self._interned.get(key)
        if node is None:
            self.budget.add_states(sum(map(len, ordered)) + 1, path=self.path)
            self.budget.check_time()
            node = self._interned[key] = self._add_leaf(leaf_tables.of_texts(ordered))
        return node

    def byte_class(self, allowed: Iterable[int]) -> Node:
        """One byte out of `allowed` (numbers 0..255). An empty class gives `never`."""
        members = frozenset(allowed)
        if not members:
            return self.never
        key = (Kind.LEAF, "class", members)
        node = self._interned.get(key)
        if node is None:
            inside = np.zeros(256, np.uint8)
            inside[sorted(members)] = 1
            table = np.array([[-1, 1], [-1, -1]], np.int32)
            self.budget.add_states(2, path=self.path)
            node = self._add_leaf(leaf_tables.of_table(inside, table, np.array([False, True]), 0))
            self._interned[key] = node
        return node

    def dfa(self, dfa: ByteDfa) -> Node:
        """The language of a trim automaton (see `ByteDfa`). Equal tables give the same node."""
        key = (Kind.LEAF, dfa)
        node = self._interned.get(key)
        if node is None:
            num_states = len(dfa.table)
            self.budget.add_states(num_states, path=self.path)
            self.budget.check_time()
            if num_states == 1 and not dfa.accepting[0]:
                node = self.never
            else:
                node = self._add_leaf(leaf_tables.of_dfa(dfa))
            self._interned[key] = node
        return node

    def leaf(self, key: Hashable, make: Callable[[], LeafTables]) -> Node:
        """A regular part by its tables, which `make` returns. The same `key` gives the same node."""
        node = self._interned.get((Kind.LEAF, "made", key))
        if node is None:
            tables = make()
            self.budget.add_states(len(tables.ends), path=self.path)
            node = self._interned[Kind.LEAF, "made", key] = self._add_leaf(tables)
        return node

    def bounded(self, dfa: ByteDfa, ends: npt.NDArray[np.bool_], least: int, most: int) -> Node:
        """The texts of a trim automaton that have `least` to `most` characters, counted while they are written.

        Costs memory for the states times `most` / 32, and no states: use it where `most` is large.

        Args:
            dfa: not minimised beyond what `ends` allows: no two ways into a state may differ in it.
            ends: (n,) bool, whether a character ends on arriving in the state. Every cycle holds such a state.
        """
        key = (Kind.BOUNDED, dfa, ends.tobytes(), least, most)
        node = self._interned.get(key)
        if node is None:
            count = len(dfa.table)
            self.budget.add_states(count + count * most // 32, path=self.path)
            self.budget.check_time()
            tables = leaf_tables.new_of_dfa(dfa)
            first = np.concatenate((np.zeros(1, np.int64), tables.ends))
            target = tables.target.astype(np.int64)
            bounds = bounds_table(first, target, np.array(dfa.accepting, bool), ends, least, most)
            if not len(bounds):
                raise ValueError("a cycle of states holds no end of a character")
            if not is_completable(bounds, dfa.start, 0):
                node = self.never
            else:
                leaf = self._add_leaf(tables)
                nullable = least == 0 and bool(dfa.accepting[dfa.start])
                node = self._add(Kind.BOUNDED, leaf, len(self.bounds), least, nullable=nullable)
                self.bounds.frombytes(bounds.tobytes())
            self._interned[key] = node
        return node

    # Combinations

    def seq(self, *parts: Node) -> Node:
        """The concatenation of `parts`."""
        flat: list[int] = []
        for part in parts:
            if part == self.never:
                return self.never
            kind, first, count = self.nodes[part * NODE_COLUMNS : part * NODE_COLUMNS + 3]
            if kind == Kind.SEQ:
                flat.extend(self.kids[first : first + count])
            elif kind != Kind.EMPTY:
                flat.append(part)
        if not flat:
            return self.empty
        if len(flat) == 1:
            return Node(flat[0])
        return self._group(Kind.SEQ, flat, all(self.is_nullable(Node(part)) for part in flat))

    def alt(self, *options: Node) -> Node:
        """The union of `options`. Options may overlap; disjoint ones run faster. Prefer `choice` for many literals."""
        flat: dict[int, None] = {}
        for option in options:
            kind, first, count = self.nodes[option * NODE_COLUMNS : option * NODE_COLUMNS + 3]
            if kind == Kind.ALT:
                flat.update(dict.fromkeys(self.kids[first : first + count]))
            elif kind != Kind.NEVER:
                flat[option] = None
        if not flat:
            return self.never
        if len(flat) == 1:
            return Node(next(iter(flat)))
        nullable = any(self.nodes[option * NODE_COLUMNS + NULLABLE] == 1 for option in flat)
        return self._group(Kind.ALT, list(flat), nullable or any(self.is_nullable(Node(option)) for option in flat))

    def optional(self, node: Node) -> Node:
        """`node` or the empty text."""
        return self.alt(self.empty, node)

    def repeat(self, body: Node, min: int = 0, max: int | None = None, *, separator: Node | None = None) -> Node:
        """Between `min` and `max` (None: no bound) copies of `body`, with `separator` between neighbours.

        The count lives in the run-time stack, so bounds of thousands cost as much as small ones.

        Raises: UnsupportedGrammar for bounds of 2³⁰ and more, or if both body and separator match the empty text.
        """
        if min < 0 or (max is not None and max < min):
            raise ValueError(f"repeat bounds must satisfy 0 <= min <= max, got {min}, {max}")
        if min >= MAX_COUNT or (max is not None and max >= MAX_COUNT):
            raise UnsupportedGrammar("repetition", path=self.path, reason=f"counts end at {MAX_COUNT - 1:,} copies")
        if body == self.never or max == 0:
            return self.empty if min == 0 else self.never
        if separator == self.empty:
            separator = None
        if separator == self.never:
            separator, max = None, 1
            if min > 1:
                return self.never
        if max == 1:
            return body if min == 1 else self.optional(body)
        if body == self.empty and separator is None:
            return self.empty
        if self.is_nullable(body):
            if separator is None:
                min = 0  # missing copies are empty ones
            elif self.is_nullable(separator):
                raise UnsupportedGrammar(
                    "repetition", path=self.path, reason="both the body and the separator match the empty text"
                )
        key = (Kind.REPEAT, body, min, max, separator)
        node = self._interned.get(key)
        if node is None:
            operands = (body, min, -1 if max is None else max, -1 if separator is None else separator)
            empty_copy = self.is_nullable(body) and (separator is None or min == 1)
            node = self._add(Kind.REPEAT, *operands, nullable=min == 0 or empty_copy)
            self._interned[key] = node
        return node

    def rule(
        self,
        key: Hashable,
        make: Callable[[], Node],
        *,
        nullable: bool | None = None,
        witness: bytes | None = None,
    ) -> Node:
        """A named node whose body `make()` returns, called when it is first needed; bodies may refer to their own rule.

        The same `key` gives the same node and the first `make`. A rule must not be the empty language and must not
        call itself before it has consumed a byte (left recursion), except as a bare alternative of itself.

        Args:
            nullable: whether the body matches the empty text. None: `make` is called as soon as that matters (a rule
                inside `repeat`, `seq` in `repeat`, ...), which is wrong for bodies that are still being defined.
            witness: a short text of the body, which saves making the body just to find one.
        """
        node = self._rules.get(key)
        if node is None:
            flag = UNKNOWN if nullable is None else int(nullable)
            node = self._add(Kind.RULE, -1, len(self.rule_makers), nullable=flag)
            self._rules[key] = node
            self.rule_makers.append(make)
            self.rule_witness.append(witness)
        return node

    def members(
        self,
        declared: Sequence[Member],
        *,
        assign: Node,
        separator: Node,
        order: Literal["declared", "any"] = "declared",
        extras: Sequence[Extra] = (),
        extras_last: bool = True,
        min_count: int = 0,
        max_count: int | None = None,
        clauses: Sequence[Clause] = (),
    ) -> Node:
        """What stands between the braces of an object: `key assign value`, separated by `separator`.

        Each declared member appears at most once: in the order given ("declared") or in any order ("any"). Extras come
        in between, or with declared order and `extras_last` only behind the declared ones. The end is allowed only when
        the required members are there, the counts (declared and extra together) are within bounds and every clause
        holds. A member that would make the end impossible cannot be chosen, so there are no dead ends.

        With `assign=empty` and values `empty` this is a general bag: items of a finite set without repetition
        (uniqueItems over an enum), or `contains` with its bounds as `Extra(unique=False)`.

        Raises: EmptyGrammar if the conditions contradict one another.
        """
        ordered_last = extras_last and order == "declared"
        extras = [self._resolved(extra, min_count) for extra in extras]
        if len(extras) == 1 and (order == "any" or not declared):
            words = self._listed_words(extras[0])
            if words:  # a finite set: a bit for each word instead of the words themselves
                value = Node(extras[0].value)
                declared = [*declared, *(Member(self.literal(word), value) for word in words)]
                extras, order, ordered_last = [], "any", False
        spec = MembersSpec(
            tuple(declared), order, tuple(extras), ordered_last, min_count, max_count, assign, separator, tuple(clauses)
        )
        key = (Kind.MEMBERS, spec)
        node = self._interned.get(key)
        if node is None:
            solver = self._check_members(spec)
            self.budget.add_states(len(declared) + len(extras), path=self.path)
            nullable = solver.may_end(solver.start())
            node = self._add(Kind.MEMBERS, len(self.members_solvers), separator, -1, nullable=nullable)
            self._interned[key] = node
            self.members_solvers.append(solver)
        return node

    # Questions

    def is_nullable(self, node: Node) -> bool:
        """Whether the empty text matches. Makes the bodies of rules whose answer was not declared."""
        known = self.nodes[node * NODE_COLUMNS + NULLABLE]
        if known != UNKNOWN:
            return known == 1
        self.nodes[node * NODE_COLUMNS + NULLABLE] = 0  # a rule that only repeats itself matches nothing new
        answer = self.is_nullable(self.body_of(node))
        self.nodes[node * NODE_COLUMNS + NULLABLE] = int(answer)
        return answer

    def is_word(self, leaf: Node, text: bytes) -> bool:
        """Whether the regular part `leaf` accepts `text`."""
        state = self.nodes[leaf * NODE_COLUMNS + 1]
        for byte in text:
            for index in range(self.leaf_first[state], self.leaf_first[state + 1]):
                if self.range_low[index] <= byte <= self.range_high[index]:
                    state = self.range_target[index]
                    break
            else:
                return False
        return bool(self.leaf_flags[state] & 1)

    def body_of(self, rule: Node) -> Node:
        """The body of a rule node, made now if it was not yet. Raises what the front end's `make` raises."""
        at = rule * NODE_COLUMNS
        if self.nodes[at + 1] < 0:
            index = self.nodes[at + 2]
            make = self.rule_makers[index]
            if make is None:
                raise UnsupportedGrammar("recursion", path=self.path, reason="a rule needs itself while it is made")
            self.rule_makers[index] = None
            self.budget.check_time()
            try:
                body = make()
            except BaseException:
                self.rule_makers[index] = make
                raise
            self.nodes[at + 1] = body
        return Node(self.nodes[at + 1])

    def build_rules(self) -> None:
        """Make the bodies of all rules, and of the rules in them, within `limits.seconds`."""
        self.budget.restart_clock()
        node = 0
        while node * NODE_COLUMNS < len(self.nodes):
            if self.nodes[node * NODE_COLUMNS] == Kind.RULE:
                self.body_of(Node(node))
            node += 1

    def kind(self, node: Node) -> Kind:
        return Kind(self.nodes[node * NODE_COLUMNS])

    # Tables

    def _add(self, kind: Kind, a: int = 0, b: int = 0, c: int = 0, d: int = 0, *, nullable: int) -> Node:
        self.budget.add_states(1, path=self.path)
        node = Node(len(self.nodes) // NODE_COLUMNS)
        self.nodes += (kind, a, b, c, d, int(nullable))
        return node

    def _group(self, kind: Kind, parts: list[int], nullable: bool) -> Node:
        key = (kind, tuple(parts))
        node = self._interned.get(key)
        if node is None:
            node = self._interned[key] = self._add(kind, len(self.kids), len(parts), nullable=nullable)
            self.kids.extend(parts)
        return node

    def _add_leaf(self, leaf: LeafTables) -> Node:
        base, first_range = len(self.leaf_flags), len(self.range_low)
        self.leaf_first.frombytes((leaf.ends + np.int32(first_range)).tobytes())
        self.range_low.frombytes(leaf.low.tobytes())
        self.range_high.frombytes(leaf.high.tobytes())
        self.range_target.frombytes((leaf.target + np.int32(base)).tobytes())
        self.leaf_flags.frombytes(leaf.flags.tobytes())
        self.leaf_words.frombytes(leaf.words.tobytes())
        nullable = self.leaf_flags[base + leaf.start] & 1
        return self._add(Kind.LEAF, base + leaf.start, base, len(leaf.flags), nullable=nullable)

    def unique_text(self, key: Node, rest: Node) -> Node:
        """The member of a unique extra: a key that was not written before, then `rest`. For the run-time's use."""
        cons = (Kind.UNIQUE, key, rest)
        node = self._interned.get(cons)
        if node is None:
            node = self._interned[cons] = self._add(Kind.UNIQUE, key, rest, nullable=False)
        return node

    def _resolved(self, extra: Extra, min_count: int) -> Extra:
        """The extra with `unique` decided and its bound on the number of different keys."""
        unique = extra.unique
        if unique is None:
            unique = extra.min_count > 0 or min_count > 0
        if not unique or extra.key == self.never:
            return replace(extra, unique=False)
        key = Node(extra.key)
        if self.kind(key) == Kind.LITERAL:
            offset, length = self.nodes[key * NODE_COLUMNS + 1 : key * NODE_COLUMNS + 3]
            key = self._add_leaf(leaf_tables.of_texts((bytes(self.literal_pool[offset : offset + length]),)))
        if self.kind(key) != Kind.LEAF:
            raise ValueError("the key of a unique Extra is a dfa, choice or literal node")
        words = self.leaf_words[self.nodes[key * NODE_COLUMNS + 1]]
        most = words if extra.max_count is None else min(words, extra.max_count)
        return replace(extra, key=key, unique=True, max_count=None if most >= MAX_COUNT else most)

    def _listed_words(self, extra: Extra) -> list[bytes]:
        """The keys of a unique extra, if they are few, not empty and only their number altogether is bounded."""
        if not extra.unique or extra.min_count or extra.max_count is None or extra.max_count > MAX_LISTED_WORDS:
            return []
        start, _, _ = self.nodes[extra.key * NODE_COLUMNS + 1 : extra.key * NODE_COLUMNS + 4]
        if self.leaf_words[start] != extra.max_count or self.is_nullable(Node(extra.key)):
            return []
        words: list[bytes] = []
        stack = [(start, b"")]
        while stack:
            state, text = stack.pop()
            if self.leaf_flags[state] & 1:
                words.append(text)
            for index in range(self.leaf_first[state], self.leaf_first[state + 1]):
                for byte in range(self.range_low[index], self.range_high[index] + 1):
                    stack.append((self.range_target[index], text + bytes([byte])))
        return sorted(words)

    def _check_members(self, spec: MembersSpec) -> MembersSolver:
        if self.is_nullable(Node(spec.separator)):
            raise UnsupportedGrammar("members", path=self.path, reason="the separator matches the empty text")
        solver = MembersSolver(spec, self.never)
        if not solver.is_feasible(solver.start()):
            raise EmptyGrammar("no choice of members satisfies the conditions", path=self.path)
        return solver
