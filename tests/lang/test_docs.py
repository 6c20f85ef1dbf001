"""The code of the pages on the language runs, and what they show is what comes out."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import slipform as sf
from slipform.cli import app

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

BILL = '{"shop": "Corner Shop", "items": [{"name": "pen", "price": "1.50"}, {"name": "ink", "price": "3"}]}'


def read_ticket(before: str) -> str:
    """The model's answer to the mails of the tutorial."""
    if "Priya" in before:
        return '{"customer": "Priya Nair", "order": "SO-20094", "category": "billing"}'
    return '{"customer": "Tom Becker", "order": null, "category": "technical"}'


# The answers of the model on each page.
PAGES: dict[str, dict[str, Any]] = {
    "language.md": {"person": {"name": "Ada", "age": 36}},
    "shapes.md": {"order": "Order: AB12 x 2, CD00 x 10"},
    "streams.md": {"bill": BILL},
    "compile.md": {"verdict": {"label": "yes", "reason": "It says so."}},
    "probabilities.md": {"scored": {"yes": 0.1, "no": 0.9}, "category": {"billing": 0.9, "technical": 0.1}},
    "tutorial.md": {
        "greeting": " Good morning, Ada!",
        "answer": "Paris",
        "department": "billing",
        "order": "SO-20094",
        "ticket": read_ticket,
        "reply": "We are sorry, Priya, and have paid the second charge back.",
        "idea": "Pay it back.",
    },
    "migration.md": {"json": '{"age": 50}', "pet": "cat", "age": "7", "person": {"name": "Ada", "age": 36}},
    "tools.md": {
        "answer": [
            '<tool_call>\n{"name": "stock", "arguments": {"article": "pen"}}\n</tool_call>',
            "Yes, 12 of them.",
        ]
    },
}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_runs_and_prints_what_it_shows(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sf.global_config, "default_backend", sf.ScriptedBackend(PAGES[name]))
    names: dict[str, Any] = {"__name__": name}
    blocks = re.findall(r"```(python|text)\n(.*?)```", page(name), re.DOTALL)
    assert blocks
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, name, "exec"), names)
        else:
            # Lines of code are counted within their block.
            assert re.sub(rf"\({name}:\d+\)", "(LINE)", capsys.readouterr().out) == block
    assert capsys.readouterr().out == ""


def shell_words(name: str) -> list[str]:
    """The one command of `slipform` in the page's shell lines."""
    (line,) = re.findall(r"```sh\n(slipform .*)\n```", page(name))
    words = shlex.split(line)
    assert words[0] == "slipform"
    return words[1:]


def file_of(name: str, count: int) -> str:
    """The first blocks of a page as a file: what they show is left out."""
    blocks = re.findall(r"```python\n(.*?)```", page(name), re.DOTALL)[:count]
    return "".join(re.sub(r"(?m)^print\(.*\n", "", block) for block in blocks)


@pytest.mark.parametrize(
    ("name", "file", "rows", "output"),
    [
        (
            "tutorial.md",
            ("tickets.py", 5),
            ("mails.jsonl", ["My name is Priya Nair.", "My name is Tom Becker."]),
            [
                {"ticket": {"customer": "Priya Nair", "order": "SO-20094", "category": "billing"}},
                {"ticket": {"customer": "Tom Becker", "order": None, "category": "technical"}},
            ],
        ),
        (
            "jobs.md",
            ("sort.py", 1),
            (
                "mails.jsonl",
                ["I was charged twice for SO-20094.", "The app crashes when I open it.", "Where is SO-20177?"],
            ),
            [{"department": "billing"}] * 3,
        ),
    ],
)
def test_the_shell_line_of_the_page_runs(
    name: str,
    file: tuple[str, int],
    rows: tuple[str, list[str]],
    output: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = file_of(name, file[1])
    if name == "jobs.md":  # its first block runs the job too
        source = source[: source.index("summary = ")]
    (tmp_path / file[0]).write_text(source, encoding="utf-8")
    (tmp_path / rows[0]).write_text("".join(json.dumps({"mail": mail}) + "\n" for mail in rows[1]))
    monkeypatch.chdir(tmp_path)
    answers = PAGES["tutorial.md"] if name == "tutorial.md" else {"department": "billing"}
    monkeypatch.setattr(sf.global_config, "default_backend", sf.ScriptedBackend(answers))
    words = shell_words(name)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    written = [json.loads(line) for line in Path(words[words.index("--output") + 1]).read_text().splitlines()]
    assert [(record["input"]["mail"], record["output"], record["error"]) for record in written] == [
        (mail, values, None) for mail, values in zip(rows[1], output, strict=True)
    ]


def test_the_plan_on_the_page_is_the_plan() -> None:
    text = page("language.md")
    names: dict[str, Any] = {}
    first = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    exec(first[: first.index("state = ")], names)
    shown = re.search(r"```\n(extract: .*?)\n```", text, re.DOTALL)
    assert shown is not None
    assert str(names["extract"].plan()) == shown.group(1)


@pytest.mark.parametrize("name", sorted({name for file in PAGES for name in re.findall(r"\bsf\.(\w+)", page(file))}))
def test_every_name_on_the_pages_exists(name: str) -> None:
    assert hasattr(sf, name)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`shapes\.(\w+)", page("shapes.md")))))
def test_every_shape_on_the_page_exists(name: str) -> None:
    assert hasattr(sf.shapes, name)
