"""Scans in a table, and whether what is held of them is what is there."""

import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from schemas.settings import load_settings
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments import making as making_module
from streams.segments import mapping as mapping_module
from streams.segments.asking import answered
from streams.segments.changes import Changes
from streams.segments.held import Held
from streams.segments.parts import active_parts
from tracer.hours import Span
from tracer.queries import Scans
from tracer.segments import Segments
from tracer.sought import sought

HOUR_MS = 3_600_000
WEEK_MS = 7 * 86_400_000
FIRST_MS = 1_790_000_000_000
WEEKS = 3
LAST_MS = FIRST_MS + WEEKS * WEEK_MS
PERSONS, PLACES = 40, 5


def counted_in(folder: Path) -> Changes:
    """What the engine of `migrated_engine` counts."""
    [file] = (folder / "engine").glob("changes.*")
    return Changes(file, load_settings(folder).clickhouse_database)


def files_from(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of so many rows have files."""
    for module in (held_module, making_module, mapping_module):
        monkeypatch.setattr(module, "FILE_ROWS", rows)


def arrived(begin: int, rows: int, weeks: Sequence[int] = (0,)) -> pa.Table:
    """Scans as a worker writes them, in turn in each of these weeks; `begin`: the first's offset."""
    number = np.arange(begin, begin + rows)
    drawn = np.random.default_rng(begin)
    week = np.array(weeks)[number % len(weeks)]
    at = FIRST_MS + week * WEEK_MS + drawn.integers(0, 500_000_000, rows)
    event = pa.array([uuid.uuid4().bytes for _ in range(rows)], pa.binary(16))
    moment = pa.timestamp("ms", "UTC")
    texts = pa.array([f"p{n % 4}" for n in number]).dictionary_encode()
    return pa.table(
        {
            "event_id": event,
            "person": drawn.integers(0, PERSONS, rows).astype(np.uint64),
            "place": drawn.integers(0, PLACES, rows).astype(np.uint32),
            "scanned_at": pa.array(at, moment),
            "direction": (1 + number % 3).astype(np.int8),
            "method": np.where(number % 7 == 0, 4, 1).astype(np.int8),
            "producer": texts,
            "device": pa.array(["d"] * rows),
            "companions": (number % 3).astype(np.uint8),
            "trip": pa.array([f"t{n % 6}" if n % 5 == 0 else "" for n in number]),
            "appended_at": pa.array(at + number % 900 * 1000, moment),
            "written_at": pa.array(at, moment),
            "kafka_partition": np.full(rows, 100, np.uint16),
            "kafka_offset": number.astype(np.uint64),
        }
    )


def arrive(clickhouse: ClickHouse, scans: pa.Table, token: str = "") -> None:
    """Insert them as a worker does."""
    settings = {
        "insert_deduplicate": 1,
        "insert_deduplication_token": token or str(uuid.uuid4()),
        "input_format_arrow_allow_missing_columns": 1,
    }
    clickhouse.insert("scans", scans, settings)


def insert(clickhouse: ClickHouse, begin: int, rows: int, week: int = 0) -> None:
    """Scans of everybody everywhere in one week; `begin`: the first's offset."""
    clickhouse.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "
        "device, companions, trip, appended_at, written_at, kafka_partition, kafka_offset) "
        f"WITH fromUnixTimestamp64Milli({FIRST_MS + week * WEEK_MS} + "
        "toInt64(cityHash64(number) % 500000000), 'UTC') AS at "
        f"SELECT generateUUIDv4(), cityHash64(number, 1) % {PERSONS}, "
        f"cityHash64(number, 2) % {PLACES}, at, "
        "transform(number % 3, [0, 1, 2], ['in', 'out', 'pass'], 'in'), "
        "if(number % 7 = 0, 'typed', 'self'), concat('p', toString(number % 4)), 'd', number % 3, "
        "if(number % 5 = 0, concat('t', toString(number % 6)), ''), "
        f"at + INTERVAL number % 900 SECOND, at, {week}, number FROM numbers({begin}, {rows})"
    )


def scans_of(clickhouse: ClickHouse, held: Segments | None) -> pl.DataFrame:
    """Everybody's, by person."""
    wanted = sought(np.arange(PERSONS, dtype=np.uint64), FIRST_MS, LAST_MS)
    found = list(Scans(clickhouse, held=held).of(wanted))
    return pl.concat(found).sort("kafka_partition", "kafka_offset")


def visits_of(clickhouse: ClickHouse, held: Segments | None) -> pl.DataFrame:
    """Some hours at each place."""
    spans = [
        Span(place, FIRST_MS + begin, FIRST_MS + begin + 250_000_000)
        for place in range(PLACES)
        for begin in (17_000_000 * place, WEEK_MS + 90_000_000)
    ]
    found = list(Scans(clickhouse, held=held).at(spans))
    return pl.concat(found).sort("person", "place", "t", "producer", "companions", "late", "out")


def check(clickhouse: ClickHouse, held: Held) -> None:
    """What is held is what is in the table, by person and by place."""
    now = held.now()
    assert now is not None
    there = clickhouse.rows("SELECT count() FROM scans")[0][0]
    assert len(now) == there
    assert scans_of(clickhouse, now).equals(scans_of(clickhouse, None))
    assert visits_of(clickhouse, now).equals(visits_of(clickhouse, None))


def check_answer(clickhouse: ClickHouse, held: Held) -> None:
    """What is said of somebody, and of a place for an hour, is what the table says of them."""

    def ask(held: Segments | None) -> list[pl.DataFrame]:
        scans = Scans(clickhouse, held=held)
        own = pl.concat(scans.of(sought([3], FIRST_MS, LAST_MS), trips=False))
        place = Span(2, FIRST_MS + 4 * HOUR_MS, FIRST_MS + 5 * HOUR_MS)
        near = pl.concat(
            scans.at([place, place], persons=np.arange(0, PERSONS, 2, dtype=np.uint64))
        )
        return [rows.sort(rows.columns) for rows in (own, near)]

    for answer, there in zip(answered(held, ask), ask(None), strict=True):
        assert answer.equals(there)


def merge(clickhouse: ClickHouse, week: int) -> None:
    """One part of that week's."""
    parts = sorted({part.partition for part in active_parts(clickhouse)})
    if week < len(parts):
        clickhouse.command(f"OPTIMIZE TABLE scans PARTITION ID '{parts[week]}' FINAL")
