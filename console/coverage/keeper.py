"""Coverage, a minute old at most: a console keeps counting it, one console at a time."""

import asyncio
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from console.coverage import snapshot
from console.coverage.feed import Feed
from console.coverage.stages import Within
from console.sitelist.linking import link_new
from console.store.engine import Store, utc_now
from console.store.locks import ExclusiveLock
from schemas.errors import Fatal, Retryable
from schemas.meters import Metrics
from schemas.metrics import COVERAGE_ROUND, COVERAGE_SECONDS
from schemas.settings import Settings
from streams.clickhouse import ClickHouse, Priority

log = structlog.get_logger()

EVERY_S: Final = 30.0
_SHARE: Final = 0.1  # of the time: a round of four seconds has 40 of rest after it…
_OLDEST_S: Final = 55.0  # …or less, where that keeps what is shown under a minute
_STAND_BY_S: Final = 5.0
_PAUSE_S: Final = 5.0
# the engine's largest statement here reads every scan of a week
TIMEOUT_S: Final = 120.0


def rest_after(round_s: float) -> float:
    """Seconds until the next round begins, after one that took `round_s`.

    What is shown is as old as its round's beginning, until the next one is whole. A machine on
    which a round takes so long that a minute cannot be kept is left the most of its time instead.
    """
    fresh = _OLDEST_S - 2 * round_s
    if fresh < EVERY_S:
        return round_s / _SHARE
    return max(EVERY_S, min(round_s / _SHARE, fresh))


class Keeper:
    """Counts while `run` runs. It has a way to ClickHouse of its own, with a long time limit."""

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        self._settings = settings
        self._store = store
        self._clickhouse = ClickHouse(settings, TIMEOUT_S, Priority.READING)
        self.feed = Feed(settings, self._clickhouse)
        self._lock = ExclusiveLock(store.engine, "coverage")
        self._round = metrics.gauge(COVERAGE_ROUND)
        self._seconds = metrics.gauge(COVERAGE_SECONDS)
        self._linked = 0

    async def run(self) -> None:
        """Until cancelled. A broker, an engine or a database that is away is waited for."""
        before_s = 0.0
        try:
            while True:
                try:
                    made = await self.step()
                except (Retryable, Fatal, KafkaError, SQLAlchemyError, OSError) as error:
                    words = str(error)[:300] if not isinstance(error, SQLAlchemyError) else ""
                    log.warning("coverage_waits", error=type(error).__name__, detail=words)
                    await self.feed.close()
                    await asyncio.sleep(_PAUSE_S)
                    continue
                if made is None:
                    await asyncio.sleep(_STAND_BY_S)
                    continue
                # one round that waited for an engine that was away says nothing of their length
                await asyncio.sleep(rest_after(min(made.seconds, before_s)))
                before_s = made.seconds
        finally:
            await self.close()

    async def close(self) -> None:
        """Let everything go."""
        await self.feed.close()
        self._lock.release()
        self._clickhouse.close()

    async def step(self) -> snapshot.Round | None:
        """One round; None if another process keeps coverage. Raises what `run` waits for."""
        if not await asyncio.to_thread(self._lock.try_acquire):
            return None
        self._linked = await asyncio.to_thread(link_new, self._store, self._linked)
        copied = await self.feed.catch_up()
        made = await asyncio.to_thread(
            snapshot.take, self._clickhouse, utc_now(), Within.of(self._settings)
        )
        self._round.set(made.at.timestamp())
        self._seconds.set(made.seconds)
        log.debug("coverage_counted", copied=copied, places=made.places, seconds=made.seconds)
        return made
