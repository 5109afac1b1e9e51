"""What is read from ClickHouse to recognise duplicates: a partition's window, and persons' rows.

A window is rebuilt in two steps: `rebuild_window` reads the newest ids, so that work can begin,
and `remember_older`, called again and again, one stretch of older ones after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.clickhouse.few import FEW_ROWS, array_of
from schemas.topics import DAY_MS
from streams.clickhouse import ClickHouse
from streams.columns import U64
from streams.keys import Keys, origins
from streams.window import Window

_COLUMNS: Final = (
    "UUIDToNum(event_id) AS id, person, content_hash, kafka_partition, kafka_offset, "
    "toUnixTimestamp64Milli(scanned_at) AS scanned_ms"
)
IDS_AT_ONCE: Final = 20_000  # of a look-up, a piece of a line: text of some 1.2 MB
_FEW_MORE: Final = 1_000
_MOST_TEXT: Final = 1 << 22
# It ends before the client gives it up: one that nobody waits for would take the next one's time.
_LONGEST_S, _BEFORE_S = 8.0, 3.0
_MINUTE_MS: Final = 60_000
_STRETCH_MS: Final = DAY_MS  # counted at once for remembering
_ROWS_AT_ONCE: Final = 500_000  # of a rebuild, some 60 bytes each
_PIECE: Final = 20_000
_FURTHER: Final = 6
_END_OF_TIME_MS: Final = 4_102_444_800_000  # 2100-01-01
_WITHIN: Final = (
    "kafka_partition = {partition:UInt16} "
    "AND scanned_at >= fromUnixTimestamp64Milli({begin:Int64}, 'UTC') "
    "AND scanned_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)
# A question about an hour of everybody looks into every place's part of it.
REBUILD_S: Final = 120
_REBUILD_TIMEOUT: Final = {"max_execution_time": REBUILD_S}
Minute = tuple[int, int]  # when it begins (ms since 1970, UTC), and how many rows it has


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

    Holds the newest scans, whole minutes of them, until there are enough ids or the days are over;
    what is older than its `horizon_ms` is for `rows_of_persons`. Raises Retryable.
    """
    first_ms = _first_ms(memory, reference_ms)
    minutes, horizon_ms = _newest_minutes(clickhouse, partition, memory.ids, first_ms, reference_ms)
    window = Window(memory.ids, memory.past, salt, horizon_ms)
    window.written = 1 << 48  # all that is read here is in the table
    for begin_ms, end_ms in _spans(minutes):
        _fill(window, _read(clickhouse, partition, begin_ms, end_ms))
    window.written = 0
    return window


def remember_older(
    clickhouse: ClickHouse, partition: int, window: Window, memory: Memory, reference_ms: int
) -> bool:
    """The ids of the next older stretch; whether there may be more. Raises Retryable."""
    first_ms, end_ms = _first_ms(memory, reference_ms), window.horizon_ms
    if end_ms <= first_ms:
        return False
    begin_ms, rows = max(first_ms, end_ms - _STRETCH_MS), 0
    for minute_ms, count in _count(clickhouse, partition, begin_ms, end_ms):
        if rows and rows + count > _ROWS_AT_ONCE:
            begin_ms = minute_ms + _MINUTE_MS
            break
        rows += count
    if not window.has_room_for(rows):
        return False
    keys = _keys(_read(clickhouse, partition, begin_ms, end_ms))
    return window.remember(keys, begin_ms) and window.horizon_ms < end_ms


