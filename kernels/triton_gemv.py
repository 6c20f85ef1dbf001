"""y = x·Wᵀ + b for one to four rows on a GPU, where reading W is all that takes time.

A program reads a few rows of W in wide, independent loads and keeps the products of each lane apart until the end, so
that many loads are under way at a time.
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_contiguous, check_dtype, power_of_two

MAX_ROWS = 4


@dataclass(frozen=True, slots=True)
class GemvShape:
    """Rows and columns of W that a program reads at a time, and its warps."""

    rows: int
    columns: int
    num_warps: int


# What is worth trying on a large GPU.
SHAPES = (
    GemvShape(4, 1024, 4),
    GemvShape(8, 512, 4),
    GemvShape(4, 2048, 8),
    GemvShape(2, 2048, 4),
    GemvShape(8, 1024, 8),
)


def gemv(x: Tensor, weight: Tensor, bias: Tensor | None, shape: GemvShape) -> Tensor:
    """x: (T, inputs), T <= MAX_ROWS. weight: (outputs, inputs), contiguous. bias: (outputs,). Returns (T, outputs).

    Sums are in float32. Raises: ValueError naming the argument that does not fit.
    """
    check_contiguous(x=x, weight=weight, bias=bias)
    check_dtype(x, weight=weight, bias=bias)
    tokens, inputs = x.shape
    outputs = weight.shape[0]
    if not 1 <= tokens <= MAX_ROWS:
        raise ValueError(f"x: {tokens} rows; 1 to {MAX_ROWS} are supported")
    out = torch.empty((tokens, outputs), dtype=x.dtype, device=x.device)
    _gemv[(triton.cdiv(outputs, shape.rows),)](
        x, weight, bias, out, outputs, inputs, tokens,
        TOKENS=power_of_two(tokens), ROWS=shape.rows, COLUMNS=min(shape.columns, power_of_two(inputs)),
        HAS_BIAS=bias is not None, num_warps=shape.num_warps,
    )  # fmt: skip
    return out


@triton.jit(do_not_specialize=["num_tokens"])
def _gemv(
    x, weight, bias, out, outputs, inputs, num_tokens,
    TOKENS: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, HAS_BIAS: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    columns = tl.arange(0, COLUMNS)
    is_row = rows < outputs
    start_of_row = weight + rows.to(tl.int64)[:, None] * inputs
    # One accumulator a token; the unused ones cost nothing, since they are not compiled.
    sum_0 = tl.zeros([ROWS, COLUMNS], tl.float32)
    sum_1 = tl.zeros([ROWS, COLUMNS], tl.float32)
    sum_2 = tl.zeros([ROWS, COLUMNS], tl.float32)
    sum_3 = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, inputs, COLUMNS):
        at = start + columns
        inside = at < inputs
        part = tl.load(
            start_of_row + at[None, :],
            mask=is_row[:, None] & inside[None, :],
            other=0.0,
            eviction_policy="evict_first",
        ).to(tl.float32)
        sum_0 += part * tl.load(x + at, mask=inside, other=0.0).to(tl.float32)[None, :]
        if TOKENS > 1:
            present = at < tl.where(num_tokens > 1, inputs, 0)
            sum_1 += part * tl.load(x + inputs + at, mask=present, other=0.0).to(tl.float32)[None, :]
        if TOKENS > 2:
            present = at < tl.where(num_tokens > 2, inputs, 0)
            sum_2 += part * tl.load(x + 2 * inputs + at, mask=present, other=0.0).to(tl.float32)[None, :]
            present = at < tl.where(num_tokens > 3, inputs, 0)
            sum_3 += part * tl.load(x + 3 * inputs + at, mask=present, other=0.0).to(tl.float32)[None, :]
    added = tl.zeros([ROWS], tl.float32)
    if HAS_BIAS:
        added = tl.load(bias + rows, mask=is_row, other=0.0).to(tl.float32)
    dtype = out.dtype.element_ty
    tl.store(out + rows, (tl.sum(sum_0, axis=1) + added).to(dtype), mask=is_row)
    if TOKENS > 1:
        tl.store(out + outputs + rows, (tl.sum(sum_1, axis=1) + added).to(dtype), mask=is_row)
    if TOKENS > 2:
        tl.store(out + 2 * outputs + rows, (tl.sum(sum_2, axis=1) + added).to(dtype), mask=is_row)
        last = rows < tl.where(num_tokens > 3, outputs, 0)
        tl.store(out + 3 * outputs + rows, (tl.sum(sum_3, axis=1) + added).to(dtype), mask=last)
