"""What a step's inputs lack when they leave the host: ids that were sampled on the device, and slots in its table."""

import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous

_BLOCK = 128


def complete_inputs(
    input_ids: Tensor,
    sources: Tensor,
    sampled_ids: Tensor,
    positions: Tensor,
    out_slots: Tensor,
    table_rows: Tensor,
    slot_table: Tensor,
) -> None:
    """Take over sampled ids, and enter each token's slot into the slot table.

    Args: all int32.
        input_ids, sources, positions, out_slots, table_rows: (T,). Token i is sampled_ids[sources[i]] unless
            sources[i] is -1, and its slot belongs at slot_table[table_rows[i], positions[i]] unless it is -1.
        sampled_ids: (S,). slot_table: (R, max_len).

    Mutates: input_ids (a sampled -1, which stands for no token, becomes 0), slot_table.
    """
    check_contiguous(
        input_ids=input_ids, sources=sources, sampled_ids=sampled_ids, positions=positions, out_slots=out_slots,
        table_rows=table_rows, slot_table=slot_table,
    )  # fmt: skip
    tokens = input_ids.shape[0]
    _complete[(triton.cdiv(tokens, _BLOCK),)](
        input_ids, sources, sampled_ids, positions, out_slots, table_rows, slot_table, slot_table.stride(0), tokens,
        BLOCK=_BLOCK,
    )  # fmt: skip


@triton.jit(do_not_specialize=["num_tokens"])
def _complete(
    input_ids, sources, sampled_ids, positions, out_slots, table_rows, slot_table, stride, num_tokens,
    BLOCK: tl.constexpr,
):  # fmt: skip
    tokens = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = tokens < num_tokens
    source = tl.load(sources + tokens, mask=inside, other=-1)
    sampled = tl.load(sampled_ids + source, mask=source >= 0, other=0)
    tl.store(input_ids + tokens, tl.maximum(sampled, 0), mask=inside & (source >= 0))
    slot = tl.load(out_slots + tokens, mask=inside, other=-1)
    row = tl.load(table_rows + tokens, mask=inside, other=0).to(tl.int64)
    position = tl.load(positions + tokens, mask=inside, other=0)
    tl.store(slot_table + row * stride + position, slot, mask=slot >= 0)
