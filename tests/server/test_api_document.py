"""Requests made from our own OpenAPI document, right and wrong ones: no 5xx, no hang, answers that conform to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from slipform.runtime.server.app import create_app
from slipform.runtime.server.engine_client import EngineClient
from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.settings import Bounds, ServerSettings
from tests.fakes import scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, running

DOCUMENT = create_app(EngineClient(ProcessLauncher())).openapi()
OPERATIONS = [result.ok() for result in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
_TIMEOUT_S = 30


@pytest.fixture(scope="module")
def small_server() -> Iterator[RunningServer]:
    settings = ServerSettings(request_timeout_s=10.0, bounds=Bounds(max_tokens=32, n=4, prompts=8, sequences=8))
    with running(lambda: scripted_engine(tokenizer=chat_tokenizer(), eos_bias=2.0), settings) as started:
        yield started


def test_the_document_has_every_route() -> None:
    assert {operation.path for operation in OPERATIONS} == set(DOCUMENT["paths"])
    assert len(OPERATIONS) >= 20


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_route(small_server: RunningServer, operation: Any, mode: GenerationMode) -> None:
    if mode is GenerationMode.NEGATIVE and not operation.body:
        return  # nothing of such a request can be wrong

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case) -> None:
        response = case.call(base_url=small_server.url, timeout=_TIMEOUT_S)
        asks_for_a_timeout = isinstance(case.body, dict) and {"timeout", "deadline_s"} & case.body.keys()
        if not (response.status_code == 504 and asks_for_a_timeout):
            case.validate_response(response, checks=[not_a_server_error])
        case.validate_response(response, checks=CHECKS)

    check()


def test_numbers_that_vanish_in_float32(small_server: RunningServer) -> None:
    tiny = {"repetition_penalty": 1e-300, "temperature": 1e-300, "top_p": 1e-300, "min_p": 1e-300}
    for name, value in tiny.items():
        with small_server.http() as http:
            answer = http.post("/v1/completions", json={"prompt": "a", "max_tokens": 4, "seed": 1, name: value})
        assert answer.status_code == 200, name


def test_the_server_is_well_afterwards(small_server: RunningServer) -> None:
    small_server.wait_idle()
    with small_server.http() as http:
        assert http.get("/ready").status_code == 200
    assert small_server.client.num_restarts == 0
