"""What is known of a few openings beside scans: an answer, a trip's arrival.

Both are rare: so they are looked up in frames, for those who may have one.
"""

from typing import Literal

import numpy as np
import polars as pl

from tracer.columns import FOREVER, I64, NEVER, NONE
from tracer.frames import TIME
from tracer.scanned import Read, Scanned


def answered(scans: Scanned, read: Read, row: I64, answers: pl.DataFrame) -> tuple[I64, I64, I64]:
    """What the person of each of these rows answered for the place, milliseconds UTC.

    The end of the answer that starts last at or before it, and where equal the later end, NEVER
    where there is none; and of the one that starts first after it the end and the start, FOREVER
    where there is none.
    """
    before, after, start = (np.full(len(row), none) for none in (NEVER, FOREVER, FOREVER))
    if answers.is_empty():
        return before, after, start
    given = (
        answers.select("person", "place", "start", "end")
        .sort("start", "end")
        .unique(["person", "place", "start"], keep="last", maintain_order=True)
        .with_columns(begin="start")
    )
    asked = np.flatnonzero(np.isin(scans.persons, given["person"].to_numpy())[read.who[row]])
    openings = _frame(scans, read, row[asked]).with_columns(asked=asked).sort("t")

    def nearest(strategy: Literal["backward", "forward"], *, exact: bool) -> pl.DataFrame:
        return openings.join_asof(
            given,
            left_on="t",
            right_on="begin",
            by=["person", "place"],
            strategy=strategy,
            allow_exact_matches=exact,
            check_sortedness=False,  # both were sorted just above; it cannot check within `by`
        )

    _put(before, nearest("backward", exact=True), "end")
    following = nearest("forward", exact=False)
    _put(after, following, "end")
    _put(start, following, "start")
    return before, after, start


def arrivals(scans: Scanned, read: Read, row: I64, of_trips: pl.DataFrame) -> I64:
    """For each of these rows the arrival of the trip that the scan names, if the place has it,
    else NEVER. `of_trips`: place, trip, arrival (milliseconds UTC)."""
    found = np.full(len(row), NEVER)
    if of_trips.is_empty() or scans.trip.null_count() == len(scans.trip):
        return found
    named = np.flatnonzero(scans.trip.is_not_null().to_numpy()[read.scan[row]])
    openings = _frame(scans, read, row[named]).with_columns(
        scans.trip.gather(read.scan[row[named]]), asked=named
    )
    _put(found, openings.join(of_trips, on=["place", "trip"]), "arrival")
    return found


def trips_of(scans: Scanned, read: Read, row: I64, arrival: I64) -> I64 | None:
    """For each row of `read` a number of the trip that it names, NONE where it names none of its
    place; None if no row names one. `arrival`: of the rows `row`, see `arrivals`."""
    riding = row[arrival != NEVER]
    if not len(riding):
        return None
    number = np.full(len(read.scan), NONE)
    number[riding] = scans.trip.gather(read.scan[riding]).rank("dense").cast(pl.Int64).to_numpy()
    return number


def _frame(scans: Scanned, read: Read, row: I64) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": scans.persons[read.who[row]],
            "place": scans.places[read.where[row]],
            "t": pl.Series(read.t[row]).cast(TIME),
        }
    )


def _put(found: I64, known: pl.DataFrame, column: str) -> None:
    known = known.drop_nulls(column)
    found[known["asked"].to_numpy()] = known[column].to_physical().to_numpy()
