"""Daily totals per partition of what retention is about to take away, so that `counts` adds up.

A day is counted in the last days of its life: rows of a day may still come until it is older
than the retention, and none is dropped before retention + 8 days (whole parts of whole weeks).
Counting it again replaces the same row, so any worker may do it, as often as it likes; a reader
takes of a day whichever is more, its rows or its total.
"""

from typing import Any, Final

import structlog

from schemas.clickhouse import TTL_MARGIN_DAYS
from streams.clickhouse import ClickHouse

log = structlog.get_logger()

# (table, its clock, outcome, reason)
SOURCES: Final = (
    ("scans", "scanned_at", "written", "''"),
    ("duplicates", "appended_at", "duplicate", "''"),
    ("rejects", "appended_at", "rejected", "toString(reason)"),
    ("expired", "noted_at", "expired", "''"),
    ("erased", "noted_at", "erased", "''"),
)
_SETTINGS: Final[dict[str, Any]] = {"max_execution_time": 300, "async_insert": 0}


def rows_by_day(condition: str) -> str:
    """SQL for (day, kafka_partition, outcome, reason, records) of the rows that are there.

    `condition` is on `day`.
    """
    return " UNION ALL ".join(
        f"SELECT toDate({clock}, 'UTC') AS day, kafka_partition, '{outcome}' AS outcome, "  # noqa: S608 (our own names)
        f"{reason} AS reason, count() AS records FROM {table} WHERE {condition} "
        "GROUP BY day, kafka_partition, reason"
        for table, clock, outcome, reason in SOURCES
    )


def write_daily_totals(clickhouse: ClickHouse, retention_days: int) -> None:
    """Count the days that are past the retention and not yet dropped. Raises Retryable."""
    if retention_days == 0:
        return
    oldest = retention_days + TTL_MARGIN_DAYS - 1
    newest = retention_days + 1
    days = f"day BETWEEN toDate(now('UTC')) - {oldest} AND toDate(now('UTC')) - {newest}"
    clickhouse.command(
        "INSERT INTO daily_totals (day, kafka_partition, outcome, reason, records, computed_at) "  # noqa: S608
        "SELECT day, kafka_partition, outcome, reason, records, now64(3, 'UTC') "
        f"FROM ({rows_by_day(days)})",
        _SETTINGS,
    )
    log.info("daily_totals_written")
