"""Faust's transport, a batch at a time: one message is one partition's fetched records.

Stock Faust wraps, tracks, delivers and acknowledges every record by itself, which costs some
60 µs of Python each. Here `Message.value` is the block of records (`streams.blocks`) that one
fetch brought for one partition and `Message.offset` is the offset of the last of them, so all
of Faust's bookkeeping happens once a batch. Three things follow:

- **Contiguity is by delivery, not by offset.** A transaction marker or a compacted hole is an
  offset nobody ever delivers; a commit that waits for it waits for ever. A batch begins where
  the one delivered before it in this assignment ended.
- **Acknowledgements of an earlier generation are dropped**, and what was delivered is
  forgotten when partitions are revoked: a late ack must not commit over the new owner's work.
- **`read_committed`**, which Faust fixes at `read_uncommitted`: a record of an aborted
  transaction never happened.

A batch without records says that only markers or aborted records came: acknowledge it too, and
the commit reaches the log's end.

Limits: no tables, changelogs nor `exactly_once` on an app with this transport (`BatchApp` refuses
them), no `group_by` and no `concurrency > 1`; agents must read with `stream.noack().events()` and
acknowledge themselves. It stands on `streams.fetched`, which needs numpy, numba, cramjam and
pyarrow, and on nothing else that is about scans.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import faust
from aiokafka.errors import ConsumerStoppedError
from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import TransportT
from faust.types.tuples import ConsumerMessage, ack_lock
from mode.utils.futures import notify

from streams.blocks import Block
from streams.fetched import fetched_blocks
from streams.heartbeat import HeartbeatClock
from streams.marks import Reading

_LOG_APPEND_TIME = 1
_FETCH_AT_LEAST, _FETCH_WITHIN_MS = 256 * 1024, 50
# aiokafka leaves the group after so long without a fetch, and joins it again only after a fetch,
# which Faust does not begin before it has joined: held back for that long by its agents (an outage
# of what they write to), a worker would never come back.
_NEVER_S = 10 * 365 * 86_400.0


class WholePartitions:
    """Faust scheduling strategy: each fetched partition once, its records in one piece."""

    def iterate(self, records: Mapping[TP, Block]) -> Iterator[tuple[TP, Block]]:
        """Yield (partition, its records) in the order they were fetched."""
        return ((tp, block) for tp, block in records.items() if block.next_offset)


class Deliveries:
    """What was delivered of one partition in this assignment, and what of it may be committed."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()  # last offsets of delivered batches, oldest first
        self._acked: set[int] = set()

    def deliver(self, last_offset: int) -> None:
        """A batch that ends at this offset went out."""
        self._order.append(last_offset)

    def ack(self, last_offset: int) -> None:
        """The batch that ends at this offset is done."""
        self._acked.add(last_offset)

    def committable(self) -> int | None:
        """The offset to commit now (one past the last of the done batches in a row), or None."""
        done = None
        while self._order and self._order[0] in self._acked:
            done = self._order.popleft()
            self._acked.discard(done)
        return None if done is None else done + 1

    @property
    def pending(self) -> int:
        """Batches delivered and not yet taken for a commit."""
        return len(self._order)


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread, reading only what was committed, its heartbeat watched."""

    _counted_s = 0.0  # of its CPU

    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust picks `read_committed` only for its own transactions and has no setting for it.
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        # an answer of some hundred records costs as much as one of thousands (at 10,000/s the
        # worker's CPU is half of what it is without), and nobody notices a twentieth of a second
        consumer._fetch_min_bytes = _FETCH_AT_LEAST
        consumer._fetch_max_wait_ms = _FETCH_WITHIN_MS
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():
            app = cast(BatchApp, self.app)
            found = await fetched_blocks(
                fetcher, active_partitions, timeout or 0.0, max_records, app.reading
            )
            cpu_s = time.thread_time()
            app.fetching_cpu_s += cpu_s - self._counted_s
            self._counted_s = cpu_s
            return found

    async def on_start(self) -> None:
        """Start the consumer, then listen to its heartbeat."""
        await super().on_start()
        cast(BatchApp, self.app).heartbeat.watch(self._ensure_consumer()._coordinator)


class BatchConsumer(driver.Consumer):
    """Faust's consumer with batches for messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._deliveries: dict[TP, Deliveries] = {}
        self._finishing = False
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Block) -> ConsumerMessage:
        # what is never delivered behind the last record is done with it, so that a commit reaches
        # the log's end
        last = record.next_offset - 1
        self._deliveries.setdefault(tp, Deliveries()).deliver(last)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last,
            record.last_timestamp / 1000.0 if len(record) else time.time(),
            _LOG_APPEND_TIME,
            [],
            None,
            cast(bytes, record),  # Faust's type says bytes; with this transport it is the block
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_drop(self, tp: TP) -> None:
        """A stream has taken what was buffered: its partition is read on, unless it is paused.

        Faust's forgets the pause of one that was both, and would fetch the rest of its log.
        """
        if tp in self._paused_partitions:
            self._buffered_partitions.discard(tp)
        else:
            super().on_buffer_drop(tp)

    def ack(self, message: Any) -> bool:
        """Note a batch as done. Returns False for one of an earlier generation."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            deliveries = self._deliveries.get(message.tp)
            current: bool = message.generation_id == self.app.consumer_generation_id
            if deliveries is not None and current:
                deliveries.ack(message.offset)
                self._n_acked += 1
        notify(self._waiting_for_ack)
        return current

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in list(self._deliveries)
            if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        with ack_lock:
            deliveries = self._deliveries.get(tp)
            return None if deliveries is None else deliveries.committable()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: contiguity is by delivery."""

    async def perform_seek(self) -> None:
        """Start again from the committed offsets: what was delivered before does not count.

        Not while what is in flight is finished: Faust asks for it when a fetch ends then, all this
        is still to be committed, and the next assignment asks again.
        """
        if self._finishing:
            return
        with ack_lock:
            self._deliveries.clear()
        await super().perform_seek()

    async def finish(self, in_flight: Awaitable[None]) -> None:
        """Read nothing more, wait for what is `in_flight`, and commit it."""
        # A fetch that starts while the group is being joined waits for the new assignment and
        # holds up the thread's queue, where our commit would wait behind it for ever.
        self.stop_flow()
        self.app.flow_control.suspend()
        self._finishing = True
        try:
            await in_flight
            await self.commit()
        finally:
            self._finishing = False

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish what is in flight, commit it, then hand the partitions over."""
        await self.finish(cast(BatchApp, self.app).hooks.before_revoke(revoked))
        with ack_lock:
            for tp in revoked:
                self._deliveries.pop(tp, None)
        await super().on_partitions_revoked(revoked)


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with batches for messages."""

    Consumer = BatchConsumer


