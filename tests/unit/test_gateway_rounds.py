"""Rounds: many senders' records in one batch a partition, none lost, none out of order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from console.broker import Record
from console.rounds import Rounds
from schemas.ids import partition_of, person_text

PARTITIONS = 4


class FakeProducer:
    """What `Rounds` asks of aiokafka's producer; its batches are aiokafka's own."""

    def __init__(self, size: int = 16_384) -> None:
        self.size = size
        self.sent: list[tuple[str, int, list[Any]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.unbuildable: Exception | None = None

    async def partitions_for(self, topic: str) -> set[int]:
        if self.unbuildable is not None:
            raise self.unbuildable
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.size, 0)

    async def send_batch(
        self, builder: BatchBuilder, topic: str, *, partition: int
    ) -> Awaitable[None]:
        assert builder.closed(), "an open one would linger"
        records = MemoryRecords(bytes(builder._build())).next_batch()
        self.sent.append((topic, partition, list(records)))
        return asyncio.ensure_future(self._acknowledged())

    async def _acknowledged(self) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error


def of(sender: int, count: int, topic: str = "t") -> list[Record]:
    return [
        Record(topic, person_text(n % 7).encode(), b"%d-%d" % (sender, n), (("h", b"1"),))
        for n in range(count)
    ]


def run(scene: Callable[[FakeProducer, Rounds], Awaitable[None]], size: int = 16_384) -> None:
    async def within() -> None:
        producer = FakeProducer(size)
        await asyncio.wait_for(scene(producer, Rounds(producer)), 10)

    asyncio.run(within())


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def values(producer: FakeProducer) -> list[bytes]:
    return [record.value for _, _, records in producer.sent for record in records]


def test_each_record_lands_whole_in_the_partition_of_its_key() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        await rounds.send([*of(1, 40), *of(2, 10, "u")])
        found = [
            (topic, partition, r.key, r.value, tuple(r.headers))
            for topic, partition, records in producer.sent
            for r in records
        ]
        expected = [
            (r.topic, partition_of(r.key, PARTITIONS), r.key, r.value, r.headers)
            for r in [*of(1, 40), *of(2, 10, "u")]
        ]
        assert sorted(found) == sorted(expected)
        assert len({(topic, p) for topic, p, _ in producer.sent}) == len(producer.sent)

    run(scene)


def test_who_comes_while_a_round_is_under_way_goes_in_the_next_together() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        producer.gate.clear()
        first = asyncio.ensure_future(rounds.send(of(0, 7)))
        await turns()
        batches = len(producer.sent)
        later = [asyncio.ensure_future(rounds.send(of(n, 7))) for n in range(1, 6)]
        await turns()
        assert len(producer.sent) == batches, "one round at a time"
        assert not first.done()
        producer.gate.set()
        await asyncio.gather(first, *later)
        assert len(producer.sent) == 2 * batches, "five senders, one batch a partition"
        assert len(values(producer)) == 42
        for _, _, records in producer.sent[batches:]:
            order = [int(r.value.split(b"-")[0]) for r in records]
            assert order == sorted(order), "in the order they came"

    run(scene)


def test_more_than_a_batch_holds_goes_out_in_several_and_in_order() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        records = [Record("t", b"k", b"%04d" % n * 50) for n in range(200)]
        records.insert(100, Record("t", b"k", b"x" * 5000))  # larger than a batch, alone
        await rounds.send(records)
        assert values(producer) == [r.value for r in records]
        assert len(producer.sent) > 10

    run(scene, size=1024)


def test_a_refused_batch_is_told_to_all_of_its_round_and_the_next_goes_on() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        producer.error = MessageSizeTooLargeError()
        told = await asyncio.gather(
            *(rounds.send(of(n, 3)) for n in range(3)), return_exceptions=True
        )
        assert all(isinstance(error, KafkaError) for error in told)
        producer.error = None
        await rounds.send(of(9, 3))
        producer.unbuildable = OSError("no metadata")
        with pytest.raises(OSError, match="no metadata"):
            await rounds.send(of(9, 3))

    run(scene)


def test_given_up_everybody_is_told_at_once_and_so_is_who_comes_later() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        producer.gate.clear()
        waiting = [asyncio.ensure_future(rounds.send(of(0, 3)))]
        await turns()
        waiting += [asyncio.ensure_future(rounds.send(of(n, 3))) for n in range(1, 4)]
        await turns()
        rounds.fail(KafkaConnectionError("given up"))
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in told] == [KafkaConnectionError] * 4
        with pytest.raises(KafkaConnectionError):
            await rounds.send(of(5, 1))

    run(scene)


def test_a_sender_that_gave_up_does_not_stop_the_others() -> None:
    async def scene(producer: FakeProducer, rounds: Rounds) -> None:
        producer.gate.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rounds.send(of(0, 3)), 0.05)
        other = asyncio.ensure_future(rounds.send(of(1, 3)))
        await turns()
        producer.gate.set()
        await other
        assert len(values(producer)) == 6

    run(scene)
