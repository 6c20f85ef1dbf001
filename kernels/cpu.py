"""The kernels for CPUs, gathered: `slipform.kernels.cpu` is a `Kernels`."""

from slipform.kernels.attention_cpu import attention
from slipform.kernels.rms_norm_cpu import add_rms_norm, rms_norm
from slipform.kernels.rope_cpu import rope_store_kv
from slipform.kernels.silu_and_mul_cpu import silu_and_mul
from slipform.kernels.store_kv_cpu import store_kv

__all__ = ["add_rms_norm", "attention", "rms_norm", "rope_store_kv", "silu_and_mul", "store_kv"]
