"""The duplicate window against a plain dictionary."""

import numpy as np
import pytest

from streams.window import DAY_MS, DayTable, Keys, Window, origin_offset, origin_partition, origins


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
    table = DayTable(seed)
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
    table = DayTable(1)
    table.add(keys(list(range(1000)), [0] * 1000, list(range(1000))))
    before = len(table)
    for _ in range(50):
        table.add(keys(list(range(1000)), [0] * 1000, list(range(1000))))
    assert len(table) == before == 1000
    assert table.nbytes < 1_000_000


def test_a_colliding_hash_is_no_duplicate() -> None:
    table = DayTable(0)
    table._hash = lambda keys: np.zeros(len(keys), np.uint64)  # type: ignore[method-assign]
    new, _, _ = table.add(keys(list(range(50)), [0] * 50, list(range(50))))
    assert new.all()


def test_days_are_forgotten_and_origins_come_back() -> None:
    window = Window(days=2, salt=3)
    for day in (10, 11, 12):
        window.add(day, keys([1], [0], [day]))
    window.forget_before(window.oldest_day(13 * DAY_MS))
    assert len(window) == 2
    origin = int(origins(4097, np.array([2**40 + 5]))[0])
    assert (origin_partition(origin), origin_offset(origin)) == (4097, 2**40 + 5)
