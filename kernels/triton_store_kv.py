"""Writing keys and values to their slots on GPUs, for models that rotate by themselves."""

import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, check_pools, power_of_two
from slipform.kernels.triton_float8 import scale_of, to_float8


def store_kv(
    key: Tensor,
    value: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slots: Tensor,
    *,
    kv_scales: Tensor | None = None,
) -> None:
    """See `kernels/interface.py`. A slot of -1 stores nothing."""
    check_contiguous(slots=slots)
    check_dtype(key, value=value)
    check_pools(key, key_pool, value_pool, kv_scales)
    tokens, heads, dim = key.shape
    _store[(tokens, heads)](
        key, value, key_pool, value_pool, kv_scales, slots, *key.stride(), *value.stride(),
        key_pool.shape[0], heads, dim, BLOCK=power_of_two(dim), HAS_SCALES=kv_scales is not None, num_warps=1,
    )  # fmt: skip


@triton.jit(do_not_specialize=["num_slots"])
def _store(
    key, value, key_pool, value_pool, kv_scales, slots,
    key_token, key_head, key_column, value_token, value_head, value_column,
    num_slots, num_heads, dim, BLOCK: tl.constexpr, HAS_SCALES: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    columns = tl.arange(0, BLOCK)
    slot = tl.load(slots + token).to(tl.int64)
    inside = columns < tl.where(slot >= 0, dim, 0)
    line = slot * num_heads + head
    target = line * dim + columns
    keys = tl.load(key + token * key_token + head * key_head + columns * key_column, mask=inside, other=0.0)
    values = tl.load(value + token * value_token + head * value_head + columns * value_column, mask=inside, other=0.0)
    if HAS_SCALES:
        key_scale = scale_of(tl.max(tl.abs(keys.to(tl.float32)), axis=0))
        value_scale = scale_of(tl.max(tl.abs(values.to(tl.float32)), axis=0))
        tl.store(kv_scales + line, key_scale, mask=slot >= 0)
        tl.store(kv_scales + line + num_slots.to(tl.int64) * num_heads, value_scale, mask=slot >= 0)
        keys, values = to_float8(keys, key_scale), to_float8(values, value_scale)
    tl.store(key_pool + target, keys, mask=inside)
    tl.store(value_pool + target, values, mask=inside)
