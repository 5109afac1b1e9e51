"""Reading `scans.v1` again into other tables, beside the workers and without their group.

The same steps, lines and writer as a worker's; what follows from a batch (dead letters, alerts,
traces) was done long ago and is left out. Each partition is read up to a bound and never past it:
past what the workers have committed there would be two who write the same offsets.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from issuer.codes import KeyRing
from schemas.kafka import connection
from schemas.meters import Metrics
from schemas.settings import Settings
from schemas.topics import ERASURES, PRODUCERS, SCANS, SITES
from streams.blocks import Block
from streams.clickhouse import ClickHouse
from streams.directory import Directory
from streams.erasures import Erasures, list_key
from streams.fetched import fetched_blocks
from streams.follow import Follower, each
from streams.pending import Pending
from streams.pipeline import Pipeline
from streams.recall import Recall
from streams.rejectlimit import RejectLimit, RejectPolicy
from streams.shop import Shop, Slots
from streams.steps import Steps
from streams.write import Writer

ATTEMPTS: Final = "rebuild"  # in the place of a topic: the workers' attempts are not to be ended
_FETCH_BYTES: Final = 4 * 1024 * 1024
_LONG_S: Final = 3_600.0
_PAUSE_S: Final = 0.02


class _Read:
    """A block as a line takes it."""

    def __init__(self, value: Block, ack: Callable[[], Any]) -> None:
        self.value = value
        self.ack = ack


class Reread:
    """`settings` name the database that is written to. `done`: up to where each partition is
    written, exclusive. One event loop."""

    def __init__(self, settings: Settings, done: Mapping[int, int]) -> None:
        self._settings = settings
        self.done = dict(done)
        self._clickhouse = ClickHouse(settings, timeout_s=settings.insert_timeout_s + 60)
        self._metrics = Metrics(CollectorRegistry())
        self._directory = Directory(KeyRing.parse(settings.code_keys.get_secret_value()))
        self._erasures = Erasures(list_key(settings.person_key.get_secret_value()))
        self._recall = Recall(self._clickhouse, settings, self._metrics)
        self._threads = ThreadPoolExecutor(settings.inflight_batches + 8)
        self._failed: BaseException | None = None
        self._pipeline = Pipeline(self._shop(), self._fail, lambda: None)
        self._followers = [
            Follower(settings, SITES.name, self._directory.site_records),
            Follower(settings, PRODUCERS.name, each(self._directory.producer_record)),
            Follower(settings, ERASURES.name, each(self._erasures.record)),
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._consumer: Any = None

    async def open(self) -> None:
        """Know every code, producer and erasure of now. Raises KafkaError."""
        self._tasks = [asyncio.create_task(follower.run()) for follower in self._followers]
        for follower in self._followers:
            await follower.ready.wait()
        self._consumer = AIOKafkaConsumer(
            **connection(self._settings),
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        await self._consumer.start()

    async def close(self) -> None:
        """Finish what is in flight, begin nothing more."""
        self._pipeline.close()
        lines = [line.partition for line in self._pipeline.lines()]
        await self._pipeline.leave(lines, self._settings.insert_timeout_s + 1)
        for task in self._tasks:
            task.cancel()
        if self._consumer is not None:
            await self._consumer.stop()
        self._threads.shutdown(wait=False)
        self._clickhouse.close()

    async def read(self, ends: Mapping[int, int], on_progress: Callable[[], None]) -> None:
        """Write everything before these ends. Raises what is Fatal."""
        behind = {
            TopicPartition(SCANS.name, p): end for p, end in ends.items() if self._at(p) < end
        }
        if not behind:
            return
        self._consumer.assign(sorted(behind))
        for partition in behind:
            self._consumer.seek(partition, self._at(partition.partition))
        reading = dict(behind)
        while reading:
            for partition, block in (await self._blocks(reading)).items():
                end = behind[partition]
                if block.next_offset >= end:
                    del reading[partition]
                await self._offer(block.before(end))
            on_progress()
        while any(self._at(p) < end for p, end in ends.items()):
            self._raise()
            await asyncio.sleep(_PAUSE_S)
            on_progress()

    def _at(self, partition: int) -> int:
        return self.done.get(partition, 0)

    async def _blocks(self, reading: Mapping[TopicPartition, int]) -> dict[TopicPartition, Block]:
        self._raise()
        fetcher = self._consumer._fetcher
        with fetcher._subscriptions.fetch_context():
            return await fetched_blocks(
                fetcher, list(reading), 1.0, self._settings.max_poll_records
            )

    async def _offer(self, block: Block) -> None:
        partition, to = block.partition, block.next_offset

        def ack() -> None:
            self.done[partition] = max(to, self._at(partition))

        if len(block):
            event = _Read(block, ack)
            await self._pipeline.submit(partition, event, lambda: self._failed is None)
        else:
            # only markers came: nothing to write, and what is before them is acknowledged in turn
            await self._until_written(partition)
            ack()

    async def _until_written(self, partition: int) -> None:
        while any(x.unacknowledged for x in self._pipeline.lines() if x.partition == partition):
            self._raise()
            await asyncio.sleep(_PAUSE_S)

    def _shop(self) -> Shop:
        settings = self._settings
        return Shop(
            steps=Steps(
                self._directory,
                self._erasures,
                self._metrics,
                retention_days=settings.retention_days,
                partitions=settings.scan_partitions,
                look_up=self._recall.look_up,
            ),
            writer=Writer(
                self._clickhouse,
                self._metrics,
                topic=ATTEMPTS,
                run=secrets.token_hex(6),
                retention_days=settings.retention_days,
                insert_timeout_s=settings.insert_timeout_s,
            ),
            threads=self._threads,
            slots=Slots(settings.inflight_batches, settings.flush_records),
            judging=asyncio.Lock(),
            recalling=asyncio.Lock(),
            rebuild=self._recall.rebuild,
            remember=self._recall.remember,
            follow_up=_nothing,
            done=lambda _: None,
            stopped=lambda _, error: self._fail(error),
            limit=lambda: RejectLimit(RejectPolicy(0, 60_000)),
            flush_records=settings.flush_records,
            flush_s=settings.flush_ms / 1000,
            code_wait_s=0.0,
            surely_ours_s=lambda: _LONG_S,
        )

    def _fail(self, error: BaseException) -> None:
        self._failed = self._failed or error

    def _raise(self) -> None:
        if self._failed is not None:
            raise self._failed


async def _nothing(_: Pending) -> None:
    """Alerts and dead letters of these records went out when they first came."""
