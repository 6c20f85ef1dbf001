"""Times between the tokens of streams, counted at little cost: there is one for each token of each stream."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class TokenGaps(Collector):
    """A Prometheus histogram of seconds. Written on one thread."""

    def __init__(self, name: str, text: str, model_name: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._model_name = model_name
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float, count: int) -> None:
        """`count` tokens that came out within `seconds` after those before them."""
        self._counts[bisect_left(self._bounds, seconds / count)] += count
        self._sum += seconds

    def describe(self) -> Iterable[Metric]:
        return [HistogramMetricFamily(self._name, self._text, labels=["model_name"])]

    def collect(self) -> Iterator[Metric]:
        histogram = HistogramMetricFamily(self._name, self._text, labels=["model_name"])
        bounds = [*(str(bound) for bound in self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        histogram.add_metric([self._model_name], buckets, self._sum)
        yield histogram
