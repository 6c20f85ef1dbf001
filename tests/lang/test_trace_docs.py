"""The page on traces runs on the embedded model and prints what it shows; so does its command."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import slipform as sf
from slipform.cli import app
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.runtime.engine import Engine

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PROGRAM = """
import slipform as sf

@sf.function
def greet(s, name):
    s += "Hello " + name + ", you are " + sf.gen("age", regex="[0-9]{2} years old")

ROWS = [{"name": "Ada"}, {"name": "Grace"}]
"""


@pytest.fixture(scope="module")
def embedded() -> Iterator[Backend]:
    with Engine(dtype="float32", warm_up=False, pool_slots=2048) as engine:
        yield as_backend(engine)


@pytest.fixture(autouse=True)
def default(embedded: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sf.global_config, "default_backend", embedded)
    monkeypatch.chdir(tmp_path)


def test_the_page_runs_and_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "traces.md"}
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", (DOCS / "traces.md").read_text("utf-8"), re.DOTALL):
        if kind == "python":
            exec(compile(block, "traces.md", "exec"), names)
        else:
            assert capsys.readouterr().out == block
    assert names["page"].read_text("utf-8").startswith("<!doctype html>")


def test_the_picture_is_there_and_small() -> None:
    picture = (DOCS / "trace.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert width >= 1200
    assert height >= 900
    assert len(picture) < 300_000


def test_the_command_writes_the_page_of_one_row(tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(PROGRAM)
    done = CliRunner().invoke(app, ["run", "greet.py", "--trace", "page.html", "--row", "1", "--seed", "4"])
    assert done.exit_code == 0, done.output
    assert "Grace" in done.output
    assert "Hello Grace, you are " in (tmp_path / "page.html").read_text("utf-8")
    done = CliRunner().invoke(app, ["run", "greet.py", "--trace", "trace.json"])
    assert done.exit_code == 0, done.output
    trace = sf.RunTrace.load(tmp_path / "trace.json")
    assert trace.text.startswith("Hello Ada, you are ")
    assert trace.detail == "full"
    assert re.fullmatch("[0-9]{2} years old", trace.fill("age").text)


@pytest.mark.parametrize("more", [["--output", "out.jsonl"], ["--limit", "1"]])
def test_the_command_runs_one_row_only(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "greet.py").write_text(PROGRAM)
    done = CliRunner().invoke(app, ["run", "greet.py", "--trace", "page.html", *more])
    assert done.exit_code != 0
    assert "--trace: runs one row" in str(done.exception)
    assert not (tmp_path / "page.html").exists()
