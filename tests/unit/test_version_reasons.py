"""Why a run differs from an earlier one: no reason that something else is the cause of."""

from datetime import timedelta
from typing import Any

import polars as pl

from schemas.cases import Case
from schemas.ids import person_text
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    CLINIC,
    DAY,
    GROUND,
    HALL,
    ROOM,
    FakeEngine,
    visits,
)  # fmt: skip
from tests.unit.test_versions import RULES, found, of
from tracer.fetch import trace_from
from tracer.queries import Scans
from tracer.versions import Version, changes

A, B = person_text(ALICE), person_text(BOB)
CARD = "0CARD00000007"


def traced(scans: pl.DataFrame, minute: float, **changed: Any) -> Version:
    """As it was that many minutes after the case's first scan."""
    now = DAY + timedelta(minutes=minute)
    case = Case.model_validate(A_CASE.model_dump() | changed)
    known = scans.filter(pl.col("scanned_at") <= now)
    return of(trace_from(Scans(FakeEngine(known)), case, GROUND, RULES, now))


def test_who_comes_while_the_case_is_there_still_is_a_late_scan_and_no_other_window() -> None:
    """BOB comes after the first run and is there still; ALICE has come and gone again."""
    scans = visits((CASE, ROOM, 0, 300), (ALICE, ROOM, 12, 18), (BOB, ROOM, 14, 300))
    first, second = traced(scans, 10), traced(scans, 20)
    added = {A: ("added", ("late_scan",)), B: ("added", ("late_scan",))}
    assert found(first, second) == added
    # also where an officer did something else meanwhile, which is another version of the case
    said = {"said": [{"person": "0THER00000001", "answers": {"touch": "yes"}}], "version": 2}
    assert found(first, traced(scans, 20, **said)) == added


def test_that_time_goes_on_changes_nobody_whatever_else_is_done() -> None:
    scans = visits((CASE, ROOM, 0, 300), (ALICE, ROOM, 5, 300), (BOB, ROOM, 5, 300))
    first = traced(scans, 10)
    worked = traced(scans, 30, decided=[{"person": A, "classification": "CONFIRMED"}], version=2)
    assert found(first, worked) == {A: ("changed", ("decided",))}
    assert worked.summary["window"]["goes_on"] is True
    isolated = traced(scans, 30, isolated_at=DAY + timedelta(minutes=8), version=2)
    assert "goes_on" not in isolated.summary["window"]
    assert found(first, isolated) == {A: ("changed", ("window",)), B: ("changed", ("window",))}


def test_an_answer_explains_those_who_were_where_it_is_of() -> None:
    """The case says when it left the hall; BOB's scans in the room come later."""
    scans = visits((CASE, HALL, 0, 60), (ALICE, HALL, 50, 55), (CASE, ROOM, 200, 260),
                   (BOB, ROOM, 210, 250))  # fmt: skip
    left = (pl.col("person") == CASE) & (pl.col("place") == HALL) & (pl.col("direction") == "out")
    scans = scans.filter(~left)
    case = person_text(CASE)
    answer = {"person": case, "place": HALL, "begin": DAY, "end": DAY + timedelta(minutes=20)}
    his = pl.col("person") == BOB
    before = traced(scans.filter(~his), 2000)
    after = traced(scans, 2000, answers=[answer], version=2)
    assert found(before, after) == {
        A: ("withdrawn", ("answered",)),
        B: ("added", ("late_scan",)),
    }


def test_another_id_of_the_case_explains_only_what_its_own_stays_say() -> None:
    """A card that has never scanned was joined to the case, and the room's walls are gone."""
    scans = visits((CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40), (CARD_BITS, CLINIC, 300, 330),
                   (BOB, CLINIC, 300, 330))  # fmt: skip
    unused = {"same": [{"person": "0NEVER0000001", "of": person_text(CASE)}], "version": 2}
    plain = traced(scans, 2000)
    late = pl.concat([scans, visits(*_ROWS, (500, ROOM, 20, 50))[-2:]])
    assert found(plain, traced(late, 2000, **unused)) == {
        person_text(500): ("added", ("late_scan",))
    }
    used = {"same": [{"person": person_text(CARD_BITS), "of": person_text(CASE)}], "version": 2}
    joined = traced(scans, 2000, **used)
    assert found(plain, joined) == {B: ("added", ("same_person",))}
    assert found(joined, plain) == {B: ("withdrawn", ("same_person",))}
    assert changes(joined, joined) == []


CARD_BITS = 901
_ROWS = ((CASE, ROOM, 0, 60), (ALICE, ROOM, 10, 40), (CARD_BITS, CLINIC, 300, 330),
         (BOB, CLINIC, 300, 330))  # fmt: skip


def test_where_only_time_went_on_no_scan_is_named() -> None:
    """Nobody scans out: hours later both stays have ended by the cap."""
    scans = visits((CASE, ROOM, 0, 2000), (ALICE, ROOM, 5, 2000))
    first, later = traced(scans, 20), traced(scans, 1500)
    assert found(first, later) == {A: ("changed", ("window",))}
