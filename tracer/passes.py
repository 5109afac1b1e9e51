"""Which scans in direction `pass` open a stay: rule 6 of `tracer.stays`."""

import numpy as np

from tracer.columns import I64, Mask, apart, changes, together
from tracer.intervals import Intervals
from tracer.scanned import IN, PASS, Read


def opening_passes(read: Read, intervals: Intervals) -> Intervals:
    """`intervals` (of `with_ends`, by row) without those of passes while a stay is open there."""
    direction, pair = read.direction[intervals.row], read.pair[intervals.row]
    passes = direction == PASS
    if not passes.any():
        return intervals
    there = np.zeros(pair.max() + 1, dtype=np.bool_)
    there[pair[passes]] = True
    concerned = np.flatnonzero(there[pair])
    concerned = concerned[together(pair[concerned])]

    pair, direction = pair[concerned], direction[concerned]
    start, end = intervals.start[concerned], intervals.end[concerned]
    first = (direction == PASS) & ~_inside_an_in(pair, direction == IN, start, end)
    opens = direction == IN
    opens[first] = ~_inside_a_pass(pair[first], start[first], end[first])
    kept = np.ones(len(intervals.row), dtype=np.bool_)
    kept[concerned] = opens
    return intervals[kept]


def _inside_an_in(pair: I64, entered: Mask, start: I64, end: I64) -> Mask:
    """Which start strictly before the latest end of the earlier `in`s of person and place."""
    start, end = apart(pair, start, end)
    latest = np.maximum.accumulate(np.where(entered, end, 0))
    return start < latest


def _inside_a_pass(pair: I64, start: I64, end: I64) -> Mask:
    """Which passes start strictly before the end of the last one that opened, one after another.

    Whether a pass opens depends on whether the one before did, so this is a loop. The last
    opened ends last: each opened at or after the end of the one before.
    """
    inside = np.zeros(len(pair), dtype=np.bool_)
    open_until = 0
    rows = zip(changes(pair).tolist(), start.tolist(), end.tolist(), strict=True)
    for row, (anew, begins, ends) in enumerate(rows):
        if not anew and begins < open_until:
            inside[row] = True
        else:
            open_until = ends
    return inside
