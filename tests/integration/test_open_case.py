"""An open case whose person goes on: every worker watches it, by each id, and answers are runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.cases import Case
from schemas.places import place_key
from schemas.topics import ALERTS, CASES, SITES
from tests.integration.test_late_scans import FIRST, at, visit
from tests.system import System, running_system, wait_for

CASE, CARD = "0000000000CAS", "0000000000CAR"
PEOPLE = [f"0000000000{n:02}0" for n in range(24)]  # in every partition


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(Path(tmp_path_factory.mktemp("open"))) as made:
        for _ in range(2):
            made.start_worker()
        for person in PEOPLE:  # no worker has a change of partitions before it any more
            visit(made, person, 2, 0, 5)
        made.drain()
        yield made


def publish(system: System, **changes: Any) -> None:
    case = Case.model_validate(FIRST | {"person": CASE} | changes)
    system.publish(CASES.name, [(case.id, case.model_dump_json().encode())])


def alerts(system: System, kind: str) -> list[dict[str, Any]]:
    found = [orjson.loads(record.value) for record in system.read_topic(ALERTS.name)]
    return [alert for alert in found if alert["kind"] == kind]


def live(system: System, place: int) -> set[str]:
    there = system.places[place].id
    return {a["person"] for a in alerts(system, "scan_in_window") if a["place"] == there}


def test_every_worker_hears_where_the_case_has_gone(system: System) -> None:
    publish(system)
    wait_for(lambda: len(alerts(system, "run_completed")) == 1, 30, "the first run")
    visit(system, CASE, 0, 0, 120)
    visit(system, PEOPLE[0], 0, 10, 20)  # its run says that the case's scans are in
    wait_for(lambda: len(alerts(system, "run_completed")) > 1, 30, "the run of its scans")
    system.drain()
    wait_for(lambda: reaches_all(system, 0), 30, "a window on every worker")


def reaches_all(system: System, place: int) -> bool:
    """Everybody of whom there is no live alert yet comes again."""
    for person in set(PEOPLE) - live(system, place):
        visit(system, person, place, 30, 50)
    system.drain()
    return live(system, place) >= set(PEOPLE)


def test_a_card_that_is_joined_is_the_case_from_then_on(system: System) -> None:
    publish(system, version=2, same=[{"person": CARD, "of": CASE}])
    visit(system, CARD, 1, 0, 120)
    wait_for(lambda: reaches_all(system, 1), 30, "a window where the card was")
    assert CARD not in live(system, 1) | live(system, 0)


def test_answers_are_one_run_with_their_reason(system: System) -> None:
    before = {alert["run"] for alert in alerts(system, "run_completed")}
    same = [{"person": CARD, "of": CASE}]
    said = [{"person": person, "answers": {"touch": "no"}} for person in PEOPLE[:6]]
    for number in range(1, 7):
        publish(system, version=2 + number, same=same, said=said[:number])

    def answered() -> dict[str, dict[str, Any]]:
        found = [a for a in alerts(system, "contact_changed") if "answered" in a["reasons"]]
        return {a["person"]: a for a in found}

    wait_for(lambda: answered().keys() >= set(PEOPLE[:6]), 60, "the answers in a run")
    assert all("a" not in alert["clauses"] for alert in answered().values())
    runs = {a["run"] for a in answered().values()}
    made = {alert["run"] for alert in alerts(system, "run_completed")} - before
    assert len(runs) <= 3, "six answers wait for each other"
    assert runs <= made


def test_what_a_code_struck_that_is_revoked_from_before_is_taken_back(system: System) -> None:
    place = system.places[1]
    *others, code = place.codes
    gone = code.model_copy(update={"revoked_at": at(20), "taken_back_at": datetime.now(UTC)})
    changed = {"version": place.version + 1, "codes": (*others, gone)}
    record = place.model_copy(update=changed).model_dump_json().encode()
    before = {alert["run"] for alert in alerts(system, "run_completed")}
    system.publish(SITES.name, [(place_key(place.id), record)])
    wait_for(lambda: bool(newer(system, before)), 60, "a run without those scans")
    [run] = newer(system, before)
    lost = [a for a in alerts(system, "contact_withdrawn") if a["run"] == run]
    assert {(a["person"], *a["reasons"]) for a in lost} == {(p, "facts") for p in PEOPLE}


def newer(system: System, before: set[int]) -> set[int]:
    return {alert["run"] for alert in alerts(system, "run_completed")} - before
