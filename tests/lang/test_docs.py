"""The code of the pages on the language runs, and what they show is what comes out."""

import re
from pathlib import Path
from typing import Any

import pytest

import slipform as sf

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
