"""A case through a running worker: late scans, an amendment and its voiding, and what goes out."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.cases import Case
from schemas.topics import ALERTS, CASES, SCANS
from streams.again import PAUSE_S
from tests.fault.opencase import scan
from tests.system import System, running_system, wait_for

CASE, ALICE, BOB, CARL = "0000000000CAS", "00000000000A1", "00000000000B0", "00000000000C4"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
FIRST: dict[str, Any] = {
    "id": "C-2026-000777",
    "version": 1,
    "status": "confirmed",
    "person": CASE,
    "onset": str(START.date()),
    "ward": "11413",
    "registered_at": START + timedelta(hours=29),
    "registered_by": "test",
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(Path(tmp_path_factory.mktemp("late"))) as made:
        yield made


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def visit(system: System, person: str, place: int, begin: float, end: float | None) -> None:
    token = system.places[place].codes[-1].token
    records = [(person, scan(person, token, at(begin), "in"))]
    if end is not None:
        records.append((person, scan(person, token, at(end), "out")))
    system.publish(SCANS.name, records)


def publish(system: System, **changes: Any) -> None:
    case = Case.model_validate(FIRST | changes)
    system.publish(CASES.name, [(case.id, case.model_dump_json().encode())])


def alerts(system: System) -> list[dict[str, Any]]:
    return [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]


def told(system: System, run: int | None) -> dict[str, tuple[str, tuple[str, ...]]]:
    """person → (kind, reasons) of the run's alerts about persons."""
    return {
        a["person"]: (a["kind"], tuple(a["reasons"]))
        for a in alerts(system)
        if "person" in a and a["kind"] != "scan_in_window" and a.get("run") == run
    }


def completed(system: System) -> list[int]:
    return sorted({a["run"] for a in alerts(system) if a["kind"] == "run_completed"})


def test_from_the_first_run_to_the_last_withdrawal(system: System) -> None:
    worker = system.start_worker()
    visit(system, CASE, 0, 0, 120)
    visit(system, ALICE, 0, 30, 60)
    system.drain()
    publish(system)
    wait_for(lambda: completed(system) == [1], 30, "the first run")
    assert told(system, 1) == {ALICE: ("possible_contact", ())}

    # somebody whose scans come a day late
    visit(system, BOB, 0, 10, 40)
    wait_for(lambda: 2 in completed(system), 30, "the run that a late scan makes")
    wait_for(lambda: BOB in told(system, completed(system)[-1]), 30, "Bob in it")
    live = {(a["person"]) for a in alerts(system) if a["kind"] == "scan_in_window"}
    assert live == {BOB}
    reasons = {told(system, run)[BOB] for run in completed(system) if BOB in told(system, run)}
    assert ("possible_contact", ("late_scan",)) in reasons

    # somebody who came before the case did and is still there: in no window, yet a contact
    visit(system, CARL, 0, -20, 5)
    before = completed(system)[-1]
    wait_for(
        lambda: any(CARL in told(system, r) for r in completed(system) if r > before),
        30,
        "the run that an early arrival makes",
    )

    # an amendment that ends the infectious period before anybody came
    publish(system, version=2, isolated_at=at(-60))
    wait_for(lambda: told(system, completed(system)[-1]).get(ALICE, ("",))[0] == "contact_withdrawn",
             30, "the withdrawals of the amendment")  # fmt: skip
    assert told(system, completed(system)[-1]) == dict.fromkeys(
        (ALICE, BOB, CARL), ("contact_withdrawn", ("window",))
    )
    publish(system, version=3)
    wait_for(lambda: ALICE in told(system, completed(system)[-1]), 30, "the contacts again")
    publish(system, version=4, status="voided")
    wait_for(lambda: len(told(system, None)) == 3, 30, "the withdrawals of a voided case")
    assert set(told(system, None).values()) == {("contact_withdrawn", ("case_voided",))}

    runs = completed(system)
    assert runs == list(range(1, len(runs) + 1)), "numbered without gaps"
    last = runs[-1]
    # a scan for a case that is over makes no run
    visit(system, "00000000000D0", 0, 20, 50)
    system.drain()
    assert completed(system)[-1] == last
    seconds = worker.get("/metrics").text
    assert "truyvet_scan_to_run_seconds_count" in seconds
    print([line for line in seconds.splitlines() if line.startswith("truyvet_scan_to_run")])
    read_by = dict(re.findall(r'truyvet_reads_total\{by="(\w+)"\} (\S+)', seconds))
    assert float(read_by["segments"]) >= last, "the worker traces on what it holds"
    assert float(read_by["clickhouse"]) <= float(read_by["segments"]) / 4


