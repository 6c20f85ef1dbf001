"""Attention over slots: our kernel, torch's attention over gathered keys and values, and the memory's ceiling.

    python benchmarks/bench_attention.py

torch's side gathers the slots into (B, Hkv, S, D) and calls scaled_dot_product_attention, as an engine without a kernel
of its own would. Results are compared with the plain-torch reference before anything is timed. The ceiling is the time
to read the keys and values once.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from bench_step import read_seconds
from common import measure_in_turn, print_result, print_table

from slipform.kernels import reference
from slipform.kernels.interface import kernels_for

TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 2e-2}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    num_sequences: int
    extend_len: int
    seq_len: int


CASES = (
    Case("decode", 1, 1, 300),
    Case("decode", 16, 1, 300),
    Case("decode, long", 4, 1, 4000),
    Case("extend after a cached prefix", 4, 16, 1000),
    Case("prefill", 1, 512, 512),
)


@dataclass(frozen=True, slots=True)
class Inputs:
    query: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    table: torch.Tensor
    cu_seqlens: torch.Tensor
    seq_lens: torch.Tensor


def make_inputs(case: Case, heads: int, kv_heads: int, dim: int, dtype: torch.dtype) -> Inputs:
    slots = torch.randperm(case.num_sequences * case.seq_len)
    pool_shape = (len(slots), kv_heads, dim)
    return Inputs(
        query=torch.randn(case.num_sequences * case.extend_len, heads, dim).to(dtype),
        keys=torch.randn(pool_shape).to(dtype),
        values=torch.randn(pool_shape).to(dtype),
        table=slots.to(torch.int32).view(case.num_sequences, case.seq_len),
        cu_seqlens=torch.arange(case.num_sequences + 1, dtype=torch.int32) * case.extend_len,
        seq_lens=torch.full((case.num_sequences,), case.seq_len, dtype=torch.int32),
    )


def gathered(inputs: Inputs, case: Case) -> torch.Tensor:
    """torch's attention; a mask where queries follow a prefix. Returns (T, Hq, D)."""
    shape = (case.num_sequences, case.seq_len, *inputs.keys.shape[1:])
    flat = inputs.table.flatten().long()
    keys = inputs.keys.index_select(0, flat).view(shape).transpose(1, 2)
    values = inputs.values.index_select(0, flat).view(shape).transpose(1, 2)
    query = inputs.query.view(case.num_sequences, case.extend_len, *inputs.query.shape[1:]).transpose(1, 2)
    mask = None
    if 1 < case.extend_len < case.seq_len:
        past = case.seq_len - case.extend_len
        mask = torch.ones(case.extend_len, case.seq_len, dtype=torch.bool).tril(past)
    out = torch.nn.functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, is_causal=case.extend_len == case.seq_len, enable_gqa=True
    )
    return out.transpose(1, 2).flatten(0, 1)


@torch.inference_mode()
def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--kv-heads", type=int, default=2)
    parser.add_argument("--head-dim", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args(arguments)
    kernels = kernels_for(torch.device("cpu"))
    torch.manual_seed(0)
    rows, figures = [], {}
    for dtype, tolerance in TOLERANCE.items():
        for case in CASES:
            inputs = make_inputs(case, options.heads, options.kv_heads, options.head_dim, dtype)
            tensors = (inputs.query, inputs.keys, inputs.values, inputs.table, inputs.cu_seqlens, inputs.seq_lens)
            scale = options.head_dim**-0.5

            def ours(tensors: tuple[torch.Tensor, ...] = tensors, scale: float = scale, case: Case = case) -> object:
                return kernels.attention(*tensors, scale=scale, max_extend_len=case.extend_len)

            def theirs(inputs: Inputs = inputs, case: Case = case) -> object:
                return gathered(inputs, case)

            expected = reference.attention(*tensors, scale=scale)
            for actual in (ours(), theirs()):
                torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)
            times = measure_in_turn({"ours": ours, "torch": theirs}, repeats=options.repeats, warmup=3)
            mine, other = times["ours"].median * 1e3, times["torch"].median * 1e3
            ceiling = read_seconds(inputs.keys.nbytes + inputs.values.nbytes) * 1e3
            kind = str(dtype).removeprefix("torch.")
            label = f"{case.name}: {case.num_sequences} x {case.extend_len} of {case.seq_len}"
            rows.append((kind, label, f"{mine:.3f}", f"{other:.3f}", f"{other / mine:.2f}", f"{ceiling / mine:.0%}"))
            figures[f"{kind}: {label}"] = {"ms": round(mine, 4), "ratio": round(other / mine, 3)}
    columns = ("dtype", "case", "ours, ms", "gather + torch, ms", "ratio", "of reading K and V once")
    print_table(f"Attention, {options.heads}/{options.kv_heads} heads of {options.head_dim}", columns, rows)
    print_result(figures, vars(options))


if __name__ == "__main__":
    main()
