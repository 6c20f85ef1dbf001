"""Products with packed weights, in every layout, against products in float64."""

import pytest
import torch

from slipform.kernels._amx import is_available
from slipform.kernels.linear_cpu import Layout, PackedWeight, linear, pack

LAYOUTS: list[Layout] = ["float32", "words", "amx"] if is_available() else ["float32", "words"]
# Outputs and inputs: whole panels, a panel that is not full, one output; the second number in the steps of AMX or not.
SHAPES = [(64, 32), (70, 96), (1, 64), (33, 7)]
ROWS = [1, 2, 3, 7, 16, 17, 40, 200]

each_layout = pytest.mark.parametrize("layout", LAYOUTS)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)


def random(*shape: int, dtype: torch.dtype, seed: int) -> torch.Tensor:
    """Numbers that bfloat16 holds."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).bfloat16().to(dtype)


def packed(weight: torch.Tensor, layout: Layout) -> PackedWeight:
    if layout == "amx" and weight.shape[1] % 32:
        pytest.skip("AMX takes a multiple of 32 inputs")
    return pack(weight, layout=layout)


@each_layout
@each_dtype
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_equals_float64(layout: Layout, dtype: torch.dtype, outputs: int, inputs: int, rows: int) -> None:
    """Within the bound of float32 sums in any order, and what rounding the result costs (Higham, 2002, section 3.1)."""
    weight = random(outputs, inputs, dtype=dtype, seed=0)
    x = torch.randn((rows, inputs), generator=torch.Generator().manual_seed(1)).to(dtype)
    bias = random(outputs, dtype=dtype, seed=2)
    ready = packed(weight, layout)
    terms = x.double().abs() @ weight.double().abs().t() + bias.double().abs()
    for given, addend in ((None, 0.0), (bias, bias.double())):
        expected = x.double() @ weight.double().t() + addend
        actual = linear(x, ready, given)
        assert actual.dtype is dtype
        bound = (inputs + 3) * 2**-24 * terms + (2**-8 if dtype is torch.bfloat16 else 0.0) * expected.abs()
        assert ((actual.double() - expected).abs() <= bound).all()


@each_layout
@each_dtype
def test_a_row_does_not_depend_on_the_others_nor_on_threads(layout: Layout, dtype: torch.dtype) -> None:
    """Bit for bit: what a sequence says must not depend on who shares its batch."""
    ready = packed(random(70, 96, dtype=dtype, seed=0), layout)
    x = torch.randn((300, 96), generator=torch.Generator().manual_seed(1)).to(dtype)
    together = linear(x, ready)
    for start, end in ((0, 1), (5, 7), (11, 15), (20, 37), (100, 230)):
        assert torch.equal(linear(x[start:end], ready), together[start:end])
    threads = torch.get_num_threads()
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            assert torch.equal(linear(x, ready), together)
    finally:
        torch.set_num_threads(threads)


@each_layout
def test_float32_keeps_every_bit_of_x(layout: Layout) -> None:
    """Products by one power of two: whatever is lost of x shows."""
    weight = torch.eye(64) * 4.0
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((50, 64), generator=generator) * 10.0 ** torch.randint(-20, 20, (50, 64), generator=generator)
    assert torch.equal(linear(x, packed(weight, layout)), x * 4.0)


def test_the_layout_chosen_loses_nothing() -> None:
    exact, inexact = random(64, 64, dtype=torch.float32, seed=0), torch.full((64, 64), 1 / 3)
    half = "amx" if is_available() else "words"
    assert pack(exact).layout == pack(exact.bfloat16()).layout == half
    assert pack(exact[:, :63]).layout == "words"
    assert pack(inexact).layout == "float32"
    with pytest.raises(ValueError, match="without loss"):
        pack(inexact, layout="words")
    with pytest.raises(ValueError, match="dtype"):
        pack(exact.double())


@pytest.mark.parametrize(
    ("name", "x", "bias"),
    [
        ("x", torch.zeros(3, 32, dtype=torch.bfloat16), None),
        ("x", torch.zeros(3, 31), None),
        ("x", torch.zeros(32, 3).t(), None),
        ("bias", torch.zeros(3, 32), torch.zeros(64, dtype=torch.bfloat16)),
        ("bias", torch.zeros(3, 32), torch.zeros(128)[::2]),
    ],
)
def test_refuses_what_it_would_misread(name: str, x: torch.Tensor, bias: torch.Tensor | None) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        linear(x, pack(torch.zeros(64, 32)), bias)
