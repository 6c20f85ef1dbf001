"""The command line, through its entry points."""

import json
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import slipform as sf
from slipform import cli_run
from slipform.cli import app
from slipform.cli_explain import explain_fill
from slipform.errors import ConfigError
from slipform.explain_page import render_page
from slipform.lang.config import as_backend
from tests.fakes import scripted_engine

PROGRAM = """
import slipform as sf

@sf.function
def double(s, number):
    if number == 13:
        raise ValueError("unlucky")
    s += "twice " + str(number) + " is " + sf.gen("result", schema=int)

ROWS = [{"number": 1}, {"number": 2}]
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "double.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(name: str, before: str) -> str:
        return str(2 * int(before.split()[1]))

    monkeypatch.setattr(sf.global_config, "default_backend", sf.ScriptedBackend(answer))


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_run_writes_one_line_a_row(program: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = invoke("run", program, "--output", out)
    assert result.exit_code == 0, result.output
    assert lines_of(out) == [
        {"row": 0, "input": {"number": 1}, "output": {"result": 2}, "error": None},
        {"row": 1, "input": {"number": 2}, "output": {"result": 4}, "error": None},
    ]
    assert "2 rows in" in result.stderr


def test_run_keeps_the_errors_with_their_rows(program: Path, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text('{"number": 5}\n{"number": 13}\n\n{"nummer": 1}\nnot json\n[1]\n{"number": 6}\n')
    result = invoke("run", program, "--input", rows, "--output", out)
    assert result.exit_code == 1, result.output
    records = lines_of(out)
    assert [record["error"] and record["error"]["type"] for record in records] == [
        None,
        "ValueError",
        "ArgumentError",
        "RowError",
        "RowError",
        None,
    ]
    assert records[1]["error"]["message"] == "unlucky"
    assert records[3]["input"] == "not json"
    assert records[-1]["output"] == {"result": 12}
    assert "4 failed" in result.stderr


def test_run_shows_a_table_without_an_output(program: Path) -> None:
    result = invoke("run", program, "--limit", 1, "--quiet")
    assert result.exit_code == 0
    assert "result: 2" in result.stdout
    assert "result: 4" not in result.stdout
    assert result.stderr == ""


def test_run_reads_and_writes_the_standard_streams(program: Path) -> None:
    result = CliRunner().invoke(
        app, ["run", str(program), "--input", "-", "--output", "-", "-q"], input='{"number": 21}\n'
    )
    assert json.loads(result.stdout)["output"] == {"result": 42}


def test_run_options_reach_the_fills(program: Path) -> None:
    result = invoke("run", program, "--temperature", 0, "--seed", 5, "--max-tokens", 7, "--concurrency", 1)
    assert result.exit_code == 0
    backend = sf.global_config.default_backend
    assert isinstance(backend, sf.ScriptedBackend)
    sampling = backend.requests[-1].segments[-1].sampling  # type: ignore[union-attr]
    assert (sampling.temperature, sampling.seed, sampling.max_tokens) == (0.0, 5, 7)


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        (None, [], "no such file"),
        ("x = 1", [], "holds no program; make one with @sf.function"),
        ("1 / 0", [], "ZeroDivisionError"),
        (PROGRAM, ["--program", "triple"], "'triple' is none of the programs double"),
        (PROGRAM, ["--input", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (PROGRAM, ["--output", "/nowhere/out.jsonl"], "cannot be written"),
        (PROGRAM.replace("ROWS", "OTHER"), [], "double needs rows: give --input, or a list ROWS"),
        (PROGRAM.replace("double", "one") + PROGRAM.replace("double", "two"), [], "is none of the programs one, two"),
        (PROGRAM, ["--model", "/nowhere"], "/nowhere is not a directory"),
    ],
)
def test_what_cannot_run_says_why(tmp_path: Path, source: str | None, arguments: list[str], message: str) -> None:
    path = tmp_path / "broken.py"
    if source is not None:
        path.write_text(source)
    result = invoke("run", path, *arguments)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)


def test_a_program_named_as_its_file_is_the_one_to_run(tmp_path: Path) -> None:
    path = tmp_path / "double.py"
    path.write_text(PROGRAM + PROGRAM.replace("double", "helper"))
    assert cli_run.find_program(cli_run.load_module(path), None).name == "double"


def test_the_installed_command_ends_with_one_line_and_exit_code_2(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "slipform"), "run", str(tmp_path / "missing.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip() == f"slipform: ConfigError: FILE: no such file: {tmp_path / 'missing.py'}"


@pytest.mark.parametrize("command", ["run", "check", "explain"])
def test_every_command_has_help_with_examples(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"slipform {command}" in result.output
    assert "Examples" in result.output


def test_check_without_loading(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    result = invoke("check", "--model", tmp_path, "--no-load")
    assert result.exit_code == 0, result.output
    for word in ("slipform", "python", "processor", "torch", "transformers", "model", "device"):
        assert word in result.output


# explain


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with scripted_engine(seed=3) as engine:
        yield as_backend(engine)


def test_explain_says_which_tokens_were_forced(engine: Any) -> None:
    from slipform.cli_explain import _program_of

    program = _program_of("Ada was born in ", {"regex": "(London|Paris), on 18[0-9]{2}"}, False)
    found = explain_fill(program, {}, "fill", engine, {"temperature": 0.0})
    # The first token may begin with the blank before it: the seam is healed.
    assert "".join(token.text for token in found.tokens).endswith(found.text)
    assert found.num_forced > 0
    assert all(token.num_allowed == 1 for token in found.tokens if token.forced)
    assert any(token.num_allowed > 1 for token in found.tokens if not token.forced)
    assert found.prompt_len > 0
    assert all(token.alternatives for token in found.tokens)
    again = explain_fill(program, {}, "fill", engine, {"temperature": 0.0})
    assert again.text == found.text
    assert again.cached_len > 0


class PageCheck(HTMLParser):
    """Collects the text of a page, what it loads from elsewhere, and whether its tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.tokens = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [f"{tag} {values[key]}" for key in ("src", "href", "action") if key in values]
        self.tokens += tag == "span" and (values.get("class") or "").split()[:1] == ["t"]
        if tag not in ("meta", "br", "line", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return None

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(engine: Any) -> None:
    from slipform.cli_explain import _program_of

    program = _program_of("<b>&", {"regex": "<i>[a-c]{3}</i>"}, True)
    found = explain_fill(program, {}, None, engine, {"temperature": 0.0})
    page = render_page(found)
    check = PageCheck()
    check.feed(page)
    assert check.open == []
    assert check.loads == []
    assert check.tokens == len(found.tokens)
    assert "<script" not in page
    assert "url(" not in page
    assert "<i>a" not in page


def test_explain_prints_and_writes(engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sf.global_config, "default_backend", engine)
    page = tmp_path / "page.html"
    result = invoke("explain", "The tool is ", "--choices", "search, calculator", "--html", page)
    assert result.exit_code == 0, result.output
    assert "forced" in result.output
    assert "prompt tokens cached" in result.output
    assert page.read_text().startswith("<!doctype html>")
    schema = tmp_path / "schema.json"
    schema.write_text('{"enum": ["a", "b"]}')
    for given in (str(schema), '{"enum": ["a", "b"]}'):
        assert invoke("explain", "x", "--schema", given).exit_code == 0


def test_explain_a_fill_of_a_program(engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sf.global_config, "default_backend", engine)
    path = tmp_path / "two.py"
    path.write_text(
        "import slipform as sf\n\n@sf.function\ndef two(s, x):\n"
        "    s += x + sf.gen('a', max_tokens=3) + sf.regex('[0-9]-[a-z]', name='b') + sf.select('c', ['x', 'y'])\n\n"
        "ROWS = [{'x': 'one '}, {'x': 'two '}]\n"
    )
    result = invoke("explain", path, "--fill", "b", "--row", 1)
    assert result.exit_code == 0, result.output
    assert "two: b" in result.output
    for arguments, message in [
        (["--fill", "c"], "'c' is none of the fills a, b"),
        (["--row", "2"], "there are 2 rows, counted from 0"),
    ]:
        assert message in str(invoke("explain", path, *arguments).exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--regex", "a", "--choices", "b"], "--regex and --choices exclude each other"),
        (["--schema", "nowhere.json"], "nowhere.json is neither JSON nor a file that holds JSON"),
    ],
)
def test_explain_refuses(arguments: list[str], message: str) -> None:
    assert message in str(invoke("explain", "x", *arguments).exception)
