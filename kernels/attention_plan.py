"""How the GPU's attention divides a batch among its programs: tiles of queries, counted once a step for all layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# A tile is a run of queries of one sequence together with the heads that share a KV head. Matrix units take 16 rows at
# least: enough for a decode step. A longer run of queries reads its keys fewer times in tiles of 128 rows.
FEW_ROWS, MANY_ROWS = 16, 128
# Runs of queries from this length on go into tiles of many rows.
MANY_QUERIES = 32
# Programs that keep a large GPU busy; keys of a sequence are split among programs until there are about as many.
BUSY_PROGRAMS = 512
# Each number of splits is a kernel of its own to compile: few numbers.
SPLITS = (16, 4, 1)


@dataclass(frozen=True, slots=True)
class TileSizes:
    """Queries in a tile of few and of many rows."""

    few: int
    many: int

    @classmethod
    def for_group(cls, group: int) -> "TileSizes":
        """For `group` query heads a KV head."""
        padded = 1 << (group - 1).bit_length()
        return cls(max(1, FEW_ROWS // padded), max(1, MANY_ROWS // padded))


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """The tiles of a batch.

    Attributes:
        few, many: (2, N) int32 on the queries' device; column: sequence, index of the tile's first query in the run of
            the sequence's queries. Columns of -1 are padding.
        sizes: queries in a tile of each kind.
        num_splits: parts into which the keys of each `few` tile are split.
        slot_rows: (B,) int32, row of the slot table of each sequence; None where sequence i has row i.
    """

    few: Tensor
    many: Tensor
    sizes: TileSizes
    num_splits: int
    slot_rows: Tensor | None = None


def count_tiles(extend_lens: npt.ArrayLike, size: int) -> npt.NDArray[np.int32]:
    """(2, N) int32 columns of tiles of `size` queries for sequences with that many queries each."""
    lens = np.asarray(extend_lens, np.int64)
    per_sequence = -(-lens // size)
    sequences = np.repeat(np.arange(len(lens)), per_sequence)
    ends = np.cumsum(per_sequence)
    within = np.arange(len(sequences)) - np.repeat(ends - per_sequence, per_sequence)
    return np.stack((sequences, within * size)).astype(np.int32)


def splits_for(num_tiles: int, num_kv_heads: int) -> int:
    """The number of splits with which `num_tiles` tiles keep a GPU busy, and no program has too little to do."""
    wanted = BUSY_PROGRAMS // max(1, num_tiles * num_kv_heads)
    return next(number for number in SPLITS if number <= max(1, wanted))


def plan_attention(
    extend_lens: Sequence[int],
    *,
    group: int,
    num_kv_heads: int,
    device: torch.device | str,
    slot_rows: Tensor | None = None,
) -> AttentionPlan:
    """A plan for sequences with `extend_lens` queries each, on a device."""
    sizes = TileSizes.for_group(group)
    lens = np.asarray(extend_lens, np.int64)
    few = count_tiles(np.where(lens < MANY_QUERIES, lens, 0), sizes.few)
    many = count_tiles(np.where(lens < MANY_QUERIES, 0, lens), sizes.many)
    return AttentionPlan(
        torch.from_numpy(few).to(device),
        torch.from_numpy(many).to(device),
        sizes,
        splits_for(few.shape[1], num_kv_heads),
        slot_rows,
    )
