"""A coach that is under way for a day and a half: who was on board is found however long before."""

from datetime import timedelta
from typing import Any

import polars as pl

from schemas.ids import person_text
from schemas.places import Trip
from tests.unit.test_contacts import (
    A_CASE,
    ALICE,
    BOB,
    CASE,
    DAY,
    NOW,
    RULE_SETS,
    RULES,
    FakeEngine,
    place,
)
from tracer.fetch import second_from, to_watch, trace_from
from tracer.frames import SCANS
from tracer.parameters import load_parameters
from tracer.places import ground_at
from tracer.queries import Scans
from tracer.second import First

COACH, STATION = 60, 61
HOUR = timedelta(hours=1)
RIDE = Trip(id="NS-1", departs_at=DAY, arrives_at=DAY + 36 * HOUR)
PLACES = [
    place(COACH, "coach", True, False).model_copy(update={"usual_stay": 45, "trips": (RIDE,)}),
    place(STATION, "station", False, False),
]


def boarded(*rows: tuple[int, int, str, float, str | None]) -> pl.DataFrame:
    """(person, place, direction, hours after departure, trip)."""
    made: list[tuple[Any, ...]] = [
        (person, at, DAY + hours * HOUR, direction, 0, offset, trip)
        for offset, (person, at, direction, hours, trip) in enumerate(rows)
    ]
    return pl.DataFrame(made, schema=dict(SCANS), orient="row")


SCANS_THERE = boarded(
    (ALICE, COACH, "in", -0.5, "NS-1"),
    (CASE, COACH, "in", 30, "NS-1"),
    (CASE, COACH, "out", 32, None),
    (CASE, STATION, "pass", 32.1, None),
)


def test_who_boarded_thirty_hours_before_the_case_is_a_contact() -> None:
    ground = ground_at(PLACES, load_parameters())
    engine = Scans(FakeEngine(SCANS_THERE))
    (row,) = trace_from(engine, A_CASE, ground, RULES, NOW).exposures.rows(named=True)
    assert (row["person"], row["minutes"]) == (ALICE, 120)
    assert row["their_end_provenance"] == "trip_end"
    watched = to_watch(engine, A_CASE, ground, RULES, NOW)
    assert watched.near == [ALICE]
    [window] = [one for one in watched.windows if one[0] == COACH]
    assert min(window[3], window[5]) >= 40 * 3_600_000, "so long before may somebody have come"


def test_before_there_were_long_rides_nobody_was() -> None:
    before = ground_at(PLACES, load_parameters("stays-2026-11-26-fading.toml"))
    found = trace_from(Scans(FakeEngine(SCANS_THERE)), A_CASE, before, RULES, NOW)
    assert found.exposures.is_empty()


def test_an_f1_who_rode_on_is_followed_to_the_arrival() -> None:
    scans = boarded(
        (ALICE, COACH, "in", -2, "NS-1"), (BOB, COACH, "in", 33, "NS-1"),
        (BOB, COACH, "out", 35, None),
    )  # fmt: skip
    ground = ground_at(PLACES, load_parameters())
    step = {"place": COACH, "start": "2022-01-06T10:00:00.000Z", "end": "2022-01-06T12:00:00.000Z"}
    first = First(ALICE, DAY + 34 * HOUR, 0.9, step)
    case = {"id": "c1", "person": person_text(CASE)}
    with_f2 = RULE_SETS["vn-2021-07-30"]
    found = second_from(Scans(FakeEngine(scans)), case, [first], ground, with_f2, NOW)
    assert [contact["person"] for contact in found.contacts] == [person_text(BOB)]
