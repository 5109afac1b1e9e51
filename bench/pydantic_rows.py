"""What one writes first: aiokafka, a pydantic model a record, rows inserted by clickhouse-connect.

`python -m bench.pydantic_rows BOOTSTRAP GROUP COUNT TABLE`. The model is a plain one, whose types
pydantic checks in Rust. Not in it: codes resolved (a checksum of the code stands for the place),
duplicates, offsets kept or read back, dead letters, cases. Prints one JSON line: `records` and
`seconds`, from the first delivery to the last acknowledged insert.
"""

import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zlib import crc32

import clickhouse_connect
from pydantic import BaseModel, Field

from bench.clients import AIOKAFKA, values
from schemas.ids import PERSON_PATTERN, decode_base32
from schemas.scan import (
    CODE_PATTERN,
    DEVICE_PATTERN,
    MAX_COMPANIONS,
    NOTE_PATTERN,
    PRODUCER_PATTERN,
)
from schemas.settings import load_settings
from schemas.topics import SCANS

BATCH: Final = 60_000
COLUMNS: Final = (
    "event_id",
    "person",
    "place",
    "scanned_at",
    "direction",
    "method",
    "producer",
    "device",
    "companions",
    "trip",
    "seat",
)


class PlainScan(BaseModel):
    """The same fields and patterns as `schemas.scan.Scan`, in types that pydantic parses itself."""

    event_id: UUID
    person: Annotated[str, Field(pattern=PERSON_PATTERN)]
    code: Annotated[str, Field(pattern=CODE_PATTERN)]
    direction: Literal["in", "out", "pass"]
    scanned_at: datetime
    method: Literal["self", "staff", "card", "typed"]
    producer: Annotated[str, Field(pattern=PRODUCER_PATTERN)]
    device: Annotated[str, Field(pattern=DEVICE_PATTERN)]
    companions: Annotated[int, Field(ge=0, le=MAX_COMPANIONS)] = 0
    trip: Annotated[str, Field(pattern=NOTE_PATTERN)] | None = None
    seat: Annotated[str, Field(pattern=NOTE_PATTERN)] | None = None
    recorded_at: datetime | None = None


def row(value: bytes) -> tuple[Any, ...]:
    """One record's row. Raises pydantic.ValidationError."""
    scan = PlainScan.model_validate_json(value)
    return (
        scan.event_id,
        decode_base32(scan.person),
        crc32(scan.code.encode()),
        scan.scanned_at,
        scan.direction,
        scan.method,
        scan.producer,
        scan.device,
        scan.companions,
        scan.trip or "",
        scan.seat or "",
    )


def main(bootstrap: str, group: str, expected: int, table: str) -> None:
    """Read, validate and insert `expected` records; one insert is on its way at a time."""
    settings = load_settings()
    client = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
        compress=False,
        autogenerate_session_id=False,
    )
    begin, cpu, seen = 0.0, 0.0, 0
    going: Future[Any] | None = None
    rows: list[tuple[Any, ...]] = []
    with ThreadPoolExecutor(1) as thread:
        for batch in values(AIOKAFKA, bootstrap, SCANS.name, group, expected):
            if not begin:
                begin, cpu = time.perf_counter(), time.process_time()
            seen += len(batch)
            rows += [row(value) for value in batch]
            if len(rows) >= BATCH or seen == expected:
                if going is not None:
                    going.result()
                going = thread.submit(client.insert, table, rows, column_names=COLUMNS)
                rows = []
        if going is not None:
            going.result()
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    print(json.dumps({"records": seen, "seconds": seconds, "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
