"""A run made anew after its scans have grown too old: nobody is withdrawn for that."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from schemas.cases import Case
from schemas.ids import person_text
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    DAY,
    GROUND,
    HALL,
    NOW,
    ROOM,
    RULE_SETS,
    RULES,
    FakeEngine,
    visits,
)
from tracer.documents import contact_documents, run_document
from tracer.fetch import trace_from
from tracer.queries import Scans
from tracer.versions import Version, changes

CAROL = 400
CITY = visits(
    (CASE, ROOM, 0, 60), (ALICE, ROOM, 30, 90), (BOB, ROOM, 10, 20),
    (CASE, HALL, 200, 300), (ALICE, HALL, 250, 280), (CAROL, HALL, 220, 330),
)  # fmt: skip


def run(scans: pl.DataFrame, kept_from: float, last: Version | None, case: Case = A_CASE,
        rules: Any = RULES) -> Version:  # fmt: skip
    """Of scans that are kept from so many minutes after `DAY` on."""
    kept = DAY + timedelta(minutes=kept_from)
    there = Scans(FakeEngine(scans.filter(pl.col("scanned_at") >= kept)), kept)
    result = trace_from(there, case, GROUND, rules, NOW, last)
    return Version(run_document(result), contact_documents(result))


def persons(version: Version) -> list[str]:
    return [contact["person"] for contact in version.contacts]


@pytest.mark.parametrize("kept_from", [0, 1, 15, 35, 61, 100, 201, 230, 260, 290, 1_000])
def test_an_answer_after_retention_changes_nothing_else(kept_from: float) -> None:
    """Wherever retention cuts, in a stay of the case's or of another's too."""
    first = run(CITY, -10_000, None)
    assert sorted(persons(first)) == sorted(person_text(p) for p in (ALICE, BOB, CAROL))
    again = run(CITY, kept_from, first)
    assert changes(first, again) == []
    assert changes(first, run(CITY, 1_000, again)) == [], "and so for the next"
    if kept_from > 20:
        alone = run(CITY, kept_from, None)
        assert changes(first, alone) != [], "which it would, were the scans all there is"


def test_what_is_decided_later_counts() -> None:
    first = run(CITY, -10_000, None)
    out = A_CASE.model_copy(
        update={"excluded": ({"person": person_text(BOB), "reason": "not_there"},)}
    )
    case = Case.model_validate(out.model_dump())
    found = changes(first, run(CITY, 1_000, first, case))
    assert [(c.person, c.kind, c.reasons) for c in found] == [
        (person_text(BOB), "withdrawn", ("excluded",))
    ]


def test_a_corrected_window_and_other_rules_count() -> None:
    first = run(CITY, -10_000, None)
    isolated = A_CASE.model_copy(update={"isolated_at": DAY + timedelta(minutes=100)})
    after = run(CITY, 1_000, first, isolated)
    assert sorted(persons(after)) == sorted(person_text(p) for p in (ALICE, BOB))
    assert {c.reasons for c in changes(first, after)} == {("window",)}
    other = run(CITY, 1_000, first, rules=RULE_SETS["vn-2021-07-30"])
    assert sorted(persons(other)) == sorted(persons(first))
    assert {tuple(c["clauses"]) for c in other.contacts} == {()}


def test_of_another_persons_run_nothing_counts() -> None:
    """Another system may put right whose case it is."""
    first = run(CITY, -10_000, None)
    other = A_CASE.model_copy(update={"person": person_text(999)})
    assert run(CITY, 1_000, first, other).contacts == []
    assert run(CITY, 1_000, first, other).summary["stays"] == []
    same = ({"person": person_text(CASE), "of": person_text(999)},)
    joined = Case.model_validate(other.model_copy(update={"same": same}).model_dump())
    assert sorted(persons(run(CITY, 1_000, first, joined))) == sorted(persons(first))


def test_ids_that_are_one_are_one() -> None:
    first = run(CITY, -10_000, None)
    same = ({"person": person_text(BOB), "of": person_text(ALICE)},)
    case = Case.model_validate(A_CASE.model_copy(update={"same": same}).model_dump())
    now, then = run(CITY, 1_000, first, case), run(CITY, -10_000, None, case)
    assert sorted(persons(now)) == sorted(person_text(p) for p in (ALICE, CAROL))
    assert now.contacts == then.contacts


def test_a_later_scan_is_found_beside_them() -> None:
    first = run(CITY, -10_000, None)
    more = pl.concat([CITY, visits((BOB, HALL, 260, 270)).with_columns(
        kafka_offset=pl.col("kafka_offset") + 100
    )])  # fmt: skip
    (change,) = changes(first, run(more, 150, first))
    assert (change.person, change.kind, change.reasons) == (
        person_text(BOB), "changed", ("late_scan",),
    )  # fmt: skip
    assert change.after is not None
    assert [e["place"] for e in change.after["exposures"]] == [ROOM, HALL]


def test_companions_are_said_with_the_stay_that_they_came_with() -> None:
    at = (pl.col("scanned_at") - DAY).dt.total_minutes()
    number = (
        pl.when(at == 30).then(2).when(at == 0).then(1).when(at == 90).then(9).otherwise(0)
    )  # Alice came to the room with two, the case with one; of a scan out it says nothing
    seen = CITY.with_columns(companions=number.cast(pl.UInt8))
    first = run(seen, -10_000, None)
    for version in (first, run(seen, 1_000, first)):
        [alice] = [c for c in version.contacts if c["person"] == person_text(ALICE)]
        room, hall = alice["exposures"]
        assert (room["stay"]["companions"], room["case_stay"]["companions"]) == (2, 1)
        assert "companions" not in hall["stay"] | hall["case_stay"]
        assert [s.get("companions") for s in version.summary["stays"]] == [1, None]


def test_points_are_those_of_the_record() -> None:
    point = {"place": ROOM, "begin": "2022-01-05T00:00:00.000Z", "end": "2022-01-05T01:00:00.000Z",
             "source": "interview"}  # fmt: skip
    case = Case.model_validate(A_CASE.model_dump() | {"points": (point,)})
    first = run(CITY.filter(pl.col("person") != CASE), -10_000, None, case)
    assert sorted(persons(first)) == sorted(person_text(p) for p in (ALICE, BOB))
    again = run(CITY, 1_000, first, case)
    assert changes(first, again) == []
    taken = run(CITY, 1_000, again)
    assert {(c.kind, c.reasons) for c in changes(again, taken)} == {("withdrawn", ("points",))}
