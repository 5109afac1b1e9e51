"""Scans in reading order: double taps joined, what came next beside each."""

from typing import Final

import numpy as np

from tracer.cameandwent import came_and_went
from tracer.columns import I64, NONE, Mask, apart, changes, in_order, next_of, own, rows_in
from tracer.ground import Ground, Limits
from tracer.nesting import with_nesting
from tracer.scanned import IN, OUT, Read, Scanned

_FIRST: Final = (OUT + IN) / 2  # who came and went did so before they came anywhere else


def read_in_order(scans: Scanned, ground: Ground, limits: Limits) -> Read:
    """Rules 2 and 3 of `tracer.stays`, and the decisive scans of rule 4. At least one scan.
    `limits`: of `scans.places`."""
    (moment,) = apart(scans.who, scans.t)
    out = scans.direction == OUT
    deep = _depth(scans, ground)
    outward = np.where(out, -deep, deep)
    scan = in_order(moment, scans.direction, outward, scans.where, scans.partition, scans.offset)
    two = came_and_went(scans, moment, scan, limits)
    if two.any():
        rank, outward = np.where(two, _FIRST, scans.direction), np.where(two, deep, outward)
        scan = in_order(moment, rank, outward, scans.where, out, scans.partition, scans.offset)
    scan = scan[~_double_taps(scans, scan, ground.parameters.double_tap_seconds * 1000)]

    who, where, direction = scans.who[scan], scans.where[scan], scans.direction[scan]
    pair = np.unique(who * len(scans.places) + where, return_inverse=True)[1]
    decisive = changes(pair) | (direction == OUT)
    read = Read(
        scan=scan,
        who=who,
        where=where,
        t=scans.t[scan],
        direction=direction,
        pair=pair,
        previous=own(np.arange(len(scan)) - 1, who),
        following=own(next_of(decisive), who),
    )
    for level in ground.levels:
        read = with_nesting(read, scans.places, level)
    return read


def _depth(scans: Scanned, ground: Ground) -> I64:
    """Of each scan in how many places its own lies: who comes is in the building before the room,
    and who goes has left the room first."""
    deep = np.zeros(len(scans.places), np.int64)
    for level in ground.levels:
        deep += rows_in(level.inside, scans.places) != NONE
    return deep[scans.where]


def _double_taps(scans: Scanned, scan: I64, at_most: int) -> Mask:
    """Which of these scans, in the order of rule 2, are double taps of the one before them."""
    who, where = scans.who[scan], scans.where[scan]
    direction, t = scans.direction[scan], scans.t[scan]
    again = ~(changes(who) | changes(where) | changes(direction))
    again[1:] &= t[1:] - t[:-1] <= at_most
    return again
