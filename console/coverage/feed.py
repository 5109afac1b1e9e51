"""The copy of the register beside the scans: `sites.v1` and `coverage.v1` into ClickHouse.

Rows first, then the position: what is cut off in between is copied again, and a record that is
there twice is one (the tables keep the highest version).
"""

import asyncio
from typing import Any, Final

import pyarrow as pa
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from console.coverage.rows import tables_of
from console.resume import seek
from schemas.kafka import of_no_group
from schemas.settings import Settings
from schemas.topics import COVERAGE, SITES
from streams.clickhouse import ClickHouse

log = structlog.get_logger()

TOPICS: Final = (SITES.name, COVERAGE.name)
_AT_ONCE: Final = 20_000
_POSITION: Final = pa.schema(
    [("topic", pa.string()), ("kafka_partition", pa.uint16()), ("next_offset", pa.uint64())]
)


class Feed:
    """Copies what has come since it last did. One task; `close` lets the broker go."""

    def __init__(self, settings: Settings, clickhouse: ClickHouse) -> None:
        self._settings = settings
        self._clickhouse = clickhouse
        self._consumer: AIOKafkaConsumer | None = None

    async def catch_up(self) -> int:
        """Copy everything up to the topics' ends of now; how many records. Raises KafkaError,
        OSError, Retryable: call it again."""
        consumer = self._consumer or await self._connect()
        ends = await consumer.end_offsets(consumer.assignment())
        copied = 0
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=1_000, max_records=_AT_ONCE)
            for partition, records in batches.items():
                try:
                    await asyncio.to_thread(self._copy, partition, records)
                except BaseException:
                    consumer.seek(partition, records[0].offset)
                    raise
                copied += len(records)
        return copied

    async def close(self) -> None:
        """Let the broker go."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            *TOPICS,
            **of_no_group(self._settings),
        )
        try:
            await consumer.start()
            known = await asyncio.to_thread(_positions, self._clickhouse)
            await seek(consumer, known)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        return consumer

    def _copy(self, partition: TopicPartition, records: list[Any]) -> None:
        def ignored(key: str, detail: str) -> None:
            log.error("record_ignored", topic=partition.topic, key=key, detail=detail)

        pairs = ((record.key, record.value) for record in records)
        for table, rows in tables_of(pairs, ignored).items():
            self._clickhouse.insert(table, rows, {})
        position = {
            "topic": partition.topic,
            "kafka_partition": partition.partition,
            "next_offset": records[-1].offset + 1,
        }
        self._clickhouse.insert(
            "register_positions", pa.Table.from_pylist([position], _POSITION), {}
        )


def _positions(clickhouse: ClickHouse) -> dict[tuple[str, int], int]:
    query = (
        "SELECT topic, kafka_partition, max(next_offset) FROM register_positions "
        "GROUP BY topic, kafka_partition"
    )
    return {(str(t), int(p)): int(n) for t, p, n in clickhouse.rows(query)}
