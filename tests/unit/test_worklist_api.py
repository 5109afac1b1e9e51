"""A case's list over HTTP: decide, answer, visit, assign; who may, what is refused, the history."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.store.keys import Role, list_keys
from tests.console_kit import WARD, Running, running
from tests.worklist_kit import (
    ELSEWHERE,
    HEAD,
    TODAY,
    A,
    B,
    C,
    document,
    exposure,
    new_case,
    trace,
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def of(case: str, person: str = A, more: str = "") -> str:
    return f"/v1/cases/{case}/list/{person}{more}"


def patch(console: Running, case: str, person: str = A, **body: Any) -> dict[str, Any]:
    answer = console.client.patch(of(case, person), json=body, headers=HEAD)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, field: str, code: str) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    [problem] = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == (field, code)
    sentence: dict[str, Any] = problem["sentence"]
    assert sentence["vi"]
    assert sentence["en"]
    return sentence


def history(console: Running, case: str, person: str = A) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = console.client.get(
        of(case, person, "/history"), headers=HEAD
    ).json()["steps"]
    return steps


def test_an_untouched_contact_is_proposed_and_nobody_has_decided(console: Running) -> None:
    case = new_case(console)
    found = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()
    assert (found["total"], found["run"], found["rule_set"]) == (1, 1, "vn-2021-12-29")
    [contact] = found["contacts"]
    assert contact == console.client.get(of(case), headers=HEAD).json()
    assert (contact["version"], contact["classification"]) == (0, "UNCONFIRMED")
    assert (contact["status"], contact["follow_up"], contact["category"]) == ("ACTIVE", None, None)
    assert contact["responsible"] == f"ward/{WARD}"
    assert contact["proposal"]["ask"] == ["touch", "masks", "within_2_m"]
    assert contact["possible"]["person"] == A
    assert history(console, case) == []


def test_answers_propose_and_an_officer_decides(console: Running) -> None:
    case = new_case(console)
    found = patch(console, case, answers={"masks": "no", "within_2_m": "yes"})
    assert found["proposal"]["classification"] == "CONFIRMED"
    assert found["classification"] == "UNCONFIRMED"
    found = patch(
        console, case, classification="CONFIRMED", category="HIGH_RISK", note="gọi lúc 9h"
    )
    assert (found["classification"], found["version"]) == ("CONFIRMED", 2)
    found = patch(console, case, answers={"masks": None, "touch": "no"}, category=None)
    assert found["answers"] == {"touch": "no", "within_2_m": "yes"}
    assert (found["proposal"]["classification"], found["category"]) == ("UNCONFIRMED", None)
    first, second, third = history(console, case)
    assert first["changes"] == {"answers": [{}, {"masks": "no", "within_2_m": "yes"}]}
    assert second["changes"]["classification"] == ["UNCONFIRMED", "CONFIRMED"]
    assert (second["note"], third["note"]) == ("gọi lúc 9h", None)
    assert {step["by"] for step in (first, second, third)} == {"key/1"}
    again = patch(console, case, answers={"touch": "no"})
    assert again["version"] == 3
    assert len(history(console, case)) == 3


def test_an_answer_is_a_new_version_of_the_case(console: Running) -> None:
    case = new_case(console)

    def stands() -> tuple[int, list[dict[str, Any]], list[dict[str, str]]]:
        found = console.client.get(f"/v1/cases/{case}", headers=HEAD).json()
        return found["version"], found["said"], found["decided"]

    patch(console, case, answers={"masks": "no"})
    assert stands() == (2, [{"person": A, "answers": {"masks": "no"}}], [])
    patch(console, case, answers={"masks": "no"})
    patch(console, case, answers={"touch": "unknown"})
    assert stands()[0] == 2, "what is not known narrows nothing"
    patch(console, case, answers={"touch": "yes"}, classification="CONFIRMED")
    both = {"person": A, "answers": {"masks": "no", "touch": "yes"}}
    decision = {"person": A, "classification": "CONFIRMED"}
    assert stands() == (3, [both], [decision]), "one version of what was said at once"
    patch(console, case, answers={"masks": None, "touch": None})
    assert stands() == (4, [], [decision])
    told = console.client.get(f"/v1/cases/{case}/history", headers=HEAD).json()["history"]
    assert [h["changes"] for h in told] == [
        {"said": [{"person": A, "answers": {"masks": "no"}}]},
        {"said": [both], "decided": [decision]},
        {"said": [{"person": A, "answers": {}}]},
    ]


def test_a_decision_is_a_new_version_of_the_case(console: Running) -> None:
    case = new_case(console, person="0PENED0000001")

    def stands() -> tuple[int, list[dict[str, str]]]:
        found = console.client.get(f"/v1/cases/{case}", headers=HEAD).json()
        return found["version"], found["decided"]

    patch(console, case, classification="NO_CONTACT")
    assert stands() == (2, [{"person": A, "classification": "NO_CONTACT"}])
    patch(console, case, classification="NO_CONTACT", category="NO_RISK")
    assert stands()[0] == 2
    patch(console, case, classification="CONFIRMED")
    assert stands() == (3, [{"person": A, "classification": "CONFIRMED"}])
    patch(console, case, classification="UNCONFIRMED")
    assert stands() == (4, [])
    told = console.client.get(f"/v1/cases/{case}/history", headers=HEAD).json()["history"]
    assert [h["changes"]["decided"][0]["classification"] for h in told] == [
        "NO_CONTACT", "CONFIRMED", "UNCONFIRMED",
    ]  # fmt: skip
    console.client.post(f"/v1/cases/{case}/close", headers=HEAD)
    assert patch(console, case, classification="CONFIRMED")["classification"] == "CONFIRMED"
    assert stands() == (5, []), "of an ended case nothing changes"
    path = f"/v1/cases/{case}/reopen"
    console.client.post(path, json={"status": "confirmed", "ongoing": True}, headers=HEAD)
    decided = [{"person": A, "classification": "CONFIRMED"}]
    assert stands() == (6, decided), "what was worked meanwhile is in it"


def test_the_axes_are_apart(console: Running) -> None:
    case = new_case(console)
    found = patch(console, case, status="DROPPED", reachability="NOT_AT_ALL")
    assert (found["classification"], found["status"]) == ("UNCONFIRMED", "DROPPED")
    assert (found["follow_up"], found["reachability"]) == (None, "NOT_AT_ALL")
    assert patch(console, case, status="ACTIVE", reachability=None)["reachability"] is None


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"answers": {"weather": "yes"}}, "answers.weather", "unknown"),
        ({"answers": {"masks": "perhaps"}}, "answers.masks", "enum"),
        ({"classification": None}, "classification", "missing"),
        ({"status": None}, "status", "missing"),
        ({"status": "CONVERTED"}, "status", "literal_error"),
        ({"category": "SOME_RISK"}, "category", "enum"),
        ({"name": "Nguyễn Văn A"}, "name", "extra_forbidden"),
        ({"note": ""}, "note", "string_too_short"),
    ],
)
def test_a_wrong_decision_names_its_field(
    console: Running, body: dict[str, Any], field: str, code: str
) -> None:
    case = new_case(console)
    answer = console.client.patch(of(case), json=body, headers=HEAD)
    refused(answer, field, code)
    assert "Nguyễn" not in answer.text
    assert history(console, case) == []


def test_nothing_to_change_changes_nothing(console: Running) -> None:
    case = new_case(console)
    assert patch(console, case)["version"] == 0
    assert patch(console, case, classification="UNCONFIRMED")["version"] == 0
    assert history(console, case) == []
    assert patch(console, case, note="không nghe máy")["version"] == 1


def test_of_two_that_cross_the_second_looks_again(console: Running) -> None:
    case = new_case(console)
    patch(console, case, version=0, category="LOW_RISK")
    late = console.client.patch(of(case), json={"version": 0, "category": None}, headers=HEAD)
    assert late.status_code == 409
    assert "version 1" in late.json()["sentence"]["en"]


def test_follow_up_and_its_visits(console: Running) -> None:
    case = new_case(console)
    path = of(case, more=f"/visits/{TODAY}")
    good = {"result": "COOPERATIVE", "symptoms": False, "temperature": 36.74}
    early = console.client.put(path, json=good, headers=HEAD)
    assert early.status_code == 409
    assert "FOLLOW_UP" in early.json()["sentence"]["en"]
    found = patch(console, case, follow_up="FOLLOW_UP")
    assert found["plan"]["state"] == "due"
    assert found["plan"]["until"] == str(TODAY + timedelta(days=13))
    done = console.client.put(path, json=good, headers=HEAD)
    assert done.status_code == 200, done.text
    assert done.json()["plan"]["state"] == "done_today"
    assert console.client.put(path, json=good, headers=HEAD).json()["version"] == 2
    ill = good | {"symptoms": True, "temperature": 38.2, "note": "ho"}
    assert console.client.put(path, json=ill, headers=HEAD).json()["plan"]["symptoms"] is True
    [visit] = console.client.get(of(case, more="/visits"), headers=HEAD).json()["visits"]
    assert visit == {k: v for k, v in ill.items() if k != "note"} | {"day": str(TODAY)}
    steps = history(console, case)
    assert steps[-1]["changes"][f"visit {TODAY}"][0]["temperature"] == 36.7
    assert steps[-1]["note"] == "ho"


@pytest.mark.parametrize(
    ("days", "body", "field", "code"),
    [
        (1, {"result": "UNCOOPERATIVE"}, "day", "in_future"),
        (-1, {"result": "UNCOOPERATIVE"}, "day", "outside_follow_up"),
        (0, {"result": "COOPERATIVE"}, "symptoms", "missing"),
        (0, {"result": "UNAVAILABLE", "symptoms": False}, "symptoms", "not_seen"),
        (0, {"result": "UNAVAILABLE", "temperature": 36}, "temperature", "not_seen"),
        (0, {"result": "COOPERATIVE", "symptoms": True, "temperature": 98}, "temperature", None),
        (0, {"result": "GONE"}, "result", "enum"),
    ],
)
def test_a_wrong_visit_names_its_field(
    console: Running, days: int, body: dict[str, Any], field: str, code: str | None
) -> None:
    case = new_case(console)
    patch(console, case, follow_up="FOLLOW_UP")
    path = of(case, more=f"/visits/{TODAY + timedelta(days=days)}")
    refused(console.client.put(path, json=body, headers=HEAD), field, code or "less_than_equal")


def test_a_day_and_a_person_that_are_none(console: Running) -> None:
    case = new_case(console)
    body = {"result": "UNCOOPERATIVE"}
    answer = console.client.put(of(case, more="/visits/yesterday"), json=body, headers=HEAD)
    assert "YYYY-MM-DD" in refused(answer, "day", "date_from_datetime_parsing")["en"]
    answer = console.client.get(of(case, "a123"), headers=HEAD)
    assert "13" in refused(answer, "person", "malformed_id")["en"]


def test_who_is_no_contact_or_of_no_case_is_not_there(console: Running) -> None:
    case = new_case(console)
    for path in (of(case, B), of("C-0"), "/v1/cases/C-0/list"):
        assert console.client.get(path, headers=HEAD).status_code == 404
    assert console.client.patch(of(case, B), json={}, headers=HEAD).status_code == 404


def test_whom_the_newest_run_no_longer_has_stays_to_be_worked(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    patch(console, case, B, category="LOW_RISK")
    trace(console, case, document(A))
    found = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()
    assert [(c["person"], c["in_run"]) for c in found["contacts"]] == [(A, True), (B, False)]
    second = console.client.get(f"/v1/cases/{case}/list?limit=1&offset=1", headers=HEAD).json()
    assert [c["person"] for c in second["contacts"]] == [B]
    assert second["total"] == 2
    assert patch(console, case, B, follow_up="FOLLOW_UP")["plan"]["state"] == "due"


def test_pages_are_of_the_whole_list(console: Running) -> None:
    case = new_case(console, document(A), document(B), document(C))
    path = f"/v1/cases/{case}/list?limit=2&offset="
    pages = [console.client.get(path + str(at), headers=HEAD).json() for at in (0, 2, 4)]
    assert [[c["person"] for c in page["contacts"]] for page in pages] == [[A, B], [C], []]


def test_a_voided_case_is_worked_no_more(console: Running) -> None:
    case = new_case(console)
    console.client.post(f"/v1/cases/{case}/void", headers=HEAD)
    answer = console.client.patch(of(case), json={"category": "LOW_RISK"}, headers=HEAD)
    assert answer.status_code == 409
    assert "voided" in answer.json()["sentence"]["en"]


def test_an_officer_works_the_ward_and_nobody_elses(console: Running) -> None:
    case = new_case(console)
    here, away = (console.key(Role.OFFICER, f"ward/{ward}") for ward in (WARD, ELSEWHERE))
    body = {"classification": "NO_CONTACT"}
    assert console.client.patch(of(case), json=body, headers=here).status_code == 200
    for method, path in (
        ("GET", f"/v1/cases/{case}/list"),
        ("GET", of(case)),
        ("GET", of(case, more="/history")),
        ("GET", of(case, more="/visits")),
        ("PATCH", of(case)),
    ):
        hidden = console.client.request(method, path, json={}, headers=away)
        absent = console.client.request(method, path.replace(case, "C-0"), json={}, headers=away)
        assert (hidden.status_code, hidden.json()) == (404, absent.json())


def test_assigning(console: Running) -> None:
    case = new_case(console)
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    mine = list_keys(console.store)[-1].id
    console.key(Role.OFFICER, f"ward/{ELSEWHERE}")
    away = list_keys(console.store)[-1].id
    console.key(Role.ADMIN)
    admin = list_keys(console.store)[-1].id
    path = of(case, more="/assignment")
    taken = console.client.put(path, json={"to": f"key/{mine}"}, headers=officer)
    assert taken.json()["assigned_to"] == f"key/{mine}"
    given = console.client.put(path, json={"to": "key/1"}, headers=officer)
    assert given.status_code == 403
    assert "list.assign" in given.json()["sentence"]["en"]
    for other in (away, admin, 999):
        answer = console.client.put(path, json={"to": f"key/{other}"}, headers=HEAD)
        refused(answer, "to", "unknown")
    answer = console.client.put(path, json={"to": "Nguyễn Văn A"}, headers=HEAD)
    refused(answer, "to", "string_pattern_mismatch")
    assert console.client.put(path, json={"to": None}, headers=HEAD).json()["assigned_to"] is None


def test_the_tables_are_away(console: Running) -> None:
    case = new_case(console)
    before, console.tables.answer = console.tables.answer, None
    try:
        for method in ("GET", "PATCH"):
            answer = console.client.request(method, of(case), json={}, headers=HEAD)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    finally:
        console.tables.answer = before


def test_a_rule_set_without_clauses_proposes_nothing(console: Running) -> None:
    case = new_case(console)
    trace(console, case, document(A, exposure(clauses=[], questions=[])), rule_set="vn-2020-12-03")
    found = patch(console, case, classification="CONFIRMED")
    assert found["proposal"] == {"classification": None, "clauses": [], "ask": []}


def test_notes_are_in_the_history_alone(console: Running, capfd: Any, tmp_path: Path) -> None:
    case = new_case(console)
    secret = "chị Hoa, 0912345678"
    patch(console, case, note=secret, category="LOW_RISK")
    assert history(console, case)[-1]["note"] == secret
    told = capfd.readouterr()
    assert secret not in told.out + told.err
    assert secret not in console.client.get(of(case), headers=HEAD).text
    assert all(secret.encode() not in record.value for record in console.relayed.records)


def test_who_was_named_by_another_id_of_theirs_is_on_the_call_list(console: Running) -> None:
    """The two met the case at the market only; the card was named, and is the phone's."""
    case = new_case(console, document(A, exposure(tier="same_time_only")))
    named = {"person": B, "relation": "household", "last_contact": str(TODAY)}
    added = {"named": [named], "same": [{"person": B, "of": A}]}
    path = f"/v1/cases/{case}/entries"
    assert console.client.post(path, json={"add": added}, headers=HEAD).status_code == 200
    found = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()
    assert [c["person"] for c in found["contacts"]] == [A]
    assert console.client.get(of(case), headers=HEAD).json()["named"]["relation"] == "household"
    today = console.client.get(f"/v1/triage?capacity=5&case={case}", headers=HEAD).json()
    assert [(row["person"], row["tier"]) for row in today["today"]] == [(A, "named")]
