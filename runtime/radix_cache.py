"""The prefix cache: a radix tree from token prefixes to the KV slots that hold them.

Each edge carries a run of token ids and as many slots. A path from the root spells a prefix whose keys and values lie
in the pool. Each namespace has its own root, so that requests share prefixes only inside one namespace. Locks are
counted along the path; what no one locks may be evicted, least recently used leaves first and from their ends (the
structure follows RadixAttention, Zheng et al. 2023, arXiv:2312.07104).

The tree owns the slots it holds: `insert` takes them over, `evict` and `clear` hand them back.
"""

import heapq
import time
from collections.abc import Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from slipform.runtime.kv_pool import SlotArray

IdArray = npt.NDArray[np.int64]

_NO_IDS: IdArray = np.empty(0, dtype=np.int64)
_NO_SLOTS: SlotArray = np.empty(0, dtype=np.int32)


@dataclass(slots=True, eq=False)
class _Node:
    ids: IdArray
    slots: SlotArray
    parent: "_Node | None"
    namespace: str
    children: dict[int, "_Node"] = field(default_factory=dict)
    num_locks: int = 0
    last_used: int = 0
    last_used_s: float = 0.0
    detached: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PrefixHandle:
    """A locked prefix of `length` tokens; opaque, ends with `unlock`."""

    node: _Node
    length: int


@dataclass(frozen=True, slots=True)
class PrefixMatch:
    """The longest cached prefix of some ids. `slots`: (length,) int32."""

    length: int
    slots: SlotArray


def _depth(node: _Node) -> int:
    """Tokens from the root to the end of a node."""
    length = 0
    walker: _Node | None = node
    while walker is not None:
        length += len(walker.ids)
        walker = walker.parent
    return length


