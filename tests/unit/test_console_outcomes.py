"""What became of a scan, as its producer and an epidemiologist learn it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.store.keys import Role
from schemas.ids import person_bits
from tests.console_kit import ADMIN, PERSON, Running, bearer, running
from tests.unit.test_console_gateway import EVENT, SCAN


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        yield console


class Tables:
    """What ClickHouse holds of one scan."""

    def __init__(
        self,
        written: str | None = None,
        duplicates: dict[str, int] | None = None,
        rejects: list[tuple[str, str, str]] | None = None,
    ) -> None:
        self.written, self.rejects = written, rejects or []
        self.duplicates = duplicates or {}

    def __call__(self, sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        assert what["person"] == person_bits(PERSON)
        assert what["event"] == EVENT
        if "FROM duplicates" in sql:
            return list(self.duplicates.items())
        if "FROM rejects" in sql:
            return list(self.rejects)
        if "SELECT producer" in sql:
            return [(self.written,)]
        return [(1, 1_790_000_000_000, 0, 7)] if self.written else []


OWN, OTHER = "gate-1", "gate-2"
REJECT = ("in_future", "three hours ahead")
OUTCOMES: list[tuple[Tables, str, int, str | None]] = [
    (Tables(written=OWN), "written", 0, None),
    (Tables(written=OWN, duplicates={OWN: 2, OTHER: 5}), "written", 2, None),
    (Tables(written=OTHER, duplicates={OWN: 1}), "duplicate", 1, None),
    (Tables(rejects=[(OWN, *REJECT)]), "rejected", 0, "in_future"),
    (Tables(written=OWN, rejects=[(OWN, "id_reused", "x")]), "written", 0, "id_reused"),
    (
        Tables(written=OTHER, duplicates={OWN: 1}, rejects=[(OWN, *REJECT)]),
        "duplicate",
        1,
        "in_future",
    ),
    (Tables(duplicates={OWN: 2}), "duplicate", 2, None),
    (Tables(duplicates={OTHER: 2}), "unseen", 0, None),
    (Tables(), "unseen", 0, None),
    (Tables(written=OTHER), "unseen", 0, None),
    (Tables(rejects=[(OTHER, *REJECT)]), "unseen", 0, None),
    (Tables(written=OTHER, duplicates={OTHER: 3}), "unseen", 0, None),
]


@pytest.mark.parametrize(("tables", "state", "duplicates", "reason"), OUTCOMES)
def test_a_producer_learns_what_became_of_its_own(
    console: Running, tables: Tables, state: str, duplicates: int, reason: str | None
) -> None:
    console.tables.answer = tables
    answer = console.client.get(f"/v1/scans/{EVENT.upper()}?person={PERSON}")
    if state == "unseen":
        assert answer.status_code == 404
        return
    said = answer.json()
    assert (said["state"], said["duplicates"], said["reason"]) == (state, duplicates, reason)
    assert said["sentence"]["vi"]
    assert said["sentence"]["en"]


def test_whose_the_first_was_is_said_only_where_it_is_known(console: Running) -> None:
    path = f"/v1/scans/{EVENT}?person={PERSON}"
    console.tables.answer = Tables(written=OTHER, duplicates={OWN: 1})
    assert "Another producer" in console.client.get(path).json()["sentence"]["en"]
    console.tables.answer = Tables(duplicates={OWN: 1})
    said = console.client.get(path).json()["sentence"]
    assert "Another producer" not in said["en"]
    assert "đã đến trước đó" in said["vi"]


def test_what_the_tables_say_comes_before_pending(console: Running) -> None:
    path = f"/v1/scans/{EVENT}?person={PERSON}"
    console.client.post("/v1/scans", json=SCAN)
    for tables, state in (
        (Tables(), "pending"),
        (Tables(rejects=[(OWN, *REJECT)]), "rejected"),
        (Tables(written=OWN), "written"),
        (Tables(written=OTHER), "pending"),
    ):
        console.tables.answer = tables
        assert console.client.get(path).json()["state"] == state


def test_the_tables_are_asked_no_further_back_than_the_retention(console: Running) -> None:
    asked: list[int] = []

    def answer(sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        if "FROM scans" in sql:
            asked.append(what["since"])
        return []

    console.tables.answer = answer
    console.client.get(f"/v1/scans/{EVENT}?person={PERSON}")
    [since] = asked
    assert (time.time() * 1000 - since) / 86_400_000 == pytest.approx(21, abs=0.01)


def test_a_scan_just_taken_is_pending_for_its_producer_only(console: Running) -> None:
    path = f"/v1/scans/{EVENT}?person={PERSON}"
    assert console.client.get(path).status_code == 404
    console.client.post("/v1/scans", json=SCAN)
    assert console.client.get(path).json()["state"] == "pending"
    other = console.key(Role.PRODUCER, producer="gate-2")
    assert console.client.get(path, headers=other).status_code == 404
    assert console.client.get(path, headers=bearer(ADMIN)).json()["state"] == "pending"
    console.tables.answer = None
    assert console.client.get(path).status_code == 503


def test_an_epidemiologist_asks_about_all_but_only_with_the_whole_area(console: Running) -> None:
    console.tables.answer = Tables(written=OTHER, duplicates={OWN: 1, OTHER: 1})
    path = f"/v1/scans/{EVENT}?person={PERSON}"
    said = console.client.get(path, headers=bearer(ADMIN)).json()
    assert (said["state"], said["duplicates"]) == ("written", 2)
    local = console.key(Role.EPIDEMIOLOGIST, "city/31")
    assert console.client.get(path, headers=local).status_code == 403


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"/v1/scans/17?person={PERSON}", "event_id"),
        (f"/v1/scans/{EVENT}?person=abc", "person"),
        (f"/v1/scans/{EVENT}", "person"),
    ],
)
def test_a_question_in_the_wrong_form(console: Running, path: str, field: str) -> None:
    answer = console.client.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert "abc" not in answer.json()["errors"][0]["sentence"]["en"]
