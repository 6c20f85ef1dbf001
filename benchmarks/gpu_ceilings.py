"""What a card can do at most, measured on it, and times of recorded runs."""

import statistics
import time
from collections.abc import Callable

import torch


def read_bandwidth() -> float:
    """Bytes a second of summing a large tensor."""
    data = torch.ones(1 << 30, dtype=torch.float32, device="cuda")
    return data.nbytes / seconds(data.sum)


def matrix_rate() -> float:
    """Operations a second of a large product of random bfloat16 matrices."""
    left, right = (torch.randn((8192, 8192), device="cuda").bfloat16() for _ in range(2))
    return 2 * 8192**3 / seconds(lambda: left @ right)


def seconds(run: Callable[[], object], repeats: int = 20) -> float:
    """Median over replays of the run recorded as a graph; on a machine without a GPU, of one run."""
    if not torch.cuda.is_available():
        began = time.perf_counter()
        run()
        return time.perf_counter() - began
    for _ in range(2):
        run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    graph.replay()
    times: list[float] = []
    for _ in range(repeats):
        begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return statistics.median(times)
