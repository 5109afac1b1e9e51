"""How many batches are written at once: the last slot is for large ones."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from streams.shop import Slots

LARGE, SMALL = 40_000, 39_999


def test_small_batches_leave_the_last_slot_to_a_large_one() -> None:
    async def main() -> None:
        slots = Slots(3)
        async with AsyncExitStack() as taken:
            for _ in range(2):
                await taken.enter_async_context(slots.take(SMALL))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(taken.enter_async_context(slots.take(SMALL)), 0.02)
            await taken.enter_async_context(slots.take(LARGE))
            assert slots.taken == 3
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(taken.enter_async_context(slots.take(LARGE)), 0.02)
        assert slots.taken == 0
        async with slots.take(SMALL), slots.take(SMALL), slots.take(LARGE):
            assert slots.taken == 3

    asyncio.run(main())


def test_one_slot_is_for_any() -> None:
    async def main() -> None:
        slots = Slots(1)
        async with slots.take(SMALL):
            assert not slots.worth_one(LARGE)
        assert slots.worth_one(LARGE)
        assert not slots.worth_one(SMALL)

    asyncio.run(main())
