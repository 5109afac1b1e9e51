"""A case's runs as they are stored: the second compared with the first, and a voided case."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.cases import Case, CaseStatus
from schemas.ids import person_text
from schemas.places import Place
from streams.clickhouse import ClickHouse
from streams.directory import Directory
from streams.tracing import Tracing
from tests.console_kit import RING
from tests.contract.clickhouse_fixtures import migrated_engine
from tracer.parameters import load_parameters
from tracer.ruleset import load_rule_sets

DAY = datetime(2026, 3, 5, tzinfo=UTC)
NOW = DAY + timedelta(days=2)
CASE, ALICE, BOB = 100, 200, 300
ROOM = 7


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with migrated_engine(tmp_path_factory.mktemp("versions")) as made:
        yield made


@pytest.fixture(scope="module")
def tracing(clickhouse: ClickHouse) -> Tracing:
    directory = Directory(RING)
    place = Place(
        id=ROOM, site=1, name="n", kind="meeting_room", ward="w", sector="s",
        enclosed=True, small=True, gate=False,
    )  # fmt: skip
    directory.put_site_record(f"place/{ROOM}", place.model_dump_json().encode())
    return Tracing(clickhouse, directory, load_rule_sets(), load_parameters(), 0)


class Scans:
    """Rows of `scans`, each with the next offset."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._offset = 0

    def visit(self, person: int, begin: int, end: int) -> None:
        """In and out, minutes after `DAY`."""
        for direction, minute in (("in", begin), ("out", end)):
            at = int((DAY + timedelta(minutes=minute)).timestamp() * 1000)
            self._clickhouse.command(
                "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, "
                "producer, device, code_version, companions, trip, seat, appended_at, "
                "written_at, content_hash, kafka_partition, kafka_offset) WITH "
                f"fromUnixTimestamp64Milli({at}, 'UTC') AS at SELECT generateUUIDv4(), {person}, "
                f"{ROOM}, at, '{direction}', 'self', 'sim', 'p', 1, 0, '', '', at, at, 0, 0, "
                f"{self._offset}"
            )
            self._offset += 1


def case(version: int, **more: object) -> Case:
    values = {
        "id": "c-1", "version": version, "status": CaseStatus.CONFIRMED,
        "person": person_text(CASE), "onset": date(2026, 3, 6), "ward": "w",
        "registered_at": NOW, "registered_by": "key/1",
    }  # fmt: skip
    return Case.model_validate(values | more)


def test_each_run_is_compared_with_the_one_before(clickhouse: ClickHouse, tracing: Tracing) -> None:
    scans = Scans(clickhouse)
    scans.visit(CASE, 0, 60)
    scans.visit(ALICE, 10, 40)
    first = tracing.run(case(1), NOW)
    assert [(c.person, c.kind, c.reasons) for c in first.changes] == [
        (person_text(ALICE), "added", ())
    ]
    scans.visit(BOB, 20, 50)
    second = tracing.run(case(2, isolated_at=NOW - timedelta(hours=1)), NOW)
    assert [(c.person, c.kind, c.reasons) for c in second.changes] == [
        (person_text(BOB), "added", ("late_scan",))
    ]
    # read again after a worker's death: the stored run, the same difference
    again = tracing.run(case(2, isolated_at=NOW - timedelta(hours=1)), NOW + timedelta(hours=1))
    assert again.changes == second.changes
    assert again.summary == second.summary

    third = tracing.run(case(3, onset=date(2026, 3, 9)), NOW)
    assert {(c.person, c.kind, c.reasons) for c in third.changes} == {
        (person_text(ALICE), "withdrawn", ("window",)),
        (person_text(BOB), "withdrawn", ("window",)),
    }
    fourth = tracing.run(case(4), NOW)
    assert {c.kind for c in fourth.changes} == {"added"}
    gone = tracing.withdrawn(case(5, status=CaseStatus.VOIDED))
    assert {(c.person, c.kind, c.reasons) for c in gone} == {
        (person_text(ALICE), "withdrawn", ("case_voided",)),
        (person_text(BOB), "withdrawn", ("case_voided",)),
    }


def test_a_case_that_was_never_traced_withdraws_nobody(tracing: Tracing) -> None:
    assert tracing.withdrawn(case(2, id="c-2", status=CaseStatus.VOIDED)) == []
