"""Cases over HTTP: registering, what is refused and how, jurisdiction, contacts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.store.keys import Role
from console.store.producers import put_producer
from console.store.register import register_sites
from schemas.cases import Case
from schemas.clock import LOCAL
from schemas.places import Producer
from tests.console_kit import ADMIN, PERSON, RING, WARD, Running, bearer, new_sites, running
from tests.system import wait_for

HEAD = bearer(ADMIN)
TODAY = datetime.now(LOCAL).date()
# one person in all of these, each time another case
GOOD: dict[str, Any] = {
    "person": PERSON, "onset": str(TODAY - timedelta(days=2)), "ward": WARD, "although_open": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("console")) as console:
        yield console


def register(console: Running, **changes: Any) -> dict[str, Any]:
    answer = console.client.post("/v1/cases", json=GOOD | changes, headers=HEAD)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_registered_case_can_be_read_and_is_relayed(console: Running) -> None:
    answer = console.client.post("/v1/cases", json=GOOD, headers=HEAD)
    assert answer.status_code == 201
    case = answer.json()
    assert answer.headers["Location"] == f"/v1/cases/{case['id']}"
    assert (case["version"], case["status"], case["person"]) == (1, "confirmed", PERSON)
    assert case["registered_by"].startswith("key/")
    assert console.client.get(answer.headers["Location"], headers=HEAD).json() == case
    listed = console.client.get("/v1/cases?limit=1", headers=HEAD).json()
    assert listed["cases"] == [case]
    deadline = datetime.now(LOCAL) + timedelta(seconds=5)
    while datetime.now(LOCAL) < deadline:
        sent = [r for r in console.relayed.records if r.key == case["id"].encode()]
        if sent:
            break
    assert Case.model_validate_json(sent[0].value) == Case.model_validate(case)
    assert dict(sent[0].headers)["ce_type"] == b"vn.truyvet.case.registered"


TO_COME = str(TODAY + timedelta(days=2))  # whatever midnight comes by meanwhile
LATER = f"{TODAY + timedelta(days=2)}T00:00:00.000Z"
ONSET_EVE = TODAY - timedelta(days=3)
EARLY = f"{ONSET_EVE}T16:59:59.999Z"  # the last instant of that local day
REFUSALS: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"onset": TO_COME}, "onset", "in_future", "tương lai", "in the future"),
    ({"sampled_on": TO_COME}, "sampled_on", "in_future", "tương lai", "in the future"),
    ({"result_on": TO_COME}, "result_on", "in_future", "tương lai", "in the future"),
    ({"isolated_at": LATER}, "isolated_at", "in_future", "tương lai", "in the future"),
    ({"negative_at": LATER}, "negative_at", "in_future", "tương lai", "in the future"),
    (
        {"sampled_on": str(TODAY - timedelta(days=3))},
        "onset",
        "after_sample",
        "sau ngày lấy mẫu",
        "after the sampling date",
    ),
    ({"negative_at": EARLY}, "negative_at", "before_onset", "ngày khởi phát", "the onset"),
    (
        {"negative_at": EARLY, "sampled_on": str(TODAY)},
        "negative_at",
        "before_sample",
        "trước ngày lấy mẫu",
        "before the sampling date",
    ),
    (
        {"sampled_on": str(TODAY), "result_on": str(TODAY - timedelta(days=1))},
        "result_on",
        "before_sample",
        "trước ngày lấy mẫu",
        "before the sampling date",
    ),
    ({"result_on": "1999-12-31"}, "result_on", "too_old", "năm", "the year"),
    ({"onset": "0001-01-01"}, "onset", "too_old", "trước 01/01/2000", "before 2000-01-01"),
    ({"sampled_on": "1999-12-31", "onset": None}, "sampled_on", "too_old", "năm", "the year"),
    ({"isolated_at": "0001-01-01T00:00:00.000Z"}, "isolated_at", "too_old", "năm", "the year"),
    ({"onset": None}, "onset", "onset_or_sample", "ít nhất một", "one is needed"),
    ({"person": "7zk3m9qx2b4cd"}, "person", "malformed_id", "13 ký tự", "13 Crockford"),
    ({"person": "Z" * 13}, "person", "malformed_id", "13 ký tự", "13 Crockford"),
    ({"person": 17}, "person", "malformed_id", "13 ký tự", "13 Crockford"),
    ({"ward": "00000"}, "ward", "unknown", "Không có xã", "no ward"),
    ({"rule_set": "mine"}, "rule_set", "unknown", "bộ quy tắc", "vn-2021-12-29"),
    ({"status": "closed"}, "status", "literal_error", "một trong", "one of"),
    ({"onset": "20/11/2026"}, "onset", "date_from_datetime_parsing", "YYYY-MM-DD", "YYYY-MM-DD"),
    ({"isolated_at": "2026-11-20 08:00"}, "isolated_at", "timestamp", "dạng YYYY", "exactly YYYY"),
    ({"name": "Nguyễn Văn A"}, "name", "extra_forbidden", "Không có trường", "no such field"),
]


@pytest.mark.parametrize(("changes", "field", "code", "vi", "en"), REFUSALS)
def test_a_wrong_case_is_refused_by_field_in_both_languages(
    console: Running, changes: dict[str, Any], field: str, code: str, vi: str, en: str
) -> None:
    body = {name: value for name, value in (GOOD | changes).items() if value is not None}
    answer = console.client.post("/v1/cases", json=body, headers=HEAD)
    assert answer.status_code == 422
    problem = answer.json()
    [error] = [e for e in problem["errors"] if e["field"] == field]
    assert error["code"] == code
    assert vi in error["sentence"]["vi"]
    assert en in error["sentence"]["en"]
    assert vi in problem["sentence"]["vi"]
    assert "Nguyễn" not in answer.text
    assert "7zk3" not in answer.text


def test_negative_on_the_day_itself_and_isolated_before_are_real(console: Running) -> None:
    midnight = f"{ONSET_EVE}T17:00:00.000Z"
    case = register(console, negative_at=midnight, isolated_at=EARLY)
    assert (case["negative_at"], case["isolated_at"]) == (midnight, EARLY)


def test_a_body_that_is_no_case_at_all(console: Running) -> None:
    for content in (b"", b"{", b"[]", b"null"):
        headers = HEAD | {"Content-Type": "application/json"}
        answer = console.client.post("/v1/cases", content=content, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"]


def test_a_retry_makes_no_second_case(console: Running) -> None:
    headers = HEAD | {"Idempotency-Key": "abc"}
    answers = [console.client.post("/v1/cases", json=GOOD, headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = GOOD | {"onset": str(TODAY - timedelta(days=5))}
    clash = console.client.post("/v1/cases", json=other, headers=headers)
    assert clash.status_code == 409
    assert "Idempotency-Key" in clash.json()["sentence"]["vi"]
    assert "another case" in clash.json()["sentence"]["en"]
    another = console.key(Role.EPIDEMIOLOGIST)
    mine = console.client.post("/v1/cases", json=GOOD, headers=another | {"Idempotency-Key": "abc"})
    assert mine.json()["id"] != answers[0].json()["id"]


def test_a_case_outside_the_area_is_as_if_it_were_not(console: Running) -> None:
    case = register(console, person="0AWAY00000001")["id"]
    away = console.key(Role.EPIDEMIOLOGIST, "city/01")
    here = console.key(Role.EPIDEMIOLOGIST, f"ward/{WARD}")
    for method, path in (
        ("GET", f"/v1/cases/{case}"),
        ("GET", f"/v1/cases/{case}/contacts"),
        ("POST", f"/v1/cases/{case}/close"),
        ("POST", f"/v1/cases/{case}/reopen"),
        ("POST", f"/v1/cases/{case}/void"),
    ):
        body = {"status": "confirmed", "ongoing": True} if path.endswith("reopen") else None
        hidden = console.client.request(method, path, headers=away, json=body)
        missing = path.replace(case, "C-0")
        absent = console.client.request(method, missing, headers=away, json=body)
        assert (hidden.status_code, hidden.json()) == (404, absent.json())
        answer = console.client.request(method, path, headers=here, json=body)
        assert answer.status_code in (200, 202)
    assert console.client.get("/v1/cases", headers=away).json()["cases"] == []
    refused = console.client.post("/v1/cases", json=GOOD, headers=away)
    assert refused.status_code == 403
    assert "địa bàn" in refused.json()["sentence"]["vi"]


def test_closing_and_voiding(console: Running) -> None:
    case = register(console)["id"]
    closed = console.client.post(f"/v1/cases/{case}/close", headers=HEAD)
    assert (closed.json()["version"], closed.json()["status"]) == (2, "closed")
    body = {"reason": "registered twice"}
    voided = console.client.post(f"/v1/cases/{case}/void", json=body, headers=HEAD)
    assert (voided.json()["version"], voided.json()["status"]) == (3, "voided")
    again = console.client.post(f"/v1/cases/{case}/void", headers=HEAD)
    assert again.json() == voided.json()
    refused = console.client.post(f"/v1/cases/{case}/close", headers=HEAD)
    assert refused.status_code == 409


ISOLATED = f"{TODAY - timedelta(days=1)}T00:00:00.000Z"


def sent_of(console: Running, case: str) -> list[Any]:
    return [r for r in console.relayed.records if r.key == case.encode()]


def test_a_closed_case_is_opened_again(console: Running) -> None:
    case = register(console, person="0ANEW00000001")["id"]
    path = f"/v1/cases/{case}"

    def reopen(status: str, **more: Any) -> Any:
        body = {"status": status} | more
        return console.client.post(f"{path}/reopen", json=body, headers=HEAD)

    console.client.post(f"{path}/close", headers=HEAD)
    shut = console.client.patch(path, json={"onset": None}, headers=HEAD)
    assert shut.status_code == 409
    assert "Reopen it first" in shut.json()["sentence"]["en"]
    endless = reopen("confirmed").json()["errors"]
    assert [(e["field"], e["code"]) for e in endless] == [("isolated_at", "no_end")]
    tested = reopen("confirmed", negative_at=f"{ONSET_EVE}T10:00:00.000Z").json()["errors"]
    assert "before_onset" in {e["code"] for e in tested}
    unknown = reopen("confirmed", ongoing=True, rule_set="x").json()["errors"]
    assert [(e["field"], e["code"]) for e in unknown] == [("rule_set", "unknown")]
    assert reopen("confirmed", ongoing=True, version=1).status_code == 409
    opened = reopen("confirmed", reason="a list came", isolated_at=ISOLATED)
    assert (opened.json()["version"], opened.json()["status"]) == (3, "confirmed")
    assert opened.json()["isolated_at"] == ISOLATED
    again = reopen("confirmed", isolated_at=ISOLATED)
    assert again.json() == opened.json(), "a retry is no further version"
    assert reopen("suspected").status_code == 409, "an open case is amended"
    assert reopen("confirmed", ongoing=True, symptoms="yes").status_code == 409, "so it is, too"
    history = console.client.get(f"{path}/history", headers=HEAD).json()["history"]
    assert history[-1]["changes"] == {"status": "confirmed", "isolated_at": ISOLATED}
    assert history[-1]["note"] == "a list came"
    changed = {"onset": str(TODAY - timedelta(days=4))}
    assert console.client.patch(path, json=changed, headers=HEAD).status_code == 200
    wait_for(lambda: len(sent_of(console, case)) >= 4, 5, "four versions on the topic")
    sent = sent_of(console, case)
    assert [Case.model_validate_json(r.value).status for r in sent][:3] == [
        "confirmed", "closed", "confirmed",
    ]  # fmt: skip
    assert dict(sent[2].headers)["ce_type"].endswith(b"amended")
    assert reopen("closed").status_code == 422
    console.client.post(f"{path}/void", headers=HEAD)
    assert reopen("confirmed").status_code == 409


def run_row(run: int, version: int) -> tuple[Any, ...]:
    summary = {"notes": [{"vi": "x", "en": "y"}], "contacts_by_tier": {"close": 2}}
    at = 1_790_000_000_123
    parameters = orjson.dumps({"cap_minutes": 240})
    return (
        *(run, version, "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77", "vn-2021-12-29", parameters),
        *(at, at, {0: 5, 3: 9}, at, 2, orjson.dumps(summary)),
    )


def test_contacts_before_and_after_the_run(console: Running) -> None:
    case = register(console)["id"]
    path = f"/v1/cases/{case}/contacts"
    waiting = console.client.get(path, headers=HEAD)
    assert (waiting.status_code, waiting.json()["state"]) == (202, "tracing")
    assert waiting.headers["Retry-After"] == "1"
    documents = [{"rank": 1, "person": PERSON, "minutes": 20.5}, {"rank": 2}]
    asked: list[dict[str, Any]] = []

    def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        assert what["case"] == case
        if "FROM trace_runs" in sql:
            return [run_row(1, 1)]
        asked.append(what)
        return [(orjson.dumps(document).decode(),) for document in documents]

    console.tables.answer = answer
    try:
        found = console.client.get(path + "?limit=2&offset=4", headers=HEAD)
        assert found.status_code == 200
        body = found.json()
        assert (body["state"], body["total"], body["contacts"]) == ("traced", 2, documents)
        assert body["run"]["offsets_seen"] == {"0": 5, "3": 9}
        assert body["run"]["notes"] == [{"vi": "x", "en": "y"}]
        assert body["run"]["parameters"] == {"cap_minutes": 240}
        assert body["run"]["window_from"] == "2026-09-21T14:13:20.123Z"
        assert (asked[0]["limit"], asked[0]["offset"], asked[0]["run"]) == (2, 4, 1)
        console.client.post(f"/v1/cases/{case}/close", headers=HEAD)
        assert console.client.get(path, headers=HEAD).json()["state"] == "traced"
        console.tables.answer = None
        away = console.client.get(path, headers=HEAD)
        assert away.status_code == 503
        assert away.headers["Retry-After"]
    finally:
        console.tables.answer = lambda _sql, _what: []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "limit=x"])
def test_a_page_has_bounds(console: Running, query: str) -> None:
    answer = console.client.get(f"/v1/cases?{query}", headers=HEAD)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("limit", "offset")


def test_a_place_has_names_but_no_codes_and_producers_are_listed(console: Running) -> None:
    [place] = register_sites(console.store, RING, new_sites(1, 1), source="list")
    officer = console.key(Role.OFFICER, "city/31")
    body = console.client.get(f"/v1/places/{place.id}", headers=officer).json()
    assert (body["site_name"], body["name"], body["ward"]) == ("Site 0", "Room 0", WARD)
    assert place.codes[0].token not in str(body)
    away = console.key(Role.OFFICER, "city/01")
    assert console.client.get(f"/v1/places/{place.id}", headers=away).status_code == 404
    assert console.client.get("/v1/places/999", headers=officer).status_code == 404
    put_producer(console.store, Producer(id="gate-1", name="Cổng 1"))
    listed = console.client.get("/v1/producers", headers=officer).json()["producers"]
    assert [producer["id"] for producer in listed] == ["gate-1"]


def test_every_operation_shows_an_example(console: Running) -> None:
    document = console.client.get("/openapi.json").json()
    models = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in operation["responses"].values()]
            for media in (m for content in contents for m in content.values()):
                schema = media.get("schema", {})
                options = [schema, *schema.get("anyOf", [])]
                names = [o["$ref"].rpartition("/")[2] for o in options if "$ref" in o]
                shown = [n for n in names if "examples" in models[n]]
                assert "example" in media or shown or path == "/metrics", (method, path, schema)
    assert set(document["paths"]["/v1/cases"]["post"]["responses"]) >= {"201", "401", "403", "422"}


def test_a_path_that_is_not_there_is_said_so(console: Running, tmp_path: Path) -> None:
    answer = console.client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert console.client.delete("/v1/cases").status_code == 405
