"""What is searched of what is in memory: fewer segments with the same rows."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from streams.segments.bundles import _MOST, _TINY, Bundles
from tracer.segment import BY_HOUR, BY_PERSON, Segment, segment_of

MONDAY = "20260921"


def made(first: int, rows: int, week: str = MONDAY) -> Segment:
    """Scans of nobody twice; each has a number of its own, the first this one."""
    number = np.arange(first, first + rows, dtype=np.uint64)
    by_person, by_hour = np.zeros(rows, BY_PERSON), np.zeros(rows, BY_HOUR)
    by_person["packed"]["kafka_offset"] = by_hour["person"] = number
    person, place = number * 7 % 1_009, (number % 11).astype(np.uint32)
    return segment_of(week, person, by_person, place, by_hour, ["", "t"], ["p"])


def several(*rows: int, week: str = MONDAY) -> list[Segment]:
    begin = np.cumsum([0, *rows]).tolist()
    return [made(first, number, week) for first, number in zip(begin, rows, strict=False)]


def gather(bundles: Bundles, segments: Sequence[Segment]) -> int:
    """How often something was put together."""
    for times in range(1_000):
        if not bundles.gathered(segments):
            return times
    raise AssertionError("it does not end")


def numbers(segments: Sequence[Segment]) -> Counter[int]:
    return Counter(n for one in segments for n in one.by_person["packed"]["kafka_offset"].tolist())


def test_many_are_searched_as_few_with_the_same_rows() -> None:
    bundles, some = Bundles(), several(*range(1, 40))
    assert set(bundles.over(some)) == set(some)
    assert gather(bundles, some)
    [one] = bundles.over(some)  # so few rows they are
    assert numbers([one]) == numbers(some)
    assert Counter(one.by_hour["person"].tolist()) == numbers(some)
    person, rows = one.of(np.array([7], np.uint64))  # of number 1, the second
    assert person.tolist() == [7]
    assert rows["packed"]["kafka_offset"].tolist() == [1]


def test_what_is_left_of_a_bundle_is_searched_as_before() -> None:
    bundles, some = Bundles(), several(5, 6, 7, 8)
    gather(bundles, some)
    left = [*some[1:], made(100, 3)]
    assert set(bundles.over(left)) == set(left)
    assert len(bundles.over([*some, made(200, 2)])) == 2
    gather(bundles, left)
    [one] = bundles.over(left)
    assert numbers([one]) == numbers(left)
    assert set(bundles.over(some)) == set(some)  # undone when others were put together


def test_weeks_stay_apart() -> None:
    bundles, some = Bundles(), [*several(3, 4), *several(5, 6, week="20260928")]
    gather(bundles, some)
    assert sorted(len(one) for one in bundles.over(some)) == [7, 11]


def test_one_is_held_for_several() -> None:
    bundles, some = Bundles(), several(5, 6, 7)
    gather(bundles, some)
    [before] = bundles.over(some)
    assert bundles.whole(some) is before  # it is there
    two = bundles.whole(some[:2])
    assert numbers([two]) == numbers(some[:2])
    bundles.instead(some[:2], two)
    assert bundles.over([two, some[2]]) == [before]
    bundles.instead([two, some[2]], before)
    assert bundles.over([before]) == [before]
    assert not bundles.gathered([before])


def test_large_ones_are_few_and_seldom_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """In turn what comes in a look: a row is put together a few times, not at each look."""
    joined: list[int] = []

    def counted(segments: Sequence[Segment]) -> Segment:
        joined.append(sum(map(len, segments)))
        return several(joined[-1])[0]

    monkeypatch.setattr("streams.segments.bundles.joined", counted)
    bundles, some, each = Bundles(), [], _TINY + 1
    for _ in range(64):
        some.append(made(0, each))
        gather(bundles, some)
        assert len(bundles.over(some)) <= _MOST
    assert len(bundles.over(some)) > 1
    assert sum(map(len, bundles.over(some))) == 64 * each
    assert sum(joined) < 4 * 64 * each
