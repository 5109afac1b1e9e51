"""Inspections over HTTP: what is recorded, said, refused and shown, and within which area."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from console.inspections.photos import MOST_BYTES, digest
from console.store import sites
from console.store.engine import utc_now
from console.store.keys import Role
from console.store.register import register_sites
from issuer.codes import code_url
from schemas.clock import LOCAL
from schemas.scan import format_timestamp
from tests.console_kit import RING, WARD, Running, new_sites, running
from tests.inspections_kit import picture

KEYS = "1:" + "5a" * 32  # as `RING`
ORIGIN = "HTTPS://TRUYVET.VN/C/"
JPEG = picture("JPEG", comment=b"An, 0912 345 678")
POSTED = {"kind": "checked", "result": "passed", "posted": True, "visible": True}
MISSING = {"kind": "checked", "result": "defects", "posted": False}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console"), code_keys=KEYS) as made:
        yield made


class Ward:
    """A ward's officer, and a site of two places of its own."""

    def __init__(self, console: Running, name: str) -> None:
        self.console = console
        self.places = register_sites(
            console.store, RING, new_sites(1, 2, name), source=name, valid_from=None
        )
        self.place = self.places[0].id
        self.head = console.key(Role.OFFICER, f"ward/{WARD}")
        self.id = str(uuid4())

    def ask(self, method: str, path: str, head: Any = None, **options: Any) -> Any:
        url = f"/v1/inspections/{path}"
        return self.console.client.request(method, url, headers=head or self.head, **options)

    def send(
        self, step: dict[str, Any], *, to: str = "steps", head: Any = None, **more: Any
    ) -> Any:
        body = {"event_id": str(uuid4()), "occurred_at": ago(0), "place": self.place, "step": step}
        return self.ask("POST", f"{self.id}/{to}", head, json=body | more)

    def url(self, number: int = 0) -> str:
        found = sites.place(self.console.store, self.places[number].id)
        assert found is not None
        return code_url(ORIGIN, found.codes[0].token)


@pytest.fixture
def ward(served: Running, request: pytest.FixtureRequest) -> Iterator[Ward]:
    before = served.tables.answer
    yield Ward(served, request.node.name)
    served.tables.answer = before


def ago(minutes: float) -> str:
    return format_timestamp(utc_now() - timedelta(minutes=minutes))


def in_days(days: int) -> str:
    return f"{utc_now().astimezone(LOCAL) + timedelta(days=days):%Y-%m-%d}"


def test_an_inspection_from_the_check_to_its_end(ward: Ward) -> None:
    ward.console.tables.answer = lambda _sql, what: [(12 if what["place"] == ward.place else 0,)]
    said = ward.send(MISSING | {"note": "cửa sau"}, occurred_at=ago(50)).json()
    assert (said["stage"], said["result"], said["place"]) == ("checked", "defects", ward.place)
    assert said["ahead"]["turn"] == "officer"
    assert said["ahead"]["proposed"] == ["ordered"]
    assert said["steps"][0]["seen"]["scans"] == 12
    assert said["steps"][0]["content"]["note"] == "cửa sau"
    order = {"kind": "ordered", "mend": ["put_up"], "by": in_days(7)}
    said = ward.send(order, occurred_at=ago(40)).json()
    assert (said["stage"], said["due_on"], said["ahead"]["turn"]) == (
        "ordered",
        in_days(7),
        "owner",
    )
    said = ward.send({"says": "mended"}, to="reply", occurred_at=ago(30)).json()
    assert said["stage"] == "replied"
    said = ward.send(POSTED | {"scanned": ward.url()}, occurred_at=ago(20)).json()
    assert (said["stage"], said["due_on"], said["ahead"]["proposed"]) == (
        "checked",
        None,
        ["closed"],
    )
    seen = said["steps"][-1]["seen"]
    assert (seen["standing"], seen["here"], seen["version"], seen["current"]) == (
        "valid", True, 1, True,
    )  # fmt: skip
    said = ward.send({"kind": "closed", "ending": "mended"}).json()
    assert (said["stage"], said["ahead"]["turn"], said["version"]) == ("closed", "nobody", 5)
    assert ward.ask("GET", ward.id).json() == said


