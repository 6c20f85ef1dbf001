"""The formats by name, and which of them a chat template speaks."""

from slipform.errors import ConfigError
from slipform.runtime.server.tool_calls.format import ToolCallFormat
from slipform.runtime.server.tool_calls.json_calls import GENERIC, HERMES, LLAMA3_JSON, MISTRAL, MISTRAL_ARGS
from slipform.runtime.server.tool_calls.pythonic import Pythonic

FORMATS: dict[str, ToolCallFormat] = {
    known.name: known for known in (HERMES, LLAMA3_JSON, MISTRAL, MISTRAL_ARGS, Pythonic(), GENERIC)
}

# What a template must contain, all of it, for a format; the first that fits counts.
_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mistral_args", ("[TOOL_CALLS]", "[ARGS]")),
    ("mistral", ("[TOOL_CALLS]",)),
    ("hermes", ("<tool_call>", '"arguments"')),
    ("pythonic", ("func_name1(",)),
    ("llama3_json", ('"parameters"', "<|eot_id|>")),
    ("llama3_json", ("<|python_tag|>",)),
)


def choose_format(name: str | None, template: str | None) -> ToolCallFormat:
    """The format `name`, or the one that the chat template shows signs of; `generic` without any sign.

    Raises: ConfigError for an unknown name.
    """
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(f"{name!r} is unknown; known: {', '.join(FORMATS)}", field="tool_format")
        return FORMATS[name]
    for known, signs in _SIGNS:
        if template is not None and all(sign in template for sign in signs):
            return FORMATS[known]
    return FORMATS["generic"]


def writes_tools(template: str | None) -> bool:
    """Whether the template puts tools into the prompt itself."""
    return template is not None and "tools" in template
