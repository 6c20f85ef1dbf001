"""The input of a GPU's step against the same written out in Python."""

import numpy as np
import pytest

from slipform.kernels import step_input
from slipform.kernels.step_input import NUM_FIELDS, write_step_input

MAX_LEN, NUM_ROWS = 64, 12


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("is_dense", [False, True])
def test_fields_and_their_padding(seed: int, is_dense: bool) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 10_000, (NUM_ROWS, MAX_LEN)).astype(np.int32)
    count = int(rng.integers(0, NUM_ROWS))
    begins = rng.integers(0, 20, count)
    lens = rng.integers(1, 30, count)
    rows = rng.permutation(NUM_ROWS)[:count].astype(np.int64)
    ids = [rng.integers(0, 50_000, begin + length) for begin, length in zip(begins, lens, strict=True)]
    waits = rng.random(count) < 0.3
    lens[waits] = 1
    sources = np.where(waits, rng.integers(0, 99, count), 0)
    addresses = np.array([0 if wait else one.ctypes.data for wait, one in zip(waits, ids, strict=True)], np.int64)
    ends = np.cumsum(lens)
    num_tokens = int(lens.sum())
    wanted = ends[rng.random(count) < 0.5] - 1 if count else np.empty(0, np.int64)
    few_size, many_size, many_queries = 4, 8, 16
    few = [(i, at) for i in range(count) if lens[i] < many_queries for at in range(0, lens[i], few_size)]
    many = [(i, at) for i in range(count) if lens[i] >= many_queries for at in range(0, lens[i], many_size)]
    expected = [
        [0 if waits[i] else int(ids[i][p]) for i in range(count) for p in range(begins[i], begins[i] + lens[i])],
        [int(sources[i]) if waits[i] else -1 for i in range(count) for _ in range(lens[i])],
        [p for i in range(count) for p in range(begins[i], begins[i] + lens[i])],
        [int(table[rows[i], p]) for i in range(count) for p in range(begins[i], begins[i] + lens[i])],
        [int(rows[i]) for i in range(count) for _ in range(lens[i])],
        [0, *ends.tolist()],
        (begins + lens).tolist(),
        rows.tolist(),
        wanted.tolist(),
    ]
    room = num_tokens + int(rng.integers(0, 9))
    sizes = [room] * 5 + [NUM_ROWS + 1, NUM_ROWS, NUM_ROWS, max(len(wanted), 3), 2 * room, 2 * room]
    # Groups with a common prefix, of which some may have no member.
    shared_size = 5
    prefix_lens = rng.integers(1, 20, int(rng.integers(0, 4)))
    group_of = rng.integers(-1, len(prefix_lens), count)
    shared_room = num_tokens // shared_size + len(prefix_lens) + 1
    sizes += [2 * shared_room, shared_room * shared_size, NUM_ROWS]
    if is_dense:
        expected[step_input.LOGITS_ROWS] = list(range(sizes[step_input.LOGITS_ROWS]))
    paddings = [0, -1, 0, -1, 0, num_tokens, 0, 0, 0]
    offsets = np.cumsum([0, *sizes[:-1]]) + np.arange(NUM_FIELDS)  # fields need not follow each other closely
    host = np.full(offsets[-1] + sizes[-1] + 3, 777, np.int32)
    write_step_input(
        host, offsets, np.array(sizes), addresses, sources.astype(np.int64), begins, lens, rows, wanted, table,
        few_size, many_size, many_queries, is_dense, group_of, prefix_lens, shared_size,
    )  # fmt: skip
    for index, (column, padding) in enumerate(zip(expected, paddings, strict=True)):
        found = host[offsets[index] : offsets[index] + sizes[index]].tolist()
        assert found == column + [padding] * (sizes[index] - len(column)), index
    for index, tiles in ((step_input.FEW_TILES, few), (step_input.MANY_TILES, many)):
        found = host[offsets[index] : offsets[index] + 2 * room].reshape(2, room).T.tolist()
        assert found == [list(tile) for tile in tiles] + [[-1, -1]] * (room - len(tiles))
    fields = [host[offsets[index] : offsets[index] + sizes[index]] for index in range(NUM_FIELDS)]
    lens_found = fields[step_input.SHARED_LENS].tolist()
    assert lens_found == [int(prefix_lens[g]) if g >= 0 else 0 for g in group_of] + [0] * (NUM_ROWS - count)
    tiles = fields[step_input.SHARED_TILES].reshape(2, shared_room).T.tolist()
    tokens_of = fields[step_input.SHARED_TOKENS].reshape(shared_room, shared_size).tolist()
    starts = ends - lens
    at = 0
    for group, prefix_len in enumerate(prefix_lens.tolist()):
        members = np.flatnonzero(group_of == group)
        left = [token for i in members for token in range(starts[i], ends[i])]
        while left:
            tile, left = left[:shared_size], left[shared_size:]
            assert tokens_of[at] == tile + [-1] * (shared_size - len(tile))
            assert tiles[at][0] in rows[members]
            assert tiles[at][1] == prefix_len
            at += 1
    assert tiles[at:] == [[-1, -1]] * (shared_room - at)
    assert tokens_of[at:] == [[-1] * shared_size] * (shared_room - at)
    assert (host[-3:] == 777).all()
