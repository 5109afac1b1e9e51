"""`streams/transport.py` on the real Kafka: the suite of `tests/contract`, and its limits."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer.subscription_state import SubscriptionState
from faust import Stream
from faust.types import TP
from faust.types.tuples import Message

from deploy.embedded.stack import Stack, StackOptions
from schemas.settings import load_settings
from streams.transport import BatchApp, BatchConsumer, Hooks
from tests.contract.transport_suite import Batch, Cluster, Fate, Member, TransportSuite, until

_NUMBERS = itertools.count(1)


class BrokerCluster(Cluster):
    """A topic and a group of their own on a running broker."""

    def __init__(self, bootstrap: str, directory: Path, partitions: int) -> None:
        self.name = f"transport-{next(_NUMBERS)}"
        self.bootstrap, self.directory, self.partitions = bootstrap, directory, partitions
        self.members: list[BrokerMember] = []

    async def publish(self, partition: int, count: int, fate: Fate = "plain") -> list[int]:
        """See `Cluster`."""
        return await asyncio.to_thread(self._publish, partition, count, fate)

    def _publish(self, partition: int, count: int, fate: Fate) -> list[int]:
        from confluent_kafka import Producer

        options: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "linger.ms": 5}
        if fate != "plain":
            options["transactional.id"] = f"{self.name}/{next(_NUMBERS)}"
        producer = Producer(options)
        if fate != "plain":
            producer.init_transactions(30)
            producer.begin_transaction()
        offsets: list[int] = []

        def noted(error: Any, message: Any) -> None:
            assert error is None, error
            offsets.append(message.offset())

        for number in range(count):
            producer.produce(self.name, b"%d" % number, partition=partition, on_delivery=noted)
        assert producer.flush(30) == 0
        if fate == "transaction":
            producer.commit_transaction(30)
        elif fate == "aborted":
            producer.abort_transaction(30)
        assert len(offsets) == count
        return offsets

    async def join(self) -> "BrokerMember":
        """See `Cluster`."""
        member = BrokerMember(self)
        self.members.append(member)
        await member.app.start()
        await until(lambda: bool(member.assigned()), "the new member to get its share")
        return member

    async def committed(self, partition: int) -> int:
        """See `Cluster`."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.name)
        finally:
            await admin.close()
        found = offsets.get(TopicPartition(self.name, partition))
        return max(0, found.offset) if found is not None else 0

    async def end(self, partition: int) -> int:
        """See `Cluster`."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            where = TopicPartition(self.name, partition)
            return int((await consumer.end_offsets([where]))[where])
        finally:
            await consumer.stop()


class BrokerMember(Member):
    """A whole Faust app with one agent that only listens."""

    def __init__(self, cluster: BrokerCluster) -> None:
        super().__init__()
        self._cluster = cluster
        self._left = False
        number = len(cluster.members)
        self.app = BatchApp(
            cluster.name,
            hooks=Hooks(_nothing, self._before_revoke, _nothing),
            broker=f"kafka://{cluster.bootstrap}",
            store="memory://",
            datadir=cluster.directory / f"{cluster.name}-{number}",
            web_enabled=False,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            broker_session_timeout=6.0,
            broker_heartbeat_interval=0.3,
            broker_commit_interval=0.5,
            stream_wait_empty=False,
        )
        topic = self.app.topic(cluster.name, value_serializer="raw", key_serializer="raw")

        @self.app.agent(topic, name="listen")
        async def listen(stream: Any) -> None:
            async for event in cast(Stream[Any], stream).noack().events():
                message = event.message
                offsets = [record.offset for record in message.value]
                ack = _ack(self.consumer, message)
                self.batches.append(Batch(message.partition, offsets, message.offset, ack))

        self.app.finalize()

    @property
    def consumer(self) -> BatchConsumer:
        """The app's."""
        return cast(BatchConsumer, self.app.consumer)

    async def leave(self) -> None:
        """See `Member`."""
        if not self._left:
            self._left = True
            await self.app.stop()

    async def commit(self) -> None:
        """See `Member`; a commit that is under way is waited for, and another one made."""
        while not await self.consumer.commit():
            if self.consumer._commit_fut is None:
                return

    def assigned(self) -> set[int]:
        """See `Member`: those that it may read now."""
        if self.app.rebalancing or not self.consumer.flow_active:
            return set()
        return {tp.partition for tp in self.consumer.assignment()}

    def delivered_and_open(self) -> dict[int, int]:
        """See `Member`."""
        return {tp.partition: d.pending for tp, d in self.consumer._deliveries.items()}

    async def _before_revoke(self, _revoked: set[TP]) -> None:
        if self.finishes_on_revoke:
            await asyncio.sleep(self.finishes_after_s)
            self.ack_all()


def _ack(consumer: BatchConsumer, message: Message) -> Any:
    return lambda: consumer.ack(message)


async def _nothing() -> None:
    """Nothing to do."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Where Kafka listens, and a directory."""
    directory: Path = tmp_path_factory.mktemp("transport")
    with Stack(StackOptions(data_dir=directory, services=frozenset({"kafka"}))):
        yield load_settings(directory).kafka_bootstrap, directory


class TestOnABroker(TransportSuite):
    """The whole suite on Kafka."""

    @pytest.fixture(autouse=True)
    def _on(self, broker: tuple[str, Path]) -> None:
        self._bootstrap, self._directory = broker

    def cluster(self, partitions: int) -> AbstractAsyncContextManager[Any]:
        """See `TransportSuite`."""
        return _cluster(self._bootstrap, self._directory, partitions)

    def test_who_has_fetched_nothing_for_a_day_is_still_in_the_group(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when its agents wait for a database that is away."""

        async def main() -> None:
            async with self.cluster(1) as cluster:
                member = await cluster.join()
                await member.has({0: await cluster.publish(0, 5)})
                before = member.app.rebalancing_count
                with monkeypatch.context() as patch:
                    patch.setattr(SubscriptionState, "fetcher_idle_time", 86_400.0)
                    await asyncio.sleep(2)  # some heartbeats
                await member.has({0: await cluster.publish(0, 5)})
                assert member.app.rebalancing_count == before
                member.ack_all()
                await member.leave()
                assert await cluster.committed(0) == await cluster.end(0)

        asyncio.run(main())


@asynccontextmanager
async def _cluster(
    bootstrap: str, directory: Path, partitions: int
) -> AsyncIterator[BrokerCluster]:
    cluster = BrokerCluster(bootstrap, directory, partitions)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(cluster.name, partitions, 1)])
    await admin.close()
    try:
        yield cluster
    finally:
        for member in cluster.members:
            await member.leave()
