"""A hundred cases registered in one second: all traced, in turn, each told once."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from schemas.cases import Case
from schemas.topics import ALERTS, CASES, SCANS
from tests.fault.opencase import scan
from tests.integration.test_late_scans import FIRST, at
from tests.system import System, running_system, wait_for

CASES_AT_ONCE = 100
OTHERS = 40


def _person(kind: str, number: int) -> str:
    return f"00000000{kind}{number:04}"


def _alerts(system: System) -> list[dict[str, Any]]:
    return [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]


def test_a_hundred_cases_in_one_second(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        system.start_worker()
        records = []
        for n in range(CASES_AT_ONCE):
            token = system.places[n % len(system.places)].codes[-1].token
            for person, begin, end in (
                (_person("C", n), 0, 90),
                *((_person("A", (n * 7 + k) % 500), k, k + 30) for k in range(OTHERS)),
            ):
                records += [
                    (person, scan(person, token, at(begin + n), "in")),
                    (person, scan(person, token, at(end + n), "out")),
                ]
        system.publish(SCANS.name, records)
        system.drain()
        cases = [
            Case.model_validate(FIRST | {"id": f"C-2026-{n:06}", "person": _person("C", n)})
            for n in range(CASES_AT_ONCE)
        ]
        began = time.monotonic()
        system.publish(CASES.name, [(c.id, c.model_dump_json().encode()) for c in cases])

        def done() -> list[str]:
            return [a["case"] for a in _alerts(system) if a["kind"] == "run_completed"]

        wait_for(lambda: len(set(done())) == CASES_AT_ONCE, 120, "a run of each case")
        print(f"{CASES_AT_ONCE} cases: all told after {time.monotonic() - began:.1f} s")
        order = list(dict.fromkeys(done()))
        assert order == [case.id for case in cases], "in the order in which they came"
        first_runs = Counter(
            a["case"] for a in _alerts(system) if a["kind"] == "run_completed" and a["run"] == 1
        )
        assert set(first_runs.values()) == {1}
        query = "SELECT case_id, contacts FROM trace_runs WHERE run = 1"
        contacts: dict[str, int] = dict(system.clickhouse.rows(query))
        assert len(contacts) == CASES_AT_ONCE
        assert min(contacts.values()) >= OTHERS
