"""Which member of an object may come next: required ones, order, counts and clauses, without dead ends.

The state of one object being written is a `Progress` value. It keeps only what can still matter, so that different
histories with the same future are the same value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Unbounded = None
_SEARCH_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Member:
    """A declared member of `Builder.members`: `key`, then the assignment, then `value` (nodes of that builder).

    Keys of one `members` are disjoint languages (also from the extras' keys). `value` may be the empty node.
    """

    key: int
    value: int
    required: bool = False


@dataclass(frozen=True, slots=True)
class Extra:
    """Undeclared members of `Builder.members`: any number between the bounds, each with a key out of `key`.

    Attributes:
        key: node whose language excludes the declared keys; extras' keys are disjoint from one another too.
        value: node of the values behind these keys.
        unique: no two keys of this extra are the same bytes. Then `key` is a `dfa`, `choice` or `literal` node. Every
            text written becomes a state of its own, so ask for it only where it matters. None: where a lower bound on
            the number of members does.
        min_count, max_count: bounds on how many of this kind appear (None: no bound).
    """

    key: int
    value: int
    unique: bool | None = None
    min_count: int = 0
    max_count: int | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on the declared members present at the end: if all of `when` are, at least one of `then` is.

    Indices into `declared`. `Clause((i,), (j,))` says that i needs j (one clause for each j), `Clause((), (i, j))` that
    one of both is there, `Clause((i, j), ())` that both together are forbidden.
    """

    when: tuple[int, ...]
    then: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MembersSpec:
    """The arguments of one `Builder.members` node."""

    declared: tuple[Member, ...]
    order: Literal["declared", "any"]
    extras: tuple[Extra, ...]
    extras_last: bool
    min_count: int
    max_count: int | None
    assign: int
    separator: int
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been written of one object, as far as it matters.

    Attributes:
        position: with declared order, the first declared index that may still come; 0 with any order.
        seen: bitset of declared members present (with declared order, only those that clauses speak of).
        counts: how many of each extra; clamped where only a lower bound is left.
        total: members so far, clamped likewise.
        started: at least one member is written, so the next one needs the separator.
        texts: keys of unique extras.
        pending: a unique extra was written whose key is not known; then no further one can be completed. Only inside
            the walk that computes a mask.
    """

    position: int
    seen: int
    counts: tuple[int, ...]
    total: int
    started: bool
    texts: frozenset[bytes] = frozenset()
    pending: bool = False


class MembersSolver:
    """Decides for one `MembersSpec` what may follow. Pure: `Progress` in, answers out."""

    def __init__(self, spec: MembersSpec, never: int) -> None:
        """`never` is the builder's node of the empty language: members that use it cannot be chosen."""
        self.spec = spec
        usable = [never not in (member.key, member.value) for member in spec.declared]
        self._usable = _bits(index for index, ok in enumerate(usable) if ok)
        self._required = _bits(index for index, member in enumerate(spec.declared) if member.required)
        self._extra_usable = [never not in (extra.key, extra.value) for extra in spec.extras]
        self._clauses = [(_bits(clause.when), _bits(clause.then)) for clause in spec.clauses]
        self._ordered = spec.order == "declared"
        relevant = 0
        for when, then in self._clauses:
            relevant |= when | then
        self._relevant = relevant if self._ordered else (1 << len(spec.declared)) - 1
        self._feasible: dict[Progress, bool] = {}
        # Nothing that may be written now can spoil the end later: no clause, no upper bound in reach, no lower bound
        # that passing members by could miss.
        self._bounded = spec.max_count is not None and (any(self._extra_usable) or spec.max_count < len(spec.declared))
        reachable = spec.min_count == 0 or not self._ordered
        self._unconditional = not spec.clauses and not self._bounded and reachable

    def start(self) -> Progress:
        """Nothing written."""
        return Progress(0, 0, (0,) * len(self.spec.extras), 0, False)

    def may_end(self, progress: Progress) -> bool:
        """Whether the object may end here."""
        spec = self.spec
        if self._missing(progress) or progress.total < spec.min_count:
            return False
        if any(count < extra.min_count for count, extra in zip(progress.counts, spec.extras, strict=True)):
            return False
        return self._violated(progress.seen) is None

    def next_declared(self, progress: Progress) -> list[int]:
        """Indices of the declared members that may come next, each leaving a way to the end."""
        open_ = self._open(progress)
        missing = self._missing(progress)
        if self._ordered and missing:  # the first required one cannot be passed by
            open_ &= (missing & -missing) * 2 - 1
        if self._unconditional:
            return list(_indices(open_))
        return [index for index in _indices(open_) if self.is_feasible(self.add(progress, index))]

    def next_extras(self, progress: Progress) -> list[int]:
        """Indices of the extras of which one may come next."""
        if self._ordered and self.spec.extras_last and self._missing(progress):
            return []
        indices = range(len(self.spec.extras))
        return [index for index in indices if self._extra_open(progress, index) and self._extra_fits(progress, index)]

    def add(self, progress: Progress, index: int) -> Progress:
        """The progress after declared member `index`."""
        position = index + 1 if self._ordered else 0
        seen = (progress.seen | 1 << index) & self._relevant
        total = self._clamp_total(progress.total + 1)
        return Progress(position, seen, progress.counts, total, True, progress.texts, progress.pending)

    def add_extra(self, progress: Progress, index: int, text: bytes | None = None) -> Progress:
        """The progress after one more of extra `index`; `text` is its key, where that must be unique and is known."""
        extra = self.spec.extras[index]
        count = progress.counts[index] + 1
        if extra.max_count is None:
            count = min(count, extra.min_count)
        counts = (*progress.counts[:index], count, *progress.counts[index + 1 :])
        position = progress.position
        if self._ordered and self.spec.extras_last:
            position = len(self.spec.declared)
        texts, pending = progress.texts, progress.pending
        if extra.unique:
            texts = texts if text is None else texts | {text}
            pending = pending or text is None
        return Progress(position, progress.seen, counts, self._clamp_total(progress.total + 1), True, texts, pending)

    def is_feasible(self, progress: Progress) -> bool:
        """Whether some continuation reaches the end."""
        key = Progress(progress.position, progress.seen, progress.counts, progress.total, progress.started)
        known = self._feasible.get(key)
        if known is None:
            known = self._feasible[key] = self.completion(key) is not None
        return known

    def completion(self, progress: Progress, avoided: int = 0) -> tuple[list[int], list[int]] | None:
        """Declared members, in an order that may be written, then extras, that lead to the end; None if none do.

        Few members, not provably the fewest: the smallest set is found where clauses leave no choice.

        Args:
            avoided: bitset of declared members that are not to be chosen.
        """
        spec = self.spec
        missing = self._missing(progress)
        open_ = self._open(progress) & ~avoided
        if missing & ~open_:
            return None
        extras: list[int] = []
        room = 0  # extras that may come beyond the needed ones
        for index, extra in enumerate(spec.extras):
            needed = extra.min_count - progress.counts[index]
            if needed > 0 and not self._extra_usable[index]:
                return None
            extras += [index] * needed
            if self._extra_usable[index]:
                room = _MANY if extra.max_count is None else room + extra.max_count - progress.counts[index]
        low = spec.min_count - progress.total - room
        high = _MANY if spec.max_count is None else spec.max_count - progress.total - len(extras)
        chosen = self._search(progress.seen, missing, open_, low, high)
        if chosen is None:
            return None
        counts = list(progress.counts)
        for index in extras:
            counts[index] += 1
        while progress.total + chosen.bit_count() + len(extras) < spec.min_count:
            index = next(
                index
                for index, extra in enumerate(spec.extras)
                if self._extra_usable[index] and (extra.max_count is None or counts[index] < extra.max_count)
            )
            extras.append(index)
            counts[index] += 1
        return list(_indices(chosen)), extras

    def _search(self, seen: int, missing: int, open_: int, low: int, high: int) -> int | None:
        """A set between `low` and `high` in size, of open members with the missing ones, that satisfies all clauses."""
        if not self._clauses:
            if missing.bit_count() > high or open_.bit_count() < low:
                return None
            chosen = missing
            for index in _indices(open_ & ~missing):
                if chosen.bit_count() >= low:
                    break
                chosen |= 1 << index
            return chosen
        tried: set[int] = set()
        stack = [missing]
        while stack:
            chosen = stack.pop()
            if chosen in tried or chosen.bit_count() > high or len(tried) > _SEARCH_STEPS:
                continue
            tried.add(chosen)
            violated = self._violated(seen | chosen)
            if violated is None and chosen.bit_count() >= low:
                return chosen
            candidates = open_ if violated is None else self._clauses[violated][1] & open_
            stack.extend(chosen | 1 << index for index in reversed(list(_indices(candidates & ~chosen))))
        return None

    def _violated(self, seen: int) -> int | None:
        for index, (when, then) in enumerate(self._clauses):
            if when & ~seen == 0 and not then & seen:
                return index
        return None

    def _open(self, progress: Progress) -> int:
        """Declared members that are neither written nor passed by."""
        if self._ordered:
            return self._usable >> progress.position << progress.position
        return self._usable & ~progress.seen

    def _missing(self, progress: Progress) -> int:
        if self._ordered:
            return self._required >> progress.position << progress.position
        return self._required & ~progress.seen

    def _extra_open(self, progress: Progress, index: int) -> bool:
        bound = self.spec.extras[index].max_count
        return self._extra_usable[index] and (bound is None or progress.counts[index] < bound)

    def _extra_fits(self, progress: Progress, index: int) -> bool:
        return self._unconditional or self.is_feasible(self.add_extra(progress, index))

    def _clamp_total(self, total: int) -> int:
        """Without an upper bound in reach, totals above the lower bound have the same future."""
        return total if self._bounded else min(total, self.spec.min_count)


_MANY = 1 << 60


def _bits(indices: Iterator[int] | tuple[int, ...]) -> int:
    bits = 0
    for index in indices:
        bits |= 1 << index
    return bits


def _indices(bits: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
