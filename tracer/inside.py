"""Who is in a room is still in the building: rule 8 of `tracer.stays`.

Times are milliseconds since 1970 UTC.
"""

from typing import Final

import numpy as np

from tracer.columns import FOREVER, I64, NONE, U32, Mask, among, last_before, rows_in, together
from tracer.ground import Ground, Limits
from tracer.intervals import Intervals
from tracer.nesting import Level
from tracer.parameters import ENDS
from tracer.returns import until_closing
from tracer.scanned import Read

_ASSUMED: Final = [ENDS.index(name) for name in ("closing_time", "usual_stay", "cap")]


def going_on(
    read: Read, places: U32, opened: Intervals, every: Intervals, limits: Limits, ground: Ground
) -> Intervals:
    """For each interval inside a place whose own interval ends by assumption, and later: one at
    that place, from its opening to the end inside.

    `opened`: of openings, at most one a row; `every`: these and all others; `places`, `limits`: as
    `where` of `read` numbers them.
    """
    found = opened[np.empty(0, np.int64)]
    number = np.full(len(read.scan), NONE)
    number[opened.row] = np.arange(len(opened.row))
    for level in ground.levels:
        found = found + _at(level, read, places, opened, every, number, limits)
    return found


def _at(
    level: Level,
    read: Read,
    places: U32,
    opened: Intervals,
    every: Intervals,
    number: I64,
    limits: Limits,
) -> Intervals:
    inside = np.flatnonzero((rows_in(level.inside, places) != NONE)[read.where[every.row]])
    if not len(inside) or not (rows_in(level.holders, places) != NONE).any():
        return opened[np.empty(0, np.int64)]
    row = every.row[inside]
    came = _last_opening(level, read, places, number != NONE)[row]
    inside, row, came = (column[came != NONE] for column in (inside, row, came))
    at = number[came]
    decisive = read.following[came]
    left = np.where(decisive == NONE, FOREVER, read.t[decisive])
    end = np.minimum(every.end[inside], left)
    t, where = read.t[came], read.where[came]
    closed = until_closing(t, limits.closes[where]) < read.t[row] - t
    those = (
        ((decisive == NONE) | (decisive > row))
        & np.isin(opened.end_rank[at], _ASSUMED)
        & (end > opened.end[at])
        & (end - t <= limits.longest[where])
        & ~closed
    )
    at, inside = at[those], inside[those]
    return Intervals(
        row=opened.row[at],
        start=opened.start[at],
        end=end[those],
        start_rank=opened.start_rank[at],
        end_rank=every.end_rank[inside],
        closing=every.closing[inside],
    )


def _last_opening(level: Level, read: Read, places: U32, opens: Mask) -> I64:
    """For each row the person's last earlier opening at the level's place that holds it."""
    image = level.seen(places)
    seen, itself = image[read.where], (image == places)[read.where]
    around = np.unique(read.who * (int(image.max()) + 1) + seen, return_inverse=True)[1]
    return among(together(around), around, last_before, itself & opens)
