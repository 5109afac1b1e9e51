"""Places inside places: who is in a room is still in the building around it.

A place may lie `within` another of its site, that one within a third, and so on. For a place
that holds others, a scan inside it is not a scan elsewhere (rule 4 of `tracer.stays`).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from tracer.columns import NONE, U32, changes, last_before, next_of, own, rows_in
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
    pairs = places.filter(pl.col("within").is_not_null()).select("place", "within")
    if pairs.is_empty():
        return []
    within = dict(pairs.iter_rows())
    chains = {place: _chain(place, within) for place in within}
    by_depth: dict[int, list[tuple[int, int]]] = {}
    for place, chain in chains.items():
        for depth, holder in enumerate(reversed(chain)):
            by_depth.setdefault(depth, []).append((place, holder))
    return [_level(by_depth[depth]) for depth in sorted(by_depth)]


def _chain(place: int, within: dict[int, int]) -> list[int]:
    """The places around it, the innermost first; empty if that never ends."""
    chain: list[int] = []
    around = within.get(place)
    while around is not None:
        if around == place or around in chain or len(chain) == DEEPEST:
            return []
        chain.append(around)
        around = within.get(around)
    return chain


def _level(pairs: list[tuple[int, int]]) -> Level:
    inside, holder = np.array(sorted(pairs), dtype=np.uint32).T
    return Level(inside, holder, np.unique(holder))


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
