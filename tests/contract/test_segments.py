"""Segments against the engine: what is held is what is in the table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from schemas.errors import Fatal
from schemas.ids import person_text
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments.changes import Changes
from streams.segments.files import held_bytes
from streams.segments.held import Held
from streams.segments.making import Maker
from streams.segments.parts import Part, active_parts
from tests.contract.clickhouse_fixtures import migrated_engine
from tests.segments_kit import (
    FIRST_MS,
    LAST_MS,
    PERSONS,
    WEEKS,
    check,
    counted_in,
    files_from,
    insert,
    merge,
    scans_of,
)
from tracer.hours import Span
from tracer.queries import Scans
from tracer.sought import sought

GB = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("segments")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[ClickHouse]:
    with migrated_engine(folder) as made:
        yield made


@pytest.fixture(scope="module")
def changes(engine: ClickHouse, folder: Path) -> Changes:
    """What the engine counts."""
    return counted_in(folder)


@pytest.fixture
def clickhouse(engine: ClickHouse) -> ClickHouse:
    """An empty table."""
    engine.command("TRUNCATE TABLE scans")
    return engine


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of fifty rows has a file."""
    files_from(50, monkeypatch)


def test_they_answer_what_clickhouse_answers(clickhouse: ClickHouse) -> None:
    for week in range(WEEKS):
        insert(clickhouse, 0, 300, week)
    held = Held(clickhouse)
    check(clickhouse, held)
    now = held.now()
    every = scans_of(clickhouse, now)
    assert every["trip"].null_count() not in (0, every.height)
    for scans in (Scans(clickhouse), Scans(clickhouse, held=now)):
        own = scans.itinerary(person_text(7), FIRST_MS, LAST_MS)
        assert own["person"].unique().to_list() == [7]
        assert own.height
        [without_trips] = scans.of(sought([7], FIRST_MS, LAST_MS), trips=False)
        assert without_trips["trip"].null_count() == without_trips.height
        assert scans.itinerary(person_text(PERSONS), FIRST_MS, LAST_MS).is_empty()
        assert list(scans.at([])) == []
    span = Span(1, FIRST_MS, LAST_MS)
    few = np.array([3, 9], np.uint64)
    plain, quick = (
        pl.concat(scans.at([span], details=False, persons=few)).sort("person", "t", "out")
        for scans in (Scans(clickhouse), Scans(clickhouse, held=now))
    )
    assert plain.equals(quick)
    assert plain.height


@pytest.mark.usefixtures("small_files")
def test_large_parts_are_mapped_from_files(clickhouse: ClickHouse, tmp_path: Path) -> None:
    insert(clickhouse, 0, 300)
    insert(clickhouse, 300, 20)
    reader = Held(clickhouse, tmp_path)
    check(clickhouse, reader)
    assert reader.rows == (320, 0)
    made = Maker(clickhouse, tmp_path, GB).round()
    assert (made.segments, made.rows) == (1, 300)
    reader.follow()
    assert reader.rows == (20, 300)
    again = Held(clickhouse, tmp_path)
    check(clickhouse, again)
    assert again.rows == (20, 300)
    assert Maker(clickhouse, tmp_path, GB).round().segments == 0
    merge(clickhouse, 0)
    check(clickhouse, reader)
    assert reader.rows == (20, 300)  # a merge brings nothing that was not there
    assert Maker(clickhouse, tmp_path, GB).round().rows == 320
    reader.follow()
    check(clickhouse, reader)
    assert reader.rows == (0, 320)
    [only] = [there for there in tmp_path.iterdir() if there.is_dir()]
    clickhouse.command("TRUNCATE TABLE scans")
    Maker(clickhouse, tmp_path, GB).round()
    assert not only.exists()  # what is deleted in the table stays nowhere
    check(clickhouse, reader)


@pytest.mark.usefixtures("small_files")
def test_no_more_disk_than_allowed(clickhouse: ClickHouse, tmp_path: Path) -> None:
    insert(clickhouse, 0, 300)
    insert(clickhouse, 300, 60, week=1)
    made = Maker(clickhouse, tmp_path, 8_000).round()
    assert (made.segments, made.rows) == (1, 60)
    assert 0 < held_bytes(tmp_path) <= 8_000


