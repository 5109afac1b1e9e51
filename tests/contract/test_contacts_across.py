"""Possible contacts of several open cases: a person once, of the run that counts."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.cli.contacts_across import show_across
from console.cli.session import Lang, Session
from console.store.keys import Role
from schemas.cases import Case
from streams.clickhouse import ClickHouse
from streams.runs import Run, Runs
from tests.console_kit import ADMIN, WARD, Running, bearer, running
from tests.contract.clickhouse_fixtures import migrated_engine

NOW = datetime(2026, 3, 8, tzinfo=UTC)
ONE, TWO, THREE = "2C9V0A7NJ5X1T", "8KS5H5E7SNRGN", "FZ3052HTPXQGS"


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with migrated_engine(tmp_path_factory.mktemp("across")) as made:
        yield made


@pytest.fixture
def console(tmp_path: Path, clickhouse: ClickHouse) -> Iterator[Running]:
    with running(tmp_path) as made:
        made.tables.answer = clickhouse.rows
        yield made


def contact(person: str, rank: int, tier: str, minutes: float, call: bool = True) -> dict[str, Any]:
    return {
        "person": person, "rank": rank, "tier": tier, "minutes": minutes, "call": call,
        "last_exposure": "2026-03-07T01:00:00.000Z", "band": "high", "clauses": ["a"],
        "questions": [], "path": [{"person": person}], "exposures": [],
    }  # fmt: skip


def store(clickhouse: ClickHouse, case: dict[str, Any], number: int, *contacts: Any) -> None:
    summary = {
        "rule_set": "r", "parameters": {}, "offsets": {},
        "window": {"from": "2026-03-01T00:00:00.000Z", "to": "2026-03-02T00:00:00.000Z"},
    }  # fmt: skip
    run = Run(Case.model_validate(case), number, f"case/{number}", summary, list(contacts), [])
    Runs(clickhouse).store(run, NOW)


def registered(console: Running, person: str, ward: str = WARD) -> dict[str, Any]:
    body = {"person": person, "onset": "2026-03-02", "ward": ward, "although_open": True}
    made = console.client.post("/v1/cases", json=body, headers=bearer(ADMIN))
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def test_a_person_is_there_once_with_every_case(
    console: Running, clickhouse: ClickHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = registered(console, "7ZK3M9QX2B4CD"), registered(console, "D71SZFNDS4RZJ")
    over = registered(console, "DPFBNF99DQSBR")
    elsewhere = registered(console, "8S2SHTY9R7X6B", ward="00001")
    at_gate = contact(THREE, 3, "same_time_only", 400, call=False)
    store(clickhouse, first, 1, contact(THREE, 1, "same_place", 500))  # an older run
    store(
        clickhouse,
        first,
        2,
        contact(ONE, 1, "same_place", 30),
        contact(TWO, 2, "same_place", 90),
        at_gate,
    )
    time.sleep(0.01)
    store(clickhouse, first, 2, contact(THREE, 1, "same_place", 500))  # too late: it does not count
    store(clickhouse, second, 1, contact(ONE, 1, "same_place", 20))
    for other in (over, elsewhere):
        store(clickhouse, other, 1, contact(THREE, 1, "same_small_enclosed", 60))
    console.client.post(f"/v1/cases/{over['id']}/close", headers=bearer(ADMIN))

    officer = console.key(Role.EPIDEMIOLOGIST, "city/31")
    found = console.client.get("/v1/contacts", headers=officer)
    assert found.status_code == 200, found.text
    body = found.json()
    assert (body["cases"], body["total"]) == (2, 2)
    cases = [
        (c["person"], [(of["case"], of["minutes"]) for of in c["cases"]]) for c in body["contacts"]
    ]
    assert cases == [
        (ONE, [(first["id"], 30), (second["id"], 20)]),  # of two cases: before the longer of one
        (TWO, [(first["id"], 90)]),
    ]
    assert body["contacts"][0]["cases"][0]["path"] == [{"person": ONE}]
    everywhere = console.client.get("/v1/contacts?limit=1", headers=bearer(ADMIN)).json()
    assert (everywhere["cases"], everywhere["total"]) == (3, 3)
    assert [c["person"] for c in everywhere["contacts"]] == [THREE]  # the closest tier first

    show_across(body, Session(Path(), Lang.EN))
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 possible contacts of 2 open cases." in shown
    assert shown.count(ONE) == 1


def test_more_cases_than_are_asked_about_are_said(
    console: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("console.api.across.MOST_CASES", 2)
    numbers = []
    for person, ward in ((ONE, WARD), (TWO, "00001"), (THREE, WARD), (ONE, WARD)):
        registered(console, person, ward)
        found = console.client.get("/v1/contacts", headers=bearer(ADMIN)).json()
        numbers.append((found["cases"], found["cases_left_out"]))
    assert numbers == [(1, 0), (2, 0), (2, 1), (2, 2)]
    here = console.key(Role.EPIDEMIOLOGIST, "city/31")
    assert console.client.get("/v1/contacts", headers=here).json()["cases_left_out"] == 1
    show_across(found, Session(Path(), Lang.EN))
    assert "2 older open cases are not among these" in capsys.readouterr().out


def test_without_cases_there_is_nobody(console: Running) -> None:
    body = console.client.get("/v1/contacts", headers=bearer(ADMIN)).json()
    assert (body["cases"], body["cases_left_out"]) == (0, 0)
    assert (body["contacts"], body["total"]) == ([], 0)
