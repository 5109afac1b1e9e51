"""The maintenance job: each closed week of `scans` is merged to one part.

What a trace costs is granules and parts touched (DESIGN §4): in a hundred parts it costs
twenty times what it costs in one. The engine's own merges stop at a size; this job goes on to one
part, a week at a time. Any worker may run it: a week that is being merged is left alone, and of
two that begin at once the second finds one part and has nothing to do.
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import structlog

from schemas.errors import Retryable
from streams.clickhouse import ClickHouse

log = structlog.get_logger()

EVERY_S: Final = 600.0
# So long a merge is waited for; give the `ClickHouse` of this job a timeout that is longer. The
# engine heeds no limit while it merges (measured): a merge that takes longer goes on, and the next
# round finds it in `system.merges`.
MERGE_LIMIT_S: Final = 1800
CLIENT_TIMEOUT_S: Final = MERGE_LIMIT_S + 30.0
# Late scans come for days, but few of them: after this a week is merged once, and again for what
# came since only when that is some parts.
CLOSED_AFTER: Final = timedelta(days=2)
_TABLE: Final = "scans"
_LATE_PARTS: Final = 4
_BIG_ENOUGH: Final = 0.9


@dataclass(frozen=True)
class Week:
    """A partition of the table: its Monday (UTC), active parts, rows, rows of the largest part."""

    monday: date
    partition_id: str
    parts: int
    rows: int
    largest: int

    def closed(self, now: datetime) -> bool:
        """Whether its Sunday is more than two days past."""
        sunday = self.monday + timedelta(days=6)
        return now.astimezone(UTC).date() - sunday > CLOSED_AFTER

    @property
    def worth_merging(self) -> bool:
        """More than one part; but not a merged week again for every late scan of its own."""
        merged_before = self.largest >= _BIG_ENOUGH * self.rows
        return self.parts > (_LATE_PARTS if merged_before else 1)


def weeks_of(clickhouse: ClickHouse) -> list[Week]:
    """Every week that has rows, oldest first; of shards, the fullest. Raises Retryable."""
    rows = clickhouse.rows(
        "SELECT toDate(partition), partition_id, max(parts), max(held), max(largest) FROM "  # noqa: S608
        "(SELECT partition, partition_id, count() AS parts, sum(rows) AS held, "
        f"max(rows) AS largest FROM {clickhouse.shape.shards('system.parts')} "
        f"WHERE database = currentDatabase() AND table = '{clickhouse.shape.local(_TABLE)}' "
        "AND active GROUP BY partition, partition_id, hostName()) "
        "GROUP BY partition, partition_id ORDER BY 1"
    )
    return [Week(*row) for row in rows]


def merge_closed_weeks(clickhouse: ClickHouse, now: datetime) -> int:
    """Merge what is closed, one week after the other; how many were merged to one part.

    `now` in any zone. Blocking, up to the client's timeout a week. Raises Retryable when the engine
    is away or a merge took longer than that.
    """
    return sum(merge_week(clickhouse, week) for week in due_weeks(clickhouse, now))


def due_weeks(clickhouse: ClickHouse, now: datetime) -> list[Week]:
    """The closed weeks that are worth merging, oldest first. Raises Retryable."""
    return [week for week in weeks_of(clickhouse) if week.closed(now) and week.worth_merging]


def merge_week(clickhouse: ClickHouse, week: Week) -> bool:
    """Whether it is one part now, by this merge. One that is being merged is left alone.

    Blocking, up to the client's timeout. Raises Retryable as `merge_closed_weeks`.
    """
    if _being_merged(clickhouse, week):
        return False
    begin, shape = time.monotonic(), clickhouse.shape
    settings: dict[str, Any] = {
        "max_execution_time": MERGE_LIMIT_S,
        "optimize_throw_if_noop": 0,  # another worker's merge of the same parts is no error
        "optimize_skip_merged_partitions": 1,  # nor is what it left merged once more
        "log_comment": f"truyvet/maintenance/{week.partition_id}",
    }
    try:
        clickhouse.command(
            f"OPTIMIZE TABLE {shape.local(_TABLE)}{shape.on_cluster} "
            f"PARTITION ID '{week.partition_id}' FINAL",
            settings,
        )
    except Retryable as error:
        log.warning("week_not_merged", week=str(week.monday), detail=str(error))
        raise
    left = next((w.parts for w in weeks_of(clickhouse) if w.monday == week.monday), 0)
    seconds = round(time.monotonic() - begin, 2)
    log.info(
        "week_merged", week=str(week.monday), rows=week.rows, parts=week.parts, left=left,
        seconds=seconds,
    )  # fmt: skip
    return left == 1


def _being_merged(clickhouse: ClickHouse, week: Week) -> bool:
    [(running,)] = clickhouse.rows(
        f"SELECT count() FROM {clickhouse.shape.servers('system.merges')} "  # noqa: S608
        "WHERE database = currentDatabase() "
        f"AND table = '{clickhouse.shape.local(_TABLE)}' AND partition_id = '{week.partition_id}'"
    )
    return bool(running)
