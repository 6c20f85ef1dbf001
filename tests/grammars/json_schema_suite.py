"""The official JSON-Schema-Test-Suite and what is right of it.

The groups and remote documents in `tests/data` are those that come with the source of jsonschema 4.26.0, under the MIT
licence beside them (Julian Berman and contributors). A group is right when its schema compiles, every valid instance is
accepted and every invalid one refused.
"""

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from slipform.errors import EmptyGrammar, GrammarError
from tests.grammars.json_schema_help import accepts, compact, compiled

DATA = Path(__file__).parent.parent / "data"
URIS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft4": "http://json-schema.org/draft-04/schema#",
}


@dataclass(frozen=True)
class Group:
    """Some instances of one schema. `file`: the keyword it is about."""

    file: str
    description: str
    schema: Any
    tests: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return f"{self.file}: {self.description}"


@cache
def _suite() -> Any:
    return json.loads(lzma.decompress((DATA / "json_schema_suite.json.xz").read_bytes()))


def groups(draft: str, part: Literal["required", "optional"] = "required") -> Iterator[Group]:
    """The groups of one draft; schemas of older drafts name it, as the suite takes for granted."""
    for file, listed in _suite()[part][draft].items():
        for group in listed:
            schema = group["schema"]
            if draft != "draft2020-12" and isinstance(schema, dict) and "$schema" not in schema:
                schema = {"$schema": URIS[draft], **schema}
            yield Group(file, group["description"], schema, group["tests"])


def remotes(draft: str) -> dict[str, Any]:
    """The documents that the groups refer to, by URI."""
    others = {other for other in URIS if other != draft}
    return {uri: document for uri, document in _suite()["remotes"].items() if uri.split("/")[3] not in others}


def fault(group: Group, **options: Any) -> str | None:
    """Why a group is not right; None if it is. A wrong accept is named as such."""
    try:
        grammar = compiled(group.schema, **options)
    except EmptyGrammar:
        return "refused" if any(test["valid"] for test in group.tests) else None
    except GrammarError:
        return "refused"
    found = None
    for test in group.tests:
        taken = accepts(grammar, compact(test["data"]))
        if taken and not test["valid"]:
            return f"wrong accept: {test['description']}"
        if test["valid"] and not taken:
            found = f"refuses: {test['description']}"
    return found
