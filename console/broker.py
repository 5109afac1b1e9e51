"""The console's way to Kafka: one idempotent producer, connected when first needed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import Retryable
from schemas.topics import SCANS_MAX_MESSAGE

log = structlog.get_logger()
_CONNECT_S: Final = 3.0
_ACK_S: Final = 12.0
_STOP_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish; its partition is murmur2 of its key."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher(Protocol):
    """What the relay and the gateway ask of a broker; tests have one in memory."""

    async def send(self, records: Sequence[Record]) -> None:
        """Return when the broker has all of them, those of a key in order.

        Raises Retryable if not; then none, some or all of them are there.
        """

    async def check(self) -> None:
        """Raises Retryable if the broker does not answer."""

    async def close(self) -> None:
        """Let the connections go."""


class KafkaPublisher:
    """An idempotent aiokafka producer (acks=all); made anew after a failure."""

    def __init__(self, bootstrap: str, *, linger_ms: int = 0) -> None:
        self._bootstrap = bootstrap
        self._linger_ms = linger_ms
        self._producer: Any = None
        self._connecting: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[Record]) -> None:
        """See `Publisher`; gives up after some 15 seconds."""
        producer = await self._connected()
        try:
            async with asyncio.timeout(_ACK_S):
                acks = [
                    await producer.send(r.topic, r.value, key=r.key, headers=list(r.headers))
                    for r in records
                ]
                answers = await asyncio.gather(*acks, return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
        except (KafkaError, OSError, TimeoutError) as error:
            await self._drop(producer)
            raise Retryable(
                f"Kafka did not take all of {len(records)} records: {error!r}"
            ) from None

    async def check(self) -> None:
        """See `Publisher`; gives up after some four seconds."""
        producer = await self._connected()
        try:
            async with asyncio.timeout(1):
                await producer.client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Retryable(f"Kafka does not answer: {error!r}") from None

    async def _connected(self) -> Any:
        """The producer. A connection that takes too long goes on being made for the next."""
        if self._producer is None:
            if self._connecting is None:
                self._connecting = asyncio.create_task(self._connect(), name="kafka-connect")
                self._connecting.add_done_callback(_seen)
            try:
                await asyncio.wait_for(asyncio.shield(self._connecting), _CONNECT_S)
            except (KafkaError, OSError, TimeoutError) as error:
                raise Retryable(f"Kafka at {self._bootstrap} is away: {error!r}") from None
        return self._producer

    async def _connect(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=self._linger_ms,
            max_request_size=SCANS_MAX_MESSAGE,
            max_batch_size=256 * 1024,
            request_timeout_ms=10_000,
        )
        try:
            await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        else:
            self._producer = producer
            log.info("broker_connected")
        finally:
            self._connecting = None

    async def _drop(self, producer: Any) -> None:
        """Another producer, with its own id and sequence, is made for the next records."""
        if self._producer is producer:
            self._producer = None
            await _stop(producer)

    async def close(self) -> None:
        """Flush what can be flushed in a few seconds, and stop."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


def _seen(task: asyncio.Task[None]) -> None:
    """Nobody may be waiting any more when it fails; the next one who needs it tries again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("broker_away", detail=repr(error))


async def _stop(producer: Any) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _STOP_S)
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("producer_left_behind", detail=repr(error))
