"""Recording CUDA graphs while the rest of the process goes on."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

# torch records on one stream for the whole process.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def undisturbed_recording() -> Iterator[None]:
    """Recordings inside are one thread's, and Python does not look for cyclic garbage meanwhile.

    An engine that is gone is such garbage, and holds its graphs. A thread that records must not destroy a graph: CUDA
    would refuse, and the recording under way would be lost. What is garbage already is therefore freed before.
    """
    with _ONE_AT_A_TIME:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            gc.collect()
            yield
        finally:
            if was_enabled:
                gc.enable()


def record(run: Callable[[], Any], pool: Any = None) -> tuple[torch.cuda.CUDAGraph, Any]:
    """The graph of what `run` launches, and what it returns. To be called within `undisturbed_recording`.

    Everything that `run` launches must have been launched once before: loading a kernel is not permitted here. Other
    threads may call CUDA meanwhile.

    Args:
        pool: of `torch.cuda.graph_pool_handle`, the memory that several graphs share.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        outcome = run()
    return graph, outcome
