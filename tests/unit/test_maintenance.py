"""Which weeks the maintenance job merges, and what it asks of ClickHouse."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import main
from schemas.errors import Retryable
from streams.clickhouse import ClickHouse
from streams.maintenance import MERGE_LIMIT_S, Week, merge_closed_weeks

MONDAY = date(2026, 3, 2)  # its Sunday is the 8th


def week(parts: int = 5, rows: int = 1000, largest: int = 300, monday: date = MONDAY) -> Week:
    return Week(monday, f"{monday:%Y%m%d}", parts, rows, largest)


@pytest.mark.parametrize(
    ("day", "closed"), [(5, False), (8, False), (9, False), (10, False), (11, True), (30, True)]
)
def test_a_week_is_closed_when_its_sunday_is_more_than_two_days_past(
    day: int, closed: bool
) -> None:
    assert week().closed(datetime(2026, 3, day, 23, 59, tzinfo=UTC)) is closed


def test_a_clock_of_another_zone_closes_at_the_same_moment() -> None:
    from zoneinfo import ZoneInfo

    moment = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    local = moment.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))  # there it is the 11th
    assert week().closed(moment) == week().closed(local) is False


def test_one_part_is_left_alone_and_a_merged_week_waits_for_some_late_parts() -> None:
    assert not week(parts=1, largest=1000).worth_merging
    assert week(parts=2, largest=600).worth_merging
    assert not week(parts=4, largest=990).worth_merging
    assert week(parts=5, largest=990).worth_merging


class Fake(ClickHouse):
    """Parts by week; an OPTIMIZE makes one of them."""

    def __init__(self, weeks: list[Week], merging: frozenset[str] = frozenset()) -> None:
        self.weeks = {w.partition_id: w for w in weeks}
        self.merging = merging
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.fails = False

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        if "system.merges" in sql:
            return [(int(any(f"'{p}'" in sql for p in self.merging)),)]
        assert "system.parts" in sql
        assert "active" in sql
        found = sorted(self.weeks.values(), key=lambda w: w.monday)
        return [(w.monday, w.partition_id, w.parts, w.rows, w.largest) for w in found]

    def command(self, sql: str, settings: dict[str, Any] | None = None) -> None:
        self.commands.append((sql, settings or {}))
        if self.fails:
            raise Retryable("ClickHouse: away")
        name = sql.split("'")[1]
        old = self.weeks[name]
        self.weeks[name] = Week(old.monday, name, 1, old.rows, old.rows)


def weeks(count: int) -> list[Week]:
    return [week(monday=MONDAY + timedelta(weeks=i)) for i in range(count)]


def test_closed_weeks_are_merged_one_at_a_time_oldest_first() -> None:
    clickhouse = Fake(weeks(4))
    now = datetime(2026, 3, 24, tzinfo=UTC)  # Tuesday of the fourth week
    assert merge_closed_weeks(clickhouse, now) == 2  # the third's Sunday was two days ago
    assert [sql for sql, _ in clickhouse.commands] == [
        "OPTIMIZE TABLE scans PARTITION ID '20260302' FINAL",
        "OPTIMIZE TABLE scans PARTITION ID '20260309' FINAL",
    ]
    for _, settings in clickhouse.commands:
        assert settings["max_execution_time"] == MERGE_LIMIT_S
        # two workers at once: the second must not merge the one part again
        assert settings["optimize_skip_merged_partitions"] == 1
    assert merge_closed_weeks(clickhouse, now) == 0


def test_a_week_that_is_being_merged_is_left_to_whoever_merges_it() -> None:
    clickhouse = Fake(weeks(2), merging=frozenset({"20260302"}))
    assert merge_closed_weeks(clickhouse, datetime(2026, 4, 1, tzinfo=UTC)) == 1
    assert clickhouse.weeks["20260302"].parts == 5


def test_an_engine_that_is_away_is_retryable() -> None:
    clickhouse = Fake(weeks(2))
    clickhouse.fails = True
    with pytest.raises(Retryable):
        merge_closed_weeks(clickhouse, datetime(2026, 4, 1, tzinfo=UTC))
    assert len(clickhouse.commands) == 1


def test_by_command_the_closed_weeks_are_merged_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).date()
    this_week = today - timedelta(days=today.weekday())
    fake = Fake([week(), week(monday=this_week)])
    monkeypatch.setattr("streams.clickhouse.ClickHouse", lambda *_, **__: fake)
    monkeypatch.setattr(fake, "close", lambda: None)
    run = ["--data-dir", str(tmp_path), "--lang", "en", "maintenance"]
    assert main(run) == 0
    shown = capsys.readouterr().out
    assert "to be merged" in shown
    assert "open" in shown
    assert fake.commands == []
    assert main([*run, "--merge", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["merged"] == [str(MONDAY)]
    assert [(w["week"], w["parts"], w["due"]) for w in found["weeks"]] == [
        (str(MONDAY), 1, False), (str(this_week), 5, False),
    ]  # fmt: skip
