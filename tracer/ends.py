"""When an opening scan's interval ends: the first accepted end, in the order of `ENDS`.

All times are milliseconds since 1970 UTC. The rule in words is in `tracer.stays`.
"""

from typing import Final

import numpy as np
import polars as pl

from tracer.columns import FOREVER, I64, NONE, Mask
from tracer.ground import DAY, MINUTE, Ground, Limits
from tracer.intervals import Intervals
from tracer.parameters import ENDS, STARTS
from tracer.scanned import IN, OUT, PASS, Read, Scanned
from tracer.told import answered, arrivals

# Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975-06-13 (IANA tz, `asia`).
LOCAL_OFFSET: Final = 7 * 60 * MINUTE
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
    longest = ground.parameters.max_stay_minutes * MINUTE

    decisive = read.following[row]
    out_here = (decisive != NONE) & (read.where[decisive] == here)
    out = np.where(out_here, read.t[decisive], FOREVER)
    elsewhere = np.where((decisive == NONE) | out_here, FOREVER, read.t[decisive])
    closing = t + _until_closing(t, limits.closes[here])
    answer = answered(scans, read, row, answers)
    arrival = arrivals(scans, read, row, ground.arrivals)

    def plausible(end: I64) -> Mask:
        return (end > t) & (end - t <= longest) & (end <= elsewhere)

    accepted = (
        (out - t <= longest, out),
        (plausible(answer), answer),
        (elsewhere - t <= bound, elsewhere),
        (plausible(arrival), arrival),
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


def _until_closing(t: I64, closes: I64) -> I64:
    """Milliseconds to the next closing strictly after `t`; FOREVER where no hours are known."""
    ahead = (closes - LOCAL_OFFSET - t) % DAY
    ahead[ahead == 0] = DAY
    return np.where(closes == NONE, FOREVER, ahead)
