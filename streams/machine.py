"""The machine underneath: the disk that the data lies on, and other machines' clocks."""

import shutil
import time
from pathlib import Path

from schemas.meters import Metrics
from schemas.metrics import DISK_FREE, DISK_SIZE
from streams.clickhouse import ClickHouse


def note_disk(metrics: Metrics, name: str, directory: Path) -> None:
    """How full the disk of a directory is; nothing while it is not there."""
    if directory.exists():
        usage = shutil.disk_usage(directory)
        metrics.gauge(DISK_FREE, name).set(usage.free)
        metrics.gauge(DISK_SIZE, name).set(usage.total)


def clickhouse_skew(clickhouse: ClickHouse) -> float:
    """ClickHouse's clock minus ours, in seconds. Blocking. Raises Retryable."""
    before = time.time()
    [(there,)] = clickhouse.rows("SELECT toUnixTimestamp64Milli(now64(3))")
    return unexplained(before, int(there) / 1000, time.time())


def unexplained(before: float, there: float, after: float) -> float:
    """What the question's own time cannot explain: 0 if `there` lies between, all in seconds.

    >>> unexplained(100.0, 100.4, 100.5), unexplained(100.0, 98.0, 100.5)
    (0.0, -2.0)
    """
    return min(0.0, there - before) + max(0.0, there - after)
