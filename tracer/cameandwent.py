"""Who came and went at one time: the exception of rule 2 of `tracer.stays`."""

import numpy as np

from tracer.columns import I64, NONE, Mask, changes, firsts, last_before, own
from tracer.ground import Limits
from tracer.scanned import IN, OUT, PASS, Scanned


def came_and_went(scans: Scanned, moment: I64, order: I64, limits: Limits) -> Mask:
    """The scans in and out, by row, of one person, place and time of which the `in` is read first.

    `moment`: a number for each person and time; `order`: the rows by it; `limits`: of the places.
    """
    two = np.zeros(len(order), np.bool_)
    both = _both(scans, moment, order)
    if not both.any():
        return two
    pair = scans.who * len(scans.places) + scans.where
    rows = np.flatnonzero(np.isin(pair, pair[both]))
    rows = rows[np.lexsort((scans.direction[rows], scans.t[rows], pair[rows]))]
    group = np.cumsum(changes(pair[rows])) - 1
    before = own(last_before(~both[rows]), group)
    t, direction = scans.t[rows], scans.direction[rows]
    back = (before != NONE) & (direction[before] != OUT)
    back &= t - t[before] <= limits.longest[scans.where[rows]]
    two[rows[both[rows] & ~back]] = True
    return two


def _both(scans: Scanned, moment: I64, order: I64) -> Mask:
    """The scans in and out, by row, beside which the other is there, of one person and time."""
    both = np.zeros(len(order), np.bool_)
    again = ~changes(moment[order])
    if not again.any():
        return both
    again[:-1] |= again[1:]
    rows = order[again]
    rows = rows[scans.direction[rows] != PASS]
    if not len(rows):
        return both
    rows = rows[np.lexsort((scans.where[rows], moment[rows]))]
    direction = scans.direction[rows]
    first = firsts(moment[rows], scans.where[rows])
    two = np.minimum.reduceat(direction, first) == OUT
    two &= np.maximum.reduceat(direction, first) == IN
    both[rows[np.repeat(two, np.diff(first, append=len(rows)))]] = True
    return both
