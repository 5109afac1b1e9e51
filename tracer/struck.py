"""Scans that no longer count: by codes that were revoked from before.

A code that was photographed and posted on Monday is revoked on Wednesday, from Monday on. What was
scanned by it until then is in the table, and may be of anybody anywhere: traces leave it out. There
are few such codes, and what each struck is asked once and remembered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from tracer.columns import U64
from tracer.hours import HOURS_PER_QUERY, Span, lots, questions
from tracer.statements import by_code

# Longer than a phone's clock may be ahead and a worker may not have heard of it: then all that was
# accepted is in the table.
_SETTLED_MS: Final = 3_600_000
_OFFSET_BITS: Final = 48
_NOTHING: Final = np.empty(0, np.uint64)


class Revoked(NamedTuple):
    """A version of a place's code, revoked from `since` on, which was decided at `decided`
    (milliseconds since 1970 UTC)."""

    place: int
    version: int
    since: int
    decided: int


@dataclass(frozen=True)
class Struck:
    """What these codes struck, as it is at `now` (milliseconds since 1970 UTC). `known`: what is
    remembered from one of these to the next; threads may share it."""

    revoked: Sequence[Revoked] = ()
    now: int = 0
    known: dict[Revoked, U64] = field(default_factory=dict)

    def scans(self, earliest: int, ask: Callable[[str], pa.Table]) -> U64:
        """The numbers (`number_of`) of the scans by these codes that do not count, rising; not by
        codes that were taken back before `earliest`, of which there are no scans any more.

        `ask` puts a query to ClickHouse; raises what it raises.
        """
        some = [self._of(one, ask) for one in self.revoked if one.decided >= earliest]
        return np.unique(np.concatenate([_NOTHING, *some]))

    def _of(self, one: Revoked, ask: Callable[[str], pa.Table]) -> U64:
        known = self.known.get(one)
        if known is not None:
            return known
        span = Span(one.place, one.since, one.decided + _SETTLED_MS)
        found = [
            pl.DataFrame(pl.from_arrow(ask(by_code(some, one.version, one.since))))
            for lot in lots([span], HOURS_PER_QUERY)
            for some in questions(lot, HOURS_PER_QUERY)
        ]
        numbers = np.concatenate([_NOTHING, *map(number_of, found)])
        if self.now > one.decided + _SETTLED_MS:
            self.known[one] = numbers
        return numbers


def number_of(scans: pl.DataFrame) -> U64:
    """One number for `kafka_partition` and `kafka_offset`."""
    partition, offset = (scans[c].to_numpy() for c in ("kafka_partition", "kafka_offset"))
    numbers: U64 = (partition.astype(np.uint64) << np.uint64(_OFFSET_BITS)) | offset
    return numbers


def without(scans: pl.DataFrame, struck: U64) -> pl.DataFrame:
    """The scans that count."""
    if not len(struck):
        return scans
    return scans[np.flatnonzero(~np.isin(number_of(scans), struck))]
