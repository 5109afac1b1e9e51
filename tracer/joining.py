"""Intervals of one person and place that overlap or touch become one: rule 8 of `tracer.stays`."""

import numpy as np
import polars as pl

_GROUP = ["person", "place"]


def joined(intervals: pl.DataFrame) -> pl.DataFrame:
    """The union of `intervals`, ordered by person, place, start.

    Columns: `row`, `person`, `place`, `start`, `end`, `start_rank`, `end_rank` and evidence
    `opening_*` and `closing_*`. What is said of the start comes from the earliest interval, what
    is said of the end from the one that ends last.
    """
    intervals = intervals.sort(*_GROUP, "start", "start_rank", "row")
    intervals = intervals.with_columns(stay=_numbers(intervals))
    stay = pl.col("stay")
    shared = ((stay == stay.shift(1)) | (stay == stay.shift(-1))).fill_null(False)
    several = intervals.filter(shared)
    if several.is_empty():
        return intervals.drop("stay")
    alone = intervals.filter(~shared)
    return pl.concat([alone, _united(several)]).sort("stay").drop("stay")


def _united(several: pl.DataFrame) -> pl.DataFrame:
    """One row a stay, from its intervals in the order of their starts."""
    ends = [c for c in several.columns if c.startswith(("end", "closing_"))]
    last = several.sort(
        "stay", "end", "end_rank", "row", descending=[False, True, False, False]
    ).unique("stay", keep="first", maintain_order=True)
    first = several.unique("stay", keep="first", maintain_order=True)
    return first.with_columns(last.select(ends))


def _numbers(intervals: pl.DataFrame) -> pl.Series:
    """The number of the stay each interval belongs to, rising from 0.

    A new one begins with a new person or place, or after the latest end so far. That running
    maximum is taken within groups by lifting each group above the one before.
    """
    if intervals.is_empty():
        return pl.Series("stay", [], dtype=pl.Int64)
    changes = (pl.col("person") != pl.col("person").shift(1)) | (
        pl.col("place") != pl.col("place").shift(1)
    )
    begins = intervals.select(changes.fill_null(True))["person"].to_numpy()
    start, end = intervals["start"].to_numpy(), intervals["end"].to_numpy()
    group = np.cumsum(begins) - 1
    span = int(end.max()) - int(start.min()) + 1
    assert int(group[-1] + 1) * span < 2**62, "too many stays over too long a time for one call"
    lifted = end - start.min() + group * span
    latest = np.maximum.accumulate(lifted)
    after = np.empty(len(start), dtype=bool)
    after[0] = True
    after[1:] = (start - start.min() + group * span)[1:] > latest[:-1]
    return pl.Series("stay", np.cumsum(begins | after) - 1)
