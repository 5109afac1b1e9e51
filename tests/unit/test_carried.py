"""A run made anew after its scans have grown too old: nobody is withdrawn for that."""

from collections.abc import Sequence
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
        rules: Any = RULES, before: Sequence[Version] = ()) -> Version:  # fmt: skip
    """Of scans that are kept from so many minutes after `DAY` on; `before`: the runs before `last`,
    the newest first."""
    earlier = [] if last is None else [last, *before]
    kept = DAY + timedelta(minutes=kept_from)
    there = Scans(FakeEngine(scans.filter(pl.col("scanned_at") >= kept)), kept)
    result = trace_from(there, case, GROUND, rules, NOW, earlier)
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


def _with(**entries: Any) -> Case:
    return Case.model_validate(A_CASE.model_dump() | entries)


_EXCLUDED = _with(excluded=({"person": person_text(BOB), "reason": "not_there"},))
_ISOLATED = _with(isolated_at=DAY + timedelta(minutes=100))


@pytest.mark.parametrize("between", [_EXCLUDED, _ISOLATED], ids=["excluded", "window"])
@pytest.mark.parametrize("kept_from", [-10_000, 1_000])
def test_what_an_officer_takes_back_is_as_if_it_had_never_been(
    between: Case, kept_from: float
) -> None:
    """`kept_from`: what was kept when it was entered; when it is taken back nothing is."""
    first = run(CITY, -10_000, None)
    second = run(CITY, kept_from, first, between)
    assert len(second.contacts) < len(first.contacts)
    third = run(CITY, 1_000, second, before=[first])
    assert changes(first, third) == []
    assert changes(first, run(CITY, 1_000, third, before=[second, first])) == []
    assert persons(run(CITY, 1_000, second)) != persons(first), "which it would not, by the last"


def test_a_point_that_is_taken_out_and_entered_again_a_shorter_time() -> None:
    def at(begin: int, end: int) -> Case:
        times = {"begin": DAY + timedelta(minutes=begin), "end": DAY + timedelta(minutes=end)}
        return _with(points=({"place": HALL, "source": "interview", **times},))

    others = CITY.filter(pl.col("person") != CASE)
    first = run(others, -10_000, None, at(200, 300))
    assert sorted(persons(first)) == sorted(person_text(p) for p in (ALICE, CAROL))
    none = run(others, 1_000, first)
    assert none.contacts == []
    shorter = run(others, 1_000, none, at(200, 245), before=[first])
    assert persons(shorter) == [person_text(CAROL)]
    again = run(others, 1_000, shorter, at(200, 300), before=[none, first])
    assert changes(first, again) == []


_BOB_LEAVES = visits((CASE, ROOM, 20, 60), (ALICE, ROOM, 30, 90), (BOB, ROOM, 10, 15))
_BOB_STAYS = _BOB_LEAVES.filter((pl.col("person") != BOB) | (pl.col("direction") == "in"))


def test_whom_a_scan_has_taken_out_no_older_run_brings_back() -> None:
    """Bob had scanned out of the room before the case came, as a scan said that came late."""
    first = run(_BOB_STAYS, -10_000, None)
    second = run(_BOB_LEAVES, -10_000, first)
    assert (len(first.contacts), len(second.contacts)) == (2, 1)
    third = run(_BOB_LEAVES, 1_000, second, _ISOLATED, before=[first])
    assert persons(third) == [person_text(ALICE)]


def test_whom_an_answer_took_out_stays_out() -> None:
    left = {"person": person_text(BOB), "place": ROOM}
    times = {"begin": DAY + timedelta(minutes=10), "end": DAY + timedelta(minutes=15)}
    told = _with(answers=({**left, **times},))
    first = run(_BOB_STAYS, -10_000, None)
    second = run(_BOB_STAYS, -10_000, first, told)
    assert (len(first.contacts), len(second.contacts)) == (2, 1)
    assert persons(run(_BOB_STAYS, 1_000, second, told, before=[first])) == [person_text(ALICE)]
    elsewhere = _with(answers=({**left, **times, "place": HALL},))
    assert persons(run(_BOB_STAYS, 1_000, second, elsewhere, before=[first])) == [
        person_text(ALICE)
    ]


def test_who_is_excluded_by_another_id_is_left_out_by_hand() -> None:
    card = person_text(900)
    joined = {"same": ({"person": person_text(BOB), "of": card},)}
    out = _with(**joined, excluded=({"person": card, "reason": "other"},))
    first = run(CITY, -10_000, None)
    second = run(CITY, 1_000, first, out)
    assert len(second.contacts) == len(first.contacts) - 1
    third = run(CITY, 1_000, second, _with(**joined), before=[first])
    assert sorted(persons(third)) == sorted([card, person_text(ALICE), person_text(CAROL)])
