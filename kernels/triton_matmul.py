"""y = x·Wᵀ + b on a GPU, each row of y the same, bit for bit, however many rows there are.

Libraries choose tiles, and parts of the sum for programs of their own, by the number of rows, and then a row's last
bits depend on its company (He et al., "Defeating Nondeterminism in LLM Inference", 2025). Here one program computes a
tile of y from the first column of W to the last; the order of a row's sum depends on nothing else.
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from slipform.kernels._launch import check_dtype

# Tiles of neighbouring rows are computed side by side, so that they find W in the cache.
_GROUP = 8


@dataclass(frozen=True, slots=True)
class MatmulShape:
    """Rows and columns of y in a tile, columns of W taken at a time, warps, pipeline stages."""

    rows: int
    outputs: int
    inputs: int
    num_warps: int
    num_stages: int


# For few rows reading W is all that counts, and many programs read faster. Both have 64 rows for each four warps, which
# is what the matrix units of a Hopper GPU take at a time.
FEW_ROWS = MatmulShape(64, 32, 128, 4, 4)
MANY_ROWS = MatmulShape(128, 128, 64, 8, 3)
WIDE = MatmulShape(64, 32, 32, 4, 2)


def matmul(x: Tensor, weight: Tensor, bias: Tensor | None, shape: MatmulShape) -> Tensor:
    """x: (T, inputs), rows contiguous. weight: (outputs, inputs), contiguous. bias: (outputs,). Returns (T, outputs).

    Sums are in float32. Raises: ValueError naming the argument that does not fit.
    """
    check_dtype(x, weight=weight, bias=bias)
    if x.stride(1) != 1 or not weight.is_contiguous():
        raise ValueError(f"x: rows, and weight as a whole, must be contiguous; strides {x.stride()}, {weight.stride()}")
    tokens, inputs = x.shape
    outputs = weight.shape[0]
    out = torch.empty((tokens, outputs), dtype=x.dtype, device=x.device)
    grid = (triton.cdiv(tokens, shape.rows) * triton.cdiv(outputs, shape.outputs),)
    _matmul[grid](
        x, weight, bias, out, tokens, outputs, inputs, x.stride(0),
        ROWS=shape.rows, OUTPUTS=shape.outputs, INPUTS=shape.inputs, GROUP=_GROUP,
        EVEN=inputs % shape.inputs == 0, HAS_BIAS=bias is not None,
        num_warps=shape.num_warps, num_stages=shape.num_stages,
    )  # fmt: skip
    return out


@triton.jit(do_not_specialize=["num_rows"])
def _matmul(
    x, weight, bias, out, num_rows, outputs, inputs, x_stride,
    ROWS: tl.constexpr, OUTPUTS: tl.constexpr, INPUTS: tl.constexpr, GROUP: tl.constexpr,
    EVEN: tl.constexpr, HAS_BIAS: tl.constexpr,
):  # fmt: skip
    # Programs of GROUP tiles of rows go through the tiles of outputs together.
    program = tl.program_id(0)
    row_tiles = tl.cdiv(num_rows, ROWS)
    of_group = GROUP * tl.cdiv(outputs, OUTPUTS)
    first_tile = program // of_group * GROUP
    height = tl.minimum(row_tiles - first_tile, GROUP)
    rows = (first_tile + program % of_group % height) * ROWS + tl.arange(0, ROWS)
    columns = program % of_group // height * OUTPUTS + tl.arange(0, OUTPUTS)
    is_row, is_column = rows < num_rows, columns < outputs
    steps = tl.arange(0, INPUTS)
    x_at = x + rows.to(tl.int64)[:, None] * x_stride + steps[None, :]
    weight_at = weight + columns.to(tl.int64)[None, :] * inputs + steps[:, None]
    total = tl.zeros([ROWS, OUTPUTS], tl.float32)
    for start in range(0, inputs, INPUTS):
        if EVEN:
            left = tl.load(x_at, mask=is_row[:, None], other=0.0)
            right = tl.load(weight_at, mask=is_column[None, :], other=0.0)
        else:
            inside = start + steps < inputs
            left = tl.load(x_at, mask=is_row[:, None] & inside[None, :], other=0.0)
            right = tl.load(weight_at, mask=is_column[None, :] & inside[:, None], other=0.0)
        total = tl.dot(left, right, total, input_precision="ieee")
        x_at += INPUTS
        weight_at += INPUTS
    if HAS_BIAS:
        total += tl.load(bias + columns, mask=is_column, other=0.0).to(tl.float32)[None, :]
    at = rows.to(tl.int64)[:, None] * outputs + columns[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=is_row[:, None] & is_column[None, :])
