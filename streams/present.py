"""Which offsets of a partition are in the tables, and the end of old attempts to write them.

The engine promises little: an attempt that looked dead can finish after its replacement. So
the old attempt is ended first, then what is present is read, then exactly the absent is written.
"""

import time
from typing import Final

import numpy as np

from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.columns import U64
from streams.convert import OUTCOMES

_END_TIMEOUT_S: Final = 20.0


def attempt_prefix(topic: str, partition: int) -> str:
    """What the log comment of every attempt at this partition begins with."""
    return f"truyvet/{topic}/{partition}/"


def end_attempts(clickhouse: ClickHouse, prefix: str) -> None:
    """Kill every query whose log comment begins with `prefix`; return when none is left.

    Raises Retryable if some are still running after 20 s.
    """
    running = f"startsWith(Settings['log_comment'], '{_literal(prefix)}')"
    processes = clickhouse.shape.servers("system.processes")
    deadline = time.monotonic() + _END_TIMEOUT_S
    while True:
        clickhouse.command(f"KILL QUERY{clickhouse.shape.on_cluster} WHERE {running} SYNC")
        [(left,)] = clickhouse.rows(f"SELECT count() FROM {processes} WHERE {running}")  # noqa: S608
        if left == 0:
            return
        if time.monotonic() > deadline:
            raise Retryable(f"{left} old attempts at {prefix} are still running")
        time.sleep(0.05)


def present_offsets(
    clickhouse: ClickHouse, partition: int, first: int, last: int | None = None
) -> U64:
    """Offsets from `first` to `last` (to the end if None) in any outcome table, sorted.

    An offset that is there twice comes twice: a caller can see that it should never happen.
    """
    union = " UNION ALL ".join(_offsets_of(table, bounded=last is not None) for table in OUTCOMES)
    table = clickhouse.query_arrow(
        union, {"partition": partition, "first": first, "last": last or 0}
    )
    if table.num_rows == 0:
        return np.zeros(0, np.uint64)
    return np.sort(table.column(0).to_numpy().astype(np.uint64))


def fingerprint(offsets: U64) -> tuple[int, int]:
    """How many offsets these are, and a sum that no other set of as many has but by a chance of
    one in 2^64: the same as `present_fingerprint` when the same offsets are there once each."""
    # ClickHouse's intHash64 (FunctionsHashing.h): a constant, then MurmurHash3's 64-bit finaliser
    mixed = offsets ^ np.uint64(0x4CF2D2BAAE6DA887)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed ^= mixed >> np.uint64(33)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(33)
    return len(offsets), int(mixed.sum(dtype=np.uint64))


def present_fingerprint(
    clickhouse: ClickHouse, partition: int, first: int, last: int
) -> tuple[int, int]:
    """`fingerprint` of the offsets from `first` to `last` in all outcome tables together."""
    union = " UNION ALL ".join(_offsets_of(table, bounded=True) for table in OUTCOMES)
    [(count, total)] = clickhouse.rows(
        f"SELECT count(), sum(intHash64(kafka_offset)) FROM ({union})",  # noqa: S608
        {"partition": partition, "first": first, "last": last},
    )
    return int(count), int(total)


def _offsets_of(table: str, *, bounded: bool) -> str:
    bound = " AND kafka_offset <= {last:UInt64}" if bounded else ""
    return (
        f"SELECT kafka_offset FROM {table} WHERE kafka_partition = {{partition:UInt16}} "  # noqa: S608
        f"AND kafka_offset >= {{first:UInt64}}{bound}"
    )


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
