"""Projections on a GPU: cuBLAS, or our own kernel for a few rows where that is measured to be faster.

The measurement is done once for each shape of a weight and kept on disk, by GPU and versions.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
import triton
from torch import Tensor

from slipform.grammars.config import cache_directory
from slipform.kernels.triton_gemv import SHAPES, GemvShape, gemv

# Numbers of rows that are tried; a step of three is padded to four, as recorded steps are.
_ROWS = (1, 2, 4)
_REPEATS = 5


class GpuLinear:
    """A projection with its bias. `choices`: by number of rows, the shape for our kernel; cuBLAS for all others."""

    __slots__ = ("bias", "choices", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight
        self.bias = bias
        self.choices: dict[int, GemvShape] = {}

    def __call__(self, x: Tensor) -> Tensor:
        shape = self.choices.get(x.shape[0])
        if shape is not None:
            return gemv(x, self.weight, self.bias, shape)
        return torch.nn.functional.linear(x, self.weight, self.bias)


def choose_kernels(layers: Sequence[GpuLinear], *, cache: Path | None = None) -> None:
    """Measure, or look up, what is fastest for weights of these projections, which have one shape and dtype.

    Several of them keep the weights out of the caches, as they are in a model.

    Mutates: their `choices`, and the file `cache` (by default one in the folder of disk caches).
    """
    first = layers[0]
    if first.weight.dtype is torch.float32:
        return  # exact sums in a fixed order matter more there
    path = cache or _cache_file()
    known: dict[str, dict[str, list[int] | None]] = json.loads(path.read_text()) if path.is_file() else {}
    key = f"{tuple(first.weight.shape)} {first.weight.dtype} bias={first.bias is not None} x{min(len(layers), 32)}"
    found = known.get(key)
    if found is None:
        found = {str(rows): _fastest(layers, rows) for rows in _ROWS}
        known[key] = found
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known, indent=1))
    choices = {int(rows): GemvShape(*shape) for rows, shape in found.items() if shape is not None}
    for layer in layers:
        layer.choices = choices


def _fastest(layers: Sequence[GpuLinear], rows: int) -> list[int] | None:
    """The fields of the fastest shape, or None where cuBLAS is faster."""
    weight = layers[0].weight
    x = torch.randn((rows, weight.shape[1]), device=weight.device).to(weight.dtype)
    best = _time(lambda: [torch.nn.functional.linear(x, layer.weight, layer.bias) for layer in layers])
    chosen = None
    for shape in SHAPES:
        taken = _time(partial(_apply_all, layers, x, shape))
        if taken < best:
            best, chosen = taken, [shape.rows, shape.columns, shape.num_warps]
    return chosen


def _apply_all(layers: Sequence[GpuLinear], x: Tensor, shape: GemvShape) -> list[Tensor]:
    return [gemv(x, layer.weight, layer.bias, shape) for layer in layers]


def _time(run: Callable[[], object]) -> float:
    """Milliseconds of a recorded run, best of a few."""
    run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    best = float("inf")
    for _ in range(_REPEATS):
        begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        best = min(best, begin.elapsed_time(end))
    return best


def _cache_file() -> Path:
    gpu = torch.cuda.get_device_name().replace(" ", "-")
    return cache_directory() / f"linear-{gpu}-torch{torch.__version__}-triton{triton.__version__}.json"
