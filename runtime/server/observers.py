"""Which observers a server has, and one that tells them all."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence

from slipform.runtime.request import RequestFinished
from slipform.runtime.server.logs import LoggingObserver, log_format
from slipform.runtime.server.metrics import PrometheusObserver
from slipform.runtime.server.observer import Arrival, Observer
from slipform.runtime.server.settings import ServerSettings
from slipform.runtime.server.tracing import TracingObserver
from slipform.runtime.statistics import EngineStatistics

_log = logging.getLogger(__name__)

_TRACING_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Observers:
    """Several observers as one. The first makes the metrics page; one that fails is logged and harms nobody."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def arrived(self, arrival: Arrival) -> None:
        self._tell(lambda observer: observer.arrived(arrival))

    def first_token(self, arrival: Arrival, seconds: float) -> None:
        self._tell(lambda observer: observer.first_token(arrival, seconds))

    def next_tokens(self, arrival: Arrival, seconds: float, count: int) -> None:
        # As `_tell`, without its closure: this is called for every text of every stream.
        for observer in self._observers:
            try:
                observer.next_tokens(arrival, seconds, count)
            except Exception:  # whatever fails in watching a request must not end it
                _log.exception("%s failed", type(observer).__name__)

    def ended(self, arrival: Arrival, seconds: float, finished: RequestFinished | None, error: str | None) -> None:
        self._tell(lambda observer: observer.ended(arrival, seconds, finished, error))

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._tell(lambda observer: observer.answered(route, status, seconds))

    def engine_restarted(self, reason: str) -> None:
        self._tell(lambda observer: observer.engine_restarted(reason))

    def render(self, statistics: EngineStatistics | None) -> tuple[bytes, str]:
        return self._observers[0].render(statistics)

    def _tell(self, news: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                news(observer)
            except Exception:  # whatever fails in watching a request must not end it
                _log.exception("%s failed", type(observer).__name__)


def observers_for(settings: ServerSettings, environment: Mapping[str, str] = os.environ) -> Observers:
    """Metrics and request logs always; spans where an OTLP endpoint is configured.

    Raises: ConfigError for an unknown format of logs, and for spans without the packages that make them.
    """
    log_format(environment)  # refused before anything starts
    observers: list[Observer] = [PrometheusObserver(settings.model_name), LoggingObserver()]
    if any(environment.get(name) for name in _TRACING_VARIABLES):
        observers.append(TracingObserver())
    return Observers(observers)
