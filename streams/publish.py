"""Publishing what follows from a batch: dead letters and alerts, until the broker has them."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
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
from streams.packed import Packed

log = structlog.get_logger()
_PAUSE_S = 0.5
# For each step of an attempt: a request has ten seconds, and then what waits behind it. A producer
# that was left behind, because another sender met the broker's silence first, may never answer.
_STEP_S = 45.0
_AT_ONCE = 5_000
_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True)
class Message:
    """One record to publish."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


Item = Message | Packed


def carrying(messages: Iterable[Message], context: str | None) -> list[Message]:
    """The same, with this trace context for who reads them."""
    if context is None:
        return list(messages)
    header = (traceparent.NAME, context.encode())
    return [replace(message, headers=(*message.headers, header)) for message in messages]


class _Sending:
    """What goes out in one attempt: in groups, with the broker's answer to come for each group."""

    def __init__(self, producer: Any, turn: asyncio.Lock) -> None:
        self._producer = producer
        self._turn = turn
        self.groups: list[Sequence[Item]] = []
        self.acks: list[Any] = []

    async def add(self, items: Iterable[Item]) -> None:
        """Hand over to the producer, in their order."""
        for packed, some in groupby(items, key=lambda item: isinstance(item, Packed)):
            if packed:
                for one in some:
                    await self._packed(one)
                continue
            for topic, same in groupby(some, key=lambda message: message.topic):
                if await _in_time(self._producer.partitions_for(topic)) == {0}:
                    await self._in_batches(topic, list(same))
                else:
                    for message in same:
                        await self._one(message)

    async def _packed(self, packed: Any) -> None:
        partitions = await _in_time(self._producer.partitions_for(packed.topic))
        partition = packed.lane % len(partitions)
        # aiokafka lets a batch in when the one before it is on its way; of several that wait for
        # that, all but one wait on, and each wait shortens what is left of their patience
        async with self._turn:
            await self._batch(packed.builder(), packed.topic, partition, [packed])

    async def _in_batches(self, topic: str, messages: list[Any]) -> None:
        """A topic of one partition, as the alerts' is, takes whole batches."""
        while messages:
            batch = self._producer.create_batch()
            taken = 0
            for m in messages:
                headers = list(m.headers)
                if batch.append(key=m.key, value=m.value, timestamp=None, headers=headers) is None:
                    break
                taken += 1
            if taken:
                await self._batch(batch, topic, 0, messages[:taken])
            else:  # one that is larger than a batch goes by itself
                taken = 1
                await self._one(messages[0])
            messages = messages[taken:]

    async def _batch(self, batch: Any, topic: str, partition: int, items: Sequence[Item]) -> None:
        sent = self._producer.send_batch(batch, topic, partition=partition)
        self.acks.append(await _in_time(sent))
        self.groups.append(items)

    async def _one(self, m: Any) -> None:
        sent = self._producer.send(m.topic, m.value, key=m.key, headers=list(m.headers))
        self.acks.append(await _in_time(sent))
        self.groups.append([m])


def _in_time(step: Awaitable[Any]) -> Awaitable[Any]:
    return asyncio.wait_for(step, _STEP_S)


class Publisher:
    """An idempotent producer that tries again until every message is acknowledged."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Any = None
        self._starting = asyncio.Lock()
        self._turn = asyncio.Lock()

    async def send(self, messages: Sequence[Item]) -> None:
        """Return when the broker has all of them, in order; a broker that is away is waited for.

        At least once: consumers know a message again by its key or its id.
        """
        for begin in range(0, len(messages), _AT_ONCE):
            await self._send_some(messages[begin : begin + _AT_ONCE])

    async def _send_some(self, messages: Sequence[Item]) -> None:
        left = list(messages)
        while True:
            producer = None
            try:
                producer = await self._started()
                failed = await self._attempt(producer, left)
                if not failed:
                    return
                left = [message for message, _ in failed]
                log.warning("publish_again", messages=len(left), detail=str(failed[0][1]))
            except (KafkaError, OSError) as error:  # of which TimeoutError is one
                detail = str(error) or type(error).__name__
                log.warning("publish_waits", messages=len(left), detail=detail)
            await self._restart(producer)
            await asyncio.sleep(_PAUSE_S)

    async def _attempt(
        self, producer: Any, messages: Sequence[Item]
    ) -> list[tuple[Item, BaseException]]:
        """What the broker did not take, with what it said."""
        sending = _Sending(producer, self._turn)
        await sending.add(messages)
        await _in_time(producer.flush())
        answers = await asyncio.gather(*map(_in_time, sending.acks), return_exceptions=True)
        return [
            (message, answer)
            for group, answer in zip(sending.groups, answers, strict=True)
            if isinstance(answer, BaseException)
            for message in group
        ]

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

    async def _restart(self, failed: Any) -> None:
        """Let this producer go, unless another sender has."""
        async with self._starting:
            if failed is None or failed is not self._producer:
                return
            self._producer = None
            try:
                await asyncio.wait_for(failed.stop(), 5)
            except (TimeoutError, KafkaError, OSError) as error:
                log.warning("producer_left_behind", detail=str(error))

    async def close(self) -> None:
        """Flush and stop."""
        await self._restart(self._producer)
