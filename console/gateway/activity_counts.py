"""What ClickHouse knows of each producer's last seven days: asked for rarely, and kept a while."""

import asyncio
import time
from datetime import datetime
from typing import Final

from console.gateway.activity import DAYS, Counts, Seen
from streams.clickhouse import ClickHouse

_KEPT_S: Final = 30.0
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_MOST: Final = 5_000  # producers: a name in a reject is whatever its record said
_TABLES: Final = {"written": "scans", "duplicates": "duplicates", "rejected": "rejects"}
# A scan's row lies by the time of the scan and its place, not by when it came: two small columns
# of the whole table are read.
_QUERY: Final = """
SELECT producer, max(at), countIf(at > {hour:Int64}), countIf(at > {day:Int64}),
       countIf(at <= {hour:Int64}), uniqIf(intDiv(at, 3600000), at <= {hour:Int64}),
       countIf(at <= {then:Int64} AND modulo({now:Int64} - at, 86400000) < {span:Int64}),
       countIf(at > {quarter:Int64})
FROM (
    SELECT producer, toUnixTimestamp64Milli(appended_at) AS at FROM __TABLE__
    WHERE appended_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
)
WHERE producer != ''
GROUP BY producer ORDER BY count() DESC LIMIT {most:UInt32}
SETTINGS max_execution_time = __LIMIT__
"""


def counted(
    clickhouse: ClickHouse, silent_after_minutes: int, now: datetime, limit_s: int = 5
) -> dict[str, Seen]:
    """Each producer that is in the tables. Blocking. Raises Retryable, also if the count of one
    table takes longer than `limit_s`."""
    at = int(now.timestamp() * 1000)
    what = {
        "now": at,
        "quarter": at - _HOUR_MS // 4,
        "hour": at - _HOUR_MS,
        "day": at - _DAY_MS,
        "since": at - DAYS * _DAY_MS - _HOUR_MS,
        "then": at - _DAY_MS,
        "span": min(silent_after_minutes * 60_000, _DAY_MS),
        "most": _MOST,
    }
    query = _QUERY.replace("__LIMIT__", str(limit_s))
    found: dict[str, dict[str, Counts]] = {}
    for outcome, table in _TABLES.items():
        for producer, *counts in clickhouse.rows(query.replace("__TABLE__", table), what):
            found.setdefault(str(producer), {})[outcome] = Counts(*(int(c) for c in counts))
    return {producer: Seen(**outcomes) for producer, outcomes in found.items()}


class KnownCounts:
    """`counted`, at most once in half a minute for one question, and one at a time."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._lock = asyncio.Lock()
        self._minutes = 0
        self._as_of: datetime | None = None
        self._until = 0.0
        self._seen: dict[str, Seen] = {}

    async def ask(
        self, silent_after_minutes: int, now: datetime
    ) -> tuple[dict[str, Seen], datetime]:
        """The counts and the time they are of. Raises Retryable."""
        async with self._lock:
            stale = time.monotonic() >= self._until or self._minutes != silent_after_minutes
            if self._as_of is None or stale:
                self._seen = await asyncio.to_thread(
                    counted, self._clickhouse, silent_after_minutes, now
                )
                self._minutes, self._as_of = silent_after_minutes, now
                self._until = time.monotonic() + _KEPT_S
            return self._seen, self._as_of
