"""What a worker counts of each finished batch, and of its lines."""

import time
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from prometheus_client.samples import Exemplar

from schemas import metrics as m
from schemas.clock import now_ms
from schemas.meters import Metrics
from schemas.settings import Settings
from streams import followed
from streams.directory import Directory
from streams.latency import Latencies
from streams.line import Line
from streams.shop import Finished
from streams.spans import CURRENT, Spans, exemplar
from streams.watch import OpenCases

_FROM_THE_START = 64  # partitions: more would be many series that say nothing


class Accounts:
    """Feeds the metrics and the latencies, and tells the spans of what is followed."""

    def __init__(
        self,
        metrics: Metrics,
        latencies: Latencies,
        directory: Directory,
        settings: Settings,
        spans: Spans,
    ) -> None:
        # at 0 before the first batch: a counter that begins with it has not increased
        for partition in range(min(settings.scan_partitions, _FROM_THE_START)):
            for counted in (m.SCANS_IN, m.SCANS_WRITTEN, m.SCANS_DUPLICATE):
                metrics.counter(counted, str(partition))
        self._metrics = metrics
        self._directory = directory
        self._partitions: set[str] = set()
        self._latencies = latencies
        self._spans = spans
        self._fetching_s = 0.0

    def done(self, finished: Finished) -> None:
        """One batch was acknowledged."""
        metrics, pending = self._metrics, finished.pending
        partition = str(pending.rows.partition)
        tables = finished.written.rows.tables
        metrics.counter(m.SCANS_IN, partition).inc(len(pending))
        metrics.counter(m.SCANS_WRITTEN, partition).inc(tables["scans"].num_rows)
        metrics.counter(m.SCANS_DUPLICATE, partition).inc(tables["duplicates"].num_rows)
        for reason, count in pending.reasons.items():
            metrics.counter(m.SCANS_REJECTED, reason).inc(count)
        metrics.counter(m.SCANS_ERASED).inc(tables["erased"].num_rows)
        if "expired" in tables:
            metrics.counter(m.SCANS_EXPIRED).inc(tables["expired"].num_rows)
        metrics.counter(m.SCANS_MISPLACED).inc(pending.misplaced)
        metrics.counter(m.UNKNOWN_FIELDS).inc(pending.unknown_fields)
        metrics.counter(m.REREAD).inc(finished.reread)
        metrics.histogram(m.BATCH_ROWS).observe(len(pending))
        delays = self._latencies.note(pending.appended, finished.written.acknowledged_ms)
        _observe_all(metrics, m.SCAN_TO_QUERYABLE, delays / 1000)
        _observe_all(metrics, m.UPLOAD_DELAY, pending.late_ms / 1000)
        if pending.pieces:
            for context, delay_ms in followed.tell(self._spans, finished, now_ms()):
                _point_at(metrics, m.SCAN_TO_QUERYABLE, max(0, delay_ms) / 1000, context)

    def alerted(self, appended_ms: int) -> None:
        """The officers' alert of a case is acknowledged; the broker had the case at `appended_ms`,
        Unix milliseconds."""
        seconds = max(0.0, time.time() - appended_ms / 1000)
        self._metrics.histogram(m.CASE_TO_ALERT).observe(seconds, exemplar(CURRENT.get()))
        self._metrics.counter(m.ALERTS, "run_completed").inc()

    def told(self, appended_ms: int) -> None:
        """As `alerted`, of the run that a scan made."""
        seconds = time.time() - appended_ms / 1000
        self._metrics.histogram(m.SCAN_TO_RUN).observe(max(0.0, seconds))

    def fetching(self, cpu_s: float) -> None:
        """So much CPU fetching has taken so far."""
        self._metrics.counter(m.STEP_CPU, "fetch").inc(cpu_s - self._fetching_s)
        self._fetching_s = cpu_s

    def gauges(self, lines: Callable[[], list[Line]], cases: OpenCases) -> None:
        """What is, rather than what happened; called when the metrics are read."""
        moment_ms = now_ms()
        in_flight = 0
        here = lines()
        for partition in self._partitions - {str(line.partition) for line in here}:
            # handed over: its lag is another worker's to tell
            self._metrics.gauge(m.LAG_SECONDS, partition).set(0)
            self._metrics.gauge(m.LAG_OFFSETS, partition).set(0)
        for line in here:
            self._partitions.add(str(line.partition))
            oldest = line.oldest_unwritten_ms
            lag = 0.0 if oldest is None else max(0.0, (moment_ms - oldest) / 1000)
            self._metrics.gauge(m.LAG_SECONDS, str(line.partition)).set(lag)
            self._metrics.gauge(m.LAG_OFFSETS, str(line.partition)).set(line.unacknowledged)
            in_flight += line.in_flight
        self._metrics.gauge(m.IN_FLIGHT).set(in_flight)
        self._metrics.gauge(m.CODES_KNOWN).set(self._directory.codes)
        self._metrics.gauge(m.OPEN_CASES).set(cases.cases)
        self._metrics.gauge(m.PLACE_WINDOWS).set(cases.windows)


def _point_at(metrics: Metrics, definition: m.MetricDef, seconds: float, context: str) -> None:
    """This one, which was counted already, is the example of its bucket."""
    assert definition.buckets is not None
    bucket = metrics.histogram(definition)._buckets[bisect_left(definition.buckets, seconds)]
    bucket.set_exemplar(Exemplar(exemplar(context) or {}, seconds, time.time()))


def _observe_all(
    metrics: Metrics, definition: m.MetricDef, values: npt.NDArray[np.float64]
) -> None:
    """Every value, a bucket at a time: a call for each of 60,000 would cost more than the scan."""
    assert definition.buckets is not None
    histogram = metrics.histogram(definition)
    edges = np.array([*definition.buckets, np.inf])
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges))
    for bucket, count in zip(histogram._buckets, counts.tolist(), strict=True):
        if count:
            bucket.inc(count)
    histogram._sum.inc(float(values.sum()))
