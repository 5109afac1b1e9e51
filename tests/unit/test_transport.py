"""Commits follow the order of delivery, whatever the offsets."""

import asyncio
import random
from typing import Any

import pytest
from faust.types import TP

from streams.transport import Deliveries, HeartbeatClock, WholePartitions


def test_commits_only_what_is_done_in_a_row() -> None:
    deliveries = Deliveries()
    for last in (9, 19, 29):
        deliveries.deliver(last)
    deliveries.ack(19)
    assert deliveries.committable() is None
    deliveries.ack(9)
    assert deliveries.committable() == 20
    assert deliveries.committable() is None
    deliveries.ack(29)
    assert deliveries.committable() == 30


def test_holes_in_the_offsets_do_not_stop_commits() -> None:
    # transaction markers and compacted records are offsets that nobody delivers
    deliveries = Deliveries()
    deliveries.deliver(301)
    deliveries.deliver(503)
    deliveries.ack(301)
    deliveries.ack(503)
    assert deliveries.committable() == 504


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_acks_ends_at_the_end(seed: int) -> None:
    rng = random.Random(seed)
    lasts = sorted(rng.sample(range(10_000), 60))
    deliveries = Deliveries()
    for last in lasts:
        deliveries.deliver(last)
    committed = -1
    acked: set[int] = set()
    for last in rng.sample(lasts, len(lasts)):
        deliveries.ack(last)
        acked.add(last)
        offset = deliveries.committable()
        if offset is not None:
            assert offset > committed
            committed = offset
            assert all(x in acked for x in lasts if x < committed)
    assert committed == lasts[-1] + 1
    assert deliveries.pending == 0


def test_a_partition_is_one_message() -> None:
    records: dict[TP, list[Any]] = {TP("t", 0): [1, 2], TP("t", 1): [], TP("u", 0): [3]}
    assert list(WholePartitions().iterate(records)) == [(TP("t", 0), [1, 2]), (TP("u", 0), [3])]


def test_only_an_answered_heartbeat_counts() -> None:
    class Coordinator:
        good = False

        async def _do_heartbeat(self) -> bool:
            return self.good

    coordinator = Coordinator()
    clock = HeartbeatClock()
    clock.last_good -= 100
    clock.watch(coordinator)
    asyncio.run(coordinator._do_heartbeat())
    assert clock.age() > 99
    coordinator.good = True
    asyncio.run(coordinator._do_heartbeat())
    assert clock.age() < 5
