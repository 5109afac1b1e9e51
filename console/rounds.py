"""Records of many senders in one batch a partition: the next round fills while one is under way.

aiokafka's `send` costs some 30 µs a record, most of it a future each; a batch that is built here
costs 2 µs a record and one future. Nothing lingers: a round goes out as soon as the one before it
has been acknowledged, so it is as large as what came in meanwhile.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog

from schemas.ids import murmur2

if TYPE_CHECKING:
    from console.broker import Record

log = structlog.get_logger()
_ROUND: Final = 20_000  # records of one round, unless one sender alone has more
_LOW_31: Final = 0x7FFFFFFF

Waiting = tuple[Sequence["Record"], asyncio.Future[None]]


class Rounds:
    """One producer's rounds. One event loop; no locks. Those of one key stay in order."""

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self._waiting: list[Waiting] = []
        self._under_way: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None

    async def send(self, records: Sequence["Record"]) -> None:
        """Return when the broker has them all. Raises the producer's error of its round."""
        if self._failed is not None:
            raise self._failed
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="kafka-rounds")
        await done

    def fail(self, error: BaseException) -> None:
        """Tell everybody who waits, now and from now on."""
        self._failed = error
        if self._running is not None:
            self._running.cancel()
        _tell(self._under_way + self._waiting, error)
        self._under_way, self._waiting = [], []

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._under_way = self._take()
                error = await self._round([records for records, _ in self._under_way])
                _tell(self._under_way, error)
                self._under_way = []
        finally:
            self._running = None

    def _take(self) -> list[Waiting]:
        count = taken = 0
        for records, _ in self._waiting:
            if taken and count + len(records) > _ROUND:
                break
            count += len(records)
            taken += 1
        now, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return now

    async def _round(self, groups: list[Sequence["Record"]]) -> BaseException | None:
        """What went wrong with any of it; all who are in a round share its fate."""
        try:
            acks = []
            for (topic, partition), records in (await self._by_partition(groups)).items():
                for builder in self._built(records):
                    acks.append(await self.producer.send_batch(builder, topic, partition=partition))
            answers = await asyncio.gather(*acks, return_exceptions=True)
        except Exception as error:  # noqa: BLE001 (whatever it is, its senders must hear of it)
            return error
        return next((a for a in answers if isinstance(a, BaseException)), None)

    async def _by_partition(
        self, groups: list[Sequence["Record"]]
    ) -> dict[tuple[str, int], list["Record"]]:
        found: dict[tuple[str, int], list[Record]] = {}
        partitions: dict[str, int] = {}
        for records in groups:
            for record in records:
                topic, key, murmur = record.topic, record.key, record.murmur
                if topic not in partitions:
                    partitions[topic] = len(await self.producer.partitions_for(topic))
                if murmur is None:
                    murmur = murmur2(key) & _LOW_31
                where = (topic, murmur % partitions[topic])
                if where in found:
                    found[where].append(record)
                else:
                    found[where] = [record]
        return found

    def _built(self, records: list["Record"]) -> list[Any]:
        """Closed builders: aiokafka sends a closed one at once."""
        now = int(time.time() * 1000)  # the broker writes its own
        builder = self.producer.create_batch()
        builders = [builder]
        for record in records:
            key, value, headers = record.key, record.value, list(record.headers)
            if builder.append(timestamp=now, key=key, value=value, headers=headers) is None:
                builder = self.producer.create_batch()
                builders.append(builder)
                fits = builder.append(timestamp=now, key=key, value=value, headers=headers)
                assert fits is not None, "the first record of a batch may be of any size"
        for built in builders:
            built.close()
        return builders


def _tell(waiting: list[Waiting], error: BaseException | None) -> None:
    for _, done in waiting:
        if done.done():  # its sender has given up
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
