"""Places inside places: who is in a room is still in the building around it.

A place may lie `within` another of its site, that one within a third, and so on. For a place
that holds others, a scan inside it is not a scan elsewhere (rule 4 of `tracer.stays`).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from tracer.columns import I64, NONE, U32, changes, last_before, next_of, own, rows_in
from tracer.scanned import OUT, Read

# deeper ones, and places that lie within each other, count as lying within nothing
DEEPEST: Final = 8


@dataclass(frozen=True)
class Level:
    """Places that hold others, as deep as each other.

    `inside`: all that lie inside one of them at any depth, rising, and beside each its `holder`;
    `holders`: each once, rising.
    """

    inside: U32
    holder: U32
    holders: U32

    def seen(self, places: U32) -> U32:
        """Each of these places, or the holder it lies inside."""
        at = rows_in(self.inside, places)
        return np.where(at == NONE, places, self.holder[at])


def levels(places: pl.DataFrame) -> list[Level]:
    """The outermost first; none if no place lies within another. Columns `frames.PLACES`."""
    nested = places.filter(pl.col("within").is_not_null())
    if nested.is_empty():
        return []
    inside, row = np.unique(nested["place"].to_numpy(), return_index=True)
    within = nested["within"].to_numpy()[row].astype(np.int64)
    around, further = [within], _around(inside, within, within)
    while (further != NONE).any() and len(around) < DEEPEST:
        around.append(further)
        further = _around(inside, within, further)
    # what has no end by then is too deep, or lies within itself
    held = np.where(further != NONE, 0, np.sum([holder != NONE for holder in around], axis=0))
    found = []
    for depth in range(len(around)):
        there = np.flatnonzero(held > depth)
        if not len(there):
            break
        holder = np.stack(around)[held[there] - 1 - depth, there].astype(np.uint32)
        found.append(Level(inside[there], holder, np.unique(holder)))
    return found


def _around(inside: U32, within: I64, places: I64) -> I64:
    """What is around each of these places, or NONE. `within`: what is around each of `inside`."""
    row = rows_in(inside, places)
    return np.where((places == NONE) | (row == NONE), NONE, within[row])


def with_nesting(read: Read, places: U32, level: Level) -> Read:
    """`previous` and `following` anew for scans at the level's holders (`where` numbers
    `places`): what lies inside one is passed over."""
    holds = rows_in(level.holders, places) != NONE
    if not holds.any():
        return read
    holding = holds[read.where]
    image = level.seen(places)
    seen, itself = image[read.where], (image == places)[read.where]
    begins = changes(read.who) | changes(seen)
    # inside a holder nothing bounds a stay there but its own scans and what was before
    bounds = itself | np.append(begins[1:], np.True_)
    following = next_of(begins | ((read.direction == OUT) & itself))
    previous = last_before(bounds)
    return replace(
        read,
        following=np.where(holding, own(following, read.who), read.following),
        previous=np.where(holding, own(previous, read.who), read.previous),
    )
