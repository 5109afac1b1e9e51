"""Reads what `counts` adds up, in the order in which it stays consistent."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from console.accounting.counts import Counts, Partition, add_up
from console.accounting.log import asked, committed_offsets, end_offsets
from schemas.errors import Fatal, Retryable, UserError
from schemas.settings import Settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse
from streams.totals import rows_by_day

_TIMEOUT_S: Final = 120.0
_TABLES: Final = (
    ("scans", "written", "''"),
    ("duplicates", "duplicate", "''"),
    ("rejects", "rejected", "toString(reason)"),
    ("expired", "expired", "''"),
    ("erased", "erased", "''"),
)
# of each day that was totalled, what is no longer there
_TAKEN_ROWS: Final = f"""
SELECT day, kafka_partition, outcome, reason, greatest(total - there, 0) AS taken FROM (
    SELECT day, kafka_partition, toString(outcome) AS outcome, toString(reason) AS reason,
           toInt64(records) AS total
    FROM daily_totals FINAL
) AS totals LEFT JOIN (
    SELECT day, kafka_partition, outcome, reason, toInt64(records) AS there
    FROM ({rows_by_day("day <= (SELECT max(day) FROM daily_totals)")})
) AS present USING (day, kafka_partition, outcome, reason)
"""  # noqa: S608 (constants)
_TAKEN: Final = (
    f"SELECT kafka_partition, outcome, reason, sum(taken) FROM ({_TAKEN_ROWS}) GROUP BY 1, 2, 3"  # noqa: S608
)
TAKEN_BY_DAY: Final = (
    f"SELECT day, outcome, sum(taken) FROM ({_TAKEN_ROWS}) GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608
)
_PAUSE_S: Final = 0.25

Table = list[tuple[int, str, int, int]]


def read_counts(settings: Settings) -> Counts:
    """Where every scan is, now. Raises UserError if Kafka or ClickHouse does not answer."""
    clickhouse = ClickHouse(settings, timeout_s=_TIMEOUT_S)
    try:
        # the order matters: see `console.accounting.counts`
        committed = asked(settings, lambda: committed_offsets(settings, SCANS.name))
        tables = {
            outcome: _rows(clickhouse, table, reason, committed)
            for table, outcome, reason in _TABLES
        }
        taken = clickhouse.rows(_TAKEN)
        ends = asked(settings, lambda: end_offsets(settings, SCANS.name))
    except (Retryable, Fatal) as error:
        raise engine_away(settings, error) from error
    finally:
        clickhouse.close()
    return add_up(*_joined(ends, committed, tables, taken))


def accounted(clickhouse: ClickHouse) -> dict[int, int]:
    """Records by partition that are in the tables, or were until retention came by.

    Raises Retryable.
    """
    found: Counter[int] = Counter()
    for table, _, reason in _TABLES:
        for partition, _, rows, _ in _rows(clickhouse, table, reason, {}):
            found[partition] += rows
    for partition, _, _, count in clickhouse.rows(_TAKEN):
        found[partition] += count
    return dict(found)


def engine_away(settings: Settings, error: BaseException) -> UserError:
    """ClickHouse does not answer, or not as it should."""
    why = " ".join(str(error).split())[:200]
    return UserError(
        f"Không hỏi được ClickHouse tại {settings.clickhouse_url}; xem `truyvet status`. / "
        f"ClickHouse at {settings.clickhouse_url} cannot be asked ({why}); "
        "see `truyvet status`, `truyvet migrate`."
    )


def wait_until_written(
    settings: Settings,
    ends: Mapping[int, int],
    on_progress: Callable[[int], None],
    patience_s: float = 60.0,
) -> bool:
    """Until the workers have come to these ends of the log; False if nothing moves for long.

    `on_progress` is told how many records are still to come.
    """
    least: int | None = None
    moved_at = time.monotonic()
    while True:
        committed = asked(settings, lambda: committed_offsets(settings, SCANS.name))
        left = sum(max(0, end - committed.get(p, 0)) for p, end in ends.items())
        on_progress(left)
        if left == 0:
            return True
        if least is None or left < least:
            least, moved_at = left, time.monotonic()
        if time.monotonic() - moved_at > patience_s:
            return False
        time.sleep(_PAUSE_S)


def log_ends(settings: Settings, topic: str = SCANS.name) -> dict[int, int]:
    """The end of each partition's log, now."""
    return asked(settings, lambda: end_offsets(settings, topic))


def _rows(clickhouse: ClickHouse, table: str, reason: str, committed: Mapping[int, int]) -> Table:
    """(partition, reason, rows, rows at or above the committed offset), of one state of a table."""
    known = ", ".join(str(committed.get(p, 0)) for p in range(max(committed, default=0) + 1))
    found = clickhouse.rows(
        f"SELECT kafka_partition, {reason} AS why, count(), "  # noqa: S608 (our own numbers)
        f"countIf(kafka_offset >= [{known}][kafka_partition + 1]) "
        f"FROM {table} GROUP BY kafka_partition, why"
    )
    return [(int(p), str(why), int(rows), int(ahead)) for p, why, rows, ahead in found]


def _joined(
    ends: Mapping[int, int],
    committed: Mapping[int, int],
    tables: Mapping[str, Table],
    taken: list[tuple[int, str, str, int]],
) -> tuple[list[Partition], dict[str, int]]:
    rows: defaultdict[int, Counter[str]] = defaultdict(Counter)
    gone: defaultdict[int, Counter[str]] = defaultdict(Counter)
    ahead: Counter[int] = Counter()
    reasons: Counter[str] = Counter()
    for outcome, table in tables.items():
        for partition, reason, count, beyond in table:
            rows[partition][outcome] += count
            ahead[partition] += beyond
            if outcome == "rejected":
                reasons[reason] += count
    for partition, outcome, reason, count in taken:
        gone[partition][outcome] += count
        if outcome == "rejected":
            reasons[reason] += count
    partitions = sorted({*ends, *rows, *gone})
    return [
        Partition(ends.get(p, 0), committed.get(p, 0), rows[p], ahead[p], gone[p])
        for p in partitions
    ], dict(reasons)
