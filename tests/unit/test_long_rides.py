"""A coach that is under way for a day and a half: who was on board is found however long before."""

from datetime import timedelta
from typing import Any

import polars as pl

from schemas.ids import person_text
from schemas.places import Place, Trip
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
from tracer.second import First, Met

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
    first = First(ALICE, (Met(DAY + 34 * HOUR, 0.9, step),))
    case = {"id": "c1", "person": person_text(CASE)}
    with_f2 = RULE_SETS["vn-2021-07-30"]
    found = second_from(Scans(FakeEngine(scans)), case, [first], ground, with_f2, NOW)
    assert [contact["person"] for contact in found.contacts] == [person_text(BOB)]


def exposed(scans: pl.DataFrame, places: list[Place]) -> list[tuple[int, float, str]]:
    """Who was with the case, for how many minutes, and how that ended."""
    found = trace_from(
        Scans(FakeEngine(scans)), A_CASE, ground_at(places, load_parameters()), RULES, NOW
    )
    return [
        (row["person"], row["minutes"], row["their_end_provenance"])
        for row in found.exposures.rows(named=True)
    ]


def test_who_was_read_around_a_shop_did_not_ride_on_because_their_scan_out_was_not_read() -> None:
    shop = 62
    scans = boarded(
        (CASE, shop, "in", -40, None), (CASE, shop, "out", -39, None),
        (ALICE, shop, "in", -39.5, None), (ALICE, shop, "out", -39.2, None),
        (ALICE, COACH, "in", -7.1, "NS-1"), (ALICE, COACH, "out", -6.9, None),
        (CASE, COACH, "in", 20, "NS-1"), (CASE, COACH, "out", 22, None),
    )  # fmt: skip
    early = RIDE.model_copy(update={"departs_at": DAY - 8 * HOUR})
    coach = PLACES[0].model_copy(update={"trips": (early,)})
    assert exposed(scans, [coach, place(shop, "shop", True, False)]) == [(ALICE, 18, "scan_out")]


def test_a_long_charter_says_nothing_of_another_day() -> None:
    scans = boarded(
        (ALICE, COACH, "in", -60, None), (ALICE, COACH, "out", -32, None),
        (CASE, COACH, "in", -45, None), (CASE, COACH, "out", -44, None),
    )  # fmt: skip
    assert exposed(scans, PLACES) == [], "of a day and a half there it makes two visits"
    earlier = RIDE.model_copy(
        update={"departs_at": DAY - 61 * HOUR, "arrives_at": DAY - 33 * HOUR, "id": "NS-0"}
    )
    coach = PLACES[0].model_copy(update={"trips": (earlier, RIDE)})
    assert exposed(scans, [coach, PLACES[1]]) == [(ALICE, 60, "scan_out")]


def test_a_name_that_is_given_to_a_trip_again_is_that_of_the_day() -> None:
    scans = boarded(
        (ALICE, COACH, "in", -24, "51B"),
        (CASE, COACH, "in", -22.5, None), (CASE, COACH, "out", -22, None),
        (CASE, COACH, "in", 0, None), (CASE, COACH, "out", 1, None),
    )  # fmt: skip
    again = [
        Trip(id="51B", departs_at=DAY + hours * HOUR, arrives_at=DAY + (hours + 2) * HOUR)
        for hours in (-24, 0)
    ]
    coach = PLACES[0].model_copy(update={"trips": tuple(again)})
    assert exposed(scans, [coach, PLACES[1]]) == [(ALICE, 30, "trip_end")]


BUILDING, WARD = 62, 63
HOSPITAL = [
    place(BUILDING, "hospital", True, False),
    place(WARD, "hospital", True, False).model_copy(
        update={"usual_stay": 1440, "within": BUILDING}
    ),
]


def test_who_spends_a_day_in_a_room_spends_it_in_the_building() -> None:
    scans = boarded(
        (ALICE, BUILDING, "in", 0, None), (ALICE, WARD, "in", 0.1, None),
        (ALICE, WARD, "out", 23, None),
        (CASE, BUILDING, "in", 21, None), (CASE, BUILDING, "out", 22, None),
    )  # fmt: skip
    assert exposed(scans, HOSPITAL) == [(ALICE, 60, "scan_out")]


def test_who_comes_to_a_building_before_its_room_stays_as_long_there() -> None:
    scans = boarded(
        (ALICE, BUILDING, "in", 0, None), (ALICE, WARD, "in", 0.5, None),
        (CASE, BUILDING, "in", 24, None), (CASE, BUILDING, "out", 26, None),
    )  # fmt: skip
    assert exposed(scans, HOSPITAL) == [(ALICE, 30, "usual_stay")]


def test_who_may_have_ridden_on_is_asked_whatever_the_minutes() -> None:
    """Both boarded six minutes before the arrival, and nobody saw them get off."""
    scans = boarded((CASE, COACH, "in", 35.9, "NS-1"), (ALICE, COACH, "in", 35.9, "NS-1"))
    ground = ground_at(PLACES, load_parameters())
    (row,) = trace_from(Scans(FakeEngine(scans)), A_CASE, ground, RULES, NOW).contacts.rows(
        named=True
    )
    assert row["minutes"] == 6
    assert "b" in row["clauses"], "quarter of an hour or more may have been theirs"
