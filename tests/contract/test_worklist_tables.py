"""A list on the real tables: what the tracer stored is what is listed, cut, exported, suggested."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from console.api.app import create_app
from console.api.worklist_pages import PAGE
from console.store import cases
from console.store.cases import NewCase
from console.store.register import NewPlace, NewSite, register_sites
from schemas.clock import LOCAL
from schemas.ids import person_text
from streams.directory import Directory
from streams.tracing import Tracing
from tests.console_kit import ADMIN, RING, WARD, FakeBroker, bearer, migrated
from tests.contract.clickhouse_fixtures import migrated_engine
from tracer.parameters import load_parameters
from tracer.ruleset import load_rule_sets

HEAD = bearer(ADMIN)
NOW = datetime.now(UTC).replace(microsecond=0)
CASE, CARD, PHONE, CROWD = 100, 200, 300, 1000
MANY = PAGE + 7
Row = tuple[int, int, datetime, str, str]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """Two hours of the case in two rooms with a card and a phone, and a crowd in the second.

    The last of them ended more than a day ago: at whatever hour this runs, follow-up has begun.
    """
    settings, store = migrated(tmp_path_factory.mktemp("console"))
    spots = tuple(
        NewPlace(f"Phòng {i}", "meeting_room", f"r{i}", enclosed=True, small=True) for i in (1, 2)
    )
    site = NewSite("Sở Nội vụ", "office", WARD, "home_affairs", "s", places=spots)
    places = register_sites(store, RING, [site], source="test")
    with migrated_engine(tmp_path_factory.mktemp("tables")) as clickhouse:
        rows: list[Row] = []
        for place, ago in zip(places, (36, 26), strict=True):
            begun = NOW - timedelta(hours=ago)
            for person, late, method in (
                (CASE, 0, "self"),
                (CARD, 600, "card"),
                (PHONE, 609, "self"),
            ):
                at = begun + timedelta(seconds=late)
                rows += [(person, place.id, at, "in", method)]
                rows += [(person, place.id, at + timedelta(hours=1), "out", method)]
        for n in range(MANY):
            at = NOW - timedelta(hours=26) + timedelta(seconds=n)
            rows += [(CROWD + n, places[1].id, at, "in", "self")]
            rows += [(CROWD + n, places[1].id, at + timedelta(minutes=20), "out", "self")]
        values = ", ".join(
            f"(generateUUIDv4(), {person}, {place}, fromUnixTimestamp64Milli("
            f"{int(at.timestamp() * 1000)}, 'UTC'), '{way}', '{method}', 'p', 'd', 1, 0, '', '', "
            f"now64(3), now64(3), 0, 0, {offset})"
            for offset, (person, place, at, way, method) in enumerate(rows)
        )
        clickhouse.command(
            "INSERT INTO scans (event_id, person, place, scanned_at, direction, method, producer, "
            "device, code_version, companions, trip, seat, appended_at, written_at, content_hash, "
            f"kafka_partition, kafka_offset) VALUES {values}"
        )
        directory = Directory(RING)
        for place in places:
            directory.put_site_records([(f"place/{place.id}", place.model_dump_json().encode())])
        onset = NOW.astimezone(LOCAL).date()
        case = cases.register_case(
            store, NewCase(person_text(CASE), WARD, onset=onset), registered_by="key/1"
        )
        Tracing(clickhouse, directory, load_rule_sets(), load_parameters(), 0).run(case, NOW)
        app = create_app(
            settings,
            publisher=FakeBroker(),
            relay_publisher=FakeBroker(),
            clickhouse=clickhouse,
        )
        with TestClient(app) as client:
            yield client, case.id
    store.close()


def get(traced: tuple[TestClient, str], path: str, **what: Any) -> Any:
    answer = traced[0].get(path.replace("CASE", traced[1]), params=what, headers=HEAD)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_list_has_everybody_once_page_by_page(traced: tuple[TestClient, str]) -> None:
    seen: list[str] = []
    while page := get(traced, "/v1/cases/CASE/list", limit=400, offset=len(seen)).json():
        seen += [contact["person"] for contact in page["contacts"]]
        if not page["contacts"]:
            break
    assert (len(seen), len(set(seen)), page["total"]) == (MANY + 2, MANY + 2, MANY + 2)
    assert {person_text(CARD), person_text(PHONE)} == set(seen[:2])


def test_f2_are_followed_from_the_stored_run(traced: tuple[TestClient, str]) -> None:
    found = get(traced, "/v1/cases/CASE/second-contacts", anyway=True).json()
    assert found["followed"] == 200
    assert found["not_followed"] == MANY + 2 - 200
    assert found["contacts"] == [], "they are all F1s"
    assert get(traced, "/v1/cases/CASE/second-contacts", anyway=True, confirmed=True).json()[
        "followed"
    ] == 0  # fmt: skip


def test_answers_on_the_tracers_own_document(traced: tuple[TestClient, str]) -> None:
    """In a small closed room the place answers the distance; a mask leaves (b) or (c)."""
    path = f"/v1/cases/CASE/list/{person_text(CARD)}"
    contact = get(traced, path).json()
    verdicts = {c["clause"]: c["verdict"] for c in contact["proposal"]["clauses"]}
    assert verdicts == {"a": "open", "b": "open", "c": "open", "d": "excluded"}
    assert contact["proposal"]["ask"] == ["touch", "masks"]
    client, case = traced
    body = {"answers": {"masks": "yes"}, "follow_up": "FOLLOW_UP"}
    answer = client.patch(path.replace("CASE", case), json=body, headers=HEAD)
    assert answer.json()["proposal"]["classification"] == "CONFIRMED"
    assert [c["person"] for c in get(traced, "/v1/follow-up").json()["contacts"]] == [
        person_text(CARD)
    ]


def test_a_card_and_a_phone_among_a_crowd(traced: tuple[TestClient, str]) -> None:
    [found] = get(traced, "/v1/cases/CASE/duplicates").json()["suggestions"]
    assert (found["first"], found["second"]) == (person_text(CARD), person_text(PHONE))
    assert found["methods"] == {person_text(CARD): ["card"], person_text(PHONE): ["self"]}
    assert "bằng thẻ" in found["reason"]["vi"]


def test_the_day_is_cut_and_everybody_is_accounted_for(traced: tuple[TestClient, str]) -> None:
    found = get(traced, "/v1/triage", capacity=10).json()
    assert len(found["today"]) == 10
    assert sum(left["count"] for left in found["left_out"]) == MANY + 2 - 10
    assert {row["setting"] for row in found["today"]} == {"every_day"}
    assert found["today"] == get(traced, "/v1/triage", capacity=10).json()["today"]


def test_the_file_has_everybody(traced: tuple[TestClient, str]) -> None:
    text = get(traced, "/v1/exports/contacts", format="csv", bom=False).text
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert rows.pop()[0] == f"# whole: {MANY + 2}"
    assert len(rows) == MANY + 2
    assert rows[0][header.index("site_name")] == "Sở Nội vụ"
    assert get(traced, "/v1/exports/contacts", format="xlsx").content.startswith(b"PK")
    lines = get(traced, "/v1/exports/contacts", format="sormas").text.splitlines()
    assert len(lines) == MANY + 3


def test_the_list_in_numbers(traced: tuple[TestClient, str]) -> None:
    found = get(traced, "/v1/cases/CASE/list-summary").json()
    assert (found["contacts"], found["call_list"]) == (MANY + 2, MANY + 2)
    client, case = traced
    path = f"/v1/cases/{case}/list/{person_text(PHONE)}"
    client.patch(path, json={"classification": "NO_CONTACT"}, headers=HEAD)
    found = get(traced, "/v1/cases/CASE/list-summary").json()
    assert (found["contacts"], found["call_list"]) == (MANY + 2, MANY + 1)
