"""How many inserts a worker makes at once: one, and more with a backlog."""

import asyncio
from contextlib import ExitStack

import pytest

from streams.shop import Slots

BACKLOG, LARGE, SMALL = 120_000, 40_000, 39_999


def test_what_comes_while_an_insert_is_under_way_waits_unless_it_is_a_backlog() -> None:
    slots = Slots(3)
    with ExitStack() as taken:
        taken.enter_context(slots.take(SMALL))
        assert not slots.free(SMALL)
        assert not slots.free(BACKLOG - 1)
        for _ in range(2):
            taken.enter_context(slots.take(BACKLOG))
        assert slots.taken == 3
        assert not slots.free(BACKLOG)
        with pytest.raises(AssertionError):
            taken.enter_context(slots.take(BACKLOG))
    assert slots.taken == 0
    with slots.take(BACKLOG):
        assert not slots.free(SMALL)


def test_one_slot_is_for_any() -> None:
    slots = Slots(1)
    with slots.take(SMALL):
        assert not slots.worth_one(LARGE)
    assert slots.worth_one(LARGE)
    assert not slots.worth_one(SMALL)


def test_a_slot_is_free_again_whatever_happened_in_it() -> None:
    slots = Slots(1)
    with pytest.raises(LookupError), slots.take(SMALL):
        raise LookupError
    assert slots.free(SMALL)
    assert slots.taken == 0


def test_no_more_batches_are_settled_at_a_time_than_inserted() -> None:
    async def main() -> None:
        slots = Slots(2)
        for _ in range(2):
            await slots.settling.acquire()
        assert slots.settling.locked()

    asyncio.run(main())
