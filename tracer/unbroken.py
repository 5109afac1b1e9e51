"""Times together at one place that follow each other without a break are one time together.

A camera saw the case until twenty past in the room that it had scanned out of at ten past: who was
there all the while was with it for as long as both say together, and no clause is excluded by the
length of either.
"""

import numpy as np

from tracer.columns import I64, U32, U64, Floats, Mask, apart, changes
from tracer.minutes import in_minutes


def touch(person: U64, place: U32, start: I64, end: I64) -> bool:
    """Whether two of these times of one person at one place overlap or touch."""
    if len(start) < 2:
        return False
    order, group = _grouped(start, person, place)
    begin, until = apart(group, start[order], end[order])
    return bool((begin[1:] <= np.maximum.accumulate(until)[:-1]).any())


def at_most(of: tuple[U64, U32, U64], start: I64, end: I64, longer: Mask) -> Floats:
    """Of each time (milliseconds) the minutes of all that it is part of; infinite if one of these
    may have been `longer`. `of`: whose and where it is, and with whom."""
    if not len(start):
        return np.empty(0)
    order, group = _grouped(start, *of)
    begin, until = apart(group, start[order], end[order])
    reach = np.maximum.accumulate(until)
    begins = np.ones(len(order), np.bool_)
    begins[1:] = begin[1:] > reach[:-1]
    first = np.flatnonzero(begins)
    length = in_minutes(np.maximum.reduceat(until, first) - begin[first])
    length[np.logical_or.reduceat(longer[order], first)] = np.inf
    found = np.empty(len(order))
    found[order] = length[np.cumsum(begins) - 1]
    return found


def _grouped(start: I64, *keys: U64 | U32) -> tuple[I64, I64]:
    """The rows by these keys and their beginning, and of each the number of its group."""
    order = np.lexsort((start, *keys))
    different = np.logical_or.reduce([changes(key[order]) for key in keys])
    return order, np.cumsum(different) - 1
