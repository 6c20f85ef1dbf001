"""Every example runs on the embedded model, from the command line's entry and as a script."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import slipform as sf
from slipform.cli import app
from slipform.lang.config import as_backend

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


@pytest.fixture(scope="module", autouse=True)
def embedded() -> Iterator[None]:
    before = sf.global_config.default_backend
    with sf.Engine() as engine:
        sf.global_config.default_backend = as_backend(engine)
        yield
        engine.check()
    sf.global_config.default_backend = before


def run(name: str, tmp_path: Path, *more: str) -> list[dict[str, Any]]:
    """The outputs of `slipform run` on an example, one a row."""
    out = tmp_path / "out.jsonl"
    result = CliRunner().invoke(app, ["run", str(EXAMPLES / name), "--output", str(out), *more])
    assert result.exit_code == 0, result.output + (out.read_text() if out.exists() else "")
    return [json.loads(line)["output"] for line in out.read_text().splitlines()]


def test_tickets(tmp_path: Path) -> None:
    tickets = [output["ticket"] for output in run("tickets.py", tmp_path)]
    assert len(tickets) == 4
    for ticket in tickets:
        assert list(ticket) == ["customer", "email", "order_id", "category", "urgency"]
        assert ticket["category"] in ("billing", "technical", "shipping", "returns", "other")
        assert ticket["urgency"] in ("low", "medium", "high")


def test_tools(tmp_path: Path) -> None:
    outputs = run("tools.py", tmp_path)
    assert len(outputs) == 4
    for output in outputs:
        assert len(output["results"]) == len(output["calls"]) <= 2
        assert {call["name"] for call in output["calls"]} <= {"get_weather", "convert_currency"}


def test_invoices(tmp_path: Path) -> None:
    outputs = run("invoices.py", tmp_path, "--input", str(EXAMPLES / "invoices.jsonl"))
    assert len(outputs) == 4
    for output in outputs:
        assert re.fullmatch(r"[A-Z]{1,4}-?[0-9]{3,8}", output["number"])
        assert re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", output["due"])


def test_review(tmp_path: Path) -> None:
    for output in run("review.py", tmp_path):
        assert output["urgency"] in ("low", "medium", "high")
        assert output["sentiment"] in ("positive", "neutral", "negative")
        assert all(1 / 4 <= value <= 1 for value in output["sure"].values())


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_examples_are_scripts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 3


def test_check_fills_a_hole() -> None:
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0, result.output
    assert "embedded" in result.output
    assert "All is well." in result.output
