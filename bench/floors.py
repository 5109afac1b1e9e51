"""What a step costs at the least: the same bytes through the bare library, and nothing else.

`python -m bench.floors --records 500000`. One JSON line, microseconds of this process's CPU an
event: reading by either client, parsing by pyarrow against the schema. The engine's and the
broker's floors are measured from outside (`engine_floor`), by their own CPU time.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.json

from bench import tables
from bench.clients import CLIENTS, LIBRDKAFKA, values
from bench.processes import cpu_seconds
from schemas.errors import UserError
from schemas.settings import load_settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse

_LINES: Final = 60_000
_BLOCK: Final = 32 * 1024 * 1024
# enumerations as the numbers that truyvet sends
_OWN_ROWS: Final = (
    "SELECT * EXCEPT (direction, method), toInt8(direction) AS direction, "
    "toInt8(method) AS method FROM scans ORDER BY kafka_partition, kafka_offset LIMIT "
)
_SCHEMA: Final = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("event_id", "person", "code", "direction", "method", "producer", "device")
        ),
        pa.field("scanned_at", pa.timestamp("ms", "UTC")),
        pa.field("companions", pa.int64()),
        pa.field("trip", pa.string()),
        pa.field("seat", pa.string()),
        pa.field("recorded_at", pa.timestamp("ms", "UTC")),
    ]
)


def read_floor(client: str, bootstrap: str, group: str, records: int) -> float:
    """CPU microseconds a record of reading, decompressing and holding its value as bytes."""
    found = values(client, bootstrap, SCANS.name, group, records)
    next(found)  # joining the group is not reading
    begin, seen = time.process_time(), 0
    for batch in found:
        seen += len(batch)
    return (time.process_time() - begin) / max(seen, 1) * 1e6


def parse_floor(lines: Sequence[bytes]) -> float:
    """CPU microseconds a line of one pyarrow read against the schema, threads off."""
    bodies = [b"\n".join(part) for part in _parts(lines)]
    read = pa.json.ReadOptions(use_threads=False, block_size=_BLOCK)
    parse = pa.json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")
    begin, rows = time.process_time(), 0
    for body in bodies:
        rows += pa.json.read_json(pa.BufferReader(body), read, parse).num_rows
    assert rows == len(lines)
    return (time.process_time() - begin) / len(lines) * 1e6


def engine_floor(clickhouse: ClickHouse, pid: int, records: int) -> float:
    """CPU microseconds a row of the engine for Arrow inserts of truyvet's own rows, one at a time.

    Into an empty copy of `scans`, in the order of the topic; merges that follow are not in it.
    Raises UserError if not every row came in.
    """
    rows = clickhouse.query_arrow(_OWN_ROWS + str(int(records)))
    clickhouse.command(f"TRUNCATE TABLE {tables.FLOOR}")
    tables.quiet(clickhouse)
    begin = cpu_seconds(pid)
    for at in range(0, rows.num_rows, _LINES):
        clickhouse.insert(tables.FLOOR, rows.slice(at, _LINES), {})
    spent = cpu_seconds(pid) - begin
    if (found := tables.count(clickhouse, tables.FLOOR)) != rows.num_rows:
        raise UserError(
            f"Chỉ ghi được {found} trong {rows.num_rows} dòng khi đo mức tối thiểu của engine. / "
            f"{found} of {rows.num_rows} rows were inserted for the engine's floor."
        )
    clickhouse.command(f"TRUNCATE TABLE {tables.FLOOR}")
    return float(spent / max(rows.num_rows, 1) * 1e6)


def _parts(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(lines), _LINES):
        yield lines[at : at + _LINES]


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, and one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m bench.floors", description=__doc__)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--group", required=True)
    options = parser.parse_args(argv)
    bootstrap, records = load_settings().kafka_bootstrap, options.records
    lines: list[bytes] = []
    for batch in values(LIBRDKAFKA, bootstrap, SCANS.name, f"{options.group}-lines", records):
        lines += batch
    answer: dict[str, Any] = {"parse_pyarrow": parse_floor(lines)}
    del lines
    for client in CLIENTS:
        answer[f"read_{client}"] = read_floor(
            client, bootstrap, f"{options.group}-{client}", records
        )
    print(json.dumps({name: round(value, 3) for name, value in answer.items()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