def test_the_same_again_answers_the_same_and_other_words_409(ward: Ward) -> None:
    body = {"event_id": str(uuid4()), "occurred_at": ago(90), "place": ward.place, "step": MISSING}
    path = f"{ward.id}/steps"
    first = ward.ask("POST", path, json=body)
    again = ward.ask("POST", path.upper().replace("/STEPS", "/steps"), json=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = ward.ask("POST", path, json=body | {"step": POSTED})
    assert other.status_code == 409
    assert "event_id" in other.json()["sentence"]["en"]
    elsewhere = ward.send(MISSING, place=ward.places[1].id)
    assert elsewhere.status_code == 409


def test_an_order_before_its_check_is_kept_and_counts_when_the_check_arrives(ward: Ward) -> None:
    order = {"kind": "ordered", "mend": ["put_up"], "by": in_days(7)}
    said = ward.send(order, occurred_at=ago(10)).json()
    [step] = said["steps"]
    assert (said["stage"], step["counts"], step["aside"]) == (None, False, "not_checked")
    assert "counts once the check arrives" in step["sentence"]["en"]
    said = ward.send(MISSING, occurred_at=ago(20)).json()
    assert (said["stage"], [step["counts"] for step in said["steps"]]) == ("ordered", [True, True])


def test_a_code_is_judged_by_when_it_was_scanned(ward: Ward) -> None:
    text = ward.url()
    officer = ward.console.client.post(
        f"/v1/places/{ward.place}/codes/1/revoke",
        json={"reason": "posted online", "new": True},
        headers=ward.head,
    )
    assert officer.status_code == 200
    check = POSTED | {"scanned": text}
    # in the evening a phone sends what it scanned before the poster's code was revoked
    seen = [
        ward.send(check, occurred_at=ago(minutes)).json()["steps"][-1]["seen"]
        for minutes in (30, 0)
    ]
    assert [(s["standing"], s["current"]) for s in seen] == [("valid", True), ("revoked", False)]
    other = ward.send(check | {"scanned": ward.url(1)}).json()["steps"][-1]["seen"]
    assert (other["here"], other["current"], other["version"]) == (False, False, None)
    unread = ward.send(check | {"scanned": "xin chào"}).json()["steps"][-1]["seen"]
    assert (unread["standing"], unread["current"]) == ("unreadable", False)


def test_a_check_is_recorded_while_clickhouse_is_away(ward: Ward) -> None:
    ward.console.tables.answer = None
    said = ward.send(MISSING).json()
    assert said["stage"] == "checked"
    assert said["steps"][0]["seen"]["scans"] is None


def test_scans_that_retention_has_taken_are_not_counted_as_none(ward: Ward) -> None:
    ward.console.tables.answer = lambda _sql, _what: [(0,)]
    said = ward.send(MISSING, occurred_at=ago(20 * 24 * 60)).json()
    assert said["steps"][0]["seen"]["scans"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"minutes_ago": -10}, "in the future"),
        ({"minutes_ago": 400 * 24 * 60}, "more than a year ago"),
        ({"occurred_at": "2026-11-23T08:00:00Z"}, "YYYY-MM-DD"),
        ({"event_id": "7"}, "canonical form"),
        ({"step": {"kind": "checked", "result": "passed", "posted": False}}, "To pass"),
        ({"step": {"kind": "replied", "says": "mended"}}, "step"),
        ({"step": {"kind": "ordered", "mend": ["put_up"], "by": "2026-01-01"}}, "was over"),
        (
            {"step": {"kind": "checked", "result": "defects", "posted": False, "name": "A"}},
            "no such",
        ),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(
    ward: Ward, change: dict[str, Any], says: str
) -> None:
    change = dict(change)
    if "minutes_ago" in change:  # of now: whoever runs all tests has been at it for a while
        change["occurred_at"] = ago(change.pop("minutes_ago"))
    answer = ward.send(change.pop("step", MISSING), **change)
    assert answer.status_code == 422
    sentence = answer.json()["sentence"]
    assert says in sentence["en"]
    assert sentence["vi"] != sentence["en"]
    assert ward.ask("GET", ward.id).status_code == 404


def test_outside_the_area_and_not_there_are_one_answer(ward: Ward) -> None:
    ward.send(MISSING)
    away = ward.console.key(Role.OFFICER, "city/01")
    body = {"event_id": str(uuid4()), "occurred_at": ago(0), "step": MISSING}
    reply, decision = {"says": "mended"}, {"by": "ward_chair", "outcome": "reminded"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "steps", {"json": body}),
        ("POST", "steps", {"json": body | {"place": ward.place}}),
        ("POST", "reply", {"json": body | {"step": reply}}),
        ("POST", "decision", {"json": body | {"step": decision}}),
        ("GET", "record.pdf", {}),
        ("GET", "photos/" + "0" * 64, {}),
        ("PUT", "photos/" + digest(JPEG), {"content": JPEG}),
    ]
    nowhere = str(uuid4())
    for method, path, options in asked:
        outside = ward.ask(method, f"{ward.id}/{path}", away, **options)
        assert outside.status_code == 404, path
        if "photos/0" not in path and "place" not in options.get("json", {}):
            there_is_none = ward.ask(method, f"{nowhere}/{path}", **options)
            assert there_is_none.json() == outside.json(), path
    assert ward.ask("GET", ward.id, away).status_code == 404
    assert len(ward.ask("GET", ward.id).json()["steps"]) == 1


def test_a_decision_is_recorded_at_the_level_that_was_asked(ward: Ward) -> None:
    ward.send(MISSING, occurred_at=ago(30))
    ward.send({"kind": "referred", "to": "district_chair"}, occurred_at=ago(20))
    decided = {"by": "district_chair", "outcome": "measure", "document": "7/QĐ-UBND"}
    answer = ward.send(decided, to="decision")
    assert answer.status_code == 403
    assert "the district's chair" in answer.json()["sentence"]["en"]
    district = ward.console.key(Role.OFFICER, "district/306")
    said = ward.send(decided, to="decision", head=district).json()
    assert (said["stage"], said["ahead"]["turn"]) == ("decided", "officer")
    # another's decision, also one sent before the referral, is not the one that was asked for
    mine = {"by": "ward_chair", "outcome": "no_action"}
    said = ward.send(mine, to="decision", occurred_at=ago(10)).json()
    assert [step["counts"] for step in said["steps"]] == [True, True, False, True]


