"""Publishing to Kafka: idempotent, whole batches per partition, every queue bounded."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import UserError
from schemas.kafka import connection
from schemas.settings import Settings

BATCH_BYTES: Final = 512 * 1024  # uncompressed; below the topic's message limit of 1 MiB
IN_FLIGHT: Final = 64  # batches whose acknowledgement is awaited
START_TIMEOUT_S: Final = 20.0
REQUEST_TIMEOUT_S: Final = 30.0


class Publisher:
    """One topic, partitions chosen by the caller. Any failure is a UserError with one sentence."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings, self._topic = settings, topic
        self._producer: Any = None
        self._open: dict[int, Any] = {}
        self._acks: set[asyncio.Future[Any]] = set()
        self.partitions = 0
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **connection(self._settings),
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            max_request_size=2 * BATCH_BYTES,
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            linger_ms=0,
        )
        try:
            await asyncio.wait_for(self._producer.start(), START_TIMEOUT_S)
            found = await asyncio.wait_for(
                self._producer.partitions_for(self._topic), START_TIMEOUT_S
            )
        except (KafkaError, TimeoutError, OSError, ValueError) as error:
            await self._close()
            raise self._failure("không kết nối được", "could not be reached", error) from error
        self.partitions = len(found)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._close()

    async def send(
        self, keys: Sequence[bytes], values: Sequence[bytes], partitions: Sequence[int]
    ) -> None:
        """Queues the records in order; waits while too much is unacknowledged."""
        builders = self._open
        create = self._producer.create_batch
        for key, value, partition in zip(keys, values, partitions, strict=True):
            builder = builders.get(partition)
            if builder is None:
                builder = builders[partition] = create()
            if builder.append(key=key, value=value, timestamp=None) is None:
                await self._submit(partition, builder)
                builder = builders[partition] = create()
                if builder.append(key=key, value=value, timestamp=None) is None:
                    raise UserError(
                        f"Một bản ghi {len(value)} byte quá dài để gửi đi. / "
                        f"A record of {len(value)} bytes does not fit a batch."
                    )

    async def flush(self, wait: bool = True) -> None:
        """Sends what is begun; with `wait`, until the broker has acknowledged everything."""
        builders, self._open = self._open, {}
        for partition, builder in builders.items():
            await self._submit(partition, builder)
        while wait and self._acks:
            await self._one_ack()
        # an answer that was there before we waited has its callback, which counts, still to run
        await asyncio.sleep(0)

    async def _submit(self, partition: int, builder: Any) -> None:
        builder.close()
        count = builder.record_count()
        try:
            ack = await asyncio.wait_for(
                self._producer.send_batch(builder, self._topic, partition=partition),
                REQUEST_TIMEOUT_S,
            )
        except (KafkaError, TimeoutError, OSError) as error:
            raise self._failure("thôi nhận bản ghi", "stopped taking records", error) from error
        ack.add_done_callback(lambda future: self._count(future, count))
        self._acks.add(ack)
        while len(self._acks) > IN_FLIGHT:
            await self._one_ack()

    def _count(self, ack: "asyncio.Future[Any]", count: int) -> None:
        if not ack.cancelled() and ack.exception() is None:
            self.acknowledged += count

    async def _one_ack(self) -> None:
        done, waiting = await asyncio.wait(
            self._acks, timeout=2 * REQUEST_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        self._acks = waiting
        if not done:
            raise self._failure("không xác nhận", "did not acknowledge", TimeoutError())
        for ack in done:
            error = ack.exception()
            if error is not None:
                raise self._failure("từ chối một lô", "refused a batch", error) from error

    async def _close(self) -> None:
        for ack in self._acks:
            ack.cancel()
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                await asyncio.wait_for(producer.stop(), 5.0)
            except (KafkaError, TimeoutError, OSError):
                return  # nothing is owed any more: what counts has been acknowledged or reported

    def _failure(self, vi: str, en: str, error: BaseException) -> UserError:
        reason = str(error) or type(error).__name__
        where = self._settings.kafka_bootstrap
        return UserError(
            f"Kafka tại {where}, topic {self._topic}: {vi} ({reason}). / "
            f"Kafka at {where}, topic {self._topic}: {en} ({reason})."
        )
