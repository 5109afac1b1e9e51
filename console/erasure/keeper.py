"""Requests for erasure, worked on while a console runs; one console at a time."""

import asyncio
import time
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from console.erasure.desk import Desk
from console.store import erasures
from console.store.engine import Store
from console.store.erasures import State
from console.store.locks import ExclusiveLock
from schemas.errors import Fatal, Retryable, UserError
from schemas.settings import Settings
from streams.clickhouse import ClickHouse

log = structlog.get_logger()
_EVERY_S: Final = 5.0
_WAITING_EVERY_S: Final = 600.0  # whether a case that still needs something has ended
_TIMEOUT_S: Final = 3_700.0  # a mutation goes through every part of a table


class EraseKeeper:
    """Works while `run` runs, with a way to ClickHouse of its own."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._clickhouse = ClickHouse(settings, _TIMEOUT_S)
        self._desk = Desk(settings, store, self._clickhouse)
        self._store = store
        self._lock = ExclusiveLock(store.engine, "erasures")
        self._looked_at = 0.0

    async def run(self) -> None:
        """Until cancelled; what is away is waited for."""
        try:
            while True:
                await asyncio.to_thread(self.step)
                await asyncio.sleep(_EVERY_S)
        finally:
            self._lock.release()
            self._clickhouse.close()

    def step(self) -> None:
        """What can be done now."""
        try:
            open_ = erasures.asked(self._store, open_only=True)
            if not open_ or not self._lock.try_acquire():
                return
            due = time.monotonic() - self._looked_at >= _WAITING_EVERY_S
            for asked in reversed(open_):
                if asked.state is State.RUNNING or due:
                    self._desk.work(asked.id)
            if due:
                self._looked_at = time.monotonic()
        except (Retryable, Fatal, UserError, KafkaError, SQLAlchemyError, OSError) as error:
            words = str(error)[:300] if not isinstance(error, SQLAlchemyError) else ""
            log.warning("erasure_waits", error=type(error).__name__, detail=words)
