"""The duplicate window against a plain dictionary."""

import numpy as np
import pytest

from streams.window import DAY_MS, Keys, Table, Window, origin_offset, origin_partition, origins


def keys(ids: list[int], content: list[int], offsets: list[int]) -> Keys:
    def u64(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.array(values, dtype=np.uint64)

    return Keys(
        u64([i * 7 for i in ids]), u64(ids), u64([i % 3 for i in ids]), u64(content), u64(offsets)
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("different", [3, 200, 100_000])
def test_agrees_with_a_dictionary(seed: int, different: int) -> None:
    rng = np.random.default_rng(seed)
    table = Table(seed)
    known: dict[int, tuple[int, int]] = {}
    offset = 0
    for _ in range(20):
        size = int(rng.integers(1, 900))
        ids = rng.integers(0, different, size).tolist()
        content = rng.integers(0, 4, size).tolist()
        offsets = list(range(offset, offset + size))
        offset += size
        new, origin, what = table.add(keys(ids, content, offsets))
        for row, key in enumerate(ids):
            assert bool(new[row]) == (key not in known)
            first = known.setdefault(key, (offsets[row], content[row]))
            assert (int(origin[row]), int(what[row])) == first
    assert len(table) == len(known)


def test_a_flood_of_duplicates_costs_no_memory() -> None:
    table = Table(1)
    table.add(keys(list(range(1000)), [0] * 1000, list(range(1000))))
    before = len(table)
    for _ in range(50):
        table.add(keys(list(range(1000)), [0] * 1000, list(range(1000))))
    assert len(table) == before == 1000
    assert table.nbytes < 1_000_000


def test_a_colliding_hash_is_no_duplicate() -> None:
    table = Table(0)
    table._hash = lambda keys: np.zeros(len(keys), np.uint64)  # type: ignore[method-assign]
    new, _, _ = table.add(keys(list(range(50)), [0] * 50, list(range(50))))
    assert new.all()


def test_days_are_forgotten_and_origins_come_back() -> None:
    window = Window(days=2, salt=3)
    days = np.array([10, 11, 12])
    new, _, _ = window.add(days, keys([1, 2, 3], [0, 0, 0], [10, 11, 12]))
    assert new.all()
    window.forget_before(window.oldest_day(13 * DAY_MS))
    assert len(window) == 2
    new, origin, _ = window.add(days, keys([1, 2, 3], [0, 0, 0], [20, 21, 22]))
    assert new.tolist() == [True, False, False]
    assert origin.tolist() == [20, 11, 12]
    far = int(origins(4097, np.array([2**40 + 5]))[0])
    assert (origin_partition(far), origin_offset(far)) == (4097, 2**40 + 5)


def test_a_key_meets_itself_whatever_day_it_claims() -> None:
    window = Window(days=15, salt=3)
    window.add(np.array([100]), keys([7], [1], [1]))
    new, origin, content = window.add(np.array([101]), keys([7], [2], [9]))
    assert not new.any()
    assert (origin.tolist(), content.tolist()) == ([1], [1])


@pytest.mark.parametrize("seed", range(4))
def test_a_window_agrees_with_a_dictionary_that_forgets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    window = Window(days=5, salt=seed)
    known: dict[int, tuple[int, int]] = {}  # key: day, offset
    for today in range(100, 130):
        window.forget_before(today - 5)
        known = {key: first for key, first in known.items() if first[0] >= today - 5}
        ids = rng.integers(0, 4_000, 700).tolist()
        days = rng.integers(today - 5, today + 1, 700)
        offsets = list(range(today * 1_000, today * 1_000 + 700))
        new, origin, _ = window.add(days, keys(ids, [0] * 700, offsets))
        for row, key in enumerate(ids):
            assert bool(new[row]) == (key not in known)
            first = known.setdefault(key, (int(days[row]), offsets[row]))
            assert int(origin[row]) == first[1]
        assert len(window) == len(known)
