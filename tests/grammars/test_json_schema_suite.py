"""The official test suite, all drafts, against a stored list of what is not right. The list may only shrink."""

import json
from typing import Any

import pytest

from tests.grammars.json_schema_suite import DATA, URIS, fault, groups, remotes

BASELINE: dict[str, dict[str, str]] = json.loads((DATA / "json_schema_suite_baseline.json").read_text())


def _check(found: dict[str, str], known: dict[str, str]) -> None:
    assert not found.keys() - known.keys(), "groups that were right before"
    assert not known.keys() - found.keys(), "these are right now: take them off the list"
    wrong = {name for name, why in found.items() if why.startswith("wrong accept")}
    assert wrong == {name for name, why in known.items() if why.startswith("wrong accept")}


def _faults(draft: str, part: Any, **options: Any) -> dict[str, str]:
    return {group.name: why for group in groups(draft, part) if (why := fault(group, **options)) is not None}


@pytest.mark.parametrize("draft", URIS)
def test_required_groups(draft: str) -> None:
    """As the suite is meant: the documents it refers to are there, and formats are annotations."""
    found = _faults(draft, "required", resources=remotes(draft), formats="annotation")
    assert not [why for why in found.values() if why.startswith("wrong accept")]
    _check(found, BASELINE[draft])


def test_required_groups_by_default() -> None:
    """Without documents and with formats enforced, at least nine in ten are right, and nothing wrong is accepted."""
    found = _faults("draft2020-12", "required")
    assert len(found) <= sum(1 for _ in groups("draft2020-12")) / 10
    assert not [why for why in found.values() if why.startswith("wrong accept")]


@pytest.mark.parametrize("draft", URIS)
def test_optional_groups(draft: str) -> None:
    """All formats are enforced. What is accepted wrongly here is content*, an annotation by the standard."""
    found = _faults(draft, "optional", resources=remotes(draft), formats="all")
    _check(found, BASELINE[f"{draft} optional"])
