"""Prometheus metrics: what requests went through, under vLLM's names where the meaning is the same, and our own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

import slipform.errors as errors
from slipform.errors import GrammarError
from slipform.runtime.request import FillResult, RequestFinished
from slipform.runtime.server.engine_metrics import EngineMetrics
from slipform.runtime.server.observer import Arrival
from slipform.runtime.server.token_gaps import TokenGaps
from slipform.runtime.statistics import EngineStatistics

_SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
_LONG_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
_MASK_S = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_TOKENS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_MAX_PROGRAMS = 64
_COUNTS = (1, 2, 5, 10, 20, 50, 100)

_GRAMMAR_ERRORS = frozenset(
    name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, GrammarError)
)


class PrometheusObserver:
    """An `Observer` that counts and times requests in a registry of its own."""

    def __init__(self, model_name: str) -> None:
        self._model = model_name
        self._registry = CollectorRegistry()
        self._engine = EngineMetrics(model_name)
        self._registry.register(self._engine)

        self._first_token = self._histogram("vllm:time_to_first_token_seconds", "To the first text", _LONG_S)
        self._token_gaps = TokenGaps(
            "vllm:inter_token_latency_seconds", "Between tokens of streams", model_name, _SHORT_S
        )
        self._registry.register(self._token_gaps)
        self._per_token = self._histogram(
            "vllm:request_time_per_output_token_seconds", "Decode time by output tokens", _SHORT_S
        )
        self._total = self._histogram("vllm:e2e_request_latency_seconds", "Arrival to end", _LONG_S)
        self._queue = self._histogram("vllm:request_queue_time_seconds", "Waiting for admission", _LONG_S)
        self._prefill = self._histogram("vllm:request_prefill_time_seconds", "Admission to first token", _LONG_S)
        self._decode = self._histogram("vllm:request_decode_time_seconds", "First token to end", _LONG_S)
        self._inference = self._histogram("vllm:request_inference_time_seconds", "Admission to end", _LONG_S)
        self._prompt_tokens = self._histogram("vllm:request_prompt_tokens", "Prompt tokens of a request", _TOKENS)
        self._output_tokens = self._histogram("vllm:request_generation_tokens", "Output tokens of a sequence", _TOKENS)
        self._n = self._histogram("vllm:request_params_n", "n of a request", _COUNTS)
        self._max_tokens = self._histogram("vllm:request_params_max_tokens", "max_tokens of a request", _TOKENS)
        self._success = self._counter("vllm:request_success", "Finished sequences", "finished_reason")

        self._requests = self._counter("slipform:requests", "Accepted requests", "route", "constraint")
        self._prompts = self._counter("slipform:route_prompt_tokens", "Prompt tokens by route", "route")
        self._hits = self._counter("slipform:route_cached_tokens", "Of them found in the prefix cache", "route")
        self._program_prompts = self._counter("slipform:program_prompt_tokens", "Prompt tokens by program", "program")
        self._program_hits = self._counter(
            "slipform:program_cached_tokens", "Of them found in the prefix cache", "program"
        )
        self._programs: set[str] = set()
        self._failures = self._counter("slipform:request_failures", "Requests that ended in an error", "error")
        self._rejects = self._counter("slipform:grammar_rejects", "Constraints that were refused", "error")
        self._fills = self._counter("slipform:structured_fills", "Ends of constrained fills", "outcome")
        self._mask = self._histogram("slipform:grammar_mask_seconds", "Masks of a constrained fill", _MASK_S)
        self._in_flight = Gauge(
            "slipform:requests_in_flight", "Accepted and not ended", ["model_name"], registry=self._registry
        ).labels(model_name)
        self._answers = self._counter("slipform:http_requests", "Answered HTTP requests", "route", "status")
        self._http_time = Histogram(
            "slipform:http_request_seconds",
            "Of an HTTP request",
            ["model_name", "route"],
            buckets=_LONG_S,
            registry=self._registry,
        )
        self._restarts = self._counter("slipform:engine_restarts", "Engines that ended by themselves")
        self._restarts.labels(model_name)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """A histogram of this model, ready to observe."""
        return Histogram(name, text, ["model_name"], buckets=buckets, registry=self._registry).labels(self._model)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, ["model_name", *labels], registry=self._registry)

    def arrived(self, arrival: Arrival) -> None:
        self._in_flight.inc()
        self._requests.labels(self._model, arrival.route, arrival.constraint or "none").inc()
        self._n.observe(arrival.n)
        if arrival.max_tokens is not None:
            self._max_tokens.observe(arrival.max_tokens)

    def first_token(self, arrival: Arrival, seconds: float) -> None:
        self._first_token.observe(seconds)

    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None:
        self._token_gaps.add(seconds, count)

    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None:
        self._in_flight.dec()
        self._total.observe(seconds)
        if error is not None:
            self._failures.labels(self._model, error).inc()
            if error in _GRAMMAR_ERRORS:
                self._rejects.labels(self._model, error).inc()
        if finished is not None:
            self._finished(arrival, finished)

    def _finished(self, arrival: Arrival, finished: RequestFinished) -> None:
        times = finished.times
        self._queue.observe(times.queue_s)
        self._prefill.observe(max(0.0, times.first_token_s - times.queue_s))
        self._decode.observe(max(0.0, times.total_s - times.first_token_s))
        self._inference.observe(max(0.0, times.total_s - times.queue_s))
        for sequence in finished.sequences:
            self._success.labels(self._model, sequence.finish_reason).inc()
            count = sum(len(fill.token_ids) for fill in sequence.fills)
            self._output_tokens.observe(count)
            if count > 1:
                decode_s = max(0.0, times.total_s - times.first_token_s)
                self._per_token.observe(decode_s / (count - 1))
            if arrival.constraint is not None:
                for fill in sequence.fills:
                    self._fills.labels(self._model, _outcome(fill)).inc()
                    self._mask.observe(fill.mask_ms / 1000)
        for sequence in finished.sequences:
            self._prompts.labels(self._model, arrival.route).inc(sequence.prompt_len)
            cached_len = min(sequence.cached_len, sequence.prompt_len)
            self._hits.labels(self._model, arrival.route).inc(cached_len)
            if arrival.program is not None:
                program = self._labelled(arrival.program)
                self._program_prompts.labels(self._model, program).inc(sequence.prompt_len)
                self._program_hits.labels(self._model, program).inc(cached_len)
        if finished.sequences:
            self._prompt_tokens.observe(finished.sequences[0].prompt_len)

    def _labelled(self, program: str) -> str:
        """The first programs have labels of their own, all others share one: clients choose the names."""
        if program not in self._programs and len(self._programs) >= _MAX_PROGRAMS:
            return "other"
        self._programs.add(program)
        return program

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._answers.labels(self._model, route, str(status)).inc()
        self._http_time.labels(self._model, route).observe(seconds)

    def engine_restarted(self, reason: str) -> None:
        self._restarts.labels(self._model).inc()

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        self._engine.statistics = statistics
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


def _outcome(fill: FillResult) -> str:
    """valid: it matches; closed: it matches because it was closed at its last tokens; cut: max_tokens came first."""
    if fill.closed:
        return "closed"
    return "valid" if fill.finish_reason == "stop" else "cut" if fill.finish_reason == "length" else "failed"
