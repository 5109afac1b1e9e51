"""Places and times to look at, as the table's primary key has them: a place and an hour (UTC).

One set of (place, hour) is one condition, and a range of the key is tested against it by a binary
search. Conditions on each span, joined by OR, are all worked out for every range; and a range of
times says nothing of the key's hours, so every hour of the place would be read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from schemas.clickhouse.few import array_of
from tracer.columns import I64, NONE, U32, ranges, rows_in

HOURS_PER_QUERY: Final = 2_000  # 40 kB of numbers; max_query_size is 256 KiB
_HOUR_MS: Final = 3_600_000
_LAST_HOUR: Final = (2**32 - 1) // 3_600  # a DateTime ends in 2106
_TIME_BITS: Final = 44  # milliseconds until 2527; 19 bits are left for the number of a place


@dataclass(frozen=True)
class Span:
    """A place and the time in which scans there matter: [`start`, `end`], milliseconds UTC."""

    place: int
    start: int
    end: int

    @property
    def hours(self) -> range:
        """The hours since 1970 that it touches."""
        first, last = (min(max(0, t // _HOUR_MS), _LAST_HOUR) for t in (self.start, self.end))
        return range(first, last + 1) if self.start <= self.end else range(0)


def lots(spans: Sequence[Span], hours: int) -> Iterator[list[Span]]:
    """The spans, whole, in lots that touch at most so many hours each; one that touches more is a
    lot of its own. Without those that end before they begin."""
    lot: list[Span] = []
    left = hours
    for span in filter(lambda span: span.hours, spans):
        if lot and len(span.hours) > left:
            yield lot
            lot, left = [], hours
        lot.append(span)
        left -= len(span.hours)
    if lot:
        yield lot


def questions(lot: list[Span], hours: int) -> list[list[Span]]:
    """In what questions to ask for a lot, of at most so many hours each: in one, unless it is a
    longer span, which is cut."""
    if sum(len(span.hours) for span in lot) <= hours:
        return [lot]
    return [[piece] for span in lot for piece in _short(span, hours)]


def listed(spans: Sequence[Span]) -> str:
    """The (place, hour) of all spans as ClickHouse reads a set; the hour in seconds since 1970.

    Numbers, because of a time each is made a value of its own, which took two thirds of the
    planning of a question about two thousand hours.
    """
    found = {(span.place, hour) for span in spans for hour in span.hours}
    pairs = (f"({int(place)},{3_600 * hour})" for place, hour in sorted(found))
    return array_of(pairs, "Tuple(UInt32, UInt32)")


def within(scans: pl.DataFrame, spans: Sequence[Span]) -> pl.DataFrame:
    """Of scans (`place`, `t` in milliseconds UTC) those that are in the spans.

    One in two spans is there twice.
    """
    return scans[rows_within(scans["place"].to_numpy(), scans["t"].to_numpy(), spans)]


def rows_within(place: U32, t: I64, spans: Sequence[Span]) -> I64:
    """As `within`, of plain columns: the rows."""
    of_place, start, end = (
        np.array([(span.place, span.start, span.end) for span in spans], np.int64).reshape(-1, 3).T
    )
    row, _ = held(place, t, of_place.astype(np.uint32), start, end)
    return row


def held(place: U32, t: I64, of_place: U32, start: I64, end: I64) -> tuple[I64, I64]:
    """Which scans (`place`, `t`) are in which spans (`of_place`, [`start`, `end`]): their rows and
    the spans' rows, a pair for each scan in a span. Times are milliseconds since 1970 UTC."""
    places, number = np.unique(of_place, return_inverse=True)
    code = rows_in(places, place)
    known = np.flatnonzero(code != NONE)
    key = (code[known] << _TIME_BITS) + t[known]
    order = np.argsort(key)
    key = key[order]
    lifted = number << _TIME_BITS
    first = np.searchsorted(key, lifted + np.maximum(start, 0))
    behind = np.searchsorted(key, lifted + np.minimum(end, 2**_TIME_BITS - 1), side="right")
    nth, span = ranges(first, behind)
    return known[order[nth]], span


def _short(span: Span, hours: int) -> Iterator[Span]:
    """The same times in spans that touch no more hours than that."""
    start = span.start
    while len(Span(span.place, start, span.end).hours) > hours:
        begin = (start // _HOUR_MS + hours) * _HOUR_MS
        yield Span(span.place, start, begin - 1)
        start = begin
    yield Span(span.place, start, span.end)
