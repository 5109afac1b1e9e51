"""Publishing what follows from a batch: dead letters and alerts, until the broker has them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas import traceparent
from schemas.kafka import connection
from schemas.settings import Settings
from schemas.topics import DLQ_MAX_MESSAGE

log = structlog.get_logger()
_PAUSE_S = 0.5
_AT_ONCE = 5_000
_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True)
class Message:
    """One record to publish."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def carrying(messages: Iterable[Message], context: str | None) -> list[Message]:
    """The same, with this trace context for who reads them."""
    if context is None:
        return list(messages)
    header = (traceparent.NAME, context.encode())
    return [replace(message, headers=(*message.headers, header)) for message in messages]


async def _sent(
    producer: Any, messages: Sequence[Message]
) -> tuple[list[list[Message]], list[Any]]:
    """The messages in groups, and the broker's answer to come for each group.

    A topic of one partition, as the dead letters' and the alerts' are, takes whole batches: a
    topic full of garbage must not cost a call of the producer's for each record.
    """
    groups: list[list[Message]] = []
    acks = []
    for topic, same in groupby(messages, key=lambda message: message.topic):
        some = list(same)
        partitions = await producer.partitions_for(topic)
        if partitions != {0}:
            for m in some:
                acks.append(await producer.send(topic, m.value, key=m.key, headers=list(m.headers)))
                groups.append([m])
            continue
        while some:
            batch = producer.create_batch()
            taken = 0
            for m in some:
                headers = list(m.headers)
                if batch.append(key=m.key, value=m.value, timestamp=None, headers=headers) is None:
                    break
                taken += 1
            # one that is larger than a batch goes by itself
            if taken:
                acks.append(await producer.send_batch(batch, topic, partition=0))
            else:
                taken, m = 1, some[0]
                acks.append(await producer.send(topic, m.value, key=m.key, headers=list(m.headers)))
            groups.append(some[:taken])
            some = some[taken:]
    return groups, acks


class Publisher:
    """An idempotent producer that tries again until every message is acknowledged."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Any = None
        self._starting = asyncio.Lock()

    async def send(self, messages: Sequence[Message]) -> None:
        """Return when the broker has all of them, in order; a broker that is away is waited for.

        At least once: consumers know a message again by its key or its id.
        """
        for begin in range(0, len(messages), _AT_ONCE):
            await self._send_some(messages[begin : begin + _AT_ONCE])

    async def _send_some(self, messages: Sequence[Message]) -> None:
        left = list(messages)
        while left:
            try:
                producer = await self._started()
                sent, acks = await _sent(producer, left)
                await producer.flush()
                answers = await asyncio.gather(*acks, return_exceptions=True)
                failed = [
                    (message, answer)
                    for messages, answer in zip(sent, answers, strict=True)
                    if isinstance(answer, BaseException)
                    for message in messages
                ]
                if not failed:
                    return
                left = [message for message, _ in failed]
                log.warning("publish_again", messages=len(left), detail=str(failed[0][1]))
            except (KafkaError, OSError) as error:
                log.warning("publish_waits", messages=len(left), detail=str(error))
            await self._restart()
            await asyncio.sleep(_PAUSE_S)

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **connection(self._settings),
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    linger_ms=5,
                    max_batch_size=_BATCH_BYTES,
                    max_request_size=DLQ_MAX_MESSAGE,
                    request_timeout_ms=10_000,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _restart(self) -> None:
        async with self._starting:
            producer, self._producer = self._producer, None
            if producer is not None:
                try:
                    await asyncio.wait_for(producer.stop(), 5)
                except (TimeoutError, KafkaError, OSError) as error:
                    log.warning("producer_left_behind", detail=str(error))

    async def close(self) -> None:
        """Flush and stop."""
        await self._restart()
