"""Attention over slots against its plain-torch reference."""

from dataclasses import dataclass, replace

import pytest
import torch

from slipform.kernels import cpu, reference
from slipform.kernels.interface import Kernels

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2}
IMPLEMENTATIONS = [cpu]


@dataclass(frozen=True)
class Case:
    """(extend_len, seq_len) of each sequence, and the geometry."""

    lengths: tuple[tuple[int, int], ...]
    num_heads: int = 4
    num_kv_heads: int = 2
    head_dim: int = 16
    window: int = 0
    softcap: float = 0.0
    alibi: bool = False


CASES = {
    "decode": Case(((1, 1), (1, 2), (1, 65), (1, 130))),
    "prefill": Case(((1, 1), (17, 17), (70, 70))),
    "mixed with a sequence that has nothing to do": Case(((3, 100), (0, 5), (1, 64), (33, 33), (16, 16))),
    "multi-query, odd head size": Case(((1, 40), (5, 9)), num_heads=3, num_kv_heads=1, head_dim=5),
    "no groups, padded head size": Case(((2, 70), (20, 20)), num_kv_heads=4, head_dim=24),
    "head size 80": Case(((1, 70), (9, 20)), head_dim=80),
    "head size 128": Case(((1, 70), (9, 20)), head_dim=128),
    "window inside a tile": Case(((1, 100), (20, 90), (40, 40)), window=7),
    "window over tiles": Case(((1, 200), (20, 190)), window=70),
    "window longer than the text": Case(((1, 9), (9, 9)), window=64),
    "softcap": Case(((1, 80), (20, 20)), softcap=2.0),
    "alibi": Case(((1, 80), (20, 70)), num_heads=6, num_kv_heads=3, alibi=True),
    "all at once": Case(((1, 80), (20, 70)), window=9, softcap=3.0, alibi=True),
}


def inputs(case: Case, dtype: torch.dtype, seed: int = 0) -> tuple[tuple[torch.Tensor, ...], dict[str, object]]:
    """Arguments of `attention`. Slots are scattered; those nobody owns hold NaN, and the table's rest names no slot."""
    generator = torch.Generator().manual_seed(seed)
    total = sum(seq_len for _, seq_len in case.lengths)
    num_slots = total + 7
    slots = torch.randperm(num_slots, generator=generator)[:total]
    pools = []
    for _ in range(2):
        pool = torch.full((num_slots, case.num_kv_heads, case.head_dim), float("nan"), dtype=dtype)
        pool[slots] = torch.randn((total, *pool.shape[1:]), generator=generator).to(dtype)
        pools.append(pool)
    table = torch.full((len(case.lengths), max(s for _, s in case.lengths) + 2), 1 << 30, dtype=torch.int32)
    start = 0
    for row, (_, seq_len) in zip(table, case.lengths, strict=True):
        row[:seq_len] = slots[start : start + seq_len]
        start += seq_len
    extend_lens = torch.tensor([extend for extend, _ in case.lengths])
    # Queries as models have them: a view into a wider projection.
    wide = torch.randn((int(extend_lens.sum()), case.num_heads + 2, case.head_dim), generator=generator).to(dtype)
    query = wide[:, : case.num_heads]
    cu_seqlens = torch.cat((torch.zeros(1), extend_lens.cumsum(0))).to(torch.int32)
    seq_lens = torch.tensor([seq_len for _, seq_len in case.lengths], dtype=torch.int32)
    options = {
        "scale": case.head_dim**-0.5,
        "window": case.window,
        "softcap": case.softcap,
        "alibi_slopes": torch.rand(case.num_heads, generator=generator) if case.alibi else None,
        "max_extend_len": int(extend_lens.max()),
    }
    return (query, *pools, table, cu_seqlens, seq_lens), options


@pytest.mark.parametrize("kernels", IMPLEMENTATIONS, ids=lambda module: module.__name__.rsplit(".")[-1])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_equals_reference(kernels: Kernels, dtype: torch.dtype, case: Case) -> None:
    arguments, options = inputs(case, dtype)
    expected = reference.attention(*arguments, **options)
    actual = kernels.attention(*arguments, **options)
    assert actual.dtype == dtype
    torch.testing.assert_close(actual, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def test_reference_equals_torch() -> None:
    """The reference itself, on one whole sequence, against torch's attention."""
    (query, keys, values, table, cu_seqlens, seq_lens), options = inputs(Case(((30, 30),)), torch.float32)
    slots = table[0, :30].long()
    expected = torch.nn.functional.scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        keys[slots].transpose(0, 1)[None],
        values[slots].transpose(0, 1)[None],
        is_causal=True,
        enable_gqa=True,
    )
    actual = reference.attention(query, keys, values, table, cu_seqlens, seq_lens, **options)
    torch.testing.assert_close(actual, expected[0].transpose(0, 1))


def test_threads_do_not_change_the_result() -> None:
    arguments, options = inputs(CASES["prefill"], torch.float32)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = cpu.attention(*arguments, **options)
        torch.set_num_threads(2)
        together = cpu.attention(*arguments, **options)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(alone, together)


def test_a_sequence_does_not_see_its_neighbours() -> None:
    case = CASES["mixed with a sequence that has nothing to do"]
    arguments, options = inputs(case, torch.float32)
    query, keys, values, table, cu_seqlens, seq_lens = arguments
    together = cpu.attention(*arguments, **options)
    for index, (extend_len, _) in enumerate(case.lengths):
        begin, end = cu_seqlens[index : index + 2].tolist()
        bounds = torch.tensor([0, extend_len], dtype=torch.int32)
        rows = slice(index, index + 1)
        alone = cpu.attention(query[begin:end], keys, values, table[rows], bounds, seq_lens[rows], **options)
        assert torch.equal(alone, together[begin:end])


def test_large_scores_do_not_overflow() -> None:
    arguments, options = inputs(CASES["decode"], torch.float32)
    options["scale"] = 1e4
    expected = reference.attention(*arguments, **options)
    torch.testing.assert_close(cpu.attention(*arguments, **options), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "position", "change"),
    [
        ("query", 0, lambda t: t.double()),
        ("query", 0, lambda t: t.transpose(0, 1).contiguous().transpose(0, 1)),
        ("key_pool", 1, lambda t: t.bfloat16()),
        ("value_pool", 2, lambda t: t.transpose(0, 1).contiguous().transpose(0, 1)),
        ("slot_table", 3, lambda t: t.long()),
        ("seq_lens", 5, lambda t: t.long()),
        ("seq_lens", 5, lambda t: t.repeat_interleave(2)[::2]),
    ],
)
def test_refuses_what_it_would_misread(name: str, position: int, change: object) -> None:
    arguments, options = inputs(replace(CASES["decode"], num_kv_heads=2), torch.float32)
    changed = list(arguments)
    changed[position] = change(changed[position])  # type: ignore[operator]
    with pytest.raises(ValueError, match=name):
        cpu.attention(*changed, **options)
