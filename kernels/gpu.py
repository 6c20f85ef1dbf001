"""The kernels for GPUs, gathered: `slipform.kernels.gpu` is a `Kernels`."""

from slipform.kernels.triton_attention import attention
from slipform.kernels.triton_rms_norm import add_rms_norm, rms_norm
from slipform.kernels.triton_rope import rope_store_kv
from slipform.kernels.triton_silu_and_mul import silu_and_mul
from slipform.kernels.triton_store_kv import store_kv

__all__ = ["add_rms_norm", "attention", "rms_norm", "rope_store_kv", "silu_and_mul", "store_kv"]
