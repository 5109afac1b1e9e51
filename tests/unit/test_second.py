"""F2 over HTTP and on the terminal, on a console with tables in memory."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from console.cli.api import Api
from console.cli.main import main
from schemas.cases import Case, CaseStatus
from schemas.errors import UserError
from schemas.ids import person_bits, person_text
from tests.console_kit import ADMIN, WARD, Running, bearer, running
from tests.unit.test_contacts import (
    ALICE,
    BOB,
    CASE,
    GROUND,
    HALL,
    ROOM,
    SQUARE,
    FakeEngine,
    visits,
)
from tracer.documents import contact_documents, run_document
from tracer.ruleset import load_rule_sets
from tracer.trace import trace

HEAD = bearer(ADMIN)
RULE_SETS = {rule_set.id: rule_set for rule_set in load_rule_sets()}
DAY = datetime(2022, 1, 5, tzinfo=UTC)
CARL, DORA = 400, 500
# Alice met the case; Bob was with Alice before and after that, Carl only before, Dora with Bob
VISITS = visits(
    (CASE, ROOM, 600, 660), (ALICE, ROOM, 610, 640),
    (ALICE, HALL, 500, 560), (CARL, HALL, 500, 560),
    (ALICE, HALL, 700, 760), (BOB, HALL, 500, 720),
    (BOB, ROOM, 800, 860), (DORA, ROOM, 800, 860),
)  # fmt: skip


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, retention_days=0) as made:
        made.tables.query_arrow = FakeEngine(VISITS).query_arrow  # type: ignore[assignment, method-assign]
        yield made


def registered(console: Running) -> str:
    body = {"person": person_text(CASE), "onset": "2022-01-05", "ward": WARD}
    return str(console.client.post("/v1/cases", json=body, headers=HEAD).json()["id"])


def traced(console: Running, case_id: str, rules: str, scans: pl.DataFrame = VISITS) -> None:
    """A stored run of the case by these rules."""
    case = Case(
        id=case_id, status=CaseStatus.CONFIRMED, person=person_text(CASE), ward=WARD,
        onset=date(2022, 1, 5), registered_at=DAY, registered_by="o",
    )  # fmt: skip
    now = DAY + timedelta(days=1)
    result = trace(case, scans, GROUND, RULE_SETS[rules], now)
    documents = contact_documents(result)
    at = int(DAY.timestamp() * 1000)

    def answer(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
        if "FROM trace_runs" in sql:
            summary = orjson.dumps(run_document(result))
            ends: tuple[Any, ...] = (at, at, {}, at, len(documents), summary)
            return [(1, 1, "0190f5a4-7c1e-7b3a-9d52-6c0e5b1f2a77", rules, b"{}", *ends)]
        rows = [(person_bits(d["person"]), d["tier"], d["call"], d) for d in documents]
        if "JSONExtractBool" in sql:
            also, not_called = asked["also"], asked["not_called"]
            return [row[:3] for row in rows if row[1] != not_called or row[0] in also]
        assert "person IN" in sql, "no page of the whole list is read"
        return [(orjson.dumps(d).decode(),) for bits, *_, d in rows if bits in asked["persons"]]

    console.tables.answer = answer


def ask(console: Running, case: str, query: str = "") -> dict[str, Any]:
    answer = console.client.get(f"/v1/cases/{case}/second-contacts{query}", headers=HEAD)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_from_the_first_exposure_on_and_one_step_far(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    traced(console, case, "vn-2021-07-30")
    found = ask(console, case)
    assert (found["f2"], found["followed"], found["not_followed"]) == (True, 1, 0)
    [bob] = found["contacts"]
    assert (bob["person"], bob["minutes"]) == (person_text(BOB), 20)
    assert bob["through"] == [person_text(ALICE)]
    persons = [step["person"] for step in bob["path"] if "person" in step]
    assert persons == [person_text(CASE), person_text(ALICE), person_text(BOB)]
    assert [step["place"] for step in bob["path"] if "place" in step] == [ROOM, HALL]


def test_where_the_rules_have_none_it_is_asked_for(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    traced(console, case, "vn-2021-12-29")
    found = ask(console, case)
    assert (found["f2"], found["contacts"]) == (False, [])
    assert found["note"]["en"]
    assert [c["person"] for c in ask(console, case, "?anyway=true")["contacts"]] == [
        person_text(BOB)
    ]


def decide(console: Running, case: str, classification: str) -> None:
    """Of Alice."""
    path = f"/v1/cases/{case}/list/{person_text(ALICE)}"
    answer = console.client.patch(path, json={"classification": classification}, headers=HEAD)
    assert answer.status_code == 200, answer.text


def test_what_officers_decided_counts(console: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    traced(console, case, "vn-2021-07-30")

    def followed(query: str = "") -> int:
        return int(ask(console, case, query)["followed"])

    assert (followed(), followed("?confirmed=true")) == (1, 0)
    decide(console, case, "CONFIRMED")
    assert (followed(), followed("?confirmed=true")) == (1, 1)
    decide(console, case, "NO_CONTACT")
    assert (followed(), followed("?confirmed=true")) == (0, 0)


def test_whom_an_officer_has_made_an_f1_is_followed_from_a_market_too(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    there = visits(
        (CASE, SQUARE, 0, 60), (ALICE, SQUARE, 10, 40), (ALICE, HALL, 100, 130),
        (BOB, HALL, 110, 140),
    )  # fmt: skip
    engine = FakeEngine(there)
    monkeypatch.setattr(console.tables, "query_arrow", engine.query_arrow)
    traced(console, case, "vn-2021-07-30", there)
    assert ask(console, case)["followed"] == 0
    decide(console, case, "CONFIRMED")
    for query in ("", "?confirmed=true"):
        found = ask(console, case, query)
        assert found["followed"] == 1
        assert [c["person"] for c in found["contacts"]] == [person_text(BOB)]


def test_an_f1_who_is_not_confirmed_is_nobodys_f2(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    there = visits(
        (CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40), (BOB, ROOM, 10, 40), (ALICE, HALL, 100, 130),
        (BOB, HALL, 110, 140),
    )  # fmt: skip
    engine = FakeEngine(there)
    monkeypatch.setattr(console.tables, "query_arrow", engine.query_arrow)
    traced(console, case, "vn-2021-07-30", there)
    decide(console, case, "CONFIRMED")
    found = ask(console, case, "?confirmed=true")
    assert (found["followed"], found["contacts"]) == (1, [])


def test_whom_the_case_named_is_followed_from_a_gate_and_more_than_a_team_follows_are_counted(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    monkeypatch.setattr("console.api.second.MOST_FIRST", 2)
    case = registered(console)
    there = visits(
        (CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40), (BOB, ROOM, 10, 50), (CARL, ROOM, 20, 30),
        (CASE, SQUARE, 100, 200), (DORA, SQUARE, 100, 200), (DORA + 1, SQUARE, 100, 200),
    )  # fmt: skip
    engine = FakeEngine(there)
    monkeypatch.setattr(console.tables, "query_arrow", engine.query_arrow)
    traced(console, case, "vn-2021-07-30", there)
    found = ask(console, case)
    assert (found["followed"], found["not_followed"]) == (2, 1), "who was at the market is not one"
    decided = console.client.patch(
        f"/v1/cases/{case}/list/{person_text(DORA)}",
        json={"classification": "CONFIRMED"},
        headers=HEAD,
    )
    assert decided.status_code == 200, decided.text
    found = ask(console, case)
    assert (found["followed"], found["not_followed"]) == (2, 2)
    found = ask(console, case, "?confirmed=true")
    assert (found["followed"], found["not_followed"]) == (1, 0)


def test_a_case_without_a_run_has_none(console: Running) -> None:
    case = registered(console)
    answer = console.client.get(f"/v1/cases/{case}/second-contacts", headers=HEAD)
    assert answer.status_code == 404
    assert "not been traced" in answer.json()["sentence"]["en"]


def test_the_path_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = {"start": "2026-11-20T01:00:00.000Z", "end": "2026-11-20T02:35:00.000Z"}
    path = [
        {"person": "7ZK3M9QX2B4CD", "case": "C-1"}, {"place": 7} | times,
        {"person": "2C9V0A7NJ5X1T"}, {"place": 8} | times, {"person": "FZ3052HTPXQGS"},
    ]  # fmt: skip
    contact = {"rank": 1, "person": "FZ3052HTPXQGS", "minutes": 45.0, "path": path}
    found = {
        "note": {"vi": "vi", "en": "en"}, "f2": True, "followed": 3, "not_followed": 2,
        "total": 1, "left_out": 0,
        "contacts": [contact | {"through": ["2C9V0A7NJ5X1T", "8KS5H5E7SNRGN"]}],
    }  # fmt: skip

    def get(_: Api, path: str, **__: Any) -> Any:
        if "/places/" not in path:
            return found
        if path.endswith("/8"):
            raise UserError("outside the area")
        return {"name": "Room", "site_name": "School"}

    monkeypatch.setattr(Api, "get", get)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    assert main(["--data-dir", str(tmp_path), "--lang", "en", "f2", "C-1"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in ("at Room, School, 20/11 08:00–09:35", "F1 2C9V0A7NJ5X1T", "2 were not followed"):
        assert text in shown
    assert "(and 1 others)" in shown
    assert "at #8, 20/11" in shown


def test_it_ends_when_the_f1_is_isolated(console: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.api.second.ground", lambda *_: GROUND)
    case = registered(console)
    traced(console, case, "vn-2021-07-30")
    path = f"/v1/cases/{case}/list/{person_text(ALICE)}/convert"
    became = console.client.post(path, json={"onset": "2022-01-07"}, headers=HEAD).json()["case"]

    def minutes(isolated_at: str) -> list[float]:
        path = f"/v1/cases/{became['id']}"
        body = {"isolated_at": isolated_at}
        assert console.client.patch(path, json=body, headers=HEAD).status_code == 200
        return [contact["minutes"] for contact in ask(console, case)["contacts"]]

    assert minutes("2022-01-05T11:45:00.000Z") == [5]
    assert minutes("2022-01-05T11:40:00.000Z") == []
    assert minutes("2022-01-06T00:00:00.000Z") == [20]


def test_of_a_voided_case_nobody_is_a_second_contact(console: Running) -> None:
    case = registered(console)
    traced(console, case, "vn-2021-07-30")
    console.client.post(f"/v1/cases/{case}/void", headers=HEAD)
    for path in ("second-contacts?anyway=true", "rules-diff?a=vn-2021-07-30&b=vn-2021-12-29"):
        answer = console.client.get(f"/v1/cases/{case}/{path}", headers=HEAD)
        assert answer.status_code == 409
        assert "voided" in answer.json()["sentence"]["en"].lower()


@pytest.mark.parametrize(
    ("option", "said"),
    [("", "no F1 to follow"), ("--confirmed", "no F1 is confirmed"), ("--anyway", "no F1")],
)
def test_that_there_is_none_is_said(
    option: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = {
        "note": {"vi": "vi", "en": "en"}, "f2": option != "--anyway", "followed": 0,
        "not_followed": 0, "total": 0, "left_out": 0, "contacts": [],
    }  # fmt: skip
    monkeypatch.setattr(Api, "get", lambda *_, **__: found)
    monkeypatch.setenv("TRUYVET_ADMIN_KEY", ADMIN)
    options = [option] if option else []
    assert main(["--data-dir", str(tmp_path), "--lang", "en", "f2", "C-1", *options]) == 0
    shown = capsys.readouterr().out
    assert said in shown
    assert "Add --anyway" not in shown
