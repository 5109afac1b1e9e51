"""The closed list of metric names: nothing else may be exported under `truyvet_`.

Seconds and bytes; label sets are bounded. `schemas.meters` makes them. A worker has no label of a
place, a ward or a producer: those series come from one exporter in the console, so that a worker
has the same few hundred whatever the city is. `docs/metrics.md` is for who watches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schemas.reasons import Reason

Process = Literal["worker", "console"]


@dataclass(frozen=True)
class MetricDef:
    """One metric: what it means to the one who watches it.

    `known`: all values of its one label, there from the start at 0, since the first count of a
    series that was not there before is no increase to Prometheus.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] | None = None
    known: tuple[str, ...] = ()
    by: tuple[Process, ...] = ("worker",)


_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SLOW: Final = (1, 10, 60, 600, 3600, 6 * 3600, 86_400, 3 * 86_400, 7 * 86_400, 21 * 86_400)
_RECORDS: Final = (1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
_CONSOLE: Final[tuple[Process, ...]] = ("console",)
_BOTH: Final[tuple[Process, ...]] = ("worker", "console")


def _counter(
    name: str,
    meaning: str,
    *labels: str,
    known: Iterable[str] = (),
    by: tuple[Process, ...] = ("worker",),
) -> MetricDef:
    return MetricDef(name, "counter", meaning, labels, None, tuple(known), by)


def _gauge(
    name: str, meaning: str, *labels: str, by: tuple[Process, ...] = ("worker",)
) -> MetricDef:
    return MetricDef(name, "gauge", meaning, labels, None, (), by)


def _histogram(
    name: str,
    meaning: str,
    *labels: str,
    buckets: tuple[float, ...] = _FAST,
    by: tuple[Process, ...] = ("worker",),
) -> MetricDef:
    return MetricDef(name, "histogram", meaning, labels, buckets, (), by)


# A worker and its scans.
SCANS_IN: Final = _counter("truyvet_scans_in_total", "Records taken from scans.v1.", "partition")
SCANS_WRITTEN: Final = _counter(
    "truyvet_scans_written_total", "Scans that became a row.", "partition"
)
SCANS_DUPLICATE: Final = _counter(
    "truyvet_scans_duplicate_total", "Scans seen before.", "partition"
)
SCANS_REJECTED: Final = _counter(
    "truyvet_scans_rejected_total", "Refused records by reason.", "reason", known=list(Reason)
)
SCANS_EXPIRED: Final = _counter(
    "truyvet_scans_expired_total", "Past their time to live before they were written."
)
SCANS_ERASED: Final = _counter(
    "truyvet_scans_erased_total",
    "Records of persons who had asked to be erased: counted, not written.",
)
SCANS_MISPLACED: Final = _counter(
    "truyvet_scans_misplaced_total",
    "Records whose key is not their person, or that lie in another partition than murmur2 says.",
)
UNKNOWN_FIELDS: Final = _counter(
    "truyvet_scan_unknown_fields_total", "Fields of scans that the schema does not name."
)
REREAD: Final = _counter(
    "truyvet_scans_reread_total", "Records found already present after a restart."
)
BATCH_ROWS: Final = _histogram(
    "truyvet_batch_records", "Records in a written batch.", buckets=_RECORDS
)
STEP_SECONDS: Final = _histogram(
    "truyvet_step_seconds", "Seconds a batch spends in a step.", "step"
)
STEP_CPU: Final = _counter("truyvet_step_cpu_seconds_total", "CPU of a step's threads.", "step")
LAG_SECONDS: Final = _gauge(
    "truyvet_lag_seconds",
    "Now minus the broker's timestamp of the oldest unwritten record, as the worker sees it.",
    "partition",
)
LAG_OFFSETS: Final = _gauge("truyvet_lag_records", "Delivered records not committed.", "partition")
UPLOAD_DELAY: Final = _histogram(
    "truyvet_upload_delay_seconds", "From the scan to the broker.", buckets=_SLOW
)
SCAN_TO_QUERYABLE: Final = _histogram(
    "truyvet_scan_to_queryable_seconds", "From the broker's append to the acknowledged insert."
)
IN_FLIGHT: Final = _gauge("truyvet_batches_in_flight", "Batches between delivery and commit.")
INSERT_SECONDS: Final = _histogram("truyvet_insert_seconds", "Seconds of one insert.", "table")
INSERT_RETRIES: Final = _counter(
    "truyvet_insert_retries_total", "Inserts that had to be looked up and tried again."
)
ENGINE_AWAY: Final = _gauge("truyvet_engine_away", "1 while ClickHouse cannot be written to.")
PARTITION_STOPPED: Final = _gauge(
    "truyvet_partition_stopped",
    "1 for a partition that stands still because it refused more than the limit allows.",
    "partition",
)
CODES_KNOWN: Final = _gauge("truyvet_codes_known", "Code versions in the directory.")
CODE_WAITS: Final = _counter(
    "truyvet_code_waits_total", "Batches that waited in vain for a code that is ours and not known."
)
LOOKED_UP: Final = _counter(
    "truyvet_scans_looked_up_total",
    "Scans looked up in ClickHouse because they may have come before what is remembered.",
)

# A worker and its cases.
OPEN_CASES: Final = _gauge("truyvet_open_cases", "Cases being watched.")
PLACE_WINDOWS: Final = _gauge("truyvet_place_windows", "Place-windows of open cases being watched.")
ALERTS: Final = _counter(
    "truyvet_alerts_total",
    "Alerts published for officers.",
    "kind",
    known=("run_completed", "scan_in_window"),
)
CASE_TO_ALERT: Final = _histogram(
    "truyvet_case_to_alert_seconds",
    "From the broker's append of the case to the acknowledged alert.",
)
SCAN_TO_RUN: Final = _histogram(
    "truyvet_scan_to_run_seconds",
    "From the broker's append of a scan that may add somebody to its run's acknowledged alerts.",
)

# A console and its requests.
REQUESTS: Final = _counter(
    "truyvet_http_requests_total", "Requests by route and status.", "route", "status", by=_CONSOLE
)
REQUEST_SECONDS: Final = _histogram(
    "truyvet_http_request_seconds", "Seconds of a request.", "route", by=_CONSOLE
)
REQUESTS_WAITED: Final = _histogram(
    "truyvet_http_waited_seconds", "Seconds a request was in line.", "work", by=_CONSOLE
)
REQUESTS_SHED: Final = _counter(
    "truyvet_http_shed_total",
    "Requests refused, and nothing of them done, because too many of their work were under way.",
    "work",
    known=("scans", "cases", "edits", "reading"),
    by=_CONSOLE,
)
GATEWAY_SCANS: Final = _counter(
    "truyvet_gateway_scans_total",
    "Scans posted, by outcome.",
    "outcome",
    known=("accepted", "refused", "limited", "unavailable"),
    by=_CONSOLE,
)

# What the consoles' exporter finds out, whoever is well or not.
OUTBOX_PENDING: Final = _gauge(
    "truyvet_outbox_pending", "Rows of the outbox not yet published.", by=_CONSOLE
)
OUTBOX_OLDEST: Final = _gauge(
    "truyvet_outbox_oldest_seconds",
    "How long the oldest of them has waited; 0 if none does.", by=_CONSOLE,
)  # fmt: skip
BACKLOG_SECONDS: Final = _gauge(
    "truyvet_backlog_seconds",
    "Now minus the broker's timestamp of the first record that no worker has committed.",
    "partition", by=_CONSOLE,
)  # fmt: skip
BACKLOG_RECORDS: Final = _gauge(
    "truyvet_backlog_records",
    "Records of scans.v1 that no worker has committed.",
    "partition", by=_CONSOLE,
)  # fmt: skip
PRODUCER_RECENT: Final = _gauge(
    "truyvet_producer_recent_scans",
    "Records of the last 15 minutes by producer and outcome: written, duplicate, rejected.",
    "producer",
    "outcome", by=_CONSOLE,
)  # fmt: skip
PRODUCER_LAST_SEEN: Final = _gauge(
    "truyvet_producer_last_seen_timestamp_seconds",
    "The broker's time of a producer's newest record in seven days, Unix seconds.",
    "producer", by=_CONSOLE,
)  # fmt: skip
PRODUCER_SILENT: Final = _gauge(
    "truyvet_producer_silent",
    "1 for a producer that is silent while scans of it are usual, as GET /v1/producers/activity.",
    "producer", by=_CONSOLE,
)  # fmt: skip
PRODUCERS_SILENT: Final = _gauge(
    "truyvet_producers_silent", "How many of the registered producers are silent.", by=_CONSOLE
)
WARD_PLACES: Final = _gauge(
    "truyvet_ward_places",
    "Places of a ward by stage: registered, with a valid code, posted, scanned in the last days.",
    "ward",
    "unit",
    "stage", by=_CONSOLE,
)  # fmt: skip
WARD_SCANS: Final = _gauge(
    "truyvet_ward_scans", "Scans of a ward in the last days.", "ward", "unit", by=_CONSOLE
)
WARD_QUIET_SINCE: Final = _gauge(
    "truyvet_ward_quiet_since_timestamp_seconds",
    "The newest scan of a ward, or if it has none its first day with a code, Unix seconds.",
    "ward", "unit", by=_CONSOLE,
)  # fmt: skip
WARDS_QUIET: Final = _gauge(
    "truyvet_wards_quiet", "Wards with a valid code and without a scan for a day.", by=_CONSOLE
)
CODES_ENDING: Final = _gauge(
    "truyvet_codes_ending",
    "Places whose last code ends within seven days: then their posters are refused.", by=_CONSOLE,
)  # fmt: skip
COVERAGE_ROUND: Final = _gauge(
    "truyvet_coverage_round_timestamp_seconds",
    "When coverage was last counted, by the console that keeps it; 0 on the others.", by=_CONSOLE,
)  # fmt: skip
COVERAGE_SECONDS: Final = _gauge(
    "truyvet_coverage_round_seconds", "How long the last count of coverage took.", by=_CONSOLE
)
CASES_UNTRACED: Final = _gauge(
    "truyvet_cases_untraced", "Open cases that have no run yet.", by=_CONSOLE
)
CASES_UNTRACED_SECONDS: Final = _gauge(
    "truyvet_cases_untraced_seconds",
    "How long the oldest of them has been registered; 0 if there is none.", by=_CONSOLE,
)  # fmt: skip
CASES_WAITING: Final = _gauge(
    "truyvet_cases_not_picked_up",
    "Open cases with possible contacts of whom no officer has touched one.", by=_CONSOLE,
)  # fmt: skip
CASES_WAITING_SECONDS: Final = _gauge(
    "truyvet_cases_not_picked_up_seconds",
    "How long ago the first such run of the oldest of them was; 0 if there is none.", by=_CONSOLE,
)  # fmt: skip
EXPORTED_AT: Final = _gauge(
    "truyvet_exported_timestamp_seconds",
    "When the exporter last found out what it asks for; a probe that fails falls behind.",
    "probe", by=_CONSOLE,
)  # fmt: skip

# The machine underneath.
DISK_FREE: Final = _gauge(
    "truyvet_disk_free_bytes", "Free bytes where the data lies, by disk.", "disk", by=_BOTH
)
DISK_SIZE: Final = _gauge("truyvet_disk_size_bytes", "Size of that disk.", "disk", by=_BOTH)
HELD_SCANS: Final = _gauge(
    "truyvet_held_scans",
    "Scans that this process holds in the order of traces, in memory and in mapped files.",
    "where", by=_BOTH,
)  # fmt: skip
READ_BY: Final = _counter(
    "truyvet_reads_total",
    "Questions about who was where, by what answered them: segments, or ClickHouse.",
    "by", by=_BOTH, known=("segments", "clickhouse"),
)  # fmt: skip
CLOCK_SKEW: Final = _gauge(
    "truyvet_clock_skew_seconds",
    "Another clock minus this machine's, as far as the way there and back cannot explain it.",
    "clock", by=_BOTH,
)  # fmt: skip
CERTIFICATE_EXPIRY: Final = _gauge(
    "truyvet_certificate_expiry_timestamp_seconds",
    "When a watched certificate ends, Unix seconds; 0 if its file cannot be read.",
    "file", by=_CONSOLE,
)  # fmt: skip
SPANS: Final = _counter(
    "truyvet_spans_total",
    "Spans by what became of them: sent, or dropped since their receiver is away or slow.",
    "outcome", known=("sent", "dropped"), by=_BOTH,
)  # fmt: skip

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, MetricDef))
