"""Attention that reads common keys once for several sequences, against the plain-torch reference."""

import pytest
import torch

from slipform.kernels import reference
from slipform.kernels.attention_plan import AttentionSettings, TileSizes
from slipform.kernels.gpu import attention

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2, torch.float16: 4e-3}
# Groups of sequences: length of the common prefix, then (queries, tokens of one's own, queries included) of each.
Groups = list[tuple[int, list[tuple[int, int]]]]
CASES: dict[str, Groups] = {
    "decode": [(70, [(1, 1), (1, 5), (1, 40), (1, 2), (1, 9)])],
    "forced runs of several tokens": [(33, [(3, 3), (1, 9), (7, 20), (5, 5)])],
    "two groups and strangers": [(40, [(1, 3)] * 7), (0, [(2, 30), (1, 1)]), (65, [(1, 8), (2, 2)])],
    "beside a prompt": [(50, [(1, 4), (1, 4), (1, 7)]), (0, [(40, 45)])],
    "more tokens than a tile takes": [(20, [(1, 1 + n % 3) for n in range(40)])],
}
# Triton's interpreter multiplies matrices of bfloat16 as if they were integers.
DTYPES = list(TOLERANCE) if torch.cuda.is_available() else [torch.float32]


class Batch:
    """Random queries, keys and values; sequences of a group begin with the same slots."""

    def __init__(self, groups: Groups, *, heads: int, kv_heads: int, dim: int, dtype: torch.dtype) -> None:
        generator = torch.Generator().manual_seed(0)
        lens = [(extend, prefix + own) for prefix, members in groups for extend, own in members]
        num_slots = sum(prefix + sum(own for _, own in members) for prefix, members in groups)
        slots = iter(torch.randperm(num_slots, generator=generator).tolist())
        self.extend_lens = [extend for extend, _ in lens]
        self.table = torch.zeros((len(lens), max(total for _, total in lens)), dtype=torch.int32)
        self.prefixes: list[tuple[list[int], int]] = []
        row = 0
        for prefix, members in groups:
            common = [next(slots) for _ in range(prefix)]
            if prefix:
                self.prefixes.append((list(range(row, row + len(members))), prefix))
            for _, own in members:
                self.table[row, : prefix + own] = torch.tensor([*common, *(next(slots) for _ in range(own))])
                row += 1
        tokens = sum(self.extend_lens)
        self.query, self.keys, self.values = (
            torch.randn(shape, generator=generator).to(dtype)
            for shape in ((tokens, heads, dim), (num_slots, kv_heads, dim), (num_slots, kv_heads, dim))
        )
        self.cu_seqlens = torch.tensor([0, *self.extend_lens], dtype=torch.int32).cumsum(0, dtype=torch.int32)
        self.seq_lens = torch.tensor([total for _, total in lens], dtype=torch.int32)

    def tensors(self, device: torch.device) -> list[torch.Tensor]:
        every = (self.query, self.keys, self.values, self.table, self.cu_seqlens, self.seq_lens)
        return [tensor.to(device) for tensor in every]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_equals_reference(gpu: torch.device, dtype: torch.dtype, name: str) -> None:
    batch = Batch(CASES[name], heads=8, kv_heads=2, dim=32, dtype=dtype)
    expected = reference.attention(*batch.tensors(torch.device("cpu")), scale=0.2)
    settings = AttentionSettings.of_model([(2, 32)], 8)
    plan = settings.plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes)
    assert plan.shared is not None
    found = attention(*batch.tensors(gpu), scale=0.2, plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])
    without = attention(*batch.tensors(gpu), scale=0.2, plan=settings.plan_lens(batch.extend_lens, gpu))
    torch.testing.assert_close(found, without, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize(("heads", "kv_heads", "dim"), [(4, 4, 16), (7, 1, 24), (6, 2, 80)])
def test_heads_of_any_size_and_number(gpu: torch.device, heads: int, kv_heads: int, dim: int) -> None:
    batch = Batch(CASES["two groups and strangers"], heads=heads, kv_heads=kv_heads, dim=dim, dtype=torch.float32)
    expected = reference.attention(*batch.tensors(torch.device("cpu")), scale=0.2, softcap=3.0)
    settings = AttentionSettings.of_model([(kv_heads, dim)], heads)
    plan = settings.plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes)
    found = attention(*batch.tensors(gpu), scale=0.2, softcap=3.0, plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-5, rtol=2e-5)


