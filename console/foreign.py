"""Cases of other systems, taken from `cases.v1` while a console runs; one console at a time.

The topic is compacted and is read from its beginning at each start: what is known is known by its
version, so nothing has to be remembered of how far it was read. From then on a record is here a
moment after it is there. What `console.store.foreign` makes of one, it says itself.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DataError

from console.resume import seek
from console.store import foreign
from console.store.cases import SOURCE
from console.store.engine import Store
from console.store.foreign import Again, Taken
from console.store.locks import ExclusiveLock
from issuer.units import is_ward
from schemas import cloudevents
from schemas.cases import Case, system_of
from schemas.errors import InvalidEvent
from schemas.kafka import of_no_group
from schemas.settings import Settings
from schemas.topics import CASES
from streams.cases import REFUSED, read_case

log = structlog.get_logger()
_AT_ONCE: Final = 500
_WAIT_MS: Final = 1_000
_STAND_BY_S: Final = 5.0
_PAUSE_S: Final = 5.0
_GRACE_S: Final = 1.0  # what comes behind what is on its way may be overtaken by it


class _Behind(NamedTuple):
    version: int
    since: float  # seconds, monotonic


class ForeignCases:
    """Follows while `run` runs. `wake`: told when something of ours is to go out."""

    def __init__(self, settings: Settings, store: Store, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._store = store
        self._wake = wake
        self._lock = ExclusiveLock(store.engine, "foreign_cases")
        self._consumer: Any = None
        self._next: dict[TopicPartition, int] = {}
        # cases of which some record came behind ours: the highest version of these, and when
        self._behind: dict[str, _Behind] = {}

    async def run(self) -> None:
        """Until cancelled. A broker or a database that is away is waited for."""
        try:
            while True:
                try:
                    stands_by = not await self.step()
                except Exception as error:  # noqa: BLE001 (whatever it is, cases go on coming)
                    words = str(error)[:300] if isinstance(error, KafkaError | OSError) else ""
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
        until = time.monotonic() - _GRACE_S
        due = [case for case, behind in self._behind.items() if behind.since <= until]
        if due and await self._at_the_end():
            await asyncio.to_thread(self._settle, due)
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
            if system_of(case_id) is None:
                continue
            try:
                case = read_case(record.key, record.value)
            except InvalidEvent as error:
                _refused(record, error)
                case = None
            if case is None:
                self._came_behind(case_id, 0)
                continue
            try:
                self._take_one(case, record)
            except (*REFUSED, DataError) as error:
                _refused(record, error)
                self._came_behind(case_id, case.version)

    def _take_one(self, case: Case, record: Any) -> None:
        taken = foreign.take_in(self._store, case, ours=_ours(record))
        if taken not in (Taken.KNOWN, Taken.ENDED):
            log.info("foreign_case_taken", case=case.id, version=case.version, what=taken.value)
        if taken in (Taken.MERGED, Taken.KEPT):
            self._wake()
        if taken in (Taken.NEW, Taken.FOLLOWED) and not is_ward(case.ward):
            log.warning("foreign_case_without_ward", case=case.id)
        if taken is Taken.KNOWN and not foreign.stands(self._store, case):
            self._came_behind(case.id, case.version)
            return
        behind = self._behind.get(case.id)
        # of two with one version workers know the first
        if behind is None or case.version > behind.version:
            self._behind.pop(case.id, None)

    def _came_behind(self, case_id: str, version: int) -> None:
        known = self._behind.get(case_id)
        highest = version if known is None else max(version, known.version)
        self._behind[case_id] = _Behind(highest, time.monotonic())

    def _settle(self, cases: list[str]) -> None:
        """Everything has been read: what stands behind ours gets ours behind it. One of ours that
        waits to go out is waited for."""
        for case_id in cases:
            try:
                again = foreign.publish_again(self._store, case_id, self._behind[case_id].version)
            except (*REFUSED, DataError) as error:
                log.error("foreign_case_stuck", case=case_id, error=type(error).__name__)
                again = None
            if again is Again.PUBLISHED:
                log.info("foreign_case_published_again", case=case_id)
                self._wake()
            if again is not Again.WAITS:
                self._behind.pop(case_id)


def _refused(record: Any, error: Exception) -> None:
    where = {"partition": record.partition, "offset": record.offset}
    # whoever looked for it has put nobody's data into the words; others' have what they stumbled on
    looked_for = isinstance(error, InvalidEvent) or type(error) is ValueError
    words = str(error)[:300] if looked_for else type(error).__name__
    log.error("foreign_case_refused", **where, detail=words)


def _ours(record: Any) -> bool:
    """Whether a console of ours wrote it."""
    return cloudevents.attributes(record.headers or ()).get("source") == SOURCE
