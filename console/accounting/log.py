"""What the broker knows of a topic: where its log ends, how far a group has come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from schemas.errors import UserError
from schemas.kafka import connection
from schemas.settings import Settings

Answer = TypeVar("Answer")
_TIMEOUT_S: Final = 15.0
_MAX_FETCH: Final = 8 * 1024 * 1024
_AT_ONCE: Final = 5_000


def asked(settings: Settings, question: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run what asks the broker. Raises UserError in one sentence if it does not answer."""
    try:
        return asyncio.run(question())
    except (KafkaError, OSError, TimeoutError) as error:
        raise away(settings, error) from error


def away(settings: Settings, error: BaseException) -> UserError:
    """Kafka does not answer."""
    why = " ".join(str(error).split()) or type(error).__name__
    if "Unable to bootstrap" in why:
        why = "no connection"
    return UserError(
        f"Không gọi được Kafka tại {settings.kafka_bootstrap}; xem `truyvet status`. / "
        f"Kafka at {settings.kafka_bootstrap} does not answer ({why}); "
        "see `truyvet status`, start it with `truyvet up`."
    )


@asynccontextmanager
async def consumer_of(settings: Settings, topic: str) -> AsyncIterator[Any]:
    """A reader of the whole topic, without a group, of committed records only.

    Raises UserError if there is no such topic.
    """
    consumer = AIOKafkaConsumer(
        topic,
        **connection(settings),
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=_MAX_FETCH,
        request_timeout_ms=int(_TIMEOUT_S * 1000),
    )
    try:
        await asyncio.wait_for(consumer.start(), _TIMEOUT_S)
        yield consumer
    except UnknownTopicOrPartitionError:
        raise UserError(
            f"Không có chủ đề {topic}: hãy chạy `truyvet migrate`. / "
            f"There is no topic {topic}: run `truyvet migrate`."
        ) from None
    finally:
        await consumer.stop()


async def members_of(settings: Settings) -> bool:
    """Whether any worker is in the group."""
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=int(_TIMEOUT_S * 1000))
    try:
        await asyncio.wait_for(admin.start(), _TIMEOUT_S)
        [answer] = await admin.describe_consumer_groups([settings.worker_group])
        [(_, _, state, *_)] = answer.groups
    finally:
        await admin.close()
    return str(state) not in ("Empty", "Dead", "")


async def records_of(settings: Settings, topic: str) -> AsyncIterator[Any]:
    """Every record that a topic has now, partition by partition as they come, in their order."""
    async with consumer_of(settings, topic) as consumer:
        partitions = sorted(consumer.assignment())
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            batches = await consumer.getmany(timeout_ms=500, max_records=_AT_ONCE)
            for records in batches.values():
                for record in records:
                    yield record


async def end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """The end of each partition's log."""
    async with consumer_of(settings, topic) as consumer:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        return {partition.partition: end for partition, end in ends.items()}


async def committed_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """How far the workers have come; a partition never committed is not there."""
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=int(_TIMEOUT_S * 1000))
    try:
        await asyncio.wait_for(admin.start(), _TIMEOUT_S)
        offsets = await admin.list_consumer_group_offsets(settings.worker_group)
    finally:
        await admin.close()
    return {
        partition.partition: known.offset
        for partition, known in offsets.items()
        if partition.topic == topic and known.offset >= 0
    }
