"""What is read from ClickHouse to recognise duplicates: a partition's window, and persons' rows."""

from typing import Final

import numpy as np
import pyarrow as pa

from streams.clickhouse import ClickHouse
from streams.columns import U64
from streams.window import DAY_MS, Keys, Window, origins

_COLUMNS: Final = (
    "UUIDToNum(event_id) AS id, person, content_hash, kafka_partition, kafka_offset, "
    "toUnixTimestamp64Milli(scanned_at) AS scanned_ms"
)
_PERSONS_AT_ONCE: Final = 5_000
_DAYS_AT_ONCE: Final = 3
_TIMEOUT: Final = {"max_execution_time": 30}


def rebuild_window(
    clickhouse: ClickHouse, partition: int, days: int, reference_ms: int, salt: int
) -> Window:
    """The duplicate window of a partition as of the broker's time `reference_ms`.

    Some 50 bytes an id; reads only the days the window keeps.
    """
    window = Window(days, salt)
    first_day = window.oldest_day(reference_ms)
    # times may lie two minutes ahead of the broker, and later batches come later
    last_day = reference_ms // DAY_MS + 2
    while True:
        table = clickhouse.query_arrow(
            f"SELECT {_COLUMNS} FROM scans "  # noqa: S608 (a constant list of columns)
            "WHERE kafka_partition = {partition:UInt16} "
            "AND scanned_at >= fromUnixTimestamp64Milli({begin:Int64}, 'UTC') "
            "AND scanned_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')",
            {
                "partition": partition,
                "begin": first_day * DAY_MS,
                "end": min(first_day + _DAYS_AT_ONCE, last_day) * DAY_MS,
            },
            _TIMEOUT,
        )
        _fill(window, table)
        first_day += _DAYS_AT_ONCE
        if first_day >= last_day:
            return window


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
    keys = keys.take(order)
    window.add(table.column("scanned_ms").to_numpy()[order] // DAY_MS, keys)


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
