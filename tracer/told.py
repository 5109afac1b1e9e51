"""What is known of a few openings beside scans: what their person answered.

That is rare: so it is looked up in frames, for those who may have answered.
"""

from typing import Literal

import numpy as np
import polars as pl

from tracer.columns import FOREVER, I64, NEVER
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
