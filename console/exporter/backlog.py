"""What waits on `scans.v1`, asked of the broker: true also when no worker is there to say so."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from console.accounting.log import committed_offsets
from console.exporter.probe import Found
from schemas.kafka import connection
from schemas.metrics import BACKLOG_RECORDS, BACKLOG_SECONDS
from schemas.settings import Settings
from schemas.topics import SCANS

_TIMEOUT_S: Final = 10.0
_FETCH_BYTES: Final = 16 * 1024
_READ_S: Final = 3.0


class Backlog:
    """Reads the one record at which each partition's workers stand. One task."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None

    async def ask(self) -> Found:
        """Records and seconds by partition. Raises KafkaError, OSError, TimeoutError."""
        try:
            consumer = self._consumer or await self._connect()
            partitions = sorted(consumer.assignment())
            done = await committed_offsets(self._settings, SCANS.name)
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            since = {tp: max(done.get(tp.partition, 0), begins[tp]) for tp in partitions}
            behind = {tp: at for tp, at in since.items() if at < ends[tp]}
            oldest = await self._appended(consumer, behind)
        except BaseException:
            await self.close()
            raise
        now = time.time()
        return {
            BACKLOG_RECORDS: {(str(tp.partition),): ends[tp] - since[tp] for tp in partitions},
            BACKLOG_SECONDS: {
                (str(tp.partition),): max(0.0, now - oldest.get(tp, now)) for tp in partitions
            },
        }

    async def _appended(
        self, consumer: Any, behind: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, float]:
        """The broker's time of the first record from there on, Unix seconds."""
        found: dict[TopicPartition, float] = {}
        if not behind:
            return found
        for partition, offset in behind.items():
            consumer.seek(partition, offset)
        consumer.resume(*behind)
        deadline = time.monotonic() + _READ_S
        # where nothing but a transaction's marker is left, nothing comes
        while len(found) < len(behind) and time.monotonic() < deadline:
            for partition, records in (await consumer.getmany(*behind, timeout_ms=500)).items():
                found.setdefault(partition, records[0].timestamp / 1000)
        consumer.pause(*behind)
        return found

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            SCANS.name,
            **connection(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
            request_timeout_ms=int(_TIMEOUT_S * 1000),
        )
        try:
            await asyncio.wait_for(consumer.start(), _TIMEOUT_S)
        except BaseException:
            await consumer.stop()
            raise
        consumer.pause(*consumer.assignment())
        self._consumer = consumer
        return consumer

    async def close(self) -> None:
        """Let the broker go."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
