"""Numba: the input of a step on a GPU, written as one run of int32 that is copied to the device as a whole."""

from typing import Any

from numba import njit

from slipform.kernels.step_tokens import gather_tokens

(
    INPUT_IDS,  # (T,)
    SOURCES,  # (T,) where the device has the id among those that it sampled, -1 where INPUT_IDS has it
    POSITIONS,  # (T,)
    OUT_SLOTS,  # (T,)
    TABLE_ROWS,  # (T,)
    CU_SEQLENS,  # (B + 1,)
    SEQ_LENS,  # (B,)
    SLOT_ROWS,  # (B,)
    LOGITS_ROWS,  # (N,)
    FEW_TILES,  # (2, F)
    MANY_TILES,  # (2, M)
    SHARED_TILES,  # (2, S)
    SHARED_TOKENS,  # (S · shared_size,)
    SHARED_LENS,  # (B,), or nothing where S is 0
) = range(14)
NUM_FIELDS = 14


@njit(inline="always")
def _pad(column: Any, begin: Any, value: Any) -> None:
    for at in range(begin, len(column)):
        column[at] = value


@njit(inline="always")
def _write_shared(columns: Any, rows: Any, group_of: Any, prefix_lens: Any, size: Any) -> None:
    tiles, tokens, lens = columns[SHARED_TILES], columns[SHARED_TOKENS], columns[SHARED_LENS]
    borders = columns[CU_SEQLENS]
    room = len(tiles) // 2
    tile = used = 0
    _pad(lens, 0, 0)
    for group in range(len(prefix_lens)):
        used = tile * size  # a group begins a tile of its own
        for i in range(len(group_of)):
            if group_of[i] != group:
                continue
            lens[i] = prefix_lens[group]
            for token in range(borders[i], borders[i + 1]):
                if used == tile * size:
                    tiles[tile], tiles[room + tile] = rows[i], prefix_lens[group]
                    _pad(tokens[used : used + size], 0, -1)
                    tile += 1
                tokens[used] = token
                used += 1
    _pad(tiles[:room], tile, -1)
    _pad(tiles[room:], tile, -1)
    _pad(tokens, tile * size, -1)


@njit(cache=True, nogil=True)
def write_step_input(
    host: Any,
    offsets: Any,
    lengths: Any,
    addresses: Any,
    sources: Any,
    begins: Any,
    lens: Any,
    rows: Any,
    wanted: Any,
    table: Any,
    few_size: Any,
    many_size: Any,
    many_queries: Any,
    is_dense: Any,
    group_of: Any,
    prefix_lens: Any,
    shared_size: Any,
) -> None:
    """Write every field, and padding behind it: slots, sources, tiles and their tokens of -1, the last border repeated,
    else 0.

    Args:
        host: int32, large enough. offsets, lengths: (NUM_FIELDS,) int64, of each field; those of the tiles are of both
            their rows.
        addresses, begins, lens, rows, table: as for `gather_tokens`.
        sources: (B,) int64, of the sequences whose address is 0. wanted: (N,) int64, tokens whose logits are wanted.
        few_size, many_size: queries in a tile of each kind; a sequence with `many_queries` or more has tiles of many.
        is_dense: whether LOGITS_ROWS is to name every token in turn, padding included, instead of `wanted`.
        group_of: (B,) int64, of each sequence the group with which it shares its first keys, or -1.
        prefix_lens: (G,) int64, how many. shared_size: tokens in a tile over them; see `SharedPrefixes`.

    Mutates: host.
    """
    columns = [host[offsets[index] : offsets[index] + lengths[index]] for index in range(NUM_FIELDS)]
    gather_tokens(addresses, begins, lens, rows, table, columns[INPUT_IDS], columns[POSITIONS], columns[OUT_SLOTS])
    few, many = columns[FEW_TILES], columns[MANY_TILES]
    num_few, num_many = len(few) // 2, len(many) // 2
    flat = few_at = many_at = 0
    columns[CU_SEQLENS][0] = 0
    for i in range(len(lens)):
        for at in range(flat, flat + lens[i]):
            columns[SOURCES][at] = sources[i] if addresses[i] == 0 else -1
            columns[TABLE_ROWS][at] = rows[i]
        if lens[i] < many_queries:
            for first in range(0, lens[i], few_size):
                few[few_at], few[num_few + few_at] = i, first
                few_at += 1
        else:
            for first in range(0, lens[i], many_size):
                many[many_at], many[num_many + many_at] = i, first
                many_at += 1
        flat += lens[i]
        columns[CU_SEQLENS][i + 1] = flat
        columns[SEQ_LENS][i] = begins[i] + lens[i]
        columns[SLOT_ROWS][i] = rows[i]
    for index in (INPUT_IDS, POSITIONS, TABLE_ROWS):
        _pad(columns[index], flat, 0)
    for index in (SOURCES, OUT_SLOTS):
        _pad(columns[index], flat, -1)
    for index in (SEQ_LENS, SLOT_ROWS):
        _pad(columns[index], len(lens), 0)
    _pad(columns[CU_SEQLENS], len(lens) + 1, flat)
    _pad(few[:num_few], few_at, -1)
    _pad(few[num_few:], few_at, -1)
    _pad(many[:num_many], many_at, -1)
    _pad(many[num_many:], many_at, -1)
    _write_shared(columns, rows, group_of, prefix_lens, shared_size)
    logits_rows = columns[LOGITS_ROWS]
    if is_dense:
        for at in range(len(logits_rows)):
            logits_rows[at] = at
    else:
        for at in range(len(wanted)):
            logits_rows[at] = wanted[at]
        _pad(logits_rows, len(wanted), 0)
