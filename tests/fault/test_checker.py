"""The checker checked: it goes red for each thing that it says it compares."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from schemas.topics import SCANS
from tests.fault.campaign import TIMING
from tests.fault.checker import PROJECTIONS, Checker
from tests.fault.opencase import CaseScans, OpenCase
from tests.system import System, running_system

WAITING: Final = {"mutations_sync": 1, "lightweight_mutation_projection_mode": "rebuild"}


@contextmanager
def _red(checker: Checker, match: str) -> Iterator[None]:
    yield
    with pytest.raises(AssertionError, match=match):
        checker.check()


def test_the_checker_goes_red_for_whatever_differs(tmp_path: Path) -> None:
    with running_system(tmp_path, **TIMING) as system:
        worker = system.start_worker(**TIMING)
        case = OpenCase(system)
        case.register()
        system.publish(SCANS.name, CaseScans(system, 3, case).make(2_000))
        checker = Checker(system, case)
        checker.wait()
        agreed = checker.check()
        assert agreed.records == sum(agreed.tables.values()) > 2_000
        assert min(agreed.tables[name] for name in ("scans", "rejects", "duplicates")) > 10
        assert agreed.alerts > 10
        assert worker.stop() == 0
        _break_alerts(system, checker, case)
        _break_once(system, checker)
        _break_projections(system, checker)
        _break_tables(system, checker)
        system.publish(SCANS.name, [("k", b"nobody reads this any more")])
        with _red(checker, "commits stop short: partition . is committed to"):
            pass


def _break_alerts(system: System, checker: Checker, case: OpenCase) -> None:
    due = case.due()
    case.due = lambda: due | {"0" * 32}  # type: ignore[method-assign]
    with _red(checker, "1 of .* alerts that are due are not out"):
        pass
    case.due = lambda: set(list(due)[1:])  # type: ignore[method-assign]
    with _red(checker, "1 alerts are out for scans that are in no window"):
        pass
    case.due = lambda: due  # type: ignore[method-assign]


def _break_once(system: System, checker: Checker) -> None:
    """A repeated scan that is taken for a new one, then for another's repeat; mended again."""
    command = system.clickhouse.command
    [(partition, offset, person, event)] = system.clickhouse.rows(
        "SELECT kafka_partition, kafka_offset, person, toString(event_id) FROM duplicates LIMIT 1"
    )
    where = f"kafka_partition = {partition} AND kafka_offset = {offset}"
    columns = "(appended_at, kafka_partition, kafka_offset, person, event_id)"
    repeated = f"now64(3), {partition}, {offset}, {person}"
    with _red(checker, "1 scans are there twice under another offset"):
        command(f"ALTER TABLE duplicates DELETE WHERE {where}", WAITING)
        command(
            "INSERT INTO scans SELECT * REPLACE "
            f"({partition} AS kafka_partition, {offset} AS kafka_offset) FROM scans "
            f"WHERE person = {person} AND event_id = '{event}'"
        )
    with _red(checker, "1 duplicates of a scan that is not there"):
        command(f"ALTER TABLE scans DELETE WHERE {where}", WAITING)
        command(f"INSERT INTO duplicates {columns} VALUES ({repeated}, generateUUIDv4())")
    command(f"ALTER TABLE duplicates DELETE WHERE {where}", WAITING)
    command(f"INSERT INTO duplicates {columns} VALUES ({repeated}, '{event}')")
    checker.check()


def _break_projections(system: System, checker: Checker) -> None:
    """Each of them as if a part had been written without it; mended again."""
    command = system.clickhouse.command
    for name in PROJECTIONS:
        with _red(checker, f"projection {name} has .*, its table"):
            command(f"ALTER TABLE scans CLEAR PROJECTION {name}", WAITING)
        command(f"ALTER TABLE scans MATERIALIZE PROJECTION {name}", WAITING)
    checker.check()


def _break_tables(system: System, checker: Checker) -> None:
    """One record after the other way of going wrong; each change mends the one before."""
    command = system.clickhouse.command
    [(partition, offset)] = system.clickhouse.rows(
        "SELECT kafka_partition, kafka_offset FROM scans ORDER BY kafka_offset DESC LIMIT 1"
    )
    where = f"kafka_partition = {partition} AND kafka_offset = {offset}"
    columns = "(appended_at, kafka_partition, kafka_offset, reason)"
    refused = f"(now64(3), {partition}, {offset}, 'not_json')"
    with _red(checker, "1 missing from the tables"):
        command(f"ALTER TABLE scans DELETE WHERE {where}", WAITING)
    with _red(checker, "1 rejects without a dead letter"):
        command(f"INSERT INTO rejects {columns} VALUES {refused}")
    with _red(checker, "1 rows hold another record's event"):
        command(f"ALTER TABLE rejects DELETE WHERE {where}", WAITING)
        command(
            "INSERT INTO scans SELECT * REPLACE "
            f"({partition} AS kafka_partition, {offset} AS kafka_offset) FROM scans LIMIT 1"
        )
    with _red(checker, "1 twice in the tables"):
        command(f"INSERT INTO rejects {columns} VALUES {refused}")
    with _red(checker, "1 in the tables and not in the topic"):
        command(f"ALTER TABLE rejects DELETE WHERE {where}", WAITING)
        command(f"INSERT INTO expired SELECT now64(3), {partition}, 999999999")
