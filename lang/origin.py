"""The line of a user's file that something comes from."""

import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """The line of the user's program that made a node."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


# Under these, nobody but the command line has called: there is no user's line.
_COMMAND_LINE = ("typer.", "click.")


def caller_origin() -> Origin | None:
    """The nearest frame outside this package: the user's line. None where there is none, as under the command line."""
    frame = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("slipform."):
        frame = frame.f_back  # type: ignore[assignment]  # the outermost frame has none
    if frame is None or str(frame.f_globals.get("__name__", "")).startswith(_COMMAND_LINE):
        return None
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def function_origin(func: Any) -> Origin | None:
    """The line on which a function is defined, or None for one that is not written in Python."""
    code = getattr(func, "__code__", None)
    return Origin(code.co_filename, code.co_firstlineno) if code is not None else None


def at(origin: Origin | None) -> str:
    """` (file:line)` for the end of a message, or nothing."""
    return f" ({origin})" if origin is not None else ""
