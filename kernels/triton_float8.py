"""Keys and values in 8 bits: float8_e4m3fn with one float32 scale for each token and head (Micikevicius et al.,
"FP8 Formats for Deep Learning", arXiv:2209.05433).

A scale maps the largest element of a head's key or value to the largest number of the format. So nothing saturates and
nothing has to be calibrated, for 4 bytes beside the D bytes of a head.
"""

import triton
import triton.language as tl

_LARGEST = tl.constexpr(448.0)
# Keeps the scale of a head of zeros, or nearly so, a normal number.
_SMALLEST = tl.constexpr(1e-30)


@triton.jit
def scale_of(largest):
    """The float32 scale of heads whose largest magnitudes these are."""
    largest = tl.maximum(largest, _SMALLEST)
    return tl.div_rn(largest, tl.zeros_like(largest) + _LARGEST)


@triton.jit
def to_float8(values, scale):
    """`values` / `scale`, a scale for each, in 8 bits."""
    return tl.div_rn(values.to(tl.float32), tl.zeros_like(values.to(tl.float32)) + scale).to(tl.float8e4nv)
