"""How busy the GPU is in the middle of a run, and what it waits for, by torch's profiler.

A step is its input's copy, `_complete` and the forward pass, later the mask rows' copy and the sampling, which begins
with `_scan`. So the time in which nothing runs has three causes: the next pass was not launched yet, the masks were not
known yet (the commit of the step before was not done), or the GPU itself, between two kernels of one launch. The trace
slows the host a little.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch

BEFORE_PASS, BEFORE_SAMPLING, BETWEEN = "before a pass", "before sampling", "between kernels"
_FIRST = {"_complete": BEFORE_PASS, "_scan": BEFORE_SAMPLING}
# These come before a pass as well as before sampling.
_EITHER = ("Memcpy", "Memset", "index_copy", "indexFunc")


class Span(NamedTuple):
    """A kernel or a copy. Microseconds."""

    begin: float
    end: float
    name: str


def traced(run: Callable[[], object]) -> dict[str, Any]:
    """What the GPU did in the middle half of the time that `run` kept it at work; see `summary`."""
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as trace:
        run()
        torch.cuda.synchronize()
    spans = sorted(
        Span(event.time_range.start, event.time_range.end, event.name)
        for event in trace.events()
        if event.device_type.name == "CUDA"
    )
    quarter = (spans[-1].end - spans[0].begin) / 4
    begin, end = spans[0].begin + quarter, spans[-1].end - quarter
    return summary(span for span in spans if begin <= span.begin and span.end <= end)


def summary(spans: Iterable[Span]) -> dict[str, Any]:
    """The share of the time in which something ran; per step, milliseconds, idle microseconds by cause and the kernels
    that took most.

    Args:
        spans: in order of their beginning.
    """
    by_name: defaultdict[str, float] = defaultdict(float)
    idle = dict.fromkeys((BEFORE_PASS, BEFORE_SAMPLING, BETWEEN), 0.0)
    steps = 0
    busy = gap = 0.0
    first: float | None = None
    reached = 0.0
    for begin, end, name in spans:
        if first is None:
            first = reached = begin
        gap += max(0.0, begin - reached)
        busy += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
        by_name[name[:60]] += end - begin
        steps += name.startswith("_complete")
        if not any(word in name for word in _EITHER):
            idle[next((cause for word, cause in _FIRST.items() if name.startswith(word)), BETWEEN)] += gap
            gap = 0.0
    window = reached - (first or 0.0)
    num_steps = max(1, steps)
    longest = sorted(by_name.items(), key=lambda pair: -pair[1])[:14]
    return {
        "busy": busy / window if window else 0.0,
        "step_ms": window / num_steps / 1e3,
        "idle_us": {cause: micro / num_steps for cause, micro in idle.items()},
        "kernels": [(name, micro / num_steps) for name, micro in longest],
    }
