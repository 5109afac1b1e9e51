"""Which intervals of two lists overlap at one place.

The intervals of the first list are few (a case's, or those of some hundred F1s), those of the
second may be millions. The first are laid out on one line, place after place, by their beginning:
those that one of the second can overlap stand side by side on it, and two searches find where.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from tracer.columns import I64, NONE, U32, instants, ranges, rows_in


class Times(NamedTuple):
    """Arrays of one length: place, and start and end in milliseconds since 1970 UTC."""

    place: U32
    start: I64
    end: I64


def times_of(stays: pl.DataFrame, start: str = "start", end: str = "end") -> Times:
    """Of a frame with `place` and two columns of times."""
    return Times(stays["place"].to_numpy(), instants(stays[start]), instants(stays[end]))


def overlaps(few: Times, many: Times) -> tuple[I64, I64]:
    """The row numbers in `few` and in `many` of every two that share more than an instant."""
    if not len(few.place) or not len(many.place):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    places, few_rank = np.unique(few.place, return_inverse=True)
    rank = rows_in(places, many.place)
    there = np.flatnonzero(rank != NONE)
    rank = rank[there]

    begin = few.start.min()
    length = max(few.start.max(), few.end.max()) - begin

    def on_the_line(rank: I64, time: I64) -> I64:
        along: I64 = rank * (length + 1) + np.clip(time - begin, 0, length)
        return along

    assert len(places) * (int(length) + 1) < 2**63, "a line too long for 64 bits"
    order = np.lexsort((few.start, few_rank))
    starts = on_the_line(few_rank[order], few.start[order])
    # the latest end so far: who begins after it overlaps none of those before
    ends = np.maximum.accumulate(on_the_line(few_rank[order], few.end[order]))
    first = np.searchsorted(ends, on_the_line(rank, many.start[there]), side="right")
    behind = np.searchsorted(starts, on_the_line(rank, many.end[there]), side="left")

    at, of = ranges(first, behind)
    mine, theirs = order[at], there[of]
    later = np.maximum(few.start[mine], many.start[theirs])
    sooner = np.minimum(few.end[mine], many.end[theirs])
    shared = np.flatnonzero(later < sooner)
    return mine[shared], theirs[shared]
