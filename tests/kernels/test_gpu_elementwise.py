"""Triton's norms, rotary embedding with the KV store, and SiLU against their plain-torch references."""

import pytest
import torch

from slipform.kernels import gpu as kernels
from slipform.kernels import reference
from slipform.kernels.triton_gemv import GemvShape, gemv

TOLERANCE = {torch.float32: 4e-6, torch.bfloat16: 2e-2}

each_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
each_shape = pytest.mark.parametrize(("rows", "width"), [(1, 1), (3, 37), (5, 64), (40, 2100)])


def random(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3).to(dtype)


def assert_close(actual: torch.Tensor, expected: torch.Tensor, factor: float = 1.0) -> None:
    assert actual.dtype == expected.dtype
    tolerance = TOLERANCE[expected.dtype] * factor
    torch.testing.assert_close(actual.cpu(), expected, atol=tolerance, rtol=tolerance)


@each_dtype
@each_shape
def test_rms_norm(gpu: torch.device, dtype: torch.dtype, rows: int, width: int) -> None:
    x, weight = random(rows, width, dtype=dtype), random(width, dtype=dtype, seed=1)
    moved = x.clone().to(gpu)
    assert_close(kernels.rms_norm(moved, weight.to(gpu), 1e-5), reference.rms_norm(x, weight, 1e-5))
    assert torch.equal(moved.cpu(), x)


@each_dtype
@each_shape
def test_add_rms_norm(gpu: torch.device, dtype: torch.dtype, rows: int, width: int) -> None:
    x, weight = random(rows, width, dtype=dtype), random(width, dtype=dtype, seed=1)
    residual = random(rows, width, dtype=dtype, seed=2)
    moved = residual.clone().to(gpu)
    actual = kernels.add_rms_norm(x.clone().to(gpu), moved, weight.to(gpu), 1e-5)
    assert_close(actual, reference.add_rms_norm(x.clone(), residual, weight, 1e-5))
    if gpu.type == "cpu":  # Triton's interpreter cuts bfloat16 off instead of rounding
        assert_close(moved, residual)
    else:
        assert torch.equal(moved.cpu(), residual)


@each_dtype
@each_shape
def test_silu_and_mul(gpu: torch.device, dtype: torch.dtype, rows: int, width: int) -> None:
    gate_up = random(rows, 2 * width, dtype=dtype)
    gate_up[0, 0] = -100.0
    assert_close(kernels.silu_and_mul(gate_up.to(gpu)), reference.silu_and_mul(gate_up))


@each_dtype
@pytest.mark.parametrize(
    ("heads", "kv_heads", "dim", "rotary_dim", "normed"),
    [(4, 2, 16, 16, False), (3, 1, 6, 6, True), (2, 2, 20, 8, False), (2, 2, 20, 8, True), (9, 5, 64, 64, True)],
)
def test_rope_store_kv(
    gpu: torch.device, dtype: torch.dtype, heads: int, kv_heads: int, dim: int, rotary_dim: int, normed: bool
) -> None:
    generator = torch.Generator().manual_seed(3)
    tokens = 7
    positions = torch.randint(0, 50, (tokens,), generator=generator)
    slots = torch.randperm(tokens + 9, generator=generator)[:tokens]
    cos_sin = torch.randn((50, rotary_dim), generator=generator)
    norms = [random(dim, dtype=dtype, seed=seed) if normed else None for seed in (4, 5)]
    results = []
    for module, device in ((reference, torch.device("cpu")), (kernels, gpu)):
        projected = random(tokens, heads + 2 * kv_heads, dim, dtype=dtype).to(device)
        query, key, value = projected.split((heads, kv_heads, kv_heads), dim=1)
        pools = [torch.zeros((tokens + 9, kv_heads, dim), dtype=dtype, device=device) for _ in range(2)]
        module.rope_store_kv(
            query, key, value, positions.to(device), cos_sin.to(device), *pools, slots.to(device),
            query_norm=None if norms[0] is None else norms[0].to(device),
            key_norm=None if norms[1] is None else norms[1].to(device), eps=1e-6,
        )  # fmt: skip
        results.append((query, *pools))
    for expected, actual in zip(*results, strict=True):
        assert_close(actual, expected, factor=10)


def test_rope_stores_nothing_for_padding(gpu: torch.device) -> None:
    projected = random(2, 4, 8, dtype=torch.float32).to(gpu)
    query, key, value = projected.split((2, 1, 1), dim=1)
    pools = [torch.full((3, 1, 8), 5.0, device=gpu) for _ in range(2)]
    slots = torch.tensor([-1, 1], device=gpu)
    kernels.rope_store_kv(query, key, value, torch.zeros(2, dtype=torch.int64, device=gpu), torch.ones((1, 8), device=gpu), *pools, slots)  # fmt: skip # noqa: E501
    for pool in pools:
        assert (pool[[0, 2]] == 5).all()
        assert (pool[1] != 5).all()


@each_dtype
def test_store_kv(gpu: torch.device, dtype: torch.dtype) -> None:
    # As transformers' models hand them over: heads before tokens in memory.
    key, value = (random(2, 5, 6, dtype=dtype, seed=seed).transpose(0, 1) for seed in (0, 1))
    slots = torch.tensor([7, 0, -1, 9, 4])
    pools = [torch.zeros(10, 2, 6, dtype=dtype, device=gpu) for _ in range(2)]
    kernels.store_kv(key.to(gpu), value.to(gpu), *pools, slots.to(gpu))
    stored = slots >= 0
    assert torch.equal(pools[0].cpu()[slots[stored]], key[stored])
    assert torch.equal(pools[1].cpu()[slots[stored]], value[stored])
    assert all((pool != 0).any(dim=(1, 2)).sum() == 4 for pool in pools)


def test_refuses_gaps_and_other_dtypes(gpu: torch.device) -> None:
    x, weight = torch.ones((4, 8), device=gpu), torch.ones(8, device=gpu)
    with pytest.raises(ValueError, match="x"):
        kernels.rms_norm(x[:, ::2], weight[:4], 1e-5)
    with pytest.raises(ValueError, match="weight"):
        kernels.rms_norm(x, weight.bfloat16(), 1e-5)
    with pytest.raises(ValueError, match="gate_up"):
        kernels.silu_and_mul(x[:, ::2])


@each_dtype
@pytest.mark.parametrize("tokens", [1, 2, 3, 4])
@pytest.mark.parametrize("has_bias", [False, True])
def test_gemv(gpu: torch.device, dtype: torch.dtype, tokens: int, has_bias: bool) -> None:
    x, weight = random(tokens, 300, dtype=dtype), random(37, 300, dtype=dtype, seed=1)
    bias = random(37, dtype=dtype, seed=2) if has_bias else None
    exact = torch.nn.functional.linear(x.double(), weight.double(), None if bias is None else bias.double())
    for shape in (GemvShape(8, 512, 4), GemvShape(4, 128, 4)):
        found = gemv(x.to(gpu), weight.to(gpu), None if bias is None else bias.to(gpu), shape)
        assert found.dtype == dtype
        error = (found.cpu().double() - exact).norm() / exact.norm()
        assert error < (1e-6 if dtype is torch.float32 else 5e-3)


def test_gemv_refuses_more_rows(gpu: torch.device) -> None:
    with pytest.raises(ValueError, match="x: 5 rows"):
        gemv(torch.ones((5, 8), device=gpu), torch.ones((2, 8), device=gpu), None, GemvShape(2, 128, 4))
