"""What a worker reads back from the tables: its window after a start, and persons' rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from console.inspecting import scans_before
from streams import lookups
from streams.clickhouse import ClickHouse
from streams.keys import Keys, joined, origin_offset
from streams.line import PIECE
from streams.lookups import Memory, rebuild_window, remember_older, rows_of_persons
from streams.window import Window
from tests.contract.clickhouse_fixtures import migrated_engine

HOUR = 3_600_000
NOW = 1_790_000_000_000 // HOUR * HOUR + 20 * 60_000  # twenty past
PERSONS = 50


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Partition 1: ten scans an hour for 100 hours, offset 0 the oldest; partition 2: one."""
    with migrated_engine(tmp_path_factory.mktemp("lookups")) as made:
        columns = (
            "event_id, person, place, scanned_at, direction, method, producer, device, code_version, "
            "companions, trip, seat, appended_at, written_at, content_hash, kafka_partition, "
            "kafka_offset"
        )
        rest = "'in', 'self', 'sim', 'p', 1, 0, '', '', at, at, 7 + number"
        for partition, count in ((1, 1_000), (2, 1)):
            made.command(
                f"INSERT INTO scans ({columns}) "
                f"WITH fromUnixTimestamp64Milli({NOW - 99 * HOUR} + 360000 * toInt64(number) - 1200000,"
                f" 'UTC') AS at SELECT toUUID(concat('00000000-0000-7000-8000-', leftPad("
                f"hex(number), 12, '0'))), number % {PERSONS}, 3, at, {rest}, {partition}, number "
                f"FROM numbers({count})"
            )
        yield made


