"""ClickHouse's own disks, and its clock beside ours."""

from typing import Final

from console.exporter.probe import Found
from schemas.metrics import CLOCK_SKEW, DISK_FREE, DISK_SIZE
from streams.clickhouse import ClickHouse
from streams.machine import clickhouse_skew

_MOST: Final = 20  # disks: a store of objects says it is without bounds
_DISKS: Final = """
SELECT name, free_space, total_space FROM system.disks
WHERE total_space > 0 AND total_space < 1e18 ORDER BY name LIMIT {most:UInt8}
"""


def engine_now(clickhouse: ClickHouse) -> Found:
    """Blocking. Raises Retryable."""
    disks = clickhouse.rows(_DISKS, {"most": _MOST})
    named = {f"clickhouse/{name}": (float(free), float(size)) for name, free, size in disks}
    return {
        CLOCK_SKEW: {("clickhouse",): clickhouse_skew(clickhouse)},
        DISK_FREE: {(name,): free for name, (free, _) in named.items()},
        DISK_SIZE: {(name,): size for name, (_, size) in named.items()},
    }
