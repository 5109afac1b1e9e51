"""Which weeks retention takes whole, and what the report says of it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from streams.clickhouse import ClickHouse
from streams.retention import drop_past_weeks, past_weeks

MONDAY = date(2026, 3, 2)


class Weeks(ClickHouse):
    """One week of scans, and what was asked."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        assert "erased" in sql
        return [("scans", MONDAY, "20260302", 7)]

    def command(self, sql: str, settings: dict[str, Any] | None = None) -> Any:
        self.commands.append(sql)


# the week's last moment is 9 March 00:00; 21 days and the margin of 8 after it is 7 April
@pytest.mark.parametrize(("now", "past"), [((2026, 4, 7), False), ((2026, 4, 8), True)])
def test_a_week_goes_when_its_last_moment_is_past(now: tuple[int, int, int], past: bool) -> None:
    tables = Weeks()
    moment = datetime(*now, 12, tzinfo=UTC)
    assert bool(past_weeks(tables, 21, moment)) is past
    assert len(drop_past_weeks(tables, 21, moment)) == past
    assert tables.commands == ["ALTER TABLE scans DROP PARTITION ID '20260302'"] * past


def test_without_retention_nothing_goes() -> None:
    tables = Weeks()
    assert drop_past_weeks(tables, 0, datetime(2036, 1, 1, tzinfo=UTC)) == []
    assert tables.commands == []
