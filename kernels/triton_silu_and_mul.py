"""silu(gate) · up for GPUs."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous

_BLOCK = 1024


def silu_and_mul(gate_up: Tensor) -> Tensor:
    """See `kernels/interface.py`."""
    check_contiguous(gate_up=gate_up)
    rows, width = gate_up.shape
    size = width // 2
    out = torch.empty((rows, size), dtype=gate_up.dtype, device=gate_up.device)
    _multiply[(rows, triton.cdiv(size, _BLOCK))](gate_up, out, size, BLOCK=_BLOCK)
    return out


@triton.jit
def _multiply(gate_up, out, size, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < size
    gate = tl.load(gate_up + row * 2 * size + columns, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(gate_up + row * 2 * size + size + columns, mask=inside, other=0.0).to(tl.float32)
    # exp of what is not positive: it never overflows.
    small = tl.exp(-tl.abs(gate))
    product = gate * tl.where(gate >= 0, 1.0, small) / (1.0 + small) * up
    tl.store(out + row * size + columns, product.to(out.dtype.element_ty), mask=inside)
