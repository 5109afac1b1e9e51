"""What is remembered of ids that are held no longer."""

import numpy as np
import pytest

from streams.columns import U64
from streams.past import Past


def hashes(rng: np.random.Generator, count: int) -> U64:
    return rng.integers(0, 2**64, count, dtype=np.uint64)


@pytest.mark.parametrize("seed", range(4))
def test_what_came_may_have_come_and_hardly_anything_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    past = Past(100_000)
    came = hashes(rng, 90_000)
    for begin in range(0, len(came), 7_000):
        past.add(came[begin : begin + 7_000], 5)
    assert past.may_hold(came).all()
    assert past.may_hold(hashes(rng, 500_000)).sum() <= 2  # 0.0001 are due
    assert past.horizon_ms == 0


def test_the_newest_room_is_always_remembered_and_the_rest_is_before_the_horizon() -> None:
    rng = np.random.default_rng(1)
    past = Past(1_000)
    past.take(1.0)
    size = past.nbytes
    came = hashes(rng, 20_000)
    for begin in range(0, len(came), 400):
        past.add(came[begin : begin + 400], begin)
    assert past.nbytes == size
    assert past.may_hold(came[-1_000:]).all()
    forgotten = np.flatnonzero(~past.may_hold(came))
    assert len(forgotten) > 17_000
    assert (forgotten // 400 * 400).max() < past.horizon_ms  # each was scanned before


def test_more_than_the_room_at_once() -> None:
    rng = np.random.default_rng(1)
    past = Past(1_000)
    came = hashes(rng, 5_500)
    past.add(came, 7)
    assert past.may_hold(came[-1_000:]).all()
    assert past.horizon_ms == 8


def test_equal_and_colliding_ids_enter_once() -> None:
    past = Past(1_000)
    same = np.full(500, 3, np.uint64)
    chain = (np.arange(300, dtype=np.uint64) << np.uint64(33)) | np.uint64(2047)  # all of one place
    past.add(same, 1)
    past.add(chain, 1)
    assert past.may_hold(same).all()
    assert past.may_hold(chain).all()
    others = (np.arange(300, 900, dtype=np.uint64) << np.uint64(33)) | np.uint64(2047)
    assert not past.may_hold(others).any()
