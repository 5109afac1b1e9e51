"""Scans that no longer count: by codes that were revoked from before.

A code that was photographed and posted on Monday is revoked on Wednesday, from Monday on. What was
scanned by it until then is in the table, and may be of anybody anywhere: traces leave it out. There
are few such codes, and what each struck is asked once and remembered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.places import REVOKED_SINCE_DAYS
from tracer.columns import NONE, U64, log_number, rows_in
from tracer.hours import HOURS_PER_QUERY, Span, lots, questions
from tracer.statements import by_code

# Longer than a phone's clock may be ahead and a worker may not have heard of it: then all that was
# accepted is in the table.
_SETTLED_MS: Final = 3_600_000
# Whoever writes `sites.v1` may say more; an hour of a place is a condition of a question.
_FURTHEST_MS: Final = REVOKED_SINCE_DAYS * 86_400_000
_NOTHING: Final = np.empty(0, np.uint64)
Ask = Callable[[str], pa.Table]
# Of a place, the numbers (`number_of`) of scans there that do not count, rising.
Gone = list[tuple[int, U64]]


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

    def scans(self, earliest: int, ask: Ask) -> Gone:
        """What does not count, by code; not by codes that were taken back before `earliest`, of
        which there are no scans any more.

        `ask` puts a query to ClickHouse; raises what it raises.
        """
        some = [one for one in self.revoked if one.decided >= earliest]
        return [(one.place, self._of(one, earliest, ask)) for one in some]

    def _of(self, one: Revoked, earliest: int, ask: Ask) -> U64:
        known = self.known.get(one)
        if known is not None:
            return known
        found = [number_of(some) for some in asked(one, earliest, ask)]
        numbers = np.unique(np.concatenate([_NOTHING, *found]))
        if self.now > one.decided + _SETTLED_MS:
            self.known[one] = numbers
        return numbers


def asked(one: Revoked, earliest: int, ask: Ask) -> Iterator[pl.DataFrame]:
    """What was scanned by this code since it is revoked and not before `earliest`, in parts:
    person, scanned_at, kafka_partition, kafka_offset."""
    since = max(one.since, earliest, one.decided - _FURTHEST_MS)
    span = Span(one.place, since, one.decided + _SETTLED_MS)
    for lot in lots([span], HOURS_PER_QUERY):
        for some in questions(lot, HOURS_PER_QUERY):
            yield pl.DataFrame(pl.from_arrow(ask(by_code(some, one.version, since))))


def number_of(scans: pl.DataFrame) -> U64:
    """One number for `kafka_partition` and `kafka_offset`."""
    partition, offset = (scans[c].to_numpy() for c in ("kafka_partition", "kafka_offset"))
    return log_number(partition, offset)


def without(scans: pl.DataFrame, gone: Gone) -> pl.DataFrame:
    """The scans that count, of a frame with place, kafka_partition and kafka_offset."""
    struck = np.zeros(scans.height, np.bool_)
    places = scans["place"].to_numpy()
    for place, numbers in gone:
        rows = np.flatnonzero(places == place)
        if len(rows):
            struck[rows] |= rows_in(numbers, number_of(scans[rows])) != NONE
    return scans[np.flatnonzero(~struck)] if struck.any() else scans
