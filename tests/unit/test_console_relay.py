"""The relay: in order, at least once, one at a time."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from console.broker import Record
from console.relay import Relay
from console.store import outbox, sites
from console.store.engine import Store, utc_now
from console.store.register import register_sites
from schemas.errors import Retryable
from schemas.places import Place
from tests.console_kit import RING, FakeBroker, migrated, new_sites


def relay_of(store: Store, broker: FakeBroker) -> Relay:
    return Relay(store, broker)


async def until(relay: Relay, broker: FakeBroker, count: int, timeout_s: float = 5) -> None:
    task = asyncio.create_task(relay.run())
    try:
        await broker.until(count, timeout_s)
        await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_rows_go_out_once_in_the_order_of_their_ids(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(5, 3), source="list")
    sites.revoke_code(store, 2, 1, utc_now(), "photographed")
    broker = FakeBroker()
    relay = relay_of(store, broker)
    expected = [(row.topic, row.key.encode(), row.value) for row in outbox.pending(store, 100)]
    asyncio.run(until(relay, broker, 21))
    assert [(r.topic, r.key, r.value) for r in broker.records] == expected
    assert outbox.count_pending(store) == 0


def test_after_a_failure_the_same_rows_go_out_again_from_the_oldest(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 1), source="list")

    class Half(FakeBroker):
        """The first time it takes the second half only, and says so to nobody."""

        async def send(self, records: Sequence[Record]) -> None:
            first = not self.records
            self.take(records[1:] if first else records)
            if first:
                raise Retryable("lost on the way")

    sites.revoke_code(store, 1, 1, utc_now(), "photographed")
    broker = Half()
    relay = relay_of(store, broker)
    asyncio.run(until(relay, broker, 5))
    assert [r.key for r in broker.records] == [b"place/1"] * 2 + [b"site/1"] + [b"place/1"] * 2
    # what compaction keeps of a key is its highest version
    assert Place.model_validate_json(broker.records[-1].value).version == 2
    assert outbox.count_pending(store) == 0


def test_while_the_broker_is_away_rows_wait_and_are_counted(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 3), source="list")
    broker = FakeBroker(fails=True)
    relay = relay_of(store, broker)

    async def scene() -> None:
        task = asyncio.create_task(relay.run())
        await asyncio.sleep(0.3)
        assert outbox.count_pending(store) == 4
        broker.fails = False
        await broker.until(4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    assert broker.records[0].key == b"site/1"


def test_only_one_relay_publishes_and_the_other_takes_over(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 1), source="list")
    first, second = FakeBroker(), FakeBroker()
    one, two = relay_of(store, first), relay_of(store, second)

    async def scene() -> None:
        tasks = [asyncio.create_task(one.run())]
        await asyncio.sleep(0.2)
        tasks.append(asyncio.create_task(two.run()))
        await asyncio.sleep(0.2)
        assert (len(first.records), len(second.records)) == (2, 0)
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        register_sites(store, RING, new_sites(1, 1, "t"), source="list")
        await second.until(2)
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)

    asyncio.run(scene())


def test_a_wake_up_is_at_once_and_other_processes_are_polled(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    broker = FakeBroker()
    relay = relay_of(store, broker)

    async def scene() -> tuple[float, float]:
        task = asyncio.create_task(relay.run())
        await asyncio.sleep(0.25)
        took = []
        for wakes in (True, False):
            await asyncio.to_thread(
                register_sites, store, RING, new_sites(1, 1, str(wakes)), source="list"
            )
            expected = 2 if wakes else 4
            begun = time.monotonic()
            if wakes:
                relay.wake()
            await broker.until(expected)
            took.append(time.monotonic() - begun)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return took[0], took[1]

    woken, polled = asyncio.run(scene())
    assert woken < 0.5
    assert polled < 1.0


def test_old_published_rows_go_and_pending_ones_stay(tmp_path: Path) -> None:
    _, store = migrated(tmp_path)
    register_sites(store, RING, new_sites(1, 1), source="list")
    [first, _second] = outbox.pending(store, 10)
    now = utc_now()
    outbox.mark_published(store, [first.id], now - timedelta(days=8))
    assert outbox.prune(store, now, timedelta(days=7)) == 1
    assert outbox.count_pending(store) == 1
    register_sites(store, RING, new_sites(1, 1, "t"), source="list")
    assert min(row.id for row in outbox.pending(store, 10)) == 2


@pytest.mark.parametrize("rows", [12_000])
def test_more_than_a_batch_goes_out_whole(tmp_path: Path, rows: int) -> None:
    _, store = migrated(tmp_path)
    entries = [outbox.Entry("sites.v1", f"place/{i}", b"{}") for i in range(rows)]
    with store.write() as connection:
        outbox.append(connection, entries, utc_now())
    broker = FakeBroker()
    relay = relay_of(store, broker)
    asyncio.run(until(relay, broker, rows, 20))
    assert [r.key for r in broker.records] == [e.key.encode() for e in entries]
