"""Which sequences of a step read the keys of a common prefix together; see `kernels.attention_plan.SharedPrefixes`."""

from dataclasses import dataclass

import numpy as np

from slipform.runtime.batch_builder import Int64, Plan
from slipform.runtime.cache_manager import CacheManager
from slipform.runtime.radix_cache import PrefixHandle

# Shorter prefixes are not worth a tile of their own.
MIN_PREFIX_LEN = 128
# Keys that one head need not read again, over all sequences of a step: less does not pay for the kernel more.
MIN_SAVED_KEYS = 8192
# Captured steps have room for so many tiles that are not full.
MAX_GROUPS = 8


@dataclass(frozen=True, slots=True)
class PrefixGroups:
    """Of each of B sequences the group it belongs to, or -1: (B,) int64; of each group the common keys: (G,) int64."""

    group_of: Int64
    lens: Int64

    def __bool__(self) -> bool:
        return len(self.lens) > 0


class PrefixGrouping:
    """Finds groups, step after step. While the sequences and their prefixes are the same, so are the groups."""

    def __init__(self, cache: CacheManager, *, many_queries: int) -> None:
        """`many_queries`: sequences with so many queries in a step read their keys by themselves."""
        self._cache = cache
        self._many_queries = many_queries
        self._handles: list[PrefixHandle | None] = []
        self._found = PrefixGroups(np.empty(0, np.int64), np.empty(0, np.int64))

    def find(self, plan: Plan) -> PrefixGroups:
        """The groups of a plan's sequences; none if they would not save enough."""
        handles = [
            sequence.holding.handle if sequence.holding is not None and extend_len < self._many_queries else None
            for sequence, extend_len in zip(plan.sequences, plan.extend_lens, strict=True)
        ]
        if handles != self._handles:
            self._handles = handles
            self._found = self._groups(handles)
        return self._found

    def _groups(self, handles: list[PrefixHandle | None]) -> PrefixGroups:
        group_of = np.full(len(handles), -1, np.int64)
        at = [index for index, handle in enumerate(handles) if handle is not None]
        known = [handle for handle in handles if handle is not None]
        found = self._cache.common_prefixes(known, min_len=MIN_PREFIX_LEN)[:MAX_GROUPS]
        if sum((len(members) - 1) * length for members, length in found) < MIN_SAVED_KEYS:
            found = []
        for group, (members, _) in enumerate(found):
            group_of[[at[index] for index in members]] = group
        return PrefixGroups(group_of, np.array([length for _, length in found], np.int64))
