"""Every operation in plain torch: slow, short and obviously right. The other implementations are tested against it.

Shapes as in the operations' own files: T tokens, B sequences, Hq/Hkv heads, D head size.
"""

import torch
from torch import Tensor

from slipform.kernels.attention_plan import AttentionPlan


def attention(
    query: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slot_table: Tensor,
    cu_seqlens: Tensor,
    seq_lens: Tensor,
    *,
    scale: float,
    window: int = 0,
    softcap: float = 0.0,
    alibi_slopes: Tensor | None = None,
    max_extend_len: int = 0,
    plan: AttentionPlan | None = None,
    kv_scales: Tensor | None = None,
) -> Tensor:
    """See `kernels/attention.py`; computed in float32, one sequence after the other."""
    out = torch.zeros_like(query)
    groups = query.shape[1] // key_pool.shape[1]
    for index, seq_len in enumerate(seq_lens.tolist()):
        begin, end = int(cu_seqlens[index]), int(cu_seqlens[index + 1])
        slots = slot_table[index, :seq_len].long()
        keys, values = key_pool[slots].float(), value_pool[slots].float()
        if kv_scales is not None:
            keys, values = keys * kv_scales[0, slots, :, None], values * kv_scales[1, slots, :, None]
        keys, values = keys.repeat_interleave(groups, dim=1), values.repeat_interleave(groups, dim=1)
        scores = torch.einsum("qhd,khd->hqk", query[begin:end].float() * scale, keys)
        if softcap:
            scores = softcap * torch.tanh(scores / softcap)
        key_positions = torch.arange(seq_len, device=query.device)
        query_positions = torch.arange(seq_len - (end - begin), seq_len, device=query.device)
        distance = query_positions[:, None] - key_positions[None, :]
        if alibi_slopes is not None:
            scores = scores - alibi_slopes.float()[:, None, None] * distance
        hidden = distance < 0
        if window:
            hidden |= distance >= window
        weights = scores.masked_fill(hidden, float("-inf")).softmax(dim=-1)
        out[begin:end] = torch.einsum("hqk,khd->qhd", weights, values).to(out.dtype)
    return out


def store_kv(
    key: Tensor,
    value: Tensor,
    key_pool: Tensor,
    value_pool: Tensor,
    slots: Tensor,
    *,
    kv_scales: Tensor | None = None,
) -> None:
    """See `kernels/store_kv.py`."""
    for index, (pool, rows) in enumerate(((key_pool, key), (value_pool, value))):
        if kv_scales is None:
            pool[slots] = rows
        else:
            largest = rows.float().abs().amax(dim=-1).clamp(min=1e-30)
            kv_scales[index, slots] = largest / torch.finfo(torch.float8_e4m3fn).max
            pool[slots] = (rows.float() / kv_scales[index, slots, :, None]).to(pool.dtype)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/rms_norm.py`."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)


def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/rms_norm.py`."""
    residual += x
    return rms_norm(residual, weight, eps)


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
    """See `kernels/rope.py`."""
    rotary_dim = cos_sin.shape[1]
    cos, sin = cos_sin[positions].unsqueeze(1).chunk(2, dim=-1)

    def rotate(x: Tensor) -> Tensor:
        left, right = x[..., :rotary_dim].float().chunk(2, dim=-1)
        turned = torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)
        return torch.cat((turned.to(x.dtype), x[..., rotary_dim:]), dim=-1)

    if query_norm is not None:
        query.copy_(rms_norm(query, query_norm, eps))
    query.copy_(rotate(query))
    rotated = rotate(key if key_norm is None else rms_norm(key, key_norm, eps))
    store_kv(rotated, value, key_pool, value_pool, slots, kv_scales=kv_scales)


def silu_and_mul(gate_up: Tensor) -> Tensor:
    """See `kernels/silu_and_mul.py`."""
    gate, up = gate_up.float().chunk(2, dim=-1)
    return (torch.nn.functional.silu(gate) * up).to(gate_up.dtype)
