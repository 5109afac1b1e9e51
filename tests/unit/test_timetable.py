"""Which trip a scan names, and how long trips say that somebody may still be there."""

from typing import Any

import numpy as np
import polars as pl

from tracer.columns import NEVER, NONE
from tracer.frames import TRIPS
from tracer.timetable import Timetable, timetable_of

BUS, OTHER, NO_BUS = 5, 9, 7
HOUR = 3_600_000
BEGIN = 1_790_000_000_000
CAP = 4 * HOUR


def planned(*trips: tuple[int, str, float, float]) -> Timetable:
    """(place, name, departs, arrives), hours after `BEGIN`."""
    rows = [(p, n, *(BEGIN + int(h * HOUR) for h in times)) for p, n, *times in trips]
    frame = pl.DataFrame(rows, schema={**TRIPS, "departs_at": pl.Int64, "arrives_at": pl.Int64},
                         orient="row")  # fmt: skip
    return timetable_of(frame.select(pl.col(name).cast(kind) for name, kind in TRIPS.items()))


def asked(timetable: Timetable, *openings: tuple[int, float, str | None]) -> list[Any]:
    """(arrival, until) of each, hours after `BEGIN`; None where there is none."""
    place, t, names = zip(*openings, strict=True)
    at = np.array([BEGIN + int(h * HOUR) for h in t])
    rides = timetable.rides(np.array(place, np.uint32), at, pl.Series(names, dtype=pl.String), CAP)
    assert ((rides.trip == NONE) == (rides.arrival == NEVER)).all()
    return [
        tuple(None if ms == NEVER else (ms - BEGIN) / HOUR for ms in both)
        for both in zip(rides.arrival.tolist(), rides.until.tolist(), strict=True)
    ]


def test_a_name_that_is_used_again_means_the_trip_of_that_time() -> None:
    lines = planned(*((BUS, "51B", h, h + 1) for h in range(0, 240, 2)), (OTHER, "51B", 0, 9))
    assert asked(
        lines,
        (BUS, 100.5, "51B"),  # under way
        (BUS, 101.5, "51B"),  # between two: the next
        (BUS, 240, "51B"),  # after the last
        (BUS, 243.5, "51B"),  # too long after
        (BUS, -4, "51B"),
        (BUS, -4.1, "51B"),
        (BUS, 100.5, "51C"),
        (NO_BUS, 100.5, "51B"),
        (OTHER, 8, "51B"),
    ) == [
        (101, 101), (103, 103), (239, 239), (None, 239), (1, 1), (None, None), (None, 105),
        (None, None), (9, 9),
    ]  # fmt: skip


def test_a_long_charter_is_found_beside_a_shuttle_and_says_nothing_of_other_days() -> None:
    shuttle = [(BUS, f"s{h}", h, h + 0.5) for h in range(0, 24)]
    lines = planned(*shuttle, (BUS, "far", 30, 90))
    assert asked(lines, (BUS, 60, "far"), (BUS, 26.5, "far"), (BUS, 12, "s12")) == [
        (90, 90), (90, 90), (12.5, 12.5),
    ]  # fmt: skip
    assert asked(lines, (BUS, 12, None), (BUS, 26.5, None), (BUS, 95, None)) == [
        (None, 16.5), (None, 90), (None, 90),
    ]  # fmt: skip


def test_one_that_arrives_before_it_departs_is_no_trip() -> None:
    assert asked(planned((BUS, "x", 2, 1), (BUS, "y", 3, 3)), (BUS, 0, "x"), (BUS, 0, "y")) == [
        (None, 3), (3, 3),
    ]  # fmt: skip
    assert asked(planned((BUS, "x", 2, 1)), (BUS, 0, "x")) == [(None, None)]
