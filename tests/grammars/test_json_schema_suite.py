"""The required tests of the official JSON-Schema-Test-Suite for 2020-12, against a stored list of what is not right.

A group is right when its schema compiles, every valid instance is accepted and every invalid one refused. The suite is
in `tests/data` with its licence (MIT, Julian Berman and contributors). The list may only shrink: most of it asks to
fetch other documents, or holds that `format` is never asserted.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from slipform.errors import EmptyGrammar, GrammarError
from tests.grammars.json_schema_help import accepts, compact, compiled

DATA = Path(__file__).parent.parent / "data"
BASELINE = DATA / "json_schema_suite_baseline.json"


def _fault(group: dict[str, Any]) -> str | None:
    """Why a group is not right; None if it is. A wrong accept is named as such."""
    try:
        grammar = compiled(group["schema"])
    except EmptyGrammar:
        return "refused" if any(test["valid"] for test in group["tests"]) else None
    except GrammarError:
        return "refused"
    fault = None
    for test in group["tests"]:
        taken = accepts(grammar, compact(test["data"]))
        if taken and not test["valid"]:
            return f"wrong accept: {test['description']}"
        if not taken and test["valid"]:
            fault = "refuses a valid instance"
    return fault


def test_official_suite() -> None:
    suite = json.loads(gzip.decompress((DATA / "json_schema_suite_2020_12.json.gz").read_bytes()))
    faults = {
        f"{keyword}: {group['description']}": fault
        for keyword, groups in suite.items()
        for group in groups
        if (fault := _fault(group)) is not None
    }
    assert not [name for name, fault in faults.items() if fault.startswith("wrong accept")]
    known = set(json.loads(BASELINE.read_text()))
    assert not faults.keys() - known, "groups that were right before"
    assert not known - faults.keys(), "these are right now: take them off the list"
