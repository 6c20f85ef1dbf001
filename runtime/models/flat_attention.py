"""Attention of transformers' models over the KV pool: what the registered function and the replaced modules share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.models.bloom.modeling_bloom import BloomAttention, build_alibi_tensor
from transformers.models.falcon.modeling_falcon import FalconAttention, apply_rotary_pos_emb

from slipform.errors import ConfigError
from slipform.kernels.interface import Kernels
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.interface import KVTensors

# The name under which transformers' models find `attend_registered`.
IMPLEMENTATION = "slipform"

# Arguments that change what attention computes in a way the kernels do not know.
_UNKNOWN_BIASES = ("s_aux", "position_bias", "head_mask", "block_mask")


@dataclass(slots=True)
class FlatAttention:
    """The attention of one forward pass.

    Attributes:
        pool: where keys and values live; None in a dry pass, which only records their shapes and attends to nothing.
        shapes: (Hkv, D) of each layer that was called, by layer index.
    """

    kernels: Kernels
    batch: ForwardBatch | None
    pool: KVTensors | None
    shapes: dict[int, tuple[int, int]] = field(default_factory=dict)

    def attend(
        self,
        layer: int,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        scale: float,
        window: int = 0,
        softcap: float = 0.0,
        alibi_slopes: Tensor | None = None,
    ) -> Tensor:
        """Store key and value (T, Hkv, D), then attend with query (T, Hq, D).

        Returns: (T, Hq, D). Mutates: the pool's layer, and `shapes`.
        Raises: ConfigError if keys and values differ in shape.
        """
        if key.shape != value.shape:
            raise ConfigError(f"keys {tuple(key.shape)} and values {tuple(value.shape)} differ in shape", field="model")
        self.shapes[layer] = (key.shape[1], key.shape[2])
        if self.pool is None or self.batch is None:
            return torch.zeros_like(query)
        batch, keys, values = self.batch, self.pool.keys[layer], self.pool.values[layer]
        scales = None if self.pool.scales is None else self.pool.scales[layer]
        self.kernels.store_kv(key, value, keys, values, batch.out_slots, kv_scales=scales)
        return self.kernels.attention(
            query.contiguous(),
            keys,
            values,
            batch.slot_table,
            batch.cu_seqlens,
            batch.seq_lens,
            scale=scale,
            window=window,
            softcap=softcap,
            alibi_slopes=alibi_slopes,
            max_extend_len=batch.max_extend_len,
            plan=batch.attention_plan,
            kv_scales=scales,
        )


def attend_registered(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    sliding_window: int | None = None,
    *,
    flat_attention: FlatAttention,
    **rest: Any,
) -> tuple[Tensor, None]:
    """transformers' attention function: query (1, Hq, T, D), key and value (1, Hkv, T, D); returns (1, T, Hq, D).

    `flat_attention` is an extra argument of the model's forward, which models hand down to this function.

    Raises: ConfigError if the model asks for what the kernels do not compute.
    """
    for name in _UNKNOWN_BIASES:
        if rest.get(name) is not None:
            raise ConfigError(f"its attention uses {name}, which is not supported", field="model")
    if attention_mask is not None or not getattr(module, "is_causal", True):
        raise ConfigError("its attention is not causal over all earlier tokens", field="model")
    out = flat_attention.attend(
        int(module.layer_idx),  # type: ignore[arg-type]
        query[0].transpose(0, 1),
        key[0].transpose(0, 1),
        value[0].transpose(0, 1),
        scale=query.shape[-1] ** -0.5 if scaling is None else scaling,
        window=sliding_window or 0,
        softcap=softcap or 0.0,
    )
    return out.unsqueeze(0), None


def register() -> None:
    """Make the function known to transformers. Mutates: transformers' table of attention functions; safe to repeat."""
    AttentionInterface.register(IMPLEMENTATION, attend_registered)


class _FlatFalconAttention(nn.Module):
    """Falcon's three layouts of queries, keys and values are one: per KV head its group's queries, a key, a value."""

    def __init__(self, original: FalconAttention, current: Callable[[], FlatAttention]) -> None:
        super().__init__()
        self.query_key_value = original.query_key_value
        self.dense = original.dense
        self._layer = original.layer_idx
        self._heads, self._kv_heads, self._dim = original.num_heads, original.num_kv_heads, original.head_dim
        self._scale = original.inv_norm_factor
        self._current = current

    def forward(
        self,
        hidden_states: Tensor,
        alibi: Tensor | None = None,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        tokens = hidden_states.shape[1]
        group = self._heads // self._kv_heads
        fused = self.query_key_value(hidden_states).view(tokens, self._kv_heads, group + 2, self._dim)
        query = fused[:, :, :group].reshape(tokens, self._heads, self._dim)
        key, value = fused[:, :, group], fused[:, :, group + 1]
        slopes = None
        if alibi is not None:
            # Falcon was trained with slopes rounded to bfloat16. Its biases are scaled like the scores.
            slopes = _alibi_slopes(self._heads, hidden_states.device).bfloat16().float() * self._scale
        elif position_embeddings is not None:
            query, key = apply_rotary_pos_emb(query, key, *(table[0] for table in position_embeddings))
        out = self._current().attend(self._layer, query, key, value, scale=self._scale, alibi_slopes=slopes)
        return self.dense(out.reshape(1, tokens, self._heads * self._dim)), None


class _FlatBloomAttention(nn.Module):
    """Bloom's attention block, which adds the residual itself."""

    def __init__(self, original: BloomAttention, current: Callable[[], FlatAttention]) -> None:
        super().__init__()
        self.query_key_value = original.query_key_value
        self.dense = original.dense
        self._layer = original.layer_idx
        self._heads, self._dim = original.num_heads, original.head_dim
        self._scale = original.inv_norm_factor
        self._current = current

    def forward(self, hidden_states: Tensor, residual: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
        tokens = hidden_states.shape[1]
        fused = self.query_key_value(hidden_states).view(tokens, self._heads, 3, self._dim)
        out = self._current().attend(
            self._layer,
            *fused.unbind(2),
            scale=self._scale,
            alibi_slopes=_alibi_slopes(self._heads, hidden_states.device),
        )
        return self.dense(out.reshape(1, tokens, self._heads * self._dim)) + residual, None


def _alibi_slopes(num_heads: int, device: torch.device) -> Tensor:
    """(num_heads,) float32, read off transformers' own biases: that of the second of two tokens is the slope."""
    slopes: Tensor = build_alibi_tensor(torch.ones((1, 2), device=device), num_heads, torch.float32)[:, 0, 1]
    return slopes.contiguous()


_REPLACEMENTS = {FalconAttention: _FlatFalconAttention, BloomAttention: _FlatBloomAttention}


def replace_attention_modules(model: nn.Module, current: Callable[[], FlatAttention]) -> None:
    """Put our modules where a model computes attention without asking the interface.

    Args:
        current: gives the attention of the pass that is running.

    Mutates: the model.
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            replacement = _REPLACEMENTS.get(type(child))
            if replacement is not None:
                setattr(parent, name, replacement(child, current))
