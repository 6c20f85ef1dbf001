"""`slipform serve` as a person runs it, and what docs/operations.md says."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from slipform.cli import app
from slipform.errors import ConfigError
from slipform.runtime.server.settings import Bounds, ServerSettings
from tests.server.serving import wait_until

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_serve_command_from_start_to_sigterm(tmp_path: Path) -> None:
    """The command starts, serves the page's example, drains and ends with exit code 0; each line it logs is JSON where
    that is asked for, and each request has one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "slipform.cli", "serve", "--port", str(port), "--pool-slots", "4096"]
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        environment = {**os.environ, "SLIPFORM_LOG_FORMAT": "json"}
        process = subprocess.Popen(command, cwd=tmp_path, stderr=stderr, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

            def is_ready() -> bool:
                assert process.poll() is None
                try:
                    return http.get("/ready").status_code == 200
                except httpx.ConnectError:
                    return False

            wait_until(is_ready, 240)
            body = re.search(r"-d '(\{.*\})'", PAGE)
            assert body is not None
            headers = {"content-type": "application/json"}
            answer = http.post("/v1/completions", content=body.group(1), headers={**headers, "x-request-id": "r-7"})
            num_tokens = answer.json()["usage"]["completion_tokens"]
            assert num_tokens >= 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        lines = [json.loads(line) for line in log.read_text().splitlines() if not line.startswith("Slipform: first")]
        (line,) = [line for line in lines if line["logger"] == "slipform.requests"]
        assert (line["request_id"], line["route"]) == ("r-7", "/v1/completions")
        assert line["completion_tokens"] == num_tokens
        assert any(line["message"] == "the engine is ready: slipform" for line in lines)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "API key"),
        (["--keys-file", "/nowhere"], "cannot be read"),
        (["--tls-key", "/nowhere"], "needed together"),
        (["--tool-format", "nonsense"], "unknown"),
    ],
)
def test_unusable_options_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(app, ["serve", *arguments], catch_exceptions=False)


def test_an_unusable_model_ends_with_code_2() -> None:
    command = [sys.executable, "-m", "slipform.cli", "serve", "--model", "/nowhere", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 2, done.stderr
    assert "not a directory" in done.stderr.splitlines()[-1]


def test_page_names_only_options_that_exist() -> None:
    shown = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for option in set(re.findall(r"--[a-z][a-z-]+", PAGE)):
        assert option in shown, option


def test_page_states_the_defaults() -> None:
    bounds, settings = Bounds(), ServerSettings()
    table = PAGE[PAGE.index("## Bounds") : PAGE.index("## Going down")].replace(",", "")
    stated = set(map(int, re.findall(r"(?<![\w.])\d+(?![\w.]|\s*[KM]iB)", table)))
    for value in (bounds.n, bounds.prompts, bounds.sequences, bounds.logprobs, bounds.stops, bounds.stop_chars,
                  bounds.tools, bounds.messages, bounds.segments, bounds.json_depth, bounds.schema_depth,
                  settings.max_waiting, settings.max_connections):  # fmt: skip
        assert value in stated, value
    for value_s in (settings.header_timeout_s, settings.body_timeout_s, settings.request_timeout_s):
        assert f"{value_s:g} s" in table
    assert bounds.body_bytes == 8 * 2**20
    assert bounds.schema_bytes == 2**20
    assert settings.stream_buffer_bytes == 2**18
