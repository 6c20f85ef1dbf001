"""How the GPU's attention divides a batch among its programs: tiles of queries, counted once a step for all layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# A tile is a run of queries of one sequence together with the heads that share a KV head. Matrix units take 16 rows at
# least: enough for a decode step. A longer run of queries reads its keys fewer times in tiles of 128 rows.
FEW_ROWS, MANY_ROWS = 16, 128
# Queries of several sequences over the keys that these share: rows of one instruction of a Hopper GPU's matrix units.
SHARED_ROWS = 64
# Runs of queries from this length on go into tiles of many rows.
MANY_QUERIES = 32
# Programs that keep a large GPU busy; keys of a sequence are split among programs until there are about as many.
BUSY_PROGRAMS = 512
# Programs of tiles over shared keys, which have four times the rows: with more, what they leave costs more to take over
# than their parts are done sooner (H100: of 2, 4 and 8 parts, 128 to 256 programs were fastest or within 3 %).
BUSY_SHARED_PROGRAMS = 256
# Each number of splits is a kernel of its own to compile: few numbers.
SPLITS = (16, 4, 1)
PREFIX_PARTS = (8, 4, 2, 1)
# Where results must not depend on the batch, all runs take tiles of this many rows, which is what one instruction of a
# Hopper GPU's matrix units takes, and the keys are split at multiples of a fixed length, into so many parts at most.
INVARIANT_ROWS, INVARIANT_SPLIT_LEN, INVARIANT_SPLITS = 64, 2048, 8
_NEVER = 1 << 30


@dataclass(frozen=True, slots=True)
class TileSizes:
    """Queries in a tile of few and of many rows; runs of `many_queries` or more go into tiles of many."""

    few: int
    many: int
    many_queries: int = MANY_QUERIES

    @classmethod
    def for_group(cls, group: int, *, few_rows: int = FEW_ROWS, many_queries: int = MANY_QUERIES) -> "TileSizes":
        """For `group` query heads a KV head."""
        padded = 1 << (group - 1).bit_length()
        return cls(max(1, few_rows // padded), max(1, MANY_ROWS // padded), many_queries)

    @property
    def shared(self) -> int:
        """Queries in a tile over keys that several sequences share."""
        return self.few * (SHARED_ROWS // FEW_ROWS)


@dataclass(frozen=True, slots=True)
class LaunchShape:
    """How a program works: keys it takes at a time, warps, pipeline stages."""

    keys: int
    num_warps: int
    num_stages: int


@dataclass(frozen=True, slots=True)
class SharedPrefixes:
    """Keys that several sequences of a batch have in common, read once for all of them.

    Queries of such sequences attend to the common keys in tiles of their own; the tiles of few rows begin with what
    came out, and go through the other keys of their sequence only.

    Attributes:
        tiles: (2, N) int32; column: row of the slot table where the common keys are found, and how many. A row of -1 is
            padding.
        tokens: (N * size,) int32, the flat tokens of each tile in turn; -1 is padding.
        lens: (B,) int32, the common keys of each sequence, all of them before its first query; 0 where it shares none.
            Only sequences whose queries lie in tiles of few rows share any.
        num_parts: parts into which the keys of each tile are split.
    """

    tiles: Tensor
    tokens: Tensor
    lens: Tensor
    num_parts: int


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """The tiles of a batch.

    Attributes:
        few, many: (2, N) int32 on the queries' device; column: sequence, index of the tile's first query in the run of
            the sequence's queries. Columns of -1 are padding.
        sizes: queries in a tile of each kind.
        num_splits: parts into which the keys of each `few` tile are split.
        slot_rows: (B,) int32, row of the slot table of each sequence; None where sequence i has row i.
        split_len: keys of a part, from the first key of the sequence on; 0 divides the keys of a tile evenly.
        few_shape, many_shape: None takes what is usual for the dtype and the size of heads.
        shared: None where no keys are read for several sequences at once.
    """

    few: Tensor
    many: Tensor
    sizes: TileSizes
    num_splits: int
    slot_rows: Tensor | None = None
    split_len: int = 0
    few_shape: LaunchShape | None = None
    many_shape: LaunchShape | None = None
    shared: SharedPrefixes | None = None


@dataclass(frozen=True, slots=True)
class AttentionSettings:
    """What holds for every step of a model: how its batches are divided and its programs launched.

    Attributes:
        fixed_splits, split_len: parts into which the keys of every tile are split, and the keys of each; 0 splits by
            how busy the GPU would be.
    """

    sizes: TileSizes
    num_kv_heads: int
    fixed_splits: int = 0
    split_len: int = 0
    few_shape: LaunchShape | None = None
    many_shape: LaunchShape | None = None

    @property
    def shares_prefixes(self) -> bool:
        """Whether keys may be read once for several sequences: not where a result must not depend on the batch."""
        return self.split_len == 0

    @classmethod
    def of_model(
        cls, kv_shapes: Sequence[tuple[int, int]], num_heads: int, *, invariant_up_to: int = 0
    ) -> "AttentionSettings":
        """For a model with these layers, (Hkv, D) each; of layers that differ, the one with the largest groups decides.

        Args:
            invariant_up_to: if not 0, a token's result is the same, bit for bit, in every batch of sequences of up to
                this many tokens: each of its keys has its place in one order of adding up.
        """
        kv_heads = min(heads for heads, _ in kv_shapes)
        group = max(1, num_heads // kv_heads)
        if not invariant_up_to:
            return cls(TileSizes.for_group(group), kv_heads)
        split_len = INVARIANT_SPLIT_LEN
        while split_len * INVARIANT_SPLITS < invariant_up_to:
            split_len *= 2
        sizes = TileSizes.for_group(group, few_rows=INVARIANT_ROWS, many_queries=_NEVER)
        return cls(sizes, kv_heads, -(-invariant_up_to // split_len), split_len)

    def plan(
        self, few: Tensor, many: Tensor, slot_rows: Tensor | None, shared: SharedPrefixes | None = None
    ) -> AttentionPlan:
        """The plan of a batch with these tiles."""
        return AttentionPlan(
            few,
            many,
            self.sizes,
            self.fixed_splits or splits_for(few.shape[1], self.num_kv_heads),
            slot_rows,
            self.split_len,
            self.few_shape,
            self.many_shape,
            shared,
        )

    def share(self, tiles: Tensor, tokens: Tensor, lens: Tensor, num_tiles: int) -> SharedPrefixes:
        """See `SharedPrefixes`. `num_tiles`: how many tiles are to be expected that are not padding."""
        wanted = BUSY_SHARED_PROGRAMS // max(1, num_tiles * self.num_kv_heads)
        parts = next(number for number in PREFIX_PARTS if number <= max(1, wanted))
        return SharedPrefixes(tiles, tokens, lens, parts)

    def plan_lens(
        self,
        extend_lens: Sequence[int],
        device: torch.device | str,
        slot_rows: Tensor | None = None,
        prefixes: Sequence[tuple[Sequence[int], int]] = (),
    ) -> AttentionPlan:
        """A plan for sequences with `extend_lens` queries each, on a device.

        Args:
            prefixes: (sequences, length): groups of sequences whose first `length` keys are the same slots.
        """
        lens = np.asarray(extend_lens, np.int64)
        is_few = lens < self.sizes.many_queries
        few = count_tiles(np.where(is_few, lens, 0), self.sizes.few)
        many = count_tiles(np.where(is_few, 0, lens), self.sizes.many)
        shared = None
        if prefixes:
            rows = np.arange(len(lens)) if slot_rows is None else slot_rows.cpu().numpy()
            tiles, tokens, prefix_lens = (
                torch.from_numpy(field).to(device) for field in shared_tiles(lens, rows, prefixes, self.sizes.shared)
            )
            shared = self.share(tiles, tokens, prefix_lens, tiles.shape[1])
        return self.plan(torch.from_numpy(few).to(device), torch.from_numpy(many).to(device), slot_rows, shared)


def shared_tiles(
    extend_lens: npt.NDArray[np.int64],
    slot_rows: npt.NDArray[Any],
    prefixes: Sequence[tuple[Sequence[int], int]],
    size: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The fields `tiles`, `tokens` and `lens` of `SharedPrefixes`, without padding tiles; see `plan_lens`."""
    begins = np.cumsum(extend_lens) - extend_lens
    lens = np.zeros(len(extend_lens), np.int32)
    tiles: list[tuple[int, int]] = []
    tokens: list[npt.NDArray[np.int32]] = []
    for members, length in prefixes:
        lens[list(members)] = length
        flat = np.concatenate([np.arange(begins[i], begins[i] + extend_lens[i]) for i in members])
        for begin in range(0, len(flat), size):
            tiles.append((int(slot_rows[members[0]]), length))
            part = np.full(size, -1, np.int32)
            part[: len(flat) - begin] = flat[begin : begin + size]
            tokens.append(part)
    return np.array(tiles, np.int32).T.copy(), np.concatenate(tokens), lens


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
    settings = AttentionSettings(TileSizes.for_group(group), num_kv_heads)
    return settings.plan_lens(extend_lens, device, slot_rows)
