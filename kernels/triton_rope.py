"""Rotary embedding for GPUs, fused with the norms of heads before it and the KV store behind it.

Su et al., "RoFormer", arXiv:2104.09864. A program turns a few heads of one token; the programs of key heads also store
the key and the value.
"""

import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, check_pools, power_of_two
from slipform.kernels.triton_float8 import scale_of, to_float8

_HEADS = 4


def rope_store_kv(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    positions: Tensor,
    cos_sin: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slots: Tensor,
    *,
    query_norm: Tensor | None = None,
    key_norm: Tensor | None = None,
    eps: float = 0.0,
    kv_scales: Tensor | None = None,
) -> None:
    """See `kernels/interface.py`. A slot of -1 stores nothing."""
    check_contiguous(positions=positions, slots=slots, cos_sin=cos_sin, query_norm=query_norm, key_norm=key_norm)
    check_dtype(query, key=key, value=value, query_norm=query_norm, key_norm=key_norm)
    check_pools(query, key_pool, value_pool, kv_scales)
    tokens, heads, dim = query.shape
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.stride()[1:] != (dim, 1):
            raise ValueError(f"{name}: heads of a token must be contiguous, and strides are {tensor.stride()}")
    kv_heads = key.shape[1]
    query_blocks = triton.cdiv(heads, _HEADS)
    grid = (tokens, query_blocks + triton.cdiv(kv_heads, _HEADS))
    _turn[grid](
        query, key, value, positions, cos_sin, key_pool, value_pool, kv_scales, slots, query_norm, key_norm,
        query.stride(0), key.stride(0), value.stride(0), key_pool.shape[0], heads, kv_heads, query_blocks, eps,
        DIM=dim, ROTARY=cos_sin.shape[1], HEADS=_HEADS, BLOCK=power_of_two(dim),
        HALF=power_of_two(cos_sin.shape[1] // 2), NORMS=query_norm is not None,
        HAS_SCALES=kv_scales is not None, num_warps=1,
    )  # fmt: skip


@triton.jit
def _turn_heads(
    source, target, scales, norm, cos_sin, position, eps,
    heads, inside,
    DIM: tl.constexpr, ROTARY: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr, NORMS: tl.constexpr,
    HAS_SCALES: tl.constexpr,
):  # fmt: skip
    """Rotate the heads at `source`, a column of offsets, and write them to `target`, in 8 bits if it has scales."""
    half = tl.arange(0, HALF)[None, :]
    turning = inside & (half < ROTARY // 2)
    left = tl.load(source + heads * DIM + half, mask=turning, other=0.0)
    right = tl.load(source + heads * DIM + half + ROTARY // 2, mask=turning, other=0.0)
    dtype = left.dtype
    left, right = left.to(tl.float32), right.to(tl.float32)
    rest = tl.arange(0, BLOCK)[None, :]
    untouched = inside & (rest >= ROTARY) & (rest < DIM)
    other = left
    if ROTARY < DIM:
        other = tl.load(source + heads * DIM + rest, mask=untouched, other=0.0).to(tl.float32)
    if NORMS:
        squares = tl.sum(left * left, axis=1) + tl.sum(right * right, axis=1)
        if ROTARY < DIM:
            squares += tl.sum(other * other, axis=1)
        inverse = tl.rsqrt(squares / DIM + eps)[:, None]
        # Rounded where a norm of its own would write its result.
        left = (left * inverse * tl.load(norm + half, mask=turning, other=0.0).to(tl.float32)).to(dtype).to(tl.float32)
        right *= inverse * tl.load(norm + half + ROTARY // 2, mask=turning, other=0.0).to(tl.float32)
        right = right.to(dtype).to(tl.float32)
        if ROTARY < DIM:
            other *= inverse * tl.load(norm + rest, mask=untouched, other=0.0).to(tl.float32)
    cosine = tl.load(cos_sin + position * ROTARY + half, mask=half < ROTARY // 2, other=0.0)
    sine = tl.load(cos_sin + position * ROTARY + half + ROTARY // 2, mask=half < ROTARY // 2, other=0.0)
    turned_left, turned_right = (left * cosine - right * sine).to(dtype), (right * cosine + left * sine).to(dtype)
    kept = other.to(dtype)
    if HAS_SCALES:
        largest = tl.max(tl.maximum(tl.abs(turned_left.to(tl.float32)), tl.abs(turned_right.to(tl.float32))), axis=1)
        if ROTARY < DIM:
            largest = tl.maximum(largest, tl.max(tl.abs(kept.to(tl.float32)), axis=1))
        scale = scale_of(largest)[:, None]
        tl.store(scales + heads, scale, mask=inside)
        turned_left, turned_right = to_float8(turned_left, scale), to_float8(turned_right, scale)
        kept = to_float8(kept, scale)
    tl.store(target + heads * DIM + half, turned_left, mask=turning)
    tl.store(target + heads * DIM + half + ROTARY // 2, turned_right, mask=turning)
    if ROTARY < DIM:
        tl.store(target + heads * DIM + rest, kept, mask=untouched)


@triton.jit(do_not_specialize=["num_slots"])
def _turn(
    query, key, value, positions, cos_sin, key_pool, value_pool, kv_scales, slots, query_norm, key_norm,
    query_stride, key_stride, value_stride, num_slots, num_heads, num_kv_heads, query_blocks, eps,
    DIM: tl.constexpr, ROTARY: tl.constexpr, HEADS: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr,
    NORMS: tl.constexpr, HAS_SCALES: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    position = tl.load(positions + token)
    if block < query_blocks:
        heads = (block * HEADS + tl.arange(0, HEADS))[:, None]
        row = query + token * query_stride
        _turn_heads(
            row, row, kv_scales, query_norm, cos_sin, position, eps, heads, heads < num_heads,
            DIM, ROTARY, BLOCK, HALF, NORMS, False,
        )  # fmt: skip
    else:
        heads = ((block - query_blocks) * HEADS + tl.arange(0, HEADS))[:, None]
        slot = tl.load(slots + token).to(tl.int64)
        # Without a slot no head is left to do.
        inside = heads < tl.where(slot >= 0, num_kv_heads, 0)
        line = slot * num_kv_heads
        start = line * DIM
        key_scales = kv_scales
        if HAS_SCALES:
            key_scales = kv_scales + line
        _turn_heads(
            key + token * key_stride, key_pool + start, key_scales, key_norm, cos_sin, position, eps, heads, inside,
            DIM, ROTARY, BLOCK, HALF, NORMS, HAS_SCALES,
        )  # fmt: skip
        columns = tl.arange(0, BLOCK)[None, :]
        whole = inside & (columns < DIM)
        values = tl.load(value + token * value_stride + heads * DIM + columns, mask=whole, other=0.0)
        if HAS_SCALES:
            scale = scale_of(tl.max(tl.abs(values.to(tl.float32)), axis=1))[:, None]
            tl.store(key_scales + num_slots.to(tl.int64) * num_kv_heads + heads, scale, mask=inside)
            values = to_float8(values, scale)
        tl.store(value_pool + start + heads * DIM + columns, values, mask=whole)
