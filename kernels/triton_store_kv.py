"""Writing keys and values to their slots on GPUs, for models that rotate by themselves."""

import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, power_of_two


def store_kv(key: Tensor, value: Tensor, key_pool: Tensor, value_pool: Tensor, slots: Tensor) -> None:
    """See `kernels/interface.py`. A slot of -1 stores nothing."""
    check_contiguous(key_pool=key_pool, value_pool=value_pool, slots=slots)
    check_dtype(key, value=value, key_pool=key_pool, value_pool=value_pool)
    tokens, heads, dim = key.shape
    _store[(tokens, heads)](
        key, value, key_pool, value_pool, slots, *key.stride(), *value.stride(),
        heads, dim, BLOCK=power_of_two(dim), num_warps=1,
    )  # fmt: skip


@triton.jit
def _store(
    key, value, key_pool, value_pool, slots,
    key_token, key_head, key_column, value_token, value_head, value_column,
    num_heads, dim, BLOCK: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    columns = tl.arange(0, BLOCK)
    slot = tl.load(slots + token).to(tl.int64)
    inside = columns < tl.where(slot >= 0, dim, 0)
    target = (slot * num_heads + head) * dim + columns
    keys = tl.load(key + token * key_token + head * key_head + columns * key_column, mask=inside, other=0.0)
    values = tl.load(value + token * value_token + head * value_head + columns * value_column, mask=inside, other=0.0)
    tl.store(key_pool + target, keys, mask=inside)
    tl.store(value_pool + target, values, mask=inside)
