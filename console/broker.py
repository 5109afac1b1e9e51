"""The console's way to Kafka: one idempotent producer, connected when first needed."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from console.rounds import Rounds
from schemas.errors import Retryable
from schemas.kafka import connection
from schemas.settings import Settings

log = structlog.get_logger()
_CONNECT_S: Final = 3.0
_ACK_S: Final = 12.0
_STOP_S: Final = 3.0
# uncompressed; a batch that the topics' limit (on what was compressed) always admits
_BATCH_BYTES: Final = 768 * 1024


class Record(NamedTuple):
    """One record to publish; its partition is murmur2 of its key.

    `murmur` is the low 31 bits of that hash, where the sender has worked it out already.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    murmur: int | None = None


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

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rounds: Rounds | None = None
        self._connecting: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[Record]) -> None:
        """See `Publisher`; gives up after some 15 seconds."""
        rounds = await self._connected()
        try:
            async with asyncio.timeout(_ACK_S):
                await rounds.send(records)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._drop(rounds)
            raise Retryable(
                f"Kafka did not take all of {len(records)} records: {error!r}"
            ) from None

    async def check(self) -> None:
        """See `Publisher`; gives up after some four seconds."""
        rounds = await self._connected()
        try:
            async with asyncio.timeout(1):
                await rounds.producer.client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Retryable(f"Kafka does not answer: {error!r}") from None

    async def _connected(self) -> Rounds:
        """The producer. A connection that takes too long goes on being made for the next."""
        if self._rounds is None:
            if self._connecting is None:
                self._connecting = asyncio.create_task(self._connect(), name="kafka-connect")
                self._connecting.add_done_callback(_seen)
            try:
                await asyncio.wait_for(asyncio.shield(self._connecting), _CONNECT_S)
            except (KafkaError, OSError, TimeoutError) as error:
                raise Retryable(
                    f"Kafka at {self._settings.kafka_bootstrap} is away: {error!r}"
                ) from None
        if self._rounds is None:
            raise Retryable(f"Kafka at {self._settings.kafka_bootstrap} went away again")
        return self._rounds

    async def _connect(self) -> None:
        producer = AIOKafkaProducer(
            **connection(self._settings),
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=10_000,
        )
        try:
            await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        else:
            self._rounds = Rounds(producer)
            log.info("broker_connected")
        finally:
            self._connecting = None

    async def _drop(self, rounds: Rounds) -> None:
        """Another producer, with its own id and sequence, is made for the next records.

        Whoever else waits on this one is told at once: none of it may hold memory until the
        broker is back.
        """
        if self._rounds is rounds:
            self._rounds = None
            rounds.fail(KafkaConnectionError("given up"))
            await _abandon(rounds.producer)

    async def close(self) -> None:
        """Flush what can be flushed in a few seconds, and stop."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        rounds, self._rounds = self._rounds, None
        if rounds is not None:
            await _stop(rounds.producer)
            rounds.fail(KafkaConnectionError("closed"))


def _seen(task: asyncio.Task[None]) -> None:
    """Nobody may be waiting any more when it fails; the next one who needs it tries again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("broker_away", detail=repr(error))


async def _stop(producer: Any) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _STOP_S)
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("producer_left_behind", detail=repr(error))
        await _abandon(producer)


async def _abandon(producer: Any) -> None:
    """End a producer that cannot deliver. Its own `stop` waits for the broker, for as long as it
    takes: an idempotent producer never gives a batch up, and would keep them all."""
    producer._closed = True
    sender, client = producer._sender, producer.client
    try:
        # first the connections: a close waits for what is not sent yet, and the sender's end for
        # the answers to its requests and for a refresh of the metadata that nobody makes any more
        for connection in list(client._conns.values()):
            if connection._writer is not None:
                connection._writer.transport.abort()
        await asyncio.wait_for(client.close(), _STOP_S)
        if client._md_update_fut is not None and not client._md_update_fut.done():
            client._md_update_fut.set_result(False)
        if sender is not None:
            await asyncio.wait_for(sender.close(), _STOP_S)
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("producer_left_behind", detail=repr(error))
