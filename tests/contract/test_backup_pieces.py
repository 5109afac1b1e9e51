"""Pieces of tables out of the engine and in again, and the deletes of an erasure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.backup.pieces import TABLES, Piece, Sums, plan, remove, rows_in, rows_out
from console.erasure.rows import OfPerson, persons_of_event
from console.rebuild.differences import Row, compare, why
from console.rebuild.unheard import stale, unheard
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


def test_a_rebuilt_scan_is_heard_of_where_its_partition_had_its_id_before_the_end(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.rebuild.unheard._AT_ONCE", 3)
    for database in ("before", "after"):
        clickhouse.command(f"CREATE DATABASE {database}")
        clickhouse.command(f"CREATE TABLE {database}.scans AS scans")

    def scan(database: str, partition: int, offset: int, event: int) -> None:
        clickhouse.command(
            f"INSERT INTO {database}.scans (event_id, person, scanned_at, appended_at, "
            f"kafka_partition, kafka_offset) SELECT toUUID('0193f6d0-7c1f-7000-8000-{event:012x}'), "
            f"{event % 2}, now64(3), now64(3), {partition}, {offset}"
        )

    rows: list[Row] = []
    for offset in range(10):  # refused, sent again and written as 100 and on; rebuilt, the first is
        scan("after", 0, offset, offset)
        scan("before", 0, 100 + offset, offset)
        rows.append((0, offset, "unknown_code", "written"))
        rows.append((0, 100 + offset, "written", "duplicate"))

    def is_new(ends: dict[int, int], *more: Row) -> bool:
        return unheard(clickhouse, "before", "after", ends, [*rows, *more])

    assert not is_new({0: 200, 1: 200})
    assert is_new({0: 109, 1: 200}), "what came after the end is copied as it is: two rows"
    scan("after", 1, 7, 3)
    assert is_new({0: 200, 1: 200}, (1, 7, "absent", "written")), "another partition's window"
    scan("before", 1, 8, 3)
    assert not is_new({0: 200, 1: 200}, (1, 7, "absent", "written"))
    scan("after", 1, 9, 77)
    for was, new in (("revoked_code", True), ("duplicate", False), ("id_reused", False)):
        assert is_new({0: 200, 1: 200}, (1, 9, was, "written")) == new
    assert not unheard(clickhouse, "before", "after", {}, [])
    for database in ("before", "after"):
        clickhouse.command(f"DROP DATABASE {database} SYNC")


def test_what_workers_know_is_stale_where_a_scan_is_refused_now() -> None:
    assert stale([(0, 1, "absent", "written"), (0, 2, "written", "revoked_code")])
    fine = (("written", "duplicate"), ("written", "erased"), ("unknown_code", "revoked_code"))
    assert not stale([(0, 1, was, now) for was, now in fine])
