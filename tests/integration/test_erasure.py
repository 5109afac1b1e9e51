"""Erasing a person on the real system: found nowhere any more, and never back."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.accounting.log import asked
from console.accounting.reading import read_counts
from console.accounting.replay import selected
from console.erasure.desk import Desk
from console.relay import publish_once
from console.store.engine import Store, open_store
from console.store.erasures import Asked, State
from console.store.migrations.run import upgrade
from schemas.cases import Case, CaseStatus
from schemas.errors import Retryable
from schemas.ids import person_bits
from schemas.topics import ALERTS, CASES, SCANS
from streams.convert import OUTCOMES
from streams.totals import write_daily_totals
from tests.fault.opencase import scan
from tests.system import ScanMaker, System, running_system, wait_for

CASE, ALICE, BOB = "5VHQ8XJ1N3WZ7", "7ZK3M9QX2B4CD", "9C4T6RE0YMKPA"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
ENDED, OPEN = "C-2026-000001", "C-2026-000002"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(Path(tmp_path_factory.mktemp("erasure"))) as made:
        upgrade(made.settings)
        yield made


def meet(system: System, person: str, place: int, hours: int) -> None:
    token, begin = system.places[place].codes[-1].token, START + timedelta(hours=hours)
    moments = [(begin, "in"), (begin + timedelta(minutes=40), "out")]
    system.publish(SCANS.name, [(person, scan(person, token, at, way)) for at, way in moments])


def publish_case(system: System, case_id: str, version: int, status: str, patient: str) -> None:
    case = Case(
        id=case_id, version=version, status=CaseStatus(status), person=patient, onset=START.date(),
        ward="11413", registered_at=START + timedelta(hours=29), registered_by="test",
    )  # fmt: skip
    system.publish(CASES.name, [(case.id, case.model_dump_json().encode())])


def completed(system: System, case_id: str) -> bool:
    found = [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]
    return any(a["kind"] == "run_completed" and a["case"] == case_id for a in found)


def everywhere(system: System, person: str) -> dict[str, int]:
    """Rows of any table of ClickHouse that have the person, as number or as text."""
    found = {}
    tables = system.clickhouse.rows("SELECT name FROM system.tables WHERE database = 'default'")
    for (table,) in tables:
        columns = system.clickhouse.rows(
            "SELECT name, type FROM system.columns WHERE database = 'default' "
            f"AND table = '{table}'"
        )
        tests = [f"position(toString({name}), '{person}') > 0" for name, _ in columns]
        tests += [f"{name} = {person_bits(person)}" for name, kind in columns if kind == "UInt64"]
        [(count,)] = system.clickhouse.rows(
            f"SELECT count() FROM {table} WHERE {' OR '.join(tests)}"
        )
        if count:
            found[table] = count
    return found


def erase(system: System, store: Store, person: str) -> Asked:
    desk = Desk(system.settings, store, system.clickhouse)
    made = desk.ask(person, "đơn", "test")
    asked(system.settings, lambda: publish_once(store, system.settings))
    time.sleep(1.2)
    return desk.work(made.id)


@pytest.mark.timeout(400)
def test_a_person_is_found_nowhere_and_never_comes_back(system: System) -> None:
    store = open_store(system.settings)
    worker = system.start_worker()
    system.publish(SCANS.name, ScanMaker(system, 3).make(3_000))
    for person in (CASE, ALICE):
        meet(system, person, 0, 0)
    for person in (BOB, ALICE):
        meet(system, person, 1, 2)
    token = system.places[2].codes[-1].token
    repeated = scan(ALICE, token, START + timedelta(hours=5), "in")
    broken = b'{"person": "%s", "phone"' % ALICE.encode()
    old = scan(ALICE, token, START - timedelta(days=60), "in")
    system.publish(SCANS.name, [(ALICE, repeated), (ALICE, repeated), ("x", broken), (ALICE, old)])
    system.drain()
    publish_case(system, ENDED, 1, "confirmed", CASE)
    publish_case(system, OPEN, 1, "confirmed", BOB)
    wait_for(lambda: completed(system, ENDED) and completed(system, OPEN), 40, "both runs")
    publish_case(system, ENDED, 2, "closed", CASE)
    # days that are totalled already
    write_daily_totals(system.clickhouse, 1)
    before = read_counts(system.settings)
    assert set(everywhere(system, ALICE)) == {
        "scans", "rejects", "duplicates", "trace_contacts",
    }  # fmt: skip

    done = erase(system, store, ALICE)
    assert done.state is State.WAITING
    assert done.kept_for == (OPEN,)
    assert done.removed["scans"] == 5
    assert done.removed["rejects"] == 2
    assert done.removed["duplicates"] == 1
    assert everywhere(system, ALICE) == {"trace_contacts": 1}
    after = read_counts(system.settings)
    assert (after.produced, after.missing, after.erased) == (before.produced, 0, 8)
    assert after.written == before.written - 5
    assert after.duplicates == before.duplicates - 1
    assert after.rejected == before.rejected - 2

    # what she reports from now on is written; what is of before, however it comes, is not
    fresh = scan(ALICE, token, datetime.now(UTC), "in")
    system.publish(SCANS.name, [(ALICE, repeated), (ALICE, fresh)])
    system.drain()
    again = read_counts(system.settings)
    assert (again.missing, again.erased, again.written) == (0, 9, after.written + 1)
    # replays leave her letters out
    chosen, _ = asked(system.settings, lambda: selected(system.settings, None))
    assert chosen == before.rejected - 2
    # a worker that reads everything again
    worker.stop()
    for table in OUTCOMES:
        system.clickhouse.command(f"TRUNCATE TABLE {table}")
    system.start_worker(worker_group="again")
    wait_for(lambda: _rows(system) == again.produced, 60, "everything to be read again")
    assert everywhere(system, ALICE) == {"trace_contacts": 1, "scans": 1}
    assert len(system.offsets("erased")) == 9

    # the open case ends
    publish_case(system, OPEN, 2, "closed", BOB)
    desk = Desk(system.settings, store, system.clickhouse)
    last = desk.work(done.id)
    assert (last.state, last.kept_for, last.person) == (State.DONE, (), None)
    assert everywhere(system, ALICE) == {"scans": 1}
    store.close()


def _rows(system: System) -> int:
    return sum(len(found) for found in system.all_offsets().values())


def test_a_stop_in_between_is_gone_over_again(system: System) -> None:
    """After the delete and before the entry: the note says what is to be accounted for."""
    store = open_store(system.settings)
    meet(system, BOB, 3, 6)
    wait_for(lambda: read_counts(system.settings.model_copy(update=AGAIN)).in_flight == 0, 40, "it")
    settings = system.settings.model_copy(update=AGAIN)
    desk = Desk(settings, store, system.clickhouse)
    made = desk.ask(BOB, "đơn", "test")
    with pytest.raises(Retryable, match="not published"):
        desk.work(made.id)  # else a rebuild could bring back what is gone
    asked(settings, lambda: publish_once(store, settings))
    time.sleep(1.2)
    real = system.clickhouse.command
    seen: list[str] = []

    def stops(sql: str, settings: dict[str, Any] | None = None) -> Any:
        seen.append(sql)
        if sql.startswith("INSERT INTO erased"):
            raise KeyboardInterrupt
        return real(sql, settings)

    system.clickhouse.command = stops  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        desk.work(made.id)
    system.clickhouse.command = real  # type: ignore[method-assign]
    assert read_counts(settings).missing > 0
    assert not any(str(person_bits(BOB)) in sql for sql in seen), "no statement names the person"
    done = desk.work(made.id)
    assert done.state is State.DONE
    assert read_counts(settings).missing == 0
    assert everywhere(system, BOB) == {}
    store.close()


AGAIN = {"worker_group": "again"}
