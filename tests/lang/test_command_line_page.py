"""docs/command-line.md names every option of every command, with its default, and no other."""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from slipform.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def options_of(command: Any) -> dict[frozenset[str], str]:
    """The spellings of each option, and its default as the page writes it."""
    found = {}
    for parameter in command.params:
        if parameter.opts[0].startswith("-"):
            default = parameter.default
            shown = "" if default is None or default is False else "on" if default is True else str(default)
            found[frozenset((*parameter.opts, *parameter.secondary_opts))] = shown
    return found


def options_on_the_page(section: str) -> dict[frozenset[str], str]:
    rows = re.findall(r"^\| (`-.*?) \| (.*?) \| .+ \|$", section, re.MULTILINE)
    return {frozenset(re.findall(r"`(-[^`]+)`", names)): default.strip("` ") for names, default in rows}


def test_the_page_has_every_option_and_its_default() -> None:
    _, *sections = re.split(r"^## `slipform (?=\w)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands: Any = get_command(app)
    on_the_page = {re.match(r"\w+", section)[0]: options_on_the_page(section) for section in sections}  # type: ignore[index]
    assert on_the_page == {name: options_of(command) for name, command in commands.commands.items()}
