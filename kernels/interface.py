"""What every implementation of the kernels offers, and the choice among them by device.

Shape letters: T tokens of the batch, B sequences, Hq query heads, Hkv KV heads (Hq a multiple of Hkv), D head size.
"Flat" tokens are those of all sequences one after another, as `runtime/batch.py` lays them out.
"""

from typing import Protocol

import torch
from torch import Tensor

from slipform.errors import ConfigError
from slipform.kernels.attention_plan import AttentionPlan


class Kernels(Protocol):
    """The operations. float32 and bfloat16, on GPUs float16 too; all tensors of a call on one device.

    Raises: ValueError naming the argument whose dtype or strides the implementation does not take.
    """

    def attention(
        self,
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
        """Causal attention of each sequence's last tokens over all its tokens, read from their slots.

        Args:
            query: (T, Hq, D), heads of a token contiguous; rows cu_seqlens[i]:cu_seqlens[i+1] are the last tokens of
                sequence i.
            key_pool, value_pool: (num_slots, Hkv, D), dtype of query; the queries' own tokens are stored already.
            slot_table: (B, max_len) int32; entries past seq_lens[i] are not read.
            cu_seqlens: (B+1,) int32. seq_lens: (B,) int32, the queries' tokens included.
            scale: multiplies q·k, 1/sqrt(D) for most models.
            window: a query sees itself and the window-1 tokens before it; 0 is no bound.
            softcap: scores become softcap·tanh(score/softcap); 0 leaves them.
            alibi_slopes: (Hq,) float32; score -= slope · distance (Press et al., arXiv:2108.12409).
            max_extend_len: the longest run of queries of one sequence, for launch sizes; 0 stands for T.
            plan: for GPUs only: the batch's tiles, and the rows of slot_table if sequence i does not have row i.
            kv_scales: for GPUs only: (2, num_slots, Hkv) float32, what the keys and then the values of a slot are
                multiplied by; the pools are float8_e4m3fn then.

        Returns: (T, Hq, D), dtype of query. Changes nothing.
        """

    def store_kv(
        self,
        key: Tensor,
        value: Tensor,
        key_pool: Tensor,
        value_pool: Tensor,
        slots: Tensor,
        *,
        kv_scales: Tensor | None = None,
    ) -> None:
        """pool[slots] = key, value, in 8 bits with kv_scales (see `attention`).

        key, value: (T, Hkv, D). slots: (T,) int64, distinct. Mutates: the pools, kv_scales.
        """

    def rope_store_kv(
        self,
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
        """Rotates queries in place, and stores rotated keys and values in their slots, after RMSNorm of heads if given.

        Args:
            query: (T, Hq, D); key, value: (T, Hkv, D); views of one projection, with one stride between tokens.
            positions: (T,) int64, rows of cos_sin.
            cos_sin: (num_positions, R) float32: R/2 cosines, then their sines. The first R of the D elements turn,
                element i with element i + R/2.
            slots: (T,) int64, distinct.
            query_norm, key_norm: (D,) weights of the norms, dtype of query. eps: of these norms.
            kv_scales: see `attention`.

        Mutates: query, the pools and kv_scales; key and value are left undefined.
        """

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """x / rms(x) · weight along the last axis. x: (T, H), weight: (H,). Returns a new (T, H)."""

    def add_rms_norm(self, x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
        """residual += x, then the norm of residual. x, residual: (T, H). Returns (T, H).

        Mutates: residual, and x, which may become the result.
        """

    def silu_and_mul(self, gate_up: Tensor) -> Tensor:
        """silu(gate) · up. gate_up: (T, 2·I), the gates first. Returns (T, I)."""


def kernels_for(device: torch.device) -> Kernels:
    """The implementation for a device.

    Raises: ConfigError for a device that has none; there is no silent way round.
    """
    if device.type == "cpu":
        from slipform.kernels import cpu

        return cpu
    if device.type == "cuda":
        try:
            from slipform.kernels import gpu
        except ImportError as error:
            raise ConfigError(f"the kernels for {device} need the package triton: {error}", field="device") from error
        return gpu
    raise ConfigError(f"no kernels for device type {device.type!r}", field="device")
