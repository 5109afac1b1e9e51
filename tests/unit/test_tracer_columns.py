"""Plain columns against the obvious way, on random small ones with many equals."""

from random import Random

import numpy as np
import pytest

from tracer.columns import NONE, apart, changes, in_order, last_before, next_of, rows_in, together


@pytest.fixture(params=range(8))
def pick(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)


def some(pick: Random, most: int, length: int) -> list[int]:
    return [pick.randint(0, most) for _ in range(length)]


def test_the_next_and_the_last_one_of_these(pick: Random) -> None:
    flags = [pick.random() < 0.4 for _ in range(pick.randint(0, 9))]
    these = [row for row, flag in enumerate(flags) if flag]
    rows, where = range(len(flags)), np.array(flags, dtype=np.bool_)
    assert next_of(where).tolist() == [
        min((r for r in these if r > row), default=NONE) for row in rows
    ]
    assert last_before(where).tolist() == [
        max((r for r in these if r < row), default=NONE) for row in rows
    ]


def test_where_a_column_changes(pick: Random) -> None:
    values = some(pick, 1, pick.randint(0, 9))
    before = [None, *values[:-1]]
    assert changes(np.array(values)).tolist() == [
        new != old for new, old in zip(values, before, strict=False)
    ]


def test_rows_come_by_one_key_and_equals_by_the_rest(pick: Random) -> None:
    length = pick.randint(0, 30)
    key, small, large = some(pick, 6, length), some(pick, 2, length), some(pick, 9**9, length)
    rows = sorted(range(length), key=lambda row: (key[row], small[row], large[row]))
    found = in_order(np.array(key, np.int64), np.array(small, np.int8), np.array(large, np.uint64))
    assert found.tolist() == rows


def test_rows_of_a_group_stay_as_they_come(pick: Random) -> None:
    group = some(pick, 3, pick.randint(0, 12))
    found = together(np.array(group, np.int64))
    assert found.tolist() == sorted(range(len(group)), key=group.__getitem__)


def test_a_values_row_in_a_column_that_rises(pick: Random) -> None:
    rising, wanted = sorted({*some(pick, 9, pick.randint(0, 5))}), some(pick, 12, 6)
    found = rows_in(np.array(rising, np.uint32), np.array(wanted, np.uint32))
    assert found.tolist() == [rising.index(w) if w in rising else NONE for w in wanted]


def test_times_of_groups_are_set_apart(pick: Random) -> None:
    group, start = np.array([0, 0, 1, 2, 2]), np.array(some(pick, 50, 5)) - 20
    end = start + np.array(some(pick, 9, 5))
    first, last = apart(group, start, end)
    assert (last - first == end - start).all()
    assert (np.diff(first)[[0, 3]] == np.diff(start)[[0, 3]]).all(), "within a group as they were"
    for before, after in ((0, 1), (1, 2)):
        assert last[group == before].max() < first[group == after].min()


def test_times_too_far_apart_for_64_bits_are_refused() -> None:
    with pytest.raises(AssertionError, match="too many over too long a time"):
        apart(np.array([2**22]), np.array([0]), np.array([2**40]))