def rows_of_persons(
    clickhouse: ClickHouse, persons: U64, events: tuple[U64, U64], newest: int
) -> Keys:
    """The rows that have one of these event ids (halves) and its person, scanned by `newest` (ms,
    UTC), and maybe some that have an id and another's person. At most `IDS_AT_ONCE` may be asked
    for. Raises Retryable.

    Asked of the projection itself: of the table, each question first works out what the primary
    key would read instead.
    """
    assert len(persons) <= IDS_AT_ONCE
    source = clickhouse.projection("scans", "by_person")
    ids = np.stack(events, axis=1).astype(">u8").tobytes().hex()
    whose = array_of(persons.tolist(), "UInt64")
    which = array_of(_uuids(ids), "UUID")
    query = (
        f"SELECT {_COLUMNS} FROM {source} "  # noqa: S608 (numbers)
        f"WHERE person IN {whose} AND event_id IN {which}"
    )
    most = _FEW_MORE + 2 * len(persons)
    longest = max(1.0, min(_LONGEST_S, clickhouse.timeout_s - _BEFORE_S))
    settings = {**FEW_ROWS, "max_query_size": _MOST_TEXT, "max_execution_time": longest}
    table = clickhouse.query_arrow(f"{query} LIMIT {most}", {}, settings)
    if table.num_rows == most:
        # ids that many persons have, each as many rows as persons were asked for; rows by pairs
        # are not asked for at once because that takes half as long again
        query += f" AND (person, event_id) IN arrayZip({whose}, {which})"
        table = clickhouse.query_arrow(query, {}, settings)
    return _keys(table.filter(pc.less_equal(table.column("scanned_ms"), newest)))


def _uuids(digits: str) -> Iterator[str]:
    """Of so many digits one after the other, as they stand in a text within a text."""
    return (f"\\'{digits[begin : begin + 32]}\\'" for begin in range(0, len(digits), 32))


def _first_ms(memory: Memory, reference_ms: int) -> int:
    return reference_ms // _MINUTE_MS * _MINUTE_MS - memory.days * DAY_MS


def _read(clickhouse: ClickHouse, partition: int, begin_ms: int, end_ms: int) -> pa.Table:
    return clickhouse.query_arrow(
        f"SELECT {_COLUMNS} FROM scans WHERE {_WITHIN}",  # noqa: S608 (constants)
        {"partition": partition, "begin": begin_ms, "end": end_ms},
        _REBUILD_TIMEOUT,
    )


def _count(clickhouse: ClickHouse, partition: int, begin_ms: int, end_ms: int) -> list[Minute]:
    """Minutes that have rows, newest first."""
    counted = clickhouse.query_arrow(
        "SELECT toUnixTimestamp(toStartOfMinute(scanned_at)) AS minute, count() AS rows "  # noqa: S608
        f"FROM scans WHERE {_WITHIN} GROUP BY minute ORDER BY minute DESC",
        {"partition": partition, "begin": begin_ms, "end": end_ms},
        _REBUILD_TIMEOUT,
    )
    minutes, rows = (counted.column(name).to_pylist() for name in ("minute", "rows"))
    return [(1000 * minute, count) for minute, count in zip(minutes, rows, strict=True)]


def _newest_minutes(
    clickhouse: ClickHouse, partition: int, ids: int, first_ms: int, reference_ms: int
) -> tuple[list[Minute], int]:
    """The minutes to read, oldest first, and when the first begins."""
    # times may lie two minutes ahead of the broker, and rows of later batches may be there
    begin, end = reference_ms // _MINUTE_MS * _MINUTE_MS, _END_OF_TIME_MS
    span = 60 * _MINUTE_MS
    minutes: list[Minute] = []
    known = 0
    while end > first_ms:
        for minute, rows in _count(clickhouse, partition, begin, end):
            minutes.append((minute, rows))
            known += rows
            if known >= ids:
                return minutes[::-1], minute
        # ever further back: few questions where scans are few, short where they are many. A
        # question costs by the parts it meets, and all partitions ask at once after a rebalance
        begin, end, span = max(first_ms, begin - span), begin, _FURTHER * span
    return minutes[::-1], first_ms


def _spans(minutes: list[Minute]) -> Iterator[tuple[int, int]]:
    """Begin and end (ms, UTC) of neighbouring minutes with few enough rows for one query."""
    span: list[int] = []
    known = 0
    for minute, rows in minutes:
        if span and known + rows > _ROWS_AT_ONCE:
            yield span[0], span[-1] + _MINUTE_MS
            span, known = [], 0
        span.append(minute)
        known += rows
    if span:
        yield span[0], span[-1] + _MINUTE_MS


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
