"""Rotary embedding for GPUs, fused with the norms of heads before it and the KV store behind it.

Su et al., "RoFormer", arXiv:2104.09864. A program turns a few heads of one token; the programs of key heads also store
the key and the value.
"""

import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, power_of_two

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
) -> None:
    """See `kernels/interface.py`. A slot of -1 stores nothing."""
    check_contiguous(
        positions=positions, slots=slots, cos_sin=cos_sin, key_pool=key_pool, value_pool=value_pool,
        query_norm=query_norm, key_norm=key_norm,
    )  # fmt: skip
    check_dtype(
        query, key=key, value=value, key_pool=key_pool, value_pool=value_pool, query_norm=query_norm, key_norm=key_norm
    )
    tokens, heads, dim = query.shape
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.stride()[1:] != (dim, 1):
            raise ValueError(f"{name}: heads of a token must be contiguous, and strides are {tensor.stride()}")
    kv_heads = key.shape[1]
    query_blocks = triton.cdiv(heads, _HEADS)
    grid = (tokens, query_blocks + triton.cdiv(kv_heads, _HEADS))
    _turn[grid](
        query, key, value, positions, cos_sin, key_pool, value_pool, slots, query_norm, key_norm,
        query.stride(0), key.stride(0), value.stride(0), heads, kv_heads, query_blocks, eps,
        DIM=dim, ROTARY=cos_sin.shape[1], HEADS=_HEADS, BLOCK=power_of_two(dim),
        HALF=power_of_two(cos_sin.shape[1] // 2), NORMS=query_norm is not None, num_warps=1,
    )  # fmt: skip


@triton.jit
def _turn_heads(
    source, target, norm, cos_sin, position, eps,
    heads, inside,
    DIM: tl.constexpr, ROTARY: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr, NORMS: tl.constexpr,
):  # fmt: skip
    """Rotate the heads at `source`, a column of offsets, and write them to `target`."""
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
    tl.store(target + heads * DIM + half, (left * cosine - right * sine).to(dtype), mask=turning)
    tl.store(target + heads * DIM + half + ROTARY // 2, (right * cosine + left * sine).to(dtype), mask=turning)
    if ROTARY < DIM:
        tl.store(target + heads * DIM + rest, other.to(dtype), mask=untouched)


@triton.jit
def _turn(
    query, key, value, positions, cos_sin, key_pool, value_pool, slots, query_norm, key_norm,
    query_stride, key_stride, value_stride, num_heads, num_kv_heads, query_blocks, eps,
    DIM: tl.constexpr, ROTARY: tl.constexpr, HEADS: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr,
    NORMS: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    position = tl.load(positions + token)
    if block < query_blocks:
        heads = (block * HEADS + tl.arange(0, HEADS))[:, None]
        row = query + token * query_stride
        _turn_heads(
            row, row, query_norm, cos_sin, position, eps, heads, heads < num_heads, DIM, ROTARY, BLOCK, HALF, NORMS
        )
    else:
        heads = ((block - query_blocks) * HEADS + tl.arange(0, HEADS))[:, None]
        slot = tl.load(slots + token).to(tl.int64)
        # Without a slot no head is left to do.
        inside = heads < tl.where(slot >= 0, num_kv_heads, 0)
        start = slot * num_kv_heads * DIM
        _turn_heads(
            key + token * key_stride, key_pool + start, key_norm, cos_sin, position, eps, heads, inside,
            DIM, ROTARY, BLOCK, HALF, NORMS,
        )  # fmt: skip
        columns = tl.arange(0, BLOCK)[None, :]
        whole = inside & (columns < DIM)
        values = tl.load(value + token * value_stride + heads * DIM + columns, mask=whole, other=0.0)
        tl.store(value_pool + start + heads * DIM + columns, values, mask=whole)
