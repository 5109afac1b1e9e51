"""Which offsets of a partition are in the tables, and the end of old attempts to write them.

The engine promises little: an attempt that looked dead can finish after its replacement. So
the old attempt is ended first, then what is present is read, then exactly the absent is written.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.clickhouse.few import FEW_ROWS
from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.columns import I64, U64
from streams.convert import OUTCOMES

_END_TIMEOUT_S: Final = 20.0

# Asked after every insert, and of few rows: no other thread is woken to read.
_LITTLE: Final = {**FEW_ROWS, "max_threads": 1}
Fingerprints = dict[int, tuple[int, int]]  # by partition
ABSENT: Final = len(OUTCOMES)  # in the place of a table
_SHIFT: Final = np.uint64(3)  # an offset and its table in one number: both are sorted in one go
_TABLE: Final = np.uint64((1 << 3) - 1)


@dataclass(frozen=True)
class Present:
    """The offsets of a partition that are in the tables, sorted, each once, and of each in which:
    its place in `OUTCOMES`. Shapes (n,)."""

    offsets: U64
    table: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets)

    def reaches(self, first: int) -> bool:
        """Whether there is any at or after this offset."""
        return len(self.offsets) > 0 and bool(self.offsets[-1] >= first)

    def tables(self, offsets: I64) -> npt.NDArray[np.uint8]:
        """Of each of these offsets in which table it is, or `ABSENT`."""
        wanted = offsets.astype(np.uint64)
        at = np.searchsorted(self.offsets, wanted)
        found = np.full(len(wanted), ABSENT, np.uint8)
        there = np.flatnonzero(at < len(self.offsets))
        there = there[self.offsets[at[there]] == wanted[there]]
        found[there] = self.table[at[there]]
        return found


NOTHING: Final = Present(np.zeros(0, np.uint64), np.zeros(0, np.uint8))


def attempt_mark(topic: str, partition: int) -> str:
    """What stands in the log comment of every attempt at this partition.

    The marks of two partitions are never one within the other.
    """
    return f"truyvet/{topic}/{partition}/"


def end_attempts(clickhouse: ClickHouse, mark: str) -> None:
    """Kill every query in whose log comment `mark` stands; return when none is left.

    Raises Retryable if some are still running after 20 s.
    """
    running = f"position(Settings['log_comment'], '{_literal(mark)}') > 0"
    processes = clickhouse.shape.servers("system.processes")
    deadline = time.monotonic() + _END_TIMEOUT_S
    while True:
        clickhouse.command(f"KILL QUERY{clickhouse.shape.on_cluster} WHERE {running} SYNC")
        [(left,)] = clickhouse.rows(f"SELECT count() FROM {processes} WHERE {running}")  # noqa: S608
        if left == 0:
            return
        if time.monotonic() > deadline:
            raise Retryable(f"{left} old attempts at {mark} are still running")
        time.sleep(0.05)


def present_offsets(
    clickhouse: ClickHouse, partition: int, first: int, last: int | None = None
) -> U64:
    """Offsets from `first` to `last` (to the end if None) in any outcome table, sorted.

    An offset that is there twice comes twice: a caller can see that it should never happen.
    """
    return _read(clickhouse, partition, first, last) >> _SHIFT


def present_rows(clickhouse: ClickHouse, partition: int, first: int) -> Present:
    """Offsets from `first` on in any outcome table, and in which. Of one that is there twice the
    first of the tables counts."""
    found = _read(clickhouse, partition, first, None)
    offsets = found >> _SHIFT
    table = (found & _TABLE).astype(np.uint8)
    again = np.flatnonzero(offsets[1:] == offsets[:-1]) + 1
    if len(again):
        offsets, table = np.delete(offsets, again), np.delete(table, again)
    return Present(offsets, table)


def _read(clickhouse: ClickHouse, partition: int, first: int, last: int | None) -> U64:
    bound = " AND kafka_offset <= {last:UInt64}" if last is not None else ""
    union = " UNION ALL ".join(
        f"SELECT kafka_offset * 8 + {number} AS there FROM {table} "  # noqa: S608
        f"WHERE kafka_partition = {{partition:UInt16}} AND kafka_offset >= {{first:UInt64}}{bound}"
        for number, table in enumerate(_by_offset(clickhouse))
    )
    table = clickhouse.query_arrow(
        union, {"partition": partition, "first": first, "last": last or 0}
    )
    if table.num_rows == 0:
        return np.zeros(0, np.uint64)
    return np.sort(table.column(0).to_numpy().astype(np.uint64))


def fingerprint(offsets: U64) -> tuple[int, int]:
    """How many offsets these are, and a sum that no other set of as many has but by a chance of
    one in 2^64: the same as in `present_fingerprints` when the same offsets are there once each."""
    # ClickHouse's intHash64 (FunctionsHashing.h): a constant, then MurmurHash3's 64-bit finaliser
    mixed = offsets ^ np.uint64(0x4CF2D2BAAE6DA887)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed ^= mixed >> np.uint64(33)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(33)
    return len(offsets), int(mixed.sum(dtype=np.uint64))


def present_fingerprints(
    clickhouse: ClickHouse, spans: Sequence[tuple[int, int, int]]
) -> Fingerprints:
    """`fingerprint` of what is in all outcome tables together of each partition's offsets from
    first to last; a partition of which nothing is there is missing."""
    within = " OR ".join(
        f"(kafka_partition = {partition:d} AND kafka_offset BETWEEN {first:d} AND {last:d})"
        for partition, first, last in spans
    )
    # the ranges stand above the tables: there they are planned once
    union = " UNION ALL ".join(
        f"SELECT kafka_partition, kafka_offset FROM {table}"  # noqa: S608 (numbers, our own names)
        for table in _by_offset(clickhouse)
    )
    found = clickhouse.query_rows(
        "SELECT kafka_partition, count(), sum(intHash64(kafka_offset)) "  # noqa: S608
        f"FROM ({union}) WHERE {within} GROUP BY kafka_partition",
        {},
        _LITTLE,
    )
    return {int(partition): (int(count), int(total)) for partition, count, total in found}


def _by_offset(clickhouse: ClickHouse) -> tuple[str, ...]:
    """What to read offsets from, in the order of `OUTCOMES`. Of `scans` the projection itself: of
    the table, it is worked out for each part anew what the primary key would read instead."""
    scans, *others = OUTCOMES
    return clickhouse.projection(scans, "by_offset"), *others


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
