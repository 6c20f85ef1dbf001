"""Who owns which KV slots: the only caller of both the pool and the prefix cache.

A sequence in the running set holds one row of the slot table:

    table[row]:  | slots of the locked prefix | own slots, computed | own slots, reserved | not read |
                 0                 handle.length          computed_len               length
                   owned by the tree             owned by the holding

At every moment free + cached + own slots of all holdings = pool; `check` proves it.
"""

from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import numpy as np
import torch

from slipform.runtime.kv_pool import KVPool, SlotArray
from slipform.runtime.radix_cache import IdArray, PrefixHandle, RadixCache


@dataclass(slots=True, eq=False)
class Holding:
    """Slots of one running sequence, in row `row` of the slot table; `length` of them, reserved ones included."""

    row: int
    namespace: str
    handle: PrefixHandle
    length: int


class CacheManager:
    """Hands out slot-table rows and slots, finds and shares cached prefixes, and takes everything back.

    Attributes:
        table: (num_rows, max_len) int32 on the host; the slots of each running sequence, kept up to date in place.
        shares_prefixes: whether computed prefixes are kept and found again.
        row_changed: called with (row, begin, end) when these entries of a row changed in another way than by
            `reserve`; for those who keep a copy of the table.
    """

    def __init__(self, pool: KVPool, *, num_rows: int, max_len: int, share_prefixes: bool = True) -> None:
        self._pool = pool
        self._tree = RadixCache()
        self.shares_prefixes = share_prefixes
        self._slots = np.zeros((num_rows, max_len), dtype=np.int32)
        self._free_rows = list(range(num_rows - 1, -1, -1))
        self._holdings: dict[int, Holding] = {}
        self._pins: dict[int, PrefixHandle] = {}
        self._num_pins = 0
        self.table = torch.from_numpy(self._slots)
        self.row_changed: Callable[[int, int, int], None] | None = None

    @property
    def num_free(self) -> int:
        return self._pool.num_free

    @property
    def num_cached(self) -> int:
        return self._tree.size

    @property
    def num_evictable(self) -> int:
        return self._tree.evictable_size

    @property
    def num_evicted(self) -> int:
        return self._tree.num_evicted

    @property
    def evicted_age_s(self) -> float:
        """Sum over the evicted slots of the seconds since their last use."""
        return self._tree.evicted_age_s

    @property
    def num_nodes(self) -> int:
        return self._tree.num_nodes

    @property
    def room(self) -> int:
        """Slots that `reserve` can still find."""
        return self._pool.num_free + self._tree.evictable_size

    @property
    def has_free_row(self) -> bool:
        return bool(self._free_rows)

    def cached_len(self, namespace: str, ids: IdArray) -> int:
        """Length of the cached prefix of `ids`. Changes nothing."""
        return self._tree.match_len(namespace, ids) if self.shares_prefixes else 0

    def admit(self, namespace: str, ids: IdArray, reusable_len: int) -> Holding:
        """Start a holding on a free row with the longest cached prefix of ids[:reusable_len], locked.

        Returns: the holding; its `length` is the number of tokens found. The caller checked `has_free_row`.
        """
        row = self._free_rows.pop()
        reusable = ids[:reusable_len] if self.shares_prefixes else ids[:0]
        match = self._tree.match(namespace, reusable)
        handle = self._tree.lock(namespace, reusable[: match.length])
        self._slots[row, : match.length] = match.slots
        holding = self._holdings[row] = Holding(row, namespace, handle, match.length)
        if self.row_changed is not None:
            self.row_changed(row, 0, match.length)
        return holding

    def reserve(self, holding: Holding, count: int) -> SlotArray | None:
        """Give the holding `count` more slots, evicting unlocked prefixes if need be.

        Pinned prefixes give way before anything fails.

        Returns: the new slots, (count,) int32; None, and nothing changed, if not even eviction makes enough room.
        """
        missing = count - self._pool.num_free
        if missing > 0:
            if missing > self._tree.evictable_size:
                for pin in list(self._pins):
                    self.unpin(pin)
            if missing > self._tree.evictable_size:
                return None
            self._pool.release(self._tree.evict(missing))
        slots = self._pool.allocate(count)
        assert slots is not None
        self._slots[holding.row, holding.length : holding.length + count] = slots
        holding.length += count
        return slots

    def reserve_each(self, holdings: SequenceOf[Holding], counts: SequenceOf[int]) -> bool:
        """`reserve` for several holdings at once. False, and nothing changed, if not enough slots are free as it is."""
        total = sum(counts)
        slots = self._pool.allocate(total)
        if slots is None:
            return False
        rows = np.fromiter([holding.row for holding in holdings], np.int64, len(holdings))
        begins = np.fromiter([holding.length for holding in holdings], np.int64, len(holdings))
        if total == len(holdings):
            self._slots[rows, begins] = slots
        else:
            starts = np.cumsum(counts) - counts
            self._slots[np.repeat(rows, counts), np.repeat(begins - starts, counts) + np.arange(total)] = slots
        for holding, count in zip(holdings, counts, strict=True):
            holding.length += count
        return True

    def share(self, holding: Holding, computed_ids: IdArray) -> None:
        """Put the computed tokens of a running sequence into the prefix cache, where others find them.

        Slots that the tree holds already for the same tokens replace the holding's own, which become free.
        """
        if not self.shares_prefixes or len(computed_ids) <= holding.handle.length:
            return
        own_from = holding.handle.length
        known = self._insert(holding, computed_ids)
        handle = self._tree.lock(holding.namespace, computed_ids)
        self._tree.unlock(holding.handle)
        holding.handle = handle
        if known > own_from:
            slots = self._tree.match(holding.namespace, computed_ids[:known]).slots
            self._slots[holding.row, own_from:known] = slots[own_from:]
            if self.row_changed is not None:
                self.row_changed(holding.row, own_from, known)

    def common_prefixes(self, handles: SequenceOf[PrefixHandle], *, min_len: int) -> list[tuple[list[int], int]]:
        """Groups of holdings, by their handles, whose first slots are the same; see `RadixCache.common_prefixes`."""
        return self._tree.common_prefixes(handles, min_len=min_len)

    def truncate(self, holding: Holding, ids: IdArray, length: int) -> None:
        """Give up the slots behind the first `length` tokens of `ids`, which are the holding's tokens."""
        locked_len = holding.handle.length
        if length < locked_len:
            handle = self._tree.lock(holding.namespace, ids[:length])
            self._tree.unlock(holding.handle)
            holding.handle = handle
        if length < holding.length:
            self._pool.release(self._slots[holding.row, max(length, locked_len) : holding.length])
            holding.length = length

    def release(self, holding: Holding, computed_ids: IdArray) -> None:
        """End a holding; what it computed stays in the prefix cache, evictable."""
        computed_len = len(computed_ids)
        locked_len = holding.handle.length
        if self.shares_prefixes and computed_len > locked_len:
            self._insert(holding, computed_ids)
            unused = self._slots[holding.row, computed_len : holding.length]
        else:
            unused = self._slots[holding.row, locked_len : holding.length]
        self._pool.release(unused)
        self._tree.unlock(holding.handle)
        del self._holdings[holding.row]
        self._free_rows.append(holding.row)

    def pin(self, namespace: str, ids: IdArray) -> tuple[int, int]:
        """Keep the cached prefix of `ids` until `unpin`, or until running sequences need its slots.

        Returns: a number for `unpin`, and the length of the prefix.
        """
        length = self.cached_len(namespace, ids)
        self._num_pins += 1
        self._pins[self._num_pins] = self._tree.lock(namespace, ids[:length])
        return self._num_pins, length

    def unpin(self, pin: int) -> None:
        """End a pin. One that has given way is over already."""
        handle = self._pins.pop(pin, None)
        if handle is not None:
            self._tree.unlock(handle)

    def flush(self) -> int:
        """Drop every cached prefix that no running sequence uses; returns how many slots became free."""
        slots = self._tree.clear()
        self._pool.release(slots)
        return len(slots)

    def check(self) -> None:
        """Prove free + cached + held = pool, each slot once. Raises: AssertionError saying what broke."""
        self._tree.check()
        own = [self._slots[h.row, h.handle.length : h.length] for h in self._holdings.values()]
        every = np.concatenate([self._pool.free_slots(), self._tree.held_slots(), *own])
        counts = np.bincount(every, minlength=self._pool.num_slots)
        assert len(counts) == self._pool.num_slots, "a slot lies outside the pool"
        assert counts.max(initial=0) <= 1, f"slots with two owners: {np.flatnonzero(counts > 1)[:8]}"
        assert counts.min(initial=1) == 1, f"slots without owner: {np.flatnonzero(counts == 0)[:8]}"
        rows = sorted([*self._free_rows, *self._holdings])
        assert rows == list(range(len(self._slots))), "a table row is lost or held twice"

    def _insert(self, holding: Holding, computed_ids: IdArray) -> int:
        """Put the holding's tokens into the tree; returns how many it had, whose own slots become free."""
        row = self._slots[holding.row]
        known = self._tree.insert(holding.namespace, computed_ids, row[: len(computed_ids)])
        self._pool.release(row[holding.handle.length : known])
        return known
