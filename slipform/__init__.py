"""Slipform: programs with holes, filled by a language model, in a guaranteed shape.

Public names are imported on first use, so that `import slipform` loads neither torch nor a model.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_EXPORTS = {
    "Engine": "slipform.runtime.engine",
    "SamplingParams": "slipform.runtime.params",
}

__all__ = ["Engine", "SamplingParams"]

if TYPE_CHECKING:
    from slipform.runtime.engine import Engine
    from slipform.runtime.params import SamplingParams


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'slipform' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
