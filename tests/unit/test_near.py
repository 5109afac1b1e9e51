"""Who is near open cases: kept in a few sorted parts, against a plain dictionary."""

from typing import Any

import numpy as np
import pytest

from streams.columns import I64, U64
from streams.near import Near


def persons(*some: int) -> U64:
    return np.array(some, np.uint64)


def the_same(case: int, some: U64) -> I64:
    return np.full(len(some), case)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_a_dictionary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    near = Near()
    put: dict[int, set[int]] = {}
    added: dict[int, set[int]] = {}
    around: dict[int, tuple[int, int]] = {}
    number = 0
    for _ in range(300):
        act, some = rng.random(), rng.integers(0, 400, int(rng.integers(0, 40))).astype(np.uint64)
        if act < 0.3 or not put:
            again = bool(put) and rng.random() < 0.6
            case = int(rng.choice(list(put))) if again else (number := number + 1)
            begin = int(rng.integers(0, 50))
            around[case] = (begin, begin + int(rng.integers(0, 50)))
            near.put(case, some, around[case])
            put[case], added[case] = set(some.tolist()), added.get(case, set()) - set(some.tolist())
        elif act < 0.4:
            case = int(rng.choice(list(put)))
            near.drop(case)
            del put[case], added[case], around[case]
        else:
            case_of = rng.choice(list(put), len(some)).astype(np.int64)
            near.add(case_of, some)
            for case, person in zip(case_of.tolist(), some.tolist(), strict=True):
                added[case] |= {person} - put[case]
        theirs = {case: put[case] | added[case] for case in put}
        for case, whole in theirs.items():
            assert near.of(case).tolist() == sorted(whole)
        scanned = rng.integers(0, 500, 30).astype(np.uint64)
        at = rng.integers(0, 100, 30)
        found = sorted(
            (row, case)
            for rows, cases in near.timely(scanned, at)
            for row, case in zip(rows.tolist(), cases.tolist(), strict=True)
        )
        assert found == sorted(
            (row, case)
            for row, person in enumerate(scanned.tolist())
            for case, whole in theirs.items()
            if person in whole and around[case][0] <= at[row] <= around[case][1]
        )
        assert near.touched(scanned, at) == {case for _, case in found}
        assert len(near) <= 2 * sum(map(len, theirs.values()))


def test_many_who_come_near_are_known_like_those_from_the_start() -> None:
    near = Near()
    near.put(1, persons(5), (0, 10))
    near.put(200, persons(), (0, 20))
    for begin in range(0, 5_000, 50):
        some = persons(*range(begin, begin + 50))
        near.add(the_same(1, some), some)
        near.add(the_same(200, some), some)
    at = np.full(1, 10)
    for person in (0, 4_999):
        assert near.touched(persons(person), at) == {1, 200}
    assert near.touched(persons(5_000), at) == set()
    assert near.touched(persons(5), at + 1) == {200}
    near.drop(200)
    assert near.touched(persons(5), at) == {1}
    assert near.touched(persons(5), at + 1) == set()
    assert len(near.of(1)) == 5_000
    near.drop(1)
    assert near.touched(persons(5), at) == set()


def test_who_is_found_again_when_a_case_is_read_anew_is_kept_once() -> None:
    near = Near()
    near.put(1, persons(), (0, 10))
    near.put(2, persons(), (0, 10))
    near.add(np.array([1, 1, 1, 2]), persons(7, 8, 7, 7))
    assert len(near) == 3, "of one scan in several windows one"
    near.put(1, persons(7, 9), (0, 10))
    assert (near.of(1).tolist(), near.of(2).tolist()) == ([7, 8, 9], [7])
    assert near.touched(persons(7), np.array([5])) == {1, 2}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each sorting had."""
    rows: list[int] = []
    for name in ("argsort", "sort"):
        sort = getattr(np, name)

        def so(keys: U64, sort: Any = sort, **how: Any) -> Any:
            rows.append(len(keys))
            return sort(keys, **how)

        monkeypatch.setattr(np, name, so)
    return rows


def test_to_add_a_few_does_not_sort_all(monkeypatch: pytest.MonkeyPatch) -> None:
    near = Near()
    near.put(1, persons(*range(100_000)), (0, 10))
    near.touched(persons(1), np.array([5]))
    rows = counted(monkeypatch)
    for begin in range(200_000, 201_024, 2):
        near.add(np.array([1, 1]), persons(begin, begin + 1))
        assert near.touched(persons(begin), np.array([5])) == {1}
    assert 1_024 <= sum(rows) <= 1_024 * 40


def test_to_open_read_anew_and_close_a_case_does_not_sort_those_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = Near()
    for case in range(1_000):
        near.put(case, persons(*range(case, case + 300)), (0, 10))
    rows = counted(monkeypatch)
    for case in range(1_000, 1_100):
        near.put(case, persons(*range(case, case + 300)), (0, 10))
        near.put(case - 900, persons(*range(case, case + 300)), (0, 10))
        near.drop(case - 1_000)
        assert case in near.touched(persons(case + 299), np.array([5]))
    assert 200 * 300 <= sum(rows) < 200 * 300 * 40, "300,000 each time, if all were sorted"


def test_entries_of_cases_that_ended_go(monkeypatch: pytest.MonkeyPatch) -> None:
    near = Near()
    for case in range(5_000):
        near.put(case, persons(*range(100)), (0, 10))
        near.drop(case - 10)
        assert len(near) <= 2 * 100 * 11
    for case in range(4_990, 5_000):
        near.drop(case)
    assert len(near) == 0
    assert near.touched(persons(5), np.array([5])) == set()
