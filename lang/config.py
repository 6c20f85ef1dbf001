"""Process-wide settings of the language: the one place in it that keeps state between runs."""

import threading
from dataclasses import dataclass
from typing import Any

from slipform.errors import ConfigError
from slipform.lang.backend import Backend
from slipform.lang.backends.engine import EngineBackend, Runtime, is_engine

# SGLang's settings that have one value here, and what that value is.
_FIXED: dict[str, tuple[object, str]] = {
    "enable_parallel_encoding": (False, "branches are joined as text, so that the model sees what it would have read"),
    "spaces_between_special_tokens_in_out": (False, "texts are the bytes of their tokens, with nothing between them"),
}


@dataclass
class GlobalConfig:
    """What SGLang programs find as `global_config`. A name that is none of these is a ConfigError.

    Attributes:
        default_backend: what runs a program that names no backend; None makes an engine on the embedded model on first
            use.
        enable_precache_with_tracing: `run_batch` traces the program and computes its constant prefix once, ahead.
        skip_special_tokens_in_output: special tokens are left out of the text of holes.
        verbosity: 2 prints the text of every finished run to the standard error.
    """

    default_backend: Backend | None = None
    enable_precache_with_tracing: bool = True
    skip_special_tokens_in_output: bool = True
    verbosity: int = 0

    def __setattr__(self, name: str, value: object) -> None:
        if name in _FIXED:
            fixed, reason = _FIXED[name]
            if value != fixed:
                raise ConfigError(f"is always {fixed} here: {reason}", field=f"global_config.{name}")
        elif name not in type(self).__dataclass_fields__:
            raise ConfigError("unknown setting", field=f"global_config.{name}")
        object.__setattr__(self, name, value)


global_config = GlobalConfig()
_lock = threading.Lock()


def set_default_backend(backend: object) -> None:
    """Run programs on `backend` (a backend or an engine) where they name none; None goes back to the embedded model."""
    global_config.default_backend = None if backend is None else as_backend(backend)


def as_backend(value: object) -> Backend:
    """`value` as a backend; an engine gets one around it. Raises: ConfigError for anything else."""
    if isinstance(value, Backend):
        return value
    if is_engine(value):
        return EngineBackend.around(value)
    raise ConfigError(f"{value!r} is neither a backend nor an engine", field="backend")


def resolve_backend(backend: object | None) -> Backend:
    """The given backend, or the default one; makes an engine on the embedded model, once, when there is none."""
    if backend is not None:
        return as_backend(backend)
    with _lock:
        if global_config.default_backend is None:
            global_config.default_backend = Runtime()
        return global_config.default_backend


def flush_cache(backend: object | None = None) -> None:
    """Forget the cached prefixes of a backend."""
    resolve_backend(backend).flush_cache()


def get_server_info(backend: object | None = None) -> dict[str, Any]:
    """Plain values about a backend: model, sizes, counters."""
    return dict(resolve_backend(backend).server_info())
