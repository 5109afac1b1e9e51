"""What the engine hands on of a worker's inserts: held without a question, and as it is."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.segments import held as held_module
from streams.segments.held import Held
from streams.segments.making import Maker
from streams.segments.parts import Part, active_parts
from streams.segments.reading import in_memory
from tests.contract.clickhouse_fixtures import migrated_engine
from tests.segments_kit import arrive, arrived, check, counted_in, files_from, insert, merge

GB = 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handed")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[ClickHouse]:
    with migrated_engine(folder) as made:
        yield made


@pytest.fixture
def clickhouse(engine: ClickHouse) -> ClickHouse:
    """An empty table."""
    engine.command("TRUNCATE TABLE scans")
    return engine


class Asked:
    """How often which parts there are was asked, and rows were read."""

    def __init__(self) -> None:
        self.looks = self.read = 0

    def look(self, clickhouse: ClickHouse) -> list[Part]:
        self.looks += 1
        return active_parts(clickhouse)

    def rows(self, *of: Any) -> Any:
        self.read += 1
        return in_memory(*of)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(held_module, "active_parts", made.look)
    monkeypatch.setattr(held_module, "in_memory", made.rows)
    monkeypatch.setattr(held_module, "_EVERY_S", 0.0)
    return made


@pytest.fixture
def held(clickhouse: ClickHouse, folder: Path, asked: Asked) -> Held:
    """All of a table that has something."""
    insert(clickhouse, 0, 300)
    made = Held(clickhouse, changes=counted_in(folder))
    check(clickhouse, made)
    asked.looks = asked.read = 0
    return made


def test_what_came_is_held_without_a_question(
    clickhouse: ClickHouse, held: Held, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_module, "_EVERY_S", 60.0)
    held.follow()
    asked.looks = 0
    for begin, rows, weeks in ((0, 1, [0]), (1, 50, [0, 1, 2]), (51, 7, [2])):
        arrive(clickhouse, arrived(begin, rows, weeks))
        assert held.every_s == held_module._HANDED_S
        check(clickhouse, held)
    held.follow()
    assert (asked.looks, asked.read) == (0, 0)
    # then the same rows are found in the table's parts, and need not be read of them either
    monkeypatch.setattr(held_module, "_EVERY_S", 0.0)
    merge(clickhouse, 0)  # counted, and not handed on
    held.follow()
    assert asked.looks > 0
    check(clickhouse, held)


def test_what_was_handed_on_is_found_in_the_parts_and_not_read(
    clickhouse: ClickHouse, held: Held, asked: Asked
) -> None:
    begin = 0
    for rows, weeks in ((20, [0]), (30, [0, 1]), (1, [2]), (40, [1, 2])):
        for _ in range(5):
            arrive(clickhouse, arrived(begin, rows, weeks))
            begin += rows
        check(clickhouse, held)
        looks = asked.looks
        held.follow()
        assert asked.looks > looks
        check(clickhouse, held)
    assert asked.read == 0
    for week in range(3):
        merge(clickhouse, week)
    held.follow()
    check(clickhouse, held)
    assert asked.read == 0  # a merge brings nothing
    assert held.rows == (300 + begin, 0)


def test_an_insert_of_several_batches_is_handed_on_whole(
    clickhouse: ClickHouse, held: Held, asked: Asked
) -> None:
    arrive(clickhouse, pa.concat_tables([arrived(0, 20, [0, 1]), arrived(20, 30, [2])]))
    check(clickhouse, held)
    assert asked.looks == 0


def test_an_insert_that_is_repeated_is_there_once(clickhouse: ClickHouse, held: Held) -> None:
    scans = arrived(0, 20)
    for _ in range(3):
        arrive(clickhouse, scans, token="again")
        check(clickhouse, held)
    assert clickhouse.rows("SELECT count() FROM scans") == [(320,)]


def test_what_else_becomes_of_the_table_is_seen(clickhouse: ClickHouse, held: Held) -> None:
    arrive(clickhouse, arrived(0, 60, [0, 1]))
    clickhouse.command("ALTER TABLE scans DELETE WHERE person < 20", {"mutations_sync": 2})
    check(clickhouse, held)
    arrive(clickhouse, arrived(60, 60, [0, 1]))
    insert(clickhouse, 300, 20)  # not as a worker does
    arrive(clickhouse, arrived(120, 60, [0, 1]))
    check(clickhouse, held)
    arrive(clickhouse, arrived(180, 60))
    check(clickhouse, held)
    clickhouse.command("TRUNCATE TABLE scans")
    check(clickhouse, held)
    arrive(clickhouse, arrived(240, 60))
    check(clickhouse, held)


def test_an_insert_that_fails_brings_nothing(clickhouse: ClickHouse, held: Held) -> None:
    wrong = arrived(0, 10).set_column(4, "direction", pa.array(["sideways"] * 10))
    with pytest.raises(Retryable, match="sideways"):
        arrive(clickhouse, wrong)
    check(clickhouse, held)


@pytest.mark.parametrize("column", ["person", "scanned_at", "trip", "kafka_offset"])
def test_what_a_worker_does_not_write_is_asked_for(
    clickhouse: ClickHouse, held: Held, asked: Asked, column: str
) -> None:
    scans = arrived(0, 20)
    at = scans.column_names.index(column)
    other = {
        "person": pa.array(np.arange(20), pa.int64()),
        "scanned_at": scans.column("scanned_at").cast(pa.timestamp("us", "UTC")),
        "trip": pa.array([None, "t"] * 10, pa.string()),
        "kafka_offset": scans.column("kafka_offset").cast(pa.int64()),
    }
    arrive(clickhouse, scans.set_column(at, column, other[column]))
    check(clickhouse, held)
    assert asked.looks > 0
    arrive(clickhouse, arrived(20, 20).drop_columns(["companions"]))
    check(clickhouse, held)


def test_what_is_large_or_late_is_asked_for(
    clickhouse: ClickHouse, held: Held, asked: Asked
) -> None:
    for begin in range(0, 400, 10):  # more files than the engine keeps
        arrive(clickhouse, arrived(begin, 10))
    check(clickhouse, held)
    assert asked.looks >= 1  # again if a merge came between
    read = asked.read
    arrive(clickhouse, arrived(400, 150_000))
    held.follow()
    check(clickhouse, held)
    assert asked.read > read


def test_nothing_of_it_is_left_when_something_is_deleted(
    clickhouse: ClickHouse, held: Held, folder: Path
) -> None:
    arrive(clickhouse, arrived(0, 10))
    files = folder / "engine" / "handed"
    [there] = files.iterdir()
    assert there.stat().st_mode & 0o077 == 0
    clickhouse.command("ALTER TABLE scans DELETE WHERE person = 1", {"mutations_sync": 2})
    assert not list(files.iterdir())
    check(clickhouse, held)


def test_who_asks_while_scans_come_sees_each_once_and_all_that_were_acknowledged(
    clickhouse: ClickHouse, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_module, "_EVERY_S", 0.02)
    firsts, wrong = (0, 100_000), []
    acknowledged = dict.fromkeys(firsts, 0)
    ended, seen = threading.Event(), 0

    def write(first: int) -> None:
        try:
            for begin in range(first, first + 800, 20):
                arrive(clickhouse, arrived(begin, 20, [0, 1, 2]))
                acknowledged[first] = begin + 20
        finally:
            if (
                acknowledged[first] < first + 800
                or min(acknowledged[one] - one for one in firsts) == 800
            ):
                ended.set()

    def follow() -> None:
        while not ended.is_set():
            held.follow()

    threads = [threading.Thread(target=write, args=(first,)) for first in firsts]
    threads.append(threading.Thread(target=follow))
    for thread in threads:
        thread.start()
    while not ended.is_set():
        least = {n for first, until in acknowledged.items() for n in range(first, until)}
        now = held.now()
        if now is None:  # too busy a table: ClickHouse would be asked
            continue
        seen += 1
        packed = np.concatenate([one.by_person["packed"] for one in now.every])
        there = packed["kafka_offset"][packed["kafka_partition"] == 100].tolist()
        if len(set(there)) != len(there) or not least <= set(there):
            wrong.append((len(least), len(there)))
    for thread in threads:
        thread.join()
    assert seen
    assert not wrong
    assert all(acknowledged[one] == one + 800 for one in firsts)
    check(clickhouse, held)


def test_a_file_takes_the_place_of_what_was_handed_on(
    clickhouse: ClickHouse,
    held: Held,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And of nothing that was put together with it, so that nothing is read again."""
    files_from(50, monkeypatch)
    monkeypatch.setattr(held_module, "_EVERY_S", 0.0)
    reader = Held(clickhouse, tmp_path, changes=counted_in(folder))
    check(clickhouse, reader)
    for begin in range(0, 90, 30):
        arrive(clickhouse, arrived(begin, 30, [1]))
    reader.follow()  # and puts three parts together
    now = reader.now()
    assert now is not None
    assert len(now.every) == len({one.partition for one in now.every})
    arrive(clickhouse, arrived(90, 60, [1]))
    reader.follow()
    check(clickhouse, reader)
    Maker(clickhouse, tmp_path, GB).round()
    read = []

    def rows(*of: Any) -> Any:
        read.append(of)
        return in_memory(*of)

    monkeypatch.setattr(held_module, "in_memory", rows)
    merge(clickhouse, 1)
    arrive(clickhouse, arrived(150, 20, [1]))
    reader.follow()
    check(clickhouse, reader)
    read.clear()  # to merge by hand is no insert
    arrive(clickhouse, arrived(170, 60, [1]))
    arrive(clickhouse, arrived(230, 10, [1]))
    reader.follow()
    Maker(clickhouse, tmp_path, GB).round()
    reader.follow()
    check(clickhouse, reader)
    assert reader.rows[1] > 0
    assert not read
