"""Cases of other systems, taken from `cases.v1` while a console runs; one console at a time.

The topic is compacted and is read from its beginning at each start: what is known is known by its
version, so nothing has to be remembered of how far it was read. From then on a record is here a
moment after it is there. What `console.store.foreign` makes of one, it says itself.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DataError, SQLAlchemyError

from console.resume import seek
from console.store import foreign
from console.store.cases import SOURCE
from console.store.engine import Store
from console.store.foreign import Taken
from console.store.locks import ExclusiveLock
from schemas import cloudevents
from schemas.cases import Case
from schemas.errors import InvalidEvent
from schemas.kafka import of_no_group
from schemas.settings import Settings
from schemas.topics import CASES
from streams.cases import read_case

log = structlog.get_logger()
_AT_ONCE: Final = 500
_WAIT_MS: Final = 1_000
_STAND_BY_S: Final = 5.0
_PAUSE_S: Final = 5.0


class ForeignCases:
    """Follows while `run` runs. `wake`: told when something of ours is to go out."""

    def __init__(self, settings: Settings, store: Store, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._store = store
        self._wake = wake
        self._lock = ExclusiveLock(store.engine, "foreign_cases")
        self._consumer: Any = None
        self._next: dict[TopicPartition, int] = {}
        # cases whose last record so far does not count, and that record's version
        self._behind: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled. A broker or a database that is away is waited for."""
        try:
            while True:
                try:
                    stands_by = not await self.step()
                except (KafkaError, SQLAlchemyError, OSError) as error:
                    words = str(error)[:300] if not isinstance(error, SQLAlchemyError) else ""
                    log.warning("foreign_cases_wait", error=type(error).__name__, detail=words)
                    await self._let_go()
                    await asyncio.sleep(_PAUSE_S)
                    continue
                if stands_by:
                    await self._let_go()
                    await asyncio.sleep(_STAND_BY_S)
        finally:
            await self._let_go()
            self._lock.release()

    async def step(self) -> bool:
        """What has come, for at most a second; False if another process follows. Raises what `run`
        waits for."""
        if not await asyncio.to_thread(self._lock.try_acquire):
            return False
        if self._consumer is None:
            self._consumer = await self._connect()
        batches = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=_AT_ONCE)
        for partition, records in batches.items():
            await asyncio.to_thread(self._take, records)
            self._next[partition] = records[-1].offset + 1
        if not batches and self._behind and await self._at_the_end():
            await asyncio.to_thread(self._settle)
        return True

    async def _let_go(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connect(self) -> Any:
        consumer = AIOKafkaConsumer(
            CASES.name,
            **of_no_group(self._settings),
        )
        try:
            await consumer.start()
            await seek(consumer, self._next)
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def _at_the_end(self) -> bool:
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        return all([await self._consumer.position(p) >= end for p, end in ends.items()])

    def _take(self, records: list[Any]) -> None:
        for record in records:
            case_id = (record.key or b"").decode("utf-8", "replace")
            if foreign.system_of(case_id) is None:
                continue
            try:
                case = read_case(record.key, record.value)
            except InvalidEvent as error:
                _refused(record, error)
                case = None
            if case is None:
                self._behind[case_id] = 0
                continue
            try:
                self._take_one(case, record)
            except (ValueError, DataError) as error:
                _refused(record, error)
                self._behind[case_id] = case.version

    def _take_one(self, case: Case, record: Any) -> None:
        taken = foreign.take_in(self._store, case)
        if taken is not Taken.KNOWN:
            log.info("foreign_case_taken", case=case.id, version=case.version, what=taken.value)
        if taken in (Taken.MERGED, Taken.KEPT):
            self._wake()
        if taken is Taken.KNOWN and not _ours(record) and not foreign.stands(self._store, case):
            self._behind[case.id] = case.version
        else:
            self._behind.pop(case.id, None)

    def _settle(self) -> None:
        """Everything has been read: what still stands behind ours gets ours behind it."""
        for case_id, above in list(self._behind.items()):
            if foreign.publish_again(self._store, case_id, above):
                log.info("foreign_case_published_again", case=case_id)
                self._wake()
            self._behind.pop(case_id)


def _refused(record: Any, error: Exception) -> None:
    where = {"partition": record.partition, "offset": record.offset}
    words = type(error).__name__ if isinstance(error, DataError) else str(error)[:300]
    log.error("foreign_case_refused", **where, detail=words)


def _ours(record: Any) -> bool:
    """Whether a console of ours wrote it: the relay may send one again, and a later one follows."""
    return cloudevents.attributes(record.headers or ()).get("source") == SOURCE
