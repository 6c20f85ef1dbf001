"""Kernels whose results do not depend on the batch: the same bits for a row in any company, in any division."""

import pytest
import torch

from slipform.kernels import reference
from slipform.kernels.attention_plan import AttentionSettings
from slipform.kernels.gpu import attention
from slipform.kernels.triton_matmul import FEW_ROWS, MANY_ROWS, WIDE, matmul

# Triton's interpreter multiplies matrices of bfloat16 as if they were integers.
DTYPES = [torch.float32, torch.bfloat16] if torch.cuda.is_available() else [torch.float32]
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def random(*shape: int, seed: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@each_dtype
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(("tokens", "inputs", "outputs"), [(1, 64, 32), (3, 70, 37), (150, 128, 130)])
def test_product_is_right(
    gpu: torch.device, dtype: torch.dtype, tokens: int, inputs: int, outputs: int, has_bias: bool
) -> None:
    x, weight = random(tokens, inputs, seed=0, dtype=dtype), random(outputs, inputs, seed=1, dtype=dtype)
    bias = random(outputs, seed=2, dtype=dtype) if has_bias else None
    exact = torch.nn.functional.linear(x.double(), weight.double(), None if bias is None else bias.double())
    for shape in (WIDE,) if dtype is torch.float32 else (FEW_ROWS, MANY_ROWS):
        found = matmul(x.to(gpu), weight.to(gpu), None if bias is None else bias.to(gpu), shape)
        assert found.dtype == dtype
        error = (found.cpu().double() - exact).norm() / exact.norm()
        assert error < (1e-6 if dtype is torch.float32 else 5e-3)


@each_dtype
def test_rows_of_a_product_are_the_same_in_any_number(gpu: torch.device, dtype: torch.dtype) -> None:
    inputs, outputs = (4096, 512) if gpu.type == "cuda" else (100, 40)
    x, weight = (random(n, inputs, seed=n, dtype=dtype).to(gpu) for n in (200, outputs))
    shape = WIDE if dtype is torch.float32 else FEW_ROWS
    together = matmul(x, weight, None, shape)
    for rows in (slice(0, 1), slice(1, 2), slice(30, 47), slice(63, 128), slice(199, 200)):
        assert torch.equal(matmul(x[rows], weight, None, shape), together[rows])


def test_product_refuses_what_it_would_misread(gpu: torch.device) -> None:
    x, weight = torch.ones((2, 8), device=gpu), torch.ones((4, 8), device=gpu)
    with pytest.raises(ValueError, match="weight"):
        matmul(x, weight.half(), None, WIDE)
    with pytest.raises(ValueError, match="contiguous"):
        matmul(x, torch.ones((8, 4), device=gpu).T, None, WIDE)


def attend(
    tensors: tuple[torch.Tensor, ...], lengths: list[tuple[int, int]], rows: list[int], settings: AttentionSettings,
    window: int,
) -> torch.Tensor:  # fmt: skip
    """Attention of a batch: `lengths[i]` are the queries, its last, and the tokens of sequence `rows[i]`."""
    query, keys, values, table = tensors
    device = query.device
    last = [query[row, end - extend : end] for row, (extend, end) in zip(rows, lengths, strict=True)]
    extend_lens = torch.tensor([0, *(extend for extend, _ in lengths)], dtype=torch.int32)
    return attention(
        torch.cat(last), keys, values, table,
        extend_lens.cumsum(0, dtype=torch.int32).to(device),
        torch.tensor([end for _, end in lengths], dtype=torch.int32, device=device),
        scale=query.shape[-1] ** -0.5, window=window,
        plan=settings.plan_lens(
            extend_lens[1:].tolist(), device, torch.tensor(rows, dtype=torch.int32, device=device)
        ),
    )  # fmt: skip


@each_dtype
@pytest.mark.parametrize("window", [0, 21])
def test_attention_of_a_token_is_the_same_in_any_batch(gpu: torch.device, dtype: torch.dtype, window: int) -> None:
    heads, kv_heads, dim, length = 4, 2, 16, 80
    settings = AttentionSettings.of_model([(kv_heads, dim)], heads, invariant_up_to=4000)
    assert settings.fixed_splits == 2
    # Shorter parts than a model's, so that a short text has several.
    settings = AttentionSettings(settings.sizes, kv_heads, fixed_splits=3, split_len=32)
    query = random(3, length, heads, dim, seed=0, dtype=dtype).to(gpu)
    keys, values = (random(3 * length, kv_heads, dim, seed=seed, dtype=dtype).to(gpu) for seed in (1, 2))
    table = torch.randperm(3 * length, generator=torch.Generator().manual_seed(3)).int().view(3, length).to(gpu)
    tensors = (query, keys, values, table)
    whole = attend(tensors, [(length, length)], [1], settings, window)
    for extend, end in ((1, 1), (1, length), (37, 66)):
        alone = attend(tensors, [(extend, end)], [1], settings, window)
        assert torch.equal(alone, whole[end - extend : end])
        among = attend(tensors, [(5, 40), (extend, end), (1, 17)], [2, 1, 0], settings, window)
        assert torch.equal(among[5 : 5 + extend], alone)
    expected = reference.attention(
        query[1].cpu(), keys.cpu(), values.cpu(), table[1:2].cpu(),
        torch.tensor([0, length]), torch.tensor([length]), scale=dim**-0.5, window=window,
    )  # fmt: skip
    tolerance = 2e-5 if dtype is torch.float32 else 2e-2
    torch.testing.assert_close(whole.cpu(), expected, atol=tolerance, rtol=tolerance)
