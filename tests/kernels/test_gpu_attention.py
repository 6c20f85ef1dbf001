"""Triton's attention over slots against the plain-torch reference, with and without splits of the keys."""

from dataclasses import replace

import pytest
import torch

from slipform.kernels import reference
from slipform.kernels.attention_plan import AttentionPlan, TileSizes, count_tiles, plan_attention
from slipform.kernels.gpu import attention
from tests.kernels.test_attention import CASES, Case, inputs

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2, torch.float16: 4e-3}
# Beside the CPU's cases: runs that take tiles of many rows, and head sizes beyond a power of two.
GPU_CASES = {
    **CASES,
    "tiles of many rows": Case(((70, 150), (1, 90), (35, 35)), num_heads=8, num_kv_heads=2, head_dim=32),
    "head size 96": Case(((1, 70), (9, 20)), head_dim=96),
    "head size 256": Case(((1, 70), (9, 20)), head_dim=256),
    "group of seven": Case(((1, 70), (40, 50)), num_heads=14, num_kv_heads=2),
}
# Triton's interpreter is slow, and multiplies matrices of bfloat16 as if they were integers.
INTERPRETED = {
    torch.float32: {
        "mixed with a sequence that has nothing to do", "multi-query, odd head size", "head size 80",
        "window over tiles", "softcap", "all at once", "tiles of many rows", "head size 256", "group of seven",
    },
    torch.bfloat16: set(),
    torch.float16: {"decode"},
}  # fmt: skip


def run(case: Case, dtype: torch.dtype, device: torch.device, plan: AttentionPlan | None = None) -> torch.Tensor:
    arguments, options = inputs(case, dtype)
    moved = [tensor.to(device) for tensor in arguments]
    if case.alibi:
        options["alibi_slopes"] = options["alibi_slopes"].to(device)  # type: ignore[attr-defined]
    return attention(*moved, **options, plan=plan).cpu()


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", GPU_CASES)
def test_equals_reference(gpu: torch.device, dtype: torch.dtype, name: str) -> None:
    if gpu.type == "cpu" and name not in INTERPRETED[dtype]:
        pytest.skip("runs on a GPU")
    case = GPU_CASES[name]
    arguments, options = inputs(case, dtype)
    expected = reference.attention(*arguments, **options)
    actual = run(case, dtype, gpu)
    assert actual.dtype == dtype
    torch.testing.assert_close(actual, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("num_splits", [1, 2, 8])
@pytest.mark.parametrize("name", ["decode", "window over tiles", "all at once"])
def test_splits_and_padding_do_not_change_the_result(gpu: torch.device, name: str, num_splits: int) -> None:
    case = GPU_CASES[name]
    arguments, options = inputs(case, torch.float32)
    expected = reference.attention(*arguments, **options)
    sizes = TileSizes.for_group(case.num_heads // case.num_kv_heads)
    tiles = torch.from_numpy(count_tiles([extend for extend, _ in case.lengths], sizes.few))
    padded = torch.cat((tiles, torch.full((2, 3), -1, dtype=torch.int32)), dim=1).contiguous().to(gpu)
    none = torch.empty((2, 0), dtype=torch.int32, device=gpu)
    plan = AttentionPlan(padded, none, sizes, num_splits)
    torch.testing.assert_close(run(case, torch.float32, gpu, plan), expected, atol=2e-5, rtol=2e-5)


def test_rows_of_the_table_may_lie_anywhere(gpu: torch.device) -> None:
    case = GPU_CASES["prefill"]
    arguments, options = inputs(case, torch.float32)
    expected = reference.attention(*arguments, **options)
    order = torch.tensor([4, 1, 3], dtype=torch.int32)
    table = torch.full((6, arguments[3].shape[1]), 1 << 30, dtype=torch.int32)
    table[order.long()] = arguments[3]
    moved = [tensor.to(gpu) for tensor in (*arguments[:3], table, *arguments[4:])]
    lens = [extend for extend, _ in case.lengths]
    plan = plan_attention(lens, group=2, num_kv_heads=2, device=gpu, slot_rows=order.to(gpu))
    torch.testing.assert_close(attention(*moved, **options, plan=plan).cpu(), expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize(("group", "few", "many"), [(1, 16, 128), (3, 4, 32), (4, 4, 32), (8, 2, 16), (32, 1, 4)])
def test_tiles_cover_every_query_once(group: int, few: int, many: int) -> None:
    assert TileSizes.for_group(group) == TileSizes(few, many)
    for size in (few, many):
        lens = [1, 0, 7, 33, 129]
        covered = [
            (sequence, query)
            for sequence, first in count_tiles(lens, size).T.tolist()
            for query in range(first, min(first + size, lens[sequence]))
        ]
        assert covered == [(sequence, query) for sequence, length in enumerate(lens) for query in range(length)]


@pytest.mark.parametrize(
    ("name", "position", "change"),
    [
        ("query", 0, lambda t: t.double()),
        ("query", 0, lambda t: t.transpose(0, 1).contiguous().transpose(0, 1)),
        ("key_pool", 1, lambda t: t.bfloat16()),
        ("value_pool", 2, lambda t: t.transpose(0, 1).contiguous().transpose(0, 1)),
        ("slot_table", 3, lambda t: t.long()),
        ("seq_lens", 5, lambda t: t.repeat_interleave(2)[::2]),
    ],
)
def test_refuses_what_it_would_misread(gpu: torch.device, name: str, position: int, change: object) -> None:
    arguments, options = inputs(replace(CASES["decode"], num_kv_heads=2), torch.float32)
    changed = [tensor.to(gpu) for tensor in arguments]
    changed[position] = change(changed[position])  # type: ignore[operator]
    with pytest.raises(ValueError, match=name):
        attention(*changed, **options)
