"""What of several partitions' offsets is in the tables, asked of the engine in one question."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from schemas.errors import Retryable
from schemas.reasons import Reason
from schemas.settings import load_settings
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.present import (
    attempt_mark,
    end_attempts,
    fingerprint,
    present_fingerprints,
    present_offsets,
    present_rows,
)
from streams.standing import standing
from tests.contract.clickhouse_fixtures import migrated_engine
from tests.system import wait_for


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Offsets 0 to 299,999 of three partitions: most are scans, every seventh was refused."""
    with migrated_engine(tmp_path_factory.mktemp("present")) as made:
        for partition in range(3):
            made.command(
                "INSERT INTO scans (event_id, person, scanned_at, appended_at, kafka_partition, "
                "kafka_offset) SELECT generateUUIDv4(), number, toDateTime64('2026-09-21', 3, "
                f"'UTC'), toDateTime64('2026-09-21', 3, 'UTC'), {partition}, number "
                "FROM numbers(300000) WHERE number % 7 > 0"
            )
            made.command(
                "INSERT INTO rejects (appended_at, kafka_partition, kafka_offset) SELECT "
                f"toDateTime64('2026-09-21', 3, 'UTC'), {partition}, number FROM numbers(300000) "
                "WHERE number % 7 = 0"
            )
        yield made


def of(first: int, last: int) -> tuple[int, int]:
    return fingerprint(np.arange(first, last + 1, dtype=np.uint64))


def test_each_partition_has_its_own_range(clickhouse: ClickHouse) -> None:
    spans = [(0, 0, 99), (1, 1_000, 250_000), (2, 299_990, 300_010), (3, 0, 10)]
    assert present_fingerprints(clickhouse, spans) == {
        0: of(0, 99),
        1: of(1_000, 250_000),
        2: of(299_990, 299_999),
    }


def test_one_that_is_missing_or_there_twice_is_told_from_whole(clickhouse: ClickHouse) -> None:
    clickhouse.command(
        "INSERT INTO duplicates (appended_at, kafka_partition, kafka_offset) VALUES "
        "(toDateTime64('2026-09-21', 3, 'UTC'), 4, 5), (toDateTime64('2026-09-21', 3, 'UTC'), 4, 7)"
    )
    assert present_fingerprints(clickhouse, [(4, 5, 7)])[4] != of(5, 7)
    clickhouse.command(
        "INSERT INTO expired (noted_at, kafka_partition, kafka_offset) VALUES (now64(3), 4, 6)"
    )
    assert present_fingerprints(clickhouse, [(4, 5, 7)])[4] == of(5, 7)
    clickhouse.command(
        "INSERT INTO expired (noted_at, kafka_partition, kafka_offset) VALUES (now64(3), 4, 6)"
    )
    assert present_fingerprints(clickhouse, [(4, 5, 7)])[4] != of(5, 7)


def test_only_what_lies_around_the_ranges_is_read(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the order of offsets, in whatever table: a few granules of 8,192 rows."""
    asked: list[str] = []
    rows = clickhouse.query_rows

    def noted(sql: str, *more: dict[str, Any]) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return rows(sql, *more)

    monkeypatch.setattr(clickhouse, "query_rows", noted)
    spans = [(partition, 150_000, 150_100) for partition in range(3)]
    found = present_fingerprints(clickhouse, spans)
    assert found == dict.fromkeys(range(3), of(150_000, 150_100))
    few = {"max_rows_to_read": 2 * 3 * 2 * 8_192}  # two tables, three ranges, at most two each
    assert len(rows(asked[0], {}, few)) == 3
    with pytest.raises(Retryable, match="TOO_MANY_ROWS"):
        rows(asked[0], {}, {"max_rows_to_read": 1_000})


def test_what_is_present_is_read_with_its_table_in_the_order_of_offsets(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = clickhouse.query_arrow
    few = {"max_rows_to_read": 299_999 - 150_000 + 2 * 2 * 8_192}  # two tables, both ends

    def strictly(sql: str, parameters: dict[str, Any]) -> Any:
        return asked(sql, parameters, few)

    monkeypatch.setattr(clickhouse, "query_arrow", strictly)
    found = present_rows(clickhouse, 1, 150_000)
    assert found.offsets.tolist() == list(range(150_000, 300_000))
    refused = found.offsets[found.table == OUTCOMES.index("rejects")]
    assert refused.tolist() == [o for o in range(150_000, 300_000) if o % 7 == 0]
    assert set(found.table.tolist()) == {OUTCOMES.index("scans"), OUTCOMES.index("rejects")}
    assert present_offsets(clickhouse, 1, 299_990, 299_995).tolist() == [*range(299_990, 299_996)]
    assert len(present_rows(clickhouse, 3, 0)) == 0


def test_why_something_was_refused_is_read_for_a_piece_at_a_time(clickhouse: ClickHouse) -> None:
    clickhouse.command(
        "INSERT INTO rejects (appended_at, reason, detail, kafka_partition, kafka_offset) SELECT "
        "toDateTime64('2026-09-21', 3, 'UTC'), ['too_old', 'not_json'][number % 2 + 1], "
        "concat('detail ', toString(number % 3)), 9, number FROM numbers(100)"
    )
    known = present_rows(clickhouse, 9, 10)
    found = standing(clickhouse, 9, known, 20, 23)
    assert found.present.offsets.tolist() == found.refused.tolist() == [20, 21, 22, 23]
    assert found.whys == (
        (Reason.TOO_OLD, "detail 2"),
        (Reason.NOT_JSON, "detail 0"),
        (Reason.TOO_OLD, "detail 1"),
        (Reason.NOT_JSON, "detail 2"),
    )


def test_a_projection_is_named_where_the_server_can_be_asked_so(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    def named(version: str, cluster: str = "") -> str:
        settings = load_settings(tmp_path).model_copy(update={"clickhouse_cluster": cluster})
        asked = ClickHouse(settings)
        asked._made = SimpleNamespace(server_version=version)
        return asked.projection("scans", "by_offset")

    assert clickhouse.projection("scans", "by_offset") == named("26.1.2.3") != "scans"
    assert named("25.12.9.61") == named("26.1.2.3", "city") == "scans"
    [(there,)] = clickhouse.rows("SELECT count() FROM scans")
    read = clickhouse.projection("scans", "by_offset")
    assert clickhouse.rows(f"SELECT count() FROM {read}") == [(there,)]


def test_an_attempt_is_ended_by_the_mark_of_any_of_its_partitions(clickhouse: ClickHouse) -> None:
    """And not by that of another partition whose number begins alike."""
    comment = "".join(f"{attempt_mark('scans.v1', p)}run/0-9/" for p in (0, 11, 2))
    ended: list[str] = []

    def sleep() -> None:
        try:
            clickhouse.query_rows(
                "SELECT count() FROM numbers(600) WHERE NOT ignore(sleepEachRow(0.1))",
                {}, {"log_comment": comment, "max_block_size": 1},
            )  # fmt: skip
            ended.append("by itself")
        except Retryable as error:
            ended.append(str(error))

    def running() -> int:
        [(found,)] = clickhouse.rows(
            "SELECT count() FROM system.processes "
            f"WHERE startsWith(Settings['log_comment'], '{comment[:20]}')"
        )
        return int(found)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    wait_for(lambda: running() == 1, 10, "the query to run")
    end_attempts(clickhouse, attempt_mark("scans.v1", 1))
    assert running() == 1
    end_attempts(clickhouse, attempt_mark("scans.v1", 11))
    assert running() == 0
    sleeper.join(10)
    assert len(ended) == 1
    assert ended[0] != "by itself"
