"""Whether `scans.v1` is the log that the tables' rows are of (docs/adr/0017).

Offsets of a new cluster begin at 0 again, and a record at an offset that a row has already would be
taken for written. Every row says when the broker appended its record, to the millisecond: of a log
that still has its beginning, any row tells whether its record is the one that lies there.
"""

import asyncio
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import Fatal, Retryable
from schemas.kafka import connection
from schemas.settings import Settings
from schemas.topics import SCANS
from streams.clickhouse import ClickHouse

_READ_S: Final = 20.0
_ANY_ROW: Final = " UNION ALL ".join(
    "(SELECT kafka_offset, toUnixTimestamp64Milli(appended_at) AS appended_ms "  # noqa: S608 (our own names)
    f"FROM {table} WHERE kafka_partition = {{partition:UInt16}} LIMIT 1)"
    for table in ("scans", "rejects", "duplicates")
)


async def strange_partitions(
    settings: Settings, clickhouse: ClickHouse, only: int | None = None
) -> list[int]:
    """Partitions, of all or of one, whose rows are of another log.

    Raises KafkaError, Retryable, TimeoutError.

    A log that has lost its beginning, by retention or because a new one was moved on, is not: what
    comes to it has offsets that no row of another log has.
    """
    consumer = AIOKafkaConsumer(
        SCANS.name,
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    await consumer.start()
    strange = []
    try:
        partitions = [tp for tp in sorted(consumer.assignment()) if only in (None, tp.partition)]
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for tp in partitions:
            if begins[tp] > 0:
                continue
            row = await asyncio.to_thread(_any_row, clickhouse, tp.partition)
            if row is not None and not (row[0] < ends[tp] and await _is_there(consumer, tp, *row)):
                strange.append(tp.partition)
    finally:
        await consumer.stop()
    return strange


def check_log(settings: Settings, clickhouse: ClickHouse, partition: int) -> None:
    """Raises Fatal if the partition's rows are of another log, Retryable if it cannot be known.

    Blocking; not for an event loop's own thread.
    """
    try:
        strange = asyncio.run(strange_partitions(settings, clickhouse, partition))
    except (KafkaError, OSError) as error:
        raise Retryable(f"Kafka does not say whose log it has: {error!r}") from error
    if strange:
        raise Fatal(
            f"{SCANS.name} is not the log that the tables' rows are of (partition {partition}): "
            "scans would be taken for written, and lost. If Kafka is new, run "
            "`truyvet topics renew`; see docs/operations-disasters.md"
        )


def _any_row(clickhouse: ClickHouse, partition: int) -> tuple[int, int] | None:
    """A row's offset, and when it was appended (ms)."""
    rows = clickhouse.rows(_ANY_ROW, {"partition": partition})
    return (int(rows[0][0]), int(rows[0][1])) if rows else None


async def _is_there(consumer: Any, tp: TopicPartition, offset: int, appended_ms: int) -> bool:
    consumer.seek(tp, offset)
    record = await asyncio.wait_for(consumer.getone(tp), _READ_S)
    return bool(record.offset == offset and record.timestamp == appended_ms)
