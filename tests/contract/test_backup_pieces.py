"""Pieces of tables out of the engine and in again, and the deletes of an erasure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.backup.pieces import TABLES, Piece, Sums, plan, remove, rows_in, rows_out
from console.erasure.rows import OfPerson, persons_of_event
from console.rebuild.differences import compare, why
from schemas.ids import person_text
from streams.clickhouse import ClickHouse
from streams.convert import OUTCOMES
from streams.erasures import hash_text
from tests.contract.clickhouse_fixtures import migrated_engine

NOW = datetime.now(UTC)
CUT = {0: 500, 1: 500}
WHO = 7_000_000_007


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Two partitions of 600 offsets over some weeks; a run, and totals that were written twice."""
    with migrated_engine(tmp_path_factory.mktemp("pieces")) as made:
        for partition in (0, 1):
            made.command(
                "INSERT INTO scans SELECT generateUUIDv4(), "
                f"if(number % 50 = 0, {WHO}, 1000 + number), number % 40, "
                "now64(3) - toIntervalHour(number), 'in', 'self', 'sim', 'd', 1, 0, '', '', "
                "if(number % 2, NULL, now64(3)), now64(3), now64(3), number, "
                f"{partition}, number FROM numbers(600)"
            )
        made.command(
            "INSERT INTO trace_runs (case_id, run, case_version, attempt, status, rule_set, "
            "parameters, window_from, window_to, offsets_seen, contacts, summary, traced_at, cause, "
            "stored_at) SELECT toString(number), 1, 1, generateUUIDv4(), 'x', 'y', '{}', now(), "
            "now(), map(0, 5), 1, '{}', now(), 'case/1', now() - 3600 FROM numbers(20)"
        )
        made.command(
            "INSERT INTO trace_contacts SELECT case_id, 1, attempt, 1, 9, 't', 1, '{}' "
            "FROM trace_runs"
        )
        for records in (5, 6):
            made.command(
                "INSERT INTO daily_totals SELECT toDate('2026-01-01'), 0, 'written', '', "
                f"{records}, now64(3) + {records}"
            )
        yield made


def test_every_piece_comes_back_whole_also_where_half_of_it_is_there(
    clickhouse: ClickHouse,
) -> None:
    sums = Sums(clickhouse)
    seen = set()
    for kept in TABLES:
        small = type(kept)(kept.name, kept.key, 250, kept.logged, kept.until)
        pieces = plan(clickhouse, small, CUT, NOW)
        for piece in pieces:
            seen.add(piece.table)
            before = sums.of(piece)
            assert before[0] == piece.rows or piece.table == "daily_totals"
            body = b"".join(rows_out(clickhouse, piece))
            rows_in(clickhouse, piece, iter([body]))  # a try that was not known to have worked
            remove(clickhouse, piece)
            assert sums.of(piece)[0] == 0
            rows_in(clickhouse, piece, iter([body]))
            assert sums.of(piece) == before
        if kept.name == "scans":
            weeks = {piece.partition for piece in pieces}
            assert len(weeks) < len(pieces), "a week in several pieces"
    assert seen == {"scans", "trace_runs", "trace_contacts", "daily_totals"}
    [(rows,)] = clickhouse.rows("SELECT count() FROM scans")
    assert rows == 1_200, "what lies past the cut was left alone"
    assert sum(p.rows for p in plan(clickhouse, TABLES[2], CUT, NOW)) == 1_000


def test_a_sum_tells_one_changed_value(clickhouse: ClickHouse) -> None:
    sums = Sums(clickhouse)
    piece = Piece("trace_runs", "all", "1")
    before = sums.of(piece)
    clickhouse.command(
        "ALTER TABLE trace_runs UPDATE offsets_seen = map(0, 6) WHERE case_id = '3' "
        "SETTINGS mutations_sync = 2"
    )
    assert sums.of(piece)[0] == before[0]
    assert sums.of(piece) != before


def test_the_hash_of_the_list_is_the_engine_s_siphash(clickhouse: ClickHouse) -> None:
    [(found,)] = clickhouse.rows(
        f"SELECT sipHash64Keyed((toUInt64(11), toUInt64(12)), toUInt64({WHO}))"
    )
    assert hash_text(WHO, (11, 12)) == f"{found:016x}"


def test_compared_offset_by_offset_and_erased_from_both_projections(
    clickhouse: ClickHouse,
) -> None:
    clickhouse.command("CREATE DATABASE beside")
    for table in OUTCOMES:
        clickhouse.command(f"CREATE TABLE beside.{table} AS {table}")
        clickhouse.command(f"INSERT INTO beside.{table} SELECT * FROM {table}")
    assert compare(clickhouse, "default", "beside", CUT).counted == {}
    of_person = OfPerson(clickhouse, person_text(WHO), NOW + timedelta(minutes=5))
    [(event,)] = clickhouse.rows(
        f"SELECT toString(event_id) FROM scans WHERE person = {WHO} LIMIT 1"
    )
    assert persons_of_event(clickhouse, event) == [WHO]
    pending = of_person.records()
    assert of_person.delete(pending)["scans"] == 24
    assert of_person.delete(pending)["scans"] == 24  # safe again
    [(erased, offsets)] = clickhouse.rows("SELECT count(), uniqExact(kafka_offset) FROM erased")
    assert (erased, offsets) == (24, 12)
    for where in (f"person = {WHO}", "kafka_partition = 0 AND kafka_offset = 50"):
        assert clickhouse.rows(f"SELECT count() FROM scans WHERE {where}") == [(0,)]
    found = compare(clickhouse, "default", "beside", CUT)
    assert found.counted == {("erased", "written"): 20}
    assert found.unexplained == 20, "erased persons may not come back"
    assert compare(clickhouse, "beside", "default", CUT).unexplained == 0
    clickhouse.command("DROP DATABASE beside SYNC")


@pytest.mark.parametrize(
    ("was", "now", "explained"),
    [
        ("unknown_code", "written", True),
        ("written", "revoked_code", True),
        ("written", "duplicate", True),
        ("id_reused", "written", True),
        ("absent", "written", True),
        ("written", "expired", True),
        ("written", "erased", True),
        ("erased", "written", False),
        ("erased", "duplicate", False),
        ("erased", "unknown_code", False),
        ("written", "absent", False),
        ("duplicate", "absent", False),
        ("written", "written", False),
        ("written", "not_json", False),
    ],
)
def test_which_differences_have_a_reason(was: str, now: str, explained: bool) -> None:
    assert (why(was, now) is not None) is explained
