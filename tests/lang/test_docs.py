"""The code of the language page runs, and what it shows is what comes out."""

import re
from pathlib import Path
from typing import Any

import pytest

import slipform as sf

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "language.md").read_text(encoding="utf-8")


def test_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    backend = sf.ScriptedBackend({"person": {"name": "Ada", "age": 36}})
    monkeypatch.setattr(sf.global_config, "default_backend", backend)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    assert capsys.readouterr().out == "36\n"
    shown = re.search(r"```\n(extract: .*?)\n```", PAGE, re.DOTALL)
    assert shown is not None
    assert str(names["extract"].plan()) == shown.group(1)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`sf\.(\w+)", PAGE)) | set(re.findall(r"\bsf\.(\w+)", PAGE))))
def test_every_name_on_the_page_exists(name: str) -> None:
    assert hasattr(sf, name)
