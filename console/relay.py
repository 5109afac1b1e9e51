"""The relay: what the outbox holds goes to Kafka, in the order of its ids, at least once.

A row is marked when the broker has it. After a crash or a failure in between, the rows from the
oldest unmarked one go out again in the same order: so the last record of a key is always its
highest version, which is what compaction keeps. One relay at a time, by a lock that only its
holder's death releases.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from console.broker import KafkaPublisher, Publisher, Record
from console.store import outbox
from console.store.engine import Store, utc_now
from console.store.locks import ExclusiveLock
from schemas import traceparent
from schemas.clock import now_ms
from schemas.errors import Retryable
from schemas.settings import Settings
from streams.spans import OFF, Attributes, Spans

log = structlog.get_logger()

_BATCH: Final = 5_000
_POLL_S: Final = 0.1
_STAND_BY_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_KEEP: Final = timedelta(days=7)
_PRUNE_EVERY_S: Final = 3600.0
_MOST_FOLLOWED: Final = 32


class Relay:
    """Publishes the outbox while `run` runs. `wake` is for a change made in this process."""

    def __init__(self, store: Store, publisher: Publisher, spans: Spans = OFF) -> None:
        self._store = store
        self._publisher = publisher
        self._spans = spans
        self._lock = ExclusiveLock(store.engine, "relay")
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._prune_at = 0.0

    def wake(self) -> None:
        """Something was just written. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Until cancelled. A broker or database that is away is waited for."""
        self._loop = asyncio.get_running_loop()
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                try:
                    done = await self.step()
                except (Retryable, SQLAlchemyError) as error:
                    detail = str(error) if isinstance(error, Retryable) else type(error).__name__
                    log.warning("relay_waits", detail=detail, seconds=pause_s)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                    continue
                pause_s = _FIRST_PAUSE_S
                if done is None:
                    await asyncio.sleep(_STAND_BY_S)
                elif done == 0:
                    await self._wait()
        finally:
            self._loop = None
            self._lock.release()

    def release(self) -> None:
        """Let another process be the relay."""
        self._lock.release()

    async def step(self) -> int | None:
        """Publish the oldest rows; how many. None if another process is the relay."""
        self._woken.clear()
        if not await asyncio.to_thread(self._lock.try_acquire):
            return None
        rows = await asyncio.to_thread(outbox.pending, self._store, _BATCH)
        if rows:
            began_ms = now_ms()
            await self._publisher.send([_record(row) for row in rows])
            self._tell(rows, began_ms)
            ids = [row.id for row in rows]
            await asyncio.to_thread(outbox.mark_published, self._store, ids, utc_now())
        if len(rows) < _BATCH:
            await self._prune()
        return len(rows)

    def _tell(self, rows: Sequence[outbox.Pending], began_ms: int) -> None:
        """The spans of what is followed among them."""
        ended_ms = now_ms()
        if not self._spans.on:
            return
        for row in islice((row for row in rows if traceparent.NAME in row.headers), _MOST_FOLLOWED):
            about: Attributes = {"messaging.destination.name": row.topic, "truyvet.outbox": row.id}
            context = row.headers[traceparent.NAME]
            self._spans.past("relay", began_ms, ended_ms, context, about)

    async def _wait(self) -> None:
        """For a wake-up, or for rows of another process."""
        try:
            async with asyncio.timeout(_POLL_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + _PRUNE_EVERY_S
            await asyncio.to_thread(outbox.prune, self._store, utc_now(), _KEEP)


async def publish_once(store: Store, settings: Settings) -> None:
    """What waits now, unless a console's relay does it: for a command that stands on it.

    Raises Retryable.
    """
    publisher = KafkaPublisher(settings)
    relay = Relay(store, publisher)
    try:
        while await relay.step():
            pass
    finally:
        relay.release()
        await publisher.close()


def _record(row: outbox.Pending) -> Record:
    headers = tuple((name, text.encode()) for name, text in row.headers.items())
    return Record(row.topic, row.key.encode(), row.value, headers)
