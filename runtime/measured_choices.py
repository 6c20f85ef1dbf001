"""What was measured once on a GPU and is kept on disk: which kernel, or which form of one, is fastest there."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton

from slipform.grammars.config import cache_directory
from slipform.runtime.graph_recording import record, undisturbed_recording

_REPEATS = 5


def remembered(kind: str, key: str, measure: Callable[[], Any], *, folder: Path | None = None) -> Any:
    """`measure()`, or what it returned before for this kind and key on this GPU with these versions.

    Args:
        measure: returns something that JSON holds.
        folder: of the files, by default that of all disk caches.

    Mutates: the file of this kind.
    """
    gpu = torch.cuda.get_device_name().replace(" ", "-") if torch.cuda.is_available() else "none"
    name = f"{kind}-{gpu}-torch{torch.__version__}-triton{triton.__version__}.json"
    path = (folder or cache_directory()) / name
    known: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    if key not in known:
        with undisturbed_recording():
            known[key] = measure()
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: another process may read it.
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(known, indent=1))
        draft.replace(path)
    return known[key]


def milliseconds(run: Callable[[], object]) -> float:
    """Of a run recorded as a graph, the best of a few replays. For what `remembered` measures."""
    run()
    torch.cuda.synchronize()
    graph, _ = record(run)
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
