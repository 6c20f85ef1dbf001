"""Metrics, logs and spans say what happened to requests."""

import json
import logging
import sys
from dataclasses import fields
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client.parser import text_string_to_metric_families

from slipform.errors import ConfigError
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Fill,
    FillResult,
    GenerateRequest,
    RequestFinished,
    RequestTimes,
    SequenceResult,
    Text,
)
from slipform.runtime.server.logs import JsonFormatter, LoggingObserver
from slipform.runtime.server.metrics import PrometheusObserver
from slipform.runtime.server.observer import Arrival, SilentObserver
from slipform.runtime.server.observers import Observers, observers_for
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.server.tracing import TracingObserver
from slipform.runtime.statistics import EngineStatistics
from tests.fakes import scripted_engine

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def arrival(**changes: Any) -> Arrival:
    values: dict[str, Any] = {
        "request_id": "r1",
        "route": "/v1/chat/completions",
        "client": "ada",
        "n": 2,
        "max_tokens": 40,
        "constraint": "regex",
        "stream": True,
        "began_s": 1.0,
        "began_ns": 5_000_000_000,
    }
    return Arrival(**{**values, **changes})


def finished() -> RequestFinished:
    valid = FillResult(None, "ab", (1, 2), "stop", num_forced=1, num_sampled=1, mask_ms=0.2)
    cut = FillResult(None, "abc", (1, 2, 3), "length", num_sampled=3)
    sequences = (
        SequenceResult(0, (9, 1, 2), "ab", (valid,), "stop", 7, 4),
        SequenceResult(1, (9, 1, 2, 3), "abc", (cut,), "length", 7, 4),
    )
    return RequestFinished("r1", sequences, RequestTimes(0.5, 1.0, 3.0))


def statistics() -> EngineStatistics:
    """Each field has another value."""
    values = {field.name: float(index + 1) for index, field in enumerate(fields(EngineStatistics))}
    own = {"pool_slots": 100, "free_slots": 50, "cached_slots": 30, "steps_by_tokens": (5, 3, *[0] * 12, 1)}
    return EngineStatistics(**{**values, **own})  # type: ignore[arg-type]


def samples(observer: PrometheusObserver, now: EngineStatistics | None = None) -> dict[tuple[str, ...], float]:
    """Values by name and labels (ordered by their names), without the model's name, which all have."""
    page, content_type = observer.render(now)
    assert content_type.startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = dict(sorted(sample.labels.items()))
            assert labels.pop("model_name") == "m"
            found[(sample.name, *labels.values())] = sample.value
    return found


def test_a_request_in_the_metrics() -> None:
    observer = PrometheusObserver("m")
    request = arrival()
    observer.arrived(request)
    assert samples(observer)[("slipform:requests_in_flight",)] == 1
    observer.first_token(request, 1.0)
    observer.next_tokens(request, 0.2, 4)
    observer.ended(request, 3.5, finished(), None)
    observer.answered(request.route, 200, 3.5)
    found = samples(observer)
    assert found[("slipform:requests_in_flight",)] == 0
    assert found[("slipform:requests_total", "regex", "/v1/chat/completions")] == 1
    assert found[("vllm:request_success_total", "stop")] == 1
    assert found[("vllm:request_success_total", "length")] == 1
    assert found[("vllm:time_to_first_token_seconds_sum",)] == 1.0
    assert found[("vllm:inter_token_latency_seconds_count",)] == 4
    assert found[("vllm:inter_token_latency_seconds_sum",)] == pytest.approx(0.2)
    assert found[("vllm:e2e_request_latency_seconds_sum",)] == 3.5
    assert found[("vllm:request_queue_time_seconds_sum",)] == 0.5
    assert found[("vllm:request_prefill_time_seconds_sum",)] == 0.5
    assert found[("vllm:request_decode_time_seconds_sum",)] == 2.0
    assert found[("vllm:request_inference_time_seconds_sum",)] == 2.5
    assert found[("vllm:request_time_per_output_token_seconds_sum",)] == pytest.approx(2.0 / 1 + 2.0 / 2)
    assert found[("vllm:request_generation_tokens_sum",)] == 5
    assert found[("vllm:request_prompt_tokens_sum",)] == 7
    assert found[("vllm:request_params_n_sum",)] == 2
    assert found[("vllm:request_params_max_tokens_sum",)] == 40
    assert found[("slipform:route_prompt_tokens_total", "/v1/chat/completions")] == 14
    assert found[("slipform:route_cached_tokens_total", "/v1/chat/completions")] == 8
    assert found[("slipform:structured_fills_total", "valid")] == 1
    assert found[("slipform:structured_fills_total", "cut")] == 1
    assert found[("slipform:grammar_mask_seconds_sum",)] == pytest.approx(0.0002)
    assert found[("slipform:http_requests_total", "/v1/chat/completions", "200")] == 1


