"""Places and times to look at, as the table's primary key has them: a place and an hour (UTC).

One set of (place, hour) is one condition, and a range of the key is tested against it by a binary
search. Conditions on each span, joined by OR, are all worked out for every range; and a range of
times says nothing of the key's hours, so every hour of the place would be read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

HOURS_PER_QUERY: Final = 2_000  # 40 kB of numbers; max_query_size is 256 KiB
_HOUR_MS: Final = 3_600_000
_LAST_HOUR: Final = (2**32 - 1) // 3_600  # a DateTime ends in 2106


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
    """The spans in lots that touch at most so many hours each, cut where one is longer.

    Without those that end before they begin.
    """
    lot: list[Span] = []
    left = hours
    for span in _short(spans, hours):
        if len(span.hours) > left:
            yield lot
            lot, left = [], hours
        lot.append(span)
        left -= len(span.hours)
    if lot:
        yield lot


def listed(spans: Sequence[Span]) -> str:
    """The (place, hour) of all spans as ClickHouse writes a set; the hour in seconds since 1970."""
    found = {(span.place, hour) for span in spans for hour in span.hours}
    return ",".join(f"({int(place)},{3_600 * hour})" for place, hour in sorted(found))


def within(scans: pl.DataFrame, spans: Sequence[Span]) -> pl.DataFrame:
    """Of scans (`place`, `t` in milliseconds UTC) those that are in the spans.

    One in two spans is there twice.
    """
    wanted = pl.DataFrame(
        [(span.place, span.start, span.end) for span in spans],
        schema={"place": pl.UInt32, "_start": pl.Int64, "_end": pl.Int64},
        orient="row",
    )
    found = scans.join(wanted, on="place").filter(pl.col("t").is_between("_start", "_end"))
    return found.select(scans.columns)


def _short(spans: Sequence[Span], hours: int) -> Iterator[Span]:
    """Spans that touch no more hours than that, the same times in all."""
    for span in filter(lambda span: span.hours, spans):
        start = span.start
        while len(Span(span.place, start, span.end).hours) > hours:
            begin = (start // _HOUR_MS + hours) * _HOUR_MS
            yield Span(span.place, start, begin - 1)
            start = begin
        yield Span(span.place, start, span.end)
