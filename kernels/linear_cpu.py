"""x·Wᵀ + b for a few rows of x, on CPUs: the weights are read once, as fast as memory gives them.

Four weight rows are taken at a time against up to four rows of x, in sixteen accumulators. On 2 cores of a Sapphire
Rapids this reads bfloat16 weights at 41 GB/s for one row of x, where oneDNN's packed product reads 23; from about eight
rows on (sixteen in float32) a library's product is faster, so it is not used there.
"""

import numpy as np
from numba import njit, prange

from slipform.kernels._numba import FASTMATH, get, put, widen_row
from slipform.kernels._simd import LANES, add, bytes_of, load, load_as, multiply_add, reduce_add, splat


@njit(cache=True, nogil=True, parallel=True)
def linear(kind, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads):  # type: ignore[no-untyped-def]
    """out (rows, outputs) = x (rows, inputs) · weightᵀ (outputs, inputs) + bias; tensors are given as addresses.

    Args:
        kind: a uint16 if x, weight and bias are bfloat16, a float32 if they are float32.
        bias: (outputs,), or 0 for none. inputs: a multiple of LANES.
    """
    for thread in prange(num_threads):
        linear_share(kind, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads, thread)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def linear_share(  # type: ignore[no-untyped-def]
    kind, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads, thread
):
    """The outputs of one thread: the thread-th of num_threads shares."""
    is_bfloat16 = bytes_of(kind) == 2
    scratch = np.empty(rows * inputs if is_bfloat16 else 1, np.float32)
    if is_bfloat16:
        widen_row(x, True, 0, scratch.ctypes.data, rows * inputs)
        x = scratch.ctypes.data
    # Shares are whole groups of four outputs; the last takes what is left over.
    groups = outputs // 4
    begin = groups * thread // num_threads * 4
    end = groups * (thread + 1) // num_threads * 4
    row_bytes = inputs * bytes_of(kind)
    sums = np.empty(16, np.float32)
    biases = np.zeros(4, np.float32)
    for output in range(begin, end, 4):
        if bias != 0:
            for j in range(4):
                biases[j] = get(bias, is_bfloat16, output + j)
        row = 0
        while row < rows:
            place = x + 4 * row * inputs
            first = weight + output * row_bytes
            if row + 4 <= rows:
                count = 4
                _four_rows(kind, place, first, row_bytes, inputs, sums)
            elif row + 2 <= rows:
                count = 2
                _two_rows(kind, place, first, row_bytes, inputs, sums)
            else:
                count = 1
                _one_row(kind, place, first, row_bytes, inputs, sums)
            for i in range(count):
                for j in range(4):
                    put(out, out_is_bfloat16, (row + i) * outputs + output + j, sums[4 * i + j] + biases[j])
            row += count
    if thread == num_threads - 1:
        for output in range(4 * groups, outputs):
            if bias != 0:
                biases[0] = get(bias, is_bfloat16, output)
            for row in range(rows):
                total = splat(np.float32(0.0))
                for i in range(0, inputs, LANES):
                    w = load_as(kind, weight + output * row_bytes + i * bytes_of(kind))
                    total = multiply_add(load(x + 4 * (row * inputs + i)), w, total)
                put(out, out_is_bfloat16, row * outputs + output, reduce_add(total) + biases[0])


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _one_row(kind, x, weight, row_bytes, inputs, sums):  # type: ignore[no-untyped-def]
    """sums[j] = x · weight row j, for four rows; two accumulators each hide the latency of the additions."""
    w0, w1, w2, w3 = weight, weight + row_bytes, weight + 2 * row_bytes, weight + 3 * row_bytes
    zero = splat(np.float32(0.0))
    a0, a1, a2, a3, b0, b1, b2, b3 = zero, zero, zero, zero, zero, zero, zero, zero
    i = 0
    while i + 2 * LANES <= inputs:
        c = i * bytes_of(kind)
        v = load(x + 4 * i)
        a0 = multiply_add(v, load_as(kind, w0 + c), a0)
        a1 = multiply_add(v, load_as(kind, w1 + c), a1)
        a2 = multiply_add(v, load_as(kind, w2 + c), a2)
        a3 = multiply_add(v, load_as(kind, w3 + c), a3)
        c += LANES * bytes_of(kind)
        v = load(x + 4 * (i + LANES))
        b0 = multiply_add(v, load_as(kind, w0 + c), b0)
        b1 = multiply_add(v, load_as(kind, w1 + c), b1)
        b2 = multiply_add(v, load_as(kind, w2 + c), b2)
        b3 = multiply_add(v, load_as(kind, w3 + c), b3)
        i += 2 * LANES
    if i < inputs:
        c = i * bytes_of(kind)
        v = load(x + 4 * i)
        a0 = multiply_add(v, load_as(kind, w0 + c), a0)
        a1 = multiply_add(v, load_as(kind, w1 + c), a1)
        a2 = multiply_add(v, load_as(kind, w2 + c), a2)
        a3 = multiply_add(v, load_as(kind, w3 + c), a3)
    sums[0] = reduce_add(add(a0, b0))
    sums[1] = reduce_add(add(a1, b1))
    sums[2] = reduce_add(add(a2, b2))
    sums[3] = reduce_add(add(a3, b3))


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _two_rows(kind, x, weight, row_bytes, inputs, sums):  # type: ignore[no-untyped-def]
    """sums[4·i + j] = x row i · weight row j, for two rows of x and four of the weight."""
    w0, w1, w2, w3 = weight, weight + row_bytes, weight + 2 * row_bytes, weight + 3 * row_bytes
    zero = splat(np.float32(0.0))
    a0, a1, a2, a3, b0, b1, b2, b3 = zero, zero, zero, zero, zero, zero, zero, zero
    for i in range(0, inputs, LANES):
        c = i * bytes_of(kind)
        u0, u1 = load_as(kind, w0 + c), load_as(kind, w1 + c)
        u2, u3 = load_as(kind, w2 + c), load_as(kind, w3 + c)
        v = load(x + 4 * i)
        a0, a1 = multiply_add(v, u0, a0), multiply_add(v, u1, a1)
        a2, a3 = multiply_add(v, u2, a2), multiply_add(v, u3, a3)
        v = load(x + 4 * (inputs + i))
        b0, b1 = multiply_add(v, u0, b0), multiply_add(v, u1, b1)
        b2, b3 = multiply_add(v, u2, b2), multiply_add(v, u3, b3)
    sums[0], sums[1], sums[2], sums[3] = reduce_add(a0), reduce_add(a1), reduce_add(a2), reduce_add(a3)
    sums[4], sums[5], sums[6], sums[7] = reduce_add(b0), reduce_add(b1), reduce_add(b2), reduce_add(b3)