def test_where_too_much_is_missing_clickhouse_is_asked(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(clickhouse, 0, 300)
    monkeypatch.setattr(held_module, "_BEFORE_A_TRACE", 299)
    held = Held(clickhouse)
    assert held.now() is None
    held.follow()
    check(clickhouse, held)
    insert(clickhouse, 300, 299)
    check(clickhouse, held)
    monkeypatch.setattr(held_module, "MOST_IN_MEMORY", 600)
    insert(clickhouse, 599, 2)
    assert held.now() is None


def test_the_engine_counts_what_may_have_changed_the_scans(
    clickhouse: ClickHouse, changes: Changes
) -> None:
    insert(clickhouse, 0, 10)

    def is_counted(statement: str) -> bool:
        before = changes.count()
        clickhouse.command(statement, {"mutations_sync": 2})
        return changes.count() != before

    assert changes.count() == changes.count() != None  # noqa: E711 (it is there)
    assert not is_counted("SELECT count() FROM scans FORMAT Null")
    assert not is_counted("INSERT INTO erased (kafka_partition, kafka_offset) SELECT 1, 1 LIMIT 0")
    for statement in (
        "INSERT INTO scans (person) SELECT 1 LIMIT 0",
        "ALTER TABLE scans DELETE WHERE person = 1",
        "OPTIMIZE TABLE scans FINAL",
        "TRUNCATE TABLE scans",
    ):
        assert is_counted(statement), statement
    for table, counted in (("scans", True), ("erased", False)):
        before = changes.count()
        offset = pa.table({"kafka_offset": pa.array([1], pa.uint64())})
        clickhouse.insert(table, offset, {"input_format_arrow_allow_missing_columns": 1})
        assert (changes.count() != before) is counted
    before = changes.count()
    with pytest.raises(Fatal):  # whatever comes of it
        clickhouse.command("INSERT INTO scans SELECT nothing")
    assert changes.count() != before


def test_who_reads_the_count_sees_what_is_there(
    clickhouse: ClickHouse, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(clickhouse: ClickHouse) -> list[Part]:
        looks.append(1)
        return active_parts(clickhouse)

    monkeypatch.setattr(held_module, "active_parts", look)
    held = Held(clickhouse, changes=changes)
    for offset in range(5):
        insert(clickhouse, offset, 1)
        for _ in range(3):
            check(clickhouse, held)
    assert len(looks) == 5
    merge(clickhouse, 0)
    clickhouse.command("ALTER TABLE scans DELETE WHERE kafka_offset = 3", {"mutations_sync": 2})
    check(clickhouse, held)


def test_a_scan_that_came_before_the_trace_is_in_it(clickhouse: ClickHouse) -> None:
    held = Held(clickhouse)
    for offset in range(30):
        insert(clickhouse, offset, 1)
        now = held.now()
        assert now is not None
        assert len(now) == offset + 1


def test_a_part_that_is_merged_between_two_questions_is_asked_for_again(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(clickhouse, 0, 10)
    insert(clickhouse, 10, 10)
    asked: list[object] = []

    def before_a_merge(asking: ClickHouse) -> list[Part]:
        found = active_parts(asking)
        if not asked:
            merge(clickhouse, 0)
        asked.append(found)
        return found

    monkeypatch.setattr(held_module, "active_parts", before_a_merge)
    check(clickhouse, Held(clickhouse))
    assert len(asked) == 2


def test_another_table_in_its_place_is_another_table(clickhouse: ClickHouse) -> None:
    """As a rebuild puts it there: blocks of the same numbers, as many rows, and other scans."""
    for table in ("first", "second"):
        clickhouse.command(f"CREATE TABLE {table} AS scans")
    clickhouse.command("RENAME TABLE scans TO kept, first TO scans")
    try:
        insert(clickhouse, 0, 10)
        insert(clickhouse, 10, 10)
        held = Held(clickhouse)
        check(clickhouse, held)
        clickhouse.command("RENAME TABLE scans TO first, second TO scans")
        insert(clickhouse, 500, 10)
        insert(clickhouse, 510, 10)
        merge(clickhouse, 0)
        check(clickhouse, held)
        clickhouse.command("RENAME TABLE scans TO second")
    finally:
        clickhouse.command("RENAME TABLE kept TO scans")
        for table in ("first", "second"):
            clickhouse.command(f"DROP TABLE IF EXISTS {table}")


def test_what_does_not_add_up_is_read_whole(clickhouse: ClickHouse) -> None:
    """Two rows of one offset, as a log that lost its end leaves them, in one part."""
    held = Held(clickhouse)
    insert(clickhouse, 0, 10)
    check(clickhouse, held)
    insert(clickhouse, 0, 10)
    merge(clickhouse, 0)
    check(clickhouse, held)


@pytest.mark.usefixtures("small_files")
def test_a_file_that_is_spoilt_is_made_again(clickhouse: ClickHouse, tmp_path: Path) -> None:
    insert(clickhouse, 0, 300)
    maker = Maker(clickhouse, tmp_path, GB)
    assert maker.round().segments == 1
    [spoilt] = tmp_path.glob("*/texts.json")
    spoilt.write_text("{")
    reader = Held(clickhouse, tmp_path)
    check(clickhouse, reader)
    assert reader.rows == (300, 0)
    assert maker.round().segments == 1
    reader.follow()
    check(clickhouse, reader)
    assert reader.rows == (0, 300)
    clickhouse.command("TRUNCATE TABLE scans")
    maker.tidy()
    assert not [there for there in tmp_path.iterdir() if there.is_dir()]
    check(clickhouse, reader)
