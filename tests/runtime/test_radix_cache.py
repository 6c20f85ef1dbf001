"""Prefix cache, pool and their manager against plain models: dicts of prefixes, and who owns which slot."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from slipform.runtime.cache_manager import CacheManager, Holding
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.radix_cache import PrefixHandle, RadixCache

# Few different tokens, so that prefixes collide, branch and end inside edges all the time.
TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=9)
NAMESPACES = st.sampled_from(["", "tenant"])


def array(ids: list[int]) -> np.ndarray:
    return np.array(ids, dtype=np.int64)


def prefixes(ids: list[int]) -> list[tuple[int, ...]]:
    return [tuple(ids[:end]) for end in range(1, len(ids) + 1)]


class TreeAgainstDict(RuleBasedStateMachine):
    """The dict maps (namespace, prefix) to the slot of the prefix's last token."""

    handles = Bundle("handles")

    def __init__(self) -> None:
        super().__init__()
        self.tree = RadixCache()
        self.known: dict[tuple[str, tuple[int, ...]], int] = {}
        self.locked: list[tuple[str, tuple[int, ...]]] = []
        self.next_slot = 0

    def longest(self, namespace: str, ids: list[int]) -> int:
        return sum((namespace, prefix) in self.known for prefix in prefixes(ids))

    @rule(namespace=NAMESPACES, ids=TOKENS)
    def insert(self, namespace: str, ids: list[int]) -> None:
        slots = np.arange(self.next_slot, self.next_slot + len(ids), dtype=np.int32)
        self.next_slot += len(ids)
        known = self.tree.insert(namespace, array(ids), slots)
        assert known == self.longest(namespace, ids)
        for prefix in prefixes(ids)[known:]:
            self.known[namespace, prefix] = int(slots[len(prefix) - 1])

    @rule(namespace=NAMESPACES, ids=TOKENS)
    def match(self, namespace: str, ids: list[int]) -> None:
        match = self.tree.match(namespace, array(ids))
        expected = [self.known[namespace, prefix] for prefix in prefixes(ids) if (namespace, prefix) in self.known]
        assert match.slots.tolist() == expected
        assert match.length == self.tree.match_len(namespace, array(ids)) == len(expected)

    @rule(target=handles, namespace=NAMESPACES, ids=TOKENS)
    def lock(self, namespace: str, ids: list[int]) -> tuple[PrefixHandle, str, tuple[int, ...]]:
        length = self.longest(namespace, ids)
        handle = self.tree.lock(namespace, array(ids[:length]))
        assert handle.length == length
        self.locked.append((namespace, tuple(ids[:length])))
        return handle, namespace, tuple(ids[:length])

    @rule(held=consumes(handles))
    def unlock(self, held: tuple[PrefixHandle, str, tuple[int, ...]]) -> None:
        handle, namespace, ids = held
        self.tree.unlock(handle)
        self.locked.remove((namespace, ids))

    @rule(count=st.integers(1, 12))
    def evict(self, count: int) -> None:
        evictable = self.tree.evictable_size
        slots = self.tree.evict(count).tolist()
        assert len(slots) == min(count, evictable)
        gone = {key for key, slot in self.known.items() if slot in set(slots)}
        assert len(gone) == len(slots)
        for key in gone:
            del self.known[key]
        # What is left is closed under prefixes, and nothing locked is gone.
        for namespace, ids in self.known:
            assert len(ids) == 1 or (namespace, ids[:-1]) in self.known
        for namespace, ids in self.locked:
            assert not ids or (namespace, ids) in self.known

    @invariant()
    def sound(self) -> None:
        self.tree.check()
        assert self.tree.size == len(self.known)
        protected = {(name, prefix) for name, ids in self.locked for prefix in prefixes(list(ids))}
        assert self.tree.protected_size == len(protected)


TestTreeAgainstDict = TreeAgainstDict.TestCase
TestTreeAgainstDict.settings = settings(max_examples=100, stateful_step_count=60)


