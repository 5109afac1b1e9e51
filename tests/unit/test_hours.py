"""Places and hours to look at: every moment of every span, and no more hours at once than asked."""

import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.hours import Span, listed, lots, within

HOUR_MS = 3_600_000
PAIR = re.compile(r"\((\d+),(\d+)\)")
MOMENTS = st.integers(0, 40 * HOUR_MS)
SPANS = st.lists(st.builds(Span, st.integers(1, 3), MOMENTS, MOMENTS), max_size=6)


def rows(points: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(points, schema={"place": pl.UInt32, "t": pl.Int64}, orient="row")


@settings(deadline=None)
@given(SPANS, st.lists(st.tuples(st.integers(1, 3), MOMENTS), max_size=30), st.integers(1, 50))
def test_lots_find_what_the_spans_hold(
    spans: list[Span], points: list[tuple[int, int]], hours: int
) -> None:
    found: list[tuple[int, int]] = []
    for lot in lots(spans, hours):
        assert 0 < sum(len(span.hours) for span in lot) <= hours
        asked = {(int(place), int(hour)) for place, hour in PAIR.findall(listed(lot))}
        read = [p for p in points if (p[0], p[1] // HOUR_MS * 3_600) in asked]
        found += within(rows(read), lot).rows()
    wanted = [p for p in points for s in spans if p[0] == s.place and s.start <= p[1] <= s.end]
    assert sorted(found) == sorted(wanted)


def test_hours_end_where_the_engine_s_clock_does() -> None:
    assert Span(1, 0, 2**60).hours[-1] * 3_600 < 2**32
    assert PAIR.findall(listed([Span(7, HOUR_MS - 1, HOUR_MS)])) == [
        ("7", "0000000000"),
        ("7", "0000003600"),
    ]
