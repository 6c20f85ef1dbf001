"""Words that only tie a wish to what answers it: a request to its tool, a property name to the words beside its value.

Their meaning does not matter: one made-up word throughout the example ties just as well. `augmentation.py` puts it there, so that
a model learns to follow such ties instead of learning the few hundred tools and kinds of fact of the material by heart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slipform.runtime.embedded.tool_parts import stems

# Words of schemas, signatures and instructions: never replaced by made-up ones.
SCHEMA_STEMS = stems(
    "string integer number float boolean array object properties required type enum format items title description"
    " default date time email null none true false literal function parameters name arguments tools schema fields keys"
    " record json pattern additional list call answer"
) | frozenset(("list", "call", "date", "time", "null", "none", "true", "type", "enum", "name", "keys", "tools"))
# Characters around a value in which the word of a property name counts as standing beside it.
BESIDE = 45


@dataclass(frozen=True, slots=True)
class ToolWords:
    """Stems of a tool on offer: of its name and description, and of its parameters; and whether the request calls it."""

    described: frozenset[str]
    parameters: frozenset[str]
    called: bool


@dataclass(frozen=True, slots=True)
class WantedField:
    """A property that is asked for: its name, its options, and its value as the passage writes it (None where absent)."""

    key: str
    options: Sequence[str]
    surface: str | None


def between_request_and_tools(request: str, tools: Iterable[ToolWords], kept: str) -> tuple[str, ...]:
    """Stems that may be replaced in the request and the tools alike; `kept` holds words that have to stay.

    Where the request shares no word with a tool that it calls, that tool's words must keep their meaning; and where it shares
    them with another tool as well, those of both must, since their meaning makes the choice.
    """
    asked = stems(request)
    staying = SCHEMA_STEMS | stems(kept)
    free: frozenset[str] = frozenset()
    tools = list(tools)
    for tool in tools:
        staying |= tool.parameters
        free |= tool.described
        if not tool.called:
            continue
        ties = tool.described & asked
        if not ties:
            staying |= tool.described
            continue
        for other in tools:
            if other is not tool and ties <= other.described:
                staying |= tool.described | other.described
    return tuple(sorted(free - staying))


def beside_values(passage: str, fields: Iterable[WantedField], surfaces: Iterable[str]) -> tuple[str, ...]:
    """Stems of property names that stand beside their values in the passage, too; none that a value or an option holds."""
    free: frozenset[str] = frozenset()
    staying = SCHEMA_STEMS | stems(" ".join(surfaces))
    for field in fields:
        words = stems(field.key)
        staying |= stems(" ".join(field.options))
        place = passage.find(field.surface) if field.surface else -1
        if place < 0:
            staying |= words
            continue
        end = place + len(field.surface or "")
        beside = stems(f"{passage[max(0, place - BESIDE) : place]} {passage[end : end + BESIDE]}")
        free |= words & beside
        if not words & beside:
            staying |= words
    return tuple(sorted(free - staying))
