"""Reading a compacted topic whole, then following it: a reader without a group.

Each worker has its own, so each knows every place, producer and open case. `ready` is set when
everything that was on the topic at the start has been applied. Of a topic that only says what
has just happened, what was there before is passed over.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.kafka import of_no_group
from schemas.settings import Settings

log = structlog.get_logger()

# Takes aiokafka records in their order, and says which of them make no sense: (offset, why).
Apply = Callable[[Sequence[Any]], Iterable[tuple[int, str]]]
_PAUSE_S = 1.0
_NEWS_BYTES = 64 * 1024


class Follower:
    """Applies every record of one topic, in the order of each partition, for ever.

    `news`: only those that come from now on.
    """

    def __init__(self, settings: Settings, topic: str, apply: Apply, *, news: bool = False) -> None:
        self._settings = settings
        self.topic = topic
        self._apply = apply
        self._news = news
        self._next: dict[TopicPartition, int] = {}
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; a broker that is away is waited for."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                log.warning("follower_waits", topic=self.topic, detail=str(error))
                await asyncio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            self.topic,
            **of_no_group(self._settings),
            # news of a flood are hundreds a second: heard a few times a second, not each by itself
            fetch_min_bytes=_NEWS_BYTES if self._news else 1,
            fetch_max_wait_ms=250,
        )
        try:
            await consumer.start()
            partitions = sorted(consumer.assignment())  # without a group: all of them
            ends = await consumer.end_offsets(partitions)
            if self._news:
                self._next = ends | self._next
            for partition in partitions:
                consumer.seek(partition, self._next.get(partition, 0))
            await self._from_the_start(consumer, partitions)
            while True:
                if not self.ready.is_set():
                    behind = [p for p in partitions if await consumer.position(p) < ends[p]]
                    if not behind:
                        self.ready.set()
                batches = await consumer.getmany(timeout_ms=500, max_records=10_000)
                for partition, records in batches.items():
                    self._take(partition, records)
                    self._next[partition] = records[-1].offset + 1
                await asyncio.sleep(0)
        finally:
            await consumer.stop()

    async def _from_the_start(
        self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
    ) -> None:
        """Compaction may have taken the head of the log away: begin where it begins."""
        begins = await consumer.beginning_offsets(partitions)
        for partition in partitions:
            if self._next.get(partition, 0) < begins[partition]:
                consumer.seek(partition, begins[partition])

    def _take(self, partition: TopicPartition, records: list[Any]) -> None:
        for offset, detail in self._apply(records):
            log.error(
                "record_ignored",
                topic=partition.topic,
                partition=partition.partition,
                offset=offset,
                detail=detail[:300],
            )


def each(apply: Callable[[Any], None]) -> Apply:
    """One after the other; `apply` raises ValueError for a record that makes no sense."""

    def applied(records: Sequence[Any]) -> Iterable[tuple[int, str]]:
        for record in records:
            try:
                apply(record)
            except (ValueError, KeyError, TypeError) as error:
                yield record.offset, str(error)

    return applied
