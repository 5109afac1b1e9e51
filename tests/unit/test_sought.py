"""Persons in times of their own: each is asked for in all weeks that matter, once, and no more."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.queries import _pieces
from tracer.sought import Sought, Week, sought, together

DAY_MS = 86_400_000
TIMES = st.tuples(st.integers(0, 60 * DAY_MS), st.integers(0, 20 * DAY_MS))


def monday(t: int) -> str:
    day = datetime.fromtimestamp(t / 1000, UTC).date()
    return f"{day - timedelta(days=day.weekday()):%Y%m%d}"


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=300))
def test_each_person_is_asked_for_once_in_each_week_of_their_time(
    times: list[tuple[int, int]],
) -> None:
    start = np.array([begin for begin, _ in times])
    end = start + np.array([length for _, length in times])
    wanted = Sought(np.arange(len(times), dtype=np.uint64), start, end)
    asked = [
        (week.partition_id, int(person))
        for weeks, persons in _pieces(wanted)
        for week in weeks or []
        for person in persons
    ]
    needed = {
        (monday(t), person)
        for person, (begin, length) in enumerate(times)
        for t in (*range(begin, begin + length, DAY_MS), begin + length)
    }
    assert needed <= set(asked)
    assert len(asked) == len(set(asked))
    if len(times) > 64:  # fewer are asked for in one query, in all its weeks
        assert set(asked) == needed


def test_a_week_is_from_monday_to_sunday() -> None:
    week = Week(2970)
    assert datetime.fromtimestamp(week.begin / 1000, UTC).strftime("%a %H:%M") == "Mon 00:00"
    assert week.partition_id == monday(week.begin) == monday(week.end)
    assert week.end + 1 == Week(2971).begin


def test_times_are_the_persons_own() -> None:
    both = together([sought([7, 9], 100, 200), sought([9], 50, 60)])
    assert both.person.tolist() == [7, 9]
    assert (both.start.tolist(), both.end.tolist()) == ([100, 50], [200, 200])
    person, t = np.array([7, 7, 9, 9], np.uint64), np.array([99, 100, 50, 201])
    assert both.has(person, t).tolist() == [False, True, True, False]
    assert both.since(55).start.tolist() == [100, 55]
    assert both.without([9, 8]).person.tolist() == [7]
    assert len(together([])) == 0


@pytest.mark.parametrize("persons", [[], [3]])
def test_more_weeks_than_anybody_keeps_are_all_there_are(persons: list[int]) -> None:
    assert sought(persons, 0, 2**42).weeks() == (None if persons else [])
