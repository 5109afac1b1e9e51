"""The two ordinary Kafka clients of Python, tuned, behind one loop: lists of raw values.

Used by the rows that are not truyvet, so that none of them loses by its client's defaults.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, KafkaException

from schemas.errors import UserError

AIOKAFKA: Final = "aiokafka"
LIBRDKAFKA: Final = "librdkafka"
CLIENTS: Final = (AIOKAFKA, LIBRDKAFKA)
_SILENT_S: Final = 30.0
_POLL: Final = 20_000


def values(client: str, bootstrap: str, topic: str, group: str, most: int) -> Iterator[list[bytes]]:
    """The values of the first `most` records. Raises UserError after 30 s without a record."""
    reader = _aiokafka if client == AIOKAFKA else _librdkafka
    left = most
    for found in reader(bootstrap, topic, group):
        yield found[:left]
        left -= len(found)
        if left <= 0:
            return


def _librdkafka(bootstrap: str, topic: str, group: str) -> Iterator[list[bytes]]:
    consumer: Any = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # tuned: its defaults give a tenth of this
            "fetch.queue.backoff.ms": 2,
            "queued.min.messages": 200_000,
        }
    )
    consumer.subscribe([topic])
    heard = time.monotonic()
    try:
        while True:
            found = consumer.consume(_POLL, 0.2)
            for message in found:
                if message.error() is not None:
                    raise UserError(f"librdkafka: {message.error().str()}")
            if found:
                heard = time.monotonic()
                yield [message.value() for message in found]
            elif time.monotonic() - heard > _SILENT_S:
                raise UserError(
                    f"Không có bản ghi nào trong {_SILENT_S:.0f} giây. / "
                    f"No record came for {_SILENT_S:.0f} s."
                )
    except KafkaException as error:
        raise UserError(f"librdkafka: {error}") from None
    finally:
        consumer.close()


def _aiokafka(bootstrap: str, topic: str, group: str) -> Iterator[list[bytes]]:
    loop = asyncio.new_event_loop()
    consumer: Any = None

    async def start() -> Any:
        made = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=50,
        )
        await made.start()
        return made

    heard = time.monotonic()
    try:
        consumer = loop.run_until_complete(start())
        while True:
            batches = loop.run_until_complete(consumer.getmany(timeout_ms=200, max_records=_POLL))
            found = [record.value for batch in batches.values() for record in batch]
            if found:
                heard = time.monotonic()
                yield found
            elif time.monotonic() - heard > _SILENT_S:
                raise UserError(
                    f"Không có bản ghi nào trong {_SILENT_S:.0f} giây. / "
                    f"No record came for {_SILENT_S:.0f} s."
                )
    finally:
        if consumer is not None:
            loop.run_until_complete(consumer.stop())
        loop.close()
