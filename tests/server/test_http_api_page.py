"""docs/http-api.md has every route and every field, and its examples work against a live server."""

import contextlib
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from slipform.runtime.server.dialects.read import CONSTRAINT_FIELDS
from slipform.runtime.server.sampling_fields import ACCEPTED, UNSUPPORTED, SamplingFields
from tests.server.serving import RunningServer
from tests.server.test_api_document import DOCUMENT

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", PAGE, re.MULTILINE))
ROUTES = [title for title in SECTIONS if re.match("(GET|POST|DELETE) /", title)]
EXAMPLE_URL = "http://127.0.0.1:8000"


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_every_route_has_a_section() -> None:
    routes = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert set(ROUTES) == routes


@pytest.mark.parametrize("route", ROUTES)
def test_every_field_is_named(route: str) -> None:
    method, path = route.split(" ")
    body = DOCUMENT["paths"][path][method.lower()].get("requestBody")
    fields: set[str] = set()
    if body is not None:
        reference = body["content"]["application/json"]["schema"]["$ref"]
        fields = set(DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["properties"])
    section = SECTIONS[route]
    if "the sampling fields" in section:
        fields -= set(SamplingFields.model_fields)
    assert fields <= named(section)
    assert len(blocks(section, "sh")) == 1
    assert len(blocks(section, "python")) == 1


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
