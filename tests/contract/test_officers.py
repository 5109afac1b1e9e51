"""An officer's questions on the real tables: who is behind, who caught up, how many of the staff."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.coverage.funnel import Asked, By, Reached
from console.coverage.stages import Stage, Within
from console.reminders.looking import behind_still, ended, look
from console.reminders.texts import Channel, Reason
from console.reports.days import two_days
from console.staff.day import STAFF_ENTRANCE, staff_day
from console.store.engine import Store
from console.store.headcounts import declare
from console.store.register import NewPlace, NewSite, register_sites
from console.store.reminder_ends import Ended, Item
from schemas.clock import LOCAL, local_midnight
from schemas.errors import UserError
from streams.clickhouse import ClickHouse
from tests.console_kit import RING, WARD, migrated
from tests.contract.clickhouse_fixtures import migrated_engine

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.astimezone(LOCAL).date()
DAYS = Within(7, 90)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with migrated_engine(tmp_path_factory.mktemp("tables")) as clickhouse:
        yield clickhouse


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    _, made = migrated(tmp_path)
    yield made
    made.close()


def scans(clickhouse: ClickHouse, rows: list[tuple[int, int, datetime]]) -> None:
    values = ", ".join(
        f"(generateUUIDv4(), {person}, {place}, fromUnixTimestamp64Milli("
        f"{int(at.timestamp() * 1000)}, 'UTC'), 'in', 'self', 'p', 'd', 1, 0, '', '', now64(3), "
        f"now64(3), 0, 0, {n})"
        for n, (person, place, at) in enumerate(rows)
    )
    clickhouse.command(
        "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "
        "device, code_version, companions, trip, seat, appended_at, written_at, content_hash, "
        f"kafka_partition, kafka_offset) VALUES {values}"
    )


def a_round(clickhouse: ClickHouse, at: datetime, rows: list[tuple[int, bool, bool, int]]) -> None:
    """(place, code, posted, last scan in seconds), each a site of its own with the same number."""
    moment = f"fromUnixTimestamp64Milli({int(at.timestamp() * 1000)}, 'UTC')"
    since = int((at - timedelta(days=30)).timestamp())
    values = ", ".join(
        f"({moment}, '{WARD}', 'shop', 'industry_trade', {place}, {place}, true, {code}, false, "
        f"true, {posted}, {since}, 0, false, {last}, 0)"
        for place, code, posted, last in rows
    )
    clickhouse.command(f"INSERT INTO coverage VALUES {values}")
    clickhouse.command(f"INSERT INTO coverage_rounds VALUES ({moment}, {len(rows)}, 1.0)")


def test_who_is_behind_and_who_has_caught_up_since(tables: ClickHouse, store: Store) -> None:
    told = NOW - timedelta(days=2)
    scanned = int((NOW - timedelta(hours=5)).timestamp())
    # 1 is behind; 2 has posted; 3 was scanned, so it hangs; 4 lost its code; 5 is closed
    before = [(n, True, False, 0) for n in (1, 2, 3, 4, 5)]
    a_round(tables, told - timedelta(minutes=1), before)
    asked = Asked(f"ward/{WARD}")
    seen = look(store, tables, asked, Reason.POSTED, DAYS, NOW)
    assert [one.subject for one in seen.lagging] == [f"place/{n}" for n in (1, 2, 3, 4, 5)]
    assert seen.lagging[0].owner == "site/1"
    items = [
        Item(1, one.subject, Reason.POSTED, Channel.ZALO, "zalo", "vi", told)
        for one in seen.lagging
    ]
    assert ended(store, tables, items, DAYS, NOW) == [], "the round is older than the reminder"
    after = [
        (1, True, False, 0),
        (2, True, True, 0),
        (3, True, False, scanned),
        (4, False, False, 0),
    ]
    a_round(tables, NOW, after)
    ends = ended(store, tables, items, DAYS, NOW)
    assert {e.item.subject: e.how for e in ends} == {
        "place/2": Ended.REACHED,
        "place/3": Ended.REACHED,
        "place/5": Ended.CLOSED,
    }
    subjects = [item.subject for item in items]
    assert behind_still(store, tables, Reason.POSTED, subjects, DAYS) == {"place/1", "place/4"}


def test_the_first_scan_since_a_place_was_told_is_its_own(tables: ClickHouse, store: Store) -> None:
    told = {11: NOW - timedelta(days=10), 12: NOW - timedelta(days=2)}
    first = {11: told[11] + timedelta(days=1), 12: told[12] + timedelta(hours=3)}
    earlier = (1, 12, told[12] - timedelta(days=8))  # after 11 was told, before 12 was
    later = [(1, place, at + timedelta(hours=1)) for place, at in first.items()]
    scans(tables, [*((1, place, at) for place, at in first.items()), *later, earlier])
    a_round(
        tables, NOW + timedelta(seconds=1), [(p, True, True, int(NOW.timestamp())) for p in told]
    )
    items = [
        Item(1, f"place/{p}", Reason.SCANNED, Channel.ZALO, "zalo", "vi", at)
        for p, at in told.items()
    ]
    ends = ended(store, tables, items, DAYS, NOW + timedelta(seconds=2))
    assert {e.item.subject: e.at for e in ends} == {f"place/{p}": at for p, at in first.items()}


def test_staff_are_those_who_scanned_at_the_staff_entrance_that_day(
    tables: ClickHouse, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = tuple(NewPlace(f"Cửa {n}", STAFF_ENTRANCE, f"d{n}", gate=True) for n in (1, 2))
    room = NewPlace("Phòng", "meeting_room", "r")
    sites = [NewSite("UBND", "office", WARD, "home_affairs", "u", places=(*doors, room))]
    one, two, other = (place.id for place in register_sites(store, RING, sites, source="t"))
    day = TODAY - timedelta(days=2)
    monkeypatch.setattr("console.store.headcounts.utc_now", lambda: NOW - timedelta(days=5))
    declare(store, 1, 40, by="key/1")
    begin, end = local_midnight(day), local_midnight(day + timedelta(days=1))
    rows = [(100 + n, one, begin + timedelta(minutes=n)) for n in range(20)]
    rows += [(100 + n, two, begin + timedelta(hours=9, minutes=n)) for n in range(25)]
    rows += [(500 + n, other, begin + timedelta(hours=1)) for n in range(30)]  # visitors
    rows += [(600 + n, one, begin - timedelta(milliseconds=1)) for n in range(30)]
    rows += [(700 + n, one, end) for n in range(30)]
    scans(tables, rows)
    found = staff_day(store, tables, day, f"ward/{WARD}", None, retention_days=21, now=NOW)
    [group] = found.groups
    assert (group.declared, group.counted) == (40, 25), "people, not scans; the day's own"


def test_a_day_and_the_day_before_as_they_last_stood(tables: ClickHouse) -> None:
    yesterday = TODAY - timedelta(days=1)
    seven = "[{0}, {0}, {0}, {0}, {0}, {0}, {0}]"
    values = ", ".join(
        f"('{day}', '{ward}', '{kind}', 'health', fromUnixTimestamp64Milli({ms}, 'UTC'), {required}, "
        f"{seven.format(required - 1)}, {seven.format(required)}, {seven.format(3 * required)}, 5)"
        for day, ward, kind, ms, required in (
            (TODAY, WARD, "shop", 1_000, 90),  # an earlier round of the day
            (TODAY, WARD, "shop", 2_000, 10),
            (TODAY, WARD, "market", 2_000, 4),
            (TODAY, "11416", "shop", 2_000, 100),
            (yesterday, WARD, "shop", 500, 9),
        )
    )
    tables.command(f"INSERT INTO coverage_days VALUES {values}")
    whole = two_days(tables, Asked(f"ward/{WARD}"), TODAY, None)
    assert (whole.lines[""].required, whole.before[""].required) == (14, 9)
    assert whole.lines[""].stages[Stage.POSTED] == Reached(14, 12, 42)
    assert whole.at == datetime.fromtimestamp(2, UTC)
    kinds = two_days(tables, Asked(f"ward/{WARD}"), TODAY, By.KIND)
    assert {key: line.required for key, line in kinds.lines.items()} == {"shop": 10, "market": 4}
    with pytest.raises(UserError):
        two_days(tables, Asked("ward/11419"), TODAY, None)
