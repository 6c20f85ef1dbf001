"""The engine's own counters and sizes as Prometheus metrics."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from slipform.runtime.statistics import STEP_TOKENS, EngineStatistics

# Metric: what it says, and the field of `EngineStatistics`.
_COUNTERS = {
    "vllm:prompt_tokens": ("Prompt tokens of admitted sequences", "prompt_tokens"),
    "vllm:prefix_cache_queries": ("Prompt tokens looked up in the prefix cache", "prompt_tokens"),
    "vllm:prefix_cache_hits": ("Prompt tokens found in the prefix cache", "cached_tokens"),
    "vllm:num_preemptions": ("Sequences that gave their slots back and resumed", "preemptions"),
    "slipform:radix_query_tokens": ("Prompt tokens looked up in the radix tree", "prompt_tokens"),
    "slipform:radix_hit_tokens": ("Prompt tokens found in the radix tree", "cached_tokens"),
    "slipform:radix_evicted_tokens": ("Cached tokens that made room for others", "evicted_slots"),
    "slipform:grammar_forced_tokens": ("Output tokens that grammars forced (jump-forward)", "forced_tokens"),
    "slipform:sampled_tokens": ("Output tokens that were sampled", "sampled_tokens"),
    "slipform:computed_tokens": ("Tokens that went through the model", "computed_tokens"),
    "slipform:grammar_cache_hits": ("Constraints found compiled", "grammar_hits"),
    "slipform:grammar_cache_misses": ("Constraints that had to be compiled", "grammar_misses"),
    "slipform:grammar_compile_seconds": ("Time of the compiling threads", "compile_s"),
    "slipform:engine_steps": ("Steps of the engine", "steps"),
}
_GAUGES = {
    "vllm:num_requests_running": ("Sequences in the engine's batch", "sequences_running"),
    "vllm:num_requests_waiting": ("Sequences that wait for a place in it", "sequences_waiting"),
    "slipform:requests_compiling": ("Requests that wait for their constraint", "requests_compiling"),
    "slipform:kv_slots": ("Tokens that the KV pool holds", "pool_slots"),
    "slipform:radix_cached_tokens": ("Tokens in the radix tree", "cached_slots"),
    "slipform:radix_nodes": ("Nodes of the radix tree", "radix_nodes"),
    "slipform:grammar_cache_bytes": ("Memory of the compiled constraints that are kept", "grammar_bytes"),
}
_PHASES = ("plan", "batch", "forward", "mask", "sample", "commit")


class EngineMetrics(Collector):
    """Shows the newest statistics, which are set before each scrape; nothing before the engine's first answer."""

    def __init__(self, model_name: str) -> None:
        self.statistics: EngineStatistics | None = None
        self._labels = [model_name]

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = self.statistics
        if now is None:
            return
        for name, (text, field) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["model_name"])
            counter.add_metric(self._labels, getattr(now, field))
            yield counter
        generated = CounterMetricFamily("vllm:generation_tokens", "Output tokens", labels=["model_name"])
        generated.add_metric(self._labels, now.forced_tokens + now.sampled_tokens)
        yield generated
        for name, (text, field) in _GAUGES.items():
            yield self._gauge(name, text, getattr(now, field))
        in_use = now.pool_slots - now.free_slots - now.cached_slots
        yield self._gauge("vllm:kv_cache_usage_perc", "Share of the KV pool in use", in_use / now.pool_slots)
        phases = CounterMetricFamily("slipform:step_seconds", "Where steps spend time", labels=["model_name", "phase"])
        for phase in _PHASES:
            phases.add_metric([*self._labels, phase], getattr(now, f"{phase}_s"))
        yield phases
        yield self._steps_by_tokens(now)
        age = SummaryMetricFamily(
            "slipform:eviction_age_seconds",
            "Since the last use of cached tokens that were evicted",
            labels=["model_name"],
        )
        age.add_metric(self._labels, int(now.evicted_slots), now.evicted_age_s)
        yield age
        config = GaugeMetricFamily(
            "vllm:cache_config_info", "The KV pool", labels=["model_name", "block_size", "num_gpu_blocks"]
        )
        config.add_metric([*self._labels, "1", str(int(now.pool_slots))], 1)
        yield config

    def _steps_by_tokens(self, now: EngineStatistics) -> Metric:
        steps = HistogramMetricFamily("vllm:iteration_tokens_total", "Tokens of each step", labels=["model_name"])
        counts = list(accumulate(now.steps_by_tokens))
        bounds = [*(f"{bound:.1f}" for bound in STEP_TOKENS), "+Inf"]
        steps.add_metric(self._labels, list(zip(bounds, counts, strict=True)), now.computed_tokens)
        return steps

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, text, labels=["model_name"])
        gauge.add_metric(self._labels, value)
        return gauge
