"""One person is one open case: at registering, at opening again, and on others' lists."""

from collections.abc import Iterator
from typing import Any

import pytest

from console.store.keys import Role
from tests.console_kit import WARD, Running, running
from tests.worklist_kit import ELSEWHERE, HEAD, TODAY, A, B, C, document, new_case, post

CARD = "0CARD00000007"


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def register(
    console: Running, person: str, head: dict[str, str] = HEAD, ward: str = WARD, **more: Any
) -> Any:
    return post(console, "/v1/cases", head, person=person, onset=str(TODAY), ward=ward, **more)


def test_who_is_an_open_case_is_not_registered_again_unless_that_is_meant(console: Running) -> None:
    first = register(console, A).json()["id"]
    refused = register(console, A)
    assert refused.status_code == 409
    for language in ("vi", "en"):
        assert f" {first}" in refused.json()["sentence"][language]
        assert "--although-open" in refused.json()["sentence"][language]
    assert len(console.client.get("/v1/cases", headers=HEAD).json()["cases"]) == 1
    assert register(console, A, although_open=True).status_code == 201
    assert register(console, B).status_code == 201


def test_by_another_id_it_is_the_same_person(console: Running) -> None:
    first = register(console, A).json()["id"]
    joined = {"same": [{"person": CARD, "of": A}]}
    assert post(console, f"/v1/cases/{first}/entries", add=joined).status_code == 200
    assert register(console, CARD).status_code == 409


def test_a_closed_one_does_not_stand_in_the_way_and_is_not_opened_beside_another(
    console: Running,
) -> None:
    first = register(console, A).json()["id"]
    post(console, f"/v1/cases/{first}/close")
    second = register(console, A).json()["id"]
    refused = post(console, f"/v1/cases/{first}/reopen", status="confirmed", ongoing=True)
    assert refused.status_code == 409
    assert f"case {second} already" in refused.json()["sentence"]["en"]
    both: dict[str, Any] = {"status": "confirmed", "ongoing": True, "although_open": True}
    assert post(console, f"/v1/cases/{first}/reopen", **both).status_code == 200
    post(console, f"/v1/cases/{first}/close")
    post(console, f"/v1/cases/{second}/close")
    opened = post(console, f"/v1/cases/{first}/reopen", status="confirmed", ongoing=True)
    assert opened.status_code == 200, opened.text


def test_a_case_of_another_area_is_not_named(console: Running) -> None:
    theirs = register(console, A, ward=ELSEWHERE).json()["id"]
    here = console.key(Role.EPIDEMIOLOGIST, f"ward/{WARD}")
    refused = register(console, A, here)
    assert refused.status_code == 409
    assert theirs not in refused.text
    assert "another area" in refused.json()["sentence"]["en"]
    assert register(console, A, here, although_open=True).status_code == 201


def test_who_is_a_case_is_not_called_as_anothers_contact(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    theirs = register(console, A).json()["id"]
    found = console.client.get(f"/v1/triage?capacity=9&case={case}", headers=HEAD).json()
    assert [row["person"] for row in found["today"]] == [B]
    assert [(left["reason"], left["count"]) for left in found["left_out"]] == [("is_case", 1)]
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()["contacts"]
    assert {row["person"]: row["is_case"] for row in listed} == {A: theirs, B: None}
    post(console, f"/v1/cases/{theirs}/close")
    after = console.client.get(f"/v1/triage?capacity=9&case={case}", headers=HEAD).json()
    assert {row["person"] for row in after["today"]} == {A, B}


def test_a_case_elsewhere_is_nobodys_to_see(console: Running) -> None:
    case = new_case(console, document(A))
    register(console, A, ward=ELSEWHERE)
    here = console.key(Role.OFFICER, f"ward/{WARD}")
    listed = console.client.get(f"/v1/cases/{case}/list", headers=here).json()["contacts"]
    assert [row["is_case"] for row in listed] == [None]


def test_contacts_of_a_case_that_is_voided_are_contacts_again(console: Running) -> None:
    """As if nobody had converted them: called, or followed, as they were."""
    case = new_case(console, document(A), document(B))
    gone = new_case(console, document(A), person=C)
    became = post(console, f"/v1/cases/{case}/list/{A}/convert", onset=str(TODAY)).json()["case"]
    post(console, f"/v1/cases/{gone}/list/{A}/convert", case=became["id"])
    post(console, f"/v1/cases/{gone}/void")
    found = console.client.get(f"/v1/triage?capacity=9&case={case}", headers=HEAD).json()
    assert [left["reason"] for left in found["left_out"]] == ["converted"]
    for _ in range(2):
        assert post(console, f"/v1/cases/{became['id']}/void", reason="x").status_code == 200
    contact = console.client.get(f"/v1/cases/{case}/list/{A}", headers=HEAD).json()
    assert (contact["status"], contact["converted_to"]) == ("ACTIVE", None)
    after = console.client.get(f"/v1/triage?capacity=9&case={case}", headers=HEAD).json()
    assert {row["person"] for row in after["today"]} == {A, B}
    steps = console.client.get(f"/v1/cases/{case}/list/{A}/history", headers=HEAD).json()["steps"]
    assert [step["what"] for step in steps] == ["convert", "voided"]
    assert became["id"] in steps[-1]["note"]


def test_a_contact_of_a_voided_case_is_what_it_was(console: Running) -> None:
    case = new_case(console, document(A))
    path = f"/v1/cases/{case}/list/{A}"
    console.client.patch(path, json={"status": "DROPPED"}, headers=HEAD)
    became = post(console, f"{path}/convert", onset=str(TODAY)).json()["case"]["id"]
    post(console, f"/v1/cases/{became}/void")
    assert console.client.get(path, headers=HEAD).json()["status"] == "DROPPED"
    refused = post(console, f"{path}/convert", case=became)
    assert refused.status_code in (409, 422), "and does not become it again"


def test_two_cases_that_came_of_each_others_lists_can_both_be_voided(console: Running) -> None:
    first = new_case(console, document(B), person=A)
    second = new_case(console, document(A), person=B)
    for of, person, case in ((first, B, second), (second, A, first)):
        assert post(console, f"/v1/cases/{of}/list/{person}/convert", case=case).status_code == 200
    for case in (first, second):
        assert post(console, f"/v1/cases/{case}/void").status_code == 200


def test_a_case_is_known_by_every_id_of_its_person(console: Running) -> None:
    """A card that the person's own case has joined, on another's list."""
    case = new_case(console, document(A), document(C))
    theirs = register(console, B).json()["id"]
    post(console, f"/v1/cases/{theirs}/entries", add={"same": [{"person": A, "of": B}]})
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()["contacts"]
    assert {row["person"]: row["is_case"] for row in listed} == {A: theirs, C: None}