def test_programs_have_labels_up_to_a_bound() -> None:
    observer = PrometheusObserver("m")
    for program in [*(f"p{number}" for number in range(70)), "p0", None]:
        request = arrival(program=program)
        observer.arrived(request)
        observer.ended(request, 1.0, finished(), None)
    found = samples(observer)
    labels = {labels[0] for name, *labels in found if name == "slipform:program_prompt_tokens_total"}
    assert labels == {*(f"p{number}" for number in range(64)), "other"}
    assert found[("slipform:program_prompt_tokens_total", "p0")] == 2 * 14
    assert found[("slipform:program_cached_tokens_total", "p0")] == 2 * 8
    assert found[("slipform:program_prompt_tokens_total", "other")] == 6 * 14


def test_failures_in_the_metrics() -> None:
    observer = PrometheusObserver("m")
    for error in ("UnsupportedGrammar", "RequestAborted"):
        observer.arrived(arrival())
        observer.ended(arrival(), 0.1, None, error)
    observer.engine_restarted("killed")
    found = samples(observer)
    assert found[("slipform:request_failures_total", "RequestAborted")] == 1
    assert found[("slipform:request_failures_total", "UnsupportedGrammar")] == 1
    assert found[("slipform:grammar_rejects_total", "UnsupportedGrammar")] == 1
    assert ("slipform:grammar_rejects_total", "RequestAborted") not in found
    assert found[("slipform:engine_restarts_total",)] == 1


def test_the_engine_in_the_metrics() -> None:
    observer = PrometheusObserver("m")
    assert ("vllm:num_requests_running",) not in samples(observer, None)
    now = statistics()
    found = samples(observer, now)
    assert found[("vllm:num_requests_running",)] == now.sequences_running
    assert found[("vllm:num_requests_waiting",)] == now.sequences_waiting
    assert found[("vllm:kv_cache_usage_perc",)] == pytest.approx(0.2)
    assert found[("vllm:prefix_cache_queries_total",)] == now.prompt_tokens
    assert found[("vllm:prefix_cache_hits_total",)] == now.cached_tokens
    assert found[("vllm:generation_tokens_total",)] == now.forced_tokens + now.sampled_tokens
    assert found[("slipform:grammar_forced_tokens_total",)] == now.forced_tokens
    assert found[("slipform:grammar_compile_seconds_total",)] == now.compile_s
    assert found[("slipform:radix_evicted_tokens_total",)] == now.evicted_slots
    assert found[("slipform:step_seconds_total", "mask")] == now.mask_s
    steps = "vllm:iteration_tokens_total"
    assert [found[(f"{steps}_bucket", bound)] for bound in ("1.0", "2.0", "8192.0", "+Inf")] == [5, 8, 8, 9]
    assert (found[(f"{steps}_sum",)], found[(f"{steps}_count",)]) == (now.computed_tokens, 9)
    assert found[("slipform:eviction_age_seconds_sum",)] == now.evicted_age_s
    assert found[("slipform:eviction_age_seconds_count",)] == int(now.evicted_slots)
    assert found[("vllm:cache_config_info", "1", "100")] == 1
    assert found[("slipform:grammar_cache_bytes",)] == now.grammar_bytes


