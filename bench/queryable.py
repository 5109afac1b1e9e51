"""Scan to queryable, seen from outside: when the tables answered with a record, whoever wrote it.

Workers of two versions write side by side, so none of them is asked. A thread counts each
partition's rows several times a second; afterwards every record is found at the first look that
saw as many rows as its place in the partition needs. A delay is never shown too short, and too
long by at most the time between two looks and the question's own.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.errors import Retryable
from schemas.settings import Settings
from streams.clickhouse import ClickHouse

I64 = npt.NDArray[np.int64]
# what a load of valid scans becomes; tables of every version that can be upgraded from
TABLES: Final = ("scans", "duplicates", "rejects")
_ROWS: Final = " UNION ALL ".join(
    f"SELECT kafka_partition, kafka_offset, appended_at FROM {table}"  # noqa: S608 (our own names)
    for table in TABLES
)
_COUNTS: Final = f"SELECT kafka_partition, count() FROM ({_ROWS}) GROUP BY kafka_partition"  # noqa: S608
_RECORDS: Final = (
    "SELECT kafka_partition, toUnixTimestamp64Milli(appended_at) AS appended_ms "  # noqa: S608
    f"FROM ({_ROWS}) ORDER BY kafka_partition, kafka_offset"
)


@dataclass(frozen=True)
class Delays:
    """Milliseconds from the broker's append until the tables answered, of so many records."""

    records: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Looks(threading.Thread):
    """Counts rows until stopped."""

    def __init__(self, settings: Settings, every_s: float) -> None:
        super().__init__(name="looks", daemon=True)
        self._clickhouse = ClickHouse(settings, timeout_s=60)
        self._every_s = every_s
        self._end = threading.Event()
        self.seen: list[tuple[int, dict[int, int]]] = []

    def run(self) -> None:
        """A look that the engine does not answer is left out: the next one sees its rows."""
        while not self._end.wait(self._every_s):
            try:
                found = self._clickhouse.rows(_COUNTS)
            except Retryable:
                continue
            self.seen.append((time.time_ns() // 1_000_000, {int(p): int(n) for p, n in found}))

    def stop(self) -> None:
        """One more look when everything is written, then the end."""
        time.sleep(3 * self._every_s)
        self._end.set()
        self.join(60)
        self._clickhouse.close()


def appended_and_delay(
    looks: list[tuple[int, dict[int, int]]], records: dict[int, I64]
) -> tuple[I64, I64]:
    """Of every record that a look saw, when it was appended and how long it took, in ms.

    `records` are the append times of each partition in the order of its offsets.
    """
    at = np.array([moment for moment, _ in looks], np.int64)
    appended: list[I64] = []
    delays: list[I64] = []
    for partition, times in records.items():
        # rows never become fewer, whatever order the answers came in
        counts = np.maximum.accumulate(
            np.array([seen.get(partition, 0) for _, seen in looks], np.int64)
        )
        first = np.searchsorted(counts, np.arange(len(times)), side="right")
        known = first < len(at)
        appended.append(times[known])
        delays.append(at[first[known]] - times[known])
    return np.concatenate(appended), np.concatenate(delays)


def read_records(clickhouse: ClickHouse) -> dict[int, I64]:
    """The append times of all rows by partition, in the order of their offsets."""
    table: Any = clickhouse.query_arrow(_RECORDS)
    partitions = table.column(0).to_numpy()
    times = table.column(1).to_numpy().astype(np.int64)
    return {int(p): times[partitions == p] for p in np.unique(partitions)}


def between(appended: I64, delays: I64, begin_ms: int, end_ms: int) -> Delays:
    """The delays of records appended in a stretch of time."""
    some = delays[(appended >= begin_ms) & (appended < end_ms)]
    if not len(some):
        return Delays(0, 0.0, 0.0, 0.0)
    p50, p99 = np.percentile(some, [50, 99])
    return Delays(len(some), round(float(p50)), round(float(p99)), float(some.max()))
