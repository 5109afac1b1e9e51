"""A line: judged soon, written when due and a slot is free, acknowledged when it is safe."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from schemas.errors import Retryable
from schemas.meters import Metrics
from schemas.reasons import Reason
from streams.blocks import Block, Piece, Record
from streams.columns import U64
from streams.convert import REJECT_HEAD, Rows
from streams.erasures import Erasures
from streams.line import Line
from streams.patience import patience
from streams.pending import Pending
from streams.present import NOTHING, Present
from streams.rejectlimit import RejectLimit, RejectPolicy, TooManyRejects
from streams.rejects import Why
from streams.shop import Finished, Shop, Slots
from streams.standing import Standing
from streams.steps import Steps
from streams.window import Window
from streams.write import Batch, NotOurs, Permit, Written
from tests.letters import unpacked
from tests.scans import PERSON
from tests.unit.test_steps import HOME, NOBODY, PARTITIONS, at, directory, scan


class Delivery:
    """A block with a note of its acknowledgement."""

    def __init__(self, first: int, values: list[bytes], age_s: float = 0.0) -> None:
        now = int((time.time() - age_s) * 1000)
        block = Block("scans.v1", HOME)
        records = [
            Record("scans.v1", HOME, offset, now, PERSON.encode(), value)
            for offset, value in enumerate(values, first)
        ]
        block.add(Piece.of_records(records), first)
        self.value = block
        self.acked = False

    def ack(self) -> None:
        self.acked = True


class Tables:
    """Stands for the writer: keeps the offsets of each batch; waits while it is held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.inserts: list[list[int]] = []  # partitions
        self.settled: list[int] = []
        self.present = NOTHING
        self.refused: tuple[U64, tuple[Why, ...]] = (np.zeros(0, np.uint64), ())
        self.asked: list[tuple[int, int]] = []
        self.raises: list[Exception] = []
        self.said: list[str] = []
        self.held = asyncio.Event()
        self.held.set()
        self._loop = asyncio.get_running_loop()

    def take_over(self, partition: int, first: int, permit: Permit) -> Present:
        return self.present

    def standing(self, partition: int, present: Present, first: int, last: int) -> Standing:
        self.asked.append((first, last))
        if self.raises:
            raise self.raises.pop()
        return Standing(present, *self.refused)

    def away(self, partition: int) -> None:
        self.said.append(f"{partition} waits")

    def answers(self, partition: int) -> None:
        self.said.append(f"{partition} goes on")

    def attempt(self, batches: Sequence[Batch]) -> list[Written | None]:
        try:
            for batch in batches:
                batch.permit()
            asyncio.run_coroutine_threadsafe(self.held.wait(), self._loop).result(20)
            for batch in batches:
                batch.permit()
        except NotOurs:
            return [None] * len(batches)
        self.inserts.append([batch.rows.partition for batch in batches])
        return [self._wrote(batch.rows) for batch in batches]

    def settle(self, batch: Batch) -> Written:
        batch.permit()
        self.settled.append(batch.rows.partition)
        return self._wrote(batch.rows)

    def _wrote(self, rows: Rows) -> Written:
        self.batches.append(list(range(rows.first, rows.last + 1)))
        return Written(rows, int(time.time() * 1000), int(time.time() * 1000))


class World:
    def __init__(self, **changes: Any) -> None:
        self.tables = Tables()
        self.windows: dict[int, Window] = {}
        inserts = changes.pop("inserts", 1)
        self.followed: list[Pending] = []
        self.remembered: list[tuple[int, int]] = []
        self.finished: list[Finished] = []
        self.stopped: list[tuple[int, TooManyRejects]] = []
        self.policy = RejectPolicy(changes.pop("most", 0), 60_000)
        steps = Steps(
            directory(), Erasures(None), Metrics(CollectorRegistry()),
            retention_days=0, partitions=PARTITIONS, look_up=lambda *_: NOBODY,
        )  # fmt: skip
        settings = {"flush_records": 1_000, "flush_s": 0.05, **changes}
        self.shop = Shop(
            steps=steps,
            writer=self.tables,  # type: ignore[arg-type]
            threads=ThreadPoolExecutor(4),
            slots=Slots(inserts, 1_000),
            judging=asyncio.Lock(),
            recalling=asyncio.Lock(),
            rebuild=lambda partition, _: self.windows.setdefault(
                partition, Window(ids=1_000_000, past=1_000_000, salt=1)
            ),
            remember=self._remember,
            follow_up=self._follow_up,
            done=self.finished.append,
            stopped=lambda partition, error: self.stopped.append((partition, error)),
            limit=lambda: RejectLimit(self.policy),
            code_wait_s=0.0,
            surely_ours_s=lambda: 10.0,
            **settings,
        )
        self.line = Line(HOME, self.shop)
        self.task = asyncio.create_task(self.line.run())

    def _remember(self, partition: int, window: Window, reference_ms: int) -> bool:
        assert reference_ms > 0
        self.remembered.append((partition, len(window)))
        return len(self.remembered) < 3

    async def _follow_up(self, pending: Pending) -> None:
        self.followed.append(pending)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(20):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        self.tables.held.set()
        await self.line.leave(5)
        self.task.cancel()
        self.shop.threads.shutdown()