class RadixCache:
    """Token prefixes to slots: match, insert, lock, unlock, evict.

    Attributes:
        size: slots that the tree holds. protected_size: those on locked paths; the rest is evictable.
        num_evicted: slots evicted since the start. evicted_age_s: sum over them of the seconds since their last use.
    """

    def __init__(self) -> None:
        self._roots: dict[str, _Node] = {}
        self._clock = 0
        self._clock_s = 0.0
        self._heap: list[tuple[int, int, _Node]] = []
        self._heap_serial = 0
        self._num_nodes = 0
        self.size = 0
        self.protected_size = 0
        self.num_evicted = 0
        self.evicted_age_s = 0.0

    @property
    def evictable_size(self) -> int:
        return self.size - self.protected_size

    @property
    def num_nodes(self) -> int:
        return self._num_nodes

    def match_len(self, namespace: str, ids: IdArray) -> int:
        """Length of the longest cached prefix of `ids`. Changes nothing."""
        return sum(taken for _, taken in self._walk(namespace, ids))

    def match(self, namespace: str, ids: IdArray) -> PrefixMatch:
        """The longest cached prefix of `ids` and its slots. Changes nothing."""
        pieces = [node.slots[:taken] for node, taken in self._walk(namespace, ids)]
        slots = np.concatenate(pieces) if pieces else _NO_SLOTS
        return PrefixMatch(len(slots), slots)

    def lock(self, namespace: str, ids: IdArray) -> PrefixHandle:
        """Protect the path of `ids`, all of which must be cached, from eviction.

        Mutates: splits the last node where the prefix ends inside it; marks the path as just used.
        Raises: KeyError if `ids` is not a cached prefix.
        """
        node = self._root(namespace)
        length = 0
        for step, taken in list(self._walk(namespace, ids)):
            node = step if taken == len(step.ids) else self._split(step, taken)
            length += taken
        if length != len(ids):
            raise KeyError(f"only {length} of {len(ids)} tokens are cached")
        self._tick()
        walker: _Node | None = node
        while walker is not None:
            if walker.num_locks == 0:
                self.protected_size += len(walker.ids)
            walker.num_locks += 1
            walker.last_used, walker.last_used_s = self._clock, self._clock_s
            walker = walker.parent
        return PrefixHandle(node, length)

    def unlock(self, handle: PrefixHandle) -> None:
        """End a lock. Each handle is unlocked exactly once."""
        self._tick()
        walker: _Node | None = handle.node
        while walker is not None:
            assert walker.num_locks > 0, "unlocked more often than locked"
            walker.num_locks -= 1
            if walker.num_locks == 0:
                self.protected_size -= len(walker.ids)
            walker.last_used, walker.last_used_s = self._clock, self._clock_s
            if walker.parent is None:
                self._forget_if_empty(walker)
            walker = walker.parent
        self._offer(handle.node)

    def common_prefixes(self, handles: SequenceOf[PrefixHandle], *, min_len: int) -> list[tuple[list[int], int]]:
        """Groups among locked prefixes that begin alike. Changes nothing.

        Where several groupings are possible, groups whose common part is long for many members come first, and a handle
        is in one group at most.

        Returns: (indices of two handles or more, length of their common prefix, at least `min_len`).
        """
        under: dict[_Node, list[int]] = {}
        for index, handle in enumerate(handles):
            walker: _Node | None = handle.node
            while walker is not None and walker.parent is not None:
                if walker.num_locks > 1:  # else no one else's prefix goes through here
                    under.setdefault(walker, []).append(index)
                walker = walker.parent
        lengths = {node: _depth(node) for node, members in under.items() if len(members) > 1}
        grouped: set[int] = set()
        found = []
        for node in sorted(lengths, key=lambda node: -lengths[node] * (len(under[node]) - 1)):
            members = [index for index in under[node] if index not in grouped]
            if len(members) > 1 and lengths[node] >= min_len:
                grouped.update(members)
                found.append((members, lengths[node]))
        return found

    def insert(self, namespace: str, ids: IdArray, slots: SlotArray) -> int:
        """Make `ids` a cached prefix; the tree takes over the slots of what it did not hold.

        Args:
            ids: (T,) int64. slots: (T,) int32; slots[known:] belong to the tree afterwards.

        Returns: `known`, the number of leading tokens that were cached already; slots[:known] stay the caller's.
        """
        self._tick()
        node = self._root(namespace)
        known = 0
        for step, taken in list(self._walk(namespace, ids)):
            node = step if taken == len(step.ids) else self._split(step, taken)
            node.last_used, node.last_used_s = self._clock, self._clock_s
            known += taken
        if known < len(ids):
            leaf = _Node(ids[known:].copy(), slots[known:].copy(), node, namespace)
            leaf.last_used, leaf.last_used_s = self._clock, self._clock_s
            node.children[int(leaf.ids[0])] = leaf
            self._num_nodes += 1
            self.size += len(leaf.ids)
            self._offer(leaf)
        return known

    def evict(self, count: int) -> SlotArray:
        """Drop `count` slots, or all evictable ones if there are fewer: least recently used leaves, from their ends.

        Returns: the slots, which are the caller's from now on.
        """
        dropped: list[SlotArray] = []
        missing = count
        now_s = time.monotonic()
        while missing > 0 and self._heap:
            last_used, _, node = heapq.heappop(self._heap)
            if node.detached or node.children or node.num_locks or node.parent is None:
                continue
            if node.last_used != last_used:
                self._offer(node)
                continue
            keep = max(0, len(node.ids) - missing)
            self.evicted_age_s += (now_s - node.last_used_s) * (len(node.ids) - keep)
            dropped.append(node.slots[keep:])
            missing -= len(node.ids) - keep
            self.size -= len(node.ids) - keep
            if keep:
                node.ids, node.slots = node.ids[:keep].copy(), node.slots[:keep].copy()
                self._offer(node)
            else:
                self._detach(node)
        slots = np.concatenate(dropped) if dropped else _NO_SLOTS
        self.num_evicted += len(slots)
        return slots

    def _tick(self) -> None:
        self._clock += 1
        self._clock_s = time.monotonic()

    def clear(self) -> SlotArray:
        """Evict everything that is not locked and return its slots."""
        return self.evict(self.evictable_size)

    def held_slots(self) -> SlotArray:
        """All slots of the tree, for checks. Changes nothing."""
        pieces = [node.slots for node in self._nodes()]
        return np.concatenate(pieces) if pieces else _NO_SLOTS

    def check(self) -> None:
        """Verify every invariant of the tree. Raises: AssertionError saying which one broke."""
        size = protected = nodes = 0
        offered = {id(node) for _, _, node in self._heap}
        for node in self._nodes():
            assert node.parent is not None
            assert node.parent.namespace == node.namespace, "a node hangs under another namespace"
            assert not node.detached, "a dropped node is still in the tree"
            assert len(node.ids) == len(node.slots) > 0, "an edge is empty, or its ids and slots differ in number"
            assert node.parent.children[int(node.ids[0])] is node, "a child is filed under another token"
            assert node.parent.num_locks >= node.num_locks, "a locked node hangs under an unlocked one"
            if not node.children and not node.num_locks:
                assert id(node) in offered, "an evictable leaf is unknown to eviction"
            nodes += 1
            size += len(node.ids)
            protected += len(node.ids) if node.num_locks else 0
        assert nodes == self._num_nodes, "the number of nodes is wrong"
        assert size == self.size, "the size is wrong"
        assert protected == self.protected_size, "the protected size is wrong"
        for namespace, root in self._roots.items():
            assert root.namespace == namespace
            assert root.children or root.num_locks, "an empty namespace is kept"
        held = self.held_slots()
        assert len(np.unique(held)) == len(held), "a slot is held twice"

    def _root(self, namespace: str) -> _Node:
        root = self._roots.get(namespace)
        if root is None:
            root = self._roots[namespace] = _Node(_NO_IDS, _NO_SLOTS, None, namespace)
        return root

    def _walk(self, namespace: str, ids: IdArray) -> Iterator[tuple[_Node, int]]:
        """The nodes along `ids` with the number of tokens of each that match (all of them, except in the last)."""
        node = self._roots.get(namespace)
        done = 0
        while node is not None and done < len(ids):
            node = node.children.get(int(ids[done]))
            if node is None:
                return
            taken = common_len(node.ids, ids[done:])
            yield node, taken
            if taken < len(node.ids):
                return
            done += taken

    def _split(self, node: _Node, at: int) -> _Node:
        """Cut an edge in two; `node` keeps its end, and the new parent of its first `at` tokens is returned."""
        parent = node.parent
        assert parent is not None
        head = _Node(
            node.ids[:at].copy(),
            node.slots[:at].copy(),
            parent,
            node.namespace,
            num_locks=node.num_locks,
            last_used=node.last_used,
            last_used_s=node.last_used_s,
        )
        node.ids, node.slots, node.parent = node.ids[at:].copy(), node.slots[at:].copy(), head
        head.children[int(node.ids[0])] = node
        parent.children[int(head.ids[0])] = head
        self._num_nodes += 1
        return head

    def _detach(self, node: _Node) -> None:
        parent = node.parent
        assert parent is not None
        del parent.children[int(node.ids[0])]
        node.detached = True
        self._num_nodes -= 1
        if parent.parent is None:
            self._forget_if_empty(parent)
        else:
            self._offer(parent)

    def _forget_if_empty(self, root: _Node) -> None:
        if not root.children and not root.num_locks:
            del self._roots[root.namespace]

    def _offer(self, node: _Node) -> None:
        """Let eviction know an unlocked leaf; outdated entries of the heap are skipped when they come up."""
        if node.children or node.num_locks or node.parent is None or node.detached:
            return
        self._heap_serial += 1
        heapq.heappush(self._heap, (node.last_used, self._heap_serial, node))
        if len(self._heap) > 2 * self._num_nodes + 64:
            leaves = (leaf for leaf in self._nodes() if not leaf.children and not leaf.num_locks)
            self._heap = [(leaf.last_used, serial, leaf) for serial, leaf in enumerate(leaves)]
            self._heap_serial = len(self._heap)
            heapq.heapify(self._heap)

    def _nodes(self) -> Iterator[_Node]:
        stack = [child for root in self._roots.values() for child in root.children.values()]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children.values())


def common_len(left: IdArray, right: IdArray) -> int:
    """How many leading ids are equal."""
    length = min(len(left), len(right))
    differs = left[:length] != right[:length]
    first = int(differs.argmax()) if length else 0
    return first if length and differs[first] else length
