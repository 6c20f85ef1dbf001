"""OpenTelemetry spans, one a request, as children of the client's own span where it sends `traceparent`.

The exporter is configured as everywhere, by OTEL_EXPORTER_OTLP_ENDPOINT and its relatives. The packages are those of
the extra `tracing`.
"""

import importlib
from importlib.metadata import version
from typing import Any

from slipform.errors import ConfigError
from slipform.runtime.request import RequestFinished
from slipform.runtime.server.observer import Arrival
from slipform.runtime.statistics import EngineStatistics


class TracingObserver:
    """An `Observer` that makes spans.

    Args:
        provider: of tracers; by default one that exports by OTLP over HTTP, in batches, from a thread of its own.
    Raises: ConfigError if the OpenTelemetry packages are not installed.
    """

    def __init__(self, provider: Any = None) -> None:
        try:
            self._trace = importlib.import_module("opentelemetry.trace")
            self._propagation = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
            provider = provider or _exporting_provider()
        except ImportError as error:
            message = f"spans are asked for, and {error.name} is not installed: pip install 'slipform[tracing]'"
            raise ConfigError(message, field="OTEL_EXPORTER_OTLP_ENDPOINT") from error
        self._tracer = provider.get_tracer("slipform", version("slipform"))
        self._spans: dict[int, Any] = {}

    def arrived(self, arrival: Arrival) -> None:
        carrier = {"traceparent": arrival.trace_context} if arrival.trace_context else {}
        span = self._tracer.start_span(
            f"llm_request {arrival.route}",
            context=self._propagation.TraceContextTextMapPropagator().extract(carrier),
            kind=self._trace.SpanKind.SERVER,
            start_time=arrival.began_ns,
            attributes={
                "gen_ai.request.id": arrival.request_id,
                "gen_ai.request.n": arrival.n,
                "http.route": arrival.route,
                "slipform.client": arrival.client,
                "slipform.constraint": arrival.constraint or "none",
                "slipform.stream": arrival.stream,
            },
        )
        if arrival.max_tokens is not None:
            span.set_attribute("gen_ai.request.max_tokens", arrival.max_tokens)
        self._spans[id(arrival)] = span

    def first_token(self, arrival: Arrival, seconds: float) -> None:
        self._spans[id(arrival)].add_event("first_token", {"seconds": seconds})

    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None: ...

    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None:
        span = self._spans.pop(id(arrival))
        if finished is not None:
            sequences = finished.sequences
            times = finished.times
            span.set_attributes(
                {
                    "gen_ai.usage.prompt_tokens": max((sequence.prompt_len for sequence in sequences), default=0),
                    "gen_ai.usage.completion_tokens": sum(
                        len(fill.token_ids) for sequence in sequences for fill in sequence.fills
                    ),
                    "gen_ai.response.finish_reasons": [sequence.finish_reason for sequence in sequences],
                    "slipform.cached_tokens": max((sequence.cached_len for sequence in sequences), default=0),
                    "gen_ai.latency.time_in_queue": times.queue_s,
                    "gen_ai.latency.time_to_first_token": times.first_token_s,
                    "gen_ai.latency.e2e": times.total_s,
                }
            )
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, error))
        span.end(arrival.began_ns + int(seconds * 1e9))

    def answered(self, route: str, status: int, seconds: float) -> None: ...
    def engine_restarted(self, reason: str) -> None: ...

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        return b"", "text/plain; version=0.0.4; charset=utf-8"


def _exporting_provider() -> Any:
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    export = importlib.import_module("opentelemetry.sdk.trace.export")
    resources = importlib.import_module("opentelemetry.sdk.resources")
    otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "slipform"}))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return provider
