"""What a trace asks of scans, answered from segments in this process, without a question to ask.

The answers are those to `tracer.statements`, row for row, of all segments at one moment. An
ordinary trace waits three times for ClickHouse, which takes milliseconds to plan what then reads
a few hundred granules; here it is three searches in sorted columns.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from tracer.answered import nulls, scans_frame, visits_frame
from tracer.columns import I64, NONE, U32, U64, as_index, rows_in
from tracer.hours import Span, rows_within
from tracer.segment import BY_HOUR, BY_PERSON, UNKNOWN, Rows, Segment, hour_key
from tracer.sought import Sought

_HOUR_MS: Final = 3_600_000
_NOBODY: Final = np.empty(0, np.uint64)
_NOWHERE: Final = np.empty(0, np.uint32)
_NO_SCANS: Final = np.empty(0, BY_PERSON)
_NO_VISITS: Final = np.empty(0, BY_HOUR)


class Segments:
    """All scans that the table held at one moment. Never changed: threads may share it."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._of_week: dict[str, list[Segment]] = defaultdict(list)
        for segment in segments:
            self._of_week[segment.partition].append(segment)
        self.every: Sequence[Segment] = [one for some in self._of_week.values() for one in some]

    def __len__(self) -> int:
        return sum(map(len, self.every))

    def scans(self, wanted: Sought, *, trips: bool = True) -> pl.DataFrame:
        """All scans of these persons in their times, shape `frames.SCANS`; without `trips` these
        are null."""
        found = [_Found(_NOBODY, _NO_SCANS)]
        for segment, some in self._asked(wanted):
            person, rows = segment.of(some)
            if len(rows):
                found.append(_Found(person, rows, segment.trips if trips else ()))
        person, rows = _together(found)
        theirs = np.flatnonzero(wanted.has(person, rows["packed"]["scanned_at"]))
        trip = _texts(found, "trip", theirs) if trips else nulls("trip", pl.String(), len(theirs))
        packed = rows.take(theirs)["packed"]
        return scans_frame(pl.Series(person[theirs]), packed, trip.alias("trip"))

    def visits(
        self, spans: Sequence[Span], *, details: bool = True, persons: U64 | None = None
    ) -> pl.DataFrame:
        """Everybody's scans in the spans, columns `VISITS`; one in two spans is there twice. The
        last three are null without `details`. With `persons`, rising, nobody else's."""
        keys = _keys(spans)
        found = [_Found(_NOWHERE, _NO_VISITS)]
        for segment in self.every:
            place, rows = segment.at(keys)
            if persons is not None:
                theirs = np.flatnonzero(rows_in(persons, rows["person"]) != NONE)
                place, rows = place[theirs], rows.take(theirs)
            if len(rows):
                found.append(_Found(place, rows, segment.producers if details else ()))
        place, rows = _together(found)
        there = rows_within(place, rows["t"], spans)
        producer = _texts(found, "producer", there) if details else None
        return _visits(place[there], rows.take(there), producer)

    def _asked(self, wanted: Sought) -> Iterable[tuple[Segment, U64]]:
        weeks = wanted.weeks()
        if weeks is None:
            return [(segment, wanted.person) for segment in self.every]
        return [
            (segment, persons)
            for week in weeks
            if len(persons := wanted.of_week(week))
            for segment in self._of_week.get(week.partition_id, ())
        ]


class _Found(NamedTuple):
    """Rows of one segment: whose or where, and the texts that they number."""

    key: U64 | U32
    rows: Rows
    texts: Sequence[str] = ()


def _keys(spans: Sequence[Span]) -> I64:
    pairs = [(span.place, hour * _HOUR_MS) for span in spans for hour in span.hours]
    place, t = np.array(pairs, np.int64).reshape(-1, 2).T
    return np.unique(hour_key(place, t))


def _visits(place: U32, rows: Rows, producer: pl.Series | None) -> pl.DataFrame:
    columns = {name: np.ascontiguousarray(rows[name]) for name in BY_HOUR.names or ()}
    details = None
    if producer is not None:
        late = pl.Series("late", columns["late"])
        if (typed := columns["late"] == UNKNOWN).any():
            late = late.set(pl.Series(typed), None)
        details = (producer, late, pl.Series(columns["companions"]))
    return visits_frame(
        pl.Series(columns["person"]), pl.Series(place), pl.Series(columns["t"]),
        pl.Series(columns["direction"]), details,
    )  # fmt: skip


def _together(found: Sequence[_Found]) -> tuple[Any, Rows]:
    """The keys of all of them, and the rows."""
    return np.concatenate([f.key for f in found]), np.concatenate([f.rows for f in found])


def _texts(found: Sequence[_Found], column: str, which: I64) -> pl.Series:
    """Of these of all rows the text that this column numbers."""
    every = pl.Series([text for one in found for text in one.texts], dtype=pl.String)
    before = np.cumsum([0, *(len(one.texts) for one in found)])
    numbers = [one.rows[column] + first for one, first in zip(found, before, strict=False)]
    return every[as_index(np.concatenate(numbers)[which])]
