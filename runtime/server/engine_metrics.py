"""The engine's own counters and sizes as Prometheus metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from slipform.runtime.statistics import EngineStatistics

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

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, text, labels=["model_name"])
        gauge.add_metric(self._labels, value)
        return gauge
