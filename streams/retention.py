"""Retention by the clock: weeks that are past their time are dropped whole, whatever the TTL did.

The engine drops parts by their time to live when it comes round to it. This job makes it certain
and says so: after the daily totals, every hour, by any worker. Dropping a week twice is nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from schemas.clickhouse import TTL_MARGIN_DAYS
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES

log = structlog.get_logger()
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class PastWeek:
    """A week of a table that nothing may keep any more: its Monday (UTC), its rows."""

    table: str
    monday: date
    partition_id: str
    rows: int


def gone_after(retention_days: int) -> timedelta:
    """From a row's time until no copy of it is in ClickHouse, at the latest."""
    return timedelta(days=retention_days + TTL_MARGIN_DAYS) + _WEEK


def past_weeks(clickhouse: ClickHouse, retention_days: int, now: datetime) -> list[PastWeek]:
    """Weeks whose last moment is past retention and its margin. Raises Retryable."""
    if retention_days == 0:
        return []
    local = {clickhouse.shape.local(table): table for table in OUTCOMES}
    tables = ", ".join(f"'{table}'" for table in local)
    rows = clickhouse.rows(
        "SELECT table, toDate(partition), partition_id, sum(rows) "  # noqa: S608
        f"FROM {clickhouse.shape.shards('system.parts')} "
        f"WHERE database = currentDatabase() AND table IN ({tables}) AND active "
        "GROUP BY table, partition, partition_id ORDER BY table, partition_id"
    )
    last = now.astimezone(UTC).date() - gone_after(retention_days)
    return [PastWeek(local[row[0]], *row[1:]) for row in rows if row[1] < last]


def drop_past_weeks(clickhouse: ClickHouse, retention_days: int, now: datetime) -> list[PastWeek]:
    """Drop them; what was dropped. Raises Retryable."""
    weeks = past_weeks(clickhouse, retention_days, now)
    for week in weeks:
        change = clickhouse.shape.alter(week.table)
        clickhouse.command(f"{change} DROP PARTITION ID '{week.partition_id}'")
        log.info("week_dropped", table=week.table, week=str(week.monday), rows=week.rows)
    return weeks
