"""A round: the whole register with what is known of each place now, and the day's funnel of it.

What reads coverage reads one round, the newest that is whole: `coverage_rounds` is written last.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from console.coverage.counting import counted
from console.coverage.stages import Within
from console.coverage.weeks import count_week, drop_partitions, forget_old, milli, stale_weeks
from schemas.clock import LOCAL
from streams.clickhouse import ClickHouse

_KEPT: Final = 3  # rounds: a query that began on an older one ends on it

_LISTED: Final = """
    SELECT ward, kind, sector, site FROM required_entries FINAL
    WHERE NOT exempt AND list IN (SELECT list FROM required_lists FINAL WHERE NOT withdrawn)"""

# A place of an open site; an open site without a place; a required entry without an open site.
_COVERAGE: Final = f"""
INSERT INTO coverage
WITH
    {{at}} AS at,
    toDateTime(at, 'UTC') AS now,
    open_sites AS (SELECT site, ward, kind, sector FROM register_sites FINAL WHERE active),
    listed AS ({_LISTED}),
    open_places AS (
        SELECT site, place, code_from,
               arrayFilter(
                   (v, b, e) -> b <= now AND now < e, code_version, code_from, code_to
               ) AS good
        FROM register_places FINAL WHERE active
    ),
    scanned AS (
        SELECT place, max(last_scan) AS last,
               sum(arraySum((n, i) -> n * (week + i - 1 > today - {{days}}), days,
                            arrayEnumerate(days))) AS count
        FROM (SELECT *, toDate(now, '{LOCAL.key}') AS today FROM place_weeks
              WHERE (week, round) IN (SELECT week, round FROM coverage_weeks FINAL))
        GROUP BY place
    )
SELECT
    at, s.ward, s.kind, s.sector, s.site, p.place, s.site IN (SELECT site FROM listed),
    notEmpty(p.good),
    i.duty_at > 0,
    i.printed_at > 0 AND (i.printed_version = 0 OR has(p.good, i.printed_version)),
    i.posted_at > 0 AND (i.posted_version = 0 OR has(p.good, i.posted_version)),
    if(empty(p.code_from), toDateTime(0, 'UTC'), arrayMin(p.code_from)),
    i.inspected_at, i.inspected_good, c.last, c.count
FROM open_sites AS s
LEFT JOIN open_places AS p ON p.site = s.site
LEFT JOIN (SELECT * FROM register_postings FINAL) AS i ON i.place = p.place
LEFT JOIN scanned AS c ON c.place = p.place
UNION ALL
SELECT
    at, ward, kind, sector, 0, 0, true, false, false, false, false,
    toDateTime(0, 'UTC'), toDateTime(0, 'UTC'), false, toDateTime(0, 'UTC'), 0
FROM listed WHERE site NOT IN (SELECT site FROM open_sites)
"""  # noqa: S608 (own values)


@dataclass(frozen=True)
class Round:
    """One round as it was made: places counted, and how long it took."""

    at: datetime
    places: int
    seconds: float


def take(clickhouse: ClickHouse, now: datetime, within: Within) -> Round:
    """Count what has changed, write the round of `now`, let older ones go. Blocking.

    Raises Retryable, Fatal; what is half done is not seen, and the next round takes it away.
    """
    began = time.monotonic()
    for week in stale_weeks(clickhouse, now):
        count_week(clickhouse, week, now)
    forget_old(clickhouse)
    at = milli(now)
    clickhouse.command(_COVERAGE.format(at=at, days=within.scanned_days))
    clickhouse.command(day_of_round(now, within))
    [(places,)] = clickhouse.rows(
        f"SELECT countIf(place > 0) FROM coverage WHERE round = {at}"  # noqa: S608 (own value)
    )
    seconds = time.monotonic() - began
    clickhouse.command(
        f"INSERT INTO coverage_rounds VALUES ({at}, {int(places)}, {seconds:.3f})"  # noqa: S608
    )
    _forget_rounds(clickhouse)
    return Round(now, int(places), seconds)


def day_of_round(now: datetime, within: Within) -> str:
    """The statement that keeps the round as the funnel of its local day."""
    at = milli(now)
    return f"""
INSERT INTO coverage_days (day, round, ward, kind, sector, required, scans, sites, required_sites,
                           places)
SELECT toDate({at}, '{LOCAL.key}'), {at}, * FROM ({counted(at, within)})
"""  # noqa: S608 (own values)


def _forget_rounds(clickhouse: ClickHouse) -> None:
    """All but the newest few, and those that never became whole."""
    kept = clickhouse.rows(
        "SELECT toUnixTimestamp64Milli(round) FROM coverage_rounds ORDER BY round DESC "
        "LIMIT {kept:UInt8}",
        {"kept": _KEPT},
    )
    rounds = ", ".join(str(int(ms)) for (ms,) in kept)
    stale = clickhouse.rows(
        "SELECT DISTINCT _partition_id FROM coverage "  # noqa: S608 (own values)
        f"WHERE toUnixTimestamp64Milli(round) NOT IN ({rounds})"
    )
    drop_partitions(clickhouse, "coverage", [str(partition) for (partition,) in stale])
    long_past = clickhouse.rows(
        "SELECT DISTINCT _partition_id FROM coverage_rounds WHERE round < now() - INTERVAL 7 DAY"
    )
    drop_partitions(clickhouse, "coverage_rounds", [str(partition) for (partition,) in long_past])
