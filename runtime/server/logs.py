"""Logs as text or as JSON, one object a line, and the line that each request leaves in them."""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Literal

from slipform.errors import ConfigError
from slipform.runtime.request import RequestFinished
from slipform.runtime.server.observer import Arrival
from slipform.runtime.statistics import EngineStatistics

_log = logging.getLogger("slipform.requests")

LOG_FORMAT_VARIABLE = "SLIPFORM_LOG_FORMAT"
LOG_LEVELS = ("debug", "info", "warning", "error")
_TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# What every record has; anything else was given as `extra` and belongs to the line.
_COMMON = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time (UTC), level, logger, message, what was given as `extra`, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _COMMON}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_format(environment: Mapping[str, str] = os.environ) -> Literal["text", "json"]:
    """How lines are written, by SLIPFORM_LOG_FORMAT. Raises: ConfigError for an unknown format."""
    match environment.get(LOG_FORMAT_VARIABLE, "text"):
        case "text":
            return "text"
        case "json":
            return "json"
        case other:
            raise ConfigError(f"must be text or json, got {other!r}", field=LOG_FORMAT_VARIABLE)


def set_up_logs(level: str) -> None:
    """Write every log line of this process to the standard error: Slipform's from `level` on, others' warnings.

    Raises: ConfigError for an unknown level or format.
    """
    if level.lower() not in LOG_LEVELS:
        raise ConfigError(f"must be one of {', '.join(LOG_LEVELS)}, got {level!r}", field="log_level")
    handler = logging.StreamHandler()
    is_json = log_format() == "json"
    handler.setFormatter(JsonFormatter() if is_json else logging.Formatter(_TEXT_FORMAT))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("slipform").setLevel(level.upper())


class LoggingObserver:
    """An `Observer` that logs the end of each request, with its id; never a prompt, an answer or a key."""

    def arrived(self, arrival: Arrival) -> None: ...
    def first_token(self, arrival: Arrival, seconds: float) -> None: ...
    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None: ...
    def answered(self, route: str, status: int, seconds: float) -> None: ...

    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None:
        values: dict[str, Any] = {
            "request_id": arrival.request_id,
            "route": arrival.route,
            "client": arrival.client,
            "constraint": arrival.constraint,
            "stream": arrival.stream,
            "n": arrival.n,
            "seconds": round(seconds, 4),
        }
        if error is not None:
            values["error"] = error
        if finished is not None:
            values["prompt_tokens"] = max((sequence.prompt_len for sequence in finished.sequences), default=0)
            values["cached_tokens"] = max((sequence.cached_len for sequence in finished.sequences), default=0)
            fills = [fill for sequence in finished.sequences for fill in sequence.fills]
            values["completion_tokens"] = sum(len(fill.token_ids) for fill in fills)
            values["forced_tokens"] = sum(fill.num_forced for fill in fills)
            values["finish_reasons"] = sorted({sequence.finish_reason for sequence in finished.sequences})
            values["queue_seconds"] = round(finished.times.queue_s, 4)
        told = error or f"{values['prompt_tokens']} + {values['completion_tokens']} tokens"
        message = "%s %s of %s: %s in %.3f s"
        _log.info(message, arrival.route, arrival.request_id, arrival.client, told, seconds, extra=values)

    def engine_restarted(self, reason: str) -> None:
        _log.error("the engine ended by itself: %s", reason, extra={"event": "engine_restarted"})

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        return b"", "text/plain; version=0.0.4; charset=utf-8"