def scans(first: int, count: int) -> list[bytes]:
    from datetime import UTC, datetime, timedelta

    moment = at(datetime.now(UTC) - timedelta(minutes=1))
    return [scan(event=i + 1, scanned_at=moment) for i in range(first, first + count)]


def test_older_ids_are_remembered_beside_the_work() -> None:
    async def play() -> None:
        world = World()
        world.line.offer(Delivery(0, scans(0, 30)))
        await world.until(lambda: world.finished and len(world.remembered) == 3)
        await asyncio.sleep(0.05)
        assert world.remembered[0][0] == HOME
        assert len(world.remembered) == 3  # until there are no more
        await world.end()

    asyncio.run(play())


def test_what_came_is_written_and_then_acknowledged() -> None:
    async def main() -> None:
        world = World()
        one, two = Delivery(0, scans(0, 30)), Delivery(30, [*scans(30, 5), b"garbage"])
        world.line.offer(one)
        world.line.offer(two)
        await world.until(lambda: one.acked and two.acked)
        assert list(chain.from_iterable(world.tables.batches)) == list(range(36))
        letters = unpacked(packed for p in world.followed for packed in p.letters)
        assert [letter.key for letter in letters] == [f"scans.v1/{HOME}/35".encode()]
        assert world.line.unacknowledged == 0
        assert world.line.oldest_unwritten_ms is None
        await world.end()

    asyncio.run(main())


def test_what_a_former_attempt_wrote_keeps_its_verdict() -> None:
    """Offsets 0 and 1 were written, 2 was refused for a code that came since, 3 was a duplicate."""

    async def main() -> None:
        world = World()
        world.tables.present = Present(
            np.arange(4, dtype=np.uint64), np.array([0, 0, 1, 2], np.uint8)
        )
        world.tables.refused = np.array([2], np.uint64), ((Reason.UNKNOWN_CODE, "then"),)
        world.tables.raises = [Retryable("away for a moment")]
        one, two = Delivery(0, scans(0, 4)), Delivery(4, scans(4, 2))
        world.line.offer(one)
        await world.until(lambda: one.acked)
        world.line.offer(two)
        await world.until(lambda: two.acked)
        assert world.tables.asked == [(0, 3)] * 2, "and what comes after costs nothing"
        said = "operations see that reading fails, too, and what asks nothing says nothing"
        assert world.tables.said == [f"{HOME} waits", f"{HOME} goes on"], said
        [first, second] = world.followed
        [letter] = unpacked(first.letters)
        assert letter.key == f"scans.v1/{HOME}/2".encode()
        headers = dict(letter.headers)
        assert (headers["reason"], headers["detail"]) == (b"unknown_code", b"then")
        looked_at = [p.rows.tables["scans"]["kafka_offset"].to_pylist() for p in (first, second)]
        assert looked_at == [[0, 1], [4, 5]]
        assert world.finished[0].reread == 4
        assert len(world.windows[HOME]) == 2, "a window is rebuilt from the rows: only 4 and 5"
        await world.end()

    asyncio.run(main())


def test_while_one_batch_is_written_the_next_ones_become_one() -> None:
    async def main() -> None:
        world = World()
        world.tables.held.clear()
        deliveries = [Delivery(i * 10, scans(i * 10, 10)) for i in range(8)]
        world.line.offer(deliveries[0])
        await world.until(lambda: world.line.in_flight == 1)
        for delivery in deliveries[1:]:
            world.line.offer(delivery)
            await asyncio.sleep(0.06)
        await world.until(lambda: world.line.judged_records == 70)
        assert not any(d.acked for d in deliveries)
        world.tables.held.set()
        await world.until(lambda: all(d.acked for d in deliveries))
        assert [len(batch) for batch in world.tables.batches] == [10, 70]
        await world.end()

    asyncio.run(main())


def test_a_batch_is_no_larger_than_it_may_be() -> None:
    async def main() -> None:
        world = World(flush_records=25)
        world.tables.held.clear()
        deliveries = [Delivery(i * 10, scans(i * 10, 10)) for i in range(7)]
        for delivery in deliveries:
            world.line.offer(delivery)
            await asyncio.sleep(0.06)
        world.tables.held.set()
        await world.until(lambda: all(d.acked for d in deliveries))
        assert max(len(batch) for batch in world.tables.batches) <= 30
        assert list(chain.from_iterable(world.tables.batches)) == list(range(70))
        await world.end()

    asyncio.run(main())


