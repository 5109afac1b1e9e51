"""The maintenance job on the real tables: which weeks there are, and one merged."""

from pathlib import Path

import pytest

from streams.maintenance import merge_week, weeks_of
from tests.contract.clickhouse_fixtures import migrated_engine


@pytest.mark.parametrize("days", [15, 22])
def test_days_of_late_paper_in_one_batch_are_a_part_a_week(tmp_path: Path, days: int) -> None:
    with migrated_engine(tmp_path) as clickhouse:
        clickhouse.command("SYSTEM STOP MERGES scans")
        clickhouse.command(
            "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, "
            "kafka_partition, kafka_offset) SELECT generateUUIDv4(), number, 1, "
            "toDateTime64('2026-11-02 08:00:00', 3, 'UTC') + toIntervalDay(number % "
            f"{days}), 'in', 'typed', 0, number FROM numbers(3000)"
        )
        weeks = weeks_of(clickhouse)
        assert [week.parts for week in weeks] == [1] * (days // 7 + 1)
        assert sum(week.rows for week in weeks) == 3_000


def test_a_week_is_told_by_its_parts_and_rows_and_merged(tmp_path: Path) -> None:
    with migrated_engine(tmp_path) as clickhouse:
        clickhouse.command("SYSTEM STOP MERGES scans")
        for n, rows in enumerate((5, 30, 7)):
            clickhouse.command(
                "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, "
                "kafka_partition, kafka_offset) SELECT generateUUIDv4(), number, 1, "
                f"toDateTime64('2026-11-03 08:00:00', 3, 'UTC'), 'in', 'self', {n}, number "
                f"FROM numbers({rows})"
            )
        [week] = weeks_of(clickhouse)
        assert (str(week.monday), week.parts, week.rows, week.largest) == ("2026-11-02", 3, 42, 30)
        clickhouse.command("SYSTEM START MERGES scans")
        assert merge_week(clickhouse, week)
        [merged] = weeks_of(clickhouse)
        assert (merged.parts, merged.rows, merged.largest) == (1, 42, 42)
