"""What the Triton launchers share: checks of arguments, and block sizes."""

import torch
from torch import Tensor


def power_of_two(number: int) -> int:
    """The smallest power of two that is at least `number`."""
    return 1 << max(0, number - 1).bit_length()


def check_contiguous(**tensors: Tensor | None) -> None:
    """Raises: ValueError naming the first tensor that has gaps."""
    for name, tensor in tensors.items():
        if tensor is not None and not tensor.is_contiguous():
            raise ValueError(f"{name}: must be contiguous, and its strides are {tensor.stride()}")


def check_dtype(like: Tensor, **tensors: Tensor | None) -> None:
    """Raises: ValueError naming the first tensor whose dtype differs from `like`'s."""
    for name, tensor in tensors.items():
        if tensor is not None and tensor.dtype is not like.dtype:
            raise ValueError(f"{name}: {tensor.dtype}, and {like.dtype} is needed")


def check_pools(like: Tensor, key_pool: Tensor, value_pool: Tensor, kv_scales: Tensor | None) -> None:
    """The KV pools have `like`'s dtype, or with scales are float8_e4m3fn. Raises: ValueError naming what differs."""
    check_contiguous(key_pool=key_pool, value_pool=value_pool, kv_scales=kv_scales)
    if kv_scales is None:
        check_dtype(like, key_pool=key_pool, value_pool=value_pool)
        return
    for name, pool in (("key_pool", key_pool), ("value_pool", value_pool)):
        if pool.dtype is not torch.float8_e4m3fn:
            raise ValueError(f"{name}: {pool.dtype}, and with kv_scales it is float8_e4m3fn")
    shape = (2, *key_pool.shape[:2])
    if kv_scales.dtype is not torch.float32 or kv_scales.shape != shape:
        raise ValueError(f"kv_scales: {kv_scales.dtype} {tuple(kv_scales.shape)}; float32 {shape} is needed")