def test_a_flood_of_late_scans_is_few_runs_and_loses_nobody(system: System) -> None:
    """Four hundred people's paper scans of one market, typed in one after the other."""
    person = "0000000000CA2"
    flood = Case.model_validate(FIRST | {"id": "C-2026-000778", "person": person})
    visit(system, person, 1, 0, 120)
    system.drain()
    system.publish(CASES.name, [(flood.id, flood.model_dump_json().encode())])

    def mine(kind: str) -> list[dict[str, Any]]:
        return [a for a in alerts(system) if a["case"] == flood.id and a["kind"] == kind]

    wait_for(lambda: len(mine("run_completed")) == 1, 30, "the first run")
    people = [f"00000000{n:04}0" for n in range(400)]
    began = time.monotonic()
    for begin in range(0, 400, 20):
        token = system.places[1].codes[-1].token
        system.publish(
            SCANS.name,
            [
                (p, scan(p, token, at(10 + n), "in"))
                for n, p in enumerate(people[begin : begin + 20])
            ],
        )
    wait_for(
        lambda: {a["person"] for a in mine("possible_contact")} >= set(people), 60, "all of them"
    )
    runs = {a["run"] for a in mine("run_completed")}
    seconds = time.monotonic() - began
    print(f"400 late scans in {seconds:.1f} s: {len(runs)} runs")
    # between two runs of a case there is a pause, whatever comes; the first is of the case
    assert len(runs) <= 2 + seconds / PAUSE_S
    assert len(runs) < 100


def test_a_worker_that_dies_while_it_traces_leaves_no_half_run(system: System) -> None:
    """Killed at seven moments after a version came; another finishes it, once."""
    case = FIRST | {"id": "C-2026-000779", "person": "0000000000CA3"}
    visit(system, case["person"], 2, 0, 120)
    token = system.places[2].codes[-1].token
    people = [f"000000000{n:03}0" for n in range(300)]
    system.publish(SCANS.name, [(p, scan(p, token, at(5), "in")) for p in people])
    system.drain()
    for version, delay_s in enumerate((0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8), start=1):
        # each version another window, so that each has something to say
        ends = {"isolated_at": at(100 - version)} if version % 2 else {}
        publish(system, **(case | ends | {"version": version}))
        time.sleep(delay_s)
        system.workers[-1].kill()
        system.start_worker()

    def runs() -> dict[str, int]:
        rows = system.clickhouse.rows(
            "SELECT cause, run FROM trace_runs WHERE case_id = {case:String} ORDER BY run",
            {"case": case["id"]},
        )
        return dict(rows)

    wait_for(lambda: "case/7" in runs(), 60, "the run of the last version")
    wait_for(
        lambda: {f"case/{v}" for v in range(1, 8)} <= set(runs()), 60, "a run of every version"
    )
    numbers = sorted(runs().values())
    assert numbers == list(range(1, len(numbers) + 1)), "no number is there twice or left out"
    halves = system.clickhouse.rows(
        "SELECT run, any(r.contacts), count() FROM trace_runs AS r "
        "INNER JOIN trace_contacts AS c USING (case_id, run, attempt) "
        "WHERE case_id = {case:String} GROUP BY run HAVING any(r.contacts) != count()",
        {"case": case["id"]},
    )
    assert halves == [], "a run that can be seen has all its contacts"

    def told() -> set[int]:
        of_case = [a for a in alerts(system) if a["case"] == case["id"]]
        return {a["run"] for a in of_case if a["kind"] == "run_completed"}

    # a run is stored before it is told of
    wait_for(lambda: told() == set(runs().values()), 30, "officers to be told of each")
