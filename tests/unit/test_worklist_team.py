"""Hand-overs, the day's list, doubles, conversions: over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from console.access import RIGHTS, Right
from console.store.keys import Role
from schemas.scan import format_timestamp
from tests.console_kit import PERSON, WARD, Running, running
from tests.worklist_kit import (
    ELSEWHERE,
    HEAD,
    NOW,
    TODAY,
    A,
    B,
    C,
    D,
    document,
    exposure,
    new_case,
    post,
    trace,
)


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def patch(
    console: Running, case: str, person: str, head: dict[str, str] = HEAD, **body: Any
) -> Any:
    return console.client.patch(f"/v1/cases/{case}/list/{person}", json=body, headers=head)


def test_a_hand_over_from_ward_to_province(console: Running) -> None:
    case = new_case(console, document(A), document(B))
    ours = console.key(Role.OFFICER, f"ward/{WARD}")
    theirs = console.key(Role.EPIDEMIOLOGIST, "city/01")
    contact = f"/v1/cases/{case}/list/{A}"
    asked = post(console, f"{contact}/hand-overs", ours, to="city/01", note="về quê")
    assert asked.status_code == 201, asked.text
    made = asked.json()
    assert (made["from"], made["to"], made["state"]) == (f"ward/{WARD}", "city/01", "pending")
    # until it is accepted: the sender's to work, and hidden from the receiver
    assert patch(console, case, A, ours, category="LOW_RISK").status_code == 200
    assert console.client.get(contact, headers=theirs).status_code == 404
    [waiting] = console.client.get("/v1/hand-overs?state=pending", headers=theirs).json()[
        "hand_overs"
    ]
    assert waiting == made
    assert post(console, f"{contact}/hand-overs", ours, to="city/31").status_code == 409
    path = f"/v1/hand-overs/{made['id']}"
    assert post(console, f"{path}/accept", ours).status_code == 404
    accepted = post(console, f"{path}/accept", theirs)
    assert accepted.json()["state"] == "accepted"
    assert accepted.json()["answered_by"] != made["asked_by"]
    assert post(console, f"{path}/accept", theirs).json() == accepted.json()
    assert post(console, f"{path}/refuse", theirs).status_code == 409
    # from then on: the receiver's to work, the sender's to read
    found = patch(console, case, A, theirs, follow_up="FOLLOW_UP")
    assert (found.status_code, found.json()["responsible"]) == (200, "city/01")
    assert console.client.get(contact, headers=ours).json()["responsible"] == "city/01"
    refused = patch(console, case, A, ours, category="NO_RISK")
    assert refused.status_code == 409
    assert "city/01" in refused.json()["sentence"]["en"]
    listed = console.client.get(f"/v1/cases/{case}/list", headers=theirs).json()
    assert ([c["person"] for c in listed["contacts"]], listed["total"]) == ([A], 1)
    assert console.client.get(f"/v1/cases/{case}/list/{B}", headers=theirs).status_code == 404
    due = console.client.get("/v1/follow-up", headers=theirs).json()["contacts"]
    assert [one["person"] for one in due] == [A]
    assert console.client.get("/v1/follow-up", headers=ours).json()["contacts"] == []
    steps = console.client.get(f"{contact}/history", headers=theirs).json()["steps"]
    assert [s["what"] for s in steps] == [
        "hand_over",
        "decide",
        "hand_over_accepted",
        "decide",
    ]
    assert steps[2]["changes"]["area"] == [None, "city/01"]
    # and back again
    back = post(console, f"{contact}/hand-overs", theirs, to=f"ward/{WARD}").json()
    assert post(console, f"/v1/hand-overs/{back['id']}/accept", ours).status_code == 200
    assert patch(console, case, A, ours, category="NO_RISK").status_code == 200


def test_refused_and_withdrawn_the_sender_stays_responsible(console: Running) -> None:
    case = new_case(console)
    theirs = console.key(Role.OFFICER, f"ward/{ELSEWHERE}")
    contact = f"/v1/cases/{case}/list/{A}"
    for word, head in (("refuse", theirs), ("withdraw", HEAD)):
        made = post(console, f"{contact}/hand-overs", to=f"ward/{ELSEWHERE}").json()
        answer = post(console, f"/v1/hand-overs/{made['id']}/{word}", head, note="không có ở đây")
        assert answer.status_code == 200, answer.text
        assert console.client.get(contact, headers=HEAD).json()["responsible"] == f"ward/{WARD}"
    assert console.client.get(contact, headers=theirs).status_code == 404


@pytest.mark.parametrize("to", ["*", "ward/0", "city/", "Hà Nội", "ward/unknown"])
def test_a_hand_over_to_nowhere_is_refused(console: Running, to: str) -> None:
    case = new_case(console)
    answer = post(console, f"/v1/cases/{case}/list/{A}/hand-overs", to=to)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["to"]
    mine = post(console, f"/v1/cases/{case}/list/{A}/hand-overs", to=f"ward/{WARD}")
    assert mine.status_code == 409
    assert post(console, "/v1/hand-overs/99/accept").status_code == 404


def test_the_day_is_cut_at_the_capacity_and_says_what_is_left_out(console: Running) -> None:
    gate = exposure(tier="same_time_only", band="low")
    small = exposure(tier="same_small_enclosed", minutes=20.0)
    case = new_case(
        console,
        document(A, exposure(minutes=16.0)),
        document(B, small),
        document(C, gate),
        document(D, exposure(minutes=90.0, band="medium")),
    )
    found = console.client.get("/v1/triage?capacity=2", headers=HEAD).json()
    assert [(row["number"], row["person"]) for row in found["today"]] == [(1, B), (2, D)]
    left = [(o["reason"], o["tier"], o["band"], o["count"]) for o in found["left_out"]]
    assert left == [
        ("over_capacity", "same_place", "high", 1),
        ("not_on_call_list", "same_time_only", "low", 1),
    ]
    assert found["left_out"][0]["sentence"] == {
        "vi": "quá sức của ngày",
        "en": "over the day's capacity",
    }
    patch(console, case, B, classification="NO_CONTACT")
    patch(console, case, D, follow_up="FOLLOW_UP")
    after = console.client.get(f"/v1/triage?capacity=2&case={case}", headers=HEAD).json()
    assert [row["person"] for row in after["today"]] == [A]
    assert {o["reason"] for o in after["left_out"]} == {"decided", "followed", "not_on_call_list"}


def test_a_person_of_two_cases_is_called_once(console: Running) -> None:
    first = new_case(console, document(A, exposure(minutes=20.0)))
    second = new_case(console, document(A, exposure(minutes=200.0)))
    found = console.client.get("/v1/triage?capacity=9", headers=HEAD).json()
    [row] = found["today"]
    assert (row["case"], row["cases"]) == (second, [second, first])
    assert console.client.get("/v1/triage?capacity=9&case=C-0", headers=HEAD).status_code == 404
    for wrong in ("", "?capacity=0", "?capacity=many", "?capacity=10001"):
        answer = console.client.get(f"/v1/triage{wrong}", headers=HEAD)
        assert [e["field"] for e in answer.json()["errors"]] == ["capacity"]


def test_the_list_in_numbers(console: Running) -> None:
    case = new_case(console, document(A), document(B), document(C))
    patch(console, case, A, reachability="CALL", classification="CONFIRMED")
    patch(console, case, B, reachability="NOT_AT_ALL", follow_up="LOST")
    found = console.client.get(f"/v1/cases/{case}/list-summary", headers=HEAD).json()
    assert (found["contacts"], found["touched"]) == (3, 2)
    assert found["classification"] == {"CONFIRMED": 1, "UNCONFIRMED": 2}
    assert found["status"] == {"ACTIVE": 3}
    assert found["follow_up"] == {"LOST": 1}
    shares = {r["how"]: (r["count"], r["share"]) for r in found["reachability"]}
    assert shares == {
        "CALL": (1, 0.3333),
        "OWN_PAGE": (0, 0.0),
        "THROUGH_SITE": (0, 0.0),
        "NOT_AT_ALL": (1, 0.3333),
        "NOT_TRIED": (1, 0.3333),
    }


def numbers(console: Running, case: str) -> tuple[int, int, dict[str, int]]:
    """Of the list, those to be called, and how they are reached, where there is anybody."""
    found = console.client.get(f"/v1/cases/{case}/list-summary", headers=HEAD).json()
    listed = console.client.get(f"/v1/cases/{case}/list", headers=HEAD).json()["total"]
    assert found["contacts"] == listed
    for axis in ("classification", "status"):
        assert sum(found[axis].values()) == listed
    assert sum(r["count"] for r in found["reachability"]) == found["call_list"]
    reached = {r["how"]: r["count"] for r in found["reachability"] if r["count"]}
    return found["contacts"], found["call_list"], reached


def test_the_numbers_are_the_lists_own(console: Running) -> None:
    gate = exposure(tier="same_time_only", band="low")
    case = new_case(console, document(A), document(B, gate), document(C))
    assert numbers(console, case) == (3, 2, {"NOT_TRIED": 2})
    # named: one whom the run has in a closed place, one at the gate only, one whom it has not
    for person in (A, B, D):
        named = {"person": person, "relation": "care", "last_contact": str(TODAY)}
        path = f"/v1/cases/{case}/entries"
        assert post(console, path, add={"named": [named]}).status_code == 200
    assert numbers(console, case) == (4, 4, {"NOT_TRIED": 4})
    patch(console, case, A, reachability="CALL")
    patch(console, case, C, reachability="CALL", classification="NO_CONTACT")
    assert numbers(console, case) == (4, 3, {"CALL": 1, "NOT_TRIED": 2})
    # the next run has C last, not to be called, and in no tier's count
    out = document(C, decided="NO_CONTACT", call=False)
    trace(console, case, document(A), document(B, gate), out)
    assert numbers(console, case) == (4, 3, {"CALL": 1, "NOT_TRIED": 2})
    # touched and no longer in the run: on the list, and nobody to call
    trace(console, case, document(A), document(B, gate))
    assert numbers(console, case) == (4, 3, {"CALL": 1, "NOT_TRIED": 2})
    patch(console, case, C, classification="UNCONFIRMED")
    assert numbers(console, case) == (4, 3, {"CALL": 1, "NOT_TRIED": 2})


def test_whom_the_case_rules_out_is_not_called(console: Running) -> None:
    gate = exposure(tier="same_time_only", band="low")
    case = new_case(console, document(A), document(B), document(C, gate), document(D, gate))
    patch(console, case, C, category="LOW_RISK", classification="NO_CONTACT")
    out = {"person": A, "reason": "not_there"}
    assert post(console, f"/v1/cases/{case}/entries", add={"excluded": [out]}).status_code == 200
    assert numbers(console, case) == (4, 1, {"NOT_TRIED": 1})


def test_who_is_due_over_all_cases_page_by_page(console: Running) -> None:
    cases = [new_case(console, document(A), document(B)) for _ in range(2)]
    for case in cases:
        for person in (A, B):
            assert patch(console, case, person, follow_up="FOLLOW_UP").status_code == 200
    visit = {"result": "UNAVAILABLE"}
    path = f"/v1/cases/{cases[0]}/list/{A}/visits/{TODAY}"
    console.client.put(path, json=visit, headers=HEAD)
    seen, after = [], ""
    while True:
        page = console.client.get(f"/v1/follow-up?limit=2&after={after}", headers=HEAD).json()
        seen += [(one["case"], one["person"]) for one in page["contacts"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [(cases[0], B), (cases[1], A), (cases[1], B)]
    done = console.client.get("/v1/follow-up?state=done_today", headers=HEAD).json()["contacts"]
    assert [(one["person"], one["plan"]["unreached"]) for one in done] == [(A, 1)]
    nobody = console.client.get("/v1/follow-up?assigned_to=key/9", headers=HEAD).json()
    assert nobody["contacts"] == []


def _arriving(place: int, days: int, seconds: int) -> dict[str, Any]:
    start = format_timestamp(NOW - timedelta(days=days) + timedelta(seconds=seconds))
    return exposure(place=place, stay={"start": start, "start_provenance": "scan_in"})


def test_a_card_and_a_phone_are_suggested_and_a_person_decides(console: Running) -> None:
    card = [_arriving(7, 1, 0), _arriving(8, 2, 0), _arriving(9, 1, 900)]
    phone = [_arriving(7, 1, 12), _arriving(8, 2, 4), _arriving(9, 1, 905)]
    once = [_arriving(7, 1, 3), _arriving(9, 2, 0)]
    case = new_case(console, document(A, *card), document(B, *phone), document(C, *once))
    path = f"/v1/cases/{case}/duplicates"
    plain = console.tables.answer
    assert plain is not None
    methods = [(1000, ["card"]), (1001, ["self"])]
    console.tables.answer = lambda sql, what: methods if "FROM scans" in sql else plain(sql, what)
    found = console.client.get(path, headers=HEAD).json()
    [suggestion] = found["suggestions"]
    assert {suggestion["first"], suggestion["second"]} == {A, B}
    assert (suggestion["together"], suggestion["of"]) == (3, 3)
    assert "12 s" in suggestion["reason"]["en"]
    assert "bằng thẻ" in suggestion["reason"]["vi"]
    assert suggestion["same_phone"] is None
    assert "no identity vault yet" in found["note"]["en"]
    same = post(console, path, keep=A, other=B, same=True)
    assert [c["duplicate_of"] for c in same.json()["contacts"]] == [None, A]
    assert of_case(console, case)["same"] == [{"person": B, "of": A}]
    assert console.client.get(path, headers=HEAD).json()["suggestions"] == []
    today = console.client.get("/v1/triage?capacity=9", headers=HEAD).json()
    assert B not in [row["person"] for row in today["today"]]
    assert post(console, path, keep=B, other=C, same=True).status_code == 409
    # named the other way round, it is the same pair
    apart = post(console, path, keep=B, other=A, same=False)
    assert [c["duplicate_of"] for c in apart.json()["contacts"]] == [None, None]
    assert (of_case(console, case)["same"], of_case(console, case)["version"]) == ([], 3)
    found = console.client.get(path, headers=HEAD).json()
    assert (found["suggestions"], found["decided"]) == (
        [],
        [{"first": A, "second": B, "same": False}],
    )
    assert post(console, path, keep=A, other=A, same=True).status_code == 422
    assert post(console, path, keep=A, other=D, same=True).status_code == 404


def of_case(console: Running, case: str) -> dict[str, Any]:
    found: dict[str, Any] = console.client.get(f"/v1/cases/{case}", headers=HEAD).json()
    return found


def test_the_cases_own_card_is_suggested_and_is_the_case(console: Running) -> None:
    card = [_arriving(7, 1, 0), _arriving(8, 2, 0)]
    case = new_case(console, document(A, *card), document(B))
    own = [{**e["stay"], "place": e["place"], "opened_by": {"partition": 0}} for e in card]
    lone = [{"place": 9, "start": "2021-12-01T00:00:00.000Z", "opened_by": None}]
    plain = console.tables.answer
    assert plain is not None

    def answer(sql: str, what: dict[str, Any]) -> Any:
        rows = plain(sql, what)
        return (
            [(*r[:-1], orjson.dumps({"stays": own + lone})) for r in rows]
            if "summary" in sql
            else rows
        )

    console.tables.answer = lambda sql, what: [] if "FROM scans" in sql else answer(sql, what)
    path = f"/v1/cases/{case}/duplicates"
    [suggestion] = console.client.get(path, headers=HEAD).json()["suggestions"]
    assert {suggestion["first"], suggestion["second"]} == {A, PERSON}
    assert "chính ca bệnh" in suggestion["reason"]["vi"]
    same = post(console, path, keep=A, other=PERSON, same=True)  # the case is the one kept
    assert [(c["person"], c["duplicate_of"]) for c in same.json()["contacts"]] == [(A, PERSON)]
    assert of_case(console, case)["same"] == [{"person": A, "of": PERSON}]


def test_who_converts_may_register() -> None:
    for rights in RIGHTS.values():
        assert Right.LIST_CONVERT not in rights or Right.CASES_REGISTER in rights
