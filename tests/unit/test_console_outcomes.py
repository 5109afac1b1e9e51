"""What became of a scan, as its producer and an epidemiologist learn it."""

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
