"""A producer's rejects: whose they are, page by page, and never a person."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.gateway.rejects import cursor, position
from console.store.keys import Role
from console.store.producers import put_producer
from schemas.places import Producer
from schemas.reasons import SENTENCES, Reason
from tests.console_kit import ADMIN, WARD, Running, bearer, running
from tests.unit.test_console_gateway import EVENT

AT = 1_790_000_000_000


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as console:
        put_producer(console.store, Producer(id="gate-1", name="1", wards=(WARD,)))
        put_producer(console.store, Producer(id="app", name="app"))
        console.client.headers.update(console.key(Role.PRODUCER, producer="gate-1"))
        yield console


class Table:
    """`rejects` as a list of rows; notes what was asked."""

    def __init__(self, rows: int = 0) -> None:
        self.asked: list[dict[str, Any]] = []
        self.rows = [
            (AT + i // 3, "expired_code", "late", EVENT if i % 2 else None, "gate-1", i % 3, i)
            for i in range(rows)
        ]

    def __call__(self, sql: str, what: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.asked.append(what)
        if "count()" in sql:
            return [(AT // 1000, "expired_code", 3), (AT // 1000 + 3600, "in_future", 4)]
        assert "ORDER BY appended_at, kafka_partition, kafka_offset" in sql
        after = (what["after_at"], what["after_partition"], what["after_offset"])
        later = [r for r in sorted(self.rows, key=key) if key(r) > after]
        return later[: what["limit"]]


def key(row: tuple[Any, ...]) -> tuple[int, int, int]:
    return row[0], row[5], row[6]


def test_pages_lead_through_all_of_them_once(console: Running) -> None:
    table = Table(25)
    console.tables.answer = table
    seen: list[tuple[int, int]] = []
    path: str | None = "/v1/rejects?limit=10"
    while path:
        said = console.client.get(path).json()
        seen += [(r["partition"], r["offset"]) for r in said["rejects"]]
        path = f"/v1/rejects?limit=10&after={said['next']}" if said["next"] else None
    assert len(seen) == len(set(seen)) == 25
    assert all(what["producers"] == ["gate-1"] for what in table.asked)
    assert all(what["anyone"] == 0 for what in table.asked)


def test_a_reject_says_why_in_both_languages_and_whose_scan_it_was_to_nobody(
    console: Running,
) -> None:
    console.tables.answer = Table(2)
    first, second = console.client.get("/v1/rejects").json()["rejects"]
    vi, en = SENTENCES[Reason.EXPIRED_CODE]
    assert first["sentence"] == {"vi": vi, "en": en}
    assert (first["reason"], first["detail"], first["event_id"]) == ("expired_code", "late", None)
    assert second["event_id"] == EVENT
    assert first["appended_at"] == "2026-09-21T14:13:20.000Z"
    assert set(first) == {
        "appended_at", "reason", "detail", "sentence", "event_id", "producer", "partition",
        "offset",
    }  # fmt: skip


def test_since_and_reason_reach_the_query_and_retention_bounds_it(console: Running) -> None:
    table = Table()
    console.tables.answer = table
    console.client.get("/v1/rejects?since=1999-01-01T00:00:00.000Z&reason=in_future")
    console.client.get("/v1/rejects")
    asked, default = table.asked
    days = (datetime.now(UTC).timestamp() * 1000 - asked["since"]) / 86_400_000
    assert days == pytest.approx(21, abs=0.01)
    assert asked["reason"] == "in_future"
    day = (datetime.now(UTC).timestamp() * 1000 - default["since"]) / 86_400_000
    assert day == pytest.approx(1, abs=0.01)
    assert default["reason"] == ""


@pytest.mark.parametrize(
    "question",
    [
        "since=yesterday",
        "reason=ugly",
        "limit=0",
        "limit=1001",
        "after=x",
        "after=1-2",
        "producer=A B",
    ],
)
def test_a_question_in_the_wrong_form(console: Running, question: str) -> None:
    answer = console.client.get(f"/v1/rejects?{question}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == question.partition("=")[0]


def test_counts_by_reason_and_hour(console: Running) -> None:
    console.tables.answer = Table()
    said = console.client.get("/v1/rejects/summary").json()
    assert said["total"] == 7
    assert said["counts"][0] == {
        "hour": "2026-09-21T14:13:20.000Z",
        "reason": "expired_code",
        "rejects": 3,
    }


def test_nobody_sees_more_than_its_own(console: Running) -> None:
    table = Table(3)
    console.tables.answer = table
    for path in ("/v1/rejects", "/v1/rejects/summary"):
        assert console.client.get(f"{path}?producer=app").status_code == 403
        assert console.client.get(f"{path}?producer=gate-1").status_code == 200
        area = console.key(Role.OFFICER, f"ward/{WARD}")
        assert console.client.get(path, headers=area).status_code == 200
        assert table.asked[-1]["producers"] == ["gate-1"], "the one limited to its ward"
        assert table.asked[-1]["anyone"] == 0
        assert console.client.get(f"{path}?producer=app", headers=area).status_code == 403
        none = console.key(Role.OFFICER, "city/01")
        assert console.client.get(path, headers=none).status_code == 200
        assert (table.asked[-1]["producers"], table.asked[-1]["anyone"]) == ([], 0)
        for all_of_them in (bearer(ADMIN), console.key(Role.ADMIN)):
            assert console.client.get(path, headers=all_of_them).status_code == 200
            assert table.asked[-1]["anyone"] == 1
        console.client.get(f"{path}?producer=app", headers=bearer(ADMIN))
        assert (table.asked[-1]["producers"], table.asked[-1]["anyone"]) == (["app"], 0)
        for role in (Role.OWNER, Role.AUDITOR):
            assert console.client.get(path, headers=console.key(role)).status_code == 403


def test_tables_that_are_away_are_503(console: Running) -> None:
    console.tables.answer = None
    answer = console.client.get("/v1/rejects")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_a_cursor_is_its_position() -> None:
    assert position(cursor((AT, 3, 51_871))) == (AT, 3, 51_871)
