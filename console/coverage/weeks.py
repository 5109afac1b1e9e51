"""How often each place was scanned on each day, kept by week of `scans`.

A week is counted again when its number of rows differs from what it was counted at: the current
one each round, an older one when late scans have come for it or some were erased.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from schemas.clock import LOCAL
from streams.clickhouse import ClickHouse

DAYS_KEPT: Final = 28  # a coverage of more days cannot be asked for
_SETTINGS: Final = {"optimize_aggregation_in_order": 1}


@dataclass(frozen=True)
class Week:
    """A partition of `scans`: its Monday (UTC) and its rows."""

    monday: date
    rows: int


def stale_weeks(clickhouse: ClickHouse, now: datetime) -> list[Week]:
    """The weeks of the last `DAYS_KEPT` days whose count is missing or of other rows."""
    oldest = (now - timedelta(days=DAYS_KEPT + 7)).date()
    present = clickhouse.rows(
        "SELECT toDate(partition) AS week, sum(rows) "  # noqa: S608 (our own names)
        f"FROM {clickhouse.shape.shards('system.parts')} WHERE active "
        f"AND database = currentDatabase() AND table = '{clickhouse.shape.local('scans')}' "
        "GROUP BY week HAVING week >= {oldest:Date} ORDER BY week",
        {"oldest": oldest},
    )
    counted = dict(clickhouse.rows("SELECT week, rows FROM coverage_weeks FINAL"))
    weeks = {week: int(rows) for week, rows in present}
    # a week whose last row has gone (retention, erasure) counts nothing any more
    weeks |= {week: 0 for week in counted if week >= oldest and week not in weeks}
    return [Week(monday, rows) for monday, rows in weeks.items() if counted.get(monday) != rows]


def count_week(clickhouse: ClickHouse, week: Week, now: datetime) -> None:
    """Count a week anew, then say that this count is the one; the one before goes."""
    monday, round_ = week.monday.isoformat(), milli(now)
    day = f"dateDiff('day', toDate('{monday}'), toDate(scanned_at, '{LOCAL.key}'))"
    days = ", ".join(f"toUInt32(countIf(day = {n}))" for n in range(8))
    clickhouse.command(
        "INSERT INTO place_weeks (week, round, place, days, last_scan) "  # noqa: S608 (own values)
        f"SELECT toDate('{monday}'), {round_}, place, [{days}], max(scanned_at) "
        f"FROM (SELECT place, scanned_at, {day} AS day FROM scans "
        f"WHERE scanned_at >= toDateTime64('{monday} 00:00:00', 3, 'UTC') "
        f"AND scanned_at < toDateTime64('{monday} 00:00:00', 3, 'UTC') + INTERVAL 7 DAY) "
        "GROUP BY place",
        settings=_SETTINGS,
    )
    clickhouse.command(
        "INSERT INTO coverage_weeks (week, round, rows) "  # noqa: S608 (own values)
        f"VALUES ('{monday}', {round_}, {week.rows})"
    )


def forget_old(clickhouse: ClickHouse) -> None:
    """Drop the counts that a newer one has replaced, and those of weeks long past."""
    stale = clickhouse.rows(
        "SELECT DISTINCT _partition_id FROM place_weeks WHERE (week, round) NOT IN "
        "(SELECT week, round FROM coverage_weeks FINAL) "
        "OR week < today() - {kept:UInt16}",
        {"kept": 2 * DAYS_KEPT},
    )
    drop_partitions(clickhouse, "place_weeks", [str(partition) for (partition,) in stale])


def drop_partitions(clickhouse: ClickHouse, table: str, ids: list[str]) -> None:
    """Drop these partitions of one of our tables."""
    for partition in ids:
        clickhouse.command(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")


def milli(at: datetime) -> str:
    """A time as SQL, to the millisecond."""
    return f"fromUnixTimestamp64Milli(toInt64({int(at.timestamp() * 1000)}), 'UTC')"
