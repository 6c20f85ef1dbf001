"""When sequences read a common prefix together: never where it was slower on an H100."""

import numpy as np
import pytest

from slipform.kernels.attention_plan import AttentionSettings
from slipform.runtime.shared_prefixes import sharing_pays

# Groups of sequences: length of the common prefix, then (queries, keys of its own) of each.
Groups = list[tuple[int, list[tuple[int, int]]]]
# Microseconds of a layer on one H100 80GB (32 query heads, 8 KV heads of 128), without sharing and with: the fastest
# form of each.
MEASURED: dict[str, tuple[Groups, float, float]] = {
    "64 of 1000 + 130": ([(1000, [(1, 130)] * 64)], 53.2, 34.1),
    "256 of 1000 + 130": ([(1000, [(1, 130)] * 256)], 188.7, 92.3),
    "64 of 1000 + 130, forced runs": ([(1000, [((1, 3, 8)[n % 3], 130) for n in range(64)])], 71.9, 50.1),
    "8 groups of 16 of 3000 + 70": ([(3000, [(1, 70)] * 16)] * 8, 240.9, 73.2),
    "8 of 1000 + 100": ([(1000, [(1, 100)] * 8)], 15.0, 17.3),
    "64 of 250 + 130": ([(250, [(1, 130)] * 64)], 26.5, 29.8),
    "half of 64 of 1000 + 130": ([(1000, [(1, 130)] * 32), (0, [(1, 1130)] * 32)], 70.2, 76.3),
}
SETTINGS = AttentionSettings.of_model([(8, 128)], 32)


def pays(groups: Groups, settings: AttentionSettings) -> bool:
    members = [(prefix, *member) for prefix, one in groups for member in one]
    queries = np.array([count for _, count, _ in members], np.int64)
    keys = np.array([prefix + own for prefix, _, own in members], np.int64)
    number = np.cumsum([prefix > 0 for prefix, _ in groups]) - 1
    group_of = np.concatenate(
        [np.full(len(one), number[at] if prefix else -1, np.int64) for at, (prefix, one) in enumerate(groups)]
    )
    lens = np.array([prefix for prefix, _ in groups if prefix], np.int64)
    return sharing_pays(queries, keys, group_of, lens, settings)


@pytest.mark.parametrize("name", MEASURED)
def test_the_faster_way_is_taken(name: str) -> None:
    groups, alone_us, together_us = MEASURED[name]
    assert pays(groups, SETTINGS) == (together_us < alone_us)


def test_one_long_stranger_keeps_a_small_batch_waiting() -> None:
    groups: Groups = [(1000, [(1, 130)] * 63), (0, [(1, 1130)])]
    assert not pays(groups, SETTINGS)
    assert pays([(1000, [(1, 130)] * 255), (0, [(1, 1130)])], SETTINGS)


def test_fewer_kv_heads_need_longer_prefixes() -> None:
    settings = AttentionSettings.of_model([(1, 128)], 4)
    assert not pays([(1000, [(1, 130)] * 64)], settings)
    assert pays([(6000, [(1, 130)] * 256)], settings)