class ManagerAgainstModel(RuleBasedStateMachine):
    """Running sequences that grow, share, are cut and leave; each slot's token is written down as a model would."""

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.pool = KVPool(24, kv_shapes=[(1, 1)])
        self.manager = CacheManager(self.pool, num_rows=4, max_len=24)
        self.open: list[tuple[Holding, list[int]]] = []
        # What lies in each slot: the whole context up to the token, since keys and values depend on all of it.
        self.content: dict[int, tuple[str, tuple[int, ...]]] = {}

    def row(self, holding: Holding) -> np.ndarray:
        return self.manager.table.numpy()[holding.row, : holding.length]

    @rule(target=running, namespace=NAMESPACES, ids=TOKENS)
    def admit(self, namespace: str, ids: list[int]) -> tuple[Holding, list[int]] | None:
        if not self.manager.has_free_row:
            return None
        expected = self.manager.cached_len(namespace, array(ids[:-1]))
        holding = self.manager.admit(namespace, array(ids), len(ids) - 1)
        assert holding.length == expected
        sequence = (holding, ids[:expected])
        self.open.append(sequence)
        return sequence

    @rule(sequence=running, ids=TOKENS)
    def extend(self, sequence: tuple[Holding, list[int]] | None, ids: list[int]) -> None:
        if sequence not in self.open or sequence is None:
            return
        holding, context = sequence
        room = self.manager.room
        slots = self.manager.reserve(holding, len(ids))
        assert (slots is None) == (len(ids) > room)
        if slots is not None:
            for slot, token in zip(slots.tolist(), ids, strict=True):
                context.append(token)
                self.content[slot] = (holding.namespace, tuple(context))

    @rule(sequence=running)
    def share(self, sequence: tuple[Holding, list[int]] | None) -> None:
        if sequence in self.open and sequence is not None:
            self.manager.share(sequence[0], array(sequence[1]))

    @rule(sequence=running, keep=st.integers(0, 9))
    def truncate(self, sequence: tuple[Holding, list[int]] | None, keep: int) -> None:
        if sequence in self.open and sequence is not None and keep < len(sequence[1]):
            self.manager.truncate(sequence[0], array(sequence[1]), keep)
            del sequence[1][keep:]

    @rule(sequence=consumes(running), keep_computed=st.booleans())
    def release(self, sequence: tuple[Holding, list[int]] | None, keep_computed: bool) -> None:
        if sequence is not None:
            self.open.remove(sequence)
            holding, context = sequence
            ids = array(context if keep_computed else context[: holding.handle.length])
            self.manager.release(holding, ids)

    @rule()
    def flush(self) -> None:
        self.manager.flush()

    @invariant()
    def sound(self) -> None:
        self.manager.check()
        for holding, context in self.open:
            found = [self.content[slot] for slot in self.row(holding).tolist()]
            assert found == [(holding.namespace, prefix) for prefix in prefixes(context)]

    @invariant()
    def groups_begin_with_the_same_slots(self) -> None:
        holdings = [holding for holding, _ in self.open]
        groups = self.manager.common_prefixes([holding.handle for holding in holdings], min_len=2)
        grouped = [index for members, _ in groups for index in members]
        assert len(grouped) == len(set(grouped))
        for members, length in groups:
            assert len(members) > 1
            assert 2 <= length <= min(holdings[index].handle.length for index in members)
            rows = [self.row(holdings[index])[:length].tolist() for index in members]
            assert all(row == rows[0] for row in rows)
        # Whoever is left has less in common with anyone else who is left.
        left = [
            self.row(one)[: min(2, one.handle.length)].tolist() for i, one in enumerate(holdings) if i not in grouped
        ]
        long = [tuple(row) for row in left if len(row) == 2]
        assert len(long) == len(set(long))

    def teardown(self) -> None:
        for holding, context in self.open:
            self.manager.release(holding, array(context))
        self.manager.flush()
        self.manager.check()
        assert self.manager.num_free == self.pool.num_slots


TestManagerAgainstModel = ManagerAgainstModel.TestCase
TestManagerAgainstModel.settings = settings(max_examples=100, stateful_step_count=60)


def test_least_recently_used_goes_first() -> None:
    tree = RadixCache()
    for first in (1, 2, 3):
        tree.insert("", array([first, 9]), np.array([10 * first, 10 * first + 1], np.int32))
    tree.unlock(tree.lock("", array([1, 9])))
    assert tree.evict(1).tolist() == [21]
    assert tree.evict(2).tolist() == [20, 31]
    assert tree.match_len("", array([1, 9])) == 2


def test_groups_with_much_in_common_come_first() -> None:
    tree = RadixCache()
    texts = [[1, 2, 3, 4, 5, 10], [1, 2, 3, 4, 5, 11], [1, 20, 21], [1, 20, 22], [1, 20, 23], [1, 30], [40, 41]]
    handles = []
    slots = iter(range(100))
    for text in texts:
        tree.insert("", array(text), np.array([next(slots) for _ in text], np.int32))
        handles.append(tree.lock("", array(text)))
    # Five keys are saved by the first two, four by the three behind [1, 20]; [1] alone would save five too.
    assert tree.common_prefixes(handles, min_len=2) == [([0, 1], 5), ([2, 3, 4], 2)]
    assert tree.common_prefixes(handles, min_len=3) == [([0, 1], 5)]
    assert tree.common_prefixes(handles[5:], min_len=1) == []


def test_lock_wants_a_cached_prefix() -> None:
    with pytest.raises(KeyError, match="0 of 1"):
        RadixCache().lock("", array([1]))


def test_without_sharing_nothing_is_found_or_kept() -> None:
    pool = KVPool(8, kv_shapes=[(1, 1)])
    manager = CacheManager(pool, num_rows=1, max_len=8, share_prefixes=False)
    holding = manager.admit("", array([1, 2, 3]), 2)
    manager.reserve(holding, 3)
    manager.share(holding, array([1, 2, 3]))
    manager.release(holding, array([1, 2, 3]))
    assert manager.cached_len("", array([1, 2, 3])) == 0
    assert manager.num_free == 8


def test_pool_keeps_each_layers_shape_and_dtype() -> None:
    import torch

    pool = KVPool(5, kv_shapes=[(2, 4), (1, 8)], dtype=torch.bfloat16)
    assert [tuple(keys.shape) for keys in pool.keys] == [(5, 2, 4), (5, 1, 8)]
    assert all(not tensor.any() and tensor.dtype is torch.bfloat16 for tensor in (*pool.keys, *pool.values))
    taken = pool.allocate(5)
    assert taken is not None
    assert sorted(taken.tolist()) == [0, 1, 2, 3, 4]
    assert pool.allocate(1) is None
