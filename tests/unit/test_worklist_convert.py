"""A contact becomes a case: one of a person, linked, and free again if it was an error."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from console.store import conversions
from console.store.keys import Role
from tests.console_kit import PERSON, WARD, Running, running
from tests.worklist_kit import ELSEWHERE, HEAD, TODAY, A, B, document, new_case, post, trace


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def patch(console: Running, case: str, person: str, **body: Any) -> Any:
    return console.client.patch(f"/v1/cases/{case}/list/{person}", json=body, headers=HEAD)


def convert(
    console: Running, of: str, person: str = A, head: dict[str, str] = HEAD, **body: Any
) -> Any:
    path = f"/v1/cases/{of}/list/{person}/convert"
    return post(console, path, head, **(body or {"sampled_on": str(TODAY)}))


def test_a_contact_who_becomes_a_case_keeps_the_history(console: Running) -> None:
    case = new_case(console)
    patch(console, case, A, classification="CONFIRMED", note="sốt từ hôm qua")
    path = f"/v1/cases/{case}/list/{A}/convert"
    wrong = post(console, path, onset=str(TODAY + timedelta(days=2)))
    assert [e["field"] for e in wrong.json()["errors"]] == ["onset"]
    done = post(console, path, sampled_on=str(TODAY), result_on=str(TODAY))
    assert done.status_code == 200, done.text
    became = done.json()["case"]
    assert (became["sampled_on"], became["result_on"]) == (str(TODAY), str(TODAY))
    assert (became["person"], became["ward"], became["status"]) == (A, WARD, "confirmed")
    contact = console.client.get(f"/v1/cases/{case}/list/{A}", headers=HEAD).json()
    assert (contact["status"], contact["converted_to"]) == ("CONVERTED", became["id"])
    assert contact["classification"] == "CONFIRMED"
    steps = console.client.get(f"/v1/cases/{case}/list/{A}/history", headers=HEAD).json()["steps"]
    assert [s["what"] for s in steps] == ["decide", "convert"]
    again = post(console, path, sampled_on=str(TODAY))
    assert again.status_code == 409
    assert became["id"] in again.json()["sentence"]["en"]
    assert patch(console, case, A, status="ACTIVE").status_code == 409
    cases = console.client.get("/v1/cases", headers=HEAD).json()["cases"]
    assert [c["person"] for c in cases] == [A, PERSON]


def test_a_conversion_cut_off_midway_makes_no_second_case(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = new_case(console)
    path = f"/v1/cases/{case}/list/{A}/convert"

    def lost(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(conversions, "put", lost)
        assert post(console, path, sampled_on=str(TODAY)).status_code == 500
    assert len(console.client.get("/v1/cases", headers=HEAD).json()["cases"]) == 1
    done = post(console, path, sampled_on=str(TODAY))
    assert done.status_code == 200
    cases = console.client.get("/v1/cases", headers=HEAD).json()["cases"]
    assert [c["id"] for c in cases] == [done.json()["case"]["id"], case]


def test_a_case_that_is_there_already_is_linked(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    body = {"person": A, "onset": str(TODAY), "ward": WARD}
    other = console.client.post("/v1/cases", json=body, headers=HEAD).json()["id"]
    trace(console, other)
    for wrong, code in (("C-0", "unknown"), (case, "other_person")):
        answer = post(console, f"/v1/cases/{case}/list/{A}/convert", case=wrong)
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("case", code)]
    answer = post(console, f"/v1/cases/{case}/list/{B}/convert", case=other)
    assert answer.json()["errors"][0]["code"] == "other_person"
    for _ in range(2):
        linked = post(console, f"/v1/cases/{case}/list/{A}/convert", case=other)
        assert (linked.status_code, linked.json()["case"]["id"]) == (200, other)


def test_a_contact_of_two_cases_becomes_one(console: Running) -> None:
    first, second = new_case(console, document(A)), new_case(console, document(A))
    became = convert(console, first).json()["case"]["id"]
    refused = convert(console, second)
    assert refused.status_code == 409, refused.text
    assert f"--case {became}" in refused.json()["sentence"]["vi"]
    assert f"--case {became}" in refused.json()["sentence"]["en"]
    contact = console.client.get(f"/v1/cases/{second}/list/{A}", headers=HEAD).json()
    assert (contact["status"], contact["version"]) == ("ACTIVE", 0)
    assert len(console.client.get("/v1/cases", headers=HEAD).json()["cases"]) == 3
    assert convert(console, second, case=became).json()["case"]["id"] == became
    # a closed one does not stand in the way: somebody can fall ill again
    console.client.post(f"/v1/cases/{became}/close", headers=HEAD)
    third = new_case(console, document(A))
    assert convert(console, third).status_code == 200


def test_by_another_id_it_is_the_same_person(console: Running) -> None:
    case, other = new_case(console, document(A), document(B)), new_case(console, document(B))
    joined = post(console, f"/v1/cases/{case}/duplicates", keep=A, other=B, same=True)
    assert joined.status_code == 200, joined.text
    became = convert(console, other, B).json()["case"]["id"]
    assert became in convert(console, case, A).json()["sentence"]["en"]
    assert convert(console, case, A, case=became).status_code == 200
    # and where only the open case knows of the other id
    ids = {"same": [{"person": B, "of": A}]}
    third = new_case(console, document(A), document(B))
    console.client.post(f"/v1/cases/{became}/void", headers=HEAD)
    made = convert(console, third, A).json()["case"]["id"]
    entries = post(console, f"/v1/cases/{made}/entries", add=ids)
    assert entries.status_code == 200, entries.text
    fourth = new_case(console, document(B))
    assert made in convert(console, fourth, B).json()["sentence"]["en"]
    assert convert(console, fourth, B, case=made).status_code == 200


def test_another_id_of_the_case_itself_is_no_second_case(console: Running) -> None:
    case = new_case(console, document(A))
    same = post(console, f"/v1/cases/{case}/entries", add={"same": [{"person": A, "of": PERSON}]})
    assert same.status_code == 200, same.text
    refused = convert(console, case)
    assert refused.status_code == 409
    assert "itself" in refused.json()["sentence"]["en"]


def test_a_case_in_another_area_is_not_named(console: Running) -> None:
    away = new_case(console, document(A), ward=ELSEWHERE)
    became = convert(console, away).json()["case"]["id"]
    here = console.key(Role.EPIDEMIOLOGIST, f"ward/{WARD}")
    refused = convert(console, new_case(console, document(A)), A, here)
    assert refused.status_code == 409
    assert became not in refused.text
    assert "another area" in refused.json()["sentence"]["en"]


@pytest.mark.parametrize("again", ["active", "convert", "another"])
def test_a_voided_case_lets_its_contact_go(console: Running, again: str) -> None:
    case = new_case(console)
    became = convert(console, case).json()["case"]["id"]
    assert patch(console, case, A, status="ACTIVE").status_code == 409
    console.client.post(f"/v1/cases/{became}/void", headers=HEAD)
    if again == "active":
        found = patch(console, case, A, status="ACTIVE")
        assert found.status_code == 200, found.text
        assert (found.json()["status"], found.json()["converted_to"]) == ("ACTIVE", None)
        made = convert(console, case)
    elif again == "convert":
        made = convert(console, case)
    else:
        other = post(console, "/v1/cases", person=A, onset=str(TODAY), ward=WARD).json()["id"]
        made = convert(console, case, case=other)
    assert made.status_code == 200, made.text
    assert made.json()["case"]["id"] != became
    contact = console.client.get(f"/v1/cases/{case}/list/{A}", headers=HEAD).json()
    assert (contact["status"], contact["converted_to"]) == (
        "CONVERTED", made.json()["case"]["id"],
    )  # fmt: skip
    steps = console.client.get(f"/v1/cases/{case}/list/{A}/history", headers=HEAD).json()["steps"]
    assert steps[0]["changes"]["converted_to"] == [None, became]
