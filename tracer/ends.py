"""When an opening scan's interval ends: the first accepted end, in the order of `ENDS`.

All times are milliseconds since 1970 UTC. The rule in words is in `tracer.stays`.
"""

from typing import Final

import numpy as np
import polars as pl

from tracer.columns import FOREVER, I64, NEVER, NONE, Mask, as_index
from tracer.ground import Ground, Limits, longest_at
from tracer.intervals import Intervals
from tracer.parameters import ENDS, STARTS
from tracer.returns import returns, until_closing
from tracer.scanned import IN, OUT, PASS, Read, Scanned
from tracer.told import answered

_CAP: Final = ENDS.index("cap")
# By direction, and by rank of an end.
_STARTS: Final = {OUT: "assumed", IN: "scan_in", PASS: "scan_pass"}
_START_OF: Final = np.array([STARTS.index(_STARTS[n]) for n in sorted(_STARTS)], dtype=np.int8)
_BY_A_SCAN: Final = np.array([name in ("scan_out", "next_elsewhere") for name in ENDS])


def with_ends(
    scans: Scanned, read: Read, limits: Limits, ground: Ground, answers: pl.DataFrame
) -> Intervals:
    """Rule 5 of `tracer.stays`: an interval for each `in` and `pass`, by row.

    `limits`: of `scans.places`; `answers`: shape `frames.ANSWERS`.
    """
    row = np.flatnonzero(read.direction != OUT)
    t, here = read.t[row], read.where[row]
    reach, bound = limits.reach[here], limits.bound[here]

    decisive = read.following[row]
    out_here = (decisive != NONE) & (read.where[decisive] == here)
    out = np.where(out_here, read.t[decisive], FOREVER)
    elsewhere = np.where((decisive == NONE) | out_here, FOREVER, read.t[decisive])
    rides = ground.rides(scans.places[here], t, scans.trip[as_index(read.scan[row])])
    trip = np.full(len(read.scan), NONE)
    trip[row] = rides.trip
    again = returns(read, trip, limits)[row]
    came_again = out_here & (again != NONE) & (again < decisive)
    gone = np.where(came_again, read.t[again], elsewhere)
    closing = t + until_closing(t, limits.closes[here])
    longest = longest_at(t, rides, limits.most[here], ground.parameters)

    def plausible(end: I64) -> Mask:
        return (end > t) & (end - t <= longest) & (end <= gone)

    since, later, soon = answered(scans, read, row, answers)
    later = np.where(soon - t <= reach, later, NEVER)
    answer = np.where(plausible(since), since, later)
    # who names a trip was on it until then: it came early, or they got off
    on_the_way = (elsewhere <= rides.arrival) & (rides.arrival - t <= longest)
    accepted = (
        ((out - t <= longest) & ~came_again, out),
        (plausible(answer), answer),
        ((elsewhere - t <= bound) | on_the_way, elsewhere),
        (plausible(rides.arrival), rides.arrival),
        (closing - t <= bound, closing),
        (limits.usual[here], t + reach),
    )
    assert len(accepted) == _CAP
    end, rank = t + reach, np.full(len(t), _CAP, dtype=np.int8)
    for number, (condition, value) in reversed([*enumerate(accepted)]):
        end = np.where(condition, value, end)
        rank = np.where(condition, np.int8(number), rank)
    return Intervals(
        row=row,
        start=t,
        end=end,
        start_rank=_START_OF[read.direction[row]],
        end_rank=rank,
        closing=np.where(_BY_A_SCAN[rank], decisive, NONE),
    )
