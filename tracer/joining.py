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
    if intervals.is_empty() or intervals["stay"][-1] == intervals.height - 1:
        return intervals.drop("stay")
    ends = [c for c in intervals.columns if c.startswith(("end", "closing_"))]
    last = intervals.sort(
        "stay", "end", "end_rank", "row", descending=[False, True, False, False]
    ).unique("stay", keep="first", maintain_order=True)
    first = intervals.unique("stay", keep="first", maintain_order=True)
    return first.with_columns(last.select(ends)).drop("stay")


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
