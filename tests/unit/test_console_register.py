"""Codes and the register over HTTP: what is done, refused and shown, and within which area."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.store import sites
from console.store.keys import Role
from console.store.register import register_sites
from issuer.codes import issue
from issuer.keyring import KeyRing
from schemas.places import Place
from tests.console_kit import RING, WARD, Running, new_sites, running

KEYS = "1:" + "5a" * 32  # as `RING`
ORIGIN = "HTTPS://TRUYVET.VN/C/"
ELSEWHERE = "11416"  # of the same province


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console"), code_keys=KEYS) as made:
        yield made


class Officer:
    """One of the ward, with a site of two places of its own."""

    def __init__(self, console: Running, name: str) -> None:
        self.console = console
        made = register_sites(console.store, RING, new_sites(2, 2, name), source=name)
        self.place, self.site = made[0].id, made[0].site
        self.other_site = made[2].site
        self.head = console.key(Role.OFFICER, f"ward/{WARD}")

    def ask(self, method: str, path: str, head: Any = None, **body: Any) -> Any:
        path = path.format(place=self.place, site=self.site)
        return self.console.client.request(
            method, f"/v1/{path}", json=body, headers=head or self.head
        )

    def stored(self) -> Place:
        found = sites.place(self.console.store, self.place)
        assert found is not None
        return found


@pytest.fixture
def officer(served: Running, request: pytest.FixtureRequest) -> Officer:
    return Officer(served, request.node.name)


READ = ["places/{place}/codes", "places/{place}/history", "sites/{site}", "sites/{site}/history"]
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "places/{place}/codes", {}),
    ("POST", "places/{place}/codes/1/revoke", {"reason": "lost"}),
    ("PATCH", "places/{place}", {"capacity": 40}),
    ("POST", "places/{place}/close", {"reason": "gone"}),
    ("PATCH", "sites/{site}", {"name": "Chợ"}),
    ("POST", "sites/{site}/close", {"reason": "gone"}),
    ("POST", "sites/{site}/merge", {"into": 2, "reason": "twice"}),
]


def test_outside_the_area_and_not_there_are_one_answer(officer: Officer) -> None:
    before = officer.stored()
    away = officer.console.key(Role.OFFICER, "city/01")
    for method, path, body in [*ASKED, *(("GET", path, {}) for path in READ)]:
        outside = officer.ask(method, path, away, **body)
        nowhere = officer.ask(
            method, path.replace("{place}", "999999").replace("{site}", "999999"), **body
        )
        assert (outside.status_code, nowhere.status_code) == (404, 404), path
        assert outside.json() == nowhere.json()
    assert officer.stored() == before


@pytest.mark.parametrize("area", [f"ward/{WARD}", "district/306", "city/31", "*"])
def test_officers_of_ward_district_and_city_reach_it(officer: Officer, area: str) -> None:
    head = officer.console.key(Role.OFFICER, area)
    answer = officer.ask("PATCH", "places/{place}", head, capacity=40)
    assert answer.status_code == 200, answer.text


def test_an_admin_edits_and_an_owner_does_not(officer: Officer) -> None:
    admin, owner = (officer.console.key(role) for role in (Role.ADMIN, Role.OWNER))
    assert officer.ask("PATCH", "places/{place}", admin, capacity=40).status_code == 200
    assert officer.ask("PATCH", "places/{place}", owner, capacity=50).status_code == 403


def test_a_code_is_rotated_once_and_revoked_with_the_next_at_once(officer: Officer) -> None:
    first = officer.ask("POST", "places/{place}/codes", overlap_days=3).json()
    assert (first["changed"], first["version"]) == (True, 2)
    assert [c["version"] for c in first["codes"]] == [1, 2]
    assert first["codes"][1]["url"] == ORIGIN + first["codes"][1]["token"]
    again = officer.ask("POST", "places/{place}/codes", overlap_days=3).json()
    assert (again["changed"], again["left"], again["version"]) == (False, "changing", 2)
    for version in (1, 2):
        path = f"places/{{place}}/codes/{version}/revoke"
        body = officer.ask("POST", path, reason="photographed", new=True).json()
        assert body["changed"]
    assert [bool(c["revoked_at"]) for c in body["codes"]] == [True, True, False]
    retried = officer.ask("POST", path, reason="photographed", new=True).json()
    assert (retried["changed"], retried["codes"]) == (False, body["codes"])
    steps = officer.ask("GET", "places/{place}/history").json()["changes"]
    assert [step["what"] for step in steps] == ["rotate", "revoke", "revoke"]
    assert all(step["by"].startswith("key/") for step in steps)
    assert not any(code["token"] in str(steps) for code in body["codes"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("codes/1/revoke", {}, "reason"),
        ("codes/1/revoke", {"reason": "  "}, "reason"),
        ("codes/1/revoke", {"reason": "x", "since": "2999-01-01T00:00:00.000Z"}, "since"),
        ("codes/1024/revoke", {"reason": "x"}, "version"),
        ("codes", {"overlap_days": -1}, "overlap_days"),
        ("codes", {"overlap_days": 91}, "overlap_days"),
        ("codes", {"valid_from": "tomorrow"}, "valid_from"),
        ("codes", {"token": "x"}, "token"),
    ],
)
def test_a_wrong_request_names_the_field(
    officer: Officer, path: str, body: dict[str, Any], field: str
) -> None:
    before = officer.stored()
    answer = officer.ask("POST", "places/{place}/" + path, **body)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert answer.json()["sentence"]["vi"]
    assert officer.stored() == before


def test_a_version_that_is_not_there_is_404_and_a_closed_place_gets_no_code(
    officer: Officer,
) -> None:
    assert officer.ask("POST", "places/{place}/codes/7/revoke", reason="x").status_code == 404
    assert officer.ask("POST", "places/{place}/close", reason="gone").json()["status"] == "closed"
    refused = officer.ask("POST", "places/{place}/codes")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "đã đóng" in refused.json()["sentence"]["vi"]


def said(officer: Officer, text: str, head: Any = None) -> dict[str, Any]:
    answer = officer.ask("POST", "codes/verify", head, text=text)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_what_a_code_is(officer: Officer) -> None:
    token = officer.stored().codes[0].token
    good = said(officer, (ORIGIN + token).lower())
    assert (good["good"], good["standing"], good["delivered"]) == (True, "valid", "typed")
    assert (good["place"], good["version"], good["place_name"]) == (officer.place, 1, "Room 0")
    other = said(officer, "HTTPS://TRUYVET.VM/C/" + token)
    assert (other["good"], other["standing"]) == (False, "other_host")
    officer.ask("POST", "places/{place}/codes/1/revoke", reason="photographed")
    gone = said(officer, token)
    assert (gone["standing"], gone["revoked_reason"]) == ("revoked", "photographed")
    forged = said(officer, issue(KeyRing.parse("1:" + "33" * 16), officer.place, 1))
    assert (forged["standing"], forged["ours"], forged["place_name"]) == ("forged", False, None)
    unknown = said(officer, issue(RING, 2**30 - 1, 1))
    assert (unknown["standing"], unknown["ours"]) == ("unknown", True)
    broken = said(officer, token[:-1] + "?")
    assert (broken["standing"], broken["place"]) == ("unreadable", None)
    assert all(KEYS[2:] not in str(one) for one in (good, gone, forged, unknown, broken))


def test_a_code_of_another_area_is_verified_without_its_names(officer: Officer) -> None:
    away = officer.console.key(Role.OFFICER, "city/01")
    found = said(officer, officer.stored().codes[0].token, away)
    assert (found["standing"], found["place"]) == ("valid", officer.place)
    assert (found["place_name"], found["site_name"], found["ward"]) == (None, None, None)


def test_a_console_without_keys_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        officer = Officer(console, "x")
        answer = officer.ask("POST", "codes/verify", text="x")
        assert answer.status_code == 503
        assert "TRUYVET_CODE_KEYS" in answer.json()["sentence"]["vi"]


def test_a_place_is_edited_and_its_history_says_by_whom(officer: Officer) -> None:
    answer = officer.ask(
        "PATCH",
        "places/{place}",
        version=1,
        note="đo lại",
        capacity=40,
        hours={"opens": "05:00", "closes": "18:00"},
        sector="education",
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["version"], body["capacity"], body["sector"]) == (2, 40, "education")
    removed = officer.ask("PATCH", "places/{place}", hours=None).json()
    assert (removed["version"], removed["hours"]) == (3, None)
    stale = officer.ask("PATCH", "places/{place}", version=1, capacity=50)
    assert (stale.status_code, stale.json()["sentence"]["en"][:8]) == (409, "version:")
    steps = officer.ask("GET", "places/{place}/history").json()["changes"]
    assert [(s["version"], s["what"], s["note"]) for s in steps] == [
        (2, "edit", "đo lại"),
        (3, "edit", None),
    ]
    assert steps[0]["before"]["capacity"] is None


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("places/{place}", {}, "body"),
        ("places/{place}", {"note": "x"}, "body"),
        ("places/{place}", {"name": None}, "name"),
        ("places/{place}", {"name": ""}, "name"),
        ("places/{place}", {"capacity": 0}, "capacity"),
        ("places/{place}", {"usual_stay": 1441}, "usual_stay"),
        ("places/{place}", {"kind": "market"}, "kind"),
        ("places/{place}", {"sector": "x"}, "sector"),
        ("places/{place}", {"enclosed": None}, "enclosed"),
        ("places/{place}", {"hours": {"opens": "25:00", "closes": "18:00"}}, "hours.opens"),
        ("places/{place}", {"status": "closed"}, "status"),
        ("sites/{site}", {"ward": "99999"}, "ward"),
        ("sites/{site}", {"ward": ELSEWHERE}, "ward"),  # outside the key's area
        ("sites/{site}", {"kind": "gate"}, "kind"),
        ("sites/{site}", {"address": ""}, "address"),
    ],
)
def test_a_wrong_edit_names_the_field_and_changes_nothing(
    officer: Officer, path: str, body: dict[str, Any], field: str
) -> None:
    before = officer.stored()
    answer = officer.ask("PATCH", path, **body)
    assert answer.status_code == 422, answer.text
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert officer.stored() == before


def test_a_site_moves_where_the_key_reaches_both_wards(officer: Officer) -> None:
    city = officer.console.key(Role.OFFICER, "city/31")
    answer = officer.ask("PATCH", "sites/{site}", city, ward=ELSEWHERE)
    assert (answer.status_code, answer.json()["ward"]) == (200, ELSEWHERE)
    assert officer.stored().ward == ELSEWHERE
    # it is the other ward's from now on
    assert officer.ask("PATCH", "sites/{site}", name="x").status_code == 404


def test_sites_are_merged_and_closed(officer: Officer) -> None:
    body = officer.ask("POST", "sites/{site}/merge", into=officer.other_site, reason="twice")
    assert body.json()["merged_into"] == officer.other_site
    assert officer.stored().site == officer.other_site
    assert said(officer, officer.stored().codes[0].token)["good"]
    closed = officer.ask("POST", f"sites/{officer.other_site}/close", reason="gone").json()
    assert (closed["status"], closed["merged_into"]) == ("closed", None)
    assert said(officer, officer.stored().codes[0].token)["standing"] == "revoked"
    [step] = officer.ask("GET", "sites/{site}/history").json()["changes"]
    assert (step["what"], step["note"]) == ("merge", "twice")
    late = officer.ask("PATCH", "sites/{site}", name="x")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")


def test_a_site_is_not_merged_into_one_that_the_key_does_not_reach(officer: Officer) -> None:
    city = officer.console.key(Role.OFFICER, "city/31")
    officer.ask("PATCH", f"sites/{officer.other_site}", city, ward=ELSEWHERE)
    answer = officer.ask("POST", "sites/{site}/merge", into=officer.other_site, reason="twice")
    assert answer.status_code == 404
    assert officer.stored().site == officer.site


def test_sites_are_listed_within_the_area_page_by_page(officer: Officer) -> None:
    def listed(query: str, head: Any = None) -> dict[str, Any]:
        answer = officer.console.client.get(f"/v1/sites?{query}", headers=head or officer.head)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    before = officer.site - 1
    page = listed(f"limit=1&after={before}")
    assert [one["id"] for one in page["sites"]] == [page["after"]] == [officer.site]
    assert page["sites"][0]["places"] == 2
    rest = listed(f"after={page['after']}")
    assert ([one["id"] for one in rest["sites"]], rest["after"]) == ([officer.other_site], None)
    assert listed(f"after={before}&ward={WARD}")["sites"] == page["sites"] + rest["sites"]
    assert listed(f"ward={ELSEWHERE}")["sites"] == []
    away = officer.console.key(Role.OFFICER, "city/01")
    assert listed("", away)["sites"] == listed(f"ward={WARD}", away)["sites"] == []
    everywhere = officer.console.key(Role.ADMIN)
    assert len(listed(f"after={before}", everywhere)["sites"]) == 2
    whole = officer.ask("GET", "sites/{site}").json()
    assert whole["site"] == {k: v for k, v in page["sites"][0].items() if k != "places"}
    assert [place["id"] for place in whole["places"]] == [officer.place, officer.place + 1]
    assert officer.stored().codes[0].token not in str(whole)
    [code] = officer.ask("GET", "places/{place}/codes").json()["codes"]
    assert code["token"] == officer.stored().codes[0].token


def test_a_room_lies_within_another_place_of_its_site(officer: Officer) -> None:
    """In no circle, and in no place of another site."""
    inside = officer.ask("PATCH", "places/{place}", within=officer.place + 1)
    assert inside.status_code == 200, inside.text
    assert inside.json()["within"] == officer.place + 1
    assert officer.stored().within == officer.place + 1
    around = officer.ask("PATCH", f"places/{officer.place + 1}", within=officer.place)
    assert around.status_code == 409
    assert "lies within place" in around.json()["sentence"]["en"]
    for wrong in (officer.place, officer.place + 2, 2**30 - 1):
        refused = officer.ask("PATCH", "places/{place}", within=wrong)
        assert refused.status_code == 409
        assert f"place number {wrong}" in refused.json()["sentence"]["en"]
    freed = officer.ask("PATCH", "places/{place}", within=None)
    assert freed.json()["within"] is None


def test_with_another_kind_goes_what_the_kind_says(officer: Officer) -> None:
    before = officer.stored()
    edited = officer.ask("PATCH", "places/{place}", kind="stall_row", capacity=9).json()
    assert (before.enclosed, edited["enclosed"]) == (True, False)
    kept = officer.ask("PATCH", "places/{place}", kind="meeting_room", enclosed=False)
    assert kept.json()["enclosed"] is False, "what somebody says counts"
    hours = officer.stored().hours
    same = officer.ask("PATCH", "places/{place}", kind="meeting_room").json()
    assert (same["version"], officer.stored().hours) == (kept.json()["version"], hours)
    gate = officer.ask("PATCH", "places/{place}", kind="gate", capacity=None).json()
    assert gate["gate"]
    hall = officer.ask("PATCH", "places/{place}", kind="meeting_room", capacity=500).json()
    assert (hall["gate"], hall["small"]) == (False, False), "by what it holds from now on"
