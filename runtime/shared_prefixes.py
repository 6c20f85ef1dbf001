"""Which sequences of a step read the keys of a common prefix together; see `kernels.attention_plan.SharedPrefixes`."""

from dataclasses import dataclass

import numpy as np

from slipform.kernels.attention_plan import BUSY_PROGRAMS, FEW_ROWS, SHARED_ROWS, AttentionSettings, splits_for
from slipform.runtime.batch_builder import Int64, Plan
from slipform.runtime.cache_manager import CacheManager
from slipform.runtime.radix_cache import PrefixHandle

# Shorter prefixes are not worth a tile of their own.
MIN_PREFIX_LEN = 128
# What a step's attention costs, in keys that a program for one tile of few rows passes while the GPU is busy; fitted to
# the times of one H100 (docs/decisions/015). A program: to begin, and to take over what is known of a prefix. A step:
# for the kernel more.
_BEGIN_KEYS, _MERGE_KEYS, _KERNEL_KEYS = 128, 128, 150_000
# A tile over common keys has so many times the rows, and costs half as much for each.
_SHARED_TILE = SHARED_ROWS // FEW_ROWS // 2
# Less than this is within the estimate's error.
_GAIN = 0.9
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

    def __init__(self, cache: CacheManager, settings: AttentionSettings) -> None:
        self._cache = cache
        self._settings = settings
        self._handles: list[PrefixHandle | None] = []
        self._found = PrefixGroups(np.empty(0, np.int64), np.empty(0, np.int64))

    def find(self, plan: Plan) -> PrefixGroups:
        """The groups of a plan's sequences; none if reading together would take longer."""
        many_queries = self._settings.sizes.many_queries
        handles = [
            sequence.holding.handle if sequence.holding is not None and extend_len < many_queries else None
            for sequence, extend_len in zip(plan.sequences, plan.extend_lens, strict=True)
        ]
        if handles != self._handles:
            self._handles = handles
            self._found = self._groups(plan, handles)
        return self._found

    def _groups(self, plan: Plan, handles: list[PrefixHandle | None]) -> PrefixGroups:
        group_of = np.full(len(handles), -1, np.int64)
        at = [index for index, handle in enumerate(handles) if handle is not None]
        known = [handle for handle in handles if handle is not None]
        found = self._cache.common_prefixes(known, min_len=MIN_PREFIX_LEN)[:MAX_GROUPS]
        for group, (members, _) in enumerate(found):
            group_of[[at[index] for index in members]] = group
        lens = np.array([length for _, length in found], np.int64)
        if found:
            queries = np.array([plan.extend_lens[index] for index in at], np.int64)
            keys = np.array([plan.sequences[index].computed_len for index in at], np.int64) + queries
            if not sharing_pays(queries, keys, group_of[at], lens, self._settings):
                return PrefixGroups(np.full(len(handles), -1, np.int64), np.empty(0, np.int64))
        return PrefixGroups(group_of, lens)


def sharing_pays(queries: Int64, keys: Int64, group_of: Int64, group_lens: Int64, settings: AttentionSettings) -> bool:
    """Whether attention over common prefixes is expected to be faster than every sequence by itself.

    Args:
        queries, keys: (B,) of each sequence in tiles of few rows. group_of: (B,), its group or -1.
        group_lens: (G,), the common keys of each group.
    """
    tiles = -(-queries // settings.sizes.few)
    alone = _keys_passed(tiles, keys + _BEGIN_KEYS, settings)
    own = keys - np.append(group_lens, 0)[group_of]
    together = _KERNEL_KEYS + _keys_passed(tiles, own + _BEGIN_KEYS + _MERGE_KEYS, settings)
    in_group = np.bincount(group_of[group_of >= 0], queries[group_of >= 0], minlength=len(group_lens))
    shared_tiles = np.ceil(in_group / settings.sizes.shared)
    together += _SHARED_TILE * float(shared_tiles @ group_lens) * settings.num_kv_heads
    return together < _GAIN * alone


def _keys_passed(tiles: Int64, keys: Int64, settings: AttentionSettings) -> float:
    """Keys passed by all programs of a step; or, if that is more, those of the longest on a GPU full of such programs.

    A GPU that is not busy waits for its longest program all the same.
    """
    splits = splits_for(int(tiles.sum()), settings.num_kv_heads)
    return max(float(tiles @ keys) * settings.num_kv_heads, float(keys.max()) / splits * BUSY_PROGRAMS)
