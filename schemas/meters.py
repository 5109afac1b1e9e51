"""A process's metrics, made from the closed list."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

from schemas.metrics import METRICS, MetricDef, Process

Labels = tuple[str, ...]
Series = Mapping[Labels, float]  # label values in the order of the metric's labels


class Metrics:
    """The metrics of one process in one registry, made on first use.

    `of`: all of this process's from the start, those with known labels at 0, and what the library
    knows of the process itself (`process_…`).
    """

    def __init__(self, registry: CollectorRegistry, of: Process | None = None) -> None:
        # it would add a series to each that the list does not name
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self._made: dict[str, Counter | Gauge | Histogram] = {}
        if of is not None:
            ProcessCollector(registry=registry)
            for definition in METRICS:
                if of in definition.by:
                    made = self._make(definition)
                    for value in definition.known:
                        made.labels(value)

    def _make(self, definition: MetricDef) -> Counter | Gauge | Histogram:
        made = self._made.get(definition.name)
        if made is None:
            assert definition in METRICS
            about = (definition.name, definition.meaning, definition.labels)
            if definition.kind == "histogram":
                assert definition.buckets is not None
                made = Histogram(*about, registry=self.registry, buckets=definition.buckets)
            elif definition.kind == "gauge":
                made = Gauge(*about, registry=self.registry)
            else:
                made = Counter(*about, registry=self.registry)
            self._made[definition.name] = made
        return made

    @contextmanager
    def cpu(self, definition: MetricDef, *labels: str) -> Iterator[None]:
        """Counts the CPU time that this thread uses meanwhile, seconds."""
        begin = time.thread_time()
        try:
            yield
        finally:
            self.counter(definition, *labels).inc(time.thread_time() - begin)

    def counter(self, definition: MetricDef, *labels: str) -> Counter:
        """The counter, for these label values."""
        made = self._make(definition)
        assert isinstance(made, Counter)
        return made.labels(*labels) if labels else made

    def gauge(self, definition: MetricDef, *labels: str) -> Gauge:
        """The gauge, for these label values."""
        made = self._make(definition)
        assert isinstance(made, Gauge)
        return made.labels(*labels) if labels else made

    def histogram(self, definition: MetricDef, *labels: str) -> Histogram:
        """The histogram, for these label values."""
        made = self._make(definition)
        assert isinstance(made, Histogram)
        return made.labels(*labels) if labels else made

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """All of them as text, and its media type.

        With exemplars for who accepts OpenMetrics: the older format has none.
        """
        # the library's own choice fails on a version that is no number
        if "application/openmetrics-text" in (accept or ""):
            text: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def replace(self, definition: MetricDef, before: Iterable[Labels], series: Series) -> None:
        """Set these series of a gauge and remove those of `before` that are no longer true.

        One without labels cannot be removed: what is not known of it is NaN, never 0.
        """
        made = self._make(definition)
        assert isinstance(made, Gauge)
        if not definition.labels:
            made.set(series.get((), math.nan))
            return
        for labels, value in series.items():
            made.labels(*labels).set(value)
        for labels in set(before) - set(series):
            made.remove(*labels)
