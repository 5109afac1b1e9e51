"""What is read from ClickHouse to recognise duplicates: a partition's window, and persons' rows.

A window is rebuilt in two steps: `rebuild_window` reads the newest ids, so that work can begin,
and `remember_older`, called again and again, one stretch of older ones after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.topics import DAY_MS
from streams.clickhouse import ClickHouse
from streams.columns import U64
from streams.window import Keys, Window, origins

_COLUMNS: Final = (
    "UUIDToNum(event_id) AS id, person, content_hash, kafka_partition, kafka_offset, "
    "toUnixTimestamp64Milli(scanned_at) AS scanned_ms"
)
_PERSONS_AT_ONCE: Final = 5_000
_HOUR_MS: Final = 3_600_000
_DAY_HOURS: Final = 24
_ROWS_AT_ONCE: Final = 500_000  # of a rebuild, some 60 bytes each
_PIECE: Final = 20_000
_WITHIN: Final = (
    "kafka_partition = {partition:UInt16} "
    "AND scanned_at >= fromUnixTimestamp64Milli({begin:Int64}, 'UTC') "
    "AND scanned_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)
_TIMEOUT: Final = {"max_execution_time": 30}


@dataclass(frozen=True)
class Memory:
    """How much of a partition is remembered: ids whole, ids that came, days read back at most."""

    ids: int
    past: int
    days: int


def rebuild_window(
    clickhouse: ClickHouse, partition: int, memory: Memory, reference_ms: int, salt: int
) -> Window:
    """The duplicate window of a partition as of the broker's time `reference_ms`.

    Holds the newest scans, whole hours of them, until there are enough ids or the days are over;
    what is older than its `horizon_ms` is for `rows_of_persons`. Raises Retryable.
    """
    first_ms = _first_ms(memory, reference_ms)
    hours, horizon_ms = _newest_hours(clickhouse, partition, memory.ids, first_ms, reference_ms)
    window = Window(memory.ids, memory.past, salt, horizon_ms)
    window.written = 1 << 48  # all that is read here is in the table
    for begin_ms, end_ms in _spans(hours):
        table = clickhouse.query_arrow(
            f"SELECT {_COLUMNS} FROM scans WHERE {_WITHIN}",  # noqa: S608 (constants)
            {"partition": partition, "begin": begin_ms, "end": end_ms},
            _TIMEOUT,
        )
        _fill(window, table)
    window.written = 0
    return window


def remember_older(
    clickhouse: ClickHouse, partition: int, window: Window, memory: Memory, reference_ms: int
) -> bool:
    """The ids of the next older hours; whether there is anything left to do. Raises Retryable."""
    first_ms, end_ms = _first_ms(memory, reference_ms), window.horizon_ms
    if end_ms <= first_ms:
        return False
    day_ms = max(first_ms, end_ms - _DAY_HOURS * _HOUR_MS)
    begin_ms, rows = day_ms, 0
    for hour_ms, count in _count_hours(clickhouse, partition, day_ms, end_ms):
        if rows and rows + count > _ROWS_AT_ONCE:
            begin_ms = hour_ms + _HOUR_MS
            break
        rows += count
    table = clickhouse.query_arrow(
        f"SELECT {_COLUMNS} FROM scans WHERE {_WITHIN}",  # noqa: S608 (constants)
        {"partition": partition, "begin": begin_ms, "end": end_ms},
        _TIMEOUT,
    )
    return window.remember(_keys(table), begin_ms)


def _first_ms(memory: Memory, reference_ms: int) -> int:
    return (reference_ms // _HOUR_MS - _DAY_HOURS * memory.days) * _HOUR_MS


def _count_hours(
    clickhouse: ClickHouse, partition: int, begin_ms: int, end_ms: int
) -> list[tuple[int, int]]:
    """Hours that have rows, and how many, newest first."""
    counted = clickhouse.rows(
        "SELECT toUnixTimestamp(toStartOfHour(scanned_at)) * 1000 AS hour, count() "  # noqa: S608
        f"FROM scans WHERE {_WITHIN} GROUP BY hour ORDER BY hour DESC",
        {"partition": partition, "begin": begin_ms, "end": end_ms},
    )
    return [(int(hour), int(rows)) for hour, rows in counted]


def _newest_hours(
    clickhouse: ClickHouse, partition: int, ids: int, first: int, reference_ms: int
) -> tuple[list[tuple[int, int]], int]:
    """The hours to read and their rows, oldest first, and when the first begins."""
    # times may lie two minutes ahead of the broker, and later batches come later
    begin, end, span = reference_ms // _HOUR_MS * _HOUR_MS, reference_ms + 2 * DAY_MS, _HOUR_MS
    hours: list[tuple[int, int]] = []
    while end > first and sum(rows for _, rows in hours) < ids:
        for hour, rows in _count_hours(clickhouse, partition, begin, end):
            hours.append((hour, rows))
            if sum(rows for _, rows in hours) >= ids:
                return hours[::-1], hour
        # twice as far back each time: few questions where scans are few, short where they are many
        begin, end, span = max(first, begin - span), begin, 2 * span
    return hours[::-1], first


def _spans(hours: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Begin and end (ms, UTC) of neighbouring hours with few enough rows for one query."""
    span: list[int] = []
    known = 0
    for hour, rows in hours:
        if span and known + rows > _ROWS_AT_ONCE:
            yield span[0], span[-1] + _HOUR_MS
            span, known = [], 0
        span.append(hour)
        known += rows
    if span:
        yield span[0], span[-1] + _HOUR_MS