def test_a_department_sees_and_decides_its_own_sector(ward: Ward) -> None:
    ward.send(MISSING, occurred_at=ago(30))
    ward.send({"kind": "referred", "to": "sector_department"}, occurred_at=ago(20))
    decided = {"by": "sector_department", "outcome": "reminded"}
    other = ward.console.key(Role.DEPARTMENT, "city/31", sector="tourism")
    assert ward.ask("GET", ward.id, other).status_code == 404
    assert ward.send(decided, to="decision", head=other).status_code == 404
    theirs = ward.console.key(Role.DEPARTMENT, "city/31", sector="health")
    assert ward.send(decided, to="decision", head=theirs).json()["stage"] == "decided"
    assert ward.send(MISSING, head=theirs).status_code == 403
    for head, count in ((theirs, 1), (other, 0)):
        url = f"/v1/inspections?place={ward.place}"
        found = ward.console.client.get(url, headers=head).json()["inspections"]
        assert len(found) == count


def test_a_round_and_lists_page_by_page(tmp_path: Path) -> None:
    with running(tmp_path, code_keys=KEYS) as console:
        ward = Ward(console, "w")
        more = register_sites(console.store, RING, new_sites(2, 2, "x"), source="x")
        first = console.client.get(f"/v1/inspections/round?ward={WARD}", headers=ward.head).json()
        assert [v["reason"] for v in first["visits"]] == ["never"] * 6
        ward.send(POSTED)
        ward.id, ward.place = str(uuid4()), more[0].id
        ward.send({"kind": "opened", "planned_on": in_days(0)}, occurred_at=ago(1))
        url = f"/v1/inspections/round?ward={WARD}&limit=4"
        pages = [
            console.client.get(f"{url}&offset={offset}", headers=ward.head).json()
            for offset in (0, 4)
        ]
        reasons = [visit["reason"] for page in pages for visit in page["visits"]]
        assert reasons == ["planned", "never", "never", "never", "never", "oldest"]
        assert pages[0]["total"] == 6
        assert pages[0]["visits"][0]["inspection"] == ward.id
        outside = console.client.get("/v1/inspections/round?ward=00001", headers=ward.head)
        assert outside.status_code == 404

        def listed(query: str, head: Any = ward.head) -> Any:
            return console.client.get(f"/v1/inspections?{query}", headers=head).json()

        page = listed("limit=1")
        assert (page["inspections"][0]["number"], page["after"]) == (2, 2)
        assert [i["number"] for i in listed("limit=1&after=2")["inspections"]] == [1]
        assert [i["number"] for i in listed("stage=planned")["inspections"]] == [2]
        assert listed("overdue=true")["inspections"] == []
        assert listed("", console.key(Role.OFFICER, "city/01"))["inspections"] == []


def test_photos_come_after_their_check_and_are_missed_until_then(ward: Ward) -> None:
    name = digest(JPEG)
    path = f"{ward.id}/photos/{name}"
    assert ward.ask("PUT", path, content=JPEG).status_code == 404
    assert ward.send(MISSING | {"photos": [name]}).json()["photos_missing"] == [name]
    assert ward.ask("GET", path).status_code == 404
    for _ in range(2):
        kept = ward.ask("PUT", path, content=JPEG)
        assert kept.json() == {"sha256": name, "media_type": "image/jpeg", "bytes": len(JPEG)}
    assert ward.ask("GET", ward.id).json()["photos_missing"] == []
    shown = ward.ask("GET", path)
    assert shown.headers["content-type"] == "image/jpeg"
    assert len(shown.content) < len(JPEG)
    assert b"0912" not in shown.content
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert ward.ask("PUT", path, content=JPEG + b"x" * MOST_BYTES).status_code == 413
    wrong = ward.ask("PUT", f"{ward.id}/photos/{'0' * 64}", content=JPEG)
    assert wrong.status_code == 422


def test_the_record_is_a_pdf_once_somebody_has_checked(ward: Ward) -> None:
    ward.send({"kind": "opened"}, occurred_at=ago(10))
    assert ward.ask("GET", f"{ward.id}/record.pdf").status_code == 409
    ward.send(MISSING)
    answer = ward.ask("GET", f"{ward.id}/record.pdf?lang=both")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["cache-control"] == "no-store"


def test_a_step_is_on_its_way_to_kafka(ward: Ward) -> None:
    ward.send(MISSING)
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while datetime.now(UTC) < deadline:
        keys = [r.key for r in ward.console.relayed.records if r.topic == "inspections.v1"]
        if str(ward.place).encode() in keys:
            return
    raise AssertionError("nothing was relayed")
