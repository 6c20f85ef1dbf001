"""Numba: the flat tokens of a step, gathered from the sequences and from the slot table."""

from typing import Any

from numba import njit

from slipform.kernels._addresses import int64_array


@njit(cache=True, nogil=True)
def gather_tokens(
    addresses: Any, begins: Any, lens: Any, rows: Any, table: Any, input_ids: Any, positions: Any, out_slots: Any
) -> None:
    """Write what B sequences compute in a step, one sequence behind the other.

    Args:
        addresses: (B,) int64, where the known tokens of each sequence lie, int64; 0 for one whose token is not known.
        begins, lens, rows: (B,) int64, position of its first token to compute, their number, its row of `table`.
        table: (R, max_len) int32, the slot table.
        input_ids, positions, out_slots: (T,) or more, integers. Mutated: their first sum(lens) entries; the id of a
            token that is not known is 0.
    """
    flat = 0
    for i in range(len(begins)):
        begin, end = begins[i], begins[i] + lens[i]
        slots = table[rows[i]]
        if addresses[i] != 0:
            ids = int64_array(addresses[i], end)
            for position in range(begin, end):
                input_ids[flat + position - begin] = ids[position]
        else:
            for at in range(flat, flat + lens[i]):
                input_ids[at] = 0
        for position in range(begin, end):
            positions[flat + position - begin] = position
            out_slots[flat + position - begin] = slots[position]
        flat += lens[i]