def rows_of_persons(clickhouse: ClickHouse, persons: U64, oldest: int, newest: int) -> Keys:
    """Every row of these persons scanned from `oldest` to `newest` (ms, UTC, inclusive)."""
    tables = []
    for begin in range(0, len(persons), _PERSONS_AT_ONCE):
        listed = ",".join(str(p) for p in persons[begin : begin + _PERSONS_AT_ONCE])
        tables.append(
            clickhouse.query_arrow(
                f"SELECT {_COLUMNS} FROM scans WHERE person IN ({listed}) "  # noqa: S608 (numbers)
                "AND scanned_at >= fromUnixTimestamp64Milli({oldest:Int64}, 'UTC') "
                "AND scanned_at <= fromUnixTimestamp64Milli({newest:Int64}, 'UTC')",
                {"oldest": oldest, "newest": newest},
                _TIMEOUT,
            )
        )
    return _keys(pa.concat_tables(tables))


def _fill(window: Window, table: pa.Table) -> None:
    keys = _keys(table)
    # an id that is there twice enters once, by its first origin
    order = np.argsort(keys.origin, kind="stable")
    scanned = table.column("scanned_ms").to_numpy()
    for begin in range(0, len(order), _PIECE):
        rows = order[begin : begin + _PIECE]
        window.add(keys.take(rows), scanned[rows])


def _keys(table: pa.Table) -> Keys:
    ids = table.column("id").combine_chunks()
    if isinstance(ids, pa.ChunkedArray):
        ids = pa.concat_arrays(ids.chunks) if ids.num_chunks else pa.array([], pa.binary(16))
    ids = ids.cast(pa.binary(16))
    data = ids.buffers()[1]
    halves = np.frombuffer(data or b"", dtype=">u8")[2 * ids.offset :][: 2 * len(ids)].reshape(
        -1, 2
    )
    partition = table.column("kafka_partition").to_numpy().astype(np.int64)
    return Keys(
        halves[:, 0].astype(np.uint64),
        halves[:, 1].astype(np.uint64),
        table.column("person").to_numpy().astype(np.uint64),
        table.column("content_hash").to_numpy().astype(np.uint64),
        origins(partition, table.column("kafka_offset").to_numpy()),
    )
