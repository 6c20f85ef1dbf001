"""Each GPU kernel over the shapes of an 8-billion-parameter Llama: time, ceiling, and the share of it that is reached.

    python benchmarks/bench_gpu_kernels.py [--only attention,linear,elementwise,sampling]

Results are compared with the plain-torch references first. A time is the median over replays of a recorded run that
takes turns on so many sets of inputs that the caches hold none of them, as the layers of a model do. The ceiling is the
time to move each input and output once at the card's measured read bandwidth, or to multiply at its measured rate for
matrices, whichever is longer.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from common import print_result, print_table
from gpu_ceilings import matrix_rate, read_bandwidth, seconds
from torch import Tensor

from slipform.kernels import reference
from slipform.kernels.attention_plan import AttentionPlan, AttentionSettings
from slipform.kernels.triton_attention import attention
from slipform.kernels.triton_gemv import MAX_ROWS, SHAPES, gemv
from slipform.kernels.triton_matmul import FEW_ROWS, MANY_ROWS, matmul
from slipform.kernels.triton_rms_norm import add_rms_norm
from slipform.kernels.triton_rope import rope_store_kv
from slipform.kernels.triton_sampling import DeviceSamplingTable, make_workspace, sample_rows
from slipform.kernels.triton_silu_and_mul import silu_and_mul
from slipform.runtime.attention_tuning import MANY_SHAPES

HEADS, KV_HEADS, DIM, HIDDEN, INNER, VOCAB = 32, 8, 128, 4096, 14336, 131072
# More than any card's caches hold.
_COLD_BYTES = 400 << 20


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens or sequences, and tokens of context."""

    count: int
    extend: int
    context: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: seconds of one run, bytes moved and operations done at least."""

    kernel: str
    case: str
    seconds: float
    bytes: int
    operations: int = 0


def in_turn(make: Callable[[], Callable[[], object]], size_bytes: int, device: torch.device) -> float:
    """Seconds of one run, over as many sets of inputs as leave the caches cold."""
    copies = max(1, min(64, _COLD_BYTES // max(1, size_bytes))) if device.type == "cuda" else 1
    runs = [make() for _ in range(copies)]
    return seconds(lambda: [run() for run in runs]) / copies


def check(name: str, found: Tensor, expected: Tensor, limit: float = 1e-2) -> None:
    """Raises: SystemExit if a result is wrong: then its time means nothing."""
    error = ((found.float() - expected.float()).norm() / expected.float().norm()).item()
    if not error < limit:
        raise SystemExit(f"{name}: relative error {error:.3g}")


class AttentionInputs:
    """Random queries, and keys and values in scattered slots."""

    def __init__(self, size: Size, device: torch.device, dtype: torch.dtype, *, in_float8: bool) -> None:
        slots = size.count * size.context
        tokens = size.count * size.extend
        self.query = torch.randn((tokens, HEADS, DIM), device=device).to(dtype)
        self.scales: Tensor | None = None
        pools = [torch.randn((slots, KV_HEADS, DIM), device=device).to(dtype) for _ in range(2)]
        if in_float8:
            small = [torch.zeros_like(pool).to(torch.float8_e4m3fn) for pool in pools]
            self.scales = torch.zeros((2, slots, KV_HEADS), device=device)
            everywhere = torch.arange(slots, device=device)
            for begin in range(0, slots, 65536):  # in parts: the reference works in float32
                at = everywhere[begin : begin + 65536]
                reference.store_kv(pools[0][at], pools[1][at], small[0], small[1], at, kv_scales=self.scales)
            pools = small
        self.keys, self.values = pools
        self.table = torch.randperm(slots, device=device).int().view(size.count, size.context)
        self.cu_seqlens = torch.arange(size.count + 1, dtype=torch.int32, device=device) * size.extend
        self.seq_lens = torch.full((size.count,), size.context, dtype=torch.int32, device=device)

    def run(self, plan: AttentionPlan | None, implementation: Callable[..., Tensor] = attention) -> Tensor:
        tables = (self.table, self.cu_seqlens, self.seq_lens)
        options: dict[str, Any] = {"scale": DIM**-0.5, "kv_scales": self.scales, "plan": plan}
        return implementation(self.query, self.keys, self.values, *tables, **options)


class PrefixInputs(AttentionInputs):
    """One query a sequence; the sequences of a group begin with the same slots."""

    def __init__(
        self, groups: int, members: int, common: int, own: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__(Size(groups * members, 1, common + own), device, dtype, in_float8=False)
        by_group = self.table.view(groups, members, common + own)
        by_group[:, :, :common] = by_group[:, :1, :common].clone()


def attention_cases(device: torch.device, dtype: torch.dtype, small: bool) -> Iterator[Measured]:
    sizes = [
        *(Size(batch, 1, context) for batch, context in ((1, 128), (1, 1024), (1, 8192), (8, 8192))),
        *(Size(batch, 1, context) for batch, context in ((32, 1024), (64, 1024), (256, 1024), (64, 4096))),
        *(Size(batch, extend, extend) for batch, extend in ((1, 1024), (8, 1024), (1, 8192))),
        Size(16, 8, 1024), Size(16, 64, 1024),
    ]  # fmt: skip
    if small:
        sizes = [Size(2, 1, 40), Size(2, 40, 60)]
    settings = AttentionSettings.of_model([(KV_HEADS, DIM)], HEADS)
    invariant = AttentionSettings.of_model([(KV_HEADS, DIM)], HEADS, invariant_up_to=8192)
    for size in sizes:
        kinds = [("", False, settings), (", fp8", True, settings), (", det.", False, invariant)]
        if size.extend >= settings.sizes.many_queries:
            kinds += [
                (f", {s.keys} keys, {s.num_warps} warps, {s.num_stages} stages", False, replace(settings, many_shape=s))
                for s in MANY_SHAPES
            ]
        for label, in_float8, plans in kinds:
            inputs = AttentionInputs(size, device, dtype, in_float8=in_float8)
            plan = plans.plan_lens([size.extend] * size.count, device)
            if size.context <= 1024 and size.count <= 64:
                check(f"attention {size}{label}", inputs.run(plan), inputs.run(None, reference.attention), 2e-2)
            kv_bytes = inputs.keys.nbytes + inputs.values.nbytes
            kv_bytes += inputs.scales.nbytes if inputs.scales is not None else 0
            past = size.context - size.extend
            pairs = size.count * (size.extend * past + size.extend * (size.extend + 1) // 2)

            def make(plan: AttentionPlan = plan, size: Size = size, eight: bool = in_float8) -> Callable[[], object]:
                made = AttentionInputs(size, device, dtype, in_float8=eight)
                return lambda: made.run(plan)

            taken = in_turn(make, kv_bytes, device)
            case = f"{size.count} x {size.extend} of {size.context}{label}"
            yield Measured("attention", case, taken, kv_bytes + 2 * inputs.query.nbytes, 4 * DIM * HEADS * pairs)
            del inputs


def prefix_cases(device: torch.device, dtype: torch.dtype, small: bool) -> Iterator[Measured]:
    """Decode steps of sequences with common keys, read by each for itself and once for all of a group."""
    own = 3 if small else 130
    cases = [(1, 64, 1000), (1, 256, 1000), (8, 16, 3000), (1, 8, 1000), (1, 64, 250)]
    settings = AttentionSettings.of_model([(KV_HEADS, DIM)], HEADS)
    for groups, members, common in [(2, 3, 20)] if small else cases:
        count = groups * members
        prefixes = [(range(at, at + members), common) for at in range(0, count, members)]
        label = f"{groups} x {members} of {common} + {own}"
        alone = settings.plan_lens([1] * count, device)
        together = settings.plan_lens([1] * count, device, prefixes=prefixes)
        inputs = PrefixInputs(groups, members, common, own, device, dtype)
        check(f"prefixes {label}", inputs.run(together), inputs.run(alone), 2e-2)
        kv_bytes = 2 * groups * (common + members * own) * KV_HEADS * DIM * dtype.itemsize
        for way, plan in (("alone", alone), ("together", together)):

            def make(plan: AttentionPlan = plan, sizes: tuple[int, ...] = (groups, members, common)) -> Any:
                made = PrefixInputs(*sizes, own, device, dtype)
                return lambda: made.run(plan)

            taken = in_turn(make, kv_bytes, device)
            operations = 4 * DIM * HEADS * count * (common + own)
            yield Measured("prefixes", f"{label}, {way}", taken, kv_bytes + 2 * inputs.query.nbytes, operations)
        del inputs


def linear_cases(device: torch.device, dtype: torch.dtype, small: bool) -> Iterator[Measured]:
    shapes = {
        "qkv": ((HEADS + 2 * KV_HEADS) * DIM, HIDDEN), "output": (HIDDEN, HIDDEN), "gate, up": (2 * INNER, HIDDEN),
        "down": (HIDDEN, INNER), "head": (VOCAB, HIDDEN),
    }  # fmt: skip
    if small:
        shapes = {"small": (40, 64)}
    for name, (outputs, inputs) in shapes.items():
        weight_bytes = outputs * inputs * dtype.itemsize
        for rows in (1, 2, 4, 64, 1024):
            if name == "head" and rows > 64:
                continue
            x = torch.randn((rows, inputs), device=device).to(dtype)
            moved = weight_bytes + x.nbytes + rows * outputs * dtype.itemsize
            kinds: dict[str, Callable[[Tensor], Tensor]] = {
                "cuBLAS": lambda w, x=x: torch.nn.functional.linear(x, w),  # type: ignore[misc]
                "det.": lambda w, x=x, s=FEW_ROWS if rows < 128 else MANY_ROWS: matmul(x, w, None, s),  # type: ignore[misc]
            }
            if rows <= MAX_ROWS:
                kinds["ours"] = _best_gemv(x, outputs, device, dtype)
            for label, run in kinds.items():
                weight = torch.randn((outputs, inputs), device=device).to(dtype)
                exact = torch.nn.functional.linear(x.float(), weight.float())
                check(f"linear {name} {rows} {label}", run(weight), exact)

                def make(
                    run: Callable[[Tensor], Tensor] = run, outputs: int = outputs, inputs: int = inputs
                ) -> Callable[[], object]:
                    weight = torch.randn((outputs, inputs), device=device).to(dtype)
                    return lambda: run(weight)

                taken = in_turn(make, weight_bytes, device)
                yield Measured("linear", f"{name}, {rows} rows, {label}", taken, moved, 2 * rows * outputs * inputs)


def _best_gemv(x: Tensor, outputs: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    weights = [torch.randn((outputs, x.shape[1]), device=device).to(dtype) for _ in range(4)]
    shapes = SHAPES if device.type == "cuda" else SHAPES[:1]
    best = min(shapes, key=lambda shape: seconds(lambda: [gemv(x, weight, None, shape) for weight in weights]))
    return lambda weight: gemv(x, weight, None, best)


def elementwise_cases(device: torch.device, dtype: torch.dtype, small: bool) -> Iterator[Measured]:
    for tokens in (3,) if small else (1, 64, 1024, 8192):
        x, residual = (torch.randn((tokens, HIDDEN), device=device).to(dtype) for _ in range(2))
        weight = torch.randn(HIDDEN, device=device).to(dtype)
        expected = reference.add_rms_norm(x.clone(), residual.clone(), weight, 1e-5)
        check("norm", add_rms_norm(x.clone(), residual.clone(), weight, 1e-5), expected)

        def norm(shape: Sequence[int] = x.shape, weight: Tensor = weight) -> Callable[[], object]:
            a, b = (torch.randn(shape, device=device).to(dtype) for _ in range(2))
            return lambda: add_rms_norm(a, b, weight, 1e-5)

        yield Measured("add + norm", f"{tokens} tokens", in_turn(norm, 3 * x.nbytes, device), 4 * x.nbytes)

        gate_up = torch.randn((tokens, 2 * INNER), device=device).to(dtype)
        check("silu", silu_and_mul(gate_up), reference.silu_and_mul(gate_up))

        def silu(shape: Sequence[int] = gate_up.shape) -> Callable[[], object]:
            a = torch.randn(shape, device=device).to(dtype)
            return lambda: silu_and_mul(a)

        moved = gate_up.nbytes * 3 // 2
        yield Measured("SiLU and multiply", f"{tokens} tokens", in_turn(silu, moved, device), moved)
        for label, in_float8 in (("", False), (", fp8", True)):
            taken = in_turn(lambda t=tokens, f=in_float8: _rope(t, device, dtype, f), gate_up.nbytes, device)  # type: ignore[misc]
            kv = tokens * KV_HEADS * DIM
            moved = 2 * (tokens * HEADS * DIM) * dtype.itemsize + 2 * kv * dtype.itemsize
            moved += 2 * kv * (1 if in_float8 else dtype.itemsize)
            yield Measured("rope + KV store", f"{tokens} tokens{label}", taken, moved)


def _rope(tokens: int, device: torch.device, dtype: torch.dtype, in_float8: bool) -> Callable[[], object]:
    projected = torch.randn((tokens, HEADS + 2 * KV_HEADS, DIM), device=device).to(dtype)
    query, key, value = projected.split((HEADS, KV_HEADS, KV_HEADS), dim=1)
    positions = torch.arange(tokens, dtype=torch.int32, device=device)
    slots = torch.randperm(tokens, device=device).int()
    cos_sin = torch.rand((8192, DIM), device=device)
    pool_dtype = torch.float8_e4m3fn if in_float8 else dtype
    pools = [torch.zeros((tokens, KV_HEADS, DIM), device=device).to(pool_dtype) for _ in range(2)]
    scales = torch.zeros((2, tokens, KV_HEADS), device=device) if in_float8 else None
    return lambda: rope_store_kv(query, key, value, positions, cos_sin, *pools, slots, kv_scales=scales)


def sampling_cases(device: torch.device, dtype: torch.dtype, small: bool) -> Iterator[Measured]:
    vocab = 5000 if small else VOCAB
    words = vocab // 32 + 1
    kinds: dict[str, dict[str, float]] = {
        "greedy": {"temperature": 0.0}, "temperature 1": {}, "top-p 0.9": {"top_p": 0.9}, "top-k 50": {"top_k": 50},
    }  # fmt: skip
    for batch in (2,) if small else (1, 8, 64, 256):
        for label, values in kinds.items():
            for masked in (False, True) if label == "greedy" else (False,):

                def make(b: int = batch, v: dict[str, float] = values, m: bool = masked) -> Callable[[], object]:
                    return _sampling(b, vocab, words, v, m, device, dtype)

                moved = batch * vocab * dtype.itemsize + (batch * words * 4 if masked else 0)
                case = f"{batch} x {vocab}, {label}{', masks' if masked else ''}"
                yield Measured("sampling", case, in_turn(make, moved, device), moved)


def _sampling(
    batch: int, vocab: int, words: int, values: dict[str, float], masked: bool, device: torch.device, dtype: torch.dtype
) -> Callable[[], object]:
    logits = torch.randn((batch, vocab), device=device).to(dtype)

    def column(name: str, usual: float, kind: torch.dtype) -> Tensor:
        return torch.full((batch,), values.get(name, usual), device=device).to(kind)

    table = DeviceSamplingTable(
        column("temperature", 1, torch.float32), column("top_k", 0, torch.int32), column("top_p", 1, torch.float64),
        column("min_p", 0, torch.float32), column("fp", 0, torch.float32), column("pp", 0, torch.float32),
        column("rp", 1, torch.float32), torch.arange(batch, device=device), column("flags", 0, torch.int32),
        torch.zeros((1, 1), device=device), torch.zeros((1, 1), dtype=torch.int32, device=device),
        torch.zeros((1, 1), dtype=torch.uint8, device=device),
    )  # fmt: skip
    rows = torch.arange(batch, dtype=torch.int32, device=device)
    masks = torch.randint(-(2**31), 2**31 - 1, (batch, words), dtype=torch.int64, device=device).int()
    slots = rows if masked else torch.full_like(rows, -1)
    ids, allowed = (torch.zeros(batch, dtype=torch.int32, device=device) for _ in range(2))
    filters = bool({"top_k", "top_p"} & set(values))
    workspace = make_workspace(batch, vocab, device, filters=filters)
    return lambda: sample_rows(logits, rows, table, rows, rows, masks, slots, vocab, ids, allowed, workspace)


GROUPS = {
    "attention": attention_cases,
    "prefixes": prefix_cases,
    "linear": linear_cases,
    "elementwise": elementwise_cases,
    "sampling": sampling_cases,
}


@torch.inference_mode()
def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(GROUPS))
    parser.add_argument("--small", action="store_true", help="tiny shapes, to try the command itself without a GPU")
    options = parser.parse_args(arguments)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    torch.manual_seed(0)
    bandwidth, rate = (read_bandwidth(), matrix_rate()) if device.type == "cuda" else (1e10, 1e11)
    print(f"read {bandwidth / 1e9:.0f} GB/s, matrices {rate / 1e12:.0f} TFLOP/s", flush=True)
    rows: list[tuple[str, ...]] = []
    figures: dict[str, Any] = {"read_gb_s": round(bandwidth / 1e9), "matrix_tflop_s": round(rate / 1e12)}
    for group in options.only.split(","):
        for found in GROUPS[group](device, dtype, options.small):
            ceiling = max(found.bytes / bandwidth, found.operations / rate)
            bound = "bytes" if found.bytes / bandwidth > found.operations / rate else "products"
            share = ceiling / found.seconds
            rows.append((found.kernel, found.case, *(f"{t * 1e6:.1f}" for t in (found.seconds, ceiling)), bound,
                         f"{share:.0%}"))  # fmt: skip
            figures[f"{found.kernel}: {found.case}"] = [round(found.seconds * 1e6, 1), round(share, 3)]
            print(*rows[-1], flush=True)
    print_table("Kernels", ("kernel", "case", "us", "ceiling, us", "bound by", "of ceiling"), rows)
    print_result(figures, vars(options))


if __name__ == "__main__":
    main()
