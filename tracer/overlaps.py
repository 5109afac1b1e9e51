"""Which intervals of two lists overlap at one place.

The intervals of the first list are few (a case's, or those of some hundred F1s), those of the
second may be millions. The first are laid out on one line, place after place, by their beginning:
those that one of the second can overlap stand side by side on it, and two searches find where.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tracer.minutes import Ints

Rows = npt.NDArray[np.intp]


class Intervals(NamedTuple):
    """Arrays of one length: place, and start and end in milliseconds since 1970 UTC."""

    place: npt.NDArray[np.uint32]
    start: Ints
    end: Ints


def intervals_of(stays: pl.DataFrame, start: str = "start", end: str = "end") -> Intervals:
    """Of a frame with `place` and two columns of times."""
    return Intervals(stays["place"].to_numpy(), instants(stays[start]), instants(stays[end]))


def instants(times: pl.Series) -> Ints:
    """Times (`frames.TIME`) in milliseconds since 1970 UTC."""
    return times.cast(pl.Int64).to_numpy()


def as_index(rows: npt.NDArray[np.integer]) -> pl.Series:
    """Row numbers as polars takes them without looking at each: many columns are read by them."""
    return pl.Series(rows.astype(np.uint32))


def overlaps(few: Intervals, many: Intervals) -> tuple[Rows, Rows]:
    """The row numbers in `few` and in `many` of every two that share more than an instant."""
    if not len(few.place) or not len(many.place):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    places, few_rank = np.unique(few.place, return_inverse=True)
    rank = np.searchsorted(places, many.place)
    there = np.flatnonzero(places[np.minimum(rank, len(places) - 1)] == many.place)
    rank = rank[there]

    begin = few.start.min()
    length = max(few.start.max(), few.end.max()) - begin

    def on_the_line(rank: Rows, time: Ints) -> Ints:
        along: Ints = rank * (length + 1) + np.clip(time - begin, 0, length)
        return along

    assert len(places) * (int(length) + 1) < 2**63, "a line too long for 64 bits"
    order = np.lexsort((few.start, few_rank))
    starts = on_the_line(few_rank[order], few.start[order])
    # the latest end so far: who begins after it overlaps none of those before
    ends = np.maximum.accumulate(on_the_line(few_rank[order], few.end[order]))
    first = np.searchsorted(ends, on_the_line(rank, many.start[there]), side="right")
    behind = np.searchsorted(starts, on_the_line(rank, many.end[there]), side="left")

    at, of = _ranges(first, behind)
    mine, theirs = order[at], there[of]
    later = np.maximum(few.start[mine], many.start[theirs])
    sooner = np.minimum(few.end[mine], many.end[theirs])
    shared = np.flatnonzero(later < sooner)
    return mine[shared], theirs[shared]


def _ranges(first: Rows, behind: Rows) -> tuple[Rows, Rows]:
    """All numbers from each `first` to before its `behind`, and of which of them each is."""
    lengths = np.maximum(behind - first, 0)
    of = np.repeat(np.arange(len(first)), lengths)
    passed = np.cumsum(lengths) - lengths
    return np.arange(len(of)) + (first - passed)[of], of
