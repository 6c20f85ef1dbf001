"""x·Wᵀ + b for a few rows of x, on CPUs: the weights are read once, as fast as memory gives them.

Four weight rows are taken at a time against up to four rows of x, in sixteen accumulators. On 2 cores of a Sapphire
Rapids this reads bfloat16 weights at 41 GB/s for one row of x, where oneDNN's packed product reads 23; from about eight
rows on (sixteen in float32) a library's product is faster, so it is not used there.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from slipform.kernels._numba import c_function, call, get, put, widen_row
from slipform.kernels._simd import dot_tile_1, dot_tile_2, dot_tile_4


@njit(cache=True, nogil=True, parallel=True)
def linear(  # type: ignore[no-untyped-def]
    share, is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads
):
    """out (rows, outputs) = x (rows, inputs) · weightᵀ (outputs, inputs) + bias; tensors are given as addresses.

    Args:
        share: address of `linear_share()`. is_bfloat16: of x, weight and bias. bias: (outputs,), or 0 for none.
        inputs: a multiple of LANES. outputs: at least 4.
    """
    for thread in prange(num_threads):
        arguments = (is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads, thread)
        call(share, arguments)


def linear_share() -> Any:
    """The parameters of `_linear_share`."""
    return c_function(_linear_share, "iiiiiiiiiii")


def _linear_share(  # type: ignore[no-untyped-def]
    is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads, thread
):
    """The outputs of one thread: the thread-th of num_threads shares."""
    scratch = np.empty(rows * inputs if is_bfloat16 else 1, np.float32)
    if is_bfloat16:
        widen_row(x, True, 0, scratch.ctypes.data, rows * inputs)
        x = scratch.ctypes.data
    row_bytes = inputs * (2 if is_bfloat16 else 4)
    tile = np.empty(16, np.float32)
    sums = tile.ctypes.data
    groups = (outputs + 3) // 4
    for group in range(groups * thread // num_threads, groups * (thread + 1) // num_threads):
        # The last four outputs overlap the group before where their number is no multiple of four.
        output = min(4 * group, outputs - 4)
        weights = weight + output * row_bytes
        row = 0
        while row < rows:
            place = x + 4 * row * inputs
            if row + 4 <= rows:
                count = 4
                dot_tile_4(is_bfloat16, place, weights, row_bytes, inputs, sums)
            elif row + 2 <= rows:
                count = 2
                dot_tile_2(is_bfloat16, place, weights, row_bytes, inputs, sums)
            else:
                count = 1
                dot_tile_1(is_bfloat16, place, weights, row_bytes, inputs, sums)
            for i in range(count):
                for j in range(4):
                    value = tile[4 * i + j]
                    if bias != 0:
                        value += get(bias, is_bfloat16, output + j)
                    put(out, out_is_bfloat16, (row + i) * outputs + output + j, value)
            row += count
