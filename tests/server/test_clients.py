"""Libraries that people build on, unmodified and each in its own process, against a server with the embedded model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.serving import RunningServer

PROGRAMS = sorted((Path(__file__).parent / "clients").glob("with_*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_client(embedded: RunningServer, program: Path) -> None:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # it would look for one on the network
    done = subprocess.run(
        [sys.executable, str(program), f"{embedded.url}/v1"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    tickets = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"kind"')]
    assert len(tickets) == 2
    for ticket in tickets:
        assert ticket["customer"] == "Priya Nair"
        assert ticket["order_id"].startswith("SO-20094")