def test_a_log_line_is_json_with_the_id_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "slipform.requests"):
        LoggingObserver().ended(arrival(), 3.5, finished(), None)
        LoggingObserver().ended(arrival(request_id="r2"), 0.1, None, "RequestAborted")
    done, failed = (json.loads(JsonFormatter().format(record)) for record in caplog.records)
    assert (done["request_id"], done["client"], done["level"]) == ("r1", "ada", "info")
    assert (done["prompt_tokens"], done["cached_tokens"], done["completion_tokens"]) == (7, 4, 5)
    assert done["finish_reasons"] == ["length", "stop"]
    assert (failed["request_id"], failed["error"]) == ("r2", "RequestAborted")
    assert done["message"] == "/v1/chat/completions r1 of ada: 7 + 5 tokens in 3.500 s"
    assert failed["message"] == "/v1/chat/completions r2 of ada: RequestAborted in 0.100 s"
    assert "abc" not in json.dumps(done)


def test_a_traceback_stays_in_its_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.LogRecord("a", logging.ERROR, "f", 1, "it %s", ("failed",), (ValueError, error, None))
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "it failed"
    assert "ValueError: two" in json.loads(line)["exception"]


def test_spans_continue_the_clients_trace() -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    observer = TracingObserver(provider)
    request, other = arrival(trace_context=PARENT), arrival(request_id="r2")
    observer.arrived(request)
    observer.arrived(other)
    observer.first_token(request, 1.0)
    observer.ended(request, 3.5, finished(), None)
    observer.ended(other, 0.5, None, "RequestAborted")
    done, failed = memory.get_finished_spans()
    assert f"{done.context.trace_id:032x}" == PARENT.split("-")[1]
    assert done.parent is not None
    assert f"{done.parent.span_id:016x}" == PARENT.split("-")[2]
    assert (done.start_time, done.end_time) == (5_000_000_000, 8_500_000_000)
    assert done.attributes is not None
    assert done.attributes["gen_ai.request.id"] == "r1"
    assert done.attributes["gen_ai.usage.completion_tokens"] == 5
    assert [event.name for event in done.events] == ["first_token"]
    assert failed.parent is None
    assert failed.status.status_code is StatusCode.ERROR
    provider.shutdown()


def test_a_failing_observer_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(SilentObserver):
        def arrived(self, arrival: Arrival) -> None:
            raise RuntimeError("no")

    metrics = PrometheusObserver("m")
    Observers([Failing(), metrics]).arrived(arrival())
    assert samples(metrics)[("slipform:requests_in_flight",)] == 1
    assert "Failing failed" in caplog.text


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServerSettings(model_name="m")
    page, _ = observers_for(settings, {}).render(None)
    assert b"slipform:requests_in_flight" in page
    with pytest.raises(ConfigError, match="SLIPFORM_LOG_FORMAT"):
        observers_for(settings, {"SLIPFORM_LOG_FORMAT": "xml"})
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigError, match=r"slipform\[tracing\]"):
        observers_for(settings, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


# vLLM's metrics whose meaning is the same here. Not among them: those of adapters, of speculation by drafts, and of the
# life of single blocks, which this engine does not have.
VLLM_METRICS = (
    "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "prefix_cache_queries", "prefix_cache_hits",
    "prompt_tokens", "generation_tokens", "request_success", "time_to_first_token_seconds",
    "inter_token_latency_seconds", "request_time_per_output_token_seconds", "e2e_request_latency_seconds",
    "request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds",
    "request_inference_time_seconds", "iteration_tokens_total", "request_params_n", "request_params_max_tokens",
    "num_preemptions", "cache_config_info",
)  # fmt: skip


def test_every_name_of_vllm_with_the_same_meaning_is_there() -> None:
    page, _ = PrometheusObserver("m").render(statistics())
    families = {family.name for family in text_string_to_metric_families(page.decode())}
    assert {f"vllm:{name}" for name in VLLM_METRICS} <= families


def test_evicted_tokens_have_an_age() -> None:
    """The prefix cache of a small pool gives way, and says how long what it dropped had not been used."""
    with scripted_engine(pool_slots=64) as engine:
        for number in range(6):
            fill = Fill(None, SamplingParams(max_tokens=2, temperature=0))
            engine.submit(GenerateRequest(f"{number}", (Text(f"{number} " + "x" * 30), fill))).result(60)
        now = engine.statistics()
    assert now.evicted_slots > 0
    assert now.evicted_age_s > 0
    assert sum(now.steps_by_tokens) == now.steps
    assert now.radix_nodes > 0