def test_common_keys_are_read_from_one_row_of_the_table(gpu: torch.device) -> None:
    """Rows of the others may hold anything there: what they would read would be wrong."""
    batch = Batch(CASES["decode"], heads=4, kv_heads=2, dim=16, dtype=torch.float32)
    expected = reference.attention(*batch.tensors(torch.device("cpu")), scale=0.2)
    batch.table[1:, :70] = 0
    plan = AttentionSettings.of_model([(2, 16)], 4).plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes)
    found = attention(*batch.tensors(gpu), scale=0.2, plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("kind", ["window", "slopes"])
def test_common_keys_are_read_for_each_where_their_weight_depends_on_the_position(gpu: torch.device, kind: str) -> None:
    batch = Batch(CASES["decode"], heads=4, kv_heads=2, dim=16, dtype=torch.float32)
    window = 30 if kind == "window" else 0
    slopes = torch.tensor([0.5, 0.25, 0.125, 0.0625]) if kind == "slopes" else None
    tensors = batch.tensors(torch.device("cpu"))
    expected = reference.attention(*tensors, scale=0.2, window=window, alibi_slopes=slopes)
    plan = AttentionSettings.of_model([(2, 16)], 4).plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes)
    slopes = None if slopes is None else slopes.to(gpu)
    found = attention(*batch.tensors(gpu), scale=0.2, window=window, alibi_slopes=slopes, plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-5, rtol=2e-5)


def test_keys_in_8_bits(gpu: torch.device) -> None:
    batch = Batch(CASES["forced runs of several tokens"], heads=4, kv_heads=2, dim=16, dtype=torch.float32)
    query, keys, values, *tables = batch.tensors(torch.device("cpu"))
    small_keys, small_values = (torch.zeros_like(keys).to(torch.float8_e4m3fn) for _ in range(2))
    scales = torch.zeros((2, *keys.shape[:2]))
    reference.store_kv(keys, values, small_keys, small_values, torch.arange(len(keys)), kv_scales=scales)
    tensors = (query, small_keys, small_values, *tables)
    expected = reference.attention(*tensors, scale=0.2, kv_scales=scales)
    plan = AttentionSettings.of_model([(2, 16)], 4).plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes)
    found = attention(*(tensor.to(gpu) for tensor in tensors), scale=0.2, kv_scales=scales.to(gpu), plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-5, rtol=2e-5)


def test_padding_tiles_are_left_alone(gpu: torch.device) -> None:
    batch = Batch(CASES["decode"], heads=4, kv_heads=2, dim=16, dtype=torch.float32)
    expected = reference.attention(*batch.tensors(torch.device("cpu")), scale=0.2)
    settings = AttentionSettings.of_model([(2, 16)], 4)
    shared = settings.plan_lens(batch.extend_lens, gpu, prefixes=batch.prefixes).shared
    assert shared is not None
    count = 3
    tiles = torch.cat((shared.tiles, torch.full((2, count), -1, dtype=torch.int32, device=gpu)), dim=1).contiguous()
    tokens = torch.full((count * settings.sizes.shared,), -1, dtype=torch.int32, device=gpu)
    padded = settings.share(tiles, torch.cat((shared.tokens, tokens)), shared.lens, num_tiles=1)
    plan = settings.plan_lens(batch.extend_lens, gpu)
    plan = settings.plan(plan.few, plan.many, plan.slot_rows, padded)
    found = attention(*batch.tensors(gpu), scale=0.2, plan=plan)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-5, rtol=2e-5)


def test_deterministic_settings_share_nothing() -> None:
    assert AttentionSettings.of_model([(2, 16)], 4).shares_prefixes
    assert not AttentionSettings.of_model([(2, 16)], 4, invariant_up_to=4000).shares_prefixes
    assert TileSizes.for_group(4).shared == 16
