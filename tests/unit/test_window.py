"""The duplicate window against a plain dictionary."""

import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from streams.keys import Keys, origin_offset, origin_partition, origins
from streams.window import Table, Window


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
    same = np.zeros(50, np.uint64)
    new, _, _ = table.add(keys(list(range(50)), [0] * 50, list(range(50))), same)
    assert new.all()


def at(moments: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(moments, dtype=np.int64)


def test_origins_come_back_and_are_told_apart() -> None:
    window = Window(ids=1_000, past=1_000, salt=3)
    new, _, _ = window.add(keys([1, 2, 3], [0, 0, 0], [10, 11, 12]), at([5, 5, 5]))
    assert new.all()
    new, origin, _ = window.add(keys([4, 2, 3], [0, 0, 0], [20, 21, 22]), at([5, 5, 5]))
    assert new.tolist() == [True, False, False]
    assert origin.tolist() == [20, 11, 12]
    far = int(origins(4097, np.array([2**40 + 5]))[0])
    assert (origin_partition(far), origin_offset(far)) == (4097, 2**40 + 5)


def test_a_key_meets_itself_whatever_time_it_claims() -> None:
    window = Window(ids=1_000, past=1_000, salt=3)
    window.add(keys([7], [1], [1]), at([100]))
    new, origin, content = window.add(keys([7], [2], [9]), at([86_400_100]))
    assert not new.any()
    assert (origin.tolist(), content.tolist()) == ([1], [1])


@pytest.mark.parametrize("seed", range(6))
def test_what_it_does_not_know_it_is_unsure_of(seed: int) -> None:
    """The rule that makes a bound safe: a key that came before is known, or asked for."""
    rng = np.random.default_rng(seed)
    window = Window(ids=800, past=12_800, salt=seed)
    known: dict[int, tuple[int, int]] = {}  # key: when scanned, offset
    asked = fresh = offset = 0
    for today in range(100, 220):
        size = int(rng.integers(1, 700))
        ids = rng.integers(today * 60, today * 60 + 20_000, size)
        moments = [known[i][0] if i in known else today * 10 for i in ids.tolist()]
        rows = keys(ids.tolist(), [0] * size, list(range(offset, offset + size)))
        window.written = max(0, offset - 900)
        unsure = window.unsure(rows, at(moments))
        new, origin, _ = window.add(rows, at(moments))
        for row, key in enumerate(ids.tolist()):
            if key in known:
                assert not new[row] or unsure[row]
                asked += int(unsure[row])
            else:
                fresh += int(unsure[row])
            first = known.setdefault(key, (moments[row], offset + row))
            if not new[row] and not unsure[row]:
                assert int(origin[row]) == first[1]
        offset += size
    assert asked > 500  # it did forget
    assert fresh < 0.01 * len(known)  # and of new keys of now it is sure
    assert window.horizon_ms > 0
    assert len(window) < 800 + 900 + 700 * 2


def test_nothing_leaves_before_it_is_in_the_tables() -> None:
    window = Window(ids=100, past=1_600, salt=5)
    for begin in range(0, 5_000, 500):
        ids = list(range(begin, begin + 500))
        window.add(keys(ids, [0] * 500, ids), at([1] * 500))
    assert len(window) == 5_000
    assert not window.unsure(
        keys(list(range(5_000)), [0] * 5_000, [0] * 5_000), at([1] * 5_000)
    ).any()
    window.written = 2_000
    window.add(keys(list(range(5_000, 5_400)), [0] * 400, list(range(5_000, 5_400))), at([1] * 400))
    assert 3_400 <= len(window) < 5_400
    young = list(range(2_000, 5_400))
    new, origin, _ = window.add(
        keys(young, [0] * len(young), [9_999] * len(young)), at([1] * len(young))
    )
    assert not new.any()
    assert origin.tolist() == young


def test_what_was_forgotten_is_before_the_horizon() -> None:
    window = Window(ids=160, past=2_560, salt=5)
    for today in range(1, 80):
        window.written = today * 1_000
        ids = list(range(today * 1_000, today * 1_000 + 200))
        window.add(keys(ids, [0] * 200, ids), at([today] * 200))
    first = keys([1_000], [0], [90_000])
    assert window.unsure(first, at([1])).all()
    # the cost of a bound: the same id with a time after the horizon is new
    assert not window.unsure(first, at([window.horizon_ms + 1])).any()


def test_memory_stays_where_it_is_however_many_come() -> None:
    window = Window(ids=4_000, past=64_000, salt=5)
    sizes = []
    for begin in range(0, 400_000, 2_000):
        window.written = begin
        ids = list(range(begin, begin + 2_000))
        window.add(keys(ids, [0] * 2_000, ids), at([begin] * 2_000))
        sizes.append(window.nbytes)
    assert max(sizes[30:]) <= 1.1 * max(sizes[10:30])
    assert max(sizes) < 3_000_000


def test_its_memory_is_taken_as_ids_come() -> None:
    """Of what is spilt later as much as of the whole ones is there; all before any is spilt.

    In a process of its own: this one gives back what earlier tests took whenever it likes.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as one:
        coming, spilt = one.submit(memory_of_a_window).result(timeout=60)
    all_of_it, whole = 128 << 20, 20_000_000
    for keys_in, (in_memory, held) in enumerate(coming, start=1):
        taken = max(0, keys_in * 10_000 - 25_000) / 75_000 * all_of_it
        assert taken <= in_memory < taken + whole
        assert taken <= held < taken + whole
    assert spilt < all_of_it + 1.5 * whole


def memory_of_a_window() -> tuple[list[tuple[int, int]], int]:
    """Bytes in memory, and said to be held, after each 10,000 ids until it is full; then what is
    in memory when the first were spilt."""
    fill(Window(ids=20_000, past=20_000, salt=5), 0, 20_000)  # the kernels, before anything counts
    window = Window(ids=100_000, past=16_000_000, salt=5)
    before, coming = resident(), []
    for begin in range(0, 100_000, 10_000):
        fill(window, begin, begin + 10_000)
        coming.append((resident() - before, window.nbytes))
    early = keys([1], [0], [199_000])
    assert not window.unsure(early, at([1])).any()
    fill(window, 100_000, 300_000)
    assert window.unsure(early, at([1])).all(), "the first were spilt"
    return coming, resident() - before


def fill(window: Window, begin: int, end: int) -> None:
    """So many ids, 10,000 at a time; what came before them is written."""
    for first in range(begin, end, 10_000):
        window.written = first
        ids = list(range(first, first + 10_000))
        window.add(keys(ids, [0] * 10_000, ids), at([1] * 10_000))


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_what_is_remembered_later_is_older_and_lowers_the_horizon() -> None:
    window = Window(ids=1_000, past=4_000, salt=5, horizon_ms=1_000)
    old = list(range(500))
    late = keys(old, [0] * 500, [7] * 500)
    assert window.unsure(late, at([900] * 500)).all()  # before the horizon: who knows
    assert window.remember(late, 800)
    assert window.horizon_ms == 800
    assert window.unsure(late, at([900] * 500)).all()  # now it is known that they came
    others = keys(list(range(500, 900)), [0] * 400, [7] * 400)
    assert not window.unsure(others, at([900] * 400)).any()
    assert window.unsure(others, at([799] * 400)).all()
    # what is whole and what spills later is known beside it
    for begin in range(1_000, 3_000, 500):
        window.written = begin
        ids = list(range(begin, begin + 500))
        window.add(keys(ids, [0] * 500, ids), at([2_000] * 500))
    assert window.horizon_ms == 800
    assert window.unsure(late, at([900] * 500)).all()


def test_it_remembers_no_more_than_there_is_room_for() -> None:
    window = Window(ids=1_000, past=4_000, salt=5, horizon_ms=1_000)
    many = list(range(3_000))
    assert not window.remember(keys(many, [0] * 3_000, [7] * 3_000), 800)
    assert window.horizon_ms == 1_000
    fewer = list(range(1_500))
    assert window.remember(keys(fewer, [0] * 1_500, [7] * 1_500), 900)
    assert not window.remember(keys(many[1_500:], [0] * 1_500, [7] * 1_500), 800)
    assert window.horizon_ms == 900


def test_what_was_forgotten_meanwhile_is_not_remembered_behind_it() -> None:
    window = Window(ids=160, past=800, salt=5, horizon_ms=10)
    for today in range(11, 60):
        window.written = today * 1_000
        ids = list(range(today * 1_000, today * 1_000 + 200))
        window.add(keys(ids, [0] * 200, ids), at([today] * 200))
    assert window.horizon_ms > 11
    assert not window.remember(keys([1], [0], [1]), 5)
    assert window.unsure(keys([2], [0], [2]), at([9])).all()
