"""Places and hours to look at: every moment of every span, and no more hours at once than asked."""

import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.hours import Span, listed, lots, questions, within

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
    whole = list(lots(spans, hours))
    assert [span for lot in whole for span in lot] == [span for span in spans if span.hours]
    for lot in whole:
        assert lot
        assert len(lot) == 1 or sum(len(span.hours) for span in lot) <= hours
        for question in questions(lot, hours):
            assert 0 < sum(len(span.hours) for span in question) <= hours
            asked = {(int(place), int(hour)) for place, hour in PAIR.findall(listed(question))}
            read = [p for p in points if (p[0], p[1] // HOUR_MS * 3_600) in asked]
            found += within(rows(read), question).rows()
    wanted = [p for p in points for s in spans if p[0] == s.place and s.start <= p[1] <= s.end]
    assert sorted(found) == sorted(wanted)


def test_hours_end_where_the_engine_s_clock_does() -> None:
    assert Span(1, 0, 2**60).hours[-1] * 3_600 < 2**32
    assert PAIR.findall(listed([Span(7, HOUR_MS - 1, HOUR_MS)])) == [
        ("7", "0"),
        ("7", "3600"),
    ]