def key(number: int) -> Keys:
    def one(value: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.array([value], np.uint64)

    return Keys(
        one(0x7000), one(0x8000_0000_0000_0000 + number), one(number % PERSONS),
        one(7 + number), one((1 << 48) | 5_000),
    )  # fmt: skip


def knows(window: Window, number: int) -> bool:
    """Whether this row is found by its key, whole."""
    new, origin, content = window.add(key(number), np.array([NOW]))
    assert new[0] or (origin_offset(int(origin[0])), int(content[0])) == (number, 7 + number)
    return not new[0]


def test_a_window_is_rebuilt_whole_where_rows_are_few(clickhouse: ClickHouse) -> None:
    window = rebuild_window(clickhouse, 1, Memory(250_000, 10_000, 15), NOW, salt=3)
    assert len(window) == 1_000
    assert all(knows(window, number) for number in range(1_000))
    assert window.horizon_ms == NOW - 15 * 24 * HOUR
    assert window.written == 0


@pytest.mark.parametrize("ids", [1, 35, 320])
def test_the_newest_hours_are_enough(clickhouse: ClickHouse, ids: int) -> None:
    window = rebuild_window(clickhouse, 1, Memory(ids, 10_000, 15), NOW, salt=3)
    first = 1_000 - ids
    assert window.horizon_ms == NOW // HOUR * HOUR - 99 * HOUR + first * 360_000
    at = np.array([window.horizon_ms])
    for number in range(first, 1_000):  # whole, or by its mark where they are more than `ids`
        assert window.unsure(key(number), at).all() or knows(window, number)
    assert not window.unsure(key(first - 1), at).any()
    assert window.unsure(key(first - 1), at - 1).all()
    assert not knows(window, first - 1)


def test_it_reads_no_further_back_than_its_days(clickhouse: ClickHouse) -> None:
    window = rebuild_window(clickhouse, 1, Memory(250_000, 10_000, 2), NOW, salt=3)
    assert window.horizon_ms == NOW - 48 * HOUR
    assert len(window) == 486  # 33 min past an hour and 48 hours, one every six minutes


def test_older_ids_are_remembered_stretch_by_stretch(clickhouse: ClickHouse) -> None:
    memory = Memory(35, 10_000, 4)
    window = rebuild_window(clickhouse, 1, memory, NOW, salt=3)
    horizons = [window.horizon_ms]
    while remember_older(clickhouse, 1, window, memory, NOW):
        horizons.append(window.horizon_ms)
    assert horizons == sorted(horizons, reverse=True)
    assert len(horizons) == 5  # a day at a time
    assert window.horizon_ms == NOW - 4 * 24 * HOUR
    assert len(window) <= 35  # whole: no more than at first
    scanned = np.array([NOW - 50 * HOUR])
    assert window.unsure(key(500), scanned).all()
    assert not window.unsure(key(5_000), scanned).any()
    assert window.unsure(key(5_000), np.array([NOW - 97 * HOUR])).all()


def test_remembering_ends_where_the_room_does(clickhouse: ClickHouse) -> None:
    memory = Memory(35, 1_000, 15)
    window = rebuild_window(clickhouse, 1, memory, NOW, salt=3)
    begin = window.horizon_ms
    while remember_older(clickhouse, 1, window, memory, NOW):
        assert window.horizon_ms < begin
    assert NOW - 60 * HOUR < window.horizon_ms < begin


def test_partitions_do_not_mix_and_an_empty_one_is_empty(clickhouse: ClickHouse) -> None:
    assert len(rebuild_window(clickhouse, 2, Memory(250_000, 10_000, 15), NOW, salt=3)) == 1
    assert len(rebuild_window(clickhouse, 3, Memory(250_000, 10_000, 15), NOW, salt=3)) == 0


def test_an_hour_of_too_many_rows_is_cut(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_ROWS_AT_ONCE", 4)
    window = rebuild_window(clickhouse, 1, Memory(35, 10_000, 15), NOW, salt=3)
    assert window.horizon_ms == NOW // HOUR * HOUR - 99 * HOUR + 965 * 360_000
    before = window.horizon_ms
    assert remember_older(clickhouse, 1, window, Memory(35, 10_000, 15), NOW)
    assert before - window.horizon_ms < HOUR
    assert window.unsure(key(964), np.array([before])).all()


def test_looked_up_are_the_events_that_are_asked_for(clickhouse: ClickHouse) -> None:
    def ask(numbers: list[int], newest: int = NOW + HOUR) -> list[int]:
        asked = [key(number) for number in numbers]
        keys = joined(asked)
        found = rows_of_persons(clickhouse, keys.person, (keys.event_hi, keys.event_lo), newest)
        assert set(found.event_hi.tolist()) <= {0x7000}
        return sorted(origin_offset(origin) for origin in found.origin.tolist())

    # row 3 is in partition 1; 0 is in both; of 5,000 there is none
    assert ask([3, 0, 5_000]) == [0, 0, 3]
    assert ask([3, 990], newest=NOW - 50 * HOUR) == [3]
    assert ask([*range(1, 1_000)] * 2) == [*range(1, 1_000)]
    others = [replace(key(3), person=key(4).person), replace(key(4), person=key(3).person)]
    assert {*zip(*pairs_of(rows_of(clickhouse, others)), strict=True)}.isdisjoint(
        zip(*pairs_of(joined(others)), strict=True)
    )


def test_ids_that_everybody_has_do_not_come_for_everybody(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who wrote one scan of each id for each person, and asks for one of each."""
    monkeypatch.setattr(lookups, "_FEW_MORE", 3)
    columns = "event_id, person, place, scanned_at, direction, method, appended_at, written_at"
    clickhouse.command(
        f"INSERT INTO scans ({columns}, content_hash, kafka_partition, kafka_offset) "
        "SELECT toUUID(concat('00000000-0000-7000-9000-', leftPad(hex(number % 20), 12, '0'))), "
        "intDiv(number, 20), 3, at, 'in', 'self', at, at, number, 7, number FROM "
        f"(SELECT number, fromUnixTimestamp64Milli({NOW}, 'UTC') AS at FROM numbers(400))"
    )
    try:
        asked = [
            replace(key(n), event_lo=np.array([0x9000 << 48 | n], np.uint64)) for n in range(20)
        ]
        found = rows_of(clickhouse, asked)
        assert sorted(zip(*pairs_of(found), strict=True)) == [
            (0x9000 << 48 | n, n) for n in range(20)
        ]
        assert sorted(origin_offset(o) for o in found.origin.tolist()) == [
            21 * n for n in range(20)
        ]
    finally:
        clickhouse.command(
            "ALTER TABLE scans DELETE WHERE kafka_partition = 7", {"mutations_sync": 2}
        )


def test_a_whole_piece_is_looked_up_in_one_question(clickhouse: ClickHouse) -> None:
    assert PIECE == lookups.IDS_AT_ONCE
    found = rows_of(clickhouse, [key(number) for number in range(990, 990 + PIECE)])
    assert sorted(origin_offset(origin) for origin in found.origin.tolist()) == [*range(990, 1_000)]


def pairs_of(keys: Keys) -> tuple[list[int], list[int]]:
    return keys.event_lo.tolist(), keys.person.tolist()


def rows_of(clickhouse: ClickHouse, asked: list[Keys]) -> Keys:
    keys = joined(asked)
    return rows_of_persons(clickhouse, keys.person, (keys.event_hi, keys.event_lo), NOW + HOUR)


def test_the_scans_before_an_inspection_are_those_of_its_place(clickhouse: ClickHouse) -> None:
    newest = datetime.fromtimestamp((NOW - 99 * HOUR + 360_000 * 999 - 1_200_000) / 1000, UTC)

    def before(at: datetime, place: int = 3, retention_days: int = 0) -> int | None:
        return scans_before(clickhouse, place, at, at, retention_days)

    assert before(newest) == 1_000  # the row of partition 2 has the key of one of partition 1
    assert before(newest - timedelta(minutes=6)) == 999
    assert before(newest, place=4) == 0
    assert before(newest + timedelta(days=9)) == 0
    assert before(newest, retention_days=6) is None
