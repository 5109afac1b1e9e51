"""Publishing in whole batches per partition: idempotent, acknowledged, every queue bounded."""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from console.accounting.log import away
from schemas.errors import UserError
from schemas.kafka import connection
from schemas.settings import Settings
from schemas.topics import SCANS_MAX_MESSAGE

BATCH_BYTES: Final = 256 * 1024  # uncompressed
IN_FLIGHT: Final = 32  # batches whose acknowledgement is awaited
_TIMEOUT_S: Final = 30.0


class BatchPublisher:
    """One topic; partitions chosen by the caller. `acknowledged` counts what the broker has, and
    `highest` is where it ends: the offset after the last one, by partition."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings, self._topic = settings, topic
        self._producer: Any = None
        self._open: dict[int, Any] = {}
        self._acks: set[asyncio.Future[Any]] = set()
        self.partitions = 0
        self.acknowledged = 0
        self.highest: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **connection(self._settings),
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            max_request_size=SCANS_MAX_MESSAGE,
            request_timeout_ms=int(_TIMEOUT_S * 1000),
        )
        try:
            await asyncio.wait_for(self._producer.start(), _TIMEOUT_S)
            found = await self._within(self._producer.partitions_for(self._topic))
        except BaseException as error:
            await self._close()
            if isinstance(error, KafkaError | OSError):
                raise away(self._settings, error) from error
            raise
        self.partitions = len(found)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def add(self, partition: int, key: bytes | None, value: bytes) -> None:
        """Queue one record; waits while too much is unacknowledged."""
        builder = self._open.get(partition)
        if builder is None:
            builder = self._open[partition] = self._producer.create_batch()
        if builder.append(key=key, value=value, timestamp=None) is None:
            await self._submit(partition, builder)
            builder = self._open[partition] = self._producer.create_batch()
            if builder.append(key=key, value=value, timestamp=None) is None:
                raise UserError(
                    f"Một bản ghi {len(value)} byte quá dài để gửi đi. / "
                    f"A record of {len(value)} bytes does not fit a batch."
                )

    async def flush(self) -> None:
        """Until the broker has everything that was added."""
        builders, self._open = self._open, {}
        for partition, builder in builders.items():
            await self._submit(partition, builder)
        while self._acks:
            await self._some_acks()

    async def _submit(self, partition: int, builder: Any) -> None:
        builder.close()
        count = builder.record_count()
        ack = await self._within(
            self._producer.send_batch(builder, self._topic, partition=partition)
        )
        ack.add_done_callback(lambda future: self._count(future, count))
        self._acks.add(ack)
        while len(self._acks) > IN_FLIGHT:
            await self._some_acks()

    def _count(self, ack: "asyncio.Future[Any]", count: int) -> None:
        if not ack.cancelled() and ack.exception() is None:
            self.acknowledged += count
            found = ack.result()
            end = found.offset + count
            self.highest[found.partition] = max(end, self.highest.get(found.partition, 0))

    async def _some_acks(self) -> None:
        done, self._acks = await asyncio.wait(
            self._acks, timeout=2 * _TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise away(self._settings, TimeoutError("no acknowledgement"))
        for ack in done:
            if (error := ack.exception()) is not None:
                raise away(self._settings, error) from error

    async def _within(self, work: Any) -> Any:
        try:
            # not wait_for: it can swallow the cancellation that Ctrl-C is
            async with asyncio.timeout(_TIMEOUT_S):
                return await work
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            raise away(self._settings, error) from error

    async def _close(self) -> None:
        for ack in self._acks:
            ack.cancel()
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 5.0)
            except (KafkaError, OSError):
                return  # what counts has been acknowledged, or was reported as not
