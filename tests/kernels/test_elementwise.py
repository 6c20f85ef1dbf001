"""Norms, rotary embedding with the KV store, and SiLU against their plain-torch references."""

import pytest
import torch

from slipform.errors import ConfigError
from slipform.kernels import cpu, reference
from slipform.kernels.interface import Kernels, kernels_for

TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 1e-2}
IMPLEMENTATIONS = [cpu]

each_implementation = pytest.mark.parametrize(
    "kernels", IMPLEMENTATIONS, ids=lambda module: module.__name__.rsplit(".")[-1]
)
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
# Rows and width.
each_shape = pytest.mark.parametrize(("rows", "width"), [(1, 1), (3, 37), (5, 64), (300, 160)])


def random(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3).to(dtype)


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    assert actual.dtype == expected.dtype
    tolerance = TOLERANCE[expected.dtype]
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


@each_implementation
@each_dtype
@each_shape
def test_rms_norm(kernels: Kernels, dtype: torch.dtype, rows: int, width: int) -> None:
    x, weight = random(rows, width, dtype=dtype), random(width, dtype=dtype, seed=1)
    before = x.clone()
    assert_close(kernels.rms_norm(x, weight, 1e-5), reference.rms_norm(x, weight, 1e-5))
    assert torch.equal(x, before)


@each_implementation
@each_dtype
@each_shape
def test_add_rms_norm(kernels: Kernels, dtype: torch.dtype, rows: int, width: int) -> None:
    x, weight = random(rows, width, dtype=dtype), random(width, dtype=dtype, seed=1)
    residual = random(rows, width, dtype=dtype, seed=2)
    expected_residual = residual.clone()
    expected = reference.add_rms_norm(x.clone(), expected_residual, weight, 1e-5)
    assert_close(kernels.add_rms_norm(x, residual, weight, 1e-5), expected)
    assert torch.equal(residual, expected_residual)


def test_rms_norm_of_zeros_is_zero() -> None:
    x = torch.zeros(2, 20)
    assert torch.equal(cpu.rms_norm(x, torch.ones(20), 1e-6), x)


@each_implementation
@each_dtype
@each_shape
def test_silu_and_mul(kernels: Kernels, dtype: torch.dtype, rows: int, width: int) -> None:
    gate_up = random(rows, 2 * width, dtype=dtype)
    assert_close(kernels.silu_and_mul(gate_up), reference.silu_and_mul(gate_up))


@each_implementation
def test_silu_of_extreme_gates(kernels: Kernels) -> None:
    gates = torch.tensor([-1e4, -200.0, -88.5, -30.0, -0.0, 0.0, 30.0, 200.0, 1e4])
    gate_up = torch.cat((gates, torch.ones_like(gates)))[None]
    expected = torch.nn.functional.silu(gates.double()).float()[None]
    torch.testing.assert_close(kernels.silu_and_mul(gate_up), expected, atol=1e-30, rtol=1e-5)


@each_implementation
@each_dtype
@pytest.mark.parametrize(
    ("heads", "kv_heads", "dim", "rotary_dim", "normed"),
    [(4, 2, 16, 16, False), (3, 1, 6, 6, True), (2, 2, 20, 8, False), (4, 4, 64, 64, True)],
)
@pytest.mark.parametrize("tokens", [1, 5, 130])
def test_rope_store_kv(
    kernels: Kernels,
    dtype: torch.dtype,
    heads: int,
    kv_heads: int,
    dim: int,
    rotary_dim: int,
    normed: bool,
    tokens: int,
) -> None:
    generator = torch.Generator().manual_seed(3)
    positions = torch.randint(0, 50, (tokens,), generator=generator)
    slots = torch.randperm(tokens + 9, generator=generator)[:tokens]
    cos_sin = torch.randn((50, rotary_dim), generator=generator)
    norms = [random(dim, dtype=dtype, seed=seed) if normed else None for seed in (4, 5)]
    results = []
    for module in (reference, kernels):
        projected = random(tokens, heads + 2 * kv_heads, dim, dtype=dtype)
        query, key, value = projected.split((heads, kv_heads, kv_heads), dim=1)
        pools = [torch.zeros((tokens + 9, kv_heads, dim), dtype=dtype) for _ in range(2)]
        module.rope_store_kv(
            query, key, value, positions, cos_sin, *pools, slots, query_norm=norms[0], key_norm=norms[1], eps=1e-6
        )
        results.append((query, *pools))
    for expected, actual in zip(*results, strict=True):
        tolerance = 10 * TOLERANCE[dtype]
        torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", ["positions", "slots"])
def test_rope_refuses_indices_with_gaps(name: str) -> None:
    projected = random(3, 4, 8, dtype=torch.float32)
    query, key, value = projected.split((2, 1, 1), dim=1)
    indices = {"positions": torch.arange(3), "slots": torch.arange(3)}
    indices[name] = torch.arange(6)[::2]
    pools = [torch.zeros(6, 1, 8) for _ in range(2)]
    with pytest.raises(ValueError, match=name):
        cpu.rope_store_kv(
            query, key, value, indices["positions"], torch.ones(3, 8), *pools, indices["slots"], query_norm=None
        )


@each_implementation
@each_dtype
def test_store_kv(kernels: Kernels, dtype: torch.dtype) -> None:
    key, value = random(5, 2, 6, dtype=dtype), random(5, 2, 6, dtype=dtype, seed=1)
    slots = torch.tensor([7, 0, 3, 9, 4])
    pools = [torch.zeros(10, 2, 6, dtype=dtype) for _ in range(2)]
    kernels.store_kv(key, value, *pools, slots)
    assert torch.equal(pools[0][slots], key)
    assert torch.equal(pools[1][slots], value)
    assert all((pool != 0).any(dim=(1, 2)).sum() == 5 for pool in pools)


def test_bfloat16_rounds_to_nearest_even() -> None:
    """The stored residual must be the bits that torch would have written."""
    values = torch.arange(0x3F80_0000, 0x3F80_0000 + 0x30000, 0x777, dtype=torch.int32).view(torch.float32)
    halves = values.bfloat16()
    residual = halves.clone()[None]
    x = torch.full_like(residual, 2.0**-9)
    expected = (residual.float() + x.float()).bfloat16()
    cpu.add_rms_norm(x, residual, torch.ones_like(residual[0]), 1e-5)
    assert torch.equal(residual, expected)


def test_kernels_are_chosen_by_device() -> None:
    assert kernels_for(torch.device("cpu")) is cpu
    with pytest.raises(ConfigError, match="meta"):
        kernels_for(torch.device("meta"))
