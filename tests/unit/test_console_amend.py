"""Amending a case over HTTP: what changes, what is refused, and two at once."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from console.api.casecheck import amendment_problems
from console.store import cases, tables
from console.store.engine import utc_now
from console.store.keys import Role
from schemas.cases import Point, PointSource
from tests.console_kit import ADMIN, PERSON, WARD, Running, bearer, running

HEAD = bearer(ADMIN)
SAMPLED: dict[str, Any] = {"sampled_on": "2026-03-04"}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        yield made


def register(console: Running, **more: Any) -> dict[str, Any]:
    body = {"person": PERSON, "onset": "2026-03-02", "ward": WARD, "status": "suspected"} | more
    answer = console.client.post("/v1/cases", json=body, headers=HEAD)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


def amend(console: Running, case: str, **body: Any) -> Any:
    return console.client.patch(f"/v1/cases/{case}", json=body, headers=HEAD)


def test_only_what_is_named_changes_and_a_new_version_goes_out(console: Running) -> None:
    case = register(console, sampled_on="2026-03-04")
    others = {"onset": "2026-03-01", "result_on": "2026-03-05", "symptoms": "yes"}
    answer = amend(console, case["id"], status="confirmed", **others)
    assert answer.status_code == 200, answer.text
    assert answer.json() == case | others | {"version": 2, "status": "confirmed"}
    headers = [dict(r.headers) for r in console.relayed.records if r.topic == "cases.v1"]
    if len(headers) == 2:  # the relay has come by
        assert headers[1]["ce_type"].endswith(b"amended")


def test_a_field_is_taken_away_by_null(console: Running) -> None:
    case = register(console, sampled_on="2026-03-04")
    answer = amend(console, case["id"], onset=None)
    assert (answer.status_code, answer.json()["onset"]) == (200, None)


def test_without_a_change_it_stays_as_it_was(console: Running) -> None:
    case = register(console)
    assert amend(console, case["id"], onset="2026-03-02").json() == case


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"onset": None}, "onset"),  # then neither onset nor sample is there
        ({"onset": "2999-01-01"}, "onset"),
        ({"sampled_on": "2026-03-01"}, "onset"),  # before the onset
        ({"sampled_on": "2026-03-04", "result_on": "2026-03-03"}, "result_on"),
        ({"symptoms": "no"}, "symptoms"),
        ({"onset": "0001-01-01"}, "onset"),
        ({"negative_at": "2026-03-01T00:00:00.000Z"}, "negative_at"),
        ({"ward": None}, "ward"),
        ({"status": None}, "status"),
        ({"status": "closed"}, "status"),
        ({"rule_set": "nope"}, "rule_set"),
        ({"person": PERSON}, "person"),
        ({"onset": "yesterday"}, "onset"),
    ],
)
def test_a_refusal_names_the_field_and_changes_nothing(
    console: Running, body: dict[str, Any], field: str
) -> None:
    case = register(console)
    answer = amend(console, case["id"], **body)
    assert answer.status_code == 422, answer.text
    assert field in {problem["field"] for problem in answer.json()["errors"]}
    assert console.client.get(f"/v1/cases/{case['id']}", headers=HEAD).json() == case


def test_of_two_amendments_of_one_version_the_second_is_told(console: Running) -> None:
    case = register(console)
    assert amend(console, case["id"], version=1, onset="2026-03-01").status_code == 200
    second = amend(console, case["id"], version=1, isolated_at="2026-03-05T00:00:00.000Z")
    assert second.status_code == 409
    assert "version 2" in second.json()["sentence"]["en"]
    assert console.client.get(f"/v1/cases/{case['id']}", headers=HEAD).json()["version"] == 2


@pytest.mark.parametrize(
    ("registered", "first", "second", "field"),
    [
        (SAMPLED, {"sampled_on": "2026-03-02"}, {"onset": "2026-03-03"}, "onset"),
        (SAMPLED, {"sampled_on": None}, {"onset": None}, "onset"),
        (SAMPLED, {"sampled_on": "2026-03-06"}, {"result_on": "2026-03-05"}, "result_on"),
        (SAMPLED | {"onset": None}, {"onset": "2026-03-02"}, {"symptoms": "no"}, "symptoms"),
    ],
)
def test_two_that_are_wrong_together_do_not_both_count(
    console: Running,
    monkeypatch: pytest.MonkeyPatch,
    registered: dict[str, Any],
    first: dict[str, Any],
    second: dict[str, Any],
    field: str,
) -> None:
    case = register(console, **registered)["id"]

    def crossed(*asked: Any) -> Any:  # the second is checked, then the first is made
        found = amendment_problems(*asked)
        monkeypatch.undo()
        assert amend(console, case, **first).status_code == 200
        return found

    monkeypatch.setattr("console.api.cases.amendment_problems", crossed)
    late = amend(console, case, **second)
    assert late.status_code == 409, late.text
    sentence = late.json()["sentence"]
    assert sentence["vi"].startswith(f"{field}: ")
    assert sentence["en"].startswith(f"{field}: ")
    after = console.client.get(f"/v1/cases/{case}", headers=HEAD).json()
    assert (after["version"], after | first) == (2, after)


def test_what_stays_is_not_checked_again(console: Running) -> None:
    begun = utc_now() - timedelta(days=400)
    gone = Point(
        place=404, begin=begun, end=begun + timedelta(hours=1), source=PointSource.INTERVIEW
    )
    old = cases.NewCase(PERSON, WARD, onset=date(2026, 3, 2), rule_set="gone", points=(gone,))
    case = cases.register_case(console.store, old, registered_by="key/1")
    answer = amend(console, case.id, onset="2026-03-01", rule_set="gone")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["onset"], len(answer.json()["points"])) == ("2026-03-01", 1)
    wrong = amend(console, case.id, rule_set="gone too", onset=None)
    assert [e["field"] for e in wrong.json()["errors"]] == ["rule_set", "onset"]


def test_a_closed_case_is_not_amended(console: Running) -> None:
    case = register(console)
    console.client.post(f"/v1/cases/{case['id']}/close", headers=HEAD)
    assert amend(console, case["id"], onset="2026-03-01").status_code == 409


def test_right_and_area_are_checked(console: Running) -> None:
    case = register(console)
    path = f"/v1/cases/{case['id']}"
    body = {"onset": "2026-03-01"}
    officer = console.key(Role.OFFICER)
    assert console.client.patch(path, json=body, headers=officer).status_code == 403
    elsewhere = console.key(Role.EPIDEMIOLOGIST, "city/01")
    assert console.client.patch(path, json=body, headers=elsewhere).status_code == 404
    here = console.key(Role.EPIDEMIOLOGIST, "city/31")
    moved = console.client.patch(path, json={"ward": "00001"}, headers=here)
    assert moved.status_code in (403, 422)
    assert orjson.loads(console.client.get(path, headers=HEAD).content) == case


def test_what_another_system_left_contradictory_keeps_nothing_else_from_being_put_right(
    console: Running,
) -> None:
    case = register(console, sampled_on="2026-03-04", result_on="2026-03-05")
    with console.store.write() as connection:  # as it comes on `cases.v1`
        connection.execute(update(tables.cases).values(result_on=date(2026, 3, 3)))
    isolated = amend(console, case["id"], isolated_at="2026-03-06T00:00:00.000Z")
    assert isolated.status_code == 200, isolated.text
    assert isolated.json()["result_on"] == "2026-03-03"
    for wrong in ({"result_on": "2026-03-02"}, {"sampled_on": "2026-03-06"}):
        refused = amend(console, case["id"], **wrong)
        assert [e["field"] for e in refused.json()["errors"]] == ["result_on"]
    assert amend(console, case["id"], result_on="2026-03-04").status_code == 200