@dataclass(frozen=True)
class Hooks:
    """What an app's owner does at its turning points.

    `before_revoke` is awaited with the partitions about to be handed over, while their batches
    can still be committed; `opening` before the app starts, `closing` before its consumer stops.
    """

    opening: Callable[[], Awaitable[None]]
    before_revoke: Callable[[set[TP]], Awaitable[None]]
    closing: Callable[[], Awaitable[None]]


class BatchApp(faust.App):
    """A Faust app on `BatchTransport`. `heartbeat` says how sure its assignment is; `reading` is
    what marks the records of its blocks; `fetching_cpu_s`: CPU of who fetches."""

    def __init__(
        self, *args: Any, hooks: Hooks, reading: Reading | None = None, **options: Any
    ) -> None:
        if "processing_guarantee" in options:
            raise ImproperlyConfigured("a batch cannot be part of Faust's transactions")
        self.hooks = hooks
        self.heartbeat = HeartbeatClock()
        self.reading = reading
        self.fetching_cpu_s = 0.0
        options.setdefault("broker_max_poll_interval", _NEVER_S)
        super().__init__(
            *args, topic_disable_leader=True, ConsumerScheduler=WholePartitions, **options
        )

    def Table(self, *_: Any, **__: Any) -> Any:  # noqa: N802 (Faust's name)
        """Refused: a table's changelog is of single records. Raises ImproperlyConfigured."""
        raise ImproperlyConfigured("no tables beside batches: their changelogs are of records")

    GlobalTable = SetTable = SetGlobalTable = Table

    def _new_transport(self) -> TransportT:
        return BatchTransport(self.conf.broker_consumer, self, loop=self.loop)

    async def on_start(self) -> None:
        """Start."""
        await self.hooks.opening()
        await super().on_start()

    async def on_stop(self) -> None:
        """Stop."""
        await self.hooks.closing()
        await super().on_stop()
