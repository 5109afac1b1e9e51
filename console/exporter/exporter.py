"""The exporter: every probe of a console, and which of them only one console asks."""

import asyncio
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from console.coverage.stages import Within
from console.exporter import cases, own, wards
from console.exporter.backlog import Backlog
from console.exporter.engine import engine_now
from console.exporter.probe import Asking, Found, Probe
from console.exporter.producers import producers_now
from console.gateway.activity import Limits
from console.gateway.activity_counts import counted
from console.store.engine import Store, utc_now
from console.store.locks import ExclusiveLock
from console.store.producers import list_producers
from schemas import metrics as m
from schemas.meters import Metrics
from schemas.settings import Settings
from streams.clickhouse import ClickHouse, Priority

_STAND_BY_S: Final = 5.0
_TIMEOUT_S: Final = 70.0
_COUNT_S: Final = 60  # of the producers in a table of hundreds of millions


class Exporter:
    """Asks while `run` runs; `round` asks each once. It has a way of its own to ClickHouse."""

    def __init__(
        self, settings: Settings, store: Store, metrics: Metrics, limits: Limits | None = None
    ) -> None:
        self._settings = settings
        self._store = store
        self._limits = limits or Limits()
        self._clickhouse = ClickHouse(settings, _TIMEOUT_S, Priority.READING)
        self._within = Within.of(settings)
        self._backlog = Backlog(settings)
        self._lock = ExclusiveLock(store.engine, "exporter")
        self._own = [Asking(probe, metrics) for probe in self._own_probes()]
        self._shared = [Asking(probe, metrics) for probe in self._shared_probes()]

    def _own_probes(self) -> tuple[Probe, ...]:
        """Asked by every console."""
        return (
            _probe("outbox", 5, (m.OUTBOX_PENDING, m.OUTBOX_OLDEST),
                   lambda: own.outbox_now(self._store, utc_now())),
            _probe("machine", 15, (m.DISK_FREE, m.DISK_SIZE),
                   lambda: own.disk_of(self._settings.data_dir)),
            _probe("certificates", 30, (m.CERTIFICATE_EXPIRY,),
                   lambda: own.certificates(self._settings.certificates)),
        )  # fmt: skip

    def _shared_probes(self) -> tuple[Probe, ...]:
        """Asked by one console: they cost the neighbours something, and are the same for all."""
        return (
            Probe("backlog", 10, (m.BACKLOG_RECORDS, m.BACKLOG_SECONDS), self._backlog.ask),
            _probe("engine", 15, (m.CLOCK_SKEW, m.DISK_FREE, m.DISK_SIZE),
                   lambda: engine_now(self._clickhouse)),
            _probe("cases", 15, (m.CASES_UNTRACED, m.CASES_UNTRACED_SECONDS, m.CASES_WAITING,
                                 m.CASES_WAITING_SECONDS),
                   lambda: cases.asked(self._store, self._clickhouse, utc_now())),
            _probe("wards", 30, (m.WARD_PLACES, m.WARD_SCANS, m.WARD_QUIET_SINCE, m.WARDS_QUIET,
                                 m.CODES_ENDING),
                   lambda: wards.asked(self._clickhouse, self._within, utc_now())),
            _probe("producers", 30, (m.PRODUCER_RECENT, m.PRODUCER_LAST_SEEN, m.PRODUCER_SILENT,
                                     m.PRODUCERS_SILENT), self._producers),
        )  # fmt: skip

    async def run(self) -> None:
        """Until cancelled. What is away is asked again; another console takes over if we end."""
        own = [asyncio.create_task(asking.run()) for asking in self._own]
        shared: list[asyncio.Task[None]] = []
        try:
            while True:
                mine = await asyncio.to_thread(self._try_lock)
                if mine and not shared:
                    shared = [asyncio.create_task(asking.run()) for asking in self._shared]
                elif not mine and shared:
                    await _end(shared)
                    shared = []
                    for asking in self._shared:
                        asking.forget()
                await asyncio.sleep(_STAND_BY_S)
        finally:
            await _end([*own, *shared])
            await self.close()

    async def round(self) -> None:
        """Ask everything once, whoever else does."""
        for asking in (*self._own, *self._shared):
            await asking.round()

    async def close(self) -> None:
        """Let everything go."""
        await self._backlog.close()
        self._lock.release()
        self._clickhouse.close()

    def _try_lock(self) -> bool:
        try:
            return self._lock.try_acquire()
        except SQLAlchemyError:
            return False

    def _producers(self) -> Found:
        now = utc_now()
        seen = counted(self._clickhouse, self._limits.silent_after_minutes, now, _COUNT_S)
        return producers_now(list_producers(self._store), seen, self._limits, now)


def _probe(
    name: str, every_s: float, feeds: tuple[m.MetricDef, ...], ask: Callable[[], Found]
) -> Probe:
    """Of a question that blocks: it is asked in a thread, which ends by its client's time limit."""
    return Probe(name, every_s, feeds, lambda: asyncio.to_thread(ask), 3 * _TIMEOUT_S)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
