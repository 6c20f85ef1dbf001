"""An independent, slow matcher: partial derivatives (Antimirov, 1996) of language expressions written as tuples.

    ("lit", b"ab")   ("set", frozenset({97, 98}))   ("seq", (e, ...))   ("alt", (e, ...))
    ("rep", body, minimum, maximum or None, separator or None)   ("ref", name)

References are looked up in `rules`. It shares nothing with the code under test but what the builder's
methods mean.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from typing import Any

from slipform.grammars.builder import Builder, Node

Expression = tuple[Any, ...]
EPSILON: Expression = ("seq", ())


class Oracle:
    """Sets of expressions that remain to be matched."""

    def __init__(self, rules: Mapping[str, Expression] | None = None) -> None:
        self.rules = dict(rules or {})

    def nullable(self, e: Expression, seen: frozenset[str] = frozenset()) -> bool:
        kind = e[0]
        if kind == "lit":
            return not e[1]
        if kind == "set":
            return False
        if kind == "seq":
            return all(self.nullable(part, seen) for part in e[1])
        if kind == "alt":
            return any(self.nullable(part, seen) for part in e[1])
        if kind == "rep":
            return e[2] == 0 or (self.nullable(e[1], seen) and (e[2] == 1 or e[4] is None))
        return e[1] not in seen and self.nullable(self.rules[e[1]], seen | {e[1]})

    def derive(self, e: Expression, byte: int) -> Iterator[Expression]:
        kind = e[0]
        if kind == "lit":
            if e[1][:1] == bytes([byte]):
                yield ("lit", e[1][1:])
        elif kind == "set":
            if byte in e[1]:
                yield EPSILON
        elif kind == "alt":
            for part in e[1]:
                yield from self.derive(part, byte)
        elif kind == "seq":
            for index, part in enumerate(e[1]):
                for rest in self.derive(part, byte):
                    yield ("seq", (rest, *e[1][index + 1 :]))
                if not self.nullable(part):
                    return
        elif kind == "rep":
            _, body, low, high, separator = e
            if high == 0:
                return
            fewer = ("rep", body, max(low - 1, 0), None if high is None else high - 1, None)
            if separator is None:
                tail = fewer
            else:
                pair = ("seq", (separator, body))
                tail = ("rep", pair, max(low - 1, 0), None if high is None else high - 1, None)
            for rest in self.derive(body, byte):
                yield ("seq", (rest, tail))
            if separator is not None and self.nullable(body):
                yield from self.derive(tail, byte)
        else:
            yield from self.derive(self.rules[e[1]], byte)

    def after(self, states: frozenset[Expression], byte: int) -> frozenset[Expression]:
        return frozenset(simplify(rest) for state in states for rest in self.derive(state, byte))

    def read(self, states: frozenset[Expression], text: bytes) -> frozenset[Expression]:
        for byte in text:
            states = self.after(states, byte)
            if not states:
                break
        return states

    def accepts(self, states: frozenset[Expression]) -> bool:
        return any(self.nullable(state) for state in states)


def simplify(e: Expression) -> Expression:
    """Flatten sequences and drop empty parts, so that equal remainders compare equal."""
    if e[0] == "lit" and not e[1]:
        return EPSILON
    if e[0] == "rep" and e[3] == 0:
        return EPSILON
    if e[0] != "seq":
        return e
    parts: list[Expression] = []
    for part in map(simplify, e[1]):
        parts.extend(part[1] if part[0] == "seq" else (part,))
    return parts[0] if len(parts) == 1 else ("seq", tuple(parts))


def build(builder: Builder, e: Expression, rules: Mapping[str, Expression] | None = None) -> Node:
    """The builder's node for an expression."""
    kind = e[0]
    if kind == "lit":
        return builder.literal(e[1])
    if kind == "set":
        return builder.byte_class(e[1])
    if kind == "seq":
        return builder.seq(*(build(builder, part, rules) for part in e[1]))
    if kind == "alt":
        return builder.alt(*(build(builder, part, rules) for part in e[1]))
    if kind == "rep":
        separator = None if e[4] is None else build(builder, e[4], rules)
        return builder.repeat(build(builder, e[1], rules), e[2], e[3], separator=separator)
    assert rules is not None
    return builder.rule(e[1], lambda: build(builder, rules[e[1]], rules))


def member_lists(
    members: list[tuple[bytes, Expression, bool]],
    *,
    any_order: bool,
    minimum: int = 0,
    maximum: int | None = None,
    clauses: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (),
) -> Expression:
    """All ways to write an object's declared members, enumerated; `:` assigns and `,` separates."""
    options: list[Expression] = []
    for size in range(len(members) + 1):
        for chosen in combinations(range(len(members)), size):
            present = set(chosen)
            if size < minimum or (maximum is not None and size > maximum):
                continue
            if any(required and index not in present for index, (_, _, required) in enumerate(members)):
                continue
            if any(present.issuperset(when) and not present & set(then) for when, then in clauses):
                continue
            for order in permutations(chosen) if any_order else [chosen]:
                parts: list[Expression] = []
                for position, index in enumerate(order):
                    key, value, _ = members[index]
                    parts += [("lit", (b"," if position else b"") + key + b":"), value]
                options.append(("seq", tuple(parts)))
    return ("alt", tuple(options))
