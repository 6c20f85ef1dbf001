"""Logs as JSON, one object a line, and the line that each request leaves in them."""

import json
import logging
import time
from typing import Any

from slipform.runtime.request import RequestFinished
from slipform.runtime.server.observer import Arrival
from slipform.runtime.statistics import EngineStatistics

_log = logging.getLogger("slipform.requests")

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


def use_json_logs() -> None:
    """Write every log line of this process as JSON to the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "slipform"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


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
        _log.info("%s %s: %s", arrival.route, arrival.request_id, error or "done", extra=values)

    def engine_restarted(self, reason: str) -> None:
        _log.error("the engine ended by itself: %s", reason, extra={"event": "engine_restarted"})

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        return b"", "text/plain; version=0.0.4; charset=utf-8"
