"""docs/http-api.md has every route and every field, and its examples work against a live server."""

import contextlib
import dataclasses
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest
from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.sampling_fields import ACCEPTED, UNSUPPORTED, SamplingFields
from tests.server.serving import RunningServer
from tests.server.test_api_document import DOCUMENT

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", PAGE, re.MULTILINE))
ROUTES = [title for title in SECTIONS if re.match("(GET|POST|DELETE) /", title)]
SCHEMAS = DOCUMENT["components"]["schemas"]
EXAMPLE_URL = "http://127.0.0.1:8000"


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def bodies(section: str) -> list[dict[str, Any]]:
    """The lines of JSON of a section."""
    return [json.loads(line) for block in blocks(section, "json") for line in block.splitlines()]


def schema_of(route: str) -> dict[str, Any] | None:
    """The schema of a route's body."""
    method, path = route.split(" ")
    body = DOCUMENT["paths"][path][method.lower()].get("requestBody")
    if body is None:
        return None
    reference = body["content"]["application/json"]["schema"]["$ref"]
    schema: dict[str, Any] = SCHEMAS[reference.rpartition("/")[2]]
    return schema


def own_fields(route: str) -> set[str]:
    """The fields of a route's body, without those that it shares with others."""
    schema = schema_of(route)
    fields = set(schema["properties"]) if schema is not None else set()
    return fields - set(SamplingFields.model_fields) if "the sampling fields" in SECTIONS[route] else fields


def inner_fields(value: Any, seen: set[str]) -> set[str]:
    """The fields of all models that a schema refers to."""
    found: set[str] = set()
    if isinstance(value, list):
        for item in value:
            found |= inner_fields(item, seen)
    elif isinstance(value, dict):
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            found |= set(SCHEMAS[name].get("properties", {})) | inner_fields(SCHEMAS[name], seen)
        for item in value.values():
            found |= inner_fields(item, seen)
    return found


def test_every_route_has_a_section() -> None:
    routes = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert set(ROUTES) == routes


@pytest.mark.parametrize("route", ROUTES)
def test_every_field_is_named(route: str) -> None:
    section = SECTIONS[route]
    assert own_fields(route) <= named(section)
    everywhere = named(PAGE) | set(re.findall(r'"([a-z_]+)"', PAGE))
    assert inner_fields(schema_of(route), set()) <= everywhere
    assert len(blocks(section, "sh")) == 1
    assert len(blocks(section, "python")) == 1


@pytest.mark.parametrize("route", [route for route in ROUTES if schema_of(route) is not None])
def test_every_field_has_an_example(embedded: RunningServer, route: str) -> None:
    examples = bodies(SECTIONS[route])
    assert own_fields(route) <= {name for body in examples for name in body}
    for body in examples:
        answer = httpx.post(f"{embedded.url}{route.split()[1]}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        assert "x-slipform-ignored-fields" not in answer.headers
        assert '"error": {' not in answer.text


def test_programs_have_every_field_of_a_request() -> None:
    section = SECTIONS["POST /v1/programs"]
    written = {name for body in bodies(section) for name in body}
    assert {field.name for field in dataclasses.fields(GenerateRequest)} <= written
    fills = [segment for body in bodies(section) for segment in body["segments"] if segment["type"] == "fill"]
    assert {field.name for field in dataclasses.fields(Fill)} <= {name for fill in fills for name in fill}
    sampling = {name for fill in fills for name in fill["sampling"]}
    assert {field.name for field in dataclasses.fields(SamplingParams)} == sampling <= named(section)


# A short request of each route that takes the sampling and the constraint fields.
SHORT: dict[str, dict[str, Any]] = {
    "/v1/completions": {"prompt": "Is", "max_tokens": 8, "logprobs": 0},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Is"}], "max_tokens": 8, "logprobs": True},
    "/v1/responses": {"input": "Is", "max_output_tokens": 8, "include": ["message.output_text.logprobs"]},
    "/generate": {"text": "Is", "return_logprob": True},
}


def short(path: str, fields: dict[str, Any]) -> dict[str, Any]:
    if path == "/generate":
        return {**SHORT[path], "sampling_params": {"max_new_tokens": 8, **fields}}
    return {**SHORT[path], **fields}


@pytest.mark.parametrize("path", SHORT)
@pytest.mark.parametrize("title", ["Sampling fields", "Constraint fields"])
def test_every_shared_field_has_an_example(embedded: RunningServer, path: str, title: str) -> None:
    examples = bodies(SECTIONS[title])
    written = {name for body in examples for name in body}
    assert written >= (set(SamplingFields.model_fields) if title == "Sampling fields" else CONSTRAINT_FIELDS)
    for fields in examples:
        answer = httpx.post(f"{embedded.url}{path}?strict=1", json=short(path, fields), timeout=60)
        assert answer.status_code == 200, (fields, answer.text)


@pytest.mark.parametrize("path", SHORT)
def test_fields_without_effect_and_fields_that_are_refused(embedded: RunningServer, path: str) -> None:
    implemented = {"/v1/responses": {"metadata", "store"}, "/v1/completions": {"echo", "best_of"}}.get(path, set())
    for name in ACCEPTED - implemented:
        answer = httpx.post(f"{embedded.url}{path}?strict=1", json=short(path, {name: None}), timeout=60)
        assert answer.status_code == 200, (name, answer.text)
    known = set(schema_of(f"POST {path}")["properties"])  # type: ignore[index]
    for name in UNSUPPORTED.keys() - implemented - (known if path != "/generate" else set()):
        answer = httpx.post(f"{embedded.url}{path}", json=short(path, {name: "something"}), timeout=60)
        assert answer.status_code == 400, name
        assert name in answer.json()["error"]["param"]


def test_every_shared_field_is_named() -> None:
    sampling = named(SECTIONS["Sampling fields"])
    assert sampling >= set(SamplingFields.model_fields) | ACCEPTED | UNSUPPORTED.keys()
    assert named(SECTIONS["Constraint fields"]) >= CONSTRAINT_FIELDS


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("route", ROUTES)
def test_curl(embedded: RunningServer, route: str) -> None:
    (script,) = blocks(SECTIONS[route], "sh")
    script = script.replace(EXAMPLE_URL, embedded.url).replace("curl ", "curl -sS --fail-with-body --max-time 120 ")
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_python(embedded: RunningServer) -> None:
    names: dict[str, Any] = {}
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        for block in blocks(PAGE, "python"):
            exec(block.replace(EXAMPLE_URL, embedded.url), names)
    names["client"].close()
    names["http"].close()
    assert "Priya Nair" in shown.getvalue()