@njit(cache=True, nogil=True, fastmath=FASTMATH, inline="always")
def _four_rows(kind, x, weight, row_bytes, inputs, sums):  # type: ignore[no-untyped-def]
    """sums[4·i + j] = x row i · weight row j, for four rows of each."""
    w0, w1, w2, w3 = weight, weight + row_bytes, weight + 2 * row_bytes, weight + 3 * row_bytes
    zero = splat(np.float32(0.0))
    a0, a1, a2, a3, b0, b1, b2, b3 = zero, zero, zero, zero, zero, zero, zero, zero
    c0, c1, c2, c3, d0, d1, d2, d3 = zero, zero, zero, zero, zero, zero, zero, zero
    for i in range(0, inputs, LANES):
        c = i * bytes_of(kind)
        u0, u1 = load_as(kind, w0 + c), load_as(kind, w1 + c)
        u2, u3 = load_as(kind, w2 + c), load_as(kind, w3 + c)
        v = load(x + 4 * i)
        a0, a1 = multiply_add(v, u0, a0), multiply_add(v, u1, a1)
        a2, a3 = multiply_add(v, u2, a2), multiply_add(v, u3, a3)
        v = load(x + 4 * (inputs + i))
        b0, b1 = multiply_add(v, u0, b0), multiply_add(v, u1, b1)
        b2, b3 = multiply_add(v, u2, b2), multiply_add(v, u3, b3)
        v = load(x + 4 * (2 * inputs + i))
        c0, c1 = multiply_add(v, u0, c0), multiply_add(v, u1, c1)
        c2, c3 = multiply_add(v, u2, c2), multiply_add(v, u3, c3)
        v = load(x + 4 * (3 * inputs + i))
        d0, d1 = multiply_add(v, u0, d0), multiply_add(v, u1, d1)
        d2, d3 = multiply_add(v, u2, d2), multiply_add(v, u3, d3)
    sums[0], sums[1], sums[2], sums[3] = reduce_add(a0), reduce_add(a1), reduce_add(a2), reduce_add(a3)
    sums[4], sums[5], sums[6], sums[7] = reduce_add(b0), reduce_add(b1), reduce_add(b2), reduce_add(b3)
    sums[8], sums[9], sums[10], sums[11] = reduce_add(c0), reduce_add(c1), reduce_add(c2), reduce_add(c3)
    sums[12], sums[13], sums[14], sums[15] = reduce_add(d0), reduce_add(d1), reduce_add(d2), reduce_add(d3)
