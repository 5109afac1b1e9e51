"""Of a case registered in error nobody is called or exported; a list's case says how it stands."""

from collections.abc import Iterator

import pytest

from console.store.keys import Role
from tests.console_kit import WARD, Running, running
from tests.worklist_kit import ELSEWHERE, HEAD, A, B, document, new_case

FILES = "/v1/exports/contacts?format="


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def end(console: Running, case: str, how: str) -> str:
    """The case, closed or voided."""
    assert console.client.post(f"/v1/cases/{case}/{how}", headers=HEAD).status_code == 200
    return case


def of(path: str, *cases: str) -> str:
    """The address, with these cases named."""
    return path + "".join(f"&case={case}" for case in cases)


@pytest.mark.parametrize(
    "path", ["/v1/triage?capacity=5", f"{FILES}csv", f"{FILES}xlsx", f"{FILES}sormas"]
)
def test_a_voided_case_that_is_named_is_refused_and_else_left_out(
    console: Running, path: str
) -> None:
    there = new_case(console, document(A))
    voided = end(console, new_case(console, document(B)), "void")
    for named in ([voided], [there, voided]):
        answer = console.client.get(of(path, *named), headers=HEAD)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        sentence = answer.json()["sentence"]
        assert f"Đã huỷ, đăng ký nhầm: {voided}." in sentence["vi"]
        assert f"Voided, registered in error: {voided}." in sentence["en"]
        assert there not in answer.text
    answer = console.client.get(path, headers=HEAD)
    assert answer.status_code == 200
    if "xlsx" not in path:
        assert (A in answer.text, B in answer.text, voided in answer.text) == (True, False, False)
    away = console.key(Role.EPIDEMIOLOGIST, f"ward/{ELSEWHERE}")
    assert console.client.get(of(path, voided), headers=away).status_code == 404


def test_a_closed_case_is_left_out_unless_it_is_named(console: Running) -> None:
    closed = end(console, new_case(console, document(A)), "close")
    for path in ("/v1/triage?capacity=5", f"{FILES}csv"):
        assert A not in console.client.get(path, headers=HEAD).text
        assert A in console.client.get(of(path, closed), headers=HEAD).text


def test_what_was_handed_over_of_a_voided_case_is_left_out(console: Running) -> None:
    case = new_case(console, document(A))
    away = console.key(Role.EPIDEMIOLOGIST, f"ward/{ELSEWHERE}")
    path = f"/v1/cases/{case}/list/{A}/hand-overs"
    asked = console.client.post(path, json={"to": f"ward/{ELSEWHERE}"}, headers=HEAD).json()["id"]
    console.client.post(f"/v1/hand-overs/{asked}/accept", headers=away)
    for wanted in ("/v1/triage?capacity=5", f"{FILES}csv"):
        assert A in console.client.get(wanted, headers=away).text
    end(console, case, "void")
    for wanted in ("/v1/triage?capacity=5", f"{FILES}csv"):
        assert A not in console.client.get(wanted, headers=away).text


def test_who_works_lists_may_know_how_their_cases_stand(console: Running) -> None:
    there, closed = new_case(console), end(console, new_case(console), "close")
    voided = end(console, new_case(console), "void")
    other = new_case(console, ward=ELSEWHERE)
    params = {"case": [there, closed, voided, other, "C-0", there]}
    officer = console.key(Role.OFFICER, f"ward/{WARD}")
    answer = console.client.get("/v1/list-status", params=params, headers=officer)
    assert answer.json() == {
        "cases": {there: "confirmed", closed: "closed", voided: "voided"},
    }
    for wrong in ([], ["C-0"] * 201):
        answer = console.client.get("/v1/list-status", params={"case": wrong}, headers=officer)
        assert [e["field"] for e in answer.json()["errors"]] == ["case"]
