"""Writing new keys and values into their slots, on CPUs."""

from torch import Tensor

from slipform.kernels.attention_cpu import refuse_scales


def store_kv(
    key: Tensor,
    value: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slots: Tensor,
    *,
    kv_scales: Tensor | None = None,
) -> None:
    """See `kernels/interface.py`. torch's indexed copy is already one pass over contiguous rows."""
    refuse_scales(kv_scales)
    key_pool.index_copy_(0, slots, key)
    value_pool.index_copy_(0, slots, value)
