"""How many inserts a worker makes at once: one, and more with a backlog."""

import asyncio
from contextlib import ExitStack

import pytest

from streams.shop import Slots
from streams.waiting import BATCH_BYTES, Size

LARGE, FEW = 40_000, 39_999
SMALL, BACKLOG, LETTERS = Size(39_999, 1_000), Size(125_000, 1_000), Size(12_000, BATCH_BYTES // 2)


@pytest.mark.parametrize("backlog", [BACKLOG, LETTERS])
def test_what_comes_while_an_insert_is_under_way_waits_unless_it_is_a_backlog(
    backlog: Size,
) -> None:
    slots = Slots(3, 250_000)
    with ExitStack() as taken:
        taken.enter_context(slots.take(SMALL))
        assert not slots.free(SMALL)
        assert not slots.free(Size(124_999, BATCH_BYTES // 2 - 1))
        for _ in range(2):
            taken.enter_context(slots.take(backlog))
        assert slots.taken == 3
        assert not slots.free(backlog)
        with pytest.raises(AssertionError):
            taken.enter_context(slots.take(backlog))
    assert slots.taken == 0
    with slots.take(backlog):
        assert not slots.free(SMALL)


def test_one_slot_is_for_any() -> None:
    slots = Slots(1, 250_000)
    with slots.take(SMALL):
        assert not slots.worth_one(LARGE)
    assert slots.worth_one(LARGE)
    assert not slots.worth_one(FEW)


def test_what_is_answered_holds_no_other_up_and_is_bounded_still() -> None:
    slots = Slots(2, 250_000)
    with slots.take(SMALL) as first:
        assert not slots.free(SMALL)
        first.answered()
        assert slots.worth_one(LARGE)
        with slots.take(SMALL) as second:
            first.answered()  # again
            assert not slots.worth_one(LARGE)
            second.answered()
            assert not slots.free(BACKLOG), "two are not acknowledged"
        assert slots.free(SMALL)
    assert (slots.taken, slots.unanswered) == (0, 0)


def test_a_slot_is_free_again_whatever_happened_in_it() -> None:
    slots = Slots(1, 250_000)
    with pytest.raises(LookupError), slots.take(SMALL):
        raise LookupError
    assert slots.free(SMALL)
    assert slots.taken == 0


def test_no_more_batches_are_settled_at_a_time_than_inserted() -> None:
    async def main() -> None:
        slots = Slots(2, 250_000)
        for _ in range(2):
            await slots.settling.acquire()
        assert slots.settling.locked()

    asyncio.run(main())
