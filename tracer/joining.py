"""Intervals of one person and place that overlap or touch become one: rule 9 of `tracer.stays`."""

import numpy as np

from tracer.columns import I64, apart, changes, in_order
from tracer.intervals import Intervals


def joined(intervals: Intervals, pair: I64) -> Intervals:
    """The union of `intervals`, at least one, ordered by `pair` (of person and place) and start.

    What is said of the start comes from the earliest interval, what is said of the end from the
    one that ends last.
    """
    start, end = apart(pair, intervals.start, intervals.end)
    order = in_order(start, intervals.start_rank, intervals.row)
    intervals, start, end = intervals[order], start[order], end[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = start[1:] > np.maximum.accumulate(end)[:-1]
    if begins.all():
        return intervals
    first = np.flatnonzero(begins)
    last = _last(intervals, first, np.cumsum(begins) - 1)
    return Intervals(
        row=intervals.row[first],
        start=intervals.start[first],
        end=intervals.end[last],
        start_rank=intervals.start_rank[first],
        end_rank=intervals.end_rank[last],
        closing=intervals.closing[last],
    )


def _last(intervals: Intervals, first: I64, stay: I64) -> I64:
    """Of each stay (its `first` interval; the `stay` of each) the interval that ends last; of
    several the one whose end is named first, then the one read first; of one scan's, the one whose
    last scan was."""
    latest = np.maximum.reduceat(intervals.end, first)
    rows = np.flatnonzero(intervals.end == latest[stay])
    of_equal = (intervals.end_rank, intervals.row, intervals.closing)
    rows = rows[in_order(stay[rows], *(one[rows] for one in of_equal))]
    return rows[changes(stay[rows])]
