"""Overlaps at one place, against every pair tried; and what is read by row numbers."""

from random import Random

import numpy as np
import polars as pl
import pytest

from tests.unit.test_contacts import GATE, GROUND, HALL, PLACES, ROOM, SQUARE, STORE
from tracer.exposures import ordered_by
from tracer.frames import TIME
from tracer.overlaps import Times, overlaps
from tracer.tiers import TIER_OF, called


def intervals(r: Random, number: int, steps: int, places: int) -> Times:
    """Some have no length, some end before they begin, many touch."""
    start = np.array([r.randrange(-steps, steps) for _ in range(number)], np.int64)
    end = start + np.array([r.randrange(-1, 6) for _ in range(number)], np.int64)
    place = np.array([r.randrange(places) for _ in range(number)], np.uint32)
    return Times(place, start, end)


def by_trying(few: Times, many: Times) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i in range(len(few.place))
        for j in range(len(many.place))
        if few.place[i] == many.place[j]
        and max(few.start[i], many.start[j]) < min(few.end[i], many.end[j])
    }


@pytest.mark.parametrize("seed", range(60))
def test_overlaps_are_those_of_every_pair_tried(seed: int) -> None:
    r = Random(seed)
    steps, places = r.choice([3, 20, 200]), r.choice([1, 3, 30])
    few = intervals(r, r.choice([0, 1, 12, 40]), steps, places)
    many = intervals(r, r.choice([0, 1, 80]), r.choice([steps, 10 * steps]), places + 2)
    mine, theirs = overlaps(few, many)
    pairs = list(zip(mine.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == by_trying(few, many)


def test_one_long_interval_hides_none_behind_it() -> None:
    few = Times(
        np.zeros(3, np.uint32), np.array([0, 10, 50], np.int64), np.array([100, 20, 60], np.int64)
    )
    many = Times(np.zeros(1, np.uint32), np.array([55], np.int64), np.array([70], np.int64))
    mine, _ = overlaps(few, many)
    assert sorted(mine.tolist()) == [0, 2]


def test_times_a_thousand_years_apart_do_not_reach_into_another_place() -> None:
    year = 365 * 86_400_000
    few = Times(
        np.arange(1_000, dtype=np.uint32),
        np.arange(1_000, dtype=np.int64) * year,
        np.arange(1_000, dtype=np.int64) * year + 1,
    )
    many = Times(few.place, few.start[::-1].copy(), few.end[::-1].copy())
    assert all(len(found) == 0 for found in overlaps(few, many))
    mine, theirs = overlaps(few, few)
    assert mine.tolist() == theirs.tolist() == list(range(1_000))


@pytest.mark.parametrize("seed", range(10))
def test_order_is_that_of_a_stable_sort(seed: int) -> None:
    r = Random(seed)
    frame = pl.DataFrame(
        {
            "person": [r.choice([1, 2, 2**64 - 1]) for _ in range(50)],
            "start": [r.randrange(4) for _ in range(50)],
            "row": range(50),
        },
        schema={"person": pl.UInt64, "start": pl.Int64, "row": pl.Int64},
    ).with_columns(pl.col("start").cast(TIME))
    ordered = frame.sort("person", "start", maintain_order=True)
    assert ordered_by(frame, "person", "start").equals(ordered)
    assert ordered_by(ordered, "person", "start") is ordered


def test_who_is_called_follows_from_the_place_alone() -> None:
    where = pl.Series([ROOM, HALL, GATE, SQUARE, STORE, 99], dtype=PLACES["place"].dtype)
    assert called(GROUND.of(where, *TIER_OF)).to_list() == [True, True, *[False] * 4]
