"""RMSNorm for GPUs, alone and fused with the addition to the residual stream. Zhang and Sennrich, arXiv:1910.07467."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, power_of_two


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/interface.py`."""
    out = torch.empty_like(x)
    _launch(x, None, weight, out, eps)
    return out


def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    """See `kernels/interface.py`. The result overwrites x."""
    _launch(x, residual, weight, x, eps)
    return x


def _launch(x: Tensor, residual: Tensor | None, weight: Tensor, out: Tensor, eps: float) -> None:
    check_contiguous(x=x, residual=residual, weight=weight)
    check_dtype(x, residual=residual, weight=weight)
    rows, size = x.shape
    block = power_of_two(size)
    num_warps = min(16, max(1, block // 512))
    _normalize[(rows,)](
        x, residual, weight, out, size, eps, BLOCK=block, ADDS=residual is not None, num_warps=num_warps
    )


@triton.jit
def _normalize(x, residual, weight, out, size, eps, BLOCK: tl.constexpr, ADDS: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < size
    scales = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    values = tl.load(x + row * size + columns, mask=inside, other=0.0)
    if ADDS:
        before = tl.load(residual + row * size + columns, mask=inside, other=0.0)
        # Rounded as the stored residual is, so that the norm is that of what later layers see.
        values = (before.to(tl.float32) + values.to(tl.float32)).to(before.dtype)
        tl.store(residual + row * size + columns, values, mask=inside)
    wide = values.to(tl.float32)
    inverse = tl.rsqrt(tl.sum(wide * wide, axis=0) / size + eps)
    tl.store(out + row * size + columns, (wide * inverse * scales).to(values.dtype), mask=inside)
