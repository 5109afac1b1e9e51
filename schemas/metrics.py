"""The closed list of metric names: nothing else may be exported under `truyvet_`.

Seconds and bytes; label sets are bounded. A process takes the ones it feeds from `Metrics`.
"""

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)


@dataclass(frozen=True)
class MetricDef:
    """One metric: what it means to the one who watches it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] | None = None


_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SLOW: Final = (1, 10, 60, 600, 3600, 6 * 3600, 86_400, 3 * 86_400, 7 * 86_400, 21 * 86_400)

SCANS_IN: Final = MetricDef(
    "truyvet_scans_in_total", "counter", "Records taken from scans.v1.", ("partition",)
)
SCANS_WRITTEN: Final = MetricDef(
    "truyvet_scans_written_total", "counter", "Scans that became a row.", ("partition",)
)
SCANS_DUPLICATE: Final = MetricDef(
    "truyvet_scans_duplicate_total", "counter", "Scans seen before.", ("partition",)
)
SCANS_REJECTED: Final = MetricDef(
    "truyvet_scans_rejected_total", "counter", "Refused records by reason.", ("reason",)
)
SCANS_EXPIRED: Final = MetricDef(
    "truyvet_scans_expired_total", "counter", "Past their time to live before they were written."
)
SCANS_ERASED: Final = MetricDef(
    "truyvet_scans_erased_total",
    "counter",
    "Records of persons who had asked to be erased: counted, not written.",
)
SCANS_MISPLACED: Final = MetricDef(
    "truyvet_scans_misplaced_total",
    "counter",
    "Records whose key is not their person, or that lie in another partition than murmur2 says.",
)
UNKNOWN_FIELDS: Final = MetricDef(
    "truyvet_scan_unknown_fields_total", "counter", "Fields of scans that the schema does not name."
)
REREAD: Final = MetricDef(
    "truyvet_scans_reread_total", "counter", "Records found already present after a restart."
)
BATCH_ROWS: Final = MetricDef(
    "truyvet_batch_records",
    "histogram",
    "Records in a written batch.",
    (),
    (1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000),
)
STEP_SECONDS: Final = MetricDef(
    "truyvet_step_seconds", "histogram", "Seconds a batch spends in a step.", ("step",), _FAST
)
LAG_SECONDS: Final = MetricDef(
    "truyvet_lag_seconds",
    "gauge",
    "Now minus the broker's timestamp of the oldest unwritten record.",
    ("partition",),
)
LAG_OFFSETS: Final = MetricDef(
    "truyvet_lag_records", "gauge", "Delivered records not yet committed.", ("partition",)
)
UPLOAD_DELAY: Final = MetricDef(
    "truyvet_upload_delay_seconds", "histogram", "From the scan to the broker.", (), _SLOW
)
SCAN_TO_QUERYABLE: Final = MetricDef(
    "truyvet_scan_to_queryable_seconds",
    "histogram",
    "From the broker's append to the acknowledged insert.",
    (),
    _FAST,
)
IN_FLIGHT: Final = MetricDef(
    "truyvet_batches_in_flight", "gauge", "Batches between delivery and commit."
)
INSERT_SECONDS: Final = MetricDef(
    "truyvet_insert_seconds", "histogram", "Seconds of one insert.", ("table",), _FAST
)
INSERT_RETRIES: Final = MetricDef(
    "truyvet_insert_retries_total", "counter", "Batches that had to be looked up and tried again."
)
ENGINE_AWAY: Final = MetricDef(
    "truyvet_engine_away", "gauge", "1 while ClickHouse cannot be written to."
)
PARTITION_STOPPED: Final = MetricDef(
    "truyvet_partition_stopped",
    "gauge",
    "1 for a partition that stands still because it refused more than the limit allows.",
    ("partition",),
)
PRODUCER_SCANS: Final = MetricDef(
    "truyvet_producer_scans_total",
    "counter",
    "Records by registered producer and outcome: written, duplicate, rejected.",
    ("producer", "outcome"),
)
PRODUCER_LAST_SEEN: Final = MetricDef(
    "truyvet_producer_last_seen_timestamp_seconds",
    "gauge",
    "The broker's time of the newest record this worker has seen of a producer, Unix seconds.",
    ("producer",),
)
OPEN_CASES: Final = MetricDef("truyvet_open_cases", "gauge", "Cases being watched.")
PLACE_WINDOWS: Final = MetricDef(
    "truyvet_place_windows", "gauge", "Place-windows of open cases being watched."
)
ALERTS: Final = MetricDef(
    "truyvet_alerts_total", "counter", "Alerts published for officers.", ("kind",)
)
CASE_TO_ALERT: Final = MetricDef(
    "truyvet_case_to_alert_seconds",
    "histogram",
    "From the broker's append of the case to the acknowledged alert.",
    (),
    _FAST,
)
SCAN_TO_RUN: Final = MetricDef(
    "truyvet_scan_to_run_seconds",
    "histogram",
    "From the broker's append of a scan to the acknowledged alerts of the run that it made.",
    (),
    _FAST,
)
CODES_KNOWN: Final = MetricDef("truyvet_codes_known", "gauge", "Code versions in the directory.")
CODE_WAITS: Final = MetricDef(
    "truyvet_code_waits_total",
    "counter",
    "Batches that waited in vain for a code that is ours and not known.",
)
LOOKED_UP: Final = MetricDef(
    "truyvet_scans_looked_up_total",
    "counter",
    "Scans looked up in ClickHouse because they may have come before what is remembered.",
)
REQUESTS: Final = MetricDef(
    "truyvet_http_requests_total", "counter", "Requests by route and status.", ("route", "status")
)
REQUEST_SECONDS: Final = MetricDef(
    "truyvet_http_request_seconds", "histogram", "Seconds of a request.", ("route",), _FAST
)
GATEWAY_SCANS: Final = MetricDef(
    "truyvet_gateway_scans_total", "counter", "Scans posted, by outcome.", ("outcome",)
)
OUTBOX_PENDING: Final = MetricDef(
    "truyvet_outbox_pending", "gauge", "Rows of the outbox not yet published."
)
COVERAGE_ROUND: Final = MetricDef(
    "truyvet_coverage_round_timestamp_seconds",
    "gauge",
    "When coverage was last counted, by the console that keeps it; 0 on the others.",
)
COVERAGE_SECONDS: Final = MetricDef(
    "truyvet_coverage_round_seconds", "gauge", "How long the last count of coverage took."
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, MetricDef))


class Metrics:
    """The metrics of one process, made on first use in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # it would add a series to each that the list does not name
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self._made: dict[str, Counter | Gauge | Histogram] = {}

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
