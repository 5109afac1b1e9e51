"""Who came again to where nobody had seen them go: rule 4 of `tracer.stays`.

Times are milliseconds since 1970 UTC.
"""

import numpy as np

from tracer.columns import FOREVER, I64, NONE, among, last_before, next_of, together
from tracer.ground import DAY, LOCAL_OFFSET, Limits
from tracer.scanned import IN, OUT, Read


def until_closing(t: I64, closes: I64) -> I64:
    """Milliseconds to the next closing strictly after `t`; FOREVER where no hours are known."""
    ahead = (closes - LOCAL_OFFSET - t) % DAY
    ahead[ahead == 0] = DAY
    return np.where(closes == NONE, FOREVER, ahead)


def returns(read: Read, trip: I64, limits: Limits) -> I64:
    """For each row the first later `in` of the same person and place that is a return, or NONE.

    One is if the person's opening there before it is more than `bound` earlier, or the place
    closed between the two; unless both name one trip of the place: who steps out at a stop and
    scans in again has not left it. `trip`: of each row, or NONE. `limits`: of `Scanned.places`.
    """
    order = together(read.pair)
    before = among(order, read.pair, last_before, read.direction != OUT)
    gap = np.where(before == NONE, 0, read.t - read.t[before])
    closed = until_closing(read.t[before], limits.closes[read.where]) < gap
    again = (read.direction == IN) & ((gap > limits.bound[read.where]) | closed)
    again &= (before == NONE) | (trip == NONE) | (trip != trip[before])
    return among(order, read.pair, next_of, again)