def test_what_is_late_already_waits_for_company_and_what_is_fresh_does_not() -> None:
    fresh, late = Delivery(0, scans(0, 1)).value, Delivery(0, scans(0, 1), age_s=3).value
    fresh.behind = late.behind = 1
    assert patience(fresh, 0.4, time.time()) == 0.4
    assert 0.9 < patience(late, 0.4, time.time()) <= 1
    late.behind = 0  # nothing comes after it
    assert patience(late, 0.4, time.time()) == 0.4


def test_while_the_engine_is_idle_what_is_worth_an_insert_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.shop._WORTHWHILE", 20)
    monkeypatch.setattr("streams.line.PIECE", 20)

    async def main() -> None:
        world = World(flush_s=60.0)
        one, two, three = (Delivery(i * 20, scans(i * 20, 20)) for i in range(3))
        world.line.offer(one)
        await world.until(lambda: one.acked)
        world.shop.slots.unanswered += 1  # another line's batch is being written
        world.line.offer(two)
        await world.until(lambda: world.line.judged_records == 20)
        await asyncio.sleep(0.1)
        assert not two.acked
        world.shop.slots.unanswered -= 1
        world.line.offer(three)
        await world.until(lambda: all(one.acked for one in (two, three)))
        assert [len(batch) for batch in world.tables.batches] == [20, 40]
        await world.end()

    asyncio.run(main())


def test_leaving_waits_for_what_is_in_flight_and_begins_nothing() -> None:
    async def main() -> None:
        world = World()
        world.tables.held.clear()
        one, two = Delivery(0, scans(0, 10)), Delivery(10, scans(10, 10))
        world.line.offer(one)
        await world.until(lambda: world.line.in_flight == 1)
        world.line.offer(two)
        leaving = asyncio.create_task(world.line.leave(10))
        await asyncio.sleep(0.1)
        assert not leaving.done()
        world.tables.held.set()
        await leaving
        await asyncio.sleep(0.2)
        assert one.acked
        assert not two.acked
        assert world.tables.batches == [list(range(10))]
        await world.end()

    asyncio.run(main())


def test_a_write_that_outlives_the_leave_is_not_ours_any_more() -> None:
    async def main() -> None:
        world = World()
        world.tables.held.clear()
        one = Delivery(0, scans(0, 10))
        world.line.offer(one)
        await world.until(lambda: world.line.in_flight == 1)
        await world.line.leave(0.1)
        world.tables.held.set()
        await asyncio.sleep(0.3)
        assert not one.acked
        assert world.tables.batches == []
        await world.end()

    asyncio.run(main())


def test_over_its_limit_of_rejects_a_partition_stands_still_and_loses_nothing() -> None:
    async def main() -> None:
        world = World(most=3)
        good = Delivery(0, scans(0, 10))
        bad = Delivery(10, [b"garbage"] * 4)
        after = Delivery(14, scans(14, 10))
        world.line.offer(good)
        await world.until(lambda: good.acked)
        world.line.offer(bad)
        await world.until(lambda: world.stopped)
        world.line.offer(after)
        await asyncio.sleep(0.2)
        assert not bad.acked
        assert not after.acked
        assert world.tables.batches == [list(range(10))]
        assert world.line.raw_records == 0
        [(partition, error)] = world.stopped
        assert partition == HOME
        assert "offsets 10 to 13" in str(error)
        await world.end()

    asyncio.run(main())


def test_large_records_are_judged_and_written_in_smaller_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By count all of them would be one piece and one insert of forty times a scan's bytes."""
    large = [b"x" * 4_000] * 10  # with their keys some 40 kB
    monkeypatch.setattr("streams.line.PIECE_BYTES", 100_000)
    monkeypatch.setattr("streams.outlet.BATCH_BYTES", 25_000)  # of each a row has the head

    async def main() -> None:
        world = World()
        world.tables.held.clear()
        deliveries = [Delivery(i * 10, large) for i in range(7)]
        world.line.offer(deliveries[0])
        await world.until(lambda: world.line.in_flight == 1)
        for delivery in deliveries[1:]:
            world.line.offer(delivery)
        assert world.line.bytes > 6 * 40_000
        await world.until(lambda: world.line.judged_records == 60)
        assert world.line.bytes > 60 * REJECT_HEAD, "their rows hold the heads"
        world.tables.held.set()
        await world.until(lambda: all(d.acked for d in deliveries))
        assert [len(batch) for batch in world.tables.batches] == [10, 20, 20, 20]
        assert world.line.bytes == 0
        await world.end()

    asyncio.run(main())
