"""Keys and values in 8 bits: what is stored, and attention over it, against the plain-torch reference."""

import pytest
import torch

from slipform.kernels import cpu, reference
from slipform.kernels import gpu as kernels
from tests.kernels.test_attention import CASES, Case, inputs
from tests.kernels.test_gpu_attention import GPU_CASES, TOLERANCE

# What rounding to three bits of mantissa leaves of an attention's result, root mean square, at most.
LOSS = 0.04
INTERPRETED = ("decode", "window over tiles", "all at once", "tiles of many rows")


def rows(device: torch.device, tokens: int, heads: int, dim: int, seed: int) -> torch.Tensor:
    """Random rows. Triton's interpreter drops the carry when it rounds to 8 bits: there, rows that need no rounding."""
    values = torch.randn((tokens, heads, dim), generator=torch.Generator().manual_seed(seed)) * 3
    if device.type == "cpu":
        values = values.clamp(-7, 7).to(torch.float8_e4m3fn).float()
        values[..., 0] = 7.0
    return values


def stored(kv: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return kv.float() * scales[..., None]


@pytest.mark.parametrize("with_rope", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_stores_what_the_reference_does(gpu: torch.device, dtype: torch.dtype, with_rope: bool) -> None:
    tokens, heads, dim, num_slots = 7, 3, 20, 16
    slots = torch.randperm(num_slots, generator=torch.Generator().manual_seed(1))[:tokens]
    key, value = (rows(gpu, tokens, heads, dim, seed).to(dtype) for seed in (2, 3))
    key[2] = 0
    value[4, 1] *= 1e-3
    # Turned by nothing or by a right angle, so that the rows of the interpreter still need no rounding.
    angles = torch.tensor([[1.0] * 4 + [0.0] * 4, [0.0] * 4 + [1.0] * 4])
    positions = torch.arange(tokens) % 2
    results = []
    for module, device in ((reference, torch.device("cpu")), (kernels, gpu)):
        pools = [torch.zeros((num_slots, heads, dim), device=device).to(torch.float8_e4m3fn) for _ in range(2)]
        scales = torch.full((2, num_slots, heads), -1.0, device=device)
        moved = [tensor.clone().to(device) for tensor in (key, value)]
        if with_rope:
            query = torch.ones((tokens, 2, dim), dtype=dtype, device=device)
            module.rope_store_kv(
                query, *moved, positions.to(device), angles.to(device), *pools, slots.to(device), kv_scales=scales
            )
        else:
            module.store_kv(*moved, *pools, slots.to(device), kv_scales=scales)
        results.append((*(pool.cpu() for pool in pools), scales.cpu()))
    (keys, values, scales), (found_keys, found_values, found_scales) = results
    torch.testing.assert_close(found_scales, scales, atol=0, rtol=1e-6)
    assert (scales[:, [slot for slot in range(num_slots) if slot not in slots.tolist()]] == -1).all()
    # A quotient's last bit may fall to either side of a border between two numbers of the format.
    for found, expected, scale in ((found_keys, keys, scales[0]), (found_values, values, scales[1])):
        torch.testing.assert_close(stored(found, scale), stored(expected, scale), atol=0, rtol=1 / 8)
        assert (found.view(torch.uint8) != expected.view(torch.uint8)).float().mean() < 0.01


def test_nothing_is_stored_for_padding(gpu: torch.device) -> None:
    pools = [torch.ones((3, 1, 8), device=gpu).to(torch.float8_e4m3fn) for _ in range(2)]
    scales = torch.full((2, 3, 1), 5.0, device=gpu)
    ones = torch.ones((2, 1, 8), device=gpu)
    kernels.store_kv(ones, ones, *pools, torch.tensor([-1, 1], device=gpu), kv_scales=scales)
    assert (scales[:, [0, 2]] == 5).all()
    assert (scales[:, 1] != 5).all()
    assert all((pool[[0, 2]].float() == 1).all() for pool in pools)


def quantised(case: Case, dtype: torch.dtype) -> tuple[list[torch.Tensor], dict[str, object]]:
    """Arguments of `attention` over pools in 8 bits. What nobody owns is NaN, its scale too."""
    arguments, options = inputs(case, dtype)
    query, keys, values, *tables = arguments
    owned = torch.nonzero(~keys.isnan().any(dim=-1).any(dim=-1))[:, 0]
    pools = [torch.full(pool.shape, float("nan")).to(torch.float8_e4m3fn) for pool in (keys, values)]
    scales = torch.full((2, *keys.shape[:2]), float("nan"))
    reference.store_kv(keys[owned], values[owned], *pools, owned, kv_scales=scales)
    return [query, *pools, *tables], {**options, "kv_scales": scales}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", GPU_CASES)
def test_attention_equals_reference(gpu: torch.device, dtype: torch.dtype, name: str) -> None:
    if gpu.type == "cpu" and (name not in INTERPRETED or dtype is not torch.float32):
        pytest.skip("runs on a GPU")
    arguments, options = quantised(GPU_CASES[name], dtype)
    expected = reference.attention(*arguments, **options)
    moved = {name: value.to(gpu) if isinstance(value, torch.Tensor) else value for name, value in options.items()}
    actual = kernels.attention(*(tensor.to(gpu) for tensor in arguments), **moved).cpu()
    torch.testing.assert_close(actual, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", ["decode", "prefill", "head size 128"])
def test_loses_little(name: str) -> None:
    exact_arguments, exact_options = inputs(CASES[name], torch.float32)
    exact = reference.attention(*exact_arguments, **exact_options)
    arguments, options = quantised(CASES[name], torch.float32)
    error = (reference.attention(*arguments, **options) - exact).norm() / exact.norm()
    assert 0 < error < LOSS


def test_refuses_what_it_would_misread(gpu: torch.device) -> None:
    arguments, options = quantised(CASES["decode"], torch.float32)
    arguments = [tensor.to(gpu) for tensor in arguments]
    scales = options.pop("kv_scales")
    assert isinstance(scales, torch.Tensor)
    with pytest.raises(ValueError, match="key_pool"):
        kernels.attention(*arguments, **options)
    with pytest.raises(ValueError, match="kv_scales"):
        kernels.attention(*arguments, **options, kv_scales=scales[:1].contiguous().to(gpu))
    exact = [tensor.to(gpu) for tensor in inputs(CASES["decode"], torch.float32)[0]]
    with pytest.raises(ValueError, match="key_pool"):
        kernels.attention(*exact, **options, kv_scales=scales.to(gpu))
    with pytest.raises(ValueError, match="kv_scales"):
        cpu.attention(*(tensor.cpu() for tensor in arguments), **options, kv_scales=scales)
