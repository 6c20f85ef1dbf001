"""The tools that a request offers, and which of them the answer may or must call."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slipform.errors import InvalidRequest
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, JsonText, Series

# `parallel_tool_calls` is no invitation to go on until max_tokens.
MAX_CALLS = 32

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call, or a custom tool: one that takes a text.

    Attributes:
        parameters: JSON text of the schema that its arguments satisfy. description: for the prompt.
        strict: False leaves the arguments any JSON object.
        input: what the text that a custom tool takes matches; the model writes it as the one argument `input`. None for
            a function.
    """

    name: str
    parameters: str = '{"type": "object", "properties": {}}'
    description: str = ""
    strict: bool = True
    input: GrammarSpec | None = None

    @classmethod
    def of(
        cls, name: str, parameters: Mapping[str, Any] | None = None, *, description: str = "", strict: bool = True
    ) -> "Tool":
        """Without `parameters` the tool takes none."""
        schema = {"type": "object", "properties": {}} if parameters is None else dict(parameters)
        return cls(name, json.dumps(schema, ensure_ascii=False), description, strict)

    @classmethod
    def custom(cls, name: str, input: GrammarSpec, *, description: str = "", input_description: str = "") -> "Tool":
        """A custom tool. `input_description` tells the model what `input` is."""
        text = {"type": "string"} | ({"description": input_description} if input_description else {})
        schema = {"type": "object", "properties": {"input": text}, "required": ["input"]}
        return cls(name, json.dumps(schema, ensure_ascii=False), description, input=input)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidRequest(
                f"a function's name has 1 to 64 letters, digits, dots, dashes and underscores, got {self.name!r}",
                field="tools",
            )

    @property
    def schema(self) -> dict[str, Any]:
        """What the arguments satisfy: an object in any case, with no properties but the declared ones unless the schema
        speaks of others itself."""
        if not self.strict:
            return {"type": "object"}
        schema: dict[str, Any] = {"type": "object", **json.loads(self.parameters)}
        if not schema.keys() & _OPEN_KEYWORDS:
            schema["additionalProperties"] = False
        return schema

    @property
    def arguments(self) -> GrammarSpec:
        """What the JSON text of the arguments matches; whole numbers are written without `.0`."""
        if self.input is not None:
            return Series((Choice(('{"input": ', '{"input":')), JsonText(self.input), Choice(("}",))))
        return JsonSchema.of(self.schema, integers="plain")


# Keywords through which a schema admits, or describes elsewhere, properties that `properties` does not name.
_OPEN_KEYWORDS = frozenset(
    {
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "$ref",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "dependentSchemas",
    }
)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Which tools an answer may call.

    Attributes:
        choice: "auto": text or calls; "required": at least one call; "none": no call; "named": one call of the only
            tool in `tools`.
        parallel: whether one answer may hold several calls.
    """

    tools: tuple[Tool, ...]
    choice: Literal["auto", "required", "none", "named"] = "auto"
    parallel: bool = True

    @property
    def max_calls(self) -> int:
        return MAX_CALLS if self.parallel and self.choice != "named" else 1
