"""Slipform: programs with holes, filled by a language model, in a guaranteed shape.

    import slipform as sf

    @sf.function
    def answer(s, question):
        s += sf.user(question)
        s += sf.assistant(sf.gen("answer", max_tokens=32))

    print(answer.run(question="What is a slipform?")["answer"])

Public names are imported on first use, so that `import slipform` loads neither torch nor a model.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_API = "slipform.lang.api"
_CHOICES = "slipform.lang.choices"
_CONFIG = "slipform.lang.config"
_ERRORS = "slipform.errors"
_ROLES = "slipform.lang.roles"

# Public name: its module, and its name there; an empty one is the module itself.
_EXPORTS: dict[str, tuple[str, str]] = {
    **{
        name: (_API, name)
        for name in (
            "call",
            "function",
            "gen",
            "gen_int",
            "gen_string",
            "image",
            "regex",
            "select",
            "separate_reasoning",
            "video",
        )
    },
    **{
        name: (_ROLES, name)
        for name in (
            "assistant",
            "assistant_begin",
            "assistant_end",
            "system",
            "system_begin",
            "system_end",
            "user",
            "user_begin",
            "user_end",
        )
    },
    **{name: (_CONFIG, name) for name in ("flush_cache", "get_server_info", "global_config", "set_default_backend")},
    **{
        name: (_CHOICES, name.upper())
        for name in (
            "greedy_token_selection",
            "masked_decoding",
            "token_length_normalized",
            "unconditional_likelihood_normalized",
        )
    },
    **{
        name: (_ERRORS, name)
        for name in (
            "ArgumentError",
            "BackendError",
            "BackendUnreachable",
            "BudgetError",
            "CapacityError",
            "ConfigError",
            "ConstraintError",
            "EmptyConstraint",
            "EngineStopped",
            "FillError",
            "GrammarError",
            "InvalidRequest",
            "ProgramError",
            "RequestAborted",
            "RoleError",
            "RowError",
            "SlipformError",
            "TraceError",
            "UnenforceableConstraint",
            "VariableError",
        )
    },
    "Endpoint": ("slipform.lang.backends.endpoint", "Endpoint"),
    "RuntimeEndpoint": ("slipform.lang.backends.endpoint", "RuntimeEndpoint"),
    "Engine": ("slipform.runtime.engine", "Engine"),
    "OpenAI": ("slipform.lang.backends.openai", "OpenAI"),
    "Prices": ("slipform.lang.usage", "Prices"),
    "read_rows": ("slipform.lang.rows", "read_rows"),
    "run_job": ("slipform.lang.job", "run_job"),
    "score": ("slipform.lang.score", "score"),
    "shapes": ("slipform.lang.shapes", ""),
    "Program": ("slipform.lang.program", "Program"),
    "ProgramState": ("slipform.lang.state", "ProgramState"),
    "ProgramStateGroup": ("slipform.lang.branches", "ProgramStateGroup"),
    "RunTrace": ("slipform.lang.run_trace", "RunTrace"),
    "Runtime": ("slipform.lang.backends.engine", "Runtime"),
    "SamplingParams": ("slipform.runtime.params", "SamplingParams"),
    "Tool": ("slipform.lang.tools", "Tool"),
    "ToolCall": ("slipform.lang.tools", "ToolCall"),
    "mcp_tools": ("slipform.lang.tools", "mcp_tools"),
    "tool": ("slipform.lang.tools", "tool"),
    "tool_prompt": ("slipform.lang.api", "tool_prompt"),
    "ScriptedBackend": ("slipform.lang.backends.scripted", "ScriptedBackend"),
}

__all__ = [
    "ArgumentError",
    "BackendError",
    "BackendUnreachable",
    "BudgetError",
    "CapacityError",
    "ConfigError",
    "ConstraintError",
    "EmptyConstraint",
    "Endpoint",
    "Engine",
    "EngineStopped",
    "FillError",
    "GrammarError",
    "InvalidRequest",
    "OpenAI",
    "Prices",
    "Program",
    "ProgramError",
    "ProgramState",
    "ProgramStateGroup",
    "RequestAborted",
    "RoleError",
    "RowError",
    "RunTrace",
    "Runtime",
    "RuntimeEndpoint",
    "SamplingParams",
    "ScriptedBackend",
    "SlipformError",
    "Tool",
    "ToolCall",
    "TraceError",
    "UnenforceableConstraint",
    "VariableError",
    "assistant",
    "assistant_begin",
    "assistant_end",
    "call",
    "flush_cache",
    "function",
    "gen",
    "gen_int",
    "gen_string",
    "get_server_info",
    "global_config",
    "greedy_token_selection",
    "image",
    "masked_decoding",
    "mcp_tools",
    "read_rows",
    "regex",
    "run_job",
    "score",
    "select",
    "separate_reasoning",
    "set_default_backend",
    "shapes",
    "system",
    "system_begin",
    "system_end",
    "token_length_normalized",
    "tool",
    "tool_prompt",
    "unconditional_likelihood_normalized",
    "user",
    "user_begin",
    "user_end",
    "video",
]

if TYPE_CHECKING:
    from slipform.errors import (
        ArgumentError,
        BackendError,
        BackendUnreachable,
        BudgetError,
        CapacityError,
        ConfigError,
        ConstraintError,
        EmptyConstraint,
        EngineStopped,
        FillError,
        GrammarError,
        InvalidRequest,
        ProgramError,
        RequestAborted,
        RoleError,
        RowError,
        SlipformError,
        TraceError,
        UnenforceableConstraint,
        VariableError,
    )
    from slipform.lang import shapes
    from slipform.lang.api import (
        call,
        function,
        gen,
        gen_int,
        gen_string,
        image,
        regex,
        select,
        separate_reasoning,
        tool_prompt,
        video,
    )
    from slipform.lang.backends.endpoint import Endpoint, RuntimeEndpoint
    from slipform.lang.backends.engine import Runtime
    from slipform.lang.backends.openai import OpenAI
    from slipform.lang.backends.scripted import ScriptedBackend
    from slipform.lang.branches import ProgramStateGroup
    from slipform.lang.choices import GREEDY_TOKEN_SELECTION as greedy_token_selection
    from slipform.lang.choices import MASKED_DECODING as masked_decoding
    from slipform.lang.choices import TOKEN_LENGTH_NORMALIZED as token_length_normalized
    from slipform.lang.choices import UNCONDITIONAL_LIKELIHOOD_NORMALIZED as unconditional_likelihood_normalized
    from slipform.lang.config import flush_cache, get_server_info, global_config, set_default_backend
    from slipform.lang.job import run_job
    from slipform.lang.program import Program
    from slipform.lang.roles import (
        assistant,
        assistant_begin,
        assistant_end,
        system,
        system_begin,
        system_end,
        user,
        user_begin,
        user_end,
    )
    from slipform.lang.rows import read_rows
    from slipform.lang.run_trace import RunTrace
    from slipform.lang.score import score
    from slipform.lang.state import ProgramState
    from slipform.lang.tools import Tool, ToolCall, mcp_tools, tool
    from slipform.lang.usage import Prices
    from slipform.runtime.engine import Engine
    from slipform.runtime.params import SamplingParams


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        module, attribute = _EXPORTS[name]
        found = importlib.import_module(module)
        return getattr(found, attribute) if attribute else found
    # With both attributes Python suggests the nearest name in its traceback.
    raise AttributeError(f"module 'slipform' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
